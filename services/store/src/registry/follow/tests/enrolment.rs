//! Codes with which agents get credentials, and agents that wait.

use domain::limits::{ENROLMENT_CODES_MAX, ENROLMENTS_MAX};

use super::*;
use crate::fact::{EnrolmentApproval, EnrolmentFact, NewEnrolled};
use crate::registry::{Enrolment, EnrolmentCode, EnrolmentCodeState, EnrolmentStanding, EnrolmentTarget};

const MINUTE: i64 = 60_000_000;

fn code(id: u32, target: EnrolmentTarget, expires: i64) -> FactKind {
    FactKind::Enrolment(EnrolmentFact::CodeMade(EnrolmentCode {
        id,
        hash: [7; 32],
        number: 0,
        target,
        author: String::new(),
        created: UnixMicros(0),
        expires: UnixMicros(expires),
        // A fact that says otherwise changes nothing: a code begins unused.
        revoked: None,
        wrong_tries: 3,
        came: 9,
        used: None,
    }))
}

fn of_machine(name: &str) -> EnrolmentTarget {
    EnrolmentTarget::Machine { machine: machine_id(name) }
}

fn of_site(name: &str, machines_max: u32) -> EnrolmentTarget {
    EnrolmentTarget::Site { site: site_id(name), machines_max }
}

fn enrolled(code: u32, nonce: u8, machine: &str) -> FactKind {
    let (nonce, machine) = ([nonce; 32], machine_id(machine));
    FactKind::Enrolment(EnrolmentFact::Enrolled(NewEnrolled { code, nonce, machine, peer: String::new() }))
}

fn asked(code: u32, nonce: u16, site: &str) -> FactKind {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&nonce.to_be_bytes());
    FactKind::Enrolment(EnrolmentFact::Asked(Enrolment {
        nonce: hash,
        number: 0,
        code,
        site: site_id(site),
        name: String::new(),
        agent_version: String::new(),
        peer: String::new(),
        comparison: String::new(),
        asked: UnixMicros(0),
        standing: EnrolmentStanding::Waiting,
    }))
}

fn approved(number: u64, machine: &str, created: Option<FactKind>) -> FactKind {
    let created = created.map(|kind| {
        let FactKind::MachineCreated(machine) = kind else { panic!("{kind:?}") };
        machine
    });
    let machine = machine_id(machine);
    FactKind::Enrolment(EnrolmentFact::Approved(EnrolmentApproval { number, machine, created }))
}

fn tried(code: u32) -> FactKind {
    FactKind::Enrolment(EnrolmentFact::CodeTried { code })
}

fn revoked(code: u32) -> FactKind {
    FactKind::Enrolment(EnrolmentFact::CodeRevoked { code })
}

#[track_caller]
fn refuses(followed: &mut Followed, time: i64, kind: FactKind, expected: StoreErrorKind) {
    assert_eq!(followed.add_at(time, kind.clone()), Err(expected), "{kind:?}");
}

fn state(followed: &Followed, id: u32, now: i64) -> EnrolmentCodeState {
    followed.0.enrolment_code(id).unwrap().state(UnixMicros(now))
}

#[test]
fn a_code_for_a_machine_is_used_once_and_raises_its_generation() {
    let mut followed = Followed::new();
    followed.at(0, code(1, of_machine("tm-1"), 100));
    assert_eq!(
        state(&followed, 1, 99),
        EnrolmentCodeState::Open,
        "what a fact says of its use is not believed"
    );
    assert_eq!(state(&followed, 1, 100), EnrolmentCodeState::Expired);
    refuses(&mut followed, 5, enrolled(1, 7, "tm-2"), StoreErrorKind::Invalid);
    refuses(&mut followed, 100, enrolled(1, 7, "tm-1"), StoreErrorKind::Conflict);
    followed.at(5, enrolled(1, 7, "tm-1"));
    assert_eq!(followed.0.machines()[&machine_id("tm-1")].key_generation, 2);
    assert_eq!(state(&followed, 1, 6), EnrolmentCodeState::Used);
    refuses(&mut followed, 6, enrolled(1, 7, "tm-1"), StoreErrorKind::Conflict);
    refuses(&mut followed, 6, enrolled(2, 7, "tm-1"), StoreErrorKind::Invalid);
    let code = followed.0.enrolment_code(1).unwrap();
    // For some minutes the same agent gets the same.
    let repeats = |nonce: u8, now: i64| code.repeats(&[nonce; 32], UnixMicros(now));
    assert_eq!(
        (repeats(7, 5 + 10 * MINUTE), repeats(7, 6 + 10 * MINUTE), repeats(8, 5)),
        (Some(2), None, None)
    );
}

