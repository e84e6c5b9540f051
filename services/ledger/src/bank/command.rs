//! What a deal must fulfil before it is stored: checked in the transaction that stores it, so that nobody spends twice.

use hemu_rules::{Day, Millis};

use super::deal::{
    AMOUNT_MOST, AWARD_MOST, BACK_DAYS, Currency, DAY_MINUTES, Deal, FUND_MOST, KEY_LENGTH, POOL_LENGTH,
    SERVICE_MINUTES,
};
use super::fold::{ISSUED, Party, minutes};
use crate::acts::{Act, Actor, Deed, Refused, Why, must};
use crate::db;
use crate::entry::Body;
use crate::error::{Error, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

const DAY_MS: i64 = 86_400_000;
/// How often a resident may spend of one account on a local day.
pub const SPENDS_A_DAY: i64 = 20;
/// Points that one household is awarded on a local day at most.
pub const AWARDS_A_DAY: i64 = 2_000;

/// A deal that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dealt {
    /// Where it stands in the journal; also the id of the entry or the service that came into being.
    pub position: Position,
    /// When it was done, ms since 1970 UTC.
    pub at: i64,
    /// It had been done before, under the same key.
    pub repeated: bool,
}

impl Ledger {
    /// Does what an account asks for at an instant (ms since 1970 UTC), durably and once: the same request under the same
    /// key gets the first one's answer.
    pub async fn deal(&self, actor: &Actor, now: i64, deal: Deal) -> Result<Dealt> {
        let act = Act::Bank(Box::new(deal));
        let Act::Bank(deal) = &act else {
            return Err(Error::Rejected("expected a deal".to_owned()));
        };
        let mut deed = self.deed(actor, now).await?;
        deed.person()?;
        deed.is_its_duty(&act).await?;
        Deed::words_fit(&act)?;
        key_fits(deal.key())?;
        if let Some(first) = deed.first_answer(&act, deal.key()).await? {
            return Ok(first);
        }
        if let Err(error) = deed.is_in_order(deal).await {
            return Err(deed.refused(act, error).await);
        }
        let position = deed.store(vec![Body::Act(Box::new(act))]).await?;
        Ok(Dealt {
            position,
            at: now,
            repeated: false,
        })
    }
}

/// What is recorded of a service.
struct Recorded {
    helped: String,
    helper_token: String,
    helped_token: String,
    by: String,
    state: String,
    decided: Option<i64>,
}
db::from_columns!(Recorded {
    helped,
    helper_token,
    helped_token,
    by,
    state,
    decided,
});

fn key_fits(key: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let right = KEY_LENGTH.contains(&key.len()) && key.chars().all(fits);
    must(right, Why::Malformed, || {
        let (least, most) = (KEY_LENGTH.start(), KEY_LENGTH.end());
        format!("expected a key of {least} to {most} letters, digits, _ and -, drawn anew for every request")
    })
}

fn pool_fits(name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let right = POOL_LENGTH.contains(&name.len()) && name.chars().all(fits);
    must(right, Why::Malformed, || {
        let most = POOL_LENGTH.end();
        format!("expected a pool's name of 1 to {most} small letters, digits and -")
    })
}

fn amount_fits(amount: u32, most: u32) -> Result<()> {
    must((1..=most).contains(&amount), Why::Malformed, || {
        format!("expected a whole amount from 1 to {most}, came {amount}")
    })
}

