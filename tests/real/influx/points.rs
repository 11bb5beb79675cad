//! Reads all records back from InfluxDB itself, by Flux and without any code of the server, and holds them against
//! what the agents have seen: each once, none missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context, ensure};
use domain::belt::Direction;
use domain::log::{Lane, Position};
use domain::record::{Payload, Record};

use crate::influxd::{Influxd, NAME};
use crate::truth::Truth;

/// Differences that are told one by one; the rest is only counted.
const TOLD_MAX: usize = 20;
/// Where a record's point is: machine, lane, time, and whether it is among the undated.
type Place = (String, Lane, String, bool);

/// What InfluxDB holds of all machines.
#[derive(Debug, Default)]
pub(crate) struct Points {
    /// One field of one lane by place.
    fields: BTreeMap<&'static str, BTreeMap<Place, String>>,
}

/// Fields of each lane that are held against the truth: those that say which record it is, and what it says.
const OF_READINGS: [&str; 5] = ["log", "boot", "n", "direction", "speed_mm_s"];
const OF_EVENTS: [&str; 5] = ["log", "boot", "n", "direction", "kind"];

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Points of records.
    pub(crate) points: u64,
    /// Records of the truth that have no point.
    pub(crate) missing: u64,
    /// Records with more than one point.
    pub(crate) twice: u64,
    /// Points that no agent has told.
    pub(crate) invented: u64,
    /// Points that say something else.
    pub(crate) altered: u64,
    /// Points that lack one of the fields that say which record it is.
    pub(crate) broken: u64,
    /// The first differences in words.
    pub(crate) differences: Vec<String>,
}

impl Points {
    /// Asks InfluxDB for everything.
    pub(crate) async fn read(influxd: &Influxd) -> anyhow::Result<Points> {
        let mut points = Points::default();
        for (lane, names) in [(Lane::Readings, OF_READINGS), (Lane::Events, OF_EVENTS)] {
            let bucket = format!("{NAME}-{}", lane.name());
            let measurement = lane.name().trim_end_matches('s');
            for name in names {
                let wanted = format!("r._measurement == \"{measurement}\"");
                points.take(influxd, (&bucket, &wanted), (lane, name, false)).await?;
                let wanted = format!("r._measurement == \"undated\" and r.lane == \"{}\"", lane.name());
                points.take(influxd, (NAME, &wanted), (lane, name, true)).await?;
            }
        }
        Ok(points)
    }

