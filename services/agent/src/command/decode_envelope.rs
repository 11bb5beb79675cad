//! `beltwatch-agent decode-envelope`

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent::inspect::{self, InspectError, Inspected, Keys};
use wire::keys::MasterKey;

use super::life::{self, Failure};

/// Some line was no message.
const EX_DATAERR: u8 = 65;

/// Decode MQTT messages: one JSON line for each.
///
/// A line is a payload in hexadecimal digits, or a topic, a space and a payload, as `mosquitto_sub -F '%t %x'`
/// prints them. With a key it says whether a message is authentic. Status 0: every line is a message; 65: some line
/// is none; 66: a file cannot be opened.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// File with such lines; - is standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Check seals with one machine's credential.
    #[arg(long, value_name = "FILE", conflicts_with = "master_key")]
    credential: Option<PathBuf>,
    /// Check seals with the server's master key.
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match keys(arguments).and_then(|keys| decode(&arguments.file, &keys)) {
        Ok(inspected) if inspected.unreadable == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EX_DATAERR),
        Err(failure) => failure.report(),
    }
}

fn keys(arguments: &Arguments) -> Result<Keys, Failure> {
    if let Some(file) = &arguments.credential {
        return life::credential(file).map(|credential| Keys::Machine(Box::new(credential)));
    }
    let Some(file) = &arguments.master_key else { return Ok(Keys::None) };
    let shown = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::no_input(format!("cannot read the master key {shown}: {error}")))?;
    let master = MasterKey::from_hex(&text);
    master
        .map(|master| Keys::Master(Box::new(master)))
        .map_err(|error| Failure::wrong_content(format!("{shown}: {error}")))
}

fn decode(file: &Path, keys: &Keys) -> Result<Inspected, Failure> {
    let mut writer = BufWriter::new(io::stdout().lock());
    let outcome = if file == Path::new("-") {
        inspect::run(&mut io::stdin().lock(), &mut writer, keys)
    } else {
        let opened = File::open(file)
            .map_err(|error| Failure::no_input(format!("cannot open {}: {error}", file.display())))?;
        inspect::run(&mut BufReader::new(opened), &mut writer, keys)
    };
    match outcome {
        // The reader has seen enough, as `head` has.
        Err(InspectError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Inspected::default())
        }
        Err(InspectError::Write(error)) => Err(Failure::io(format!("cannot write the result: {error}"))),
        Err(InspectError::Read(error)) => {
            Err(Failure::io(format!("cannot read {}: {error}", file.display())))
        }
        Ok(inspected) => Ok(inspected),
    }
}
