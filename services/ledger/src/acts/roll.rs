//! Who was registered when an edition was computed: kept once as long as it stays the same, told apart by its hash.
//! Knows nothing of what an edition says.

use hemu_rules::EstateNo;

use super::act::{Proposal, Sha};
use crate::bytes::Writer;
use crate::db;
use crate::entry::Body;

type Outcome<T> = Result<T, sqlx::Error>;

/// Tokens of one act.
const TOKENS: usize = 1_024;

/// Who was registered: tokens by estate, both in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roll(Vec<(String, Vec<String>)>);

impl Roll {
    pub(super) async fn registered(connection: &mut db::Link<'_>) -> Outcome<Self> {
        let rows: Vec<(String, String)> =
            db::query_as("select coalesce(estate, '') as estate, token from household order by 1, 2")
                .fetch_all(connection)
                .await?;
        let mut roll = Self(Vec::new());
        for (estate, token) in rows {
            roll.add(estate, [token]);
        }
        Ok(roll)
    }

    fn add(&mut self, estate: String, tokens: impl IntoIterator<Item = String>) {
        match self.0.last_mut() {
            Some((last, all)) if *last == estate => all.extend(tokens),
            _ => self.0.push((estate, tokens.into_iter().collect())),
        }
    }

    pub(super) async fn stored(connection: &mut db::Link<'_>, hash: &Sha) -> Outcome<Option<Self>> {
        let parts: Vec<String> = db::query_scalar("select body from roll where hash = ? order by part")
            .bind(hash.as_str())
            .fetch_all(connection)
            .await?;
        let mut roll = Self(Vec::new());
        for part in parts {
            match serde_json::from_str(&part) {
                Ok(Proposal::Roll { estate, tokens, .. }) => roll.add(estate, tokens),
                _ => return Ok(None),
            }
        }
        Ok((roll.hash() == *hash).then_some(roll))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn hash(&self) -> Sha {
        let mut bytes = Vec::new();
        let mut w = Writer::new(&mut bytes);
        for (estate, tokens) in &self.0 {
            w.text(estate);
            w.number(tokens.len() as u64);
            for token in tokens {
                w.text(token);
            }
        }
        Sha::of(&bytes)
    }

    /// As acts.
    pub(super) fn parts(&self) -> Vec<Body<'static>> {
        let hash = self.hash();
        let chunks = self
            .0
            .iter()
            .flat_map(|(estate, tokens)| tokens.chunks(TOKENS).map(move |tokens| (estate, tokens)));
        let part = |(part, (estate, tokens)): (u32, (&String, &[String]))| {
            Body::Proposal(Box::new(Proposal::Roll {
                hash: hash.clone(),
                part,
                estate: estate.clone(),
                tokens: tokens.to_vec(),
            }))
        };
        (0..).zip(chunks).map(part).collect()
    }

    /// Every household with its estate's number, in the order of the tokens.
    pub(super) fn members(self) -> Vec<(String, EstateNo)> {
        let numbered = (0..).map(EstateNo).zip(self.0);
        let mut members: Vec<_> = numbered
            .flat_map(|(no, (_, tokens))| tokens.into_iter().map(move |token| (token, no)))
            .collect();
        members.sort_unstable();
        members
    }
}
