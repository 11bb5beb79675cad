//! Dossiers that somebody forged, by hand or with a key of their own.

use domain::units::UnixMicros;

use super::world::*;
use crate::file::EntryRow;
use crate::*;

fn pieces() -> Pieces {
    Pieces::of(&World::full().dossier())
}

/// The findings of a forgery; in the first form as it is, in the second listed and signed again by another key.
fn refused(forge: impl Fn(Pieces) -> Pieces, sentences: &[&str]) {
    let report = check(&forge(pieces()).text(), &ours(), sentences);
    assert!(!report.is_whole());
    let other = SigningKey::from_seed([9; 32]);
    let signed = forge(pieces()).signed(&other).text();
    // Without a fingerprint to compare with what is inside speaks all the same.
    let report = check(&signed, &Expect::default(), sentences);
    assert!(!report.is_whole());
    check(&signed, &ours(), sentences);
    check(&signed, &ours(), &["another server signed it: fingerprint"]);
}

fn hashed_again(row: &mut EntryRow) {
    row.leaf = hex::encode(leaf(row.number, row.time_us, &row.author, &row.body));
}

#[test]
fn a_changed_part_is_named() {
    for (part, from, to) in [
        ("incident", "North", "South"),
        ("evidence", "834", "134"),
        ("readings", "420", "421"),
        ("recording", "700", "701"),
        ("tables", "user:anna", "user:otto"),
    ] {
        let text = pieces().replaced(part, from, to).text();
        let report = check(&text, &ours(), &[&format!("part \"{part}\" was changed")]);
        let is_changed = |finding: &&Finding| matches!(finding, Finding::PartChanged { .. });
        assert_eq!(report.findings.iter().filter(is_changed).count(), 1);
        let sealed = ["evidence", "readings", "recording"].contains(&part);
        assert_eq!(told(&report).contains("is not what entry 9 sealed as version 3"), sealed, "{part}");
    }
}

