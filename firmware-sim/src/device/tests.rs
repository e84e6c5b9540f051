use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::reading::{By, Code, Deposit, Incident, Stream};

const KEY: &str = "a key";
const SLOTS: usize = 16;
const BOOT: u64 = 77;

fn flash() -> MemFlash {
    MemFlash::new(1_024 + SLOTS * SLOT_BYTES)
}

fn deposit(number: u64) -> Body {
    Body::Deposit(Deposit {
        household: Some(Code::new("hx", number, 10)),
        bag: Code::new("b", number, 7),
        stream: Stream::Food,
        weight_g: 500,
        quality_bp: 8_000,
        confidence_pm: 900,
        by: By::Camera,
    })
}

fn start(flash: MemFlash) -> Device<MemFlash> {
    Device::start("st01", KEY, flash, BOOT, 0).unwrap()
}

fn receipt(boot: u64, upto: u64, generation: u64) -> Vec<u8> {
    Receipt {
        boot,
        upto,
        missing: vec![],
        generation,
    }
    .signed(&key_digest(KEY))
}

/// The other side: keeps what it was sent and complains about anything it cannot accept.
#[derive(Default)]
struct Server {
    records: BTreeMap<u64, Vec<u8>>,
    gone: BTreeSet<u64>,
}

impl Server {
    fn take(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            let value: serde_json::Value =
                serde_json::from_slice(&frame.payload).expect("only whole records are sent");
            assert_eq!(value["seq"], frame.seq);
            assert_eq!(value["boot"], frame.boot);
            if let Some(lost) = value["lost"].as_array() {
                let ends: Vec<u64> = lost.iter().map(|v| v.as_u64().unwrap()).collect();
                self.gone.extend(ends[0]..=ends[1]);
            }
            let before = self.records.insert(frame.seq, frame.payload.clone());
            assert!(
                before.is_none_or(|b| b == frame.payload),
                "record {} changed its content",
                frame.seq
            );
        }
    }

    fn upto(&self) -> u64 {
        (1..100_000)
            .take_while(|seq| self.records.contains_key(seq) || self.gone.contains(seq))
            .count() as u64
    }

    fn drain(&mut self, device: &mut Device<MemFlash>) {
        self.drain_any(device);
    }

    fn drain_any<F: Flash>(&mut self, device: &mut Device<F>) {
        loop {
            let frames = device.to_send(8).unwrap();
            if frames.is_empty() {
                return;
            }
            self.take(frames);
        }
    }
}

