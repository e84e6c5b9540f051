use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::keys::{Key, Keys};
use crate::mqtt::fake::{Fake, Manners};

const LORA: &str = r#"{"_id":"raw","data":[
    {"node_eui":"0201","time":"2016-05-31T07:52:48.352Z","data":"{52}","rssi":-112,"snr":8},
    {"node_eui":"0201","time":"2016-05-31T07:52:48.1Z","data":"{52}","rssi":-113},
    {"node_eui":"0201","time":"2016-05-31T06:00:00Z","data":"{254}","rssi":-113},
    {"node_eui":"0201","time":"2016-05-31T05:00:00Z","data":"{}","rssi":-113},
    {"node_eui":"0201","time":"2016-05-31T04:00:00Z","data":"{40}","rssi":-113},
    {"node_eui":"0201","time":"2016-05-31T04:00:00Z","data":"{40}","rssi":-113}]}"#;

const COMPACTOR: &str = "Bin ID,Fullness,fullnessThreshold,timestamp,reason
7,4,8,13-08-2018,NOT_READY
7,4,8,13-08-2018,NOT_READY
7,255,8,14-08-2018,NOT_READY
7,10,8,15-08-2018,ALERT
7,2,8,never,NOT_READY
";

fn recording(texts: &[&str], shift_to: Option<i32>) -> Recording {
    let mut recording = Recording::default();
    for text in texts {
        recording.add(text.as_bytes(), shift_to).unwrap();
    }
    recording
}

fn json(message: &Message) -> serde_json::Value {
    serde_json::from_slice(&message.payload).unwrap()
}

#[test]
fn brace_strings_become_levels_and_what_does_not_fit_is_passed_on_as_it_is() {
    let (messages, counts) = recording(&[LORA], None).messages(Order::File);
    let expected = Counts {
        rows: 6,
        stored: 3,
        quarantined: 2,
        repeats: 1,
        two_paths: 1,
    };
    assert_eq!(counts, expected);
    assert!(counts.add_up());
    let (device, rows) = &messages[0];
    assert_eq!(device, "dtu-0201");
    let first = json(&rows[0]);
    assert_eq!(
        first["bins"],
        serde_json::json!([{"stream": "residual", "fill": 0.52}])
    );
    assert_eq!(
        (first["rssi_dbm"].as_i64(), first["seq"].as_u64()),
        (Some(-112), Some(1))
    );
    assert!(first.get("snr").is_none());
    assert_eq!(first["at"], 1_464_681_168_352_i64);
    assert_eq!(
        (json(&rows[2])["bins"][0]["fill"].as_f64(), rows[2].fits),
        (Some(2.54), false)
    );
    assert_eq!(
        (json(&rows[3])["bins"][0]["fill"].as_str(), rows[3].fits),
        (Some("{}"), false)
    );
    assert_eq!(rows[4], rows[5], "an exact repeat keeps its number");
}

#[test]
fn compactor_days_are_melbourne_midnights_and_sensor_faults_do_not_fit() {
    let (messages, counts) = recording(&[COMPACTOR], None).messages(Order::File);
    assert_eq!(
        counts,
        Counts {
            rows: 5,
            stored: 2,
            quarantined: 2,
            repeats: 1,
            two_paths: 0
        }
    );
    let rows = &messages[0].1;
    assert_eq!(rows[0].at, Some(1_534_082_400_000), "2018-08-13T00:00+10:00");
    assert_eq!(json(&rows[2])["bins"][0]["fill"], 25.5);
    assert_eq!(json(&rows[4])["at"], "never");
    assert_eq!(json(&rows[3])["bins"][0]["fill"], 1.0);
}

#[test]
fn collections_carry_weight_and_british_summer_time() {
    let text = "ID,Site,Site name,Date & Time of bin collection (Europe/London),Fill level before collection (%) [x],Weight (kg)
1,324943,here,2016-07-07 23:50:22,99,16.680588
2,324943,here,2016-12-07 23:50:22,40,300
";
    let (messages, counts) = recording(&[text], None).messages(Order::Time);
    assert_eq!((counts.stored, counts.quarantined), (1, 1));
    let (device, rows) = &messages[0];
    assert_eq!(device, "edinburgh-324943");
    assert_eq!(rows[0].at, Some(1_467_931_822_000));
    assert_eq!(
        json(&rows[0])["bins"][0],
        serde_json::json!({"stream":"residual","fill":0.99,"weight_g":16_681})
    );
}

