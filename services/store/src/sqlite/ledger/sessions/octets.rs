//! Sessions as octets.

use domain::live::{Segment, Session};
use domain::units::{Speed, UnixMicros};
use domain::usage::{Grade, Guidance};

use crate::chunk::ChunkError;
use crate::chunk::codes::{direction_code, direction_of};
use crate::chunk::varint::{self, Octets};

/// The version that is written. Version 1 knew neither grade nor incline nor guidance.
pub(super) const VERSION: u8 = 2;

/// Marks a segment with guidance, above the grade.
const WITH_GUIDANCE: u64 = 4;

/// Version; last motion after the start; whether it ended; count of segments; of each: direction and origin, its start
/// after the end of the one before, its length, observed time, distance, remainder, greatest speed; grade with a mark for
/// guidance, time with a known incline, incline times time, guidance.
pub(super) fn encode(session: &Session) -> Vec<u8> {
    let mut body = vec![VERSION];
    let between = |from: UnixMicros, to: UnixMicros| varint::zigzag(to.0.wrapping_sub(from.0));
    varint::put(&mut body, between(session.started, session.last_motion));
    varint::put(&mut body, u64::from(session.ended));
    varint::put(&mut body, session.segments.len() as u64);
    let mut before = session.started;
    for segment in &session.segments {
        varint::put(&mut body, direction_code(segment.direction, segment.origin).cast_unsigned());
        varint::put(&mut body, between(before, segment.started));
        varint::put(&mut body, between(segment.started, segment.ended));
        varint::put(&mut body, segment.observed_us);
        varint::put(&mut body, segment.distance_mm);
        varint::put(&mut body, segment.distance_remainder);
        varint::put(&mut body, u64::from(segment.speed_max.0));
        put_slope(&mut body, segment);
        before = segment.ended;
    }
    body
}

fn put_slope(body: &mut Vec<u8>, segment: &Segment) {
    let guidance = segment.guidance;
    let mark = if guidance == Guidance::default() { 0 } else { WITH_GUIDANCE };
    varint::put(body, grade_code(segment.grade) | mark);
    varint::put(body, segment.incline_us);
    varint::put(body, varint::zigzag(segment.incline_sum));
    if mark == WITH_GUIDANCE {
        varint::put(body, guidance.slow_us);
        varint::put(body, guidance.rail_held_us);
        varint::put(body, guidance.rail_known_us);
        varint::put(body, guidance.key_in_us);
        varint::put(body, guidance.key_known_us);
    }
}

/// Last motion, whether it ended, its segments, of octets of a version up to this one.
pub(super) fn decode(
    body: &[u8],
    started: UnixMicros,
) -> Result<(UnixMicros, bool, Vec<Segment>), ChunkError> {
    let mut octets = Octets::new(body);
    let version = octets.octet()?;
    let last_motion = after(&mut octets, started)?;
    let ended = octets.varint()? == 1;
    let mut segments = Vec::new();
    let mut before = started;
    for _ in 0..octets.varint()? {
        let mut segment = segment(&mut octets, before)?;
        if version > 1 {
            read_slope(&mut octets, &mut segment)?;
        }
        before = segment.ended;
        segments.push(segment);
    }
    Ok((last_motion, ended, segments))
}

fn after(octets: &mut Octets<'_>, from: UnixMicros) -> Result<UnixMicros, ChunkError> {
    Ok(UnixMicros(from.0.wrapping_add(varint::unzigzag(octets.varint()?))))
}

/// What all versions tell of a segment.
fn segment(octets: &mut Octets<'_>, before: UnixMicros) -> Result<Segment, ChunkError> {
    let (direction, origin) = direction_of(octets.varint()?.cast_signed())?;
    let started = after(octets, before)?;
    let mut segment = Segment::begun(direction, origin, Grade::Unknown, started);
    segment.ended = after(octets, started)?;
    segment.observed_us = octets.varint()?;
    segment.distance_mm = octets.varint()?;
    segment.distance_remainder = octets.varint()?;
    segment.speed_max = Speed(u32::try_from(octets.varint()?).map_err(|_| ChunkError::Damaged("a speed"))?);
    Ok(segment)
}

fn read_slope(octets: &mut Octets<'_>, segment: &mut Segment) -> Result<(), ChunkError> {
    let code = octets.varint()?;
    segment.grade = grade_of(code & !WITH_GUIDANCE)?;
    segment.incline_us = octets.varint()?;
    segment.incline_sum = varint::unzigzag(octets.varint()?);
    if code & WITH_GUIDANCE != 0 {
        segment.guidance = Guidance {
            slow_us: octets.varint()?,
            rail_held_us: octets.varint()?,
            rail_known_us: octets.varint()?,
            key_in_us: octets.varint()?,
            key_known_us: octets.varint()?,
        };
    }
    Ok(())
}

fn grade_code(grade: Grade) -> u64 {
    match grade {
        Grade::Unknown => 0,
        Grade::Level => 1,
        Grade::Uphill => 2,
        Grade::Downhill => 3,
    }
}

fn grade_of(code: u64) -> Result<Grade, ChunkError> {
    let known = Grade::ALL.into_iter().find(|grade| grade_code(*grade) == code);
    known.ok_or(ChunkError::Damaged("it has a grade that is not known"))
}
