//! GET /api/v1/rules, /api/v1/rules/shadow: which rule is in force from when, who answers for it, and what runs beside.

pub(crate) mod dry_run;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Moved, RuleRow, ShadowEditionRow, ShadowRow};
use hemu_rules::{Day, Rule, Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::mask;
use crate::problem::Problem;

/// Editions of a rule in the shadow that are compared.
const EDITIONS: u32 = 12;
/// Households of one edition that are named, masked.
const NAMED: usize = 100;

/// The rule behind the lists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rules {
    /// Version in force today.
    in_force: u16,
    /// Every constant of it.
    #[schema(value_type = Object)]
    rule: Rule,
    /// Those proposed, by the day they are for. The one that the product comes with is not among them.
    versions: Vec<ProposedRule>,
    /// Those that run beside it, or did, and publish nothing.
    shadow: Vec<Shadow>,
}

/// A rule that was proposed.
#[derive(Debug, Serialize, ToSchema)]
struct ProposedRule {
    id: u64,
    version: u16,
    /// The first edition day it is for.
    #[schema(value_type = String, format = Date)]
    from: Day,
    proposed_by: String,
    /// ms since 1970 UTC.
    proposed_at: i64,
    /// Null while a second person has not confirmed it: it is not in force.
    adopted_by: Option<String>,
    adopted_at: Option<i64>,
}

impl ProposedRule {
    fn of(row: RuleRow) -> Self {
        let (adopted_by, adopted_at) = row.adopted.unzip();
        Self {
            id: row.id,
            version: row.rule.version,
            from: row.from,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at,
            adopted_by,
            adopted_at,
        }
    }
}

/// A rule in the shadow.
#[derive(Debug, Serialize, ToSchema)]
struct Shadow {
    id: u64,
    version: u16,
    #[schema(value_type = String, format = Date)]
    from: Day,
    begun_by: String,
    /// Null while it runs.
    ended_by: Option<String>,
}

impl Shadow {
    fn of(row: &ShadowRow) -> Self {
        Self {
            id: row.id,
            version: row.rule.version,
            from: row.from,
            begun_by: row.begun_by.clone(),
            ended_by: row.ended.as_ref().map(|(by, _)| by.clone()),
        }
    }
}

/// The rule in force, those adopted and proposed, and those in the shadow.
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules", responses((status = 200, body = Rules)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Rules>, Problem> {
    let rule = api
        .ledger
        .rule_in_force(api.clock.today(api.ledger.zone()))
        .await?;
    let versions = api.ledger.rules().await?.into_iter().map(ProposedRule::of);
    Ok(Json(Rules {
        in_force: rule.version,
        rule,
        versions: versions.collect(),
        shadow: api.ledger.shadows().await?.iter().map(Shadow::of).collect(),
    }))
}

/// What rules in the shadow would have done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shadows {
    items: Vec<Compared>,
}

/// A rule in the shadow and its newest editions.
#[derive(Debug, Serialize, ToSchema)]
struct Compared {
    #[serde(flatten)]
    shadow: Shadow,
    /// The newest first, at most 12.
    editions: Vec<Difference>,
}

/// A shadow edition against the real one of its day.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// Red, black, grey, unrated of the shadow edition.
    counts: [u64; 4],
    /// Households on another list than in the real edition, or warned otherwise; none while there is no real one.
    moved: usize,
    /// How many from where to where.
    moves: Vec<Move>,
    /// The first hundred of them.
    households: Vec<MovedHousehold>,
}

/// Households that stand otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleMove)]
struct Move {
    /// On a list, or `NONE`.
    #[schema(example = "BLACK")]
    from: &'static str,
    #[schema(example = "GREY")]
    to: &'static str,
    households: usize,
}

