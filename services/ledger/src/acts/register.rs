//! The register of households: correcting where one lives, and erasing one. The act is in the journal, which holds hashes
//! alone; what it changes in the register is changed here, in the same transaction.

use serde::{Deserialize, Serialize};

use super::act::{Act, Actor, Words};
use super::command::Deed;
use super::refused::{Why, must};
use crate::db;
use crate::entry::Body;
use crate::error::{Error, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::privacy::Erased;
use crate::registry::{Home, Household, RESIDENTS, digest, names_a_place};

/// Why the machine erases: a person decided it in a life of the data that this one does not know.
const AGAIN: &str = "erased before what was restored was made; carried out again after the restore";

/// What goes with a household, but for the accounts of those who lived there.
const FORGET: [&str; 5] = [
    "delete from household_key where token = ?",
    "delete from words where token = ?",
    "update household set building = null, unit = null, station = null, sealed = null, digest = null where token = ?",
    "delete from one_time_code where token = ?",
    "delete from session where account in (select account from resident where token = ?)",
];

/// What of a household's place is to be changed; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correction {
    pub building: Option<String>,
    pub unit: Option<String>,
    pub door: Option<String>,
    pub residents: Option<i64>,
}

impl Correction {
    /// Without the spaces around; `Err` where it names what no place is called, or so many residents as nobody has.
    fn checked(self) -> Result<Self> {
        let place = |text: Option<String>| -> Result<Option<String>> {
            let Some(text) = text else { return Ok(None) };
            let text = text.trim();
            must(names_a_place(text), Why::Malformed, || {
                "expected 1 to 64 characters of a building, unit or door".to_owned()
            })?;
            Ok(Some(text.to_owned()))
        };
        let residents = self
            .residents
            .is_none_or(|residents| RESIDENTS.contains(&residents));
        must(residents, Why::Malformed, || {
            "expected residents of 0 to 99".to_owned()
        })?;
        Ok(Self {
            building: place(self.building)?,
            unit: place(self.unit)?,
            door: place(self.door)?,
            residents: self.residents,
        })
    }
}

/// A household's place as an act keeps it. Places are few and could be tried out against a hash, so it is salted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    building: Option<String>,
    unit: Option<String>,
    door: Option<String>,
    residents: Option<i64>,
    salt: String,
}

impl Written {
    fn words(&self) -> Words {
        Words::new(serde_json::to_string(self).unwrap_or_default())
    }
}

impl Ledger {
    /// Corrects where a household lives; where that stands in the journal. As it was and as it is now is kept as words.
    pub async fn correct(
        &self,
        actor: &Actor,
        now: i64,
        token: &str,
        correction: Correction,
    ) -> Result<Position> {
        let correction = correction.checked()?;
        let mut deed = self.deed(actor, now).await?;
        deed.person()?;
        deed.household(token).await?;
        let known = self.stored(&mut deed.tx.link(), token).await?;
        let known = known.ok_or_else(|| Error::Rejected("the household is gone".into()))?;
        let (before, after) = (
            self.written(&known)?,
            self.written(&corrected(&known, correction))?,
        );
        let same = |was: &Written, is: &Written| {
            (&was.building, &was.unit, &was.door, was.residents)
                == (&is.building, &is.unit, &is.door, is.residents)
        };
        must(!same(&before, &after), Why::Malformed, || {
            "expected a building, unit, door or number of residents that is not registered so already"
                .to_owned()
        })?;
        let act = Act::Correct {
            token: token.to_owned(),
            before: before.words(),
            after: after.words(),
        };
        deed.is_its_duty(&act).await?;
        deed.store(vec![Body::Act(Box::new(act))]).await
    }

    fn written(&self, household: &Household) -> Result<Written> {
        let household = household.clone();
        Ok(Written {
            building: household.building,
            unit: household.unit,
            door: household.door,
            residents: household.residents,
            salt: self.vault.salt()?,
        })
    }

