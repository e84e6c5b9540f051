//! What listens, and what it speaks: the documented ports and no other, TLS 1.2 and newer, and its own names only.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

use crate::brokers::until;
use crate::support::{Server, refuse};

const NAME: &str = "hemu.example";

/// A certificate for [`NAME`], and a configuration that uses it.
fn encrypted(folder: &Path) -> (CertificateDer<'static>, PathBuf) {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let file = folder.join("hemu.toml");
    let here = folder.display();
    let text = format!(
        "https_listen = \"127.0.0.1:0\"\nmqtt_tls_listen = \"127.0.0.1:0\"\nhosts = [\"{NAME}\"]\ntls_certificate = \"{here}/cert.pem\"\ntls_key = \"{here}/key.pem\"\n"
    );
    std::fs::write(&file, text).unwrap();
    (made.cert.der().clone(), file)
}

fn serve(folder: &Path, config: &Path) -> Server {
    Server::run(
        &folder.join("data"),
        0,
        &["serve", "--config", &config.to_string_lossy()],
    )
}

fn address(url: &str) -> SocketAddr {
    url.split_once("//").unwrap().1.parse().unwrap()
}

/// What a page says to whoever trusts the certificate and names a host.
fn ask(server: SocketAddr, certificate: CertificateDer<'static>, host: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(server).unwrap());
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // A peer that closes without a goodbye has still answered.
    let _ = stream.read_to_string(&mut answer);
    answer.to_ascii_lowercase()
}

#[test]
fn other_machines_come_in_over_tls_under_the_sites_names() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, config) = encrypted(folder.path());
    let server = serve(folder.path(), &config);
    let https = address(&server.https);
    let good = ask(https, certificate.clone(), NAME);
    assert!(good.starts_with("http/1.1 200"), "{good}");
    assert!(
        good.contains("strict-transport-security: max-age=31536000"),
        "{good}"
    );
    let foreign = ask(https, certificate, "evil.example");
    assert!(foreign.starts_with("http/1.1 403"), "{foreign}");
    assert!(server.terminate().success());
}

/// A greeting of TLS 1.1: in order but for its only version, 3.2.
fn greeting_of_tls_1_1() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    // No session, one suite (RSA with AES-128-CBC), no compression.
    body.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    // Signatures by RSA with SHA-256; the versions.
    let extensions = [0, 13, 0, 4, 0, 2, 4, 1, 0, 43, 0, 3, 2, 3, 2];
    body.extend([0, 15]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[test]
fn tls_1_1_is_refused_by_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = encrypted(folder.path());
    let server = serve(folder.path(), &config);
    let mut stream = TcpStream::connect(address(&server.https)).unwrap();
    stream.write_all(&greeting_of_tls_1_1()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // A fatal alert: protocol_version.
    assert_eq!(answer.get(..1), Some(&[21][..]), "{answer:?}");
    assert_eq!(answer.get(5..7), Some(&[2, 70][..]), "{answer:?}");
    assert!(server.terminate().success());
}

/// The ports that a process listens on, as the kernel lists them.
fn ports(pid: u32) -> BTreeSet<u16> {
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            let link = link.to_str()?;
            Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let listening = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Local address, state 0A is LISTEN, inode.
        let ours = fields.get(3) == Some(&"0A") && sockets.contains(*fields.get(9)?);
        let (_, port) = fields.get(1)?.rsplit_once(':')?;
        ours.then(|| u16::from_str_radix(port, 16).unwrap())
    };
    ["tcp", "tcp6", "udp", "udp6"]
        .iter()
        .flat_map(|table| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
            text.lines().filter_map(listening).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_documented_ports_listen_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Server::start(&folder.path().join("plain"), 0);
    let announced = |server: &Server| {
        let metrics = server.metrics.trim_end_matches("/metrics");
        BTreeSet::from([
            server.mqtt.port(),
            address(&server.http).port(),
            address(metrics).port(),
        ])
    };
    assert_eq!(ports(plain.pid()), announced(&plain));
    let (_, config) = encrypted(folder.path());
    let server = serve(folder.path(), &config);
    let mut wanted = announced(&server);
    wanted.insert(address(&server.https).port());
    let found = ports(server.pid());
    assert!(found.is_superset(&wanted), "{found:?} {wanted:?}");
    // And the devices' port over TLS.
    assert_eq!(found.len(), wanted.len() + 1);
    assert!(server.terminate().success() && plain.terminate().success());
}

#[test]
fn slow_clients_take_their_share_and_a_good_one_is_served_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hemu.toml");
    std::fs::write(
        &config,
        "http_connections = 64\nhttp_connections_per_address = 48\n",
    )
    .unwrap();
    let server = serve(folder.path(), &config);
    let http = address(&server.http);
    // Each says half of a request's head and then nothing.
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(http).unwrap();
            // One that was closed at once cannot be written to.
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc");
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    // Nothing to read yet is an open connection; an end or a reset is none.
    let open = |stream: &&TcpStream| {
        let read = (&mut &**stream).read(&mut [0; 1]);
        matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    until("what is beyond the share is closed", || {
        slow.iter().filter(open).count() <= 48
    });
    // From another address there is a place.
    let elsewhere = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 2], 0));
    elsewhere.bind(&address.into()).unwrap();
    elsewhere.connect(&http.into()).unwrap();
    let mut good: TcpStream = elsewhere.into();
    good.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    good.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.terminate().success());
}

#[test]
fn a_taken_port_is_named_with_the_setting_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["mqtt_listen", "http_listen", "metrics_listen"] {
        let mut arguments = vec!["serve"];
        for other in ["--mqtt-listen", "--http-listen", "--metrics-listen"] {
            let this = other.trim_start_matches("--").replace('-', "_") == setting;
            arguments.extend([other, if this { address.as_str() } else { "127.0.0.1:0" }]);
        }
        let said = refuse(folder.path(), &arguments);
        assert!(
            said.contains(setting) && said.contains(&address),
            "{setting}: {said}"
        );
    }
}

#[test]
fn nothing_listens_in_the_clear_beyond_this_machine_unasked() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, instead) in [
        ("--http-listen", "https_listen"),
        ("--mqtt-listen", "mqtt_tls_listen"),
    ] {
        let said = refuse(folder.path(), &["serve", flag, "0.0.0.0:0"]);
        assert!(said.contains(instead) && said.contains("allow_plain"), "{said}");
    }
}
