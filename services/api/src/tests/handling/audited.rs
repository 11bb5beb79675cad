//! Steps in the audit: who did what about which incident, but not what they wrote.

use store::fact::{FactKind, NewContact, PolicyChange};
use store::registry::{Contact, Deadline, Role, Way};
use wire::api::v1;

use super::super::audit::entries;
use super::super::{NOON, seconds, site_id, with_token};
use super::{acknowledge, close, id, ids, note, with_staff};

#[tokio::test]
async fn steps_are_told_to_auditors_of_the_site_without_what_was_written() {
    let (bench, anna) = with_staff().await;
    let before = entries(&bench, &bench.operator, 1_000).await.concat().len();
    let mut service = bench.handling().await;
    service.acknowledge_incidents(with_token(&anna, acknowledge(&[3]))).await.unwrap();
    service.note_incidents(with_token(&anna, note(&[3, 1], "Mrs Smith fell"))).await.unwrap();
    let closing = v1::CloseIncidentsRequest { note: "Mrs Smith is well".to_owned(), ..close(&[3]) };
    service.close_incidents(with_token(&anna, closing)).await.unwrap();
    let hold = v1::HoldIncidentsRequest { incident_ids: ids(&[4]), on: true, ..Default::default() };
    service.hold_incidents(hold).await.unwrap();
    let north = bench.token_of(Role::Auditor, &["north"]).await;
    let south = bench.token_of(Role::Auditor, &["south"]).await;
    let told = |mut all: Vec<v1::AuditEntry>| {
        all.retain(|entry| entry.kind.starts_with("incident_"));
        all.reverse();
        let told =
            |entry: v1::AuditEntry| (entry.author, entry.kind, entry.subject, entry.site_id, entry.detail);
        all.into_iter().map(told).collect::<Vec<_>>()
    };
    let step = |author: &str, kind: &str, number, site: &str, detail: &str| {
        (author.to_owned(), kind.to_owned(), id(number), site.to_owned(), detail.to_owned())
    };
    let of_north = entries(&bench, &north, 1_000).await.concat();
    assert!(!format!("{of_north:?}").contains("Smith"));
    assert_eq!(
        told(of_north),
        [
            step("user:anna", "incident_acknowledged", 3, "north", ""),
            step("user:anna", "incident_noted", 3, "north", "with a note"),
            step("user:anna", "incident_noted", 1, "north", "with a note"),
            step(
                "user:anna",
                "incident_closed",
                3,
                "north",
                "cause: machine_fault, somebody hurt: no, with a note"
            ),
        ]
    );
    let of_south = entries(&bench, &south, 1_000).await.concat();
    assert_eq!(
        told(of_south),
        [step("operator:unknown", "incident_held", 4, "south", "kept against retention")]
    );
    let all = entries(&bench, &bench.operator, 1_000).await.concat();
    // One of the facts is that the floor knows of the stop, two are the tokens.
    assert_eq!(all.len(), before + 8);
}

#[tokio::test]
async fn who_is_told_is_audited_without_addresses() {
    let (bench, _) = with_staff().await;
    let url = "https://hooks.example/secret-path".to_owned();
    let contact = Contact {
        name: "desk".to_owned(),
        display_name: String::new(),
        site: Some(site_id("north")),
        way: Way::Webhook { url },
        is_anchor: true,
        weekly: false,
        generation: 2,
        changed: NOON,
    };
    bench.fact(FactKind::ContactSet(NewContact { contact })).await;
    let until = domain::handling::HandlingState::Closed;
    let least = domain::incident::Severity::High;
    let deadline = Deadline { name: "report".to_owned(), least, hours: 72, until };
    let (site, deadlines) = (Some(site_id("north")), Some(vec![deadline]));
    bench.fact(FactKind::PolicySet(PolicyChange { site, deadlines, ..PolicyChange::default() })).await;
    let all = entries(&bench, &bench.operator, 2).await;
    let told: Vec<_> =
        all[0].iter().map(|one| (one.kind.as_str(), one.subject.as_str(), one.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            ("policy_set", "north", "1 deadlines"),
            ("contact_set", "desk", "by webhook, secret 2, is sent heads"),
        ]
    );
    assert!(all[0].iter().all(|one| one.site_id == "north" && one.time == Some(seconds(0))));
}
