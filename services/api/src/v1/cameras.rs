//! GET /api/v1/cameras: how far each lies from the inspectors on the same bags, and whether its word counts.

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

/// Everything that reads bags by itself, by its device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cameras {
    /// Readings and pairs are of days before this local day.
    #[schema(value_type = String, format = Date)]
    edition: Day,
    /// And not of days longer before it than this.
    days: i32,
    /// With fewer pairs than this a camera's quality counts for nobody, and what it read only as participation.
    pairs_least: i64,
    /// What cameras read as one more quality, 0..=1; one for all of them.
    slope: f64,
    items: Vec<Camera>,
}

/// A camera beside the inspectors. Of many bags; whose they were is not said.
#[derive(Debug, Serialize, ToSchema)]
struct Camera {
    device: String,
    /// What it read, and the bags of it that an inspector read too.
    readings: u64,
    pairs: i64,
    /// The day of the last of them.
    #[schema(value_type = Option<String>, format = Date)]
    last_pair: Option<Day>,
    /// What it reads where quality is 0, in basis points; null without pairs.
    intercept_bp: Option<i64>,
    /// What it read less what the inspectors saw, in basis points: as it read, and calibrated.
    raw_difference_bp: Option<f64>,
    calibrated_difference_bp: Option<f64>,
    /// How far single bags lie apart once it is calibrated, root mean square.
    scatter_bp: Option<f64>,
    /// How far its word goes beside an inspector's, 0..=1.
    reliability: f64,
    /// Whether its quality counts.
    counts: bool,
    /// The first edition at which that was so, without a break since; 90 days back at most.
    #[schema(value_type = Option<String>, format = Date)]
    since: Option<Day>,
}

impl Camera {
    #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
    fn of(camera: read::Camera, slope: i64) -> Self {
        let apart = camera.apart(slope);
        Self {
            readings: camera.readings,
            pairs: camera.pairs.n,
            last_pair: camera.last_pair,
            intercept_bp: camera.intercept,
            raw_difference_bp: apart.map(|apart| places(apart.raw, 1)),
            calibrated_difference_bp: apart.map(|apart| places(apart.calibrated, 1)),
            scatter_bp: apart.map(|apart| places(apart.scatter, 1)),
            reliability: camera.reliability as f64 / 1_000.0,
            counts: camera.counts_since.is_some(),
            since: camera.counts_since,
            device: camera.device,
        }
    }
}

/// Cameras by device: bags that an inspector read too, how far both are apart, and since when the camera's word counts.
#[utoipa::path(get, path = "/api/v1/cameras", tag = "devices", responses((status = 200, body = Cameras)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Cameras>, Problem> {
    let kept = api.standings.newest().await?;
    let (rule, edition) = (kept.standing.rule(), kept.standing.edition);
    let read::Cameras { slope, cameras } = api.ledger.cameras(rule, edition).await?;
    #[expect(clippy::cast_precision_loss, reason = "a rule's slope is at most 100000")]
    let gained = slope as f64 / 10_000.0;
    Ok(Json(Cameras {
        edition,
        days: rule.pair_days,
        pairs_least: rule.pairs_least,
        slope: gained,
        items: cameras
            .into_iter()
            .map(|camera| Camera::of(camera, slope))
            .collect(),
    }))
}

#[cfg(test)]
mod tests {
    use hemu_rules::By;

    use crate::testing::Site;

    #[tokio::test]
    async fn a_camera_without_pairs_is_listed_and_does_not_count() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/cameras").await);
    }

    #[tokio::test]
    async fn a_camera_counts_from_the_edition_on_that_has_pairs_enough() {
        let site = Site::filled().await;
        let before = site.json("/api/v1/cameras").await["items"][0]["pairs"]
            .as_i64()
            .unwrap();
        for nth in 0..8 - before {
            let bag = format!("P{nth}");
            site.bag("st01", By::Camera, "hh-good-0001", &bag).await;
            site.bag("insp1", By::Inspector, "hh-good-0001", &bag).await;
        }
        let cameras = site.json("/api/v1/cameras").await;
        let first = &cameras["items"][0];
        assert_eq!((&first["device"], &first["pairs"]), (&"st01".into(), &8.into()));
        assert_eq!(
            (&first["counts"], &first["since"]),
            (&true.into(), &cameras["edition"])
        );
        assert!(!cameras.to_string().contains("hh-"), "{cameras}");
    }
}
