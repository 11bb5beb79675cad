//! What lies in the server's folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use store::sqlite::backup::{self, Depth, Overview, RefusedPoints, StoreName};

use crate::command::backup::manifest::SECRETS;
use crate::command::finding::{Finding, Level};
use crate::command::folder::time_words;
use crate::command::restore::{RESTORING, chunks, losses};
use crate::config::{Config, RetentionConfig};
use crate::keeping::{free_bytes, lane_word};

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Slices of the journal that wait to be derived; a busy fleet makes as many in some minutes.
const SLICES_BEHIND_MAX: u64 = 50_000;
/// Days by which the history may be older than it is kept: what is stored together goes together.
const OVERDUE_DAYS: i64 = 3;

/// Everything about the folder.
pub(super) fn findings(config: &Config, now_us: i64) -> Vec<Finding> {
    let folder = &config.folder;
    if !folder.is_dir() {
        let words =
            format!("{} is not there: start the server once, or name another with --data", folder.display());
        return vec![Finding::bad("folder", words)];
    }
    let mut found = rights(folder);
    found.push(room(free_bytes(folder), &config.retention));
    let stores: Vec<Finding> = StoreName::of(folder).into_iter().map(|name| store(folder, name)).collect();
    let can_be_read = stores.iter().all(|finding| finding.level != Level::Bad);
    found.extend(stores);
    if !can_be_read {
        return found;
    }
    found.extend(chunks(folder));
    found.extend(elsewhere(folder));
    found.extend(refused(folder));
    match backup::overview(folder) {
        Ok(overview) => {
            found.extend(behind(&overview));
            found.extend(ages(&overview, &config.retention, now_us));
            found.extend(losses(&overview));
        }
        Err(error) => found.push(Finding::bad("contents", error.to_string())),
    }
    found
}

/// Who else may read what.
fn rights(folder: &Path) -> Vec<Finding> {
    let mode = |path: &Path| std::fs::metadata(path).map(|about| about.permissions().mode() & 0o777);
    let shown = folder.display();
    let mut found = Vec::new();
    match mode(folder) {
        Ok(mode) if mode & 0o022 != 0 => found.push(Finding::bad(
            "folder",
            format!("others on this computer can change {shown}: chmod 700 {shown}"),
        )),
        Ok(mode) if mode & 0o055 != 0 => found.push(Finding::warn(
            "folder",
            format!("others on this computer can read {shown}: chmod 700 {shown}"),
        )),
        Ok(_) => found.push(Finding::ok("folder", format!("{shown} is its owner's alone"))),
        Err(error) => found.push(Finding::bad("folder", format!("{shown} cannot be looked at: {error}"))),
    }
    if folder.join(RESTORING).exists() {
        let words = format!("a restore into {shown} was broken off: empty it and restore again");
        found.push(Finding::bad("folder", words));
    }
    for name in SECRETS.into_iter().filter(|name| !name.ends_with(".pem")) {
        let path = folder.join(name);
        match mode(&path) {
            Ok(mode) if mode & 0o077 != 0 => {
                let words = format!("others on this computer can use {0}: chmod 600 {0}", path.display());
                found.push(Finding::bad("secrets", words));
            }
            Ok(_) => found.push(Finding::ok("secrets", format!("{name} is its owner's alone"))),
            // Only a server that speaks TLS by itself has the others.
            Err(_) if name != SECRETS[0] => {}
            Err(error) => {
                let words = format!("{}: {error}; restore it from a backup", path.display());
                found.push(Finding::bad("secrets", words));
            }
        }
    }
    found
}

fn room(free: Option<u64>, retention: &RetentionConfig) -> Finding {
    let Some(free) = free else {
        return Finding::warn("disk", "the system does not say how much room is left");
    };
    let mib = free >> 20;
    if free < limits::JOURNAL_FREE_BYTES_MIN {
        let least = limits::JOURNAL_FREE_BYTES_MIN >> 20;
        let words =
            format!("{mib} MiB are left, less than {least}: readings wait at the machines; make room now");
        return Finding::bad("disk", words);
    }
    if mib < retention.free_mib_min {
        let least = retention.free_mib_min;
        let words = format!("{mib} MiB are left, less than {least}: the oldest readings go early; make room");
        return Finding::warn("disk", words);
    }
    Finding::ok("disk", format!("{mib} MiB are left"))
}

/// What a backup of the folder lacks.
fn elsewhere(folder: &Path) -> Option<Finding> {
    let words = "it is, or was, in InfluxDB, which `beltwatch backup` leaves out: make its backup with `influx backup`";
    StoreName::of(folder).contains(&StoreName::Influxdb).then(|| Finding::ok("history", words))
}

/// What InfluxDB did not take.
fn refused(folder: &Path) -> Option<Finding> {
    match backup::refused_points(folder) {
        Ok(None) => None,
        Ok(Some(refused)) => {
            let RefusedPoints { kept, dropped, reason } = refused;
            let older =
                if dropped > 0 { format!(" and dropped {dropped} older ones") } else { String::new() };
            let words = format!(
                "InfluxDB refused points for good; influxdb.db keeps {kept} of them{older}. The newest: {reason}"
            );
            Some(Finding::bad("history", words))
        }
        Err(error) => Some(Finding::bad("history", error.to_string())),
    }
}

