//! What is told of a machine, and where it stands.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use wire::api::v1;

use super::{Belt, Drive, show};
use crate::client::{Client, Options};
use crate::failure::Failure;

#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Name for people
    #[arg(long)]
    name: Option<String>,
    /// Maker and model
    #[arg(long)]
    model: Option<String>,
    /// What the belt can do
    #[arg(long, value_enum)]
    belt: Option<Belt>,
    /// What drives the belt
    #[arg(long, value_enum)]
    drive: Option<Drive>,
    /// It stands at this site from now on; what its belt did before stays with the site where it stood
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct EditArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    changes: Changes,
}

pub(super) async fn run(args: EditArgs, options: &Options) -> Result<(), Failure> {
    let EditArgs { id, changes: Changes { name, model, belt, drive, site } } = args;
    let mut client = Client::connect(options).await?;
    let left = match &site {
        Some(_) => site_of(&mut client, &id).await?,
        None => String::new(),
    };
    let given = [
        ("display_name", name.is_some()),
        ("model", model.is_some()),
        ("belt", belt.is_some()),
        ("drive", drive.is_some()),
        ("site_id", site.is_some()),
    ];
    let paths = given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field.to_owned()).collect();
    let machine = v1::Machine {
        id: id.clone(),
        site_id: site.clone().unwrap_or_default(),
        display_name: name.unwrap_or_default(),
        model: model.unwrap_or_default(),
        belt: belt.map_or(0, |belt| belt.kind().into()),
        drive: drive.map_or(0, |drive| drive.kind().into()),
        ..v1::Machine::default()
    };
    let update_mask = Some(prost_types::FieldMask { paths });
    let request = v1::UpdateMachineRequest { machine: Some(machine), update_mask };
    let machine = client.admin.update_machine(request).await?.into_inner().machine;
    show(&mut client, machine, options).await?;
    if let Some(site) = site.filter(|site| *site != left) {
        writeln!(io::stderr(), "{}", moved(&id, &left, &site))?;
    }
    Ok(())
}

async fn site_of(client: &mut Client, machine: &str) -> Result<String, Failure> {
    let request = v1::GetMachineRequest { machine_id: machine.to_owned() };
    let state = client.fleet.get_machine(request).await?.into_inner().machine;
    Ok(state.and_then(|state| state.machine).map(|machine| machine.site_id).unwrap_or_default())
}

/// What became of a machine that moved, and what did not.
fn moved(machine: &str, from: &str, to: &str) -> String {
    format!(
        "{machine} stands at {to} now and has no place in its plan yet; what its belt did until now stays with {from}: \
         usage, utilisation, and courses of the sessions there. Its credential is good as before"
    )
}
