//! The loop between lines and mind, with lines that are not there.

use std::sync::{Arc, Mutex};

use domain::belt::{Contact, Direction};
use domain::signal::{Signal, SignalValue, SourceNumber};
use domain::units::{MILLI, Speed};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::*;
use crate::source::contact::{self, ContactLine, Level};
use crate::source::{encoder, outlet};

/// What the kernel would have.
#[derive(Debug, Default)]
struct Kernel {
    edges: Vec<Edge>,
    levels: Vec<bool>,
    number: u32,
    gone: Option<String>,
    /// How often levels were read, and edges taken.
    reads: usize,
    takes: usize,
}

/// Lines that are not there. Their clock is the runtime's, which goes on by itself when nobody has anything to do.
#[derive(Debug, Clone)]
struct Fake {
    kernel: Arc<Mutex<Kernel>>,
    woken: Arc<Notify>,
    started: Instant,
}

impl Fake {
    fn new(levels: &[bool]) -> Fake {
        let kernel = Kernel { levels: levels.to_vec(), ..Kernel::default() };
        Fake { kernel: Arc::new(Mutex::new(kernel)), woken: Arc::default(), started: Instant::now() }
    }

    /// An edge happens, and may be dropped for want of room.
    fn happen(&self, line: usize, is_high: bool, is_kept: bool) {
        let at = self.now();
        let mut kernel = self.kernel.lock().unwrap();
        kernel.number += 1;
        kernel.levels[line] = is_high;
        let number = kernel.number;
        if is_kept {
            kernel.edges.push(Edge { at, line, is_high, number });
        }
        self.woken.notify_one();
    }

    fn remove(&self, why: &str) {
        self.kernel.lock().unwrap().gone = Some(why.to_owned());
        self.woken.notify_one();
    }
}

impl LineStream for Fake {
    async fn readable(&mut self) -> Result<(), Lost> {
        loop {
            let woken = self.woken.notified();
            {
                let kernel = self.kernel.lock().unwrap();
                if !kernel.edges.is_empty() || kernel.gone.is_some() {
                    return Ok(());
                }
            }
            woken.await;
        }
    }

    fn take(&mut self, edges: &mut Vec<Edge>) -> Result<(), Lost> {
        let mut kernel = self.kernel.lock().unwrap();
        kernel.takes += 1;
        edges.append(&mut kernel.edges);
        kernel.gone.clone().map_or(Ok(()), |why| Err(Lost(why)))
    }

    fn levels(&mut self) -> Result<Vec<bool>, Lost> {
        let mut kernel = self.kernel.lock().unwrap();
        kernel.reads += 1;
        kernel.gone.clone().map_or(Ok(kernel.levels.clone()), |why| Err(Lost(why)))
    }

    fn now(&self) -> MonotonicMicros {
        MonotonicMicros(u64::try_from(self.started.elapsed().as_micros()).unwrap())
    }
}

/// A running loop on two contacts, closed when low.
struct Stage {
    fake: Fake,
    signals: mpsc::Receiver<Signal>,
    task: tokio::task::JoinHandle<(Lost, u64)>,
}

fn stage(levels: &[bool]) -> Stage {
    let entry = |contact, number| ContactLine {
        contact,
        line: LineAddress::Number(number),
        closed: Level::Low,
        hold_off_ms: None,
    };
    let settings = contact::Settings {
        lines: vec![entry(Contact::EmergencyStop, 1), entry(Contact::SafetyKey, 2)],
        ..contact::example()
    };
    let fake = Fake::new(levels);
    let (sender, signals) = outlet::queue();
    let mut lines = fake.clone();
    let task = tokio::spawn(async move {
        let outlet = Outlet::new("contacts", SourceNumber(0), sender, None);
        let mut mind = contact::Mind::new(&settings, lines.now());
        let lost = watch(&mut lines, &mut mind, &outlet).await;
        (lost, outlet.unreadable_count())
    });
    Stage { fake, signals, task }
}

impl Stage {
    /// The next signals, as contact, whether it is open, and when in milliseconds.
    async fn next(&mut self, count: usize) -> Vec<(Contact, bool, u64)> {
        let mut next = Vec::new();
        for _ in 0..count {
            let signal = self.signals.recv().await.expect("the loop goes on");
            let SignalValue::ContactLevel { contact, open } = signal.value else { panic!("{signal:?}") };
            next.push((contact, open, signal.at.0 / MILLI));
        }
        next
    }
}

const STOP: Contact = Contact::EmergencyStop;
const KEY: Contact = Contact::SafetyKey;

