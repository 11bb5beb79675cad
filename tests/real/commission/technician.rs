//! A technician beside the machine, who reads what `beltwatch-agent commission` says and does it.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::treadmill::Treadmill;
use crate::processes::{PATIENCE, program};

/// Length of the belt, once around.
const BELT_MM: u32 = 3_000;
/// Laps that are counted.
const LAPS: u32 = 2;

#[derive(Debug)]
pub(super) struct Technician {
    child: Child,
    hand: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
    heard: Vec<String>,
}

impl Technician {
    /// Begins, with the answers of a file or, without one, with answers that are typed.
    pub(super) fn begins(config: &Path, answers: Option<&Path>) -> anyhow::Result<Technician> {
        let mut command = Command::new(program("beltwatch-agent")?);
        let (belt_mm, laps) = (BELT_MM.to_string(), LAPS.to_string());
        command.args(["commission", "--belt-mm", &belt_mm, "--laps", &laps, "--patience", "60", "--config"]);
        command.arg(config);
        let hand = match answers {
            Some(file) => command.arg("--answers").arg(file).stdin(Stdio::null()),
            None => command.stdin(Stdio::piped()),
        };
        let mut child = hand.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let said = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        Ok(Technician { hand: child.stdin.take(), child, said, heard: Vec::new() })
    }

    /// Reads on until a line says this.
    pub(super) async fn hears(&mut self, part: &str) -> anyhow::Result<()> {
        loop {
            let line = timeout(PATIENCE, self.said.next_line()).await;
            let line = line.with_context(|| format!("\"{part}\" is not said: {:#?}", self.heard))??;
            let Some(line) = line else { bail!("it has ended without \"{part}\": {:#?}", self.heard) };
            self.heard.push(line);
            if self.heard.last().is_some_and(|line| line.contains(part)) {
                return Ok(());
            }
            ensure!(!self.heard.last().is_some_and(|line| line.contains("FAILED")), "{:#?}", self.heard);
        }
    }

    async fn answers(&mut self, line: &str) -> anyhow::Result<()> {
        let hand = self.hand.as_mut().context("the answers come from a file")?;
        Ok(hand.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Waits until it has ended, and gives its exit code.
    pub(super) async fn ended(&mut self) -> anyhow::Result<i32> {
        let status = timeout(PATIENCE, self.child.wait()).await.context("it does not end")??;
        status.code().with_context(|| format!("it ended with {status}"))
    }

    /// Does all that is asked for at a machine that is sound.
    pub(super) async fn does_all(&mut self, treadmill: &Treadmill) -> anyhow::Result<()> {
        self.hears("Put the safety key in").await?;
        self.answers("").await?;
        for (asked, contact) in
            [("pull the safety key", "safety_key"), ("press an emergency-stop", "emergency_stop")]
        {
            self.hears(asked).await?;
            self.answers("").await?;
            self.hears("Watching: ").await?;
            treadmill.opens(contact)?;
            self.hears("Seen. Put").await?;
            treadmill.closes()?;
        }
        self.hears("Let the belt stand").await?;
        self.answers("").await?;
        for (asked, speed) in [("Start the belt FORWARD", 600.0), ("start it in REVERSE", -600.0)] {
            self.hears(asked).await?;
            treadmill.runs(speed).await?;
            self.answers("").await?;
        }
        self.counts_laps(treadmill).await?;
        self.stops(treadmill).await?;
        self.hears("The direction is proven").await?;
        self.hears("> Who did this?").await?;
        self.answers("Jo Technician").await?;
        self.hears("> Record this").await?;
        self.answers("yes").await?;
        self.hears("Recorded: ").await
    }

    async fn counts_laps(&mut self, treadmill: &Treadmill) -> anyhow::Result<()> {
        self.hears("Put a mark on the belt").await?;
        treadmill.runs(800.0).await?;
        self.answers("").await?;
        self.hears("> Counting.").await?;
        treadmill.goes(f64::from(BELT_MM * LAPS)).await?;
        self.answers("").await
    }

    async fn stops(&mut self, treadmill: &Treadmill) -> anyhow::Result<()> {
        let stops = [
            ("then press the emergency-stop button", "emergency_stop", "stop_by_button shown"),
            ("then pull the key", "safety_key", "stop_by_key shown"),
        ];
        for (asked, contact, shown) in stops {
            self.hears(asked).await?;
            treadmill.closes()?;
            treadmill.runs(833.0).await?;
            self.answers("").await?;
            self.hears("Watching: ").await?;
            // It runs a while longer, as it does until somebody's hand is at the button.
            treadmill.goes(600.0).await?;
            treadmill.opens(contact)?;
            self.hears(shown).await?;
        }
        treadmill.closes()
    }
}
