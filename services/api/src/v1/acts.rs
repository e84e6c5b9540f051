//! What all acts share: how they are done, what they answer, and how a household in them is printed.

use std::collections::BTreeMap;

use hemu_ledger::Position;
use hemu_ledger::acts::{Act, Actor, EditionId, EditionRow, Sha, Why};
use hemu_rules::Status;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::api::Api;
use crate::mask;
use crate::problem::Problem;

/// An act that is stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// Where it stands in the journal.
    pub(super) position: u64,
    /// The server's clock, ms since 1970 UTC.
    pub(super) at: i64,
}

/// A place on the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = Status)]
pub(crate) enum StatusWord {
    Red,
    Black,
    Grey,
    Unrated,
}

impl From<Status> for StatusWord {
    fn from(status: Status) -> Self {
        match status {
            Status::Red => Self::Red,
            Status::Black => Self::Black,
            Status::Grey => Self::Grey,
            Status::Unrated => Self::Unrated,
        }
    }
}

impl From<StatusWord> for Status {
    fn from(word: StatusWord) -> Self {
        match word {
            StatusWord::Red => Self::Red,
            StatusWord::Black => Self::Black,
            StatusWord::Grey => Self::Grey,
            StatusWord::Unrated => Self::Unrated,
        }
    }
}

/// A household elsewhere than on its own page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Masked {
    /// The end of the token.
    #[schema(example = "···4f2a")]
    household: String,
    /// The whole token, by which acts name it; null to the public.
    household_id: Option<String>,
}

impl Masked {
    pub(crate) fn of(token: &str, looking: Option<&Actor>) -> Self {
        Self {
            household: mask::token(token),
            household_id: looking.map(|_| token.to_owned()),
        }
    }
}

/// The problems that an act may answer.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let said = [
            ("400", "the body cannot be read"),
            (
                "404",
                "there is no such edition, household, objection or reading; `rule` says which",
            ),
            (
                "409",
                "a rule of the due process forbids it, or forbids it now; `rule` names the rule, and `winner` shows who was faster",
            ),
            ("415", "the body is not JSON"),
            ("422", "the body is not what the act needs"),
        ];
        problems(&said)
    }
}

/// Problems by status, each with when it is answered.
pub(crate) fn problems(said: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let response = |&(status, description): &(&str, &str)| {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content)
            .build();
        (status.to_owned(), response.into())
    };
    said.iter().map(response).collect()
}

impl Api {
    /// Does it now; where it stands in the journal.
    pub(crate) async fn act(&self, actor: &Actor, act: Act) -> Result<Position, Problem> {
        Ok(self.ledger.act(actor, self.clock.now(), act).await?)
    }

    /// The same for an act whose place is all there is to answer.
    pub(crate) async fn done(&self, actor: &Actor, act: Act) -> Result<Done, Problem> {
        let at = self.clock.now();
        let position = self.ledger.act(actor, at, act).await?;
        Ok(Done { position, at })
    }

    pub(crate) async fn edition(&self, id: EditionId) -> Result<EditionRow, Problem> {
        let row = self.ledger.edition_row(id).await?;
        row.ok_or_else(|| {
            let detail = format!("there is no edition {id}; /api/v1/editions lists those there are");
            Problem::broken(Why::UnknownEdition, detail)
        })
    }

    /// What a person wrote; `None` where nothing was written, where it was erased, and for whoever is nobody.
    pub(crate) async fn written(
        &self,
        hash: Option<&Sha>,
        token: &str,
        looking: Option<&Actor>,
    ) -> Result<Option<String>, Problem> {
        match (hash, looking) {
            (Some(hash), Some(_)) => Ok(self.ledger.words(hash, Some(token)).await?),
            _ => Ok(None),
        }
    }
}
