//! Counts what sources deliver.

use std::collections::BTreeMap;

use domain::belt::Direction;
use domain::signal::{Signal, SignalValue, SourceSpec};
use domain::units::{MonotonicMicros, SECOND};
use serde::Serialize;

/// What all sources delivered.
#[derive(Debug)]
pub struct Tally {
    specs: Vec<SourceSpec>,
    sources: Vec<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    signals: BTreeMap<String, (u64, String)>,
    lost: Option<String>,
}

/// What one source delivered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Its name.
    pub source: String,
    /// What it says that it can report.
    pub reports: Vec<&'static str>,
    /// What it delivered, by name.
    pub delivered: Vec<Delivered>,
    /// Why it cannot go on; `None`: nothing was said against it.
    pub lost: Option<String>,
}

/// One kind of signal of one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivered {
    /// What, such as "speed" or "safety_key".
    pub signal: String,
    /// How many.
    pub count: u64,
    /// How many a second.
    pub per_second: f64,
    /// The newest, with its unit.
    pub newest: String,
}

impl Tally {
    /// Nothing was delivered yet.
    pub fn new(specs: Vec<SourceSpec>) -> Tally {
        let sources = specs.iter().map(|_| Heard::default()).collect();
        Tally { specs, sources }
    }

    /// Counts a signal.
    pub fn count(&mut self, signal: &Signal) {
        let Some(heard) = self.sources.get_mut(usize::from(signal.source.0)) else { return };
        if let SignalValue::Lost(why) = &signal.value {
            heard.lost = Some(why.clone());
            return;
        }
        // It goes on after all.
        heard.lost = None;
        let (name, newest) = shown(&signal.value);
        let entry = heard.signals.entry(name.to_owned()).or_default();
        *entry = (entry.0 + 1, newest);
    }

    /// What each source delivered from `begun` to `now`.
    pub fn found(&self, begun: MonotonicMicros, now: MonotonicMicros) -> Vec<Found> {
        let micros = now.since(begun).max(1);
        let found = |(spec, heard): (&SourceSpec, &Heard)| Found {
            source: spec.name.clone(),
            reports: spec.capabilities.names().collect(),
            delivered: heard
                .signals
                .iter()
                .map(|(signal, (count, newest))| Delivered {
                    signal: signal.clone(),
                    count: *count,
                    // To a hundredth; a count of a few minutes fits.
                    per_second: (count * SECOND * 100 / micros) as f64 / 100.0,
                    newest: newest.clone(),
                })
                .collect(),
            lost: heard.lost.clone(),
        };
        self.specs.iter().zip(&self.sources).map(found).collect()
    }
}

/// Signals that say nothing of the machine.
const OF_ITSELF: [&str; 3] = ["alive", "implausible", "fault"];
/// What is told all the time where it can be told; of the rest nothing may have happened yet.
const STEADY: [&str; 8] = [
    "speed",
    "direction",
    "incline",
    "emergency_stop",
    "safety_key",
    "machine_power",
    "hand_rail",
    "user_presence",
];

impl Found {
    /// What it told of the machine, by name; an answer without news or a complaint is nothing.
    pub fn told(&self) -> Vec<&str> {
        let names = self.delivered.iter().map(|delivered| delivered.signal.as_str());
        names.filter(|name| !OF_ITSELF.contains(name)).collect()
    }

    /// What it can report and has not told.
    pub fn untold(&self) -> Vec<&'static str> {
        let told = self.told();
        let steady = self.reports.iter().filter(|name| STEADY.contains(name));
        steady.copied().filter(|name| !told.contains(name)).collect()
    }

    /// The newest complaint.
    pub fn complaint(&self) -> Option<&str> {
        let complains =
            |delivered: &&Delivered| ["implausible", "fault"].contains(&delivered.signal.as_str());
        self.delivered.iter().find(complains).map(|delivered| delivered.newest.as_str())
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} (can report {})", self.source, self.reports.join(", "))?;
        if let Some(why) = &self.lost {
            writeln!(f, "  cannot go on: {why}")?;
        }
        if self.delivered.is_empty() {
            writeln!(f, "  delivered nothing")?;
        }
        for Delivered { signal, count, per_second, newest } in &self.delivered {
            writeln!(f, "  {signal:<22} {count:>6}  {per_second:>7.2}/s  {newest}")?;
        }
        Ok(())
    }
}

