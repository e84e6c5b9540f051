//! GET /api/v1/estates/{id}/groups: how buildings and units sort. The form of a public edition may be shown to everybody:
//! what would say something of one household is not in it, also for whoever subtracts one group from another. That of
//! just now is for those who run the programme, since whoever reads it before and after one bag is opened learns of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::EditionRow;
use hemu_ledger::read::EstateGroups;
use hemu_rules::{Day, GroupView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::places;
use crate::api::Api;
use crate::extract::{Id, Params};
use crate::mask;
use crate::problem::Problem;

/// How an estate is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Division {
    Building,
    Unit,
}

/// An estate's buildings or units.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Groups {
    estate: String,
    by: Division,
    /// Evidence is of days before this local day.
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// The edition these are of; null for those of just now.
    edition: Option<u64>,
    /// The estate; null when it has too few rated households, and so has every part of it.
    whole: Option<Figures>,
    /// By name.
    items: Vec<Group>,
}

/// A building, or one of its units.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Group {
    /// Null where the registry names none.
    building: Option<String>,
    unit: Option<String>,
    #[schema(example = "12幢1单元")]
    label: String,
    /// Fewer than 10 rated households here, in what is left of the estate or building without it, or most of the
    /// evidence from one: then nothing more is said.
    too_few: bool,
    figures: Option<Figures>,
}

/// What is said of a group that is large enough.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Figures {
    households: u32,
    /// Those with enough evidence for a score.
    rated: u32,
    /// Mean, 0..=100.
    score: u8,
    /// Ends of its 90 % interval in whole points, 0..=100.
    low: u8,
    high: u8,
    /// By score among the shown groups; 1 is the best, equals share one. Null for the estate.
    rank: Option<u32>,
    /// Rated households shown on the red list of an edition that is public to all, and their share, 0..=1; null where
    /// fewer than 3 are, or fewer than 3 are not, here or in what is left without the shown groups.
    red: Option<u32>,
    red_share: Option<f64>,
    /// The same of the black list.
    black: Option<u32>,
    black_share: Option<f64>,
}

impl Groups {
    fn of(id: &str, (day, edition): (Day, Option<u64>), estate: &EstateGroups, by: Division) -> Self {
        Self {
            estate: id.to_owned(),
            by,
            day,
            edition,
            whole: estate.form.whole.as_ref().map(Figures::of),
            items: groups(estate, by),
        }
    }
}

impl Figures {
    fn of(view: &GroupView) -> Self {
        let (red, black) = (view.red, view.black);
        let share = |count: u32| places(f64::from(count) / f64::from(view.rated), 3);
        let points = |bp: hemu_rules::Bp| u8::try_from((bp.get() + 50) / 100).unwrap_or(100);
        Self {
            households: view.households,
            rated: view.rated,
            score: view.score,
            low: points(view.low),
            high: points(view.high),
            rank: view.rank,
            red,
            red_share: red.map(share),
            black,
            black_share: black.map(share),
        }
    }
}

impl Group {
    fn of((building, unit): (Option<&str>, Option<&str>), view: Option<&GroupView>) -> Self {
        Self {
            building: building.map(str::to_owned),
            unit: unit.map(str::to_owned),
            label: mask::place(building, unit),
            too_few: view.is_none(),
            figures: view.map(Figures::of),
        }
    }

    /// Numbers in their order, then words.
    fn order(&self) -> impl Ord + use<> {
        let of = |name: &Option<String>| name.as_ref().map(|name| (name.chars().count(), name.clone()));
        (of(&self.building), of(&self.unit))
    }
}

fn groups(estate: &EstateGroups, by: Division) -> Vec<Group> {
    let mut groups = Vec::new();
    for (names, building) in estate.names.iter().zip(&estate.form.buildings) {
        let name = names.name.as_deref();
        match by {
            Division::Building => groups.push(Group::of((name, None), building.whole.as_ref())),
            Division::Unit => {
                let units = names.units.iter().zip(&building.units);
                groups.extend(units.map(|(unit, view)| Group::of((name, unit.as_deref()), view.as_ref())));
            }
        }
    }
    groups.sort_by_cached_key(Group::order);
    groups
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    by: Division,
    /// Groups as they were stored with an edition that is public in this moment, instead of those of just now.
    edition: Option<u64>,
}

/// An estate's buildings or units: mean score, interval, rank and, of a public edition, shares on the lists, where no
/// household can be read or computed from one form of them. What two forms differ by is what happened between them.
#[utoipa::path(get, path = "/api/v1/estates/{id}/groups", tag = "estates", params(("id" = String, Path, description = "estate id"), Find),
    responses((status = 200, body = Groups), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Id(id): Id,
    Params(find): Params<Find>,
) -> Result<Json<Groups>, Problem> {
    if !api.ledger.estates().await?.iter().any(|estate| estate.id == id) {
        return Err(Problem::not_found(
            "there is no such estate; /api/v1/estates lists them",
        ));
    }
    let Some(edition) = find.edition else {
        let kept = api.standings.newest().await?;
        let none = EstateGroups::default();
        let estate = kept.groups.iter().find(|groups| groups.estate == id);
        let estate = estate.unwrap_or(&none);
        return Ok(Json(Groups::of(
            &id,
            (kept.standing.edition, None),
            estate,
            find.by,
        )));
    };
    let none = || {
        Problem::not_found("no edition of this number is public just now, or it says nothing of this estate")
    };
    let now = api.clock.now();
    let row = api.ledger.edition_row(edition).await?;
    let row = row.filter(|row| row.is_public(now)).ok_or_else(none)?;
    let groups = of_edition(&api, &row, &id, find.by).await?;
    groups.map(Json).ok_or_else(none)
}

