//! The floor: the same broker and the same load, with a subscriber in the place of the ingest that keeps nothing. It
//! answers each machine once a second, and sooner when a quarter of the window was used, as the ingest does: else a few
//! machines would measure their windows.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::{Bytes, BytesMut};
use domain::ids::{BootId, MachineId};
use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::ack::{Ack, LaneAck};
use wire::credential::broker_password;
use wire::envelope::Envelope;
use wire::keys::{MachineKey, MasterKey};
use wire::seal::{Unopened, seal};
use wire::status::Status;
use wire::topics::{Kind, Topic, filter_all};

use super::mqtt::{self, Packet};
use crate::broker::{Access, Broker, BrokerSettings, Reason, Who};

const SERVICE: &str = "Floor";
const ACK_PERIOD: Duration = Duration::from_secs(1);
/// Room for what is read at once, in octets.
const READ_BYTES: usize = 256 * 1024;
/// Envelopes since the last ack that are worth one at once.
const ENVELOPES_WORTH_AN_ACK: u32 = limits::WINDOW_ENVELOPES / 4;

/// A running floor.
#[derive(Debug)]
pub(super) struct Floor {
    broker: Broker,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Floor {
    /// Starts a broker and the subscriber.
    ///
    /// # Errors
    /// The broker cannot be started, or does not take the subscriber.
    pub(super) async fn start(machines: &[MachineId], master: &MasterKey) -> anyhow::Result<Floor> {
        let access = Arc::new(Floors { master: master.clone() });
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = Broker::start(BrokerSettings::at(listen), access).await?;
        let mut subscriber = Subscriber::new(machines, master);
        let stream = subscriber.connect(broker.local_addr(), master).await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(subscriber.run(stream, stop.clone()));
        Ok(Floor { broker, stop, task })
    }

    /// Where the broker listens.
    pub(super) fn broker(&self) -> SocketAddr {
        self.broker.local_addr()
    }

    /// Messages that the broker dropped because the subscriber was slow.
    pub(super) fn dropped(&self) -> u64 {
        self.broker.refused(Reason::Behind)
    }

    /// Ends both.
    ///
    /// # Errors
    /// The subscriber had lost its connection, or met something that it cannot read.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = self.task.await;
        self.broker.stop().await;
        ended?.context("the floor's subscriber")
    }
}

/// Lets in the machines of the load and the subscriber.
struct Floors {
    master: MasterKey,
}

impl Access for Floors {
    fn authenticate(&self, _client_id: &str, user: Option<&str>, password: Option<&[u8]>) -> Option<Who> {
        let (user, password) = user.zip(password)?;
        if user == SERVICE {
            let expected = self.master.purpose_key(SERVICE).to_hex();
            return (expected.as_bytes() == password).then_some(Who::Service);
        }
        let machine = MachineId::new(user).ok()?;
        let key = self.master.machine_key(&machine, 1);
        (broker_password(&key, &machine).as_bytes() == password).then_some(Who::Machine(machine))
    }
}

/// One machine, as the subscriber knows it.
struct Spoken {
    ack_topic: Topic,
    key: MachineKey,
    connection: Option<(BootId, u32)>,
    counter: u64,
    /// The newest envelope of each lane, unread.
    newest: [Option<Bytes>; 2],
    envelopes: u32,
}

struct Subscriber {
    /// By topic.
    numbers: HashMap<Bytes, (usize, Kind)>,
    machines: Vec<Spoken>,
    read: BytesMut,
    out: BytesMut,
}

impl Subscriber {
    fn new(machines: &[MachineId], master: &MasterKey) -> Subscriber {
        let mut numbers = HashMap::new();
        for (number, machine) in machines.iter().enumerate() {
            for kind in [Kind::Events, Kind::Readings, Kind::Status] {
                let topic = Topic::new(machine.clone(), kind).to_string();
                numbers.insert(Bytes::from(topic), (number, kind));
            }
        }
        let spoken = |machine: &MachineId| Spoken {
            ack_topic: Topic::new(machine.clone(), Kind::Ack),
            key: master.machine_key(machine, 1),
            connection: None,
            counter: 0,
            newest: [None, None],
            envelopes: 0,
        };
        let machines = machines.iter().map(spoken).collect();
        Subscriber { numbers, machines, read: BytesMut::new(), out: BytesMut::new() }
    }

