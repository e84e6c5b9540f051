//! What the station counts. The doc comment of each metric is its HELP text.

use prometheus::{Histogram, IntCounter, IntGauge, Registry};

use crate::counted::metrics;

metrics! {
    /// Metrics of the way into the journal and onwards.
    struct Metrics;
    /// Records written to the journal.
    records: IntCounter = "hemu_ingest_records_total";
    /// Records left out of the journal because they were known.
    repeats: IntCounter = "hemu_ingest_repeats_total";
    /// Bytes of journal batches.
    bytes: IntCounter = "hemu_ingest_bytes_total";
    /// Batches written to the journal.
    batches: IntCounter = "hemu_ingest_batches_total";
    /// Records set aside because the contract does not allow them.
    quarantined: IntCounter = "hemu_ingest_quarantined_total";
    /// Fields of payloads that this version does not know.
    unknown_fields: IntCounter = "hemu_ingest_unknown_fields_total";
    /// Attempts to write a batch that failed.
    commit_failures: IntCounter = "hemu_ingest_commit_failures_total";
    /// Time to store one batch, in seconds.
    commit_seconds: Histogram = "hemu_ingest_commit_seconds"
        [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];
    /// Last journal position that this process knows to be stored.
    committed_position: IntGauge = "hemu_ingest_committed_position";
    /// Last journal position that is in the projections.
    applied_position: IntGauge = "hemu_ingest_applied_position";
    /// Journal records folded into the projections.
    folded: IntCounter = "hemu_ingest_folded_total";
    /// Attempts to write the projections that failed.
    fold_failures: IntCounter = "hemu_ingest_fold_failures_total";
    /// Records kept aside because their identity came before with other content.
    conflicts: IntGauge = "hemu_ingest_conflicts";
    /// Last journal position that is in the time series.
    fed_position: IntGauge = "hemu_ingest_fed_position";
    /// Buckets of the time series that their engine has not got yet.
    engine_unsent: IntGauge = "hemu_ingest_engine_unsent";
    /// Attempts to bring the engine of the time series what it lacks that failed.
    engine_failures: IntCounter = "hemu_ingest_engine_failures_total";
}

impl Metrics {
    pub(crate) fn head(&self, position: u64) {
        self.committed_position.set(position.cast_signed());
    }

    pub(crate) fn committed(&self, records: u64, repeats: u64, bytes: usize) {
        self.records.inc_by(records);
        self.repeats.inc_by(repeats);
        self.bytes.inc_by(bytes as u64);
        self.batches.inc_by(u64::from(records > 0));
    }

    pub(crate) fn applied(&self, position: u64, records: u64) {
        self.applied_position.set(position.cast_signed());
        self.folded.inc_by(records);
    }

    pub(crate) fn fed(&self, position: u64) {
        self.fed_position.set(position.cast_signed());
    }
}
