//! How long a device waits for a receipt before it sends everything again: a little longer each time, and not as long
//! as its neighbours, or an estate would come back as one wave after every restart of the server.
//!
//! Must not: read a clock or draw a number of its own.

use crate::draw::Dice;

/// The first wait is drawn from the upper half of this, ms; each further one from twice as much.
const FIRST: i64 = 60_000;
/// The longest wait, ms.
const LONGEST: i64 = 15 * 60_000;

/// 30 s to 15 min.
#[derive(Debug, Clone)]
pub struct Patience {
    dice: Dice,
    since: i64,
    most: i64,
    wait: i64,
}

impl Patience {
    /// Begins to wait at `now`, ms of any clock that the later calls use too.
    pub fn new(dice: Dice, now: i64) -> Self {
        let mut patience = Self {
            dice,
            since: now,
            most: FIRST,
            wait: 0,
        };
        patience.begin(now, FIRST);
        patience
    }

    /// A receipt released something: the next silence is met with a short wait again.
    pub fn rewarded(&mut self, now: i64) {
        self.begin(now, FIRST);
    }

    /// Everything was just sent for another reason: the wait begins anew, as long as it was.
    pub fn renewed(&mut self, now: i64) {
        self.since = now;
    }

    /// Whether it is time to send everything again; if so, the next wait has begun.
    pub fn is_over(&mut self, now: i64) -> bool {
        let over = now - self.since >= self.wait;
        if over {
            self.begin(now, (self.most * 2).min(LONGEST));
        }
        over
    }

    fn begin(&mut self, now: i64, most: i64) {
        (self.since, self.most) = (now, most);
        self.wait = (most as f64 * self.dice.between(0.5, 1.0)) as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(index: u64) -> Vec<i64> {
        let (mut patience, mut now, mut waits) =
            (Patience::new(Dice::new(3, "patience", index), 0), 0, vec![]);
        while waits.len() < 7 {
            let before = now;
            while !patience.is_over(now) {
                now += 100;
            }
            waits.push(now - before);
        }
        waits
    }

    #[test]
    fn waits_double_from_half_a_minute_to_a_quarter_of_an_hour_and_differ_between_devices() {
        let devices: Vec<_> = (0..200).map(waits).collect();
        for device in &devices {
            for (turn, wait) in (0..).zip(device) {
                let most = (FIRST << turn).min(LONGEST);
                assert!((most / 2..=most + 100).contains(wait), "wait {turn}: {wait} ms");
            }
        }
        let in_one_second = |second: i64| devices.iter().filter(|d| d[0] / 1_000 == second).count();
        let most = (0..61).map(in_one_second).max().unwrap();
        assert!(most < 25, "{most} of 200 devices come back within one second");
    }

    #[test]
    fn a_receipt_makes_the_next_wait_short_and_a_connection_does_not() {
        let mut patience = Patience::new(Dice::new(3, "patience", 0), 0);
        let mut now = 0;
        for _ in 0..5 {
            now += LONGEST;
            assert!(patience.is_over(now));
        }
        patience.renewed(now);
        assert!(!patience.is_over(now + FIRST));
        patience.rewarded(now);
        assert!(!patience.is_over(now + FIRST / 2 - 1));
        assert!(patience.is_over(now + FIRST));
    }
}
