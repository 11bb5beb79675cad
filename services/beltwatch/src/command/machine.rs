//! `beltwatch machine`: the treadmills in the registry, and the credentials of their agents.

mod edit;
mod service;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use domain::ids::MachineId;
use tonic::Code;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::{self, Zones};
use crate::command::{enrolment, fleet, print, request_id};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Value};
use crate::words;

/// Registers and lists machines
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Registers a machine and writes the credential file of its agent
    Add(AddArgs),
    /// Changes what is told of a machine, or moves it to another site
    Edit(edit::EditArgs),
    /// Makes the next generation of a machine's credential; the old one is good until the new one is used
    Renew {
        /// Its id
        id: String,
        /// Where to write the credential; ID.credential.json if not given. A file that exists is not overwritten
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Makes a code with which an agent becomes this machine's: good for an hour, once
    EnrolCode {
        /// Its id
        id: String,
    },
    /// Refuses whatever comes with a machine's credential, until it is renewed
    Revoke {
        /// Its id
        id: String,
    },
    /// Takes a machine out of service, or back into it; the tag does not stop the belt
    OutOfService(service::OutOfService),
    /// Records what a commissioning has proven
    Commission(service::Commission),
    /// Records that a machine was serviced: its work is counted anew from then on
    Maintained(service::Maintained),
    /// Lists machines
    List {
        /// Only of this site
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
    },
    /// Shows one machine with its live state
    Show {
        /// Its id
        id: String,
    },
}

