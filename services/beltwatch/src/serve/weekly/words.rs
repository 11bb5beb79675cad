//! A weekly report in words. Pure.

use jiff::{Span, Timestamp};
use store::registry::Machine;
use wire::api::v1;

use super::{Figures, Week};
use crate::words::severity;

/// Machines that are named; of more, how many.
const NAMED_MAX: usize = 10;

/// What people call a machine.
pub(super) fn name(machine: &Machine) -> String {
    if machine.display_name.is_empty() { machine.id.to_string() } else { machine.display_name.clone() }
}

/// The report as plain text.
pub(super) fn report(week: &Week, figures: &Figures) -> String {
    let Week { site, from, until, .. } = week;
    let site = if site.display_name.is_empty() { site.id.as_str() } else { site.display_name.as_str() };
    let last = until.saturating_sub(Span::new().days(1));
    let mut lines = vec![format!("{site}, {from} to {last}."), String::new()];
    lines.extend(motion(&figures.usage));
    lines.push(sessions(week, figures));
    lines.push(incidents(figures));
    let tagged = figures.out_of_service.iter().map(|(machine, reason)| format!("{machine} ({reason})"));
    lines.push(format!("Out of service now: {}.", named(tagged.collect())));
    let due = figures.due.iter().map(|(machine, used)| format!("{machine} ({:.0} %)", used * 100.0));
    lines.push(format!("Service due: {}.", named(due.collect())));
    lines.join("\n")
}

fn motion(response: &v1::GetUsageResponse) -> Vec<String> {
    let usage = response.total.clone().unwrap_or_default();
    let observed = |motion: Option<v1::Motion>| motion.and_then(|motion| motion.observed);
    let is_declared = |one: &&v1::KeyedMotion| {
        one.direction() == v1::Direction::Forward && one.origin() == v1::DirectionOrigin::Declared
    };
    let declared = usage.keyed.iter().filter(is_declared).map(|one| seconds(observed(one.motion))).sum();
    let coverage = usage.coverage.unwrap_or_default();
    let asked = seconds(coverage.asked);
    let percent = |covered: Option<prost_types::Duration>| match asked {
        0 => "0 %".to_owned(),
        asked => format!("{:.0} %", seconds(covered) as f64 / asked as f64 * 100.0),
    };
    let as_of = response.as_of.clone().unwrap_or_default();
    let silent = match as_of.machines_silent {
        0 => "Silent machines: none.".to_owned(),
        count => format!("Silent machines: {count} ({}).", named(as_of.silent_machine_ids)),
    };
    vec![
        format!(
            "Belts ran forward {}, of this declared and not measured {}; in reverse {}; which way is not known {}.",
            hours(seconds(observed(usage.forward))),
            hours(declared),
            hours(seconds(observed(usage.reverse))),
            hours(seconds(observed(usage.unknown))),
        ),
        format!(
            "Seen: a speed {} of the time, a direction {}. Belts may have run in the rest.",
            percent(coverage.speed),
            percent(coverage.direction),
        ),
        silent,
    ]
}

