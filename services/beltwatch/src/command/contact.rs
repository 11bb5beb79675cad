//! `beltwatch contact`: who can be told of incidents.

mod test;

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::repeat::{RepeatArgs, twice};
use crate::command::{notice, print};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Format, Listing, Value};
use crate::words;

/// Makes, lists and tries those who can be told of incidents
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists contacts
    List {
        /// Only those of this site, and those of all
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
    },
    /// Makes a contact, or changes one; what is not given stays as it is
    Set(SetArgs),
    /// Takes a contact away that no chain names
    Delete {
        /// Its name
        name: String,
    },
    /// Sends a test message to a contact, waits up to 30 s and says what became of it
    Test {
        /// Its name
        name: String,
        #[command(flatten)]
        repeat: RepeatArgs,
    },
}

#[derive(Debug, Default, ClapArgs)]
struct SetArgs {
    /// Its name: a-z, 0-9 and hyphen, at most 64
    name: String,
    #[command(flatten)]
    way: WayArgs,
    /// Name for people; empty: the name
    #[arg(long = "name", value_name = "TEXT")]
    display_name: Option<String>,
    /// Of this site; empty: of all
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Whether it is sent the daily head of all facts, so that dossiers can be compared with it
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    anchor: Option<bool>,
    /// Whether it is sent the weekly report of its site, or of all
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    weekly: Option<bool>,
    /// Make a new secret of its webhook; the old one is not good any more
    #[arg(long)]
    renew_secret: bool,
    #[command(flatten)]
    repeat: RepeatArgs,
}

/// How it is told.
#[derive(Debug, Default, ClapArgs)]
#[group(required = false, multiple = false)]
struct WayArgs {
    /// By a webhook at this address: https, or http on this computer or a private network
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// By e-mail to this address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

/// A contact, with what is needed to show it.
#[derive(Debug, Clone)]
struct Shown {
    contact: v1::Contact,
    zone: TimeZone,
    /// Only of a webhook whose secret is new.
    secret: String,
}

impl Shown {
    fn text(&self, part: fn(&v1::Contact) -> &String) -> Value {
        Value::Text(part(&self.contact).clone())
    }

