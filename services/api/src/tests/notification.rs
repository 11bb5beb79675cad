//! Contacts, policies and notices as callers meet them.

mod contacts;
mod notices;
mod policies;

use wire::api::v1;
use wire::api::v1::notification_service_client::NotificationServiceClient;

use super::{Bench, ByOperator};

async fn service(bench: &Bench) -> NotificationServiceClient<ByOperator> {
    NotificationServiceClient::with_interceptor(bench.channel().await, bench.as_operator())
}

/// A webhook of this site; empty: of all.
fn webhook(name: &str, site: &str) -> v1::Contact {
    v1::Contact {
        name: name.to_owned(),
        site_id: site.to_owned(),
        webhook_url: format!("https://alerts.example.org/{name}"),
        ..Default::default()
    }
}

/// Makes or changes a contact; the contact and its secret.
async fn set(bench: &Bench, contact: v1::Contact, renew_secret: bool) -> (v1::Contact, String) {
    let request = v1::SetContactRequest { contact: Some(contact), renew_secret, ..Default::default() };
    let answer = service(bench).await.set_contact(request).await.unwrap().into_inner();
    (answer.contact.unwrap(), answer.secret)
}
