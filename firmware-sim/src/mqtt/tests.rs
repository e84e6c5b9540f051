use super::fake::{Fake, Manners};
use super::*;

/// Sends `total` numbered payloads; dropped ones go out again.
struct Numbers {
    next: u32,
    total: u32,
    again: Vec<u32>,
    acked: Vec<u32>,
    refused: u32,
    messages: Vec<Vec<u8>>,
}

impl Numbers {
    fn new(total: u32) -> Self {
        Self {
            next: 0,
            total,
            again: vec![],
            acked: vec![],
            refused: 0,
            messages: vec![],
        }
    }
}

impl Traffic for Numbers {
    type Token = u32;

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<u32> {
        let number = match self.again.pop() {
            Some(number) => number,
            None if self.next < self.total => {
                self.next += 1;
                self.next
            }
            None => return Next::Done,
        };
        payload.extend_from_slice(number.to_string().as_bytes());
        Next::Publish(Topic::Deposit, number)
    }

    fn acked(&mut self, token: u32, reason: u8, _waited: Duration) {
        self.acked.push(token);
        self.refused += u32::from(reason >= 0x80);
    }

    fn dropped(&mut self, token: u32) {
        self.again.push(token);
    }

    fn message(&mut self, topic: &[u8], payload: &[u8]) {
        assert!(topic.ends_with(b"/receipt"));
        self.messages.push(payload.to_vec());
    }
}

async fn drive(fake: &Fake, numbers: &mut Numbers, options: Options) -> Result<u64, MqttError> {
    assert_eq!(options.addr, fake.addr);
    let quick = Duration::from_millis(1);
    let mut backoff = Backoff::new(Dice::new(1, "backoff", 0), quick, quick);
    keep_driving(&options, numbers, &mut backoff, &CancellationToken::new()).await
}

#[tokio::test]
async fn every_publish_is_acknowledged_once_in_both_versions_and_any_order() {
    for version in [Version::V311, Version::V5] {
        for backwards in [false, true] {
            let fake = Fake::start(Manners {
                backwards,
                ..Manners::default()
            })
            .await;
            let mut numbers = Numbers::new(5_000);
            let options = Options {
                version,
                window: 1_024,
                ..Options::new(fake.addr, "st01", "secret")
            };
            assert_eq!(drive(&fake, &mut numbers, options).await.unwrap(), 0);
            numbers.acked.sort_unstable();
            assert_eq!(numbers.acked, (1..=5_000).collect::<Vec<_>>());
            let seen = fake.seen.lock().unwrap();
            assert_eq!(seen.publishes.len(), 5_000);
            assert!(
                seen.publishes
                    .iter()
                    .all(|(topic, _)| topic == "hemu/v1/st01/deposit")
            );
            assert!(
                seen.most_in_one_read > 20,
                "publishes are pipelined, not sent one by one"
            );
        }
    }
}

#[tokio::test]
async fn login_carries_id_twice_and_the_key_and_subscribes_to_the_two_down_topics() {
    let fake = Fake::start(Manners::default()).await;
    drive(
        &fake,
        &mut Numbers::new(1),
        Options::new(fake.addr, "st01", "secret"),
    )
    .await
    .unwrap();
    let seen = fake.seen.lock().unwrap();
    assert_eq!(
        seen.connects[0],
        b"\0\x04MQTT\x04\xc2\0\x3c\0\x04st01\0\x04st01\0\x06secret"
    );
    let filters = String::from_utf8_lossy(&seen.filters);
    assert!(filters.contains("hemu/v1/st01/receipt") && filters.contains("hemu/v1/st01/command"));
}

