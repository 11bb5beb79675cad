//! What all pages share: navigation, menu of the user, pages that say what went wrong.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::tz::TimeZone;

use crate::outage::Missing;
use crate::texts::Texts;
use crate::visitor::{Stranger, Visitor};
use crate::{administration, assets, course, packing, today, words};

/// Where in the navigation a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Chain,
    Floor,
    Machine,
    Incidents,
    Proofs,
    Usage,
    Reverse,
    Courses,
    Today,
    Account,
    Administration,
    Nowhere,
}

/// What is around a page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) t: Texts,
    pub(crate) title: String,
    pub(crate) here: Here,
    /// The menu of who is signed in.
    pub(crate) menu: Option<Menu>,
}

/// The navigation of somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Menu {
    pub(crate) name: String,
    /// What forms carry.
    pub(crate) token: String,
    pub(crate) floors: bool,
    pub(crate) incidents: bool,
    pub(crate) proofs: bool,
    pub(crate) usage: bool,
    pub(crate) courses: bool,
    pub(crate) today: bool,
    pub(crate) administration: bool,
}

impl Frame {
    /// The frame of a page of somebody who is signed in.
    pub(crate) fn of(visitor: &Visitor, here: Here, title: &str) -> Frame {
        let menu = Menu {
            name: visitor.name().to_owned(),
            token: visitor.token.to_string(),
            floors: visitor.may_anywhere("live"),
            incidents: visitor.may_anywhere("history"),
            proofs: visitor.may_anywhere("handle"),
            usage: visitor.may_anywhere("history"),
            courses: course::is_for(visitor),
            today: today::is_for(visitor),
            administration: administration::is_for(visitor),
        };
        Frame { t: visitor.t(), title: title.to_owned(), here, menu: Some(menu) }
    }

    /// The frame of a page of somebody who is not.
    pub(crate) fn bare(t: Texts, title: &str) -> Frame {
        Frame { t, title: title.to_owned(), here: Here::Nowhere, menu: None }
    }

    /// Where an asset is.
    pub(crate) fn asset(&self, name: &str) -> &'static str {
        assets::address(name)
    }

    /// What forms carry; empty for a stranger.
    pub(crate) fn token(&self) -> &str {
        self.menu.as_ref().map_or("", |menu| &menu.token)
    }
}

/// A part of a page that cannot be shown, in words.
#[derive(Debug)]
pub(crate) struct MissingPart {
    pub(crate) what: String,
    pub(crate) since: String,
    pub(crate) reason: String,
}

impl MissingPart {
    pub(crate) fn new(missing: &Missing, t: Texts, zone: &TimeZone) -> MissingPart {
        let since = missing.since.map(|since| t.missing_since(words::clock_seconds(since, zone)));
        MissingPart {
            what: t.part_missing(missing.part.name(t)),
            since: since.unwrap_or_default(),
            reason: t.missing_reason(missing.failure.words(t)),
        }
    }
}

/// A page with one heading and one sentence.
#[derive(Debug, Template)]
#[template(path = "message.html")]
struct MessagePage {
    frame: Frame,
    words: String,
    missing: Option<MissingPart>,
}

/// A page that says one thing.
pub(crate) fn message(status: StatusCode, frame: Frame, words: &str) -> Response {
    html(status, &MessagePage { frame, words: words.to_owned(), missing: None })
}

/// A page that lacks all that it is about.
pub(crate) fn missing_page(status: StatusCode, t: Texts, missing: &Missing) -> Response {
    let part = MissingPart::new(missing, t, &TimeZone::UTC);
    let frame = Frame::bare(t, t.failed_title());
    html(status, &MessagePage { frame, words: String::new(), missing: Some(part) })
}

/// A form that no page of ours sent.
pub(crate) fn form_refused(t: Texts) -> Response {
    message(StatusCode::FORBIDDEN, Frame::bare(t, t.form_refused_title()), t.form_refused())
}

/// There is nothing at this address.
pub(crate) fn no_page(stranger: Stranger) -> std::future::Ready<Response> {
    let t = stranger.t;
    let frame = Frame::bare(t, t.no_page_title());
    std::future::ready(message(StatusCode::NOT_FOUND, frame, t.no_page()))
}

/// There is none that the visitor may see.
pub(crate) fn not_found(visitor: &Visitor, words: &str) -> Response {
    let frame = Frame::of(visitor, Here::Nowhere, visitor.t().no_page_title());
    message(StatusCode::NOT_FOUND, frame, words)
}

/// The visitor may not do it.
pub(crate) fn not_allowed(visitor: &Visitor) -> Response {
    let frame = Frame::of(visitor, Here::Nowhere, visitor.t().not_allowed_title());
    message(StatusCode::FORBIDDEN, frame, visitor.t().not_allowed())
}

/// Renders a page.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made; the server's log says why\n")
                .into_response()
        }
    }
}

/// Renders a page and packs it if the browser unpacks: a floor of 500 machines is large.
pub(crate) fn packed_html(status: StatusCode, page: &impl Template, headers: &HeaderMap) -> Response {
    let rendered = page.render();
    match rendered {
        Ok(text) if packing::is_accepted(headers) => {
            let packed = packing::pack(text.as_bytes());
            let mut response = (status, Html(packed)).into_response();
            let encoding = HeaderValue::from_static("zstd");
            response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
            response
        }
        Ok(_) | Err(_) => html(status, page),
    }
}
