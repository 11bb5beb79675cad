//! Commands that work on a server's folder instead of talking to the server.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use jiff::{SignedDuration, Timestamp};
use store::telemetry::Damage;

use crate::command::{now, serve};
use crate::config::Config;
use crate::failure::Failure;
use crate::keeping::lane_word;

/// Nothing is said of work that takes less than this.
const QUIET: SignedDuration = SignedDuration::from_secs(1);
/// From one line to the next, where lines are not overwritten.
const LINE_PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// Which server's folder.
#[derive(Debug, ClapArgs)]
pub(super) struct FolderArgs {
    /// The server's folder; without it the one that the configuration names
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The server's configuration file; without it the defaults and the environment
    #[arg(long, env = "BELTWATCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl FolderArgs {
    /// The configuration, with the folder that was named.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub(super) fn config(self) -> Result<Config, Failure> {
        let mut config = serve::load(self.config)?;
        config.folder = self.data.unwrap_or(config.folder);
        Ok(config)
    }
}

/// How many octets of long work are done, on standard error.
#[derive(Debug)]
pub struct Meter {
    doing: &'static str,
    began: Timestamp,
    told: Timestamp,
    done: u64,
    all: u64,
    is_quiet: bool,
    has_told: bool,
}

impl Meter {
    /// Work of about so many octets begins now.
    pub fn new(doing: &'static str, all: u64) -> Meter {
        let began = now();
        Meter { doing, began, told: began, done: 0, all, is_quiet: false, has_told: false }
    }

    /// One that says nothing.
    pub fn quiet() -> Meter {
        Meter { is_quiet: true, ..Meter::new("", 0) }
    }

    /// Other work begins now.
    pub fn begin(&mut self, doing: &'static str, all: u64) {
        self.end();
        *self = Meter { is_quiet: self.is_quiet, ..Meter::new(doing, all) };
    }

    /// So many more octets are done.
    pub fn add(&mut self, octets: u64) {
        self.done = self.done.saturating_add(octets);
        let now = now();
        let mut aside = io::stderr();
        let pause = if aside.is_terminal() { QUIET } else { LINE_PAUSE };
        let is_early = now.duration_since(self.began) < QUIET || now.duration_since(self.told) < pause;
        if self.is_quiet || is_early {
            return;
        }
        (self.told, self.has_told) = (now, true);
        let (doing, done, all) = (self.doing, self.done >> 20, self.all.max(self.done) >> 20);
        // Whether it can be shown changes nothing.
        let _ = match aside.is_terminal() {
            true => write!(aside, "\r\x1b[K{doing}: {done} of {all} MiB"),
            false => writeln!(aside, "{doing}: {done} of {all} MiB"),
        };
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        let mut aside = io::stderr();
        if std::mem::take(&mut self.has_told) && aside.is_terminal() {
            let _ = write!(aside, "\r\x1b[K");
        }
    }
}

/// Damage of the history in words: where, what, and which records it cost.
pub(super) fn damage_words(damage: &Damage) -> String {
    let place = damage.offset.map(|offset| format!(" at octet {offset}")).unwrap_or_default();
    let lost = damage.lost.as_ref().map(|lost| {
        let span =
            lost.times.map(|(first, last)| format!(", {} to {}", time_words(first.0), time_words(last.0)));
        let lane = lane_word(lost.lane);
        format!("; lost: {} {lane} of {}{}", lost.records, lost.machine, span.unwrap_or_default())
    });
    format!("{}{place}: {}{}", damage.file, damage.reason, lost.unwrap_or_default())
}

/// A time, in UTC.
pub(super) fn time_words(unix_us: i64) -> String {
    match Timestamp::from_microsecond(unix_us) {
        Ok(time) => format!("{time:.0}"),
        Err(_) => "(no time)".to_owned(),
    }
}
