//! From a message to records that wait for the journal: the seal, the sender, the position.

use bytes::Bytes;
use domain::ids::LogId;
use domain::limits;
use domain::log::{Lane, Position};
use wire::Unreadable;
use wire::ack::{Ack, LaneAck, Refusal};
use wire::envelope::Envelope;
use wire::seal::{SealError, Unopened};
use wire::status::Status;
use wire::topics::{Kind, Topic};

use super::land::ALARM_PERIOD_US;
use super::{Alarm, Effects, IngestMind, Now, Publish};
use crate::commit::Staged;
use crate::log::{LogMind, Verdict};
use crate::machine::{slice_of, spool_of};
use crate::refusals::{RefusalReason, Refused};
use crate::registry::MachineNumber;
use crate::sender::{Sender, Standing};

/// A message that is not taken: why, in one word and in one sentence.
type NotTaken = (RefusalReason, String);

impl IngestMind {
    pub(super) fn message(&mut self, topic: &str, payload: Bytes, now: Now, effects: &mut Effects) {
        self.counters.messages += 1;
        let (number, kind) = match self.addressee(topic) {
            Ok(found) => found,
            Err(refused) => return self.refuse(topic, refused, now, effects),
        };
        let seen = self.registry.seen(number);
        let taken = match self.open(number, kind, payload) {
            Ok(body) => {
                // The generations before it are refused from now on, also after a restart.
                if self.registry.seen(number) > seen.max(1) {
                    self.save(number, now, effects);
                }
                self.body(number, kind, body, now, effects)
            }
            // Not proven to be of the agent: it is told nothing.
            Err(refused) => return self.refuse(topic, refused, now, effects),
        };
        if let Err((reason, detail)) = taken {
            let refusal = Refusal { reason: reason.name().to_owned(), detail: detail.clone() };
            let due = self.machines[number].pace.refuse(refusal, now.monotonic);
            self.schedule_ack(number, due);
            self.refuse(topic, (reason, detail), now, effects);
        }
    }

    fn addressee(&self, topic: &str) -> Result<(MachineNumber, Kind), NotTaken> {
        match self.registry.find(topic) {
            Some((_, Kind::Ack)) => {
                Err((RefusalReason::ForeignTopic, "acks are the server's to send".to_owned()))
            }
            Some(found) => Ok(found),
            None => match Topic::parse(topic) {
                Ok(topic) => {
                    let detail = format!("machine {} is not registered", topic.machine);
                    Err((RefusalReason::UnknownMachine, detail))
                }
                Err(foreign) => Err((RefusalReason::ForeignTopic, foreign.reason.to_owned())),
            },
        }
    }

    fn open(&mut self, number: MachineNumber, kind: Kind, payload: Bytes) -> Result<Bytes, NotTaken> {
        if payload.len() > limits::MESSAGE_BYTES_MAX {
            let (length, max) = (payload.len(), limits::MESSAGE_BYTES_MAX);
            let detail = format!("the message has {length} octets; at most {max} are allowed");
            return Err((RefusalReason::TooLarge, detail));
        }
        let unopened = Unopened::read(payload).map_err(unreadable)?;
        let generation = unopened.key_generation();
        let key = self
            .registry
            .key(number, generation)
            .map_err(|detail| (RefusalReason::WrongGeneration, detail))?;
        let body = unopened.open(&key, self.registry.topic(number, kind)).map_err(|error| match error {
            SealError::Unreadable(error) => unreadable(error),
            SealError::NotAuthentic => (RefusalReason::NotAuthentic, error.to_string()),
        })?;
        self.registry.saw(number, generation);
        Ok(body)
    }

    fn body(
        &mut self,
        number: MachineNumber,
        kind: Kind,
        body: Bytes,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), NotTaken> {
        let lane = match kind {
            Kind::Events => Lane::Events,
            Kind::Readings => Lane::Readings,
            Kind::Status => {
                let status = Status::decode(body).map_err(unreadable)?;
                self.status(number, status, now, effects);
                return Ok(());
            }
            Kind::Ack => return Ok(()),
        };
        if body.len() > limits::ENVELOPE_BYTES_MAX {
            let (length, max) = (body.len(), limits::ENVELOPE_BYTES_MAX);
            let detail = format!("the envelope has {length} octets; at most {max} are allowed");
            return Err((RefusalReason::TooLarge, detail));
        }
        let envelope = Envelope::decode(body).map_err(unreadable)?;
        if envelope.lane != lane {
            let (said, topic) = (envelope.lane.name(), lane.name());
            let detail = format!("Envelope.lane is {said}; {topic} is required on this topic");
            return Err((RefusalReason::Unreadable, detail));
        }
        self.envelope(number, envelope, now, effects)
    }

