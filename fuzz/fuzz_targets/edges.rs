//! Edges of an encoder: any of them, and those of a belt whose way is known.
//!
//! Input: an octet with the settings, two with the belt of a count; then an octet for each step: what happens, and the
//! time since the one before.

#![no_main]

use agent::source::encoder::{self, Mind, Odometer, Settings};
use agent::source::gpio::{Edge, LineMind, Told};
use beltwatch_fuzz::Input;
use domain::belt::Direction;
use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros, SECOND};
use libfuzzer_sys::fuzz_target;

/// Nothing faster is told: 45 km/h, in mm/s.
const FASTEST_MM_S: u32 = 12_500;

fuzz_target!(|octets: &[u8]| {
    let mut input = Input::new(octets);
    let bits = input.u8().unwrap_or(0);
    let um_per_count = 500.0 + f64::from(input.u16().unwrap_or(0));
    let has_two = bits & 1 != 0;
    let invert = has_two && bits & 2 != 0;
    let line_b = encoder::example().line_b.filter(|_| has_two);
    let settings = Settings { line_b, invert, um_per_count: Some(um_per_count), ..encoder::example() };
    assert_eq!(settings.check(), Ok(()));
    let bench = Bench::new(&settings);
    if bits & 4 != 0 { belt(bench, input) } else { anything(bench, input) }
});

/// A mind, and what it told.
struct Bench {
    mind: Mind,
    odometer: Odometer,
    has_two: bool,
    invert: bool,
    now: MonotonicMicros,
    number: u32,
    told: Vec<Told>,
}

impl Bench {
    fn new(settings: &Settings) -> Bench {
        let odometer = Odometer::default();
        let now = MonotonicMicros(SECOND);
        Bench {
            mind: Mind::new(settings, odometer.clone(), now),
            odometer,
            has_two: settings.line_b.is_some(),
            invert: settings.invert,
            now,
            // The kernel's numbers begin anew after the greatest.
            number: u32::MAX - 50,
            told: Vec::new(),
        }
    }

    fn edge(&mut self, line: usize, is_high: bool) -> Edge {
        self.number = self.number.wrapping_add(1);
        Edge { at: self.now, line, is_high, number: self.number }
    }

    fn take(&mut self, edge: &Edge) {
        self.mind.edge(edge, &mut self.told);
    }

    fn tick(&mut self) {
        self.mind.tick(self.now, &mut self.told);
        assert!(self.mind.due() > self.now, "it wants time to pass that has passed");
    }

    /// Lets all that waits be given up, and looks at all that was told.
    fn end(&mut self) {
        self.now = self.now.plus(SECOND);
        self.tick();
        for told in &self.told {
            match &told.value {
                SignalValue::Speed(speed) => assert!(speed.0 <= FASTEST_MM_S, "{told:?}"),
                SignalValue::MeasuredDirection(_) => assert!(self.has_two, "one line has no sign"),
                SignalValue::Implausible(words) | SignalValue::Fault(words) => assert!(!words.is_empty()),
                other => panic!("an encoder cannot tell {other:?}"),
            }
        }
    }
}

/// Edges of any lines in any order.
fn anything(mut bench: Bench, mut input: Input<'_>) {
    let (mut came, mut rising) = (0, 0);
    while let Some(step) = input.u8() {
        match step & 7 {
            0 => bench.now = bench.now.plus(u64::from(input.u16().unwrap_or(0)) * MILLI),
            1 => bench.tick(),
            2 => bench.number = bench.number.wrapping_add(u32::from(input.u16().unwrap_or(0))),
            3 => bench.number = bench.number.wrapping_sub(u32::from(step >> 3)),
            what => {
                bench.now = bench.now.plus(u64::from(step >> 3) * 200);
                let line = if bench.has_two { usize::from(what & 1) } else { 0 };
                let edge = bench.edge(line, what & 2 != 0);
                bench.take(&edge);
                came += 1;
                rising += i64::from(edge.is_high);
            }
        }
    }
    bench.end();
    let counts = bench.odometer.shown().counts;
    assert!(bench.mind.counters().edges <= came);
    assert!(counts.unsigned_abs() <= came, "{counts} counts of {came} edges");
    assert!(bench.has_two || (0..=rising).contains(&counts), "{counts} counts of {rising} pulses");
}

/// What is expected of a belt.
#[derive(Default)]
struct Truth {
    /// Quarter periods from the start, forward less reverse.
    place: i64,
    /// Which lines have shown a level since the start or since edges were missing.
    seen: [bool; 2],
    counts: i64,
    went: [bool; 2],
    missing: u64,
    lost: u64,
    edges: u64,
}

impl Truth {
    fn levels(&self) -> [bool; 2] {
        let quarter = self.place.rem_euclid(4);
        [matches!(quarter, 1 | 2), matches!(quarter, 2 | 3)]
    }

    /// Goes a quarter of a period; the line that changes, and its level.
    fn go(&mut self, forward: bool) -> (usize, bool) {
        let before = self.levels();
        self.place += if forward { 1 } else { -1 };
        let line = usize::from(before[0] == self.levels()[0]);
        (line, self.levels()[line])
    }

    /// The edge of the last quarter period came.
    fn came(&mut self, line: usize, forward: bool) {
        // What is missing before the first edge cannot be known.
        if self.missing > 0 && self.edges > 0 {
            self.lost += self.missing;
            self.seen = [false; 2];
        }
        self.missing = 0;
        if self.seen == [true; 2] {
            self.counts += if forward { 1 } else { -1 };
            self.went[usize::from(forward)] = true;
        }
        self.seen[line] = true;
        self.edges += 1;
    }
}

/// Edges of a belt that goes to and fro, some of which do not come and some in the wrong order: the position is exact,
/// and a direction into which the belt never went is not told.
fn belt(mut bench: Bench, mut input: Input<'_>) {
    if !bench.has_two {
        return anything(bench, input);
    }
    let mut truth = Truth::default();
    while let Some(step) = input.u8() {
        let forward = step & 1 != 0;
        bench.now = bench.now.plus(u64::from(step >> 4) * u64::from(step >> 4) * 300 + 100);
        let (line, is_high) = truth.go(forward);
        let edge = bench.edge(line, is_high);
        match step >> 1 & 7 {
            // It is dropped.
            0 => truth.missing += 1,
            // The next one overtakes it.
            1 if truth.edges > 0 => {
                truth.came(line, forward);
                let (line, is_high) = truth.go(forward);
                let next = bench.edge(line, is_high);
                truth.came(line, forward);
                bench.take(&next);
                bench.take(&edge);
            }
            what => {
                truth.came(line, forward);
                bench.take(&edge);
                if what == 2 {
                    bench.tick();
                }
            }
        }
    }
    bench.end();
    let counts = if bench.invert { -truth.counts } else { truth.counts };
    assert_eq!(bench.odometer.shown().counts, counts, "the position is not exact");
    let counters = bench.mind.counters();
    assert_eq!((counters.edges, counters.invalid, counters.lost), (truth.edges, 0, truth.lost));
    for told in &bench.told {
        let SignalValue::MeasuredDirection(direction) = told.value else { continue };
        match direction {
            Direction::Forward => assert!(truth.went[usize::from(!bench.invert)], "{told:?}"),
            Direction::Reverse => assert!(truth.went[usize::from(bench.invert)], "{told:?}"),
            Direction::Stopped | Direction::Unknown => {}
        }
    }
}
