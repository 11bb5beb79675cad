//! Events for which there is no room: counted by kind and contact, and told as one event each when there is room.

use domain::limits;
use domain::record::Event;
use domain::units::MonotonicMicros;

use super::disk::{Boot, Counter, Loaded};

/// Counts an event. There are never more counters than kinds times contacts.
pub(super) fn count(counters: &mut Vec<Counter>, boot_count: u32, at: MonotonicMicros, event: Event) {
    let same =
        |counter: &&mut Counter| (counter.event.kind, counter.event.contact) == (event.kind, event.contact);
    match counters.iter_mut().find(same) {
        Some(counter) => {
            counter.event.count = counter.event.count.saturating_add(event.count);
            counter.event.last = counter.event.last.max(event.last);
        }
        None => counters.push(Counter { boot_count, at, event }),
    }
}

/// What was counted in earlier boots, told in the times of the new one.
pub(super) fn carry_over(loaded: &Loaded, boot: &Boot, now: MonotonicMicros) -> Vec<Counter> {
    let mut counters = Vec::new();
    for counter in &loaded.counters {
        let made = loaded.boots.iter().find(|made| made.boot_count == counter.boot_count);
        let mut event = counter.event.clone();
        let mut at = counter.at;
        if made.is_none_or(|made| made.kernel != boot.kernel) {
            event.detail = told_later(counter, made);
            at = now;
            event.last = now;
        }
        count(&mut counters, boot.boot_count, at, event);
    }
    counters
}

/// The monotonic times of another kernel's life mean nothing in this one: they are told in words.
fn told_later(counter: &Counter, made: Option<&Boot>) -> String {
    let unix = |at| made.and_then(|made| made.clock.unix(at)).map(|unix| unix.0 / 1_000_000);
    let when = match (unix(counter.at), unix(counter.event.last)) {
        (Some(first), Some(last)) => format!("from {first} to {last}, in seconds since 1970"),
        (Some(_) | None, _) => "at an unknown time".to_owned(),
    };
    let text = format!("counted without room in boot {}, {when}", counter.boot_count);
    text.chars().take(limits::DETAIL_BYTES_MAX).collect()
}
