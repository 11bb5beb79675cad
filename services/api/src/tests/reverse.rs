//! How belts ran in reverse, from usage and sessions made by hand.

use domain::incident::Rule;
use domain::log::Position;
use domain::signal::Capabilities;
use domain::usage::code;
use domain::usage::{Grade, Guidance, Motion, MotionKey, PartId, Usage, UsageRow};
use prost_types::Duration;
use store::fact::{NewCourse, NewStaffedHours, SessionLabel};
use store::ledger::Derived;
use store::registry::{CourseCode, CourseId};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::api::v1;
use wire::api::v1::usage_service_client::UsageServiceClient;

use super::course::session;
use super::incidents::{changed, incident};
use super::*;

const QUARTERS_A_DAY: i64 = 96;
/// The quarter of the day that begins at noon.
const NOON_QUARTER: u8 = 48;

/// Seconds of motion at 0.5 m/s, so many quarters after noon.
fn row(machine: &str, after_noon: u8, seconds: u64, direction: Direction, grade: Grade) -> UsageRow {
    let micros = seconds * 1_000_000;
    let is_reverse = direction == Direction::Reverse;
    let motion = Motion {
        observed_us: micros,
        distance_nm: u128::from(micros) * 500,
        speed_max: Speed(600),
        starts: 1,
        guidance: is_reverse.then_some(Guidance {
            slow_us: micros,
            rail_held_us: micros / 2,
            rail_known_us: micros,
            ..Guidance::default()
        }),
    };
    let origin = if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured };
    let mut usage = Usage::default();
    usage.add(MotionKey { direction, origin, grade }, &motion);
    usage.coverage.add(Capabilities::SPEED, micros);
    let mut quarters = Vec::new();
    code::put(&mut quarters, NOON_QUARTER + after_noon, &usage);
    let number = u64::from(after_noon) * 10 + u64::from(is_reverse);
    UsageRow {
        machine: machine_id(machine),
        day: i32::try_from(NOON.0 / (QUARTERS_A_DAY * 900 * 1_000_000)).unwrap(),
        part: PartId::of(LOG, Position::new(1, number)),
        revision: 1,
        through: NOON.plus(i64::from(after_noon) * 900_000_000 + 900_000_000),
        quarters,
    }
}

/// Eight o'clock in the evening of a day on which belts ran in reverse. Staff of north are there from 12 to 14 o'clock, which
/// is 11 to 13 in UTC; of south nobody has said.
async fn evening() -> Bench {
    let bench = Bench::furnished().await;
    bench.machine("n-3", "north", BeltKind::Reversible).await;
    let days = std::array::from_fn(|_| vec![(12 * 60, 14 * 60)]);
    let kind = FactKind::StaffedHoursSet(NewStaffedHours { site: site_id("north"), hours: Some(days) });
    let time = NOON.plus(-DAY_US);
    bench.ledger.add_fact(Fact { time, author: "test".to_owned(), request_id: None, kind }).await.unwrap();
    let usage = vec![
        row("n-1", 0, 600, Direction::Reverse, Grade::Level),
        row("n-1", 8, 120, Direction::Reverse, Grade::Downhill),
        row("n-1", 8, 30, Direction::Unknown, Grade::Unknown),
        row("n-2", 0, 100, Direction::Forward, Grade::Level),
        row("s-1", 12, 60, Direction::Reverse, Grade::Unknown),
    ];
    let mut forward_only = session(5, "n-2", 5, 500);
    forward_only.segments.iter_mut().for_each(|segment| segment.direction = Direction::Forward);
    let sessions = vec![
        session(1, "n-1", 5, 500),
        session(2, "n-1", 125, 500),
        session(3, "s-1", 185, 500),
        // Before it was registered; forward only.
        session(4, "n-1", -60, 500),
        forward_only,
    ];
    bench.ledger.put(Derived { usage, sessions, ..Derived::default() }).await.unwrap();
    let (site, code) = (site_id("north"), CourseCode::new("A-1").unwrap());
    bench.fact(FactKind::CourseCreated(NewCourse { site: site.clone(), code, prescription: None })).await;
    let course = Some(CourseId(bench.ledger.registry().last_fact));
    let (session, machine) = (domain::ids::SessionId([1; 16]), machine_id("n-1"));
    bench.fact(FactKind::SessionLabelled(SessionLabel { session, machine, site, course })).await;
    let by =
        |number, machine, second, rule| changed(incident(number, machine, second), |one| one.rule = rule);
    bench
        .found(vec![
            by(1, "n-1", 10, Rule::ReverseOverspeed),
            by(2, "s-1", 11_000, Rule::ReverseHandsOff),
            by(3, "n-1", 10, Rule::EmergencyStop),
            by(4, "n-1", -100_000, Rule::ReverseOverspeed),
            changed(by(5, "n-1", 20, Rule::ReverseOnIncline), |one| one.drill = Some(1)),
        ])
        .await;
    bench.at(8 * 3_600);
    bench
}

