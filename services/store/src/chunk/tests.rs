use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::log::Lane;
use domain::record::{Event, EventKind, Extra, Payload, Reading, Record, SpeedSummary};
use domain::recording::RecordingPiece;
use domain::signal::Capabilities;
use domain::units::{Incline, MonotonicMicros, Speed};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::varint::{self, Octets};
use super::*;

fn clocks() -> impl Strategy<Value = Clock> {
    let quality = select(vec![ClockQuality::Synchronised, ClockQuality::Estimated, ClockQuality::Undated]);
    (quality, any::<i64>(), any::<u64>()).prop_map(|(quality, offset_us, uncertainty_us)| Clock {
        quality,
        offset_us,
        uncertainty_us,
    })
}

fn directions() -> impl Strategy<Value = Direction> {
    select(vec![Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown])
}

fn origins() -> impl Strategy<Value = Origin> {
    select(vec![Origin::Measured, Origin::Declared, Origin::Unknown])
}

fn contacts() -> impl Strategy<Value = Contacts> {
    any::<(u32, u32)>().prop_map(|(closed, open)| Contacts { closed, open })
}

fn speeds() -> impl Strategy<Value = SpeedSummary> {
    any::<(u32, u32, u32, Option<u32>, Option<u32>)>().prop_map(|(mean, min, max, rise, fall)| SpeedSummary {
        mean: Speed(mean),
        min: Speed(min),
        max: Speed(max),
        rise,
        fall,
    })
}

fn extras() -> impl Strategy<Value = Extra> {
    let numbers = (option::of(any::<u32>()), any::<[Option<u32>; 5]>(), any::<(Option<i32>, Option<bool>)>());
    (numbers, option::of(any::<u32>())).prop_map(|((commanded, four, (force, contact)), second)| Extra {
        commanded: commanded.map(Speed),
        elapsed_s: four[0],
        distance_m: four[1],
        steps: four[2],
        belt_force_n: force,
        heart_rate_contact: contact,
        heart_rate_bpm: four[3],
        second_speed: second.map(Speed),
        declared_mode: four[4],
    })
}

fn readings() -> impl Strategy<Value = Payload> {
    let extra = prop_oneof![Just(Extra::default()), extras()];
    let numbers = any::<(u32, u32, Option<i32>)>();
    (numbers, directions(), origins(), option::of(speeds()), contacts(), extra).prop_map(
        |((span_ms, holds_for_ms, incline), direction, origin, speed, contacts, extra)| {
            Payload::Reading(Reading {
                span_ms,
                direction,
                origin,
                speed,
                incline: incline.map(Incline),
                contacts,
                holds_for_ms,
                extra,
            })
        },
    )
}

fn belts() -> impl Strategy<Value = Belt> {
    (directions(), origins(), any::<(Option<u32>, Option<i32>)>(), contacts()).prop_map(
        |(direction, origin, (speed, incline), contacts)| Belt {
            direction,
            origin,
            speed: speed.map(Speed),
            incline: incline.map(Incline),
            contacts,
        },
    )
}

fn events() -> impl Strategy<Value = Payload> {
    let texts = (".{0,20}", prop_oneof![Just(String::new()), ".{0,60}".prop_map(String::from)]);
    let belts = (belts(), belts());
    let kind = select(EventKind::ALL.to_vec());
    let contact = option::of(select(Contact::ALL.to_vec()));
    let added = any::<(Option<u32>, Option<u64>)>();
    (kind, belts, contact, texts, any::<(u32, u64)>(), option::of(directions()), added).prop_map(
        |(kind, (belt, before), contact, (source, detail), (count, last), direction_before, added)| {
            let last = MonotonicMicros(last);
            Payload::Event(Event {
                kind,
                belt,
                before,
                contact,
                source,
                count,
                last,
                direction_before,
                detail,
                capabilities: added.0.map(Capabilities),
                recording: added.1.map(MonotonicMicros),
            })
        },
    )
}

