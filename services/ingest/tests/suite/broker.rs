//! The door behind a broker, against a broker that does what it is told: every trap of such a connection by itself.

use hemu_ingest::broker::{Door, Downlink, Metrics, Parts, Protocol, Settings, View};
use hemu_ledger::registry::key_digest;
use hemu_wire::DeviceId;
use prometheus::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::scripted::{Said, Scripted, until, within};
use crate::site::{Desk, NOW, Site};

pub(crate) struct Open {
    pub(crate) metrics: Metrics,
    pub(crate) downlink: Downlink,
    pub(crate) view: View,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Open {
    /// A door to this address. Its waits are the shortest there are.
    pub(crate) fn new(site: &Site, desk: &Desk, url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            address: url.parse().unwrap(),
            client_id: "hemu".into(),
            username: None,
            password: None,
            group: None,
            protocol: Protocol::V311,
            receive_maximum: 100,
            authorities: None,
        };
        change(&mut settings);
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let parts = Parts {
            ledger: site.ledger.clone(),
            intake: desk.intake.clone(),
            ingest: desk.metrics.clone(),
            metrics: metrics.clone(),
        };
        let (door, downlink, view) = Door::new(settings, parts, Box::new(|_| 0));
        let stop = CancellationToken::new();
        Self {
            metrics,
            downlink,
            view,
            task: tokio::spawn(door.run(stop.clone())),
            stop,
        }
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        within(self.task).await.unwrap();
    }
}

pub(crate) async fn site_with(devices: &[&str]) -> Site {
    let site = Site::new().await;
    for device in devices {
        let key = key_digest(b"key");
        site.ledger
            .add_device(device, &key, None, None, NOW)
            .await
            .unwrap();
    }
    site
}

