//! `beltwatch rebuild`: the stored history judged anew.

use clap::Args as ClapArgs;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::{now, print, progress};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Note, Value};
use crate::words::{self, RangeArgs};

/// Judges and counts the stored history anew, with the settings that hold now and the rules of this version
///
/// Usage and sessions say afterwards which way belts ran, as after a commissioning that has proven the direction; how much
/// they ran never changes. Usage goes by whole days of UTC: those of which not all readings are there any more stay as they
/// are ("kept"), and those that are still counted into do until they are over ("under way").
///
/// Incidents: it removes nothing. Incidents that were not there are added; one that was found more than 15 minutes after it happened
/// is marked "late". Those that look different now are brought up to date. Those that are not found any more stay and are
/// marked "unconfirmed", with the version of the rule that did not find them; a later rebuild that finds them again takes
/// the mark away. Left as they are: incidents that are active, those of which no records are left, and those of rules that
/// remember days unless the span reaches back to the first record. It may be repeated, also when it broke off.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    whose: WhoseArgs,
    /// From this time on: with offset, or in the site's zone; a day before --until if only that is given, or 28 days ago.
    /// At most 366 days
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until before this time; now if not given. The last 5 minutes are left out
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Whose history.
#[derive(Debug, Clone, Default, ClapArgs)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// Of the machines of this site
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Of the machines of this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Of this machine
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
}

/// What became of so many incidents.
type Outcome = (&'static str, u64);

const COLUMNS: &[Column<Outcome>] = &[
    Column { name: "outcome", title: "outcome", value: |(outcome, _)| Value::Text((*outcome).to_owned()) },
    Column { name: "incidents", title: "incidents", value: |(_, count)| Value::Count(*count) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or a value is none.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let WhoseArgs { site, model, machine } = args.whose;
    let zone = Zones::of_whose(&mut client, site.as_deref(), machine.as_deref()).await?;
    let has_range = args.from.is_some() || args.until.is_some();
    let range = RangeArgs { from: args.from, until: args.until, last: None };
    let range = if has_range { Some(range.range(&zone, now())?) } else { None };
    let request = v1::RebuildIncidentsRequest {
        site_id: site.unwrap_or_default(),
        model: model.unwrap_or_default(),
        machine_id: machine.unwrap_or_default(),
        range,
    };
    let mut stream = client.incidents.rebuild_incidents(request).await?.into_inner();
    while let Some(response) = stream.message().await? {
        if let Some(result) = response.result {
            progress::end()?;
            return show(&result, &zone, options);
        }
        progress::show(response.machines_done, response.machines)?;
    }
    Err(Failure::new(Exit::Unavailable, "the server ended the rebuild without a result; it may be repeated"))
}

fn show(result: &v1::Rebuilt, zone: &TimeZone, options: &Options) -> Result<(), Failure> {
    let range = result.range.unwrap_or_default();
    let time = |time| Value::Time(words::time(time), zone.clone());
    let count = |name, count| Note { name, value: Value::Count(count) };
    let notes = vec![
        count("readings", result.readings),
        count("usage_days_same", result.usage_days_same),
        count("usage_days_changed", result.usage_days_changed),
        count("usage_days_kept", result.usage_days_kept),
        count("usage_days_under_way", result.usage_days_under_way),
        count("sessions_changed", result.sessions_changed),
        Note { name: "start_time", value: time(range.start_time) },
        Note { name: "end_time", value: time(range.end_time) },
    ];
    print(&Listing { name: "outcomes", columns: COLUMNS, rows: &outcomes(result), notes }, options)
}

fn outcomes(result: &v1::Rebuilt) -> [Outcome; 4] {
    [
        ("same", result.same),
        ("added", result.added),
        ("changed", result.changed),
        ("unconfirmed", result.unconfirmed),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_own_count() {
        let result = v1::Rebuilt { same: 1, added: 2, changed: 3, unconfirmed: 4, ..Default::default() };
        let expected = [("same", 1), ("added", 2), ("changed", 3), ("unconfirmed", 4)];
        assert_eq!(outcomes(&result), expected);
    }
}
