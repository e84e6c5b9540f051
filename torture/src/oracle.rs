//! What the store must hold, known without asking the server: every promise kept, nothing twice, nothing invented, and sums
//! that follow from what was said. Must not: share code with the server, or look at anything but the files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;
use serde::Serialize;

use crate::journal::{Chain, Entry, Reading, Sums, What};
use crate::said::{Expected, Says, expected};
use crate::store::{EvidenceKey, Store};
use crate::witness::{Promise, union};

/// A clock this far ahead of the server's does not score, ms.
const CLOCK_AHEAD: i64 = 300_000;
const HOUR: i64 = 3_600_000;

/// What one device said under one boot.
#[derive(Clone)]
pub struct Sent {
    /// Device id.
    pub device: String,
    /// Boot of its records.
    pub boot: u64,
    /// The last number it used.
    pub upto: u64,
    /// Its records. A clone is another `Sent` of the same device and boot.
    pub says: Says,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sent({} {} up to {})", self.device, self.boot, self.upto)
    }
}

/// The store against what was said and promised.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    /// Records that were promised to be stored.
    pub acked: u64,
    /// Identities in the journal.
    pub stored: u64,
    /// Promised, and not there.
    pub lost: u64,
    /// Content that counts more than once.
    pub doubled: u64,
    /// Other content than was said.
    pub changed: u64,
    /// Identities nobody used.
    pub unsent: u64,
    /// Said, never promised and not there, though everybody had time.
    pub unstored: u64,
    /// An identity with other content than the first.
    pub conflicts: u64,
    /// Kept aside with a reason, the contract not allowing them.
    pub quarantined: u64,
    /// Records that the server counts and should not, or the other way round.
    pub misjudged: u64,
    /// Evidence sums that are not the oracle's.
    pub evidence: u64,
    /// What is wrong with the hash chain.
    pub chain: Option<String>,
    /// What `hemu verify` or SQLite's own check found.
    pub verify: Option<String>,
    /// How the lists differ from those of an undisturbed store.
    pub lists: Option<String>,
    /// The first few offences, in words.
    pub examples: Vec<String>,
}

impl Verdict {
    /// The lines that are red.
    pub fn red(&self) -> Vec<&'static str> {
        let counts = [
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("changed", self.changed),
            ("unsent", self.unsent),
            ("unstored", self.unstored),
            ("misjudged", self.misjudged),
            ("evidence", self.evidence),
        ];
        let words = [
            ("chain", &self.chain),
            ("verify", &self.verify),
            ("lists", &self.lists),
        ];
        let red = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, _)| name);
        red.chain(
            words
                .into_iter()
                .filter(|(_, word)| word.is_some())
                .map(|(name, _)| name),
        )
        .collect()
    }

    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < 10 {
            self.examples.push(text());
        }
    }
}

/// What is known of one device and boot.
struct Track {
    says: Vec<Says>,
    upto: u64,
    /// Hash of the first content of each number; 0 while there is none.
    first: Vec<u64>,
}

/// Holds the store against what was said and promised.
pub async fn judge(store: &mut Store, sent: &[Sent], promises: Vec<Promise>) -> Result<Verdict> {
    let mut judging = Judging::of(sent);
    let mut chain = Chain::default();
    store
        .each_batch(|batch| {
            match chain.next(&batch) {
                Ok(entries) => {
                    for (index, entry) in (0..).zip(entries) {
                        judging.entry((batch.position, index), batch.at, entry);
                    }
                }
                Err(why) => drop(judging.verdict.chain.get_or_insert(why)),
            }
            Ok(())
        })
        .await?;
    judging.promises(promises);
    judging.judgements(&store.ignored().await?);
    judging.sums(&store.evidence().await?);
    Ok(judging.verdict)
}

struct Judging {
    verdict: Verdict,
    tracks: HashMap<(String, u64), Track>,
    /// First content of identities nobody used.
    strange: HashMap<(String, u64, u64), u64>,
    contents: HashSet<u64>,
    /// What the server must not count, and why.
    ignored: HashMap<(i64, i64), &'static str>,
    /// Of each device and boot.
    evidence: HashMap<(String, u64), BTreeMap<EvidenceKey, Sums>>,
    /// Devices and boots with conflicts: nothing of them counts.
    frozen: HashSet<(String, u64)>,
}