#[test]
fn five_wrong_tries_a_revocation_and_a_revoked_credential_end_a_code() {
    let mut followed = Followed::new();
    for id in 1..=3 {
        followed.at(0, code(id, of_machine("tm-1"), 100));
    }
    followed.at(0, code(4, of_machine("tm-2"), 100));
    for _ in 0..5 {
        assert_eq!(state(&followed, 1, 1), EnrolmentCodeState::Open);
        followed.at(1, tried(1));
    }
    assert_eq!(state(&followed, 1, 1), EnrolmentCodeState::TriedOut);
    refuses(&mut followed, 1, tried(1), StoreErrorKind::Conflict);
    refuses(&mut followed, 1, tried(9), StoreErrorKind::Invalid);
    refuses(&mut followed, 1, enrolled(1, 7, "tm-1"), StoreErrorKind::Conflict);
    followed.at(1, revoked(2));
    assert_eq!(state(&followed, 2, 1), EnrolmentCodeState::Revoked);
    refuses(&mut followed, 1, enrolled(2, 7, "tm-1"), StoreErrorKind::Conflict);
    followed.at(2, FactKind::CredentialRevoked(MachineName { machine: machine_id("tm-1") }));
    assert_eq!(state(&followed, 3, 2), EnrolmentCodeState::Revoked);
    assert_eq!(state(&followed, 4, 2), EnrolmentCodeState::Open, "it is another machine's");
}

#[test]
fn agents_come_with_a_site_s_code_and_are_answered_once() {
    let mut followed = Followed::new();
    followed.at(0, code(1, of_site("gym-1", 3), 100));
    refuses(&mut followed, 1, asked(1, 1, "gym-2"), StoreErrorKind::Invalid);
    followed.at(1, asked(1, 1, "gym-1"));
    let first = followed.0.last_fact;
    refuses(&mut followed, 1, asked(1, 1, "gym-1"), StoreErrorKind::Conflict);
    followed.at(1, asked(1, 2, "gym-1"));
    followed.at(1, asked(1, 3, "gym-1"));
    refuses(&mut followed, 1, asked(1, 4, "gym-1"), StoreErrorKind::Conflict);
    // A new machine must stand at the code's site, one that is there already, too.
    refuses(
        &mut followed,
        2,
        approved(first, "tm-7", Some(machine("tm-7", "gym-2"))),
        StoreErrorKind::Invalid,
    );
    refuses(
        &mut followed,
        2,
        approved(first, "tm-8", Some(machine("tm-7", "gym-1"))),
        StoreErrorKind::Invalid,
    );
    refuses(
        &mut followed,
        2,
        approved(first, "tm-1", Some(machine("tm-1", "gym-1"))),
        StoreErrorKind::Conflict,
    );
    refuses(&mut followed, 2, approved(99, "tm-1", None), StoreErrorKind::Invalid);
    followed.at(2, approved(first, "tm-7", Some(machine("tm-7", "gym-1"))));
    assert!(followed.0.machines().contains_key(&machine_id("tm-7")));
    refuses(&mut followed, 2, approved(first, "tm-1", None), StoreErrorKind::Conflict);
    followed.at(2, approved(first + 1, "tm-1", None));
    assert_eq!(followed.0.machines()[&machine_id("tm-1")].key_generation, 2);
    let refused = FactKind::Enrolment(EnrolmentFact::Refused { number: first + 2 });
    refuses(&mut followed, 2 + 7 * DAY, refused.clone(), StoreErrorKind::Conflict);
    followed.at(2, refused.clone());
    refuses(&mut followed, 2, refused, StoreErrorKind::Conflict);
    // What was answered makes room a day later, what was not after a week.
    followed.at(3, code(2, of_site("gym-1", 1), 100 * DAY));
    assert_eq!(followed.0.enrolments().count(), 3);
    followed.at(2 + DAY, asked(2, 5, "gym-1"));
    assert_eq!(followed.0.enrolments().count(), 1);
}

