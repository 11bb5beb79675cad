//! Courses: who makes, sees, changes and ends them.

mod labels;
mod report;

use domain::belt::{Direction, Origin};
use domain::ids::SessionId;
use domain::live::{Segment, Session};
use domain::units::Speed;
use domain::usage::{Grade, Guidance};
use store::ledger::{Derived, Ledger};
use store::registry::Role;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::api::v1;
use wire::api::v1::course_service_client::CourseServiceClient;

use super::{AsOperator, Bench, NOON, machine_id, with_token};

type Service = CourseServiceClient<InterceptedService<Channel, AsOperator>>;

/// The secrets of people: therapists `anna` and `berta` of north and `carla` of south, and one of each other role.
struct People {
    bench: Bench,
    anna: String,
    berta: String,
    carla: String,
    manager: String,
    viewer: String,
}

impl People {
    async fn gather() -> People {
        let bench = Bench::furnished().await;
        for (name, role, site) in [
            ("anna", Role::Therapist, "north"),
            ("berta", Role::Therapist, "north"),
            ("carla", Role::Therapist, "south"),
            ("manager", Role::Manager, "north"),
            ("viewer", Role::Viewer, "north"),
        ] {
            bench.user(name, role, &[site]).await;
        }
        let [anna, berta, carla, manager, viewer] = [
            bench.session("anna").await,
            bench.session("berta").await,
            bench.session("carla").await,
            bench.session("manager").await,
            bench.session("viewer").await,
        ];
        People { bench, anna, berta, carla, manager, viewer }
    }

    async fn service(&self) -> Service {
        CourseServiceClient::with_interceptor(self.bench.channel().await, self.bench.as_operator())
    }

    /// A course of somebody; its id.
    async fn course(&self, secret: &str, site_id: &str, code: &str) -> u64 {
        let request = create(site_id, code);
        let made = self.service().await.create_course(with_token(secret, request)).await.unwrap();
        made.into_inner().course.unwrap().id
    }

    async fn label(&self, secret: &str, session: u8, course_id: u64) -> Result<u64, Status> {
        let request = label(session, course_id);
        let labelled = self.service().await.label_session(with_token(secret, request)).await?;
        Ok(labelled.into_inner().course_id)
    }

    async fn put(&self, sessions: Vec<Session>) {
        self.bench.ledger.put(Derived { sessions, ..Derived::default() }).await.unwrap();
    }
}

fn create(site_id: &str, code: &str) -> v1::CreateCourseRequest {
    v1::CreateCourseRequest { site_id: site_id.to_owned(), code: code.to_owned(), ..Default::default() }
}

fn get(course_id: u64) -> v1::GetCourseRequest {
    v1::GetCourseRequest { course_id }
}

fn label(session: u8, course_id: u64) -> v1::LabelSessionRequest {
    v1::LabelSessionRequest { session_id: id(session), course_id, ..Default::default() }
}

fn id(session: u8) -> String {
    SessionId([session; 16]).to_string()
}

/// Why something was refused: the reason in one word.
fn reason<T>(answer: Result<T, Status>) -> String {
    answer.err().map(|status| status.get_details_error_info().unwrap().reason).unwrap_or_default()
}

/// What somebody is told is wrong.
fn wrong<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    status.message().to_owned()
}

/// A session that began so many minutes after noon, of 60 s in reverse at a speed, 30 s standing and 30 s more in reverse.
pub(super) fn session(number: u8, machine: &str, minute: i64, mm_s: u32) -> Session {
    let started = NOON.plus(minute * 60_000_000);
    let segment = |from: i64, seconds: i64, direction, mm_s: u32, grade| {
        let from = started.plus(from * 1_000_000);
        let micros = u64::try_from(seconds).unwrap() * 1_000_000;
        Segment {
            ended: from.plus(seconds * 1_000_000),
            observed_us: micros,
            distance_mm: u64::from(mm_s) * micros / 1_000_000,
            speed_max: Speed(mm_s),
            guidance: match direction {
                Direction::Reverse => {
                    Guidance { slow_us: micros, rail_known_us: micros, ..Guidance::default() }
                }
                Direction::Forward | Direction::Stopped | Direction::Unknown => Guidance::default(),
            },
            ..Segment::begun(direction, Origin::Measured, grade, from)
        }
    };
    Session {
        id: SessionId([number; 16]),
        machine: machine_id(machine),
        started,
        last_motion: started.plus(120_000_000),
        ended: true,
        segments: vec![
            segment(0, 60, Direction::Reverse, mm_s, Grade::Level),
            segment(60, 30, Direction::Stopped, 0, Grade::Unknown),
            segment(90, 30, Direction::Reverse, mm_s, Grade::Downhill),
        ],
        revision: 1,
    }
}

