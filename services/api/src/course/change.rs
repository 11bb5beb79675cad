//! Courses made, changed, handed over and ended.

use domain::ids::{SiteId, UserName};
use domain::limits::COURSES_MAX;
use domain::units::UnixMicros;
use store::StoreErrorKind;
use store::fact::{CourseChange, CourseEnd, Fact, FactKind, FactOutcome, NewCourse, PrescriptionChange};
use store::registry::{Course, CourseId, Registry};
use wire::api::v1;

use super::{Courses, find, has_ended, request_id_reused, show};
use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::check::{Check, quoted};
use crate::status::ApiError;

impl Courses {
    /// Adds a fact; gives its number. A repeated request gives the number that it got then.
    async fn add(
        &self,
        caller: &Caller,
        request_id: Option<String>,
        kind: FactKind,
    ) -> Result<Result<u64, ApiError>, store::StoreError> {
        let time = self.surroundings.now();
        let fact = Fact { time, author: caller.name(), request_id, kind: kind.clone() };
        Ok(match self.ledger.add_fact(fact).await? {
            FactOutcome::Added(number) => Ok(number),
            FactOutcome::Repeated(number, fact) if fact.kind == kind => Ok(number),
            FactOutcome::Repeated(..) => Err(request_id_reused()),
        })
    }

    pub(super) async fn create(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateCourseRequest,
    ) -> Result<v1::CreateCourseResponse, ApiError> {
        let mut check = Check::default();
        let site = check.id::<SiteId>("site_id", &request.site_id);
        let code = check.course_code(&request.code);
        let prescription = request.prescription.as_ref().and_then(|one| check.prescription(one));
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let (site, code) = site.zip(code).expect("what is not valid is a violation");
        let visible = self.visible(&scope);
        visible.site(&site)?;
        let is_full = visible.registry().courses_of(&site).count() >= COURSES_MAX;
        let kind = FactKind::CourseCreated(NewCourse { site, code: code.clone(), prescription });
        let number = match self.add(&caller, request_id, kind).await {
            Ok(added) => added?,
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                return Err(ApiError::Taken { what: "course", id: code.to_string() });
            }
            Err(error) if error.kind == StoreErrorKind::Full && is_full => {
                return Err(ApiError::Full { what: "courses at this site", max: COURSES_MAX });
            }
            Err(error) => return Err(error.into()),
        };
        tracing::info!(course = number, caller = caller.name(), "course made");
        Ok(v1::CreateCourseResponse { course: self.stands(CourseId(number)) })
    }

    pub(super) async fn update(
        &self,
        caller: Caller,
        request: v1::UpdateCourseRequest,
    ) -> Result<v1::UpdateCourseResponse, ApiError> {
        let registry = self.ledger.registry();
        let course = find(&registry, &self.sight(&caller), request.course_id)?;
        let mut check = Check::default();
        let prescription = request.prescription.as_ref();
        let prescription =
            prescription.map(|one| PrescriptionChange { prescription: check.prescription(one) });
        let owner = (!request.owner.is_empty()).then(|| request.owner.clone());
        if prescription.is_none() && owner.is_none() {
            check.wrong("prescription", "and owner are absent; one of them must be given");
        }
        if let Some(owner) = &owner {
            check.owner(owner, course, &registry, self.surroundings.now());
        }
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let kind = FactKind::CourseChanged(CourseChange { course: course.id, prescription, owner });
        match self.add(&caller, request_id, kind).await {
            Ok(added) => added?,
            Err(error) if error.kind == StoreErrorKind::Conflict => return Err(has_ended(course)),
            Err(error) => return Err(error.into()),
        };
        Ok(v1::UpdateCourseResponse { course: self.stands(course.id) })
    }

    pub(super) async fn end(
        &self,
        caller: Caller,
        request: v1::EndCourseRequest,
    ) -> Result<v1::EndCourseResponse, ApiError> {
        let mut check = Check::default();
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let registry = self.ledger.registry();
        let course = find(&registry, &self.sight(&caller), request.course_id)?;
        if course.ended.is_none() {
            let kind = FactKind::CourseEnded(CourseEnd { course: course.id });
            self.add(&caller, request_id, kind).await??;
            tracing::info!(course = course.id.0, caller = caller.name(), "course ended");
        }
        Ok(v1::EndCourseResponse { course: self.stands(course.id) })
    }

    /// A course as it is now.
    fn stands(&self, id: CourseId) -> Option<v1::Course> {
        self.ledger.registry().course(id).map(|course| show::course(course))
    }
}

impl Check {
    /// Whose a course is to be: of somebody who can see it then.
    fn owner(&mut self, value: &str, course: &Course, registry: &Registry, now: UnixMicros) {
        let name = value.strip_prefix("user:").and_then(|name| UserName::new(name).ok());
        let user = name.and_then(|name| registry.users().get(&name)).filter(|user| user.is_active(now));
        let may = user.and_then(|user| Scope::of(&user.grants, Permission::Courses));
        if !may.is_some_and(|scope| scope.has(&course.site)) {
            let allowed = format!("\"user:\" and the name of a user with courses at \"{}\"", course.site);
            self.wrong("owner", format!("is {}; {allowed} is allowed", quoted(value)));
        }
    }
}
