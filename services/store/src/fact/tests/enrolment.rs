//! Codes with which agents get credentials, and agents that wait.

use super::*;
use crate::registry::{Enrolment, EnrolmentCode, EnrolmentStanding, EnrolmentTarget, EnrolmentUse};

fn targets() -> impl Strategy<Value = EnrolmentTarget> {
    prop_oneof![
        machine_ids().prop_map(|machine| EnrolmentTarget::Machine { machine }),
        (sites(), any::<u32>()).prop_map(|(site, machines_max)| EnrolmentTarget::Site { site, machines_max }),
    ]
}

fn codes() -> impl Strategy<Value = EnrolmentCode> {
    let used = (hashes(), times(), any::<u32>()).prop_map(|(nonce, at, generation)| EnrolmentUse {
        nonce,
        at,
        generation,
    });
    let times = (times(), times(), option::of(times()));
    let counts = any::<(u32, u32, u32, u64)>();
    (hashes(), targets(), ".{0,9}", times, counts, option::of(used)).prop_map(
        |(hash, target, author, (created, expires, revoked), (id, wrong_tries, came, number), used)| {
            EnrolmentCode {
                id,
                hash,
                number,
                target,
                author,
                created,
                expires,
                revoked,
                wrong_tries,
                came,
                used,
            }
        },
    )
}

fn agents() -> impl Strategy<Value = Enrolment> {
    let standing = prop_oneof![
        Just(EnrolmentStanding::Waiting),
        (machine_ids(), any::<u32>(), times())
            .prop_map(|(machine, generation, at)| EnrolmentStanding::Approved { machine, generation, at }),
        times().prop_map(|at| EnrolmentStanding::Refused { at }),
    ];
    let texts = (".{0,9}", ".{0,9}", ".{0,9}", ".{0,9}");
    (hashes(), any::<(u64, u32)>(), sites(), texts, times(), standing).prop_map(
        |(nonce, (number, code), site, (name, agent_version, peer, comparison), asked, standing)| Enrolment {
            nonce,
            number,
            code,
            site,
            name,
            agent_version,
            peer,
            comparison,
            asked,
            standing,
        },
    )
}

pub(super) fn enrolment_kinds() -> impl Strategy<Value = FactKind> {
    let enrolled =
        (any::<u32>(), hashes(), machine_ids(), ".{0,9}").prop_map(|(code, nonce, machine, peer)| {
            EnrolmentFact::Enrolled(NewEnrolled { code, nonce, machine, peer })
        });
    let facts = prop_oneof![
        codes().prop_map(EnrolmentFact::CodeMade),
        any::<u32>().prop_map(|code| EnrolmentFact::CodeRevoked { code }),
        any::<u32>().prop_map(|code| EnrolmentFact::CodeTried { code }),
        enrolled,
        agents().prop_map(EnrolmentFact::Asked),
        (any::<u64>(), machine_ids()).prop_map(|(number, machine)| {
            EnrolmentFact::Approved(EnrolmentApproval { number, machine, created: None })
        }),
        any::<u64>().prop_map(|number| EnrolmentFact::Refused { number }),
    ];
    facts.prop_map(FactKind::Enrolment)
}

pub(super) fn enrolment_entries() -> impl Strategy<Value = Entry> {
    prop_oneof![codes().prop_map(Entry::EnrolmentCode), agents().prop_map(Entry::Enrolment)]
}

#[test]
fn names_of_enrolment_in_the_json_stay() {
    let hash = [0xab; 32];
    let hex = "ab".repeat(32);
    let target = EnrolmentTarget::Site { site: SiteId::new("gym-1").unwrap(), machines_max: 50 };
    let code = EnrolmentCode {
        id: 7,
        hash,
        number: 0,
        target,
        author: "user:anna".to_owned(),
        created: UnixMicros(1),
        expires: UnixMicros(2),
        revoked: None,
        wrong_tries: 0,
        came: 0,
        used: None,
    };
    let json = format!(
        r#"{{"v":2,"kind":"enrolment","what":"code_made","id":7,"hash":"{hex}","number":0,"for":"site","site":"gym-1","machines_max":50,"author":"user:anna","created_us":1,"expires_us":2,"revoked_us":null,"wrong_tries":0,"came":0,"used":null}}"#
    );
    check_written(&json, &FactKind::Enrolment(EnrolmentFact::CodeMade(code)));
    let machine = MachineId::new("tm-1").unwrap();
    let enrolled = NewEnrolled { code: 7, nonce: hash, machine: machine.clone(), peer: String::new() };
    let json = format!(
        r#"{{"v":2,"kind":"enrolment","what":"enrolled","code":7,"nonce":"{hex}","machine":"tm-1","peer":""}}"#
    );
    check_written(&json, &FactKind::Enrolment(EnrolmentFact::Enrolled(enrolled)));
    let approval = EnrolmentApproval { number: 9, machine, created: None };
    check_written(
        r#"{"v":2,"kind":"enrolment","what":"approved","number":9,"machine":"tm-1"}"#,
        &FactKind::Enrolment(EnrolmentFact::Approved(approval)),
    );
    check_written(
        r#"{"v":2,"kind":"enrolment","what":"code_tried","code":7}"#,
        &FactKind::Enrolment(EnrolmentFact::CodeTried { code: 7 }),
    );
    check_written(
        r#"{"v":2,"kind":"enrolment","what":"refused","number":9}"#,
        &FactKind::Enrolment(EnrolmentFact::Refused { number: 9 }),
    );
}
