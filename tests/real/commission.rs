//! One machine commissioned from end to end, by processes: enrolled, watched while its direction is unknown, an inverted drive
//! found out, commissioned, its history judged anew, and its sources set differently afterwards.

mod technician;
mod treadmill;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use self::technician::Technician;
use self::treadmill::Treadmill;
use crate::processes::{PATIENCE, Process, program};
use crate::report;
use crate::secured::{POLL, Secured};

const MACHINE: &str = "tm-01";
/// What the program ends with when nothing was recorded.
const BROKEN_OFF: i32 = 75;
/// Readings in each direction that make a history.
const ENOUGH: usize = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// libfaketime, so that the history lies two days back; without it no usage can be rebuilt, whose day has to be over
    #[arg(long, value_name = "FILE")]
    faketime: Option<PathBuf>,
    /// Keep the folder with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

/// The machine, and the server that hears of it.
struct Stage {
    secured: Secured,
    treadmill: Treadmill,
    /// Configurations of the agent: as is right for how the drive is wired, and with the drive the wrong way round.
    right: PathBuf,
    wrong: PathBuf,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stage = Stage::start(arguments.faketime.as_deref()).await?;
    let outcome = from_end_to_end(&mut stage, arguments.faketime.is_some()).await;
    if outcome.is_err() || arguments.keep {
        stage.secured.keep();
    }
    outcome
}

async fn from_end_to_end(stage: &mut Stage, has_days: bool) -> anyhow::Result<()> {
    stage.runs_unproven().await?;
    report("before a commissioning: the belt moves, direction unknown");
    stage.secured.restart().await?;
    stage.finds_the_inverted_drive().await?;
    report("a drive the wrong way round is found, `invert = true` is proposed, nothing is recorded");
    let mut technician = Technician::begins(&stage.right, None)?;
    technician.does_all(&stage.treadmill).await?;
    ensure!(technician.ended().await? == 0, "it was recorded, and ends with an error");
    stage.has_the_fact().await?;
    report("commissioned: a fact of the machine's own, dated by the server");
    // What is listed goes by what is known by now.
    for direction in ["forward", "reverse"] {
        stage.until_stored(direction, "", ENOUGH).await?;
    }
    let now = stage.runs_proven().await?;
    report(&format!("afterwards the live state says {now}"));
    // It ends with a checkpoint: the day of the history is over then, and nothing that was known is forgotten.
    stage.secured.restart().await?;
    if has_days {
        stage.gives_history_its_direction().await?;
    } else {
        report("skipped: usage is rebuilt when its day is over, and libfaketime is not there");
    }
    stage.forgets_with_other_sources().await?;
    report("with the sources set differently the direction is unknown again, from then on");
    stage.secured.server.terminate().await?;
    stage.secured.server.check_log()
}

impl Stage {
    /// A server, and one machine that was enrolled with its code.
    async fn start(clock: Option<&Path>) -> anyhow::Result<Stage> {
        let secured = Secured::start_before(clock).await?;
        let folder = secured.folder.clone();
        let credential = folder.join("carried.json").display().to_string();
        let new =
            ["machine", "add", MACHINE, "--site", "north", "--belt", "reversible", "--out", &credential];
        secured.command(&new).await?;
        let made = secured.json(&["machine", "enrol-code", MACHINE]).await?;
        let code = made["codes"][0]["code"].as_str().context("no code was made")?.to_owned();
        let credential = folder.join("credential.json");
        let given =
            vec!["enrol".into(), secured.url().into(), code.into(), "--credential".into(), credential.into()];
        let mut enrolling = Process::start(program("beltwatch-agent")?, given, folder.join("enrol.log"))?;
        enrolling.ended().await?;
        let treadmill = Treadmill::plug_in(&folder)?;
        let write = |name: &str, inverted| -> anyhow::Result<PathBuf> {
            let file = folder.join(name);
            let head =
                format!("credential = \"{0}/credential.json\"\nspool = \"{0}/spool\"\n", folder.display());
            fs::write(&file, head + &treadmill.sources(inverted))?;
            Ok(file)
        };
        let (right, wrong) = (write("right.toml", true)?, write("wrong.toml", false)?);
        Ok(Stage { secured, treadmill, right, wrong })
    }