fn request(scope: Option<v1::UsageScope>) -> v1::GetReverseUseRequest {
    let (start_date, end_date) = ("2026-11-20".to_owned(), "2026-11-21".to_owned());
    let range = Some(v1::DateRange { start_date, end_date, time_zone: String::new() });
    v1::GetReverseUseRequest { scope, range, mass_kg: 0 }
}

async fn ask(
    bench: &Bench,
    secret: &str,
    request: v1::GetReverseUseRequest,
) -> Result<v1::GetReverseUseResponse, Status> {
    let channel = bench.channel().await;
    let mut service = UsageServiceClient::with_interceptor(channel, bench.as_operator());
    service.get_reverse_use(with_token(secret, request)).await.map(tonic::Response::into_inner)
}

fn length(seconds: i64) -> Option<Duration> {
    Some(Duration { seconds, nanos: 0 })
}

#[tokio::test]
async fn reverse_motion_is_told_with_what_can_be_told_of_it() {
    let bench = evening().await;
    let told = ask(&bench, &bench.operator, request(None)).await.unwrap();
    let usage = told.usage.unwrap();
    let of = |motion: Option<v1::Motion>| motion.unwrap().observed;
    assert_eq!(of(usage.reverse), length(780));
    assert_eq!((of(usage.forward), of(usage.unknown)), (length(100), length(30)));
    let coverage = usage.coverage.unwrap();
    assert_eq!((coverage.machines, coverage.machines_heard), (4, 3));
    assert_eq!(
        told.guidance,
        Some(v1::Guidance {
            reverse: length(780),
            slow: length(780),
            level: length(600),
            level_known: length(720),
            rail_held: length(390),
            rail_known: length(780),
            key_in: length(0),
            key_known: length(0),
        })
    );
    assert_eq!((told.unstaffed, told.staffing_known), (length(120), length(720)));
    // `n-1` and `n-3` can, of `s-1` nobody has said; `n-3` has told nothing.
    assert_eq!((told.machines_reversible, told.machines_telling_direction), (3, 2));
    assert_eq!(told.incidents, 2);
    // 10 min at 30 m/min: 6.5 ml/(kg min), for 70 kg 22.75 kcal, by 1.17, 1.35 and 1.48.
    assert_eq!(
        told.energy,
        Some(v1::EnergyBand {
            mass_kg: 70,
            low_kcal: 26.617,
            middle_kcal: 30.712,
            high_kcal: 33.67,
            is_extrapolated: true,
            observed: length(600),
        })
    );
    assert_eq!(told.as_of.unwrap().machines_silent, 1);
}

#[tokio::test]
async fn intervals_are_of_the_sessions_that_began_in_the_time_asked() {
    let bench = evening().await;
    let told = ask(&bench, &bench.operator, request(None)).await.unwrap();
    // Each has 60 s, 30 s standing and 30 s; the labelled one somebody supervised.
    assert_eq!((told.sessions, told.unlabelled), (3, length(180)));
    let intervals = told.intervals.unwrap();
    assert_eq!((intervals.count, intervals.thirty), (6, 3));
    assert_eq!((intervals.median, intervals.longest), (length(45), length(60)));
    assert_eq!(intervals.work_to_rest, Some(2.0));
    let recoveries: Vec<_> =
        intervals.recoveries.iter().map(|one| (one.kind(), one.count, one.mean)).collect();
    assert_eq!(
        recoveries,
        [(v1::RecoveryKind::Unspecified, 3, None), (v1::RecoveryKind::Standing, 3, length(30)),]
    );
}

