//! Checkpoints: what is written reads back equal, and no octets whatever make the reader panic.

use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId, SessionId};
use domain::incident::mind::IncidentFold;
use domain::live::{Latest, Segment};
use domain::log::{Lane, Position};
use domain::machine::{MachineFold, OpenSession};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::registry::BeltKind;
use domain::signal::Capabilities;
use domain::stop::{Stop, StopContact};
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use domain::usage::{Grade, Guidance, PartId, Stretch, UsageFold};
use proptest::option;
use proptest::prelude::*;
use prost::bytes::Bytes;
use wire::checkpoint::{Checkpoint, LogState, SenderState, WaitingRecord};

fn time() -> impl Strategy<Value = UnixMicros> {
    any::<i64>().prop_map(UnixMicros)
}

fn position() -> impl Strategy<Value = Position> {
    (1..=u32::MAX, 1..=u64::MAX).prop_map(|(boot_count, n)| Position::new(boot_count, n))
}

fn lane() -> impl Strategy<Value = Lane> {
    prop::sample::select(Lane::ALL.to_vec())
}

fn log_id() -> impl Strategy<Value = LogId> {
    any::<[u8; 16]>().prop_map(LogId)
}

fn latest() -> impl Strategy<Value = Latest> {
    let kind = prop::sample::select(EventKind::ALL.to_vec());
    let contact = option::of(prop::sample::select(Contact::ALL.to_vec()));
    let event = option::of((kind, contact, time()));
    (time(), 0..200_000_u32, time(), option::of(time()), event).prop_map(
        |(time, speed, holds_until, since, last_event)| {
            let contacts = Contacts { closed: speed % 32, open: 0 };
            let (direction, origin) = (Direction::Reverse, Origin::Measured);
            let belt = Belt { direction, origin, speed: Some(Speed(speed)), incline: None, contacts };
            Latest { time, belt, holds_until, since, last_event }
        },
    )
}

fn last_stop() -> impl Strategy<Value = Stop> {
    let contacts = vec![StopContact::EmergencyStop, StopContact::SafetyKey, StopContact::MachinePower];
    let directions = vec![Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown];
    let speed = option::of(any::<u32>().prop_map(Speed));
    let (contact, direction) = (prop::sample::select(contacts), prop::sample::select(directions));
    (time(), contact, direction, speed, option::of(time())).prop_map(
        |(time, contact, direction, speed, released)| Stop { time, contact, direction, speed, released },
    )
}

fn session() -> impl Strategy<Value = OpenSession> {
    let segment = (time(), time(), any::<u64>(), any::<u64>(), 0..1_000_000_u64, any::<u32>()).prop_map(
        |(started, ended, observed_us, distance_mm, distance_remainder, speed)| Segment {
            direction: Direction::Forward,
            origin: Origin::Declared,
            started,
            ended,
            observed_us,
            distance_mm,
            distance_remainder,
            speed_max: Speed(speed),
            grade: Grade::ALL[usize::from(speed.to_le_bytes()[0] % 4)],
            incline_us: observed_us / 2,
            incline_sum: started.0 / 3,
            guidance: Guidance {
                slow_us: observed_us / 3,
                rail_held_us: observed_us / 4,
                rail_known_us: observed_us / 5,
                key_in_us: observed_us / 6,
                key_known_us: observed_us / 7,
            },
        },
    );
    (any::<[u8; 16]>(), time(), time(), prop::collection::vec(segment, 0..4)).prop_map(
        |(id, started, last_motion, segments)| OpenSession {
            id: SessionId(id),
            started,
            last_motion,
            segments,
        },
    )
}

fn usage() -> impl Strategy<Value = UsageFold> {
    let reading = (0..400_000_i64, 1..60_000_u32, 0..4_000_u32, any::<u64>());
    (prop::collection::vec(reading, 0..40), any::<u32>()).prop_map(|(readings, able)| {
        let mut fold = UsageFold { able: Capabilities(able), ..UsageFold::default() };
        for (second, span_ms, speed, part) in readings {
            let speed = SpeedSummary { mean: Speed(speed), max: Speed(speed), ..SpeedSummary::default() };
            let reading = Reading { span_ms, speed: Some(speed), ..Reading::default() };
            let time = UnixMicros(second * 1_000_000);
            fold.add(&Stretch::of(time, &reading, fold.able, BeltKind::OneWay), PartId(part));
        }
        fold
    })
}

