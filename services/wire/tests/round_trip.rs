//! Every codec: what is written reads back equal, and no octets whatever make a reader panic.

use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::commissioning::{CommissioningReport, Outcome, Step, StepResult};
use domain::ids::{BootId, ConfigurationHash, LogId, MachineId};
use domain::incident::settings::CommissionedStop;
use domain::limits::{
    COMMISSIONED_STOPS_MAX, COMMISSIONING_FIGURES_MAX, COMMISSIONING_STEPS_MAX, RECORD_BYTES_MAX,
    RECORDING_POINTS_MAX,
};
use domain::log::{BootStart, Lane, Position};
use domain::record::{Event, EventKind, Extra, Payload, Reading, Record, SpeedSummary};
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::signal::Capabilities;
use domain::stop::StopContact;
use domain::units::{Incline, MonotonicMicros, Speed, UnixMicros};
use proptest::option;
use proptest::prelude::*;
use prost::bytes::Bytes;
use wire::ack::{Ack, LaneAck, Refusal, Settings};
use wire::envelope::{Entry, Envelope, decode_slice, encode_slice};
use wire::status::{LaneStatus, Status, StatusOrder};

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown])
}

fn origin() -> impl Strategy<Value = Origin> {
    prop::sample::select(vec![Origin::Measured, Origin::Declared, Origin::Unknown])
}

fn speed() -> impl Strategy<Value = Speed> {
    (0..=200_000_u32).prop_map(Speed)
}

fn incline() -> impl Strategy<Value = Option<Incline>> {
    option::of((-1_000..=1_000).prop_map(Incline))
}

fn contacts() -> impl Strategy<Value = Contacts> {
    (0..32_u32, 0..32_u32).prop_map(|(closed, open)| Contacts { closed, open })
}

fn belt() -> impl Strategy<Value = Belt> {
    (direction(), origin(), option::of(speed()), incline(), contacts()).prop_map(
        |(direction, origin, speed, incline, contacts)| Belt { direction, origin, speed, incline, contacts },
    )
}

fn speeds() -> impl Strategy<Value = Option<SpeedSummary>> {
    let any =
        ([0..=200_000_u32, 0..=200_000, 0..=200_000], option::of(any::<u32>()), option::of(any::<u32>()));
    option::of(any.prop_map(|(mut speeds, rise, fall)| {
        speeds.sort_unstable();
        let [min, mean, max] = speeds.map(Speed);
        SpeedSummary { mean, min, max, rise, fall }
    }))
}

fn extra() -> impl Strategy<Value = Extra> {
    let machine =
        (option::of(speed()), option::of(any::<u32>()), option::of(any::<u32>()), option::of(any::<u32>()));
    let person = (option::of(any::<i32>()), option::of(any::<bool>()), option::of(any::<u32>()));
    let rest = (option::of(speed()), option::of(any::<u32>()));
    (machine, person, rest).prop_map(|(machine, person, rest)| Extra {
        commanded: machine.0,
        elapsed_s: machine.1,
        distance_m: machine.2,
        steps: machine.3,
        belt_force_n: person.0,
        heart_rate_contact: person.1,
        heart_rate_bpm: person.2,
        second_speed: rest.0,
        declared_mode: rest.1,
    })
}

fn reading() -> impl Strategy<Value = Payload> {
    let first = (1..=60_000_u32, direction(), origin(), speeds());
    let second = (incline(), contacts(), 0..=120_000_u32, extra());
    (first, second).prop_map(|(first, second)| {
        Payload::Reading(Reading {
            span_ms: first.0,
            direction: first.1,
            origin: first.2,
            speed: first.3,
            incline: second.0,
            contacts: second.1,
            holds_for_ms: second.2,
            extra: second.3,
        })
    })
}

