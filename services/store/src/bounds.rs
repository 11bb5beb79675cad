//! What every engine refuses, so that all refuse the same.

use domain::handling::{NOTE_CHARACTERS_MAX, Step};
use domain::ids::{IncidentId, MachineId, SessionId, SiteId};
use domain::limits;
use domain::log::Position;
use domain::record::{Payload, Record};
use domain::units::UnixMicros;

use crate::fact::{Fact, IncidentStepped};
use crate::journal::{Sequence, Slice};
use crate::ledger::{Derived, IncidentFilter, IncidentQuery, Notice, NoticeQuery, SessionQuery, UsageQuery};
use crate::telemetry::{Block, RangeQuery};
use crate::{StoreError, StoreErrorKind};

/// Most slices that one read of the journal gives.
const SLICES_READ_MAX: usize = 10_000;
/// Most facts, checkpoints, sessions, unreadable records or incidents that one page gives.
pub(crate) const PAGE_MAX: usize = 1_000;
/// Most losses that one page gives.
pub(crate) const LOSSES_MAX: usize = 10_000;
/// Most records that one page of the telemetry gives.
const RECORDS_MAX: usize = 10_001;
/// Most machines that one query of sessions or usage names.
const MACHINES_MAX: usize = 1_000;
/// Longest author, in characters.
const AUTHOR_CHARS_MAX: usize = 120;
/// Longest identity of a request, in characters.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// Longest name of a contact, in characters.
const CONTACT_CHARS_MAX: usize = 64;
/// Longest reason of a notice, in characters.
const REASON_CHARS_MAX: usize = 300;
/// Most sites that one query of notices names.
const SITES_NAMED_MAX: usize = 10_000;
/// The greatest whole number that every engine can keep.
const NUMBER_MAX: u64 = i64::MAX.cast_unsigned();

/// The same call can never succeed.
pub(crate) fn invalid(context: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}

/// How many results may be asked for.
pub(crate) fn page(max: usize, limit: usize) -> Result<(), StoreError> {
    if (1..=limit).contains(&max) {
        Ok(())
    } else {
        Err(invalid(format!("max is {max}; 1 to {limit} are allowed")))
    }
}

/// A number that every engine can keep.
pub(crate) fn number(name: &str, value: u64) -> Result<(), StoreError> {
    if value <= NUMBER_MAX {
        Ok(())
    } else {
        Err(invalid(format!("{name} is {value}; at most {NUMBER_MAX} is allowed")))
    }
}

fn position(name: &str, position: Position) -> Result<(), StoreError> {
    number(name, position.n)
}

/// How many slices may be read.
pub(crate) fn slices_read(max: usize) -> Result<(), StoreError> {
    page(max, SLICES_READ_MAX)
}

/// Slices that may be appended.
pub(crate) fn slices(slices: &[Slice]) -> Result<(), StoreError> {
    if slices.is_empty() {
        return Err(invalid("no slice was given to append; at least one is needed"));
    }
    slices.iter().try_for_each(|slice| {
        number("last", slice.last)?;
        number("uncertainty_us", slice.clock.uncertainty_us)?;
        for boot in [slice.boot.previous, slice.boot.other_previous].into_iter().flatten() {
            position("position before the boot", boot)?;
        }
        if let Some(hole) = slice.hole {
            position("end of the hole", hole.to)?;
            position("start of the hole", hole.from.unwrap_or_default())?;
            number("records_at_least", hole.records_at_least)?;
        }
        if slice.first > slice.last {
            return Err(invalid(format!(
                "first is {}, last is {}; it must not be less",
                slice.first, slice.last
            )));
        }
        Ok(())
    })
}

/// A fact that may be added.
pub(crate) fn fact(fact: &Fact) -> Result<(), StoreError> {
    text("author", &fact.author, AUTHOR_CHARS_MAX)?;
    text("request_id", fact.request_id.as_deref().unwrap_or_default(), REQUEST_ID_CHARS_MAX)?;
    fact.stepped().map_or(Ok(()), step)
}

