//! `docs/detection.md`: what was played, the table by rule and source, the alarm load of a month, and what all this cannot
//! say.

use std::fmt::Write as _;

use domain::incident::{Rule, Severity};

use crate::month::{Load, MACHINES, SITES, STAFFED_HOURS};
use crate::player::Sight;
use crate::statistics::lower_bound;
use crate::tally::{Row, Tally};

/// Where a document comes from.
#[derive(Debug, Clone)]
pub struct Made {
    /// Command that makes it again.
    pub command: String,
    /// Day.
    pub date: String,
    /// Commit of the sources.
    pub commit: String,
}

/// The whole document.
pub fn document(made: &Made, tally: &Tally, load: &Load) -> String {
    let Made { command, date, commit } = made;
    let (lives, hours) = (tally.lives, tally.total_us as f64 / 3.6e9);
    let mut out = format!(
        "{INTRODUCTION}\nMade by `{command}` on {date} from commit {commit}: {lives} lives of \
        machines, {hours:.0} hours in all.\n\n## By rule and source\n\n{COLUMNS}\n"
    );
    out.push_str(&table(tally));
    let _ = write!(out, "\n{REST}\n## Alarm load of an ordinary month\n\n");
    out.push_str(&month(load));
    out
}

const INTRODUCTION: &str = "# Detection of simulated episodes, which tell nothing of how often real machines send these signals

Episodes and near misses of every rule are planted at known times into simulated use, seen through three kinds of
sources, delivered with faults, and judged by the real signal watcher and the real rules. They are written from the
definitions and read no threshold of the rules. What a definition leaves open was decided beside the episode, in
`tests/detection/episodes`.

* `encoder`: ten values a second, noise of 10 mm/s, stance, pulses of half a millimetre; direction; contacts that bounce;
  incline; no word of starts and stops.
* `drive`: five values a second in steps of 3 mm/s; direction, run bit, commanded speed and faults from its registers;
  contacts that bounce; no incline.
* `ftms`: octets once a second through the agent's own interpreter, speed in tenths of a km/h, status up to a second
  late, lost frames; no direction, and of the contacts only the key, in words.

On the way clocks are wrong by up to 50 ms and drift by up to 50 parts in a million; lanes arrive apart, in pieces, some
twice; one life in ten loses readings, and radio loses three frames in a thousand. An episode counts as delivered if no
reading within 10 s of it and no frame within 2 s of it was lost.
";

const COLUMNS: &str = "Recall is found by delivered episodes. Precision is incidents that are episodes, or side effects of one that its
definition allows, by all incidents, in all lives of that source. In brackets is the exact lower bound with 95 %
confidence on one side (Clopper and Pearson). Near misses are planted as often as episodes, so precision is that of a
machine that is always about to fail. `cannot tell` counts what was planted all the same, and what was raised: nothing
may be.
";

const REST: &str = "Readings of a second give durations to about half a second: near misses keep that distance. A console that shows the
speed once a second cannot tell abrupt stops from below 9 km/h, or twitches of less than a second; it is not asked to.
FTMS has no word for a fault of the drive.

## Never captured from a real machine

* 2ADA 03, \"stopped by safety key\": no public capture has one; whether cheap machines send it is not known.
* A belt that runs in reverse, by any source.
* A negative incline in the encoding of the specification.
* CSAFE from a treadmill.
* How a belt comes to rest after an emergency stop; ramps here are those of normal stops and faster ones.
* Faults of a drive, and what consoles send when they lose their belt.
";

fn table(tally: &Tally) -> String {
    let mut out = String::from(
        "| rule | source | hours | not delivered | delivered episodes | found | recall (at least) | other severity | near misses | raised | \
         incidents | without cause | precision (at least) |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for rule in Rule::ALL {
        for sight in Sight::ALL {
            let row = tally.rows.get(&(rule, sight)).cloned().unwrap_or_default();
            let name = format!("R{:02} {}", rule.number(), rule.name());
            let _ = writeln!(out, "{}", line(&name, sight, &row));
        }
    }
    out
}

fn line(name: &str, sight: Sight, row: &Row) -> String {
    let sight = sight.name();
    if row.told_us == 0 {
        let (episodes, incidents, why) = (row.blind_episodes, row.blind_incidents, &row.blind_why);
        return format!(
            "| {name} | {sight} | cannot tell: {why} | | {episodes} | | | | | | {incidents} | {incidents} | |"
        );
    }
    let hours = row.told_us as f64 / 3.6e9;
    let (lost, episodes, found, other) = (row.undelivered, row.episodes, row.found, row.other_severity);
    let (near, raised, incidents, extra) = (row.near_misses, row.near_raised, row.incidents, row.extra);
    let (recall, precision) = (share(found, episodes), share(incidents - extra, incidents));
    format!(
        "| {name} | {sight} | {hours:.0} | {lost} | {episodes} | {found} | {recall} | {other} | {near} | {raised} | {incidents} | \
         {extra} | {precision} |"
    )
}

fn share(hits: u64, of: u64) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    format!("{:.4} ({:.3})", hits as f64 / of as f64, lower_bound(hits, of))
}

fn month(load: &Load) -> String {
    let Load { incidents, real, sessions, hours, days } = load;
    let mut out = format!(
        "{SITES} sites with {MACHINES} machines each, {days} days, {STAFFED_HOURS} staffed hours a day, {sessions} \
         sessions, {hours:.0} hours of machines. Guidance is followed; three sessions in ten end with the key as the off \
         switch; of each site's machines three have an encoder only, two a drive, three a console, of which one falls \
         silent when it stops. Consoles lose their radio for 2 to 7 s up to twice a day. {real} incidents tell of real \
         stops and are left out here.\n\n\
         A notification is an incident of medium severity or worse. Allowed: one in a staffed hour of a site, and one \
         critical in a week of a site.\n\n\
         | site | critical | high | medium | low | info | notifications in a staffed hour | critical in a week |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for site in 0..SITES {
        let count =
            |severity| incidents.get(&(site, severity)).map_or(0, |rules| rules.values().sum::<u64>());
        let counts = Severity::ALL.map(count);
        let staffed = (days * STAFFED_HOURS) as f64;
        let notified = (counts[0] + counts[1] + counts[2]) as f64 / staffed;
        let weekly = counts[0] as f64 * 7.0 / *days as f64;
        let [critical, high, medium, low, info] = counts;
        let _ = writeln!(
            out,
            "| {} | {critical} | {high} | {medium} | {low} | {info} | {notified:.3} | {weekly:.2} |",
            site + 1
        );
    }
    out.push_str("\nBy rule, all sites:");
    let mut rules: std::collections::BTreeMap<(Rule, Severity), u64> = std::collections::BTreeMap::new();
    for ((_, severity), of_site) in incidents {
        for (rule, count) in of_site {
            *rules.entry((*rule, *severity)).or_default() += count;
        }
    }
    let name = |(rule, severity): &(Rule, Severity)| format!(" {} {}", rule.name(), severity.name());
    let told: Vec<String> = rules.iter().map(|(key, count)| format!("{} {count}", name(key))).collect();
    let _ = writeln!(out, "{}.", if told.is_empty() { " none".to_owned() } else { told.join(",") });
    out
}
