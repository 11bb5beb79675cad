//! A load: machines with a connection each, on one thread of their own, so that what they cost can be told apart.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use agent::source::simulate::Profile;
use agent::uplink::message::{Message, Speaker};
use anyhow::{Context, bail, ensure};
use bytes::{Bytes, BytesMut};
use domain::clock::Clock;
use domain::ids::{BootId, MachineId};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, SECOND};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, Interval};
use wire::credential::broker_password;
use wire::keys::MasterKey;
use wire::topics::Kind;

use super::machine::{Habits, Machine};
use super::mqtt::{self, Packet};
use super::tally::Tally;
use super::tape::Tape;

/// Name of the thread, by which its cost is found.
pub(super) const THREAD: &str = "load";
/// How long the machines' boots have lasted, so that what they tell is of the past.
const BOOT_AGE_US: u64 = 30 * 24 * 3_600 * SECOND;
/// How often a machine looks at the time, unless its pace asks for more.
const TICK: Duration = Duration::from_millis(200);
/// How often it does at most.
const TICK_LEAST: Duration = Duration::from_millis(5);
/// Multiples of this, without their whole part, lie evenly between 0 and 1, however many there are.
const GOLDEN: f64 = 0.618_034;
/// Connections that are being made at once.
const HANDSHAKES: usize = 32;
/// How long all machines may take to be connected and answered.
const CONNECT_MAX: Duration = Duration::from_secs(60);
/// How long what was made may take to be acknowledged.
const DRAIN_MAX: Duration = Duration::from_secs(120);
/// How often is looked whether something has come to pass.
const POLL: Duration = Duration::from_millis(20);
/// Room for what is read at once, in octets.
const READ_BYTES: usize = 4 * 1024;
/// Different tapes; machines share them.
const TAPES: u64 = 4;

/// What the machines are to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    /// Make nothing; deliver what there is.
    Drain,
    /// Keep the window full.
    Fill,
    /// Keep the window full until each machine has made so many readings.
    FillTo(u64),
    /// Make so many envelopes of readings a second, each machine, one after the other.
    Pace(f64),
    /// Disconnect and end.
    Stop,
}

impl Order {
    /// How many readings a machine makes at most while its window is kept full; `None`: it is not.
    fn to_fill(self) -> Option<u64> {
        match self {
            Order::Fill => Some(u64::MAX),
            Order::FillTo(most) => Some(most),
            Order::Drain | Order::Pace(_) | Order::Stop => None,
        }
    }
}

/// What a load consists of, and where it goes.
#[derive(Debug, Clone)]
pub struct LoadSettings {
    /// The machines; the server has to know them.
    pub machines: Vec<MachineId>,
    /// Readings in an envelope.
    pub readings_per_envelope: usize,
    /// Where they publish.
    pub broker: SocketAddr,
    /// The key from which their keys follow.
    pub master: MasterKey,
}

/// A running load.
#[derive(Debug)]
pub struct Fleet {
    thread: JoinHandle<()>,
    orders: watch::Sender<Order>,
    tally: Arc<Mutex<Tally>>,
}

/// The machines' monotonic clock.
pub(super) fn now() -> MonotonicMicros {
    agent::clock::monotonic().plus(BOOT_AGE_US)
}

impl Fleet {
    /// Connects all machines. Each has been answered once when this returns; none has made anything.
    ///
    /// # Errors
    /// The broker or the ingest did not take all of them in time.
    pub async fn start(settings: LoadSettings) -> anyhow::Result<Fleet> {
        let count = settings.machines.len();
        let tally = Arc::new(Mutex::new(Tally::new()));
        let (orders, seen) = watch::channel(Order::Drain);
        let machines = machines(&settings)?;
        let counted = tally.clone();
        let run = move || drive(machines, settings.broker, &seen, &counted);
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(run);
        let fleet = Fleet { thread: thread.context("no thread for the load")?, orders, tally };
        fleet
            .wait(CONNECT_MAX, "not all machines were answered", |tally| tally.machines_heard >= count)
            .await?;
        Ok(fleet)
    }

    /// What was counted so far.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    /// What the machines do from now on.
    pub fn order(&self, order: Order) {
        self.orders.send_replace(order);
    }

    /// Goes on for so long.
    ///
    /// # Errors
    /// A connection was lost.
    pub async fn run_for(&self, time: Duration) -> anyhow::Result<()> {
        tokio::time::sleep(time).await;
        self.check()
    }

    /// Makes nothing more, and waits until everything that was made is acknowledged.
    ///
    /// # Errors
    /// A connection was lost, or it took too long.
    pub async fn drain(&self) -> anyhow::Result<()> {
        self.order(Order::Drain);
        self.wait(DRAIN_MAX, "not everything was acknowledged", Tally::is_drained).await
    }

