//! One's own account: preferences and password.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::api::v1;

use crate::call::answer;
use crate::form::Posted;
use crate::frame::{self, Frame, Here};
use crate::link::{check_password, reason_of_password};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    name: String,
    /// Whether it is a user's: only they have preferences and a password.
    user: bool,
    language: v1::Language,
    miles: bool,
    /// Names of what they may do, each with its sites; none: all.
    permissions: Vec<(String, String)>,
    done: &'static str,
    error: String,
    old_error: String,
    password_error: String,
    again_error: String,
}

impl AccountPage {
    fn new(visitor: &Visitor) -> AccountPage {
        let permission = |one: &v1::Permission| (may(&one.name, visitor.t()), one.site_ids.join(", "));
        AccountPage {
            frame: Frame::of(visitor, Here::Account, visitor.t().account()),
            name: visitor.name().to_owned(),
            user: visitor.user.is_some(),
            language: visitor.preferences.language(),
            miles: visitor.preferences.speed_unit() == v1::SpeedUnit::MilesPerHour,
            permissions: visitor.permissions.iter().map(permission).collect(),
            done: "",
            error: String::new(),
            old_error: String::new(),
            password_error: String::new(),
            again_error: String::new(),
        }
    }

    fn is_language(&self, code: &str) -> bool {
        language(code) == self.language
    }
}

fn language(code: &str) -> v1::Language {
    match code {
        "en" => v1::Language::English,
        "de" => v1::Language::German,
        _ => v1::Language::Unspecified,
    }
}

/// What was just done.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

pub(crate) async fn show(visitor: Visitor, Query(Done { done }): Query<Done>) -> Response {
    let mut page = AccountPage::new(&visitor);
    page.done = match done.as_str() {
        "preferences" => visitor.t().preferences_saved(),
        "password" => visitor.t().password_changed(),
        _ => "",
    };
    frame::html(StatusCode::OK, &page)
}

pub(crate) async fn prefer(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(fields): Posted,
) -> Response {
    let unit = match fields.get("speed_unit") {
        "mph" => v1::SpeedUnit::MilesPerHour,
        _ => v1::SpeedUnit::KilometresPerHour,
    };
    let language = language(fields.get("language"));
    let preferences = v1::Preferences { language: language.into(), speed_unit: unit.into() };
    let message = v1::UpdatePreferencesRequest { preferences: Some(preferences) };
    let mut client = dashboard.clients().account();
    match answer(client.update_preferences(visitor.caller.request(message))).await {
        Ok(_) => Redirect::to("/account?done=preferences").into_response(),
        Err(failure) => {
            let mut page = AccountPage::new(&visitor);
            page.language = language;
            page.miles = unit == v1::SpeedUnit::MilesPerHour;
            page.error = failure.words(visitor.t());
            frame::html(status(&failure), &page)
        }
    }
}

pub(crate) async fn change_password(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(fields): Posted,
) -> Response {
    let t = visitor.t();
    let mut page = AccountPage::new(&visitor);
    if fields.get("old_password").is_empty() {
        page.old_error = t.password_missing().to_owned();
    }
    (page.password_error, page.again_error) = check_password(t, &fields);
    if [&page.old_error, &page.password_error, &page.again_error].iter().any(|error| !error.is_empty()) {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let message = v1::ChangePasswordRequest {
        old_password: fields.get("old_password").to_owned(),
        new_password: fields.get("password").to_owned(),
    };
    let mut client = dashboard.clients().account();
    match answer(client.change_password(visitor.caller.request(message))).await {
        Ok(_) => Redirect::to("/account?done=password").into_response(),
        Err(failure) => {
            if failure.of_field("old_password").is_some() {
                page.old_error = t.old_password_wrong().to_owned();
            }
            if let Some(reason) = failure.of_field("new_password") {
                page.password_error = reason_of_password(t, reason);
            }
            if failure.fields.is_empty() {
                page.error = failure.words(t);
            }
            frame::html(status(&failure), &page)
        }
    }
}

/// A permission in words; one that these pages do not know by its name.
fn may(permission: &str, t: Texts) -> String {
    let words = match permission {
        "live" => t.may_live(),
        "history" => t.may_history(),
        "act" => t.may_act(),
        "courses" => t.may_courses(),
        "arrange" => t.may_arrange(),
        "configure" => t.may_configure(),
        "register" => t.may_register(),
        "administer" => t.may_administer(),
        "audit" => t.may_audit(),
        "diagnose" => t.may_diagnose(),
        other => other,
    };
    words.to_owned()
}
