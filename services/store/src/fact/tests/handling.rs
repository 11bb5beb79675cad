//! What people do about incidents, proof tests, who is told.

use domain::handling::{Cause, HandlingState, Hurt, Step};
use domain::incident::Severity;

use super::*;
use crate::registry::{ChainStep, Contact, Deadline, Drill, Policy, PolicyPart, ServiceRule, Staffing, Way};

fn incident_ids() -> impl Strategy<Value = IncidentId> {
    any::<[u8; 16]>().prop_map(IncidentId)
}

fn step_kinds() -> impl Strategy<Value = Step> {
    let answers = (option::of(select(Cause::ALL.to_vec())), option::of(select(Hurt::ALL.to_vec())));
    prop_oneof![
        Just(Step::Acknowledge),
        option::of(user_names()).prop_map(|to| Step::Assign { to }),
        Just(Step::Note),
        option::of(times()).prop_map(|until| Step::Shelve { until }),
        answers.prop_map(|(cause, hurt)| Step::Close { cause, hurt }),
        any::<bool>().prop_map(|on| Step::Hold { on }),
        any::<u64>().prop_map(|number| Step::EraseNote { number }),
        incident_ids().prop_map(|lead| Step::Join { lead }),
        (any::<u64>(), "[0-9a-f]{64}").prop_map(|(revision, evidence)| Step::Seal { revision, evidence }),
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    let severities = || select(Severity::ALL.to_vec());
    let staffing = select(vec![Staffing::Always, Staffing::Staffed, Staffing::Unstaffed]);
    let step = ("[a-z]{1,9}", severities(), any::<u32>(), staffing).prop_map(
        |(contact, least, after_seconds, staffing)| ChainStep { contact, least, after_seconds, staffing },
    );
    let states = select(HandlingState::ALL.to_vec());
    let deadline = (".{1,9}", severities(), any::<u32>(), states)
        .prop_map(|(name, least, hours, until)| Deadline { name, least, hours, until });
    let service = any::<(u32, u32)>().prop_map(|(count, days)| ServiceRule { count, days });
    (option::of(sites()), option::of(vec(step, 0..3)), option::of(vec(deadline, 0..3)), option::of(service))
        .prop_map(|(site, chain, deadlines, service)| Policy { site, chain, deadlines, service })
}

fn contacts() -> impl Strategy<Value = Contact> {
    let ways = prop_oneof![
        ".{1,9}".prop_map(|url| Way::Webhook { url }),
        ".{1,9}".prop_map(|address| Way::Email { address })
    ];
    let what = ("[a-z0-9-]{1,9}", ".{0,9}", option::of(sites()), ways);
    (what, any::<[bool; 2]>(), any::<u32>(), times()).prop_map(
        |((name, display_name, site, way), [is_anchor, weekly], generation, changed)| Contact {
            name,
            display_name,
            site,
            way,
            is_anchor,
            weekly,
            generation,
            changed,
        },
    )
}

fn anchors() -> impl Strategy<Value = Anchoring> {
    (any::<u64>(), "[0-9a-f]{64}", "[a-z]{1,9}", times())
        .prop_map(|(facts, root, contact, taken)| Anchoring { facts, root, contact, taken })
}

pub(super) fn drills() -> impl Strategy<Value = Drill> {
    (any::<u64>(), ".{0,9}", times(), times(), any::<bool>(), ".{0,9}").prop_map(
        |(number, by, from, until, is_ended, note)| Drill { number, by, from, until, is_ended, note },
    )
}

/// Of incidents, proof tests and who is told.
pub(super) fn handling_kinds() -> impl Strategy<Value = FactKind> {
    // The text of a note stands beside its fact.
    let notes = option::of("[0-9a-f]{64}".prop_map(|hash| Note { hash, text: None }));
    let stepped = (incident_ids(), step_kinds(), notes, option::of("[0-9a-f]{64}")).prop_map(
        |(incident, step, note, previous)| {
            FactKind::IncidentStepped(IncidentStepped { incident, step, note, previous })
        },
    );
    let ends = (machine_ids(), any::<u64>(), ".{0,9}")
        .prop_map(|(machine, drill, note)| FactKind::DrillEnded(DrillEnd { machine, drill, note }));
    let parts = proptest::sample::subsequence(PolicyPart::ALL.to_vec(), 0..=3);
    let changes = (policies(), parts).prop_map(|(Policy { site, chain, deadlines, service }, cleared)| {
        FactKind::PolicySet(PolicyChange { site, chain, deadlines, service, cleared })
    });
    prop_oneof![
        4 => stepped,
        1 => (machine_ids(), times())
            .prop_map(|(machine, until)| FactKind::DrillStarted(NewDrill { machine, until })),
        1 => ends,
        1 => contacts().prop_map(|contact| FactKind::ContactSet(NewContact { contact })),
        1 => "[a-z]{1,9}".prop_map(|name| FactKind::ContactEnded(ContactEnd { name })),
        1 => changes,
        1 => anchors().prop_map(FactKind::HeadAnchored),
    ]
}

pub(super) fn handling_entries() -> impl Strategy<Value = Entry> {
    prop_oneof![
        contacts().prop_map(Entry::Contact),
        policies().prop_map(Entry::Policy),
        anchors().prop_map(Entry::Anchor),
    ]
}

#[test]
fn names_of_steps_in_the_json_stay() {
    let incident = IncidentId([1; 16]);
    let check = |json: &str, step: Step| {
        let stepped = IncidentStepped { incident, step, note: None, previous: None };
        let json = format!(r#"{{"v":2,"kind":"incident_stepped","incident":"{}",{json}}}"#, "01".repeat(16));
        check_written(&json, &FactKind::IncidentStepped(stepped));
    };
    check(r#""step":"acknowledge""#, Step::Acknowledge);
    check(r#""step":"assign","to":"anna""#, Step::Assign { to: Some(UserName::new("anna").unwrap()) });
    check(r#""step":"assign","to":null"#, Step::Assign { to: None });
    check(r#""step":"shelve","until_us":-7"#, Step::Shelve { until: Some(UnixMicros(-7)) });
    check(
        r#""step":"close","cause":"machine_fault","hurt":"yes""#,
        Step::Close { cause: Some(Cause::MachineFault), hurt: Some(Hurt::Yes) },
    );
    check(r#""step":"hold","on":true"#, Step::Hold { on: true });
    check(r#""step":"erase_note","number":9"#, Step::EraseNote { number: 9 });
    check(
        &format!(r#""step":"join","lead":"{}""#, "02".repeat(16)),
        Step::Join { lead: IncidentId([2; 16]) },
    );
    check(
        r#""step":"seal","revision":3,"evidence":"ONES""#.replace("ONES", ONES).as_str(),
        Step::Seal { revision: 3, evidence: ONES.to_owned() },
    );
    let note = Some(Note { hash: ONES.to_owned(), text: None });
    let stepped = IncidentStepped { incident, step: Step::Note, note, previous: Some(ONES.to_owned()) };
    let json = format!(
        r#"{{"v":2,"kind":"incident_stepped","incident":"{}","step":"note","note":{{"hash":"ONES"}},"previous":"ONES"}}"#,
        "01".repeat(16)
    );
    check_written(&json, &FactKind::IncidentStepped(stepped));
}

#[test]
fn names_of_who_is_told_in_the_json_stay() {
    let contact = Contact {
        name: "insurer".to_owned(),
        display_name: "Insurer".to_owned(),
        site: None,
        way: Way::Email { address: "a@example.org".to_owned() },
        is_anchor: true,
        weekly: true,
        generation: 1,
        changed: UnixMicros(5),
    };
    check_written(
        r#"{"v":2,"kind":"contact_set","contact":{"name":"insurer","display_name":"Insurer","site":null,"way":{"way":"email","address":"a@example.org"},"is_anchor":true,"weekly":true,"generation":1,"changed_us":5}}"#,
        &FactKind::ContactSet(NewContact { contact }),
    );
    let taken = UnixMicros(6);
    check_written(
        r#"{"v":2,"kind":"head_anchored","facts":4,"root":"ONES","contact":"insurer","taken_us":6}"#,
        &FactKind::HeadAnchored(Anchoring {
            facts: 4,
            root: ONES.to_owned(),
            contact: "insurer".to_owned(),
            taken,
        }),
    );
}

/// A dossier is verified with it years later: what is hashed must stay.
#[test]
fn a_leaf_is_the_hash_of_number_time_author_and_body() {
    // printf '\0beltwatch-fact-1\n7\n-5\nuser:anna\n{"v":2}' | sha256sum
    let expected = "d4be22a1886ee7e48b432ce9bba00135513392c74050d90ec8ae290775bc3053";
    assert_eq!(hex::encode(leaf(7, UnixMicros(-5), "user:anna", r#"{"v":2}"#)), expected);
    // printf '\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1seen' | sha256sum
    assert_eq!(
        Note::new([1; 16], "seen".to_owned()).hash,
        "ac5fd8a8d84ee596d60f375f57f99364b39678e1a34a7e634022ddbfd796a0ab"
    );
}