    /// Erases once more whom a person had erased before these data were copied; how many.
    pub(crate) async fn erase_again(&self, erased: &Erased, now: i64) -> Result<u64> {
        let machine = Actor::system();
        let mut done = 0;
        for token in self.tokens().await? {
            let mut deed = self.deed(&machine, now).await?;
            if erased.remembers(&token) && deed.household(&token).await.is_ok() {
                let reason = Words::new(AGAIN);
                deed.store(vec![Body::Act(Box::new(Act::Erase { token, reason }))])
                    .await?;
                done += 1;
            }
        }
        Ok(done)
    }
}

fn corrected(known: &Household, correction: Correction) -> Household {
    let known = known.clone();
    Household {
        building: correction.building.or(known.building),
        unit: correction.unit.or(known.unit),
        door: correction.door.or(known.door),
        residents: correction.residents.or(known.residents),
        ..known
    }
}

impl Deed<'_> {
    /// Only [`Ledger::correct`] knows what was registered before; erasing is done here, to the last copy in the folder.
    pub(super) async fn on_register(mut self, act: Act) -> Result<Position> {
        self.person()?;
        let Act::Erase { token, .. } = &act else {
            let sentence = "expected a correction by what is to be registered, came one by its hashes";
            return Err(super::Refused::error(Why::Malformed, sentence));
        };
        self.household(token).await?;
        let (ledger, token) = (self.ledger, token.clone());
        let position = self.store(vec![Body::Act(Box::new(act))]).await?;
        Erased::add(ledger.folder(), [token.as_str()])?;
        ledger.wipe_log().await?;
        Ok(position)
    }

    /// What an act changes in the register.
    pub(super) async fn register(&mut self, act: &Act) -> Result<()> {
        match act {
            Act::Correct { token, after, .. } => self.write_place(token, after).await,
            Act::Erase { token, .. } => self.forget(token).await,
            _ => Ok(()),
        }
    }

    async fn write_place(&mut self, token: &str, after: &Words) -> Result<()> {
        let written: Option<Written> = after.text().and_then(|text| serde_json::from_str(text).ok());
        let Some(written) = written else { return Ok(()) };
        let home = Home {
            door: written.door,
            residents: written.residents,
        };
        let sealed = home.seal(&self.ledger.vault, &mut self.tx.link(), token).await?;
        let done = db::query(
            "update household set building = ?, unit = ?, sealed = ?, digest = null where token = ?",
        )
        .bind(written.building)
        .bind(written.unit)
        .bind(sealed)
        .bind(token)
        .execute(&mut self.tx.link())
        .await;
        self.of(done)?;
        self.stamp(token).await
    }

    async fn stamp(&mut self, token: &str) -> Result<()> {
        let stamped = digest::stamp(&mut self.tx.link(), &[token]).await;
        self.of(stamped)
    }

    /// The row itself stays on the roll. Who looked stays too: it names accounts, and a token that says nothing any more.
    async fn forget(&mut self, token: &str) -> Result<()> {
        let wipe = db::query("insert into meta (key, value) values (?, '1') on conflict do nothing");
        self.run(wipe.bind(crate::ledger::WIPE)).await?;
        for sql in FORGET {
            self.run(db::query(sql).bind(token)).await?;
        }
        self.stamp(token).await?;
        let ended = "update account set password = null, totp = null, offered_totp = null, disabled_at = ?2
             where role = 'resident' and disabled_at is null
               and name in (select account from resident where token = ?1)
               and not exists (select 1 from resident where account = name and token <> ?1)";
        self.run(db::query(ended).bind(token).bind(self.now)).await?;
        // What they called their programs is in their own words.
        let tokens = "delete from api_token where account in (select name from account
             where role = 'resident' and disabled_at is not null
               and name in (select account from resident where token = ?))";
        self.run(db::query(tokens).bind(token)).await?;
        self.run(db::query("delete from resident where token = ?").bind(token))
            .await?;
        Ok(())
    }
}
