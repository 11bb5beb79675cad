//! Which machines a fact concerns.

use super::*;
use crate::fact::{EnrolmentApproval, EnrolmentFact, NewEnrolled, NewThresholds, SiteChange};
use crate::registry::{Enrolment, EnrolmentCode, EnrolmentStanding, EnrolmentTarget};

/// What is told again when these facts have been added.
#[track_caller]
fn check(facts: Vec<FactKind>, expected: &[&str]) {
    let mut followed = Followed::new();
    for fact in prepared() {
        followed.at(1, fact);
    }
    let before = followed.0.clone();
    let words = format!("{facts:?}");
    for fact in facts {
        followed.at(2, fact);
    }
    let told: Vec<&str> = followed.0.changed_since(&before).map(|machine| machine.id.as_str()).collect();
    assert_eq!(told, expected, "{words}");
}

/// A code for a machine and an agent that waits.
fn prepared() -> Vec<FactKind> {
    let code = |id, target| {
        EnrolmentFact::CodeMade(EnrolmentCode {
            id,
            hash: [7; 32],
            number: 0,
            target,
            author: String::new(),
            created: UnixMicros(0),
            expires: UnixMicros(100),
            revoked: None,
            wrong_tries: 0,
            came: 0,
            used: None,
        })
    };
    let asked = EnrolmentFact::Asked(Enrolment {
        nonce: [1; 32],
        number: 0,
        code: 2,
        site: site_id("gym-1"),
        name: String::new(),
        agent_version: String::new(),
        peer: String::new(),
        comparison: String::new(),
        asked: UnixMicros(0),
        standing: EnrolmentStanding::Waiting,
    });
    let for_machine = EnrolmentTarget::Machine { machine: machine_id("tm-1") };
    let for_site = EnrolmentTarget::Site { site: site_id("gym-1"), machines_max: 2 };
    let all = [code(1, for_machine), code(2, for_site), asked];
    all.into_iter().map(FactKind::Enrolment).collect()
}

fn named(name: &str) -> MachineName {
    MachineName { machine: machine_id(name) }
}

#[test]
fn whatever_changes_a_machine_tells_of_it_and_of_no_other() {
    check(vec![], &[]);
    check(vec![FactKind::CredentialRenewed(named("tm-1"))], &["tm-1"]);
    check(vec![FactKind::CredentialRevoked(named("tm-2"))], &["tm-2"]);
    check(vec![machine("tm-0", "gym-1")], &["tm-0"]);
    let (nonce, peer) = ([9; 32], String::new());
    let enrolled = NewEnrolled { code: 1, nonce, machine: machine_id("tm-1"), peer };
    check(vec![FactKind::Enrolment(EnrolmentFact::Enrolled(enrolled))], &["tm-1"]);
    check(vec![FactKind::Enrolment(EnrolmentFact::CodeTried { code: 1 })], &[]);
    check(vec![created(user("carl", &[]))], &[]);
}

#[test]
fn an_approved_agent_is_told_of() {
    let mut followed = Followed::new();
    for fact in prepared() {
        followed.at(1, fact);
    }
    let number = followed.0.enrolments().next().unwrap().number;
    for (machine, expected) in [("tm-1", "tm-1"), ("tm-2", "tm-2")] {
        let approval = EnrolmentApproval { number, machine: machine_id(machine), created: None };
        let fact = FactKind::Enrolment(EnrolmentFact::Approved(approval));
        let mut after = Followed(followed.0.clone());
        after.at(2, fact);
        let told: Vec<&str> = after.0.changed_since(&followed.0).map(|one| one.id.as_str()).collect();
        assert_eq!(told, [expected]);
    }
}

#[test]
fn what_is_set_for_many_tells_of_all() {
    let (site, display_name) = (site_id("gym-2"), Some("Gym".to_owned()));
    let renamed = SiteChange { site, display_name, time_zone: None };
    check(vec![FactKind::SiteChanged(renamed)], &["tm-1", "tm-2", "tm-9"]);
    let threshold = domain::incident::threshold::all().next().unwrap();
    let scope = Scope::Model("Maker 9".to_owned());
    let values = [(threshold.name.to_owned(), Some(threshold.min))].into();
    let set = FactKind::ThresholdsSet(NewThresholds { scope, values });
    check(vec![set], &["tm-1", "tm-2", "tm-9"]);
}
