//! `beltwatch enrolment`: codes with which agents get credentials, and agents that wait for approval.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::machine::{Belt, Drive};
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Format, Listing, Value};
use crate::words;

const PAGE: i32 = 1_000;

/// Lists and answers agents that wait for approval, and lists and ends codes
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists agents that wait for approval
    List,
    /// Lists codes, also those that have ended
    Codes,
    /// Approves an agent, if it shows the same six digits
    Approve(ApproveArgs),
    /// Refuses an agent
    Refuse {
        /// Its number, as `beltwatch enrolment list` shows it
        number: String,
    },
    /// Ends a code
    Revoke {
        /// Its id, as `beltwatch enrolment codes` shows it
        code: String,
    },
}

#[derive(Debug, ClapArgs)]
struct ApproveArgs {
    /// Its number, as `beltwatch enrolment list` shows it
    number: String,
    /// Id of the machine that it speaks for: a new one, or with --replace one that is registered
    machine: String,
    /// The machine is registered already, and gets this agent instead of the one it has
    #[arg(long, conflicts_with_all = ["name", "model", "belt", "drive"])]
    replace: bool,
    /// Name for people; the id if not given
    #[arg(long, default_value = "")]
    name: String,
    /// Maker and model
    #[arg(long, default_value = "")]
    model: String,
    /// What the belt can do
    #[arg(long, value_enum, default_value_t = Belt::Unknown)]
    belt: Belt,
    /// What drives the belt
    #[arg(long, value_enum, default_value_t = Drive::Motor)]
    drive: Drive,
}

const WAITING: &[Column<v1::PendingEnrolment>] = &[
    Column { name: "id", title: "number", value: |one| Value::Text(one.id.clone()) },
    Column { name: "comparison", title: "digits", value: |one| Value::Text(digits(&one.comparison)) },
    Column { name: "site_id", title: "site", value: |one| Value::Text(one.site_id.clone()) },
    Column { name: "name", title: "calls itself", value: |one| Value::Text(one.name.clone()) },
    Column { name: "peer", title: "from", value: |one| Value::Text(one.peer.clone()) },
    Column { name: "agent_version", title: "agent", value: |one| Value::Text(one.agent_version.clone()) },
    Column { name: "request_time", title: "since", value: |one| time(one.request_time) },
    Column { name: "expire_time", title: "until", value: |one| time(one.expire_time) },
];

const CODES: &[Column<v1::EnrolmentCode>] = &[
    Column { name: "id", title: "code", value: |code| Value::Text(code.id.clone()) },
    Column { name: "machine_id", title: "machine", value: |code| Value::Text(code.machine_id.clone()) },
    Column { name: "site_id", title: "site", value: |code| Value::Text(code.site_id.clone()) },
    Column { name: "state", title: "state", value: |code| Value::Text(state(code.state).to_owned()) },
    Column { name: "machines_came", title: "came", value: |code| Value::Count(code.machines_came.into()) },
    Column { name: "machines_max", title: "at most", value: |code| Value::Count(code.machines_max.into()) },
    Column { name: "created_by", title: "made by", value: |code| Value::Text(code.created_by.clone()) },
    Column { name: "create_time", title: "made", value: |code| time(code.create_time) },
    Column { name: "expire_time", title: "until", value: |code| time(code.expire_time) },
    Column { name: "revoke_time", title: "revoked", value: |code| time(code.revoke_time) },
];

/// Codes may be of several sites: their times are shown in UTC.
fn time(time: Option<prost_types::Timestamp>) -> Value {
    Value::Time(words::time(time), TimeZone::UTC)
}

/// Six digits as the agent shows them.
fn digits(comparison: &str) -> String {
    match comparison.split_at_checked(3) {
        Some((first, last)) => format!("{first} {last}"),
        None => comparison.to_owned(),
    }
}

fn state(value: i32) -> &'static str {
    match v1::EnrolmentCodeState::try_from(value) {
        Ok(v1::EnrolmentCodeState::Open) => "open",
        Ok(v1::EnrolmentCodeState::Used) => "used",
        Ok(v1::EnrolmentCodeState::Expired) => "expired",
        Ok(v1::EnrolmentCodeState::Revoked) => "revoked",
        Ok(v1::EnrolmentCodeState::TriedOut) => "tried_out",
        Ok(v1::EnrolmentCodeState::Unspecified) | Err(_) => "unknown",
    }
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::List => {
            let rows = waiting(&mut client).await?;
            print(&Listing { name: "enrolments", columns: WAITING, rows: &rows, notes: Vec::new() }, options)
        }
        Action::Codes => {
            let rows = codes(&mut client).await?;
            print(&Listing { name: "codes", columns: CODES, rows: &rows, notes: Vec::new() }, options)
        }
        Action::Approve(args) => approve(args, &mut client).await,
        Action::Refuse { number } => {
            let request = v1::RefuseEnrolmentRequest { enrolment_id: number.clone() };
            client.enrolment.refuse_enrolment(request).await?;
            writeln!(io::stderr(), "refused: {number}")?;
            Ok(())
        }
        Action::Revoke { code } => {
            let request = v1::RevokeEnrolmentCodeRequest { code_id: code };
            let code = client.enrolment.revoke_enrolment_code(request).await?.into_inner().code;
            let rows: Vec<v1::EnrolmentCode> = code.into_iter().collect();
            print(&Listing { name: "codes", columns: CODES, rows: &rows, notes: Vec::new() }, options)
        }
    }
}