impl Judging {
    fn of(sent: &[Sent]) -> Self {
        let mut tracks: HashMap<(String, u64), Track> = HashMap::new();
        for Sent {
            device,
            boot,
            upto,
            says,
        } in sent
        {
            let track = tracks.entry((device.clone(), *boot));
            let track = track.or_insert(Track {
                says: Vec::new(),
                upto: 0,
                first: Vec::new(),
            });
            track.says.push(says.clone());
            track.upto = track.upto.max(*upto);
            track
                .first
                .resize(usize::try_from(track.upto).unwrap_or(0) + 1, 0);
        }
        Self {
            verdict: Verdict::default(),
            tracks,
            strange: HashMap::new(),
            contents: HashSet::new(),
            ignored: HashMap::new(),
            evidence: HashMap::new(),
            frozen: HashSet::new(),
        }
    }

    fn entry(&mut self, place: (i64, i64), received: i64, entry: Entry) {
        let Some((boot, seq)) = entry.identity else {
            self.verdict.quarantined += u64::from(matches!(entry.what, What::Quarantined(_)));
            return;
        };
        let hash = hash(&entry.what);
        let device = (entry.device, boot);
        let track = self
            .tracks
            .get_mut(&device)
            .filter(|track| (1..=track.upto).contains(&seq));
        let (first, says) = match track {
            Some(Track { says, first, .. }) => {
                (&mut first[usize::try_from(seq).unwrap_or(0)], says.as_slice())
            }
            None => (
                self.strange.entry((device.0.clone(), boot, seq)).or_default(),
                [].as_slice(),
            ),
        };
        if *first != 0 {
            let why = if *first == hash { "repeat" } else { "conflict" };
            if why == "conflict" {
                self.verdict.conflicts += 1;
                self.frozen.insert(device);
            }
            self.ignored.insert(place, why);
            return;
        }
        *first = hash;
        self.verdict.stored += 1;
        let known = says.iter().any(|says| is(&expected(says(seq)), &entry.what));
        if says.is_empty() {
            self.verdict.unsent += 1;
            self.verdict
                .example(|| format!("never sent: {} {boot} {seq}", device.0));
        } else if !known {
            self.verdict.changed += 1;
            self.verdict
                .example(|| format!("changed: {} {boot} {seq} is {:?}", device.0, entry.what));
        }
        match entry.what {
            What::Deposit(reading) => {
                if !self.contents.insert(self::hash(&(&device.0, &reading))) {
                    self.verdict.doubled += 1;
                    self.verdict.example(|| {
                        format!(
                            "doubled: {} {boot} {seq} was there under another number",
                            device.0
                        )
                    });
                }
                if known && reading.at <= received.saturating_add(CLOCK_AHEAD) {
                    let name = device.0.clone();
                    add(self.evidence.entry(device).or_default(), name, &reading);
                }
            }
            What::Quarantined(_) => self.verdict.quarantined += 1,
            What::Other(_) => {}
        }
    }

    fn promises(&mut self, promises: Vec<Promise>) {
        for Promise { device, boot, range } in union(promises) {
            let track = self.tracks.get(&(device.clone(), boot));
            self.verdict.acked += range.1 - range.0 + 1;
            for seq in range.0..=range.1 {
                let first = track.and_then(|track| track.first.get(usize::try_from(seq).ok()?));
                if first.is_none_or(|first| *first == 0) {
                    self.verdict.lost += 1;
                    self.verdict
                        .example(|| format!("lost: {device} {boot} {seq} was promised"));
                }
            }
        }
        let absent = |track: &Track| track.first.iter().skip(1).filter(|first| **first == 0).count() as u64;
        let absent: u64 = self.tracks.values().map(absent).sum();
        self.verdict.unstored = absent.saturating_sub(self.verdict.lost);
    }

    fn judgements(&mut self, theirs: &HashMap<(i64, i64), String>) {
        let ours = &self.ignored;
        let differ = ours
            .iter()
            .filter(|(place, why)| theirs.get(place).map(String::as_str) != Some(**why));
        let invented = theirs.keys().filter(|place| !ours.contains_key(place));
        self.verdict.misjudged = (differ.count() + invented.count()) as u64;
    }

