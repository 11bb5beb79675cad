//! `beltwatch maintenance`: after how much work machines are due for service, and how far they are.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::print;
use crate::command::repeat::{RepeatArgs, twice};
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

/// Says after how much work machines are due for service, and lists how far they are
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Sets after how much work machines are due, or takes that away; whichever comes first counts
    Set(SetArgs),
    /// Lists machines by how soon they are due, the most overdue first
    List(ListArgs),
}

#[derive(Debug, ClapArgs)]
struct SetArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// After so many hours in which the belt ran
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(required_unless_present_any = ["km", "none"])]
    hours: Option<u32>,
    /// After so many kilometres
    #[arg(long, value_name = "KILOMETRES", value_parser = clap::value_parser!(u32).range(1..))]
    km: Option<u32>,
    /// Take it away, so that what is set for the model or the site holds again
    #[arg(long, conflicts_with_all = ["hours", "km"])]
    none: bool,
    #[command(flatten)]
    repeat: RepeatArgs,
}

/// For what it is set.
#[derive(Debug, Clone, Default, ClapArgs)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// For machines of this site
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// For machines of this model; a model's lies over a site's
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// For this machine; a machine's lies over a model's
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    /// Only of these sites
    #[arg(long = "site", value_name = "SITE")]
    sites: Vec<String>,
    /// Only of these models
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Only these machines
    #[arg(long = "machine", value_name = "MACHINE")]
    machines: Vec<String>,
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// What is set for one thing alone.
#[derive(Debug)]
struct Plan {
    whose: &'static str,
    id: String,
    plan: v1::SetMaintenancePlanResponse,
}

const PLAN_COLUMNS: &[Column<Plan>] = &[
    Column { name: "whose", title: "of", value: |row| Value::Text(row.whose.to_owned()) },
    Column { name: "id", title: "which", value: |row| Value::Text(row.id.clone()) },
    Column {
        name: "plan_hours",
        title: "every h",
        value: |row| Value::OptionalCount(row.plan.hours.map(u64::from)),
    },
    Column {
        name: "plan_kilometres",
        title: "every km",
        value: |row| Value::OptionalCount(row.plan.kilometres.map(u64::from)),
    },
];

/// A machine, with what is needed to show it to people.
#[derive(Debug)]
struct Shown {
    machine: v1::MachineMaintenance,
    zone: TimeZone,
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "machine_id", title: "machine", value: |row| Value::Text(row.machine.machine_id.clone()) },
    Column { name: "site_id", title: "site", value: |row| Value::Text(row.machine.site_id.clone()) },
    Column {
        name: "used_percent",
        title: "used %",
        value: |row| Value::Number(row.machine.used.map(|used| used * 100.0), 0),
    },
    Column { name: "hours", title: "ran h", value: |row| Value::Number(Some(row.machine.hours), 1) },
    Column {
        name: "plan_hours",
        title: "of h",
        value: |row| Value::OptionalCount(row.machine.plan_hours.map(u64::from)),
    },
    Column {
        name: "kilometres",
        title: "ran km",
        value: |row| Value::Number(Some(row.machine.kilometres), 1),
    },
    Column {
        name: "plan_kilometres",
        title: "of km",
        value: |row| Value::OptionalCount(row.machine.plan_kilometres.map(u64::from)),
    },
    Column {
        name: "coverage_percent",
        title: "seen %",
        value: |row| Value::Number(Some(row.machine.coverage * 100.0), 0),
    },
    Column {
        name: "maintained_time",
        title: "serviced",
        value: |row| Value::Time(words::time(row.machine.maintained_time), row.zone.clone()),
    },
    Column {
        name: "maintained_by",
        title: "said by",
        value: |row| Value::Text(row.machine.maintained_by.clone()),
    },
    Column { name: "note", title: "what was done", value: |row| Value::Text(row.machine.note.clone()) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let client = Client::connect(options).await?;
    match args.action {
        Action::Set(args) => set(client, args, options).await,
        Action::List(args) => list(client, args, options).await,
    }
}

async fn set(mut client: Client, args: SetArgs, options: &Options) -> Result<(), Failure> {
    let SetArgs { whose: WhoseArgs { site, model, machine }, hours, km, none: _, repeat } = args;
    let (whose, id) = match (&site, &model, &machine) {
        (Some(site), _, _) => ("site", site.clone()),
        (None, Some(model), _) => ("model", model.clone()),
        (None, None, machine) => ("machine", machine.clone().unwrap_or_default()),
    };
    let request_id = repeat.id()?;
    let request = v1::SetMaintenancePlanRequest {
        site_id: site.unwrap_or_default(),
        model: model.unwrap_or_default(),
        machine_id: machine.unwrap_or_default(),
        hours,
        kilometres: km,
        request_id: request_id.clone(),
    };
    let plan = twice(&request_id, async || client.admin.set_maintenance_plan(request.clone()).await).await?;
    if (plan.hours, plan.kilometres) == (None, None) {
        writeln!(io::stderr(), "{whose} {id} has no plan of its own any more")?;
    }
    let rows = [Plan { whose, id, plan }];
    print(&Listing { name: "plans", columns: PLAN_COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

async fn list(mut client: Client, args: ListArgs, options: &Options) -> Result<(), Failure> {
    let ListArgs { sites: site_ids, models, machines: machine_ids, limit } = args;
    let scope = Some(v1::UsageScope { site_ids, machine_ids, models });
    let page_size = i32::try_from(limit).expect("at most 1000");
    let request = v1::ListMaintenanceRequest { scope, page_size };
    let answer = client.usage.list_maintenance(request).await?.into_inner();
    let zones = Zones::fetch(&mut client).await?;
    let shown = |machine: v1::MachineMaintenance| Shown { zone: zones.of(&machine.site_id), machine };
    let rows: Vec<Shown> = answer.machines.into_iter().map(shown).collect();
    let as_of = answer.as_of.unwrap_or_default();
    let notes = vec![
        Note { name: "machines_total", value: Value::Count(answer.machines_total.into()) },
        Note { name: "as_of", value: Value::Time(words::time(as_of.time), TimeZone::UTC) },
        Note { name: "machines_silent", value: Value::Count(as_of.machines_silent.into()) },
    ];
    print(&Listing { name: "machines", columns: COLUMNS, rows: &rows, notes }, options)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[track_caller]
    fn check(line: &str, is_allowed: bool) {
        let words = std::iter::once("maintenance").chain(line.split_whitespace());
        assert_eq!(Line::try_parse_from(words).is_ok(), is_allowed, "{line}");
    }

    #[test]
    fn a_plan_is_for_one_thing_and_says_something() {
        check("set --site north --hours 500", true);
        check("set --model Maker-9 --km 2000", true);
        check("set --machine n-1 --hours 500 --km 2000", true);
        check("set --machine n-1 --none", true);
        check("set --hours 500", false);
        check("set --site north", false);
        check("set --site north --machine n-1 --hours 500", false);
        check("set --site north --none --hours 500", false);
        check("set --site north --hours 0", false);
        check("list --site north --site south --limit 1000", true);
        check("list --limit 1001", false);
    }
}