impl Deed<'_> {
    /// The answer to the request that came under this key before. Anybody else's key, and the same key for something
    /// else, are refused.
    async fn first_answer(&mut self, act: &Act, key: &str) -> Result<Option<Dealt>> {
        let sql = "select act.position, act.at, act.actor, act.body from bank_key
            join act on act.position = bank_key.position and act.idx = 0 where bank_key.key = ?";
        let found = db::query_as(sql)
            .bind(key)
            .fetch_optional(&mut self.tx.link())
            .await;
        let Some((position, at, actor, body)) = self.of::<Option<(i64, i64, String, String)>>(found)? else {
            return Ok(None);
        };
        let same =
            actor == self.actor.name() && serde_json::from_str::<Act>(&body).is_ok_and(|first| first == *act);
        must(same, Why::KeyTaken, || {
            "this key stands for another request already; draw a new one for a new request".to_owned()
        })?;
        Ok(Some(Dealt {
            position: position.cast_unsigned(),
            at,
            repeated: true,
        }))
    }

    async fn is_in_order(&mut self, deal: &Deal) -> Result<()> {
        if let Some(token) = deal.token() {
            self.household(token).await?;
        }
        match deal {
            Deal::Fund { pool, points, .. } => {
                pool_fits(pool)?;
                amount_fits(*points, FUND_MOST)
            }
            Deal::Release { pool, points, .. } => {
                amount_fits(*points, FUND_MOST)?;
                let pool = self.pool(pool).await?;
                self.has(Currency::Points, &pool, (*points).into()).await
            }
            Deal::Award {
                pool, token, points, ..
            } => self.awards(pool, token, *points).await,
            Deal::Redeem {
                pool, token, points, ..
            } => {
                amount_fits(*points, AMOUNT_MOST)?;
                self.pool(pool).await?;
                self.spends(Currency::Points, token, (*points).into()).await
            }
            Deal::Transfer {
                token, to, minutes, ..
            } => {
                amount_fits(*minutes, AMOUNT_MOST)?;
                must(token != to, Why::Malformed, || {
                    "expected another household to give to, came the same one".to_owned()
                })?;
                self.household(to).await?;
                self.spends(Currency::Minutes, token, (*minutes).into()).await
            }
            Deal::Serve { .. } => self.serves(deal).await,
            Deal::Confirm { token, service, .. } => self.confirms(token, *service).await,
            Deal::Reverse { token, entry, .. } => self.reverses(token, *entry).await,
        }
    }

    async fn pool(&mut self, name: &str) -> Result<Party> {
        let pool = Party::pool(name);
        let funded = self.balance(Currency::Points, &pool).await?;
        must(funded.is_some(), Why::UnknownPool, || {
            "there is no such pool; /api/v1/pools lists those there are".to_owned()
        })?;
        Ok(pool)
    }

    async fn home(&mut self, token: &str) -> Result<Party> {
        let home = Party::home(&mut self.tx.link(), token).await;
        self.of(home)
    }

    /// What an account has; `None` of one that never had anything.
    async fn balance(&mut self, currency: Currency, party: &Party) -> Result<Option<i64>> {
        let found = db::query_scalar("select balance from bank_account where currency = ? and id = ?")
            .bind(currency.as_str())
            .bind(&party.id)
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(found)
    }

    async fn has(&mut self, currency: Currency, party: &Party, amount: i64) -> Result<()> {
        let has = self.balance(currency, party).await?.unwrap_or(0);
        must(party.id == ISSUED || has >= amount, Why::NotEnough, || {
            let whose = if party.token.is_some() {
                "household"
            } else {
                "pool"
            };
            format!(
                "the {whose} has {has} {}, and {amount} are asked for",
                currency.as_str()
            )
        })
    }

    /// From when to before when the local day of an instant lasts.
    fn day_of(&self, at: i64) -> (i64, i64) {
        let zone = self.ledger.zone();
        let day = Day::of(Millis::clamped(at), zone);
        (day.start(zone).get(), day.plus(1).start(zone).get())
    }

    async fn awards(&mut self, pool: &str, token: &str, points: u32) -> Result<()> {
        amount_fits(points, AWARD_MOST)?;
        let pool = self.pool(pool).await?;
        let home = self.home(token).await?;
        let (from, to) = self.day_of(self.now);
        let awarded = db::query_scalar(
            "select cast(coalesce(sum(amount), 0) as bigint) from bank_entry
             where credit = ? and kind = 'award' and at >= ? and at < ?",
        )
        .bind(&home.id)
        .bind(from)
        .bind(to)
        .fetch_one(&mut self.tx.link())
        .await;
        let awarded: i64 = self.of(awarded)?;
        must(awarded + i64::from(points) <= AWARDS_A_DAY, Why::TooOften, || {
            format!("a household gets at most {AWARDS_A_DAY} points a day, and got {awarded} today")
        })?;
        self.has(Currency::Points, &pool, points.into()).await
    }

    async fn spends(&mut self, currency: Currency, token: &str, amount: i64) -> Result<()> {
        let home = self.home(token).await?;
        self.has(currency, &home, amount).await?;
        // Whoever works at a counter does it for many; a resident is asked whether that was really they.
        if !self.is_a_residents().await? {
            return Ok(());
        }
        let (from, to) = self.day_of(self.now);
        let spent = db::query_scalar(
            "select count(*) from bank_entry where debit = ? and at >= ? and at < ? and by = ?",
        )
        .bind(&home.id)
        .bind(from)
        .bind(to)
        .bind(self.actor.name())
        .fetch_one(&mut self.tx.link())
        .await;
        let spent: i64 = self.of(spent)?;
        must(spent < SPENDS_A_DAY, Why::TooOften, || {
            format!(
                "a household spends at most {SPENDS_A_DAY} times a day by itself; an officer can help with more"
            )
        })
    }

    async fn serves(&mut self, deal: &Deal) -> Result<()> {
        let Deal::Serve {
            token,
            helped,
            began,
            ended,
            ..
        } = deal
        else {
            return Ok(());
        };
        let (began, ended) = (*began, *ended);
        must(token != helped, Why::Malformed, || {
            "expected another household that was helped, came the same one".to_owned()
        })?;
        self.household(helped).await?;
        let known = Millis::new(began).is_ok() && Millis::new(ended).is_ok();
        let recent = began >= self.now.saturating_sub(BACK_DAYS * DAY_MS);
        must(known && ended <= self.now && recent, Why::Malformed, || {
            format!(
                "expected a service of the last {BACK_DAYS} days that is over, signed in and out in ms since 1970"
            )
        })?;
        let length = minutes(began, ended);
        must((1..=SERVICE_MINUTES).contains(&length), Why::Malformed, || {
            format!("expected a service of 1 to {SERVICE_MINUTES} minutes, came {length}")
        })?;
        let (home, there) = (self.home(token).await?, self.home(helped).await?);
        self.day_has_room(&home, began, length).await?;
        self.is_not_recorded((&home, &there), (began, ended)).await
    }

    async fn day_has_room(&mut self, home: &Party, began: i64, length: i64) -> Result<()> {
        let (from, to) = self.day_of(began);
        let recorded = db::query_scalar(
            "select cast(coalesce(sum(minutes), 0) as bigint) from bank_service
             where helper = ? and began >= ? and began < ? and state in ('pending', 'confirmed')",
        )
        .bind(&home.id)
        .bind(from)
        .bind(to)
        .fetch_one(&mut self.tx.link())
        .await;
        let recorded: i64 = self.of(recorded)?;
        must(recorded + length <= DAY_MINUTES, Why::TooOften, || {
            format!(
                "a household serves at most {DAY_MINUTES} minutes a day, and {recorded} of that day are recorded"
            )
        })
    }

    async fn is_not_recorded(
        &mut self,
        (home, there): (&Party, &Party),
        (began, ended): (i64, i64),
    ) -> Result<()> {
        let same = db::query_scalar(
            "select id from bank_service where helper = ? and helped = ? and began < ? and ended > ?
               and state in ('pending', 'confirmed') limit 1",
        )
        .bind(&home.id)
        .bind(&there.id)
        .bind(ended)
        .bind(began)
        .fetch_optional(&mut self.tx.link())
        .await;
        let same: Option<i64> = self.of(same)?;
        must(same.is_none(), Why::WrongState, || {
            "a service of these two households at that time is recorded already".to_owned()
        })
    }

    /// By the household that was helped, and not by whoever gains by it or recorded it.
    async fn confirms(&mut self, token: &str, service: Position) -> Result<()> {
        let row = db::query_as(
            "select helped, helper_token, helped_token, by, state, decided from bank_service where id = ?",
        )
        .bind(service.cast_signed())
        .fetch_optional(&mut self.tx.link())
        .await;
        let row: Option<Recorded> = self.of(row)?;
        // Another household's service is none that this one knows of.
        let Some(row) = row.filter(|row| row.helped_token == token) else {
            let sentence = "no service for this household is recorded under this number";
            return Err(Refused::error(Why::UnknownEntry, sentence));
        };
        if row.state != "pending" {
            let winner = self.winner_at(row.decided.unwrap_or(0)).await?;
            return Err(Refused::lost("the service is decided already", winner));
        }
        must(row.by != self.actor.name(), Why::SamePerson, || {
            "expected the household, or another officer with the household present, came the one who recorded it"
                .to_owned()
        })?;
        let gains = self.is_own(&row.helper_token).await?;
        must(!gains, Why::SamePerson, || {
            "expected somebody who does not act for the household that gets the minutes, too".to_owned()
        })?;
        let home = self.home(token).await?;
        must(home.id == row.helped, Why::WrongState, || {
            "whoever was helped has moved out; the service can no longer be confirmed".to_owned()
        })
    }

    async fn reverses(&mut self, token: &str, entry: Position) -> Result<()> {
        let row = db::query(
            "select currency, kind, debit, credit, amount,
                (select token from bank_account where currency = bank_entry.currency and id = debit) as debit_token,
                (select token from bank_account where currency = bank_entry.currency and id = credit) as credit_token,
                (select position from bank_entry as later where later.reverses = bank_entry.position) as reversed
             from bank_entry where position = ? and idx = 0",
        )
        .bind(entry.cast_signed())
        .fetch_optional(&mut self.tx.link())
        .await;
        let Some(row) = self.of(row)? else {
            return Err(unknown_entry());
        };
        let tokens: [Option<String>; 2] = [
            self.of(row.try_get("debit_token"))?,
            self.of(row.try_get("credit_token"))?,
        ];
        if !tokens.iter().flatten().any(|party| party == token) {
            return Err(unknown_entry());
        }
        for party in tokens.iter().flatten() {
            self.household(party).await?;
        }
        let kind: String = self.of(row.try_get("kind"))?;
        must(kind != "reverse" && kind != "close", Why::WrongState, || {
            format!("an entry of the kind {kind} is not taken back; record what is right as a new one")
        })?;
        if let Some(reversed) = self.of(row.try_get::<Option<i64>, _>("reversed"))? {
            let winner = self.winner_at(reversed).await?;
            return Err(Refused::lost("the entry is taken back already", winner));
        }
        let currency: String = self.of(row.try_get("currency"))?;
        let currency = Currency::from_word(&currency).ok_or_else(unknown_entry)?;
        let [_, token] = tokens;
        let id = self.of(row.try_get("credit"))?;
        let amount = self.of(row.try_get("amount"))?;
        self.has(currency, &Party { id, token }, amount).await
    }
}

fn unknown_entry() -> Error {
    Refused::error(
        Why::UnknownEntry,
        "no entry of this household stands under this number",
    )
}
