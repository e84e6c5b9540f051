//! The doors through which readings come in, and the committer behind them.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use hemu_endpoint::{Downlink, Endpoint, Limits, TlsConfig};
use hemu_ingest::commit::Signals;
use hemu_ingest::{Committer, Intake, Metrics, receipts};
use hemu_ledger::{Ledger, Position};
use prometheus::Registry;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::changes::Changes;
use super::listeners::taken;
use super::{Ends, Occasion};
use crate::backend::{Connected, Devices};
use crate::broker::{self, Broker};
use crate::config::Config;
use crate::handset;
use crate::http;
use crate::roles::Role;
use crate::threads::Front;
use crate::words::Words;

/// What the doors are opened with.
pub(super) struct Plan<'a> {
    pub(super) config: &'a Config,
    pub(super) words: &'a Words,
    pub(super) ledger: &'a Ledger,
    pub(super) occasion: &'a Occasion,
    pub(super) metrics: &'a Metrics,
    pub(super) registry: &'a Registry,
    pub(super) checkpoints: watch::Receiver<u64>,
    pub(super) ends: &'a Ends,
}

/// Open doors.
pub(super) struct Doors {
    mqtt: Option<SocketAddr>,
    mqtt_tls: Option<SocketAddr>,
    endpoint: Option<JoinHandle<()>>,
    broker: Option<JoinHandle<()>>,
    view: Option<hemu_ingest::broker::View>,
    committer: JoinHandle<()>,
    receipts: JoinHandle<()>,
    people: hemu_api::Intake,
    holding: JoinHandle<()>,
    /// Where there is an embedded door.
    changes: Option<JoinHandle<()>>,
    pub(super) committed: watch::Receiver<Position>,
    healthy: watch::Receiver<bool>,
    connected: Connected,
    /// Where the embedded door, the committer and the receipts work.
    front: Front,
}

/// What of them runs until it is told to end; nothing on a node without doors.
#[derive(Default)]
pub(super) struct Running {
    pub(super) mqtt: Option<SocketAddr>,
    pub(super) mqtt_tls: Option<SocketAddr>,
    pub(super) endpoint: Option<JoinHandle<()>>,
    pub(super) broker: Option<JoinHandle<()>>,
    pub(super) committer: Option<JoinHandle<()>>,
    pub(super) front: Option<Front>,
}

impl Doors {
    pub(super) fn running(self, tasks: &mut Vec<JoinHandle<()>>) -> Running {
        tasks.extend([self.receipts, self.holding]);
        tasks.extend(self.changes);
        Running {
            mqtt: self.mqtt,
            mqtt_tls: self.mqtt_tls,
            endpoint: self.endpoint,
            broker: self.broker,
            committer: Some(self.committer),
            front: Some(self.front),
        }
    }

    /// What the dashboards show of them.
    pub(super) fn view(&self) -> http::DoorsView {
        http::DoorsView {
            connected: self.connected.clone(),
            healthy: Some(self.healthy.clone()),
            broker: self.view.clone(),
            intake: self.people.clone(),
        }
    }

