//! Red, black, grey, unrated: how a household's tally becomes its place on an edition's lists (docs/rule.md, 2.4).
//!
//! Three steps, so that a city can be split among threads: a [`crate::Census`] of everybody, [`judge`] for each
//! household alone, and one [`Guard`] over those who would be black. Nothing here publishes: a list is a proposal,
//! and people decide. Nothing here adds to the black list what the rule did not.

use serde::Serialize;

use crate::beta::BetaError;
use crate::census::City;
use crate::day::Day;
use crate::gate::{Gate, Gates};
use crate::guard::Guard;
use crate::id::EstateNo;
use crate::quantity::Ppb;
use crate::score::posterior;
use crate::status::{State, Status};
use crate::tally::Tally;

/// A household at an edition.
#[derive(Debug, Clone, Copy)]
pub struct Household<'t> {
    pub tally: &'t Tally,
    pub estate: EstateNo,
    /// The day of its first bag ever, however long ago.
    pub first_deposit: Option<Day>,
    /// What the edition before left.
    pub before: State,
    /// The inspections behind it are doubted: nobody is black by them.
    pub inspections_doubted: bool,
}

/// What the rule says of one household, before the guard has looked at the list as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// As it is if the guard does not keep the household on the black list.
    otherwise: Outcome,
    black: bool,
}

/// A household's place at an edition, and what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    pub status: Status,
    /// 0..=100; no score to show while `status` is unrated.
    pub score: u8,
    pub p_black: Ppb,
    pub p_red: Ppb,
    /// Decayed evidence, in days judged by an inspector.
    pub evidence: f64,
    /// Days with a bag in the deposit window.
    pub deposit_days: u32,
    /// Days an inspector looked in the inspection window.
    pub inspected_days: u32,
    pub gates: Gates,
    /// Editions in a row that hit.
    pub hits: u16,
    /// A first hit: the household is told in private and inspected. It is on no list.
    pub notice: bool,
    /// Hardly any deposit. Never public: absence is a reason for a visit and evidence of nothing.
    pub inactive: bool,
    /// Would be black, had the list as a whole been sure enough.
    pub cut: bool,
}

impl Outcome {
    /// What the next edition must know.
    pub const fn state(&self) -> State {
        State {
            status: self.status,
            hits: self.hits,
        }
    }
}

/// Judges one household. Pure, and independent of every other household but through `city`.
pub fn judge(city: &City, household: &Household<'_>) -> Result<Verdict, BetaError> {
    let (rule, tally) = (city.rule(), household.tally);
    let totals = tally.totals();
    let posterior = posterior(rule, totals, city.prior())?;
    let gates = Gates::of(city, household, &posterior);

    let may_be_black = gates.all(&Gate::BLACK);
    let hit = may_be_black && gates.passed(Gate::BlackEnter);
    let hits = if hit {
        household.before.hits.saturating_add(1)
    } else {
        0
    };
    let was = household.before.status;
    let stays = was == Status::Black && may_be_black && gates.passed(Gate::BlackStay);
    let black = hits >= rule.black_editions || stays;

    let sure = gates.passed(Gate::RedEnter) || (was == Status::Red && gates.passed(Gate::RedStay));
    let status = match gates.passed(Gate::Rated) {
        true if sure && gates.all(&Gate::RED) => Status::Red,
        true => Status::Grey,
        false => Status::Unrated,
    };
    let otherwise = Outcome {
        status,
        score: posterior.score,
        p_black: posterior.p_black,
        p_red: posterior.p_red,
        evidence: posterior.e,
        deposit_days: tally.deposit_days,
        inspected_days: tally.inspected_days,
        gates,
        hits,
        notice: hits == 1,
        inactive: tally.active_days <= rule.inactive_days_most,
        cut: black,
    };
    Ok(Verdict { otherwise, black })
}

impl Verdict {
    /// How much doubt there is about a household that would be black; `None` for everybody else.
    pub fn doubt(&self) -> Option<Ppb> {
        self.black.then(|| self.otherwise.p_black.complement())
    }

