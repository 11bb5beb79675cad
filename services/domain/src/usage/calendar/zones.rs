//! The time zone of a place, which may change over time.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{
    Calendar, CalendarError, DATE_EARLIEST, DATE_LATEST, DAY_SECONDS, OffsetSpan, QUARTER_EARLIEST,
    QUARTER_LATEST, QUARTER_SECONDS, QuarterSpan, REACH_QUARTERS, days_of, quarter_from,
};
use crate::units::UnixMicros;

/// No clock is further from UTC than this, in seconds.
const OFFSET_SECONDS_MAX: i64 = 26 * 3_600;
/// Characters of an unknown name that are told back.
const NAME_CHARACTERS_MAX: usize = 80;
/// Names that are proposed for an unknown one.
const NEAREST_MAX: usize = 3;

/// A time zone that is in no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownZone {
    /// What was given, cut to 80 characters.
    pub name: String,
    /// Known names that read alike, nearest first, at most three.
    pub nearest: Vec<String>,
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        write!(out, "time zone {name:?} is not known; an IANA name such as \"Europe/Berlin\" is allowed")?;
        if let Some((first, others)) = self.nearest.split_first() {
            write!(out, "; did you mean {first:?}")?;
            for other in others {
                write!(out, " or {other:?}")?;
            }
            write!(out, "?")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownZone {}

/// Whether a time zone is known by its IANA name, in any case of letters.
///
/// # Errors
/// It is not; names that read alike come with it.
pub fn check_zone(name: &str) -> Result<(), UnknownZone> {
    zone(name).map(|_| ())
}

/// The bundled zones only: the same everywhere, whatever the machine has that this runs on.
fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    let found = TimeZoneDatabase::bundled().get(name).ok();
    found.filter(|zone| !zone.is_unknown()).ok_or_else(|| UnknownZone {
        name: name.chars().take(NAME_CHARACTERS_MAX).collect(),
        nearest: nearest(name),
    })
}

/// Names that read alike, or end alike: `berlin` and `Germany/Berlin` for `Europe/Berlin`.
fn nearest(name: &str) -> Vec<String> {
    let plain = |character: char| if character == ' ' { '_' } else { character.to_ascii_lowercase() };
    let wanted: Vec<char> = name.trim().chars().take(NAME_CHARACTERS_MAX).map(plain).collect();
    let place = |name: &[char]| name.rsplit(|c| *c == '/').next().unwrap_or_default().to_vec();
    let wanted_place = place(&wanted);
    let mut found: Vec<(usize, String)> = Vec::new();
    for known in TimeZoneDatabase::bundled().available() {
        let full: Vec<char> = known.as_str().chars().map(plain).collect();
        let apart = distance(&wanted, &full).min(distance(&wanted_place, &place(&full)));
        // Short names are all alike; of longer ones a letter or two may be wrong.
        if apart <= (wanted_place.len() / 4).min(2) && !wanted_place.is_empty() {
            found.push((apart, known.as_str().to_owned()));
        }
    }
    found.sort();
    found.into_iter().map(|(_, name)| name).take(NEAREST_MAX).collect()
}

/// How many characters must be put in, taken out or changed to make one of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

/// The time zones of a place, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zones {
    before: TimeZone,
    /// From which quarter on, ascending; of two from the same quarter on the later one holds.
    changes: Vec<(i64, TimeZone)>,
}

impl Zones {
    /// `before` until the first of `changes`, which may come in any order; of two at the same moment the later one in the
    /// list counts. A change holds from the first quarter that begins at or after it.
    ///
    /// # Errors
    /// A name that is not known.
    pub fn new(before: &str, changes: Vec<(UnixMicros, String)>) -> Result<Zones, UnknownZone> {
        let mut changes = changes;
        changes.sort_by_key(|(time, _)| *time);
        let mut zones = Zones::always(before)?;
        for (time, name) in changes {
            // Floored seconds would let a change a little after the beginning of a quarter hold from there on.
            let seconds = -(-i128::from(time.0)).div_euclid(1_000_000);
            let seconds = i64::try_from(seconds).expect("a millionth of an i64 is an i64");
            let from = quarter_from(seconds);
            zones.changes.push((from, zone(&name)?));
        }
        Ok(zones)
    }

    /// One zone that always holds.
    ///
    /// # Errors
    /// The name is not known.
    pub fn always(name: &str) -> Result<Zones, UnknownZone> {
        Ok(Zones { before: zone(name)?, changes: Vec::new() })
    }