fn store(folder: &Path, name: StoreName) -> Finding {
    let file = name.file();
    match backup::look_at(folder, name, Depth::Quick) {
        Ok(state) if !state.problems.is_empty() => {
            let problems = state.problems.join("; ").replace('\n', " ");
            Finding::bad(
                "store",
                format!("{file} is damaged: {problems}: stop the server and restore a backup"),
            )
        }
        Ok(state) if state.version < state.version_newest => {
            let (old, new) = (state.version, state.version_newest);
            Finding::ok("store", format!("{file} is whole; its format {old} becomes {new} at the next start"))
        }
        Ok(state) => Finding::ok("store", format!("{file} is whole, format {}", state.version)),
        Err(error) => Finding::bad("store", error.to_string()),
    }
}

/// How far what is derived is behind the journal.
fn behind(overview: &Overview) -> Vec<Finding> {
    let last = overview.span.last;
    if overview.watermark > last || overview.checkpointed > last {
        let words = "the journal ends before what is derived from it: restore all of one backup";
        return vec![Finding::bad("journal", words)];
    }
    let line = |subject, waiting: u64, what: &str| {
        let words = format!("{waiting} slices of the journal {what}");
        match waiting > SLICES_BEHIND_MAX {
            true => Finding::warn(
                subject,
                format!("{words}: see the server's log, and whether its disk keeps up"),
            ),
            false => Finding::ok(subject, words),
        }
    };
    vec![
        line("journal", last.saturating_sub(overview.span.trimmed), "are not removed yet"),
        line("telemetry", last.saturating_sub(overview.watermark), "are not in the history yet"),
    ]
}

/// Whether retention does what it should.
fn ages(overview: &Overview, retention: &RetentionConfig, now_us: i64) -> Vec<Finding> {
    let Some(stock) = &overview.stock else { return Vec::new() };
    let line = |lane: Lane, days: u32| {
        let UnixMicros(oldest) = stock.lane(lane).oldest?;
        let word = lane_word(lane);
        let words = format!("{word} since {}; they are kept for {days} days", time_words(oldest));
        let is_overdue = now_us.saturating_sub(oldest) > (i64::from(days) + OVERDUE_DAYS) * DAY_US;
        Some(match is_overdue {
            true => Finding::warn(
                "retention",
                format!(
                    "{words}: older ones go while the server runs; see its log, and this computer's clock"
                ),
            ),
            false => Finding::ok("retention", words),
        })
    };
    let lanes = [line(Lane::Readings, retention.readings_days), line(Lane::Events, retention.events_days)];
    lanes.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use store::journal::JournalSpan;
    use store::telemetry::{LaneStock, Stock};

    use super::*;

    #[test]
    fn room_is_judged_by_both_bounds() {
        let check = |free_mib: Option<u64>, level: Level| {
            let found = room(free_mib.map(|mib| mib << 20), &RetentionConfig::default());
            assert_eq!(found.level, level, "{found:?}");
        };
        check(Some(4_096), Level::Ok);
        check(Some(1_023), Level::Warn);
        check(Some(255), Level::Bad);
        check(None, Level::Warn);
    }

    fn overview(trimmed: u64, last: u64, watermark: u64, oldest: Option<i64>) -> Overview {
        let readings = LaneStock { oldest: oldest.map(UnixMicros), ..LaneStock::default() };
        let stock = Some(Stock { readings, ..Stock::default() });
        let span = JournalSpan { trimmed, last };
        Overview { span, watermark, checkpointed: 0, machines: 1, lost: Vec::new(), stock }
    }

    #[test]
    fn what_is_behind_or_apart_is_told() {
        let check = |trimmed, last, watermark, expected: &[Level]| {
            let found = behind(&overview(trimmed, last, watermark, None));
            assert_eq!(found.iter().map(|finding| finding.level).collect::<Vec<_>>(), expected, "{found:?}");
        };
        check(90, 100, 95, &[Level::Ok, Level::Ok]);
        check(0, 60_000, 59_000, &[Level::Warn, Level::Ok]);
        check(0, 60_000, 0, &[Level::Warn, Level::Warn]);
        check(0, 100, 101, &[Level::Bad]);
    }

    #[test]
    fn history_that_should_have_gone_is_told() {
        let check = |days_old: Option<i64>, expected: &[Level]| {
            let found =
                ages(&overview(0, 0, 0, days_old.map(|days| -days * DAY_US)), &RetentionConfig::default(), 0);
            assert_eq!(found.iter().map(|finding| finding.level).collect::<Vec<_>>(), expected, "{found:?}");
        };
        check(None, &[]);
        check(Some(92), &[Level::Ok]);
        check(Some(94), &[Level::Warn]);
    }

    #[test]
    fn a_folder_that_is_not_there_or_not_whole_is_bad() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { folder: folder.path().join("none"), ..Config::default() };
        let found = findings(&config, 0);
        assert_eq!((found.len(), found[0].level), (1, Level::Bad));

        let config = Config { folder: folder.path().to_owned(), ..Config::default() };
        let bad = findings(&config, 0).into_iter().filter(|finding| finding.level == Level::Bad);
        // No key and no store.
        assert_eq!(
            bad.map(|finding| finding.subject).collect::<Vec<_>>(),
            ["secrets", "store", "store", "store"]
        );
    }
}
