//! How long agents wait for acknowledgements, as a plain subscriber sees it: from a message of a machine to the next
//! acknowledgement for it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use wire::topics::{Kind, Topic, filter_all};

/// How things were when a message was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Time {
    /// InfluxDB ran.
    Up,
    /// InfluxDB was down.
    Down,
    /// The proxy did something to what passes.
    Faulty,
    /// The server itself was down: nothing is measured.
    NoServer,
}

/// What was measured.
#[derive(Debug, Default)]
struct Seen {
    /// When the oldest message that is not acknowledged yet passed, in seconds since 1970.
    waiting: BTreeMap<String, f64>,
    /// Milliseconds until the acknowledgement.
    latencies: BTreeMap<Time, Vec<f64>>,
}

/// The subscriber.
#[derive(Debug)]
pub(crate) struct Acks {
    _subscriber: Child,
    time: watch::Sender<Time>,
    seen: Arc<Mutex<Seen>>,
    came: watch::Receiver<u64>,
}

impl Acks {
    /// Subscribes to records and acknowledgements.
    pub(crate) fn watch(broker_port: u16) -> anyhow::Result<Acks> {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &broker_port.to_string(), "-F", "%U %t"]);
        for kind in [Kind::Events, Kind::Readings, Kind::Ack] {
            command.args(["-t", &filter_all(kind)]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut subscriber = command.spawn().context("cannot start mosquitto_sub")?;
        let mut lines = BufReader::new(subscriber.stdout.take().context("its output is piped")?).lines();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let time = watch::Sender::new(Time::Up);
        let (sender, came) = watch::channel(0);
        let (of_task, times) = (seen.clone(), time.subscribe());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if lock(&of_task).take(&line, *times.borrow()).is_some() {
                    sender.send_modify(|came| *came += 1);
                }
            }
        });
        Ok(Acks { _subscriber: subscriber, time, seen, came })
    }

    /// What is acknowledged from now on belongs to another time.
    pub(crate) fn turn(&self, time: Time) {
        if time == Time::NoServer {
            lock(&self.seen).waiting.clear();
        }
        self.time.send_replace(time);
    }

    /// Waits until so many more acknowledgements came; says whether they did in time.
    pub(crate) async fn more(&mut self, count: u64, longest: Duration) -> bool {
        let until = *self.came.borrow_and_update() + count;
        let came = tokio::time::timeout(longest, self.came.wait_for(|came| *came >= until)).await;
        came.is_ok_and(|came| came.is_ok())
    }

    /// How many were measured at such a time, and p50, p99 and the longest in milliseconds.
    pub(crate) fn summary(&self, time: Time) -> (usize, [f64; 3]) {
        let mut latencies = lock(&self.seen).latencies.get(&time).cloned().unwrap_or_default();
        latencies.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let place = (latencies.len() * percent).div_ceil(100).saturating_sub(1);
            latencies.get(place).copied().unwrap_or(f64::NAN)
        };
        (latencies.len(), [at(50), at(99), at(100)])
    }
}

impl Seen {
    /// Takes a line; `Some` if it acknowledges something.
    fn take(&mut self, line: &str, time: Time) -> Option<()> {
        let (at, topic) = line.split_once(' ')?;
        let at: f64 = at.parse().ok()?;
        let topic = Topic::parse(topic).ok()?;
        let machine = topic.machine.as_str().to_owned();
        if topic.kind != Kind::Ack {
            if time != Time::NoServer {
                self.waiting.entry(machine).or_insert(at);
            }
            return None;
        }
        let began = self.waiting.remove(&machine)?;
        self.latencies.entry(time).or_default().push((at - began) * 1_000.0);
        Some(())
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
