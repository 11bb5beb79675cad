//! An incident's life among people: it arrives on a telephone, is dealt with, by one person and by two at once, and is
//! found, printed and proven later; and once more on the command line alone.

mod command;
mod proof;
mod together;

use std::path::Path;

use anyhow::{Context, ensure};
use domain::belt::{Contact, Direction};
use serde_json::json;
use wire::api::v1::Status;

use super::belt::{Act, Belt, Hand, starts};
use super::driver::{Browser, Driver};
use super::floor::Floor;
use super::people::{AUDITOR, MANAGER, STAFF, VIEWER};
use crate::report;

/// What somebody writes down on the telephone.
const NOTE: &str = "Spoke to her: dizzy, pressed it herself. \u{dc}bel war ihr.";
const DONE: &str = "Brought water, sat with her until her sister came.";
const MACHINES: usize = 4;

/// What the steps with people need besides a browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tools<'a> {
    pub(super) seed: u64,
    /// Folder for pictures.
    pub(super) shots: Option<&'a Path>,
    /// The program that reads the text of a PDF.
    pub(super) pdftotext: Option<&'a Path>,
}

impl Tools<'_> {
    /// A picture of what a telephone shows now.
    pub(super) async fn picture(&self, browser: &Browser, name: &str) -> anyhow::Result<()> {
        let Some(folder) = self.shots else { return Ok(()) };
        std::fs::create_dir_all(folder).context("no folder for the pictures")?;
        browser.picture(&folder.join(format!("{name}.png"))).await
    }
}

pub(super) async fn run(driver: &Driver, browser: &Browser, tools: Tools<'_>) -> anyhow::Result<()> {
    let mut floor = Floor::start().await?;
    let outcome = Box::pin(handle(driver, browser, &mut floor, tools)).await;
    floor.stop().await?;
    outcome
}

async fn handle(
    driver: &Driver,
    browser: &Browser,
    floor: &mut Floor,
    tools: Tools<'_>,
) -> anyhow::Result<()> {
    report(&format!("handling: seed {}", tools.seed));
    let mut random = fastrand::Rng::with_seed(tools.seed);
    floor.add_site("north", "Northside Gym").await?;
    let mut hands = Vec::new();
    for number in 1..=MACHINES {
        let id = machine(number);
        let credential = floor.add_machine("north", &id, &format!("Treadmill {number}")).await?;
        let hand = Hand::default();
        floor.play(credential, Belt::by_hand(&id, &hand)).await?;
        hands.push((hand, stop(&mut random)));
    }
    floor
        .wait_for("all belts stand", |states| states.iter().all(|state| state.status() == Status::Free))
        .await?;
    for person in [STAFF, MANAGER, AUDITOR, VIEWER] {
        person.join(floor, "north").await?;
    }
    let press = |number: usize| hands[number - 1].0.does(&hands[number - 1].1);
    STAFF.takes(browser, floor).await?;
    press(1);
    let first = live(browser, floor, tools).await?;
    press(2);
    close_as_normal(browser, floor, tools).await?;
    press(3);
    together::run(driver, browser, floor, &machine(3)).await?;
    look_only(browser, floor, &first).await?;
    AUDITOR.takes(browser, floor).await?;
    proof::run(browser, floor, &first, &mut random, tools).await?;
    press(4);
    command::run(floor, &machine(4)).await
}

fn machine(number: usize) -> String {
    format!("north-{number:02}")
}

/// A belt that runs, is stopped by its button, and comes to rest; nobody resets it.
fn stop(random: &mut fastrand::Rng) -> Vec<Act> {
    let (speed, step_ms) = (random.u32(900..2_000), 100 * random.u64(3..10));
    let slower = |thirds: u32| Act::runs(Direction::Forward, speed * thirds / 3, step_ms);
    let mut acts = starts(speed);
    acts.extend([
        Act::runs(Direction::Forward, speed, 3_000),
        slower(2).with_open(Contact::EmergencyStop),
        slower(1).with_open(Contact::EmergencyStop),
        Act::stands(1_000).with_open(Contact::EmergencyStop),
    ]);
    acts
}

/// An expression: what a selector finds says this.
pub(super) fn says(css: &str, words: &str) -> String {
    format!("document.querySelector({})?.textContent.includes({})", json!(css), json!(words))
}

