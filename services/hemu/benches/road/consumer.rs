//! What a site without the embedded endpoint would run: rumqttc with manual acknowledgements on a broker, committing
//! through the same committer into the same ledger, with the same projector and feeder behind it. Or nothing behind it:
//! then each message is acknowledged at once and forgotten, which is the least that this side can cost.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hemu_ingest::commit::Signals;
use hemu_ingest::{Committer, Intake, Metrics, Submission, accept, feed, fold};
use hemu_ledger::{Folder, Ledger};
use hemu_rules::Zone;
use hemu_series::Series;
use prometheus::Registry;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Publishes that may wait for their commit; the largest an MQTT 5 client can ask for.
const IN_FLIGHT: u16 = 65_535;

/// Runs until killed; one line `stored N` a tenth of a second on stdout.
pub(crate) fn run(port: &str, data: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Behind::Store(store(data).await);
        consume(port.parse().unwrap(), store).await;
    });
}

/// The same with nothing behind it; `stored` counts what was acknowledged.
pub(crate) fn run_alone(port: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let count = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&count);
        tokio::spawn(report(move || shown.load(Ordering::Relaxed)));
        consume(port.parse().unwrap(), Behind::Nothing(count)).await;
    });
}

/// What stands behind the client.
enum Behind {
    Store(Intake),
    Nothing(Arc<AtomicU64>),
}

/// The committer, projector and feeder of a server.
async fn store(data: &Path) -> Intake {
    let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let series = Series::open(&data.join("series.db"), Zone::SHANGHAI)
        .await
        .unwrap();
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let (checkpoints, seen) = watch::channel(0);
    let clock: hemu_ingest::Clock = Arc::new(|| 1_800_000_000_000);
    let (committer, intake, Signals { committed, .. }) =
        Committer::new(&ledger, Arc::clone(&clock), metrics.clone(), seen)
            .await
            .unwrap();
    let projector = ledger.projector().await.unwrap();
    let stop = CancellationToken::new();
    let (applied, applied_seen) = watch::channel(0);
    tokio::spawn(committer.run(stop.clone()));
    let watches = fold::Watches {
        committed,
        applied,
        metrics: metrics.clone(),
        shutdown: stop.clone(),
    };
    tokio::spawn(fold::keep(ledger.clone(), Some(projector), watches));
    tokio::spawn(feed::run(
        ledger.clone(),
        series,
        applied_seen,
        clock,
        metrics.clone(),
        stop.clone(),
    ));
    tokio::spawn(checkpoint(ledger, checkpoints));
    tokio::spawn(report(move || metrics.records.get()));
    intake
}

async fn consume(port: u16, behind: Behind) {
    let mut options = MqttOptions::new("consumer", "127.0.0.1", port);
    options
        .set_manual_acks(true)
        .set_receive_maximum(Some(IN_FLIGHT))
        .set_request_channel_capacity(70_000);
    options.set_keep_alive(Duration::from_mins(1));
    let (client, mut events) = AsyncClient::new(options, 70_000);
    client
        .subscribe("hemu/v1/+/deposit", QoS::AtLeastOnce)
        .await
        .unwrap();
    let (acks, mut to_ack) = mpsc::channel::<Publish>(70_000);
    tokio::spawn(async move {
        while let Some(publish) = to_ack.recv().await {
            client.ack(&publish).await.unwrap();
        }
    });
    loop {
        match events.poll().await.unwrap() {
            Event::Incoming(Packet::SubAck(_)) => println!("subscribed"),
            Event::Incoming(Packet::Publish(publish)) => {
                let acks = acks.clone();
                match &behind {
                    Behind::Store(intake) => {
                        let submission = submission(publish, acks);
                        intake.submit(submission).await;
                    }
                    Behind::Nothing(count) => {
                        acks.try_send(publish).unwrap();
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A message on its way into the journal; it is acknowledged once it is there.
fn submission(publish: Publish, acks: mpsc::Sender<Publish>) -> Submission {
    let topic = std::str::from_utf8(&publish.topic).unwrap();
    let (device, up) = hemu_wire::parse_up(topic).unwrap();
    let accepted = accept(&device, [(up, &publish.payload[..])]);
    Submission {
        segments: accepted.segments,
        brief: false,
        stored: Box::new(move || acks.try_send(publish).unwrap()),
    }
}

async fn checkpoint(ledger: Ledger, done: watch::Sender<u64>) {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if ledger.log_bytes() > hemu_ledger::LOG_BYTES {
            ledger.checkpoint().await.unwrap();
            done.send_modify(|count| *count += 1);
        }
    }
}

async fn report(stored: impl Fn() -> u64) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        println!("stored {}", stored());
    }
}