/// The groups of an estate as they were stored with an edition; `None` where it says nothing of the estate.
pub(super) async fn of_edition(
    api: &Api,
    row: &EditionRow,
    id: &str,
    by: Division,
) -> Result<Option<Groups>, Problem> {
    let estate = api.ledger.edition_groups(row.id, id, api.clock.now()).await?;
    Ok(estate.map(|estate| Groups::of(id, (row.day, Some(row.id)), &estate, by)))
}

#[cfg(test)]
mod tests {
    use hemu_ledger::acts::{Act, Actor, Audience, Words};
    use hemu_rules::Rule;

    use crate::testing::{NOON, Site, TODAY, day};

    /// The filled site, and four buildings: the one with two rated households hides that with the fewest others.
    async fn crowded() -> Site {
        let site = Site::filled().await;
        let units = [
            ("7", "1", 14, 9_000),
            ("9", "1", 12, 4_000),
            ("9", "2", 11, 9_500),
            ("10", "1", 12, 9_500),
            ("11", "1", 2, 5_000),
        ];
        site.settle(&units).await;
        site
    }

    #[tokio::test]
    async fn buildings_are_shown_where_they_say_nothing_of_one_household() {
        let site = crowded().await;
        let buildings = site.json("/api/v1/estates/hemu/groups?by=building").await;
        insta::assert_json_snapshot!(buildings);
        let units = site.json("/api/v1/estates/hemu/groups?by=unit").await;
        insta::assert_json_snapshot!(units);
        let few = site.json("/api/v1/estates/east/groups?by=building").await;
        assert!(
            few["whole"].is_null() && few["items"][0]["too_few"] == true,
            "{few}"
        );
    }

    #[tokio::test]
    async fn no_token_and_no_door_is_in_it() {
        let site = crowded().await;
        for by in ["building", "unit"] {
            let (_, text) = site.text(&format!("/api/v1/estates/hemu/groups?by={by}")).await;
            assert!(!text.contains("hh-") && !text.contains("30"), "{text}");
        }
    }

    #[tokio::test]
    async fn an_editions_groups_are_those_it_was_stored_with_and_shown_while_it_is_public() {
        let site = crowded().await;
        let edition = site
            .ledger
            .propose_edition(&Rule::V1, day(TODAY), NOON, "s")
            .await
            .unwrap();
        let path = format!("/api/v1/estates/hemu/groups?by=building&edition={edition}");
        let before = site.json("/api/v1/estates/hemu/groups?by=building").await;
        assert!(before["whole"]["red"].is_null(), "{before}");
        site.refuses(&path, 404, "public just now").await;
        let later = NOON + 24 * 3_600_000;
        let act = async |actor: &str, now, act| {
            let actor: Actor = actor.parse().unwrap();
            site.ledger.act(&actor, now, act).await.unwrap();
        };
        act("system", NOON, Act::Notice { edition, days: 1 }).await;
        act("system", later, Act::Open { edition }).await;
        let publication = Act::ProposePublication {
            edition,
            basis: Words::new("covenant"),
            audience: Audience::Masked,
            expires_at: later + 1_000,
        };
        act("p1", later, publication).await;
        act("p2", later, Act::Publish { edition }).await;
        site.settle(&[("9", "2", 1, 0)]).await;
        let public = site.json(&path).await;
        assert_eq!(
            (&public["edition"], &public["day"]),
            (&edition.into(), &TODAY.into())
        );
        assert_eq!(
            public["whole"]["score"], before["whole"]["score"],
            "what came later is not in it"
        );
        site.pass_ms(later + 1_000 - NOON);
        site.refuses(&path, 404, "public just now").await;
    }

    #[tokio::test]
    async fn unknown_estates_editions_and_divisions_are_a_problem() {
        let site = Site::filled().await;
        site.refuses(
            "/api/v1/estates/nowhere/groups?by=unit",
            404,
            "there is no such estate",
        )
        .await;
        site.refuses("/api/v1/estates/hemu/groups", 400, "missing field `by`")
            .await;
        site.refuses(
            "/api/v1/estates/hemu/groups?by=floor",
            400,
            "expected `building` or `unit`",
        )
        .await;
        site.refuses(
            "/api/v1/estates/hemu/groups?by=unit&edition=99",
            404,
            "public just now",
        )
        .await;
    }
}
