use std::collections::BTreeSet;

use super::*;
use crate::mosquitto::tests::registry;

const FLEET: [(&str, u32, u32); 3] = [("tm-01", 1, 0), ("tm-02", 2, 2), ("tm-03", 5, 1)];

#[test]
fn each_machine_has_its_own_topics_and_a_revoked_one_has_none() {
    let text = acl(&registry(&FLEET));
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let ours = [
        "user Beltwatch-ingest-events",
        "topic read beltwatch/v1/+/+/events",
        "topic read beltwatch/v1/+/+/status",
        "topic write beltwatch/v1/+/+/ack",
        "user Beltwatch-ingest-readings",
        "topic read beltwatch/v1/+/+/readings",
    ];
    assert_eq!(lines[..6], ours);
    assert_eq!(
        lines[6..11],
        [
            "user tm-01",
            "topic write beltwatch/v1/00/tm-01/events",
            "topic write beltwatch/v1/00/tm-01/readings",
            "topic write beltwatch/v1/00/tm-01/status",
            "topic read beltwatch/v1/00/tm-01/ack",
        ]
    );
    assert_eq!(lines[11], "user tm-03");
    assert_eq!(lines.len(), 16);
}

/// Which generations' certificates are refused.
#[track_caller]
fn check(newest: u32, revoked_generation: u32, heard: u32, expected: impl IntoIterator<Item = u32>) {
    let registry = registry(&[("tm-01", newest, revoked_generation)]);
    let machine = MachineId::new("tm-01").unwrap();
    let renewed = BTreeMap::from([(machine.clone(), heard)]);
    let found: BTreeSet<Serial> = revoked(&registry, &renewed).into_iter().collect();
    let expected: BTreeSet<Serial> =
        expected.into_iter().map(|generation| serial(&machine, generation)).collect();
    assert_eq!(found, expected, "newest {newest}, revoked {revoked_generation}, heard {heard}");
}

#[test]
fn certificates_of_old_keys_are_refused() {
    check(1, 0, 0, []);
    check(1, 1, 0, [1]);
    // The older key is good until the newer one was heard.
    check(2, 0, 0, []);
    check(2, 0, 1, []);
    check(2, 0, 2, [1]);
    check(2, 1, 0, [1]);
    check(2, 2, 2, [1, 2]);
    check(5, 0, 0, [1, 2, 3]);
    check(5, 0, 5, [1, 2, 3, 4]);
    check(3, 3, 2, [1, 2, 3]);
    // What was heard cannot be ahead of what was given; the newest is never refused by it.
    check(3, 0, 9, [1, 2]);
    let many = limits::REVOKED_GENERATIONS_MAX + 100;
    check(many, 0, many, 100..many);
    check(u32::MAX, u32::MAX, 0, u32::MAX - limits::REVOKED_GENERATIONS_MAX..u32::MAX);
}

#[test]
fn serial_numbers_are_of_one_machine_and_generation() {
    let id = |name: &str| MachineId::new(name).unwrap();
    let all =
        [serial(&id("tm-01"), 1), serial(&id("tm-01"), 2), serial(&id("tm-02"), 1), serial(&id("a"), 11)];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.iter().all(|serial| (0x40..0x80).contains(&serial[0])), "positive, and of full length");
}
