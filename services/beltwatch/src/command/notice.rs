//! `beltwatch notice`: what contacts were told of incidents.

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::incident::ids;
use crate::command::pages::Zones;
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value, people_text};
use crate::words;

const PAGE_MAX: u32 = 500;

/// Lists what contacts were told of incidents
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists notices, newest first
    List {
        /// Only about this incident
        #[arg(long, value_name = "ID")]
        incident: Option<String>,
        /// Only to this contact
        #[arg(long, value_name = "CONTACT", default_value = "")]
        contact: String,
        /// Only of this site
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

/// A notice, with what is needed to show it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) notice: v1::Notice,
    pub(super) zone: TimeZone,
}

impl Shown {
    fn text(&self, part: fn(&v1::Notice) -> &String) -> Value {
        Value::Text(part(&self.notice).clone())
    }

    fn time(&self, time: Option<prost_types::Timestamp>) -> Value {
        Value::Time(words::time(time), self.zone.clone())
    }

    /// What the contact is told.
    fn what(&self) -> &'static str {
        match &self.notice {
            notice if notice.is_test => "test",
            notice if notice.is_head => "head",
            notice if notice.is_weekly => "weekly report",
            notice if notice.incident_id.is_empty() => "",
            _ => "incident",
        }
    }

    /// What became of it.
    pub(super) fn outcome(&self) -> String {
        let notice = &self.notice;
        let state = words::notice_state(notice.state).replace('_', " ");
        let attempts = match notice.attempts {
            0 => String::new(),
            1 => ", tried once".to_owned(),
            count => format!(", tried {count} times"),
        };
        let reason = if notice.reason.is_empty() { String::new() } else { format!(": {}", notice.reason) };
        format!("{state}{attempts}{reason}")
    }

    /// The notice in a line.
    pub(super) fn line(&self) -> String {
        let last = self.notice.last_attempt_time.or(self.notice.due_time);
        let step = if self.notice.step > 0 { format!(" (step {})", self.notice.step) } else { String::new() };
        format!("{}  {}{step}  {}", people_text(&self.time(last)), self.notice.contact, self.outcome())
    }
}

pub(super) const COLUMNS: &[Column<Shown>] = &[
    Column { name: "plan_time", title: "planned", value: |row| row.time(row.notice.plan_time) },
    Column { name: "contact", title: "contact", value: |row| row.text(|one| &one.contact) },
    Column { name: "site_id", title: "site", value: |row| row.text(|one| &one.site_id) },
    Column { name: "about", title: "about", value: |row| Value::Text(row.what().to_owned()) },
    Column { name: "incident_id", title: "incident", value: |row| row.text(|one| &one.incident_id) },
    Column {
        name: "severity",
        title: "severity",
        // A test or a head has none.
        value: |row| {
            let severity = row.notice.severity;
            Value::Text(if severity == 0 { "" } else { words::severity(severity) }.to_owned())
        },
    },
    Column { name: "step", title: "step", value: |row| Value::Count(u64::from(row.notice.step)) },
    Column {
        name: "state",
        title: "state",
        value: |row| Value::Text(words::notice_state(row.notice.state).to_owned()),
    },
    Column { name: "due_time", title: "due", value: |row| row.time(row.notice.due_time) },
    Column { name: "attempts", title: "tries", value: |row| Value::Count(u64::from(row.notice.attempts)) },
    Column { name: "last_attempt_time", title: "", value: |row| row.time(row.notice.last_attempt_time) },
    Column { name: "reason", title: "reason", value: |row| row.text(|one| &one.reason) },
    Column { name: "together", title: "", value: |row| Value::Count(u64::from(row.notice.together)) },
    Column { name: "id", title: "", value: |row| row.text(|one| &one.id) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let Action::List { incident, contact, site, limit } = args.action;
    let mut client = Client::connect(options).await?;
    let incident_id = match incident {
        Some(id) => ids::resolve_one(&mut client, id).await?,
        None => String::new(),
    };
    let zones = Zones::fetch(&mut client).await?;
    let mut request = v1::ListNoticesRequest {
        incident_id,
        contact,
        site_id: site,
        page_size: 0,
        page_token: String::new(),
    };
    let mut rows: Vec<Shown> = Vec::new();
    loop {
        let left = limit - u32::try_from(rows.len()).unwrap_or(limit).min(limit);
        request.page_size = i32::try_from(left.min(PAGE_MAX)).expect("a page's limit is small");
        let page = client.notifications.list_notices(request.clone()).await?.into_inner();
        rows.extend(page.notices.into_iter().map(|notice| Shown { zone: zones.of(&notice.site_id), notice }));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || rows.len() >= limit as usize {
            let notes = vec![Note { name: "more", value: Value::Flag(!request.page_token.is_empty()) }];
            return print(&Listing { name: "notices", columns: COLUMNS, rows: &rows, notes }, options);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Format;

    #[test]
    fn what_became_of_a_notice() {
        let shown = |state: v1::NoticeState, attempts, reason: &str| {
            let time = Some(prost_types::Timestamp { seconds: 1_795_176_000, nanos: 0 });
            let notice = v1::Notice {
                contact: "desk".to_owned(),
                incident_id: "aa".to_owned(),
                severity: v1::Severity::Critical.into(),
                step: 1,
                due_time: time,
                state: state.into(),
                attempts,
                reason: reason.to_owned(),
                ..v1::Notice::default()
            };
            Shown { notice, zone: TimeZone::UTC }
        };
        for (row, outcome) in [
            (shown(v1::NoticeState::Sent, 1, ""), "sent, tried once"),
            (shown(v1::NoticeState::Waiting, 0, ""), "waiting"),
            (shown(v1::NoticeState::Failed, 9, "refused"), "failed, tried 9 times: refused"),
            (
                shown(v1::NoticeState::NotNeeded, 0, "anna acknowledged it"),
                "not needed: anna acknowledged it",
            ),
        ] {
            assert_eq!(row.outcome(), outcome);
            assert_eq!(row.line(), format!("2026-11-20 12:00:00+00:00  desk (step 1)  {outcome}"));
        }
        let test = v1::Notice { is_test: true, ..v1::Notice::default() };
        let rows = [Shown { notice: test, zone: TimeZone::UTC }];
        let listing = Listing { name: "notices", columns: COLUMNS, rows: &rows, notes: Vec::new() };
        let mut out = Vec::new();
        listing.print(Format::Csv, &mut out, &mut Vec::new()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("\n,,,test,,,0,unknown,,0,,,0,\n"), "{text}");
    }
}