#[derive(Debug, ClapArgs)]
struct AddArgs {
    /// Its id: a-z, 0-9 and hyphen, at most 64
    id: String,
    /// The site where it stands
    #[arg(long, value_name = "SITE")]
    site: String,
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
    /// Where to write the credential; ID.credential.json if not given. A file that exists is not overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Belt {
    /// It can only run forward
    OneWay,
    /// It can run both ways
    Reversible,
    /// Nobody has said
    Unknown,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Drive {
    /// A motor
    Motor,
    /// The person on it
    Manual,
}

const COLUMNS: &[Column<fleet::Live>] = &[
    Column { name: "id", title: "machine", value: |live| machine(live, |one| one.id.clone()) },
    Column { name: "site_id", title: "site", value: |live| machine(live, |one| one.site_id.clone()) },
    Column {
        name: "display_name",
        title: "name",
        value: |live| machine(live, |one| one.display_name.clone()),
    },
    Column { name: "model", title: "model", value: |live| machine(live, |one| one.model.clone()) },
    Column {
        name: "belt",
        title: "belt",
        value: |live| machine(live, |one| words::belt_kind(one.belt).to_owned()),
    },
    Column {
        name: "drive",
        title: "drive",
        value: |live| machine(live, |one| words::drive_kind(one.drive).to_owned()),
    },
    Column {
        name: "create_time",
        title: "registered",
        value: |live| {
            let created = live.state.machine.as_ref().and_then(|machine| machine.create_time);
            Value::Time(words::time(created), live.zone.clone())
        },
    },
    Column {
        name: "presence",
        title: "presence",
        value: |live| Value::Text(words::presence(live.state.presence).to_owned()),
    },
    Column {
        name: "agent_version",
        title: "agent",
        value: |live| Value::Text(live.state.agent_version.clone()),
    },
    Column {
        name: "out_of_service_reason",
        title: "out of service",
        value: |live| machine(live, |one| one.out_of_service_reason.clone()),
    },
    Column {
        name: "direction_proven",
        title: "direction proven",
        value: |live| {
            Value::Flag(live.state.machine.as_ref().is_some_and(|machine| machine.direction_proven))
        },
    },
    Column {
        name: "capabilities",
        title: "reports",
        value: |live| Value::Text(live.state.capabilities.join(" ")),
    },
];

fn machine(live: &fleet::Live, part: fn(&v1::Machine) -> String) -> Value {
    Value::Text(live.state.machine.as_ref().map(part).unwrap_or_default())
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or the credential file cannot be written.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    match args.action {
        Action::Add(args) => add(args, options).await,
        Action::Edit(args) => edit::run(args, options).await,
        Action::Renew { id, out } => renew(id, out, options).await,
        Action::EnrolCode { id } => {
            let mut client = Client::connect(options).await?;
            let request = v1::CreateEnrolmentCodeRequest { machine_id: id, ..Default::default() };
            enrolment::make(&mut client, request, options).await
        }
        Action::Revoke { id } => revoke(id, options).await,
        Action::OutOfService(args) => service::out_of_service(args, options).await,
        Action::Commission(args) => service::commission(args, options).await,
        Action::Maintained(args) => service::maintained(args, options).await,
        Action::List { site } => {
            let mut client = Client::connect(options).await?;
            let zones = Zones::fetch(&mut client).await?;
            let states = pages::machines(&mut client, &site).await?;
            let rows: Vec<fleet::Live> = states.into_iter().map(|state| fleet::live(state, &zones)).collect();
            print(&Listing { name: "machines", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
        }
        Action::Show { id } => {
            let mut client = Client::connect(options).await?;
            let zones = Zones::fetch(&mut client).await?;
            let request = v1::GetMachineRequest { machine_id: id };
            let state = client.fleet.get_machine(request).await?.into_inner().machine;
            let rows: Vec<fleet::Live> = state.into_iter().map(|state| fleet::live(state, &zones)).collect();
            print(
                &Listing { name: "machines", columns: fleet::COLUMNS, rows: &rows, notes: Vec::new() },
                options,
            )
        }
    }
}

async fn add(args: AddArgs, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let id = args.id.clone();
    let (path, machine) = with_credential_file(&id, args.out.clone(), async || {
        let response = create(&mut client, &args).await?;
        Ok((response.machine, response.credential))
    })
    .await?;
    show(&mut client, machine, options).await?;
    let shown = path.display();
    let mut aside = io::stderr();
    writeln!(
        aside,
        "the credential is in {shown}: bring it to the machine's agent and let nobody else read it"
    )?;
    writeln!(aside, "next: beltwatch-agent simulate --credential {shown} --spool {}.spool", args.id)?;
    writeln!(aside, "or, without carrying a file:")?;
    // The machine is registered, whatever becomes of this.
    if let Err(failure) = enrolment::make_beside(&mut client, &args.id).await {
        writeln!(
            aside,
            "no enrolment code could be made: {failure}; try `beltwatch machine enrol-code {}`",
            args.id
        )?;
    }
    Ok(())
}

async fn renew(id: String, out: Option<PathBuf>, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let (path, machine) = with_credential_file(&id, out, async || {
        let request = v1::RenewCredentialRequest { machine_id: id.clone() };
        let response = client.admin.renew_credential(request).await?.into_inner();
        Ok((response.machine, response.credential))
    })
    .await?;
    show(&mut client, machine, options).await?;
    writeln!(io::stderr(), "the new credential is in {}: bring it to the machine's agent", path.display())?;
    Ok(())
}

async fn revoke(id: String, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let request = v1::RevokeCredentialRequest { machine_id: id };
    let machine = client.admin.revoke_credential(request).await?.into_inner().machine;
    show(&mut client, machine, options).await
}

async fn show(client: &mut Client, machine: Option<v1::Machine>, options: &Options) -> Result<(), Failure> {
    let zones = Zones::fetch(client).await?;
    let id = machine.as_ref().map(|machine| machine.id.clone()).unwrap_or_default();
    let request = v1::GetMachineRequest { machine_id: id };
    let state = client.fleet.get_machine(request).await?.into_inner().machine;
    let rows: Vec<fleet::Live> = state.into_iter().map(|state| fleet::live(state, &zones)).collect();
    print(&Listing { name: "machines", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

/// Makes a file for a credential, lets it be made, and writes it. The file comes first: a credential that cannot be
/// kept must not be made.
async fn with_credential_file(
    id: &str,
    out: Option<PathBuf>,
    make: impl AsyncFnOnce() -> Result<(Option<v1::Machine>, String), Failure>,
) -> Result<(PathBuf, Option<v1::Machine>), Failure> {
    // The id names the file, so it is looked at before the file is made.
    MachineId::new(id).map_err(|error| Failure::new(Exit::Usage, format!("machine id: {error}")))?;
    let path = out.unwrap_or_else(|| PathBuf::from(format!("{id}.credential.json")));
    let file = create_private(&path)?;
    match make().await {
        Ok((machine, credential)) => {
            write_credential(file, &path, &credential)?;
            Ok((path, machine))
        }
        Err(failure) => {
            // It is empty and ours; if it stays, the next attempt says so.
            let _ = std::fs::remove_file(&path);
            Err(failure)
        }
    }
}

impl Belt {
    pub(super) fn kind(self) -> v1::BeltKind {
        match self {
            Belt::OneWay => v1::BeltKind::OneWay,
            Belt::Reversible => v1::BeltKind::Reversible,
            Belt::Unknown => v1::BeltKind::Unknown,
        }
    }
}

impl Drive {
    pub(super) fn kind(self) -> v1::DriveKind {
        match self {
            Drive::Motor => v1::DriveKind::Motor,
            Drive::Manual => v1::DriveKind::Manual,
        }
    }
}

/// Asks once more if the answer was lost: the request's identity makes that safe.
async fn create(client: &mut Client, args: &AddArgs) -> Result<v1::CreateMachineResponse, Failure> {
    let request = v1::CreateMachineRequest {
        machine_id: args.id.clone(),
        site_id: args.site.clone(),
        display_name: args.name.clone(),
        model: args.model.clone(),
        belt: args.belt.kind().into(),
        drive: args.drive.kind().into(),
        request_id: request_id()?,
    };
    let again = request.clone();
    match client.admin.create_machine(request).await {
        Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            Ok(client.admin.create_machine(again).await?.into_inner())
        }
        answer => Ok(answer?.into_inner()),
    }
}

/// Makes a file that only its owner may read; never one that is there already.
fn create_private(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
        let shown = path.display();
        let exists = error.kind() == io::ErrorKind::AlreadyExists;
        let help =
            if exists { "it exists already; choose another with --out" } else { "choose another with --out" };
        Failure::new(Exit::CannotCreate, format!("{shown} cannot be made ({error}); {help}"))
    })
}

fn write_credential(mut file: File, path: &Path, credential: &str) -> Result<(), Failure> {
    let written = file.write_all(credential.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let shown = path.display();
        let message =
            format!("the machine is registered, but its credential could not be written to {shown}: {error}");
        Failure::new(Exit::InputOutput, message)
    })
}
