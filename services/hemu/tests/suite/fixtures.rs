//! Data folders as earlier builds left them (`scripts/fixture`): this one opens every one of them.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::support::{hemu, is_verified, succeed};

/// A folder of an earlier build.
#[derive(Debug)]
pub(crate) struct Fixture {
    /// Its newest migrations: of the truth, and of the projections.
    pub(crate) versions: [i64; 2],
    path: PathBuf,
}

/// The files of a folder, and where their migrations are.
pub(crate) const FILES: [(&str, &str); 2] = [("hemu.db", "truth"), ("projections.db", "projections")];

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Every one there is, oldest first.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let mut found: Vec<Fixture> = std::fs::read_dir(kept())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let numbers = name.strip_prefix("schema-").unwrap().split('-');
            let numbers: Vec<i64> = numbers.map(|number| number.parse().unwrap()).collect();
            Fixture {
                versions: numbers.try_into().unwrap(),
                path,
            }
        })
        .collect();
    found.sort_by_key(|fixture| fixture.versions);
    assert!(found.len() >= 10, "fixtures were removed: {found:?}");
    found
}

impl Fixture {
    /// Lays its files out in a folder.
    pub(crate) fn unpack(&self, into: &Path) {
        for (name, _) in FILES {
            let packed = File::open(self.path.join(format!("{name}.gz"))).unwrap();
            let mut file = File::create(into.join(name)).unwrap();
            std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut file).unwrap();
        }
        // What is sealed in it opens with its key; an early build sealed nothing.
        let key = self.path.join("secrets.key");
        if key.exists() {
            std::fs::copy(key, into.join("secrets.key")).unwrap();
        }
    }
}

/// Where the migrations of a file are.
pub(crate) fn migrations(kind: &str) -> PathBuf {
    let place = match kind {
        "series" => "../series/migrations".to_owned(),
        kind => format!("../ledger/migrations/{kind}"),
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(place)
}

#[test]
fn every_schema_there_was_opens_verifies_and_gives_the_lists_it_gave() {
    for fixture in fixtures() {
        println!("{fixture:?}");
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        fixture.unpack(data);
        // What one of its devices said came with a conflict, and counted when its lists were made: early builds froze
        // nothing, and where a later one did, a person looked. There this is refused.
        let checked = ["device", "checked", "st01", "--boot", "7", "--account", "checker"];
        drop(hemu(data, &checked));
        is_verified(&succeed(data, &["verify"]));
        let lists = succeed(
            data,
            &[
                "lists",
                "--from",
                "2026-11-16",
                "--to",
                "2026-11-23",
                "--csv",
                "-",
            ],
        );
        let then = std::fs::read_to_string(fixture.path.join("lists.csv")).unwrap();
        assert_eq!(lists, then, "{fixture:?}");
        // And it takes up what is new, and knows what is not.
        let file = data.join("more.csv");
        let header = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence";
        let known = "c0-1,b0-1,H01,E1,1791043260000,food,437,cam,C1,0.20,0.9";
        let new = "new,,H01,E1,1795392000000,food,500,insp,I1,0.5,1";
        std::fs::write(&file, format!("{header}\n{known}\n{new}\n")).unwrap();
        let imported = succeed(data, &["import", file.to_str().unwrap()]);
        assert!(imported.contains("new 1, repeated 1"), "{fixture:?}: {imported}");
    }
}

#[test]
fn the_schema_of_this_build_has_a_fixture() {
    let newest = FILES.map(|(_, kind)| {
        let names = std::fs::read_dir(migrations(kind)).unwrap();
        let versions = names.map(|entry| {
            let name = entry.unwrap().file_name();
            let digits = name.to_str().unwrap().split('_').next().unwrap().to_owned();
            digits.parse::<i64>().unwrap()
        });
        versions.max().unwrap()
    });
    assert!(
        fixtures().iter().any(|fixture| fixture.versions == newest),
        "no tests/fixtures/schema-{}-{}: run scripts/fixture target/debug/hemu and commit what it makes",
        newest[0],
        newest[1]
    );
}