    fn envelope(
        &mut self,
        number: MachineNumber,
        envelope: Envelope,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), NotTaken> {
        let sender = Sender {
            boot: envelope.sender,
            boot_count: envelope.sender_boot_count,
            connection: 0,
            log: Some(spool_of(envelope.log)),
        };
        if !self.is_current(number, sender, envelope.sent, now, effects) {
            return Ok(());
        }
        let machine = &mut self.machines[number];
        if let Some(until) = machine.set_aside_until.filter(|until| now.monotonic < *until) {
            let seconds = until.since(now.monotonic).div_ceil(domain::units::SECOND);
            let detail = format!("the store refuses this machine's records; tried again in {seconds} s");
            return Err((RefusalReason::SetAside, detail));
        }
        machine.set_aside_until = None;
        machine.presence.envelope(now.unix);
        machine.pace.heard(envelope.sent, now.monotonic);
        machine.note_log(envelope.lane, envelope.log);
        let mind = machine.logs.get_or_make(envelope.log, envelope.lane);
        let due = match mind.offer(&envelope) {
            Verdict::Take(parts) => {
                let new: usize = parts.iter().map(|part| part.entries.len()).sum();
                self.counters.envelopes_taken += 1;
                self.counters.records_duplicate += (envelope.entries.len() - new) as u64;
                for part in parts {
                    let (slice, records) = slice_of(&machine.id, &envelope, part, mind);
                    self.commit.stage(Staged { number, slice, records, since: now.monotonic });
                }
                None
            }
            Verdict::Duplicate => {
                self.count_duplicate(&envelope);
                self.machines[number].pace.duplicate(envelope.lane, now.monotonic)
            }
            Verdict::UnderWay => {
                self.count_duplicate(&envelope);
                None
            }
            Verdict::Missing => {
                self.counters.envelopes_missing += 1;
                let is_under_way = mind.applied() != mind.committed();
                machine.pace.missing(envelope.lane, is_under_way, now.monotonic)
            }
            Verdict::OtherMaker => {
                self.counters.clones_seen += 1;
                let is_under_way = mind.applied() != mind.committed();
                let due = machine.pace.missing(envelope.lane, is_under_way, now.monotonic);
                self.schedule_ack(number, due);
                let detail = copied(envelope.log, envelope.boot.boot_count);
                self.alarm(number, detail.clone(), now, effects);
                return Err((RefusalReason::LogId, detail));
            }
        };
        self.schedule_ack(number, due);
        Ok(())
    }

    fn status(&mut self, number: MachineNumber, status: Status, now: Now, effects: &mut Effects) {
        let sender = Sender {
            boot: status.boot,
            boot_count: status.order.boot_count,
            connection: status.order.connection,
            log: status.lanes.first().map(|lane| spool_of(lane.log)),
        };
        // A late will of an older process is no second process.
        let is_known_old = status.offline
            && self.machines[number].senders.current().is_some_and(|current| current.boot != status.boot);
        if is_known_old || !self.is_current(number, sender, status.sent, now, effects) {
            return;
        }
        let machine = &mut self.machines[number];
        let mut of_another = None;
        for lane in &status.lanes {
            machine.note_log(lane.lane, lane.log);
            let known = machine.logs.get(lane.log, lane.lane);
            let is_of_another = known.is_some_and(|mind| mind.is_of_another(sender.boot, sender.boot_count));
            of_another = of_another.or(is_of_another.then_some(lane.log));
        }
        if let Some(log) = of_another {
            self.counters.clones_seen += 1;
            self.alarm(number, copied(log, sender.boot_count), now, effects);
        }
        let machine = &mut self.machines[number];
        let readings = machine.current_logs[1].and_then(|log| machine.logs.get(log, Lane::Readings));
        let (sent, offline, lanes) = (status.sent, status.offline, status.lanes.clone());
        if !machine.presence.status(status, now.unix, readings) {
            return;
        }
        self.counters.statuses += 1;
        if !offline {
            machine.pace.heard(sent, now.monotonic);
            let logs = &machine.logs;
            let committed = |log, lane| logs.get(log, lane).and_then(LogMind::committed);
            let due = machine.pace.status(&lanes, committed, now.monotonic);
            self.schedule_ack(number, due);
        }
        effects.states.push(self.machines[number].live());
    }

