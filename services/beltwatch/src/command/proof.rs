//! `beltwatch proof`: when each contact that stops a machine was proven last.

use std::collections::HashMap;

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::{pages, print};
use crate::failure::Failure;
use crate::table::{Column, Listing, Value};
use crate::words;

/// Says when stops were proven last
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists for each machine and each contact that stops it when it was proven last, and by when it is due again
    List {
        /// Only of this site
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
        /// Only of this machine
        #[arg(long, value_name = "MACHINE", default_value = "")]
        machine: String,
        /// Only what is overdue or was never proven
        #[arg(long)]
        overdue: bool,
    },
}

/// A proof, with what is needed to show it.
struct Shown {
    proof: v1::Proof,
    zone: TimeZone,
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "machine_id", title: "machine", value: |row| Value::Text(row.proof.machine_id.clone()) },
    Column { name: "contact", title: "contact", value: |row| Value::Text(row.proof.contact.clone()) },
    Column {
        name: "state",
        title: "state",
        value: |row| Value::Text(words::proof_state(row.proof.state).to_owned()),
    },
    Column {
        name: "last_time",
        title: "proven last",
        value: |row| Value::Time(words::time(row.proof.last_time), row.zone.clone()),
    },
    Column {
        name: "due_time",
        title: "due",
        value: |row| Value::Time(words::time(row.proof.due_time), row.zone.clone()),
    },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let Action::List { site, machine, overdue } = args.action;
    let mut client = Client::connect(options).await?;
    let zones = pages::zones_by_machine(&mut client, &site).await?;
    let request = v1::ListProofsRequest { site_id: site, machine_id: machine };
    let proofs = client.drills.list_proofs(request).await?.into_inner().proofs;
    let rows = rows(proofs, &zones, overdue);
    print(&Listing { name: "proofs", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

fn rows(proofs: Vec<v1::Proof>, zones: &HashMap<String, TimeZone>, only_overdue: bool) -> Vec<Shown> {
    let shown = |proof: v1::Proof| {
        let zone = zones.get(&proof.machine_id).cloned().unwrap_or(TimeZone::UTC);
        Shown { proof, zone }
    };
    proofs.into_iter().filter(|proof| !only_overdue || is_overdue(proof)).map(shown).collect()
}

/// Whether it should have been proven by now.
fn is_overdue(proof: &v1::Proof) -> bool {
    matches!(proof.state(), v1::ProofState::Overdue | v1::ProofState::Never)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Format;

    #[test]
    fn proofs_and_those_that_are_overdue() {
        let at = |second: i64| Some(prost_types::Timestamp { seconds: 1_795_176_000 + second, nanos: 0 });
        let proof = |machine: &str, state: v1::ProofState| v1::Proof {
            machine_id: machine.to_owned(),
            contact: "safety_key".to_owned(),
            state: state.into(),
            last_time: at(0).filter(|_| state != v1::ProofState::Never),
            due_time: at(86_400).filter(|_| state != v1::ProofState::Never),
        };
        let proofs = || {
            vec![
                proof("a", v1::ProofState::Overdue),
                proof("b", v1::ProofState::Never),
                proof("c", v1::ProofState::Due),
                proof("d", v1::ProofState::Proven),
                proof("e", v1::ProofState::Blind),
            ]
        };
        let zones = HashMap::from([("a".to_owned(), TimeZone::get("Europe/Vienna").unwrap())]);
        assert_eq!(rows(proofs(), &zones, false).len(), 5);
        let rows = rows(proofs(), &zones, true);
        let listing = Listing { name: "proofs", columns: COLUMNS, rows: &rows, notes: Vec::new() };
        let mut out = Vec::new();
        listing.print(Format::Table, &mut out, &mut Vec::new()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "machine  contact     state    proven last                due\n\
             a        safety_key  overdue  2026-11-20 13:00:00+01:00  2026-11-21 13:00:00+01:00\n\
             b        safety_key  never    –                          –\n"
        );
    }
}