    /// The IANA name of the zone that holds when a quarter begins.
    pub fn name_at(&self, quarter: i64) -> &str {
        let after = self.changes.partition_point(|(from, _)| *from <= quarter);
        let zone = after.checked_sub(1).map_or(&self.before, |last| &self.changes[last].1);
        zone.iana_name().unwrap_or("UTC")
    }

    /// The quarters from the first one in which clocks show `from` or a later date until the first one in which they
    /// show `until` or a later one: ranges of dates that meet share no quarter. Empty if the place left the dates out, as
    /// Apia left out 2011-12-30. Cut to 2000-01-01 until 2100-01-01 UTC.
    ///
    /// # Errors
    /// A date before 2000-01-01 or after 2100-01-01; `until` not after `from`.
    pub fn quarters(&self, from: Date, until: Date) -> Result<QuarterSpan, CalendarError> {
        if let Some(outside) = [from, until].into_iter().find(|d| !(DATE_EARLIEST..=DATE_LATEST).contains(d))
        {
            return Err(CalendarError::DateOutside(outside));
        }
        if from >= until {
            return Err(CalendarError::DatesReversed { from, until });
        }
        Ok(QuarterSpan { from: self.first_quarter(from), until: self.first_quarter(until) })
    }

    /// The calendar of the quarters from `from` until before `until`; may be empty.
    ///
    /// # Errors
    /// `until` before `from`; quarters before 2000-01-01 or after 2100-01-01 UTC.
    pub fn calendar(&self, from: i64, until: i64) -> Result<Calendar, CalendarError> {
        let range = QuarterSpan::checked(from, until)?;
        let reach = QuarterSpan { from: from - REACH_QUARTERS, until: until + REACH_QUARTERS };
        Ok(Calendar { range, offsets: self.offsets_in(reach) })
    }

    /// How far clocks are from UTC in the quarters from `from` until before `until`: ascending, without a hole, each
    /// different from the one before.
    ///
    /// # Errors
    /// As [`Zones::calendar`].
    pub fn offset_spans(&self, from: i64, until: i64) -> Result<Vec<OffsetSpan>, CalendarError> {
        QuarterSpan::checked(from, until).map(|range| self.offsets_in(range))
    }

    fn first_quarter(&self, date: Date) -> i64 {
        let midnight = days_of(date) * DAY_SECONDS;
        let near = QuarterSpan {
            from: quarter_from(midnight - OFFSET_SECONDS_MAX),
            until: quarter_from(midnight + OFFSET_SECONDS_MAX),
        };
        let offsets = self.offsets_in(near);
        let mut firsts = offsets.iter().filter_map(|offset| {
            let first = quarter_from(midnight - i64::from(offset.offset_seconds)).max(offset.span.from);
            (first < offset.span.until).then_some(first)
        });
        firsts.next().unwrap_or(near.until).clamp(QUARTER_EARLIEST, QUARTER_LATEST)
    }

    fn offsets_in(&self, range: QuarterSpan) -> Vec<OffsetSpan> {
        let mut spans = Vec::new();
        let mut from = range.from;
        let mut zone = &self.before;
        for (change, next) in &self.changes {
            let until = (*change).clamp(from, range.until);
            push_offsets(zone, QuarterSpan { from, until }, &mut spans);
            (from, zone) = (until, next);
        }
        push_offsets(zone, QuarterSpan { from, until: range.until }, &mut spans);
        spans
    }
}

/// Appends how far a zone's clocks are from UTC, found by their changes, of which most zones have none or two a year.
fn push_offsets(zone: &TimeZone, range: QuarterSpan, spans: &mut Vec<OffsetSpan>) {
    if range.is_empty() {
        return;
    }
    let begin = Timestamp::from_second(range.from * QUARTER_SECONDS);
    let begin = begin.expect("calendars speak of 1999 to 2100 only");
    let mut from = range.from;
    let mut offset_seconds = zone.to_offset(begin).seconds();
    for transition in zone.following(begin) {
        let at = quarter_from(transition.timestamp().as_second());
        if at >= range.until {
            break;
        }
        push_offset(spans, QuarterSpan { from, until: at }, offset_seconds);
        (from, offset_seconds) = (at, transition.offset().seconds());
    }
    push_offset(spans, QuarterSpan { from, until: range.until }, offset_seconds);
}

/// Appends a span; a change of name or season that does not move the clock makes none.
fn push_offset(spans: &mut Vec<OffsetSpan>, span: QuarterSpan, offset_seconds: i32) {
    if span.is_empty() {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.offset_seconds == offset_seconds => last.span.until = span.until,
        Some(_) | None => spans.push(OffsetSpan { span, offset_seconds }),
    }
}
