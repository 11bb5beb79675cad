//! Usage of a machine in its checkpoint.

use domain::limits::COVERED_SPANS_MAX;
use domain::signal::Capabilities;
use domain::units::UnixMicros;
use domain::usage::{Covered, Grade, OpenDay, PartId, Usage, UsageFold, code};

use crate::{Unreadable, proto};

pub(super) fn usage_to(usage: &UsageFold) -> proto::UsageState {
    let span = |(from, until): &(UnixMicros, UnixMicros)| proto::SpanState {
        from_unix_us: from.0,
        until_unix_us: until.0,
    };
    proto::UsageState {
        covered: usage.covered.spans().iter().map(span).collect(),
        was_moving: usage.was_moving,
        able: usage.able.0,
        open: usage.open.as_ref().map(|open| proto::OpenDayState {
            day: open.day,
            part: open.part.0,
            through_unix_us: open.through.0,
            quarters: open.quarters().into(),
        }),
    }
}

pub(super) fn usage_from(usage: proto::UsageState) -> Result<UsageFold, Unreadable> {
    let span = |span: &proto::SpanState| (UnixMicros(span.from_unix_us), UnixMicros(span.until_unix_us));
    let covered = Covered::from_spans(usage.covered.iter().map(span).collect());
    let wrong = || {
        let what = format!(
            "UsageState.covered: at most {COVERED_SPANS_MAX} spans, ascending and apart, are required"
        );
        Unreadable::new(what)
    };
    Ok(UsageFold {
        covered: covered.ok_or_else(wrong)?,
        open: usage.open.map(open_from).transpose()?,
        was_moving: usage.was_moving,
        able: Capabilities(usage.able),
    })
}

fn open_from(open: proto::OpenDayState) -> Result<OpenDay, Unreadable> {
    let mut closed = Vec::new();
    let mut last: Option<(u8, Usage)> = None;
    for quarter in code::quarters(&open.quarters) {
        let quarter = quarter.map_err(|error| Unreadable::new(format!("OpenDayState.quarters: {error}")))?;
        if let Some((number, usage)) = last.replace(quarter) {
            code::put(&mut closed, number, &usage);
        }
    }
    let none = || Unreadable::new("OpenDayState.quarters: at least one is required");
    Ok(OpenDay {
        day: open.day,
        part: PartId(open.part),
        through: UnixMicros(open.through_unix_us),
        closed,
        quarter: last.ok_or_else(none)?,
    })
}

pub(super) fn grade_to(grade: Grade) -> u32 {
    match grade {
        Grade::Unknown => 0,
        Grade::Level => 1,
        Grade::Uphill => 2,
        Grade::Downhill => 3,
    }
}

pub(super) fn grade_from(grade: u32) -> Result<Grade, Unreadable> {
    let known = Grade::ALL.into_iter().find(|known| grade_to(*known) == grade);
    known.ok_or_else(|| Unreadable::new(format!("SegmentState.grade is {grade}; 0 to 3 are allowed")))
}
