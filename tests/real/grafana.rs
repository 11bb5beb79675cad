//! The questions of `deploy/grafana`, asked as Grafana asks them of an InfluxDB that a real server filled.

mod files;
mod gym;
mod judged;
mod rules;
mod shown;
#[cfg(test)]
mod tests;
mod variables;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;
use wire::api::v1;

use self::files::{Files, items, text};
use self::gym::{BUCKET, CONSOLE, Gym, Moved, STOPPED, UNHEARD};
use self::judged::{Judged, judge};
use self::shown::Shown;
use self::variables::Chosen;
use crate::influxd::{Influxd, parse_rows};
use crate::processes::PATIENCE;
use crate::report;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The program influxd
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Keep the folders with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

/// The browser's zone, one that is not UTC.
const ZONE: &str = "Europe/Vienna";
/// Points that a panel asks for.
const POINTS: i64 = 300;
/// Windows are not shorter than this, in seconds.
const WINDOW_S_MIN: i64 = 10;
/// How long InfluxDB may lack what the API tells.
const BEHIND_MAX: std::time::Duration = PATIENCE.saturating_mul(4);
/// What the server complained of last.
const TROUBLES: &str = r#" |> range(start: -5m)
    |> filter(fn: (r) => r._measurement == "service" and r._field == "trouble") |> tail(n: 3)"#;
/// Minutes of two sums of floats are equal if they differ by less.
const EQUAL: f64 = 1e-6;

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let files = Files::read(&arguments.project.join("deploy/grafana"))?;
    let listed = words::listed(&std::fs::read_to_string(arguments.project.join("docs/influxdb.md"))?);
    let found = rules::complaints(&files, &listed);
    ensure!(found.is_empty(), "the files are not right:\n{}", found.join("\n"));
    let questions = files.questions().len();
    report(&format!(
        "grafana: {} dashboards, {questions} questions, {} alerts",
        files.boards.len(),
        files.alerts.len()
    ));
    let (influxd, reading_token) = gym::set_up(&arguments.influxd).await?;
    nothing_alerts(&files, &influxd, &reading_token).await?;
    let mut gym = Gym::start(influxd, reading_token).await?;
    let outcome = Box::pin(look(&mut gym, &files, &arguments.project)).await;
    if outcome.is_err() || arguments.keep {
        gym.keep();
    }
    outcome
}

/// Before a server ran, and after one fell silent, exactly the rule that speaks of silence alerts.
async fn nothing_alerts(files: &Files, influxd: &Influxd, token: &str) -> anyhow::Result<()> {
    let alerting = alerting(files, influxd, token).await?;
    ensure!(alerting == ["beltwatch-silent"], "without any point these alert: {alerting:?}");
    let long_ago = (Timestamp::now() - SignedDuration::from_secs(90)).as_nanosecond();
    influxd.write(BUCKET, &format!("service uptime_s=1i,ready=true {long_ago}")).await?;
    let alerting = self::alerting(files, influxd, token).await?;
    ensure!(alerting == ["beltwatch-silent"], "with a point of 90 s ago these alert: {alerting:?}");
    report(
        "grafana: without points, and with none for 90 s, \"Beltwatch tells nothing\" alerts, and nothing else",
    );
    Ok(())
}

async fn look(gym: &mut Gym, files: &Files, project: &Path) -> anyhow::Result<()> {
    report(&format!("grafana: {STOPPED} runs with seed {}", gym.seed()));
    directions_now(gym, files).await?;
    gym.stopped_in_reverse().await?;
    gym.make_trouble().await?;
    gym.stop_agents().await?;
    let (usage, incidents) = in_step(gym, files).await?;
    every_panel(gym, files).await?;
    same_usage(gym, files, &usage).await?;
    same_incidents(gym, files, &incidents).await?;
    alerts(gym, files, &incidents).await?;
    pages(gym, project, &usage).await?;
    gym.stop().await
}

/// Waits until a belt is seen to move, which only holds while its reading does.
async fn directions_now(gym: &Gym, files: &Files) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let shown = ask_panel(gym, files, "beltwatch-fleet", "Machines by direction now").await?;
        if !shown.rows.is_empty() {
            let names = ["forward", "reverse", "stopped", "unknown"];
            let counts = names.map(|name| shown.number(name));
            let [forward, reverse, stopped, unknown] = counts;
            let [forward, reverse, stopped, unknown] = [forward?, reverse?, stopped?, unknown?];
            let all = forward + reverse + stopped + unknown;
            // One was never heard, and of the other two one tells no direction: stopped or unknown.
            if all >= 3.0 && forward + reverse > 0.0 {
                let is_right = all == 3.0 && unknown >= 1.0 && forward + reverse == 1.0;
                ensure!(
                    is_right,
                    "{forward} forward, {reverse} reverse, {stopped} stopped, {unknown} unknown"
                );
                report(&format!(
                    "grafana: now: {forward} forward, {reverse} reverse, {stopped} stopped, {unknown} unknown"
                ));
                return Ok(());
            }
        }
        ensure!(Instant::now() < deadline, "no belt is shown to move; the last answer was {:?}", shown.rows);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

