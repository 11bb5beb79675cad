use domain::belt::Origin;
use domain::ids::{MachineId, SessionId};
use jiff::Timestamp;
use jiff::civil::date;

use super::*;

const MINUTE_US: u64 = 60_000_000;

fn at(text: &str) -> UnixMicros {
    UnixMicros(text.parse::<Timestamp>().unwrap().as_microsecond())
}

/// A session of 20 min, all of it seen, with this time in reverse at this speed.
fn worked(started: &str, reverse_s: u64, mm_s: u32) -> Worked {
    let reverse = Reverse {
        observed_us: reverse_s * 1_000_000,
        distance_mm: reverse_s * u64::from(mm_s),
        speed_max: Speed(if reverse_s == 0 { 0 } else { mm_s }),
        level_us: reverse_s * 1_000_000,
        ..Reverse::default()
    };
    Worked {
        started: at(started),
        asked_us: 20 * MINUTE_US,
        covered_us: 20 * MINUTE_US,
        reverse,
        unknown_us: 0,
        unknown_speed_max: Speed(0),
        intervals_us: if reverse_s == 0 { Vec::new() } else { vec![reverse_s * 1_000_000] },
        incidents: 1,
    }
}

/// A course in Vienna, made on a Monday, until a Monday four weeks later.
fn when(zones: &Zones) -> When<'_> {
    When {
        zones,
        first_weekday: Weekday::Monday,
        created: at("2026-10-19T08:00:00Z"),
        ended: None,
        now: at("2026-11-16T08:00:00Z"),
    }
}

fn vienna() -> Zones {
    Zones::always("Europe/Vienna").unwrap()
}

#[test]
fn a_session_is_in_the_week_in_which_it_began_on_the_clocks_of_the_site() {
    let zones = vienna();
    let sessions = [
        // Sunday 23:30 in summer time, Monday 00:30; Sunday 23:30 and Monday 00:00 in winter time.
        worked("2026-10-18T21:30:00Z", 60, 500),
        worked("2026-10-18T22:30:00Z", 60, 500),
        worked("2026-10-25T22:30:00Z", 60, 500),
        worked("2026-10-25T23:00:00Z", 60, 500),
    ];
    let check = |first_weekday, expected: &[(Date, u32)]| {
        let when = When { first_weekday, ..when(&zones) };
        let weeks = weeks(&sessions, when, None).unwrap();
        let found: Vec<(Date, u32)> = weeks.iter().map(|week| (week.begin, week.sessions)).collect();
        assert_eq!(found, expected, "{first_weekday:?}");
    };
    check(
        Weekday::Monday,
        &[
            (date(2026, 10, 12), 1),
            (date(2026, 10, 19), 2),
            (date(2026, 10, 26), 1),
            (date(2026, 11, 2), 0),
            (date(2026, 11, 9), 0),
            (date(2026, 11, 16), 0),
        ],
    );
    check(
        Weekday::Sunday,
        &[
            (date(2026, 10, 18), 2),
            (date(2026, 10, 25), 2),
            (date(2026, 11, 1), 0),
            (date(2026, 11, 8), 0),
            (date(2026, 11, 15), 0),
        ],
    );
}

#[test]
fn a_week_adds_up_its_sessions() {
    let zones = vienna();
    let mut second = worked("2026-10-21T08:00:00Z", 300, 800);
    second.unknown_us = 2 * MINUTE_US;
    second.covered_us = 10 * MINUTE_US;
    second.intervals_us = vec![30_000_000, 10_000_000];
    let sessions = [worked("2026-10-19T09:00:00Z", 100, 400), second];
    let weeks = weeks(&sessions, when(&zones), None).unwrap();
    let week = &weeks[0];
    assert_eq!((week.sessions, week.incidents, week.unknown_us), (2, 2, 2 * MINUTE_US));
    // 100 s at 0.4 m/s and 300 s at 0.8 m/s are 280 m in 400 s.
    assert_eq!(week.reverse.speeds(), Some((Speed(700), Speed(800))));
    assert_eq!((week.reverse.observed_us, week.reverse.level_us), (400_000_000, 400_000_000));
    assert_eq!((week.covered_us, week.asked_us), (30 * MINUTE_US, 40 * MINUTE_US));
    assert_eq!(week.intervals_us, [10_000_000, 30_000_000, 100_000_000]);
    assert_eq!((weeks[1].sessions, weeks[1].reverse.speeds()), (0, None));
}

