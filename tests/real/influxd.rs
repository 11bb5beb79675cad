//! A real InfluxDB 2 of the test's own, on a port and in a folder that it keeps when it is killed.
//!
//! ```text
//! let mut influxd = Influxd::start(program).await?;      // ready, set up: organisation, three buckets, tokens
//! std::fs::write(config, influxd.config_section())?;     // the [influxdb] of a beltwatch.toml
//! influxd.kill().await?;                                 // SIGKILL; then the same folder and port again:
//! influxd.start_again().await?;                          // waits until it is ready
//! let rows = influxd.rows("from(bucket: \"beltwatch\") |> range(start: 0) |> …").await?;
//! influxd.terminate().await?;
//! influxd.check_log()?;
//! ```
//!
//! [`Influxd::start_fresh`] gives one that nobody has set up, for trying `beltwatch influxdb setup`.

mod web;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

pub(crate) use self::web::{Answer, Web};
use crate::processes::{PATIENCE, Process, free_port};
use crate::report;

/// The organisation, and what the buckets' names begin with.
pub(crate) const NAME: &str = "beltwatch";
/// What is behind [`NAME`] in the names of the buckets.
const BUCKETS: [&str; 3] = ["", "-readings", "-events"];
/// How often it is asked whether it is ready.
const LOOK: Duration = Duration::from_millis(50);

/// An InfluxDB.
#[derive(Debug)]
pub(crate) struct Influxd {
    process: Process,
    folder: PathBuf,
    port: u16,
    web: Web,
    admin_token: String,
    organisation_id: String,
    /// Dropped last, with everything in it.
    temporary: Option<TempDir>,
}

impl Influxd {
    /// Starts one and sets it up: organisation and buckets without an end, a token for everything, and one that reads
    /// and writes the three buckets and nothing else.
    pub(crate) async fn start(program: &Path) -> anyhow::Result<Influxd> {
        let mut influxd = Influxd::start_fresh(program).await?;
        influxd.set_up().await.context("setting InfluxDB up")?;
        Ok(influxd)
    }

    /// Starts one that nobody has set up yet. Its tokens are empty until [`Influxd::know`] tells them.
    pub(crate) async fn start_fresh(program: &Path) -> anyhow::Result<Influxd> {
        ensure!(program.exists(), "{} is not there", program.display());
        let temporary = tempfile::Builder::new().prefix("beltwatch-influxd-").tempdir()?;
        let folder = temporary.path().to_owned();
        let port = free_port()?;
        let arguments = arguments(program, &folder, port)?;
        let process = Process::start(PathBuf::from("env"), arguments, folder.join("influxd.log"))?;
        let mut influxd = Influxd {
            process,
            web: Web::new(format!("http://127.0.0.1:{port}")),
            folder,
            port,
            admin_token: String::new(),
            organisation_id: String::new(),
            temporary: Some(temporary),
        };
        influxd.ready().await?;
        Ok(influxd)
    }

    /// Takes over the tokens of a set-up that somebody else made.
    pub(crate) fn know(&mut self, admin_token: &str, token: &str) -> anyhow::Result<()> {
        self.admin_token = admin_token.to_owned();
        write_secret(&self.token_file(), token)
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1; it stays the same over restarts.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its folder: `influxd.log`, `token`, and what InfluxDB keeps.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// May do everything.
    pub(crate) fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// A file that holds the token that reads and writes the three buckets and nothing else, for `[influxdb] token_file`.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder.join("token")
    }

    /// `[influxdb]` of a server's configuration. `url` may lead through a proxy; else it is [`Influxd::url`].
    pub(crate) fn config_section(&self, url: &str) -> String {
        format!(
            "[influxdb]\nurl = \"{url}\"\norganisation = \"{NAME}\"\nbucket = \"{NAME}\"\ntoken_file = \"{}\"\n",
            self.token_file().display()
        )
    }

