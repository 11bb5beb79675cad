//! A test message, and what becomes of it.

use std::io::{self, Write};
use std::time::Duration;

use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::repeat::{RepeatArgs, twice};
use crate::command::{notice, print};
use crate::failure::{Exit, Failure};
use crate::table::Listing;

/// How often the server is asked, and how long in between: 30 s in all.
const QUESTIONS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);
/// Notices of the contact that are looked through for the test.
const PAGE: i32 = 100;

pub(super) async fn run(
    mut client: Client,
    name: String,
    repeat: RepeatArgs,
    options: &Options,
) -> Result<(), Failure> {
    let request_id = repeat.id()?;
    let request = v1::TestContactRequest { name: name.clone(), request_id: request_id.clone() };
    let answer =
        twice(&request_id, async || client.notifications.test_contact(request.clone()).await).await?;
    let mut notice = answer.notice.unwrap_or_default();
    writeln!(io::stderr(), "a test message to {name} is under way")?;
    for _ in 0..QUESTIONS {
        if !is_waiting(&notice) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let request = v1::ListNoticesRequest {
            contact: name.clone(),
            page_size: PAGE,
            ..v1::ListNoticesRequest::default()
        };
        let notices = client.notifications.list_notices(request).await?.into_inner().notices;
        if let Some(found) = notices.into_iter().find(|one| one.id == notice.id) {
            notice = found;
        }
    }
    // A test belongs to no site.
    let rows = [notice::Shown { notice, zone: TimeZone::UTC }];
    print(&Listing { name: "notices", columns: notice::COLUMNS, rows: &rows, notes: Vec::new() }, options)?;
    judged(&rows[0])
}

fn is_waiting(notice: &v1::Notice) -> bool {
    notice.state == i32::from(v1::NoticeState::Waiting)
}

/// Only what somebody took has arrived.
fn judged(shown: &notice::Shown) -> Result<(), Failure> {
    let (notice, outcome) = (&shown.notice, shown.outcome());
    if notice.state == i32::from(v1::NoticeState::Sent) {
        return Ok(());
    }
    let what = if is_waiting(notice) { "has not arrived within 30 s" } else { "did not arrive" };
    let message = format!("the message to {} {what}: {outcome}", notice.contact);
    Err(Failure::new(Exit::Unavailable, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_taken_has_arrived() {
        let shown = |state: v1::NoticeState, reason: &str| notice::Shown {
            notice: v1::Notice {
                contact: "desk".to_owned(),
                state: state.into(),
                attempts: 2,
                reason: reason.to_owned(),
                ..v1::Notice::default()
            },
            zone: TimeZone::UTC,
        };
        let check = |row: notice::Shown, expected: Result<(), &str>| {
            let outcome = judged(&row).map_err(|failure| failure.message);
            assert_eq!(outcome, expected.map_err(str::to_owned));
        };
        check(shown(v1::NoticeState::Sent, ""), Ok(()));
        check(
            shown(v1::NoticeState::Waiting, "no route"),
            Err("the message to desk has not arrived within 30 s: waiting, tried 2 times: no route"),
        );
        check(
            shown(v1::NoticeState::Failed, "status 404"),
            Err("the message to desk did not arrive: failed, tried 2 times: status 404"),
        );
    }
}
