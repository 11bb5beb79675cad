//! A course week by week, as callers meet it.

use domain::incident::Rule;
use domain::units::UnixMicros;
use prost_types::Duration;
use wire::api::v1;

use super::super::incidents::{changed, incident};
use super::super::{NOON, with_token};
use super::{People, create, get, id, session};

const MINUTES_A_DAY: i64 = 24 * 60;

fn length(seconds: i64) -> Option<Duration> {
    Some(Duration { seconds, nanos: 0 })
}

/// What somebody is told of a course.
async fn report(people: &People, secret: &str, course: u64) -> v1::GetCourseResponse {
    people.service().await.get_course(with_token(secret, get(course))).await.unwrap().into_inner()
}

/// Incidents around a session of `n-1` that began so many seconds after noon: two in it, one of them when it ended.
async fn happen(people: &People, began: i64) {
    people
        .bench
        .found(vec![
            incident(1, "n-1", began),
            changed(incident(2, "n-1", began + 120), |one| one.rule = Rule::ReverseOverspeed),
            incident(3, "n-1", began + 121),
            changed(incident(4, "n-1", began + 5), |one| one.drill = Some(1)),
            incident(5, "n-2", began + 60),
        ])
        .await;
}

#[tokio::test]
async fn a_course_is_told_week_by_week_against_what_was_prescribed() {
    let people = People::gather().await;
    // Noon is on a Friday: sessions on Monday and Thursday of the week before, and today.
    let days = [-11, -8, 0];
    let sessions = days.iter().zip(1..).map(|(day, number): (&i64, u8)| {
        session(number, "n-1", day * MINUTES_A_DAY - 60, 400 + 100 * u32::from(number))
    });
    people.put(sessions.collect()).await;
    // Somebody else's, of which nothing counts.
    people.put(vec![session(9, "n-1", -30, 2_000)]).await;
    happen(&people, (days[1] * MINUTES_A_DAY - 60) * 60).await;
    let prescription = v1::Prescription {
        sessions_a_week: Some(2),
        reverse_s: Some(90),
        speed_max_mps: Some(0.55),
        interval_s: Some(60),
        weeks: None,
    };
    let request = v1::CreateCourseRequest { prescription: Some(prescription), ..create("north", "A-1") };
    let made = people.service().await.create_course(with_token(&people.anna, request)).await.unwrap();
    let course = made.into_inner().course.unwrap();
    for number in 1..=3 {
        people.label(&people.anna, number, course.id).await.unwrap();
    }

    let told = report(&people, &people.anna, course.id).await;
    assert_eq!((told.course.as_ref(), told.sessions_total), (Some(&course), 3));
    assert_eq!(told.as_of, Some(super::super::seconds(-1)));
    let dates: Vec<&str> = told.weeks.iter().map(|week| week.date.as_str()).collect();
    assert_eq!(dates, ["2026-11-09", "2026-11-16"]);
    let [before, this] = &told.weeks[..] else { panic!() };
    assert_eq!((before.sessions, before.intervals, before.incidents), (2, 4, 2));
    assert_eq!((before.reverse, before.unknown), (length(180), length(0)));
    assert_eq!((before.level, before.uphill, before.downhill), (length(120), length(0), length(60)));
    assert_eq!(before.longest_interval, length(60));
    assert_eq!((before.speed_mean_mps, before.speed_max_mps), (Some(0.55), Some(0.6)));
    assert_eq!((before.days_between_max, this.days_between_max), (Some(3), Some(8)));
    assert_eq!(before.coverage, Some(1.0));
    let compared = |week: &v1::CourseWeek| -> Vec<(String, f64, Option<f64>, Option<bool>)> {
        let compared = week.compared.iter();
        compared.map(|one| (one.field.clone(), one.prescribed, one.done, one.kept)).collect()
    };
    let row = |field: &str, prescribed, done, kept| (field.to_owned(), prescribed, Some(done), kept);
    assert_eq!(
        compared(before),
        [
            row("sessions_a_week", 2.0, 2.0, Some(true)),
            row("reverse_s", 90.0, 90.0, Some(true)),
            row("speed_max_mps", 0.55, 0.6, Some(false)),
            row("interval_s", 60.0, 45.0, Some(false)),
        ]
    );
    // This week is not over: only the limit that was passed is settled.
    assert_eq!(
        compared(this),
        [
            row("sessions_a_week", 2.0, 1.0, None),
            row("reverse_s", 90.0, 90.0, None),
            row("speed_max_mps", 0.55, 0.7, Some(false)),
            row("interval_s", 60.0, 45.0, None),
        ]
    );
    assert_eq!(report(&people, &people.manager, course.id).await, told);
}

