//! `CourseService`: sessions of one person under an opaque code, week by week.

mod change;
mod label;
mod report;
mod show;
pub(crate) mod sight;
pub(crate) mod weeks;

use std::future::ready;
use std::sync::Arc;

use store::ledger::Ledger;
use store::registry::{Course, CourseId, Registry};
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::course_service_server::CourseService;

use self::sight::CourseSight;
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::gate::Gate;
use crate::paging::{AfterNumber, Asked, Pages};
use crate::registry::Visible;
use crate::status::{ApiError, Violation};
use crate::surroundings::Surroundings;
use domain::ids::SiteId;

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Courses {
    gate: Arc<Gate>,
    pages: Pages,
    ledger: Arc<dyn Ledger>,
    surroundings: Arc<dyn Surroundings>,
    /// Held from looking at a session's label until it is changed, so that nobody takes away what they do not see.
    labelling: Mutex<()>,
}

impl Courses {
    pub(crate) fn new(
        gate: Arc<Gate>,
        pages: Pages,
        ledger: Arc<dyn Ledger>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Courses {
        Courses { gate, pages, ledger, surroundings, labelling: Mutex::new(()) }
    }

    fn visible(&self, scope: &Scope) -> Visible {
        Visible::new(self.ledger.registry(), scope.clone())
    }

    fn sight(&self, caller: &Caller) -> CourseSight {
        CourseSight::of(&self.gate, caller)
    }

    fn list(
        &self,
        caller: &Caller,
        scope: &Scope,
        mut request: v1::ListCoursesRequest,
    ) -> Result<v1::ListCoursesResponse, ApiError> {
        let token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        let size = check.page_size(page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let asked = Asked::new("ListCourses", &request);
        let after = self.pages.cursor::<AfterNumber>(&asked, &token)?;
        let visible = self.visible(scope);
        if let Some(site) = &site {
            visible.site(site)?;
        }
        let sight = self.sight(caller);
        let before = CourseId(after.map_or(u64::MAX, |after| after.0));
        let is_asked = |course: &&Arc<Course>| {
            sight.sees(course)
                && site.as_ref().is_none_or(|site| course.site == *site)
                && (request.with_ended || course.ended.is_none())
        };
        let older = visible.registry().courses().range(..before).rev().map(|(_, course)| course);
        let mut courses: Vec<&Arc<Course>> = older.filter(is_asked).take(size + 1).collect();
        let more = courses.len() > size;
        courses.truncate(size);
        let last = courses.last().filter(|_| more).map(|course| AfterNumber(course.id.0));
        Ok(v1::ListCoursesResponse {
            courses: courses.into_iter().map(|course| show::course(course)).collect(),
            next_page_token: last.map(|last| self.pages.token(&asked, &last)).unwrap_or_default(),
        })
    }
}

/// A course that is there for its caller.
fn find<'a>(registry: &'a Registry, sight: &CourseSight, id: u64) -> Result<&'a Arc<Course>, ApiError> {
    let course = registry.course(CourseId(id)).filter(|course| sight.sees(course));
    course.ok_or_else(|| ApiError::NotFound { what: "course", id: id.to_string() })
}

fn has_ended(course: &Course) -> ApiError {
    let message = format!("course {} (\"{}\") has ended; make a new one", course.id, course.code);
    ApiError::NotNow { reason: "COURSE_ENDED", message }
}

fn request_id_reused() -> ApiError {
    let description = "was used before by another request; take a new one".to_owned();
    Violation { field: "request_id", description }.into()
}

#[tonic::async_trait]
impl CourseService for Courses {
    async fn create_course(
        &self,
        request: Request<v1::CreateCourseRequest>,
    ) -> Result<Response<v1::CreateCourseResponse>, Status> {
        let work = |caller, scope, request| self.create(caller, scope, request);
        self.gate.answer("CourseService/CreateCourse", request, work).await
    }

    async fn update_course(
        &self,
        request: Request<v1::UpdateCourseRequest>,
    ) -> Result<Response<v1::UpdateCourseResponse>, Status> {
        let work = |caller, _, request| self.update(caller, request);
        self.gate.answer("CourseService/UpdateCourse", request, work).await
    }

    async fn end_course(
        &self,
        request: Request<v1::EndCourseRequest>,
    ) -> Result<Response<v1::EndCourseResponse>, Status> {
        let work = |caller, _, request| self.end(caller, request);
        self.gate.answer("CourseService/EndCourse", request, work).await
    }

    async fn list_courses(
        &self,
        request: Request<v1::ListCoursesRequest>,
    ) -> Result<Response<v1::ListCoursesResponse>, Status> {
        let work = |caller, scope, request| ready(self.list(&caller, &scope, request));
        self.gate.answer("CourseService/ListCourses", request, work).await
    }

    async fn get_course(
        &self,
        request: Request<v1::GetCourseRequest>,
    ) -> Result<Response<v1::GetCourseResponse>, Status> {
        let work = |caller, _, request| self.report(caller, request);
        self.gate.answer("CourseService/GetCourse", request, work).await
    }

    async fn label_session(
        &self,
        request: Request<v1::LabelSessionRequest>,
    ) -> Result<Response<v1::LabelSessionResponse>, Status> {
        let work = |caller, _, request| self.label(caller, request);
        self.gate.answer("CourseService/LabelSession", request, work).await
    }

    async fn list_label_sessions(
        &self,
        request: Request<v1::ListLabelSessionsRequest>,
    ) -> Result<Response<v1::ListLabelSessionsResponse>, Status> {
        let work = |caller, scope, request| self.list_to_label(caller, scope, request);
        self.gate.answer("CourseService/ListLabelSessions", request, work).await
    }
}
