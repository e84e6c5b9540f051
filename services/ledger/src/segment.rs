//! Segments: the records of one submission, encoded where they were parsed so that the committer only copies.
//!
//! Layout: tag, device, (boot, base seq | nothing), number of entries, length of entries, entries.
//! An entry is: identity, content length, content ([`Body`] bytes). Entries do not depend on each other, so a known
//! repeat can be left out without touching its neighbours.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::bytes::{Reader, Writer};
use crate::entry::{Body, Entry, Origin};

const DEVICE: u8 = 1;
const UNIDENTIFIED: u8 = 2;
const IMPORT: u8 = 3;
pub(crate) const ACTS: u8 = 4;

/// The identity and place of one encoded entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `None` for entries without a device identity (imports, unreadable bytes).
    pub seq: Option<u64>,
    /// Content hash.
    pub hash: u64,
    /// Sequence numbers the entry declares lost, if it does.
    pub lost: Option<(u64, u64)>,
    range: Range<usize>,
}

/// Entries of one device and boot (or import, or unreadable bytes, or an account's acts), encoded.
#[derive(Debug, Clone)]
pub struct Segment {
    head: Head,
    entries: Vec<u8>,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Head {
    Device { device: String, boot: u64, base: u64 },
    Unidentified { device: String },
    Import { device: String },
    Acts { actor: String },
}

/// Whether a batch's bytes are acts: a batch holds nothing but acts, or none.
pub(crate) fn are_acts(body: &[u8]) -> bool {
    body.first() == Some(&ACTS)
}

impl Segment {
    /// Records of one boot of one device.
    pub fn of_device(device: &str, boot: u64, base_seq: u64) -> Self {
        Self::new(Head::Device {
            device: device.to_owned(),
            boot,
            base: base_seq,
        })
    }

    /// Bytes of a device without a readable identity.
    pub fn unidentified(device: &str) -> Self {
        Self::new(Head::Unidentified {
            device: device.to_owned(),
        })
    }

    /// Import rows that name one device.
    pub fn of_import(device: &str) -> Self {
        Self::new(Head::Import {
            device: device.to_owned(),
        })
    }

    /// What an account did.
    pub(crate) fn of_acts(actor: &str) -> Self {
        Self::new(Head::Acts {
            actor: actor.to_owned(),
        })
    }