#[tokio::test]
async fn sessions_of_a_course_come_with_intervals_steps_and_incidents() {
    let people = People::gather().await;
    let sessions = [500, 700, 600]
        .iter()
        .zip(1..)
        .map(|(mm_s, number): (&u32, u8)| session(number, "n-1", i64::from(number) * 60 - 300, *mm_s));
    people.put(sessions.collect()).await;
    people.bench.found(vec![incident(1, "n-1", (2 * 60 - 300) * 60 + 7)]).await;
    let course = people.course(&people.anna, "north", "A-1").await;
    for number in [2, 3, 1] {
        people.label(&people.anna, number, course).await.unwrap();
    }
    let told = report(&people, &people.anna, course).await;
    let rows: Vec<(String, Option<f64>, u32)> = told
        .sessions
        .iter()
        .map(|one| (one.session.as_ref().unwrap().id.clone(), one.speed_step_mps, one.incidents))
        .collect();
    assert_eq!(rows, [(id(3), None, 0), (id(2), Some(0.2), 1), (id(1), None, 0)]);
    let newest = &told.sessions[0];
    let session = newest.session.as_ref().unwrap();
    assert_eq!((session.course_code.as_str(), session.segments.len()), ("A-1", 3));
    let [first, second] = &newest.intervals[..] else { panic!("{newest:?}") };
    assert_eq!(
        (first.length, first.is_thirty, first.recovery()),
        (length(60), false, v1::RecoveryKind::Standing)
    );
    assert_eq!((first.recovery_length, first.grade()), (length(30), v1::Grade::Level));
    assert_eq!((second.length, second.is_thirty, second.recovery_length), (length(30), true, None));
    assert_eq!((second.grade(), second.speed_mean_mps), (v1::Grade::Downhill, Some(0.6)));
}

#[tokio::test]
async fn a_course_without_sessions_has_its_weeks() {
    let people = People::gather().await;
    let course = people.course(&people.anna, "north", "A-1").await;
    people.bench.at(30 * 24 * 3_600);
    // Sessions of people end after a day.
    let told = report(&people, &people.bench.operator, course).await;
    let dates: Vec<&str> = told.weeks.iter().map(|week| week.date.as_str()).collect();
    assert_eq!(dates, ["2026-11-16", "2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14"]);
    assert!(told.weeks.iter().all(|week| week.sessions == 0 && week.coverage.is_none()));
    assert!(told.sessions.is_empty());
}

#[tokio::test]
async fn no_more_than_two_years_of_weeks_are_told_the_newest() {
    let people = People::gather().await;
    let long_ago = UnixMicros(NOON.0 - 3 * 365 * 24 * 3_600 * 1_000_000);
    let minute = long_ago.since(NOON) / 60_000_000;
    people.put(vec![session(1, "n-1", minute, 500), session(2, "n-1", -60, 500)]).await;
    let course = people.course(&people.anna, "north", "A-1").await;
    for number in [1, 2] {
        people.label(&people.anna, number, course).await.unwrap();
    }
    let told = report(&people, &people.anna, course).await;
    assert_eq!((told.weeks.len(), told.sessions_total), (104, 2));
    assert_eq!(told.weeks.last().unwrap().date, "2026-11-16");
    // What lies before is left out, but not forgotten.
    assert_eq!(told.weeks[0].days_between_max, None);
    assert_eq!(told.weeks.last().unwrap().days_between_max, Some(3 * 365));
}