    async fn take(
        &mut self,
        influxd: &Influxd,
        (bucket, wanted): (&str, &str),
        (lane, name, is_undated): (Lane, &'static str, bool),
    ) -> anyhow::Result<()> {
        let flux = format!(
            "from(bucket: \"{bucket}\") |> range(start: 1900-01-01T00:00:00Z, stop: 2200-01-01T00:00:00Z) |> \
             filter(fn: (r) => {wanted} and r._field == \"{name}\") |> \
             keep(columns: [\"machine\", \"_time\", \"_value\"]) |> group()"
        );
        let values = self.fields.entry(name).or_default();
        for mut row in influxd.rows(&flux).await? {
            let mut cell = |name: &str| row.remove(name).with_context(|| format!("there is no {name}"));
            let place = (cell("machine")?, lane, cell("_time")?, is_undated);
            let value = cell("_value")?;
            ensure!(values.insert(place, value).is_none(), "one point came twice in one answer");
        }
        Ok(())
    }

    fn field(&self, name: &str, place: &Place) -> Option<&String> {
        self.fields.get(name).and_then(|values| values.get(place))
    }

    /// Which records have a point.
    fn records(&self, count: &mut Count) -> BTreeMap<(String, Lane, Position), Vec<&Place>> {
        let mut records: BTreeMap<(String, Lane, Position), Vec<&Place>> = BTreeMap::new();
        let mut logs: BTreeMap<(&str, Lane), &str> = BTreeMap::new();
        let places: BTreeSet<&Place> = self.fields.values().flat_map(BTreeMap::keys).collect();
        for place in places {
            let (machine, lane, time, _) = place;
            count.points += 1;
            let number = |name| self.field(name, place).and_then(|value| value.parse::<u64>().ok());
            let boot = number("boot").and_then(|boot| u32::try_from(boot).ok());
            let (Some(log), Some(boot), Some(n)) = (self.field("log", place), boot, number("n")) else {
                count.broken += 1;
                count.tell(format!("{machine} {} at {time}: it has no position", lane.name()));
                continue;
            };
            if logs.entry((machine, *lane)).or_insert(log) != log {
                count.invented += 1;
                count.tell(format!("{machine} {} {boot}/{n}: of another log, {log}", lane.name()));
                continue;
            }
            let key = (machine.clone(), *lane, Position::new(boot, n));
            records.entry(key).or_default().push(place);
        }
        records
    }

    /// Holds what is there against what each machine's agent says in its truth. Agents must not have been killed.
    pub(crate) fn compare<'a>(
        &self,
        truths: impl Iterator<Item = (&'a str, &'a Path)>,
    ) -> anyhow::Result<Count> {
        let mut count = Count::default();
        let mut records = self.records(&mut count);
        for (machine, file) in truths {
            for ((lane, position), record) in &Truth::read(file)?.records {
                let found = records.remove(&(machine.to_owned(), *lane, *position)).unwrap_or_default();
                let told = format!("{machine} {} {position}", lane.name());
                match (found.as_slice(), expected(record)) {
                    ([], None) => {}
                    ([], Some(_)) => {
                        count.missing += 1;
                        count.tell(format!("{told}: no point"));
                    }
                    ([place], Some(said)) => self.hold_against(place, &said, &told, &mut count),
                    (several, _) => {
                        count.twice += 1;
                        count.tell(format!("{told}: {} points: {several:?}", several.len()));
                    }
                }
            }
        }
        count.invented += records.len() as u64;
        for (machine, lane, position) in records.keys().take(TOLD_MAX) {
            count.tell(format!("{machine} {} {position}: nobody told it", lane.name()));
        }
        Ok(count)
    }

    fn hold_against(
        &self,
        place: &Place,
        said: &[(&'static str, Option<String>)],
        told: &str,
        count: &mut Count,
    ) {
        for (name, value) in said {
            let found = self.field(name, place);
            if found != value.as_ref() {
                count.altered += 1;
                count.tell(format!("{told}: {name} is {found:?}, was {value:?}"));
            }
        }
    }
}

/// Fields that a record's point should have; `None`: recordings have no point.
fn expected(record: &Record) -> Option<Vec<(&'static str, Option<String>)>> {
    match &record.payload {
        Payload::Reading(reading) => Some(vec![
            ("direction", Some(direction(reading.direction))),
            ("speed_mm_s", reading.speed.map(|speed| speed.mean.0.to_string())),
        ]),
        Payload::Event(event) => Some(vec![
            ("direction", Some(direction(event.belt.direction))),
            ("kind", Some(event.kind.name().to_owned())),
        ]),
        Payload::Recording(_) | Payload::Commissioning(_) => None,
    }
}

fn direction(direction: Direction) -> String {
    let name = match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Stopped => "stopped",
        Direction::Unknown => "unknown",
    };
    name.to_owned()
}

impl Count {
    /// Whether each record has its point, once and as it was.
    pub(crate) fn is_clean(&self) -> bool {
        self.missing + self.twice + self.invented + self.altered + self.broken == 0
    }

    fn tell(&mut self, difference: String) {
        if self.differences.len() < TOLD_MAX {
            self.differences.push(difference);
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} points of records; missing {}, twice {}, ", self.points, self.missing, self.twice)?;
        write!(f, "invented {}, altered {}, without position {}", self.invented, self.altered, self.broken)?;
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        Ok(())
    }
}