    /// `None` on a node that takes nothing in.
    pub(super) async fn open(plan: Plan<'_>) -> Result<Option<Self>> {
        let Plan { config, ledger, .. } = plan;
        if !config.roles.take_in() {
            return Ok(None);
        }
        let front = Front::start()?;
        let (committer, intake, Signals { committed, healthy }) = Committer::new(
            ledger,
            plan.occasion.clock.clone(),
            plan.metrics.clone(),
            plan.checkpoints.clone(),
        )
        .await?;
        let connected = Connected::default();
        let endpoint = config
            .roles
            .has(Role::Endpoint)
            .then(|| endpoint(&plan, &front, &intake, &connected))
            .transpose()?;
        let broker = broker::settings(config, plan.words)?
            // A demo's devices are not the broker's.
            .filter(|_| config.roles.has(Role::Ingest) && !plan.occasion.demo)
            .map(|settings| {
                let (metrics, registry) = (plan.metrics, plan.registry);
                broker::open(settings, &intake, ledger, metrics, registry, &plan.ends.listening)
            })
            .transpose()?;
        let (mqtt, mqtt_tls, downlink) = match &endpoint {
            Some(endpoint) => (
                Some(endpoint.local_addr()?),
                endpoint.tls_addr(),
                Some(endpoint.downlink()),
            ),
            None => (None, None, None),
        };
        let changes = match &downlink {
            Some(downlink) => {
                let changes = Changes::new(ledger.clone(), downlink.clone(), connected.clone()).await?;
                Some(tokio::spawn(changes.run(plan.ends.listening.clone())))
            }
            None => None,
        };
        let (people, holding) = handset::open(&intake, plan.metrics, plan.ends.listening.clone());
        let receipts = send_receipts(
            intake,
            ledger.clone(),
            downlink,
            broker.as_ref(),
            plan.ends.listening.clone(),
        );
        let receipts = front.handle().spawn(receipts.await?);
        let stop = plan.ends.listening.clone();
        Ok(Some(Self {
            mqtt,
            mqtt_tls,
            endpoint: endpoint.map(|endpoint| front.handle().spawn(endpoint.run(stop))),
            view: broker.as_ref().map(|broker| broker.view.clone()),
            broker: broker.map(|broker| broker.task),
            committer: front.handle().spawn(committer.run(plan.ends.abandon.clone())),
            receipts,
            people,
            holding,
            changes,
            committed,
            healthy,
            connected,
            front,
        }))
    }
}

fn endpoint(
    plan: &Plan<'_>,
    front: &Front,
    intake: &Intake,
    connected: &Connected,
) -> Result<Endpoint<Devices>> {
    let Plan { config, words, .. } = plan;
    let devices = Devices {
        ledger: plan.ledger.clone(),
        intake: intake.clone(),
        connected: connected.clone(),
        metrics: plan.metrics.clone(),
        clock: plan.occasion.clock.clone(),
    };
    let tls = match (config.mqtt_tls_listen, &config.tls_certificate, &config.tls_key) {
        (Some(listen), Some(certificate), Some(key)) => Some(TlsConfig {
            listen,
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        _ => None,
    };
    let limits = Limits {
        connections: config.mqtt_connections,
        connections_per_address: config.mqtt_connections_per_address,
        ..Limits::default()
    };
    let endpoint = hemu_endpoint::Config {
        listen: config.mqtt_listen,
        tls,
        limits,
    };
    let metrics = hemu_endpoint::Metrics::new(plan.registry)?;
    // Its sockets belong to the threads it is bound on.
    let _there = front.handle().enter();
    Endpoint::bind(endpoint, Arc::new(devices), metrics).with_context(|| match config.mqtt_tls_listen {
        None => taken(words, "mqtt_listen", config.mqtt_listen),
        Some(tls) => words.say(
            "cannot-listen-with-certificate",
            &[("address", &config.mqtt_listen), ("tls", &tls)],
        ),
    })
}

async fn send_receipts(
    intake: Intake,
    ledger: Ledger,
    downlink: Option<Downlink>,
    broker: Option<&Broker>,
    shutdown: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>> {
    let broker = broker.map(|broker| broker.downlink.clone());
    let generation = ledger.generation().await?;
    let send = move |device: &hemu_wire::DeviceId, receipt: Option<String>| match receipt {
        // A device that is at neither door asks again by sending; its receipt is made anew then.
        Some(receipt) => {
            let receipt = bytes::Bytes::from(receipt);
            let heard = downlink
                .as_ref()
                .is_some_and(|downlink| downlink.try_receipt(device, receipt.clone()));
            if let (false, Some(broker)) = (heard, &broker) {
                broker.try_receipt(device, receipt);
            }
        }
        None => {
            if let Some(downlink) = &downlink {
                downlink.disconnect(device);
            }
        }
    };
    Ok(receipts::run(intake, ledger, generation, send, shutdown))
}
