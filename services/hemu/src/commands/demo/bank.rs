//! Some minutes and points for the first households of a demo, so that their pages have something to show.

use anyhow::Result;
use hemu_ledger::Ledger;
use hemu_ledger::acts::Words as Reason;
use hemu_ledger::bank::{Deal, Help};

use crate::words::Words;

const HOUR_MS: i64 = 3_600_000;
const POOL: &str = "spring";

/// The first of `tokens` is the one whose code is printed; the officers are two of the demo's.
pub(super) async fn fill(ledger: &Ledger, now: i64, tokens: &[String], words: &Words) -> Result<()> {
    let [first, second, third, ..] = tokens else {
        return Ok(());
    };
    let (officer, other) = ("officer1".parse()?, "officer2".parse()?);
    let fund = Deal::Fund {
        key: "demo-fund".to_owned(),
        pool: POOL.to_owned(),
        points: 50_000,
        reason: Reason::new(words.say("demo-bank-fund", &[])),
    };
    ledger.deal(&"admin".parse()?, now, fund).await?;
    for (key, points) in [("demo-award-1", 120), ("demo-award-2", 60)] {
        let award = Deal::Award {
            key: key.to_owned(),
            pool: POOL.to_owned(),
            token: first.clone(),
            points,
            reason: Reason::new(words.say("demo-bank-award", &[])),
        };
        ledger.deal(&officer, now, award).await?;
    }
    let redeem = Deal::Redeem {
        key: "demo-redeem".to_owned(),
        token: first.clone(),
        pool: POOL.to_owned(),
        points: 50,
        reason: Reason::new(words.say("demo-bank-redeem", &[])),
    };
    ledger.deal(&officer, now, redeem).await?;
    let serve = |key: &str, token: &String, helped: &String, help, hours| Deal::Serve {
        key: key.to_owned(),
        token: token.clone(),
        helped: helped.clone(),
        help,
        began: now - (hours + 2) * HOUR_MS,
        ended: now - hours * HOUR_MS,
    };
    let done = ledger
        .deal(
            &officer,
            now,
            serve("demo-serve-1", first, second, Help::Company, 20),
        )
        .await?;
    let confirm = Deal::Confirm {
        key: "demo-confirm".to_owned(),
        token: second.clone(),
        service: done.position,
        agreed: true,
    };
    ledger.deal(&other, now, confirm).await?;
    let price = Deal::Transfer {
        key: "demo-transfer".to_owned(),
        token: first.clone(),
        to: third.clone(),
        minutes: 30,
        help: Help::Repair,
    };
    ledger.deal(&officer, now, price).await?;
    // This one waits for the word of whoever logs in.
    ledger
        .deal(
            &officer,
            now,
            serve("demo-serve-2", third, first, Help::Errand, 3),
        )
        .await?;
    Ok(())
}