    /// The outcome, when the guard has seen every household of the edition.
    pub fn settle(self, guard: &Guard, token: &str) -> Outcome {
        match self.doubt() {
            Some(doubt) if guard.keeps(doubt, token) => Outcome {
                status: Status::Black,
                notice: false,
                cut: false,
                ..self.otherwise
            },
            _ => self.otherwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::Census;
    use crate::quantity::Bp;
    use crate::rule::Rule;
    use crate::score::Totals;
    use proptest::prelude::*;

    const RULE: Rule = Rule::V1;
    const EDITION: Day = Day::clamped(20_500);
    const ESTATE: EstateNo = EstateNo(0);

    /// A household that did all that lists ask for, with evidence of `days` days and mean quality `bp`.
    fn busy(days: i128, bp: i128) -> Tally {
        let evidence = Totals {
            e: RULE.unit() * days,
            a: RULE.unit() * days * bp,
        };
        Tally {
            evidence,
            inspected: evidence,
            recent_e: RULE.day(),
            recent_a: RULE.day() * i64::try_from(bp).unwrap(),
            grams: 10_000,
            inspected_days: 2,
            deposit_days: 10,
            active_days: 8,
            recent_days: 3,
            food_days: 4,
        }
    }

    fn city() -> City {
        let mut census = Census::default();
        census.add(&RULE, ESTATE, &busy(20, 7_500));
        census.city(&RULE, EDITION)
    }

    fn household(tally: &Tally, before: State) -> Household<'_> {
        Household {
            tally,
            estate: ESTATE,
            first_deposit: Some(EDITION.plus(-28)),
            before,
            inspections_doubted: false,
        }
    }

    const NEW: State = State {
        status: Status::Grey,
        hits: 0,
    };
    const WARNED: State = State {
        status: Status::Grey,
        hits: 1,
    };

    /// The outcome where a guard keeps everybody.
    fn outcome(household: &Household<'_>) -> Outcome {
        let verdict = judge(&city(), household).unwrap();
        verdict.settle(&Guard::of(Ppb::MAX, [(Ppb::MAX, "~")]), "A")
    }

    #[test]
    fn a_first_hit_is_a_notice_and_a_second_a_name() {
        let tally = busy(20, 3_000);
        let first = outcome(&household(&tally, NEW));
        assert_eq!((first.status, first.hits, first.notice), (Status::Grey, 1, true));
        let second = outcome(&household(&tally, first.state()));
        assert_eq!(
            (second.status, second.hits, second.notice),
            (Status::Black, 2, false)
        );
        let third = outcome(&household(&tally, second.state()));
        assert_eq!((third.status, third.hits), (Status::Black, 3));
    }

    #[test]
    fn every_condition_of_black_is_needed() {
        let bad = busy(20, 3_000);
        assert_eq!(outcome(&household(&bad, WARNED)).status, Status::Black);
        let listed = State {
            status: Status::Black,
            hits: 9,
        };
        let check = |gate, tally: Tally, change: fn(&mut Household<'_>)| {
            for before in [WARNED, listed] {
                let mut household = household(&tally, before);
                change(&mut household);
                let got = outcome(&household);
                assert_ne!(got.status, Status::Black, "{gate}");
                assert_eq!(got.hits, 0, "{gate}");
                assert!(!got.gates.passed(gate), "{gate}");
            }
        };
        let few = Totals {
            e: RULE.unit() * 3 - 1,
            a: 0,
        };
        check(Gate::Rated, Tally { evidence: few, ..bad }, |_| ());
        check(
            Gate::DepositDays,
            Tally {
                deposit_days: 9,
                ..bad
            },
            |_| (),
        );
        check(Gate::Tenure, bad, |h| h.first_deposit = Some(EDITION.plus(-27)));
        check(Gate::Tenure, bad, |h| h.first_deposit = None);
        check(
            Gate::InspectedDays,
            Tally {
                inspected_days: 1,
                ..bad
            },
            |_| (),
        );
        let praised = busy(20, 6_501).inspected;
        check(
            Gate::InspectorMean,
            Tally {
                inspected: praised,
                ..bad
            },
            |_| (),
        );
        check(
            Gate::InspectorMean,
            Tally {
                inspected: Totals::default(),
                ..bad
            },
            |_| (),
        );
        check(Gate::InspectorsTrusted, bad, |h| h.inspections_doubted = true);
        check(
            Gate::NotRedeemed,
            Tally {
                recent_a: RULE.day() * 7_000,
                ..bad
            },
            |_| (),
        );
        let just = Tally {
            inspected: busy(20, 6_500).inspected,
            ..bad
        };
        assert_eq!(outcome(&household(&just, WARNED)).status, Status::Black);
        let nearly = Tally {
            recent_a: RULE.day() * 7_000 - 1,
            ..bad
        };
        assert_eq!(outcome(&household(&nearly, WARNED)).status, Status::Black);
        let seldom = Tally {
            recent_a: RULE.day() * 9_000,
            recent_days: 2,
            ..bad
        };
        assert_eq!(outcome(&household(&seldom, WARNED)).status, Status::Black);
    }

    #[test]
    fn black_stays_below_what_it_takes_to_enter() {
        let doubtful = (3_000..6_000).map(|bp| busy(10, bp)).find(|tally| {
            let p = outcome(&household(tally, NEW)).p_black;
            (RULE.p_black_stay..RULE.p_black_enter).contains(&p)
        });
        let tally = doubtful.unwrap();
        let listed = State {
            status: Status::Black,
            hits: 2,
        };
        let got = outcome(&household(&tally, listed));
        assert_eq!((got.status, got.hits, got.notice), (Status::Black, 0, false));
        assert_eq!(outcome(&household(&tally, WARNED)).status, Status::Grey);
    }

    #[test]
    fn every_condition_of_red_is_needed_and_red_stays_below_the_entry() {
        let good = busy(30, 9_500);
        assert_eq!(outcome(&household(&good, NEW)).status, Status::Red);
        let check = |gate, tally: Tally| {
            let got = outcome(&household(
                &tally,
                State {
                    status: Status::Red,
                    hits: 0,
                },
            ));
            assert_eq!(
                (got.status, got.gates.passed(gate)),
                (Status::Grey, false),
                "{gate}"
            );
        };
        check(
            Gate::DepositDays,
            Tally {
                deposit_days: 9,
                ..good
            },
        );
        check(
            Gate::ActiveDays,
            Tally {
                active_days: 7,
                ..good
            },
        );
        check(Gate::FoodDays, Tally { food_days: 3, ..good });
        check(Gate::Grams, Tally { grams: 2_499, ..good });
        let at_quarter = Tally { grams: 2_500, ..good };
        assert_eq!(outcome(&household(&at_quarter, NEW)).status, Status::Red);
        let less_sure = (8_000..9_500).map(|bp| busy(20, bp)).find(|tally| {
            let p = outcome(&household(tally, NEW)).p_red;
            (RULE.p_red_stay..RULE.p_red_enter).contains(&p)
        });
        let tally = less_sure.unwrap();
        assert_eq!(outcome(&household(&tally, NEW)).status, Status::Grey);
        let was_red = State {
            status: Status::Red,
            hits: 0,
        };
        assert_eq!(outcome(&household(&tally, was_red)).status, Status::Red);
    }

    #[test]
    fn absence_is_a_flag_and_no_list() {
        let absent = Tally {
            deposit_days: 3,
            active_days: 3,
            ..busy(20, 1_000)
        };
        let got = outcome(&household(&absent, WARNED));
        assert_eq!(
            (got.status, got.inactive, got.notice),
            (Status::Grey, true, false)
        );
        assert!(!outcome(&household(&busy(20, 1_000), NEW)).inactive);
        let never = Tally::default();
        let got = outcome(&Household {
            first_deposit: None,
            ..household(&never, State::default())
        });
        assert_eq!((got.status, got.inactive), (Status::Unrated, true));
    }

    #[test]
    fn what_the_guard_cuts_is_grey_and_keeps_its_hits() {
        let tally = busy(20, 3_000);
        let verdict = judge(&city(), &household(&tally, WARNED)).unwrap();
        let got = verdict.settle(&Guard::default(), "A");
        assert_eq!(
            (got.status, got.hits, got.cut, got.notice),
            (Status::Grey, 2, true, false)
        );
    }

    proptest! {
        #[test]
        fn no_household_is_black_without_two_inspected_days_and_a_notice(
            days in 0..40_i128, bp in 0..=10_000_i128, inspected_days in 0..4_u32, deposit_days in 0..20_u32,
            hits in 0..3_u16, was in 0..4_i64, recent_days in 0..6_u32, active_days in 0..12_u32,
        ) {
            let tally = Tally { inspected_days, deposit_days, active_days, recent_days, ..busy(days, bp) };
            let before = State { status: Status::from_code(was).unwrap(), hits };
            let got = outcome(&household(&tally, before));
            if got.status == Status::Black {
                prop_assert!(got.inspected_days >= 2 && got.deposit_days >= 10);
                prop_assert!(hits >= 1 || before.status == Status::Black);
                prop_assert!(got.p_black >= RULE.p_black_stay);
            }
            prop_assert!(!(got.notice && got.status == Status::Black));
            prop_assert!(got.status != Status::Unrated || !tally.totals().rated(&RULE));
            // Doubting inspectors only ever takes names off.
            let doubted = outcome(&Household { inspections_doubted: true, ..household(&tally, before) });
            prop_assert_ne!(doubted.status, Status::Black);
            prop_assert_eq!(doubted.score, got.score);
        }
    }

    #[test]
    fn the_usual_amount_is_the_lower_median_of_those_who_brought_any() {
        let mut census = Census::default();
        for grams in [0, 400, 100, 0, 300, 200] {
            let mut part = Census::default();
            part.add(
                &RULE,
                ESTATE,
                &Tally {
                    grams,
                    ..Tally::default()
                },
            );
            census.merge(part);
        }
        let city = census.city(&RULE, EDITION);
        assert_eq!(
            (city.usual_grams(ESTATE), city.usual_grams(EstateNo(9))),
            (200, 0)
        );
        assert_eq!(city.prior(), Bp::clamped(7_500));
    }
}
