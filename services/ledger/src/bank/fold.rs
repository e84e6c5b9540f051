//! Folds deals into accounts and entries, like `acts/apply.rs`, from where alone it is called: nothing here refuses or
//! looks at a clock.

use super::deal::{Currency, Deal};
use crate::acts::{Act, Stamp};
use crate::db;
use crate::journal::Position;

type Outcome<T = ()> = Result<T, sqlx::Error>;

/// Whence minutes and points come and whither they end; what it lacks is what households and pools have.
pub(super) const ISSUED: &str = "issued";

/// One side of an entry: an account, and the household whose it is.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) id: String,
    pub(super) token: Option<String>,
}

impl Party {
    pub(super) fn issued() -> Self {
        Self {
            id: ISSUED.to_owned(),
            token: None,
        }
    }

    pub(super) fn pool(name: &str) -> Self {
        Self {
            id: format!("pool/{name}"),
            token: None,
        }
    }

    /// A household's account is its present occupant's, from the act by which they moved in.
    pub(super) async fn home(link: &mut db::Link<'_>, token: &str) -> Outcome<Self> {
        let since: Option<i64> =
            db::query_scalar("select max(act) from moved where token = ? and undone is null")
                .bind(token)
                .fetch_one(link)
                .await?;
        Ok(Self {
            id: home(since.unwrap_or(0), token),
            token: Some(token.to_owned()),
        })
    }
}

/// The account of whoever moved in by an act; zero: was there first.
pub(super) fn home(since: i64, token: &str) -> String {
    format!("home/{since}/{token}")
}

/// What one entry says.
#[derive(Debug, Clone)]
struct Entry<'a> {
    idx: u32,
    currency: Currency,
    kind: &'static str,
    debit: Party,
    credit: Party,
    amount: i64,
    help: Option<&'a str>,
    words: Option<&'a str>,
    service: Option<i64>,
    reverses: Option<i64>,
}

impl<'a> Entry<'a> {
    fn new(currency: Currency, kind: &'static str, (debit, credit): (Party, Party), amount: i64) -> Self {
        Self {
            idx: 0,
            currency,
            kind,
            debit,
            credit,
            amount,
            help: None,
            words: None,
            service: None,
            reverses: None,
        }
    }

    fn for_what(mut self, words: &'a crate::acts::Words) -> Self {
        self.words = Some(words.hash().as_str());
        self
    }
}