#[test]
fn days_between_are_dates_apart_and_stay_until_more_come() {
    let zones = vienna();
    let sessions = [
        worked("2026-10-20T08:00:00Z", 60, 500),
        // The same day; three days later; over the end of summer time, five days and an hour; the next day.
        worked("2026-10-20T18:00:00Z", 60, 500),
        worked("2026-10-23T08:00:00Z", 60, 500),
        worked("2026-10-28T08:00:00Z", 60, 500),
        worked("2026-10-29T08:00:00Z", 60, 500),
    ];
    let of = |sessions: &[Worked]| -> Vec<Option<u32>> {
        let weeks = weeks(sessions, when(&zones), None).unwrap();
        weeks.iter().map(|week| week.days_between_max).collect()
    };
    assert_eq!(of(&sessions), [Some(3), Some(5), Some(5), Some(5), Some(5)]);
    assert_eq!(of(&sessions[..2]), [Some(0); 5]);
    assert_eq!(of(&sessions[..1]), [None; 5]);
    assert_eq!(of(&[]), [None; 5]);
}

/// What becomes of one prescribed field with these sessions in the first week.
fn check(prescription: Prescription, sessions: &[Worked], done: Option<f64>, kept: Option<bool>) {
    let zones = vienna();
    let weeks = weeks(sessions, when(&zones), Some(&prescription)).unwrap();
    let [compared] = &weeks[0].compared[..] else { panic!("{weeks:?}") };
    assert_eq!((compared.done, compared.kept), (done, kept), "{prescription:?} {sessions:?}");
}

#[test]
fn sessions_a_week_are_kept_by_as_many_or_more() {
    let of = |sessions_a_week| Prescription { sessions_a_week: Some(sessions_a_week), ..Default::default() };
    // From Monday 00:00 on the course went on for all of the week.
    let early = worked("2026-10-18T22:00:00Z", 60, 500);
    let two = [early, worked("2026-10-20T08:00:00Z", 60, 500)];
    check(of(2), &two, Some(2.0), Some(true));
    check(of(1), &two, Some(2.0), Some(true));
    check(of(3), &two, Some(2.0), Some(false));
    // Made on Monday at ten: sessions before that may not have been labelled.
    check(of(1), &two[1..], Some(1.0), Some(true));
    check(of(2), &two[1..], Some(1.0), None);
}

#[test]
fn time_in_reverse_is_a_mean_and_what_was_not_seen_may_have_been_it() {
    let prescribed = Prescription { reverse_seconds: Some(600), ..Default::default() };
    let short = worked("2026-10-20T08:00:00Z", 500, 500);
    check(prescribed, &[], None, None);
    check(prescribed, &[worked("2026-10-20T08:00:00Z", 600, 500)], Some(600.0), Some(true));
    check(prescribed, std::slice::from_ref(&short), Some(500.0), Some(false));
    check(prescribed, &[short.clone(), worked("2026-10-21T08:00:00Z", 700, 500)], Some(600.0), Some(true));
    let unseen = |unknown_s: u64, gap_s: u64| Worked {
        unknown_us: unknown_s * 1_000_000,
        covered_us: short.covered_us - gap_s * 1_000_000,
        ..short.clone()
    };
    check(prescribed, &[unseen(99, 0)], Some(500.0), Some(false));
    check(prescribed, &[unseen(100, 0)], Some(500.0), None);
    check(prescribed, &[unseen(0, 100)], Some(500.0), None);
    check(prescribed, &[unseen(50, 49)], Some(500.0), Some(false));
}

#[test]
fn the_greatest_speed_is_kept_unless_it_was_beyond() {
    let prescribed = Prescription { speed_mm_s: Some(800), ..Default::default() };
    let at_speed = |mm_s, unknown| Worked {
        unknown_speed_max: Speed(unknown),
        ..worked("2026-10-20T08:00:00Z", 60, mm_s)
    };
    check(prescribed, &[], None, None);
    check(prescribed, &[at_speed(800, 0)], Some(0.8), Some(true));
    check(prescribed, &[at_speed(801, 0)], Some(0.801), Some(false));
    check(prescribed, &[at_speed(700, 800)], Some(0.7), Some(true));
    check(prescribed, &[at_speed(700, 900)], Some(0.7), None);
    check(prescribed, &[at_speed(801, 900)], Some(0.801), Some(false));
    let forward_only = worked("2026-10-20T08:00:00Z", 0, 0);
    check(prescribed, std::slice::from_ref(&forward_only), None, None);
    check(prescribed, &[Worked { unknown_speed_max: Speed(900), ..forward_only }], None, None);
}

#[test]
fn intervals_are_kept_by_a_median_within_a_fifth() {
    let prescribed = Prescription { interval_seconds: Some(30), ..Default::default() };
    let of = |seconds: &[u64]| Worked {
        intervals_us: seconds.iter().map(|one| one * 1_000_000).collect(),
        ..worked("2026-10-20T08:00:00Z", 60, 500)
    };
    check(prescribed, &[of(&[])], None, None);
    check(prescribed, &[of(&[24])], Some(24.0), Some(true));
    check(prescribed, &[of(&[36])], Some(36.0), Some(true));
    check(prescribed, &[of(&[23])], Some(23.0), Some(false));
    check(prescribed, &[of(&[37])], Some(37.0), Some(false));
    check(prescribed, &[of(&[100, 31, 5])], Some(31.0), Some(true));
    check(prescribed, &[of(&[31]), of(&[34])], Some(32.5), Some(true));
}

