//! Version 1 of the API, one file a resource.

pub(crate) mod deposits;
mod devices;
mod estates;
mod groups;
mod households;
pub(crate) mod incidents;
mod inspections;
mod inspectors;
mod live;
pub(crate) mod overview;
mod quarantine;
mod ranking;
mod rules;
mod series;
mod site;
mod stations;
pub(crate) mod words;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;

pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(site::get))
        .routes(routes!(overview::get))
        .routes(routes!(estates::list))
        .routes(routes!(estates::get))
        .routes(routes!(groups::get))
        .routes(routes!(stations::list))
        .routes(routes!(stations::get))
        .routes(routes!(inspections::get))
        .routes(routes!(inspectors::list))
        .routes(routes!(devices::list))
        .routes(routes!(devices::get))
        .routes(routes!(households::list))
        .routes(routes!(households::get))
        .routes(routes!(households::rank::get))
        .routes(routes!(households::next_bag::get))
        .routes(routes!(households::days::get))
        .routes(routes!(households::reasons::get))
        .routes(routes!(households::deposits::get))
        .routes(routes!(ranking::top))
        .routes(routes!(rules::list))
        .routes(routes!(rules::shadow))
        .routes(routes!(deposits::list))
        .routes(routes!(series::get))
        .routes(routes!(quarantine::list))
        .routes(routes!(incidents::list))
        .routes(routes!(live::get))
}
