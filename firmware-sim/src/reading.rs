//! What a bin has to say, and the JSON it says it in.
//!
//! The writer follows the contract page alone and shares no code with the server's parser: a misreading
//! must not hide in both. Must not: decide when or in what order a reading is sent.

use crate::draw::mix;

/// Base 32 without the letters people confuse (no `i l o u`).
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A short ASCII code that is copied, never allocated: a household token or a bag number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    len: u8,
    bytes: [u8; 15],
}

impl Code {
    /// `prefix` (two characters at most) and the `digits` lowest base-32 digits of `number` (12 at most).
    pub fn new(prefix: &str, number: u64, digits: usize) -> Self {
        let mut code = Self {
            len: 0,
            bytes: [0; 15],
        };
        for byte in prefix.bytes().filter(u8::is_ascii_alphanumeric).take(2) {
            code.push(byte);
        }
        for place in (0..digits.min(12)).rev() {
            let digit = (number >> (5 * place)) & 31;
            let glyph = usize::try_from(digit).ok().and_then(|d| BASE32.get(d)).copied();
            code.push(glyph.unwrap_or(b'0'));
        }
        code
    }

    /// Somebody else's code: 1 to 15 ASCII letters, digits, dashes or underscores.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=15).contains(&text.len());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !fits || !text.bytes().all(plain) {
            return None;
        }
        let mut code = Self {
            len: 0,
            bytes: [0; 15],
        };
        text.bytes().for_each(|byte| code.push(byte));
        Some(code)
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
            *place = byte;
            self.len += 1;
        }
    }

    /// The code's bytes, all of them ASCII letters and digits.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The four waste streams of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Kitchen and other perishable waste.
    Food,
    /// Paper, glass, metal, plastic, textile.
    Recyclable,
    /// Batteries, lamps, medicine, paint.
    Hazardous,
    /// Everything else.
    Residual,
}

impl Stream {
    /// Every stream, in the order of the contract; `Stream::ALL[s.index()] == s`.
    pub const ALL: [Self; 4] = [Self::Food, Self::Recyclable, Self::Hazardous, Self::Residual];

    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Food => "food",
            Self::Recyclable => "recyclable",
            Self::Hazardous => "hazardous",
            Self::Residual => "residual",
        }
    }

    /// Position in [`Stream::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Food => 0,
            Self::Recyclable => 1,
            Self::Hazardous => 2,
            Self::Residual => 3,
        }
    }
}

/// Who judged the bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The station's camera (the contract's default, so it is not written).
    Camera,
    /// A person with a handset.
    Inspector,
}

/// One bag in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deposit {
    /// Household token, absent when nobody showed a card.
    pub household: Option<Code>,
    /// Bag number, the same on the camera's and the inspector's reading.
    pub bag: Code,
    /// The bin it went into.
    pub stream: Stream,
    /// Grams, 0..=200,000.
    pub weight_g: u32,
    /// Sorting quality in 1/10,000.
    pub quality_bp: u16,
    /// Confidence in 1/1,000.
    pub confidence_pm: u16,
    /// Who judged.
    pub by: By,
}

/// Level of one bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// Which bin.
    pub stream: Stream,
    /// Fill in 1/1,000 of the volume, 0..=1000.
    pub fill_pm: u16,
    /// Grams on the scale, 0..=200,000.
    pub weight_g: u32,
}

/// A station's half-hourly report on itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The four bins.
    pub bins: [Bin; 4],
    /// Battery, millivolts.
    pub battery_mv: u16,
    /// Radio level, dBm.
    pub rssi_dbm: i16,
    /// Cabinet temperature in tenths of a degree Celsius.
    pub temperature_dc: i16,
    /// Firmware version.
    pub firmware: &'static str,
    /// Records waiting in flash.
    pub queued: u32,
}

/// What went wrong at a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// One of the contract's kinds.
    pub kind: &'static str,
    /// The bin concerned, if one is.
    pub stream: Option<Stream>,
    /// A short remark.
    pub note: &'static str,
}

/// What a record says, apart from its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// To the deposit topic.
    Deposit(Deposit),
    /// To the status topic.
    Status(Status),
    /// To the incident topic.
    Incident(Incident),
    /// To the status topic: records `a..=b` were dropped unsent.
    Lost(u64, u64),
}

/// Which up-topic a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `.../deposit`
    Deposit,
    /// `.../status`
    Status,
    /// `.../incident`
    Incident,
}

