//! Values for the tests of this crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use domain::belt::{Direction, Origin};
use domain::handling::Step;
use domain::ids::{IncidentId, MachineId, SiteId};
use domain::incident::{Incident, Rule, Severity};
use domain::registry::{BeltKind, DriveKind};
use domain::signal::Capabilities;
use domain::units::{Speed, UnixMicros};
use store::fact::{Fact, FactKind, IncidentStepped, NewContact, NewStaffedHours, PolicyChange};
use store::ledger::{Derived, DerivedIncident, Ledger, Notice, NoticeQuery, StoredIncident};
use store::memory::MemoryLedger;
use store::registry::{ChainStep, Contact, Machine, Registry, ServiceRule, Site, StaffedDays, Staffing, Way};

use crate::surroundings::OpenPages;

/// A moment so many seconds after noon UTC of a Thursday, 13:00 in Vienna.
pub(crate) fn second(seconds: i64) -> UnixMicros {
    UnixMicros(1_800_014_400_000_000 + seconds * 1_000_000)
}

pub(crate) fn site() -> SiteId {
    SiteId::new("north").unwrap()
}

pub(crate) fn machine(name: &str) -> MachineId {
    MachineId::new(name).unwrap()
}

pub(crate) fn site_entry() -> Site {
    Site {
        id: site(),
        display_name: "Gym North".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        created: second(-1_000_000),
        history: Default::default(),
    }
}

pub(crate) fn machine_entry(name: &str) -> Machine {
    Machine {
        id: machine(name),
        site: site(),
        display_name: name.to_uppercase(),
        model: "Maker 9".to_owned(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: second(-1_000_000),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    }
}

pub(crate) fn contact(name: &str, way: Way) -> Contact {
    Contact {
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        site: None,
        way,
        is_anchor: false,
        weekly: false,
        generation: 1,
        changed: second(-1_000_000),
    }
}

pub(crate) fn hook(name: &str) -> Contact {
    contact(name, Way::Webhook { url: format!("https://{name}.example.org/hook") })
}

pub(crate) fn step(contact: &str, least: Severity, after_seconds: u32) -> ChainStep {
    ChainStep { contact: contact.to_owned(), least, after_seconds, staffing: Staffing::Always }
}

/// An incident of machine `m-1` that happened and was noticed in that second.
pub(crate) fn incident(octet: u8, rule: Rule, severity: Severity, at: i64) -> Incident {
    Incident {
        id: IncidentId([octet; 16]),
        machine: machine("m-1"),
        rule,
        rule_version: 1,
        severity,
        time: second(at),
        noticed: second(at),
        drill: None,
        cleared: None,
        direction: Direction::Forward,
        origin: Origin::Measured,
        speed: Some(Speed(2_500)),
        incline: None,
        contact: None,
        count: 1,
        measured: Vec::new(),
        thresholds: Vec::new(),
        detail: String::new(),
        explained: String::new(),
        capabilities: Capabilities::SPEED,
        stop: None,
        recording: None,
        trace: Vec::new(),
        trace_complete: true,
        revision: 1,
    }
}

pub(crate) fn stored(incident: Incident) -> StoredIncident {
    let detected = incident.noticed;
    StoredIncident { incident, detected, change: 1, unconfirmed: None, handling: Default::default() }
}

/// A ledger with a site, machines `m-1` to `m-9`, contacts and a chain.
#[derive(Debug, Clone)]
pub(crate) struct Gym {
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) pages: Arc<Pages>,
}

/// So many open pages.
#[derive(Debug, Default)]
pub(crate) struct Pages(pub(crate) AtomicUsize);

impl OpenPages for Pages {
    fn count(&self, _: &SiteId) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gym {
    pub(crate) async fn new(contacts: &[Contact], chain: &[ChainStep]) -> Gym {
        let gym = Gym {
            ledger: Arc::default(),
            clock: Arc::new(AtomicI64::new(second(0).0)),
            pages: Arc::new(Pages(AtomicUsize::new(1))),
        };
        gym.fact(FactKind::SiteCreated(site_entry())).await;
        for number in 1..=9 {
            gym.fact(FactKind::MachineCreated(machine_entry(&format!("m-{number}")))).await;
        }
        for contact in contacts {
            gym.fact(FactKind::ContactSet(NewContact { contact: contact.clone() })).await;
        }
        gym.chain(chain).await;
        gym
    }

    pub(crate) fn now(&self) -> UnixMicros {
        UnixMicros(self.clock.load(Ordering::Relaxed))
    }

    /// It is that second now.
    pub(crate) fn at(&self, seconds: i64) -> &Gym {
        self.clock.store(second(seconds).0, Ordering::Relaxed);
        self
    }

    pub(crate) async fn by(&self, author: &str, kind: FactKind) {
        let fact = Fact { time: self.now(), author: author.to_owned(), request_id: None, kind };
        self.ledger.add_fact(fact).await.unwrap();
    }

    pub(crate) async fn fact(&self, kind: FactKind) {
        self.by("user:anna", kind).await;
    }

    pub(crate) async fn chain(&self, chain: &[ChainStep]) {
        let chain = Some(chain.to_vec());
        self.fact(FactKind::PolicySet(PolicyChange { chain, ..PolicyChange::default() })).await;
    }

    pub(crate) async fn service(&self, count: u32, days: u32) {
        let service = Some(ServiceRule { count, days });
        self.fact(FactKind::PolicySet(PolicyChange { service, ..PolicyChange::default() })).await;
    }

    pub(crate) async fn staffed(&self, days: StaffedDays) {
        self.fact(FactKind::StaffedHoursSet(NewStaffedHours { site: site(), hours: Some(days) })).await;
    }

    /// The server found an incident now.
    pub(crate) async fn found(&self, incident: Incident) -> IncidentId {
        let id = incident.id;
        let incidents = vec![DerivedIncident { incident, detected: self.now() }];
        self.ledger.put(Derived { incidents, ..Derived::default() }).await.unwrap();
        id
    }

    pub(crate) async fn stepped(&self, incident: IncidentId, step: Step) {
        let stepped = IncidentStepped { incident, step, note: None, previous: None };
        self.fact(FactKind::IncidentStepped(stepped)).await;
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.ledger.registry()
    }

    /// All notices, the first step first.
    pub(crate) async fn notices(&self) -> Vec<Notice> {
        let query = NoticeQuery { max: 1_000, ..NoticeQuery::default() };
        let mut notices = self.ledger.notices(&query).await.unwrap();
        notices.sort_by_key(|notice| (notice.planned, notice.step, notice.id));
        notices
    }
}