    /// Its process id.
    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.process.id()
    }

    /// SIGKILL. That it ended before is an error.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await
    }

    /// The same again: port, folder, tokens. Returns when it is ready.
    pub(crate) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.process.start_again()?;
        self.ready().await
    }

    /// The same again, without waiting: whoever kills it next may strike while it comes up.
    pub(crate) fn start_again_at_once(&mut self) -> anyhow::Result<()> {
        self.process.start_again()
    }

    /// Ends it in good order and waits for it: by SIGINT, it does not know SIGTERM.
    pub(crate) async fn terminate(&mut self) -> anyhow::Result<()> {
        self.process.interrupt().await
    }

    /// Leaves the folder behind.
    pub(crate) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("InfluxDB's folder is {}", temporary.keep().display()));
        }
    }

    /// It may be killed; it may never panic, nor find its own files broken.
    pub(crate) fn check_log(&self) -> anyhow::Result<()> {
        let log = self.folder.join("influxd.log");
        let text = std::fs::read_to_string(&log)?;
        let is_bad = |line: &&str| {
            line.starts_with("panic:") || line.contains("fatal error:") || line.contains("runtime error:")
        };
        let bad = text.lines().find(is_bad);
        ensure!(bad.is_none(), "{}: {}", log.display(), bad.unwrap_or_default());
        Ok(())
    }

    /// Asks a query of Flux with the token for everything; gives CSV without annotations, tables one after the other
    /// with an empty line between.
    pub(crate) async fn query(&self, flux: &str) -> anyhow::Result<String> {
        self.query_as(&self.admin_token, flux).await?.good().with_context(|| format!("query: {flux}"))
    }

    /// Asks a query of Flux with any token; refusals are answers, too.
    pub(crate) async fn query_as(&self, token: &str, flux: &str) -> anyhow::Result<Answer> {
        let path = format!("/api/v2/query?org={NAME}");
        self.web.ask((Method::POST, &path), &shown(token), ("application/vnd.flux", flux.to_owned())).await
    }

    /// The rows of all tables of a query's answer, each by the names of its columns. A cell without a value is "".
    pub(crate) async fn rows(&self, flux: &str) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
        let text = self.query(flux).await?;
        parse_rows(&text).with_context(|| format!("query: {flux}"))
    }

    /// Writes lines with nanoseconds, with the token for everything.
    pub(crate) async fn write(&self, bucket: &str, lines: &str) -> anyhow::Result<()> {
        let path = format!("/api/v2/write?org={NAME}&bucket={bucket}&precision=ns");
        let kind = "text/plain; charset=utf-8";
        self.web
            .ask((Method::POST, &path), &shown(&self.admin_token), (kind, lines.to_owned()))
            .await?
            .good()?;
        Ok(())
    }

    /// Calls its HTTP API with a token; refusals are answers, too. `path` begins with `/api/v2/`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Answer> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.web.ask((method, path), &shown(token), ("application/json", body)).await
    }

    async fn set_up(&mut self) -> anyhow::Result<()> {
        let body =
            json!({ "username": "admin", "password": "only in this test", "org": NAME, "bucket": NAME });
        let made = self.call(Method::POST, "/api/v2/setup", "", Some(body)).await?.json()?;
        let admin_token = text(&made["auth"]["token"])?;
        self.organisation_id = text(&made["org"]["id"])?;
        let mut permissions = Vec::new();
        for ending in BUCKETS {
            let id = if ending.is_empty() {
                text(&made["bucket"]["id"])?
            } else {
                self.add_bucket(&admin_token, &format!("{NAME}{ending}")).await?
            };
            let resource = json!({ "type": "buckets", "id": id, "orgID": self.organisation_id });
            permissions
                .extend(["read", "write"].map(|action| json!({ "action": action, "resource": resource })));
        }
        let body =
            json!({ "orgID": self.organisation_id, "description": "test", "permissions": permissions });
        let made = self.call(Method::POST, "/api/v2/authorizations", &admin_token, Some(body)).await?;
        let token = text(&made.json()?["token"])?;
        self.know(&admin_token, &token)
    }

    async fn add_bucket(&self, admin_token: &str, name: &str) -> anyhow::Result<String> {
        let body = json!({ "orgID": self.organisation_id, "name": name, "retentionRules": [] });
        let made = self.call(Method::POST, "/api/v2/buckets", admin_token, Some(body)).await?;
        text(&made.json()?["id"])
    }

    /// How many torn ends of its log its start has cut off.
    pub(crate) fn torn_ends(&self) -> anyhow::Result<usize> {
        let text = std::fs::read_to_string(self.folder.join("influxd.log"))?;
        Ok(text.lines().filter(|line| line.contains("ends half written")).count())
    }

    /// Waits until it takes requests.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.process.check_running()?;
            let health = self.call(Method::GET, "/health", "", None).await;
            if health.is_ok_and(|health| health.status.is_success()) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("influxd is not ready after {PATIENCE:?}; its log:\n{}", self.process.last_words())
    }
}

/// A token as it is shown; no token is not shown.
fn shown(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("Token {token}") }
}

/// As it is shipped: by `deploy/influxdb/start`, which becomes it.
fn arguments(program: &Path, folder: &Path, port: u16) -> anyhow::Result<Vec<OsString>> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/influxdb/start");
    let mut influxd = OsString::from("INFLUXD=");
    influxd.push(program.canonicalize()?);
    Ok(vec![
        influxd,
        "sh".into(),
        start.canonicalize().context("deploy/influxdb/start")?.into(),
        folder.into(),
        "--http-bind-address".into(),
        format!("127.0.0.1:{port}").into(),
        "--log-level".into(),
        "error".into(),
    ])
}

fn text(value: &Value) -> anyhow::Result<String> {
    let text = value.as_str().with_context(|| format!("a text is expected, there is {value}"))?;
    Ok(text.to_owned())
}

fn write_secret(file: &Path, secret: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut open = std::fs::OpenOptions::new();
    let mut file = open.create(true).write(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(secret.as_bytes())?;
    Ok(())
}

/// Tables of CSV: an empty line ends a table, the first line of each names its columns.
pub(crate) fn parse_rows(text: &str) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
    let mut rows = Vec::new();
    for table in text.split("\r\n\r\n").filter(|table| !table.trim().is_empty()) {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
        let names = reader.headers()?.clone();
        ensure!(names.get(0) != Some("error"), "InfluxDB broke off: {table}");
        for row in reader.records() {
            let row = row?;
            let cells = names.iter().zip(row.iter()).filter(|(name, _)| !name.is_empty());
            rows.push(cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect());
        }
    }
    Ok(rows)
}
