//! The columns of readings.

use domain::record::{Extra, Payload, Reading, Record, SpeedSummary};
use domain::units::{Incline, Speed};

use super::codes::{direction_code, direction_of};
use super::columns::{ColumnReader, ColumnWriter};
use super::frames::Frame;
use super::{ChunkError, Row};

/// Writes the columns of readings.
pub(super) fn write(writer: &mut ColumnWriter, rows: &[Row]) {
    let readings: Vec<&Reading> = rows
        .iter()
        .filter_map(|row| match &row.record.payload {
            Payload::Reading(reading) => Some(reading),
            Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        })
        .collect();
    let all = || readings.iter();
    writer.column(all().map(|reading| i64::from(reading.span_ms)));
    writer.column(all().map(|reading| direction_code(reading.direction, reading.origin)));
    writer.optional(all().map(|reading| reading.speed.map(|speed| i64::from(speed.mean.0))));
    let speeds = || all().filter_map(|reading| reading.speed);
    // Least and greatest lie near the mean.
    writer.column(speeds().map(|speed| i64::from(speed.mean.0) - i64::from(speed.min.0)));
    writer.column(speeds().map(|speed| i64::from(speed.max.0) - i64::from(speed.mean.0)));
    writer.optional(speeds().map(|speed| speed.rise.map(i64::from)));
    writer.optional(speeds().map(|speed| speed.fall.map(i64::from)));
    writer.optional(all().map(|reading| reading.incline.map(|incline| i64::from(incline.0))));
    writer.column(all().map(|reading| i64::from(reading.contacts.closed)));
    writer.column(all().map(|reading| i64::from(reading.contacts.open)));
    writer.column(all().map(|reading| i64::from(reading.holds_for_ms)));
    let extras = || all().map(|reading| &reading.extra);
    writer.optional(extras().map(|extra| extra.commanded.map(|speed| i64::from(speed.0))));
    writer.optional(extras().map(|extra| extra.elapsed_s.map(i64::from)));
    writer.optional(extras().map(|extra| extra.distance_m.map(i64::from)));
    writer.optional(extras().map(|extra| extra.steps.map(i64::from)));
    writer.optional(extras().map(|extra| extra.belt_force_n.map(i64::from)));
    writer.optional(extras().map(|extra| extra.heart_rate_contact.map(i64::from)));
    writer.optional(extras().map(|extra| extra.heart_rate_bpm.map(i64::from)));
    writer.optional(extras().map(|extra| extra.second_speed.map(|speed| i64::from(speed.0))));
    writer.optional(extras().map(|extra| extra.declared_mode.map(i64::from)));
}

/// Reads what `write` wrote.
pub(super) fn read(reader: &mut ColumnReader<'_>, frames: Vec<Frame>) -> Result<Vec<Row>, ChunkError> {
    let mut readings = vec![Reading::default(); frames.len()];
    reader.column(&mut readings, |reading, value| put(&mut reading.span_ms, value))?;
    reader.column(&mut readings, |reading, value| {
        (reading.direction, reading.origin) = direction_of(value)?;
        Ok(())
    })?;
    read_speeds(reader, &mut readings)?;
    reader.optional(&mut readings, |reading, value| put_some(&mut reading.incline, Incline, value))?;
    reader.column(&mut readings, |reading, value| put(&mut reading.contacts.closed, value))?;
    reader.column(&mut readings, |reading, value| put(&mut reading.contacts.open, value))?;
    reader.column(&mut readings, |reading, value| put(&mut reading.holds_for_ms, value))?;
    read_extras(reader, &mut readings)?;
    let rows = frames.into_iter().zip(readings).map(|(frame, reading)| Row {
        n: frame.n,
        clock: frame.clock,
        record: Record { at: frame.at, other_n: frame.other_n, payload: Payload::Reading(reading) },
    });
    Ok(rows.collect())
}

fn read_speeds(reader: &mut ColumnReader<'_>, readings: &mut [Reading]) -> Result<(), ChunkError> {
    reader.optional(readings, |reading, value| {
        let mean = Speed(number(value)?);
        reading.speed = Some(SpeedSummary { mean, ..SpeedSummary::default() });
        Ok(())
    })?;
    let mut speeds: Vec<&mut SpeedSummary> =
        readings.iter_mut().filter_map(|reading| reading.speed.as_mut()).collect();
    reader.column(&mut speeds, |speed, below| {
        put(&mut speed.min.0, i64::from(speed.mean.0).wrapping_sub(below))
    })?;
    reader.column(&mut speeds, |speed, above| {
        put(&mut speed.max.0, i64::from(speed.mean.0).wrapping_add(above))
    })?;
    reader.optional(&mut speeds, |speed, value| put_some(&mut speed.rise, |rise| rise, value))?;
    reader.optional(&mut speeds, |speed, value| put_some(&mut speed.fall, |fall| fall, value))
}

fn read_extras(reader: &mut ColumnReader<'_>, readings: &mut [Reading]) -> Result<(), ChunkError> {
    let mut extras: Vec<&mut Extra> = readings.iter_mut().map(|reading| &mut reading.extra).collect();
    let same = |value: u32| value;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.commanded, Speed, value))?;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.elapsed_s, same, value))?;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.distance_m, same, value))?;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.steps, same, value))?;
    reader
        .optional(&mut extras, |extra, value| put_some(&mut extra.belt_force_n, |force: i32| force, value))?;
    reader.optional(&mut extras, |extra, value| {
        extra.heart_rate_contact = Some(match value {
            0 => false,
            1 => true,
            _ => return Err(OUT_OF_RANGE),
        });
        Ok(())
    })?;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.heart_rate_bpm, same, value))?;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.second_speed, Speed, value))?;
    reader.optional(&mut extras, |extra, value| put_some(&mut extra.declared_mode, same, value))
}

/// What a value outside its range is.
pub(super) const OUT_OF_RANGE: ChunkError = ChunkError::Damaged("it has a value outside its range");

/// A value as the number it must fit.
pub(super) fn number<T: TryFrom<i64>>(value: i64) -> Result<T, ChunkError> {
    T::try_from(value).map_err(|_| OUT_OF_RANGE)
}

pub(super) fn put<T: TryFrom<i64>>(field: &mut T, value: i64) -> Result<(), ChunkError> {
    *field = number(value)?;
    Ok(())
}

pub(super) fn put_some<N: TryFrom<i64>, T>(
    field: &mut Option<T>,
    make: impl FnOnce(N) -> T,
    value: i64,
) -> Result<(), ChunkError> {
    *field = Some(make(number(value)?));
    Ok(())
}
