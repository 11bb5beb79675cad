//! The figures of the comparison, and their table.

use std::fmt;
use std::time::Duration;

use super::cost::Spent;
use super::load::Made;

/// One round with one of the two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    messages_per_second: f64,
    readings_per_second: f64,
    published_s: f64,
    stored_s: f64,
    /// Processor seconds for each million of readings.
    spent: Spent,
    memory_max_mib: f64,
    anonymous_mib: f64,
}

impl Figures {
    /// `took`: from the first message until everything was in InfluxDB; `published`: until the publishers were done.
    pub(super) fn new(
        made: Made,
        published: Duration,
        took: Duration,
        spent: Spent,
        memory_kib: (u64, u64),
    ) -> Figures {
        let (seconds, millions) = (took.as_secs_f64(), float(made.readings) / 1e6);
        Figures {
            messages_per_second: float(made.messages) / seconds,
            readings_per_second: float(made.readings) / seconds,
            published_s: published.as_secs_f64(),
            stored_s: seconds,
            spent: Spent {
                program: spent.program / millions,
                influxd: spent.influxd / millions,
                broker: spent.broker / millions,
                publisher: spent.publisher / millions,
            },
            memory_max_mib: float(memory_kib.0) / 1_024.0,
            anonymous_mib: float(memory_kib.1) / 1_024.0,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = ROWS.map(|(name, value, places)| format!("{name} {:.*}", places, value(self)));
        f.write_str(&values.join("; "))
    }
}

/// One load under which one of the two was killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Killed {
    pub(super) kills: usize,
    /// Readings and events.
    pub(super) published: u64,
    pub(super) lost: u64,
    pub(super) twice: u64,
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Killed { kills, published, lost, twice } = self;
        write!(
            f,
            "killed {kills} times; of {published} readings and events {lost} lost, {twice} stored twice"
        )
    }
}

/// Name and count of a row about kills.
type Count = (&'static str, fn(&Killed) -> u64);

/// Name, value and decimal places of a row.
type Line = (&'static str, fn(&Figures) -> f64, usize);

const ROWS: [Line; 10] = [
    ("messages/s", |figures| figures.messages_per_second, 0),
    ("readings/s", |figures| figures.readings_per_second, 0),
    ("all published after, s", |figures| figures.published_s, 1),
    ("all in InfluxDB after, s", |figures| figures.stored_s, 1),
    ("CPU seconds a million readings", |figures| figures.spent.program, 2),
    ("  of InfluxDB", |figures| figures.spent.influxd, 2),
    ("  of Mosquitto", |figures| figures.spent.broker, 2),
    ("  of the publishers", |figures| figures.spent.publisher, 2),
    ("memory at most, MiB", |figures| figures.memory_max_mib, 0),
    ("  of these anonymous, MiB", |figures| figures.anonymous_mib, 0),
];

/// The table: the middle of the rounds, with least and greatest if there are several.
pub(super) fn markdown(measured: &[Vec<Figures>; 2], killed: &[Killed]) -> String {
    let mut lines = vec!["| | Beltwatch | Telegraf |".to_owned(), "|---|---|---|".to_owned()];
    for (name, value, places) in ROWS {
        let [ours, theirs] = [0, 1].map(|target| cell(&measured[target], value, places));
        lines.push(format!("| {} | {ours} | {theirs} |", name.trim_start()));
    }
    let counts: [Count; 3] = [
        ("readings and events published under kills", |killed| killed.published),
        ("lost", |killed| killed.lost),
        ("stored twice", |killed| killed.twice),
    ];
    for (name, count) in counts {
        let cells: Vec<String> = killed.iter().map(|killed| count(killed).to_string()).collect();
        lines.push(format!("| {name} | {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

fn cell(rounds: &[Figures], value: fn(&Figures) -> f64, places: usize) -> String {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(greatest)) = (values.first(), values.last()) else { return "-".to_owned() };
    let middle = values[values.len() / 2];
    match values.len() {
        1 => format!("{middle:.places$}"),
        _ => format!("{middle:.places$} ({least:.places$} to {greatest:.places$})"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a load are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}
