//! Dossiers: whole, with and without their notes, anchored or not; the server's key.

use domain::handling::Step;
use domain::ids::IncidentId;
use dossier::{Expect, Head, Report, Statement, head, verify};
use sha2::{Digest, Sha256};
use store::fact::{Anchoring, Fact, FactKind, IncidentStepped, SERVER};
use store::ledger::Ledger;
use store::registry::Role;
use tonic::Code;
use wire::api::v1;

use super::super::incidents::with_recording;
use super::super::{Bench, NOON, with_token};
use super::{close, id, note, with_staff};
use crate::Sealer;

async fn export(bench: &Bench, secret: &str) -> (v1::ExportDossierResponse, Report) {
    let request = with_token(secret, v1::ExportDossierRequest { incident_id: id(1) });
    let answer = bench.handling().await.export_dossier(request).await.unwrap().into_inner();
    let key = bench.handling().await.get_server_key(v1::GetServerKeyRequest {}).await.unwrap().into_inner();
    assert_eq!(answer.key_fingerprint, key.fingerprint);
    assert_eq!(answer.sha256, hex::encode(Sha256::digest(&answer.file)));
    let expect = Expect { fingerprint: Some(key.fingerprint), heads: Vec::new() };
    let report = verify(&answer.file, &expect);
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.is_anchored(), answer.anchored);
    (answer, report)
}

/// Somebody outside takes the head over all facts so far.
async fn anchor(bench: &Bench) -> Head {
    let now = head(bench.ledger.leaves(0, 100_000).await.unwrap());
    let root = hex::encode(now.root);
    let contact = "notary".to_owned();
    bench.fact(FactKind::HeadAnchored(Anchoring { facts: now.facts, root, contact, taken: NOON })).await;
    now
}

#[tokio::test]
async fn a_dossier_verifies_before_and_after_it_is_anchored_and_when_a_note_is_erased() {
    let (bench, anna) = with_staff().await;
    with_recording(&bench, 1).await;
    let (answer, report) = export(&bench, &anna).await;
    assert!(!answer.anchored && report.holds.contains(&Statement::Parts));
    assert_eq!(answer.file_name, format!("beltwatch-dossier-{}.json", id(1)));

    let mut service = bench.handling().await;
    service.note_incidents(with_token(&anna, note(&[1], "the seam was torn"))).await.unwrap();
    service.close_incidents(with_token(&anna, close(&[1]))).await.unwrap();
    let (answer, _) = export(&bench, &anna).await;
    assert!(!answer.anchored, "nobody outside knows of it");
    assert!(String::from_utf8(answer.file).unwrap().contains("the seam was torn"));

    anchor(&bench).await;
    let (answer, report) = export(&bench, &anna).await;
    assert!(answer.anchored, "{:?}", report.holds);

    let number = bench.steps_of(&anna, 1).await[0].number;
    service.erase_note(v1::EraseNoteRequest { incident_id: id(1), number }).await.unwrap();
    let (answer, _) = export(&bench, &anna).await;
    assert!(!answer.anchored, "the erasing came after");
    assert!(!String::from_utf8(answer.file).unwrap().contains("the seam was torn"));
    anchor(&bench).await;
    assert!(export(&bench, &anna).await.0.anchored);
}

#[tokio::test]
async fn what_was_sealed_is_what_the_dossier_holds() {
    let (bench, anna) = with_staff().await;
    let sealer = Sealer::new(std::sync::Arc::new(bench.ledger.clone()));
    let incident = IncidentId([1; 16]);
    let before = sealer.evidence_of(&incident).await.unwrap().unwrap();
    assert!(!before.is_complete, "the recording is on its way");
    with_recording(&bench, 1).await;
    let sealing = sealer.evidence_of(&incident).await.unwrap().unwrap();
    assert!(sealing.is_complete && sealing.evidence != before.evidence);
    assert_eq!(sealer.evidence_of(&IncidentId([9; 16])).await.unwrap(), None);
    let step = Step::Seal { revision: sealing.revision, evidence: sealing.evidence };
    let kind = FactKind::IncidentStepped(IncidentStepped { incident, step, note: None, previous: None });
    let fact = Fact { time: NOON, author: SERVER.to_owned(), request_id: None, kind };
    bench.ledger.add_fact(fact).await.unwrap();
    let (_, report) = export(&bench, &anna).await;
    let is_sealed = |one: &Statement| matches!(one, Statement::Sealed { .. });
    assert!(report.holds.iter().any(is_sealed), "{:?}", report.holds);
}