pub(super) async fn text(browser: &Browser, css: &str) -> anyhow::Result<String> {
    let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
    let text = browser.run(script, vec![css.into()]).await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Opens the part of the page in which this field is.
async fn unfold(browser: &Browser, field: &str) -> anyhow::Result<()> {
    browser.tap(&format!("#forms details:has({field}) > summary")).await
}

/// Says in the form that closes why it happened and that nobody was hurt.
async fn answer(browser: &Browser, cause: &str) -> anyhow::Result<()> {
    let form = "#forms details:has(#close-text)";
    browser.tap(&format!("{form} input[name=cause][value={cause}]")).await?;
    browser.tap(&format!("{form} input[name=hurt][value=no]")).await
}

/// The incident of a machine in the list.
fn row(machine: &str) -> String {
    format!("#incidents tr:has(.s-critical):has(a[href='/machine/{machine}']) a.open")
}

/// From the floor that shows it by itself to its end. Gives its id.
async fn live(browser: &Browser, floor: &Floor, tools: Tools<'_>) -> anyhow::Result<String> {
    browser.open(&floor.url("/floor/north")).await?;
    browser.run("window.beltwatchSame = true", Vec::new()).await?;
    browser.wait_until("document.querySelector('#needs [data-id=\"north-01\"]')").await?;
    browser.wait_until("document.querySelector('#open-incidents-link')").await?;
    let same = browser.run("return window.beltwatchSame === true", Vec::new()).await?;
    ensure!(same == true, "the floor was loaded anew");
    tools.picture(browser, "handling-1-floor").await?;
    browser.tap("#open-incidents-link").await?;
    browser.tap(&row("north-01")).await?;
    browser.wait_until(&says(".card", "Go to the person.")).await?;
    let is_critical = "document.querySelector('#incident section.s-critical')";
    browser.wait_until(is_critical).await.context("a stop of a moving belt is critical")?;
    let id = browser.address().await?.path().trim_start_matches("/incident/").to_owned();
    tools.picture(browser, "handling-2-arrived").await?;
    browser.tap("#take").await?;
    browser.wait_until(&says(".done", "You are on it.")).await?;
    browser.wait_until("document.querySelector('.handling.h-progress')").await?;
    unfold(browser, "#note-text").await?;
    browser.write("#note-text", NOTE).await?;
    browser.tap("#note").await?;
    browser.wait_until(&says(".done", "The note is saved.")).await?;
    browser.wait_until(&says("#timeline", NOTE)).await?;
    unfold(browser, "#close-text").await?;
    browser.write("#close-text", DONE).await?;
    browser.tap("#close").await?;
    let asks = "document.querySelector('#cause-error, #hurt-error')";
    browser.wait_until(asks).await.context("a critical incident is closed without answers")?;
    let typed = browser.run("return document.querySelector('#close-text').value", Vec::new()).await?;
    ensure!(typed == DONE, "what was typed is gone: {typed}");
    tools.picture(browser, "handling-3-asked").await?;
    answer(browser, "discomfort").await?;
    browser.tap("#close").await?;
    browser.wait_until(&says(".done", "It is closed.")).await?;
    for words in ["Closed by", "Somebody did not feel well", "Nobody was hurt."] {
        browser.wait_until(&says("#dealt", words)).await?;
    }
    browser.wait_until(&says("#timeline", DONE)).await?;
    tools.picture(browser, "handling-4-closed").await?;
    report("handling: a stop came to the open floor, was taken, noted and closed on a telephone");
    Ok(id)
}

/// The next one comes to the open list, and is closed by one tap.
async fn close_as_normal(browser: &Browser, floor: &Floor, tools: Tools<'_>) -> anyhow::Result<()> {
    browser.open(&floor.url("/incidents")).await?;
    browser.run("window.beltwatchSame = true", Vec::new()).await?;
    browser.wait_until(&format!("document.querySelector({})", json!(row("north-02")))).await?;
    let same = browser.run("return window.beltwatchSame === true", Vec::new()).await?;
    ensure!(same == true, "the list was loaded anew");
    let closed = browser.run("return document.querySelectorAll('.h-closed').length", Vec::new()).await?;
    ensure!(closed == 0, "what is closed stands among what needs a person");
    tools.picture(browser, "handling-5-list").await?;
    browser.tap(&row("north-02")).await?;
    browser.tap("#close-normal").await?;
    browser.wait_until(&says(".done", "It is closed.")).await?;
    for words in ["Stopped on purpose", "Nobody was hurt."] {
        browser.wait_until(&says("#dealt", words)).await?;
    }
    browser.wait_until(&says("#timeline", "Spoke to the person")).await?;
    report("handling: a normal stop came to the open list and was closed by one tap");
    Ok(())
}

/// Who may only look sees how far people are: no button, no note, and not whether somebody was hurt.
async fn look_only(browser: &Browser, floor: &Floor, id: &str) -> anyhow::Result<()> {
    VIEWER.takes(browser, floor).await?;
    for path in
        [format!("/incident/{id}"), format!("/incident/{id}/print"), "/incidents?people=all".to_owned()]
    {
        browser.open(&floor.url(&path)).await?;
        let main = text(browser, "main").await?;
        for words in ["was hurt", NOTE, DONE] {
            ensure!(!main.contains(words), "{path}: a viewer reads {words}");
        }
        // The page to print has a button that prints.
        let script = "return document.querySelectorAll('main form[method=post], main [download]').length";
        let count = browser.run(script, Vec::new()).await?;
        ensure!(count == 0, "{path}: a viewer may do {count} things");
        ensure!(main.contains("closed"), "{path}: a viewer does not see that it is closed: {main}");
    }
    report("handling: a viewer sees that it is closed, and nothing to press, no note and no harm");
    Ok(())
}