type Told = (BTreeMap<String, Moved>, Vec<v1::Incident>);

/// Waits until the panels show what the API tells, and that what the API tells is worth comparing.
async fn in_step(gym: &Gym, files: &Files) -> anyhow::Result<Told> {
    let began = Instant::now();
    loop {
        let (usage, incidents) = (gym.usage().await?, gym.incidents().await?);
        let is_worth = usage.get(STOPPED).is_some_and(|moved| moved.reverse_us > 0 && moved.forward_us > 0)
            && usage.get(CONSOLE).is_some_and(|moved| moved.unknown_us > 0);
        let same = match is_worth {
            true => same_usage(gym, files, &usage).await.and(same_incidents(gym, files, &incidents).await),
            false => Err(anyhow::anyhow!("the API tells {usage:?}")),
        };
        if same.is_ok() {
            report(&format!(
                "grafana: InfluxDB has what the API tells after {} s",
                began.elapsed().as_secs()
            ));
            return Ok((usage, incidents));
        }
        if began.elapsed() > BEHIND_MAX {
            return same.map(|()| (usage, incidents)).context("InfluxDB never had what the API tells");
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

async fn every_panel(gym: &Gym, files: &Files) -> anyhow::Result<()> {
    let frames_max = files.sources[0]["jsonData"]["maxSeries"].as_u64().unwrap_or(1_000);
    let (mut panels, mut rows) = (0, 0);
    let mut wrong = Vec::new();
    for (name, board) in &files.boards {
        let chosen = choose(gym, board, Some(frames_max)).await.with_context(|| name.clone())?;
        for question in Files::panels(name, board) {
            let shown = ask(gym, question.flux, &chosen).await.with_context(|| question.place.clone())?;
            (panels, rows) = (panels + 1, rows + shown.rows.len());
            if let Err(error) = shown.fits(question.kind, frames_max) {
                wrong.push(format!("{}: {error}", question.place));
            }
        }
    }
    ensure!(wrong.is_empty(), "{} of {panels} questions:\n{}", wrong.len(), wrong.join("\n"));
    report(&format!(
        "grafana: {panels} questions of panels, as the browser asks them: all have rows, {rows} in all"
    ));
    Ok(())
}

/// The table by machine against the API.
async fn same_usage(gym: &Gym, files: &Files, usage: &BTreeMap<String, Moved>) -> anyhow::Result<()> {
    let shown = ask_panel(gym, files, "beltwatch-usage", "By machine").await?;
    let mut seen = BTreeMap::new();
    for row in &shown.rows {
        let number = |name: &str| row.get(name).and_then(|cell| cell.parse::<f64>().ok()).unwrap_or(f64::NAN);
        let minutes = [number("forward_h") * 60.0, number("reverse_min"), number("unknown_min")];
        if minutes != [0.0; 3] {
            seen.insert(row["machine"].clone(), minutes);
        }
    }
    let told: BTreeMap<String, [f64; 3]> = usage
        .iter()
        .map(|(machine, moved)| {
            let minutes = [moved.forward_us, moved.reverse_us, moved.unknown_us];
            (machine.clone(), minutes.map(|micros| micros as f64 / 60e6))
        })
        .collect();
    let are_equal = seen.len() == told.len()
        && told.iter().all(|(machine, told)| {
            let seen = seen.get(machine).copied().unwrap_or_default();
            seen.iter().zip(told).all(|(seen, told)| (seen - told).abs() < EQUAL)
        });
    ensure!(are_equal, "minutes forward, reverse, unknown: the panel has {seen:?}, the API {told:?}");
    Ok(())
}

/// The counts by severity, and of the table, against the API.
async fn same_incidents(gym: &Gym, files: &Files, incidents: &[v1::Incident]) -> anyhow::Result<()> {
    let shown = ask_panel(gym, files, "beltwatch-incidents", "By severity").await?;
    for (name, severity) in [
        ("critical", v1::Severity::Critical),
        ("high", v1::Severity::High),
        ("medium", v1::Severity::Medium),
        ("low", v1::Severity::Low),
        ("info", v1::Severity::Info),
    ] {
        let told = incidents.iter().filter(|one| one.severity() == severity).count();
        let seen = shown.number(name)?;
        ensure!(seen == told as f64, "the panel has {seen} {name} incidents, the API {told}");
    }
    let shown = ask_panel(gym, files, "beltwatch-incidents", "Latest").await?;
    let mut seen: Vec<&str> = shown.rows.iter().filter_map(|row| row.get("id").map(String::as_str)).collect();
    let mut told: Vec<&str> = incidents.iter().map(|one| one.id.as_str()).collect();
    seen.sort_unstable();
    told.sort_unstable();
    told.truncate(100);
    ensure!(seen == told || incidents.len() > 100, "the table has {seen:?}, the API {told:?}");
    Ok(())
}

/// With all at work: the refused message and the emergency stop alert, and nothing else.
async fn alerts(gym: &Gym, files: &Files, incidents: &[v1::Incident]) -> anyhow::Result<()> {
    let expected = ["beltwatch-refused", "beltwatch-critical-incident"];
    let alerting = lasting(gym, files, &expected).await?;
    ensure!(alerting == expected, "these alert: {alerting:?}; expected {expected:?}");
    let rule = files.alerts.iter().find(|rule| rule["uid"] == expected[1]).context("the rule is there")?;
    let judged = judge_rule(rule, &gym.influxd, &gym.reading_token).await?;
    let mut machines: Vec<String> = incidents
        .iter()
        .filter(|one| one.severity() == v1::Severity::Critical)
        .map(|one| one.machine_id.clone())
        .collect();
    machines.sort();
    machines.dedup();
    ensure!(
        judged == Judged::Beyond(machines.clone()),
        "{judged:?} alerts for a critical incident, not {machines:?}"
    );
    let rule =
        files.alerts.iter().find(|rule| rule["uid"] == "beltwatch-machine-silent").context("it is there")?;
    let judged = judge_rule(rule, &gym.influxd, &gym.reading_token).await?;
    ensure!(judged == Judged::Beyond(Vec::new()), "machines that were heard minutes ago: {judged:?}");
    report(&format!("grafana: with all at work these alert: {alerting:?}, for {machines:?}"));
    Ok(())
}

/// The questions of the documents.
async fn pages(gym: &Gym, project: &Path, usage: &BTreeMap<String, Moved>) -> anyhow::Result<()> {
    let readme = std::fs::read_to_string(project.join("README.md"))?;
    let [question] = words::blocks(&readme, "flux")[..] else {
        anyhow::bail!("README.md has not one block of flux");
    };
    let shown = Shown::new(rows(&gym.influxd, &gym.reading_token, question).await?);
    let mut seen = BTreeMap::new();
    for row in &shown.rows {
        seen.insert(row["machine"].clone(), row["reverse_minutes"].parse::<f64>()?);
    }
    let told = usage.iter().filter(|(_, moved)| moved.reverse_us > 0);
    let told: BTreeMap<String, f64> =
        told.map(|(machine, moved)| (machine.clone(), moved.reverse_us as f64 / 60e6)).collect();
    let are_equal = seen.keys().eq(told.keys())
        && seen.values().zip(told.values()).all(|(seen, told)| (seen - told).abs() < EQUAL);
    ensure!(are_equal && !told.is_empty(), "README: the question gives {seen:?}, the API {told:?}");
    report(&format!("grafana: reverse minutes by the README's question {seen:?}, by the API {told:?}"));
    let page = std::fs::read_to_string(project.join("docs/influxdb.md"))?;
    let blocks = words::blocks(&page, "flux");
    for block in &blocks {
        // Of machines that fell silent there are none yet.
        let rows = rows(&gym.influxd, &gym.reading_token, block).await?;
        ensure!(
            !rows.is_empty() || block.contains("silent_s > 600"),
            "docs/influxdb.md: no row for\n{block}"
        );
    }
    report(&format!("grafana: {} questions of docs/influxdb.md have rows", blocks.len()));
    ensure!(!usage.contains_key(UNHEARD), "a machine without an agent has usage");
    Ok(())
}

/// The uids of the rules that alert, without those that do so for less than their `for`: a busy machine's server may
/// complain for a moment, of which Grafana tells nobody. What it complained of is told here.
async fn lasting(gym: &Gym, files: &Files, expected: &[&str]) -> anyhow::Result<Vec<String>> {
    let began = Instant::now();
    loop {
        let alerting = alerting(files, &gym.influxd, &gym.reading_token).await?;
        let rule_of = |uid: &String| files.alerts.iter().find(|rule| rule["uid"] == uid.as_str());
        let rules = alerting.iter().filter(|uid| !expected.contains(&uid.as_str())).filter_map(rule_of);
        let lengths: anyhow::Result<Vec<_>> = rules.map(|rule| duration(text(&rule["for"]))).collect();
        if lengths?.into_iter().all(|length| began.elapsed() > length) {
            return Ok(alerting);
        }
        let said =
            rows(&gym.influxd, &gym.reading_token, &format!("from(bucket: \"{BUCKET}\"){TROUBLES}")).await?;
        let said: Vec<_> = said.iter().filter_map(|row| row.get("_value")).collect();
        report(&format!("grafana: {alerting:?} alert; the last troubles: {said:?}"));
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
}

/// A rule's `for`, such as `1m`.
fn duration(text: &str) -> anyhow::Result<std::time::Duration> {
    let length: SignedDuration = text.parse().with_context(|| format!("{text} is no length of time"))?;
    Ok(length.try_into()?)
}

/// The uids of the rules that alert.
async fn alerting(files: &Files, influxd: &Influxd, token: &str) -> anyhow::Result<Vec<String>> {
    let mut alerting = Vec::new();
    for rule in &files.alerts {
        if judge_rule(rule, influxd, token).await?.is_alerting() {
            alerting.push(text(&rule["uid"]).to_owned());
        }
    }
    Ok(alerting)
}

async fn judge_rule(rule: &Value, influxd: &Influxd, token: &str) -> anyhow::Result<Judged> {
    let title = text(&rule["title"]);
    let question = items(rule, "data").find_map(|step| step["model"]["query"].as_str());
    let question = question.with_context(|| format!("the alert \"{title}\" asks nothing"))?;
    let asked = chosen(SignedDuration::from_mins(10)).put_into(question)?;
    let shown = Shown::new(rows(influxd, token, &asked).await.with_context(|| title.to_owned())?);
    if !shown.rows.is_empty() {
        shown.fits("alert", u64::MAX).with_context(|| title.to_owned())?;
    }
    judge(rule, &shown.rows)
}

/// One panel's answer, with everything chosen.
async fn ask_panel(gym: &Gym, files: &Files, uid: &str, title: &str) -> anyhow::Result<Shown> {
    let board = files.board(uid).with_context(|| format!("there is no dashboard {uid}"))?;
    let question = Files::panels(uid, board).find(|question| question.title == title);
    let question = question.with_context(|| format!("{uid} has no panel \"{title}\""))?;
    let chosen = choose(gym, board, None).await?;
    ask(gym, question.flux, &chosen).await.with_context(|| question.place.clone())
}

/// A dashboard as it opens: its time, and all values of its variables. `frames_max`: each must fit.
async fn choose(gym: &Gym, board: &Value, frames_max: Option<u64>) -> anyhow::Result<Chosen> {
    let mut chosen = chosen(length(text(&board["time"]["from"]))?);
    for variable in items(&board["templating"], "list") {
        let name = text(&variable["name"]).to_owned();
        let values = match variable["query"]["query"].as_str() {
            Some(question) => {
                let shown = ask(gym, question, &chosen).await?;
                if let Some(frames_max) = frames_max {
                    shown.fits("variable", frames_max).with_context(|| format!("variable {name}"))?;
                }
                // Grafana takes the first column of texts; there is only this one.
                shown.rows.iter().filter_map(|row| row.get(&name).cloned()).collect()
            }
            None => text(&variable["query"]).split(',').map(|value| value.trim().to_owned()).collect(),
        };
        chosen.variables.insert(name, values);
    }
    Ok(chosen)
}

fn chosen(length: SignedDuration) -> Chosen {
    let stop = Timestamp::now();
    let window_s = (length.as_secs() / POINTS).max(WINDOW_S_MIN);
    Chosen {
        start: stop - length,
        stop,
        window: format!("{}m{}s", window_s / 60, window_s % 60),
        bucket: BUCKET.to_owned(),
        zone: ZONE.to_owned(),
        variables: BTreeMap::new(),
    }
}

/// The length of a relative time such as `now-7d`.
fn length(from: &str) -> anyhow::Result<SignedDuration> {
    let back = from.strip_prefix("now-").with_context(|| format!("{from} is no relative time"))?;
    let (number, unit) = back.split_at(back.len().saturating_sub(1));
    let hours = match unit {
        "h" => number.parse::<i64>()?,
        "d" => number.parse::<i64>()? * 24,
        _ => anyhow::bail!("{from}: hours and days are known here"),
    };
    Ok(SignedDuration::from_hours(hours))
}

async fn ask(gym: &Gym, flux: &str, chosen: &Chosen) -> anyhow::Result<Shown> {
    Ok(Shown::new(rows(&gym.influxd, &gym.reading_token, &chosen.put_into(flux)?).await?))
}

/// Asks with the token that Grafana has.
async fn rows(influxd: &Influxd, token: &str, flux: &str) -> anyhow::Result<Vec<shown::Row>> {
    let answer = influxd.query_as(token, flux).await?.good();
    parse_rows(&answer.with_context(|| format!("question:\n{flux}"))?)
}
