//! Who is told, and heads that were taken outside.

use domain::handling::HandlingState;
use domain::incident::Severity;
use domain::limits::{ANCHORS_KEPT_MAX, CHAIN_STEPS_MAX, CONTACTS_MAX, DEADLINES_MAX};

use super::*;
use crate::fact::{Anchoring, ContactEnd, NewContact, PolicyChange};
use crate::registry::{ChainStep, Contact, Deadline, PolicyPart, ServiceRule, Staffing, Way};

fn contact(name: &str, site: Option<&str>) -> Contact {
    Contact {
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        site: site.map(site_id),
        way: Way::Email { address: "desk@example.org".to_owned() },
        is_anchor: false,
        weekly: false,
        generation: 1,
        changed: UnixMicros(0),
    }
}

fn set(contact: Contact) -> FactKind {
    FactKind::ContactSet(NewContact { contact })
}

fn ended(name: &str) -> FactKind {
    FactKind::ContactEnded(ContactEnd { name: name.to_owned() })
}

fn step(contact: &str) -> ChainStep {
    ChainStep {
        contact: contact.to_owned(),
        least: Severity::High,
        after_seconds: 60,
        staffing: Staffing::Always,
    }
}

fn deadline() -> Deadline {
    Deadline { name: "report".to_owned(), least: Severity::Critical, hours: 24, until: HandlingState::Closed }
}

fn nothing(site: Option<&str>) -> PolicyChange {
    PolicyChange { site: site.map(site_id), ..PolicyChange::default() }
}

fn chain(site: Option<&str>, steps: &[ChainStep]) -> FactKind {
    FactKind::PolicySet(PolicyChange { chain: Some(steps.to_vec()), ..nothing(site) })
}

fn anchor(facts: u64, contact: &str) -> Anchoring {
    Anchoring { facts, root: "00".repeat(32), contact: contact.to_owned(), taken: UnixMicros(5) }
}

#[test]
fn a_contact_is_set_changed_and_taken_away() {
    let mut followed = Followed::new();
    let names = |followed: &Followed| {
        followed.0.contacts().map(|contact| (contact.name.clone(), contact.generation)).collect::<Vec<_>>()
    };
    followed.all([set(contact("night", Some("gym-1"))), set(contact("desk", None))]);
    followed.all([set(Contact { generation: 2, ..contact("desk", None) })]);
    assert_eq!(names(&followed), [("desk".to_owned(), 2), ("night".to_owned(), 1)]);
    followed.refuses(StoreErrorKind::Invalid, set(contact("desk", Some("gym-1"))));
    followed.refuses(StoreErrorKind::Invalid, set(contact("other", Some("gym-9"))));
    followed.refuses(StoreErrorKind::Invalid, ended("other"));
    for name in ["", "Desk", "a b", "x/y"] {
        followed.refuses(StoreErrorKind::Invalid, set(contact(name, None)));
    }
    followed.all([ended("desk"), set(contact("desk", Some("gym-2")))]);
    assert_eq!(followed.0.contact("desk").unwrap().site, Some(site_id("gym-2")));
    assert_eq!(followed.0.contact("nobody"), None);
    for number in names(&followed).len()..CONTACTS_MAX {
        followed.all([set(contact(&format!("c-{number}"), None))]);
    }
    followed.refuses(StoreErrorKind::Full, set(contact("one-more", None)));
    followed.all([set(Contact { generation: 9, ..contact("night", Some("gym-1")) })]);
}

#[test]
fn a_contact_of_a_chain_stays() {
    let mut followed = Followed::new();
    followed.all([set(contact("desk", None)), chain(Some("gym-1"), &[step("desk")])]);
    followed.refuses(StoreErrorKind::Conflict, ended("desk"));
    followed.all([chain(Some("gym-1"), &[]), ended("desk")]);
}

#[test]
fn what_a_site_has_none_of_is_taken_from_that_for_all() {
    let mut followed = Followed::new();
    let (one, two) = (site_id("gym-1"), site_id("gym-2"));
    assert_eq!(followed.0.chain(&one), []);
    assert_eq!(followed.0.service_rule(&one), ServiceRule { count: 2, days: 7 });
    followed.all([set(contact("desk", None)), set(contact("night", Some("gym-1")))]);
    let deadlines = Some(vec![deadline()]);
    followed.all([
        chain(None, &[step("desk")]),
        FactKind::PolicySet(PolicyChange { deadlines, ..nothing(None) }),
        chain(Some("gym-1"), &[step("night"), step("desk")]),
    ]);
    assert_eq!(followed.0.chain(&one), [step("night"), step("desk")]);
    assert_eq!(followed.0.chain(&two), [step("desk")]);
    assert_eq!([&one, &two].map(|site| followed.0.deadlines(site).len()), [1, 1]);
    // An empty chain is one, too; what is not named stays.
    let service = Some(ServiceRule { count: 0, days: 1 });
    followed.all([
        chain(Some("gym-1"), &[]),
        FactKind::PolicySet(PolicyChange { service, ..nothing(Some("gym-1")) }),
    ]);
    assert_eq!((followed.0.chain(&one), followed.0.chain(&two).len()), (&[][..], 1));
    assert_eq!((followed.0.service_rule(&one).count, followed.0.service_rule(&two).count), (0, 2));
    assert_eq!(followed.0.own_policy(None).unwrap().deadlines.as_ref().unwrap().len(), 1);
    assert_eq!(followed.0.own_policy(Some(&two)), None);
}

