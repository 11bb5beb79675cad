//! A simple agent: two lanes of records, sent again from the last acknowledged one until all are acknowledged.

use bytes::Bytes;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId, MachineId};
use domain::log::{BootStart, Lane, Position};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, SECOND, Speed};
use wire::ack::Ack;
use wire::envelope::{Entry, Envelope};
use wire::keys::MasterKey;
use wire::seal::{Unopened, seal};
use wire::status::{LaneStatus, Status, StatusOrder};
use wire::topics::{Kind, Topic};

/// Unix time of monotonic 0 of every boot: 2025-01-01, in microseconds.
pub(crate) const EPOCH: i64 = 1_735_689_600_000_000;

/// A message on its way to the ingest.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
}

/// A record in the spool.
#[derive(Debug, Clone)]
pub(crate) struct Spooled {
    pub(crate) boot: BootStart,
    pub(crate) n: u64,
    pub(crate) octets: Bytes,
    /// Whether a power cut leaves it.
    pub(crate) synced: bool,
}

impl Spooled {
    pub(crate) fn position(&self) -> Position {
        Position::new(self.boot.boot_count, self.n)
    }
}

pub(crate) fn index(lane: Lane) -> usize {
    usize::from(lane == Lane::Readings)
}

#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) machine: MachineId,
    pub(crate) master: MasterKey,
    pub(crate) generation: u32,
    pub(crate) spool: [u8; 16],
    pub(crate) boot: BootId,
    pub(crate) boots: [BootStart; 2],
    pub(crate) connection: u32,
    pub(crate) counter: u64,
    pub(crate) next_n: [u64; 2],
    /// What the spool holds, by lane.
    pub(crate) spooled: [Vec<Spooled>; 2],
    /// Up to where acks trimmed it, by lane.
    pub(crate) trimmed: [Option<Position>; 2],
    /// Everything that was ever written and is not lost by a power cut, by lane.
    pub(crate) written: [Vec<(Position, Record)>; 2],
    /// Monotonic time; goes on across boots, so that event time does.
    pub(crate) at: MonotonicMicros,
    pub(crate) clock: Clock,
    pub(crate) acks_seen: u64,
}

impl Agent {
    pub(crate) fn new(name: &str, master: &MasterKey) -> Agent {
        let clock = Clock { quality: ClockQuality::Synchronised, offset_us: EPOCH, uncertainty_us: 1_000 };
        let mut agent = Agent {
            machine: MachineId::new(name).expect("an id"),
            master: master.clone(),
            generation: 1,
            spool: [7; 16],
            boot: BootId([0; 16]),
            boots: [BootStart::default(); 2],
            connection: 0,
            counter: 0,
            next_n: [1; 2],
            spooled: Default::default(),
            trimmed: [None; 2],
            written: Default::default(),
            at: MonotonicMicros(SECOND),
            clock,
            acks_seen: 0,
        };
        agent.restart(1);
        agent
    }

    pub(crate) fn log(&self, lane: Lane) -> LogId {
        LogId::for_lane(self.spool, lane)
    }

    fn last(&self, lane: Lane) -> Option<Position> {
        self.spooled[index(lane)].last().map(Spooled::position).max(self.trimmed[index(lane)])
    }

    /// A new process with the same spool.
    pub(crate) fn restart(&mut self, process: u8) {
        let boot_count = self.boots[0].boot_count + 1;
        for lane in Lane::ALL {
            let (previous, other_previous) = (self.last(lane), self.last(lane.other()));
            let maker = Some(BootId([process; 16]));
            self.boots[index(lane)] = BootStart { boot_count, previous, other_previous, maker };
        }
        self.next_n = [1; 2];
        self.boot = BootId([process; 16]);
        self.connection = 0;
        self.connect();
    }

    /// What was not synced is lost; whether it was delivered nobody knows.
    pub(crate) fn power_cut(&mut self, process: u8) {
        for lane in Lane::ALL {
            let lost: Vec<Position> =
                self.spooled[index(lane)].iter().filter(|row| !row.synced).map(Spooled::position).collect();
            self.spooled[index(lane)].retain(|row| row.synced);
            self.written[index(lane)].retain(|(position, _)| !lost.contains(position));
        }
        self.restart(process);
    }

    /// The spool is gone with all that was in it; a new one begins.
    pub(crate) fn wipe(&mut self, spool: u8, process: u8) {
        for lane in Lane::ALL {
            let lost: Vec<Position> = self.spooled[index(lane)].iter().map(Spooled::position).collect();
            self.written[index(lane)].retain(|(position, _)| !lost.contains(position));
        }
        self.spool = [spool; 16];
        self.spooled = Default::default();
        self.trimmed = [None; 2];
        self.boots = [BootStart::default(); 2];
        self.restart(process);
    }

    pub(crate) fn connect(&mut self) {
        self.connection += 1;
        self.counter = 0;
        self.acks_seen = 0;
    }

    /// Writes a record a second after the last one.
    pub(crate) fn write(&mut self, payload: Payload) -> Position {
        self.at = self.at.plus(SECOND);
        let lane = payload.lane();
        let record = Record { at: self.at, other_n: self.next_n[index(lane.other())] - 1, payload };
        self.write_octets(lane, wire::record::encode(&record), Some(record))
    }

