//! Holds the dependency direction of the rooms (ARCHITECTURE.md), over what Cargo itself says.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Which rooms a room may use, in the product (tests may use more).
const MAY_USE: [(&str, &[&str]); 11] = [
    ("hemu-wire", &[]),
    ("hemu-rules", &[]),
    ("hemu-people", &[]),
    ("hemu-ledger", &["hemu-rules", "hemu-people"]),
    ("hemu-series", &["hemu-rules"]),
    ("hemu-endpoint", &["hemu-wire"]),
    (
        "hemu-ingest",
        &["hemu-wire", "hemu-rules", "hemu-ledger", "hemu-series"],
    ),
    (
        "hemu-api",
        &["hemu-rules", "hemu-people", "hemu-ledger", "hemu-series"],
    ),
    ("firmware-sim", &[]),
    ("hemu-torture", &["firmware-sim"]),
    (
        "hemu",
        &[
            "hemu-wire",
            "hemu-rules",
            "hemu-people",
            "hemu-ledger",
            "hemu-series",
            "hemu-endpoint",
            "hemu-ingest",
            "hemu-api",
            "firmware-sim",
        ],
    ),
];

/// Libraries that only some rooms may name.
const NAMED_ONLY_BY: [(&str, &[&str]); 5] = [
    // The harness reads the store's files itself, or it would believe the code under test.
    ("sqlx", &["hemu-ledger", "hemu-series", "hemu-torture"]),
    ("influxdb2", &["hemu-series"]),
    ("rumqttc", &["hemu-ingest"]),
    ("axum", &["hemu-api"]),
    ("clap", &["hemu", "firmware-sim", "hemu-torture"]),
];

#[expect(clippy::expect_used, reason = "a test's helper fails loudly")]
fn metadata() -> Metadata {
    MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo describes the workspace")
}

/// Package -> what it depends on outside of tests.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let normal = |package: &cargo_metadata::Package| {
        let used = package
            .dependencies
            .iter()
            .filter(|d| d.kind != DependencyKind::Development);
        (package.name.to_string(), used.map(|d| d.name.clone()).collect())
    };
    metadata().packages.iter().map(normal).collect()
}

#[test]
fn every_room_uses_only_what_stands_before_it_on_the_road() {
    let dependencies = dependencies();
    let rooms: Vec<&str> = MAY_USE.iter().map(|(room, _)| *room).collect();
    assert_eq!(
        rooms.len(),
        dependencies.len(),
        "a room is missing in this test: {:?}",
        dependencies.keys()
    );
    for (room, allowed) in MAY_USE {
        for used in dependencies[room]
            .iter()
            .filter(|used| rooms.contains(&used.as_str()))
        {
            assert!(allowed.contains(&used.as_str()), "{room} must not use {used}");
        }
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    for (room, used) in dependencies() {
        for (library, allowed) in NAMED_ONLY_BY {
            if used.iter().any(|name| name == library) {
                assert!(allowed.contains(&room.as_str()), "{room} must not name {library}");
            }
        }
    }
}