#[test]
fn records_are_numbered_from_one_without_gaps_and_survive_a_restart() {
    let mut device = start(flash());
    for n in 1..=5 {
        assert_eq!(
            device.append(n, &deposit(1)).unwrap(),
            Appended::Stored(n.unsigned_abs())
        );
    }
    let mut device = start(device.into_flash());
    assert_eq!((device.boot(), device.next_seq(), device.held()), (BOOT, 6, 5));
    let frames = device.to_send(10).unwrap();
    assert_eq!(frames.iter().map(|f| f.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn only_a_valid_receipt_of_this_boot_releases_records() {
    let mut device = start(flash());
    for n in 1..=5 {
        device.append(n, &deposit(1)).unwrap();
    }
    let mut forged = receipt(BOOT, 3, 1);
    let at = forged.windows(4).position(|w| w == b"mac\"").unwrap() + 7;
    forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
    assert!(matches!(
        device.on_receipt(&forged, 0),
        Err(DeviceError::Receipt(ReceiptError::Forged { .. }))
    ));
    assert!(matches!(
        device.on_receipt(b"{}", 0),
        Err(DeviceError::Receipt(ReceiptError::Json(_)))
    ));
    assert_eq!(
        device.on_receipt(&receipt(BOOT + 1, 3, 1), 0).unwrap(),
        Received::Nothing
    );
    assert!(matches!(
        device.on_receipt(&receipt(BOOT, 6, 1), 0),
        Err(DeviceError::Ahead { upto: 6, next: 6 })
    ));
    assert_eq!(device.held(), 5);
    assert_eq!(
        device.on_receipt(&receipt(BOOT, 3, 1), 0).unwrap(),
        Received::Released(3)
    );
    assert_eq!(
        device.on_receipt(&receipt(BOOT, 3, 1), 0).unwrap(),
        Received::Nothing
    );
    assert_eq!(device.held(), 2);
    assert_eq!(start(device.into_flash()).held(), 2);
}

#[test]
fn a_full_ring_declares_what_it_drops_and_the_server_catches_up() {
    let mut device = start(flash());
    let mut server = Server::default();
    for n in 1..=100 {
        device.append(n, &deposit(n.unsigned_abs())).unwrap();
    }
    assert!(device.held() < SLOTS as u64);
    server.drain(&mut device);
    assert_eq!(
        server.upto(),
        device.next_seq() - 1,
        "every number is either known or declared lost"
    );
    assert!(server.records.len() >= SLOTS / 2);
}

#[test]
fn telemetry_is_not_recorded_when_the_ring_is_nearly_full_so_deposits_stay() {
    let mut device = start(flash());
    for n in 1..=13 {
        device.append(n, &deposit(1)).unwrap();
    }
    let bin = crate::reading::Bin {
        stream: Stream::Food,
        fill_pm: 1,
        weight_g: 1,
    };
    let (battery_mv, rssi_dbm, temperature_dc, queued) = (3_700, -80, 200, 0);
    let status = crate::reading::Status {
        bins: [bin; 4],
        battery_mv,
        rssi_dbm,
        temperature_dc,
        firmware: "1",
        queued,
    };
    assert_eq!(
        device.append(14, &Body::Status(status)).unwrap(),
        Appended::Thinned
    );
    let incident = Incident {
        kind: "tilt",
        stream: None,
        note: "",
    };
    assert_eq!(
        device.append(14, &Body::Incident(incident)).unwrap(),
        Appended::Stored(14)
    );
}

#[test]
fn a_restored_server_gets_again_what_is_still_held_and_the_rest_declared() {
    let mut device = start(flash());
    let mut server = Server::default();
    for n in 1..=40 {
        device.append(n, &deposit(n.unsigned_abs())).unwrap();
        server.drain(&mut device);
        device.on_receipt(&receipt(BOOT, server.upto(), 1), n).unwrap();
    }
    let kept = server
        .records
        .range(..=20)
        .map(|(k, v)| (*k, v.clone()))
        .collect();
    let mut restored = Server {
        records: kept,
        ..Server::default()
    };
    assert_eq!(
        device.on_receipt(&receipt(BOOT, 20, 2), 41).unwrap(),
        Received::Rewound
    );
    restored.drain(&mut device);
    assert_eq!(restored.upto(), device.next_seq() - 1);
    assert!(restored.records.contains_key(&30) && restored.records.contains_key(&40));
    assert!(restored.gone.contains(&21));
}

#[test]
fn a_gap_is_sent_again_only_when_two_receipts_name_it() {
    let mut device = start(flash());
    for n in 1..=6 {
        device.append(n, &deposit(1)).unwrap();
    }
    assert_eq!(device.to_send(10).unwrap().len(), 6);
    let gap = Receipt {
        boot: BOOT,
        upto: 2,
        missing: vec![(3, 4)],
        generation: 1,
    }
    .signed(&key_digest(KEY));
    device.on_receipt(&gap, 0).unwrap();
    assert!(device.to_send(10).unwrap().is_empty());
    device.on_receipt(&gap, 0).unwrap();
    assert_eq!(
        device
            .to_send(10)
            .unwrap()
            .iter()
            .map(|f| f.seq)
            .collect::<Vec<_>>(),
        [3, 4]
    );
}

#[test]
fn losing_both_headers_begins_a_new_boot_and_the_old_records_are_still_offered() {
    let mut device = start(flash());
    for n in 1..=3 {
        device.append(n, &deposit(1)).unwrap();
    }
    let mut flash = device.into_flash();
    flash.bytes_mut()[..1_024].fill(0);
    let mut device = Device::start("st01", KEY, flash, BOOT + 1, 0).unwrap();
    assert_eq!((device.boot(), device.next_seq()), (BOOT + 1, 1));
    let orphans = |device: &mut Device<MemFlash>| {
        device
            .orphans()
            .unwrap()
            .iter()
            .map(|f| (f.boot, f.seq))
            .collect::<Vec<_>>()
    };
    assert_eq!(orphans(&mut device), [(BOOT, 1), (BOOT, 2), (BOOT, 3)]);
    device.append(9, &deposit(2)).unwrap();
    device.on_receipt(&receipt(BOOT, 2, 1), 0).unwrap();
    assert_eq!(orphans(&mut device), [(BOOT, 3)]);
}

#[test]
fn an_unreadable_record_in_the_middle_is_declared_lost() {
    let mut device = start(flash());
    for n in 1..=5 {
        device.append(n, &deposit(1)).unwrap();
    }
    let mut flash = device.into_flash();
    flash.bytes_mut()[1_024 + 3 * SLOT_BYTES + 60] ^= 1;
    let mut device = start(flash.clone());
    let mut server = Server::default();
    server.drain(&mut device);
    assert_eq!(server.gone.iter().copied().collect::<Vec<_>>(), [3]);
    assert_eq!(server.upto(), 6);
    // Power goes before anything of it was sent: what can be read before the hole is held all the same.
    let mut device = start(start(flash).into_flash());
    let mut server = Server::default();
    server.drain(&mut device);
    assert_eq!(server.gone.iter().copied().collect::<Vec<_>>(), [3]);
    assert_eq!(server.upto(), 7, "five, and the hole declared at each start");
}

/// Appends, sends, receipts late, overflows: a life that touches every path that writes flash.
fn live<F: Flash>(device: &mut Device<F>, server: &mut Server, step: u64) -> Result<(), DeviceError> {
    device.append(step.cast_signed(), &deposit(step))?;
    if step % 25 < 18 {
        server.take(device.to_send(3)?);
    }
    if step % 5 == 4 && step % 25 < 10 {
        let upto = server.upto().min(device.next_seq() - 1);
        device.on_receipt(&receipt(BOOT, upto, 1), step.cast_signed())?;
    }
    Ok(())
}

#[test]
fn power_cut_at_every_byte_offset_loses_no_receipted_record_and_sends_no_broken_one() {
    let mut whole = start(flash());
    (1..30).for_each(|step| live(&mut whole, &mut Server::default(), step).unwrap());
    let written = whole.into_flash().written();
    println!("{written} offsets");
    assert!(written >= 4_096, "only {written} offsets");
    for cut in 0..written {
        let (mut flash, mut server, mut step) = (flash(), Server::default(), 1);
        flash.cut_after(cut);
        if let Ok(mut device) = Device::start("st01", KEY, &mut flash, BOOT, 0) {
            while live(&mut device, &mut server, step).is_ok() {
                step += 1;
            }
        }
        let receipted = server.upto();
        flash.restore_power();
        let mut device = start(flash);
        assert_eq!(device.boot(), BOOT);
        assert!(
            device.next_seq() > receipted,
            "cut at {cut}: a receipted number would be used again"
        );
        (step + 1..step + 6).for_each(|step| live(&mut device, &mut server, step).unwrap());
        server.drain(&mut device);
        assert_eq!(
            server.upto(),
            device.next_seq() - 1,
            "cut at {cut}: a number is neither known nor lost"
        );
    }
}

#[test]
fn a_file_ring_is_recovered_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("st01.ring");
    let open = || FileFlash::open(&path, 1_024 + SLOTS * SLOT_BYTES).unwrap();
    let mut device = Device::start("st01", KEY, open(), BOOT, 0).unwrap();
    for n in 1..=4 {
        device.append(n, &deposit(1)).unwrap();
    }
    device.on_receipt(&receipt(BOOT, 1, 1), 0).unwrap();
    drop(device);
    let device = Device::start("st01", KEY, open(), BOOT + 9, 0).unwrap();
    assert_eq!((device.boot(), device.next_seq(), device.held()), (BOOT, 5, 3));
}

#[test]
fn a_flash_too_small_for_a_ring_is_refused_with_the_size_it_needs() {
    let error = Device::start("st01", KEY, MemFlash::new(2_000), BOOT, 0).unwrap_err();
    assert!(error.to_string().contains("at least 9216 bytes"), "{error}");
}

#[test]
fn a_window_is_never_more_than_so_many_records_without_a_receipt() {
    let big = MemFlash::new(1_024 + 200 * SLOT_BYTES);
    let mut device = start(big).with_window(BEHIND_A_BROKER);
    for n in 1..=120 {
        device.append(n, &deposit(1)).unwrap();
    }
    let mut server = Server::default();
    for upto in [50, 100, 120] {
        server.drain(&mut device);
        assert_eq!(server.upto(), upto);
        assert!(device.to_send(8).unwrap().is_empty());
        assert!(device.waits());
        device.on_receipt(&receipt(BOOT, upto, 1), 0).unwrap();
    }
    assert!(!device.waits());
    // As many as that again when no receipt came, and no more.
    for n in 1..=60 {
        device.append(n, &deposit(1)).unwrap();
    }
    for _ in 0..2 {
        let mut again = Server::default();
        again.drain(&mut device);
        assert_eq!(again.records.len(), 50);
        device.reconnected();
    }
}

#[test]
fn a_declared_loss_goes_ahead_of_a_full_window_also_after_a_power_cut() {
    for restart in [false, true] {
        let mut device = start(flash()).with_window(4);
        for n in 1..=100 {
            device.append(n, &deposit(1)).unwrap();
        }
        if restart {
            device = device.restart(0).unwrap();
        }
        let mut server = Server::default();
        for _ in 0..20 {
            server.drain(&mut device);
            let upto = server.upto();
            device.on_receipt(&receipt(BOOT, upto, 1), 0).unwrap();
        }
        assert_eq!((device.held(), server.upto()), (0, device.next_seq() - 1));
    }
}

#[test]
fn power_cut_at_every_byte_of_a_rewind_leaves_no_number_undeclared() {
    let life = |flash: &mut MemFlash, cut: Option<usize>| {
        let mut device = Device::start("st01", KEY, &mut *flash, BOOT, 0).unwrap();
        let mut server = Server::default();
        for n in 1..=40 {
            device.append(n, &deposit(1)).unwrap();
            server.drain_any(&mut device);
            device.on_receipt(&receipt(BOOT, server.upto(), 1), n).unwrap();
        }
        drop(device);
        let before = flash.written();
        if let Some(cut) = cut {
            flash.cut_after(cut);
        }
        if let Ok(mut device) = Device::start("st01", KEY, &mut *flash, BOOT, 0) {
            let _ = device.on_receipt(&receipt(BOOT, 5, 2), 41);
        }
        flash.restore_power();
        flash.written() - before
    };
    let written = life(&mut flash(), None);
    assert!(written > 50);
    for cut in 0..written {
        let mut flash = flash();
        life(&mut flash, Some(cut));
        let mut device = start(flash);
        let mut restored = Server::default();
        restored.gone.extend(1..=5);
        for _ in 0..3 {
            device.reconnected();
            let upto = restored.upto();
            device.on_receipt(&receipt(BOOT, upto, 2), 42).unwrap();
            restored.drain(&mut device);
        }
        assert_eq!(restored.upto(), device.next_seq() - 1, "cut at {cut}");
    }
}
