//! A room of 500 machines that change once a second: what the page costs the browser, and what the first page weighs.
//!
//! States are put into the server's feed, where the ingest puts them: the browser is measured, not 500 agents.

use std::time::Duration;

use anyhow::Context;
use domain::belt::{Belt, Direction, Origin};
use domain::ids::MachineId;
use domain::live::{Latest, LiveState};
use domain::units::{Speed, UnixMicros};
use serde_json::{Value, json};
use store::feed::Feed;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::driver::Browser;
use super::floor::Floor;
use crate::report;

const MACHINES: usize = 500;
/// How long the page is measured, and before it how long it runs.
const MEASURED: Duration = Duration::from_secs(15);
const WARM_UP: Duration = Duration::from_secs(5);
/// How often a part of the machines changes, so that each does once a second.
const STEP: Duration = Duration::from_millis(20);
const STEPS_A_SECOND: usize = 50;

pub(super) async fn run(browser: &Browser) -> anyhow::Result<()> {
    let floor = Floor::start().await?;
    let outcome = measure(browser, &floor).await;
    floor.stop().await?;
    outcome
}

async fn measure(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    floor.add_site("north", "Northside Gym").await?;
    let mut machines = Vec::new();
    for number in 1..=MACHINES {
        let id = format!("north-{number:03}");
        machines.push(floor.add_machine("north", &id, &format!("Treadmill {number}")).await?.machine);
    }
    let ending = CancellationToken::new();
    let feeding = tokio::spawn(feed(floor.server()?.stores().feed.clone(), machines, ending.clone()));
    let outcome = look(browser, floor).await;
    ending.cancel();
    let changes = feeding.await?;
    outcome?;
    report(&format!("room: {changes} changes were put into the feed in all"));
    Ok(())
}

async fn look(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    browser.size(1_280, 900).await?;
    floor.sign_in(browser).await?;
    browser.command("Network.clearBrowserCache", json!({})).await?;
    browser.open(&floor.url("/floor/north")).await?;
    browser.wait_until("performance.getEntriesByName('first-contentful-paint').length > 0").await?;
    browser.wait_until(&format!("document.querySelectorAll('[data-id]').length >= {MACHINES}")).await?;
    let first = browser.run(include_str!("scripts/first_page.js"), Vec::new()).await?;
    report(&format!(
        "room: first page, nothing cached, loopback: {} octets in {} requests ({} of them the page itself, {} before \
         compression), first paint with content after {} ms, loaded after {} ms",
        first["bytes"],
        first["requests"],
        first["page_bytes"],
        first["page_bytes_plain"],
        first["paint_ms"],
        first["loaded_ms"]
    ));
    tokio::time::sleep(WARM_UP).await;
    browser.command("Performance.enable", json!({})).await?;
    browser.run(include_str!("scripts/changes.js"), Vec::new()).await?;
    let before = metrics(browser).await?;
    tokio::time::sleep(MEASURED).await;
    let after = metrics(browser).await?;
    let mutations = browser.run("return window.beltwatchChanges", Vec::new()).await?;
    let updates = MEASURED.as_secs_f64() * f64::from(u32::try_from(MACHINES)?);
    let callbacks = mutations["callbacks"].as_f64().unwrap_or(f64::NAN);
    for name in ["ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration"] {
        let spent_ms = (seconds(&after, name)? - seconds(&before, name)?) * 1e3;
        report(&format!(
            "room: {name}: {:.2} ms a second, {:.3} ms a batch of changes to the page, {:.4} ms a machine's change",
            spent_ms / MEASURED.as_secs_f64(),
            spent_ms / callbacks,
            spent_ms / updates,
        ));
    }
    report(&format!(
        "room: {updates:.0} changes of machines in {} s came to the page in {callbacks} batches; {} machines changed \
         there; longest time without a frame {} ms",
        MEASURED.as_secs(),
        mutations["machines"],
        mutations["frame_ms_max"]
    ));
    anyhow::ensure!(
        mutations["machines"] == json!(MACHINES),
        "not every machine changed on the page: {mutations}"
    );
    Ok(())
}

async fn metrics(browser: &Browser) -> anyhow::Result<Value> {
    Ok(browser.command("Performance.getMetrics", json!({})).await?["metrics"].take())
}

fn seconds(metrics: &Value, name: &str) -> anyhow::Result<f64> {
    let metric = metrics.as_array().into_iter().flatten().find(|metric| metric["name"] == name);
    metric
        .and_then(|metric| metric["value"].as_f64())
        .with_context(|| format!("the browser does not tell {name}"))
}

/// Changes every machine once a second until told to end; how many changes there were.
async fn feed(feed: Feed, machines: Vec<MachineId>, ending: CancellationToken) -> u64 {
    let mut ticks = tokio::time::interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut changes = 0;
    for step in 0_usize.. {
        tokio::select! {
            () = ending.cancelled() => break,
            _ = ticks.tick() => {}
        }
        for machine in machines.iter().skip(step % STEPS_A_SECOND).step_by(STEPS_A_SECOND) {
            feed.put(state(machine, changes));
            changes += 1;
        }
    }
    changes
}

/// A machine that runs forward at a speed that changes.
fn state(machine: &MachineId, change: u64) -> LiveState {
    let now = now();
    let speed = Speed(1_000 + u32::try_from(change % 1_500).unwrap_or(0));
    let belt = Belt {
        direction: Direction::Forward,
        origin: Origin::Measured,
        speed: Some(speed),
        ..Belt::default()
    };
    let holds_until = now.plus(3_000_000);
    let latest = Latest { time: now, belt, holds_until, since: Some(now), last_event: None };
    LiveState { latest: Some(latest), heard: Some(now), ..LiveState::new(machine.clone()) }
}

fn now() -> UnixMicros {
    let monotonic = i64::try_from(agent::clock::monotonic().0).unwrap_or(i64::MAX);
    UnixMicros(monotonic.saturating_add(agent::clock::system().offset_us))
}