    fn new(head: Head) -> Self {
        Self {
            head,
            entries: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// The device whose records these are; empty for what no device says.
    pub fn device(&self) -> &str {
        match &self.head {
            Head::Device { device, .. } | Head::Unidentified { device } | Head::Import { device } => device,
            Head::Acts { .. } => "",
        }
    }

    /// The boot, for a device's identified records.
    pub fn boot(&self) -> Option<u64> {
        match self.head {
            Head::Device { boot, .. } => Some(boot),
            Head::Unidentified { .. } | Head::Import { .. } | Head::Acts { .. } => None,
        }
    }

    /// Whether it holds bytes without an identity.
    pub fn is_unidentified(&self) -> bool {
        matches!(self.head, Head::Unidentified { .. })
    }

    /// About how much memory it takes.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.entries.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// The entries' identities, in order.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Encoded bytes so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Adds a device's record.
    pub fn push(&mut self, seq: u64, body: &Body<'_>) {
        let base = match self.head {
            Head::Device { base, .. } => base,
            Head::Unidentified { .. } | Head::Import { .. } | Head::Acts { .. } => 0,
        };
        let start = self.entries.len();
        Writer::new(&mut self.entries).signed(seq.wrapping_sub(base).cast_signed());
        let lost = if let Body::Lost { from, to, .. } = body {
            Some((*from, *to))
        } else {
            None
        };
        self.finish(start, Some(seq), lost, body);
    }

    /// Adds bytes without an identity.
    pub fn push_unidentified(&mut self, body: &Body<'_>) {
        let start = self.entries.len();
        self.finish(start, None, None, body);
    }

    /// Adds an import row.
    pub fn push_import(&mut self, reading_id: &str, body: &Body<'_>) {
        let start = self.entries.len();
        Writer::new(&mut self.entries).text(reading_id);
        self.finish(start, None, None, body);
    }

    fn finish(&mut self, start: usize, seq: Option<u64>, lost: Option<(u64, u64)>, body: &Body<'_>) {
        let mut content = Vec::with_capacity(64);
        body.write(&mut content);
        let mut w = Writer::new(&mut self.entries);
        w.bytes(&content);
        self.marks.push(Mark {
            seq,
            hash: xxh3_64(&content),
            lost,
            range: start..self.entries.len(),
        });
    }

    /// Appends the segment to a batch body, keeping the entries for which `keep` holds; how many were kept.
    pub fn write(&self, out: &mut Vec<u8>, mut keep: impl FnMut(&Mark) -> bool) -> u64 {
        let kept: Vec<&Mark> = self.marks.iter().filter(|mark| keep(mark)).collect();
        if kept.is_empty() {
            return 0;
        }
        let length: usize = kept.iter().map(|mark| mark.range.len()).sum();
        let mut w = Writer::new(out);
        match &self.head {
            Head::Device { device, boot, base } => {
                w.byte(DEVICE);
                w.text(device);
                w.number(*boot);
                w.number(*base);
            }
            Head::Unidentified { device } => {
                w.byte(UNIDENTIFIED);
                w.text(device);
            }
            Head::Import { device } => {
                w.byte(IMPORT);
                w.text(device);
            }
            Head::Acts { actor } => {
                w.byte(ACTS);
                w.text(actor);
            }
        }
        w.number(kept.len() as u64);
        w.number(length as u64);
        if kept.len() == self.marks.len() {
            out.extend_from_slice(&self.entries);
        } else {
            for mark in &kept {
                out.extend_from_slice(self.entries.get(mark.range.clone()).unwrap_or_default());
            }
        }
        kept.len() as u64
    }
}

/// Reads a batch body back, entry by entry, in order.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    body: Reader<'a>,
    segment: Option<(Origin<'a>, u64, Reader<'a>)>,
    left: u64,
}

/// The bytes of a batch are not what this version writes: a damaged file, or a newer version's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch's bytes cannot be read as journal entries")]
pub struct Unreadable;

impl<'a> Entries<'a> {
    pub(crate) fn of(body: &'a [u8]) -> Self {
        Self {
            body: Reader::new(body),
            segment: None,
            left: 0,
        }
    }

    fn open(&mut self) -> Option<()> {
        let r = &mut self.body;
        let (origin, base) = match r.byte()? {
            DEVICE => {
                let (device, boot, base) = (r.text()?, r.number()?, r.number()?);
                (Origin::Device { device, boot, seq: 0 }, base)
            }
            UNIDENTIFIED => (Origin::Unidentified { device: r.text()? }, 0),
            IMPORT => (
                Origin::Import {
                    device: r.text()?,
                    reading_id: "",
                },
                0,
            ),
            ACTS => (Origin::Account { actor: r.text()? }, 0),
            _ => return None,
        };
        self.left = r.number()?;
        let entries = r.bytes()?;
        self.segment = Some((origin, base, Reader::new(entries)));
        Some(())
    }

    fn entry(&mut self) -> Option<Entry<'a>> {
        if self.left == 0 {
            self.open()?;
        }
        let (origin, base, r) = self.segment.as_mut()?;
        let origin = match *origin {
            Origin::Device { device, boot, .. } => Origin::Device {
                device,
                boot,
                seq: base.wrapping_add(r.signed()?.cast_unsigned()),
            },
            Origin::Unidentified { device } => Origin::Unidentified { device },
            Origin::Import { device, .. } => Origin::Import {
                device,
                reading_id: r.text()?,
            },
            Origin::Account { actor } => Origin::Account { actor },
        };
        let content = r.bytes()?;
        self.left = self.left.checked_sub(1)?;
        if self.left == 0 && !r.is_empty() {
            return None;
        }
        Some(Entry {
            origin,
            hash: xxh3_64(content),
            body: Body::read(content)?,
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 && self.body.is_empty() {
            return None;
        }
        let entry = self.entry();
        if entry.is_none() {
            // Nothing after damage can be trusted; end the iteration with the error.
            (self.left, self.body) = (0, Reader::new(&[]));
        }
        Some(entry.ok_or(Unreadable))
    }
}
