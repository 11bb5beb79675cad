//! The server goes away under an open page, and comes again: the page says so, ages, and is right again by itself.

use std::time::Duration;

use anyhow::ensure;
use domain::belt::{Contact, Direction};

use super::belt::{Act, Belt, Edges};
use super::driver::Browser;
use super::exchange::Line;
use super::floor::Floor;
use crate::report;

pub(super) async fn run(browser: &Browser) -> anyhow::Result<()> {
    let mut floor = Floor::start().await?;
    let outcome = lose(browser, &mut floor).await;
    floor.stop().await?;
    outcome
}

/// Whether the page says that its connection is lost.
const LOST: &str = "document.querySelector('#lost:not([hidden])')";

async fn lose(browser: &Browser, floor: &mut Floor) -> anyhow::Result<()> {
    floor.add_site("north", "Northside Gym").await?;
    let credential = floor.add_machine("north", "north-01", "Treadmill 1").await?;
    let acts = [
        Act::runs(Direction::Forward, 1_800, 20_000),
        Act::runs(Direction::Forward, 600, 500).with_open(Contact::EmergencyStop),
        Act::stands(1_000).with_open(Contact::EmergencyStop),
    ];
    let edges = Edges::default();
    floor.play(credential, Belt::new("north-01", &acts, 1, 0, &edges)).await?;
    floor.sign_in(browser).await?;
    browser.open(&floor.url("/floor/north")).await?;
    browser.wait_until(&tile("classList.contains('forward')")).await?;
    ensure!(!is_lost(browser).await?, "the page says that it lost its connection before it did");
    browser.run("window.beltwatchSame = true", Vec::new()).await?;
    floor.stop_server().await?;
    browser.wait_until(LOST).await?;
    let first = told(browser).await?;
    report(&format!("lost: the page says: {first}"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = told(browser).await?;
    ensure!(first != second, "nothing on the page ages: {first}");
    let age = "return Number(document.querySelector('[data-lost-age]').textContent.match(/\\d+/)?.[0])";
    let seconds = browser.run(age, Vec::new()).await?.as_u64().unwrap_or(0);
    // The page learns of the loss within a moment, and tells whole seconds.
    ensure!(seconds >= 4, "5 s and more after the loss the page says {seconds} s");
    let looks_old = browser.run("return document.body.classList.contains('stale')", Vec::new()).await?;
    ensure!(looks_old == true, "the tiles look as if they were of now");
    report(&format!("lost: and 5 s later: {second}"));
    ensure!(edges.all().len() <= 1, "the belt is stopped once");
    while edges.all().is_empty() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    floor.start_server().await?;
    browser.wait_until(&format!("!{LOST}")).await?;
    browser.wait_until(&tile("classList.contains('emergency-stop')")).await?;
    let same = browser.run("return window.beltwatchSame === true", Vec::new()).await?;
    ensure!(same == true, "the page was loaded anew");
    report("lost: the stop that came meanwhile is on the page, which was not loaded anew");
    silence(browser, floor).await
}

/// The line falls silent without a word of it: the page finds out by itself.
async fn silence(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    let line = Line::start(floor.server()?.api_address()).await?;
    Floor::sign_in_at(browser, &line.url("/sign-in")).await?;
    browser.open(&line.url("/floor/north")).await?;
    browser.wait_until(&tile("classList.contains('emergency-stop')")).await?;
    browser.run("window.beltwatchSame = true", Vec::new()).await?;
    ensure!(!is_lost(browser).await?, "the page says that it lost its connection before it did");
    line.silence(true);
    browser.wait_until(LOST).await?;
    line.silence(false);
    browser.wait_until(&format!("!{LOST}")).await?;
    let same = browser.run("return window.beltwatchSame === true", Vec::new()).await?;
    ensure!(same == true, "the page was loaded anew");
    report("lost: a line that falls silent is noticed, and the page is right again after");
    Ok(())
}

async fn is_lost(browser: &Browser) -> anyhow::Result<bool> {
    Ok(browser.run(&format!("return Boolean({LOST})"), Vec::new()).await? == true)
}

/// What the page says of its connection and of the machine.
async fn told(browser: &Browser) -> anyhow::Result<String> {
    let script = format!(
        "return [{LOST}?.innerText, document.querySelector('[data-id=\"north-01\"]')?.innerText].join(' | ')"
    );
    let told = browser.run(&script, Vec::new()).await?;
    Ok(told.as_str().unwrap_or_default().replace('\n', " "))
}

fn tile(condition: &str) -> String {
    format!("document.querySelector('.tile[data-id=\"north-01\"]')?.{condition}")
}
