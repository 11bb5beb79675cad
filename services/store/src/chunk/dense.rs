//! Readings in the fewest octets, for chunks that are written once and kept long.
//!
//! Each column is told as how far it is from a guess: from the rows before it and from the columns before it. An
//! arithmetic coder learns how far off the guesses are. Guesses are whole-number sums, so both sides make the same.

use domain::units::{MILLI, SECOND};

use super::coder::{Coder, Reader, Writer};
use super::table::column::{
    ABOVE, AT, BELOW, CLOSED, DIRECTION, FALL, HAS_DISTANCE, HAS_ELAPSED, HAS_FALL, HAS_INCLINE, HAS_RISE,
    HAS_SPEED, HOLDS, INCLINE, MEAN, OFFSET, OPEN, OTHER_N, QUALITY, RISE, SKIPPED, SPAN, UNCERTAINTY,
};
use super::table::{Contexts, EXTRAS, Guess, Table};
use super::{ChunkError, Head, Row};

/// Contexts by size: numbers of up to this many bits less one are told apart.
const SIZES: usize = 14;
/// Parts of a metre that a guessed distance is told apart by.
const PHASES: usize = 16;
/// Nanometres in a metre: speed in mm/s times microseconds.
const METRE_NM: i64 = 1_000_000_000;
/// Longest time over which a distance is guessed, in microseconds.
const GUESSED_US_MAX: i64 = 60_000_000;

/// The rows' body.
pub(super) fn write(rows: &[Row], head: &Head) -> Vec<u8> {
    let mut writer = Writer::new();
    walk(&mut writer, &mut Table::of(rows, head), head);
    writer.finish()
}

/// Reads what `write` wrote.
pub(super) fn read(body: &[u8], head: &Head) -> Result<Vec<Row>, ChunkError> {
    let mut reader = Reader::new(body);
    let mut table = Table::empty(head.count);
    walk(&mut reader, &mut table, head);
    if !reader.is_at_end() {
        return Err(ChunkError::Damaged("its body has another length than its columns"));
    }
    table.rows(head)
}

/// So many contexts, the same for both questions.
const fn both(contexts: usize) -> Contexts {
    Contexts { hits: contexts, sizes: contexts }
}

/// A guess in a context that is the same for both questions.
fn guess(value: i64, context: usize) -> Guess {
    Guess { value, hit: context, size: context }
}

/// All columns, in their order.
fn walk<C: Coder>(coder: &mut C, table: &mut Table, head: &Head) {
    table.code(coder, (SKIPPED, None), both(1), || |_: &Table, _: usize| guess(0, 0));
    table.code(coder, (AT, None), both(SIZES), times);
    table.code(coder, (SPAN, None), both(1), || |table: &Table, row: usize| guess(span(table, row), 0));
    let by_span = |column: usize| move || after_span(column);
    table.code(coder, (OTHER_N, None), both(2), by_span(OTHER_N));
    table.code(coder, (QUALITY, None), both(1), || last(QUALITY, 0));
    let offset = head.times.map_or(0, |(least, _)| least.0.wrapping_sub(table.at(AT, 0)));
    table.code(coder, (OFFSET, None), both(1), || last(OFFSET, offset));
    table.code(coder, (UNCERTAINTY, None), both(SIZES), || smooth(UNCERTAINTY, 0));
    table.code(coder, (DIRECTION, None), both(2), by_span(DIRECTION));
    let present = both(4);
    table.code(coder, (HAS_SPEED, None), present, || presence(HAS_SPEED));
    table.code(coder, (MEAN, Some(HAS_SPEED)), both(SIZES), || smooth(MEAN, 3));
    let spreads = Contexts { hits: 2 * SIZES, sizes: SIZES };
    table.code(coder, (BELOW, Some(HAS_SPEED)), spreads, || spread(BELOW));
    table.code(coder, (ABOVE, Some(HAS_SPEED)), spreads, || spread(ABOVE));
    let changes = Contexts { hits: CHANGE_HITS, sizes: 4 * SIZES };
    table.code(coder, (HAS_RISE, Some(HAS_SPEED)), present, || presence(HAS_RISE));
    table.code(coder, (RISE, Some(HAS_RISE)), changes, || change(Way::Up));
    table.code(coder, (HAS_FALL, Some(HAS_SPEED)), present, || presence(HAS_FALL));
    table.code(coder, (FALL, Some(HAS_FALL)), changes, || change(Way::Down));
    table.code(coder, (HAS_INCLINE, None), present, || presence(HAS_INCLINE));
    table.code(coder, (INCLINE, Some(HAS_INCLINE)), both(1), || last(INCLINE, 0));
    table.code(coder, (CLOSED, None), both(2), by_span(CLOSED));
    table.code(coder, (OPEN, None), both(2), by_span(OPEN));
    table.code(coder, (HOLDS, None), both(2), by_span(HOLDS));
    for is_there in EXTRAS {
        let value = (is_there + 1, Some(is_there));
        table.code(coder, (is_there, None), present, || presence(is_there));
        match is_there {
            HAS_ELAPSED => table.code(coder, value, both(2), elapsed),
            HAS_DISTANCE => table.code(coder, value, both(PHASES + 1), distance),
            _ => table.code(coder, value, both(SIZES), || smooth(is_there + 1, 0)),
        }
    }
}

