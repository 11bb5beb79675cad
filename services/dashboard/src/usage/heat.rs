//! Usage by weekday and hour of the day: a table whose cells are coloured, with its numbers in it.

use askama::Template;
use wire::api::v1;

use super::figures::{length, percent, seconds};
use super::filter::{Filter, Heat, Page};
use crate::frame::MissingPart;
use crate::texts::Texts;
use crate::words::Reader;

/// Days that the API allows.
pub(super) const DAYS_MAX: i64 = 400;
/// Steps of colour above none.
const LEVELS: u8 = 5;

/// The map, or why there is none.
#[derive(Debug, Template)]
#[template(path = "usage_heat.html")]
pub(super) struct HeatPart {
    t: Texts,
    missing: Option<MissingPart>,
    is_too_long: bool,
    /// What it can show: words, address, whether it is shown.
    choices: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    darkest: String,
    has_low: bool,
}

#[derive(Debug)]
struct Row {
    day: &'static str,
    cells: Vec<Cell>,
}

/// One hour of one weekday.
#[derive(Debug, PartialEq, Eq)]
struct Cell {
    class: String,
    number: String,
    /// All that is known of it, in words.
    tip: String,
    /// Whether the keyboard enters the map here.
    is_first: bool,
}

impl HeatPart {
    fn empty(filter: &Filter, t: Texts) -> HeatPart {
        let choice = |heat: Heat| {
            let to = Filter { heat, ..filter.clone() };
            (heat.words(t), format!("{}#heat", to.address(Page::Usage)), heat == filter.heat)
        };
        HeatPart {
            t,
            missing: None,
            is_too_long: false,
            choices: Heat::ALL.map(choice).into(),
            rows: Vec::new(),
            darkest: String::new(),
            has_low: false,
        }
    }

    pub(super) fn missing(part: MissingPart, filter: &Filter, t: Texts) -> HeatPart {
        HeatPart { missing: Some(part), ..HeatPart::empty(filter, t) }
    }

    pub(super) fn too_long(filter: &Filter, t: Texts) -> HeatPart {
        HeatPart { is_too_long: true, ..HeatPart::empty(filter, t) }
    }

    pub(super) fn new(told: &v1::GetHeatMapResponse, filter: &Filter, reader: Reader) -> HeatPart {
        let t = reader.t;
        let shares = told.cells.iter().map(|cell| warmth(cell, filter.heat));
        let greatest = shares.flatten().fold(0.0, f64::max);
        let days = weekdays(t);
        let mut rows: Vec<Row> = days.into_iter().map(|day| Row { day, cells: Vec::new() }).collect();
        for weekday in 0_u32..7 {
            for hour in 0_u32..24 {
                let found = told.cells.iter().find(|one| one.weekday == weekday && one.hour == hour);
                let Some(row) = usize::try_from(weekday).ok().and_then(|at| rows.get_mut(at)) else {
                    continue;
                };
                let none = v1::HeatCell { weekday, hour, ..v1::HeatCell::default() };
                row.cells.push(cell(found.unwrap_or(&none), filter.heat, greatest, row.day, reader));
            }
        }
        let has_low = rows.iter().flat_map(|row| &row.cells).any(|cell| cell.class.contains("low"));
        let darkest = percent(greatest, 1.0, reader).unwrap_or_default();
        HeatPart { rows, darkest, has_low, ..HeatPart::empty(filter, t) }
    }

    fn hours(&self) -> std::ops::Range<u32> {
        0..24
    }

    fn levels(&self) -> std::ops::RangeInclusive<u8> {
        0..=LEVELS
    }
}

fn weekdays(t: Texts) -> [&'static str; 7] {
    [t.monday(), t.tuesday(), t.wednesday(), t.thursday(), t.friday(), t.saturday(), t.sunday()]
}

/// The share of the time seen in which belts moved in the way that is shown. None: nothing was seen.
fn warmth(cell: &v1::HeatCell, heat: Heat) -> Option<f64> {
    let covered = seconds(cell.covered.as_ref());
    let (forward, reverse, unknown) =
        (seconds(cell.forward.as_ref()), seconds(cell.reverse.as_ref()), seconds(cell.unknown.as_ref()));
    let moved = match heat {
        Heat::All => forward + reverse + unknown,
        Heat::Forward => forward,
        Heat::Reverse => reverse,
        Heat::Unknown => unknown,
    };
    (covered > 0.0).then(|| moved / covered)
}

