use domain::ids::{BootId, LogId, MachineId};
use domain::recording::RecordingPiece;
use domain::signal::Capabilities;
use domain::units::{SECOND, UnixMicros};
use wire::ack::{Ack, LaneAck};
use wire::credential::Credential;
use wire::envelope::Envelope;
use wire::keys::MachineKey;
use wire::seal::{Unopened, seal};
use wire::status::Status;
use wire::topics::Kind;

use super::*;
use crate::spool::tests::{Shelf, event, ids, reading};
use crate::spool::{Bounds, KernelBoot};

const START: MonotonicMicros = MonotonicMicros(1_000_000);
const CAPABILITIES: Capabilities = Capabilities::SPEED.and(Capabilities::INCLINE);

fn speaker(boot: u8) -> Speaker {
    let credential = Credential {
        machine: MachineId::new("tm-01").unwrap(),
        generation: 1,
        key: MachineKey::from_hex(&"ab".repeat(32)).unwrap(),
        broker: "127.0.0.1:1".to_owned(),
        tls: None,
    };
    Speaker::new(&credential, BootId([boot; 16]), CAPABILITIES)
}

fn outbox(shelf: Shelf, boot: u8, bounds: Bounds) -> Outbox<Shelf> {
    let spool = Spool::open(shelf, ids(boot, 1), bounds, START).unwrap();
    Outbox::new(spool, speaker(boot), 7, START)
}

/// A small ingest with nothing to lose: it takes what follows what it has, and acknowledges everything at once.
#[derive(Default)]
struct Ingest {
    committed: std::collections::BTreeMap<LogId, Position>,
    taken: Vec<(Lane, Position, Event)>,
    readings: usize,
    acks: u64,
    statuses: Vec<Status>,
    undated: usize,
}

impl Ingest {
    fn take(&mut self, message: &Message, boot: u8, connection: u32) -> Bytes {
        let speaker = speaker(boot);
        let topic = speaker.topic(message.kind);
        let body = Unopened::read(message.payload.clone()).unwrap().open(&speaker.key, &topic).unwrap();
        assert!(body.len() <= limits::ENVELOPE_BYTES_MAX);
        self.acks += 1;
        // A position is told again only with a reason.
        let (sent, lanes) = if message.kind == Kind::Status {
            let status = Status::decode(body).unwrap();
            let told = (status.sent, if status.order.counter == 1 { Lane::ALL.to_vec() } else { vec![] });
            self.statuses.push(status);
            told
        } else {
            let envelope = Envelope::decode(body).unwrap();
            self.take_envelope(&envelope);
            (envelope.sent, vec![envelope.lane])
        };
        let lanes = lanes.into_iter().map(|lane| {
            let log = LogId::for_lane(self.statuses[0].lanes[0].log.0, lane);
            LaneAck { lane, log, committed: self.committed.get(&log).copied(), maker: None, window: 64 }
        });
        let ack = Ack {
            boot: BootId([boot; 16]),
            connection,
            counter: self.acks,
            lanes: lanes.collect(),
            echo: Some((sent, 0)),
            server_time: UnixMicros(1_700_000_000_000_000),
            refusal: None,
            settings: None,
        };
        seal(&speaker.key, 1, &speaker.topic(Kind::Ack), ack.encode())
    }

    fn take_envelope(&mut self, envelope: &Envelope) {
        let committed = self.committed.get(&envelope.log).copied();
        self.undated += usize::from(envelope.clock.quality == ClockQuality::Undated);
        if envelope.after > committed {
            return;
        }
        for entry in &envelope.entries {
            let position = Position::new(envelope.boot.boot_count, entry.n);
            if Some(position) > committed {
                match wire::record::decode(envelope.lane, &entry.record).unwrap().payload {
                    Payload::Event(event) => self.taken.push((envelope.lane, position, event)),
                    Payload::Reading(_) => self.readings += 1,
                    Payload::Recording(_) | Payload::Commissioning(_) => panic!("none was given"),
                }
                self.committed.insert(envelope.log, position);
            }
        }
    }

    fn kinds(&self) -> Vec<(Position, EventKind)> {
        self.taken.iter().map(|(_, position, event)| (*position, event.kind)).collect()
    }
}

/// Hands messages to the ingest and acks back until nobody has anything to say; gives the notices.
fn converse(
    outbox: &mut Outbox<Shelf>,
    ingest: &mut Ingest,
    boot: u8,
    connection: u32,
    input: Input,
    now: MonotonicMicros,
) -> Vec<Effect> {
    let mut inputs = std::collections::VecDeque::from([input]);
    let mut rest = Vec::new();
    while let Some(input) = inputs.pop_front() {
        for effect in outbox.apply(input, now) {
            match effect {
                Effect::Publish(message) => {
                    inputs.push_back(Input::Ack(ingest.take(&message, boot, connection)))
                }
                Effect::Reconnect | Effect::Settings(_) | Effect::Notice(_) => rest.push(effect),
            }
        }
    }
    rest
}

