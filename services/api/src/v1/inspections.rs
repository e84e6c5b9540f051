//! GET /api/v1/stations/{id}/inspections

pub(super) mod record;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::Seen;
use hemu_rules::{Day, Look};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::LookWord;
use crate::api::Api;
use crate::extract::{Id, Sees};
use crate::inspections::Why;
use crate::mask;
use crate::problem::Problem;

/// Which households' next bags are to be opened at a station today.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Inspections {
    station: String,
    /// The local day.
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// Households of the station, those whose next bag passes left out.
    households: usize,
    /// By place.
    items: Vec<Inspection>,
}

/// A bag to open.
#[derive(Debug, Serialize, ToSchema)]
struct Inspection {
    /// The household's token, masked.
    #[schema(example = "···4f2a")]
    household: String,
    #[schema(example = "12幢1单元 30*")]
    label: String,
    /// How many bags it brought today before this one.
    ordinal: u32,
    look: LookWord,
    why: Why,
}

/// The next bags to open at a station. Ask before looking at any camera's value of a bag: chosen by what a camera said,
/// it would bias what cameras are measured by. The same all day for the same bag; a bag that a camera has read is not in
/// it any more, and one that two inspectors are to judge stays until both have, without the word of the first.
#[utoipa::path(get, path = "/api/v1/stations/{id}/inspections", tag = "inspections", params(("id" = String, Path, description = "station id")),
    responses((status = 200, body = Inspections), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Sees(sight): Sees,
    Id(id): Id,
) -> Result<Json<Inspections>, Problem> {
    let stations = api.ledger.stations(None).await?;
    if !stations.iter().any(|station| station.id == id) {
        return Err(Problem::not_found(
            "there is no such station; /api/v1/stations lists them",
        ));
    }
    let rule = *api.standings.newest().await?.standing.rule();
    let day = api.clock.today(api.ledger.zone());
    api.inspections.caught_up(&api.ledger).await?;
    let follow_ups = api.inspections.follow_ups(&api.ledger, &rule, day).await?;
    let households = sight.households_at(&id).await?;
    let seen = sight.bags_seen(day, &households).await?;
    let mut items = Vec::new();
    for household in households.iter().map(Seen::row) {
        let seen = seen.get(&household.token).copied().unwrap_or_default();
        let draw = api.inspections.draw(&follow_ups, &household.token, seen);
        if let Some(why) = draw.why.filter(|_| draw.look != Look::Pass) {
            items.push(Inspection {
                household: mask::token(&household.token),
                label: mask::label(household),
                ordinal: draw.ordinal,
                look: draw.look.into(),
                why,
            });
        }
    }
    items.sort_by(|a, b| (&a.label, &a.household).cmp(&(&b.label, &b.household)));
    Ok(Json(Inspections {
        station: id,
        day,
        households: households.len(),
        items,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hemu_rules::{By, Look, NextBag, Plan};
    use serde_json::Value;

    use crate::testing::{KEY, Site, TODAY, day};

    const PATH: &str = "/api/v1/stations/s1/inspections";

    fn token(nth: usize) -> String {
        format!("hh-crowd-{nth:04}")
    }

    /// What the plan says, told apart from how the server comes to it.
    fn look(household: &str, ordinal: u32, followed_up: bool) -> Look {
        let day = day(TODAY);
        Plan::V1.look(
            &KEY,
            &NextBag {
                household,
                day,
                ordinal,
                followed_up,
            },
        )
    }

    /// Ordinal, look and reason by masked token.
    async fn listed(site: &Site) -> BTreeMap<String, (u64, String, String)> {
        let list = site.json(PATH).await;
        let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| {
                let ordinal = item["ordinal"].as_u64().unwrap();
                (
                    text(item, "household"),
                    (ordinal, text(item, "look"), text(item, "why")),
                )
            })
            .collect()
    }

    /// The first household whose bag of an ordinal is to be dealt with so.
    fn first(count: usize, ordinal: u32, wanted: Look) -> String {
        let mut tokens = (0..count).map(token);
        tokens
            .find(|token| look(token, ordinal, false) == wanted)
            .unwrap()
    }

    #[tokio::test]
    async fn a_stations_list_is_the_plans_share_of_its_households_and_stays_all_day() {
        let site = Site::filled().await;
        site.crowd("s1", 600).await;
        let expected: Vec<String> = (0..600)
            .map(token)
            .filter(|token| look(token, 0, false) != Look::Pass)
            .collect();
        assert!((10..=28).contains(&expected.len()), "{}", expected.len());
        let morning = listed(&site).await;
        let masked: Vec<&str> = expected.iter().map(|token| &token[token.len() - 4..]).collect();
        assert_eq!(morning.len(), expected.len());
        assert!(
            masked
                .iter()
                .all(|end| morning.contains_key(&format!("···{end}")))
        );
        assert!(
            morning
                .values()
                .all(|(ordinal, _, why)| *ordinal == 0 && why == "random")
        );
        site.inspect("hh-good-0001", 0).await;
        site.pass_ms(11 * 3_600_000);
        assert_eq!(listed(&site).await, morning);
        let (_, text) = site.text(PATH).await;
        assert!(!text.contains("hh-"), "tokens are masked");
        site.pass_ms(2 * 3_600_000);
        assert_ne!(listed(&site).await, morning, "another day, other bags");
        assert_eq!(
            site.json("/api/v1/stations/s2/inspections").await["households"],
            0
        );
        site.refuses("/api/v1/stations/s9/inspections", 404, "there is no such station")
            .await;
    }

    #[tokio::test]
    async fn who_may_be_bad_and_was_hardly_looked_at_is_followed_up() {
        let site = Site::filled().await;
        site.crowd("s1", 60).await;
        for nth in 0..60 {
            site.looked_at(&token(nth), if nth < 30 { 2 } else { 3 }, 1_000)
                .await;
        }
        let list = listed(&site).await;
        for nth in 0..60 {
            let token = token(nth);
            let found = list.get(&format!("···{}", &token[token.len() - 4..]));
            assert_eq!(
                found.is_some(),
                look(&token, 0, nth < 30) != Look::Pass,
                "{token}"
            );
            let by_chance = look(&token, 0, false) != Look::Pass;
            assert!(
                found.is_none_or(|(_, _, why)| (why == "random") == by_chance),
                "{token}"
            );
        }
        assert!(list.values().any(|(_, _, why)| why == "follow_up"));
    }

    #[tokio::test]
    async fn a_bag_that_a_camera_has_read_is_not_offered() {
        let site = Site::filled().await;
        site.crowd("s1", 600).await;
        let token = first(600, 0, Look::Open);
        let path = format!("/api/v1/households/{token}/next-bag");
        let next = site.json(&path).await;
        assert_eq!((&next["ordinal"], &next["look"]), (&0.into(), &"open".into()));
        site.bag("st01", By::Camera, &token, "B1").await;
        let next = site.json(&path).await;
        assert_eq!(next["ordinal"], 1);
        assert_eq!(next["look"] == "pass", look(&token, 1, false) == Look::Pass);
        // The inspector's reading of the same bag is no bag of its own.
        site.bag("insp1", By::Inspector, &token, "B1").await;
        assert_eq!(site.json(&path).await["ordinal"], 1);
        site.append_unfolded().await;
        site.refuses(&path, 503, "not folded yet").await;
        site.refuses(PATH, 503, "not folded yet").await;
    }

    #[tokio::test]
    async fn a_bag_for_two_is_offered_until_both_have_judged_it_and_never_says_how() {
        let site = Site::filled().await;
        site.crowd("s1", 3_000).await;
        let token = first(3_000, 0, Look::OpenTwice);
        let path = format!("/api/v1/households/{token}/next-bag");
        let before = site.json(&path).await;
        assert_eq!(
            (&before["ordinal"], &before["look"]),
            (&0.into(), &"open_twice".into())
        );
        site.bag("insp1", By::Inspector, &token, "B1").await;
        assert_eq!(site.json(&path).await, before, "nothing of the first one's word");
        site.bag("insp2", By::Inspector, &token, "B1").await;
        assert_eq!(site.json(&path).await["ordinal"], 1);
        let other = (0..3_000)
            .map(self::token)
            .filter(|t| look(t, 0, false) == Look::OpenTwice)
            .nth(1)
            .unwrap();
        site.bag("insp1", By::Inspector, &other, "B2").await;
        site.bag("st01", By::Camera, &other, "B2").await;
        let path = format!("/api/v1/households/{other}/next-bag");
        assert_eq!(site.json(&path).await["ordinal"], 1, "a camera has read it");
    }

    #[tokio::test]
    async fn a_sites_secret_is_drawn_once_and_never_shown() {
        let site = Site::filled().await;
        let kept = site.ledger.site_key([9; 32]).await.unwrap();
        assert_eq!(kept.bytes(), &KEY);
        assert_eq!(format!("{kept:?}"), "SiteKey");
        assert_eq!(site.ledger.meta("site_key").await.unwrap(), None);
    }
}
