//! A village whose lists say something, and what is stored of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hemu_ledger::Ledger;
use hemu_ledger::acts::{Act, Actor, Audience, Words};
use hemu_ledger::segment::Segment;
use hemu_rules::{Day, Rule, Zone};
use prometheus::Registry;

use super::postgres_server;
use super::store::{Store, Value};
use super::{DAY, NOON, Site, TODAY, day, inspected};
use crate::live::Limits;
use crate::{Api, Clock};

/// Everything that acts write, beside the journal.
const TABLES: [&str; 10] = [
    "act",
    "words",
    "struck",
    "clock_checked",
    "lost_card",
    "red_opt_in",
    "edition",
    "place",
    "objection",
    "household",
];

fn person(name: &str) -> Actor {
    name.parse().unwrap()
}

impl Site {
    /// Forty days of two households that an inspector looked at: `hh-poor-0002` sorts badly, `hh-good-0001` well. The
    /// poor one's readings are the journal's first batch, a day each, from 0 on.
    pub(crate) async fn village() -> Self {
        let site = Box::pin(Self::open(Limits::default())).await;
        site.register().await;
        for (nth, (token, quality)) in (0..).zip([("hh-poor-0002", 1_000), ("hh-good-0001", 9_800)]) {
            let first = 40 * nth + 1;
            let mut segment = Segment::of_device("insp1", 1, first);
            for (seq, ago) in (first..).zip((1..=40).rev()) {
                segment.push(seq, &inspected(NOON - ago * DAY, token, quality));
            }
            site.append(&[segment]).await;
        }
        site
    }

    /// The second edition of the village, in which `hh-poor-0002` is black: the first one's notices were given. It is a
    /// draft of today.
    pub(crate) async fn second_edition(&self) -> u64 {
        let week_before = day(TODAY).plus(-7).to_string();
        let first = self
            .does("p1", "/api/v1/editions", serde_json::json!({"day": week_before}))
            .await["id"]
            .as_u64()
            .unwrap();
        let notice = format!("/api/v1/editions/{first}/notice");
        self.does("p1", &notice, serde_json::json!({})).await;
        let second = self
            .does("p1", "/api/v1/editions", serde_json::json!({"day": TODAY}))
            .await;
        second["id"].as_u64().unwrap()
    }

    /// An edition published to everybody, with an objection that was never decided: their numbers.
    pub(crate) async fn published_edition(&self) -> (u64, u64) {
        let ledger = &self.ledger;
        let act = async |who: &str, at: i64, act: Act| ledger.act(&person(who), at, act).await.unwrap();
        let told = NOON - 2 * DAY;
        let edition = ledger
            .propose_edition(&Rule::V1, day(TODAY), NOON, "server-1")
            .await
            .unwrap();
        act("p1", told, Act::Notice { edition, days: 1 }).await;
        let object = Act::Object {
            edition,
            token: "hh-good-0001".into(),
            readings: vec![(1, 0)],
            words: Words::new("not ours"),
        };
        let objection = act("r1", told, object).await;
        act("p1", NOON, Act::Open { edition }).await;
        let publication = Act::ProposePublication {
            edition,
            basis: Words::new("the covenant"),
            audience: Audience::Masked,
            expires_at: NOON + DAY,
        };
        act("p1", NOON, publication).await;
        act("p2", NOON, Act::Publish { edition }).await;
        self.fold().await;
        (edition, objection)
    }

    /// Another server's face on the same folder, with connections of its own.
    pub(crate) async fn another(&self) -> Arc<Api> {
        let folder = postgres_server::folder(self.folder.path()).await;
        let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
        let told = self.clock.clone();
        let clock = Clock::new(move || told.load(Ordering::SeqCst));
        let registry = Registry::new();
        let mut api = Self::beside(&ledger, &self.series, clock, &registry, Limits::default()).await;
        api.holder = "server-2".into();
        Arc::new(api)
    }

    /// Holds up whoever writes, until it is dropped.
    pub(crate) async fn hold_writers(&self) -> Store {
        let mut store = Store::of(&self.ledger).await;
        store.hold_writers().await;
        store
    }

    /// As if another server computed the edition of a day; since when.
    pub(crate) async fn lease(&self, day: Day, holder: &str) -> i64 {
        let taken = "insert into lease (day, holder, until) values ($1, $2, $3)
             on conflict (day) do update set holder = excluded.holder, until = excluded.until";
        let values = [
            Value::Number(day.get().into()),
            Value::Text(holder),
            Value::Number(NOON + 60_000),
        ];
        Store::of(&self.ledger).await.run(taken, &values).await;
        self.ledger.leases(NOON).await.unwrap()[0].since
    }

    /// Every row that acts write, and the journal's head.
    pub(crate) async fn truth(&self) -> Vec<String> {
        let mut store = Store::of(&self.ledger).await;
        let mut rows = vec![format!("head {}", self.ledger.head().await.unwrap())];
        for table in TABLES {
            let found = store.rows(table).await;
            rows.extend(found.into_iter().map(|row| format!("{table} {row}")));
        }
        rows
    }
}