fn event(at: u64) -> impl Strategy<Value = Payload> {
    let contact = option::of(prop::sample::select(Contact::ALL.to_vec()));
    let first = (prop::sample::select(EventKind::ALL.to_vec()), belt(), belt(), contact);
    let second = ("[a-z ]{0,64}", 1..=u32::MAX, 0..1_000_000_u64, option::of(direction()), "[ -~]{0,200}");
    let third = (option::of(any::<u32>().prop_map(Capabilities)), option::of(any::<u64>()), 1..=u64::MAX);
    (first, second, third).prop_map(move |(first, second, third)| {
        // A source that went stale has spoken before.
        let last = if first.0 == EventKind::SourceStale { third.2 } else { at + second.2 };
        Payload::Event(Event {
            kind: first.0,
            belt: first.1,
            before: first.2,
            contact: first.3,
            source: second.0,
            count: second.1,
            last: MonotonicMicros(last),
            direction_before: second.3,
            detail: second.4,
            capabilities: third.0,
            recording: third.1.map(MonotonicMicros),
        })
    })
}

fn point() -> impl Strategy<Value = RecordingPoint> {
    (direction(), origin(), option::of(speed()), incline(), contacts()).prop_map(
        |(direction, origin, speed, incline, contacts)| RecordingPoint {
            at: MonotonicMicros(0),
            direction,
            origin,
            speed,
            incline,
            contacts,
        },
    )
}

/// A piece whose last point is at `at`, of points at most two minutes apart.
fn piece(at: u64) -> impl Strategy<Value = Payload> {
    let gap = prop_oneof![Just(100_000), 1..120_000_000_u64];
    let points = prop::collection::vec((gap, point()), 1..=RECORDING_POINTS_MAX);
    (any::<u64>(), any::<u32>(), any::<bool>(), points).prop_map(move |(trigger, number, is_last, points)| {
        let mut points_at = at;
        let mut points: Vec<RecordingPoint> = points
            .into_iter()
            .map_while(|(gap, point)| {
                let at = MonotonicMicros(points_at);
                points_at = points_at.checked_sub(gap)?;
                Some(RecordingPoint { at, ..point })
            })
            .collect();
        points.reverse();
        Payload::Recording(RecordingPiece { trigger: MonotonicMicros(trigger), number, is_last, points })
    })
}

/// Not too long for a record: an agent makes it fit.
fn commissioning() -> impl Strategy<Value = Payload> {
    let stop = (any::<bool>(), speed(), any::<u32>()).prop_map(|(key, speed, time_ms)| CommissionedStop {
        contact: if key { StopContact::SafetyKey } else { StopContact::EmergencyStop },
        speed,
        time_ms,
    });
    let outcome = prop::sample::select(vec![Outcome::Shown, Outcome::Failed, Outcome::Skipped]);
    let measured = prop::collection::vec(("[a-z_]{1,64}", any::<i64>()), 0..=COMMISSIONING_FIGURES_MAX);
    let step = (prop::sample::select(&Step::ALL[..]), outcome, ".{0,50}", measured)
        .prop_map(|(step, outcome, words, measured)| StepResult { step, outcome, words, measured });
    let steps = prop::collection::vec(step, 0..=COMMISSIONING_STEPS_MAX);
    let stops = prop::collection::vec(stop, 0..=COMMISSIONED_STOPS_MAX);
    let who = ("[a-zA-Z ü]{1,40}", "[0-9.]{0,64}", any::<[u8; 16]>());
    (who, any::<[bool; 3]>(), stops, steps).prop_map(|(who, [proven, silent, target], stops, steps)| {
        let report = CommissioningReport {
            technician: who.0,
            agent_version: who.1,
            configuration: ConfigurationHash(who.2),
            direction_proven: proven,
            silent_on_stop: silent,
            incline_is_target: target,
            stops,
            steps,
        };
        Payload::Commissioning(Box::new(report.fitted()))
    })
}

fn record() -> impl Strategy<Value = Record> {
    (200_000_000..u64::MAX / 2, any::<u64>()).prop_flat_map(|(at, other_n)| {
        prop_oneof![reading().boxed(), event(at).boxed(), piece(at).boxed(), commissioning().boxed()]
            .prop_map(move |payload| Record { at: MonotonicMicros(at), other_n, payload })
    })
}

fn clock() -> impl Strategy<Value = Clock> {
    let dated = (any::<bool>(), any::<i64>(), any::<u64>()).prop_map(|(exact, offset_us, uncertainty_us)| {
        let quality = if exact { ClockQuality::Synchronised } else { ClockQuality::Estimated };
        Clock { quality, offset_us, uncertainty_us }
    });
    prop_oneof![Just(Clock::UNDATED), dated]
}

