//! A bucket in memory that does what InfluxDB does: a point at a place where one lies adds its fields.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::units::UnixMicros;
use store::influx::line::Lines;
use store::{StoreError, StoreErrorKind};
use tokio::sync::Notify;

use crate::serve::mirror::points::Points;

/// Fields by name, as they are written.
pub(super) type Fields = BTreeMap<String, String>;
/// Points by measurement with tags, and time in nanoseconds.
pub(super) type Content = BTreeMap<(String, i64), Fields>;

/// What becomes of the next calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// They do what they say.
    Done,
    /// After so many calls none is done or answered.
    Lost(usize),
    /// After so many calls each is done, and not answered.
    Unanswered(usize),
    /// So many fail.
    Failing(usize),
}

#[derive(Debug)]
struct State {
    points: Content,
    fate: Fate,
    /// Lines of each writing, and removals as text.
    calls: Vec<Vec<String>>,
}

#[derive(Debug, Clone)]
pub(super) struct FakeBucket {
    state: Arc<Mutex<State>>,
    /// Told when a call is never answered.
    pub(super) stuck: Arc<Notify>,
}

impl FakeBucket {
    pub(super) fn new() -> FakeBucket {
        let state = State { points: Content::new(), fate: Fate::Done, calls: Vec::new() };
        FakeBucket { state: Arc::new(Mutex::new(state)), stuck: Arc::default() }
    }

    pub(super) fn set(&self, fate: Fate) {
        self.state.lock().unwrap().fate = fate;
    }

    pub(super) fn content(&self) -> Content {
        self.state.lock().unwrap().points.clone()
    }

    /// The calls since the last time.
    pub(super) fn take_calls(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// Points of a measurement.
    pub(super) fn of(&self, measurement: &str) -> Vec<((String, i64), Fields)> {
        let begins = |series: &str| series.split(',').next() == Some(measurement);
        self.content().into_iter().filter(|((series, _), _)| begins(series)).collect()
    }

    async fn call(&self, call: Vec<String>, work: impl FnOnce(&mut Content)) -> Result<(), StoreError> {
        let answered = {
            let mut state = self.state.lock().unwrap();
            state.calls.push(call);
            let (fate, is_done, answer) = match state.fate {
                Fate::Done => (Fate::Done, true, Some(Ok(()))),
                Fate::Lost(0) => (Fate::Lost(0), false, None),
                Fate::Lost(left) => (Fate::Lost(left - 1), true, Some(Ok(()))),
                Fate::Unanswered(0) => (Fate::Unanswered(0), true, None),
                Fate::Unanswered(left) => (Fate::Unanswered(left - 1), true, Some(Ok(()))),
                Fate::Failing(0) => (Fate::Done, true, Some(Ok(()))),
                Fate::Failing(left) => {
                    let error = StoreError::new(StoreErrorKind::Unavailable, "InfluxDB is away");
                    (Fate::Failing(left - 1), false, Some(Err(error)))
                }
            };
            state.fate = fate;
            if is_done {
                work(&mut state.points);
            }
            answer
        };
        match answered {
            Some(answer) => answer,
            None => {
                self.stuck.notify_one();
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Points for FakeBucket {
    async fn write(&self, lines: &Lines) -> Result<u64, StoreError> {
        let lines: Vec<String> = lines.iter().map(str::to_owned).collect();
        let call = lines.clone();
        self.call(call, |points| {
            for line in &lines {
                let (key, fields) = parsed(line);
                points.entry(key).or_default().extend(fields);
            }
        })
        .await?;
        Ok(0)
    }

    async fn remove(
        &self,
        measurement: &str,
        tags: &[(&str, &str)],
        from: UnixMicros,
        until: UnixMicros,
    ) -> Result<(), StoreError> {
        let nanoseconds = |time: UnixMicros| time.0.saturating_mul(1_000);
        let times = nanoseconds(from)..nanoseconds(until);
        let wanted: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let is_meant = |series: &str, time: i64| {
            let parts: Vec<&str> = series.split(',').collect();
            parts[0] == measurement
                && wanted.iter().all(|tag| parts.contains(&tag.as_str()))
                && times.contains(&time)
        };
        let said = format!("remove {measurement} {} {}", wanted.join(","), from.0);
        self.call(vec![said], |points| points.retain(|(series, time), _| !is_meant(series, *time))).await
    }
}

/// A line of the line protocol: its series, time and fields.
fn parsed(line: &str) -> ((String, i64), Fields) {
    let parts = split(line, ' ');
    let [series, fields, time] = &parts[..] else { panic!("a line has three parts: {line}") };
    let field = |field: String| {
        let (name, value) = field.split_once('=').expect("a field has a value");
        (name.to_owned(), value.to_owned())
    };
    let fields = split(fields, ',').into_iter().map(field).collect();
    ((series.clone(), time.parse().expect("the time is a number")), fields)
}

/// Parts between a character, but where it stands within quotes.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in text.chars() {
        if c == at && !is_quoted && !is_escaped {
            parts.push(String::new());
            continue;
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        parts.last_mut().expect("there is one").push(c);
    }
    parts
}
