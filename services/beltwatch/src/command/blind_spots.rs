//! `beltwatch blind-spots`: which machine can report what.

use clap::Args as ClapArgs;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Value};
use crate::words;

/// Says for each machine which rules of incidents it can report, and what is missing for the others
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Only of this site
    #[arg(long, value_name = "SITE", default_value = "")]
    site: String,
    /// Only this machine
    #[arg(long, value_name = "MACHINE", default_value = "")]
    machine: String,
    /// What one more signal would add, instead
    #[arg(long)]
    gains: bool,
}

struct Shown {
    machine: String,
    rule: v1::RuleSight,
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "machine_id", title: "machine", value: |row| Value::Text(row.machine.clone()) },
    Column { name: "rule", title: "rule", value: |row| Value::Text(row.rule.rule.clone()) },
    Column {
        name: "sight",
        title: "can report",
        value: |row| Value::Text(words::sight(row.rule.sight).to_owned()),
    },
    Column { name: "reason", title: "why not", value: |row| Value::Text(row.rule.reason.clone()) },
];

struct Gain {
    machine: String,
    gain: v1::SightGain,
}

const GAIN_COLUMNS: &[Column<Gain>] = &[
    Column { name: "machine_id", title: "machine", value: |row| Value::Text(row.machine.clone()) },
    Column {
        name: "capability",
        title: "one more signal",
        value: |row| Value::Text(row.gain.capability.clone()),
    },
    Column { name: "rules", title: "would add", value: |row| Value::Text(row.gain.rules.join(" ")) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let request = v1::ListBlindSpotsRequest { site_id: args.site, machine_id: args.machine };
    let machines = client.incidents.list_blind_spots(request).await?.into_inner().machines;
    if args.gains {
        let gains = |machine: v1::MachineSight| {
            machine.gains.into_iter().map(move |gain| Gain { machine: machine.machine_id.clone(), gain })
        };
        let rows: Vec<Gain> = machines.into_iter().flat_map(gains).collect();
        return print(
            &Listing { name: "gains", columns: GAIN_COLUMNS, rows: &rows, notes: Vec::new() },
            options,
        );
    }
    let sights = |machine: v1::MachineSight| {
        machine.rules.into_iter().map(move |rule| Shown { machine: machine.machine_id.clone(), rule })
    };
    let rows: Vec<Shown> = machines.into_iter().flat_map(sights).collect();
    print(&Listing { name: "sights", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}