#[tokio::test]
async fn everybody_is_told_of_what_they_see() {
    let bench = evening().await;
    let viewer = bench.token(&["north"]).await;
    let told = ask(&bench, &viewer, request(None)).await.unwrap();
    let reverse = told.usage.unwrap().reverse.unwrap();
    assert_eq!((reverse.observed, told.sessions, told.incidents), (length(720), 2, 1));
    assert_eq!((told.machines_reversible, told.machines_telling_direction), (2, 1));
    let reason = |answer: Result<v1::GetReverseUseResponse, Status>| {
        answer.unwrap_err().get_details_error_info().unwrap().reason
    };
    let south = Some(v1::UsageScope { site_ids: vec!["south".to_owned()], ..Default::default() });
    assert_eq!(reason(ask(&bench, &viewer, request(south.clone())).await), "NOT_FOUND");
    let therapist = bench.token_of(Role::Therapist, &["north"]).await;
    assert_eq!(reason(ask(&bench, &therapist, request(None)).await), "NOT_ALLOWED");
    // Where nobody has said when staff are there, nothing is known to be unsupervised.
    let told = ask(&bench, &bench.operator, request(south)).await.unwrap();
    assert_eq!((told.unstaffed, told.staffing_known, told.unlabelled), (length(0), length(0), length(90)));
    assert_eq!((told.energy, told.guidance.unwrap().level_known), (None, length(0)));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_what_can() {
    let bench = evening().await;
    let said = async |request: v1::GetReverseUseRequest| {
        let status = ask(&bench, &bench.operator, request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        status.message().to_owned()
    };
    for mass_kg in [29, 251] {
        let text = said(v1::GetReverseUseRequest { mass_kg, ..request(None) }).await;
        assert!(text.contains(&format!("mass_kg is {mass_kg}; 30 to 250 are allowed")), "{text}");
    }
    let mut long = request(None);
    long.range.as_mut().unwrap().start_date = "2026-08-20".to_owned();
    let text = said(long).await;
    assert!(text.contains("93 days long; at most 92 are allowed: ask from 2026-08-21"), "{text}");
}

#[tokio::test]
async fn too_many_sessions_are_refused_with_the_nearest_span_that_is_allowed() {
    let bench = Bench::furnished().await;
    // A session a minute from noon on, one more than can be looked at.
    let count = u32::try_from(domain::limits::REVERSE_SESSIONS_MAX).unwrap() + 1;
    let one = |number: u32| {
        let mut one = session(0, "n-1", i64::from(number), 500);
        one.id.0[..4].copy_from_slice(&number.to_be_bytes());
        one.segments.truncate(1);
        one
    };
    let sessions = (0..count).map(one).collect();
    bench.ledger.put(Derived { sessions, ..Derived::default() }).await.unwrap();
    bench.at(i64::from(count) * 60);
    let mut asked = request(None);
    asked.range.as_mut().unwrap().end_date = String::new();
    let status = ask(&bench, &bench.operator, asked.clone()).await.unwrap_err();
    let text = status.message();
    assert_eq!(status.code(), Code::InvalidArgument, "{text}");
    assert!(text.contains("more than 20000 sessions with reverse motion; 20000 are allowed"), "{text}");
    assert!(text.contains("ask from 2026-11-21"), "{text}");
    asked.range.as_mut().unwrap().start_date = "2026-11-21".to_owned();
    let told = ask(&bench, &bench.operator, asked).await.unwrap();
    // Midnight in Vienna is 11 h after noon in UTC.
    assert_eq!(told.sessions, count - 11 * 60);
}
