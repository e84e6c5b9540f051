//! The retention clocks: deletes what is over, has nothing of what was erased left in the log, and notes the journal's head
//! outside the database. Must not stop anything: what fails here is told once and tried again.

use hemu_ledger::Ledger;
use hemu_ledger::privacy::Until;
use hemu_rules::{Day, Millis};

use crate::commands::hex;
use crate::config::Config;

const DAY_MS: i64 = 86_400_000;
/// From one look to the next.
const EVERY_MS: i64 = 10 * 60_000;

/// How long things are kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    pub(crate) looks: u16,
    pub(crate) words: u16,
}

impl Keep {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            looks: config.keep_looks_days,
            words: config.keep_words_days,
        }
    }

    /// What is over at an instant of the site's clock, ms since 1970 UTC; `late` days later than it is. Sessions and codes
    /// run out by the machine's clock, also where the site's is a demo's fast one.
    pub(crate) fn until(self, ledger: &Ledger, now: i64, machine: i64, late: u16) -> Until {
        let today = Day::of(Millis::clamped(now), ledger.zone());
        Until {
            looks: today.plus(-i32::from(self.looks) - i32::from(late)),
            words: now - (i64::from(self.words) + i64::from(late)) * DAY_MS,
            logins: machine - i64::from(late) * DAY_MS,
        }
    }
}

/// The clocks of one server.
pub(crate) struct Retention {
    ledger: Ledger,
    keep: Keep,
    /// Not before this, ms.
    due: i64,
    failed: Option<String>,
}

impl Retention {
    pub(crate) fn new(ledger: Ledger, keep: Keep) -> Self {
        Self {
            ledger,
            keep,
            due: i64::MIN,
            failed: None,
        }
    }

    /// Does what is due at an instant of the site's clock; `machine` is the same by the machine's.
    pub(crate) async fn look(&mut self, now: i64, machine: i64) {
        if now < self.due {
            return;
        }
        self.due = now + EVERY_MS;
        match self.step(now, machine).await {
            Ok(()) => self.failed = None,
            Err(error) => {
                let why = error.to_string();
                if self.failed.as_ref() != Some(&why) {
                    tracing::warn!(
                        error = why,
                        "what is over could not be deleted; it is tried every ten minutes"
                    );
                    self.failed = Some(why);
                }
            }
        }
    }

    async fn step(&self, now: i64, machine: i64) -> hemu_ledger::Result<()> {
        let until = self.keep.until(&self.ledger, now, machine, 0);
        let over = self.ledger.forget(until).await?;
        if over.looks + over.words > 0 {
            tracing::info!(looks = over.looks, words = over.words, "what was over is deleted");
        }
        self.ledger.wipe_log().await?;
        if let Some(head) = self.ledger.anchor(now).await? {
            let hash = hex(&head.hash);
            tracing::info!(position = head.position, hash, "the journal's head");
        }
        Ok(())
    }
}