#[test]
fn evidence_that_was_signed_again_is_not_what_was_sealed() {
    let text = pieces().replaced("evidence", "834", "134").signed(&key()).text();
    let report = check(&text, &ours(), &["the evidence is not what entry 9 sealed as version 3"]);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn a_dropped_entry_is_named() {
    let dropped = |place: usize| move |pieces: Pieces| pieces.entries(|rows| drop(rows.remove(place)));
    refused(dropped(0), &["entry 7 names a predecessor", "the first entry is missing"]);
    refused(
        dropped(0),
        &["the manifest counts 6 entries, 5 are there", "proof for entry 4, which is not there"],
    );
    refused(
        dropped(2),
        &["entry 9 names a predecessor", "an entry before it is missing, or entry 7 was changed"],
    );
    refused(dropped(2), &["there is a note of entry 8, but no such entry has a note"]);
    refused(dropped(5), &["the last entry (entry 15) is not the one that the manifest names"]);
    refused(dropped(5), &["the manifest counts 6 entries, 5 are there"]);
}

#[test]
fn no_entries_left_is_named() {
    let text = pieces().entries(Vec::clear).text();
    check(&text, &ours(), &["the manifest counts 6 entries, 0 are there", "the last entry (there is none)"]);
}

#[test]
fn a_changed_author_is_named() {
    let changed = |pieces: Pieces| pieces.entries(|rows| rows[1].author = "user:otto".to_owned());
    refused(changed, &["entry 7 was changed: its number, time, author and body do not give its leaf"]);
    refused(changed, &["line 3 of the table of entries", "user:anna", "user:otto"]);
    // With its leaf worked out again the next one does not follow any more, and no proof leads to an anchor.
    let hashed = |pieces: Pieces| {
        pieces.entries(|rows| {
            rows[1].author = "user:otto".to_owned();
            hashed_again(&mut rows[1]);
        })
    };
    refused(hashed, &["entry 8 names a predecessor", "or entry 7 was changed"]);
    refused(hashed, &["the proof of entry 7 does not lead to the root of the anchor at 9 facts"]);
    let last = |pieces: Pieces| {
        pieces.entries(|rows| {
            rows[5].author = "user:otto".to_owned();
            hashed_again(&mut rows[5]);
        })
    };
    refused(last, &["the last entry (entry 16) is not the one", "the proof of entry 16 does not lead"]);
}

#[test]
fn changed_body_time_and_number_are_named() {
    let sentence = |number| format!("entry {number} was changed");
    let body = |pieces: Pieces| {
        pieces.entries(|rows| rows[4].body = rows[4].body.replace("misuse", "machine_fault"))
    };
    refused(body, &[&sentence(15)]);
    let time = |pieces: Pieces| pieces.entries(|rows| rows[4].time_us = UnixMicros(5));
    refused(time, &[&sentence(15)]);
    let number = |pieces: Pieces| pieces.entries(|rows| rows[4].number = 14);
    refused(number, &[&sentence(14), "there is a note of entry 15, but no such"]);
    let unreadable = |pieces: Pieces| pieces.entries(|rows| rows[4].body = "{".to_owned());
    refused(unreadable, &[&sentence(15), "the body of entry 15 cannot be read"]);
    let foreign = |pieces: Pieces| {
        pieces.entries(|rows| {
            rows[5].body = rows[5].body.replace("abab", "0000");
            hashed_again(&mut rows[5]);
        })
    };
    refused(foreign, &["entry 16 is not about this incident"]);
}

#[test]
fn reordered_and_inserted_entries_are_named() {
    let swapped = |pieces: Pieces| pieces.entries(|rows| rows.swap(1, 2));
    refused(swapped, &["entry 7 stands after entry 8", "entry 7 follows entry 4", "entry 8 follows entry 7"]);
    let twice = |pieces: Pieces| {
        pieces.entries(|rows| {
            let row = &rows[1];
            let (author, body) = ("user:otto".to_owned(), row.body.clone());
            let mut row = EntryRow { number: 10, time_us: row.time_us, author, body, leaf: String::new() };
            hashed_again(&mut row);
            rows.insert(4, row);
        })
    };
    refused(
        twice,
        &["entry 10 follows entry 4", "entry 15 follows entry 9", "counts 6 entries, 7 are there"],
    );
}

#[test]
fn swapped_and_changed_notes_are_named() {
    let both = |pieces: Pieces| {
        pieces.notes(|rows| {
            let (first, last) = (rows[0].number, rows[2].number);
            rows.swap(0, 2);
            (rows[0].number, rows[2].number) = (first, last);
        })
    };
    let sentences = [
        "the note of entry 7 was swapped: this text was written with entry 15",
        "the note of entry 15 was swapped: this text was written with entry 7",
    ];
    refused(both, &sentences);
    let texts = |pieces: Pieces| {
        pieces.notes(|rows| {
            let text = rows[0].text.take();
            rows[0].text = rows[2].text.take();
            rows[2].text = text;
        })
    };
    refused(texts, &sentences);
    let changed = |pieces: Pieces| pieces.notes(|rows| rows[0].text = Some("fell".to_owned()));
    refused(changed, &["the note of entry 7 was changed", "line 3 of the table of entries"]);
    let salt = |pieces: Pieces| pieces.notes(|rows| rows[0].salt = Some("x".to_owned()));
    refused(salt, &["the note of entry 7 was changed"]);
    let missing = |pieces: Pieces| pieces.notes(|rows| drop(rows.remove(0)));
    refused(missing, &["the note of entry 7 is missing"]);
    let erased = |pieces: Pieces| {
        pieces.notes(|rows| {
            (rows[0].salt, rows[0].text, rows[0].erased) = (None, None, true);
        })
    };
    refused(erased, &["the note of entry 7 is left out as erased, but no entry says that it was erased"]);
    let twice = |pieces: Pieces| pieces.notes(|rows| rows[1].number = rows[0].number);
    refused(twice, &["the note of entry 7 stands twice", "the note of entry 8 is missing"]);
}

#[test]
fn another_servers_signature_is_named() {
    let other = SigningKey::from_seed([9; 32]);
    let text = pieces().signed(&other).text();
    let sentence = format!("another server signed it: fingerprint {}, expected", other.fingerprint());
    let report = check(&text, &ours(), &[&sentence, &key().fingerprint()]);
    assert_eq!(report.findings.len(), 1);
    // Somebody who compares nothing is told so, and by whom it was signed.
    let report = check(&text, &Expect::default(), &[&other.fingerprint(), "was not compared"]);
    assert!(report.is_whole());
    // Only the key in the file, or only the signature, is another's.
    let mut half = pieces();
    half.signature.key = hex::encode(other.public());
    let report = check(&half.text(), &Expect::default(), &["the manifest names the key with fingerprint"]);
    assert!(told(&report).contains("the signature is not of this manifest"));
    let mut half = pieces();
    half.signature.value = pieces().signed(&other).signature.value;
    check(&half.text(), &ours(), &["the signature is not of this manifest"]);
}

#[test]
fn a_changed_manifest_is_named() {
    let mut changed = pieces();
    changed.manifest.made_us = START;
    let report = check(&changed.text(), &ours(), &["the signature is not of this manifest"]);
    assert_eq!(report.findings.len(), 1);
    let mut changed = pieces();
    changed.manifest.parts.swap(0, 1);
    check(&changed.text(), &ours(), &["does not list the parts"]);
    let mut changed = pieces();
    changed.manifest.incident_id = domain::ids::IncidentId([1; 16]);
    check(
        &changed.text(),
        &ours(),
        &["the evidence is of incident abab", "entry 4 is not about this incident"],
    );
}

#[test]
fn anchors_that_were_changed_are_named() {
    let root = |pieces: Pieces| pieces.anchors(|rows| rows[1].root = "00".repeat(32));
    refused(root, &["the proof of entry 16 does not lead to the root of the anchor at 23 facts"]);
    let facts = |pieces: Pieces| pieces.anchors(|rows| rows[1].facts = 500);
    refused(facts, &["does not lead to the root of the anchor at 500 facts"]);
    let path = |pieces: Pieces| pieces.anchors(|rows| rows[1].proofs[0].path[0] = "00".repeat(32));
    refused(path, &["the proof of entry 4 does not lead"]);
    let broken = |pieces: Pieces| pieces.anchors(|rows| rows[0].root = "no".to_owned());
    refused(broken, &["the anchor at 9 facts cannot be read"]);
    let none = |pieces: Pieces| pieces.anchors(|rows| rows[0].proofs.clear());
    refused(none, &["no proof leads to the anchor at 9 facts"]);
}

/// The server itself wrote its facts anew and signed that: only what is held outside speaks against it.
#[test]
fn a_server_that_rewrites_its_facts_is_found_by_its_anchors() {
    let mut rewritten = World::new();
    rewritten.step("user:otto", serde_json::json!({"step": "acknowledge"}), None);
    rewritten.others(19);
    rewritten.anchors = World::full().anchors;
    let report = check(
        &rewritten.dossier(),
        &ours(),
        &["the proof of entry 4 does not lead to the root of the anchor at 23 facts"],
    );
    assert!(!report.is_anchored());
    // Facts that were cut off give no proof at all.
    rewritten.leaves.truncate(10);
    check(&rewritten.dossier(), &ours(), &["no proof leads to the anchor at 23 facts"]);
    // A server that leaves the anchors out is whole, but unanchored; who holds a head misses it.
    rewritten.anchors.clear();
    let report = check(&rewritten.dossier(), &ours(), &["unanchored"]);
    assert!(report.is_whole() && !report.is_anchored());
    let root = hex::encode(World::full().anchors[1].head.root);
    let expect = Expect { heads: vec![ExpectedHead { facts: Some(23), root }], ..ours() };
    let report =
        check(&rewritten.dossier(), &expect, &["no anchor that a proof leads to has the expected root"]);
    assert!(!report.is_whole());
}

/// Somebody changed the evidence and the seal in the file to go with it.
#[test]
fn a_seal_that_was_changed_seals_nothing() {
    let changed = |pieces: Pieces| {
        let pieces = pieces.replaced("evidence", "834", "134");
        let sealed = crate::evidence::octets(&pieces.parts[1], &pieces.parts[2], &pieces.parts[3]);
        let sealed = hex::encode(crate::words::sha256(sealed.as_bytes()));
        let before = evidence(&incident(), &recording()).hex();
        pieces.entries(|rows| rows[3].body = rows[3].body.replace(&before, &sealed))
    };
    refused(changed, &["entry 9 was changed"]);
    let report = verify(changed(pieces()).text().as_bytes(), &ours());
    assert!(!report.holds.iter().any(|held| matches!(held, Statement::Sealed { .. })), "{}", told(&report));
    let hashed = |pieces: Pieces| changed(pieces).entries(|rows| hashed_again(&mut rows[3]));
    refused(hashed, &["or entry 9 was changed", "the proof of entry 9 does not lead to the root"]);
}

/// Two heads of the same number of facts with different roots: both are told, and one is false.
#[test]
fn two_heads_of_one_size_are_both_told() {
    for place in [0, 1] {
        let mut world = World::full();
        let mut other = world.anchors[place].clone();
        for root in [[0; 32], [0xff; 32]] {
            other.head.root = root;
            world.anchors.push(other.clone());
        }
        let facts = other.head.facts;
        let report = check(
            &world.dossier(),
            &ours(),
            &[
                &format!("does not lead to the root of the anchor at {facts} facts"),
                &format!("holds: anchored: {} entries lead to the head of {facts} facts", [4, 6][place]),
            ],
        );
        let false_ones = report.findings.iter().filter(|f| matches!(f, Finding::Proof { number: 4, .. }));
        assert_eq!(false_ones.count(), 2, "{}", told(&report));
    }
}
