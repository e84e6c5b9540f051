//! TLS to the broker. rumqttc's own TLS brings a second, older certificate library with known advisories; so we make the
//! TLS connection, and the client speaks through a Unix socket that only this user can reach. Must not touch a global
//! crypto provider.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixListener};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

use super::settings::{Address, Settings};
use super::{Dice, Trouble};

/// How long the connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A TLS connection that waits for one client on a socket of this machine.
#[derive(Debug)]
pub(super) struct Tunnel {
    place: Place,
    _carrying: AbortOnDropHandle<()>,
}

/// A folder of this user only, gone when dropped.
#[derive(Debug)]
struct Place(PathBuf);

impl Tunnel {
    /// A tunnel if the address asks for TLS.
    pub(super) async fn open_if_needed(
        settings: &Settings,
        dice: &mut Dice,
    ) -> Result<Option<Self>, Trouble> {
        let (true, Some(authorities)) = (settings.address.tls, &settings.authorities) else {
            return Ok(None);
        };
        let stream = tokio::time::timeout(PATIENCE, connect(&settings.address, authorities))
            .await
            .map_err(|_| Trouble::Silent(PATIENCE.as_secs()))??;
        let place = Place::new(dice).map_err(|error| lost(&error))?;
        let listener = UnixListener::bind(place.socket()).map_err(|error| lost(&error))?;
        let carrying = AbortOnDropHandle::new(tokio::spawn(carry(listener, stream)));
        Ok(Some(Self {
            place,
            _carrying: carrying,
        }))
    }

    /// Where the client connects to.
    pub(super) fn path(&self) -> String {
        self.place.socket().to_string_lossy().into_owned()
    }
}

async fn connect(address: &Address, authorities: &Path) -> Result<TlsStream<TcpStream>, Trouble> {
    let connector = connector(authorities)?;
    let bare = address.host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(|error| Trouble::Lost(error.to_string()))?;
    let socket = TcpStream::connect(format!("{}:{}", address.host, address.port))
        .await
        .map_err(|error| lost(&error))?;
    socket.set_nodelay(true).map_err(|error| lost(&error))?;
    connector
        .connect(name, socket)
        .await
        .map_err(|error| lost(&error))
}

fn connector(authorities: &Path) -> Result<TlsConnector, Trouble> {
    let unusable = |error: &dyn std::fmt::Display| {
        Trouble::Lost(format!(
            "broker_ca: expected certificates in PEM form at {}: {error}",
            authorities.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(authorities).map_err(|error| unusable(&error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"there is none"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Carries bytes both ways between the one client and the broker; the client hears of the end by its socket's.
async fn carry(listener: UnixListener, mut stream: TlsStream<TcpStream>) {
    if let Ok((mut client, _)) = listener.accept().await
        && let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut stream).await
    {
        tracing::debug!(%error, "the TLS connection to the broker ended");
    }
}

fn lost(error: &std::io::Error) -> Trouble {
    Trouble::Lost(error.to_string())
}

impl Place {
    fn new(dice: &mut Dice) -> std::io::Result<Self> {
        let name = format!("hemu-{}-{:016x}", std::process::id(), dice(u64::MAX));
        let folder = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    fn socket(&self) -> PathBuf {
        self.0.join("mqtt")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays behind is an empty folder of ours in the place for such.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
