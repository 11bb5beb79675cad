//! The belt around an incident as a drawing on paper: made by the server, so that it needs no script.

use super::trace::Trace;
use crate::words::Reader;

/// Size of the drawing, in its own units.
pub(super) const WIDTH: f64 = 720.0;
pub(super) const HEIGHT: f64 = 250.0;
/// Where the plot lies in it.
pub(super) const LEFT: f64 = 52.0;
pub(super) const RIGHT: f64 = 708.0;
pub(super) const TOP: f64 = 8.0;
pub(super) const BOTTOM: f64 = 214.0;
/// Between lines of labels.
const LINE: f64 = 13.0;
/// The least speed that the axis reaches, in the visitor's unit.
const REACH_MIN: f64 = 5.0;
/// Lines of the axes at most.
const TICKS_MAX: f64 = 8.0;

/// A word at a place.
#[derive(Debug, PartialEq)]
pub(super) struct Label {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) words: String,
}

/// A line up and down, with its word.
#[derive(Debug, PartialEq)]
pub(super) struct Upright {
    pub(super) label: Label,
    pub(super) class: &'static str,
    pub(super) line: String,
}

/// A span in which a contact was open.
#[derive(Debug, PartialEq)]
pub(super) struct Open {
    pub(super) label: Label,
    pub(super) from: String,
    pub(super) width: String,
}

/// Everything that is drawn. Coordinates are written with one decimal.
#[derive(Debug, PartialEq)]
pub(super) struct Drawing {
    /// Path of the speed with its sign.
    pub(super) signed: String,
    /// Path of the speed of which the direction is not known.
    pub(super) unknown: String,
    pub(super) zero: String,
    /// Where the words for both directions stand.
    pub(super) above: String,
    pub(super) below: String,
    pub(super) times: Vec<Label>,
    pub(super) speeds: Vec<Label>,
    pub(super) marks: Vec<Upright>,
    pub(super) opens: Vec<Open>,
    /// Whether the belt is seen in reverse.
    pub(super) has_reverse: bool,
    pub(super) has_unknown: bool,
}

/// How times and speeds lie on the drawing.
#[derive(Debug, Clone, Copy)]
struct Scale {
    from: f64,
    until: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(self, at: f64) -> f64 {
        let share = (at - self.from) / (self.until - self.from).max(0.001);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(self, speed: f64) -> f64 {
        let share = (speed - self.low) / (self.high - self.low);
        BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP)
    }
}

fn written(value: f64) -> String {
    format!("{value:.1}")
}

impl Drawing {
    /// None: nothing is known of the belt.
    pub(super) fn new(trace: &Trace, at: Option<f64>, reader: Reader) -> Option<Drawing> {
        let known = trace.signed.iter().chain(&trace.unknown).flatten();
        let (low, high) = known
            .clone()
            .fold((0.0_f64, REACH_MIN), |(low, high), speed| (low.min(*speed), high.max(*speed)));
        known.clone().next()?;
        // Room for the words at the top.
        let scale = Scale { from: trace.from, until: trace.until, low: low * 1.1, high: high * 1.3 };
        let marks: Vec<Upright> =
            (0_u32..).zip(&trace.marks).map(|(line, mark)| upright(scale, line, mark)).collect();
        let after = u32::try_from(marks.len()).unwrap_or_default();
        let opens = (after..).zip(&trace.shades).map(|(line, shade)| open(scale, line, shade)).collect();
        Some(Drawing {
            signed: path(scale, &trace.times, &trace.signed),
            unknown: path(scale, &trace.times, &trace.unknown),
            zero: written(scale.y(0.0)),
            above: written(scale.y(0.0) - 5.0),
            below: written(scale.y(0.0) + LINE),
            times: times(scale, at.unwrap_or(trace.from), reader),
            speeds: speeds(scale, reader),
            marks,
            opens,
            has_reverse: trace.signed.iter().flatten().any(|speed| *speed < 0.0),
            has_unknown: trace.unknown.iter().flatten().next().is_some(),
        })
    }
}

/// A line through what is known; it breaks where nothing is.
fn path(scale: Scale, times: &[f64], speeds: &[Option<f64>]) -> String {
    let mut path = String::new();
    let mut is_drawn = false;
    for (at, speed) in times.iter().zip(speeds) {
        if let Some(speed) = speed {
            let pen = if is_drawn { 'L' } else { 'M' };
            path.push_str(&format!("{pen}{:.1} {:.1}", scale.x(*at), scale.y(*speed)));
        }
        is_drawn = speed.is_some();
    }
    path
}

fn label(x: f64, line: u32, words: &str) -> Label {
    Label { x: written(x), y: written(TOP + LINE * f64::from(line + 1) - 2.0), words: words.to_owned() }
}

/// Words near the right edge end at it.
fn beside(x: f64, words: &str) -> f64 {
    let letters = u32::try_from(words.chars().count()).unwrap_or(u32::MAX);
    (x + 4.0).min(RIGHT - 6.5 * f64::from(letters)).max(LEFT)
}

fn upright(scale: Scale, line: u32, mark: &super::trace::Mark) -> Upright {
    let x = scale.x(mark.at);
    let class = if mark.main { "main" } else { "other" };
    Upright { label: label(beside(x, mark.label), line, mark.label), class, line: written(x) }
}

fn open(scale: Scale, line: u32, shade: &super::trace::Shade) -> Open {
    let (from, until) = (scale.x(shade.from), scale.x(shade.until));
    Open {
        label: label(beside(from, shade.label), line, shade.label),
        from: written(from),
        width: written((until - from).max(1.0)),
    }
}

/// A step of 1, 2 or 5 that leaves at most so many lines.
fn step(span: f64) -> f64 {
    let least = (span / TICKS_MAX).max(0.1);
    let decade = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|one| one * decade).find(|step| *step >= least);
    step.unwrap_or(10.0 * decade)
}

/// Multiples of a step within a span; at most twice as many as lines are wanted.
fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step).ceil();
    (0_u32..17).map(move |n| (first + f64::from(n)) * step).take_while(move |value| *value <= high + 1e-9)
}

fn times(scale: Scale, at: f64, reader: Reader) -> Vec<Label> {
    let (from, until) = (scale.from - at, scale.until - at);
    let tick = |second: f64| Label {
        x: written(scale.x(at + second)),
        y: written(BOTTOM + LINE),
        words: signed_number(second, reader),
    };
    multiples(from, until, step(until - from)).map(tick).collect()
}

/// Without a zero behind the point.
fn short(value: f64, reader: Reader) -> String {
    let text = reader.number(value);
    text.strip_suffix(".0").or_else(|| text.strip_suffix(",0")).unwrap_or(&text).to_owned()
}

fn signed_number(value: f64, reader: Reader) -> String {
    let text = short(value, reader);
    if value > 0.0 { format!("+{text}") } else { text.replace('-', "−") }
}

/// The axis tells speeds without sign; which way it is stands beside it.
fn speeds(scale: Scale, reader: Reader) -> Vec<Label> {
    let tick = |speed: f64| Label {
        x: written(LEFT - 6.0),
        y: written(scale.y(speed) + 4.0),
        words: short(speed.abs(), reader),
    };
    multiples(scale.low, scale.high, step(scale.high - scale.low)).map(tick).collect()
}

#[cfg(test)]
mod tests;
