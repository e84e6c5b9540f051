//! rumqttc's two clients, for MQTT 3.1.1 and 5, behind one face. Must not decide anything.

use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5;
use rumqttc::{Outgoing, v5::mqttbytes::v5 as packets5};

use super::settings::{Protocol, Settings};
use super::{Trouble, tls};

/// Silence after which the broker is asked whether it is there.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long the broker keeps our session, with what devices send meanwhile, while we are away.
const SESSION_S: u32 = 7 * 86_400;
/// Largest packet taken: more than the contract's, so that a message that is too large is seen and counted rather than
/// cutting the connection for ever.
const MAX_PACKET: u32 = 1 << 20;
/// Seconds that connecting may take.
const CONNECT_S: u64 = 10;
/// Requests that may wait beside acknowledgements and receipts: subscriptions and the goodbye.
const OTHER_REQUESTS: usize = 8;

/// What becomes of the session when we are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// The broker keeps it, with what devices send meanwhile.
    Kept,
    /// It ends with the connection.
    Passing,
}

/// Sends.
#[derive(Debug, Clone)]
pub(super) enum Client {
    V311(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// Receives, and does the sending.
pub(super) enum Events {
    V311(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

/// What comes of one look at the connection.
#[derive(Debug)]
pub(super) enum Event {
    Connected {
        session_present: bool,
    },
    /// The broker's answer to a subscription, filter by filter: granted as asked for, or what it said instead.
    Subscribed(Vec<Result<u8, String>>),
    Message(Message),
    /// An acknowledgement went out.
    Acknowledged,
    /// A publish went out.
    Published,
    /// The goodbye went out.
    SaidGoodbye,
    Other,
}

/// A message as it came.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    /// It is what the broker kept, told because we subscribed; not what just came.
    pub(super) retained: bool,
    /// What to acknowledge it by; `QoS` 0 has nothing.
    pub(super) ack: Option<Ack>,
}

/// A packet id that the broker waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ack(u16);

/// A new client with room for so many acknowledgements and receipts, not connected yet.
pub(super) fn new(
    settings: &Settings,
    session: Session,
    tunnel: Option<&tls::Tunnel>,
    requests: usize,
) -> (Client, Events) {
    let passing = session == Session::Passing;
    let room = requests + OTHER_REQUESTS;
    let (host, port) = match tunnel {
        Some(tunnel) => (tunnel.path(), settings.address.port),
        None => (settings.address.host.clone(), settings.address.port),
    };
    let login = settings.username.clone().map(|name| {
        let password = settings.password.clone().map(|secret| secret.0);
        (name, password.unwrap_or_default())
    });
    match settings.protocol {
        Protocol::V311 => {
            let mut options = rumqttc::MqttOptions::new(&settings.client_id, host, port);
            options
                .set_clean_session(passing)
                .set_keep_alive(KEEP_ALIVE)
                .set_manual_acks(true)
                .set_max_packet_size(MAX_PACKET as usize, MAX_PACKET as usize);
            if let Some((name, password)) = login {
                options.set_credentials(name, password);
            }
            if tunnel.is_some() {
                options.set_transport(rumqttc::Transport::Unix);
            }
            let (client, mut events) = rumqttc::AsyncClient::new(options, room);
            let mut network = rumqttc::NetworkOptions::new();
            network.set_connection_timeout(CONNECT_S).set_tcp_nodelay(true);
            events.set_network_options(network);
            (Client::V311(client), Events::V311(Box::new(events)))
        }
        Protocol::V5 => {
            let mut options = v5::MqttOptions::new(&settings.client_id, host, port);
            options
                .set_clean_start(passing)
                .set_keep_alive(KEEP_ALIVE)
                .set_manual_acks(true)
                .set_connection_timeout(CONNECT_S)
                .set_session_expiry_interval((!passing).then_some(SESSION_S))
                .set_receive_maximum(Some(settings.receive_maximum))
                .set_max_packet_size(Some(MAX_PACKET));
            let mut network = rumqttc::NetworkOptions::new();
            network.set_tcp_nodelay(true);
            options.set_network_options(network);
            if let Some((name, password)) = login {
                options.set_credentials(name, password);
            }
            if tunnel.is_some() {
                options.set_transport(rumqttc::Transport::Unix);
            }
            let (client, events) = v5::AsyncClient::new(options, room);
            (Client::V5(client), Events::V5(Box::new(events)))
        }
    }
}

impl Client {
    /// Queues a subscription; there is room for it.
    pub(super) fn subscribe(&self, filters: &[String], qos: u8) -> Result<(), Trouble> {
        let sent = match self {
            Self::V311(client) => {
                let qos = if qos == 0 {
                    rumqttc::QoS::AtMostOnce
                } else {
                    rumqttc::QoS::AtLeastOnce
                };
                let filters = filters
                    .iter()
                    .map(|path| rumqttc::SubscribeFilter::new(path.clone(), qos));
                client
                    .try_subscribe_many(filters)
                    .map_err(|error| error.to_string())
            }
            Self::V5(client) => {
                let level = if qos == 0 {
                    v5::mqttbytes::QoS::AtMostOnce
                } else {
                    v5::mqttbytes::QoS::AtLeastOnce
                };
                let filter = |path: &String| packets5::Filter {
                    // Receipts' counters stand as retained messages; a device's retained message would come again with
                    // every connection.
                    retain_forward_rule: if qos == 0 {
                        packets5::RetainForwardRule::OnEverySubscribe
                    } else {
                        packets5::RetainForwardRule::Never
                    },
                    ..packets5::Filter::new(path.clone(), level)
                };
                client
                    .try_subscribe_many(filters.iter().map(filter))
                    .map_err(|error| error.to_string())
            }
        };
        sent.map_err(Trouble::Broken)
    }

    /// Queues an acknowledgement, waiting for room.
    pub(super) async fn ack(&self, ack: Ack) -> Result<(), Trouble> {
        match self {
            Self::V311(client) => {
                let mut publish = rumqttc::Publish::new("", rumqttc::QoS::AtLeastOnce, Vec::new());
                publish.pkid = ack.0;
                client
                    .ack(&publish)
                    .await
                    .map_err(|error| Trouble::Lost(error.to_string()))
            }
            Self::V5(client) => {
                let mut publish =
                    packets5::Publish::new("", v5::mqttbytes::QoS::AtLeastOnce, Bytes::new(), None);
                publish.pkid = ack.0;
                client
                    .ack(&publish)
                    .await
                    .map_err(|error| Trouble::Lost(error.to_string()))
            }
        }
    }

    /// Queues a publish of `QoS` 0, waiting for room.
    pub(super) async fn publish(&self, topic: String, payload: Bytes) -> Result<(), Trouble> {
        let sent = match self {
            Self::V311(client) => {
                let sent = client
                    .publish_bytes(topic, rumqttc::QoS::AtMostOnce, false, payload)
                    .await;
                sent.map_err(|error| error.to_string())
            }
            Self::V5(client) => {
                let sent = client
                    .publish(topic, v5::mqttbytes::QoS::AtMostOnce, false, payload)
                    .await;
                sent.map_err(|error| error.to_string())
            }
        };
        sent.map_err(Trouble::Lost)
    }

    /// Queues the goodbye; there is room for it.
    pub(super) fn disconnect(&self) -> Result<(), Trouble> {
        let sent = match self {
            Self::V311(client) => client.try_disconnect().map_err(|error| error.to_string()),
            Self::V5(client) => client.try_disconnect().map_err(|error| error.to_string()),
        };
        sent.map_err(Trouble::Broken)
    }
}

impl Events {
    /// The next event. To be called all the time: this also sends.
    pub(super) async fn poll(&mut self) -> Result<Event, Trouble> {
        match self {
            Self::V311(events) => match events.poll().await {
                Ok(rumqttc::Event::Incoming(packet)) => Ok(incoming_311(packet)),
                Ok(rumqttc::Event::Outgoing(outgoing)) => Ok(went_out(&outgoing)),
                Err(error) => Err(Trouble::Lost(error.to_string())),
            },
            Self::V5(events) => {
                let event = match events.poll().await {
                    Ok(v5::Event::Incoming(packet)) => incoming_5(packet),
                    Ok(v5::Event::Outgoing(outgoing)) => went_out(&outgoing),
                    Err(error) => return Err(Trouble::Lost(error.to_string())),
                };
                if matches!(event, Event::Connected { .. }) && events.options.keep_alive().is_zero() {
                    // A broker may ask for no keep-alive; the client would take that for one without a pause.
                    events.options.set_keep_alive(KEEP_ALIVE);
                }
                Ok(event)
            }
        }
    }
}

const fn went_out(outgoing: &Outgoing) -> Event {
    match outgoing {
        Outgoing::PubAck(_) => Event::Acknowledged,
        Outgoing::Publish(_) => Event::Published,
        Outgoing::Disconnect => Event::SaidGoodbye,
        _ => Event::Other,
    }
}

fn incoming_311(packet: rumqttc::Packet) -> Event {
    use rumqttc::SubscribeReasonCode::{Failure, Success};
    match packet {
        rumqttc::Packet::ConnAck(connack) => Event::Connected {
            session_present: connack.session_present,
        },
        rumqttc::Packet::SubAck(suback) => {
            let answer = |code| match code {
                Success(qos) => Ok(qos as u8),
                Failure => Err("a refusal".to_owned()),
            };
            Event::Subscribed(suback.return_codes.into_iter().map(answer).collect())
        }
        rumqttc::Packet::Publish(publish) => Event::Message(Message {
            topic: publish.topic.into(),
            payload: publish.payload,
            retained: publish.retain,
            ack: (publish.pkid != 0).then_some(Ack(publish.pkid)),
        }),
        _ => Event::Other,
    }
}

fn incoming_5(packet: packets5::Packet) -> Event {
    match packet {
        packets5::Packet::ConnAck(connack) => Event::Connected {
            session_present: connack.session_present,
        },
        packets5::Packet::SubAck(suback) => {
            let answer = |code| match code {
                packets5::SubscribeReasonCode::Success(qos) => Ok(qos as u8),
                refusal => Err(format!("{refusal:?}")),
            };
            Event::Subscribed(suback.return_codes.into_iter().map(answer).collect())
        }
        packets5::Packet::Publish(publish) => Event::Message(Message {
            topic: publish.topic,
            payload: publish.payload,
            retained: publish.retain,
            ack: (publish.pkid != 0).then_some(Ack(publish.pkid)),
        }),
        _ => Event::Other,
    }
}
