//! What a scenario found: figures for a program, and one line for a person.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fleet::Tally;
use crate::oracle::Verdict;

/// The figures of one scenario.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Its name.
    pub scenario: &'static str,
    /// What had to be shown.
    pub goal: String,
    /// Records, connections or copies: what was counted.
    pub n: u64,
    /// What was done to the server, by name.
    pub faults: BTreeMap<String, u64>,
    /// Records promised to be stored.
    pub acked: u64,
    /// Promised, and not stored.
    pub lost: u64,
    /// Counted more than once.
    pub doubled: u64,
    /// Identities with a second content.
    pub conflicts: u64,
    /// From a publish to its PUBACK.
    pub p50_ms: f64,
    /// The same for 99 of 100.
    pub p99_ms: f64,
    /// From a PUBACK to the receipt that covers it, 99 of 100; 0 where nobody asked.
    pub receipt_p99_ms: f64,
    /// Resident memory of the server at the start.
    pub rss_start_kib: u64,
    /// And at the end.
    pub rss_end_kib: u64,
    /// How long it took.
    pub seconds: f64,
    /// Everything was drawn from it.
    pub seed: u64,
    /// The commit, where there is one.
    pub git: String,
    /// `embedded` or `mosquitto`.
    pub broker: &'static str,
    /// `sqlite` or `pg`.
    pub db: &'static str,
    /// What was spoilt on purpose.
    pub sabotage: Option<crate::sabotage::Sabotage>,
    /// More figures of this scenario.
    pub figures: BTreeMap<String, f64>,
    /// The oracle's word, where it was asked.
    pub verdict: Option<Verdict>,
    /// What was missed, in words.
    pub misses: Vec<String>,
    /// Why it was not run at all.
    pub skipped: Option<String>,
    /// Nothing was missed.
    pub ok: bool,
}

impl Report {
    /// Takes what a fleet counted, and how many records it still holds at the end.
    pub fn close(&mut self, tally: &Tally, held: u64) {
        self.require(held == 0, || format!("{held} records were never promised"));
        if let (Ok(puback), Ok(receipt)) = (tally.puback.lock(), tally.receipt.lock()) {
            (self.p50_ms, self.p99_ms) = (puback.quantile_ms(50), puback.quantile_ms(99));
            self.receipt_p99_ms = receipt.quantile_ms(99);
        }
    }

    /// Takes the oracle's word.
    pub fn judged(&mut self, verdict: Verdict) {
        let red = verdict.red();
        if !red.is_empty() {
            self.misses.push(format!(
                "red: {}; {}",
                red.join(", "),
                verdict.examples.join("; ")
            ));
        }
        (self.acked, self.lost) = (verdict.acked, verdict.lost);
        (self.doubled, self.conflicts) = (verdict.doubled, verdict.conflicts);
        self.verdict = Some(verdict);
    }

    /// Notes a miss unless `held`.
    pub fn require(&mut self, held: bool, miss: impl FnOnce() -> String) {
        if !held {
            self.misses.push(miss());
        }
    }

    /// One line for a person.
    pub fn line(&self) -> String {
        let Self {
            scenario,
            n,
            acked,
            lost,
            doubled,
            seconds,
            ..
        } = self;
        if let Some(why) = &self.skipped {
            return format!("skipped {scenario}: {why}");
        }
        let word = if self.ok { "ok     " } else { "FAILED " };
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let figures: Vec<String> = self
            .figures
            .iter()
            .map(|(name, figure)| format!("{name} {figure}"))
            .collect();
        let mut line = format!(
            "{word} {scenario}: n {n}, acknowledged {acked}, lost {lost}, doubled {doubled}, p50 {} ms, p99 {} ms, {seconds:.1} s",
            self.p50_ms, self.p99_ms
        );
        for part in [faults, figures, self.misses.clone()] {
            if !part.is_empty() {
                line = format!("{line}\n        {}", part.join(", "));
            }
        }
        line
    }
}
