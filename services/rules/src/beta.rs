//! The regularized incomplete beta function, `I_x(a, b)`: how likely a Beta variable is at most `x`.
//!
//! Modified Lentz evaluation of the continued fraction (DLMF 8.17.22), with `libm` for the same bits on every
//! platform. It answers to 1e-12 absolute or not at all.

/// Terms after which the fraction counts as not converging; shapes up to 160, all a score has, need about 60.
const TERMS: u32 = 500;
/// Keeps a vanishing denominator from dividing by zero.
const TINY: f64 = 1e-300;

/// Why there is no tail probability.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BetaError {
    #[error("a beta tail needs finite a > 0, b > 0 and 0 <= x <= 1, came a {a}, b {b}, x {x}")]
    Domain { a: f64, b: f64, x: f64 },
    #[error("the beta tail of a {a}, b {b}, x {x} did not converge in {TERMS} terms")]
    NoConvergence { a: f64, b: f64, x: f64 },
}

/// `I_x(a, b)`, within 1e-12 for shapes up to a few hundred.
pub fn tail(a: f64, b: f64, x: f64) -> Result<f64, BetaError> {
    let shape = |s: f64| s > 0.0 && s.is_finite();
    if !(shape(a) && shape(b) && (0.0..=1.0).contains(&x)) {
        return Err(BetaError::Domain { a, b, x });
    }
    if x <= 0.0 || x >= 1.0 {
        return Ok(x);
    }
    // The fraction converges fast on the near side of the mean only.
    let converged = if x > (a + 1.0) / (a + b + 2.0) {
        near(b, a, 1.0 - x, libm::log1p(-x), libm::log(x)).map(|p| 1.0 - p)
    } else {
        near(a, b, x, libm::log(x), libm::log1p(-x))
    };
    converged
        .map(|p| p.clamp(0.0, 1.0))
        .ok_or(BetaError::NoConvergence { a, b, x })
}

/// `I_x(a, b)` for `x` below the swap point, given `ln x` and `ln (1 - x)`.
fn near(a: f64, b: f64, x: f64, ln_x: f64, ln_1_x: f64) -> Option<f64> {
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * ln_x + b * ln_1_x - ln_beta) / a;
    Some(front / fraction(a, b, x)?)
}

/// The continued fraction `1 + d1/(1 + d2/(1 + ...))`, from the front: the product of `up * down`, the ratios of
/// successive numerators and denominators of its convergents.
fn fraction(a: f64, b: f64, x: f64) -> Option<f64> {
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut value, mut up, mut down) = (1.0, 1.0, 0.0);
    for term in 1..=TERMS {
        let m = f64::from(term / 2);
        let coefficient = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        down = 1.0 / away_from_zero(1.0 + coefficient * down);
        up = away_from_zero(1.0 + coefficient / up);
        value *= up * down;
        if (up * down - 1.0).abs() < 1e-16 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn closed_forms_are_met() {
        for i in 0..=100_u8 {
            let x = f64::from(i) / 100.0;
            assert!((tail(1.0, 1.0, x).unwrap() - x).abs() < 1e-15);
            assert!((tail(3.0, 1.0, x).unwrap() - x.powi(3)).abs() < 1e-14);
            assert!((tail(1.0, 4.0, x).unwrap() - (1.0 - (1.0 - x).powi(4))).abs() < 1e-14);
        }
    }

    #[test]
    fn a_question_outside_the_domain_is_an_error() {
        for (a, b, x) in [
            (0.0, 1.0, 0.5),
            (1.0, -1.0, 0.5),
            (f64::NAN, 1.0, 0.5),
            (1.0, f64::INFINITY, 0.5),
            (1.0, 1.0, -0.1),
            (1.0, 1.0, 1.1),
            (1.0, 1.0, f64::NAN),
        ] {
            assert!(
                matches!(tail(a, b, x), Err(BetaError::Domain { .. })),
                "{a} {b} {x}"
            );
        }
    }

    #[test]
    fn a_fraction_that_does_not_converge_is_an_error() {
        let error = tail(1e9, 1e9, 0.5).unwrap_err();
        assert!(matches!(error, BetaError::NoConvergence { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn tails_are_probabilities_and_complements_add_up(
            a in 0.01..200.0_f64, b in 0.01..200.0_f64, x in 0.0..=1.0_f64,
        ) {
            let (p, q) = (tail(a, b, x).unwrap(), tail(b, a, 1.0 - x).unwrap());
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p + q - 1.0).abs() < 1e-12, "{p} + {q}");
        }

        #[test]
        fn tails_never_fall(a in 0.1..160.0_f64, b in 0.1..160.0_f64, x in 0.0..1.0_f64, step in 0.0..0.5_f64) {
            let more = tail(a, b, (x + step).min(1.0)).unwrap();
            prop_assert!(more >= tail(a, b, x).unwrap() - 1e-12);
        }
    }
}
