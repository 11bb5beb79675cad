//! The year is what it claims to be: the same from the same seed, folded as the machine mind folds, and plausible.

mod agreement;

use std::collections::BTreeMap;

use domain::belt::{Direction, Origin};
use domain::ids::MachineId;
use domain::usage::{Usage, UsageRow, code};
use jiff::civil::{Date, date};
use store::fact::{FactKind, FactOutcome};
use store::ledger::{Derived, Ledger, SessionQuery};
use store::memory::MemoryLedger;

use super::*;

const HOUR_US: u64 = 3_600 * 1_000_000;
const SECOND_US: i64 = 1_000_000;

fn fleet(seed: u64, machines: usize, first: Date, days: i32) -> Year {
    Year::of_fleet(seed, machines, first, days).unwrap()
}

fn total(rows: &[UsageRow]) -> Usage {
    let mut sum = Usage::default();
    rows.iter().for_each(|row| sum.merge(&code::total(&row.quarters).unwrap()));
    sum
}

#[test]
fn the_same_seed_gives_the_same_year_and_another_one_another() {
    let of = |seed: u64, machines: usize| fleet(seed, machines, date(2026, 3, 20), 14).history(2);
    assert_eq!(of(7, 4), of(7, 4));
    assert_eq!(of(7, 4), of(7, 12), "more machines leave the others as they are");
    assert_ne!(of(7, 4).sessions, of(8, 4).sessions);
    let readings = |seed: u64| {
        let (year, mut all) = (fleet(seed, 4, date(2026, 3, 20), 2), Vec::new());
        year.watched(0, year.from(), |watched| all.push(watched));
        all
    };
    assert_eq!(readings(7), readings(7));
    assert_ne!(readings(7), readings(8));
}

#[test]
fn days_of_a_longer_time_are_those_of_a_shorter_one() {
    let planned = |first: Date, days: i32| -> Vec<Planned> {
        let year = fleet(5, 1, first, days);
        let from = date(2026, 5, 4).to_zoned(jiff::tz::TimeZone::get("Europe/Vienna").unwrap()).unwrap();
        let from = UnixMicros(from.timestamp().as_microsecond());
        year.planned(0).filter(|planned| planned.starts >= from).collect()
    };
    assert_eq!(planned(date(2026, 5, 4), 7), planned(date(2026, 4, 4), 37));
}

/// The days around the change of clocks, and those of Christmas.
#[test]
fn belts_run_within_opening_hours_but_for_technicians_and_one_thing_at_a_time() {
    for first in [date(2026, 3, 20), date(2026, 10, 20), date(2026, 12, 20)] {
        let year = fleet(3, 160, first, 14);
        for number in (0..160).step_by(7) {
            let machine = &year.machines()[number];
            let days = year.days(machine);
            let mut before = year.from();
            for planned in year.planned(number) {
                assert!(before <= planned.starts && planned.starts < planned.ends, "{number}: {planned:?}");
                before = planned.ends;
                let is_open = days.iter().filter_map(|day| day.open);
                let is_open =
                    is_open.clone().any(|(opens, closes)| opens <= planned.starts && planned.ends <= closes);
                assert!(is_open || planned.purpose == Purpose::TestRun, "{number}: {planned:?}");
            }
            let mut seen = year.from();
            year.spells(number, |spell| {
                assert!(seen <= spell.from && spell.from < spell.until, "{number}: {spell:?}");
                assert_eq!(i64::from(spell.reading.span_ms) * 1_000, spell.micros());
                seen = spell.until;
            });
            assert!(seen <= year.until());
        }
    }
}