async fn approve(args: ApproveArgs, client: &mut Client) -> Result<(), Failure> {
    let request = v1::ApproveEnrolmentRequest {
        enrolment_id: args.number,
        machine_id: args.machine,
        is_replacement: args.replace,
        display_name: args.name,
        model: args.model,
        belt: args.belt.kind().into(),
        drive: args.drive.kind().into(),
    };
    let machine = client.enrolment.approve_enrolment(request).await?.into_inner().machine;
    let id = machine.map(|machine| machine.id).unwrap_or_default();
    writeln!(io::stderr(), "approved as the agent of {id}: it collects its credential within seconds")?;
    Ok(())
}

async fn waiting(client: &mut Client) -> Result<Vec<v1::PendingEnrolment>, Failure> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListPendingEnrolmentsRequest { page_size: PAGE, page_token };
        let page = client.enrolment.list_pending_enrolments(request).await?.into_inner();
        found.extend(page.enrolments);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

async fn codes(client: &mut Client) -> Result<Vec<v1::EnrolmentCode>, Failure> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListEnrolmentCodesRequest { page_size: PAGE, page_token };
        let page = client.enrolment.list_enrolment_codes(request).await?.into_inner();
        found.extend(page.codes);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

/// A code with its secret, as it was just made.
struct Made {
    code: String,
    url: String,
    kept: v1::EnrolmentCode,
}

const MADE: &[Column<Made>] = &[
    Column { name: "code", title: "code", value: |made| Value::Text(made.code.clone()) },
    Column { name: "url", title: "server", value: |made| Value::Text(made.url.clone()) },
    Column { name: "id", title: "id", value: |made| Value::Text(made.kept.id.clone()) },
    Column { name: "machine_id", title: "machine", value: |made| Value::Text(made.kept.machine_id.clone()) },
    Column { name: "site_id", title: "site", value: |made| Value::Text(made.kept.site_id.clone()) },
    Column { name: "expire_time", title: "until", value: |made| time(made.kept.expire_time) },
];

/// Makes a code and shows it this once: for people with what to do with it.
pub(super) async fn make(
    client: &mut Client,
    request: v1::CreateEnrolmentCodeRequest,
    options: &Options,
) -> Result<(), Failure> {
    let answer = client.enrolment.create_enrolment_code(request).await?.into_inner();
    let v1::CreateEnrolmentCodeResponse { code, url, kept } = answer;
    let made = Made { code, url, kept: kept.unwrap_or_default() };
    if options.format() == Format::Table {
        writeln!(io::stdout(), "{}", made.code)?;
        return Ok(tell(&made, &mut io::stderr())?);
    }
    print(&Listing { name: "codes", columns: MADE, rows: &[made], notes: Vec::new() }, options)
}

/// Makes a code for a machine and tells of it beside what else is printed.
pub(super) async fn make_beside(client: &mut Client, machine: &str) -> Result<(), Failure> {
    let request = v1::CreateEnrolmentCodeRequest { machine_id: machine.to_owned(), ..Default::default() };
    let answer = client.enrolment.create_enrolment_code(request).await?.into_inner();
    let v1::CreateEnrolmentCodeResponse { code, url, kept } = answer;
    Ok(tell(&Made { code, url, kept: kept.unwrap_or_default() }, &mut io::stderr())?)
}

/// What to do with a code.
fn tell(made: &Made, aside: &mut dyn Write) -> io::Result<()> {
    let until =
        words::time(made.kept.expire_time).map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let until = until.unwrap_or_else(|| "its end".to_owned());
    writeln!(aside, "on the machine's computer, until {until}:")?;
    writeln!(aside, "  sudo -u beltwatch-agent beltwatch-agent enrol {} {}", made.url, made.code)?;
    if made.kept.machine_id.is_empty() {
        let most = made.kept.machines_max;
        writeln!(
            aside,
            "for at most {most} machines; approve each with `beltwatch enrolment list` and `approve`"
        )
    } else {
        writeln!(aside, "it is good once, and shown this once; another: `beltwatch machine enrol-code`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kept: v1::EnrolmentCode) -> String {
        let (code, url) = ("BW-0".to_owned(), "https://gym.example:8080".to_owned());
        let mut text = Vec::new();
        tell(&Made { code, url, kept }, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_code_is_told_with_what_to_do() {
        let expire_time = Some(prost_types::Timestamp { seconds: 1_795_179_600, nanos: 0 });
        let one = v1::EnrolmentCode { machine_id: "tm-01".to_owned(), expire_time, ..Default::default() };
        let text = told(one);
        assert!(
            text.contains("  sudo -u beltwatch-agent beltwatch-agent enrol https://gym.example:8080 BW-0\n"),
            "{text}"
        );
        assert!(text.contains("until 2026-11-20 13:00 UTC") && text.contains("good once"), "{text}");
        let many = v1::EnrolmentCode { machines_max: 50, ..Default::default() };
        let text = told(many);
        assert!(text.contains("at most 50 machines") && text.contains("until its end"), "{text}");
    }

    #[test]
    fn digits_are_shown_as_the_agent_shows_them() {
        assert_eq!(digits("012345"), "012 345");
        assert_eq!(digits("1"), "1");
    }
}