/// A step that may be taken, the incident apart.
fn step(stepped: &IncidentStepped) -> Result<(), StoreError> {
    if let Step::Seal { revision, evidence } = &stepped.step {
        number("revision", *revision)?;
        if evidence.len() != 64 || !evidence.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(invalid(format!("evidence is \"{evidence}\"; 64 hexadecimal digits are allowed")));
        }
    }
    let Some(note) = &stepped.note else { return Ok(()) };
    let Some(brought) = &note.text else { return Err(invalid("the note has no text")) };
    text("note", &brought.text, NOTE_CHARACTERS_MAX)?;
    if brought.text.is_empty() {
        return Err(invalid(format!("note is empty; 1 to {NOTE_CHARACTERS_MAX} characters are allowed")));
    }
    if note.hash != brought.hash() {
        return Err(invalid("the hash of the note is not that of its text"));
    }
    Ok(())
}

/// Notices that may be put.
pub(crate) fn notices(notices: &[Notice], taken: Option<u64>) -> Result<(), StoreError> {
    number("taken", taken.unwrap_or_default())?;
    notices.iter().try_for_each(|notice| {
        number("revision of a notice", notice.revision)?;
        text("contact", &notice.contact, CONTACT_CHARS_MAX)?;
        text("reason", &notice.reason, REASON_CHARS_MAX)
    })
}

/// Notices that may be asked for.
pub(crate) fn notice_query(query: &NoticeQuery) -> Result<(), StoreError> {
    let named = query.sites.as_ref().map_or(0, Vec::len);
    if named > SITES_NAMED_MAX {
        return Err(invalid(format!("{named} sites are named; at most {SITES_NAMED_MAX} are allowed")));
    }
    page(query.max, limits::NOTICES_READ_MAX)
}

fn text(name: &str, value: &str, chars_max: usize) -> Result<(), StoreError> {
    let chars = value.chars().count();
    if chars <= chars_max {
        Ok(())
    } else {
        Err(invalid(format!("{name} has {chars} characters; at most {chars_max} are allowed")))
    }
}

/// Derived values that may be put.
pub(crate) fn derived(derived: &Derived) -> Result<(), StoreError> {
    for checkpoint in &derived.checkpoints {
        number("sequence of a checkpoint", checkpoint.sequence)?;
        number("revision of a checkpoint", checkpoint.revision)?;
    }
    for session in &derived.sessions {
        number("revision of a session", session.revision)?;
    }
    for row in &derived.usage {
        number("revision of usage", row.revision)?;
    }
    for (_, loss) in &derived.losses {
        position("end of a loss", loss.hole.to)?;
        position("start of a loss", loss.hole.from.unwrap_or_default())?;
        number("records_at_least of a loss", loss.hole.records_at_least)?;
    }
    for (_, unreadable) in &derived.unreadable {
        position("position of an unreadable record", unreadable.position)?;
    }
    for derived in &derived.incidents {
        number("revision of an incident", derived.incident.revision)?;
    }
    for piece in &derived.recordings {
        let (points, max) = (piece.points.len(), limits::RECORDING_POINTS_MAX);
        if points > max {
            return Err(invalid(format!(
                "a piece of a recording has {points} points; at most {max} are allowed"
            )));
        }
    }
    Ok(())
}

/// Sessions that may be asked for.
pub(crate) fn sessions(query: &SessionQuery) -> Result<(), StoreError> {
    machines(&query.machines)?;
    page(query.max, PAGE_MAX)
}

/// Machines that may be named.
pub(crate) fn machines(named: &[MachineId]) -> Result<(), StoreError> {
    if named.len() <= MACHINES_MAX {
        Ok(())
    } else {
        Err(invalid(format!("{} machines are named; at most {MACHINES_MAX} are allowed", named.len())))
    }
}

