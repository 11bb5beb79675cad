//! One connection to a machine: what it offers is read once, then it is listened to until the connection ends.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use domain::signal::{SignalValue, SourceSpec};
use tokio::time::Instant;
use zbus::zvariant::Value;

use super::bus::{Bluez, Frame, Refused};
use super::find;
use super::kind::Kind;
use super::mind::Mind;
use super::tree::{self, Attribute};
use super::wanted::{Heard, Need};
use crate::clock;
use crate::source::outlet::Way;
use crate::source::{Lost, Outlet};

/// How long a machine may take to answer a question.
const MACHINE_ANSWER: Duration = Duration::from_secs(15);
/// Silence after which the connection is doubted; with each doubt that did not help, twice as long.
const DOUBTED: Duration = Duration::from_secs(60);
/// Longest silence before the next doubt.
const DOUBTED_MAX: Duration = Duration::from_secs(600);
/// A machine that stops notifying when it stops is silent after so many periods: before the watcher finds it stale, so
/// that the event says why.
const SILENT_PERIODS: f64 = 2.5;
/// The same, for short periods.
const SILENT_MIN: Duration = Duration::from_millis(1_750);
/// What the event says then. It is not told that the belt stands: a lost connection looks the same for some time.
const SILENT_WORDS: &str =
    "it notifies nothing: this model does so when its belt stops, but nothing says that it stands";

/// What a source remembers from one connection to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The machine is looked for although bluetoothd knows it: connecting it failed the last time.
    is_afresh: bool,
    /// How often the connection was doubted since something was heard.
    doubts: u32,
}

impl Memory {
    /// How long a silence may last now.
    fn patience(&self) -> Duration {
        DOUBTED.saturating_mul(1 << self.doubts.min(8)).min(DOUBTED_MAX)
    }
}

/// Connects and listens until that cannot go on.
pub(super) async fn run(kind: &Kind, memory: &mut Memory, outlet: &Outlet) -> Lost {
    match connect(kind, memory, outlet).await {
        Ok(never) => match never {},
        Err(lost) => lost,
    }
}

async fn connect(kind: &Kind, memory: &mut Memory, outlet: &Outlet) -> Result<Infallible, Lost> {
    let (place, service) = (kind.place(), kind.wanted().service);
    let mut bluez = Bluez::open(place.bus.as_deref()).await?;
    let adapter = find::adapter(&bluez.tree, place.adapter.as_deref())?;
    let machine = bluez.find(&adapter, &place, service, memory.is_afresh).await?;
    memory.is_afresh = true;
    let _link = bluez.connect(&machine).await?;
    bluez.refresh().await?;
    find::stands(&bluez.tree, &adapter, &machine)?;
    let name = bluez.tree.peripherals.get(&machine).and_then(|known| known.name.clone());
    let (model, preset) = kind.model_called(name.as_deref());
    let is_quiet = model.silent_on_stop;
    let mut ear =
        Ear { bluez, outlet, mind: Mind::new(model), adapter, machine, spec: kind.spec(), has_heard: false };
    tracing::info!(
        source.name = ear.spec.name,
        machine.name = name.as_deref().unwrap_or("-"),
        model = preset.unwrap_or("as specified"),
        "the machine is connected"
    );
    let lost = match ear.begin(kind).await {
        Ok(()) => {
            memory.is_afresh = false;
            outlet.opened(&ear.words());
            ear.listen(is_quiet, memory).await
        }
        Err(lost) => Err(lost),
    };
    ear.mind.disconnected(clock::monotonic());
    lost
}

/// What listens to one connection.
struct Ear<'a> {
    bluez: Bluez,
    outlet: &'a Outlet,
    mind: Mind,
    adapter: String,
    machine: String,
    spec: SourceSpec,
    /// Frames have come since [`Ear::listen`] last looked.
    has_heard: bool,
}

