//! `beltwatch stop`: how belts come to rest.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::{now, print};
use crate::failure::Failure;
use crate::table::{Column, Format, Listing, Note, Value, people_text};
use crate::words::{self, RangeArgs};

/// Lists measured stops
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists how the belt of a machine came to rest, newest first, and how its braking changes
    List(ListArgs),
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    /// The machine
    machine: String,
    /// From this time on: with offset, or in the site's zone, such as 2026-11-20T09:00; 366 days ago if nothing is given
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    from: Option<String>,
    /// Until before this time; now if not given
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    until: Option<String>,
    /// The last so long, such as 12h or 90d
    #[arg(long, value_name = "DURATION")]
    last: Option<String>,
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    limit: i32,
}

/// A stop, with what is needed to show it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) stop: v1::Stop,
    pub(super) zone: TimeZone,
}

impl Shown {
    fn time(&self) -> Value {
        Value::Time(words::time(self.stop.time), self.zone.clone())
    }

    /// Whether it was in order, in a word. Without a limit nothing can be said of a belt that came to rest.
    fn judged(&self) -> &'static str {
        match (&self.stop.stop_time, &self.stop.limit, self.stop.passed) {
            (None, ..) => "no_standstill",
            (Some(_), _, true) => "in_order",
            (Some(_), None, false) => "not_judged",
            (Some(_), Some(_), false) => "too_long",
        }
    }

    /// The stop in a sentence.
    pub(super) fn sentence(&self) -> String {
        let stop = &self.stop;
        let speed = stop.speed_mps.map_or_else(
            || "an unknown speed".to_owned(),
            |mps| format!("{} km/h", people_text(&Value::Speed(Some(mps)))),
        );
        let direction = people_text(&Value::Direction(words::direction(stop.direction)));
        let stood = match (words::seconds(stop.stop_time), stop.distance_m) {
            (Some(time), Some(distance)) => format!("stood after {time:.2} s and {distance:.2} m"),
            (Some(time), None) => format!("stood after {time:.2} s"),
            (None, _) => "did not come to rest, or that was not seen".to_owned(),
        };
        let limit = match words::seconds(stop.limit) {
            Some(limit) => format!("limit {limit:.2} s"),
            None => "no limit, the machine was not commissioned".to_owned(),
        };
        let judged = match self.judged() {
            "in_order" => "in order",
            "not_judged" => "not judged",
            _ => "NOT IN ORDER",
        };
        let (time, contact) = (people_text(&self.time()), contact_name(&stop.contact));
        format!("{time}  {contact} at {speed}, {direction}: {stood} ({limit}): {judged}")
    }
}

/// A contact's name for people.
pub(super) fn contact_name(contact: &str) -> String {
    people_text(&Value::Text(contact.replace('_', " ")))
}

pub(super) const COLUMNS: &[Column<Shown>] = &[
    Column { name: "time", title: "time", value: Shown::time },
    Column { name: "contact", title: "stopped by", value: |row| Value::Text(row.stop.contact.clone()) },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.stop.direction)),
    },
    Column { name: "speed_mps", title: "km/h", value: |row| Value::Speed(row.stop.speed_mps) },
    Column {
        name: "stop_time_s",
        title: "stop s",
        value: |row| Value::Number(words::seconds(row.stop.stop_time), 2),
    },
    Column { name: "stop_distance_m", title: "stop m", value: |row| Value::Number(row.stop.distance_m, 2) },
    Column {
        name: "limit_s",
        title: "limit s",
        value: |row| Value::Number(words::seconds(row.stop.limit), 2),
    },
    Column { name: "passed", title: "", value: |row| Value::Flag(row.stop.passed) },
    Column { name: "judged", title: "judged", value: |row| Value::Text(row.judged().to_owned()) },
    Column {
        name: "drill",
        title: "test",
        // Of a stop in daily use there is none.
        value: |row| Value::OptionalCount(Some(row.stop.drill).filter(|drill| *drill > 0)),
    },
    Column { name: "incident_id", title: "", value: |row| Value::Text(row.stop.incident_id.clone()) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or a time cannot be read.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let Action::List(ListArgs { machine, from, until, last, limit }) = args.action;
    let mut client = Client::connect(options).await?;
    let zone = Zones::of_machine(&mut client, &machine).await?;
    let has_range = from.is_some() || until.is_some() || last.is_some();
    let range = RangeArgs { from, until, last };
    let range = if has_range { Some(range.range(&zone, now())?) } else { None };
    let request = v1::ListStopsRequest { machine_id: machine, range, page_size: limit };
    let answer = client.drills.list_stops(request).await?.into_inner();
    let shown = |stop| Shown { stop, zone: zone.clone() };
    let rows: Vec<Shown> = answer.stops.into_iter().map(shown).collect();
    let mut notes = vec![Note { name: "more", value: Value::Flag(answer.has_more) }];
    if options.format() == Format::Json {
        notes.extend(answer.trends.iter().flat_map(trend_notes));
    }
    print(&Listing { name: "stops", columns: COLUMNS, rows: &rows, notes }, options)?;
    if options.format() != Format::Json {
        for trend in &answer.trends {
            writeln!(io::stderr(), "{}", trend_sentence(trend))?;
        }
    }
    Ok(())
}

