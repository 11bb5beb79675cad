//! Administration: sites, machines, who is told, users, tokens, audit. Plain pages and forms, without script.
//!
//! Every change is a form; its answer is another address, so that loading again repeats nothing. What is shown once, a
//! credential, link or token, is the answer to the form itself: it is in no address and nothing keeps it.

mod audit;
mod contacts;
mod end;
mod enrolment;
mod form_page;
mod grants;
mod machines;
mod notice;
mod notices;
mod page;
mod policies;
mod sites;
mod tokens;
mod users;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

pub(crate) use users::state::Origin;

use crate::call::{Failure, FailureKind, Reason};
use crate::frame::{self, Frame, Here};
use crate::outage::Missing;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// A part of the administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Area {
    Sites,
    Machines,
    Enrolment,
    Contacts,
    Policies,
    Notices,
    Users,
    Tokens,
    Audit,
}

impl Area {
    const ALL: [Area; 9] = [
        Area::Sites,
        Area::Machines,
        Area::Enrolment,
        Area::Contacts,
        Area::Policies,
        Area::Notices,
        Area::Users,
        Area::Tokens,
        Area::Audit,
    ];

    fn path(self) -> &'static str {
        match self {
            Area::Sites => "/administration/sites",
            Area::Machines => "/administration/machines",
            Area::Enrolment => "/administration/enrolment",
            Area::Contacts => "/administration/contacts",
            Area::Policies => "/administration/policies",
            Area::Notices => "/administration/notices",
            Area::Users => "/administration/users",
            Area::Tokens => "/administration/tokens",
            Area::Audit => "/administration/audit",
        }
    }

    fn name(self, t: Texts) -> &'static str {
        match self {
            Area::Sites => t.sites(),
            Area::Machines => t.machines(),
            Area::Enrolment => t.enrolment(),
            Area::Contacts => t.notify_contacts(),
            Area::Policies => t.notify_policies(),
            Area::Notices => t.notify_notices(),
            Area::Users => t.users(),
            Area::Tokens => t.tokens(),
            Area::Audit => t.audit(),
        }
    }

    /// Whether the visitor may see it. What they may do in it the API decides once more.
    fn is_for(self, visitor: &Visitor) -> bool {
        match self {
            Area::Sites => visitor.may_anywhere("configure") || may_everywhere(visitor, "administer"),
            Area::Machines | Area::Enrolment => visitor.may_anywhere("register"),
            Area::Contacts | Area::Policies | Area::Notices => visitor.may_anywhere("configure"),
            Area::Users | Area::Tokens => visitor.may_anywhere("administer"),
            Area::Audit => visitor.may_anywhere("audit") || may_everywhere(visitor, "diagnose"),
        }
    }

    /// The frame of one of its pages.
    fn frame(self, visitor: &Visitor, title: &str) -> Frame {
        Frame::of(visitor, Here::Administration, title)
    }
}

/// Whether the visitor may see any part.
pub(crate) fn is_for(visitor: &Visitor) -> bool {
    Area::ALL.iter().any(|area| area.is_for(visitor))
}

/// Whether they may do it at all sites, also at those that are registered later.
fn may_everywhere(visitor: &Visitor, permission: &str) -> bool {
    visitor.permissions.iter().any(|one| one.name == permission && one.site_ids.is_empty())
}

/// A page that cannot be made without what is missing, or of something that is not there.
fn lacking(visitor: &Visitor, missing: &Missing, none: &str) -> Response {
    if missing.failure.kind == FailureKind::NotFound {
        return frame::not_found(visitor, none);
    }
    frame::missing_page(status(&missing.failure), visitor.t(), missing)
}

/// Something that was refused and that no field of a form explains.
fn failed(visitor: &Visitor, failure: &Failure) -> Response {
    let frame = Frame::of(visitor, Here::Administration, visitor.t().failed_title());
    frame::message(status(failure), frame, &words_of(failure, visitor.t()))
}

