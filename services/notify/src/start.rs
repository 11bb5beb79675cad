//! The way in.

use std::sync::Arc;

use domain::ids::NoticeId;
use domain::incident::Severity;
use domain::units::UnixMicros;
use store::StoreError;
use store::ledger::{About, Ledger, Notice, NoticeState};
use store::registry::Contact;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::carrier::{Carrier, Carriers};
use crate::follower::Follower;
use crate::keeper::Keeper;
use crate::mail::Mail;
use crate::metrics;
use crate::surroundings::{OpenPages, Proof, Report, Settings};
use crate::webhook::Webhooks;
use crate::weekly::Reporter;

/// Follows the incidents of a ledger until it is told to stop: tells people, notes evidence, sends daily heads and weekly
/// reports. Gives the
/// tasks that do it; they end soon after `stopping`.
///
/// # Errors
/// What of the settings is wrong, in one sentence.
pub fn start(
    ledger: Arc<dyn Ledger>,
    settings: Settings,
    pages: Arc<dyn OpenPages>,
    proof: Arc<dyn Proof>,
    report: Arc<dyn Report>,
    stopping: &CancellationToken,
) -> Result<Vec<JoinHandle<()>>, String> {
    metrics::describe();
    let mail = settings.mail.as_ref().map(Mail::new).transpose()?;
    let webhooks = Webhooks::new(settings.secrets.clone());
    let carrier: Arc<dyn Carrier> = Arc::new(Carriers { webhooks, mail });
    let keeper = Keeper::new(ledger.clone(), settings.clone(), proof.clone());
    let reporter = Reporter::new(ledger.clone(), settings.clone(), report);
    let follower = Follower::new(ledger, settings, pages, proof, carrier);
    Ok(vec![
        tokio::spawn(follower.run(stopping.clone())),
        tokio::spawn(keeper.run(stopping.clone())),
        tokio::spawn(reporter.run(stopping.clone())),
    ])
}

/// Plans a test message to a contact, which is sent at once and tried only once. `request` tells tests apart: asked for
/// again with the same, nothing more is sent. Gives the notice's id, by which its outcome is found.
///
/// # Errors
/// The ledger fails.
pub async fn test(
    ledger: &dyn Ledger,
    contact: &Contact,
    (by, request): (&str, &str),
    now: UnixMicros,
) -> Result<NoticeId, StoreError> {
    let id = NoticeId::of(&format!("test:{by}:{request}"), &contact.name, 0);
    let notice = Notice {
        id,
        about: About::Test { by: by.to_owned() },
        contact: contact.name.clone(),
        site: contact.site.clone(),
        severity: Severity::Info,
        step: 0,
        planned: now,
        due: now,
        state: NoticeState::Waiting,
        attempts: 0,
        last_attempt: None,
        reason: String::new(),
        together: 0,
        revision: 1,
    };
    ledger.put_notices(vec![notice], None).await?;
    Ok(id)
}

#[cfg(test)]
mod tests;
