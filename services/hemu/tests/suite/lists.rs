//! What the lists promise: the oracle's rows, and the same bytes by whatever road and in whatever order readings came.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helper fails loudly"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware_sim::draw::Dice;
use firmware_sim::keys::Key;
use firmware_sim::mqtt::{Backoff, Next, Options, Traffic, keep_driving};
use firmware_sim::reading::{Body, By, Code, Deposit, Stamp, Stream, Topic, encode};
use flate2::read::GzDecoder;
use hemu_rules::{Bp, Day, Permille};
use tokio_util::sync::CancellationToken;

use crate::support::{Server, add_device, succeed};

const HEADER: &str = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence";
/// The oracle counts days from here.
const FIRST_DAY: i64 = 20_454;

fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/golden");
    let mut text = String::new();
    let mut file = GzDecoder::new(File::open(folder.join(name)).unwrap());
    file.read_to_string(&mut text).unwrap();
    text
}

/// Three months of two hundred households, one reading a line.
fn readings() -> Vec<String> {
    let text = golden("readings_base.csv.gz");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(HEADER));
    lines.map(str::to_owned).collect()
}

/// What the oracle says of them, as `hemu lists` writes it.
fn oracle() -> String {
    let world: serde_json::Value = serde_json::from_str(&golden("lists_base.json.gz")).unwrap();
    let mut text = "edition,household,status,score,p_black,p_red,evidence,days45,insp60\n".to_owned();
    for row in world["lists"].as_array().unwrap() {
        let (day, rest) = row.as_str().unwrap().split_once(',').unwrap();
        let day = Day::clamped(FIRST_DAY + day.parse::<i64>().unwrap());
        text.extend([day.to_string().as_str(), ",", rest, "\n"]);
    }
    text
}

fn shuffled<T>(mut items: Vec<T>, dice: &mut Dice) -> Vec<T> {
    for last in (1..items.len()).rev() {
        let other = dice.below(u32::try_from(last + 1).unwrap());
        items.swap(last, usize::try_from(other).unwrap());
    }
    items
}

/// In another order, and every fiftieth line twice.
fn shuffled_and_repeated(lines: &[String], seed: u64) -> Vec<String> {
    let again = lines.iter().step_by(50);
    let all: Vec<String> = lines.iter().chain(again).cloned().collect();
    shuffled(all, &mut Dice::new(seed, "lists", 0))
}

fn write(folder: &Path, name: &str, lines: &[String]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, format!("{HEADER}\n{}\n", lines.join("\n"))).unwrap();
    path
}

/// Imports files at the same time, each by a process of its own; how many rows were new in all of them.
fn import_at_once(data: &Path, files: &[PathBuf]) -> usize {
    std::thread::scope(|scope| {
        let import = |file: &'_ PathBuf| {
            let file = file.to_str().unwrap().to_owned();
            scope.spawn(move || succeed(data, &["import", &file]))
        };
        let running: Vec<_> = files.iter().map(import).collect();
        running
            .into_iter()
            .map(|import| {
                let said = import.join().unwrap();
                assert!(said.contains("rejected 0, conflicting 0"), "{said}");
                let (_, rest) = said.split_once("new ").unwrap();
                rest.split(',').next().unwrap().parse::<usize>().unwrap()
            })
            .sum()
    })
}

/// Imports the golden readings into a folder.
pub(crate) fn import_all(data: &Path) {
    let file = data.with_extension("csv");
    fs::write(&file, golden("readings_base.csv.gz")).unwrap();
    succeed(data, &["import", file.to_str().unwrap()]);
}

/// Every weekly edition there can be, as written to a file.
fn lists(data: &Path) -> String {
    lists_of(data, |arguments| succeed(data, arguments))
}

/// The same by whoever runs the command.
pub(crate) fn lists_of(data: &Path, run: impl Fn(&[&str]) -> String) -> String {
    let out = data.with_extension("lists.csv");
    let days = ["--from", "2026-01-29", "--to", "2026-03-31"];
    let mut arguments = vec!["lists", "--csv", out.to_str().unwrap()];
    arguments.extend(days);
    run(&arguments);
    fs::read_to_string(out).unwrap()
}

/// The first line that differs says more than two files.
#[track_caller]
fn assert_same(got: &str, expected: &str, what: &str) {
    let differ = got.lines().zip(expected.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None, "{what}");
    assert!(got == expected, "{what}: one file is longer");
}

#[test]
fn lists_are_the_oracles_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let (data, lines) = (folder.path().join("data"), readings());
    let file = write(folder.path(), "all.csv", &lines);
    assert_eq!(import_at_once(&data, &[file]), lines.len());
    let (got, expected) = (lists(&data), oracle());
    let named = |text: &str, status: &str| -> BTreeSet<String> {
        let of_status = text.lines().filter(|line| line.split(',').nth(2) == Some(status));
        of_status
            .map(|line| line.split(',').take(2).collect::<Vec<_>>().join(" "))
            .collect()
    };
    for status in ["RED", "BLACK"] {
        assert!(
            named(&expected, status).len() > 50,
            "{status}: too few to mean anything"
        );
        assert_eq!(named(&got, status), named(&expected, status), "{status}");
    }
    assert_same(&got, &expected, "a row of another status, or a number");
}

