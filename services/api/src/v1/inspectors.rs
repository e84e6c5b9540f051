//! GET /api/v1/inspectors: how far each lies from the colleagues on the same bags.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read;
use hemu_rules::Day;
use serde::Serialize;
use utoipa::ToSchema;

use super::words::places;
use crate::api::Api;
use crate::problem::Problem;

/// Everybody who inspected lately, by the devices they read with; no names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Inspectors {
    /// Readings and bags are of days before this local day.
    #[schema(value_type = String, format = Date)]
    edition: Day,
    /// An inspector is doubted whose mean lies further than this from the colleagues, in basis points.
    apart_most_bp: u32,
    /// Of fewer shared bags than this nothing is said.
    bags_least: i64,
    items: Vec<Inspector>,
}

/// An inspector beside the colleagues. Doubt is no verdict: of two, both are doubted.
#[derive(Debug, Serialize, ToSchema)]
struct Inspector {
    device: String,
    /// Counted readings of the last 90 days, and of how many households.
    readings: u64,
    households: u64,
    /// Bags shared with colleagues, one for each colleague.
    shared_bags: i64,
    /// Own quality less the colleagues', in basis points; null where no bag was shared.
    mean_difference_bp: Option<f64>,
    /// Whether nobody comes on the black list who was judged by this inspector.
    doubted: bool,
    /// The first edition at which that was so, without a break since; 90 days back at most.
    #[schema(value_type = Option<String>, format = Date)]
    since: Option<Day>,
}

impl Inspector {
    #[expect(clippy::cast_precision_loss, reason = "sums of 90 days of bags are small")]
    fn of(inspector: read::Inspector) -> Self {
        let shared = inspector.shared;
        Self {
            device: inspector.device,
            readings: inspector.readings,
            households: inspector.households,
            shared_bags: shared.n,
            mean_difference_bp: (shared.n > 0).then(|| places(shared.apart as f64 / shared.n as f64, 1)),
            doubted: inspector.doubted_since.is_some(),
            since: inspector.doubted_since,
        }
    }
}

/// Inspectors by device: bags judged with a colleague, each without the other's word, and how far apart they are.
#[utoipa::path(get, path = "/api/v1/inspectors", tag = "inspections",
    responses((status = 200, body = Inspectors)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Inspectors>, Problem> {
    let kept = api.standings.newest().await?;
    let (rule, edition) = (kept.standing.rule(), kept.standing.edition);
    let inspectors = api.ledger.inspectors(rule, edition).await?;
    Ok(Json(Inspectors {
        edition,
        apart_most_bp: rule.inspector_apart_most.get().into(),
        bags_least: rule.shared_bags_least,
        items: inspectors.into_iter().map(Inspector::of).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn inspectors_are_devices_with_what_they_shared_and_since_when_they_are_doubted() {
        let site = Site::filled().await;
        site.disagree(10, 600).await;
        let inspectors = site.json("/api/v1/inspectors").await;
        insta::assert_json_snapshot!(inspectors);
    }

    #[tokio::test]
    async fn without_shared_bags_nobody_is_doubted() {
        let site = Site::filled().await;
        let inspectors = site.json("/api/v1/inspectors").await;
        let only = &inspectors["items"][0];
        assert_eq!(
            (&only["device"], &only["shared_bags"]),
            (&"insp1".into(), &0.into())
        );
        assert!(only["mean_difference_bp"].is_null() && only["doubted"] == false && only["since"].is_null());
    }
}
