//! What a site without the embedded endpoint would run: rumqttc with manual acknowledgements on a broker, committing
//! through the same committer into the same ledger, with the same projector and feeder behind it. Or less behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hemu_ingest::{Intake, Submission, accept};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use tokio::sync::mpsc;

use crate::behind::{Behind, Opened};
use crate::threads::Front;

/// Publishes that may wait for their commit; the largest an MQTT 5 client can ask for.
const IN_FLIGHT: u16 = 65_535;

/// Runs until killed; one line `stored N` a tenth of a second on stdout, of what was acknowledged where nothing is stored.
pub(crate) fn run(behind: &Behind, port: &str) {
    let front = Front::start().unwrap();
    front.handle().block_on(async {
        let Opened {
            intake,
            metrics,
            threads: _threads,
        } = behind.open(front.handle()).await;
        let forgotten = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&forgotten);
        tokio::spawn(report(move || {
            metrics.records.get() + count.load(Ordering::Relaxed)
        }));
        let consuming = consume(port.parse().unwrap(), intake, forgotten);
        tokio::spawn(consuming).await.unwrap();
    });
}

async fn consume(port: u16, intake: Option<Intake>, forgotten: Arc<AtomicU64>) {
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
                if let Some(intake) = &intake {
                    intake.submit(submission(publish, acks)).await;
                } else {
                    acks.try_send(publish).unwrap();
                    forgotten.fetch_add(1, Ordering::Relaxed);
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

async fn report(stored: impl Fn() -> u64) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        println!("stored {}", stored());
    }
}