    fn last(&self) -> Option<notice::Shown> {
        let notice = self.contact.last_notice.clone()?;
        Some(notice::Shown { notice, zone: self.zone.clone() })
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "name", title: "contact", value: |row| row.text(|one| &one.name) },
    Column { name: "display_name", title: "name", value: |row| row.text(|one| &one.display_name) },
    Column { name: "site_id", title: "site", value: |row| row.text(|one| &one.site_id) },
    Column { name: "webhook_url", title: "webhook", value: |row| row.text(|one| &one.webhook_url) },
    Column { name: "email", title: "e-mail", value: |row| row.text(|one| &one.email) },
    Column { name: "is_anchor", title: "anchor", value: |row| Value::Flag(row.contact.is_anchor) },
    Column { name: "weekly", title: "weekly", value: |row| Value::Flag(row.contact.weekly) },
    Column {
        name: "change_time",
        title: "",
        value: |row| Value::Time(words::time(row.contact.change_time), row.zone.clone()),
    },
    Column {
        name: "last_notice_time",
        title: "told last",
        value: |row| {
            let last = row.contact.last_notice.as_ref().and_then(|notice| notice.last_attempt_time);
            Value::Time(words::time(last), row.zone.clone())
        },
    },
    Column {
        name: "last_notice",
        title: "what became of it",
        value: |row| Value::Text(row.last().map(|last| last.outcome()).unwrap_or_default()),
    },
];

/// For programs: the secret is no part of a table, and of no listing.
const SECRET_COLUMNS: &[Column<Shown>] = &[
    Column { name: "name", title: "", value: |row| row.text(|one| &one.name) },
    Column { name: "webhook_url", title: "", value: |row| row.text(|one| &one.webhook_url) },
    Column { name: "secret", title: "", value: |row| Value::Text(row.secret.clone()) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or a test message did not arrive.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::List { site } => {
            let contacts = list(&mut client, site).await?;
            show(&mut client, contacts, options).await
        }
        Action::Set(args) => set(client, args, options).await,
        Action::Delete { name } => {
            client.notifications.delete_contact(v1::DeleteContactRequest { name: name.clone() }).await?;
            writeln!(io::stderr(), "{name} is not told any more")?;
            Ok(())
        }
        Action::Test { name, repeat } => test::run(client, name, repeat, options).await,
    }
}

async fn list(client: &mut Client, site_id: String) -> Result<Vec<v1::Contact>, Failure> {
    let request = v1::ListContactsRequest { site_id };
    Ok(client.notifications.list_contacts(request).await?.into_inner().contacts)
}

async fn show(client: &mut Client, contacts: Vec<v1::Contact>, options: &Options) -> Result<(), Failure> {
    let zones = Zones::fetch(client).await?;
    let shown =
        |contact: v1::Contact| Shown { zone: zones.of(&contact.site_id), contact, secret: String::new() };
    let rows: Vec<Shown> = contacts.into_iter().map(shown).collect();
    print(&Listing { name: "contacts", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

async fn set(mut client: Client, args: SetArgs, options: &Options) -> Result<(), Failure> {
    let known = list(&mut client, String::new()).await?;
    let known = known.into_iter().find(|contact| contact.name == args.name);
    let renew_secret = args.renew_secret;
    let request_id = args.repeat.clone().id()?;
    let contact = Some(changed(known, args)?);
    let request = v1::SetContactRequest { contact, renew_secret, request_id: request_id.clone() };
    let answer = twice(&request_id, async || client.notifications.set_contact(request.clone()).await).await?;
    let contact = answer.contact.unwrap_or_default();
    if answer.secret.is_empty() {
        return show(&mut client, vec![contact], options).await;
    }
    writeln!(
        io::stderr(),
        "keep the secret now: it is not shown again. With it {} checks that a message is from this server",
        contact.name
    )?;
    if options.format() == Format::Table {
        // The bare secret, for `SECRET=$(beltwatch contact set …)`.
        return Ok(writeln!(io::stdout(), "{}", answer.secret)?);
    }
    let rows = [Shown { contact, zone: TimeZone::UTC, secret: answer.secret }];
    print(&Listing { name: "contacts", columns: SECRET_COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

/// The contact as it shall be: what was not given stays.
fn changed(known: Option<v1::Contact>, args: SetArgs) -> Result<v1::Contact, Failure> {
    let SetArgs { name, way: WayArgs { webhook, email }, display_name, site, anchor, weekly, .. } = args;
    if known.is_none() && webhook.is_none() && email.is_none() {
        let message = format!("{name} is a new contact: --webhook or --email is required");
        return Err(Failure::new(Exit::Usage, message));
    }
    let known = known.unwrap_or_default();
    let (webhook_url, email) = match (webhook, email) {
        (None, None) => (known.webhook_url, known.email),
        (webhook, email) => (webhook.unwrap_or_default(), email.unwrap_or_default()),
    };
    Ok(v1::Contact {
        name,
        display_name: display_name.unwrap_or(known.display_name),
        site_id: site.unwrap_or(known.site_id),
        webhook_url,
        email,
        is_anchor: anchor.unwrap_or(known.is_anchor),
        weekly: weekly.unwrap_or(known.weekly),
        ..v1::Contact::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let known = || v1::Contact {
            name: "desk".to_owned(),
            display_name: "Front desk".to_owned(),
            site_id: "north".to_owned(),
            email: "desk@gym.example".to_owned(),
            is_anchor: true,
            weekly: true,
            ..v1::Contact::default()
        };
        let args = || SetArgs { name: "desk".to_owned(), ..SetArgs::default() };
        assert_eq!(changed(Some(known()), args()), Ok(known()));
        let url = "https://gym.example/hook".to_owned();
        let way = WayArgs { webhook: Some(url.clone()), email: None };
        let by_webhook = v1::Contact { webhook_url: url, email: String::new(), ..known() };
        assert_eq!(changed(Some(known()), SetArgs { way, ..args() }), Ok(by_webhook));
        let rest = SetArgs { site: Some(String::new()), anchor: Some(false), ..args() };
        let of_all = v1::Contact { site_id: String::new(), is_anchor: false, ..known() };
        assert_eq!(changed(Some(known()), rest), Ok(of_all));
        let weekly = SetArgs { weekly: Some(false), ..args() };
        assert_eq!(changed(Some(known()), weekly), Ok(v1::Contact { weekly: false, ..known() }));
        let failure = changed(None, args()).unwrap_err();
        assert_eq!(failure.message, "desk is a new contact: --webhook or --email is required");
    }
}
