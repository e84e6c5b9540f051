//! Buckets as line protocol, which both engines read. No household is in it: a bucket knows none.

use influxdb2::models::{DataPoint, WriteDataPoint};

use super::{Bucket, NO_STREAM, Trouble};
use crate::query::{Field, Step};

/// The measurement of a grain's buckets.
pub(super) const fn measurement(grain: Step) -> &'static str {
    match grain {
        Step::Hour => "hemu_hour",
        Step::Day => "hemu_day",
    }
}

/// One line a bucket; times are in milliseconds.
pub(super) fn lines<'b>(buckets: impl Iterator<Item = &'b Bucket>, site: &str) -> Result<String, Trouble> {
    let unwritable = |what: String| Trouble::Unreadable { what };
    let mut text = Vec::new();
    for bucket in buckets {
        let stream = Some(bucket.stream.as_str()).filter(|stream| !stream.is_empty());
        let mut point = DataPoint::builder(measurement(bucket.grain))
            .tag("site", site)
            .tag("device", &bucket.device)
            .tag("measure", bucket.measure)
            .tag("stream", stream.unwrap_or(NO_STREAM))
            .timestamp(bucket.at());
        for (field, value) in Field::ALL.into_iter().zip(bucket.fields) {
            point = point.field(field.as_str(), value);
        }
        let point = point.build().map_err(|error| unwritable(error.to_string()))?;
        let written = point.write_data_point_to(&mut text);
        written.map_err(|error| unwritable(error.to_string()))?;
    }
    String::from_utf8(text).map_err(|error| unwritable(error.to_string()))
}
