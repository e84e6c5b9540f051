//! What a world was, and where one broke. Only words and sums.

use std::fmt;

/// Which world broke, where and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) at: i64,
    pub(crate) what: String,
}

impl Broken {
    pub(crate) fn before(seed: u64, what: &impl fmt::Display) -> Self {
        let what = what.to_string();
        Self {
            seed,
            step: 0,
            at: 0,
            what,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, at, what } = self;
        write!(f, "seed {seed}, step {step}, {at} ms: {what}")
    }
}

/// What a world was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Of every event in its order, and of the last batch's hash.
    pub(crate) trace: u64,
    pub(crate) steps: u64,
    pub(crate) stored: u64,
    pub(crate) acked: u64,
    pub(crate) losses: u64,
    pub(crate) forgotten: u64,
    pub(crate) crashes: u64,
    pub(crate) power_cuts: u64,
    pub(crate) boots_lost: u64,
    pub(crate) restores: u64,
    pub(crate) cut_packets: u64,
    pub(crate) forged: u64,
    pub(crate) repeats: u64,
    pub(crate) mail_lost: u64,
}

impl Report {
    fn numbers(&mut self) -> [(&'static str, &mut u64); 13] {
        [
            ("steps", &mut self.steps),
            ("records stored", &mut self.stored),
            ("acknowledged", &mut self.acked),
            ("losses declared", &mut self.losses),
            ("forgotten by restores", &mut self.forgotten),
            ("server crashes", &mut self.crashes),
            ("power cuts", &mut self.power_cuts),
            ("boots lost", &mut self.boots_lost),
            ("restores", &mut self.restores),
            ("packets cut", &mut self.cut_packets),
            ("receipts forged", &mut self.forged),
            ("publishes sent twice", &mut self.repeats),
            ("messages the broker lost", &mut self.mail_lost),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        for ((_, sum), (_, more)) in self.numbers().into_iter().zip(other.numbers()) {
            *sum += *more;
        }
    }

    /// What happened in fewer than a twentieth of the worlds, and whether there is nothing such.
    pub(crate) fn seldom(&self, worlds: u64) -> (String, bool) {
        let mut sum = self.clone();
        let numbers = sum.numbers();
        let seldom: Vec<_> = numbers
            .iter()
            .filter(|(_, n)| **n * 20 < worlds)
            .map(|(what, _)| *what)
            .collect();
        (seldom.join(", "), seldom.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = self.clone();
        let words: Vec<String> = copy
            .numbers()
            .iter()
            .map(|(what, n)| format!("{what} {n}"))
            .collect();
        f.write_str(&words.join(", "))
    }
}
