//! The agent's loop: turns the world into inputs and performs the effects. It owns everything that changes.

use std::time::Duration;

use domain::ids::MachineId;
use domain::log::Lane;
use domain::units::{MonotonicMicros, SECOND};
use tokio::sync::watch;

use super::Progress;
use super::observer::Observer;
use super::truth::Truth;
use crate::clock;
use crate::outbox::{Effect, Input, Notice, Outbox};
use crate::spool::Row;
use crate::spool::sqlite::SqliteDisk;
use crate::uplink::mqtt::{Connector, Link, Publisher};

/// How long the loop sleeps at most.
const STEP_US: u64 = SECOND / 10;
/// How often the system's clock is looked at, if it is trusted.
const SYSTEM_CLOCK_US: u64 = 60 * SECOND;

/// Everything that one agent's loop owns.
pub(super) struct AgentTask {
    pub(super) machine: MachineId,
    pub(super) observer: Observer,
    pub(super) outbox: Outbox<SqliteDisk>,
    pub(super) truth: Option<Truth>,
    pub(super) connector: Connector,
    pub(super) trust_system_clock: bool,
    pub(super) stop: watch::Receiver<Option<Duration>>,
    pub(super) progress: watch::Sender<Progress>,
}

/// The part of it that works on the disk, and can be lent to a thread that may wait for one.
struct Desk {
    machine: MachineId,
    outbox: Outbox<SqliteDisk>,
    truth: Option<Truth>,
    publisher: Option<Publisher>,
    /// Set when the connection has to be made anew.
    reconnects: bool,
}

impl AgentTask {
    pub(super) async fn run(self) -> Progress {
        let AgentTask { machine, mut observer, outbox, truth, mut connector, stop, progress, .. } = self;
        let trust = self.trust_system_clock;
        let mut stop = stop;
        let mut desk = Desk { machine, outbox, truth, publisher: None, reconnects: false };
        let mut clock_read: Option<MonotonicMicros> = None;
        let mut drain_until: Option<MonotonicMicros> = None;
        let mut connection = 0;
        loop {
            let mut inputs = Vec::new();
            tokio::select! {
                biased;
                drain = stopped(&mut stop), if drain_until.is_none() => {
                    let drain = u64::try_from(drain.as_micros()).unwrap_or(u64::MAX);
                    drain_until = Some(clock::monotonic().plus(drain));
                    observer.stop(&mut inputs);
                    inputs.push(Input::Flush);
                }
                changed = connector.link.changed() => {
                    if changed.is_err() {
                        // The connection's task ends only with its runtime.
                        break;
                    }
                    inputs.push(take_link(&mut connector, &mut desk, &mut connection));
                }
                Some(ack) = connector.acks.recv() => {
                    inputs.push(Input::Ack(ack));
                    while let Ok(ack) = connector.acks.try_recv() {
                        inputs.push(Input::Ack(ack));
                    }
                }
                () = observer.ready(clock::monotonic(), STEP_US) => {}
            }
            let now = clock::monotonic();
            if trust && clock_read.is_none_or(|read| now.since(read) >= SYSTEM_CLOCK_US) {
                clock_read = Some(now);
                inputs.push(Input::SystemClock(clock::system()));
            }
            if drain_until.is_none() {
                observer.observe(now, &mut inputs);
            }
            inputs.push(Input::Tick);
            desk = desk.turn(inputs, now).await;
            if std::mem::take(&mut desk.reconnects) {
                connector.reconnect();
            }
            progress.send_replace(desk.progress(connection, observer.has_ended()));
            if drain_until.is_some_and(|until| now >= until || desk.outbox.is_empty()) {
                break;
            }
        }
        finish(desk, connector, connection, observer.has_ended(), &progress).await
    }
}

/// Says good-bye, makes everything durable and closes the spool.
async fn finish(
    mut desk: Desk,
    connector: Connector,
    connection: u32,
    has_source_ended: bool,
    progress: &watch::Sender<Progress>,
) -> Progress {
    if let Some(publisher) = &desk.publisher {
        // The broker sends no will for a client that leaves in order; nobody may take it for present.
        if publisher.publish(desk.outbox.will(connection)).is_err() {
            tracing::debug!(machine.id = %desk.machine, "the broker is too busy for a good-bye");
        }
    }
    connector.stop().await;
    desk.publisher = None;
    let last = desk.progress(connection, has_source_ended);
    progress.send_replace(last);
    let machine = desk.machine.clone();
    let closed = tokio::task::spawn_blocking(move || desk.outbox.spool().sync());
    match closed.await {
        Ok(Ok(())) => tracing::info!(machine.id = %machine, "the agent has stopped"),
        Ok(Err(error)) => tracing::error!(machine.id = %machine, %error, "the spool could not be synced"),
        Err(error) => tracing::error!(machine.id = %machine, %error, "the spool could not be closed"),
    }
    last
}

