//! Later: an auditor finds an incident in the history, prints it, and takes its dossier, which the program verifies.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::super::driver::Browser;
use super::super::floor::Floor;
use super::command::{fingerprint, judge};
use super::{DONE, NOTE, Tools, text};
use crate::processes::PATIENCE;
use crate::report;

/// Octets that are changed, one at a time.
const CHANGES: usize = 5;

pub(super) async fn run(
    browser: &Browser,
    floor: &Floor,
    id: &str,
    random: &mut fastrand::Rng,
    tools: Tools<'_>,
) -> anyhow::Result<()> {
    browser.open(&floor.url("/incidents")).await?;
    browser.tap("#tab-closed").await?;
    browser.tap(&format!("#i-{id}")).await?;
    browser.wait_until("document.querySelector('.handling.h-closed')").await?;
    for css in ["#forms", ".quick"] {
        let found = browser.run("return document.querySelector(arguments[0])", vec![css.into()]).await?;
        ensure!(found.is_null(), "an auditor may change something: {css}");
    }
    let title = text(browser, "#incident-title").await?;
    let folder = floor.folder().join("downloads");
    std::fs::create_dir_all(&folder)?;
    browser.downloads(&folder).await?;
    browser.tap("main a[download]").await?;
    let dossier = wait_for_file(&folder).await?;
    browser.tap(&format!("main a[href='/incident/{id}/print']")).await?;
    browser.wait_until("location.pathname.endsWith('/print') && document.querySelector('footer')").await?;
    tools.picture(browser, "handling-6-print").await?;
    print(browser, floor, title.trim(), tools).await?;
    verify(floor, &dossier, random).await
}

/// One page of paper, on which everything is.
async fn print(browser: &Browser, floor: &Floor, title: &str, tools: Tools<'_>) -> anyhow::Result<()> {
    let paper = browser.paper().await?;
    ensure!(paper.starts_with(b"%PDF-"), "what is printed is no PDF");
    let plain = String::from_utf8_lossy(&paper);
    let pages = plain.matches("/Type /Page").count() - plain.matches("/Type /Pages").count();
    ensure!(pages == 1, "an incident takes {pages} pages");
    if let Some(folder) = tools.shots {
        std::fs::write(folder.join("handling-6-print.pdf"), &paper)?;
    }
    let Some(program) = tools.pdftotext else {
        report("handling: printed on one page; its text was not read (pdftotext was not given)");
        return Ok(());
    };
    let file = floor.folder().join("print.pdf");
    std::fs::write(&file, &paper)?;
    let read = Command::new(program).arg("-raw").arg(&file).arg("-").output().await?;
    let words = String::from_utf8_lossy(&read.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [title, "Unanchored:", "Nobody was hurt.", NOTE, DONE] {
        ensure!(words.contains(wanted), "\"{wanted}\" is not on paper: {words}");
    }
    report("handling: printed on one page, with title, both notes and \"unanchored\"");
    Ok(())
}

async fn wait_for_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let find = async {
        loop {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                // While it is written it has another name.
                if path.extension().is_some_and(|end| end == "json") {
                    return Ok::<_, std::io::Error>(path);
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    Ok(tokio::time::timeout(PATIENCE, find).await.context("no dossier was downloaded")??)
}

/// The program believes the file as it came, and no other.
async fn verify(floor: &Floor, dossier: &Path, random: &mut fastrand::Rng) -> anyhow::Result<()> {
    let key = fingerprint(floor).await?;
    let whole = judge(dossier, &key).await?;
    ensure!(whole.code == 0, "the dossier does not hold: {}", whole.told);
    let octets = std::fs::read(dossier)?;
    let text = String::from_utf8(octets.clone()).context("a dossier is text")?;
    let note = text.find("pressed it herself").context("the note is in the dossier")?;
    let changed = floor.folder().join("changed.json");
    let mut places = vec![note];
    places.extend((0..CHANGES).map(|_| random.usize(..octets.len())));
    for (number, place) in places.into_iter().enumerate() {
        let mut octets = octets.clone();
        // Another letter, digit or sign; never one that ends a text.
        octets[place] = if octets[place] == b'x' { b'y' } else { b'x' };
        std::fs::write(&changed, &octets)?;
        let judged = judge(&changed, &key).await?;
        ensure!(
            judged.code == 65,
            "with octet {place} changed it ends with {}: {}",
            judged.code,
            judged.told
        );
        let wrong = judged.told["wrong"].as_array().cloned().unwrap_or_default();
        ensure!(!wrong.is_empty(), "with octet {place} changed nothing is named: {}", judged.told);
        let is_named = wrong.iter().any(|one| one.as_str().is_some_and(|one| one.contains("note")));
        ensure!(number > 0 || is_named, "a changed note is not named: {}", Value::from(wrong));
        report(&format!("handling: octet {place} changed: 65, {}", wrong[0]));
    }
    report("handling: the dossier that the auditor downloaded is verified by the server's key");
    Ok(())
}
