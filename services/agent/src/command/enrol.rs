//! `beltwatch-agent enrol`

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent::config::{CONFIG_FILE, Config};
use agent::enrol::{Address, EnrolError, EnrolSettings, Told, enrol};
use tokio::signal::unix::{SignalKind, signal};
use wire::credential::Credential;
use wire::enrolment::Code;

use super::EX_USAGE;

/// Exit codes of sysexits that are used here.
const EX_UNAVAILABLE: u8 = 69;
const EX_OSERR: u8 = 71;
const EX_CANTCREAT: u8 = 73;
const EX_TEMPFAIL: u8 = 75;
const EX_PROTOCOL: u8 = 76;
const EX_NOPERM: u8 = 77;
/// Octets that are read of a code that is typed. What is behind them is no code's.
const TYPED_BYTES_MAX: u64 = 1_000;

/// Get the machine's credential from the server, with a code that staff made.
///
/// A code for one machine gives it at once. With a code for a site, staff have to approve this computer first: it shows
/// six digits, and so does their page. Interrupted, it can be run again with the same code and goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Address of the server, such as https://gym.example:8080.
    url: String,
    /// The code; small letters, spaces and missing hyphens do no harm. Left out, it is asked for, so that it stands neither
    /// in the shell's history nor in the list of processes.
    #[arg(num_args = 0..)]
    code: Vec<String>,
    /// Where to keep the credential, mode 0600. One that is there is replaced when the new one has come.
    #[arg(long, value_name = "FILE", default_value_os_t = Config::default().credential)]
    credential: PathBuf,
    /// What staff know this computer by when they approve it; its host name if not given.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let settings = match settings(arguments, &mut io::stdin().lock()) {
        Ok(settings) => settings,
        Err(message) => return failed(EX_USAGE, &message),
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(live(&settings)),
        Err(error) => failed(EX_OSERR, &format!("cannot start: {error}")),
    }
}

fn settings(arguments: &Arguments, asked: &mut impl BufRead) -> Result<EnrolSettings, String> {
    let address = Address::parse(&arguments.url).map_err(|error| error.to_string())?;
    let typed = match arguments.code.concat() {
        typed if typed.is_empty() => ask(asked)?,
        typed => typed,
    };
    let code = Code::parse(&typed).map_err(|error| error.to_string())?;
    let host_name = || fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(host_name).trim().to_owned();
    Ok(EnrolSettings { address, code, name, credential: arguments.credential.clone() })
}

/// The code as somebody types it.
fn ask(asked: &mut impl BufRead) -> Result<String, String> {
    let _ = write!(io::stderr(), "code: ");
    let mut typed = String::new();
    let read = asked.take(TYPED_BYTES_MAX).read_line(&mut typed);
    read.map_err(|error| format!("the code cannot be read: {error}"))?;
    match typed.trim() {
        "" => {
            Err("no code was given; it is on the page on which staff made it, and begins with BW".to_owned())
        }
        typed => Ok(typed.to_owned()),
    }
}

async fn live(settings: &EnrolSettings) -> ExitCode {
    let stops = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (mut interrupt, mut terminate) = match stops {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => return failed(EX_OSERR, &format!("cannot start: {error}")),
    };
    let enrolled = tokio::select! {
        enrolled = enrol(settings, |told| say(&words(&told))) => enrolled,
        _ = interrupt.recv() => return interrupted(),
        _ = terminate.recv() => return interrupted(),
    };
    match enrolled {
        Ok(credential) => {
            say(&done(&credential, &settings.credential));
            ExitCode::SUCCESS
        }
        Err(error) => failed(code_of(&error), &error.to_string()),
    }
}

fn words(told: &Told) -> String {
    match told {
        Told::Waiting { comparison } => {
            let (first, last) = comparison.split_at_checked(3).unwrap_or((comparison, ""));
            format!(
                "waiting for approval. Staff see this computer on the page \"Enrolment\" or with `beltwatch enrolment \
                 list`; they approve it only if they see the same digits there:\n\n    {first} {last}\n"
            )
        }
        Told::Again { reason, seconds } => format!("{reason}; again in {seconds} s"),
        Told::Left { reason } => format!("{reason}; it is of no use any more"),
    }
}

fn done(credential: &Credential, file: &Path) -> String {
    let Credential { machine, generation, broker, .. } = credential;
    format!(
        "this is the agent of {machine} now (credential {generation}, broker {broker}): the credential is in {}\n\
         next: name the sources in {CONFIG_FILE}; `sudo systemctl restart beltwatch-agent` starts the agent with both",
        file.display()
    )
}

fn interrupted() -> ExitCode {
    failed(EX_TEMPFAIL, "interrupted; run the same command again, and it goes on where it was")
}

fn code_of(error: &EnrolError) -> u8 {
    match error {
        EnrolError::Unreachable { .. } | EnrolError::NoService { .. } => EX_UNAVAILABLE,
        EnrolError::OtherServer { .. } | EnrolError::Tls { .. } | EnrolError::Unreadable(_) => EX_PROTOCOL,
        EnrolError::Mismatch(_) => EX_USAGE,
        EnrolError::Later { .. } => EX_TEMPFAIL,
        EnrolError::Refused { .. } => EX_NOPERM,
        EnrolError::Unkept(_) => EX_CANTCREAT,
        EnrolError::Random(_) => EX_OSERR,
    }
}

fn failed(code: u8, message: &str) -> ExitCode {
    say(message);
    ExitCode::from(code)
}

/// To standard error: nothing of it is for programs. That it is closed is no reason to fail.
fn say(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "BW-0123-4567";

    /// With this code as an argument and this on standard input.
    fn given(code: &[&str], typed: &str) -> Result<EnrolSettings, String> {
        let arguments = Arguments {
            url: "https://gym.example:8080".to_owned(),
            code: code.iter().map(|part| (*part).to_owned()).collect(),
            credential: PathBuf::from("credential.json"),
            name: Some("box".to_owned()),
        };
        settings(&arguments, &mut typed.as_bytes())
    }

    #[test]
    fn a_code_that_is_left_out_is_asked_for() {
        let shown =
            Code { shown: wire::enrolment::Shown::new(&[7; 11]).expect("11 octets"), authority: None };
        let text = shown.to_string();
        let (first, last) = text.split_at(9);
        for (code, typed) in [
            (&[text.as_str()][..], ""),
            (&[first, last], "something else\n"),
            (&[], &format!("{text}\n")),
            (&[], &format!("  {}\r\nmore\n", text.to_lowercase())),
            (&[], &text),
        ] {
            assert_eq!(given(code, typed).unwrap().code, shown, "{code:?} {typed:?}");
        }
        for typed in ["", "\n", "  \n"] {
            assert!(given(&[], typed).unwrap_err().contains("no code was given"), "{typed:?}");
        }
        for (code, typed) in [(&[CODE][..], text.as_str()), (&[], CODE), (&[], &"B".repeat(5_000))] {
            assert!(given(code, typed).is_err(), "{code:?} {typed:?}");
        }
    }
}
