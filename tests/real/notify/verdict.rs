//! What the ledger holds, what the receiver got, and what the server says of it, held against each other. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use wire::api::v1::{Incident, Notice, NoticeState, Severity};

use super::clock::told_ms;
use super::receiver::{Message, Told};

#[cfg(test)]
mod tests;

/// A stop that was pressed.
#[derive(Debug, Clone)]
pub(super) struct Press {
    pub(super) machine: String,
    /// The kill that followed it.
    pub(super) strike: Option<Strike>,
}

/// A kill of the server, which was started again at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    /// When it was dead, in milliseconds since 1970.
    pub(super) killed_ms: f64,
}

/// Everything that is known at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Critical ones, of the ledger.
    pub(super) incidents: Vec<Incident>,
    /// What the contact was told, as the server says.
    pub(super) notices: Vec<Notice>,
    /// What the contact was told, as the receiver saw it.
    pub(super) messages: Vec<Message>,
    /// In their order.
    pub(super) presses: Vec<Press>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Verdict {
    pub(super) faults: Vec<String>,
    incidents: usize,
    once: usize,
    again: usize,
    most: usize,
    messages: usize,
    /// Messages that told more than one thing.
    grouped: usize,
    /// Kills before the incident was found, between that and the message, before the message was answered, after.
    phases: [usize; 4],
    /// The longest times from a restart to the first message, in milliseconds: of incidents that were found before the
    /// kill, and of those that the agent had to tell again.
    longest_ms: [f64; 2],
}

impl Verdict {
    /// Whether all is as it should be.
    pub(super) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Judges.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let mut verdict = Verdict { incidents: seen.incidents.len(), ..Verdict::default() };
    verdict.messages = seen.messages.len();
    verdict.grouped = seen.messages.iter().filter(|message| message.told.len() > 1).count();
    for incident in &seen.incidents {
        judge_incident(seen, incident, &mut verdict);
    }
    judge_ids(seen, &mut verdict.faults);
    judge_presses(seen, &mut verdict);
    verdict
}

fn messages_of<'a>(seen: &'a Seen, incident: &'a str) -> impl Iterator<Item = &'a Message> {
    seen.messages.iter().filter(move |message| message.told.iter().any(|told| told.incident == incident))
}

fn judge_incident(seen: &Seen, incident: &Incident, verdict: &mut Verdict) {
    let Incident { id, rule, machine_id, .. } = incident;
    let named = format!("incident {id}, {rule} of {machine_id}");
    if !messages_of(seen, id).any(|message| message.taken_ms.is_some()) {
        verdict.faults.push(format!("{named}: the receiver took no message about it"));
    }
    match messages_of(seen, id).count() {
        0 => {}
        1 => verdict.once += 1,
        times => {
            verdict.again += 1;
            verdict.most = verdict.most.max(times);
        }
    }
    let is_its = |notice: &&Notice| {
        notice.incident_id == *id && notice.severity() == Severity::Critical && notice.step == 1
    };
    let notices: Vec<&Notice> = seen.notices.iter().filter(is_its).collect();
    match notices[..] {
        [notice] if notice.state() == NoticeState::Sent && notice.attempts > 0 => {}
        [notice] => verdict.faults.push(format!(
            "{named}: its notice {} is {:?} after {} attempts: {}",
            notice.id,
            notice.state(),
            notice.attempts,
            notice.reason
        )),
        _ => verdict.faults.push(format!("{named}: {} notices are listed, not one", notices.len())),
    }
}

/// One id is one incident, one incident of one severity is one id, and both are those that the server lists.
fn judge_ids(seen: &Seen, faults: &mut Vec<String>) {
    let mut incidents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut ids: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for Told { id, incident, severity, .. } in seen.messages.iter().flat_map(|message| &message.told) {
        incidents.entry(id).or_default().insert(incident);
        ids.entry((incident, severity)).or_default().insert(id);
    }
    for (id, incidents) in &incidents {
        if incidents.len() > 1 {
            faults.push(format!("id {id} stands for {} incidents: {incidents:?}", incidents.len()));
        }
        let listed = seen.notices.iter().find(|notice| notice.id == *id);
        if !listed.is_some_and(|notice| incidents.contains(notice.incident_id.as_str())) {
            faults.push(format!("id {id} came for {incidents:?}, and is not listed so"));
        }
    }
    for ((incident, severity), ids) in ids.iter().filter(|(_, ids)| ids.len() > 1) {
        faults.push(format!("incident {incident}, {severity}, came under {} ids: {ids:?}", ids.len()));
    }
}

/// Each press is one incident; those of a machine have the order of its presses.
fn judge_presses(seen: &Seen, verdict: &mut Verdict) {
    let mut of_machine: BTreeMap<&str, (Vec<&Press>, Vec<&Incident>)> = BTreeMap::new();
    for press in &seen.presses {
        of_machine.entry(&press.machine).or_default().0.push(press);
    }
    for incident in seen.incidents.iter().filter(|incident| incident.rule == "emergency-stop") {
        of_machine.entry(&incident.machine_id).or_default().1.push(incident);
    }
    for (machine, (presses, mut incidents)) in of_machine {
        if presses.len() != incidents.len() {
            let (stops, told) = (presses.len(), incidents.len());
            verdict.faults.push(format!("{machine}: {stops} stops were pressed, {told} are in the ledger"));
            continue;
        }
        incidents.sort_by(|a, b| told_ms(a.time).total_cmp(&told_ms(b.time)));
        for (press, incident) in presses.iter().zip(incidents) {
            if let Some(strike) = press.strike {
                judge_strike(seen, incident, strike, verdict);
            }
        }
    }
}

fn judge_strike(seen: &Seen, incident: &Incident, strike: Strike, verdict: &mut Verdict) {
    let is_found = told_ms(incident.detect_time) <= strike.killed_ms;
    let messages: Vec<&Message> = messages_of(seen, &incident.id).collect();
    let is_before = |time: Option<f64>| time.is_some_and(|time| time <= strike.killed_ms);
    let came = messages.iter().any(|message| is_before(Some(message.came_ms)));
    let was_taken = messages.iter().any(|message| is_before(message.taken_ms));
    let phase = match (is_found, came, was_taken) {
        (_, _, true) => 3,
        (_, true, false) => 2,
        (true, false, false) => 1,
        (false, false, false) => 0,
    };
    verdict.phases[phase] += 1;
    let first = messages.iter().map(|message| message.came_ms).min_by(f64::total_cmp);
    if let Some(first) = first.filter(|_| phase < 2) {
        let longest = &mut verdict.longest_ms[1 - phase];
        *longest = longest.max(first - strike.killed_ms);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { incidents, once, again, most, messages, grouped, .. } = self;
        let [before, between, under_way, after] = self.phases;
        let [known, unknown] = self.longest_ms;
        write!(
            f,
            "{incidents} critical incidents: {once} told once, {again} more than once (at most {most} times), in \
             {messages} messages, {grouped} of them with more than one incident; kills: {before} before the incident \
             was found, {between} between that and the message, {under_way} before the message was answered, {after} \
             after that; longest from a restart to the message: {known:.0} ms if the incident was in the ledger, \
             {unknown:.0} ms if the agent had to tell it again; {} faults",
            self.faults.len()
        )?;
        self.faults.iter().take(20).try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}