fn position() -> impl Strategy<Value = Position> {
    (1..=u32::MAX, 1..=u64::MAX).prop_map(|(boot_count, n)| Position { boot_count, n })
}

fn lane() -> impl Strategy<Value = Lane> {
    prop::sample::select(Lane::ALL.to_vec())
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (1..100_u64, prop::collection::vec(any::<u8>(), 0..40));
    prop::collection::vec(entry, 1..30).prop_map(|entries| {
        let mut n = 0;
        let number = |(step, octets): (u64, Vec<u8>)| {
            n += step;
            Entry { n, record: octets.into() }
        };
        entries.into_iter().map(number).collect()
    })
}

fn envelope() -> impl Strategy<Value = Envelope> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), lane(), clock(), any::<u64>());
    let boot = (2..1_000_u32, 0..10_u32, any::<bool>(), any::<bool>(), any::<bool>());
    (ids, boot, entries()).prop_map(|(ids, boot, entries)| {
        let earlier = |there: bool| there.then(|| Position::new(boot.0 - 1, 9));
        Envelope {
            log: LogId(ids.0),
            sender: BootId(ids.1),
            sender_boot_count: boot.0 + boot.1,
            lane: ids.2,
            boot: BootStart {
                boot_count: boot.0,
                previous: earlier(boot.2),
                other_previous: earlier(boot.3),
                maker: boot.3.then_some(BootId(ids.0)),
            },
            after: earlier(boot.4),
            after_maker: boot.4.then_some(BootId(ids.1)),
            clock: ids.3,
            sent: MonotonicMicros(ids.4),
            entries,
        }
    })
}

fn status() -> impl Strategy<Value = Status> {
    let order = (1..=u32::MAX, 1..=u32::MAX, 1..=u64::MAX);
    let lane = (lane(), any::<[u8; 16]>(), option::of(position()), position(), any::<u64>());
    let lane = lane.prop_map(|(lane, log, first, next, dropped)| LaneStatus {
        lane,
        log: LogId(log),
        first,
        next,
        dropped,
    });
    let head = (any::<[u8; 16]>(), order, any::<bool>(), any::<u64>(), clock(), "[0-9.]{0,20}");
    let belt = option::of((belt(), any::<u64>(), 0..=120_000_u32));
    let tail = (any::<u32>(), belt, prop::collection::vec(lane, 0..=2), any::<bool>(), any::<u64>());
    (head, tail).prop_map(|(head, tail)| Status {
        boot: BootId(head.0),
        order: StatusOrder { boot_count: head.1.0, connection: head.1.1, counter: head.1.2 },
        offline: head.2,
        sent: MonotonicMicros(head.3),
        clock: head.4,
        agent_version: head.5,
        capabilities: Capabilities(tail.0),
        belt: tail.1.map(|(belt, at, holds)| (belt, MonotonicMicros(at), holds)),
        lanes: tail.2,
        spool_healthy: tail.3,
        spool_bytes: tail.4,
    })
}

fn ack() -> impl Strategy<Value = Ack> {
    let maker = option::of(any::<[u8; 16]>().prop_map(BootId));
    let lane = (lane(), any::<[u8; 16]>(), option::of(position()), maker, 0..=64_u32);
    let lane = lane.prop_map(|(lane, log, committed, maker, window)| {
        let log = LogId(log);
        LaneAck { lane, log, committed, maker, window }
    });
    let refusal = option::of(("[a-z_]{1,12}", "[ -~]{0,80}"))
        .prop_map(|refusal| refusal.map(|(reason, detail)| Refusal { reason, detail }));
    let settings = option::of((any::<u64>(), any::<u32>(), any::<bool>())).prop_map(|settings| {
        settings.map(|(version, reading_interval_ms, heart_rate_allowed)| Settings {
            version,
            reading_interval_ms,
            heart_rate_allowed,
        })
    });
    let head = (any::<[u8; 16]>(), any::<u32>(), any::<u64>(), prop::collection::vec(lane, 0..=2));
    let tail = (option::of((1..u64::MAX, any::<u64>())), any::<i64>(), refusal, settings);
    (head, tail).prop_map(|(head, tail)| Ack {
        boot: BootId(head.0),
        connection: head.1,
        counter: head.2,
        lanes: head.3,
        echo: tail.0.map(|(at, held)| (MonotonicMicros(at), held)),
        server_time: UnixMicros(tail.1),
        refusal: tail.2,
        settings: tail.3,
    })
}