#[test]
fn a_policy_that_cannot_be_is_refused() {
    let mut followed = Followed::new();
    followed.all([set(contact("desk", None)), set(contact("night", Some("gym-1")))]);
    let deadlines = |deadline: Deadline| PolicyChange { deadlines: Some(vec![deadline]), ..nothing(None) };
    let service = |count, days| PolicyChange { service: Some(ServiceRule { count, days }), ..nothing(None) };
    for kind in [
        chain(Some("gym-9"), &[]),
        chain(None, &[step("nobody")]),
        chain(None, &[step("night")]),
        chain(Some("gym-2"), &[step("desk"), step("night")]),
        chain(None, &[ChainStep { after_seconds: 86_401, ..step("desk") }]),
        chain(None, &vec![step("desk"); CHAIN_STEPS_MAX + 1]),
    ] {
        followed.refuses(StoreErrorKind::Invalid, kind);
    }
    for change in [
        deadlines(Deadline { name: String::new(), ..deadline() }),
        deadlines(Deadline { name: "ä".repeat(61), ..deadline() }),
        deadlines(Deadline { hours: 0, ..deadline() }),
        deadlines(Deadline { hours: 2_161, ..deadline() }),
        deadlines(Deadline { until: HandlingState::Open, ..deadline() }),
        deadlines(Deadline { until: HandlingState::InProgress, ..deadline() }),
        PolicyChange { deadlines: Some(vec![deadline(); DEADLINES_MAX + 1]), ..nothing(None) },
        service(101, 7),
        service(1, 0),
        service(1, 91),
        PolicyChange { cleared: vec![PolicyPart::Chain; 2], ..nothing(None) },
        PolicyChange { cleared: vec![PolicyPart::OutOfService], ..service(1, 1) },
    ] {
        followed.refuses(StoreErrorKind::Invalid, FactKind::PolicySet(change));
    }
    followed.all([chain(Some("gym-1"), &vec![step("night"); CHAIN_STEPS_MAX])]);
}

#[test]
fn a_site_goes_back_to_what_is_set_for_all() {
    let mut followed = Followed::new();
    let one = site_id("gym-1");
    followed.all([set(contact("desk", None)), set(contact("night", Some("gym-1")))]);
    followed.all([chain(None, &[step("desk")]), chain(Some("gym-1"), &[step("night")])]);
    let service = Some(ServiceRule { count: 9, days: 9 });
    followed.all([FactKind::PolicySet(PolicyChange { service, ..nothing(Some("gym-1")) })]);
    assert_eq!(followed.0.chain(&one), [step("night")]);
    let cleared = vec![PolicyPart::Chain];
    followed.all([FactKind::PolicySet(PolicyChange { cleared, ..nothing(Some("gym-1")) })]);
    assert_eq!((followed.0.chain(&one), followed.0.service_rule(&one).count), (&[step("desk")][..], 9));
    // Nothing names it any more.
    followed.all([ended("night")]);
    let cleared = PolicyPart::ALL.to_vec();
    followed.all(
        [None, Some("gym-1")]
            .map(|site| FactKind::PolicySet(PolicyChange { cleared: cleared.clone(), ..nothing(site) })),
    );
    assert_eq!((followed.0.chain(&one), followed.0.service_rule(&one)), (&[][..], ServiceRule::default()));
}

#[test]
fn a_contact_that_nobody_can_tell_is_refused() {
    let mut followed = Followed::new();
    for way in [
        Way::Webhook { url: "http://example.org/".to_owned() },
        Way::Webhook { url: "https://10.0.0.1/\r\nx".to_owned() },
        Way::Email { address: "desk@example.org\r\nBcc: x@example.org".to_owned() },
        Way::Email { address: String::new() },
    ] {
        followed.refuses(StoreErrorKind::Invalid, set(Contact { way, ..contact("desk", None) }));
    }
}

#[test]
fn heads_that_were_taken_are_kept() {
    let mut followed = Followed::new();
    let anchors = [anchor(9, "insurer"), anchor(3, "desk"), anchor(9, "desk")];
    followed.all(anchors.map(FactKind::HeadAnchored));
    let kept: Vec<_> = followed.0.anchors().map(|anchor| (anchor.facts, anchor.contact.as_str())).collect();
    assert_eq!(kept, [(3, "desk"), (9, "desk"), (9, "insurer")]);
    for facts in 0..ANCHORS_KEPT_MAX as u64 {
        followed.0.put_entry(Entry::Anchor(anchor(100 + facts, "desk")));
    }
    let before = followed.0.anchors().count();
    followed.all([FactKind::HeadAnchored(anchor(1_000_000, "desk"))]);
    assert_eq!(followed.0.anchors().count(), before, "the older ones stay");
}
