//! Many counters give away the same minutes while the server is killed; afterwards the books are read from the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use firmware_sim::draw::Dice;
use firmware_sim::load::Crowd;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::books::{Asked, judge};
use crate::child::Server;
use crate::plan::Plan;
use crate::report::Report;
use crate::scene::{Scene, drawn, until};
use crate::store::Store;
use crate::teller::Teller;
use crate::times::Times;

const CLIENTS: u64 = 64;
/// So few that their minutes run out again and again.
const HOUSEHOLDS: usize = 16;
const HOUR_MS: i64 = 3_600_000;
/// Nothing is answered for so long only if nothing will be any more.
const STANDS_STILL: Duration = Duration::from_mins(2);

/// What one counter saw.
#[derive(Debug, Default)]
struct Seen {
    asked: Vec<Asked>,
    misses: Vec<String>,
    times: Times,
    repeats: u64,
    again: u64,
}

pub(super) async fn double_spend(plan: &Plan) -> Result<Report> {
    let transfers = plan.records.unwrap_or(plan.sized(3_000, 640_000));
    let kills = plan.kills.unwrap_or(plan.sized(10, 100));
    let mut scene = Scene::set(plan, 1, 0).await?;
    let tokens = Arc::new(tokens(&scene)?);
    let [recorder, counter] = [officer(&scene, "o1")?, officer(&scene, "o2")?];
    let mut server = scene.home.serve()?;
    let (says, address) = watch::channel(host(&server)?);
    let known = seed(plan, &tokens, [&recorder, &counter], &address).await?;
    let mut report = Report {
        goal: format!(
            "{transfers} transfers by {CLIENTS} clients over {kills} kills: debits are credits, nobody below zero, no key \
             twice, every acknowledged one there as it was acknowledged"
        ),
        n: transfers,
        rss_start_kib: server.rss_kib(),
        ..Report::default()
    };
    let answered = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let teller = Teller::new(counter.clone(), address.clone());
        let share = transfers * (client + 1) / CLIENTS - transfers * client / CLIENTS;
        let dice = Dice::new(drawn(plan.seed, 7), "counter", client);
        clients.spawn(give(
            teller,
            client,
            share,
            tokens.clone(),
            dice,
            answered.clone(),
        ));
    }
    let mut dice = Dice::new(drawn(plan.seed, 8), "kills", 0);
    plan.bar.set_length(kills);
    for number in 1..=kills {
        let due = transfers * number / (kills + 1);
        until(STANDS_STILL, || answered.load(Ordering::Relaxed) >= due).await;
        ensure!(
            answered.load(Ordering::Relaxed) >= due,
            "before kill {number} nothing was answered"
        );
        tokio::time::sleep(Duration::from_millis(u64::from(dice.below(60)))).await;
        if let Some(database) = scene.postgres.as_mut().filter(|_| number % 3 == 0) {
            database.kill()?;
            database.go_on()?;
            *report.faults.entry("database_kills".to_owned()).or_default() += 1;
        } else {
            server.kill()?;
            server = scene.home.serve()?;
            says.send_replace(host(&server)?);
            *report.faults.entry("server_kills".to_owned()).or_default() += 1;
        }
        plan.bar.inc(1);
    }
    let seen = clients.join_all().await;
    report.rss_end_kib = server.rss_kib();
    server.end()?;
    conclude(&scene, report, known, seen).await
}

/// Ends with the oracle's word.
async fn conclude(scene: &Scene, mut report: Report, known: usize, seen: Vec<Seen>) -> Result<Report> {
    let (mut asked, mut repeats, mut again, mut times) = (Vec::new(), 0, 0, Times::default());
    for client in seen {
        asked.extend(client.asked);
        report.misses.extend(client.misses.into_iter().take(3));
        repeats += client.repeats;
        again += client.again;
        times.add(&client.times);
    }
    let verify = scene.home.command(&["verify"]);
    report.require(verify.is_ok(), || format!("{:?}", verify.err()));
    let mut store = Store::open(&scene.home).await?;
    let books = store.books().await?;
    let integrity = store.integrity().await?;
    store.close().await?;
    report.require(integrity == "ok", || integrity);
    let found = judge(&books, known, &asked);
    report.misses.extend(found.red());
    let granted = asked.iter().filter(|request| request.position.is_some()).count() as u64;
    (report.acked, report.lost, report.doubled) = (granted, found.lost, found.doubled);
    (report.p50_ms, report.p99_ms) = (times.quantile_ms(50), times.quantile_ms(99));
    let figures = [
        ("refused_not_enough", asked.len() as u64 - granted),
        ("repeats_by_intent", repeats),
        ("asked_again_after_a_fault", again),
        ("negative", found.negative),
        ("unbalanced", found.unbalanced),
        ("keys", books.keys.len() as u64),
    ];
    report.figures = figures
        .into_iter()
        .map(|(name, figure)| (name.to_owned(), figure as f64))
        .collect();
    Ok(report)
}