#[tokio::test]
async fn a_course_is_made_once_and_again_by_the_same_request() {
    let people = People::gather().await;
    let mut service = people.service().await;
    let prescription = v1::Prescription {
        sessions_a_week: Some(3),
        reverse_s: Some(600),
        speed_max_mps: Some(0.5),
        interval_s: Some(30),
        weeks: Some(6),
    };
    let request = v1::CreateCourseRequest {
        prescription: Some(prescription),
        request_id: "r-1".to_owned(),
        ..create("north", "K-17")
    };
    let mut make = async |request: &v1::CreateCourseRequest| {
        let answer = service.create_course(with_token(&people.anna, request.clone())).await;
        answer.map(|made| made.into_inner().course.unwrap())
    };
    let made = make(&request).await.unwrap();
    assert_eq!(
        (made.code.as_str(), made.owner.as_str(), made.site_id.as_str()),
        ("K-17", "user:anna", "north")
    );
    assert_eq!((made.prescription, made.end_time), (Some(prescription), None));
    assert_eq!(make(&request).await.unwrap(), made);
    let other = v1::CreateCourseRequest { code: "K-18".to_owned(), ..request.clone() };
    assert!(wrong(make(&other).await).contains("request_id was used before"));
    let again = v1::CreateCourseRequest { request_id: String::new(), ..request.clone() };
    let taken = make(&again).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists, "{taken:?}");
    // Without any value nothing is prescribed.
    let bare = v1::CreateCourseRequest {
        prescription: Some(v1::Prescription::default()),
        ..create("north", "K-19")
    };
    assert_eq!(make(&bare).await.unwrap().prescription, None);
    assert_eq!(reason(make(&create("south", "K-20")).await), "NOT_FOUND");
}

#[tokio::test]
async fn what_is_no_code_or_cannot_be_prescribed_is_refused_by_name() {
    let people = People::gather().await;
    let mut service = people.service().await;
    for code in ["", "Anna Muster", "Müller", "K_17", "12345678901234567"] {
        let answer = service.create_course(with_token(&people.anna, create("north", code))).await;
        assert!(wrong(answer).contains("do not write names"), "{code}");
    }
    let nothing = v1::Prescription::default;
    for (prescription, field) in [
        (v1::Prescription { sessions_a_week: Some(0), ..nothing() }, "sessions_a_week is 0; 1 to 14"),
        (v1::Prescription { sessions_a_week: Some(300), ..nothing() }, "sessions_a_week is 300; 1 to 14"),
        (v1::Prescription { reverse_s: Some(29), ..nothing() }, "reverse_s is 29; 30 to 7200"),
        (v1::Prescription { speed_max_mps: Some(0.09), ..nothing() }, "speed_max_mps is 0.09; 0.1 to 3"),
        (v1::Prescription { speed_max_mps: Some(f64::NAN), ..nothing() }, "speed_max_mps is NaN; 0.1 to 3"),
        (v1::Prescription { interval_s: Some(1_801), ..nothing() }, "interval_s is 1801; 5 to 1800"),
        (v1::Prescription { weeks: Some(53), ..nothing() }, "weeks is 53; 1 to 52"),
    ] {
        let prescription = Some(prescription);
        let request = v1::CreateCourseRequest { prescription, ..create("north", "K-1") };
        let answer = service.create_course(with_token(&people.anna, request)).await;
        let said = wrong(answer);
        assert!(said.contains(field), "{said}");
    }
}