/// Spans of sessions that may be asked for.
pub(crate) fn session_spans(named: &[MachineId], max: usize) -> Result<(), StoreError> {
    machines(named)?;
    page(max, limits::SESSION_SPANS_READ_MAX)
}

/// Sessions that may be named.
pub(crate) fn named_sessions(ids: &[SessionId]) -> Result<(), StoreError> {
    if ids.len() <= PAGE_MAX {
        Ok(())
    } else {
        Err(invalid(format!("{} sessions are named; at most {PAGE_MAX} are allowed", ids.len())))
    }
}

/// Usage that may be asked for.
pub(crate) fn usage(query: &UsageQuery) -> Result<(), StoreError> {
    machines(&query.machines)?;
    page(query.max, limits::USAGE_ROWS_READ_MAX)
}

/// Which incidents may be asked for.
pub(crate) fn incident_filter(filter: &IncidentFilter) -> Result<(), StoreError> {
    let named = filter.machines.as_ref().map_or(0, Vec::len);
    if named > limits::INCIDENT_MACHINES_MAX {
        let max = limits::INCIDENT_MACHINES_MAX;
        return Err(invalid(format!("{named} machines are named; at most {max} are allowed")));
    }
    Ok(())
}

/// Incidents that may be asked for.
pub(crate) fn incidents(query: &IncidentQuery) -> Result<(), StoreError> {
    incident_filter(&query.filter)?;
    page(query.max, PAGE_MAX)
}

/// Incidents that may be marked at once.
pub(crate) fn marked(ids: &[IncidentId]) -> Result<(), StoreError> {
    if ids.len() <= PAGE_MAX {
        Ok(())
    } else {
        Err(invalid(format!("{} incidents are named; at most {PAGE_MAX} are allowed", ids.len())))
    }
}

/// A block that may be put.
pub(crate) fn block(block: &Block) -> Result<(), StoreError> {
    let Some((last, _)) = block.records.last() else {
        return Ok(());
    };
    number("number of a record", *last)?;
    if block.records.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(invalid("the numbers of a block's records do not ascend"));
    }
    if block.records.iter().any(|(_, record)| record.payload.lane() != block.lane) {
        return Err(invalid(format!("a block of the {} lane has a record of the other", block.lane.name())));
    }
    let is_kept_elsewhere =
        |record: &Record| matches!(record.payload, Payload::Recording(_) | Payload::Commissioning(_));
    if block.records.iter().any(|(_, record)| is_kept_elsewhere(record)) {
        return Err(invalid("a block has a piece of a recording or a commissioning"));
    }
    Ok(())
}

/// Records that may be asked for: where they begin, or `None` if there can be none.
pub(crate) fn range(query: &RangeQuery) -> Result<Option<UnixMicros>, StoreError> {
    page(query.max, RECORDS_MAX)?;
    let from = query.after.map_or(query.from, |(time, _, _)| time.max(query.from));
    Ok((from < query.until).then_some(from))
}

/// Where a journal may be trimmed.
pub(crate) fn trim(through: Sequence, last: Sequence) -> Result<(), StoreError> {
    if through <= last {
        Ok(())
    } else {
        Err(invalid(format!("the journal cannot be trimmed through {through}: its last slice is {last}")))
    }
}

/// A site is named that is not registered.
pub(crate) fn no_site(site: &SiteId) -> StoreError {
    invalid(format!("there is no site \"{site}\": register it first"))
}

/// One more fits.
pub(crate) fn room(what: &str, count: usize, max: usize) -> Result<(), StoreError> {
    if count < max {
        return Ok(());
    }
    Err(StoreError::new(StoreErrorKind::Full, format!("there are {count} {what}; at most {max} are allowed")))
}

/// A name is registered already.
pub(crate) fn taken(what: &str, name: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, format!("there is a {what} \"{name}\" already"))
}
