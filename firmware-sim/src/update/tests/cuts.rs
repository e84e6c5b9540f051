//! Power cuts, with the ring of readings in the same flash.

use std::cell::RefCell;
use std::io::{Error, Read, Result as IoResult};

use super::*;
use crate::device::{Appended, Device, Flash, SLOT_BYTES};
use crate::reading::{Body, By, Code, Deposit, Stream};

const RING_BYTES: usize = 1_024 + 32 * SLOT_BYTES;
const BOOT: u64 = 77;
const BEFORE: u64 = 5;

/// A part of a flash that several use, as the partitions of a device.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    flash: &'a RefCell<MemFlash>,
    from: usize,
    size: usize,
}

impl Flash for Part<'_> {
    fn size(&self) -> usize {
        self.size
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> IoResult<()> {
        assert!(offset + buffer.len() <= self.size, "read beyond its part");
        self.flash.borrow_mut().read(self.from + offset, buffer)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> IoResult<()> {
        assert!(offset + bytes.len() <= self.size, "written beyond its part");
        self.flash.borrow_mut().write(self.from + offset, bytes)
    }
}

/// One flash: the ring first, then state and slots, and what a server would have to hear of the ring.
struct Bin {
    flash: RefCell<MemFlash>,
    recorded: RefCell<u64>,
}

impl Bin {
    fn new() -> Self {
        let flash = RefCell::new(MemFlash::new(RING_BYTES + flash_bytes(IMAGE_ROOM)));
        let recorded = RefCell::new(0);
        let bin = Self { flash, recorded };
        Slots::factory(bin.slots_part(), trusted(), &package(1, 5).encode()).unwrap();
        let mut ring = bin.ring();
        (0..BEFORE).for_each(|_| bin.record(&mut ring).unwrap());
        bin
    }

    fn ring_part(&self) -> Part<'_> {
        let (flash, from, size) = (&self.flash, 0, RING_BYTES);
        Part { flash, from, size }
    }

    fn slots_part(&self) -> Part<'_> {
        let (flash, from, size) = (&self.flash, RING_BYTES, flash_bytes(IMAGE_ROOM));
        Part { flash, from, size }
    }

    /// Another boot number is offered each time: taking it would be a lost sequence.
    fn ring(&self) -> Device<Part<'_>> {
        Device::start(
            "st01",
            "a key",
            self.ring_part(),
            BOOT + *self.recorded.borrow(),
            0,
        )
        .unwrap()
    }

    fn record(&self, ring: &mut Device<Part<'_>>) -> IoResult<()> {
        let number = *self.recorded.borrow() + 1;
        let deposit = Deposit {
            household: Some(Code::new("hx", number, 10)),
            bag: Code::new("b", number, 7),
            stream: Stream::Food,
            weight_g: 500,
            quality_bp: 8_000,
            confidence_pm: 900,
            by: By::Camera,
        };
        let stored = ring.append(number.cast_signed(), &Body::Deposit(deposit));
        assert_eq!(stored.map_err(Error::other)?, Appended::Stored(number));
        *self.recorded.borrow_mut() = number;
        Ok(())
    }

    /// Installs, starts and confirms, while readings come in all the time; the power may go at any moment.
    fn update(&self) -> Result<(), InstallError> {
        let mut slots = Slots::open(self.slots_part()).map_err(Error::other)?;
        slots.boot().map_err(Error::other)?;
        let package = package(1, 6).encode();
        let (ring, at) = (self.ring(), 0);
        let mut source = Busy {
            bin: self,
            ring,
            package,
            at,
        };
        slots.install(&mut source)?;
        let booted = slots.boot().map_err(Error::other)?;
        assert!(booted.on_trial);
        self.record(&mut source.ring)?;
        slots.confirm().map_err(Error::other)?;
        Ok(self.record(&mut source.ring)?)
    }

    /// Power is back: either image runs and is whole, and every reading is there under its number.
    fn check(&self, cut: usize) -> u32 {
        self.flash.borrow_mut().restore_power();
        let mut slots = Slots::open(self.slots_part()).unwrap();
        let booted = slots.boot().unwrap();
        assert!(
            booted.version == 5 || booted.version == 6,
            "cut at {cut}: {booted:?}"
        );
        assert!(
            slots.image().unwrap() == image(booted.version),
            "cut at {cut}: a mixed image runs"
        );
        assert_eq!(slots.confirmed() < booted.version, booted.on_trial);
        slots.confirm().unwrap();
        assert_eq!(slots.confirmed(), booted.version);
        let mut ring = self.ring();
        assert_eq!(ring.boot(), BOOT, "cut at {cut}: the sequence was lost");
        // A record may have become whole with the very byte at which the power went.
        let recorded = *self.recorded.borrow();
        let held = ring.held();
        assert!(
            held == recorded || held == recorded + 1,
            "cut at {cut}: {held} of {recorded}"
        );
        let frames = ring.to_send(64).unwrap();
        assert!(frames.iter().map(|frame| frame.seq).eq(1..=held));
        assert!(
            frames
                .iter()
                .all(|frame| !frame.payload.windows(6).any(|part| part == b"\"lost\""))
        );
        *self.recorded.borrow_mut() = held;
        booted.version
    }
}