fn sessions(week: &Week, figures: &Figures) -> String {
    let Figures { sessions, utilisation, .. } = figures;
    let when = utilisation.peak_time.as_ref().and_then(|time| Timestamp::from_second(time.seconds).ok());
    let peak = when.map_or_else(String::new, |when| {
        let when = when.to_zoned(week.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let (most, all) = (utilisation.peak_machines, utilisation.machines);
        format!(" Most machines in a session at once: {most} of {all}, first at {when}.")
    });
    format!("Sessions: {sessions}.{peak}")
}

fn incidents(figures: &Figures) -> String {
    let all: u64 = figures.incidents.iter().map(|one| one.count).sum();
    if all == 0 {
        return "Incidents: none.".to_owned();
    }
    let worst_first = [
        v1::Severity::Critical,
        v1::Severity::High,
        v1::Severity::Medium,
        v1::Severity::Low,
        v1::Severity::Info,
    ];
    let of = |wanted: v1::Severity| -> u64 {
        figures.incidents.iter().filter(|one| one.severity() == wanted).map(|one| one.count).sum()
    };
    let by = worst_first.into_iter().map(|one| (one, of(one))).filter(|(_, count)| *count > 0);
    let by: Vec<String> = by.map(|(one, count)| format!("{count} {}", severity(one.into()))).collect();
    format!("Incidents: {}; {} of them not closed.", by.join(", "), figures.open)
}

/// Names in a row; of too many, how many more.
fn named(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

fn seconds(duration: Option<prost_types::Duration>) -> i64 {
    duration.map_or(0, |duration| duration.seconds)
}

/// Such as `3 h 05 min`.
fn hours(seconds: i64) -> String {
    let minutes = (seconds + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    fn week() -> Week {
        let site = store::registry::Site {
            id: domain::ids::SiteId::new("north").unwrap(),
            display_name: "Gym North".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            created: domain::units::UnixMicros(0),
            history: Default::default(),
        };
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        Week { site: site.into(), from: date(2026, 11, 16), until: date(2026, 11, 23), zone }
    }

    fn length(minutes: i64) -> Option<prost_types::Duration> {
        Some(prost_types::Duration { seconds: minutes * 60, nanos: 0 })
    }

    fn motion(minutes: i64) -> Option<v1::Motion> {
        Some(v1::Motion { observed: length(minutes), ..v1::Motion::default() })
    }

    #[test]
    fn a_week_without_anything_is_told_as_such() {
        let expected = "Gym North, 2026-11-16 to 2026-11-22.\n\nBelts ran forward 0 min, of this declared and not measured 0 \
                        min; in reverse 0 min; which way is not known 0 min.\nSeen: a speed 0 % of the time, a direction 0 \
                        %. Belts may have run in the rest.\nSilent machines: none.\nSessions: 0.\nIncidents: none.\nOut of \
                        service now: none.\nService due: none.";
        assert_eq!(report(&week(), &Figures::default()), expected);
    }

    #[test]
    fn a_week_is_told_with_its_coverage() {
        let keyed = v1::KeyedMotion {
            direction: v1::Direction::Forward.into(),
            origin: v1::DirectionOrigin::Declared.into(),
            motion: motion(30),
            ..v1::KeyedMotion::default()
        };
        let coverage = v1::UsageCoverage {
            asked: length(1_000),
            speed: length(930),
            direction: length(900),
            ..v1::UsageCoverage::default()
        };
        let total = v1::Usage {
            forward: motion(185),
            reverse: motion(12),
            unknown: motion(7),
            keyed: vec![keyed],
            coverage: Some(coverage),
            ..v1::Usage::default()
        };
        let as_of = v1::AsOf {
            machines_silent: 1,
            silent_machine_ids: vec!["n-3".to_owned()],
            ..v1::AsOf::default()
        };
        let count = |severity: v1::Severity, count| v1::IncidentCount {
            severity: severity.into(),
            count,
            ..v1::IncidentCount::default()
        };
        let peak: Timestamp = "2026-11-18T17:05:00Z".parse().unwrap();
        let figures = Figures {
            usage: v1::GetUsageResponse {
                total: Some(total),
                as_of: Some(as_of),
                ..v1::GetUsageResponse::default()
            },
            utilisation: v1::SiteUtilisation {
                peak_machines: 14,
                machines: 20,
                peak_time: Some(prost_types::Timestamp { seconds: peak.as_second(), nanos: 0 }),
                ..v1::SiteUtilisation::default()
            },
            sessions: 412,
            incidents: vec![
                count(v1::Severity::High, 2),
                count(v1::Severity::Critical, 1),
                count(v1::Severity::High, 1),
            ],
            open: 2,
            out_of_service: vec![("TM 4".to_owned(), "belt slips".to_owned())],
            due: (1..=12).map(|number| (format!("TM {number}"), 1.04)).collect(),
        };
        let report = report(&week(), &figures);
        for expected in [
            "Belts ran forward 3 h 05 min, of this declared and not measured 30 min; in reverse 12 min; which way is not \
             known 7 min.",
            "a speed 93 % of the time, a direction 90 %.",
            "Silent machines: 1 (n-3).",
            "Sessions: 412. Most machines in a session at once: 14 of 20, first at 2026-11-18 18:05.",
            "Incidents: 1 critical, 3 high; 2 of them not closed.",
            "Out of service now: TM 4 (belt slips).",
            "TM 10 (104 %) and 2 more.",
        ] {
            assert!(report.contains(expected), "{expected}\n{report}");
        }
    }
}