fn deposit(seq: u64) -> String {
    format!(r#"{{"boot":1,"seq":{seq},"at":1767225600000,"stream":"food","weight_g":500,"quality":0.5}}"#)
}

#[tokio::test]
async fn it_subscribes_with_every_connection_whether_or_not_the_session_was_kept() {
    let (site, broker) = (site_with(&[]).await, Scripted::start().await);
    let desk = site.commit().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    for session_present in [false, true, false] {
        let (line, filters) = broker.grant(session_present).await;
        let expected = ["deposit", "status", "incident"].map(|up| (format!("hemu/v1/+/{up}"), 1));
        assert_eq!(filters, expected);
        until(|| door.metrics.connected.get() == 1).await;
        drop(line);
        until(|| door.metrics.connected.get() == 0).await;
    }
    assert_eq!(door.metrics.reconnects.get(), 3);
    door.close().await;
    desk.end().await;
}

#[tokio::test]
async fn a_refused_or_weakened_subscription_is_told_counted_and_tried_again() {
    let (site, broker) = (site_with(&[]).await, Scripted::start().await);
    let desk = site.commit().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    for (codes, answer) in [([1, 0x80, 1], "a refusal"), ([1, 0, 1], "QoS 0")] {
        let mut line = broker.welcome(false).await;
        line.answer(&codes).await;
        line.hung_up().await;
        let mut told = String::new();
        until(|| {
            told = door.view.check().unwrap_err();
            told.contains(answer)
        })
        .await;
        assert!(told.contains("hemu/v1/+/status"), "{told}");
    }
    assert_eq!((door.metrics.refused.get(), door.metrics.connected.get()), (2, 0));
    let (_line, _) = broker.grant(false).await;
    until(|| door.view.check().is_ok()).await;
    door.close().await;
    desk.end().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_stored() {
    let (site, broker) = (site_with(&["C1"]).await, Scripted::start().await);
    let (desk, held) = site.commit_held().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    let (mut line, _) = broker.grant(false).await;
    line.deliver(7, "hemu/v1/C1/deposit", &deposit(1)).await;
    line.deliver(8, "hemu/v1/C1/deposit", &deposit(2)).await;
    until(|| door.metrics.in_flight.get() == 2).await;
    crate::site::settle(&site.ledger).await;
    assert!(line.is_silent(), "acknowledged before the commit");
    assert_eq!(site.ledger.head().await.unwrap(), 0);
    held.send(()).unwrap();
    assert_eq!(line.hear().await, Said::Acknowledged(7));
    assert_eq!(line.hear().await, Said::Acknowledged(8));
    assert!(site.ledger.head().await.unwrap() > 0);
    assert_eq!(desk.metrics.records.get(), 2);
    door.close().await;
    assert_eq!(line.hear().await, Said::Goodbye);
    desk.end().await;
}

#[tokio::test]
async fn an_acknowledgement_of_an_earlier_connection_is_dropped() {
    let (site, broker) = (site_with(&["C1"]).await, Scripted::start().await);
    let (desk, held) = site.commit_held().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    let (mut line, _) = broker.grant(false).await;
    line.deliver(7, "hemu/v1/C1/deposit", &deposit(1)).await;
    // Taken one chunk after the other: when the second of two that follow is looked at, the first is submitted.
    for (id, looked_at) in [(8, 1), (9, 2)] {
        line.deliver(id, "hemu/v1/C1/receipt", "nobody's").await;
        until(|| door.metrics.foreign.get() == looked_at).await;
    }
    drop(line);
    let (mut line, _) = broker.grant(true).await;
    held.send(()).unwrap();
    until(|| door.metrics.stale.get() == 3).await;
    // Delivered again under another id, as a broker does: known, and acknowledged by that one.
    line.deliver(3, "hemu/v1/C1/deposit", &deposit(1)).await;
    assert_eq!(line.hear().await, Said::Acknowledged(3));
    assert_eq!((desk.metrics.records.get(), desk.metrics.repeats.get()), (1, 1));
    door.close().await;
    desk.end().await;
}

#[tokio::test]
async fn what_is_nobodys_is_counted_acknowledged_and_stands_in_nobodys_way() {
    let (site, broker) = (site_with(&["C1", "C2"]).await, Scripted::start().await);
    site.ledger.revoke_device("C2", NOW).await.unwrap();
    let desk = site.commit().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    let (mut line, _) = broker.grant(false).await;
    let messages = [
        "hemu/v1/C1/receipt",
        "hemu/v2/C1/deposit",
        "hemu/v1/é/deposit",
        "hemu/v1/nobody/deposit",
        "hemu/v1/C2/deposit",
        "hemu/v1/C1/deposit",
    ];
    for (id, topic) in (1..).zip(messages) {
        line.deliver(id, topic, &deposit(1)).await;
    }
    line.deliver(7, "hemu/v1/C1/incident", "nonsense").await;
    // Without an acknowledgement to give: it is stored all the same.
    line.deliver(0, "hemu/v1/C1/status", r#"{"boot":1,"seq":2,"at":1767225600000}"#)
        .await;
    for id in 1..=7 {
        assert_eq!(line.hear().await, Said::Acknowledged(id));
    }
    until(|| desk.metrics.records.get() == 3).await;
    let metrics = &door.metrics;
    assert_eq!((metrics.foreign.get(), metrics.unregistered.get()), (3, 2));
    assert_eq!(desk.metrics.quarantined.get(), 1);
    door.close().await;
    desk.end().await;
}

#[tokio::test]
async fn more_bytes_than_may_wait_end_the_connection_and_say_so() {
    let (site, broker) = (site_with(&["C1"]).await, Scripted::start().await);
    let (desk, held) = site.commit_held().await;
    // The committer's own queue is not bounded by this, so nobody may be there to take it from us.
    site.ledger.close().await;
    let door = Open::new(&site, &desk, &broker.url(), |settings| {
        settings.receive_maximum = 1;
    });
    let large = |seq| deposit(seq) + &" ".repeat(14_000);
    let (mut line, _) = broker.grant(false).await;
    for id in 1..=5 {
        line.deliver(id, "hemu/v1/C1/deposit", &large(id.into())).await;
    }
    line.hung_up().await;
    until(|| {
        door.view
            .check()
            .is_err_and(|told| told.contains("max_inflight_messages"))
    })
    .await;
    drop((door, held));
    desk.abandon.cancel();
}

#[tokio::test]
async fn a_broker_that_breaks_the_protocol_meets_a_new_client() {
    let (site, broker) = (site_with(&["C1"]).await, Scripted::start().await);
    let desk = site.commit().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    // An acknowledgement of what was never sent; a packet that only clients send; bytes of no packet.
    for nonsense in [&[0x40, 2, 0, 9][..], &[0x82, 2, 0, 1], &[0xf0, 0]] {
        let (mut line, _) = broker.grant(false).await;
        line.say(nonsense).await;
        line.hung_up().await;
    }
    let (mut line, _) = broker.grant(false).await;
    line.deliver(1, "hemu/v1/C1/deposit", &deposit(1)).await;
    assert_eq!(line.hear().await, Said::Acknowledged(1));
    assert_eq!(door.metrics.reconnects.get(), 3);
    door.close().await;
    desk.end().await;
}

#[tokio::test]
async fn receipts_go_down_and_too_many_are_dropped_and_counted() {
    let (site, broker) = (site_with(&[]).await, Scripted::start().await);
    let desk = site.commit().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    let device = DeviceId::try_from("C1").unwrap();
    let mut queued: u64 = 0;
    // Nobody is connected yet; what waits is bounded.
    while door.downlink.try_receipt(&device, format!("{queued}").into()) {
        queued += 1;
    }
    assert_eq!(door.metrics.receipts_dropped.get(), 1);
    let (mut line, _) = broker.grant(false).await;
    for number in 0..queued {
        let expected = Said::Published {
            topic: "hemu/v1/C1/receipt".into(),
            payload: number.to_string().into_bytes(),
        };
        assert_eq!(line.hear().await, expected);
    }
    until(|| door.metrics.receipts.get() == queued).await;
    door.close().await;
    desk.end().await;
}

#[tokio::test]
async fn a_rise_of_what_the_broker_dropped_is_counted_and_told() {
    let (site, broker) = (site_with(&[]).await, Scripted::start().await);
    let desk = site.commit().await;
    let door = Open::new(&site, &desk, &broker.url(), |_| {});
    let (mut line, _) = broker.grant(false).await;
    let counter = "$SYS/broker/publish/messages/dropped";
    line.deliver_retained(counter, "12").await;
    // What is behind it has been heard, so it was.
    line.deliver(1, "nobody's", "").await;
    assert_eq!(line.hear().await, Said::Acknowledged(1));
    until(|| door.view.check().is_ok_and(|told| told.contains("watched"))).await;
    drop(line);
    // Lost while we were away: the last figure is remembered over the connection.
    let (mut line, _) = broker.grant(true).await;
    line.deliver(0, counter, "15").await;
    until(|| door.metrics.dropped.get() == 3).await;
    let told = door.view.check().unwrap_err();
    assert!(told.contains("dropped 3 messages"), "{told}");
    door.close().await;
    desk.end().await;
}
