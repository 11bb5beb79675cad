//! `beltwatch export`: usage, sessions or intervals as one file for a spreadsheet.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use wire::api::v1;

use super::usage::Every;
use super::usage::asked::AskedArgs;
use crate::client::{Client, Options};
use crate::failure::{Exit, Failure};

/// Writes usage, sessions or intervals as one file for a spreadsheet
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// What
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    asked: AskedArgs,
    /// Length of a period, for usage
    #[arg(long, value_enum, default_value_t = Every::Day)]
    every: Every,
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    /// Where to; `-` is standard output. If not given, the name that the server gives, in this folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Usage,
    Sessions,
    Intervals,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Csv,
    Xlsx,
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or the file cannot be written.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let kind = match args.what {
        What::Usage => v1::ExportKind::Usage,
        What::Sessions => v1::ExportKind::Sessions,
        What::Intervals => v1::ExportKind::Intervals,
    };
    let format = match args.format {
        Form::Csv => v1::ExportFormat::Csv,
        Form::Xlsx => v1::ExportFormat::Xlsx,
    };
    let request = v1::ExportUsageRequest {
        scope: Some(args.asked.scope()),
        range: Some(args.asked.range()?),
        kind: kind.into(),
        format: format.into(),
        resolution: args.every.resolution().into(),
    };
    let mut parts = client.usage.export_usage(request).await?.into_inner();
    let Some(first) = parts.message().await? else {
        return Err(Failure::new(Exit::Software, "the server sent no file".to_owned()));
    };
    // A server that names another folder than this one is not followed there.
    let name = first.file_name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let path = args.out.unwrap_or_else(|| PathBuf::from(&name));
    let to_terminal = path.as_os_str() == "-";
    let cannot = |error: io::Error| {
        Failure::new(Exit::CannotCreate, format!("cannot write {}: {error}", path.display()))
    };
    let mut out: Box<dyn Write> = match to_terminal {
        true => Box::new(io::stdout().lock()),
        false => Box::new(std::fs::File::create_new(&path).map_err(cannot)?),
    };
    let mut octets = first.octets.len();
    out.write_all(&first.octets).map_err(cannot)?;
    while let Some(part) = parts.message().await? {
        octets += part.octets.len();
        out.write_all(&part.octets).map_err(cannot)?;
    }
    out.flush().map_err(cannot)?;
    if !to_terminal {
        writeln!(io::stderr(), "{}: {octets} octets", path.display())?;
    }
    Ok(())
}