    /// Disconnects all machines.
    ///
    /// # Errors
    /// The thread panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.order(Order::Stop);
        let ended = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        ended.map_err(|_| anyhow::anyhow!("the load's thread panicked"))
    }

    fn check(&self) -> anyhow::Result<()> {
        match &self.tally().failed {
            Some(reason) => bail!("{reason}"),
            None => Ok(()),
        }
    }

    async fn wait(
        &self,
        longest: Duration,
        what: &str,
        is_done: impl Fn(&Tally) -> bool,
    ) -> anyhow::Result<()> {
        let done = async {
            while !is_done(&self.tally()) {
                self.check()?;
                tokio::time::sleep(POLL).await;
            }
            Ok(())
        };
        let waited = tokio::time::timeout(longest, done).await;
        waited.with_context(|| format!("{what} within {} s", longest.as_secs()))?
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

fn machines(settings: &LoadSettings) -> anyhow::Result<Vec<Machine>> {
    let system = agent::clock::system();
    let age = i64::try_from(BOOT_AGE_US).expect("30 days are a small number");
    let clock = Clock { offset_us: system.offset_us - age, ..system };
    let habits = Habits { readings_per_envelope: settings.readings_per_envelope, clock };
    let tapes: Vec<Arc<Tape>> = (0..TAPES)
        .map(|seed| {
            let profile = if seed % 2 == 0 { Profile::encoder() } else { Profile::ftms() };
            Arc::new(Tape::make(profile, seed))
        })
        .collect();
    let mut made = Vec::with_capacity(settings.machines.len());
    for (number, machine) in settings.machines.iter().enumerate() {
        let (mut boot, mut spool) = ([0; 16], [0; 16]);
        getrandom::fill(&mut boot).and_then(|()| getrandom::fill(&mut spool)).context("no random octets")?;
        let speaker = Speaker {
            machine: machine.clone(),
            key: settings.master.machine_key(machine, 1),
            generation: 1,
            boot: BootId(boot),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capabilities: Capabilities::SPEED,
            configuration: None,
        };
        let tape = tapes[number % tapes.len()].clone();
        made.push(Machine::new(speaker, spool, tape, habits, number as u64));
    }
    Ok(made)
}

/// The load's thread.
fn drive(
    machines: Vec<Machine>,
    broker: SocketAddr,
    orders: &watch::Receiver<Order>,
    tally: &Arc<Mutex<Tally>>,
) {
    let fail = |reason: String| lock(tally).failed.get_or_insert(reason).clone();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            fail(format!("the load cannot run: {error}"));
            return;
        }
    };
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        let spreads = std::iter::successors(Some(0.0), |spread: &f64| Some((spread + GOLDEN).fract()));
        for (machine, spread) in machines.into_iter().zip(spreads) {
            let name = machine.speaker().machine.clone();
            let link = Link::new(machine, spread, orders.clone(), tally.clone());
            let running = link.run(broker, handshakes.clone());
            tasks.spawn_local(async move { running.await.with_context(|| format!("machine {name}")) });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended.map_err(anyhow::Error::from).flatten() {
                fail(format!("{error:#}"));
            }
        }
    });
}

/// One machine and its connection.
struct Link {
    machine: Machine,
    orders: watch::Receiver<Order>,
    tally: Arc<Mutex<Tally>>,
    read: BytesMut,
    out: BytesMut,
    messages: Vec<Message>,
    topics: [(Kind, String); 4],
    number: u16,
    /// After which part of a period this machine begins, 0 to 1.
    spread: f64,
    /// Envelopes that are due, when paced.
    due: f64,
    ticked: MonotonicMicros,
}

impl Link {
    fn new(machine: Machine, spread: f64, orders: watch::Receiver<Order>, tally: Arc<Mutex<Tally>>) -> Link {
        let topics = Kind::ALL.map(|kind| (kind, machine.speaker().topic(kind).to_string()));
        Link {
            machine,
            orders,
            tally,
            read: BytesMut::new(),
            out: BytesMut::new(),
            messages: Vec::new(),
            topics,
            number: 0,
            spread,
            due: 0.0,
            ticked: now(),
        }
    }

