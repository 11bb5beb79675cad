//! A source under its supervisor, and the fake that it listens to.

use agent::source::Source;
use agent::source::bluetooth::{self, Settings};
use agent::source::outlet::{Outlet, Signals, Taped, queue};
use agent::source::supervise::supervise;
use domain::signal::{SignalValue, SourceNumber};
use domain::units::Speed;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::fake::Fake;
use super::world::{ADDRESS, World};

/// 10 km/h.
pub(crate) const FAST: &str = "0000 e803";
/// Standing.
pub(crate) const STANDING: &str = "0000 0000";

pub(crate) fn octets(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) fake: Fake,
    pub(crate) signals: Signals,
    pub(crate) tape: mpsc::Receiver<Taped>,
    task: JoinHandle<()>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Rig {
    pub(crate) fn new(world: World) -> Rig {
        Rig::with(world, |_| {})
    }

    pub(crate) fn with(world: World, adjust: impl FnOnce(&mut Settings)) -> Rig {
        Rig::on(Fake::start(world), adjust)
    }

    pub(crate) fn on(fake: Fake, adjust: impl FnOnce(&mut Settings)) -> Rig {
        let mut settings = Settings::at("console", ADDRESS);
        settings.sought.bus = fake.address();
        adjust(&mut settings);
        assert_eq!(settings.check(), Ok(()));
        Rig::of(fake, Box::new(bluetooth::source(&settings)))
    }

    pub(crate) fn of(fake: Fake, source: Box<dyn Source>) -> Rig {
        let (sender, signals) = queue();
        let (tape_sender, tape) = mpsc::channel(1_000);
        let outlet = Outlet::new("console", SourceNumber(0), sender, Some(tape_sender));
        Rig { fake, signals, tape, task: tokio::spawn(supervise(source, outlet)) }
    }

    /// The source is dropped, as when the agent stops.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn next(&mut self) -> SignalValue {
        self.signals.recv().await.expect("the source goes on").value
    }

    /// So many of the next values.
    pub(crate) async fn values(&mut self, number: usize) -> Vec<SignalValue> {
        let mut all = Vec::new();
        while all.len() < number {
            all.push(self.next().await);
        }
        all
    }

    /// The next value is a loss with these words.
    pub(crate) async fn lost(&mut self, part: &str) {
        let told = self.next().await;
        let SignalValue::Lost(words) = told else { panic!("{told:?}, not a loss because of {part}") };
        assert!(words.contains(part), "{part} is not in: {words}");
        assert!(words.len() <= 200, "too long for an event: {words}");
    }

    /// The machine is listened to and tells its speed.
    pub(crate) async fn hears(&mut self) {
        self.fake.until_heard(0x2ACD).await;
        self.fake.notify(0x2ACD, &octets(FAST)).await;
        assert_eq!(self.next().await, SignalValue::Speed(Speed(2_778)));
    }
}
