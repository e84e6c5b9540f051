//! `kill -9` at every step of the first start that seals what an earlier build kept in the clear: everything is as it was
//! before, or sealed as it read, and in the end nothing is left in the clear in any file.
//!
//! The process that is killed is this test again. Every value that is sealed draws a nonce, and a key where there is none:
//! there it kills itself, before what it drew for is written; and where the sealing says that it is done, which is after
//! the commit and before the write-ahead log is emptied.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use hemu_ledger::acts::Sha;
use hemu_ledger::people::SecondFactor;
use hemu_ledger::{Dice, Folder, Ledger};
use hemu_people::TotpSecret;
use hemu_rules::Zone;
use rustix::process::{Signal, getpid, kill_process};
use sqlx::{AssertSqlSafe, Connection, Row};
use tracing_subscriber::layer::SubscriberExt;

use crate::fixtures::fixtures;
use crate::migrations::{connect, texts};

const NAME: &str =
    "sealing::a_kill_at_any_step_of_the_sealing_leaves_all_of_it_as_it_was_or_all_of_it_sealed";
const ORDER: &str = "HEMU_TEST_SEAL";
/// Instead of a number of draws: once it is done.
const DONE: &str = "done";

const DOOR: &str = "DOOR-4711-Q";
const WORDS: &str = "that bag was not ours at all";
const SECRET: &str = "SECRET-OF-A-PHONE-20";

/// What is in the clear, in the tables of the earlier build.
const BEFORE: &str = "select 'home ' || token || quote(door) || quote(residents) from household
        where door is not null or residents is not null
    union all select 'words ' || quote(hash) || quote(text) || written_at from words
    union all select 'factor ' || name || quote(totp) from account where totp is not null order by 1";
/// The same where the migrations set it aside.
const ASIDE: &str = "select 'home ' || token || quote(door) || quote(residents) from unsealed_household
    union all select 'words ' || quote(hash) || quote(text) || written_at from unsealed_words
    union all select 'factor ' || name || quote(unsealed_totp) from account where unsealed_totp is not null order by 1";
/// Whatever is sealed, and the keys.
const SEALED: &str = "select 'home ' || token from household where sealed is not null
    union all select 'words ' || quote(hash) || token from words
    union all select 'factor ' || name from account where totp is not null
    union all select 'key ' || token from household_key";

fn kill() {
    kill_process(getpid(), Signal::KILL).unwrap();
}

/// Kills its process at an event of the module that seals.
struct Deadly;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Deadly {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target().ends_with("privacy::unsealed") {
            kill();
        }
    }
}

/// The child: opens the folder until it dies.
async fn die(order: &str) {
    let (folder, at) = order.split_once('|').unwrap();
    let fatal: Option<usize> = at.parse().ok();
    if at == DONE {
        let deadly = tracing_subscriber::registry().with(Deadly);
        tracing::subscriber::set_global_default(deadly).unwrap();
    }
    let drawn = AtomicUsize::new(0);
    let dice = Dice::new(move |bytes| {
        if Some(drawn.fetch_add(1, Ordering::SeqCst)) == fatal {
            kill();
        }
        std::fs::File::open("/dev/urandom")?.read_exact(bytes)
    });
    let folder = Folder::open(Path::new(folder)).unwrap().with_dice(dice);
    let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
    ledger.close().await;
}

/// A folder as an earlier build left it, with what can be searched for in its bytes.
async fn begin(folder: &Path) {
    let fixtures = fixtures();
    let earlier = fixtures.iter().rev().find(|fixture| fixture.versions[0] == 9);
    earlier.unwrap().unpack(folder);
    let mut connection = connect(&folder.join("hemu.db")).await;
    let hash = Sha::of(WORDS.as_bytes());
    let sql = format!(
        "update household set door = '{DOOR}' where token = 'H01';
         insert into words (hash, text, written_at) values ('{}', '{WORDS}', 5);
         update account set totp = cast('{SECRET}' as blob) where name = 'keeper'",
        hash.as_str()
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

async fn read(folder: &Path, sql: &str) -> Vec<String> {
    let mut connection = connect(&folder.join("hemu.db")).await;
    let read = texts(&mut connection, sql).await;
    connection.close().await.unwrap();
    read
}

/// Every household's door and residents, by the earlier build's tables.
async fn homes(folder: &Path) -> Vec<(String, Option<String>, Option<i64>)> {
    let mut connection = connect(&folder.join("hemu.db")).await;
    let rows = sqlx::query("select token, door, residents from household")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// Opens it as anybody would after a kill: everything reads as it was written, and nothing lies open in any file.
async fn opens(data: &Path, homes: &[(String, Option<String>, Option<i64>)], what: &str) {
    let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    for (token, door, residents) in homes {
        let home = ledger.household(token).await.unwrap().unwrap();
        assert_eq!(
            (&home.door, &home.residents),
            (door, residents),
            "{what}: {token}"
        );
    }
    let words = ledger.words(&Sha::of(WORDS.as_bytes()), None).await.unwrap();
    assert_eq!(words.as_deref(), Some(WORDS), "{what}");
    let keys = ledger.keys("keeper").await.unwrap().unwrap();
    let secret = TotpSecret::kept(SECRET.as_bytes()).unwrap();
    assert!(keys.second == SecondFactor::Totp(secret, None), "{what}");
    ledger.verify_chain(|_| ()).await.unwrap();
    // While it is open: whoever closes the file last empties the write-ahead log in any case.
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for needle in [DOOR, WORDS, SECRET] {
            let found = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            assert!(!found, "{what}: {needle} lies open in {}", path.display());
        }
    }
    ledger.close().await;
    assert_eq!(read(data, ASIDE).await, Vec::<String>::new(), "{what}");
}

#[tokio::test]
async fn a_kill_at_any_step_of_the_sealing_leaves_all_of_it_as_it_was_or_all_of_it_sealed() {
    if let Ok(order) = std::env::var(ORDER) {
        return die(&order).await;
    }
    let folder = tempfile::tempdir().unwrap();
    begin(folder.path()).await;
    let (clear, homes) = (read(folder.path(), BEFORE).await, homes(folder.path()).await);
    assert!(clear.len() > 12, "{clear:?}");
    let mut kills = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        begin(data).await;
        let ends = |at: &str| {
            let test = std::env::current_exe().unwrap();
            let order = format!("{}|{at}", data.display());
            let mut child = Command::new(test);
            child.args([NAME, "--exact"]).env(ORDER, order);
            child.stdout(Stdio::null()).status().unwrap()
        };
        let ended = ends(&kills.to_string());
        if ended.success() {
            // There are no more draws.
            break;
        }
        assert_eq!(
            ended.signal(),
            Some(9),
            "it was to be killed, and ended with {ended}"
        );
        let what = format!("killed at draw {kills}");
        assert_eq!(read(data, ASIDE).await, clear, "{what}");
        assert_eq!(read(data, SEALED).await, Vec::<String>::new(), "{what}");
        // And once more, when it is done.
        let ended = ends(DONE);
        assert_eq!(
            ended.signal(),
            Some(9),
            "{what}: it was to be killed, and ended with {ended}"
        );
        opens(data, &homes, &what).await;
        kills += 1;
    }
    println!("{kills} kills in the middle, and as many at the end");
    // A key and a nonce for each household, and a nonce for each value at the least.
    assert!(kills > 2 * homes.len(), "{kills} kills are not every step");
}
