//! Whatever happens in whatever order: planning and sending with crashes, duplicates and failures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use domain::handling::{Deed, Step};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What happens to incidents 1 to 4, and around them.
#[derive(Debug, Clone)]
enum Happening {
    /// It is found, or found again.
    Found(u8),
    /// It is found with a greater severity.
    Rises(u8),
    Acknowledged(u8),
    /// So many seconds pass.
    Passes(i64),
    /// The follower looks at what has changed, the last so many again.
    Plans,
    /// Messages that are due are sent; what the receivers say.
    Sends(bool),
    /// The server is killed: all that is not stored is forgotten. What was under way may have arrived.
    Crashes(bool),
}

fn happenings() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (1_u8..=4).prop_map(Happening::Found),
        1 => (1_u8..=4).prop_map(Happening::Rises),
        1 => (1_u8..=4).prop_map(Happening::Acknowledged),
        3 => (0_i64..400).prop_map(Happening::Passes),
        4 => Just(Happening::Plans),
        4 => any::<bool>().prop_map(Happening::Sends),
        1 => any::<bool>().prop_map(Happening::Crashes),
    ]
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<std::sync::Arc<Registry>> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { gym().await.registry() })
    })
}

/// A ledger, and what receivers have got.
#[derive(Debug, Default)]
struct World {
    now: i64,
    incidents: BTreeMap<IncidentId, StoredIncident>,
    changes: u64,
    notices: BTreeMap<NoticeId, Notice>,
    taken: u64,
    mind: Mind,
    under_way: Vec<(Contact, Vec<Notice>)>,
    /// What arrived, with the severity and when it did.
    arrived: Vec<(IncidentId, u32, NoticeId, i64)>,
    acknowledged: BTreeMap<IncidentId, i64>,
}

impl World {
    fn change(&mut self, octet: u8, change: impl FnOnce(&mut StoredIncident)) {
        let id = IncidentId([octet; 16]);
        if let Some(stored) = self.incidents.get_mut(&id) {
            self.changes += 1;
            stored.change = self.changes;
            change(stored);
        }
    }

    fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Found(octet) => {
                let severity = if octet % 2 == 0 { Severity::Critical } else { Severity::High };
                let found = stored(incident(*octet, Rule::SlowEmergencyStop, severity, self.now));
                self.incidents.entry(found.incident.id).or_insert(found);
                self.change(*octet, |stored| stored.incident.revision += 1);
            }
            Happening::Rises(octet) => {
                self.change(*octet, |stored| stored.incident.severity = Severity::Critical)
            }
            Happening::Acknowledged(octet) => {
                let deed = Deed { number: 1, time: second(self.now), by: "user:anna".to_owned() };
                let mut is_known = false;
                self.change(*octet, |stored| {
                    is_known = true;
                    stored.handling.take(&Step::Acknowledge, false, deed);
                });
                if is_known {
                    self.acknowledged.entry(IncidentId([*octet; 16])).or_insert(self.now);
                }
            }
            Happening::Passes(seconds) => self.now += seconds,
            Happening::Plans => self.plans(),
            Happening::Sends(is_taken) => {
                self.plans();
                self.sends();
                self.ends(*is_taken);
            }
            Happening::Crashes(has_arrived) => {
                self.plans();
                self.sends();
                if *has_arrived {
                    self.arrives();
                }
                self.under_way.clear();
                self.mind = Mind::default();
            }
        }
    }

    fn put(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            if self.notices.get(&notice.id).is_none_or(|old| old.revision < notice.revision) {
                self.notices.insert(notice.id, notice);
            }
        }
    }

    fn plans(&mut self) {
        let changed: Vec<StoredIncident> =
            self.incidents.values().filter(|stored| stored.change > self.taken).cloned().collect();
        for stored in changed {
            let about = About::Incident { incident: stored.incident.id };
            let known: Vec<Notice> =
                self.notices.values().filter(|notice| notice.about == about).cloned().collect();
            let planned =
                plan::plan(registry(), &stored, &known, |id| self.mind.is_under_way(id), second(self.now));
            self.put(planned);
        }
        self.taken = self.changes;
    }

    fn sends(&mut self) {
        let mut waiting: Vec<Notice> =
            self.notices.values().filter(|notice| notice.state == NoticeState::Waiting).cloned().collect();
        waiting.sort_by_key(|notice| (notice.due, notice.id));
        let now = second(self.now);
        let candidates = self.mind.candidates(&waiting, registry(), |_| true, now);
        let candidates: Vec<Notice> = candidates.into_iter().cloned().collect();
        let known = self.incidents.iter().map(|(id, stored)| (*id, Some(stored.clone()))).collect();
        let turn = self.mind.turn(candidates, &known, registry(), now);
        self.under_way.extend(turn.sent);
        self.put(turn.written);
    }

    fn arrives(&mut self) {
        for notice in self.under_way.iter().flat_map(|(_, notices)| notices) {
            let About::Incident { incident } = notice.about else { continue };
            self.arrived.push((incident, notice.step, notice.id, self.now));
        }
    }

    fn ends(&mut self, is_taken: bool) {
        if is_taken {
            self.arrives();
        }
        for (contact, notices) in std::mem::take(&mut self.under_way) {
            let outcome = if is_taken { Ok(()) } else { Err(Refusal::passing("no")) };
            let ended = self.mind.ended(&contact.name, &notices, outcome, registry(), second(self.now));
            self.put(ended);
        }
    }
}

proptest! {
    #[test]
    fn every_critical_incident_is_told(story in vec(happenings(), 1..60)) {
        let mut world = World::default();
        for happening in &story {
            world.happens(happening);
        }
        // In the end the receivers are well and time passes.
        for _ in 0..40 {
            world.happens(&Happening::Sends(true));
            world.now += 61;
        }
        prop_assert!(world.notices.values().all(|notice| notice.state != NoticeState::Waiting), "{:#?}", world.notices);
        for (id, stored) in &world.incidents {
            let arrived = world.arrived.iter().filter(|(incident, ..)| incident == id);
            let acknowledged = world.acknowledged.get(id).copied();
            for (_, step, _, at) in arrived.clone() {
                prop_assert!(acknowledged.is_none_or(|acknowledged| *at <= acknowledged), "{id}: step {step}");
            }
            let steps: BTreeSet<u32> = arrived.clone().map(|(_, step, ..)| *step).collect();
            if acknowledged.is_none() {
                prop_assert_eq!(steps, BTreeSet::from([1, 2]));
            }
            // One id an incident, step and severity: at most two severities were seen.
            for step in [1, 2] {
                let ids: BTreeSet<NoticeId> =
                    arrived.clone().filter(|(_, number, ..)| *number == step).map(|(_, _, id, _)| *id).collect();
                prop_assert!(ids.len() <= 2, "{:?}", stored.incident.severity);
            }
        }
    }
}