fn record(payload: Payload, at: MonotonicMicros) -> Input {
    Input::Record { at, payload }
}

fn at(boot_count: u32, n: u64) -> Position {
    Position::new(boot_count, n)
}

#[test]
fn that_recordings_are_left_out_is_said_once() {
    let bounds = Bounds { recordings_bytes_max: 0, ..Bounds::default() };
    let mut outbox = outbox(Shelf::default(), 1, bounds);
    let piece = RecordingPiece { trigger: START, number: 0, is_last: true, points: Vec::new() };
    let mut give = || outbox.apply(record(Payload::Recording(piece.clone()), START), START);
    assert_eq!(give(), [Effect::Notice(Notice::RecordingLeftOut)]);
    assert_eq!(give(), []);
    assert_eq!(outbox.counts().pieces_left_out, 2);
    assert_eq!(outbox.counts().appended, [1, 0]);
}

#[test]
fn a_boot_begins_with_its_own_event_and_earlier_records_go_first() {
    let mut first = outbox(Shelf::default(), 1, Bounds::default());
    for second in 0..3 {
        first.apply(record(event(), START), START);
        first.apply(record(reading(), START.plus(second * SECOND)), START);
    }
    first.write(START);
    let mut second = outbox(first.into_spool().into_disk(), 2, Bounds::default());
    let mut ingest = Ingest::default();
    let rest = converse(&mut second, &mut ingest, 2, 1, Input::Connected { connection: 1 }, START);
    assert_eq!(rest, []);
    let expected = [
        (at(1, 1), EventKind::AgentStarted),
        (at(1, 2), EventKind::ContactOpened),
        (at(1, 3), EventKind::ContactOpened),
        (at(1, 4), EventKind::ContactOpened),
        (at(2, 1), EventKind::AgentStarted),
    ];
    assert_eq!(ingest.kinds(), expected);
    let capabilities: Vec<_> = ingest.taken.iter().map(|(_, _, event)| event.capabilities).collect();
    assert_eq!(capabilities, [Some(CAPABILITIES), None, None, None, Some(CAPABILITIES)]);
    assert_eq!((ingest.readings, ingest.undated), (3, 0), "the status came first and taught the time");
    assert!(second.is_empty());
    assert_eq!(second.counts().appended, [1, 0]);
}

#[test]
fn what_is_sent_before_it_is_written_is_still_sent_once() {
    let mut agent = outbox(Shelf::default(), 1, Bounds::default());
    let mut ingest = Ingest::default();
    converse(&mut agent, &mut ingest, 1, 1, Input::Connected { connection: 1 }, START);
    converse(&mut agent, &mut ingest, 1, 1, record(event(), START), START);
    assert_eq!(ingest.kinds().len(), 2, "sent at once, not after the disk");
    // The process dies before it wrote anything of this.
    let mut agent = outbox(agent.into_spool().into_disk(), 2, Bounds::default());
    ingest.statuses.clear();
    ingest.acks = 0;
    converse(&mut agent, &mut ingest, 2, 1, Input::Connected { connection: 1 }, START);
    assert_eq!(ingest.kinds().last(), Some(&(at(2, 1), EventKind::AgentStarted)));
    assert_eq!(ingest.kinds().len(), 3);
    assert!(agent.is_empty());
}

#[test]
fn a_restored_spool_goes_on_in_a_log_of_its_own_instead_of_losing_its_events() {
    let image = {
        let mut agent = outbox(Shelf::default(), 1, Bounds::default());
        agent.write(START);
        agent.into_spool().into_disk()
    };
    let mut ingest = Ingest::default();
    let mut agent = outbox(image.clone(), 2, Bounds::default());
    converse(&mut agent, &mut ingest, 2, 1, Input::Connected { connection: 1 }, START);
    for _ in 0..5 {
        converse(&mut agent, &mut ingest, 2, 1, record(event(), START), START);
    }
    // The card is restored from the image: its boot 2 gives out the same positions for other events.
    let mut agent = outbox(image, 3, Bounds::default());
    agent.apply(record(event(), START), START.plus(9));
    ingest.statuses.clear();
    ingest.acks = 0;
    let rest = converse(&mut agent, &mut ingest, 3, 1, Input::Connected { connection: 1 }, START.plus(10));
    let log = agent.spool().log(Lane::Events);
    let renewed = Effect::Notice(Notice::Renewed { committed: at(2, 6), log });
    assert_eq!(rest, [renewed, Effect::Reconnect]);
    ingest.statuses.clear();
    ingest.acks = 0;
    let rest = converse(&mut agent, &mut ingest, 3, 2, Input::Connected { connection: 2 }, START.plus(20));
    assert_eq!(rest, []);
    // What was in the image is told once more: nobody can know here that it had arrived.
    let expected = [
        (at(1, 1), EventKind::AgentStarted),
        (at(2, 1), EventKind::AgentStarted),
        (at(2, 2), EventKind::ContactOpened),
    ];
    assert_eq!(ingest.kinds()[7..], expected);
    assert!(agent.is_empty());
}