fn log_state() -> impl Strategy<Value = LogState> {
    let positions = (option::of(position()), option::of(position()));
    let clock = (any::<u32>(), any::<bool>(), any::<i64>(), any::<u64>(), any::<u64>());
    let maker = option::of((1..=u32::MAX, any::<[u8; 16]>()));
    (log_id(), lane(), positions, clock, maker).prop_map(|(log, lane, positions, clock, maker)| LogState {
        log,
        lane,
        committed: positions.0,
        folded: positions.1,
        clock_boot_count: clock.0,
        clock: if clock.1 {
            Clock { quality: ClockQuality::Estimated, offset_us: clock.2, uncertainty_us: clock.3 }
        } else {
            Clock::UNDATED
        },
        clock_last_at: MonotonicMicros(clock.4),
        maker: maker.map(|(boot_count, boot)| (boot_count, BootId(boot))),
    })
}

fn waiting() -> impl Strategy<Value = WaitingRecord> {
    (log_id(), lane(), position(), option::of(position()), option::of(time()), any::<bool>()).prop_map(
        |(log, lane, position, after, time, readable)| {
            let at = MonotonicMicros(position.n);
            let payload = match lane {
                Lane::Events => {
                    Payload::Event(Event::new(EventKind::BeltStarted, at, Belt::default(), Belt::default()))
                }
                Lane::Readings => Payload::Reading(Reading { span_ms: 1_000, ..Reading::default() }),
            };
            let record = readable.then_some(Record { at, other_n: 3, payload });
            WaitingRecord { log, lane, position, after, time, record }
        },
    )
}

fn sender() -> impl Strategy<Value = SenderState> {
    let logs = (option::of(log_id()), option::of(log_id()), option::of(log_id()));
    (any::<[u8; 16]>(), any::<u32>(), any::<u32>(), logs).prop_map(
        |(boot, boot_count, connection, (spool, events, readings))| SenderState {
            boot: BootId(boot),
            boot_count,
            connection,
            spool,
            logs: [events, readings],
        },
    )
}

fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    let pictures = (option::of(latest()), option::of(last_stop()));
    let fold = (pictures, option::of(session()), option::of(time()), any::<u64>(), usage());
    let fold = fold.prop_map(|((latest, last_stop), session, covered_until, folded, usage)| MachineFold {
        latest,
        last_stop,
        session,
        covered_until,
        folded,
        incidents: IncidentFold::default(),
        usage,
    });
    let lists = (prop::collection::vec(log_state(), 0..4), prop::collection::vec(waiting(), 0..4));
    let heard = option::of((1..=i64::MAX).prop_map(UnixMicros));
    let agent = (option::of(sender()), any::<u32>(), heard, any::<u32>(), "[0-9.]{0,64}");
    (fold, lists, agent, any::<u64>(), any::<u64>(), any::<u64>()).prop_map(
        |(fold, lists, agent, records_lost, newest_slice, revision)| Checkpoint {
            logs: lists.0,
            fold,
            sender: agent.0,
            key_generation_seen: agent.1,
            records_lost,
            heard: agent.2,
            capabilities: Capabilities(agent.3),
            agent_version: agent.4,
            newest_slice,
            revision,
            ack_counter: revision / 2,
            waiting: lists.1,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_back(checkpoint in checkpoint()) {
        prop_assert_eq!(Checkpoint::decode(checkpoint.encode()), Ok(checkpoint));
    }

    #[test]
    fn damage_is_told_or_harmless(checkpoint in checkpoint(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut octets = checkpoint.encode().to_vec();
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        let _ = Checkpoint::decode(octets.into());
    }

    #[test]
    fn arbitrary_octets_do_not_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Checkpoint::decode(Bytes::from(octets));
    }
}

#[test]
fn a_newer_version_says_so() {
    // Field 1, a number: the version.
    let error = Checkpoint::decode(Bytes::from_static(&[8, 2])).expect_err("a newer version");
    assert!(error.version && error.message.contains("Checkpoint.version is 2"), "{error}");
}

#[test]
fn a_checkpoint_from_before_stops_were_kept_still_reads() {
    // Version 1, 7 records folded, and nothing of a stop.
    let read = Checkpoint::decode(Bytes::from_static(&[8, 1, 40, 7])).expect("an old checkpoint");
    assert_eq!((read.fold.folded, read.fold.last_stop), (7, None));
}

#[test]
fn a_stop_by_what_stops_no_belt_is_unreadable() {
    // Field 17 with its field 2, the contact: 4 is the hand rail.
    let error = Checkpoint::decode(Bytes::from_static(&[8, 1, 0x8a, 1, 2, 16, 4])).expect_err("no stop");
    assert!(error.message.contains("StopState.contact is 4"), "{error}");
}
