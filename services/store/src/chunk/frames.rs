//! Columns that all rows have: number, time, clock.

use domain::clock::Clock;
use domain::units::MonotonicMicros;

use super::codes::{quality_code, quality_of};
use super::columns::{ColumnReader, ColumnWriter};
use super::{ChunkError, Head, Row};

/// What a row has besides its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) n: u64,
    pub(super) clock: Clock,
    pub(super) at: MonotonicMicros,
    pub(super) other_n: u64,
}

/// Writes the columns number, time, other lane's number, and the clock's three.
pub(super) fn write(writer: &mut ColumnWriter, rows: &[Row], head: &Head) {
    let mut expected = head.first_n;
    writer.column(rows.iter().map(|row| {
        let skipped = row.n.wrapping_sub(expected);
        expected = row.n.wrapping_add(1);
        skipped.cast_signed()
    }));
    writer.column(rows.iter().map(|row| row.record.at.0.cast_signed()));
    writer.column(rows.iter().map(|row| row.record.other_n.cast_signed()));
    writer.column(rows.iter().map(|row| quality_code(row.clock.quality)));
    let expected = expected_offset(head, rows[0].record.at);
    writer.column(rows.iter().map(|row| row.clock.offset_us.wrapping_sub(expected)));
    writer.column(rows.iter().map(|row| row.clock.uncertainty_us.cast_signed()));
}

/// Reads what `write` wrote.
pub(super) fn read(reader: &mut ColumnReader<'_>, head: &Head) -> Result<Vec<Frame>, ChunkError> {
    let nothing = Frame { n: 0, clock: Clock::UNDATED, at: MonotonicMicros(0), other_n: 0 };
    let mut frames = vec![nothing; head.count];
    let mut expected = Some(head.first_n);
    reader.column(&mut frames, |frame, skipped| {
        let n = expected.and_then(|n| n.checked_add(skipped.cast_unsigned()));
        frame.n = n.ok_or(ChunkError::Damaged("it has a number that cannot be"))?;
        expected = frame.n.checked_add(1);
        Ok(())
    })?;
    if frames.last().map(|frame| frame.n) != Some(head.last_n) {
        return Err(ChunkError::Damaged("its last number is another than it says"));
    }
    reader.column(&mut frames, |frame, at| {
        frame.at = MonotonicMicros(at.cast_unsigned());
        Ok(())
    })?;
    reader.column(&mut frames, |frame, other_n| {
        frame.other_n = other_n.cast_unsigned();
        Ok(())
    })?;
    reader.column(&mut frames, |frame, code| {
        frame.clock.quality = quality_of(code)?;
        Ok(())
    })?;
    let expected = expected_offset(head, frames[0].at);
    reader.column(&mut frames, |frame, offset| {
        frame.clock.offset_us = offset.wrapping_add(expected);
        Ok(())
    })?;
    reader.column(&mut frames, |frame, uncertainty| {
        frame.clock.uncertainty_us = uncertainty.cast_unsigned();
        Ok(())
    })?;
    Ok(frames)
}

/// The offset that first row and least time would give: mostly the very one, so the column is absent.
fn expected_offset(head: &Head, at: MonotonicMicros) -> i64 {
    head.times.map_or(0, |(least, _)| least.0.wrapping_sub(at.0.cast_signed()))
}
