//! Everything that ends: silence, patience, places, windows, handshakes, and the endpoint itself.

use std::sync::Arc;
use std::time::Duration;

use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::{Limits, Presence, TlsConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::{self, pki_types};

use crate::backend::*;
use crate::packets::*;
use crate::server::{BOTH, last_words};

const DEPOSIT: &str = "hemu/v1/bin-1/deposit";

#[tokio::test]
async fn a_silent_client_is_closed_after_its_keep_alive() {
    let mut hemu = start();
    let mut client = hemu.dial().await;
    client.send(connect_with(V5, "bin-1", KEY, 1, &[])).await;
    client.expect_connack(V5, 0).await;
    client.expect_end([0xe0, 2, 0x8d, 0]).await;
    hemu.expect_presence(Presence::Connected).await;
    hemu.expect_presence(Presence::Lost).await;
    assert_eq!(hemu.metrics.timeouts.with_label_values(&["keep_alive"]).get(), 1);
}

#[tokio::test]
async fn half_a_connect_is_closed_in_time() {
    let hemu = start_with(
        Limits {
            connect_timeout: Duration::from_millis(50),
            ..Limits::default()
        },
        None,
    );
    for bytes in [vec![], vec![0x10], connect(V5, "bin-1", KEY)[..12].to_vec()] {
        let mut client = hemu.dial().await;
        client.send(bytes).await;
        client.expect_end([]).await;
    }
    assert_eq!(hemu.metrics.timeouts.with_label_values(&["connect"]).get(), 3);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let limits = Limits {
        write_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let mut hemu = start_with(limits, None);
    let mut client = hemu.login(V5, "bin-1").await;
    let pings = PINGREQ.repeat(32 * 1024);
    // Its answers fill the buffers between, until the endpoint can neither write nor read.
    soon(async { while client.stream.write_all(&pings).await.is_ok() {} }).await;
    hemu.expect_presence(Presence::Connected).await;
    hemu.expect_presence(Presence::Lost).await;
    assert_eq!(hemu.metrics.timeouts.with_label_values(&["write"]).get(), 1);
}

#[tokio::test]
async fn a_large_packet_is_refused_from_its_header() {
    for version in BOTH {
        let hemu = start();
        let mut client = hemu.login(version, "bin-1").await;
        client.send([0x30, 0xff, 0xff, 0xff, 0x7f]).await;
        client.expect_end(last_words(version, 0x95)).await;
        let mut stranger = hemu.dial().await;
        stranger.send([0x10, 0x80, 0x80, 0x02]).await;
        stranger.expect_end([]).await;
    }
}

#[tokio::test]
async fn where_much_is_held_a_busy_socket_is_read_in_small_pieces() {
    let roomy = Limits::default();
    let crowded = Limits {
        crowded_bytes: 0,
        ..Limits::default()
    };
    for (limits, small) in [(roomy, false), (crowded, true)] {
        let most = limits.crowded_read_bytes;
        let mut hemu = start_with(limits, None);
        let mut client = hemu.login(V5, "bin-1").await;
        // Everything is there before anything but the first piece is read.
        hemu.desk.room.forget_permits(Semaphore::MAX_PERMITS);
        let one = publish(V5, DEPOSIT, Some(1), &[b' '; 500]);
        client.send(one.repeat(100)).await;
        hemu.desk.room.add_permits(100);
        let (mut pieces, mut tickets) = (Vec::new(), Vec::new());
        while pieces.iter().sum::<usize>() < 100 {
            let (_, publishes, ticket) = soon(hemu.chunks.recv()).await.unwrap();
            pieces.push(publishes.len());
            tickets.push(ticket);
        }
        let largest = pieces.into_iter().max().unwrap() * one.len();
        assert_eq!(largest <= most + one.len(), small, "{largest} bytes at once");
    }
}

#[tokio::test]
async fn one_address_has_only_so_many_places() {
    let hemu = start_with(
        Limits {
            connections_per_address: 2,
            ..Limits::default()
        },
        None,
    );
    let mut first = hemu.login(V5, "bin-1").await;
    let _second = hemu.login(V5, "bin-2").await;
    hemu.dial().await.expect_end([]).await;
    assert_eq!(hemu.metrics.turned_away.get(), 1);
    first.send(DISCONNECT).await;
    first.expect_end([]).await;
    drop(first);
    // The place is free as soon as the first connection's task has ended.
    soon(async {
        loop {
            let mut client = hemu.dial().await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &connect(V5, "bin-3", KEY)).await;
            if matches!(
                tokio::io::AsyncReadExt::read_u8(&mut client.stream).await,
                Ok(0x20)
            ) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_v311_client_over_the_window_is_held_and_not_closed() {
    let mut hemu = start_with(
        Limits {
            receive_maximum: 3,
            ..Limits::default()
        },
        None,
    );
    let mut client = hemu.login(V311, "bin-1").await;
    let burst: Vec<u8> = (1..=5)
        .flat_map(|id| publish(V311, DEPOSIT, Some(id), b"{}"))
        .collect();
    client.send(burst).await;
    let (publishes, ticket) = hemu.chunk().await;
    assert_eq!(publishes.len(), 3);
    hemu.nothing_came();
    ticket.stored();
    client.expect([puback(1), puback(2), puback(3)].concat()).await;
    let (publishes, ticket) = hemu.chunk().await;
    assert_eq!(publishes.len(), 2);
    ticket.stored();
    client.expect([puback(4), puback(5)].concat()).await;
}

#[tokio::test]
async fn stopping_acknowledges_what_is_stored_and_closes() {
    for version in BOTH {
        let mut hemu = start();
        let mut client = hemu.login(version, "bin-1").await;
        let _stranger = hemu.dial().await;
        client.send(publish(version, DEPOSIT, Some(1), b"{}")).await;
        let (_, ticket) = hemu.chunk().await;
        hemu.shutdown.cancel();
        client.send(publish(version, DEPOSIT, Some(2), b"{}")).await;
        ticket.stored();
        client
            .expect_end([puback(1), last_words(version, 0x8b)].concat())
            .await;
        soon(hemu.task).await.unwrap();
        assert!(
            TcpStream::connect(hemu.address).await.is_err(),
            "nobody listens any more"
        );
        assert_eq!(
            (hemu.metrics.connections.get(), hemu.metrics.held_bytes.get()),
            (0, 0)
        );
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever_for_a_store() {
    let mut hemu = start_with(
        Limits {
            drain_timeout: Duration::from_millis(50),
            ..Limits::default()
        },
        None,
    );
    let mut client = hemu.login(V5, "bin-1").await;
    client.send(publish(V5, DEPOSIT, Some(1), b"{}")).await;
    let (_, _ticket) = hemu.chunk().await;
    hemu.shutdown.cancel();
    client.expect_end([0xe0, 2, 0x8b, 0]).await;
    soon(hemu.task).await.unwrap();
}

#[tokio::test]
async fn an_idle_tcp_peer_does_not_hold_up_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = TlsConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        certificate: folder.path().join("certificate.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    let mut hemu = start_with(Limits::default(), Some(tls));
    let address = hemu.tls_address.unwrap();
    let _idle = TcpStream::connect(address).await.unwrap();

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = pki_types::ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, TcpStream::connect(address).await.unwrap());
    let mut client = Client {
        stream: soon(stream).await.unwrap(),
    };
    client.send(connect(V5, "bin-1", KEY)).await;
    client.expect_connack(V5, 0).await;
    client.send(publish(V5, DEPOSIT, Some(1), b"{}")).await;
    hemu.chunk().await.1.stored();
    client.expect(puback(1)).await;
    hemu.shutdown.cancel();
    client.expect_end([0xe0, 2, 0x8b, 0]).await;
}

#[tokio::test]
async fn a_tls_handshake_that_stalls_is_closed_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = TlsConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        certificate,
        key,
    };
    let limits = Limits {
        handshake_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let hemu = start_with(limits, Some(tls));
    let mut idle = Client {
        stream: TcpStream::connect(hemu.tls_address.unwrap()).await.unwrap(),
    };
    idle.expect_end([]).await;
    assert_eq!(hemu.metrics.timeouts.with_label_values(&["handshake"]).get(), 1);
}