/// Waits until it is told to stop, or until nobody is there any more who could tell: then it runs on.
async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    loop {
        if let Some(drain) = *stop.borrow_and_update() {
            return drain;
        }
        if stop.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn take_link(connector: &mut Connector, desk: &mut Desk, newest: &mut u32) -> Input {
    let link = connector.link.borrow_and_update().clone();
    match link {
        Link::Up { connection, publisher } => {
            tracing::info!(machine.id = %desk.machine, connection, "connected to the broker");
            *newest = connection;
            desk.publisher = Some(publisher);
            Input::Connected { connection }
        }
        Link::Down => {
            desk.publisher = None;
            Input::Disconnected
        }
    }
}

impl Desk {
    /// Applies inputs, publishes, writes. Disk work that may take long is done beside the runtime's threads.
    async fn turn(mut self, inputs: Vec<Input>, now: MonotonicMicros) -> Desk {
        if self.outbox.reads_disk() {
            self = beside(self, move |desk| desk.apply(inputs, now)).await;
        } else {
            self.apply(inputs, now);
        }
        if self.outbox.has_to_write(now) {
            self = beside(self, move |desk| desk.write(now)).await;
        }
        self
    }

    fn apply(&mut self, inputs: Vec<Input>, now: MonotonicMicros) {
        for input in inputs {
            let effects = self.outbox.apply(input, now);
            self.perform(effects, now);
        }
    }

    fn write(&mut self, now: MonotonicMicros) {
        let (rows, effects) = self.outbox.write(now);
        self.tell_truth(&rows);
        self.perform(effects, now);
    }

    fn tell_truth(&mut self, rows: &[(Lane, Row)]) {
        let Some(truth) = self.truth.as_mut().filter(|_| !rows.is_empty()) else { return };
        if let Err(error) = truth.write(rows) {
            tracing::error!(machine.id = %self.machine, %error, "the truth is no longer written");
            self.truth = None;
        }
    }

    fn perform(&mut self, effects: Vec<Effect>, now: MonotonicMicros) {
        let mut full: Vec<Lane> = Vec::new();
        for effect in effects {
            match effect {
                Effect::Publish(message) => {
                    let lane = message.envelope.map(|(lane, _)| lane);
                    let Some(publisher) = &self.publisher else { continue };
                    if lane.is_some_and(|lane| full.contains(&lane)) {
                        continue;
                    }
                    if let Err(message) = publisher.publish(message) {
                        full.extend(lane);
                        // Going back is all that follows from this; there is nothing more to perform.
                        self.outbox.apply(Input::Busy(message), now);
                    }
                }
                Effect::Reconnect => self.reconnects = true,
                Effect::Settings(settings) => {
                    let version = settings.version;
                    tracing::info!(machine.id = %self.machine, version, "the server sent settings");
                }
                Effect::Notice(notice) => log(&self.machine, &notice),
            }
        }
    }

    fn progress(&self, connection: u32, has_source_ended: bool) -> Progress {
        let (status, counts) = (self.outbox.status(), self.outbox.counts());
        Progress {
            boot_count: status.lanes[0].next.boot_count,
            is_connected: self.publisher.is_some(),
            connection,
            appended: counts.appended,
            pieces: counts.pieces,
            unacknowledged: status.records,
            dropped: status.lanes.map(|lane| lane.dropped),
            counted: self.outbox.counted(),
            envelopes_sent: counts.uplink.envelopes_sent,
            envelopes_resent: counts.uplink.envelopes_resent,
            is_spool_healthy: status.healthy,
            has_source_ended,
        }
    }
}

/// Does work on a thread that may wait for a disk.
async fn beside(mut desk: Desk, work: impl FnOnce(&mut Desk) + Send + 'static) -> Desk {
    let done = tokio::task::spawn_blocking(move || {
        work(&mut desk);
        desk
    });
    match done.await {
        Ok(desk) => desk,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn log(machine: &MachineId, notice: &Notice) {
    match notice {
        Notice::Refused(refusal) => {
            let (reason, detail) = (&refusal.reason, &refusal.detail);
            tracing::warn!(machine.id = %machine, %reason, %detail, "the ingest refused a message");
        }
        Notice::NoAck(error) => {
            tracing::warn!(machine.id = %machine, %error, "what came on the ack topic is ignored");
        }
        Notice::DiskFailing(error) => {
            tracing::error!(machine.id = %machine, %error, "the spool's disk fails: records stay in memory");
        }
        Notice::RecordingLeftOut => {
            tracing::warn!(machine.id = %machine, "the spool is half full of events: recordings are left out");
        }
        Notice::DiskRecovered => tracing::info!(machine.id = %machine, "the spool's disk works again"),
        Notice::Renewed { committed, log } => {
            tracing::error!(
                machine.id = %machine, %committed, %log,
                "the ingest has records of this spool that are not from here: it was restored or cloned, and goes on in a \
                 log of its own"
            );
        }
    }
}