/// The value of the row before; at first `first`.
fn last(column: usize, first: i64) -> impl FnMut(&Table, usize) -> Guess {
    let mut before = None;
    move |table, row| {
        let place = before.replace(row);
        guess(place.map_or(first, |place| table.at(column, place)), 0)
    }
}

/// The value of the row before, apart where an interval is of another length: then something has happened.
fn after_span(column: usize) -> impl FnMut(&Table, usize) -> Guess {
    move |table, row| match row.checked_sub(1) {
        None => guess(0, 1),
        Some(before) => {
            let is_other = table.at(SPAN, before) != table.at(SPAN, row);
            guess(table.at(column, before), usize::from(is_other))
        }
    }
}

/// Whether a value is there: 0, and by whether it was there in the two rows before.
fn presence(column: usize) -> impl FnMut(&Table, usize) -> Guess {
    let mut known = 0_usize;
    let mut before: Option<usize> = None;
    move |table, row| {
        if let Some(place) = before.replace(row) {
            known = (known << 1 | usize::from(table.at(column, place) != 0)) & 3;
        }
        guess(0, known)
    }
}

/// The middle one of the last three steps on. By how far the guess before was off.
fn times() -> impl FnMut(&Table, usize) -> Guess {
    let mut steps = [SECOND.cast_signed(); 3];
    let mut guessed = 0_i64;
    move |table, row| {
        let Some(before) = row.checked_sub(1) else { return guess(0, SIZES - 1) };
        let at = table.at(AT, before);
        let off = if before > 0 {
            steps = [steps[1], steps[2], at.wrapping_sub(table.at(AT, before - 1))];
            at.wrapping_sub(guessed)
        } else {
            0
        };
        let mut sorted = steps;
        sorted.sort_unstable();
        guessed = at.wrapping_add(sorted[1]);
        guess(guessed, size(off))
    }
}

/// Intervals mostly follow each other.
fn span(table: &Table, row: usize) -> i64 {
    match row.checked_sub(1) {
        None => 1_000,
        Some(before) => table.at(AT, row).wrapping_sub(table.at(AT, before)) / MILLI.cast_signed(),
    }
}

/// The best of three guesses so far: the last value, the last step once more, and a mean over some `2^slow` rows. By
/// how far guesses were off.
fn smooth(column: usize, slow: u32) -> impl FnMut(&Table, usize) -> Guess {
    let mut before = None;
    let (mut guesses, mut off_by) = ([0_i64; 3], [0_i64; 3]);
    let (mut value, mut mean) = (0_i64, None);
    let mut best = 0;
    move |table, row| {
        if let Some(place) = before.replace(row) {
            let last = std::mem::replace(&mut value, table.at(column, place));
            for (off, guess) in off_by.iter_mut().zip(guesses) {
                *off = *off - (*off >> 3) + (small(value.wrapping_sub(guess)) << 4);
            }
            let scaled = small(value) * 256;
            let sign = if value < 0 { -1 } else { 1 };
            let now = sign * scaled;
            let slowly = mean.map_or(now, |mean: i64| mean + ((now - mean) >> slow));
            mean = Some(slowly);
            guesses = [value, value.wrapping_add(value.wrapping_sub(last)), (slowly + 128) >> 8];
            best = (0..3).min_by_key(|place| off_by[*place]).unwrap_or(0);
        }
        guess(guesses[best], size(off_by[best] >> 6))
    }
}

/// How far least or greatest lie from the mean: as for any value, and apart where the mean stays just as it was, as that
/// of a console does.
fn spread(column: usize) -> impl FnMut(&Table, usize) -> Guess {
    let mut smooth = smooth(column, 4);
    move |table, row| {
        let guess = smooth(table, row);
        let stays = row.checked_sub(1).is_some_and(|before| table.at(MEAN, before) == table.at(MEAN, row));
        Guess { hit: if stays { SIZES + guess.size } else { guess.size }, ..guess }
    }
}

