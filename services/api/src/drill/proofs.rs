//! When the contacts that stop a machine were proven last, and by when they are due again.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ids::MachineId;
use domain::incident::rules::safety_function_untested::DAYS;
use domain::limits::STOPS_READ_MAX;
use domain::signal::Capabilities;
use domain::stop::StopContact;
use domain::units::UnixMicros;
use store::feed::Feed;
use store::ledger::{IncidentFilter, IncidentOrder, Ledger, StoredIncident};
use store::registry::Machine;
use tokio::sync::Mutex;
use wire::api::v1;

use super::stops::{STOPS, Told, read};
use crate::convert::timestamp;
use crate::live;
use crate::registry::Visible;
use crate::status::ApiError;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// A proof is called due so long before, in microseconds.
const DUE_BEFORE_US: i64 = 7 * DAY_US;
/// Changes of incidents read at once.
const CHANGES_READ: usize = 200;
/// Above so many changes that were not looked at, the machines are asked for anew.
const CHANGES_FOLLOWED_MAX: u64 = 2_000;

/// Whether a contact is proven, what needs a person most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProofState {
    Overdue,
    Never,
    Due,
    Proven,
    /// Nothing can be measured.
    Blind,
}

/// What is known of one contact of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) machine: MachineId,
    pub(crate) contact: StopContact,
    pub(crate) state: ProofState,
    /// When it stopped a moving belt last, and that was measured.
    pub(crate) last: Option<UnixMicros>,
    /// By when it is due again; `None`: it was never proven, or nothing can be measured.
    pub(crate) due: Option<UnixMicros>,
}

/// Last proofs of the contacts in the order of `STOPS`.
type Last = [Option<UnixMicros>; STOPS.len()];

/// Last proofs of the machines that were asked for, kept up with the changes of incidents: a list of all machines would
/// else read thousands of incidents with their traces each time.
#[derive(Debug)]
pub(crate) struct Proofs {
    ledger: Arc<dyn Ledger>,
    feed: Feed,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// Up to which change incidents were looked at.
    taken: u64,
    machines: HashMap<MachineId, Last>,
}

impl Proofs {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, feed: Feed) -> Proofs {
        Proofs { ledger, feed, book: Mutex::default() }
    }

    /// The contacts of these machines, which the caller may see, in their order.
    pub(crate) async fn of(
        &self,
        visible: &Visible,
        machines: &[&Machine],
        now: UnixMicros,
    ) -> Result<Vec<Proof>, ApiError> {
        let mut book = self.book.lock().await;
        self.follow(&mut book).await?;
        let mut proofs = Vec::with_capacity(machines.len() * STOPS.len());
        for machine in machines {
            let last = match book.machines.get(&machine.id) {
                Some(last) => *last,
                None => {
                    let last = self.find(&machine.id).await?;
                    book.machines.insert(machine.id.clone(), last);
                    last
                }
            };
            let days = visible.settings(&machine.id)?.limits.get(&DAYS);
            let known = live::latest(&self.feed, &machine.id).capabilities;
            let each = STOPS.into_iter().zip(last);
            proofs.extend(each.map(|((_, contact), last)| proof(machine, contact, known, days, last, now)));
        }
        Ok(proofs)
    }

    /// Contacts of these machines whose proof is overdue or was never given.
    pub(crate) async fn overdue(
        &self,
        visible: &Visible,
        machines: &[&Machine],
        now: UnixMicros,
    ) -> Result<u32, ApiError> {
        let proofs = self.of(visible, machines, now).await?;
        let is_overdue = |proof: &&Proof| matches!(proof.state, ProofState::Overdue | ProofState::Never);
        Ok(u32::try_from(proofs.iter().filter(is_overdue).count()).unwrap_or(u32::MAX))
    }

    /// Looks at what has changed since the last time.
    async fn follow(&self, book: &mut Book) -> Result<(), ApiError> {
        let newest = *self.ledger.incident_change().borrow();
        if book.machines.is_empty() || newest.saturating_sub(book.taken) > CHANGES_FOLLOWED_MAX {
            *book = Book { taken: newest, machines: HashMap::new() };
            return Ok(());
        }
        while book.taken < newest {
            let changes = self.ledger.incident_changes(book.taken, CHANGES_READ).await?;
            let Some(last) = changes.last() else { return Ok(()) };
            changes.iter().for_each(|stored| book.change(stored));
            book.taken = last.change;
        }
        Ok(())
    }

    /// The last proofs of a machine, from its incidents.
    async fn find(&self, machine: &MachineId) -> Result<Last, ApiError> {
        let mut found = Last::default();
        for (place, (rule, _)) in STOPS.into_iter().enumerate() {
            let filter = IncidentFilter {
                machines: Some(vec![machine.clone()]),
                rules: vec![rule],
                ..IncidentFilter::default()
            };
            let take = |stored: &StoredIncident| {
                found[place] = proven(stored).map(|(_, time)| time);
                found[place].is_none()
            };
            read(&*self.ledger, filter, IncidentOrder::NewestFirst, STOPS_READ_MAX, take).await?;
        }
        Ok(found)
    }
}