#[test]
fn codes_and_agents_are_bounded() {
    let mut followed = Followed::new();
    for wrong in [0, 201] {
        refuses(&mut followed, 0, code(1, of_site("gym-1", wrong), 100), StoreErrorKind::Invalid);
    }
    refuses(&mut followed, 0, code(1, of_site("nowhere", 1), 100), StoreErrorKind::Invalid);
    refuses(&mut followed, 0, code(1, of_machine("nobody"), 100), StoreErrorKind::Invalid);
    filled(&mut followed);
    refuses(&mut followed, 0, code(0, of_site("gym-1", 1), 100), StoreErrorKind::Conflict);
    let more = code(0xff_ffff, of_site("gym-1", 1), 100);
    refuses(&mut followed, 99, more.clone(), StoreErrorKind::Full);
    for nonce in 0..u16::try_from(ENROLMENTS_MAX).unwrap() {
        followed.at(1, asked(u32::from(nonce / 200), nonce, "gym-1"));
    }
    refuses(&mut followed, 2, asked(9, 5_000, "gym-1"), StoreErrorKind::Full);
    followed.at(90 * DAY + 100, more);
    assert_eq!(followed.0.enrolment_codes().count(), 1, "what ended long ago makes room");
}

/// As many open codes as can be, from 0 on: each for a site, until 100.
fn filled(followed: &mut Followed) {
    followed.at(0, code(0, of_site("gym-1", 200), 100));
    let first = followed.0.enrolment_code(0).unwrap().clone();
    let all =
        (0..u32::try_from(ENROLMENT_CODES_MAX).unwrap()).map(|id| EnrolmentCode { id, ..first.clone() });
    let all: Vec<Change> = all.map(|code| Change::Put(Entry::EnrolmentCode(code))).collect();
    followed.0.put(1, all);
    assert_eq!(followed.0.enrolment_codes().count(), ENROLMENT_CODES_MAX);
}

#[test]
fn a_code_that_has_ended_makes_room_for_one_that_is_needed() {
    // What happens to a code; whether it makes room while all others are open, and later.
    let check = |what: &[FactKind], now: i64, has_room: bool| {
        let mut followed = Followed::new();
        filled(&mut followed);
        let mut one = followed.0.enrolment_code(7).unwrap().clone();
        one.target = of_machine("tm-1");
        followed.0.put(1, [Change::Put(Entry::EnrolmentCode(one))]);
        for fact in what {
            followed.at(1, fact.clone());
        }
        let more = code(0xff_ffff, of_machine("tm-1"), 10 * DAY);
        let added = followed.add_at(now, more);
        assert_eq!(added.err(), (!has_room).then_some(StoreErrorKind::Full), "{what:?} at {now}");
        assert_eq!(followed.0.enrolment_code(7).is_none(), has_room, "{what:?} at {now}");
        assert_eq!(followed.0.enrolment_codes().count(), ENROLMENT_CODES_MAX);
    };
    check(&[], 99, false);
    check(&[tried(7), tried(7), tried(7), tried(7)], 99, false);
    check(&[tried(7), tried(7), tried(7), tried(7), tried(7)], 99, true);
    check(&[revoked(7)], 1, true);
    // The agent that used it may ask again for what it got.
    check(&[enrolled(7, 9, "tm-1")], 99, false);
    // The one that ended first goes first.
    let mut followed = Followed::new();
    filled(&mut followed);
    for (time, id) in [(3, 5), (2, 8), (4, 1)] {
        followed.at(time, revoked(id));
    }
    for (time, id, gone) in [(5, 0xff_fff1, 8), (5, 0xff_fff2, 5), (5, 0xff_fff3, 1)] {
        followed.at(time, code(id, of_machine("tm-1"), 50));
        assert!(followed.0.enrolment_code(gone).is_none(), "{gone}");
    }
    refuses(&mut followed, 5, code(0xff_fff4, of_machine("tm-1"), 50), StoreErrorKind::Full);
    // From 50 on they have expired, before the others.
    followed.at(60, code(0xff_fff4, of_machine("tm-1"), 90));
    assert!(followed.0.enrolment_code(0xff_fff1).is_none());
}