/// Why it was refused, in the visitor's language where the case is known.
fn words_of(failure: &Failure, t: Texts) -> String {
    match failure.reason {
        Some(Reason::LastAdministrator) => t.last_administrator().to_owned(),
        Some(Reason::BeyondOwn) => t.grants_beyond().to_owned(),
        Some(Reason::IdTaken) => t.id_taken().to_owned(),
        None => failure.words(t),
    }
}

/// The first part that the visitor may see.
async fn begin(visitor: Visitor) -> Response {
    match Area::ALL.iter().find(|area| area.is_for(&visitor)) {
        Some(area) => Redirect::to(area.path()).into_response(),
        None => frame::not_allowed(&visitor),
    }
}

/// All pages of the administration.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/administration", get(begin))
        .route("/administration/sites", get(sites::list))
        .route("/administration/add/site", get(sites::show_add).post(sites::add))
        .route("/administration/sites/{site}", get(sites::show_edit).post(sites::edit))
        .route("/administration/machines", get(machines::list))
        .route("/administration/add/machine", get(machines::show_add).post(machines::add))
        .route("/administration/machines/{machine}", get(machines::show_edit).post(machines::edit))
        .route(
            "/administration/machines/{machine}/renew",
            get(machines::credentials::ask_renew).post(machines::credentials::renew),
        )
        .route(
            "/administration/machines/{machine}/revoke",
            get(machines::credentials::ask_revoke).post(machines::credentials::revoke),
        )
        .route("/administration/machines/{machine}/file", post(machines::credentials::save))
        .merge(enrolment_routes())
        .route("/administration/contacts", get(contacts::list))
        .route("/administration/add/contact", get(contacts::show_add).post(contacts::add))
        .route("/administration/contacts/{contact}", get(contacts::show_edit).post(contacts::edit))
        .route("/administration/contacts/{contact}/test", get(contacts::show_test).post(contacts::test))
        .route("/administration/contacts/{contact}/test/result", get(contacts::result))
        .route("/administration/contacts/{contact}/renew", get(contacts::ask_renew).post(contacts::renew))
        .route("/administration/contacts/{contact}/delete", get(contacts::ask_delete).post(contacts::delete))
        .route("/administration/policies", get(policies::list))
        .route("/administration/policies/{site}", get(policies::show))
        .route("/administration/policies/{site}/chain", post(policies::chain))
        .route("/administration/policies/{site}/deadlines", post(policies::deadlines))
        .route("/administration/policies/{site}/service", post(policies::service))
        .route("/administration/notices", get(notices::list))
        .route("/administration/users", get(users::list))
        .route("/administration/add/user", get(users::show_add).post(users::add))
        .route("/administration/users/@{user}", get(users::show_edit).post(users::edit))
        .route(
            "/administration/users/@{user}/disable",
            get(users::state::ask_disable).post(users::state::disable),
        )
        .route(
            "/administration/users/@{user}/enable",
            get(users::state::ask_enable).post(users::state::enable),
        )
        .route("/administration/users/@{user}/link", get(users::state::ask_link).post(users::state::link))
        .route("/administration/tokens", get(tokens::list))
        .route("/administration/add/token", get(tokens::show_add).post(tokens::add))
        .route("/administration/tokens/{token}/revoke", get(tokens::ask_revoke).post(tokens::revoke))
        .route("/administration/audit", get(audit::list))
}

fn enrolment_routes() -> Router<Dashboard> {
    use enrolment::codes;
    Router::new()
        .route("/administration/enrolment", get(enrolment::list))
        .route("/administration/add/enrolment", get(codes::show_add).post(codes::add))
        .route("/administration/enrolment/codes/{code}/revoke", get(codes::ask_revoke).post(codes::revoke))
        .route(
            "/administration/enrolment/{enrolment}/approve",
            get(enrolment::ask_approve).post(enrolment::approve),
        )
        .route(
            "/administration/enrolment/{enrolment}/refuse",
            get(enrolment::ask_refuse).post(enrolment::refuse),
        )
        .route(
            "/administration/machines/{machine}/enrol",
            get(machines::credentials::ask_code).post(machines::credentials::make_code),
        )
}
