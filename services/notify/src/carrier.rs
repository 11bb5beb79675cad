//! Brings a message to its contact, whichever way it is told.

use async_trait::async_trait;
use store::registry::Way;

use crate::mail::Mail;
use crate::message::Message;
use crate::retry::{ATTEMPT_MAX, Refusal};
use crate::webhook::Webhooks;

/// Brings a message to its contact.
#[async_trait]
pub(crate) trait Carrier: Send + Sync + std::fmt::Debug {
    /// Returns when it was taken or not, within `ATTEMPT_MAX`.
    async fn carry(&self, message: &Message) -> Result<(), Refusal>;
}

/// Webhooks and mail.
#[derive(Debug)]
pub(crate) struct Carriers {
    pub(crate) webhooks: Webhooks,
    /// `None`: no mail server is configured.
    pub(crate) mail: Option<Mail>,
}

#[async_trait]
impl Carrier for Carriers {
    async fn carry(&self, message: &Message) -> Result<(), Refusal> {
        let carried = async {
            match (&message.contact.way, &self.mail) {
                (Way::Webhook { url }, _) => self.webhooks.send(url, message).await,
                (Way::Email { address }, Some(mail)) => mail.send(address, message).await,
                (Way::Email { .. }, None) => {
                    Err(Refusal::lasting("no mail server is configured ([mail] in the configuration)"))
                }
            }
        };
        let late = |_| Err(Refusal::passing(format!("no answer within {} s", ATTEMPT_MAX.as_secs())));
        tokio::time::timeout(ATTEMPT_MAX, carried).await.unwrap_or_else(late)
    }
}