#[test]
fn machines_that_are_out_of_service_stand_still_until_they_are_tested() {
    let year = fleet(1, 40, date(2026, 1, 1), 180);
    let mut days_out = 0;
    for (number, machine) in year.machines().iter().enumerate() {
        let out: Vec<&GymDay> = year
            .days(machine)
            .iter()
            .filter(|day| plan::out_of_service(year.machine_seed(number), day.number).is_some())
            .collect();
        days_out += out.len();
        for planned in year.planned(number).filter(|planned| planned.purpose != Purpose::TestRun) {
            let is_out = out.iter().any(|day| (day.begins..day.ends).contains(&planned.starts));
            assert!(!is_out, "{number}: {planned:?}");
        }
    }
    let share = days_out as f64 / (40.0 * 180.0);
    assert!((0.005..0.03).contains(&share), "{share}");
}

#[test]
fn a_gym_is_used_as_gyms_are() {
    let year = fleet(11, 20, date(2026, 1, 1), 90);
    let hours = |micros: u64| micros as f64 / HOUR_US as f64 / 90.0;
    let mut of_kind: BTreeMap<&str, Usage> = BTreeMap::new();
    for (number, machine) in year.machines().iter().enumerate() {
        let usage = total(&year.history(number).usage);
        let a_day = hours(usage.motion().observed_us);
        let (least, most) = match machine.popularity {
            0..100 => (0.0, 1.5),
            100..700 => (0.3, 6.0),
            _ => (2.0, 11.0),
        };
        assert!((least..most).contains(&a_day), "{}: {a_day} hours a day", machine.id);
        let covered = hours(usage.coverage.observed_us());
        // The year begins an hour before the first UTC day.
        assert!((22.0..24.02).contains(&covered), "{}: {covered} hours covered a day", machine.id);
        of_kind.entry(machine.kind.model()).or_default().merge(&usage);
    }
    let share = |kind: Kind, direction: Direction, origin: Origin| {
        let usage = &of_kind[kind.model()];
        let motion = usage.sum(|key| (key.direction, key.origin) == (direction, origin));
        motion.observed_us as f64 / usage.motion().observed_us as f64
    };
    assert_eq!(share(Kind::OneWay, Direction::Forward, Origin::Declared), 1.0);
    assert_eq!(share(Kind::Blind, Direction::Unknown, Origin::Unknown), 1.0);
    assert_eq!(share(Kind::Manual, Direction::Forward, Origin::Measured), 1.0);
    let reverse = share(Kind::Encoder, Direction::Reverse, Origin::Measured);
    assert!((0.005..0.1).contains(&reverse), "{reverse}");
    let reverse = of_kind[Kind::Encoder.model()].of_direction(Direction::Reverse);
    assert!((450..890).contains(&reverse.speed_mean().0), "{reverse:?}");
    let guidance = reverse.guidance.unwrap();
    assert!(guidance.rail_held_us < guidance.rail_known_us && guidance.rail_known_us == reverse.observed_us);
}

#[test]
fn january_is_busier_than_august_and_evening_than_afternoon() {
    let year = fleet(2, 20, date(2026, 1, 1), 365);
    let zone = jiff::tz::TimeZone::get("Europe/Vienna").unwrap();
    let (mut months, mut hours) = ([0; 13], [0; 24]);
    for planned in (0..20).flat_map(|number| year.planned(number)) {
        let local = jiff::Timestamp::from_microsecond(planned.starts.0).unwrap().to_zoned(zone.clone());
        months[usize::try_from(local.month()).unwrap()] += 1;
        if local.weekday().to_monday_zero_offset() < 5 {
            hours[usize::try_from(local.hour()).unwrap()] += 1;
        }
    }
    assert!(months[1] * 10 > months[8] * 13, "{months:?}");
    for (peak, others) in [(7, [6, 9]), (12, [10, 14]), (18, [15, 21])] {
        assert!(others.iter().all(|hour| hours[peak] > hours[*hour]), "{hours:?}");
    }
    assert!(months.iter().skip(1).all(|month| (2_000..12_000).contains(month)), "{months:?}");
}