proptest! {
    #[test]
    fn records(record in record()) {
        let octets = wire::record::encode(&record);
        prop_assert!(octets.len() <= RECORD_BYTES_MAX, "{} octets", octets.len());
        prop_assert_eq!(wire::record::decode(record.payload.lane(), &octets), Ok(record.clone()));
        let error = wire::record::decode(record.payload.lane().other(), &octets).expect_err("the other lane");
        prop_assert!(error.message.contains("lane"), "{}", error);
    }

    #[test]
    fn envelopes(envelope in envelope()) {
        prop_assert_eq!(Envelope::decode(envelope.encode()), Ok(envelope));
    }

    #[test]
    fn slices(entries in entries()) {
        prop_assert_eq!(decode_slice(encode_slice(&entries)), Ok(entries));
    }

    #[test]
    fn statuses(status in status()) {
        prop_assert_eq!(Status::decode(status.encode()), Ok(status));
    }

    #[test]
    fn acks(ack in ack()) {
        prop_assert_eq!(Ack::decode(ack.encode()), Ok(ack));
    }

    #[test]
    fn arbitrary_octets_are_refused_or_read_but_never_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let octets = Bytes::from(octets);
        let _ = wire::record::decode(Lane::Events, &octets);
        let _ = wire::record::decode(Lane::Readings, &octets);
        let _ = Envelope::decode(octets.clone());
        let _ = decode_slice(octets.clone());
        let _ = Status::decode(octets.clone());
        let _ = Ack::decode(octets.clone());
        let _ = wire::seal::Unopened::read(octets.clone());
        let _ = wire::topics::Topic::parse(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn a_damaged_envelope_is_refused_or_still_obeys_the_rules(
        envelope in envelope(), at in any::<prop::sample::Index>(), bit in 0..8_u32,
    ) {
        let mut octets = envelope.encode().to_vec();
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        if let Ok(read) = Envelope::decode(octets.into()) {
            prop_assert!(read.after.is_none_or(|after| after < read.first()));
            prop_assert!(read.entries.windows(2).all(|pair| pair[0].n < pair[1].n));
            prop_assert!(read.boot.boot_count <= read.sender_boot_count);
        }
    }
}

/// A fault planted in a reading.
type Change = fn(&mut Reading);

#[test]
fn what_is_refused_names_field_value_and_what_is_allowed() {
    let reading = |change: Change| {
        let mut reading = Reading { span_ms: 1_000, holds_for_ms: 2_000, ..Reading::default() };
        change(&mut reading);
        let record = Record { at: MonotonicMicros(1), other_n: 0, payload: Payload::Reading(reading) };
        wire::record::decode(Lane::Readings, &wire::record::encode(&record)).map(|_| ())
    };
    assert_eq!(reading(|_| {}), Ok(()));
    let refused: [(Change, &str); 4] = [
        (|r| r.span_ms = 0, "Reading.span_ms is 0; 1 to 60000 is allowed"),
        (|r| r.holds_for_ms = 120_001, "Reading.holds_for_ms is 120001; 0 to 120000 is allowed"),
        (|r| r.incline = Some(Incline(1_001)), "Reading.incline_tenths_pct is 1001 tenths"),
        (|r| r.contacts.open = 32, "Reading.contacts has bits 0b100000; bits 0 to 4 are known"),
    ];
    for (change, expected) in refused {
        let error = reading(change).expect_err(expected);
        assert!(error.message.contains(expected), "{error}");
    }
    let id = MachineId::new("tm-01").expect("an id");
    assert_eq!(
        wire::topics::Topic::new(id, wire::topics::Kind::Ack).to_string(),
        "beltwatch/v1/00/tm-01/ack"
    );
}

/// A point a tenth of a second after the one before, at 894 mm/s and 1.5 % with the key in.
fn steady(index: u64) -> RecordingPoint {
    RecordingPoint {
        at: MonotonicMicros(5_000_000 + index * 100_000),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(894)),
        incline: Some(Incline(15)),
        contacts: Contacts { closed: 2, open: 0 },
    }
}