#[tokio::test]
async fn therapists_have_their_own_courses_and_who_configures_has_all_of_the_site() {
    let people = People::gather().await;
    let of_anna = people.course(&people.anna, "north", "A-1").await;
    let of_berta = people.course(&people.berta, "north", "B-1").await;
    let of_carla = people.course(&people.carla, "south", "C-1").await;
    let mut service = people.service().await;
    let (program, administrator) = (
        people.bench.token_of(Role::Therapist, &["north"]).await,
        people.bench.token_of(Role::Administrator, &[]).await,
    );
    for (who, secret, seen) in [
        ("anna", &people.anna, &[of_anna][..]),
        ("berta", &people.berta, &[of_berta]),
        ("carla", &people.carla, &[of_carla]),
        ("manager", &people.manager, &[of_berta, of_anna]),
        ("administrator", &administrator, &[of_carla, of_berta, of_anna]),
        ("a therapist's program", &program, &[]),
    ] {
        let listed =
            service.list_courses(with_token(secret, v1::ListCoursesRequest::default())).await.unwrap();
        let ids: Vec<u64> = listed.into_inner().courses.iter().map(|course| course.id).collect();
        assert_eq!(ids, seen, "{who}");
        for course in [of_anna, of_berta, of_carla] {
            let expected = if seen.contains(&course) { "" } else { "NOT_FOUND" };
            assert_eq!(reason(service.get_course(with_token(secret, get(course))).await), expected, "{who}");
            let prescription = Some(v1::Prescription::default());
            let request = v1::UpdateCourseRequest { course_id: course, prescription, ..Default::default() };
            assert_eq!(reason(service.update_course(with_token(secret, request)).await), expected, "{who}");
            if seen.is_empty() || !seen.contains(&course) {
                let request = v1::EndCourseRequest { course_id: course, ..Default::default() };
                assert_eq!(
                    reason(service.end_course(with_token(secret, request)).await),
                    "NOT_FOUND",
                    "{who}"
                );
            }
        }
    }
    let refused = service.list_courses(with_token(&people.viewer, v1::ListCoursesRequest::default())).await;
    assert_eq!(reason(refused), "NOT_ALLOWED");
    let elsewhere = v1::ListCoursesRequest { site_id: "south".to_owned(), ..Default::default() };
    assert_eq!(reason(service.list_courses(with_token(&people.manager, elsewhere)).await), "NOT_FOUND");
}

#[tokio::test]
async fn a_course_is_handed_over_to_somebody_who_can_see_it() {
    let people = People::gather().await;
    people.bench.user("gone", Role::Therapist, &["north"]).await;
    let course_id = people.course(&people.anna, "north", "A-1").await;
    let mut service = people.service().await;
    let mut hand_over = async |secret: &str, owner: &str| {
        let request = v1::UpdateCourseRequest { course_id, owner: owner.to_owned(), ..Default::default() };
        let answer = service.update_course(with_token(secret, request)).await;
        answer.map(|changed| changed.into_inner().course.unwrap().owner)
    };
    // No user; one of another site; one who may not; no user's name.
    for owner in ["user:nobody", "user:carla", "user:viewer", "berta", "token:3", "operator:x"] {
        let said = wrong(hand_over(&people.anna, owner).await);
        assert!(said.contains("the name of a user with courses at \"north\""), "{said}");
    }
    assert!(wrong(hand_over(&people.anna, "").await).contains("one of them must be given"));
    assert_eq!(hand_over(&people.anna, "user:berta").await.unwrap(), "user:berta");
    assert_eq!(reason(hand_over(&people.anna, "user:anna").await), "NOT_FOUND");
    assert_eq!(hand_over(&people.manager, "user:anna").await.unwrap(), "user:anna");
    assert_eq!(reason(hand_over(&people.berta, "user:berta").await), "NOT_FOUND");
}

#[tokio::test]
async fn a_course_that_has_ended_stays_and_its_code_is_free() {
    let people = People::gather().await;
    let course_id = people.course(&people.anna, "north", "A-1").await;
    let mut service = people.service().await;
    let end = || with_token(&people.anna, v1::EndCourseRequest { course_id, ..Default::default() });
    let ended = service.end_course(end()).await.unwrap().into_inner().course.unwrap();
    assert_eq!(ended.end_time, Some(super::seconds(0)));
    people.bench.at(60);
    assert_eq!(service.end_course(end()).await.unwrap().into_inner().course.unwrap(), ended);
    let prescription = Some(v1::Prescription { weeks: Some(2), ..Default::default() });
    let change = v1::UpdateCourseRequest { course_id, prescription, ..Default::default() };
    let refused = service.update_course(with_token(&people.anna, change)).await;
    assert_eq!(reason(refused), "COURSE_ENDED");
    let next = people.course(&people.anna, "north", "A-1").await;
    let mut list = async |with_ended: bool| -> Vec<u64> {
        let request = v1::ListCoursesRequest { with_ended, ..Default::default() };
        let listed = service.list_courses(with_token(&people.anna, request)).await.unwrap();
        listed.into_inner().courses.iter().map(|course| course.id).collect()
    };
    assert_eq!(list(false).await, [next]);
    assert_eq!(list(true).await, [next, course_id]);
}

#[tokio::test]
async fn pages_of_courses_hold_each_once() {
    let people = People::gather().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(people.course(&people.anna, "north", &format!("A-{number}")).await);
        people.course(&people.berta, "north", &format!("B-{number}")).await;
    }
    ids.reverse();
    let mut service = people.service().await;
    for page_size in [1, 3, 7, 8] {
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListCoursesRequest { page_size, page_token, ..Default::default() };
            let page = service.list_courses(with_token(&people.anna, request)).await.unwrap().into_inner();
            seen.extend(page.courses.iter().map(|course| course.id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, ids, "page_size {page_size}");
    }
}
