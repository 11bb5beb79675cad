//! `beltwatch policy`: who is told, by when something has to be done, when a machine is tagged out of service by itself.

mod given;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::print;
use crate::command::repeat::{RepeatArgs, twice};
use crate::failure::Failure;
use crate::table::{Column, Listing, Value};
use crate::words;

/// Shows and sets who is told of incidents, by when something has to be done, and when a machine is tagged out of service
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows what holds
    Show {
        /// Only for this site
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
    },
    /// Sets who is told, in the place of all steps from before
    Chain(ChainArgs),
    /// Sets by when something has to be done, in the place of all deadlines from before
    Deadlines(DeadlineArgs),
    /// Sets when a machine is tagged out of service by itself
    Service(ServiceArgs),
    /// Takes back what was set for a site: what is set for all holds there again
    Inherit(InheritArgs),
}

/// For whom.
#[derive(Debug, ClapArgs)]
struct WhoseArgs {
    /// For this site; for all that have nothing of their own if not given
    #[arg(long, value_name = "SITE", default_value = "")]
    site: String,
    #[command(flatten)]
    repeat: RepeatArgs,
}

#[derive(Debug, ClapArgs)]
struct ChainArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// A contact, of which severity on it is told, how long after the incident was found if nobody has acknowledged it,
    /// and whether only while staff are there or not, such as desk:high:0s or manager:critical:5m:unstaffed; at most 20
    #[arg(long = "step", value_name = "CONTACT:SEVERITY:AFTER[:staffed|unstaffed]", value_parser = given::step)]
    #[arg(required_unless_present = "none")]
    steps: Vec<v1::ChainStep>,
    /// Nobody is told
    #[arg(long, conflicts_with = "steps")]
    none: bool,
}

#[derive(Debug, ClapArgs)]
struct DeadlineArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// What for, of which severity on, within how many hours, and until incidents are acknowledged or closed,
    /// such as "report to the insurer:high:72:closed"; at most 10
    #[arg(long = "deadline", value_name = "NAME:SEVERITY:HOURS:UNTIL", value_parser = given::deadline)]
    #[arg(required_unless_present = "none")]
    deadlines: Vec<v1::Deadline>,
    /// There are no deadlines
    #[arg(long, conflicts_with = "deadlines")]
    none: bool,
}

#[derive(Debug, ClapArgs)]
struct ServiceArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// After so many incidents in which a protection failed
    #[arg(long, value_name = "COUNT", requires = "days", required_unless_present = "never")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
    /// Within so many days
    #[arg(long, value_name = "DAYS", requires = "count", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,
    /// Never
    #[arg(long, conflicts_with_all = ["count", "days"])]
    never: bool,
}

#[derive(Debug, ClapArgs)]
struct InheritArgs {
    /// For this site
    #[arg(long, value_name = "SITE")]
    site: String,
    /// Which parts
    #[arg(required = true, value_enum)]
    parts: Vec<Part>,
    #[command(flatten)]
    repeat: RepeatArgs,
}

/// A part of what is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Who is told
    Chain,
    /// By when something has to be done
    Deadlines,
    /// When a machine is tagged out of service by itself
    Service,
}

impl Part {
    /// Its name in requests.
    fn name(self) -> &'static str {
        match self {
            Part::Chain => "chain",
            Part::Deadlines => "deadlines",
            Part::Service => "out_of_service",
        }
    }
}

/// One part of what holds for a site.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    site: String,
    /// Its name in requests and in `own`.
    part: &'static str,
    /// Which one of the part, from 1.
    number: usize,
    is_own: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Step(v1::ChainStep),
    Deadline(v1::Deadline),
    Service {
        count: u32,
        days: u32,
    },
    /// The part is empty.
    Nothing,
}

impl Shown {
    fn sentence(&self) -> String {
        match &self.what {
            What::Step(step) => {
                let (severity, after) =
                    (words::severity(step.least_severity), given::shown(step.after_seconds));
                let when = match words::staffing(step.staffing) {
                    "always" => String::new(),
                    staffing => format!(", {staffing} only"),
                };
                format!("{} from {severity} on after {after}{when}", step.contact)
            }
            What::Deadline(one) => {
                let (severity, until) = (words::severity(one.least_severity), words::handling(one.until));
                let until = until.replace('_', " ");
                format!("{} from {severity} on within {} h, until {until}", one.name, one.hours)
            }
            What::Service { count: 0, .. } => "a machine is never tagged by itself".to_owned(),
            What::Service { count, days } => {
                format!("a machine is tagged after {count} failed protections in {days} days")
            }
            What::Nothing => "nothing".to_owned(),
        }
    }

    fn severity(&self) -> &'static str {
        match &self.what {
            What::Step(step) => words::severity(step.least_severity),
            What::Deadline(one) => words::severity(one.least_severity),
            What::Service { .. } | What::Nothing => "",
        }
    }

    fn step(&self) -> Option<&v1::ChainStep> {
        if let What::Step(step) = &self.what { Some(step) } else { None }
    }

    fn deadline(&self) -> Option<&v1::Deadline> {
        if let What::Deadline(deadline) = &self.what { Some(deadline) } else { None }
    }

    fn service(&self) -> Option<(u32, u32)> {
        if let What::Service { count, days } = self.what { Some((count, days)) } else { None }
    }
}

