//! `beltwatch-agent decode`

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent::decode::{DecodeError, Summary};

/// Some line was no frame.
const EX_DATAERR: u8 = 65;
/// The file cannot be opened.
const EX_NOINPUT: u8 = 66;
/// Reading or writing failed.
const EX_IOERR: u8 = 74;

/// Decode a capture: one JSON line for each of its frames.
///
/// The result goes to standard output, a summary to standard error. Status 0: every line is a frame; 65: some line is
/// none; 66: the file cannot be opened.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The capture; - is standard input.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let file = &arguments.file;
    let result = if file == Path::new("-") {
        decode(io::stdin().lock())
    } else {
        match File::open(file) {
            Ok(opened) => decode(opened),
            Err(error) => {
                say(&format!("cannot open {}: {error}", file.display()));
                return ExitCode::from(EX_NOINPUT);
            }
        }
    };
    match result {
        Ok(summary) => {
            say(&summary.to_string());
            if summary.unusable == 0 { ExitCode::SUCCESS } else { ExitCode::from(EX_DATAERR) }
        }
        // The reader has seen enough, as `head` has.
        Err(DecodeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(DecodeError::Write(error)) => {
            say(&format!("cannot write the result: {error}"));
            ExitCode::from(EX_IOERR)
        }
        Err(DecodeError::Read(error)) => {
            say(&format!("cannot read {}: {error}", file.display()));
            ExitCode::from(EX_IOERR)
        }
    }
}

fn decode(input: impl io::Read) -> Result<Summary, DecodeError> {
    agent::decode::run(&mut BufReader::new(input), &mut BufWriter::new(io::stdout().lock()))
}

/// Standard error is for people; that it is closed is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