impl Topic {
    /// Every topic; `Topic::ALL[t.index()] == t`.
    pub const ALL: [Self; 3] = [Self::Deposit, Self::Status, Self::Incident];

    /// Last level of the topic name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Status => "status",
            Self::Incident => "incident",
        }
    }

    /// Position in [`Topic::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Deposit => 0,
            Self::Status => 1,
            Self::Incident => 2,
        }
    }

    /// The full topic name of `device`.
    pub fn of(self, device: &str) -> String {
        format!("hemu/v1/{device}/{}", self.as_str())
    }
}

impl Body {
    /// The topic this body goes to.
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Deposit(_) => Topic::Deposit,
            Self::Status(_) | Self::Lost(..) => Topic::Status,
            Self::Incident(_) => Topic::Incident,
        }
    }
}

/// A record's identity within its device, and its event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// New only when the device lost its sequence.
    pub boot: u64,
    /// From 1, gapless.
    pub seq: u64,
    /// Milliseconds since 1970 UTC.
    pub at: i64,
}

/// Appends the record as one JSON object.
pub fn encode(out: &mut Vec<u8>, stamp: Stamp, body: &Body) {
    text(out, "{\"boot\":");
    number(out, stamp.boot);
    text(out, ",\"seq\":");
    number(out, stamp.seq);
    text(out, ",\"at\":");
    signed(out, stamp.at);
    match body {
        Body::Deposit(deposit) => encode_deposit(out, deposit),
        Body::Status(status) => encode_status(out, status),
        Body::Incident(incident) => encode_incident(out, incident),
        Body::Lost(from, to) => {
            text(out, ",\"lost\":[");
            number(out, *from);
            out.push(b',');
            number(out, *to);
            out.push(b']');
        }
    }
    out.push(b'}');
}

fn encode_deposit(out: &mut Vec<u8>, deposit: &Deposit) {
    if let Some(household) = deposit.household {
        text(out, ",\"household\":\"");
        out.extend_from_slice(household.as_bytes());
        out.push(b'"');
    }
    text(out, ",\"bag\":\"");
    out.extend_from_slice(deposit.bag.as_bytes());
    text(out, "\",\"stream\":\"");
    text(out, deposit.stream.as_str());
    text(out, "\",\"weight_g\":");
    number(out, u64::from(deposit.weight_g));
    text(out, ",\"quality\":");
    fraction(out, u64::from(deposit.quality_bp), 4);
    match deposit.by {
        By::Inspector => text(out, ",\"by\":\"inspector\""),
        By::Camera => {
            text(out, ",\"confidence\":");
            fraction(out, u64::from(deposit.confidence_pm), 3);
        }
    }
}

fn encode_status(out: &mut Vec<u8>, status: &Status) {
    text(out, ",\"bins\":[");
    for (index, bin) in status.bins.iter().enumerate() {
        text(
            out,
            if index == 0 {
                "{\"stream\":\""
            } else {
                ",{\"stream\":\""
            },
        );
        text(out, bin.stream.as_str());
        text(out, "\",\"fill\":");
        fraction(out, u64::from(bin.fill_pm), 3);
        text(out, ",\"weight_g\":");
        number(out, u64::from(bin.weight_g));
        out.push(b'}');
    }
    text(out, "],\"battery_mv\":");
    number(out, u64::from(status.battery_mv));
    text(out, ",\"rssi_dbm\":");
    signed(out, i64::from(status.rssi_dbm));
    text(out, ",\"temperature_c\":");
    if status.temperature_dc < 0 {
        out.push(b'-');
    }
    fraction(out, u64::from(status.temperature_dc.unsigned_abs()), 1);
    text(out, ",\"firmware\":\"");
    text(out, status.firmware);
    text(out, "\",\"queued\":");
    number(out, u64::from(status.queued));
}

