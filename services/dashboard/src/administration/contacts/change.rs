//! Forms that make, change and delete contacts. The secret of a webhook is the answer to the form that made it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::super::form_page::{Entry, Field, FormPage};
use super::super::notice::{Notice, go};
use super::super::page::SecretPage;
use super::super::{failed, lacking, may_everywhere};
use super::{AREA, ask, find, path};
use crate::call::answer;
use crate::fleet;
use crate::form::Posted;
use crate::frame;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// How a receiver makes the signature itself, from what came.
const CHECK: &str =
    "printf '%s.%s' \"$timestamp\" \"$body\" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$secret";

/// The fields that can be changed later, with what a contact has.
fn fields(t: Texts, contact: &v1::Contact, sites: Vec<(String, String)>) -> Vec<Field> {
    let choices = || {
        let choices = [("no", t.no()), ("yes", t.yes())];
        Entry::Choices(choices.map(|(code, words)| (code.to_owned(), words.to_owned())).into())
    };
    let chosen = |is: bool| if is { "yes" } else { "no" };
    vec![
        Field::new("display_name", t.name_for_people(), t.contact_display_hint(), t.one_line_wrong())
            .of(&contact.display_name),
        Field::new("webhook_url", t.contact_url(), t.contact_url_hint(), t.contact_url_wrong())
            .of(&contact.webhook_url),
        Field::new("email", t.contact_address(), t.contact_address_hint(), t.contact_address_wrong())
            .of(&contact.email),
        Field::new("site_id", t.site(), t.contact_site_hint(), t.site_wrong())
            .entered(Entry::Choices(sites))
            .of(&contact.site_id),
        Field::new("is_anchor", t.contact_anchor(), t.contact_anchor_hint(), t.choice_wrong())
            .entered(choices())
            .of(chosen(contact.is_anchor)),
        Field::new("weekly", t.contact_weekly(), t.contact_weekly_hint(), t.choice_wrong())
            .entered(choices())
            .of(chosen(contact.weekly)),
    ]
}

