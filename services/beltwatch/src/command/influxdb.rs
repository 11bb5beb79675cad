//! `beltwatch influxdb`: what the server needs in an InfluxDB.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use store::influx::{self, Change, Client, InfluxSettings, Outcome, SetUp};
use store::{StoreError, StoreErrorKind};
use url::Url;

use crate::client::Options;
use crate::command::{print, serve};
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Value};

const USER: &str = "beltwatch";
const ADMIN_FILE: &str = "influxdb-admin-token";
const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// Makes what the server needs in an InfluxDB
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes organisation, buckets with retention and tokens with least rights; what is right already stays
    Setup(SetupArgs),
}

#[derive(Debug, ClapArgs)]
struct SetupArgs {
    /// The server's configuration file; without it the defaults and the environment
    #[arg(long, env = "BELTWATCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server's token goes; without it influxdb.token_file of the configuration
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where a token for Grafana goes, which may only read; without it none is made
    #[arg(long, value_name = "FILE")]
    grafana_token_file: Option<PathBuf>,
    /// The token that may do everything: read from here, or made here if InfluxDB is fresh; without it
    /// influxdb-admin-token beside the server's
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// How long to wait for InfluxDB to start, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=3_600))]
    wait: u64,
}

/// What was done about one thing.
struct Row {
    part: String,
    change: Change,
    file: String,
}

const COLUMNS: &[Column<Row>] = &[
    Column { name: "part", title: "part", value: |row| Value::Text(row.part.clone()) },
    Column { name: "state", title: "state", value: |row| Value::Text(row.change.name().to_owned()) },
    Column { name: "file", title: "file", value: |row| Value::Text(row.file.clone()) },
];

/// Runs the command.
///
/// # Errors
/// InfluxDB cannot be reached or refuses, or a file cannot be read or written.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    match args.action {
        Action::Setup(args) => set_up(args, options).await,
    }
}