impl Stamp<'_> {
    pub(crate) async fn of_bank(&self, link: &mut db::Link<'_>, act: &Act) -> Outcome {
        let Act::Bank(deal) = act else { return Ok(()) };
        let key = db::query("insert into bank_key (key, position) values (?, ?)");
        key.bind(deal.key()).bind(self.id()).execute(&mut *link).await?;
        match &**deal {
            Deal::Fund {
                pool, points, reason, ..
            } => {
                let sides = (Party::issued(), Party::pool(pool));
                let entry = Entry::new(Currency::Points, "fund", sides, (*points).into());
                self.post(link, entry.for_what(reason)).await
            }
            Deal::Release {
                pool, points, reason, ..
            } => {
                let sides = (Party::pool(pool), Party::issued());
                let entry = Entry::new(Currency::Points, "release", sides, (*points).into());
                self.post(link, entry.for_what(reason)).await
            }
            Deal::Award {
                pool,
                token,
                points,
                reason,
                ..
            } => {
                let sides = (Party::pool(pool), Party::home(link, token).await?);
                let entry = Entry::new(Currency::Points, "award", sides, (*points).into());
                self.post(link, entry.for_what(reason)).await
            }
            Deal::Redeem {
                pool,
                token,
                points,
                reason,
                ..
            } => {
                let sides = (Party::home(link, token).await?, Party::pool(pool));
                let entry = Entry::new(Currency::Points, "redeem", sides, (*points).into());
                self.post(link, entry.for_what(reason)).await
            }
            Deal::Transfer {
                token,
                to,
                minutes,
                help,
                ..
            } => {
                let sides = (Party::home(link, token).await?, Party::home(link, to).await?);
                let mut entry = Entry::new(Currency::Minutes, "transfer", sides, (*minutes).into());
                entry.help = Some(help.as_str());
                self.post(link, entry).await
            }
            Deal::Serve { .. } => self.served(link, deal).await,
            Deal::Confirm { service, agreed, .. } => self.confirmed(link, *service, *agreed).await,
            Deal::Reverse { entry, reason, .. } => self.reversed(link, *entry, reason.hash().as_str()).await,
        }
    }

    async fn served(&self, link: &mut db::Link<'_>, deal: &Deal) -> Outcome {
        let Deal::Serve {
            token,
            helped,
            help,
            began,
            ended,
            ..
        } = deal
        else {
            return Ok(());
        };
        let (helper, was_helped) = (Party::home(link, token).await?, Party::home(link, helped).await?);
        let insert = "insert into bank_service
            (id, helper, helper_token, helped, helped_token, help, began, ended, minutes, by, at, state)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')";
        let row = db::query(insert)
            .bind(self.id())
            .bind(helper.id)
            .bind(token)
            .bind(was_helped.id)
            .bind(helped)
            .bind(help.as_str())
            .bind(*began)
            .bind(*ended)
            .bind(minutes(*began, *ended))
            .bind(self.actor)
            .bind(self.at);
        row.execute(link).await.map(drop)
    }

    async fn confirmed(&self, link: &mut db::Link<'_>, service: Position, agreed: bool) -> Outcome {
        let state = if agreed { "confirmed" } else { "declined" };
        self.decide(link, service.cast_signed(), state).await?;
        if !agreed {
            return Ok(());
        }
        let row: Option<(String, String, String, i64)> =
            db::query_as("select helper, helper_token, help, minutes from bank_service where id = ?")
                .bind(service.cast_signed())
                .fetch_optional(&mut *link)
                .await?;
        let Some((id, token, help, minutes)) = row else {
            return Ok(());
        };
        let helper = Party {
            id,
            token: Some(token),
        };
        let mut entry = Entry::new(Currency::Minutes, "service", (Party::issued(), helper), minutes);
        entry.help = Some(&help);
        entry.service = Some(service.cast_signed());
        self.post(link, entry).await
    }

    async fn reversed(&self, link: &mut db::Link<'_>, entry: Position, words: &str) -> Outcome {
        let row = db::query(
            "select currency, debit, credit, amount, help, service,
                (select token from bank_account where currency = bank_entry.currency and id = debit) as debit_token,
                (select token from bank_account where currency = bank_entry.currency and id = credit) as credit_token
             from bank_entry where position = ? and idx = 0",
        )
        .bind(entry.cast_signed())
        .fetch_optional(&mut *link)
        .await?;
        let Some(row) = row else { return Ok(()) };
        let party = |id: &str, token: &str| -> Outcome<Party> {
            Ok(Party {
                id: row.try_get(id)?,
                token: row.try_get(token)?,
            })
        };
        let currency = Currency::from_word(row.try_get("currency")?).unwrap_or(Currency::Points);
        // What was given goes back to whoever gave it.
        let sides = (party("credit", "credit_token")?, party("debit", "debit_token")?);
        let mut opposite = Entry::new(currency, "reverse", sides, row.try_get("amount")?);
        opposite.help = row.try_get("help")?;
        opposite.words = Some(words);
        opposite.service = row.try_get("service")?;
        opposite.reverses = Some(entry.cast_signed());
        if let Some(service) = opposite.service {
            self.decide(link, service, "reversed").await?;
        }
        self.post(link, opposite).await
    }

    async fn decide(&self, link: &mut db::Link<'_>, service: i64, state: &str) -> Outcome {
        db::query("update bank_service set state = ?, decided = ? where id = ?")
            .bind(state)
            .bind(self.id())
            .bind(service)
            .execute(link)
            .await
            .map(drop)
    }

    /// A household is erased: what it had ends where it came from, and nothing waits for its word any more.
    pub(crate) async fn close_accounts(&self, link: &mut db::Link<'_>, token: &str) -> Outcome {
        let open: Vec<(String, String, i64)> = db::query_as(
            "select currency, id, balance from bank_account where token = ? and balance > 0 order by currency, id",
        )
        .bind(token)
        .fetch_all(&mut *link)
        .await?;
        for (idx, (currency, id, balance)) in (0..).zip(open) {
            let token = Some(token.to_owned());
            let sides = (Party { id, token }, Party::issued());
            let currency = Currency::from_word(&currency).unwrap_or(Currency::Points);
            let mut entry = Entry::new(currency, "close", sides, balance);
            entry.idx = idx;
            self.post(link, entry).await?;
        }
        db::query(
            "update bank_service set state = 'declined', decided = ?1
             where state = 'pending' and (helper_token = ?2 or helped_token = ?2)",
        )
        .bind(self.id())
        .bind(token)
        .execute(link)
        .await
        .map(drop)
    }

    async fn post(&self, link: &mut db::Link<'_>, entry: Entry<'_>) -> Outcome {
        let insert = "insert into bank_entry
            (position, idx, currency, kind, debit, credit, amount, by, at, help, words, service, reverses)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = db::query(insert)
            .bind(self.id())
            .bind(entry.idx)
            .bind(entry.currency.as_str())
            .bind(entry.kind)
            .bind(&entry.debit.id)
            .bind(&entry.credit.id)
            .bind(entry.amount)
            .bind(self.actor)
            .bind(self.at)
            .bind(entry.help)
            .bind(entry.words)
            .bind(entry.service)
            .bind(entry.reverses);
        row.execute(&mut *link).await?;
        for (party, amount) in [(&entry.debit, -entry.amount), (&entry.credit, entry.amount)] {
            // Two steps, because the table refuses a row below zero before it looks whether there is one.
            let open = "insert into bank_account (currency, id, token, balance) values (?, ?, ?, 0)
                on conflict (currency, id) do nothing";
            let open = db::query(open).bind(entry.currency.as_str()).bind(&party.id);
            open.bind(&party.token).execute(&mut *link).await?;
            let change = "update bank_account set balance = balance + ? where currency = ? and id = ?";
            let change = db::query(change).bind(amount).bind(entry.currency.as_str());
            change.bind(&party.id).execute(&mut *link).await?;
        }
        Ok(())
    }
}

/// Whole minutes between two instants.
pub(super) fn minutes(began: i64, ended: i64) -> i64 {
    ended.saturating_sub(began) / 60_000
}
