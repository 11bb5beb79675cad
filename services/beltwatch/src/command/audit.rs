//! `beltwatch audit`: what people and programs did, and what was refused to them.

use clap::Args as ClapArgs;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::print;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Value};
use crate::words;

const PAGE: i32 = 1_000;

/// Lists what people and programs did, and what was refused to them, newest first
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// How many entries at most, 1 to 100000
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max: u32,
}

const COLUMNS: &[Column<v1::AuditEntry>] = &[
    Column { name: "number", title: "number", value: |entry| Value::Count(entry.number) },
    Column {
        name: "time",
        title: "time",
        value: |entry| Value::Time(words::time(entry.time), TimeZone::UTC),
    },
    Column { name: "author", title: "who", value: |entry| Value::Text(entry.author.clone()) },
    Column { name: "kind", title: "what", value: |entry| Value::Text(entry.kind.clone()) },
    Column { name: "subject", title: "to what", value: |entry| Value::Text(entry.subject.clone()) },
    Column { name: "site_id", title: "site", value: |entry| Value::Text(entry.site_id.clone()) },
    Column { name: "detail", title: "detail", value: |entry| Value::Text(entry.detail.clone()) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let max = usize::try_from(args.max).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let (mut entries, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListAuditEntriesRequest { page_size: PAGE, page_token };
        let page = client.admin.list_audit_entries(request).await?.into_inner();
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() || entries.len() >= max {
            break;
        }
    }
    entries.truncate(max);
    print(&Listing { name: "entries", columns: COLUMNS, rows: &entries, notes: Vec::new() }, options)
}