/// Sites that a contact can be of.
async fn sites(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<(String, String)>, Response> {
    let t = visitor.t();
    let sites =
        fleet::sites(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let all = may_everywhere(visitor, "configure").then(|| (String::new(), t.grant_all().to_owned()));
    let own = sites.into_iter().filter(|site| visitor.may("configure", &site.id));
    Ok(all.into_iter().chain(own.map(|site| (site.id, site.display_name))).collect())
}

/// Exactly one way has to be told; what the form does not offer is refused.
fn check(page: &mut FormPage) {
    if page.value("webhook_url").is_empty() == page.value("email").is_empty() {
        page.refuse("webhook_url");
    }
    for name in ["is_anchor", "weekly"] {
        if !["yes", "no"].contains(&page.value(name)) {
            page.refuse(name);
        }
    }
}

fn typed(page: &FormPage, name: &str) -> v1::Contact {
    v1::Contact {
        name: name.to_owned(),
        display_name: page.value("display_name").to_owned(),
        site_id: page.value("site_id").to_owned(),
        webhook_url: page.value("webhook_url").to_owned(),
        email: page.value("email").to_owned(),
        is_anchor: page.value("is_anchor") == "yes",
        weekly: page.value("weekly") == "yes",
        ..v1::Contact::default()
    }
}

/// Saves a contact. A new secret is shown this once.
async fn save(dashboard: &Dashboard, visitor: &Visitor, mut page: FormPage, name: &str) -> Response {
    let contact = Some(typed(&page, name));
    let message = v1::SetContactRequest { contact, ..v1::SetContactRequest::default() };
    let mut client = dashboard.clients().notification();
    match answer(client.set_contact(visitor.caller.request(message))).await {
        Ok(set) if set.secret.is_empty() => go(AREA, Notice::ContactSaved, name),
        Ok(set) => show_secret(visitor, name, set.secret),
        Err(failure) => {
            page.take(&failure, "name");
            frame::html(status(&failure), &page)
        }
    }
}

fn show_secret(visitor: &Visitor, name: &str, secret: String) -> Response {
    let t = visitor.t();
    let mut page = SecretPage::new(visitor, AREA, &t.contact_secret_of(name), secret);
    page.lead = t.contact_secret_once();
    page.label = t.contact_secret();
    page.then = t.contact_secret_check();
    CHECK.clone_into(&mut page.example);
    frame::html(StatusCode::OK, &page)
}

async fn add_form(dashboard: &Dashboard, visitor: &Visitor) -> Result<FormPage, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let sites = sites(dashboard, visitor).await?;
    let action = "/administration/add/contact".to_owned();
    let mut page =
        FormPage::new(visitor, AREA, t.contact_add(), action).question(t.contact_add_lead(), t.contact_add());
    page.fields = vec![Field::new("name", t.id(), t.id_hint(), t.id_wrong())];
    page.fields.extend(fields(t, &v1::Contact::default(), sites));
    Ok(page)
}

pub(in super::super) async fn show_add(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    match add_form(&dashboard, &visitor).await {
        Ok(page) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(in super::super) async fn add(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(fields): Posted,
) -> Response {
    let mut page = match add_form(&dashboard, &visitor).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&fields);
    check(&mut page);
    // The API would change the one that there is.
    match ask(&dashboard, &visitor).await {
        Ok(contacts) if contacts.iter().any(|contact| contact.name == page.value("name")) => {
            page.refuse_as("name", visitor.t().id_taken());
        }
        Ok(_) => {}
        Err(missing) => return lacking(&visitor, &missing, visitor.t().no_contact()),
    }
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let name = page.value("name").to_owned();
    save(&dashboard, &visitor, page, &name).await
}

async fn edit_form(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<FormPage, Response> {
    let contact = find(dashboard, visitor, name).await?;
    let t = visitor.t();
    let title = format!("{}: {}", t.contact_edit(), contact.name);
    let mut page = FormPage::new(visitor, AREA, &title, path(&contact.name));
    page.fields = fields(t, &contact, sites(dashboard, visitor).await?);
    Ok(page)
}

pub(in super::super) async fn show_edit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    match edit_form(&dashboard, &visitor, &name).await {
        Ok(page) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(in super::super) async fn edit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(fields): Posted,
) -> Response {
    let mut page = match edit_form(&dashboard, &visitor, &name).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&fields);
    check(&mut page);
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    if page.changed().is_empty() {
        return go(AREA, Notice::NothingChanged, &name);
    }
    save(&dashboard, &visitor, page, &name).await
}

pub(in super::super) async fn ask_renew(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let contact = match find(&dashboard, &visitor, &name).await {
        Ok(contact) => contact,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/renew", path(&contact.name));
    let page = FormPage::new(&visitor, AREA, &t.contact_renew_of(&contact.name), action);
    frame::html(StatusCode::OK, &page.question(t.contact_renew_lead(), t.contact_renew()))
}

pub(in super::super) async fn renew(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Response {
    let contact = match find(&dashboard, &visitor, &name).await {
        Ok(contact) => contact,
        Err(response) => return response,
    };
    let contact = v1::Contact { last_notice: None, change_time: None, ..contact };
    let message = v1::SetContactRequest {
        contact: Some(contact),
        renew_secret: true,
        ..v1::SetContactRequest::default()
    };
    let mut client = dashboard.clients().notification();
    match answer(client.set_contact(visitor.caller.request(message))).await {
        Ok(set) => show_secret(&visitor, &name, set.secret),
        Err(failure) => failed(&visitor, &failure),
    }
}

pub(in super::super) async fn ask_delete(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let contact = match find(&dashboard, &visitor, &name).await {
        Ok(contact) => contact,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/delete", path(&contact.name));
    let page = FormPage::new(&visitor, AREA, &t.contact_delete_of(&contact.name), action);
    frame::html(StatusCode::OK, &page.question(t.contact_delete_lead(), t.contact_delete()))
}

pub(in super::super) async fn delete(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Response {
    if let Err(response) = find(&dashboard, &visitor, &name).await {
        return response;
    }
    let message = v1::DeleteContactRequest { name: name.clone() };
    let mut client = dashboard.clients().notification();
    match answer(client.delete_contact(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::ContactDeleted, &name),
        Err(failure) => failed(&visitor, &failure),
    }
}
