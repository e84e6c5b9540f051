//! Every route that changes something leaves one line in the trail, and a new one has to be tried here.

use std::collections::BTreeSet;

use hemu_ledger::acts::Words;
use hemu_ledger::bank::Deal;
use hemu_ledger::privacy::{TrailQuery, TrailRow};
use hemu_ledger::segment::Segment;
use hemu_people::{Role, Scope, handset};
use serde_json::{Value, json};

use crate::testing::{DAY, KEY, NOON, Site, TODAY, acting, day, ending, inspected};

const POOR: &str = "hh-poor-0002";
const GOOD: &str = "hh-good-0001";

/// Who may log in: each has its line too, which is asserted where they are tested (`login/tests`).
const PEOPLE: [&str; 5] = ["login", "logout", "me", "accounts", "tokens"];

/// Those that are no act: a dry run changes nothing, nor does ending a computation before it stores anything.
const LEAVE_NOTHING: [&str; 2] = ["/api/v1/rules/dry-run", "/api/v1/jobs/{id}/cancel"];

/// What was tried, on a site.
struct Tried {
    site: Site,
    paths: BTreeSet<&'static str>,
}

impl Tried {
    async fn trail(&self, limit: u32) -> Vec<TrailRow> {
        let find = TrailQuery {
            limit,
            ..TrailQuery::default()
        };
        let sight = self.site.ledger.seen_by(Scope::Everyone);
        sight.trail(&find).await.unwrap()
    }

    async fn lines(&self) -> usize {
        self.trail(10_000).await.len()
    }

    /// Does it; the trail is one line longer, by that account.
    async fn one(&mut self, who: &str, template: &'static str, id: impl ToString, asked: Value) -> Value {
        let path = template.replace("{id}", &id.to_string());
        let before = self.lines().await;
        let answer = self.site.does(who, &path, asked).await;
        self.left_one(who, template, before).await;
        answer
    }

    async fn left_one(&mut self, who: &str, path: &'static str, before: usize) {
        assert_eq!(self.lines().await, before + 1, "{path}");
        let newest = self.trail(1).await.remove(0).act;
        // What the machine computes is the machine's, whoever asked for it.
        assert!(
            [who, "system"].contains(&newest.actor.as_str()),
            "{path}: {newest:?}"
        );
        self.paths.insert(path);
    }

    /// Ends that an account acts for a household.
    async fn revoke(&mut self, who: &str, household: &str, account: &str) {
        let template = "/api/v1/households/{id}/people/{account}";
        let path = template.replace("{id}", household).replace("{account}", account);
        let before = self.lines().await;
        let ended = self.site.send(ending(who, &path)).await;
        assert_eq!(ended.status(), 204);
        self.left_one(who, template, before).await;
    }

    async fn edition(&mut self, day: String) -> u64 {
        let edition = self.one("p1", "/api/v1/editions", "", json!({"day": day})).await;
        edition["id"].as_u64().unwrap()
    }

    async fn through_the_process(&mut self) -> u64 {
        let first = self.edition(day(TODAY).plus(-7).to_string()).await;
        self.one("p1", "/api/v1/editions/{id}/notice", first, json!({}))
            .await;
        let second = self.edition(day(TODAY).to_string()).await;
        self.one("p1", "/api/v1/editions/{id}/notice", second, json!({"days": 7}))
            .await;
        let objection = json!({"edition": second, "household": POOR, "readings": ["1.35"], "words": "that bag was not ours"});
        let objection = self.one("resident", "/api/v1/objections", "", objection).await["id"].clone();
        let decided = json!({"upheld": false, "reason": "seen on the photo"});
        self.one("p1", "/api/v1/objections/{id}/decide", objection, decided)
            .await;
        self.site.pass_ms(7 * DAY);
        self.one("p1", "/api/v1/editions/{id}/open", second, json!({}))
            .await;
        let poor = json!({"household": POOR});
        self.one("p1", "/api/v1/editions/{id}/propose-black", second, poor.clone())
            .await;
        self.one("p2", "/api/v1/editions/{id}/confirm-black", second, poor)
            .await;
        let lift = json!({"household": POOR, "reason": "moved away"});
        self.one("p1", "/api/v1/editions/{id}/lift", second, lift).await;
        let publication =
            json!({"basis": "the covenant", "audience": "masked", "expires_at": NOON + 14 * DAY});
        self.one(
            "p1",
            "/api/v1/editions/{id}/propose-publication",
            second,
            publication,
        )
        .await;
        self.one("p2", "/api/v1/editions/{id}/publish", second, json!({}))
            .await;
        second
    }

    async fn on_readings(&mut self, published: u64) {
        self.one(
            "p1",
            "/api/v1/readings/{id}/strike",
            "1.35",
            json!({"reason": "not theirs"}),
        )
        .await;
        self.one("p1", "/api/v1/readings/{id}/restore", "1.35", json!({}))
            .await;
        let mut ahead = Segment::of_device("insp1", 2, 1);
        ahead.push(1, &inspected(NOON + DAY, GOOD, 9_000));
        self.site.append(&[ahead]).await;
        self.site.fold().await;
        let position = self.site.ledger.head().await.unwrap();
        self.one(
            "p1",
            "/api/v1/readings/{id}/clock-checked",
            format!("{position}.0"),
            json!({}),
        )
        .await;
        self.site.fold().await;
        let revised = self
            .one("p1", "/api/v1/editions/{id}/revise", published, json!({}))
            .await;
        let why = json!({"reason": "not needed"});
        self.one("p1", "/api/v1/editions/{id}/retract", &revised["id"], why)
            .await;
        self.site.pass_ms(7 * DAY);
        self.one("p1", "/api/v1/editions/{id}/expire", published, json!({}))
            .await;
    }