    /// Whether the sender speaks for the machine. One that does not is told so; nothing of it is taken.
    fn is_current(
        &mut self,
        number: MachineNumber,
        sender: Sender,
        sent: domain::units::MonotonicMicros,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let machine = &mut self.machines[number];
        let known = sender.log.and_then(|spool| machine.logs.boot_count(spool));
        let before = machine.senders.current().map(|current| current.connection);
        match machine.senders.judge(sender, sent, known, now.monotonic) {
            Standing::Current => {
                if machine.senders.current().map(|current| current.connection) != before {
                    machine.pace.new_connection();
                }
                true
            }
            Standing::New => {
                machine.pace.new_sender();
                machine.presence.new_sender();
                machine.current_logs = [None; 2];
                true
            }
            Standing::Old { cloned, alone } => {
                let connection = sender.connection.max(machine.senders.connection(sender.boot));
                let detail = format!(
                    "boot {} (number {}) is not the newest process of this machine",
                    sender.boot, sender.boot_count
                );
                if cloned {
                    self.counters.clones_seen += 1;
                    let message = format!("two processes speak for one machine: {detail}");
                    self.alarm(number, message, now, effects);
                }
                let other = Sender { connection, ..sender };
                self.tell_other(number, other, alone, &detail, now, effects);
                let topic = self.registry.topic(number, Kind::Status).to_string();
                self.refuse(&topic, (RefusalReason::Order, detail), now, effects);
                false
            }
        }
    }

    fn count_duplicate(&mut self, envelope: &Envelope) {
        self.counters.envelopes_duplicate += 1;
        self.counters.records_duplicate += envelope.entries.len() as u64;
    }

    /// Tells a process that does not speak for the machine that it is refused. If it may be all there is, because the
    /// machine's spool was put back to an earlier state, it is told what its logs hold, too: then it can number anew.
    fn tell_other(
        &mut self,
        number: MachineNumber,
        other: Sender,
        alone: bool,
        detail: &str,
        now: Now,
        effects: &mut Effects,
    ) {
        let machine = &mut self.machines[number];
        if other.connection == 0 || !machine.pace.may_tell_other(now.monotonic) {
            return;
        }
        // The boot of the one that speaks for the machine is taken, whether records of it came or not: only a later one can
        // be this one's.
        let of_spool = machine.senders.current().filter(|current| current.log == other.log);
        let taken = of_spool.map(|current| Position::new(current.boot_count.saturating_add(1), 1));
        let lane_ack = |lane: Lane, spool: LogId| {
            let log = LogId::for_lane(spool.0, lane);
            let known = machine.logs.get(log, lane);
            let committed = known.and_then(LogMind::committed);
            let maker = known.and_then(LogMind::maker).filter(|_| committed >= taken).map(|(_, maker)| maker);
            LaneAck { lane, log, committed: committed.max(taken), maker, window: 0 }
        };
        let lanes = other.log.filter(|_| alone).map(|spool| Lane::ALL.map(|lane| lane_ack(lane, spool)));
        let ack = Ack {
            boot: other.boot,
            connection: other.connection,
            counter: machine.pace.next_counter(now.unix),
            lanes: lanes.into_iter().flatten().collect(),
            echo: None,
            server_time: now.unix,
            refusal: Some(Refusal {
                reason: RefusalReason::Order.name().to_owned(),
                detail: detail.to_owned(),
            }),
            settings: None,
        };
        self.publish(number, &ack, effects);
    }

    /// Seals an ack with the newest key that the machine is known to have.
    pub(super) fn publish(&mut self, number: MachineNumber, ack: &Ack, effects: &mut Effects) {
        let generation = self.registry.seen(number).max(1);
        let Ok(key) = self.registry.key(number, generation) else { return };
        let topic = self.registry.topic(number, Kind::Ack);
        let payload = wire::seal::seal(&key, generation, topic, ack.encode());
        effects.publishes.push(Publish { topic: topic.to_string(), payload });
        self.counters.acks += 1;
    }

    pub(super) fn refuse(
        &mut self,
        topic: &str,
        (reason, detail): NotTaken,
        now: Now,
        effects: &mut Effects,
    ) {
        self.counters.refused[reason.index()] += 1;
        let topic = topic.chars().take(200).collect();
        effects.refused.push(Refused { time: now.unix, reason, topic, detail });
    }

    /// Raises an alarm, unless the machine has raised one a short while ago.
    pub(super) fn alarm(&mut self, number: MachineNumber, message: String, now: Now, effects: &mut Effects) {
        let machine = &mut self.machines[number];
        if machine.alarmed.is_none_or(|at| now.monotonic.since(at) >= ALARM_PERIOD_US) {
            machine.alarmed = Some(now.monotonic);
            effects.alarms.push(Alarm { machine: machine.id.clone(), message });
        }
    }
}

fn copied(log: LogId, boot_count: u32) -> String {
    format!(
        "log {log}: boot {boot_count} was written by another process; the spool was copied, or put back from a copy, and \
         goes on in a log of its own"
    )
}

fn unreadable(error: Unreadable) -> NotTaken {
    let reason = if error.version { RefusalReason::Version } else { RefusalReason::Unreadable };
    (reason, error.message)
}