    fn agent(&self, config: &Path) -> anyhow::Result<Process> {
        let given = vec!["run".into(), "--config".into(), config.into()];
        Process::start(program("beltwatch-agent")?, given, self.secured.folder.join("agent.log"))
    }

    async fn ends(&self, mut agent: Process) -> anyhow::Result<()> {
        agent.terminate().await?;
        agent.check_log()
    }

    /// The machine as the command line shows it, once it is so.
    async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.secured.json(&["machine", "show", MACHINE]).await?["machines"][0].take();
            if is_so(&shown) {
                return Ok(shown);
            }
            ensure!(Instant::now() < deadline, "{what}: {shown}");
            sleep(POLL).await;
        }
    }

    /// All that is stored of the moving belt, oldest first: what counts, what was measured where that does not, the time.
    async fn moving(&self) -> anyhow::Result<Vec<[String; 3]>> {
        let list = ["reading", "list", MACHINE, "--last", "3d", "--limit", "100000"];
        let listed = self.secured.json(&list).await?;
        let readings = listed["readings"].as_array().context("no readings are listed")?;
        let moving =
            readings.iter().filter(|one| one["speed_mean_mps"].as_f64().is_some_and(|speed| speed > 0.1));
        let words = |one: &Value| {
            ["direction", "measured_direction", "time"]
                .map(|name| one[name].as_str().unwrap_or_default().to_owned())
        };
        Ok(moving.map(words).collect())
    }

    /// Waits until so many readings of the moving belt say this, and were measured like that.
    async fn until_stored(&self, direction: &str, measured: &str, count: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let moving = self.moving().await?;
            let found = moving.iter().filter(|[says, was, _]| says == direction && was == measured).count();
            if found >= count {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{found} readings say {direction}, measured {measured}: {moving:?}"
            );
            sleep(POLL).await;
        }
    }

    /// A history in both directions, before anybody has looked at the belt.
    async fn runs_unproven(&self) -> anyhow::Result<()> {
        let agent = self.agent(&self.right)?;
        for (speed, measured) in [(700.0, "forward"), (-500.0, "reverse")] {
            self.treadmill.runs(speed).await?;
            let is_unknown = |shown: &Value| {
                shown["status"] == "moving, direction unknown"
                    && shown["direction"] == "unknown"
                    && shown["direction_unknown"] == "not commissioned"
            };
            self.until("the belt moves and nobody knows which way", is_unknown).await?;
            self.until_stored("unknown", measured, ENOUGH).await?;
        }
        self.treadmill.runs(0.0).await?;
        self.until("the belt stands", |shown| shown["direction"] == "stopped").await?;
        let moving = self.moving().await?;
        ensure!(moving.iter().all(|[says, ..]| says == "unknown"), "somebody knows: {moving:?}");
        self.ends(agent).await
    }

    async fn finds_the_inverted_drive(&self) -> anyhow::Result<()> {
        let answers = self.secured.folder.join("answers");
        // Contacts and rest; key and button are left out; forward; and what failed is not tried again.
        fs::write(&answers, "\ns\ns\n\n\nq\n")?;
        let mut technician = Technician::begins(&self.wrong, Some(&answers))?;
        technician.hears("Start the belt FORWARD").await?;
        self.treadmill.runs(600.0).await?;
        technician.hears("the OPPOSITE direction is measured by drive").await?;
        technician.hears("at name = \"drive\", set: invert = true").await?;
        technician.hears("Nothing was recorded.").await?;
        let code = technician.ended().await?;
        ensure!(code == BROKEN_OFF, "it ended with {code}");
        self.treadmill.runs(0.0).await?;
        ensure!(self.facts().await?.is_empty(), "something was recorded");
        Ok(())
    }

    /// Commissionings in the audit.
    async fn facts(&self) -> anyhow::Result<Vec<Value>> {
        let mut audit = self.secured.json(&["audit"]).await?;
        let entries = audit["entries"].take();
        let all = entries.as_array().context("the audit lists nothing")?;
        Ok(all.iter().filter(|entry| entry["author"] == format!("machine:{MACHINE}")).cloned().collect())
    }

    async fn has_the_fact(&self) -> anyhow::Result<()> {
        let facts = self.facts().await?;
        let [fact] = &facts[..] else { anyhow::bail!("one fact should be there: {facts:?}") };
        let detail = fact["detail"].as_str().unwrap_or_default();
        ensure!(detail.contains("direction proven, 2 stops measured: by Jo Technician"), "{fact}");
        ensure!(fact["subject"].as_str().is_some_and(|subject| subject.contains(MACHINE)), "{fact}");
        Ok(())
    }

    async fn gives_history_its_direction(&self) -> anyhow::Result<()> {
        let usage = async || {
            let mut told = self.secured.json(&["usage", "total", "--machine", MACHINE]).await?;
            let row = told["usage"][0].take();
            anyhow::Ok(
                [&row["forward_min"], &row["reverse_min"], &row["unknown_min"]]
                    .map(|one| one.as_f64().unwrap_or(0.0)),
            )
        };
        let before = usage().await?;
        let rebuild = async || self.secured.json(&["rebuild", "--machine", MACHINE]).await;
        let rebuilt = rebuild().await?;
        ensure!(rebuilt["usage_days_changed"] == 1, "the day of the history was not rebuilt: {rebuilt}");
        ensure!(rebuilt["sessions_changed"] == 1, "its session was not rebuilt: {rebuilt}");
        let after = usage().await?;
        let [forward, reverse, unknown] = [0, 1, 2].map(|place| after[place] - before[place]);
        ensure!(forward > 0.0 && reverse > 0.0, "{before:?}, {after:?}");
        ensure!(
            (forward + reverse + unknown).abs() < 0.05,
            "how much it ran has changed: {before:?}, {after:?}"
        );
        ensure!(rebuild().await?["usage_days_changed"] == 0, "a second rebuild changes something");
        report(&format!("rebuilt: {reverse:.2} min in reverse, which were unknown before"));
        Ok(())
    }

    async fn runs_proven(&self) -> anyhow::Result<String> {
        let agent = self.agent(&self.right)?;
        self.treadmill.runs(-500.0).await?;
        let is_known = |shown: &Value| shown["direction"] == "reverse" && shown["origin"] == "measured";
        let shown = self.until("the belt runs in reverse, and that is known", is_known).await?;
        ensure!(shown["direction_unknown"] == "" && shown["status"] == "reverse", "{shown}");
        self.treadmill.runs(0.0).await?;
        self.until("the belt stands", |shown| shown["direction"] == "stopped").await?;
        self.ends(agent).await?;
        Ok(format!("{}, {}", shown["direction"], shown["origin"]))
    }

    /// With the drive the wrong way round again, reverse would be told as forward.
    async fn forgets_with_other_sources(&self) -> anyhow::Result<()> {
        let before = self.moving().await?;
        let agent = self.agent(&self.wrong)?;
        self.treadmill.runs(-500.0).await?;
        let is_unknown = |shown: &Value| {
            shown["direction"] == "unknown" && shown["direction_unknown"] == "configuration changed"
        };
        self.until("the belt moves and nobody knows which way", is_unknown).await?;
        self.until_stored(
            "unknown",
            "forward",
            ENOUGH + before.iter().filter(|one| one[1] == "forward").count(),
        )
        .await?;
        self.treadmill.runs(0.0).await?;
        self.ends(agent).await?;
        let after = self.moving().await?;
        ensure!(after[..before.len()] == before[..], "what was before looks different now");
        let since = &after[before.len()..];
        ensure!(since.iter().all(|[says, ..]| says == "unknown"), "{since:?}");
        Ok(())
    }
}
