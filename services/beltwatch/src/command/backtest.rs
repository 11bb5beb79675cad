//! `beltwatch backtest`: what the stored history would have raised with other thresholds.

use clap::Args as ClapArgs;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::rule::{self, OneArgs};
use crate::command::{now, print, progress};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Note, Value};
use crate::words::{self, RangeArgs};

/// Says what the stored history would have raised with other thresholds, beside what it raises now; changes nothing
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    whose: OneArgs,
    /// A threshold as it would be, such as reverse-overspeed.limit=5.5; units as of `beltwatch rule set`
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// From this time on: with offset, or in the site's zone; 28 days ago if not given
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until before this time; now if not given
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

const COLUMNS: &[Column<v1::RehearsedCount>] = &[
    Column { name: "rule", title: "rule", value: |row| Value::Text(row.rule.clone()) },
    Column {
        name: "severity",
        title: "severity",
        value: |row| Value::Text(words::severity(row.severity).to_owned()),
    },
    Column { name: "now", title: "now", value: |row| Value::Count(row.now) },
    Column { name: "rehearsed", title: "rehearsed", value: |row| Value::Count(row.rehearsed) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or a value is none.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let OneArgs { site, model, machine } = args.whose;
    let zone = Zones::of_whose(&mut client, site.as_deref(), machine.as_deref()).await?;
    let mut thresholds = Vec::new();
    for given in &args.set {
        let (name, text) = given.split_once('=').ok_or_else(|| {
            Failure::new(Exit::Usage, format!("--set is \"{given}\"; NAME=VALUE is allowed"))
        })?;
        let value = rule::read(&mut client, name, text).await?;
        thresholds.push(v1::NamedValue { name: name.to_owned(), value });
    }
    let has_range = args.from.is_some() || args.until.is_some();
    let range = RangeArgs { from: args.from, until: args.until, last: None };
    let range = if has_range { Some(range.range(&zone, now())?) } else { None };
    let request = v1::RehearseThresholdsRequest {
        site_id: site.unwrap_or_default(),
        model: model.unwrap_or_default(),
        machine_id: machine.unwrap_or_default(),
        thresholds,
        range,
    };
    let mut stream = client.incidents.rehearse_thresholds(request).await?.into_inner();
    while let Some(response) = stream.message().await? {
        if let Some(result) = response.result {
            progress::end()?;
            return show(&result, &zone, options);
        }
        progress::show(response.machines_done, response.machines)?;
    }
    Err(Failure::new(Exit::Unavailable, "the server ended the rehearsal without a result"))
}

fn show(result: &v1::Rehearsal, zone: &jiff::tz::TimeZone, options: &Options) -> Result<(), Failure> {
    let range = result.range.unwrap_or_default();
    let time = |time| Value::Time(words::time(time), zone.clone());
    let lost: Vec<String> = result
        .critical_lost
        .iter()
        .map(|one| {
            let time = words::time(one.time).map(|time| time.to_string()).unwrap_or_default();
            format!("{} {} {}", one.machine_id, one.rule, time)
        })
        .collect();
    let notes = vec![
        Note { name: "summary", value: Value::Text(summary(result)) },
        Note { name: "critical_lost", value: Value::Text(lost.join(", ")) },
        Note { name: "readings", value: Value::Count(result.readings) },
        Note { name: "start_time", value: time(range.start_time) },
        Note { name: "end_time", value: time(range.end_time) },
    ];
    print(&Listing { name: "counts", columns: COLUMNS, rows: &result.counts, notes }, options)
}

/// Such as `61 -> 14, no critical lost`.
fn summary(result: &v1::Rehearsal) -> String {
    let sum = |part: fn(&v1::RehearsedCount) -> u64| result.counts.iter().map(part).sum::<u64>();
    let lost = match result.critical_lost.len() {
        0 => "no critical lost".to_owned(),
        count => format!("{count} critical lost"),
    };
    format!("{} -> {}, {lost}", sum(|one| one.now), sum(|one| one.rehearsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_in_a_few_words() {
        let count = |now, rehearsed| v1::RehearsedCount { now, rehearsed, ..Default::default() };
        let mut result = v1::Rehearsal { counts: vec![count(60, 14), count(1, 0)], ..Default::default() };
        assert_eq!(summary(&result), "61 -> 14, no critical lost");
        result.critical_lost.push(v1::Incident::default());
        assert_eq!(summary(&result), "61 -> 14, 1 critical lost");
    }
}