fn a_record(points: Vec<RecordingPoint>) -> Record {
    let at = points.last().map_or(MonotonicMicros(9), |point| point.at);
    let piece = RecordingPiece { trigger: MonotonicMicros(5_100_000), number: 1, is_last: true, points };
    Record { at, other_n: 4, payload: Payload::Recording(piece) }
}

#[test]
fn a_piece_has_these_octets() {
    let unknown = RecordingPoint { speed: None, ..steady(2) };
    let octets = wire::record::encode(&a_record(vec![steady(0), steady(1), unknown]));
    let expected =
        "0880b1bd0210042a2708e0a3b7021001180120032a06a08d06a08d063201043a01024205fe0d00fd0d4a02f00f520104";
    assert_eq!(hex::encode(&octets), expected);
}

#[test]
fn pieces_are_small() {
    let check = |point: fn(u64) -> RecordingPoint, octets_max: usize| {
        let record = a_record((0..RECORDING_POINTS_MAX as u64).map(point).collect());
        let octets = wire::record::encode(&record);
        assert!(octets.len() <= octets_max, "{} octets", octets.len());
        assert_eq!(wire::record::decode(Lane::Events, &octets), Ok(record));
    };
    check(steady, 450);
    // Noise of some mm/s and of some microseconds, as an encoder has it.
    let noisy = |index: u64| {
        let noise = (index * 7_919) % 61;
        let (point, speed) = (steady(index), u32::try_from(noise).expect("it is small"));
        RecordingPoint { at: point.at.plus(noise), speed: Some(Speed(894 + speed)), ..point }
    };
    check(noisy, 600);
    // Everything changes with every point, as far as it can.
    let wild = |index: u64| {
        let odd = index % 2 == 1;
        RecordingPoint {
            at: MonotonicMicros(index * 119_000_000),
            direction: if odd { Direction::Unknown } else { Direction::Forward },
            origin: if odd { Origin::Unknown } else { Origin::Measured },
            speed: odd.then_some(Speed(200_000)),
            incline: odd.then_some(Incline(1_000)),
            contacts: if odd { Contacts { closed: 31, open: 31 } } else { Contacts::default() },
        }
    };
    check(wild, RECORD_BYTES_MAX);
}

/// A fault planted in a piece.
type PieceChange = fn(&mut wire::proto::RecordingPiece);

#[test]
fn what_is_wrong_with_a_piece_is_said() {
    let refused: [(PieceChange, &str); 10] = [
        (|p| p.points = 0, "RecordingPiece.points is 0; 1 to 128 is allowed"),
        (|p| p.points = 129, "RecordingPiece.points is 129; 1 to 128 is allowed"),
        (|p| p.gap_us[0] = 0, "RecordingPiece.gap_us is 0; 1 to 5100000, the time of its point, is allowed"),
        (|p| p.gap_us[1] = 5_300_000, "RecordingPiece.gap_us is 5300000; 1 to 5200000"),
        (|p| p.gap_us.push(1), "RecordingPiece.gap_us has 4 values; 3, one fewer than points, are required"),
        (
            |p| p.speed_mm_s[0] = 200_002,
            "RecordingPiece.speed_mm_s is 200001 mm/s; at most 200000 is allowed",
        ),
        (|p| p.speed_mm_s[0] = -1, "RecordingPiece.speed_mm_s comes to -1; 0 to"),
        (|p| p.direction[0] = 5, "RecordingPiece.direction is 5; 1 to 4 are known"),
        (
            |p| p.origin = vec![1, 0, 0, 0, 0],
            "RecordingPiece.origin has 5 values; at most 4, one a point, are allowed",
        ),
        (|p| p.contacts_open = vec![32], "RecordingPiece.contacts has bits 0b100010; bits 0 to 4 are known"),
    ];
    for (change, expected) in refused {
        let octets = wire::record::encode(&a_record((0..4).map(steady).collect()));
        let mut record: wire::proto::Record = prost::Message::decode(octets).expect("it is one");
        let Some(wire::proto::record::Payload::Recording(piece)) = &mut record.payload else {
            panic!("it is one")
        };
        change(piece);
        let octets = prost::Message::encode_to_vec(&record);
        let error = wire::record::decode(Lane::Events, &octets).expect_err(expected);
        assert!(error.message.contains(expected), "{error}");
    }
}
