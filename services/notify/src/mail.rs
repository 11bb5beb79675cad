//! Mail over the server that the configuration names.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::message::{Message, Subject, Told};
use crate::retry::{ATTEMPT_MAX, Refusal};
use crate::text;

#[cfg(test)]
mod tests;

/// The mail server that takes what we send.
#[derive(Clone)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port, usually 25, 465 or 587.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// With what we sign in: user and password; `None`: it takes our mail without.
    pub login: Option<(String, String)>,
    /// From whom our mail is, such as `Beltwatch <beltwatch@example.org>`.
    pub from: String,
}

impl std::fmt::Debug for MailServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of logs.
        let MailServer { host, port, tls, login, from } = self;
        let user = login.as_ref().map(|(user, _)| user);
        f.debug_struct("MailServer")
            .field("host", host)
            .field("port", port)
            .field("tls", tls)
            .field("user", &user)
            .field("from", from)
            .finish_non_exhaustive()
    }
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all, as to a mail server on this computer.
    None,
    /// It begins in the clear and must change to TLS before anything is said.
    StartTls,
    /// TLS from the first octet on.
    Implicit,
}

/// Sends mail.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mail {
    /// Over a mail server. It is asked only when something is sent.
    ///
    /// # Errors
    /// What of the settings is wrong, in one sentence.
    pub(crate) fn new(server: &MailServer) -> Result<Mail, String> {
        let from: Mailbox = server.from.parse().map_err(|error| {
            format!(
                "mail.from is \"{}\" ({error}); one such as beltwatch@example.org is allowed",
                server.from
            )
        })?;
        let parameters = || {
            TlsParameters::new(server.host.clone()).map_err(|error| {
                format!("mail.host is \"{}\": no TLS is possible with it ({error})", server.host)
            })
        };
        let tls = match server.tls {
            MailTls::None => Tls::None,
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::Implicit => Tls::Wrapper(parameters()?),
        };
        let name = ClientId::Domain(from.email.domain().to_owned());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port)
            .tls(tls)
            .hello_name(name)
            .timeout(Some(ATTEMPT_MAX));
        if let Some((user, password)) = &server.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Mail { transport: builder.build(), from })
    }

    /// Sends a mail. The caller bounds the time: the transport's own bound is about connecting only.
    pub(crate) async fn send(&self, address: &str, message: &Message) -> Result<(), Refusal> {
        let mail = self.mail(address, message).map_err(Refusal::lasting)?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let reason = format!("the mail server: {}", crate::webhook::causes(&error));
                Err(Refusal { is_final: error.is_permanent(), reason })
            }
        }
    }

    fn mail(&self, address: &str, message: &Message) -> Result<lettre::Message, String> {
        let to = address.parse().map_err(|error| format!("\"{address}\" is no mail address: {error}"))?;
        let time = u64::try_from(message.time.0).unwrap_or(0);
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject(message))
            .date(UNIX_EPOCH + Duration::from_micros(time))
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            .header(header::ContentType::TEXT_PLAIN)
            .body(body(message))
            .map_err(|error| format!("the mail cannot be written: {error}"))
    }
}

/// Site, machine, severity and rule of what is alone; of more, how many and the worst.
fn subject(message: &Message) -> String {
    let subject = match (&message.told[..], message.more) {
        ([told], 0) => match &told.subject {
            Subject::Incident(story) => {
                let rule = story.stored.incident.rule.name();
                format!("[{}] {} {}: {rule}", story.site, story.machine, told.severity.name())
            }
            Subject::Test { .. } | Subject::Head(_) | Subject::Weekly(_) => {
                format!("[Beltwatch] {}", told.summary())
            }
        },
        (told, _) => {
            let worst = told.iter().map(|told| told.severity).max();
            let worst = worst.map_or("", |worst| worst.name());
            let first = told.first().map(Told::summary).unwrap_or_default();
            format!("[Beltwatch] {} messages, the worst {worst}: {first}", message.total())
        }
    };
    text::cut(&text::line(&subject), 200)
}

fn body(message: &Message) -> String {
    let mut parts = Vec::new();
    if message.total() > 1 {
        parts.push(format!("{} messages that came together.\n", message.total()));
    }
    parts.extend(message.told.iter().map(|told| part(message, told)));
    if message.more > 0 {
        parts.push(format!("And {} more; see {}/incidents\n", message.more, message.url));
    }
    parts.push(format!("-- \nBeltwatch, message {}\n", message.id));
    parts.join("\n")
}

fn part(message: &Message, told: &Told) -> String {
    let card = match &told.subject {
        Subject::Incident(story) => format!("What to do: {}\n", story.card()),
        Subject::Test { .. } | Subject::Head(_) | Subject::Weekly(_) => String::new(),
    };
    let (summary, description) = (told.summary(), told.description());
    format!("{summary}\n\n{description}\n{card}{}{}\nId: {}\n", message.url, told.path(), told.id)
}
