//! Runs a source against a peer and collects what it tells.

use std::time::Duration;

use agent::source::outlet::{self, Outlet, Signals, Taped, Way};
use agent::source::{Lost, Source};
use domain::signal::{SignalValue, SourceNumber};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Far more than anything here takes: a test that gets there has failed.
const FAR_TOO_LONG: Duration = Duration::from_secs(60);

/// A source that runs.
#[derive(Debug)]
pub(crate) struct Running {
    signals: Signals,
    tape: mpsc::Receiver<Taped>,
    task: JoinHandle<(Lost, u64)>,
    told: Vec<SignalValue>,
}

impl Running {
    /// Starts a source.
    pub(crate) fn start(mut source: impl Source + 'static) -> Running {
        let (sender, signals) = outlet::queue();
        let (tape_sender, tape) = mpsc::channel(10_000);
        let outlet = Outlet::new(&source.spec().name, SourceNumber(0), sender, Some(tape_sender));
        let task = tokio::spawn(async move {
            let lost = source.run(&outlet).await;
            (lost, outlet.unreadable_count())
        });
        Running { signals, tape, task, told: Vec::new() }
    }

    /// Takes signals until this holds of all that were told so far, except that the machine is there.
    pub(crate) async fn until(&mut self, mut holds: impl FnMut(&[SignalValue]) -> bool) {
        let wait = async {
            while !holds(&self.told) {
                let signal = self.signals.recv().await.expect("the source runs on");
                if signal.value != SignalValue::Alive {
                    self.told.push(signal.value);
                }
            }
        };
        if tokio::time::timeout(FAR_TOO_LONG, wait).await.is_err() {
            panic!("never told; but {:?}", self.told);
        }
    }

    /// What was told so far, except that the machine is there.
    pub(crate) fn told(&self) -> &[SignalValue] {
        &self.told
    }

    /// Waits until the source gives up; why, how much could not be read, and what was taped.
    pub(crate) async fn end(mut self) -> (Lost, u64, Vec<(Way, Vec<u8>)>) {
        // What it still wants to tell must not keep it waiting.
        self.signals.close();
        let ended = tokio::time::timeout(FAR_TOO_LONG, &mut self.task).await;
        let (lost, unreadable) = ended.expect("a source without a port ends").unwrap();
        let mut tape = Vec::new();
        while let Ok(taped) = self.tape.try_recv() {
            tape.push((taped.way, taped.octets));
        }
        (lost, unreadable, tape)
    }
}

/// Octets of the frames that went this way.
pub(crate) fn frames(tape: &[(Way, Vec<u8>)], way: Way) -> Vec<u8> {
    tape.iter().filter(|(went, _)| *went == way).flat_map(|(_, octets)| octets.clone()).collect()
}
