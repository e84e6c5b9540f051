//! What the ranking costs in a large city, through the whole router: the best hundred, and a household's rank.
//!
//! ```text
//! cargo bench -p hemu-api --bench ranking                           # ten thousand households, in seconds
//! cargo bench -p hemu-api --bench ranking -- --households 1000000
//! ```
//!
//! `--data FOLDER` takes a city that is there already, as the ledger's `edition` bench makes it with `--make FOLDER`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a benchmark whose data cannot be prepared has failed"
)]

#[path = "../../ledger/benches/city/mod.rs"]
mod city;
mod whole;

use std::path::Path;
use std::sync::Arc;

use hemu_api::Api;
use hemu_people::Role;
use tokio::time::Instant;

/// Who asks.
const WHO: &str = "auditor";
/// Requests of each kind.
const ROUNDS: u32 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let told = |name| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let households = told("--households").map_or(10_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match told("--data") {
        Some(folder) => runtime.block_on(run(Path::new(folder), households)),
        None => runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            city::make(folder.path(), households, 90).await;
            run(folder.path(), households).await;
        }),
    }
}

async fn run(folder: &Path, households: u32) {
    let api = Arc::new(whole::api(folder).await);
    whole::let_in(&api.ledger, WHO, Role::Auditor).await;
    // A large city's first standing takes longer than a request may; it goes on without the request.
    let began = Instant::now();
    while whole::asked(&api, WHO, "/api/v1/ranking?limit=1").await.is_none() {}
    let first = began.elapsed();
    println!("ranking/{households}: the first answer, with the standing behind it, {first:.1?}");
    let estate = |round: u32| format!("E{:05}", round % households.div_ceil(80));
    measure(&api, "top 100", households, |_| {
        "/api/v1/ranking?limit=100".to_owned()
    })
    .await;
    measure(&api, "top 100 of an estate", households, |round| {
        format!("/api/v1/ranking?limit=100&estate={}", estate(round))
    })
    .await;
    let token = |round: u32| city::token(round.wrapping_mul(2_654_435_761) % households);
    measure(&api, "a rank", households, |round| {
        format!("/api/v1/households/{}/rank", token(round))
    })
    .await;
    measure(&api, "a household with evidence and rank", households, |round| {
        format!("/api/v1/households/{}", token(round))
    })
    .await;
}

async fn measure(api: &Arc<Api>, what: &str, households: u32, path: impl Fn(u32) -> String) {
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        took.push(whole::asked(api, WHO, &path(round)).await.unwrap());
    }
    took.sort_unstable();
    let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("ranking/{households}: {what}: median {median:.0?}, 99 of 100 within {late:.0?}");
}