/// Rows of one lane by ascending number, of every value there can be.
fn rows() -> impl Strategy<Value = (Lane, Vec<Row>)> {
    let of = |payload: BoxedStrategy<Payload>| {
        let gap = prop_oneof![Just(1_u64), 1..1_000_u64, any::<u32>().prop_map(|gap| u64::from(gap) + 1)];
        let clock = prop_oneof![3 => Just(None), 1 => clocks().prop_map(Some)];
        (any::<u32>(), clocks(), vec((gap, clock, any::<u64>(), any::<u64>(), payload), 1..40)).prop_map(
            |(first, clock, rows)| {
                let mut n = u64::from(first);
                let row = |(gap, other, at, other_n, payload)| {
                    n += gap;
                    let record = Record { at: MonotonicMicros(at), other_n, payload };
                    Row { n, clock: Option::unwrap_or(other, clock), record }
                };
                rows.into_iter().map(row).collect::<Vec<_>>()
            },
        )
    };
    prop_oneof![
        of(readings().boxed()).prop_map(|rows| (Lane::Readings, rows)),
        of(events().boxed()).prop_map(|rows| (Lane::Events, rows)),
    ]
}

/// The rows as a fresh chunk and as a compacted one.
fn both(lane: Lane, rows: &[Row]) -> [Vec<u8>; 2] {
    let mut encoder = Encoder::default();
    [encoder.encode(lane, rows).unwrap(), encoder.compact(lane, rows).unwrap()]
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded((lane, rows) in rows()) {
        let chunk = Encoder::default().encode(lane, &rows).unwrap();
        let (decoded_head, decoded) = decode(&chunk).unwrap();
        prop_assert_eq!(&decoded, &rows);
        prop_assert_eq!(decoded_head, head(&chunk).unwrap());
        prop_assert_eq!(decoded_head, head_of(lane, &rows).unwrap());
        let compacted = Encoder::default().compact(lane, &rows).unwrap();
        prop_assert_eq!(decode(&compacted).unwrap(), (decoded_head, rows));
    }

    #[test]
    fn a_flipped_bit_is_found((lane, rows) in rows(), place in any::<prop::sample::Index>(), bit in 0..8) {
        for mut chunk in both(lane, &rows) {
            let place = place.index(chunk.len());
            chunk[place] ^= 1_u8 << bit;
            prop_assert!(decode(&chunk).is_err());
        }
    }

    #[test]
    fn a_cut_is_found((lane, rows) in rows(), place in any::<prop::sample::Index>()) {
        for chunk in both(lane, &rows) {
            prop_assert!(decode(&chunk[..place.index(chunk.len())]).is_err());
        }
    }

    /// Octets with a right checksum come past it, so the rest of the decoder sees them too.
    #[test]
    fn arbitrary_octets_do_no_harm(form in 0..16_u8, body in vec(any::<u8>(), 0..200), sealed in any::<bool>()) {
        let mut chunk = vec![MAGIC[0], MAGIC[1], VERSION, form, 0, 0, 0, 0];
        chunk.extend(body);
        if sealed {
            let checksum = checksum(&chunk);
            chunk[4..8].copy_from_slice(&checksum.to_le_bytes());
        }
        // What it says of so few octets does not matter: only that it says something.
        let _ = decode(&chunk);
        let _ = decode(&chunk[4..]);
    }

    #[test]
    fn damage_under_a_right_checksum_does_no_harm(
        (lane, rows) in rows(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for mut chunk in both(lane, &rows) {
            for (place, octet) in &changes {
                let place = 8 + place.index(chunk.len() - 8);
                chunk[place] = *octet;
            }
            if let Ok((head, rows)) = decode(&sealed(chunk)) {
                prop_assert_eq!(head.count, rows.len());
            }
        }
    }

    #[test]
    fn integers_take_as_many_octets_as_they_say(value in any::<u64>(), shift in 0..64_u32) {
        let value = value >> shift;
        let mut octets = Vec::new();
        varint::put(&mut octets, value);
        prop_assert_eq!(octets.len(), varint::length(value));
        prop_assert_eq!(Octets::new(&octets).varint().unwrap(), value);
        prop_assert_eq!(varint::unzigzag(varint::zigzag(value.cast_signed())), value.cast_signed());
    }
}

#[test]
fn no_integer_of_more_than_64_bits_is_read() {
    assert!(Octets::new(&[0xff; 11]).varint().is_err());
    assert!(Octets::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).varint().is_err());
    let greatest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(Octets::new(&greatest).varint().unwrap(), u64::MAX);
}

