//! Version 1 of the API, one file a resource.

mod accounts;
mod acts;
mod audit;
mod busy_cards;
mod cameras;
mod delays;
pub(crate) mod deposits;
mod devices;
mod editions;
mod estates;
mod groups;
mod home_code;
mod households;
pub(crate) mod incidents;
mod inspections;
mod inspectors;
mod jobs;
mod live;
mod login;
mod logout;
mod me;
mod objections;
pub(crate) mod overview;
mod pools;
mod quarantine;
mod ranking;
mod readings;
pub(crate) mod rules;
pub(crate) mod screen;
mod series;
mod site;
mod stations;
mod tokens;
pub(crate) mod turnout;
pub(crate) mod words;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;

pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(site::get))
        .routes(routes!(home_code::get))
        .routes(routes!(overview::get))
        .routes(routes!(screen::get))
        .routes(routes!(estates::list))
        .routes(routes!(estates::get))
        .routes(routes!(groups::get))
        .routes(routes!(turnout::get))
        .routes(routes!(stations::list))
        .routes(routes!(stations::get))
        .routes(routes!(inspections::get))
        .routes(routes!(inspections::record::post))
        .routes(routes!(inspectors::list))
        .routes(routes!(cameras::list))
        .routes(routes!(devices::list))
        .routes(routes!(devices::get))
        .routes(routes!(delays::list))
        .routes(routes!(households::list))
        .routes(routes!(households::get))
        .routes(routes!(households::live::get))
        .routes(routes!(households::rank::get))
        .routes(routes!(households::next_bag::get))
        .routes(routes!(households::days::get))
        .routes(routes!(households::building::get))
        .routes(routes!(households::reasons::get))
        .routes(routes!(households::deposits::get))
        .routes(routes!(ranking::top))
        .routes(routes!(rules::list))
        .routes(routes!(rules::shadow))
        .routes(routes!(rules::dry_run::post))
        .routes(routes!(deposits::list))
        .routes(routes!(busy_cards::list))
        .routes(routes!(series::get))
        .routes(routes!(quarantine::list))
        .routes(routes!(incidents::list))
        .routes(routes!(live::get))
        .merge(due_process())
        .merge(bank())
        .merge(people())
}

/// Who may log in.
fn people() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(login::post))
        .routes(routes!(login::code::post))
        .routes(routes!(login::first::post))
        .routes(routes!(login::password::post))
        .routes(routes!(logout::post))
        .routes(routes!(logout::everywhere))
        .routes(routes!(me::get))
        .routes(routes!(me::sessions))
        .routes(routes!(me::password))
        .routes(routes!(me::second_factor::begin))
        .routes(routes!(me::second_factor::confirm))
        .routes(routes!(me::second_factor::remove))
        .routes(routes!(accounts::list, accounts::post))
        .routes(routes!(accounts::keep::code))
        .routes(routes!(accounts::keep::disable))
        .routes(routes!(accounts::keep::enable))
        .routes(routes!(accounts::keep::role))
        .routes(routes!(accounts::keep::remove_second_factor))
        .routes(routes!(tokens::list, tokens::post))
        .routes(routes!(tokens::revoke))
        .routes(routes!(households::code::post))
        .routes(routes!(households::people::list))
        .routes(routes!(households::people::delete))
}

/// Minutes and points.
fn bank() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(pools::list))
        .routes(routes!(households::bank::get))
        .routes(routes!(households::bank::award::post))
        .routes(routes!(households::bank::redeem::post))
        .routes(routes!(households::bank::service::post))
        .routes(routes!(households::bank::confirm::post))
        .routes(routes!(households::bank::transfer::post))
        .routes(routes!(households::bank::reverse::post))
}

/// The lists as a due process, and what people do about readings and cards.
fn due_process() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(editions::list, editions::propose::post))
        .routes(routes!(editions::get))
        .routes(routes!(editions::places::list))
        .routes(routes!(editions::public::list))
        .routes(routes!(editions::moved::list))
        .routes(routes!(editions::letters::list))
        .routes(routes!(editions::export::csv))
        .routes(routes!(editions::export::xlsx))
        .routes(routes!(editions::acts::list))
        .routes(routes!(editions::notice::post))
        .routes(routes!(editions::open::post))
        .routes(routes!(editions::propose_black::post))
        .routes(routes!(editions::confirm_black::post))
        .routes(routes!(editions::lift::post))
        .routes(routes!(editions::propose_publication::post))
        .routes(routes!(editions::publish::post))
        .routes(routes!(editions::expire::post))
        .routes(routes!(editions::retract::post))
        .routes(routes!(editions::revise::post))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::cancel))
        .routes(routes!(objections::list, objections::object::post))
        .routes(routes!(objections::get))
        .routes(routes!(objections::decide::post))
        .routes(routes!(readings::strike::post))
        .routes(routes!(readings::restore::post))
        .routes(routes!(readings::clock_checked::post))
        .routes(routes!(households::editions::list))
        .routes(routes!(households::card_lost::post))
        .routes(routes!(households::card_found::post))
        .routes(routes!(households::red_opt_in::post))
        .routes(routes!(households::red_opt_out::post))
        .merge(privacy())
}

/// What the law gives a household, and who did what.
fn privacy() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(audit::list))
        .routes(routes!(households::audit::get))
        .routes(routes!(households::consents::get))
        .routes(routes!(households::export::get))
        .routes(routes!(households::correct::post))
        .routes(routes!(households::erase::post))
}