fn text(text: Option<&str>) -> Value {
    Value::Text(text.unwrap_or_default().to_owned())
}

fn count(count: Option<u32>) -> Value {
    Value::OptionalCount(count.map(u64::from))
}

const COLUMNS: &[Column<Shown>] = &[
    // For programs; people read "all".
    Column { name: "site_id", title: "", value: |row| Value::Text(row.site.clone()) },
    Column {
        name: "site",
        title: "site",
        value: |row| text(Some(if row.site.is_empty() { "all" } else { &row.site })),
    },
    Column { name: "part", title: "part", value: |row| text(Some(row.part)) },
    Column { name: "number", title: "", value: |row| Value::Count(row.number as u64) },
    Column { name: "what", title: "what", value: |row| Value::Text(row.sentence()) },
    Column { name: "is_own", title: "own", value: |row| Value::Flag(row.is_own) },
    Column { name: "contact", title: "", value: |row| text(row.step().map(|step| step.contact.as_str())) },
    Column { name: "least_severity", title: "", value: |row| text(Some(row.severity())) },
    Column { name: "after_s", title: "", value: |row| count(row.step().map(|step| step.after_seconds)) },
    Column {
        name: "staffing",
        title: "",
        value: |row| text(row.step().map(|step| words::staffing(step.staffing))),
    },
    Column { name: "deadline", title: "", value: |row| text(row.deadline().map(|one| one.name.as_str())) },
    Column { name: "hours", title: "", value: |row| count(row.deadline().map(|one| one.hours)) },
    Column {
        name: "until",
        title: "",
        value: |row| text(row.deadline().map(|one| words::handling(one.until))),
    },
    Column {
        name: "out_of_service_count",
        title: "",
        value: |row| count(row.service().map(|(count, _)| count)),
    },
    Column {
        name: "out_of_service_days",
        title: "",
        value: |row| count(row.service().map(|(_, days)| days)),
    },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let policies = match args.action {
        Action::Show { site } => {
            let request = v1::ListPoliciesRequest { site_id: site };
            client.notifications.list_policies(request).await?.into_inner().policies
        }
        Action::Chain(ChainArgs { whose, steps, .. }) => {
            let policy = v1::Policy { chain: steps, ..v1::Policy::default() };
            update(&mut client, whose, policy, Part::Chain).await?
        }
        Action::Deadlines(DeadlineArgs { whose, deadlines, .. }) => {
            let policy = v1::Policy { deadlines, ..v1::Policy::default() };
            update(&mut client, whose, policy, Part::Deadlines).await?
        }
        Action::Service(ServiceArgs { whose, count, days, .. }) => {
            let policy = v1::Policy {
                out_of_service_count: count.unwrap_or_default(),
                out_of_service_days: days.unwrap_or_default(),
                ..v1::Policy::default()
            };
            update(&mut client, whose, policy, Part::Service).await?
        }
        Action::Inherit(InheritArgs { site, parts, repeat }) => {
            let cleared = parts.into_iter().map(|part| part.name().to_owned()).collect();
            let policy = Some(v1::Policy { site_id: site, ..v1::Policy::default() });
            send(&mut client, repeat, v1::UpdatePolicyRequest { policy, cleared, ..Default::default() })
                .await?
        }
    };
    let rows: Vec<Shown> = policies.into_iter().flat_map(rows).collect();
    print(&Listing { name: "policies", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

async fn update(
    client: &mut Client,
    whose: WhoseArgs,
    policy: v1::Policy,
    part: Part,
) -> Result<Vec<v1::Policy>, Failure> {
    let policy = Some(v1::Policy { site_id: whose.site, ..policy });
    let update_mask = Some(prost_types::FieldMask { paths: vec![part.name().to_owned()] });
    send(client, whose.repeat, v1::UpdatePolicyRequest { policy, update_mask, ..Default::default() }).await
}

async fn send(
    client: &mut Client,
    repeat: RepeatArgs,
    request: v1::UpdatePolicyRequest,
) -> Result<Vec<v1::Policy>, Failure> {
    let request_id = repeat.id()?;
    let request = v1::UpdatePolicyRequest { request_id: request_id.clone(), ..request };
    let answer =
        twice(&request_id, async || client.notifications.update_policy(request.clone()).await).await?;
    Ok(answer.policy.into_iter().collect())
}

/// A policy part by part; an empty part is said to be empty.
fn rows(policy: v1::Policy) -> Vec<Shown> {
    let v1::Policy { site_id, chain, deadlines, out_of_service_count, out_of_service_days, own } = policy;
    let service = What::Service { count: out_of_service_count, days: out_of_service_days };
    let parts: [(&'static str, Vec<What>); 3] = [
        ("chain", chain.into_iter().map(What::Step).collect()),
        ("deadlines", deadlines.into_iter().map(What::Deadline).collect()),
        ("out_of_service", vec![service]),
    ];
    let mut rows = Vec::new();
    for (part, mut all) in parts {
        if all.is_empty() {
            all.push(What::Nothing);
        }
        let is_own = own.iter().any(|own| own == part);
        let row = |(number, what)| Shown { site: site_id.clone(), part, number, is_own, what };
        rows.extend((1..).zip(all).map(row));
    }
    rows
}

#[cfg(test)]
mod tests;
