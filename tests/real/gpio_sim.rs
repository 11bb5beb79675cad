//! Encoder and contacts on lines of the kernel's `gpio-sim`: the whole way through the kernel's interface.

use std::path::PathBuf;
use std::time::Duration;

use agent::source::contact::{self, ContactLine, Level};
use agent::source::gpio::LineAddress;
use agent::source::{Outlet, Source, encoder, outlet};
use domain::belt::{Contact, Direction};
use domain::signal::{Signal, SignalValue, SourceNumber};
use tokio::sync::mpsc;
use tokio::time::timeout;

const FOLDER: &str = "/sys/kernel/config/gpio-sim";
const NAME: &str = "beltwatch";
const LABEL: &str = "beltwatch-sim";
const PATIENCE: Duration = Duration::from_secs(5);

/// A simulated chip; dropped, it is taken away.
struct Chip {
    lines: PathBuf,
}

impl Chip {
    /// Makes a chip of eight lines.
    fn make() -> std::io::Result<Chip> {
        let chip = PathBuf::from(FOLDER).join(NAME);
        std::fs::create_dir_all(chip.join("bank0"))?;
        std::fs::write(chip.join("bank0/num_lines"), "8")?;
        std::fs::write(chip.join("bank0/label"), LABEL)?;
        std::fs::write(chip.join("live"), "1")?;
        let name = |file: &str| std::fs::read_to_string(chip.join(file)).map(|name| name.trim().to_owned());
        let lines =
            PathBuf::from("/sys/devices/platform").join(name("dev_name")?).join(name("bank0/chip_name")?);
        Ok(Chip { lines })
    }

    /// What is connected to a line pulls it.
    fn pull(&self, line: u32, is_high: bool) {
        let pull = if is_high { "pull-up" } else { "pull-down" };
        std::fs::write(self.lines.join(format!("sim_gpio{line}/pull")), pull).expect("a line of the chip");
    }

    /// Takes the chip away, as a board that is pulled.
    fn remove(&self) {
        let chip = PathBuf::from(FOLDER).join(NAME);
        let _ = std::fs::write(chip.join("live"), "0");
        let _ = std::fs::remove_dir(chip.join("bank0"));
        let _ = std::fs::remove_dir(&chip);
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Runs it. `Ok` has what was found, or `skipped: ` and the reason.
///
/// # Errors
///
/// If something was not as it should be, in words.
pub(crate) async fn run() -> Result<String, String> {
    let chip = match Chip::make() {
        Ok(chip) => chip,
        Err(error) => {
            return Ok(format!("skipped: gpio-sim: {FOLDER} cannot be used: {error}{}", kernel_says()));
        }
    };
    let encoder = follow_encoder(&chip).await?;
    let contacts = follow_contacts(&chip).await?;
    Ok(format!("{encoder}; {contacts}"))
}

/// What the kernel says of GPIO, if it shows how it was built.
fn kernel_says() -> String {
    let wanted = ["-E", "CONFIG_GPIOLIB[ =]|CONFIG_GPIO_SIM[ =]", "/proc/config.gz"];
    let told = std::process::Command::new("zgrep").args(wanted).output();
    let told =
        told.map(|told| String::from_utf8_lossy(&told.stdout).trim().replace('\n', ", ")).unwrap_or_default();
    if told.is_empty() { String::new() } else { format!(" (the kernel was built with: {told})") }
}

fn start(mut source: impl Source + 'static) -> (mpsc::Receiver<Signal>, tokio::task::JoinHandle<String>) {
    let (sender, signals) = outlet::queue();
    let task = tokio::spawn(async move {
        let outlet = Outlet::new("sim", SourceNumber(0), sender, None);
        source.run(&outlet).await.to_string()
    });
    (signals, task)
}

/// Waits for a signal.
async fn wait(signals: &mut mpsc::Receiver<Signal>, wanted: &SignalValue) -> Result<Signal, String> {
    let found = async {
        while let Some(signal) = signals.recv().await {
            if signal.value == *wanted {
                return Ok(signal);
            }
        }
        Err(format!("the source ended before {wanted:?}"))
    };
    timeout(PATIENCE, found).await.map_err(|_| format!("{wanted:?} did not come"))?
}

async fn follow_encoder(chip: &Chip) -> Result<String, String> {
    let settings = encoder::Settings {
        chip: LABEL.to_owned(),
        line_a: LineAddress::Number(0),
        line_b: Some(LineAddress::Number(1)),
        ..encoder::example()
    };
    let source = encoder::source(&settings);
    let odometer = source.odometer();
    let (mut signals, task) = start(source);
    wait(&mut signals, &SignalValue::MeasuredDirection(Direction::Stopped)).await?;
    // From both high on, A goes first, and back.
    let forward = [(0, false), (1, false), (0, true), (1, true)];
    for (line, is_high) in forward.iter().cycle().take(400) {
        chip.pull(*line, *is_high);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    wait(&mut signals, &SignalValue::MeasuredDirection(Direction::Forward)).await?;
    wait(&mut signals, &SignalValue::MeasuredDirection(Direction::Stopped)).await?;
    let gone = odometer.shown().counts;
    let back = [(1, false), (0, false), (1, true), (0, true)];
    for (line, is_high) in back.iter().cycle().take(400) {
        chip.pull(*line, *is_high);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    wait(&mut signals, &SignalValue::MeasuredDirection(Direction::Reverse)).await?;
    wait(&mut signals, &SignalValue::MeasuredDirection(Direction::Stopped)).await?;
    let back = odometer.shown().counts;
    task.abort();
    // The first edge of each line only shows its level.
    if !(398..=400).contains(&gone) || back != gone - 400 {
        return Err(format!("400 edges forward and back were {gone} and {} counts", back - gone));
    }
    Ok(format!("encoder: {gone} counts forward and 400 back, both directions"))
}

async fn follow_contacts(chip: &Chip) -> Result<String, String> {
    let entry = |contact, number| ContactLine {
        contact,
        line: LineAddress::Number(number),
        closed: Level::Low,
        hold_off_ms: None,
    };
    let settings = contact::Settings {
        chip: LABEL.to_owned(),
        lines: vec![entry(Contact::EmergencyStop, 4), entry(Contact::SafetyKey, 5)],
        ..contact::example()
    };
    let (mut signals, task) = start(contact::source(&settings));
    let level = |contact, open| SignalValue::ContactLevel { contact, open };
    // Nothing is connected yet: a line that is pulled up reads as open.
    wait(&mut signals, &level(Contact::EmergencyStop, true)).await?;
    chip.pull(4, false);
    wait(&mut signals, &level(Contact::EmergencyStop, false)).await?;
    let mut longest_us = 0;
    for _ in 0..100 {
        let before = agent::clock::monotonic();
        chip.pull(4, true);
        let edge = wait(&mut signals, &level(Contact::EmergencyStop, true)).await?;
        let after = agent::clock::monotonic();
        if edge.at < before || edge.at > after {
            return Err(format!(
                "the edge is dated {} us, not within {} and {}",
                edge.at.0, before.0, after.0
            ));
        }
        longest_us = longest_us.max(after.since(before));
        chip.pull(4, false);
        wait(&mut signals, &level(Contact::EmergencyStop, false)).await?;
    }
    chip.remove();
    let lost = timeout(PATIENCE, task).await.map_err(|_| "the chip went and nobody said so".to_owned())?;
    let lost = lost.map_err(|error| error.to_string())?;
    Ok(format!("contacts: 100 presses, at most {longest_us} us from the line to the signal; gone: {lost}"))
}