#[tokio::test(start_paused = true)]
async fn levels_are_told_at_the_beginning_and_every_second() {
    let mut stage = stage(&[false, true]);
    assert_eq!(stage.next(2).await, [(STOP, false, 0), (KEY, true, 0)]);
    // Once read, they are told again so that it is known that they hold.
    assert_eq!(stage.next(2).await, [(STOP, false, 0), (KEY, true, 0)]);
    assert_eq!(stage.next(2).await, [(STOP, false, 1_000), (KEY, true, 1_000)]);
    assert_eq!(stage.next(2).await, [(STOP, false, 2_000), (KEY, true, 2_000)]);
}

#[tokio::test(start_paused = true)]
async fn an_edge_is_told_before_any_time_passes() {
    let mut stage = stage(&[false, false]);
    stage.next(4).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.fake.happen(0, true, true);
    assert_eq!(stage.next(1).await, [(STOP, true, 300)]);
    assert_eq!(stage.fake.now(), MonotonicMicros(300 * MILLI), "no timer ran between edge and signal");
}

#[tokio::test(start_paused = true)]
async fn after_an_overflow_levels_are_read_at_once_and_the_loss_is_counted() {
    let mut stage = stage(&[false, false]);
    stage.next(4).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The kernel drops the only edge of the emergency stop; the key's go on.
    for (line, is_high, is_kept) in [(0, true, false), (1, true, false), (1, false, true), (1, true, true)] {
        stage.fake.happen(line, is_high, is_kept);
    }
    let reads = stage.fake.kernel.lock().unwrap().reads;
    // The key's first edge that is left is its known level.
    assert_eq!(stage.next(2).await, [(KEY, true, 300), (STOP, true, 300)]);
    assert_eq!(stage.fake.now(), MonotonicMicros(300 * MILLI));
    assert_eq!(stage.fake.kernel.lock().unwrap().reads, reads + 1);
    stage.fake.remove("gone");
    while stage.signals.recv().await.is_some() {}
    assert_eq!(stage.task.await.unwrap().1, 1, "one complaint");
}

#[tokio::test(start_paused = true)]
async fn a_level_that_no_edge_told_counts_at_the_second_look() {
    let mut stage = stage(&[false, false]);
    stage.next(4).await;
    stage.fake.kernel.lock().unwrap().levels[0] = true;
    assert_eq!(stage.next(2).await, [(STOP, false, 1_000), (KEY, false, 1_000)]);
    assert_eq!(stage.next(1).await, [(STOP, true, 2_000)]);
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_before_the_chip_went_is_told_and_then_its_going() {
    let mut stage = stage(&[false, false]);
    stage.next(4).await;
    stage.fake.happen(0, true, true);
    stage.fake.remove("lines 1, 2 of /dev/gpiochip7: No such device");
    assert_eq!(stage.next(1).await, [(STOP, true, 0)]);
    let (lost, _) = stage.task.await.unwrap();
    assert_eq!(lost, Lost("lines 1, 2 of /dev/gpiochip7: No such device".to_owned()));
    assert_eq!(stage.signals.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn edges_are_told_in_their_order_while_the_agent_is_slow() {
    let mut stage = stage(&[false, false]);
    stage.next(4).await;
    // More than the agent's queue holds: the loop waits, and nothing is left out.
    for turn in 0..1_500 {
        stage.fake.happen(0, turn % 2 == 0, true);
    }
    let told = stage.next(1_500).await;
    assert!(told.iter().enumerate().all(|(turn, level)| *level == (STOP, turn % 2 == 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn edges_of_a_moving_belt_are_taken_together_and_its_start_is_not_waited_for() {
    let fake = Fake::new(&[false, false]);
    let (sender, mut signals) = outlet::queue();
    let mut lines = fake.clone();
    let task = tokio::spawn(async move {
        let outlet = Outlet::new("belt", SourceNumber(0), sender, None);
        let mut mind = encoder::Mind::new(&encoder::example(), encoder::Odometer::default(), lines.now());
        watch(&mut lines, &mut mind, &outlet).await
    });
    tokio::time::sleep(Duration::from_millis(1_250)).await;
    let (before, takes) = (drain(&mut signals), fake.kernel.lock().unwrap().takes);
    assert_eq!(before.last(), Some(&SignalValue::Speed(Speed(0))));
    // Two edges a millisecond for a second, which are 5.1 m/s.
    for turn in 0..2_000 {
        let line = turn % 2;
        let is_high = fake.kernel.lock().unwrap().levels[line];
        fake.happen(line, !is_high, true);
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    let told = drain(&mut signals);
    let first = told.iter().position(|value| *value == SignalValue::MeasuredDirection(Direction::Forward));
    assert!(first.is_some_and(|first| first <= 4), "{told:?}");
    let takes = fake.kernel.lock().unwrap().takes - takes;
    assert!(takes < 240, "{takes} times edges were taken");
    task.abort();
}

fn drain(signals: &mut mpsc::Receiver<Signal>) -> Vec<SignalValue> {
    std::iter::from_fn(|| signals.try_recv().ok()).map(|signal| signal.value).collect()
}
