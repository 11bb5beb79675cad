//! The source `exec`: a program of the site's own that prints what it sees, a JSON object a line.
//!
//! The program's standard input is closed, so nothing can be told to it. It is started again when it ends.

use std::process::Stdio;

use domain::limits::{SOURCE_COMMAND_WORDS_MAX, SOURCE_LINE_BYTES_MAX};
use domain::signal::{Capabilities, SourceSpec};
use domain::units::{MILLI, SECOND};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::{Lost, Outlet, Running, Source, line};
use crate::clock;
use crate::config::Comment;

/// Settings of a program that speaks the line protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The program and its arguments; no shell is between.
    pub command: Vec<String>,
    /// What it can report.
    pub reports: Vec<String>,
    /// Its usual period, in milliseconds. It is silent after three of them, at least 2 s.
    #[serde(default = "period_ms")]
    pub period_ms: u32,
}

fn period_ms() -> u32 {
    1000
}

/// What this kind is for.
pub const ABOUT: &str =
    "A program of your own that prints what it sees, a JSON object a line (docs/sources/lines.md).";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("command", "The program and its arguments; no shell is between."),
    (
        "reports",
        "What it can report: speed, direction, incline, emergency_stop, safety_key, machine_power, hand_rail, \
         user_presence, user_commands, heart_rate_contact, elapsed, distance, steps, belt_force, commanded.",
    ),
    ("period_ms", "Its usual period, in milliseconds. It is silent after three of them, at least 2 s."),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "own".to_owned(),
        command: vec!["/usr/local/bin/belt-reader".to_owned()],
        reports: vec!["speed".to_owned(), "direction".to_owned()],
        period_ms: period_ms(),
    }
}

impl Settings {
    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        if self.command.is_empty() || self.command.len() > SOURCE_COMMAND_WORDS_MAX {
            let words = self.command.len();
            return Err(format!("command has {words} words: 1 to {SOURCE_COMMAND_WORDS_MAX} are allowed"));
        }
        if !(10..=60_000).contains(&self.period_ms) {
            return Err(format!("period_ms is {}: 10 to 60000 is allowed", self.period_ms));
        }
        self.capabilities().map(drop)
    }

    fn capabilities(&self) -> Result<Capabilities, String> {
        let mut capabilities = Capabilities::default();
        for name in &self.reports {
            let bit = Capabilities::NAMES.iter().position(|known| known == name);
            let bit = bit.ok_or_else(|| {
                format!("reports has \"{name}\": {} are allowed", Capabilities::NAMES.join(", "))
            })?;
            capabilities = capabilities.and(Capabilities(1 << bit));
        }
        Ok(capabilities)
    }
}

/// A program that is read.
#[derive(Debug)]
pub struct Exec {
    settings: Settings,
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> Exec {
    Exec { settings: settings.clone() }
}

impl Source for Exec {
    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.settings.name.clone(),
            // Names that are not known were refused when the settings were checked.
            capabilities: self.settings.capabilities().unwrap_or_default(),
            period_us: u64::from(self.settings.period_ms) * MILLI,
        }
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(async { self.listen(outlet).await })
    }
}

impl Exec {
    async fn listen(&self, outlet: &Outlet) -> Lost {
        let Some((program, arguments)) = self.settings.command.split_first() else {
            return Lost("command is empty".to_owned());
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What is dropped in the middle leaves no program behind.
        let mut child = match command.kill_on_drop(true).spawn() {
            Ok(child) => child,
            Err(error) => return Lost(format!("cannot start {program}: {error}")),
        };
        let (Some(output), Some(complaints)) = (child.stdout.take(), child.stderr.take()) else {
            return Lost(format!("{program} has no output"));
        };
        outlet.opened(program);
        let ended = tokio::select! {
            lost = read_lines(output, outlet) => lost,
            lost = log_lines(complaints, &self.settings.name) => lost,
        };
        // It may have closed its output and live on.
        if let Err(error) = child.start_kill() {
            tracing::debug!(source.name = self.settings.name, %error, "the program has ended before");
        }
        match child.wait().await {
            Ok(status) => Lost(format!("{program} ended: {status}{ended}")),
            Err(error) => Lost(format!("{program} ended: {error}{ended}")),
        }
    }
}

/// Tells what lines say, until there are no more; gives what else is to be said of the end.
async fn read_lines(output: impl AsyncRead + Unpin, outlet: &Outlet) -> String {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        // One octet more than allowed shows that a line is too long.
        let most = SOURCE_LINE_BYTES_MAX as u64 + 2;
        match (&mut reader).take(most).read_until(b'\n', &mut line).await {
            Ok(0) => return String::new(),
            Ok(_) => {}
            Err(error) => return format!(", reading failed: {error}"),
        }
        let is_whole = line.ends_with(b"\n");
        let now = clock::monotonic();
        match line::read(line.trim_ascii(), now) {
            Ok((at, values)) => outlet.tell_all(at, values).await,
            Err(why) => outlet.unreadable(now, &why, &line),
        }
        if !is_whole {
            skip_line(&mut reader).await;
        }
    }
}

/// Reads on to the end of a line that is too long.
async fn skip_line(reader: &mut (impl AsyncBufReadExt + Unpin)) {
    loop {
        let Ok(octets) = reader.fill_buf().await else { return };
        let end = octets.iter().position(|octet| *octet == b'\n');
        let (used, is_over) = (end.map_or(octets.len(), |end| end + 1), end.is_some() || octets.is_empty());
        reader.consume(used);
        if is_over {
            return;
        }
    }
}

/// Logs what the program complains of. Its end says nothing: the program's output decides.
async fn log_lines(complaints: impl AsyncRead + Unpin, name: &str) -> String {
    let mut reader = BufReader::new(complaints);
    let mut line = Vec::new();
    let mut told = None;
    loop {
        line.clear();
        let read = (&mut reader).take(SOURCE_LINE_BYTES_MAX as u64).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return std::future::pending().await;
        }
        let now = clock::monotonic();
        let is_due = told.is_none_or(|told: domain::units::MonotonicMicros| now.since(told) >= SECOND);
        if is_due {
            told = Some(now);
            let text = String::from_utf8_lossy(line.trim_ascii());
            tracing::warn!(source.name = name, %text, "the program says");
        }
    }
}

#[cfg(test)]
mod tests;