    /// The sums of every boot that counts.
    fn counted(&self) -> BTreeMap<EvidenceKey, Sums> {
        let mut all = BTreeMap::new();
        let counts = |(boot, _): &(&(String, u64), _)| !self.frozen.contains(*boot);
        for (key, sums) in self.evidence.iter().filter(counts).flat_map(|(_, sums)| sums) {
            let total: &mut Sums = all.entry(key.clone()).or_default();
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        all
    }

    fn sums(&mut self, theirs: &BTreeMap<EvidenceKey, Sums>) {
        let ours = self.counted();
        let keys: HashSet<&EvidenceKey> = ours.keys().chain(theirs.keys()).collect();
        for key in keys {
            let (right, stored) = (ours.get(key), theirs.get(key));
            if right != stored {
                self.verdict.evidence += 1;
                let (day, _, source, stream) = key;
                self.verdict.example(|| {
                    format!("evidence of day {day}, {source:?}, {stream}: {stored:?}, not {right:?}")
                });
            }
        }
    }
}

fn hash(content: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish().max(1)
}

fn is(expected: &Expected, what: &What) -> bool {
    match (expected, what) {
        (Expected::Deposit(said), What::Deposit(stored)) => said == stored,
        (Expected::Quarantined, What::Quarantined(_)) | (Expected::Other, What::Other(_)) => true,
        _ => false,
    }
}

/// The rule, section 2.1, from its description: grams (100 at least, but for hazardous; 3,000 at most), times what the stream
/// matters, times how far the camera's confidence is beyond a half.
fn add(evidence: &mut BTreeMap<EvidenceKey, Sums>, device: String, reading: &Reading) {
    let Some(token) = &reading.household else { return };
    let trust = if reading.inspector {
        1_000
    } else {
        (2 * (reading.confidence_pm.cast_signed() - 500)).clamp(0, 1_000)
    };
    let matters = match reading.stream {
        1 => 2,
        2 => 4,
        _ => 1,
    };
    let grams = reading.weight_g.cast_signed();
    let grams = if grams < 100 && reading.stream != 2 {
        0
    } else {
        grams.min(3_000)
    };
    let weight = grams * matters * trust;
    let source = if reading.inspector { String::new() } else { device };
    let key = (day(reading.at), token.clone(), source, reading.stream);
    let [w, g, n] = evidence.entry(key).or_default();
    *w += weight;
    *g += weight * reading.quality_bp.cast_signed();
    *n += 1;
}

/// The calendar day in Shanghai, days since 1970.
pub fn day(at: i64) -> i64 {
    (at + 8 * HOUR).div_euclid(24 * HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::{FIRST, cloned, crowd, usual};
    use firmware_sim::load::Script;

    fn says() -> Says {
        usual(Script::new(1, crowd(1_000), FIRST, 0, 1, "d"))
    }

    fn sent(upto: u64) -> Sent {
        Sent {
            device: "d".into(),
            boot: 5,
            upto,
            says: says(),
        }
    }

    fn entry(seq: u64, says: &Says) -> Entry {
        let what = match expected(says(seq)) {
            Expected::Deposit(reading) => What::Deposit(reading),
            Expected::Quarantined => What::Quarantined("x".into()),
            Expected::Other => What::Other(vec![3]),
        };
        Entry {
            device: "d".into(),
            identity: Some((5, seq)),
            what,
        }
    }

    fn promise(from: u64, to: u64) -> Promise {
        Promise {
            device: "d".into(),
            boot: 5,
            range: (from, to),
        }
    }

    #[test]
    fn what_is_as_it_should_be_is_green() {
        let mut judging = Judging::of(&[sent(3)]);
        (1..=3_u64).for_each(|seq| {
            judging.entry(
                (1, seq.cast_signed()),
                FIRST + HOUR * 999_999,
                entry(seq, &says()),
            );
        });
        judging.promises(vec![promise(1, 3), promise(2, 3)]);
        judging.judgements(&HashMap::new());
        let evidence = judging.counted();
        judging.sums(&evidence);
        assert_eq!((judging.verdict.red(), judging.verdict.acked), (vec![], 3));
    }

    #[test]
    fn every_offence_turns_its_own_line_red() {
        let check = |tamper: &dyn Fn(&mut Judging), red: &[&str]| {
            let mut judging = Judging::of(&[sent(3)]);
            tamper(&mut judging);
            judging.promises(vec![promise(1, 3)]);
            assert_eq!(judging.verdict.red(), red, "{:?}", judging.verdict);
        };
        let at = FIRST + HOUR * 999_999;
        let put =
            |judging: &mut Judging, seq: u64, entry: Entry| judging.entry((1, seq.cast_signed()), at, entry);
        let all = |judging: &mut Judging| (1..=3).for_each(|seq| put(judging, seq, entry(seq, &says())));
        check(
            &|judging| {
                for seq in [1, 3] {
                    put(judging, seq, entry(seq, &says()));
                }
            },
            &["lost"],
        );
        check(
            &|judging| {
                all(judging);
                put(
                    judging,
                    9,
                    Entry {
                        identity: Some((6, 1)),
                        ..entry(1, &says())
                    },
                );
            },
            &["doubled", "unsent"],
        );
        check(
            &|judging| {
                put(judging, 1, entry(1, &cloned(says())));
                all(judging);
            },
            &["changed"],
        );
        check(
            &|judging| {
                all(judging);
                put(judging, 4, entry(1, &says()));
                judging.judgements(&HashMap::new());
            },
            &["misjudged"],
        );
        check(
            &|judging| {
                all(judging);
                judging.sums(&BTreeMap::new());
            },
            &["evidence"],
        );
    }
}