/// Readings once a second of a belt that runs at 2.5 m/s give or take `noise` mm/s.
fn steady(count: u64, noise: u64) -> Vec<Row> {
    let clock = Clock {
        quality: ClockQuality::Synchronised,
        offset_us: 1_800_000_000_123_456,
        uncertainty_us: 2_000,
    };
    let mut seed = 1_u64;
    let mut jitter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from((seed >> 33) % (noise + 1)).unwrap()
    };
    let mut row = |n: u64| {
        let mean = 2_500 + jitter();
        let speed = SpeedSummary {
            mean: Speed(mean),
            min: Speed(mean - jitter()),
            max: Speed(mean + jitter()),
            rise: Some(jitter()),
            fall: Some(jitter()),
        };
        let reading = Reading {
            span_ms: 1_000,
            direction: Direction::Reverse,
            origin: Origin::Measured,
            speed: Some(speed),
            incline: Some(Incline(20)),
            contacts: Contacts { closed: 3, open: 0 },
            holds_for_ms: 3_000,
            extra: Extra::default(),
        };
        let at = MonotonicMicros(90_000_000_000 + n * 1_000_000);
        Row { n, clock, record: Record { at, other_n: 12, payload: Payload::Reading(reading) } }
    };
    (50_000..50_000 + count).map(&mut row).collect()
}

#[test]
fn readings_take_few_octets() {
    let check = |count, noise, octets_max: usize| {
        let chunk = Encoder::default().encode(Lane::Readings, &steady(count, noise)).unwrap();
        assert!(chunk.len() <= octets_max, "{count} readings, noise {noise}: {} octets", chunk.len());
    };
    check(10, 0, 80);
    check(10, 20, 140);
    check(3_600, 0, 80);
    check(3_600, 20, 14_400);
}

#[test]
fn what_cannot_be_a_chunk_is_refused() {
    let check = |lane, rows: &[Row], says: &str| {
        let error = Encoder::default().encode(lane, rows).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    };
    let rows = steady(3, 0);
    let [first, second] = [rows[0].clone(), rows[1].clone()];
    check(Lane::Readings, &[], "there are none");
    check(Lane::Events, &rows, "of one lane");
    check(Lane::Readings, &[second, first], "do not ascend");
    let piece = RecordingPiece { trigger: MonotonicMicros(1), number: 0, is_last: true, points: Vec::new() };
    let record = Record { payload: Payload::Recording(piece), ..rows[0].record.clone() };
    check(Lane::Events, &[Row { record, ..rows[0].clone() }], "a piece of a recording");
    check(Lane::Readings, &steady(limits::CHUNK_ROWS_MAX as u64 + 1, 0), "CHUNK_ROWS_MAX");
}

#[test]
fn a_chunk_of_a_newer_version_says_so() {
    let mut chunk = Encoder::default().encode(Lane::Readings, &steady(3, 0)).unwrap();
    chunk[2] = 4;
    let checksum = checksum(&chunk);
    chunk[4..8].copy_from_slice(&checksum.to_le_bytes());
    assert_eq!(decode(&chunk), Err(ChunkError::NewerVersion(4)));
}

/// A chunk of events as version 1 was written.
const EVENTS_1: &str = "c7420106088f8b0502030280b6b58ee5c5b20600efffbf034d0100020080ade204000e000400a01f010801000c00fc0d00\
0500040002010c0b0801fc0d080105010403010201080100020462656c740001000201020208020202000762792068616e64010002";

#[test]
fn events_of_version_1_still_read() {
    let octets: Vec<u8> = (0..EVENTS_1.len() / 2)
        .map(|place| u8::from_str_radix(&EVENTS_1[2 * place..2 * place + 2], 16).unwrap())
        .collect();
    let clock =
        Clock { quality: ClockQuality::Estimated, offset_us: 1_800_000_000_123_456, uncertainty_us: 2_000 };
    let belt = Belt {
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(894)),
        incline: Some(Incline(-3)),
        contacts: Contacts { closed: 2, open: 1 },
    };
    let at = MonotonicMicros(5_000_000);
    let opened = Event {
        contact: Some(Contact::EmergencyStop),
        source: "belt".to_owned(),
        ..Event::new(EventKind::ContactOpened, at, belt, belt)
    };
    let turned = Event {
        direction_before: Some(Direction::Forward),
        detail: "by hand".to_owned(),
        count: 2,
        ..Event::new(EventKind::DirectionChanged, at, belt, Belt::default())
    };
    let row = |n, event| Row { n, clock, record: Record { at, other_n: 7, payload: Payload::Event(event) } };
    let rows = vec![row(3, opened), row(5, turned)];
    assert_eq!(decode(&octets).unwrap().1, rows);
    let mut now = Encoder::default().encode(Lane::Events, &rows).unwrap();
    assert_eq!(now[2], 2);
    now[2] = 1;
    let sum = checksum(&now);
    now[4..8].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(now, octets, "without what is new only the version differs");
}
