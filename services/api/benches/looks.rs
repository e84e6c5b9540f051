//! What it costs to note who looked: staff open pages of households, through the whole router, and each look is one row that
//! is on the disk before the page is answered.
//!
//! ```text
//! cargo bench -p hemu-api --bench looks                       # ten thousand households, in seconds
//! cargo bench -p hemu-api --bench looks -- --households 1000000
//! ```
//!
//! The page is the cheapest there is (`consents`), so that the look is what is measured; beside it the same page as its own
//! household reads it, which is noted nowhere.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a benchmark whose data cannot be prepared has failed"
)]

#[path = "../../ledger/benches/city/mod.rs"]
mod city;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use hemu_api::Api;
use hemu_ledger::acts::Actor;
use hemu_ledger::people::{NewCode, Purpose};
use hemu_people::Role;
use tokio::time::Instant;

/// Pages that one of those who look opens.
const ROUNDS: u32 = 500;
/// How many look at once.
const AT_ONCE: [u32; 3] = [1, 8, 64];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == "--households");
    let households = at.map_or(10_000, |at| arguments[at + 1].parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        city::make(folder.path(), households, 1).await;
        let api = Arc::new(whole::api(folder.path()).await);
        whole::let_in(&api.ledger, "auditor", Role::Auditor).await;
        resident(&api).await;
        for at_once in AT_ONCE {
            measure(&api, "auditor", households, at_once).await;
        }
        measure(&api, "resident", 1, 1).await;
    });
}

/// An account of the first household's.
async fn resident(api: &Api) {
    let (by, name): (Actor, Actor) = (Actor::operator(), "resident".parse().unwrap());
    let digest = [1; 32];
    let token = city::token(0);
    let code = NewCode {
        digest,
        purpose: Purpose::Resident,
        account: None,
        token: Some(&token),
    };
    let now = api.clock.now();
    api.ledger.make_codes(&by, now, i64::MAX, &[code]).await.unwrap();
    api.ledger
        .enter(&digest, now, &name, None)
        .await
        .unwrap()
        .unwrap();
    whole::token(&api.ledger, "resident", Role::Resident).await;
}

async fn measure(api: &Arc<Api>, who: &'static str, households: u32, at_once: u32) {
    let began = Instant::now();
    let readers = (0..at_once).map(|reader| {
        let api = api.clone();
        tokio::spawn(async move {
            let mut took = Vec::new();
            for round in 0..ROUNDS {
                let household = (reader * ROUNDS + round).wrapping_mul(2_654_435_761) % households;
                let path = format!("/api/v1/households/{}/consents", city::token(household));
                took.push(whole::asked(&api, who, &path).await.unwrap());
            }
            took
        })
    });
    let mut took: Vec<Duration> = Vec::new();
    for reader in join_all(readers).await {
        took.extend(reader.unwrap());
    }
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "looks/{households}: {who}, {at_once} at once: {rate:.0} pages a second, median {median:.0?}, 99 of 100 within {late:.0?}"
    );
}
