//! Randomness as an argument: whoever draws was given the dice. Must not be asked for anything that decides about people.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

type Fill = dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync;

/// Where random bytes come from.
#[derive(Clone)]
pub struct Dice(Arc<Fill>);

impl Dice {
    /// The operating system's.
    pub fn system() -> Self {
        Self::new(|bytes| std::fs::File::open("/dev/urandom")?.read_exact(bytes))
    }

    /// `fill` fills what it is given.
    pub fn new(fill: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    pub(crate) fn draw<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dice")
    }
}
