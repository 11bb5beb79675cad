//! Files that were damaged anywhere, and files that were never dossiers.

use proptest::prelude::*;

use super::world::*;
use crate::*;

/// A dossier with little in it but one of everything.
fn small() -> Vec<u8> {
    let mut world = World::new();
    world.step("user:anna", serde_json::json!({"step": "note"}), Some("fine"));
    world.seal();
    world.anchor("owner");
    let text = world.dossier();
    assert!(verify(text.as_bytes(), &ours()).is_whole());
    text.into_bytes()
}

fn assert_found(octets: &[u8], what: &str) {
    let report = verify(octets, &Expect::default());
    assert!(!report.is_whole(), "{what}: {}", String::from_utf8_lossy(octets));
    assert!(report.findings.iter().all(|finding| !finding.to_string().is_empty()));
}

#[test]
fn every_changed_octet_is_found() {
    let dossier = small();
    for place in 0..dossier.len() {
        let mut changed = dossier.clone();
        // The neighbour, the other case, and no text at all.
        for bits in [0x01, 0x20, 0x80] {
            changed[place] = dossier[place] ^ bits;
            assert_found(&changed, &format!("octet {place} with {bits}"));
        }
    }
}

/// For by hand: some minutes.
#[test]
#[ignore = "some minutes"]
fn every_change_of_every_octet_is_found() {
    let dossier = small();
    for place in 0..dossier.len() {
        let mut changed = dossier.clone();
        for bits in 1..=255 {
            changed[place] = dossier[place] ^ bits;
            assert_found(&changed, &format!("octet {place} with {bits}"));
        }
    }
}

#[test]
fn every_octet_left_out_or_put_in_is_found() {
    let dossier = small();
    for place in 0..dossier.len() {
        let mut shorter = dossier.clone();
        shorter.remove(place);
        assert_found(&shorter, &format!("without octet {place}"));
        let mut longer = dossier.clone();
        longer.insert(place, b' ');
        assert_found(&longer, &format!("a blank before octet {place}"));
        assert_found(&dossier[..place], &format!("cut at {place}"));
    }
    assert_found(&[dossier.as_slice(), b"\n"].concat(), "a line end behind it");
}

#[test]
fn damage_is_named_with_its_place() {
    let text = String::from_utf8(small()).unwrap();
    let place = |needle: &str| text.find(needle).unwrap();
    let damaged = |at: usize, octet: u8| {
        let mut octets = text.clone().into_bytes();
        octets[at] = octet;
        let report = verify(&octets, &ours());
        assert_eq!(report.findings.len(), 1, "{}", told(&report));
        report.findings[0].to_string()
    };
    let notes = place("\"notes\":") + "\"notes\":".len();
    assert!(damaged(notes + 1, b'}').starts_with(&format!("notes is damaged at octet {}", notes + 1)));
    let begin = damaged(0, b'x');
    assert!(begin.starts_with("the outer form is damaged at octet 0: expected value"), "{begin}");
    assert_eq!(damaged(9, 0xff), "the file is damaged at octet 9: it is no UTF-8 text there");
    let other = text.replacen("beltwatch-dossier/1", "beltwatch-dossier/2", 1);
    check(
        &other,
        &ours(),
        &["the format is \"beltwatch-dossier/2\"", "not as it was written, from octet 29 on"],
    );
    let wide = text.replacen("\"parts\":{", "\"parts\": {", 1);
    let report = check(&wide, &ours(), &["the file is not as it was written, from octet"]);
    assert_eq!(report.findings.len(), 1);
    // What cannot be read in a part is named with its place in the file; the others are judged all the same.
    let typed = text.replacen("\"salt\":\"", "\"salt\":1,\"x\":\"", 1);
    let at = place("\"salt\":") + "\"salt\":".len();
    check(
        &typed,
        &ours(),
        &[&format!("notes is damaged at octet {at}: invalid type"), "part \"notes\" was changed"],
    );
}

#[test]
fn what_is_too_large_is_not_read() {
    let report = verify(&vec![b' '; domain::limits::DOSSIER_BYTES_MAX + 1], &ours());
    assert_eq!(report.findings, [Finding::TooLarge { octets: domain::limits::DOSSIER_BYTES_MAX + 1 }]);
}

#[test]
fn very_many_findings_are_counted() {
    let mut pieces = Pieces::of(&World::full().dossier());
    pieces = pieces.entries(|rows| {
        for number in 100..2_100 {
            let (author, body) = (String::new(), String::new());
            let time_us = START;
            rows.push(crate::file::EntryRow { number, time_us, author, body, leaf: String::new() });
        }
    });
    let report = verify(pieces.text().as_bytes(), &ours());
    assert_eq!(report.findings.len(), domain::limits::DOSSIER_FINDINGS_MAX + 1);
    assert!(matches!(report.findings.last(), Some(Finding::More { count }) if *count > 1_000));
}

#[test]
fn deep_nesting_is_no_danger() {
    for text in [
        "[".repeat(1_000_000),
        "{\"format\":".repeat(100_000),
        format!("{{\"format\":\"x\",\"manifest\":{}", "[".repeat(1_000_000)),
    ] {
        assert!(!verify(text.as_bytes(), &ours()).is_whole());
    }
    let text = String::from_utf8(small()).unwrap();
    let deep = format!("\"notes\":{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = text.replacen("\"notes\":[", &format!("{deep},\"x\":["), 1);
    assert!(!verify(text.as_bytes(), &ours()).is_whole());
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!verify(&octets, &Expect::default()).is_whole());
    }

    #[test]
    fn several_changes_are_found(changes in proptest::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..6)) {
        let dossier = small();
        let mut changed = dossier.clone();
        for (index, bits) in changes {
            changed[index.index(dossier.len())] ^= bits;
        }
        prop_assume!(changed != dossier);
        prop_assert!(!verify(&changed, &Expect::default()).is_whole());
    }

    /// Parts of any JSON, listed and signed by somebody: never a panic, whatever numbers they hold.
    #[test]
    fn no_signed_parts_make_it_panic(
        part in 0_usize..8,
        rows in proptest::collection::vec((any::<u64>(), any::<i64>(), ".{0,12}", ".{0,12}", ".{0,12}"), 0..5),
        shape in 0..4,
    ) {
        let mut pieces = Pieces::of(&World::full().dossier());
        let rows = rows.into_iter().map(|(number, time, a, b, c)| match shape {
            0 => serde_json::json!({"number": number, "time_us": time, "author": a, "body": b, "leaf": c}),
            1 => serde_json::json!({"number": number, "salt": a, "text": b, "erased": time > 0}),
            2 => serde_json::json!({"facts": number, "root": "00".repeat(32), "taken": [{"contact": a, "taken_us": time}],
                "proofs": [{"number": time.unsigned_abs(), "path": vec!["00".repeat(32); a.len()]}, {"number": 4, "path": vec!["00".repeat(32); a.len()]}]}),
            _ => serde_json::json!({"number": time, "x": [a, b, c]}),
        });
        pieces.parts[part] = serde_json::Value::Array(rows.collect()).to_string();
        let text = pieces.signed(&key()).text();
        let report = verify(text.as_bytes(), &ours());
        prop_assert!(!told(&report).is_empty());
    }
}