#[test]
fn a_week_that_is_not_over_and_one_beyond_what_was_prescribed_are_not_judged() {
    let zones = vienna();
    let prescription = Prescription { speed_mm_s: Some(800), ..Default::default() };
    let sessions: Vec<Worked> = ["2026-10-20", "2026-10-27", "2026-11-03", "2026-11-10", "2026-11-16"]
        .iter()
        .map(|day| worked(&format!("{day}T07:00:00Z"), 60, 500))
        .collect();
    let kept = |prescription: &Prescription, when: When<'_>| -> Vec<Option<Option<bool>>> {
        let weeks = weeks(&sessions, when, Some(prescription)).unwrap();
        weeks.iter().map(|week| week.compared.first().map(|one| one.kept)).collect()
    };
    let judged = Some(Some(true));
    assert_eq!(kept(&prescription, when(&zones)), [judged, judged, judged, judged, Some(None)]);
    let two_weeks = Prescription { weeks: Some(2), ..prescription };
    assert_eq!(kept(&two_weeks, when(&zones)), [judged, judged, None, None, None]);
    // A week of a course that was ended is over when the week is.
    let ended = When { ended: Some(at("2026-11-16T07:30:00Z")), ..when(&zones) };
    assert_eq!(kept(&prescription, ended)[4], Some(None));
    let later = When { now: at("2026-11-22T22:59:00Z"), ..ended };
    assert_eq!(kept(&prescription, later)[4], Some(None));
    let later = When { now: at("2026-11-22T23:00:00Z"), ..ended };
    assert_eq!(kept(&prescription, later), [judged; 5]);
}

#[test]
fn steps_up_are_against_the_session_in_reverse_before() {
    let of = |speeds: &[u32]| -> Vec<Option<u32>> {
        let reverse_s = |mm_s: u32| if mm_s == 0 { 0 } else { 60 };
        let sessions: Vec<Worked> =
            speeds.iter().map(|mm_s| worked("2026-10-20T08:00:00Z", reverse_s(*mm_s), *mm_s)).collect();
        speed_steps(&sessions).into_iter().map(|step| step.map(|step| step.0)).collect()
    };
    assert_eq!(of(&[]), []);
    assert_eq!(of(&[500, 600, 600, 550, 0, 700]), [None, Some(100), None, None, None, Some(150)]);
}

#[test]
fn a_median_is_in_the_middle() {
    for (ascending, expected) in [
        (&[][..], None),
        (&[7], Some(7)),
        (&[1, 2], Some(1)),
        (&[1, 3], Some(2)),
        (&[1, 3, 9], Some(3)),
        (&[1, 3, 9, 100], Some(6)),
        (&[u64::MAX, u64::MAX], Some(u64::MAX)),
    ] {
        assert_eq!(median(ascending), expected, "{ascending:?}");
    }
}

#[test]
fn a_session_is_worked_out_from_its_segments() {
    let start = at("2026-10-20T08:00:00Z");
    // Seconds from and until, which way, speed, how steep.
    let segment = |from: i64, until: i64, direction, mm_s: u32, grade| {
        let (from, until) = (start.plus(from * 1_000_000), start.plus(until * 1_000_000));
        let micros = u64::try_from(until.since(from)).unwrap();
        Segment {
            ended: until,
            observed_us: micros,
            distance_mm: u64::from(mm_s) * micros / 1_000_000,
            speed_max: Speed(mm_s),
            ..Segment::begun(direction, Origin::Measured, grade, from)
        }
    };
    let segments = vec![
        segment(0, 30, Direction::Forward, 1_500, Grade::Level),
        segment(30, 60, Direction::Stopped, 0, Grade::Unknown),
        segment(60, 90, Direction::Reverse, 500, Grade::Level),
        segment(90, 100, Direction::Reverse, 700, Grade::Downhill),
        segment(100, 130, Direction::Unknown, 900, Grade::Unknown),
        segment(140, 150, Direction::Reverse, 400, Grade::Unknown),
    ];
    let session = Session {
        id: SessionId([1; 16]),
        machine: MachineId::new("n-1").unwrap(),
        started: start,
        last_motion: start.plus(150_000_000),
        ended: true,
        segments: segments.clone(),
        revision: 1,
    };
    let found = Worked::of(&session, &segments, 3);
    let reverse = Reverse {
        observed_us: 50_000_000,
        distance_mm: 15_000 + 7_000 + 4_000,
        speed_max: Speed(700),
        level_us: 30_000_000,
        uphill_us: 0,
        downhill_us: 10_000_000,
    };
    let expected = Worked {
        started: start,
        asked_us: 150_000_000,
        covered_us: 140_000_000,
        reverse,
        unknown_us: 30_000_000,
        unknown_speed_max: Speed(900),
        intervals_us: vec![40_000_000, 10_000_000],
        incidents: 3,
    };
    assert_eq!(found, expected);
}
