//! Edge files, and playing them through a mind as its body would.

use agent::source::gpio::{Edge, LineMind, Told};
use domain::belt::Direction;
use domain::record::{Event, Payload};
use domain::signal::{Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::MonotonicMicros;
use domain::watcher::{SignalWatcher, WatcherSettings};

/// Places of the encoder's lines.
pub(super) const A: usize = 0;
pub(super) const B: usize = 1;

/// A line of an edge file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: u64,
    pub(super) line: usize,
    pub(super) is_high: bool,
}

/// Writes an edge file: `time_us line level`, with words about it in front.
pub(super) fn write(about: &str, names: &[&str], lines: &[Line]) -> String {
    let mut text =
        format!("# {about}\n# Made by a simulation, not recorded from a machine.\n# time_us line level\n");
    for line in lines {
        text.push_str(&format!("{} {} {}\n", line.at, names[line.line], u8::from(line.is_high)));
    }
    text
}

/// Reads an edge file.
pub(super) fn read(text: &str, names: &[&str]) -> Vec<Line> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [at, name, level] = words[..] else { panic!("{line:?} is not `time_us line level`") };
            let line = names.iter().position(|known| *known == name).expect("a line of this source");
            Line { at: at.parse().expect("microseconds"), line, is_high: level == "1" }
        })
        .collect()
}

/// Numbers edges as the kernel does.
pub(super) fn numbered(lines: &[Line]) -> Vec<Edge> {
    let edge = |(line, number): (&Line, u32)| Edge {
        at: MonotonicMicros(line.at),
        line: line.line,
        is_high: line.is_high,
        number,
    };
    lines.iter().zip(1..).map(edge).collect()
}

/// Plays edges and lets time pass until `until`; what was told.
pub(super) fn play(mind: &mut impl LineMind, edges: &[Edge], until: u64) -> Vec<Told> {
    let mut told = Vec::new();
    for edge in edges {
        pass(mind, edge.at, &mut told);
        mind.edge(edge, &mut told);
    }
    pass(mind, MonotonicMicros(until), &mut told);
    told
}

fn pass(mind: &mut impl LineMind, until: MonotonicMicros, told: &mut Vec<Told>) {
    while mind.due() <= until {
        let due = mind.due();
        mind.tick(due, told);
        assert!(mind.due() > due, "time has to pass");
    }
}

/// Directions one after another, each once.
pub(super) fn directions(told: &[Told]) -> Vec<Direction> {
    let mut all: Vec<Direction> = told
        .iter()
        .filter_map(|told| {
            let SignalValue::MeasuredDirection(direction) = told.value else { return None };
            Some(direction)
        })
        .collect();
    all.dedup();
    all
}

/// Speeds with their times, in mm/s.
pub(super) fn speeds(told: &[Told]) -> Vec<(u64, u32)> {
    told.iter()
        .filter_map(|told| {
            let SignalValue::Speed(speed) = told.value else { return None };
            Some((told.at.0, speed.0))
        })
        .collect()
}

/// Faults in words.
pub(super) fn faults(told: &[Told]) -> Vec<String> {
    told.iter()
        .filter_map(|told| {
            let SignalValue::Fault(words) = &told.value else { return None };
            Some(words.clone())
        })
        .collect()
}

/// What the signal watcher makes of it: events only, with their times.
pub(super) fn events(spec: SourceSpec, told: &[Told], until: u64) -> Vec<(u64, Event)> {
    let mut watcher = SignalWatcher::new(vec![spec], WatcherSettings::default(), MonotonicMicros(0));
    let mut out = Vec::new();
    for Told { at, value } in told {
        watcher.apply(&Signal { at: *at, source: SourceNumber(0), value: value.clone() }, &mut out);
    }
    watcher.tick(MonotonicMicros(until), &mut out);
    out.into_iter()
        .filter_map(|observed| {
            let Payload::Event(event) = observed.payload else { return None };
            Some((observed.at.0, event))
        })
        .collect()
}
