//! The columns of events.

use domain::belt::{Belt, Contact, Origin};
use domain::record::{Event, EventKind, Payload, Record};
use domain::signal::Capabilities;
use domain::units::{Incline, MonotonicMicros, Speed};

use super::codes::{direction_code, direction_of};
use super::columns::{ColumnReader, ColumnWriter};
use super::frames::Frame;
use super::readings::{OUT_OF_RANGE, put, put_some};
use super::{ChunkError, Row};

/// Writes the columns of events.
pub(super) fn write(writer: &mut ColumnWriter, rows: &[Row]) {
    let events: Vec<(MonotonicMicros, &Event)> = rows
        .iter()
        .filter_map(|row| match &row.record.payload {
            Payload::Event(event) => Some((row.record.at, event)),
            Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        })
        .collect();
    let all = || events.iter().map(|(_, event)| *event);
    writer.column(all().map(|event| kind_code(event.kind)));
    write_belts(writer, || all().map(|event| &event.belt));
    write_belts(writer, || all().map(|event| &event.before));
    writer.optional(all().map(|event| event.contact.map(contact_code)));
    writer.texts(all().map(|event| event.source.as_str()));
    writer.column(all().map(|event| i64::from(event.count)));
    writer.column(events.iter().map(|(at, event)| event.last.0.wrapping_sub(at.0).cast_signed()));
    writer.optional(
        all().map(|event| event.direction_before.map(|direction| direction_code(direction, Origin::Unknown))),
    );
    writer.texts(all().map(|event| event.detail.as_str()));
    // Since version 2.
    writer.optional(all().map(|event| event.capabilities.map(|capabilities| i64::from(capabilities.0))));
    writer.optional(all().map(|event| event.recording.map(|trigger| trigger.0.cast_signed())));
}

/// Reads what `write` wrote.
pub(super) fn read(reader: &mut ColumnReader<'_>, frames: Vec<Frame>) -> Result<Vec<Row>, ChunkError> {
    let nothing = Event::new(EventKind::BeltStarted, MonotonicMicros(0), Belt::default(), Belt::default());
    let mut rows: Vec<(Frame, Event)> = frames.into_iter().map(|frame| (frame, nothing.clone())).collect();
    reader.column(&mut rows, |(_, event), code| {
        event.kind = kind_of(code)?;
        Ok(())
    })?;
    read_belts(reader, &mut rows, |event| &mut event.belt)?;
    read_belts(reader, &mut rows, |event| &mut event.before)?;
    reader.optional(&mut rows, |(_, event), code| {
        event.contact = Some(contact_of(code)?);
        Ok(())
    })?;
    reader.texts(&mut rows, |(_, event), text| text.clone_into(&mut event.source))?;
    reader.column(&mut rows, |(_, event), value| put(&mut event.count, value))?;
    reader.column(&mut rows, |(frame, event), after| {
        event.last = MonotonicMicros(frame.at.0.wrapping_add(after.cast_unsigned()));
        Ok(())
    })?;
    reader.optional(&mut rows, |(_, event), code| {
        event.direction_before = Some(direction_of(code)?.0);
        Ok(())
    })?;
    reader.texts(&mut rows, |(_, event), text| text.clone_into(&mut event.detail))?;
    // Absent in chunks of version 1.
    reader.optional(&mut rows, |(_, event), value| put_some(&mut event.capabilities, Capabilities, value))?;
    reader.optional(&mut rows, |(_, event), value| {
        event.recording = Some(MonotonicMicros(value.cast_unsigned()));
        Ok(())
    })?;
    let rows = rows.into_iter().map(|(frame, event)| Row {
        n: frame.n,
        clock: frame.clock,
        record: Record { at: frame.at, other_n: frame.other_n, payload: Payload::Event(event) },
    });
    Ok(rows.collect())
}

fn write_belts<'b, B: Iterator<Item = &'b Belt>>(writer: &mut ColumnWriter, belts: impl Fn() -> B) {
    writer.column(belts().map(|belt| direction_code(belt.direction, belt.origin)));
    writer.optional(belts().map(|belt| belt.speed.map(|speed| i64::from(speed.0))));
    writer.optional(belts().map(|belt| belt.incline.map(|incline| i64::from(incline.0))));
    writer.column(belts().map(|belt| i64::from(belt.contacts.closed)));
    writer.column(belts().map(|belt| i64::from(belt.contacts.open)));
}

fn read_belts(
    reader: &mut ColumnReader<'_>,
    rows: &mut [(Frame, Event)],
    belt: impl Fn(&mut Event) -> &mut Belt,
) -> Result<(), ChunkError> {
    let mut belts: Vec<&mut Belt> = rows.iter_mut().map(|(_, event)| belt(event)).collect();
    reader.column(&mut belts, |belt, code| {
        (belt.direction, belt.origin) = direction_of(code)?;
        Ok(())
    })?;
    reader.optional(&mut belts, |belt, value| put_some(&mut belt.speed, Speed, value))?;
    reader.optional(&mut belts, |belt, value| put_some(&mut belt.incline, Incline, value))?;
    reader.column(&mut belts, |belt, value| put(&mut belt.contacts.closed, value))?;
    reader.column(&mut belts, |belt, value| put(&mut belt.contacts.open, value))
}

/// Kinds are stored by their place in `EventKind::ALL`, from 1.
fn kind_code(kind: EventKind) -> i64 {
    (1..).zip(EventKind::ALL).find(|(_, other)| *other == kind).map_or(0, |(code, _)| code)
}

fn kind_of(code: i64) -> Result<EventKind, ChunkError> {
    let place = usize::try_from(code).ok().and_then(|code| code.checked_sub(1));
    place
        .and_then(|place| EventKind::ALL.get(place))
        .copied()
        .ok_or(ChunkError::Damaged("it has a kind of event that is not known"))
}

/// Contacts are stored by their place in `Contact::ALL`, from 0.
fn contact_code(contact: Contact) -> i64 {
    i64::from(contact.bit().trailing_zeros())
}

fn contact_of(code: i64) -> Result<Contact, ChunkError> {
    usize::try_from(code).ok().and_then(|place| Contact::ALL.get(place)).copied().ok_or(OUT_OF_RANGE)
}