impl Ear<'_> {
    /// The connection, in words.
    fn words(&self) -> String {
        let known = self.bluez.tree.peripherals.get(&self.machine);
        let name = known.and_then(|known| known.name.as_deref()).unwrap_or("-");
        let address = known.map_or("-", |known| known.address.as_str());
        let adapter = self.adapter.rsplit('/').next().unwrap_or(&self.adapter);
        format!("{name} ({address}) over {adapter}")
    }

    /// Reads what is read once and begins to listen.
    async fn begin(&mut self, kind: &Kind) -> Result<(), Lost> {
        let wanted = kind.wanted();
        if !self.bluez.tree.has_service(&self.machine, wanted.service) {
            return Err(Lost(format!("the machine has no service {:04X}", wanted.service)));
        }
        for (heard, need) in wanted.read {
            self.read(heard, need).await?;
        }
        let (denied, beside) = self.mind.compare(self.spec.capabilities);
        if !denied.is_empty() {
            let denied = denied.join(", ");
            tracing::warn!(
                source.name = self.spec.name,
                denied,
                "the settings claim what the machine says that it does not report"
            );
        }
        if !beside.is_empty() {
            let beside = beside.join(", ");
            tracing::info!(
                source.name = self.spec.name,
                beside,
                "the machine says that it reports more than the settings claim"
            );
        }
        for (heard, need) in wanted.listen {
            self.start(heard, need).await?;
        }
        Ok(())
    }

    /// Reads a characteristic. What it says is for the mind: that a machine can be asked does not show that it tells
    /// anything of its belt.
    async fn read(&mut self, heard: Heard, need: Need) -> Result<(), Lost> {
        let Some(path) = self.path(heard, need)? else { return Ok(()) };
        let options = HashMap::<&str, Value<'_>>::new();
        let call = self.bluez.call(&path, tree::CHARACTERISTIC, "ReadValue", &options, MACHINE_ANSWER);
        let octets = match call.await {
            Ok(message) => message.body().deserialize::<Vec<u8>>().map_err(|error| error.to_string()),
            Err(Refused::Lost(lost)) => return Err(lost),
            Err(refused) => Err(refused.lost("it is asked").to_string()),
        };
        let at = clock::monotonic();
        match (octets, need) {
            (Ok(octets), _) => {
                if let Some(recorded) = heard.recorded() {
                    self.outlet.tape(at, recorded, Way::Read, &octets);
                }
                if let Err(cut) = self.mind.apply(heard, &octets, at) {
                    self.outlet.unreadable(at, &cut.to_string(), &octets);
                }
                Ok(())
            }
            (Err(why), Need::Must) => Err(Lost(format!("{} cannot be read: {why}", heard.words()))),
            (Err(why), Need::May) => {
                tracing::info!(source.name = self.spec.name, number = heard.words(), why, "cannot be read");
                Ok(())
            }
        }
    }

    /// Begins to listen to a characteristic.
    async fn start(&mut self, heard: Heard, need: Need) -> Result<(), Lost> {
        let Some(path) = self.path(heard, need)? else { return Ok(()) };
        if !self.bluez.tree.attributes.get(&path).is_some_and(Attribute::notifies) {
            return match need {
                Need::Must => {
                    Err(Lost(format!("{} is there, but the machine does not notify it", heard.words())))
                }
                Need::May => Ok(()),
            };
        }
        self.bluez.listen(&path, heard);
        let call = self.bluez.call(&path, tree::CHARACTERISTIC, "StartNotify", &(), MACHINE_ANSWER);
        match (call.await, need) {
            (Ok(_), _) => self.bluez.is_notified(&path),
            (Err(Refused::Lost(lost)), _) => return Err(lost),
            (Err(refused), Need::Must) => {
                return Err(refused.lost(&format!("{} cannot be listened to", heard.words())));
            }
            (Err(refused), Need::May) => {
                self.bluez.leave(&path);
                let why = refused.lost("it is asked").to_string();
                tracing::info!(
                    source.name = self.spec.name,
                    number = heard.words(),
                    why,
                    "cannot be listened to"
                );
            }
        }
        self.tell().await;
        Ok(())
    }

    /// The path of a characteristic; `None`: it is not there and need not be.
    fn path(&self, heard: Heard, need: Need) -> Result<Option<String>, Lost> {
        let found = self.bluez.tree.attribute(&self.machine, heard.service(), heard.number());
        match (found, need) {
            (Some((path, _)), _) => Ok(Some(path.to_owned())),
            (None, Need::May) => Ok(None),
            (None, Need::Must) => Err(Lost(format!("the machine has no {}", heard.words()))),
        }
    }

    /// Hands on all frames that have come.
    async fn tell(&mut self) {
        while let Some(Frame { at, heard, octets }) = self.bluez.frame() {
            self.has_heard = true;
            if let Some(recorded) = heard.recorded() {
                self.outlet.tape(at, recorded, Way::Notify, &octets);
            }
            match self.mind.apply(heard, &octets, at) {
                Ok(values) => self.outlet.tell_all(at, values).await,
                Err(cut) => {
                    self.outlet.unreadable(at, &cut.to_string(), &octets);
                    // It said nothing, but it is there.
                    self.outlet.tell(at, SignalValue::Alive).await;
                }
            }
        }
    }

    /// Listens until that cannot go on. `is_quiet`: silence is how this model stands.
    async fn listen(&mut self, is_quiet: bool, memory: &mut Memory) -> Result<Infallible, Lost> {
        let mut wait = if is_quiet { quiet(&self.spec) } else { memory.patience() };
        let mut is_told = false;
        let silence = tokio::time::sleep(wait);
        tokio::pin!(silence);
        loop {
            self.tell().await;
            if std::mem::take(&mut self.has_heard) {
                memory.doubts = 0;
                is_told = false;
                wait = if is_quiet { wait } else { memory.patience() };
                silence.as_mut().reset(Instant::now() + wait);
            }
            find::stands(&self.bluez.tree, &self.adapter, &self.machine)?;
            if let Some(heard) = self.bluez.fallen_silent() {
                return Err(Lost(format!("{} is not notified any more", heard.words())));
            }
            tokio::select! {
                heard = self.bluez.hear() => heard?,
                () = &mut silence, if !is_told => {
                    if !is_quiet {
                        memory.doubts = memory.doubts.saturating_add(1);
                        let seconds = wait.as_secs();
                        return Err(Lost(format!("nothing was notified for {seconds} s although it is connected")));
                    }
                    is_told = true;
                    self.outlet.tell(clock::monotonic(), SignalValue::Lost(SILENT_WORDS.to_owned())).await;
                }
            }
        }
    }
}

/// When a machine is silent that stops notifying when it stops.
fn quiet(spec: &SourceSpec) -> Duration {
    Duration::from_micros(spec.period_us).mul_f64(SILENT_PERIODS).max(SILENT_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_become_rarer() {
        let patience = |doubts| Memory { doubts, ..Memory::default() }.patience().as_secs();
        assert_eq!((0..6).map(patience).collect::<Vec<_>>(), [60, 120, 240, 480, 600, 600]);
        assert_eq!(patience(u32::MAX), 600);
    }

    #[test]
    fn silence_is_told_before_the_watcher_finds_it() {
        let check = |period_us: u64, expected_ms: u128| {
            let spec = SourceSpec { name: String::new(), capabilities: Default::default(), period_us };
            let silent = quiet(&spec).as_millis();
            assert_eq!(silent, expected_ms);
            assert!(silent < u128::from((3 * period_us / 1_000).max(2_000)));
        };
        check(10_000, 1_750);
        check(1_000_000, 2_500);
        check(4_000_000, 10_000);
    }
}
