//! Dossiers as they are made.

use domain::units::UnixMicros;

use super::world::*;
use crate::*;

#[test]
fn a_dossier_is_whole_and_says_what_it_proves() {
    let world = World::full();
    let text = world.dossier();
    let report = check(
        &text,
        &ours(),
        &[
            "holds: signed by the expected server: fingerprint",
            "holds: all parts are those that the manifest lists",
            "holds: 6 entries in one chain, up to the last one that the manifest names",
            "holds: the evidence is as entry 9 sealed it at 2026-11-21 14:59:11.250000 UTC (version 3)",
            "holds: 2 notes are as they were written, 1 were erased",
            "holds: anchored: 4 entries lead to the head of 9 facts",
            "taken by \"owner\" at 2026-11-22 14:50:11.250000 UTC, which was not compared with what they hold",
            "holds: anchored: 6 entries lead to the head of 23 facts",
        ],
    );
    assert_eq!(report.findings, []);
    assert!(report.is_whole() && report.is_anchored());
    let summary = report.summary.unwrap();
    assert_eq!((summary.incident, summary.server.as_str()), (world.incident.id, "gym"));
    assert_eq!(summary.fingerprint, key().fingerprint());
}

#[test]
fn what_was_not_compared_says_so() {
    let report =
        check(&World::full().dossier(), &Expect::default(), &["which was not compared with the server's"]);
    assert!(report.is_whole());
}

#[test]
fn a_head_that_is_held_outside_is_compared() {
    let world = World::full();
    let root = hex::encode(world.anchors[1].head.root);
    let spaced = format!(" {} ", root.to_uppercase());
    for (facts, root) in [(Some(23), root.clone()), (None, spaced)] {
        let expect = Expect { heads: vec![ExpectedHead { facts, root }], ..ours() };
        let report = check(&world.dossier(), &expect, &["which was compared with what is held outside"]);
        assert!(report.is_whole());
    }
    let other = "00".repeat(32);
    let expect = |facts| Expect { heads: vec![ExpectedHead { facts, root: other.clone() }], ..ours() };
    let report = check(&world.dossier(), &expect(Some(23)), &["the anchor at 23 facts has the root"]);
    assert!(!report.is_whole());
    let report =
        check(&world.dossier(), &expect(None), &["no anchor that a proof leads to has the expected root"]);
    assert!(!report.is_whole());
}

#[test]
fn unanchored_says_so() {
    let mut world = World::full();
    world.anchors.clear();
    let report = check(&world.dossier(), &ours(), &["holds: unanchored: no head that covers an entry"]);
    assert!(report.is_whole() && !report.is_anchored());

    let mut world = World::full();
    world.anchors.truncate(1);
    let report = check(&world.dossier(), &ours(), &["unanchored in part: no anchor covers entries 15, 16"]);
    assert!(report.is_whole() && !report.is_anchored());
}

#[test]
fn an_incident_that_nobody_did_anything_about_has_a_dossier() {
    let world = World::new();
    let report =
        check(&world.dossier(), &ours(), &["holds: not sealed:", "holds: 0 entries", "holds: unanchored"]);
    assert!(report.is_whole(), "{}", told(&report));
}

#[test]
fn a_newer_version_than_the_sealed_one_says_so() {
    let mut world = World::full();
    world.incident.revision = 4;
    world.incident.explained = "found standing".to_owned();
    let report = check(&world.dossier(), &ours(), &["entry 9 sealed version 3"]);
    assert!(report.is_whole());
    world.seal();
    let report = check(&world.dossier(), &ours(), &["as entry 24 sealed it", "no anchor covers entries 24"]);
    assert!(report.is_whole(), "{}", told(&report));
    world.incident.revision = 2;
    let report =
        check(&world.dossier(), &ours(), &["the evidence is of version 2, but entry 24 sealed version 4"]);
    assert!(!report.is_whole());
}

/// The same incident gives the same octets for ever: seals of years ago are verified by what is written today.
#[test]
fn evidence_is_written_as_it_always_was() {
    let evidence = evidence(&incident(), &recording());
    assert_eq!(evidence.hex(), GOLDEN, "{evidence:#?}");
    let other = Recording { is_complete: false, ..recording() };
    assert_ne!(crate::evidence(&incident(), &other).hex(), GOLDEN);
    let mut later = incident();
    later.explained = "found standing".to_owned();
    assert_ne!(crate::evidence(&later, &recording()).hex(), GOLDEN);
}

const GOLDEN: &str = "e424f12db23c87d469dff803ca3f7bdb510eddb66722bee39bfbadc679515d82";

/// Worked out by another program from the description of a leaf.
#[test]
fn a_leaf_is_what_the_stores_write() {
    let found = leaf(7, UnixMicros(1_795_272_611_250_000), "user:anna", "{\"v\":2}");
    assert_eq!(hex::encode(found), LEAF);
}

const LEAF: &str = "0debc98934cd88c3b55e5a8eaaaf37cecb019397dbc3c70012457200759488c2";

#[test]
fn many_heads_are_told_as_few() {
    let mut world = World::new();
    for _ in 0..100 {
        world.step("user:anna", serde_json::json!({"step": "acknowledge"}), None);
        world.anchor("owner");
        world.anchor("insurer");
    }
    let text = world.dossier();
    let report = check(&text, &ours(), &["100 entries lead to the head of 103 facts"]);
    assert!(report.is_whole() && report.is_anchored());
    let anchored = report.holds.iter().filter(|held| matches!(held, Statement::Anchored { .. }));
    assert_eq!(anchored.count(), domain::limits::DOSSIER_HEADS_MAX);
}

#[test]
fn no_key_in_a_part_has_the_name_of_a_part() {
    let text = World::full().dossier();
    for name in crate::file::PARTS {
        assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{name}");
    }
}