/// Which change over 1.5 s is meant.
#[derive(Debug, Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// Contexts of the question whether a change is between the ends that were guessed.
const CHANGE_HITS: usize = 2 * 2 * 3 * 4 * 4;

/// The greatest change is mostly the one between the ends of this interval and the one before. Whether it is just that
/// depends on which of the two has the ends, by how far, and, for a fall, on whether the rise was: both cannot lie
/// between the ends of one interval.
fn change(way: Way) -> impl FnMut(&Table, usize) -> Guess {
    move |table, row| {
        let (now, before) = (ends(table, row), ends_before(table, row));
        let (began_below, began_above) = (before.0 < now.0, before.1 > now.1);
        let rise = now.1.wrapping_sub(before.0.min(now.0));
        let (value, rose) = match way {
            Way::Up => (rise, 0),
            Way::Down => {
                let is_rise = table.at(HAS_RISE, row) != 0 && table.at(RISE, row) == rise;
                (before.1.max(now.1).wrapping_sub(now.0), if is_rise { 2 } else { 1 })
            }
        };
        let apart = small(now.1.wrapping_sub(now.0)) + 1;
        let (below, above) = (small(now.0.wrapping_sub(before.0)), small(now.1.wrapping_sub(before.1)));
        let ends = usize::from(began_below) * 2 + usize::from(began_above);
        let hit = ((ends * 3 + rose) * 4 + nearness(below, apart)) * 4 + nearness(above, apart);
        Guess { value, hit, size: ends * SIZES + size(value) }
    }
}

/// Least and greatest speed of a row.
fn ends(table: &Table, row: usize) -> (i64, i64) {
    let mean = table.at(MEAN, row);
    (mean.wrapping_sub(table.at(BELOW, row)), mean.wrapping_add(table.at(ABOVE, row)))
}

/// Those of the row before; without one, its own.
fn ends_before(table: &Table, row: usize) -> (i64, i64) {
    let before = row.checked_sub(1).filter(|before| table.at(HAS_SPEED, *before) != 0);
    ends(table, before.unwrap_or(row))
}

/// How far apart two speeds are, for speeds that differ by `apart` within an interval.
fn nearness(speeds: i64, apart: i64) -> usize {
    match speeds {
        0 => 0,
        _ if speeds * 8 < apart => 1,
        _ if speeds * 3 < apart => 2,
        _ => 3,
    }
}

/// A console counts seconds while its belt moves.
fn elapsed() -> impl FnMut(&Table, usize) -> Guess {
    let mut before: Option<usize> = None;
    move |table, row| {
        let moves = usize::from(table.at(MEAN, row) != 0);
        let Some(place) = before.replace(row) else { return guess(0, moves) };
        let passed_us = table.at(AT, row).wrapping_sub(table.at(AT, place)).clamp(0, GUESSED_US_MAX);
        let second = SECOND.cast_signed();
        let passed = if moves == 1 { (passed_us + second / 2) / second } else { 0 };
        guess(table.at(HAS_ELAPSED + 1, place).wrapping_add(passed), moves)
    }
}

/// A console counts the metres that its belt runs. By which part of a metre is thought to be over.
fn distance() -> impl FnMut(&Table, usize) -> Guess {
    let mut before: Option<usize> = None;
    // How far into the metre told last the belt is thought to be, and how far it ran since, in nanometres.
    let (mut into, mut guessed) = (0_i64, 0_i64);
    move |table, row| {
        let Some(place) = before.replace(row) else { return guess(0, PHASES) };
        let told = table.at(HAS_DISTANCE + 1, place);
        // What was told last says more than what was thought: no less than the metre told, no more than the next one.
        let off = small(told.wrapping_sub(guessed));
        into = match off {
            0 => into,
            _ if told > guessed => 0,
            _ => METRE_NM - 1,
        };
        let passed_us = table.at(AT, row).wrapping_sub(table.at(AT, place)).clamp(0, GUESSED_US_MAX);
        let ran = into + table.at(MEAN, row).clamp(0, 20_000) * passed_us;
        into = ran % METRE_NM;
        guessed = told.wrapping_add(ran / METRE_NM);
        let phase = usize::try_from(into * (PHASES as i64) / METRE_NM).unwrap_or(0);
        guess(guessed, phase)
    }
}

/// A number without its sign, and no greater than what can be added up.
fn small(value: i64) -> i64 {
    i64::try_from(value.unsigned_abs()).unwrap_or(i64::MAX).min(1 << 40)
}

/// A context by how many bits a number has.
fn size(value: i64) -> usize {
    (64 - value.unsigned_abs().leading_zeros() as usize).min(SIZES - 1)
}
