//! The journal's bytes, read again from their description (`services/ledger/README.md`): a reader of our own, so that a
//! mistake of the ledger's cannot hide in both. Must not: call the ledger.

use sha2::{Digest, Sha256};

/// One row of the journal.
#[derive(Debug, Clone)]
pub struct Batch {
    /// From 1, without gaps.
    pub position: i64,
    /// When it was committed, ms since 1970 by the server's clock.
    pub at: i64,
    /// How many entries it says it has.
    pub records: i64,
    /// SHA-256 over the previous hash, position, at, records (big endian, 8 bytes each) and body.
    pub hash: Vec<u8>,
    /// Segments.
    pub body: Vec<u8>,
}

/// One record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who says it; for acts, the account.
    pub device: String,
    /// `(boot, seq)`, where it has one.
    pub identity: Option<(u64, u64)>,
    /// What it says.
    pub what: What,
}

/// As much of an entry's content as an oracle of deposits needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// A reading of a bag.
    Deposit(Reading),
    /// Set aside with its reason.
    Quarantined(String),
    /// A status, incident or declared loss: its bytes.
    Other(Vec<u8>),
}

/// A reading of a bag, as the contract has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reading {
    /// Event time, ms since 1970.
    pub at: i64,
    /// Token.
    pub household: Option<String>,
    /// Bag number.
    pub bag: Option<String>,
    /// 0 food, 1 recyclable, 2 hazardous, 3 residual.
    pub stream: u8,
    /// Grams.
    pub weight_g: u64,
    /// In 1/10,000.
    pub quality_bp: u64,
    /// In 1/1,000.
    pub confidence_pm: u64,
    /// Whether a person judged.
    pub inspector: bool,
}

/// Walks the chain: give it every batch in order.
#[derive(Debug, Default)]
pub struct Chain {
    last: (i64, Vec<u8>),
}

impl Chain {
    /// Checks that `batch` follows, and gives its entries; an error names the batch.
    pub fn next(&mut self, batch: &Batch) -> Result<Vec<Entry>, String> {
        let (position, previous) = &self.last;
        if batch.position != position + 1 {
            return Err(format!(
                "batch {} stands where {} should",
                batch.position,
                position + 1
            ));
        }
        let genesis = vec![0; 32];
        let mut sha = Sha256::new();
        sha.update(if *position == 0 { &genesis } else { previous });
        for number in [batch.position, batch.at, batch.records] {
            sha.update(number.to_be_bytes());
        }
        sha.update(&batch.body);
        let hash = sha.finalize().to_vec();
        if hash != batch.hash {
            return Err(format!(
                "batch {} does not follow from the one before",
                batch.position
            ));
        }
        let unreadable = || format!("batch {} cannot be read", batch.position);
        let entries = entries(&batch.body).ok_or_else(unreadable)?;
        if i64::try_from(entries.len()) != Ok(batch.records) {
            return Err(format!(
                "batch {} holds {} records and says {}",
                batch.position,
                entries.len(),
                batch.records
            ));
        }
        self.last = (batch.position, hash);
        Ok(entries)
    }
}

/// The entries of a batch's bytes; `None` where they make no sense.
fn entries(body: &[u8]) -> Option<Vec<Entry>> {
    let (mut rest, mut found) = (Bytes(body), Vec::new());
    while !rest.0.is_empty() {
        let kind = rest.byte()?;
        let device = rest.text()?;
        let (boot, base) = if kind == 1 {
            (rest.number()?, rest.number()?)
        } else {
            (0, 0)
        };
        let count = rest.number()?;
        let mut inside = Bytes(rest.run()?);
        for _ in 0..count {
            let identity = match kind {
                1 => Some((boot, base.wrapping_add(inside.signed()?.cast_unsigned()))),
                2 | 4 => None,
                3 => {
                    inside.run()?;
                    None
                }
                _ => return None,
            };
            let device = device.to_owned();
            found.push(Entry {
                device,
                identity,
                what: what(inside.run()?)?,
            });
        }
        if !inside.0.is_empty() {
            return None;
        }
    }
    Some(found)
}