/// How braking changes, in a sentence.
fn trend_sentence(trend: &v1::StopTrend) -> String {
    let change = trend.deceleration_percent_per_30_days;
    let meaning = if change < 0.0 { "; the belt takes longer to stop" } else { "" };
    format!(
        "{}: brakes with {:.2} m/s² on average of {} stops, {change:+.1} % in 30 days{meaning}",
        contact_name(&trend.contact),
        trend.deceleration_mps2,
        trend.stops
    )
}

/// The same for programs. What this program does not know by name is left out.
fn trend_notes(trend: &v1::StopTrend) -> Vec<Note> {
    let names = match trend.contact.as_str() {
        "emergency_stop" => [
            "emergency_stop_trend_stops",
            "emergency_stop_deceleration_mps2",
            "emergency_stop_deceleration_percent_per_30_days",
        ],
        "safety_key" => [
            "safety_key_trend_stops",
            "safety_key_deceleration_mps2",
            "safety_key_deceleration_percent_per_30_days",
        ],
        _ => return Vec::new(),
    };
    let values = [
        Value::Count(u64::from(trend.stops)),
        Value::Number(Some(trend.deceleration_mps2), 2),
        Value::Number(Some(trend.deceleration_percent_per_30_days), 1),
    ];
    names.into_iter().zip(values).map(|(name, value)| Note { name, value }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stop in order from 3.6 km/h.
    fn stop() -> v1::Stop {
        let seconds = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
        v1::Stop {
            time: Some(prost_types::Timestamp { seconds: 1_795_176_000, nanos: 0 }),
            contact: "emergency_stop".to_owned(),
            speed_mps: Some(1.0),
            direction: v1::Direction::Forward.into(),
            stop_time: seconds(1, 500_000_000),
            distance_m: Some(0.75),
            limit: seconds(2, 0),
            passed: true,
            drill: 7,
            ..v1::Stop::default()
        }
    }

    #[test]
    fn a_stop_is_told_in_a_sentence() {
        let check = |stop: v1::Stop, expected: &str| {
            let text = Shown { stop, zone: TimeZone::UTC }.sentence();
            assert_eq!(text, format!("2026-11-20 12:00:00+00:00  emergency stop at {expected}"));
        };
        check(stop(), "3.6 km/h, ▲ forward: stood after 1.50 s and 0.75 m (limit 2.00 s): in order");
        check(
            v1::Stop { stop_time: None, distance_m: None, passed: false, ..stop() },
            "3.6 km/h, ▲ forward: did not come to rest, or that was not seen (limit 2.00 s): NOT IN ORDER",
        );
        check(
            v1::Stop { passed: false, ..stop() },
            "3.6 km/h, ▲ forward: stood after 1.50 s and 0.75 m (limit 2.00 s): NOT IN ORDER",
        );
        check(
            v1::Stop {
                speed_mps: None,
                distance_m: None,
                limit: None,
                passed: false,
                direction: 0,
                ..stop()
            },
            "an unknown speed, ? unknown: stood after 1.50 s (no limit, the machine was not commissioned): not judged",
        );
    }

    #[test]
    fn a_stop_in_each_format() {
        let daily = v1::Stop { drill: 0, speed_mps: None, passed: false, ..stop() };
        let rows = [stop(), daily].map(|stop| Shown { stop, zone: TimeZone::UTC });
        let printed = |format| {
            let listing = Listing { name: "stops", columns: COLUMNS, rows: &rows, notes: Vec::new() };
            let mut out = Vec::new();
            listing.print(format, &mut out, &mut Vec::new()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            printed(Format::Table),
            "time                       stopped by      direction  km/h  stop s  stop m  limit s  judged    test\n\
             2026-11-20 12:00:00+00:00  emergency_stop  ▲ forward   3.6    1.50    0.75     2.00  in_order     7\n\
             2026-11-20 12:00:00+00:00  emergency_stop  ▲ forward     –    1.50    0.75     2.00  too_long     –\n"
        );
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!((&json["stops"][0]["stop_time_s"], &json["stops"][0]["drill"]), (&1.5.into(), &7.into()));
        assert_eq!(
            (&json["stops"][1]["judged"], &json["stops"][1]["passed"]),
            (&"too_long".into(), &false.into())
        );
        assert_eq!(json["stops"][1]["drill"], serde_json::Value::Null);
    }

    #[test]
    fn a_trend_is_told() {
        let trend = v1::StopTrend {
            contact: "safety_key".to_owned(),
            stops: 6,
            deceleration_percent_per_30_days: -4.25,
            deceleration_mps2: 1.234,
        };
        assert_eq!(
            trend_sentence(&trend),
            "safety key: brakes with 1.23 m/s² on average of 6 stops, -4.2 % in 30 days; the belt takes longer to stop"
        );
        let names: Vec<&str> = trend_notes(&trend).iter().map(|note| note.name).collect();
        assert_eq!(
            names,
            [
                "safety_key_trend_stops",
                "safety_key_deceleration_mps2",
                "safety_key_deceleration_percent_per_30_days"
            ]
        );
    }
}