/// A channel that brings a hundred bytes at a time, and a reading with each.
struct Busy<'a> {
    bin: &'a Bin,
    ring: Device<Part<'a>>,
    package: Vec<u8>,
    at: usize,
}

impl Read for Busy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        self.bin.record(&mut self.ring)?;
        let end = self.package.len().min(self.at + buffer.len().min(100));
        let part = &self.package[self.at..end];
        buffer[..part.len()].copy_from_slice(part);
        self.at = end;
        Ok(part.len())
    }
}

#[test]
fn power_cut_at_every_byte_of_an_installation_boots_one_image_whole_and_loses_no_reading() {
    let whole = Bin::new();
    let before = whole.flash.borrow().written();
    whole.update().unwrap();
    let written = whole.flash.borrow().written() - before;
    assert_eq!(whole.check(written), 6);
    let mut booted = [0, 0];
    for cut in 0..written {
        let bin = Bin::new();
        bin.flash.borrow_mut().cut_after(cut);
        assert!(
            bin.update().is_err(),
            "cut at {cut} of {written} and nobody noticed"
        );
        let version = bin.check(cut);
        booted[version as usize - 5] += 1;
        // The old one can be updated as if nothing had been.
        if version == 5 {
            bin.update().unwrap();
            assert_eq!(bin.check(cut), 6);
        }
    }
    println!(
        "{written} cuts: {} times the old image, {} times the new one",
        booted[0], booted[1]
    );
    assert!(
        written > 3_000 && booted[0] > 0 && booted[1] > 0,
        "{written} {booted:?}"
    );
}

#[test]
fn power_cut_at_every_byte_of_a_falling_back_leads_back_to_the_old_image() {
    let fall_back = |slots: &mut Slots<MemFlash>| -> Result<Booted, BootError> {
        (0..TRIAL_BOOTS).try_for_each(|_| slots.boot().map(|_| ()))?;
        slots.boot()
    };
    let mut waiting = device();
    install(&mut waiting, &package(1, 6)).unwrap();
    let mut whole = waiting.clone();
    let before = whole.flash.written();
    assert!(fall_back(&mut whole).unwrap().fell_back);
    let written = whole.flash.written() - before;
    for cut in 0..written {
        let mut slots = waiting.clone();
        slots.flash.cut_after(cut);
        assert!(fall_back(&mut slots).is_err());
        let mut flash = slots.flash.clone();
        flash.restore_power();
        let mut slots = Slots::open(flash).unwrap();
        let old = |_: u8| slots.boot().unwrap().version == 5;
        assert!((0..=TRIAL_BOOTS).any(old), "cut at {cut}: it never falls back");
        assert_eq!(slots.image().unwrap(), image(5));
    }
    println!("{written} cuts");
}