#[test]
fn time_order_numbers_the_oldest_first_and_a_shift_moves_whole_days() {
    let recording = recording(&[LORA], Some(20_000));
    let (messages, _) = recording.messages(Order::Time);
    let times: Vec<i64> = messages[0].1.iter().filter_map(|m| m.at).collect();
    assert!(times.is_sorted());
    assert_eq!(day_of(*times.last().unwrap()), 20_000);
    assert_eq!((times.last().unwrap() - 1_464_681_168_352) % DAY_MS, 0);
}

#[test]
fn the_same_replay_repeats_its_identities_and_a_shifted_one_does_not() {
    let boot = |shift| json(&recording(&[LORA], shift).messages(Order::File).0[0].1[0])["boot"].clone();
    assert_eq!(boot(None), boot(None));
    assert_ne!(boot(None), boot(Some(20_000)));
}

#[test]
fn a_file_of_no_known_form_is_refused() {
    let error = Recording::default()
        .add("a,b\n1,2\n".as_bytes(), None)
        .unwrap_err();
    assert!(error.to_string().contains("column Fullness"), "{error}");
}

#[tokio::test]
async fn every_row_is_sent_and_the_fake_sees_as_many_identities_as_counted() {
    let fake = Fake::start(Manners::default()).await;
    let recording = recording(&[LORA, COMPACTOR], None);
    let key = |device: &str| Key {
        device: device.to_owned(),
        key: "k".to_owned(),
    };
    let keys = Keys(recording.devices().map(key).collect());
    let (messages, counts) = recording.messages(Order::File);
    let options = Options {
        addr: fake.addr,
        speed: 0.0,
    };
    let report = send(&options, &keys, messages, Arc::new(AtomicU64::new(0)))
        .await
        .unwrap();
    assert_eq!((report.acked, report.refused), (counts.rows, 0));
    let mut seen: HashMap<(String, u64), u64> = HashMap::new();
    for (topic, record) in fake.records() {
        assert!(topic.ends_with("/status"));
        *seen.entry((topic, record["seq"].as_u64().unwrap())).or_default() += 1;
    }
    assert_eq!(seen.len() as u64, counts.stored + counts.quarantined);
    assert_eq!(seen.values().sum::<u64>(), counts.rows);
}

#[tokio::test]
async fn through_a_gateway_all_bins_are_one_device() {
    let recording = recording(&[LORA, COMPACTOR], None).through("gw01");
    assert_eq!(recording.devices().collect::<Vec<_>>(), ["gw01"]);
    let (messages, counts) = recording.messages(Order::File);
    assert_eq!(messages[0].1.len() as u64, counts.rows);
    let options = Options {
        addr: "127.0.0.1:1".parse().unwrap(),
        speed: 0.0,
    };
    let error = send(&options, &Keys::default(), messages, Arc::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no key for gw01"), "{error}");
}

/// The shared recordings, when this checkout has them beside it.
fn shared(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/telemetry")
        .join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not here", path.display());
    }
    text
}

#[test]
fn shared_recordings_add_up_to_what_they_hold() {
    let expected = [
        ("dtu_smart_trash_2016/s02014101.json", 685, 1, 2),
        ("dtu_smart_trash_2016/s02014102.json", 323, 4, 0),
        ("dtu_smart_trash_2016/s02014103.json", 493, 0, 1),
        ("wyndham_smart_bin_daily_2018-06_2019-12.csv", 16_067, 0, 766),
        (
            "edinburgh_litter_bin_collections_2016-06-03_2016-07-07.csv",
            4_523,
            0,
            0,
        ),
    ];
    for (name, rows, quarantined, repeats) in expected {
        let Some(text) = shared(name) else { continue };
        let (messages, counts) = recording(&[&text], None).messages(Order::File);
        assert!(counts.add_up());
        assert_eq!(
            (counts.rows, counts.quarantined, counts.repeats),
            (rows, quarantined, repeats),
            "{name}"
        );
        assert!(
            messages.iter().flat_map(|(_, m)| m).all(|m| m.at.is_some()),
            "{name}: every time was read"
        );
    }
}