fn encode_incident(out: &mut Vec<u8>, incident: &Incident) {
    text(out, ",\"kind\":\"");
    text(out, incident.kind);
    out.push(b'"');
    if let Some(stream) = incident.stream {
        text(out, ",\"stream\":\"");
        text(out, stream.as_str());
        out.push(b'"');
    }
    if !incident.note.is_empty() {
        text(out, ",\"note\":\"");
        text(out, incident.note);
        out.push(b'"');
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    number(out, value.unsigned_abs());
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (value % 10) as u8;
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

/// `value / 10^places` with all its places: `fraction(845, 3)` is `0.845`.
fn fraction(out: &mut Vec<u8>, value: u64, places: u32) {
    let unit = 10_u64.pow(places);
    number(out, value / unit);
    out.push(b'.');
    let mut rest = value % unit;
    let mut place = unit / 10;
    while place > 0 {
        out.push(b'0' + (rest / place) as u8);
        rest %= place;
        place /= 10;
    }
}

/// A boot number for (`seed`, `device`, `life`): 48 bits, never 0, exact in any JSON reader.
pub fn boot_number(seed: u64, device: &str, life: u64) -> u64 {
    let named = device
        .bytes()
        .fold(mix(seed ^ mix(life)), |state, byte| mix(state ^ u64::from(byte)));
    (named >> 16).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn json(stamp: Stamp, body: &Body) -> serde_json::Value {
        let mut out = Vec::new();
        encode(&mut out, stamp, body);
        serde_json::from_slice(&out).unwrap()
    }

    const STAMP: Stamp = Stamp {
        boot: 7,
        seq: 19,
        at: -5,
    };

    #[test]
    fn camera_deposit_says_exactly_the_contract_fields() {
        let deposit = Deposit {
            household: Some(Code::new("hx", 1, 10)),
            bag: Code::new("b", 33, 4),
            stream: Stream::Food,
            weight_g: 812,
            quality_bp: 9_050,
            confidence_pm: 845,
            by: By::Camera,
        };
        assert_eq!(
            json(STAMP, &Body::Deposit(deposit)),
            serde_json::json!({"boot":7,"seq":19,"at":-5,"household":"hx0000000001","bag":"b0011","stream":"food",
                "weight_g":812,"quality":0.905,"confidence":0.845})
        );
        let other = Deposit {
            household: None,
            by: By::Inspector,
            quality_bp: 10_000,
            ..deposit
        };
        let value = json(STAMP, &Body::Deposit(other));
        assert_eq!(value["by"], "inspector");
        assert_eq!(value["quality"], 1.0);
        assert!(value.get("household").is_none() && value.get("confidence").is_none());
    }

    #[test]
    fn a_code_reads_back_and_refuses_what_json_would_have_to_escape() {
        let code = Code::new("hx", 123_456, 10);
        assert_eq!(Code::parse(code.as_str()), Some(code));
        for bad in ["", "a\"b", "0123456789abcdef", "和睦"] {
            assert_eq!(Code::parse(bad), None);
        }
    }

    #[test]
    fn negative_temperature_keeps_its_sign_below_one_degree() {
        let bin = Bin {
            stream: Stream::Food,
            fill_pm: 1_000,
            weight_g: 0,
        };
        let status = Status {
            bins: [bin; 4],
            battery_mv: 3_601,
            rssi_dbm: -97,
            temperature_dc: -5,
            firmware: "1.4.2",
            queued: 3,
        };
        let value = json(STAMP, &Body::Status(status));
        assert_eq!(value["temperature_c"], -0.5);
        assert_eq!(value["bins"][3]["fill"], 1.0);
        assert_eq!(value["rssi_dbm"], -97);
    }

    #[test]
    fn lost_and_incident_are_objects_of_their_topics() {
        let lost = Body::Lost(3, 9);
        assert_eq!(json(STAMP, &lost)["lost"], serde_json::json!([3, 9]));
        assert_eq!(lost.topic(), Topic::Status);
        let incident = Incident {
            kind: "overflow",
            stream: Some(Stream::Residual),
            note: "",
        };
        let value = json(STAMP, &Body::Incident(incident));
        assert_eq!(value["kind"], "overflow");
        assert!(value.get("note").is_none());
    }

    #[test]
    fn numbers_are_written_to_the_last_digit() {
        let mut out = Vec::new();
        number(&mut out, u64::MAX);
        out.push(b' ');
        number(&mut out, 0);
        out.push(b' ');
        fraction(&mut out, 7, 4);
        assert_eq!(out, b"18446744073709551615 0 0.0007");
    }

    #[test]
    fn boot_numbers_differ_by_device_and_life_and_fit_a_json_double() {
        let boot = boot_number(1, "st01", 0);
        assert_ne!(boot, boot_number(1, "st02", 0));
        assert_ne!(boot, boot_number(1, "st01", 1));
        assert!(boot < 1 << 53);
    }
}
