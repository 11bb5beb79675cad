//! Tells a server the records of one boot, in order, some envelopes at a time: they are sent until the ingest has them.

use std::net::SocketAddr;
use std::time::Duration;

use agent::spool::{Batch, SpoolStatus};
use agent::uplink::message::{Message, Speaker};
use anyhow::{Context, bail, ensure};
use beltwatch::bench::mqtt::{self, Packet};
use bytes::BytesMut;
use domain::clock::Clock;
use domain::ids::{BootId, LogId, MachineId};
use domain::log::{Lane, Position};
use domain::units::MonotonicMicros;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use wire::ack::Ack;
use wire::credential::broker_password;
use wire::keys::MasterKey;
use wire::status::{LaneStatus, StatusOrder};
use wire::topics::Kind;

use super::feed::Life;
use crate::processes::PATIENCE;

/// How long is waited for an ack before a message is sent again.
const AGAIN: Duration = Duration::from_millis(1_500);
/// Envelopes that are under way at once.
const AT_ONCE: usize = 32;
/// Room for what is read at once, in octets.
const READ_BYTES: usize = 4 * 1024;

/// One connection of one boot.
pub(super) struct Player<'a> {
    life: &'a Life,
    speaker: Speaker,
    order: StatusOrder,
    stream: TcpStream,
    read: BytesMut,
    out: BytesMut,
    number: u16,
}

impl<'a> Player<'a> {
    /// Tells a part of a life over a connection of its own, `connection` from 1.
    pub(super) async fn play(
        broker: SocketAddr,
        master: &MasterKey,
        (life, batches): (&'a Life, &[Batch]),
        connection: u32,
    ) -> anyhow::Result<()> {
        let machine = MachineId::new(life.machine)?;
        let key = master.machine_key(&machine, 1);
        let mut boot = life.spool;
        boot[0] ^= 0x80 | u8::try_from(life.boot_count)?;
        let speaker = Speaker {
            machine,
            key,
            generation: 1,
            boot: BootId(boot),
            version: "1.2.3".to_owned(),
            capabilities: life.capabilities,
            configuration: None,
        };
        let stream = TcpStream::connect(broker).await.context("cannot connect to the broker")?;
        let order = StatusOrder { boot_count: life.boot_count, connection, counter: 0 };
        let (read, out) = (BytesMut::new(), BytesMut::new());
        let mut player = Player { life, speaker, order, stream, read, out, number: 0 };
        player.shake_hands().await?;
        for batches in batches.chunks(AT_ONCE) {
            player.tell(batches).await.with_context(|| life.machine.to_owned())?;
        }
        let will = player.speaker.will(life.boot_count, connection);
        player.queue(&will);
        mqtt::disconnect(&mut player.out);
        player.stream.write_all_buf(&mut player.out).await?;
        player.stream.shutdown().await?;
        // What the broker still has to say is read: else the connection is reset, and the will with it.
        while player.stream.read_buf(&mut player.read).await.is_ok_and(|octets| octets > 0) {
            player.read.clear();
        }
        Ok(())
    }

    async fn shake_hands(&mut self) -> anyhow::Result<()> {
        let name = self.speaker.machine.as_str().to_owned();
        let password = broker_password(&self.speaker.key, &self.speaker.machine);
        mqtt::connect(&mut self.out, &name, &name, &password);
        mqtt::subscribe(&mut self.out, &[self.speaker.topic(Kind::Ack).to_string()], 0);
        self.stream.write_all_buf(&mut self.out).await?;
        let (mut is_connected, mut is_subscribed) = (false, false);
        while !(is_connected && is_subscribed) {
            match self.next(PATIENCE).await?.context("the broker does not answer")? {
                Packet::ConnAck(code) => is_connected = code == 0,
                Packet::SubAck(codes) => is_subscribed = !codes.contains(&128),
                Packet::Publish { .. } | Packet::PubAck => {}
            }
        }
        let clock = self.life.batches.first().map_or(Clock::UNDATED, |batch| batch.clock);
        self.exchange(|player| player.status(clock), |_| true).await
    }

    /// Sends envelopes until the ingest has all of them.
    async fn tell(&mut self, batches: &[Batch]) -> anyhow::Result<()> {
        let mut last: [Option<Position>; 2] = [None, None];
        let mut messages = Vec::new();
        let mut clock = Clock::UNDATED;
        for batch in batches {
            let row = batch.rows.last().context("an empty envelope")?;
            // What the same lane was told before is under way, unless it is of the group before.
            let after = last[batch.lane.index()].replace(row.position);
            let batch = Batch { after, ..batch.clone() };
            let (log, now) = (self.log(batch.lane), MonotonicMicros(row.at.0 + 1));
            messages.push(self.speaker.envelope(log, self.life.boot_count, &batch, now));
            clock = batch.clock;
        }
        let mut committed: [Option<Position>; 2] = [None, None];
        let logs = Lane::ALL.map(|lane| self.log(lane));
        let is_taken = |ack: &Ack| {
            for told in ack.lanes.iter().filter(|told| logs.contains(&told.log)) {
                committed[told.lane.index()] = committed[told.lane.index()].max(told.committed);
            }
            last.iter().zip(&committed).all(|(last, committed)| committed >= last)
        };
        self.exchange(
            |player| {
                messages.iter().for_each(|message| player.queue(message));
                // A status makes the ingest say again what it has.
                player.status(clock);
            },
            is_taken,
        )
        .await
    }

    /// Says something, again and again, until an ack says what is wanted.
    async fn exchange(
        &mut self,
        mut say: impl FnMut(&mut Player<'a>),
        mut is_enough: impl FnMut(&Ack) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            say(self);
            self.stream.write_all_buf(&mut self.out).await?;
            while let Some(packet) = self.next(AGAIN).await? {
                let Packet::Publish { payload, .. } = packet else { continue };
                let ack = self.speaker.open_ack(payload)?;
                if let Some(refusal) = &ack.refusal {
                    bail!("refused: {refusal:?}");
                }
                if ack.boot == self.speaker.boot && is_enough(&ack) {
                    return Ok(());
                }
            }
        }
        bail!("no ack within {PATIENCE:?}")
    }

    fn status(&mut self, clock: Clock) {
        self.order.counter += 1;
        let lane = |lane: Lane| LaneStatus {
            lane,
            log: self.log(lane),
            first: None,
            next: self.life.next(lane),
            dropped: 0,
        };
        let status = SpoolStatus { lanes: Lane::ALL.map(lane), records: [0; 2], healthy: true, bytes: 0 };
        let message = self.speaker.status(self.order, clock, None, &status, MonotonicMicros(1));
        self.queue(&message);
    }

    fn log(&self, lane: Lane) -> LogId {
        LogId::for_lane(self.life.spool, lane)
    }

    fn queue(&mut self, message: &Message) {
        self.number = self.number.checked_add(1).unwrap_or(1);
        let topic = self.speaker.topic(message.kind).to_string();
        mqtt::publish(&mut self.out, &topic, &message.payload, message.is_retained(), Some(self.number));
    }

    /// The next packet; `None`: none came in time.
    async fn next(&mut self, longest: Duration) -> anyhow::Result<Option<Packet>> {
        loop {
            if let Some(packet) = mqtt::take(&mut self.read)? {
                return Ok(Some(packet));
            }
            self.read.reserve(READ_BYTES);
            match tokio::time::timeout(longest, self.stream.read_buf(&mut self.read)).await {
                Ok(octets) => ensure!(octets? > 0, "the broker closed the connection"),
                Err(_) => return Ok(None),
            }
        }
    }
}
