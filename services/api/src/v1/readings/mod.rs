//! Acts on readings: /api/v1/readings/{place}/...

pub(super) mod clock_checked;
pub(super) mod restore;
pub(super) mod strike;