fn what(content: &[u8]) -> Option<What> {
    let mut bytes = Bytes(content);
    Some(match bytes.byte()? {
        1 => What::Deposit(deposit(&mut bytes)?),
        5 => What::Quarantined(bytes.text()?.to_owned()),
        2..=7 => What::Other(content.to_vec()),
        _ => return None,
    })
}

/// Second byte: stream in two bits, then inspector, household, bag.
fn deposit(bytes: &mut Bytes<'_>) -> Option<Reading> {
    let flags = bytes.byte()?;
    let (at, weight_g) = (bytes.signed()?, bytes.number()?);
    let (quality_bp, confidence_pm) = (bytes.number()?, bytes.number()?);
    let mut text = |bit: u8| {
        if flags & bit == 0 {
            Some(None)
        } else {
            bytes.text().map(|text| Some(text.to_owned()))
        }
    };
    let (household, bag) = (text(8)?, text(16)?);
    let inspector = flags & 4 != 0;
    let reading = Reading {
        at,
        household,
        bag,
        stream: flags & 3,
        weight_g,
        quality_bp,
        confidence_pm,
        inspector,
    };
    bytes.0.is_empty().then_some(reading)
}

/// Sums of one household, day, source and stream: weight, weight times quality, readings.
pub type Sums = [i64; 3];

/// `(place in the block, source, stream, sums)`; source 0 is the inspectors, n + 1 the camera of device n.
pub type BlockRow = (u64, i64, u8, Sums);

/// A row of `day_sums`: up to 64 households, each with participation (five numbers) and its buckets.
pub fn day_sums(bytes: &[u8]) -> Option<Vec<BlockRow>> {
    let (mut rest, mut found) = (Bytes(bytes), Vec::new());
    while !rest.0.is_empty() {
        let place = rest.number()?;
        for _ in 0..5 {
            rest.signed()?;
        }
        for _ in 0..rest.number()? {
            let (source, stream) = (rest.signed()?, rest.byte()?);
            found.push((
                place,
                source,
                stream,
                [rest.signed()?, rest.signed()?, rest.signed()?],
            ));
        }
    }
    Some(found)
}

/// LEB128 numbers, zig-zag for signed ones, lengths before text.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let folded = self.number()?;
        Some((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    fn run(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (run, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(run)
    }

    fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.run()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand from the description: one segment of device `d`, boot 5, base 2, one deposit numbered 3.
    fn body() -> Vec<u8> {
        let content = [1, 0b1_1101, 20, 0xf4, 3, 100, 0x84, 7, 1, b'H', 1, b'B'];
        let mut entry = vec![2, u8::try_from(content.len()).unwrap()];
        entry.extend(content);
        let mut body = vec![1, 1, b'd', 5, 2, 1, u8::try_from(entry.len()).unwrap()];
        body.extend(entry);
        body
    }

    fn first(body: Vec<u8>) -> Batch {
        let mut sha = Sha256::new();
        sha.update([0; 32]);
        for number in [1_i64, 99, 1] {
            sha.update(number.to_be_bytes());
        }
        sha.update(&body);
        let hash = sha.finalize().to_vec();
        Batch {
            position: 1,
            at: 99,
            records: 1,
            hash,
            body,
        }
    }

    #[test]
    fn an_entry_is_read_as_it_is_described() {
        let entries = Chain::default().next(&first(body())).unwrap();
        let reading = Reading {
            at: 10,
            household: Some("H".into()),
            bag: Some("B".into()),
            stream: 1,
            weight_g: 500,
            quality_bp: 100,
            confidence_pm: 900,
            inspector: true,
        };
        let what = What::Deposit(reading);
        assert_eq!(
            entries,
            [Entry {
                device: "d".into(),
                identity: Some((5, 3)),
                what
            }]
        );
    }

    #[test]
    fn any_bit_of_a_batch_that_flips_is_seen() {
        let whole = first(body());
        for bit in 0..whole.body.len() * 8 {
            let mut flipped = whole.clone();
            flipped.body[bit / 8] ^= 1 << (bit % 8);
            assert!(Chain::default().next(&flipped).is_err(), "bit {bit}");
        }
        let moved = Batch { position: 2, ..whole };
        assert_eq!(
            Chain::default().next(&moved).unwrap_err(),
            "batch 2 stands where 1 should"
        );
    }
}
