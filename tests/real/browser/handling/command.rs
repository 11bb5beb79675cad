//! An incident's life on the command line alone, with the real program.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::super::floor::Floor;
use crate::processes::{PATIENCE, program};
use crate::report;

const NOTE: &str = "Found the button pressed; nobody near it.";

/// How a command ended, and what it told.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) code: i32,
    pub(super) told: Value,
}

/// The fingerprint of the server's key, as the program shows it.
pub(super) async fn fingerprint(floor: &Floor) -> anyhow::Result<String> {
    let key = ask(floor, &["incident", "key"]).await?;
    Ok(key["fingerprint"].as_str().with_context(|| format!("no fingerprint: {key}"))?.to_owned())
}

/// Judges a dossier without a server.
pub(super) async fn judge(file: &Path, key: &str) -> anyhow::Result<Judged> {
    let mut command = Command::new(program("beltwatch")?);
    // Nothing answers there.
    command.env("BELTWATCH_SERVER", "http://127.0.0.1:1");
    let command = command.args(["incident", "verify", "--json", "--key", key]).arg(file);
    let output = command.output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let told = serde_json::from_slice(&output.stdout).with_context(|| format!("no JSON: {said}"))?;
    Ok(Judged { code: output.status.code().context("it was killed")?, told })
}

/// What a command prints as JSON; it must succeed.
async fn ask(floor: &Floor, arguments: &[&str]) -> anyhow::Result<Value> {
    let mut command = Command::new(program("beltwatch")?);
    let output = command.args(["--server", &floor.url(""), "--json"]).args(arguments).output().await?;
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let what = arguments.join(" ");
    ensure!(output.status.success(), "{what}: {}: {said}", output.status);
    serde_json::from_str(&told).with_context(|| format!("{what}: no JSON: {told}"))
}

/// Those that need a person, at one machine.
async fn needing(floor: &Floor, machine: &str) -> anyhow::Result<Vec<Value>> {
    let listed = ask(floor, &["incident", "list", "--needs-person", "--machine", machine]).await?;
    Ok(listed["incidents"].as_array().with_context(|| format!("no list: {listed}"))?.clone())
}

pub(super) async fn run(floor: &Floor, machine: &str) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let id = loop {
        if let [incident] = needing(floor, machine).await?.as_slice() {
            break incident["id"].as_str().context("an id")?.to_owned();
        }
        if tokio::time::Instant::now() > deadline {
            bail!("not after {PATIENCE:?}: a stop of {machine} that needs a person");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    // A beginning of the id is enough.
    let short = &id[..12];
    ask(floor, &["incident", "ack", short]).await?;
    ask(floor, &["incident", "note", short, NOTE]).await?;
    ask(floor, &["incident", "close", short, "--cause", "unknown", "--hurt", "no"]).await?;
    ensure!(needing(floor, machine).await?.is_empty(), "what is closed still needs a person");
    let timeline = ask(floor, &["incident", "timeline", &id]).await?;
    let steps = timeline["steps"].as_array().with_context(|| format!("no steps: {timeline}"))?;
    let mut names: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    // When the server seals the evidence is its own affair.
    names.retain(|name| *name != "sealed");
    ensure!(names == ["acknowledged", "noted", "closed"], "the timeline is {timeline}");
    ensure!(steps.iter().any(|step| step["note"] == NOTE), "the note is not in the timeline: {timeline}");
    let file = floor.folder().join("dossier.json");
    let out = file.display().to_string();
    let written = ask(floor, &["incident", "export", &id, "--out", &out]).await?;
    let told = written["dossiers"][0].clone();
    let key = fingerprint(floor).await?;
    ensure!(told["key_fingerprint"] == key, "another key: {told}");
    ensure!(told["anchored"] == false, "nobody outside took a head: {told}");
    let judged = judge(&file, &key).await?;
    ensure!(judged.code == 0, "the exported dossier does not hold: {}", judged.told);
    let other = judge(&file, &"0".repeat(64)).await?;
    ensure!(other.code == 65 && other.told["key"] == "another", "another key is believed: {}", other.told);
    report("handling: the same by list, ack, note, close, timeline, export and verify of the program");
    Ok(())
}
