//! Bags read twice: what a camera saw beside what an inspector saw, as sums per device and day.

use crate::quantity::Bp;
use crate::sums::group;

/// Sums over the paired bags of one camera on one day; `y` is the camera's quality and `q` the inspector's,
/// in basis points. Kept under the key (device, day).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairSums {
    pub n: i64,
    pub sy: i64,
    pub sq: i64,
    pub syy: i64,
    pub sqq: i64,
    pub syq: i64,
}

group!(PairSums {
    n,
    sy,
    sq,
    syy,
    sqq,
    syq
});

impl PairSums {
    pub fn of_bag(camera: Bp, inspector: Bp) -> Self {
        let (y, q) = (i64::from(camera), i64::from(inspector));
        Self {
            n: 1,
            sy: y,
            sq: q,
            syy: y * y,
            sqq: q * q,
            syq: y * q,
        }
    }
}
