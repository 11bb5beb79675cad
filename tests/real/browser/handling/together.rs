//! Two people close one incident at the same time.

use anyhow::ensure;
use tokio::try_join;

use super::super::driver::{Browser, Driver};
use super::super::floor::Floor;
use super::super::people::MANAGER;
use super::{answer, row, says, text, unfold};
use crate::report;

const NOTES: [&str; 2] = ["He wanted to get off.", "He pressed it for fun."];
const CAUSES: [&str; 2] = ["deliberate_stop", "misuse"];

/// The first person is signed in already.
pub(super) async fn run(
    driver: &Driver,
    first: &Browser,
    floor: &Floor,
    machine: &str,
) -> anyhow::Result<()> {
    let second = driver.browser().await?;
    let outcome = Box::pin(close_both(first, &second, floor, machine)).await;
    let stopped = second.stop().await;
    outcome.and(stopped)
}

async fn close_both(first: &Browser, second: &Browser, floor: &Floor, machine: &str) -> anyhow::Result<()> {
    MANAGER.takes(second, floor).await?;
    for (number, browser) in [first, second].into_iter().enumerate() {
        browser.open(&floor.url("/incidents?people=all")).await?;
        browser.tap(&row(machine)).await?;
        unfold(browser, "#close-text").await?;
        browser.write("#close-text", NOTES[number]).await?;
        answer(browser, CAUSES[number]).await?;
    }
    let page = first.address().await?.to_string();
    ensure!(page == second.address().await?.to_string(), "both look at the same incident");
    try_join!(first.tap("#close"), second.tap("#close"))?;
    let mut ends = Vec::new();
    for browser in [first, second] {
        browser.wait_until("document.querySelector('.done, .banner.error')").await?;
        let told = text(browser, ".done, .banner.error").await?;
        report(&format!("handling: one of two who closed at once is told: {told}"));
    }
    for browser in [first, second] {
        browser.open(&page).await?;
        browser.wait_until("document.querySelector('.handling.h-closed')").await?;
        for note in NOTES {
            browser.wait_until(&says("#timeline", note)).await?;
        }
        ends.push(text(browser, "#dealt").await?);
    }
    ensure!(ends[0] == ends[1], "two people see two ends: {ends:?}");
    report(&format!("handling: both see one end and both notes: {}", ends[0].trim()));
    Ok(())
}