impl Move {
    fn counted(ends: impl Iterator<Item = (&'static str, &'static str)>) -> Vec<Self> {
        let mut moves: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for ends in ends {
            *moves.entry(ends).or_default() += 1;
        }
        let counted = moves.into_iter();
        counted
            .map(|((from, to), households)| Self { from, to, households })
            .collect()
    }
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
struct MovedHousehold {
    /// The token, masked.
    #[schema(example = "···4f2a")]
    household: String,
    from: &'static str,
    to: &'static str,
}

/// On no list, and warned of nothing.
const NONE: &str = "NONE";

fn ends(moved: &Moved) -> (&'static str, &'static str) {
    let word = |state: Option<hemu_rules::State>| state.map_or(NONE, |state| Status::as_str(state.status));
    (word(moved.from), word(moved.to))
}

impl Difference {
    fn of(row: &ShadowEditionRow, diff: &[Moved]) -> Self {
        let household = |moved: &Moved| {
            let (from, to) = ends(moved);
            MovedHousehold {
                household: mask::token(&moved.token),
                from,
                to,
            }
        };
        Self {
            day: row.day,
            counts: row.counts,
            moved: diff.len(),
            moves: Move::counted(diff.iter().map(ends)),
            households: diff.iter().take(NAMED).map(household).collect(),
        }
    }
}

/// What every rule that runs in the shadow would have done otherwise.
#[utoipa::path(get, path = "/api/v1/rules/shadow", tag = "rules", responses((status = 200, body = Shadows)))]
pub(crate) async fn shadow(State(api): State<Arc<Api>>) -> Result<Json<Shadows>, Problem> {
    let mut items = Vec::new();
    for row in api.ledger.shadows().await? {
        let mut editions = Vec::new();
        for edition in api.ledger.shadow_editions(row.id, EDITIONS).await? {
            let diff = api.ledger.shadow_diff(edition.id).await?;
            editions.push(Difference::of(&edition, &diff));
        }
        items.push(Compared {
            shadow: Shadow::of(&row),
            editions,
        });
    }
    Ok(Json(Shadows { items }))
}

#[cfg(test)]
mod tests {
    use hemu_ledger::acts::Act;
    use hemu_rules::{Bp, Ppb, Rule};

    use crate::testing::{NOON, Site, TODAY, day};

    #[tokio::test]
    async fn rules_are_listed_with_who_answers_for_them_and_the_shadow_is_compared_masked() {
        let site = Site::filled().await;
        assert_eq!(site.json("/api/v1/rules").await["in_force"], 1);
        let (one, other) = ("p1".parse().unwrap(), "p2".parse().unwrap());
        let second = Rule {
            version: 2,
            tenure_days: 35,
            ..Rule::V1
        };
        // It asks for so little that somebody of this small site is on its red list.
        let generous = Rule {
            version: 3,
            red_days_least: 0,
            red_food_days_least: 0,
            deposit_days_least: 0,
            theta_red: Bp::clamped(6_100),
            p_red_enter: Ppb::clamped(510_000_000),
            p_red_stay: Ppb::clamped(510_000_000),
            ..Rule::V1
        };
        let (rule, from) = (Box::new(second), day(TODAY));
        let propose = Act::ProposeRule { rule, from };
        let proposal = site.ledger.act(&one, NOON, propose).await.unwrap();
        assert_eq!(site.json("/api/v1/rules").await["in_force"], 1);
        let adopt = Act::AdoptRule { proposal };
        site.ledger.act(&other, NOON, adopt).await.unwrap();
        let (rule, from) = (Box::new(generous), day(TODAY));
        let begin = Act::ShadowRule { rule, from };
        site.ledger.act(&one, NOON, begin).await.unwrap();
        let rules = site.json("/api/v1/rules").await;
        assert_eq!(
            (&rules["in_force"], &rules["rule"]["tenure_days"]),
            (&2.into(), &35.into())
        );
        assert_eq!(rules["versions"][0]["adopted_by"], "p2");
        assert_eq!(rules["shadow"][0]["version"], 3);
        let ledger = &site.ledger;
        ledger
            .propose_edition(&second, day(TODAY), NOON, "s")
            .await
            .unwrap();
        ledger.propose_shadow(day(TODAY), NOON, "s").await.unwrap();
        let (_, text) = site.text("/api/v1/rules/shadow").await;
        assert!(!text.contains("hh-"), "{text}");
        let shadows: serde_json::Value = serde_json::from_str(&text).unwrap();
        let edition = &shadows["items"][0]["editions"][0];
        assert_eq!(edition["day"], TODAY);
        assert_eq!(edition["moved"], edition["households"].as_array().unwrap().len());
        assert_eq!(edition["counts"][0], edition["moved"], "{edition}");
        let moves = serde_json::json!([{"from": "NONE", "to": "RED", "households": edition["moved"]}]);
        assert_eq!(edition["moves"], moves);
    }
}