/// A signal's name, and its value with the unit.
fn shown(value: &SignalValue) -> (&str, String) {
    let way = |direction: &Direction| match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Stopped => "stopped",
        Direction::Unknown => "unknown",
    };
    match value {
        SignalValue::Speed(speed) => ("speed", format!("{:.2} km/h", speed.kmh())),
        SignalValue::MeasuredDirection(direction) => ("direction", way(direction).to_owned()),
        SignalValue::DeclaredDirection(direction) => ("declared_direction", way(direction).to_owned()),
        SignalValue::Incline(incline) => ("incline", format!("{:.1} %", incline.percent())),
        SignalValue::ContactLevel { contact, open } => {
            (contact.name(), if *open { "open" } else { "closed" }.to_owned())
        }
        SignalValue::Commanded(speed) => ("commanded", format!("{:.2} km/h", speed.kmh())),
        SignalValue::Elapsed(seconds) => ("elapsed", format!("{seconds} s")),
        SignalValue::Distance(metres) => ("distance", format!("{metres} m")),
        SignalValue::Steps(steps) => ("steps", steps.to_string()),
        SignalValue::BeltForce(newtons) => ("belt_force", format!("{newtons} N")),
        SignalValue::HeartRateContact(contact) => {
            ("heart_rate_contact", if *contact { "yes" } else { "no" }.to_owned())
        }
        // The rate itself is nobody's business here.
        SignalValue::HeartRate(_) => ("heart_rate", "told".to_owned()),
        SignalValue::UserStarted => ("user", "started".to_owned()),
        SignalValue::UserStopped => ("user", "stopped".to_owned()),
        SignalValue::UserPaused => ("user", "paused".to_owned()),
        SignalValue::SafetyKeyStop => ("safety_key_stop", "told".to_owned()),
        SignalValue::Alive => ("alive", "answered, nothing new".to_owned()),
        SignalValue::Implausible(what) => ("implausible", what.clone()),
        SignalValue::Fault(what) => ("fault", what.clone()),
        SignalValue::Lost(what) => ("lost", what.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::signal::{Capabilities, SourceNumber};
    use domain::units::Speed;

    #[test]
    fn rates_values_and_losses_are_told_by_source() {
        let spec =
            |name: &str, capabilities| SourceSpec { name: name.to_owned(), capabilities, period_us: SECOND };
        let mut tally = Tally::new(vec![
            spec("belt", Capabilities::SPEED),
            spec("console", Capabilities::SPEED.and(Capabilities::INCLINE)),
        ]);
        let signal =
            |source, at, value| Signal { at: MonotonicMicros(at), source: SourceNumber(source), value };
        for step in 0..20 {
            tally.count(&signal(
                0,
                step * SECOND / 10,
                SignalValue::Speed(Speed(400 + u32::try_from(step).unwrap())),
            ));
        }
        tally.count(&signal(1, 0, SignalValue::Lost("no such port".to_owned())));
        tally.count(&signal(9, 0, SignalValue::Alive));
        let found = tally.found(MonotonicMicros(0), MonotonicMicros(2 * SECOND));
        let text: String = found.iter().map(ToString::to_string).collect();
        let expected = "belt (can report speed)\n  \
             speed                      20    10.00/s  1.51 km/h\n\
             console (can report speed, incline)\n  \
             cannot go on: no such port\n  delivered nothing\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn complaints_and_answers_without_news_tell_nothing_of_the_machine() {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::USER_COMMANDS);
        let spec = SourceSpec { name: "drive".to_owned(), capabilities, period_us: SECOND };
        let mut tally = Tally::new(vec![spec]);
        let mut count = |value| {
            tally.count(&Signal { at: MonotonicMicros(0), source: SourceNumber(0), value });
            tally.found(MonotonicMicros(0), MonotonicMicros(SECOND)).remove(0)
        };
        count(SignalValue::Alive);
        let found = count(SignalValue::Implausible("drive refuses".to_owned()));
        assert_eq!((found.told(), found.complaint()), (vec![], Some("drive refuses")));
        let found = count(SignalValue::Speed(Speed(400)));
        assert_eq!((found.told(), found.untold()), (vec!["speed"], vec!["direction"]));
    }
}
