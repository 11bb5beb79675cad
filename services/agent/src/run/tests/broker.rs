//! A broker and an ingest in one small task, on a port of its own: enough to see what an agent does.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use domain::ids::{LogId, MachineId};
use domain::log::{Lane, Position};
use domain::units::UnixMicros;
use rumqttc::mqttbytes::Error;
use rumqttc::{
    ConnAck, Connect, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::ack::{Ack, LaneAck};
use wire::credential::Credential;
use wire::envelope::Envelope;
use wire::keys::MachineKey;
use wire::seal::{Unopened, seal};
use wire::status::Status;
use wire::topics::{Kind, Topic};

/// What the broker does with one connection. After the last of them it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Everything works.
    Serve,
    /// The subscription is refused.
    RefuseSubscription,
    /// The connection is cut at the first envelope, after it was taken and before it is acknowledged.
    CutAtEnvelope,
}

/// What came.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) connects: Vec<Connect>,
    pub(super) statuses: Vec<Status>,
    /// Octets of records by lane and position. A second copy must be the same.
    pub(super) records: BTreeMap<(Lane, Position), Vec<u8>>,
    committed: BTreeMap<LogId, Position>,
    acks: u64,
}

/// The broker.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) address: SocketAddr,
    pub(super) seen: Arc<Mutex<Seen>>,
}

impl Broker {
    pub(super) async fn start(manners: &[Manner]) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut manners: VecDeque<Manner> = manners.iter().copied().collect();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = manners.pop_front().unwrap_or(Manner::Serve);
                // That an agent goes away is part of the game.
                let _gone = serve(stream, manner, &shared).await;
            }
        });
        Broker { address, seen }
    }

    pub(super) fn credential(&self) -> Credential {
        Credential {
            machine: MachineId::new("tm-01").unwrap(),
            generation: 1,
            key: key(),
            broker: self.address.to_string(),
            tls: None,
        }
    }
}

fn key() -> MachineKey {
    MachineKey::from_hex(&"ab".repeat(32)).unwrap()
}

async fn serve(mut stream: TcpStream, manner: Manner, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        let packet = match Packet::read(&mut buffer, 1 << 20) {
            Ok(packet) => packet,
            Err(Error::InsufficientBytes(_)) => {
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        let mut answers = Vec::new();
        match packet {
            Packet::Connect(connect) => {
                seen.lock().unwrap().connects.push(connect);
                answers.push(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false)));
            }
            Packet::Subscribe(subscribe) => {
                let code = match manner {
                    Manner::RefuseSubscription => SubscribeReasonCode::Failure,
                    Manner::Serve | Manner::CutAtEnvelope => SubscribeReasonCode::Success(QoS::AtMostOnce),
                };
                answers.push(Packet::SubAck(SubAck::new(subscribe.pkid, vec![code])));
            }
            Packet::Publish(publish) => {
                let topic = Topic::parse(&publish.topic).unwrap();
                let ack = seen.lock().unwrap().take(&topic, publish.payload);
                if manner == Manner::CutAtEnvelope && topic.kind != Kind::Status {
                    return Ok(());
                }
                answers.push(Packet::PubAck(PubAck::new(publish.pkid)));
                answers.extend(ack.map(Packet::Publish));
            }
            Packet::PingReq => answers.push(Packet::PingResp),
            Packet::Disconnect => return Ok(()),
            Packet::ConnAck(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::SubAck(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp => panic!("an agent never sends this"),
        }
        let mut out = BytesMut::new();
        for answer in answers {
            answer.write(&mut out, 1 << 20).unwrap();
        }
        stream.write_all(&out).await?;
    }
}

impl Seen {
    fn take(&mut self, topic: &Topic, payload: bytes::Bytes) -> Option<Publish> {
        let body = Unopened::read(payload).unwrap().open(&key(), topic).unwrap();
        self.acks += 1;
        let (sent, boot, lanes) = if topic.kind == Kind::Status {
            let status = Status::decode(body).unwrap();
            self.statuses.push(status.clone());
            if status.offline {
                return None;
            }
            let lanes = status.lanes.iter().map(|lane| (lane.lane, lane.log)).collect();
            (status.sent, status.boot, lanes)
        } else {
            let envelope = Envelope::decode(body).unwrap();
            self.take_envelope(&envelope);
            (envelope.sent, envelope.sender, vec![(envelope.lane, envelope.log)])
        };
        let lanes = lanes.into_iter().map(|(lane, log)| LaneAck {
            lane,
            log,
            committed: self.committed.get(&log).copied(),
            maker: None,
            window: 64,
        });
        let ack = Ack {
            boot,
            connection: self.statuses.last()?.order.connection,
            counter: self.acks,
            lanes: lanes.collect(),
            echo: Some((sent, 0)),
            server_time: UnixMicros(1_700_000_000_000_000),
            refusal: None,
            settings: None,
        };
        let topic = Topic::new(topic.machine.clone(), Kind::Ack);
        let payload = seal(&key(), 1, &topic, ack.encode());
        Some(Publish::new(topic.to_string(), QoS::AtMostOnce, payload))
    }

    fn take_envelope(&mut self, envelope: &Envelope) {
        let committed = self.committed.get(&envelope.log).copied();
        if envelope.after > committed {
            return;
        }
        for entry in &envelope.entries {
            let position = Position::new(envelope.boot.boot_count, entry.n);
            let octets = entry.record.to_vec();
            if Some(position) > committed {
                self.records.insert((envelope.lane, position), octets);
                self.committed.insert(envelope.log, position);
            } else {
                assert_eq!(self.records[&(envelope.lane, position)], octets, "records never change");
            }
        }
    }
}