fn cell(cell: &v1::HeatCell, heat: Heat, greatest: f64, day: &str, reader: Reader) -> Cell {
    let t = reader.t;
    let (asked, covered) = (seconds(cell.asked.as_ref()), seconds(cell.covered.as_ref()));
    let is_first = cell.weekday == 0 && cell.hour == 0;
    let when = t.heat_when(day, cell.hour, cell.hour + 1);
    if asked <= 0.0 {
        let tip = t.heat_not_asked(when);
        return Cell { class: "none".to_owned(), number: "–".to_owned(), tip, is_first };
    }
    let Some(share) = warmth(cell, heat) else {
        return Cell { class: "low".to_owned(), number: "?".to_owned(), tip: t.heat_unseen(when), is_first };
    };
    let words = |time: &Option<prost_types::Duration>| length(seconds(time.as_ref()), reader);
    let low = if covered < asked / 2.0 { " low" } else { "" };
    let tip = t.heat_tip(
        when,
        words(&cell.forward),
        words(&cell.reverse),
        words(&cell.unknown),
        percent(covered, asked, reader).unwrap_or_default(),
    );
    let number = if share > 0.0 && share < 0.005 { "<1".to_owned() } else { format!("{:.0}", share * 100.0) };
    Cell { class: format!("h{}{low}", level(share, greatest)), number, tip, is_first }
}

/// The step of colour: none for nothing, and the last one for the greatest share.
fn level(share: f64, greatest: f64) -> u8 {
    if share <= 0.0 || greatest <= 0.0 {
        return 0;
    }
    (1..LEVELS).find(|step| share <= greatest * f64::from(*step) / f64::from(LEVELS)).unwrap_or(LEVELS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;
    use crate::words::Unit;

    const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

    fn told(weekday: u32, hour: u32, reverse: i64, covered: i64, asked: i64) -> v1::HeatCell {
        let span = |seconds: i64| Some(prost_types::Duration { seconds, nanos: 0 });
        v1::HeatCell {
            weekday,
            hour,
            forward: span(900),
            reverse: span(reverse),
            unknown: span(0),
            covered: span(covered),
            asked: span(asked),
        }
    }

    #[test]
    fn steps_are_of_the_greatest_share() {
        for (share, expected) in [(0.0, 0), (0.001, 1), (0.1, 1), (0.11, 2), (0.4, 4), (0.5, 5)] {
            assert_eq!(level(share, 0.5), expected, "{share}");
        }
        assert_eq!(level(0.0, 0.0), 0);
    }

    #[test]
    fn what_was_not_seen_is_not_shown_as_rest() {
        let cells = vec![told(0, 0, 900, 3_600, 3_600), told(0, 1, 0, 0, 3_600), told(0, 2, 0, 900, 3_600)];
        let response = v1::GetHeatMapResponse { cells, ..v1::GetHeatMapResponse::default() };
        let part = HeatPart::new(&response, &Filter::default(), READER);
        let shown: Vec<_> =
            part.rows[0].cells[..4].iter().map(|cell| (cell.class.as_str(), cell.number.as_str())).collect();
        assert_eq!(shown, [("h3", "50"), ("low", "?"), ("h5 low", "100"), ("none", "–")]);
        let tip = "Monday 0 to 1 o'clock: forward 15 min, reverse 15 min, direction unknown 0 min; \
                   counted for 100 % of the time.";
        assert_eq!(part.rows[0].cells[0].tip, tip);
        assert_eq!((part.rows.len(), part.rows[6].cells.len()), (7, 24));
        assert!(part.has_low);
        let reverse = Filter { heat: Heat::Reverse, ..Filter::default() };
        let part = HeatPart::new(&response, &reverse, READER);
        assert_eq!((part.rows[0].cells[0].number.as_str(), part.darkest.as_str()), ("25", "25"));
        assert_eq!(part.rows[0].cells[2].number, "0");
    }
}
