//! A station's metrics from one list, in which each HELP text stands once: as the doc comment of its field.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Registry};

/// Makes the struct of a station's metrics, with `new`, which registers them. Behind the name of a histogram stand its
/// buckets.
macro_rules! metrics {
    (
        $(#[doc = $about:literal])+
        struct $metrics:ident;
        $($(#[doc = $help:literal])+ $field:ident: $kind:ident = $name:literal $([$($bucket:literal),+])?;)+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $metrics {
            $($(#[doc = $help])+ pub $field: $kind,)+
        }

        impl $metrics {
            /// Registers the metrics.
            pub fn new(registry: &Registry) -> prometheus::Result<Self> {
                Ok(Self {
                    $($field: $crate::counted::register::<$kind>(
                        registry,
                        $name,
                        concat!($($help),+).trim(),
                        &[$($($bucket),+)?],
                    )?,)+
                })
            }
        }
    };
}
pub(crate) use metrics;

pub(crate) trait Build: Collector + Clone + 'static {
    /// Of a number alone there are no buckets.
    fn build(name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Self>;
}

impl Build for IntCounter {
    fn build(name: &str, help: &str, _: &[f64]) -> prometheus::Result<Self> {
        Self::new(name, help)
    }
}

impl Build for IntGauge {
    fn build(name: &str, help: &str, _: &[f64]) -> prometheus::Result<Self> {
        Self::new(name, help)
    }
}

impl Build for Histogram {
    fn build(name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Self> {
        Self::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
    }
}

pub(crate) fn register<M: Build>(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
) -> prometheus::Result<M> {
    let metric = M::build(name, help, buckets)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use prometheus::proto::Bucket;

    use super::*;
    use crate::Metrics;

    #[test]
    fn what_is_registered_has_its_doc_as_help_and_its_buckets() {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        metrics.commit_seconds.observe(0.003);
        let families = registry.gather();
        let family = |name: &str| families.iter().find(|family| family.name() == name).unwrap();
        let repeats = family("hemu_ingest_repeats_total");
        assert_eq!(
            repeats.help(),
            "Records left out of the journal because they were known."
        );
        let seconds = family("hemu_ingest_commit_seconds").get_metric();
        let buckets = seconds.first().unwrap().get_histogram().get_bucket();
        let counts: Vec<_> = buckets.iter().map(Bucket::cumulative_count).collect();
        assert_eq!(counts, [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert!(Metrics::new(&registry).is_err(), "the same names twice");
    }
}
