//! From the edge of an emergency stop, by the agent's clock, to the painted page, by the browser's. Both clocks are
//! this computer's.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::belt::{Contact, Direction};
use serde_json::Value;
use tokio::time::Instant;

use super::belt::{Act, Belt, Edge, Edges};
use super::driver::Browser;
use super::floor::Floor;
use super::found::{Found, Watch};
use super::times::{Times, ask_disk};
use crate::processes::PATIENCE;
use crate::report;

const MACHINES: usize = 40;
/// Stops of each machine.
const STOPS: u32 = 13;
/// One stop of one machine. A contact that opens more often would be told as chattering.
const ROUND: [Act; 4] = [
    Act::runs(Direction::Forward, 1_800, 4_000),
    Act::runs(Direction::Forward, 600, 500).with_open(Contact::EmergencyStop),
    Act::stands(1_000).with_open(Contact::EmergencyStop),
    Act::stands(2_700),
];
/// How far the stop's time may lie from the edge's, by two clocks that are settled apart, in milliseconds.
const CLOCKS_APART_MS: f64 = 2_000.0;

pub(super) async fn run(browser: &Browser) -> anyhow::Result<()> {
    let mut floor = Floor::start().await?;
    let outcome = measure(browser, &mut floor).await;
    floor.stop().await?;
    outcome
}

async fn measure(browser: &Browser, floor: &mut Floor) -> anyhow::Result<()> {
    floor.add_site("north", "Northside Gym").await?;
    let disk = ask_disk(floor.folder()).await?;
    let mut credentials = Vec::new();
    for number in 1..=MACHINES {
        let id = format!("north-{number:02}");
        credentials.push(floor.add_machine("north", &id, &format!("Treadmill {number}")).await?);
    }
    let watch = Watch::start(floor.incidents().await?).await?;
    floor.sign_in(browser).await?;
    browser.open(&floor.url("/floor/north")).await?;
    browser.wait_until(&format!("document.querySelectorAll('[data-id]').length >= {MACHINES}")).await?;
    browser.run(include_str!("scripts/painted.js"), Vec::new()).await?;
    let edges = Edges::default();
    let round_ms: u64 = ROUND.iter().map(|act| act.millis).sum();
    for (number, credential) in credentials.into_iter().enumerate() {
        let id = credential.machine.to_string();
        // Machines do not go in step with each other, nor with the browser's frames.
        let later_us = round_ms * 1_000 * number as u64 / MACHINES as u64 + 7_919 * number as u64 % 100_000;
        floor.play(credential, Belt::new(&id, &ROUND, u64::from(STOPS), later_us, &edges)).await?;
    }
    let painted = wait_for_all(browser, &edges).await?;
    let found = watch.end().await?;
    let (times, mut faults) = compare(&edges.all(), &painted, "painted");
    let (incident_times, incident_faults) = compare(&edges.all(), &found, "told as incidents");
    faults.extend(incident_faults);
    let rows = [
        ("e-stop edge to painted", &times),
        ("e-stop edge to incident in WatchIncidents", &incident_times),
        ("append of 4 KiB with fsync, same disk", &disk),
    ];
    for (name, times) in rows {
        report(&format!("stops: {name}: {times}"));
    }
    ensure!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    report(&format!(
        "stops: all {} painted and told as incidents, each once, none invented",
        MACHINES * STOPS as usize
    ));
    Ok(())
}

/// Waits until all were pressed and as many were painted, and then for a moment for more.
async fn wait_for_all(browser: &Browser, edges: &Edges) -> anyhow::Result<Vec<Found>> {
    let all = MACHINES * STOPS as usize;
    let round_ms: u64 = ROUND.iter().map(|act| act.millis).sum();
    let deadline = Instant::now() + Duration::from_millis(round_ms) * (STOPS + 2) + PATIENCE;
    let mut shown = Vec::new();
    while Instant::now() < deadline && (edges.all().len() < all || shown.len() < all) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        shown = read(browser).await?;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    read(browser).await
}

async fn read(browser: &Browser) -> anyhow::Result<Vec<Found>> {
    let script =
        "return window.beltwatchPainted.map(([machine, stop, at]) => [machine, Number(stop) * 1000, at])";
    let list = browser.run(script, Vec::new()).await?;
    let painted = |entry: &Value| -> anyhow::Result<Found> {
        Ok(Found {
            machine: entry[0].as_str().context("a machine")?.to_owned(),
            stop_ms: entry[1].as_f64().context("data-stop-time is no time")?,
            at_ms: entry[2].as_f64().context("a time")?,
        })
    };
    list.as_array().context("a list")?.iter().map(painted).collect()
}

/// Milliseconds from edge to painted or told; and what was so twice, never, or without an edge.
fn compare(edges: &[Edge], painted: &[Found], how: &str) -> (Times, Vec<String>) {
    let offset_us = agent::clock::system().offset_us;
    let mut of_machine: BTreeMap<&str, (Vec<f64>, Vec<&Found>)> = BTreeMap::new();
    for edge in edges {
        let at = i64::try_from(edge.at.0).unwrap_or(i64::MAX).saturating_add(offset_us);
        of_machine.entry(&edge.machine).or_default().0.push(millis(at));
    }
    for one in painted {
        of_machine.entry(&one.machine).or_default().1.push(one);
    }
    let (mut times, mut faults) = (Vec::new(), Vec::new());
    for (machine, (edges, painted)) in of_machine {
        if edges.len() != painted.len() || edges.len() != STOPS as usize {
            faults.push(format!("{machine}: {} stops, {} {how}", edges.len(), painted.len()));
        }
        for (edge, painted) in edges.iter().zip(painted) {
            let apart = (painted.stop_ms - edge).abs();
            if apart > CLOCKS_APART_MS {
                faults.push(format!("{machine}: a stop is {how} whose time is {apart:.0} ms from the edge"));
            }
            times.push(painted.at_ms - edge);
        }
    }
    (Times::new(times), faults)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit a double for centuries")]
fn millis(micros: i64) -> f64 {
    micros as f64 / 1e3
}