impl Book {
    fn change(&mut self, stored: &StoredIncident) {
        let machine = &stored.incident.machine;
        if stored.unconfirmed.is_some() {
            // An earlier one may be the last now.
            self.machines.remove(machine);
        }
        let Some(last) = self.machines.get_mut(machine) else { return };
        if let Some((place, time)) = proven(stored) {
            last[place] = last[place].max(Some(time));
        }
    }
}

/// Of a stop that proves a contact, the place of the contact in `STOPS` and when it was: the belt was seen to move and to
/// come to rest.
fn proven(stored: &StoredIncident) -> Option<(usize, UnixMicros)> {
    let told = Told::of(stored)?;
    let braking = told.braking()?;
    STOPS.iter().position(|(_, contact)| *contact == told.contact).map(|place| (place, braking.time))
}

fn proof(
    machine: &Machine,
    contact: StopContact,
    known: Capabilities,
    days: i64,
    last: Option<UnixMicros>,
    now: UnixMicros,
) -> Proof {
    let needed = match contact {
        StopContact::EmergencyStop => Capabilities::EMERGENCY_STOP,
        StopContact::SafetyKey => Capabilities::SAFETY_KEY,
        StopContact::MachinePower => Capabilities::MACHINE_POWER,
    };
    let can = known.has(needed) && known.has(Capabilities::SPEED);
    let due = last.filter(|_| can).map(|last| last.plus(days * DAY_US));
    let state = match due {
        _ if !can => ProofState::Blind,
        None => ProofState::Never,
        Some(due) if now >= due => ProofState::Overdue,
        Some(due) if now >= due.plus(-DUE_BEFORE_US) => ProofState::Due,
        Some(_) => ProofState::Proven,
    };
    Proof { machine: machine.id.clone(), contact, state, last, due }
}

/// What is overdue first, then what was never proven, then what is due first.
pub(super) fn sort(proofs: &mut [Proof]) {
    proofs.sort_by(|a, b| {
        let key = |one: &Proof| (one.state, one.due);
        key(a).cmp(&key(b)).then_with(|| (&a.machine, a.contact).cmp(&(&b.machine, b.contact)))
    });
}

pub(super) fn show(proof: &Proof) -> v1::Proof {
    let state = match proof.state {
        ProofState::Overdue => v1::ProofState::Overdue,
        ProofState::Never => v1::ProofState::Never,
        ProofState::Due => v1::ProofState::Due,
        ProofState::Proven => v1::ProofState::Proven,
        ProofState::Blind => v1::ProofState::Blind,
    };
    v1::Proof {
        machine_id: proof.machine.to_string(),
        contact: proof.contact.contact().name().to_owned(),
        state: state.into(),
        last_time: proof.last.map(timestamp),
        due_time: proof.due.map(timestamp),
    }
}
