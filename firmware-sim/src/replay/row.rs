//! One row of a recording and the status a gateway makes of it. Must not: know file formats.

use crate::draw::mix;

/// One row, as far as a status can carry it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Device id it will be sent as.
    pub(super) unit: String,
    /// The row as it stood, to recognise exact repeats.
    pub(super) raw: String,
    /// Event time, milliseconds since 1970.
    pub(super) at: Option<i64>,
    /// What stood where the time should be.
    pub(super) time: String,
    /// The level as the recording has it.
    pub(super) value: String,
    /// Share of the bin, if the level is a number.
    pub(super) fill: Option<f64>,
    /// Grams on the scale.
    pub(super) weight_g: Option<f64>,
    /// Radio level.
    pub(super) rssi_dbm: Option<i64>,
}

/// What the contract allows a bin to weigh.
const MOST_GRAMS: f64 = 200_000.0;

impl Row {
    /// For telling one set of rows from another.
    pub(super) fn hash(&self) -> u64 {
        let time = self.at.map_or(0, i64::cast_unsigned);
        self.raw
            .bytes()
            .fold(mix(time), |state, byte| mix(state ^ u64::from(byte)))
    }

    /// The status as JSON, and whether the contract accepts it.
    pub(super) fn status(&self, boot: u64, seq: u64) -> (Vec<u8>, bool) {
        let mut bin = serde_json::Map::new();
        bin.insert("stream".to_owned(), "residual".into());
        bin.insert(
            "fill".to_owned(),
            self.fill.map_or_else(|| self.value.clone().into(), Into::into),
        );
        if let Some(grams) = self.weight_g {
            bin.insert(
                "weight_g".to_owned(),
                if grams >= 0.0 {
                    (grams as u64).into()
                } else {
                    grams.into()
                },
            );
        }
        let at = self
            .at
            .map_or_else(|| self.time.clone().into(), serde_json::Value::from);
        let mut status = serde_json::json!({"boot": boot, "seq": seq, "at": at, "bins": [bin]});
        if let (Some(rssi), Some(fields)) = (self.rssi_dbm, status.as_object_mut()) {
            fields.insert("rssi_dbm".to_owned(), rssi.into());
        }
        let level = self.fill.is_some_and(|fill| (0.0..=1.0).contains(&fill));
        let weight = self
            .weight_g
            .is_none_or(|grams| (0.0..=MOST_GRAMS).contains(&grams));
        (
            status.to_string().into_bytes(),
            self.at.is_some() && level && weight,
        )
    }
}
