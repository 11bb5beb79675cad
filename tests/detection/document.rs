//! The tables of `docs/detection.md`.

use std::fmt::Write as _;

use domain::incident::Rule;

use crate::player::Sight;
use crate::statistics::lower_bound;
use crate::tally::{Row, Tally};

/// The table by rule and source.
pub fn table(tally: &Tally) -> String {
    let mut out = String::from(
        "| rule | source | hours | episodes | found | recall (at least) | other severity | near misses | of them raised | \
         incidents | without cause | precision (at least) |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
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
            "| {name} | {sight} | cannot tell | {episodes} | {incidents} | – | – | – | – | {incidents} | {incidents} | {why} |"
        );
    }
    let hours = row.told_us as f64 / 3.6e9;
    let (episodes, found, other) = (row.episodes, row.found, row.other_severity);
    let (near, raised, incidents, extra) = (row.near_misses, row.near_raised, row.incidents, row.extra);
    let (recall, precision) = (share(found, episodes), share(incidents - extra, incidents));
    format!(
        "| {name} | {sight} | {hours:.0} | {episodes} | {found} | {recall} | {other} | {near} | {raised} | {incidents} | \
         {extra} | {precision} |"
    )
}

fn share(hits: u64, of: u64) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    format!("{:.4} ({:.3})", hits as f64 / of as f64, lower_bound(hits, of))
}