    async fn run(mut self, broker: SocketAddr, handshakes: Arc<Semaphore>) -> anyhow::Result<()> {
        let permit = handshakes.acquire().await?;
        let mut stream = TcpStream::connect(broker).await.context("cannot connect to the broker")?;
        stream.set_nodelay(true)?;
        self.shake_hands(&mut stream).await?;
        drop(permit);
        self.machine.connected(now(), &mut lock(&self.tally), &mut self.messages);
        let (mut reader, mut writer) = stream.into_split();
        let mut ticks = tokio::time::interval(TICK);
        loop {
            self.queue();
            self.read.reserve(READ_BYTES);
            tokio::select! {
                read = reader.read_buf(&mut self.read) => {
                    ensure!(read.context("the connection broke")? > 0, "the broker closed the connection");
                    self.incoming()?;
                }
                written = writer.write_buf(&mut self.out), if !self.out.is_empty() => {
                    written.context("the connection broke")?;
                }
                changed = self.orders.changed() => {
                    if changed.is_err() || *self.orders.borrow_and_update() == Order::Stop {
                        mqtt::disconnect(&mut self.out);
                        return writer.write_all(&self.out).await.context("the connection broke");
                    }
                    ticks = self.ticks();
                }
                _ = ticks.tick() => self.tick(),
            }
        }
    }

    /// When to look at the time, as it is ordered now. Machines do not go in step.
    fn ticks(&mut self) -> Interval {
        let mut period = TICK;
        if let Order::Pace(a_second) = *self.orders.borrow() {
            period = Duration::from_secs_f64(1.0 / a_second.max(1.0)).clamp(TICK_LEAST, TICK);
        }
        self.due = 0.0;
        let first = period.mul_f64(self.spread);
        self.ticked = now().plus(u64::try_from(first.as_micros()).unwrap_or(0));
        tokio::time::interval_at(Instant::now() + first, period)
    }

    /// Connects and subscribes to the machine's acks.
    async fn shake_hands(&mut self, stream: &mut TcpStream) -> anyhow::Result<()> {
        let speaker = self.machine.speaker();
        let machine = speaker.machine.as_str();
        mqtt::connect(&mut self.out, machine, machine, &broker_password(&speaker.key, &speaker.machine));
        mqtt::subscribe(&mut self.out, &[speaker.topic(Kind::Ack).to_string()], 0);
        stream.write_all_buf(&mut self.out).await?;
        let mut is_taken = [false; 2];
        while is_taken != [true; 2] {
            ensure!(stream.read_buf(&mut self.read).await? > 0, "the broker closed the connection");
            while let Some(packet) = mqtt::take(&mut self.read)? {
                match packet {
                    Packet::ConnAck(code) => is_taken[0] = code == 0,
                    Packet::SubAck(codes) => is_taken[1] = !codes.contains(&128),
                    Packet::Publish { .. } | Packet::PubAck => {}
                }
            }
        }
        Ok(())
    }

    fn incoming(&mut self) -> anyhow::Result<()> {
        while let Some(packet) = mqtt::take(&mut self.read)? {
            match packet {
                Packet::Publish { payload, .. } => self.heard(payload)?,
                // It proves nothing; only an ack counts.
                Packet::PubAck | Packet::ConnAck(_) | Packet::SubAck(_) => {}
            }
        }
        Ok(())
    }

    fn heard(&mut self, payload: Bytes) -> anyhow::Result<()> {
        let (tally, now) = (&mut lock(&self.tally), now());
        self.machine.heard(payload, now, tally, &mut self.messages)?;
        if let Some(most) = self.orders.borrow().to_fill() {
            self.machine.fill(most, now, tally, &mut self.messages);
        }
        Ok(())
    }

    fn tick(&mut self) {
        let (tally, now) = (&mut lock(&self.tally), now());
        let out = &mut self.messages;
        let passed_us = now.since(std::mem::replace(&mut self.ticked, now));
        let order = *self.orders.borrow();
        match order {
            Order::Fill | Order::FillTo(_) => {
                self.machine.fill(order.to_fill().unwrap_or(0), now, tally, out);
                self.machine.tick(true, now, tally, out);
            }
            Order::Pace(a_second) => {
                self.due += a_second * Duration::from_micros(passed_us).as_secs_f64();
                let envelopes = self.due.floor();
                self.due -= envelopes;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole envelopes that are due: few, not negative"
                )]
                let envelopes = envelopes as u64;
                self.machine.make(envelopes, now, tally, out);
                self.machine.tick(false, now, tally, out);
            }
            Order::Drain | Order::Stop => {
                self.machine.flush(now, tally, out);
                self.machine.tick(false, now, tally, out);
            }
        }
    }

    /// Turns messages into packets.
    fn queue(&mut self) {
        for message in self.messages.drain(..) {
            self.number = self.number.checked_add(1).unwrap_or(1);
            let topic = self.topics.iter().find(|(kind, _)| *kind == message.kind);
            let (_, topic) = topic.expect("every kind has its topic");
            mqtt::publish(&mut self.out, topic, &message.payload, message.is_retained(), Some(self.number));
        }
    }
}
