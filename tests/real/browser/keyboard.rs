//! The pages without a mouse.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::driver::{Browser, Key};
use super::floor::Floor;
use super::incidents;
use crate::report;

/// Pages whose controls are gone through.
const PAGES: [&str; 10] = [
    "/",
    "/floor/north",
    "/machine/north-01",
    "/machine/north-08/drill",
    "/machine/north-08/service",
    "/incidents",
    "/proofs",
    "/administration/add/contact",
    "/administration/policies/@all",
    "/account",
];
/// More presses than this lead nowhere.
const PRESSES_MAX: usize = 400;

pub(super) async fn run(browser: &Browser) -> anyhow::Result<()> {
    let floor = Floor::in_every_status().await?;
    let outcome = walk(browser, &floor).await;
    floor.stop().await?;
    outcome
}

async fn walk(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    browser.size(1_280, 900).await?;
    browser.open(&floor.url("/sign-in")).await?;
    let mut faults = Vec::new();
    go_through(browser, "/sign-in", &mut faults).await?;
    floor.sign_in(browser).await?;
    incidents::wait_for(floor, 2).await?;
    for page in PAGES {
        browser.open(&floor.url(page)).await?;
        go_through(browser, page, &mut faults).await?;
    }
    browser.open(&floor.url("/incidents")).await?;
    browser.tap("#incidents a.open").await?;
    browser.wait_until("document.querySelector('#forms')").await?;
    browser
        .run("document.querySelectorAll('details').forEach((part) => part.open = true)", Vec::new())
        .await?;
    go_through(browser, "an incident with all forms open", &mut faults).await?;
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    see_to(browser, floor, "north-01", Key::Enter).await?;
    see_to(browser, floor, "north-02", Key::Space).await?;
    report("keyboard: a stop was seen to by Enter, another by Space");
    work_through(browser, floor).await
}

/// Goes down and up the list of incidents and opens one.
async fn work_through(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    browser.open(&floor.url("/incidents")).await?;
    for (key, row) in [(Key::J, 0), (Key::J, 1), (Key::K, 0), (Key::K, 0), (Key::Down, 1), (Key::Up, 0)] {
        browser.press(&[key]).await?;
        let is_there =
            format!("document.activeElement === document.querySelectorAll('#incidents a.open')[{row}]");
        browser.wait_until(&is_there).await.with_context(|| format!("{key:?} to row {row}"))?;
    }
    let path = browser.run("return document.activeElement.pathname", Vec::new()).await?;
    let focus = browser.run(include_str!("scripts/focus.js"), Vec::new()).await?;
    ensure!(focus["is_visible"] == true, "nobody sees which incident has the focus: {focus}");
    browser.press(&[Key::Enter]).await?;
    let is_open = format!("location.pathname === {path} && document.querySelector('#incident')");
    browser.wait_until(&is_open).await.context("Enter on an incident")?;
    report("keyboard: J, K and arrow keys go through the list of incidents, Enter opens one");
    Ok(())
}

/// Presses Tab until the focus has been everywhere.
async fn go_through(browser: &Browser, page: &str, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let controls = names(&browser.run(include_str!("scripts/controls.js"), Vec::new()).await?);
    ensure!(!controls.is_empty(), "{page} has no control");
    let mut reached = BTreeSet::new();
    let mut unseen = BTreeSet::new();
    for _ in 0..PRESSES_MAX.max(2 * controls.len()) {
        browser.press(&[Key::Tab]).await?;
        let focus = browser.run(include_str!("scripts/focus.js"), Vec::new()).await?;
        let Some(name) = focus["name"].as_str() else { break };
        if focus["is_visible"] != true {
            unseen.insert(name.to_owned());
        }
        if !reached.insert(name.to_owned()) && controls.is_subset(&reached) {
            break;
        }
    }
    let missed: Vec<&String> = controls.difference(&reached).collect();
    report(&format!(
        "keyboard: {page}: {} of {} controls reached",
        controls.len() - missed.len(),
        controls.len()
    ));
    faults.extend(missed.iter().map(|name| format!("{page}: Tab does not reach {name}")));
    faults.extend(unseen.iter().map(|name| format!("{page}: nobody sees that the focus is on {name}")));
    Ok(())
}

/// Goes to the control that says a stop was seen to, and presses a key on it.
async fn see_to(browser: &Browser, floor: &Floor, machine: &str, key: Key) -> anyhow::Result<()> {
    browser.open(&floor.url("/floor/north")).await?;
    let place = format!("[data-id=\"{machine}\"]");
    browser
        .wait_until(&format!("document.querySelector('{place} [data-stop-time], {place}[data-stop-time]')"))
        .await?;
    let mut is_there = false;
    for _ in 0..PRESSES_MAX {
        browser.press(&[Key::Tab]).await?;
        let script = "return document.activeElement.matches('button') \
                      && document.activeElement.closest('form')?.action.includes('/seen') \
                      && document.activeElement.closest('[data-id]')?.dataset.id === arguments[0]";
        is_there = browser.run(script, vec![machine.into()]).await? == true;
        if is_there {
            break;
        }
    }
    ensure!(is_there, "Tab does not reach the control that says the stop of {machine} was seen to");
    browser.press(&[key]).await?;
    floor
        .wait_for(&format!("the stop of {machine} was seen to"), |states| {
            states.iter().any(|state| {
                state.machine.as_ref().is_some_and(|found| found.id == machine)
                    && state.last_stop.as_ref().is_some_and(|stop| stop.acknowledged_by == "user:anna")
            })
        })
        .await
        .with_context(|| format!("after {key:?}"))
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
