//! The edge files, and how each was made.

use super::belt::{Belt, Stretch, ramp, steady};
use super::play::{A, B, Line, write};

/// Lines of an encoder.
pub(super) const ENCODER: [&str; 2] = ["a", "b"];
/// Lines of contacts.
pub(super) const CONTACTS: [&str; 3] = ["emergency_stop", "safety_key", "hand_rail"];
/// Micrometres of belt for a count of an encoder with 16 pulses on a roller of 50 mm.
pub(super) const FINE_UM: f64 = 2_454.4;
/// The same with one pulse.
pub(super) const COARSE_UM: f64 = 39_270.0;

/// An edge file.
pub(super) struct Capture {
    pub(super) name: &'static str,
    about: &'static str,
    names: &'static [&'static str],
    lines: Vec<Line>,
}

fn of_belt(name: &'static str, about: &'static str, um: f64, stretches: &[Stretch]) -> Capture {
    let mut belt = Belt::new(um);
    belt.run(stretches);
    Capture { name, about, names: &ENCODER, lines: belt.lines }
}

fn of_contacts(name: &'static str, about: &'static str, lines: &[(u64, usize, bool)]) -> Capture {
    let lines =
        lines.iter().map(|(at, line, is_high)| Line { at: *at, line: *line, is_high: *is_high }).collect();
    Capture { name, about, names: &CONTACTS, lines }
}

/// All of them.
pub(super) fn all() -> Vec<Capture> {
    let forward = [steady(1.0, 0.0), ramp(1.0, 0.0, 833.0), steady(2.0, 833.0)];
    vec![
        of_belt("forward_walk", "A forward belt gets to 3 km/h.", FINE_UM, &forward),
        of_belt(
            "reverse_walk",
            "A reverse belt gets to 1.5 km/h.",
            FINE_UM,
            &[steady(1.0, 0.0), ramp(1.0, 0.0, -417.0), steady(2.0, -417.0)],
        ),
        of_belt(
            "stop",
            "A forward belt at 5 km/h is braked within 0.8 s and stands.",
            FINE_UM,
            &[steady(1.0, 1_389.0), ramp(0.8, 1_389.0, 0.0)],
        ),
        of_belt(
            "direction_change",
            "A belt goes from 1.5 km/h forward through zero to 1.5 km/h in reverse.",
            FINE_UM,
            &[steady(1.5, 417.0), ramp(3.0, 417.0, -417.0), steady(1.5, -417.0)],
        ),
        of_belt("fast", "A forward belt at 20 km/h: 2263 edges a second.", FINE_UM, &[steady(1.5, 5_556.0)]),
        of_belt(
            "slow_coarse",
            "A forward belt at 0.8 km/h with one pulse a turn.",
            COARSE_UM,
            &[steady(6.0, 222.0)],
        ),
        rocking(),
        missing(),
        noise(),
        broken_wire(),
        single(),
        key_bounce(),
        button_chatter(),
        hand_rail(),
    ]
}

/// A person steps on a belt that stands: it goes a little to and fro.
fn rocking() -> Capture {
    let mut stretches = vec![steady(1.0, 0.0)];
    for turn in 0..12 {
        let far = [4.0, 11.0, 7.0, 15.0][turn % 4];
        stretches.extend([ramp(0.1, 0.0, far * 10.0), ramp(0.1, far * 10.0, 0.0)]);
        stretches.extend([ramp(0.1, 0.0, -far * 10.0), ramp(0.1, -far * 10.0, 0.0)]);
    }
    of_belt("rocking", "A belt that stands rocks to and fro by up to 15 mm.", FINE_UM, &stretches)
}

fn missing() -> Capture {
    let mut capture = of_belt(
        "missing_pulses",
        "A forward belt at 3 km/h; every 23rd edge is missing.",
        FINE_UM,
        &[steady(4.0, 833.0)],
    );
    let mut number = 0;
    capture.lines.retain(|_| {
        number += 1;
        number % 23 != 0
    });
    capture
}

fn noise() -> Capture {
    let mut capture = of_belt(
        "noise",
        "A forward belt at 3 km/h; after every 17th edge its line is disturbed for 30 us.",
        FINE_UM,
        &[steady(4.0, 833.0)],
    );
    let edges = std::mem::take(&mut capture.lines);
    for (number, line) in edges.into_iter().enumerate() {
        capture.lines.push(line);
        if number % 17 == 16 {
            capture.lines.push(Line { at: line.at + 200, is_high: !line.is_high, ..line });
            capture.lines.push(Line { at: line.at + 230, ..line });
        }
    }
    capture
}

fn broken_wire() -> Capture {
    let mut capture = of_belt(
        "broken_wire",
        "A forward belt at 3 km/h; after two seconds the wire of line b is off.",
        FINE_UM,
        &[steady(6.0, 833.0)],
    );
    capture.lines.retain(|line| line.line == A || line.at < 2_000_000);
    capture
}

/// One switch at one magnet: high for a tenth of a turn, and it bounces.
fn single() -> Capture {
    let mut lines = Vec::new();
    let turn_us = 282_740; // 157.08 mm at 2 km/h
    for turn in 1..15 {
        let at = turn * turn_us;
        lines.push((at, A, true));
        if turn % 3 == 0 {
            lines.extend([(at + 150, A, false), (at + 210, A, true)]);
        }
        lines.push((at + turn_us / 10, A, false));
    }
    let lines =
        lines.iter().map(|(at, line, is_high)| Line { at: *at, line: *line, is_high: *is_high }).collect();
    let about = "One switch at one magnet of a roller of 50 mm; the belt runs at 2 km/h. Some pulses bounce.";
    Capture { name: "single_channel", about, names: &ENCODER, lines }
}

fn key_bounce() -> Capture {
    let mut lines = vec![(2_000_000, B, true)];
    for bounce in 0..9 {
        lines.push((2_000_000 + (bounce + 1) * 700, B, bounce % 2 == 1));
    }
    lines.push((2_009_400, B, true));
    lines.extend([(6_000_000, B, false), (6_000_900, B, true), (6_001_300, B, false)]);
    of_contacts("key_bounce", "The safety key is pulled and put in again; its contact bounces.", &lines)
}

fn button_chatter() -> Capture {
    let lines: Vec<(u64, usize, bool)> =
        (0..60).map(|turn| (2_000_000 + turn * 200_000, A, turn % 2 == 0)).collect();
    of_contacts(
        "button_chatter",
        "A loose emergency-stop contact opens and closes five times a second.",
        &lines,
    )
}

fn hand_rail() -> Capture {
    let lines = [
        (1_000_000, 2, false),
        (3_000_000, 2, true),
        (3_300_000, 2, false),
        (5_000_000, 2, true),
        (5_100_000, 2, false),
        (5_200_000, 2, true),
        (8_000_000, 2, false),
    ];
    of_contacts("hand_rail", "Hands on the rail, off it for a moment twice, and off it for long.", &lines)
}

fn path(name: &str) -> String {
    format!("{}/captures/{name}.edges", env!("CARGO_MANIFEST_DIR"))
}

/// An edge file's text.
pub(super) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_files_are_what_the_simulation_makes() {
    for capture in all() {
        let made = write(capture.about, capture.names, &capture.lines);
        assert!(text(capture.name) == made, "{} is another: write it anew", capture.name);
    }
}

#[test]
#[ignore = "writes the edge files"]
fn write_the_files() {
    for capture in all() {
        std::fs::write(path(capture.name), write(capture.about, capture.names, &capture.lines)).unwrap();
    }
}
