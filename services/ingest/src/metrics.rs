//! What the station counts. The doc comment of each metric is its HELP text.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Opts, Registry};

/// Metrics of the way into the journal and onwards.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Records written to the journal.
    pub records: IntCounter,
    /// Records left out of the journal because they were known.
    pub repeats: IntCounter,
    /// Bytes of journal batches.
    pub bytes: IntCounter,
    /// Batches written to the journal.
    pub batches: IntCounter,
    /// Records set aside because the contract does not allow them.
    pub quarantined: IntCounter,
    /// Fields of payloads that this version does not know.
    pub unknown_fields: IntCounter,
    /// Attempts to write a batch that failed.
    pub commit_failures: IntCounter,
    /// Time to store one batch, in seconds.
    pub commit_seconds: Histogram,
    /// Last journal position that this process knows to be stored.
    pub committed_position: IntGauge,
    /// Last journal position that is in the projections.
    pub applied_position: IntGauge,
    /// Journal records folded into the projections.
    pub folded: IntCounter,
    /// Attempts to write the projections that failed.
    pub fold_failures: IntCounter,
    /// Records kept aside because their identity came before with other content.
    pub conflicts: IntGauge,
    /// Last journal position that is in the time series.
    pub fed_position: IntGauge,
    /// Buckets of the time series that their engine has not got yet.
    pub engine_unsent: IntGauge,
    /// Attempts to bring the engine of the time series what it lacks that failed.
    pub engine_failures: IntCounter,
}

impl Metrics {
    /// Registers the metrics.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::with_opts(Opts::new(format!("hemu_ingest_{name}"), help))?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let gauge = IntGauge::with_opts(Opts::new(format!("hemu_ingest_{name}"), help))?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let buckets = vec![0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];
        let opts = HistogramOpts::new(
            "hemu_ingest_commit_seconds",
            "Time to store one batch, in seconds.",
        );
        let commit_seconds = Histogram::with_opts(opts.buckets(buckets))?;
        registry.register(Box::new(commit_seconds.clone()))?;
        Ok(Self {
            records: counter("records_total", "Records written to the journal.")?,
            repeats: counter(
                "repeats_total",
                "Records left out of the journal because they were known.",
            )?,
            bytes: counter("bytes_total", "Bytes of journal batches.")?,
            batches: counter("batches_total", "Batches written to the journal.")?,
            quarantined: counter(
                "quarantined_total",
                "Records set aside because the contract does not allow them.",
            )?,
            unknown_fields: counter(
                "unknown_fields_total",
                "Fields of payloads that this version does not know.",
            )?,
            commit_failures: counter("commit_failures_total", "Attempts to write a batch that failed.")?,
            commit_seconds,
            committed_position: gauge(
                "committed_position",
                "Last journal position that this process knows to be stored.",
            )?,
            applied_position: gauge(
                "applied_position",
                "Last journal position that is in the projections.",
            )?,
            folded: counter("folded_total", "Journal records folded into the projections.")?,
            fold_failures: counter(
                "fold_failures_total",
                "Attempts to write the projections that failed.",
            )?,
            conflicts: gauge(
                "conflicts",
                "Records kept aside because their identity came before with other content.",
            )?,
            fed_position: gauge(
                "fed_position",
                "Last journal position that is in the time series.",
            )?,
            engine_unsent: gauge(
                "engine_unsent",
                "Buckets of the time series that their engine has not got yet.",
            )?,
            engine_failures: counter(
                "engine_failures_total",
                "Attempts to bring the engine of the time series what it lacks that failed.",
            )?,
        })
    }

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
