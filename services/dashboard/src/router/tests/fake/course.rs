//! The part of the fake API that knows courses. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::course_service_server::CourseService;

use super::{SCRIPT, session};

/// May have courses at one site, and sees the floor.
pub(in super::super) const THERAPIST: &str = "bws1_therapist";
/// The same at all sites, and reads German and miles.
pub(in super::super) const THERAPIST_GERMAN: &str = "bws1_therapist_german";
/// Sees all courses of all sites.
pub(in super::super) const MANAGER: &str = "bws1_manager";

/// The course that goes on, and the one that has ended.
pub(in super::super) const RUNNING: u64 = 7;
pub(in super::super) const ENDED: u64 = 6;
/// A session that is on no course, and one that is on the first.
pub(in super::super) const BARE: &str = "aa01";
pub(in super::super) const LABELLED: &str = "bb02";

/// What a session may do; none: it is not one of these.
pub(super) fn permissions(session: &str) -> Option<Vec<v1::Permission>> {
    let (names, sites): (&[&str], &[&str]) = match session {
        THERAPIST => (&["act", "courses", "live"], &["north"]),
        THERAPIST_GERMAN => (&["act", "courses", "live"], &[]),
        MANAGER => (&["act", "configure", "courses", "evidence", "handle", "history", "live"], &[]),
        _ => return None,
    };
    let site_ids: Vec<String> = sites.iter().map(|site| (*site).to_owned()).collect();
    let permission = |name: &&str| v1::Permission { name: (*name).to_owned(), site_ids: site_ids.clone() };
    Some(names.iter().map(permission).collect())
}

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Ward {
    /// Two courses, two sessions.
    #[default]
    Busy,
    /// Neither.
    Empty,
    /// Changes are refused: fields are named.
    Refused,
    /// Changes are refused: somebody was first.
    Second,
    /// Nothing can be had.
    Out,
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Courses {
    ward: Ward,
    asked: Arc<Mutex<Vec<String>>>,
}

type Answered<T> = Result<Response<T>, Status>;

impl Courses {
    pub(in super::super) fn with(ward: Ward) -> Courses {
        Courses { ward, ..Courses::default() }
    }

    /// All that was asked, as debug text.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests of one method.
    pub(in super::super) fn asked_of(&self, method: &str) -> Vec<String> {
        self.asked().into_iter().filter(|one| one.starts_with(method)).collect()
    }

    fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> Result<T, Status> {
        let session = session(&request)?;
        assert!(permissions(&session).is_some(), "whoever has no courses is not asked for");
        let message = request.into_inner();
        self.asked.lock().unwrap().push(format!("{message:?}"));
        if self.ward == Ward::Out { Err(Status::unavailable("the store is busy")) } else { Ok(message) }
    }

    /// A request that changes something.
    fn change<T: std::fmt::Debug>(&self, request: Request<T>, fields: &[&'static str]) -> Result<T, Status> {
        let message = self.note(request)?;
        match self.ward {
            Ward::Busy | Ward::Empty | Ward::Out => Ok(message),
            Ward::Refused => {
                let mut details = ErrorDetails::new();
                for field in fields {
                    details.add_bad_request_violation(*field, format!("is wrong {SCRIPT}"));
                }
                Err(Status::with_error_details(Code::InvalidArgument, "fields are not allowed", details))
            }
            Ward::Second => {
                let details =
                    ErrorDetails::with_error_info("ID_TAKEN", "beltwatch", std::collections::HashMap::new());
                Err(Status::with_error_details(Code::AlreadyExists, "there is such a course", details))
            }
        }
    }
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    // 2027-01-15 08:00 UTC.
    Some(prost_types::Timestamp { seconds: 1_800_000_000 + seconds, nanos: 0 })
}

fn span(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn course(id: u64) -> v1::Course {
    let prescription = v1::Prescription {
        sessions_a_week: Some(3),
        reverse_s: Some(600),
        speed_max_mps: Some(0.905),
        interval_s: Some(30),
        weeks: Some(6),
    };
    v1::Course {
        id,
        site_id: "north".to_owned(),
        code: if id == RUNNING { "K-17".to_owned() } else { "old-1".to_owned() },
        owner: if id == RUNNING { "user:anna".to_owned() } else { format!("user:{SCRIPT}") },
        create_time: at(-1_209_600),
        end_time: at(0).filter(|_| id != RUNNING),
        prescription: Some(prescription).filter(|_| id == RUNNING),
    }
}

fn session_of(id: &str) -> v1::Session {
    let segment = |direction: v1::Direction, seconds, speed_max_mps| v1::Segment {
        direction: direction.into(),
        observed: span(seconds),
        speed_max_mps,
        ..v1::Segment::default()
    };
    v1::Session {
        id: id.to_owned(),
        machine_id: "n-1".to_owned(),
        start_time: at(0),
        ended: true,
        segments: vec![
            segment(v1::Direction::Forward, 300, 2.0),
            segment(v1::Direction::Reverse, 540, 0.9),
            segment(v1::Direction::Reverse, 60, 1.0),
            segment(v1::Direction::Unknown, 120, 1.5),
        ],
        coverage: Some(v1::Coverage { covered: span(900), asked: span(1_000), records_lost: 0 }),
        ..v1::Session::default()
    }
}

fn interval(seconds: i64) -> v1::Interval {
    v1::Interval {
        direction: v1::Direction::Reverse.into(),
        length: span(seconds),
        distance_m: 25.0,
        speed_max_mps: 0.9,
        recovery: v1::RecoveryKind::Standing.into(),
        recovery_length: span(60),
        ..v1::Interval::default()
    }
}

fn compared(field: &str, prescribed: f64, done: Option<f64>, kept: Option<bool>) -> v1::Compared {
    v1::Compared { field: field.to_owned(), prescribed, done, kept }
}

fn weeks() -> Vec<v1::CourseWeek> {
    let first = v1::CourseWeek {
        date: "2027-01-04".to_owned(),
        sessions: 3,
        reverse: span(1_800),
        unknown: span(600),
        speed_mean_mps: Some(0.8),
        speed_max_mps: Some(1.0),
        intervals: 12,
        longest_interval: span(45),
        level: span(1_200),
        uphill: span(0),
        downhill: span(600),
        days_between_max: Some(4),
        compared: vec![
            compared("sessions_a_week", 3.0, Some(3.0), Some(true)),
            compared("reverse_s", 600.0, Some(598.6), Some(false)),
            compared("speed_max_mps", 0.905, Some(1.0), Some(false)),
            compared("interval_s", 30.0, None, None),
        ],
        coverage: Some(0.93),
        incidents: 1,
    };
    let second = v1::CourseWeek { date: "2027-01-11".to_owned(), ..v1::CourseWeek::default() };
    vec![first, second]
}

#[tonic::async_trait]
impl CourseService for Courses {
    async fn create_course(
        &self,
        request: Request<v1::CreateCourseRequest>,
    ) -> Answered<v1::CreateCourseResponse> {
        self.change(request, &["code", "prescription.sessions_a_week"])?;
        Ok(Response::new(v1::CreateCourseResponse { course: Some(course(RUNNING)) }))
    }

    async fn update_course(
        &self,
        request: Request<v1::UpdateCourseRequest>,
    ) -> Answered<v1::UpdateCourseResponse> {
        self.change(request, &["owner", "prescription.speed_max_mps"])?;
        Ok(Response::new(v1::UpdateCourseResponse { course: Some(course(RUNNING)) }))
    }

    async fn end_course(&self, request: Request<v1::EndCourseRequest>) -> Answered<v1::EndCourseResponse> {
        self.change(request, &[])?;
        Ok(Response::new(v1::EndCourseResponse { course: Some(course(RUNNING)) }))
    }

    async fn list_courses(
        &self,
        request: Request<v1::ListCoursesRequest>,
    ) -> Answered<v1::ListCoursesResponse> {
        let message = self.note(request)?;
        if message.site_id == "nowhere" {
            return Err(Status::not_found("there is no such site"));
        }
        let mut courses = vec![course(RUNNING), course(ENDED)];
        courses.retain(|one| message.with_ended || one.end_time.is_none());
        if self.ward == Ward::Empty {
            courses.clear();
        }
        Ok(Response::new(v1::ListCoursesResponse { courses, next_page_token: "v1+older/page=".to_owned() }))
    }

    async fn get_course(&self, request: Request<v1::GetCourseRequest>) -> Answered<v1::GetCourseResponse> {
        let id = self.note(request)?.course_id;
        if ![RUNNING, ENDED].contains(&id) {
            return Err(Status::not_found("there is no such course"));
        }
        let mut told = v1::GetCourseResponse { course: Some(course(id)), as_of: at(0), ..Default::default() };
        if self.ward != Ward::Empty && id == RUNNING {
            let told_session = v1::CourseSession {
                session: Some(session_of(LABELLED)),
                intervals: vec![interval(30), interval(45)],
                speed_step_mps: Some(0.1),
                incidents: 1,
            };
            (told.weeks, told.sessions, told.sessions_total) = (weeks(), vec![told_session], 3);
        }
        Ok(Response::new(told))
    }

    async fn label_session(
        &self,
        request: Request<v1::LabelSessionRequest>,
    ) -> Answered<v1::LabelSessionResponse> {
        let message = self.change(request, &["course_id"])?;
        if message.session_id == "gone" {
            return Err(Status::not_found("there is no such session"));
        }
        Ok(Response::new(v1::LabelSessionResponse { course_id: message.course_id }))
    }

    async fn list_label_sessions(
        &self,
        request: Request<v1::ListLabelSessionsRequest>,
    ) -> Answered<v1::ListLabelSessionsResponse> {
        let message = self.note(request)?;
        if message.page_token == "stale" {
            return Err(Status::invalid_argument("page_token is not one of these"));
        }
        let labelled = |id: &str, course_id, code: &str| v1::LabelledSession {
            session: Some(session_of(id)),
            course_id,
            code: code.to_owned(),
        };
        let mut sessions = vec![
            labelled(BARE, 0, ""),
            labelled(LABELLED, RUNNING, "K-17"),
            labelled("cc03", ENDED, "old-1"),
        ];
        if self.ward == Ward::Empty {
            sessions.clear();
        }
        Ok(Response::new(v1::ListLabelSessionsResponse { sessions, next_page_token: String::new() }))
    }
}