    async fn connect(&mut self, broker: SocketAddr, master: &MasterKey) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(broker).await?;
        stream.set_nodelay(true)?;
        mqtt::connect(&mut self.out, "floor", SERVICE, &master.purpose_key(SERVICE).to_hex());
        mqtt::subscribe(&mut self.out, &[Kind::Events, Kind::Readings, Kind::Status].map(filter_all), 1);
        stream.write_all_buf(&mut self.out).await?;
        loop {
            ensure!(
                stream.read_buf(&mut self.read).await? > 0,
                "the broker does not take the floor's subscriber"
            );
            while let Some(packet) = mqtt::take(&mut self.read)? {
                match packet {
                    Packet::ConnAck(0) => {}
                    Packet::SubAck(codes) if !codes.contains(&128) => return Ok(stream),
                    Packet::ConnAck(_) | Packet::SubAck(_) | Packet::Publish { .. } | Packet::PubAck => {
                        bail!("the broker does not take the floor's subscriber")
                    }
                }
            }
        }
    }

    async fn run(mut self, stream: TcpStream, stop: CancellationToken) -> anyhow::Result<()> {
        let (mut reader, mut writer) = stream.into_split();
        let mut seconds = tokio::time::interval(ACK_PERIOD);
        loop {
            self.read.reserve(READ_BYTES);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                read = reader.read_buf(&mut self.read) => {
                    ensure!(read? > 0, "the broker closed the connection");
                    while let Some(packet) = mqtt::take(&mut self.read)? {
                        self.take(packet)?;
                    }
                }
                written = writer.write_buf(&mut self.out), if !self.out.is_empty() => {
                    written?;
                }
                _ = seconds.tick() => {
                    for number in 0..self.machines.len() {
                        if self.machines[number].envelopes > 0 {
                            self.answer(number)?;
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, packet: Packet) -> anyhow::Result<()> {
        let Packet::Publish { topic, payload, number: confirm } = packet else { return Ok(()) };
        if let Some(number) = confirm {
            mqtt::confirm(&mut self.out, number);
        }
        let Some((number, kind)) = self.numbers.get(&topic).copied() else { return Ok(()) };
        let machine = &mut self.machines[number];
        let lane = match kind {
            Kind::Events => Lane::Events,
            Kind::Readings => Lane::Readings,
            Kind::Status => {
                let status = Status::decode(Unopened::read(payload)?.body().clone())?;
                machine.connection = Some((status.boot, status.order.connection));
                return self.answer(number);
            }
            Kind::Ack => return Ok(()),
        };
        machine.newest[lane.index()] = Some(payload);
        machine.envelopes += 1;
        if machine.envelopes >= ENVELOPES_WORTH_AN_ACK {
            return self.answer(number);
        }
        Ok(())
    }

    /// An ack for the newest envelope of each lane that has come since the last one.
    fn answer(&mut self, number: usize) -> anyhow::Result<()> {
        let machine = &mut self.machines[number];
        let Some((boot, connection)) = machine.connection else { return Ok(()) };
        let mut lanes = Vec::new();
        for payload in machine.newest.iter_mut().filter_map(Option::take) {
            let envelope = Envelope::decode(Unopened::read(payload)?.body().clone())?;
            let (lane, log, committed) = (envelope.lane, envelope.log, Some(envelope.last()));
            lanes.push(LaneAck { lane, log, committed, maker: None, window: limits::WINDOW_ENVELOPES });
        }
        machine.envelopes = 0;
        machine.counter += 1;
        let (counter, server_time) = (machine.counter, UnixMicros(0));
        let ack =
            Ack { boot, connection, counter, lanes, echo: None, server_time, refusal: None, settings: None };
        let payload = seal(&machine.key, 1, &machine.ack_topic, ack.encode());
        mqtt::publish(&mut self.out, &machine.ack_topic.to_string(), &payload, false, None);
        Ok(())
    }
}