#[tokio::test]
async fn a_cut_connection_is_replaced_and_only_the_unacknowledged_go_out_again() {
    let fake = Fake::start(Manners {
        cut_after: Some(400),
        ..Manners::default()
    })
    .await;
    let mut numbers = Numbers::new(1_000);
    let options = Options {
        window: 100,
        ..Options::new(fake.addr, "st01", "secret")
    };
    let reconnects = drive(&fake, &mut numbers, options).await.unwrap();
    assert!(
        reconnects >= 2,
        "cut after 400 of 1,000, yet {reconnects} reconnects"
    );
    numbers.acked.sort_unstable();
    assert_eq!(numbers.acked, (1..=1_000).collect::<Vec<_>>());
    let published = fake.seen.lock().unwrap().publishes.len();
    assert!((1_000..1_400).contains(&published), "{published} publishes");
}

#[tokio::test]
async fn the_servers_receive_maximum_is_kept() {
    let fake = Fake::start(Manners {
        receive_maximum: Some(7),
        ..Manners::default()
    })
    .await;
    let mut numbers = Numbers::new(200);
    let options = Options {
        version: Version::V5,
        window: 1_024,
        ..Options::new(fake.addr, "st01", "k")
    };
    drive(&fake, &mut numbers, options).await.unwrap();
    assert!(fake.seen.lock().unwrap().most_in_one_read <= 7);
    assert_eq!(numbers.acked.len(), 200);
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again() {
    let fake = Fake::start(Manners {
        code: 5,
        ..Manners::default()
    })
    .await;
    let error = drive(
        &fake,
        &mut Numbers::new(1),
        Options::new(fake.addr, "st01", "bad"),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, MqttError::Refused { code: 5, .. }), "{error}");
    assert_eq!(fake.seen.lock().unwrap().connects.len(), 1);
}

#[tokio::test]
async fn a_login_that_the_server_could_not_check_is_tried_again() {
    for (version, code) in [(Version::V311, 3), (Version::V5, 0x88), (Version::V5, 0x89)] {
        let fake = Fake::start(Manners {
            code,
            refusals: Some(2),
            ..Manners::default()
        })
        .await;
        let options = Options {
            version,
            ..Options::new(fake.addr, "st01", "secret")
        };
        let reconnects = drive(&fake, &mut Numbers::new(1), options).await.unwrap();
        assert_eq!(reconnects, 2, "code {code}");
        assert_eq!(fake.seen.lock().unwrap().publishes.len(), 1);
    }
}

#[tokio::test]
async fn refused_publishes_and_down_messages_reach_the_traffic() {
    let manners = Manners {
        reason: 0x87,
        receipt: Some(b"{}".to_vec()),
        ..Manners::default()
    };
    let fake = Fake::start(manners).await;
    let mut numbers = Numbers::new(3);
    let options = Options {
        version: Version::V5,
        ..Options::new(fake.addr, "st01", "k")
    };
    drive(&fake, &mut numbers, options).await.unwrap();
    assert_eq!(numbers.refused, 3);
    assert!(!numbers.messages.is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_given_up_after_the_attempts_allowed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options::new(listener.local_addr().unwrap(), "st01", "k");
    drop(listener);
    let quick = Duration::from_millis(1);
    let mut backoff = Backoff::new(Dice::new(1, "backoff", 0), quick, quick).at_most(3);
    let ended = keep_driving(
        &options,
        &mut Numbers::new(1),
        &mut backoff,
        &CancellationToken::new(),
    )
    .await;
    assert!(matches!(ended, Err(MqttError::Io(_))), "{ended:?}");
}

#[test]
fn backoff_doubles_with_jitter_up_to_its_cap() {
    let (first, cap) = (Duration::from_millis(100), Duration::from_secs(2));
    let mut backoff = Backoff::new(Dice::new(3, "backoff", 0), first, cap);
    let pauses: Vec<_> = (0..12).map(|_| backoff.pause()).collect();
    assert!(pauses[0] >= first / 2 && pauses[0] <= first);
    assert!(pauses[3] >= first * 4 && pauses[3] <= first * 8);
    assert!(pauses[11] >= cap / 2 && pauses[11] <= cap);
    backoff.reset();
    assert!(backoff.pause() <= first);
}
