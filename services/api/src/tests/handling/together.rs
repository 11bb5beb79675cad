//! Two people at once lose nothing.

use proptest::prelude::*;
use store::registry::Role;
use wire::api::v1;

use super::super::with_token;
use super::{Bench, acknowledge, close, note, with_staff};

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Acknowledge,
    Note(u8),
    Close,
}

async fn act(bench: &Bench, secret: &str, deeds: &[Deed]) {
    let mut service = bench.handling().await;
    for deed in deeds {
        let results = match deed {
            Deed::Acknowledge => {
                let request = with_token(secret, acknowledge(&[1]));
                service.acknowledge_incidents(request).await.unwrap().into_inner().results
            }
            Deed::Note(number) => {
                let request = with_token(secret, note(&[1], &format!("note {number}")));
                service.note_incidents(request).await.unwrap().into_inner().results
            }
            Deed::Close => {
                service.close_incidents(with_token(secret, close(&[1]))).await.unwrap().into_inner().results
            }
        };
        assert_eq!(results[0].error, "", "{deed:?}");
    }
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![Just(Deed::Acknowledge), any::<u8>().prop_map(Deed::Note), Just(Deed::Close),];
    prop::collection::vec(deed, 0..8)
}

async fn check(of_anna: Vec<Deed>, of_ben: Vec<Deed>) {
    let (bench, anna) = with_staff().await;
    bench.user("ben", Role::Manager, &["north"]).await;
    let ben = bench.session("ben").await;
    tokio::join!(act(&bench, &anna, &of_anna), act(&bench, &ben, &of_ben));
    let steps = bench.steps_of(&anna, 1).await;
    assert_eq!(steps, bench.steps_of(&ben, 1).await, "both see the same");
    for (author, deeds) in [("user:anna", &of_anna), ("user:ben", &of_ben)] {
        let notes: Vec<String> = deeds
            .iter()
            .filter_map(
                |deed| if let Deed::Note(number) = deed { Some(format!("note {number}")) } else { None },
            )
            .collect();
        let own = steps.iter().filter(|step| step.author == author);
        let kept: Vec<&str> =
            own.clone().filter(|step| step.has_note).map(|step| step.note.as_str()).collect();
        assert_eq!(kept, notes, "all notes, in the order in which they were written");
        assert_eq!(own.count(), deeds.len());
    }
    let now = bench.handling_of(1).await;
    let is_closing = |step: &&v1::IncidentStep| matches!(step.what, Some(v1::incident_step::What::Closed(_)));
    let first = steps.iter().find(is_closing);
    assert_eq!(now.closed.map(|deed| deed.author), first.map(|step| step.author.clone()));
    assert_eq!(now.step_count as usize, of_anna.len() + of_ben.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_two_people_do_at_once_all_of_it_is_kept(of_anna in deeds(), of_ben in deeds()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(of_anna, of_ben));
    }
}