#[test]
fn order_repeats_pieces_and_racing_imports_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, expected) = (readings(), oracle());
    for pieces in [1, 4, 16] {
        let data = folder.path().join(format!("data{pieces}"));
        let shuffled = shuffled_and_repeated(&lines, pieces);
        let size = shuffled.len().div_ceil(usize::try_from(pieces).unwrap());
        let files: Vec<PathBuf> = shuffled
            .chunks(size)
            .enumerate()
            .map(|(no, piece)| write(folder.path(), &format!("{pieces}-{no}.csv"), piece))
            .collect();
        assert_eq!(import_at_once(&data, &files), lines.len(), "{pieces} pieces");
        assert_same(&lists(&data), &expected, &format!("{pieces} pieces"));
    }
}

/// One device's deposits, waiting to be acknowledged.
struct Sender(VecDeque<Vec<u8>>);

impl Traffic for Sender {
    type Token = Vec<u8>;

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<Vec<u8>> {
        self.0.pop_front().map_or(Next::Done, |deposit| {
            payload.extend_from_slice(&deposit);
            Next::Publish(Topic::Deposit, deposit)
        })
    }

    fn acked(&mut self, deposit: Vec<u8>, reason: u8, _: Duration) {
        assert!(reason < 0x80, "refused: {}", String::from_utf8_lossy(&deposit));
    }

    fn dropped(&mut self, deposit: Vec<u8>) {
        self.0.push_front(deposit);
    }
}

/// A line of the file as its device says it.
fn said(line: &str, seq: u64) -> Vec<u8> {
    let fields: Vec<&str> = line.split(',').collect();
    let share = |text: &str| text.parse::<f64>().unwrap();
    let deposit = Deposit {
        household: Code::parse(fields[2]),
        bag: Code::parse(fields[1]).unwrap(),
        stream: Stream::ALL
            .into_iter()
            .find(|stream| stream.as_str() == fields[5])
            .unwrap(),
        weight_g: fields[6].parse().unwrap(),
        quality_bp: Bp::from_share(share(fields[9])).unwrap().get(),
        // The file has four decimals, a device three.
        confidence_pm: Permille::from_share(share(fields[10])).unwrap().get(),
        by: if fields[7] == "insp" {
            By::Inspector
        } else {
            By::Camera
        },
    };
    let stamp = Stamp {
        boot: 1,
        seq,
        at: fields[4].parse().unwrap(),
    };
    let mut payload = Vec::new();
    encode(&mut payload, stamp, &Body::Deposit(deposit));
    payload
}

/// The lines by device, each numbered as its device would; every fiftieth is sent twice.
fn spoken(lines: &[String]) -> BTreeMap<String, VecDeque<Vec<u8>>> {
    let mut by_device: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for line in lines {
        let device = line.split(',').nth(8).unwrap();
        by_device.entry(device.to_owned()).or_default().push(line);
    }
    let payloads = |lines: Vec<&String>| {
        let numbered = (1..).zip(lines);
        numbered
            .flat_map(|(seq, line)| vec![said(line, seq); if seq % 50 == 0 { 2 } else { 1 }])
            .collect()
    };
    by_device
        .into_iter()
        .map(|(device, lines)| (device, payloads(lines)))
        .collect()
}

async fn publish(addr: SocketAddr, key: Key, deposits: VecDeque<Vec<u8>>) {
    let login = Options::new(addr, &key.device, &key.key);
    let dice = Dice::new(1, &key.device, 0);
    let mut backoff = Backoff::new(dice, Duration::from_millis(100), Duration::from_secs(1)).at_most(10);
    let mut sender = Sender(deposits);
    keep_driving(&login, &mut sender, &mut backoff, &CancellationToken::new())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_over_mqtt_and_half_imported_are_the_same_lists_and_so_is_their_export() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let lines = readings();
    // A device registers nobody: the register comes first, as it does for an estate.
    let places: BTreeSet<(&str, &str)> = lines
        .iter()
        .map(|line| {
            let mut fields = line.split(',').skip(2);
            (fields.next().unwrap(), fields.next().unwrap())
        })
        .collect();
    let register: String = places
        .iter()
        .flat_map(|(token, estate)| [token, ",", estate, "\n"])
        .collect();
    let households = folder.path().join("households.csv");
    fs::write(&households, format!("household,estate\n{register}")).unwrap();
    succeed(&data, &["household", "import", households.to_str().unwrap()]);

    // Every second line: many a bag's two readings come by two roads.
    let mixed = shuffled(lines.clone(), &mut Dice::new(9, "lists", 0));
    let (over_mqtt, imported) = mixed.split_at(mixed.len() / 2);
    let spoken = spoken(over_mqtt);
    assert!(spoken.len() >= 9, "cameras and inspectors: {:?}", spoken.keys());
    let keys: Vec<Key> = spoken.keys().map(|device| add_device(&data, device)).collect();
    let server = Server::start(&data, 0);
    let importing = std::thread::spawn({
        let (data, file) = (data.clone(), write(folder.path(), "half.csv", imported));
        move || import_at_once(&data, &[file])
    });
    let devices = keys.into_iter().zip(spoken.into_values());
    let publishing: Vec<_> = devices
        .map(|(key, deposits)| tokio::spawn(publish(server.mqtt, key, deposits)))
        .collect();
    for device in publishing {
        device.await.unwrap();
    }
    assert_eq!(importing.join().unwrap(), imported.len());

    let expected = oracle();
    assert_same(&lists(&data), &expected, "beside the running server");
    assert!(server.terminate().success());
    succeed(&data, &["verify"]);

    let export = folder.path().join("export.csv");
    succeed(&data, &["export", "--csv", export.to_str().unwrap()]);
    let elsewhere = folder.path().join("elsewhere");
    assert_eq!(import_at_once(&elsewhere, &[export]), lines.len());
    assert_same(&lists(&elsewhere), &expected, "its export, imported elsewhere");
}