#[tokio::test]
async fn what_came_after_the_seal_is_sealed_again_and_what_was_changed_is_found() {
    let (bench, anna) = with_staff().await;
    let sealer = Sealer::new(std::sync::Arc::new(bench.ledger.clone()));
    let incident = IncidentId([1; 16]);
    let seal = async |revision: u64, evidence: String| {
        let step = Step::Seal { revision, evidence };
        let kind = FactKind::IncidentStepped(IncidentStepped { incident, step, note: None, previous: None });
        let fact = Fact { time: NOON, author: SERVER.to_owned(), request_id: None, kind };
        bench.ledger.add_fact(fact).await.unwrap();
    };
    let before = sealer.evidence_of(&incident).await.unwrap().unwrap();
    seal(before.revision, before.evidence.clone()).await;
    assert!(!sealer.evidence_of(&incident).await.unwrap().unwrap().has_grown);
    with_recording(&bench, 1).await;
    assert!(sealer.evidence_of(&incident).await.unwrap().unwrap().has_grown);
    let (_, report) = export(&bench, &anna).await;
    let again = |one: &Statement| matches!(one, Statement::SealedAgain { .. });
    assert!(report.holds.iter().any(again), "{:?}", report.holds);
    let facts = bench.ledger.registry().last_fact;
    export(&bench, &anna).await;
    assert_eq!(bench.ledger.registry().last_fact, facts, "once");

    // What is no beginning of it is not sealed again.
    seal(before.revision, "00".repeat(32)).await;
    assert!(!sealer.evidence_of(&incident).await.unwrap().unwrap().has_grown);
    let request = with_token(&anna, v1::ExportDossierRequest { incident_id: id(1) });
    let answer = bench.handling().await.export_dossier(request).await.unwrap().into_inner();
    let found = verify(&answer.file, &Expect::default()).findings;
    assert!(matches!(found[..], [dossier::Finding::Evidence { .. }]), "{found:?}");
}

/// The server and whoever verifies work leaves and hashes of notes out by themselves.
#[test]
fn leaves_and_hashes_of_notes_are_the_same_in_store_and_dossier() {
    for (number, time, author, body) in
        [(1, 0, "server", "{}"), (u64::MAX, i64::MIN, "user:ännä", "{\"a\":\"\\n\"}"), (7, 1, "", "")]
    {
        let time = domain::units::UnixMicros(time);
        assert_eq!(store::fact::leaf(number, time, author, body), dossier::leaf(number, time, author, body));
    }
    for text in ["", "seen", "größer\n\u{1f3c3}"] {
        let note = store::fact::NoteText { salt: [0xa5; 16], text: text.to_owned() };
        assert_eq!(note.hash(), hex::encode(dossier::note_hash(&note.salt, text)));
    }
}

#[tokio::test]
async fn a_viewer_gets_no_dossier_but_the_key() {
    let (bench, _) = with_staff().await;
    let viewer = bench.token_of(Role::Viewer, &["north"]).await;
    let request = with_token(&viewer, v1::ExportDossierRequest { incident_id: id(1) });
    let status = bench.handling().await.export_dossier(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    let elsewhere = bench.token_of(Role::Staff, &["south"]).await;
    let request = with_token(&elsewhere, v1::ExportDossierRequest { incident_id: id(1) });
    let status = bench.handling().await.export_dossier(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    let first = anchor(&bench).await;
    let second = anchor(&bench).await;
    let request = with_token(&viewer, v1::GetServerKeyRequest {});
    let answer = bench.handling().await.get_server_key(request).await.unwrap().into_inner();
    let public: [u8; 32] = hex::decode(&answer.key).unwrap().try_into().unwrap();
    assert_eq!(answer.fingerprint, dossier::fingerprint(&public));
    let facts: Vec<u64> = answer.heads.iter().map(|head| head.facts).collect();
    assert_eq!(facts, [second.facts, first.facts], "the newest first");
}