fn host(server: &Server) -> Result<String> {
    let host = server.http.strip_prefix("http://").context("no address")?;
    Ok(host.to_owned())
}

fn tokens(scene: &Scene) -> Result<Vec<String>> {
    let Crowd::Named(all) = &*scene.crowd else {
        anyhow::bail!("this scene's households have no names")
    };
    Ok(all.iter().take(HOUSEHOLDS).map(ToString::to_string).collect())
}

/// An officer's program; its token.
fn officer(scene: &Scene, name: &str) -> Result<String> {
    let home = &scene.home;
    home.command(&["user", "add", name, "--role", "grid_officer", "--code"])?;
    let scopes = [
        "token",
        "add",
        name,
        "--scopes",
        "keep_balances,spend",
        "--label",
        "torture",
    ];
    let told: Value = serde_json::from_str(&home.command(&scopes)?)?;
    told["token"].as_str().map(str::to_owned).context("no token")
}

/// Everybody helped the next one for eight hours, who confirms it; how many entries that makes.
async fn seed(
    plan: &Plan,
    tokens: &[String],
    [recorder, counter]: [&String; 2],
    address: &watch::Receiver<String>,
) -> Result<usize> {
    let mut records = Teller::new(recorder.clone(), address.clone());
    let mut confirms = Teller::new(counter.clone(), address.clone());
    for (number, token) in tokens.iter().enumerate() {
        let helped = &tokens[(number + 1) % tokens.len()];
        let began = plan.now - 9 * HOUR_MS;
        let service = json!({"key": format!("seed-serve-{number:04}"), "helped": helped, "help": "company",
            "began": began, "ended": began + 8 * HOUR_MS});
        let (status, told) = records
            .ask(&format!("/api/v1/households/{token}/bank/service"), &service)
            .await;
        ensure!(status == 200, "a service was refused: {told}");
        let yes =
            json!({"key": format!("seed-agree-{number:04}"), "service": told["position"], "agreed": true});
        let (status, told) = confirms
            .ask(&format!("/api/v1/households/{helped}/bank/confirm"), &yes)
            .await;
        ensure!(status == 200, "a confirmation was refused: {told}");
    }
    Ok(tokens.len())
}

/// One counter: gives minutes of anybody to anybody, under a key each, and asks again whenever it is not told.
async fn give(
    mut teller: Teller,
    client: u64,
    share: u64,
    tokens: Arc<Vec<String>>,
    mut dice: Dice,
    answered: Arc<AtomicU64>,
) -> Seen {
    let mut seen = Seen::default();
    let households = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    for number in 0..share {
        let from = dice.below(households) as usize;
        let to = (from + 1 + dice.below(households - 1) as usize) % tokens.len();
        let request = Asked {
            key: format!("counter-{client:03}-{number:07}"),
            from: tokens[from].clone(),
            to: tokens[to].clone(),
            minutes: i64::from(dice.below(240)) + 1,
            position: None,
        };
        let began = Instant::now();
        let first = ask(&mut teller, &request, request.minutes).await;
        seen.times.record(began.elapsed());
        answered.fetch_add(1, Ordering::Relaxed);
        let done = first.0 == 200;
        let right = done || (first.0 == 409 && first.1["rule"] == "not_enough");
        if !right {
            seen.misses.push(format!("{request:?} was answered {first:?}"));
        }
        if done && dice.chance(0.1) {
            seen.repeats += 1;
            let same = ask(&mut teller, &request, request.minutes).await;
            let other = ask(&mut teller, &request, request.minutes + 1).await;
            if same != first || other.1["rule"] != "key_taken" {
                seen.misses
                    .push(format!("{request:?} again was answered {same:?} and {other:?}"));
            }
        }
        let position = first.1["position"].as_i64().filter(|_| done);
        seen.asked.push(Asked { position, ..request });
    }
    seen.again = teller.again;
    seen
}

async fn ask(teller: &mut Teller, request: &Asked, minutes: i64) -> (u16, Value) {
    let path = format!("/api/v1/households/{}/bank/transfer", request.from);
    let body = json!({"key": request.key, "to": request.to, "minutes": minutes, "help": "errand"});
    teller.ask(&path, &body).await
}