/// A course is held twice a week on a machine that is otherwise used as it is.
#[test]
fn sessions_of_courses_are_their_own_and_the_ledger_takes_everything() {
    let (year, gym) = (fleet(4, 1, date(2026, 9, 7), 28), 0);
    let appointment = |weekday| Appointment { course: 3, weekday, minute: 18 * 60 };
    let machine =
        FleetMachine { appointments: vec![appointment(0), appointment(3)], ..year.machines()[gym].clone() };
    let year = Year::new(4, year.gyms().to_vec(), vec![machine], date(2026, 9, 7), year.until()).unwrap();
    let history = year.history(0);
    assert!((5..=8).contains(&history.courses.len()), "{:?}", history.courses);
    for (id, course) in &history.courses {
        let session = history.sessions.iter().find(|session| session.id == *id).unwrap();
        let reverse = session.segments.iter().filter(|segment| segment.direction == Direction::Reverse);
        let reverse: Vec<_> = reverse.collect();
        assert_eq!((*course, reverse.len()), (3, 10), "{session:?}");
        let seconds = reverse.iter().map(|segment| segment.ended.since(segment.started) / SECOND_US);
        assert!(seconds.clone().all(|seconds| (27..=33).contains(&seconds)), "{session:?}");
    }
    let put = async {
        let ledger = MemoryLedger::new();
        let author = Author { name: "year", request: Some("year") };
        for fact in registration(&year, author) {
            assert!(matches!(ledger.add_fact(fact).await.unwrap(), FactOutcome::Added(_)));
        }
        let (machines, sessions) = (vec![MachineId::new("belt-00001").unwrap()], history.sessions.len());
        ledger
            .put(Derived { usage: history.usage, sessions: history.sessions, ..Derived::default() })
            .await
            .unwrap();
        let (from, until) = (year.from(), year.until());
        let query = SessionQuery { machines, from, until, with: None, after: None, max: 1_000 };
        assert_eq!(ledger.sessions(&query).await.unwrap().len(), sessions);
    };
    futures::executor::block_on(put);
}

#[test]
fn facts_of_service_come_in_pairs_and_in_order() {
    let year = fleet(1, 60, date(2026, 1, 1), 300);
    let facts = registration(&year, Author { name: "year", request: None });
    assert!(facts.windows(2).all(|pair| pair[0].time <= pair[1].time));
    let mut out: BTreeMap<&MachineId, bool> = BTreeMap::new();
    let mut changes = 0;
    for fact in &facts {
        if let FactKind::ServiceChanged(change) = &fact.kind {
            let is_out = change.out_of_service.is_some();
            assert_ne!(out.insert(&change.machine, is_out).unwrap_or(false), is_out, "{fact:?}");
            changes += 1;
        }
    }
    assert!(changes > 20, "{changes}");
}

/// What readings add up to is near to what spells say: ramps and noise are all that is between them.
#[test]
fn readings_are_those_of_the_spells() {
    let year = fleet(6, 20, date(2026, 6, 1), 2);
    for number in [0, 3, 7, 9] {
        let (mut seen, mut told) = ((0, 0_u64), (0, 0_u64));
        let travelled = |mm_s: u32, micros: i64| u64::from(mm_s) * u64::try_from(micros / 1_000_000).unwrap();
        year.spells(number, |spell| {
            seen.0 += spell.micros();
            seen.1 += travelled(spell.reading.speed.unwrap().mean.0, spell.micros());
        });
        let mut last = (0, 0, year.from());
        year.watched(number, year.from(), |watched| {
            let span = i64::from(watched.reading.span_ms) * 1_000;
            assert!((1..=30_000_000).contains(&span));
            assert!(watched.time.plus(-span) >= last.2 && watched.booted < watched.time);
            assert_eq!(watched.n, if watched.boot == last.0 { last.1 + 1 } else { 1 });
            last = (watched.boot, watched.n, watched.time);
            told.0 += span;
            told.1 += travelled(watched.reading.speed.unwrap().mean.0, span);
        });
        assert_eq!(seen.0, told.0);
        let off = seen.1.abs_diff(told.1) as f64 / seen.1 as f64;
        assert!(seen.1 > 1_000_000 && off < 0.03, "{number}: {seen:?} {told:?}");
    }
}