async fn set_up(args: SetupArgs, options: &Options) -> Result<(), Failure> {
    let config = serve::load(args.config)?;
    let mut settings = settings(&config)?;
    let token_file = args.token_file.unwrap_or_else(|| config.influxdb.token_file.clone());
    let admin_file = args.admin_token_file.unwrap_or_else(|| token_file.with_file_name(ADMIN_FILE));
    wait_for(&settings, args.wait).await?;
    let is_fresh = influx::is_fresh(&settings).await.map_err(failed)?;
    settings.token = admin_token(&admin_file, is_fresh)?;
    let password = random(16)?;
    let wanted = SetUp {
        settings,
        readings_days: config.retention.readings_days,
        events_days: config.retention.events_days,
        user: USER.to_owned(),
        password: password.clone(),
        server_token: read(&token_file)?,
        grafana_token: args.grafana_token_file.as_deref().map(read).transpose()?,
    };
    let with_token = |error: StoreError| {
        let Failure { exit, message } = failed(error);
        Failure::new(exit, format!("with the token of {}: {message}", admin_file.display()))
    };
    let outcome = influx::set_up(&wanted).await.map_err(with_token)?;
    if outcome.is_fresh {
        // Before anything can fail: it is nowhere else.
        let url = &config.influxdb.url;
        writeln!(
            io::stderr(),
            "InfluxDB at {url} was fresh; its administrator is {USER} with the password {password}\n\
             keep it now: it is not shown again. The administrator's token is in {}",
            admin_file.display()
        )?;
    }
    write_tokens(&outcome, &token_file, args.grafana_token_file.as_deref())?;
    let rows = rows(&outcome, &token_file, args.grafana_token_file.as_deref());
    print(&Listing { name: "parts", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

/// Which InfluxDB; with no token yet.
fn settings(config: &Config) -> Result<InfluxSettings, Failure> {
    let usage = |what: &str| Failure::new(Exit::Usage, format!("influxdb.url {what}"));
    if config.influxdb.url.is_empty() {
        return Err(usage("is not set: it says where InfluxDB is, such as \"http://127.0.0.1:8086\""));
    }
    let url = Url::parse(&config.influxdb.url).map_err(|error| usage(&format!("is no URL: {error}")))?;
    let (organisation, bucket) = (config.influxdb.organisation.clone(), config.influxdb.bucket.clone());
    Ok(InfluxSettings { url, organisation, token: String::new(), bucket })
}

/// Waits until InfluxDB is well, for so many seconds.
async fn wait_for(settings: &InfluxSettings, seconds: u64) -> Result<(), Failure> {
    let client = Client::new(settings).map_err(failed)?;
    let well = async {
        while client.health().await.is_err() {
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(seconds), well).await.is_err() {
        // Once more, to say why.
        client.health().await.map_err(failed)?;
    }
    Ok(())
}

/// The token that may do everything. For a fresh InfluxDB it is written before InfluxDB learns it, so that it cannot be lost.
fn admin_token(file: &Path, is_fresh: bool) -> Result<String, Failure> {
    match read(file)? {
        Some(token) => Ok(token),
        None if is_fresh => {
            let token = random(32)?;
            write(file, &token)?;
            Ok(token)
        }
        None => {
            let message = format!(
                "InfluxDB has been set up already, and {} holds no token that may do everything in it: put one there, or \
                 name another file by --admin-token-file",
                file.display()
            );
            Err(Failure::new(Exit::NotPermitted, message))
        }
    }
}

fn write_tokens(outcome: &Outcome, server: &Path, grafana: Option<&Path>) -> Result<(), Failure> {
    let grafana = outcome.grafana.as_ref().zip(grafana);
    for (secret, file) in grafana.into_iter().chain([(&outcome.server, server)]) {
        if secret.change != Change::Right {
            write(file, &secret.token)?;
        }
    }
    Ok(())
}

fn rows(outcome: &Outcome, server: &Path, grafana: Option<&Path>) -> Vec<Row> {
    let parts = outcome.parts.iter();
    let parts = parts.map(|(part, change)| Row { part: part.clone(), change: *change, file: String::new() });
    let token = |name: &str, change: Change, file: &Path| {
        let (part, file) = (format!("token of {name}"), file.display().to_string());
        Row { part, change, file }
    };
    let grafana = outcome.grafana.as_ref().zip(grafana);
    let grafana = grafana.map(|(secret, file)| token("grafana", secret.change, file));
    parts.chain([token("server", outcome.server.change, server)]).chain(grafana).collect()
}

/// The token in a file; `None`: there is none.
fn read(file: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::new(Exit::InputOutput, format!("cannot read {}: {error}", file.display())))
        }
    }
}

/// Puts a token into a file that only this user can read, in the place of an older one, as a whole or not at all.
fn write(file: &Path, token: &str) -> Result<(), Failure> {
    let put = || -> io::Result<()> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = file.with_file_name(name);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        writeln!(written, "{token}")?;
        written.sync_all()?;
        fs::rename(&new, file)?;
        fs::File::open(folder)?.sync_all()
    };
    put().map_err(|error| {
        Failure::new(Exit::CannotCreate, format!("cannot write {}: {error}", file.display()))
    })
}

/// A secret of so many random octets.
fn random(octets: usize) -> Result<String, Failure> {
    let mut bytes = vec![0; octets];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(Exit::Software, format!("no random octets: {error}")))?;
    Ok(hex::encode(bytes))
}

fn failed(error: StoreError) -> Failure {
    let exit = match error.kind {
        StoreErrorKind::Unavailable | StoreErrorKind::Timeout | StoreErrorKind::Full => Exit::Unavailable,
        StoreErrorKind::Invalid => Exit::Usage,
        StoreErrorKind::Conflict | StoreErrorKind::Corrupt | StoreErrorKind::IncompatibleVersion => {
            Exit::Software
        }
    };
    Failure::new(exit, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_for_its_user_only_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join("token");
        assert_eq!(read(&file).unwrap(), None);
        for token in ["first", "second"] {
            write(&file, token).unwrap();
            assert_eq!(read(&file).unwrap().as_deref(), Some(token));
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let names = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "nothing else is left there");
    }

    #[test]
    fn the_token_that_may_do_everything_is_made_for_a_fresh_influxdb_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(ADMIN_FILE);
        let failure = admin_token(&file, false).unwrap_err();
        assert_eq!(failure.exit, Exit::NotPermitted);
        assert!(failure.message.contains("--admin-token-file"), "{failure}");
        let made = admin_token(&file, true).unwrap();
        assert_eq!(made.len(), 64);
        assert_eq!(admin_token(&file, true).unwrap(), made, "a setup that was cut off goes on with it");
        assert_eq!(admin_token(&file, false).unwrap(), made);
    }

    #[test]
    fn without_a_url_it_says_which_setting_is_missing() {
        let failure = settings(&Config::default()).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.contains("influxdb.url"), "{failure}");
    }
}