    /// A reading is a device's word, which the journal has as that; the photo that it names is an act of the account, which
    /// is a device here too.
    async fn on_a_graded_bag(&mut self) {
        let mut desk = self.site.desk().await;
        let readings = json!([{"boot": 1, "seq": 1, "at": NOON - DAY, "household": POOR, "stream": "food",
            "weight_g": 900, "quality": 0.5, "photo": "IMG_0042"}]);
        let path = "/api/v1/inspections";
        for more in [0, 1, 0] {
            let before = self.lines().await;
            let asked = acting("p1", path, &json!({"readings": readings}));
            let (response, ()) = tokio::join!(self.site.send(asked), desk.store());
            assert_eq!(response.status(), 200);
            self.site.fold().await;
            // Not before the reading is folded, and not twice.
            assert_eq!(self.lines().await, before + more);
        }
        let newest = self.trail(1).await.remove(0);
        assert_eq!(newest.act.actor, handset("p1", &KEY));
        assert_eq!(newest.after.as_deref(), Some("IMG_0042"));
        self.paths.insert(path);
    }

    async fn on_the_bank(&mut self) {
        let fund = Deal::Fund {
            key: "fund-0001".into(),
            pool: "spring".into(),
            points: 100,
            reason: Words::new("the budget"),
        };
        let by = "keeper".parse().unwrap();
        self.site.ledger.deal(&by, NOON, fund).await.unwrap();
        let points = |key: &str| json!({"key": key, "pool": "spring", "points": 10, "reason": "sorted well"});
        let awarded = self
            .one(
                "p1",
                "/api/v1/households/{id}/bank/award",
                POOR,
                points("award-01"),
            )
            .await;
        let back = json!({"key": "reverse1", "entry": awarded["position"], "reason": "the neighbour's"});
        self.one("p1", "/api/v1/households/{id}/bank/reverse", POOR, back)
            .await;
        self.one(
            "p1",
            "/api/v1/households/{id}/bank/award",
            POOR,
            points("award-02"),
        )
        .await;
        self.one(
            "resident",
            "/api/v1/households/{id}/bank/redeem",
            POOR,
            points("redeem-1"),
        )
        .await;
        let hour = json!({"key": "serve-01", "helped": POOR, "help": "meal", "began": NOON - DAY, "ended": NOON - DAY + 3_600_000});
        let service = self
            .one("p1", "/api/v1/households/{id}/bank/service", GOOD, hour)
            .await;
        let yes = json!({"key": "confirm1", "service": service["position"], "agreed": true});
        self.one("resident", "/api/v1/households/{id}/bank/confirm", POOR, yes)
            .await;
        let price = json!({"key": "transfer", "to": POOR, "minutes": 20, "help": "errand"});
        self.one("p2", "/api/v1/households/{id}/bank/transfer", GOOD, price)
            .await;
    }

    async fn on_households(&mut self) {
        self.one(
            "p1",
            "/api/v1/households/{id}/card-lost",
            GOOD,
            json!({"since": NOON}),
        )
        .await;
        self.one("p1", "/api/v1/households/{id}/card-found", GOOD, json!({}))
            .await;
        self.one("p1", "/api/v1/households/{id}/red-opt-in", GOOD, json!({}))
            .await;
        self.one("p1", "/api/v1/households/{id}/red-opt-out", GOOD, json!({}))
            .await;
        self.one("keeper", "/api/v1/households/{id}/code", GOOD, json!({}))
            .await;
        self.revoke("keeper", POOR, "resident").await;
        self.one(
            "keeper",
            "/api/v1/households/{id}/correct",
            GOOD,
            json!({"door": "909"}),
        )
        .await;
        let why = json!({"reason": "asked for in writing"});
        self.one("keeper", "/api/v1/households/{id}/erase", GOOD, why)
            .await;
    }
}

#[tokio::test]
async fn every_route_that_changes_something_leaves_one_line() {
    let site = Site::village().await;
    site.let_in("keeper", Role::Admin, i64::MAX).await;
    let mut tried = Tried {
        site,
        paths: LEAVE_NOTHING.into(),
    };
    tried.on_the_bank().await;
    let published = tried.through_the_process().await;
    tried.on_readings(published).await;
    tried.on_a_graded_bag().await;
    tried.on_households().await;
    let document: Value = serde_json::from_str(&crate::openapi().to_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let changing = paths.iter().filter(|(_, item)| {
        let methods = item.as_object().unwrap().keys();
        methods
            .into_iter()
            .any(|method| ["post", "put", "patch", "delete"].contains(&method.as_str()))
    });
    let untried: Vec<_> = changing
        .map(|(path, _)| path)
        .filter(|path| !tried.paths.contains(path.as_str()))
        .filter(|path| !PEOPLE.contains(&path.split('/').nth(3).unwrap_or_default()))
        .collect();
    assert!(untried.is_empty(), "try these too: {untried:?}");
}