#[test]
fn a_failing_disk_is_told_as_an_event_and_so_is_its_recovery() {
    let mut agent = outbox(Shelf::default(), 1, Bounds::default());
    let mut ingest = Ingest::default();
    converse(&mut agent, &mut ingest, 1, 1, Input::Connected { connection: 1 }, START);
    agent.apply(record(reading(), START), START);
    agent.spool().disk().fails = true;
    let deliver = |agent: &mut Outbox<Shelf>, ingest: &mut Ingest, now: MonotonicMicros| {
        let mut notices = Vec::new();
        for effect in agent.write(now).1 {
            match effect {
                Effect::Publish(message) => {
                    let ack = ingest.take(&message, 1, 1);
                    converse(agent, ingest, 1, 1, Input::Ack(ack), now);
                }
                Effect::Notice(notice) => notices.push(notice),
                Effect::Reconnect | Effect::Settings(_) => panic!("{effect:?}"),
            }
        }
        notices
    };
    assert!(matches!(deliver(&mut agent, &mut ingest, START)[..], [Notice::DiskFailing(_)]));
    assert!(!agent.status().healthy);
    assert_eq!(ingest.taken.last().unwrap().2.kind, EventKind::SpoolFailing);
    agent.spool().disk().fails = false;
    assert_eq!(deliver(&mut agent, &mut ingest, START.plus(SECOND)), [Notice::DiskRecovered]);
    assert_eq!(ingest.taken.last().unwrap().2.kind, EventKind::SpoolRecovered);
    assert!(agent.status().healthy);
}

#[test]
fn forged_and_foreign_acks_are_told_and_change_nothing() {
    let mut agent = outbox(Shelf::default(), 1, Bounds::default());
    agent.apply(Input::Connected { connection: 1 }, START);
    let own = speaker(1);
    let other = MachineKey::from_hex(&"cd".repeat(32)).unwrap();
    let ack = Ack {
        boot: BootId([1; 16]),
        connection: 1,
        counter: 1,
        lanes: vec![],
        echo: None,
        server_time: UnixMicros(0),
        refusal: None,
        settings: None,
    };
    let body = ack.encode();
    for forged in [
        seal(&other, 1, &own.topic(Kind::Ack), body.clone()),
        seal(&own.key, 1, &own.topic(Kind::Status), body.clone()),
        body,
        Bytes::from_static(b"\xff\xff"),
        Bytes::new(),
    ] {
        let effects = agent.apply(Input::Ack(forged), START);
        assert!(matches!(effects[..], [Effect::Notice(Notice::NoAck(_))]), "{effects:?}");
        assert!(!agent.is_empty());
    }
}

#[test]
fn a_status_tells_the_belt_and_what_the_spool_holds() {
    let mut agent = outbox(Shelf::default(), 1, Bounds::default());
    let picture = Picture { belt: Belt::default(), at: START, holds_for_ms: 3_000 };
    agent.apply(Input::Picture(picture), START);
    agent.apply(record(reading(), START), START);
    let mut ingest = Ingest::default();
    converse(&mut agent, &mut ingest, 1, 4, Input::Connected { connection: 4 }, START.plus(5));
    let status = ingest.statuses[0].clone();
    assert_eq!(status.belt, Some((Belt::default(), START, 3_000)));
    assert_eq!((status.order.boot_count, status.order.connection, status.order.counter), (1, 4, 1));
    assert_eq!(status.lanes.iter().map(|lane| lane.next).collect::<Vec<_>>(), [at(1, 2), at(1, 2)]);
    assert!(status.spool_healthy && status.spool_bytes > 0);
    let will = agent.will(4);
    ingest.take(&will, 1, 4);
    let will = ingest.statuses.last().unwrap();
    assert!(will.offline && will.order > status.order, "the will is the last word of its connection");
}

#[test]
fn records_of_a_boot_that_can_never_be_dated_say_so() {
    let mut agent = outbox(Shelf::default(), 1, Bounds::default());
    agent.apply(record(reading(), START), START);
    agent.write(START);
    // Another life of the kernel: the old monotonic times can no longer be mapped.
    let ids = crate::spool::BootIds { kernel: KernelBoot([9; 16]), ..ids(2, 1) };
    let spool = Spool::open(agent.into_spool().into_disk(), ids, Bounds::default(), START).unwrap();
    let mut agent = Outbox::new(spool, speaker(2), 7, START);
    let mut ingest = Ingest::default();
    converse(&mut agent, &mut ingest, 2, 1, Input::Connected { connection: 1 }, START);
    assert_eq!(ingest.undated, 2, "one envelope of each lane");
    assert!(agent.is_empty());
}