    pub(crate) fn write_octets(&mut self, lane: Lane, octets: Bytes, record: Option<Record>) -> Position {
        let (boot, n) = (self.boots[index(lane)], self.next_n[index(lane)]);
        let position = Position::new(boot.boot_count, n);
        self.next_n[index(lane)] += 1;
        self.spooled[index(lane)].push(Spooled { boot, n, octets, synced: true });
        self.written[index(lane)].extend(record.map(|record| (position, record)));
        position
    }

    pub(crate) fn reading(&mut self, mm_s: u32) -> Position {
        let speed = Speed(mm_s);
        let speed = SpeedSummary { mean: speed, min: speed, max: speed, rise: None, fall: None };
        let direction = if mm_s == 0 { Direction::Stopped } else { Direction::Reverse };
        self.write(Payload::Reading(Reading {
            span_ms: 1_000,
            direction,
            origin: Origin::Measured,
            speed: Some(speed),
            holds_for_ms: 2_000,
            ..Reading::default()
        }))
    }

    pub(crate) fn event(&mut self, kind: EventKind) -> Position {
        let at = self.at.plus(SECOND);
        self.write(Payload::Event(Event::new(kind, at, Belt::default(), Belt::default())))
    }

    pub(crate) fn topic(&self, kind: Kind) -> Topic {
        Topic::new(self.machine.clone(), kind)
    }

    pub(crate) fn seal(&self, kind: Kind, body: Bytes) -> Sent {
        let (topic, key) = (self.topic(kind), self.master.machine_key(&self.machine, self.generation));
        Sent { topic: topic.to_string(), payload: seal(&key, self.generation, &topic, body) }
    }

    /// The envelope of at most `max` records after `cursor`, and its last position; `None`: there are none.
    pub(crate) fn envelope_after(
        &self,
        lane: Lane,
        cursor: Option<Position>,
        max: usize,
    ) -> Option<(Envelope, Position)> {
        let rows = &self.spooled[index(lane)];
        let start = rows.partition_point(|row| Some(row.position()) <= cursor);
        let first = rows.get(start)?;
        let of_boot = rows[start..].iter().take_while(|row| row.boot == first.boot).take(max);
        let entries: Vec<Entry> = of_boot.map(|row| Entry { n: row.n, record: row.octets.clone() }).collect();
        let envelope = Envelope {
            log: self.log(lane),
            sender: self.boot,
            sender_boot_count: self.boots[0].boot_count,
            lane,
            boot: first.boot,
            after: start.checked_sub(1).map(|before| rows[before].position()),
            after_maker: start.checked_sub(1).and_then(|before| rows[before].boot.maker),
            clock: self.clock,
            sent: self.at,
            entries,
        };
        let last = envelope.last();
        Some((envelope, last))
    }

    pub(crate) fn send(&self, envelope: &Envelope) -> Sent {
        let kind = match envelope.lane {
            Lane::Events => Kind::Events,
            Lane::Readings => Kind::Readings,
        };
        self.seal(kind, envelope.encode())
    }

    /// Everything in the spool, in envelopes of at most `max` records.
    pub(crate) fn send_all(&self, max: usize) -> Vec<Sent> {
        let mut sent = Vec::new();
        for lane in Lane::ALL {
            let mut cursor = None;
            while let Some((envelope, last)) = self.envelope_after(lane, cursor, max) {
                sent.push(self.send(&envelope));
                cursor = Some(last);
            }
        }
        sent
    }

    pub(crate) fn status(&mut self) -> Status {
        self.counter += 1;
        let boot_count = self.boots[0].boot_count;
        let lane = |lane: Lane| LaneStatus {
            lane,
            log: self.log(lane),
            first: self.spooled[index(lane)].first().map(Spooled::position),
            next: Position::new(boot_count, self.next_n[index(lane)]),
            dropped: 0,
        };
        Status {
            boot: self.boot,
            order: StatusOrder { boot_count, connection: self.connection, counter: self.counter },
            offline: false,
            sent: self.at,
            clock: self.clock,
            agent_version: "1.2.3".to_owned(),
            capabilities: Capabilities::SPEED.and(Capabilities::DIRECTION),
            belt: None,
            lanes: Lane::ALL.map(lane).to_vec(),
            spool_healthy: true,
            spool_bytes: 1_000,
        }
    }

    pub(crate) fn send_status(&mut self) -> Sent {
        let body = self.status().encode();
        self.seal(Kind::Status, body)
    }

    /// Opens an ack; `None`: it is not for this machine or does not hold its seal.
    pub(crate) fn open(&self, topic: &str, payload: &Bytes) -> Option<Ack> {
        let own = self.topic(Kind::Ack);
        let key = self.master.machine_key(&self.machine, self.generation);
        let opened = Unopened::read(payload.clone()).ok()?.open(&key, &own).ok()?;
        (topic == own.to_string()).then(|| Ack::decode(opened).expect("an ack"))
    }

    /// Trims what an ack says is committed, if it is for this process and connection and not older than the last.
    pub(crate) fn take(&mut self, ack: &Ack) -> bool {
        let is_mine = ack.boot == self.boot && ack.connection == self.connection;
        if !is_mine || ack.counter <= self.acks_seen {
            return false;
        }
        self.acks_seen = ack.counter;
        for lane in &ack.lanes {
            if lane.log != self.log(lane.lane) {
                continue;
            }
            self.spooled[index(lane.lane)].retain(|row| Some(row.position()) > lane.committed);
            let trimmed = &mut self.trimmed[index(lane.lane)];
            *trimmed = (*trimmed).max(lane.committed);
        }
        true
    }
}
