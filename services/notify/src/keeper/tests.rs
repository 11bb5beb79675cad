use std::sync::Mutex;

use async_trait::async_trait;
use domain::ids::RecordingId;
use domain::incident::Rule;
use dossier::Head;
use store::ledger::{Derived, DerivedPiece};
use store::registry::Contact;

use super::*;
use crate::given::{Gym, hook, incident, machine, second};

/// A proof without evidence, whose signatures only tell what was signed.
#[derive(Debug)]
pub(crate) struct Count;

#[async_trait]
impl Proof for Count {
    async fn evidence(&self, _: &IncidentId) -> Option<Evidence> {
        None
    }

    fn sign_head(&self, head: Head, time: UnixMicros) -> String {
        format!("{} facts signed at {}", head.facts, time.0)
    }
}

/// Evidence of the incident as the ledger has it, unless it is told to fail.
#[derive(Debug)]
struct Told {
    gym: Gym,
    is_failing: Mutex<bool>,
}

#[async_trait]
impl Proof for Told {
    async fn evidence(&self, id: &IncidentId) -> Option<Evidence> {
        let stored = self.gym.ledger.incident(id).await.unwrap()?;
        let pieces = match &stored.incident.recording {
            Some(recording) => self.gym.ledger.recording(recording).await.unwrap(),
            None => Vec::new(),
        };
        let is_failing = *self.is_failing.lock().unwrap();
        let revision = stored.incident.revision;
        let hash = format!("{revision:08x}{:08x}{}", pieces.len(), "0".repeat(48));
        let sealed = stored.handling.sealed.filter(|(of, _)| *of == revision);
        (!is_failing).then(|| Evidence {
            revision,
            is_complete: stored.incident.recording.is_none()
                || pieces.last().is_some_and(|last| last.is_last),
            has_grown: sealed.is_some_and(|(_, sealed)| sealed != hash),
            hash,
        })
    }

    fn sign_head(&self, head: Head, time: UnixMicros) -> String {
        Count.sign_head(head, time)
    }
}

async fn gym(contacts: &[Contact]) -> (Gym, Arc<Told>, Keeper) {
    let gym = Gym::new(contacts, &[]).await;
    let proof = Arc::new(Told { gym: gym.clone(), is_failing: Mutex::new(false) });
    let keeper = keeper(&gym, &proof);
    (gym, proof, keeper)
}

fn keeper(gym: &Gym, proof: &Arc<Told>) -> Keeper {
    let clock = gym.clone();
    let settings = Settings {
        url: String::new(),
        mail: None,
        secrets: Arc::new(|_, _| [0; 32]),
        clock: Arc::new(move || clock.now()),
    };
    Keeper::new(gym.ledger.clone(), settings, proof.clone())
}

async fn sealed(gym: &Gym, id: IncidentId) -> Option<u64> {
    let stored = gym.ledger.incident(&id).await.unwrap().unwrap();
    stored.handling.sealed.map(|(revision, _)| revision)
}

async fn seals(gym: &Gym, id: IncidentId) -> usize {
    gym.ledger.incident_facts(&id).await.unwrap().len()
}

#[tokio::test]
async fn evidence_is_sealed_once_for_each_version() {
    let (gym, _, mut keeper) = gym(&[]).await;
    let mut found = incident(1, Rule::EmergencyStop, Severity::Critical, 0);
    found.trace_complete = false;
    let id = gym.found(found.clone()).await;
    keeper.turn().await.unwrap();
    assert_eq!(sealed(&gym, id).await, None);
    (found.trace_complete, found.revision) = (true, 2);
    gym.found(found.clone()).await;
    keeper.turn().await.unwrap();
    keeper.turn().await.unwrap();
    assert_eq!((sealed(&gym, id).await, seals(&gym, id).await), (Some(2), 1));
    // What changes every second is sealed again when it is calm.
    for second in 1..=100 {
        found.revision += 1;
        gym.at(second).found(found.clone()).await;
        keeper.turn().await.unwrap();
    }
    assert_eq!((sealed(&gym, id).await, seals(&gym, id).await), (Some(2), 1));
    gym.at(160);
    keeper.turn().await.unwrap();
    assert_eq!((sealed(&gym, id).await, seals(&gym, id).await), (Some(102), 2));
}

#[tokio::test]
async fn a_recording_is_waited_for_within_reason() {
    let (gym, proof, mut keeper) = gym(&[]).await;
    let recorded = |octet| {
        let mut found = incident(octet, Rule::EmergencyStop, Severity::Critical, 0);
        found.recording = Some(RecordingId([octet; 16]));
        found
    };
    let (first, second_one) = (gym.found(recorded(1)).await, gym.found(recorded(2)).await);
    keeper.turn().await.unwrap();
    assert_eq!((sealed(&gym, first).await, sealed(&gym, second_one).await), (None, None));
    let recording = RecordingId([1; 16]);
    let piece =
        DerivedPiece { recording, machine: machine("m-1"), number: 0, is_last: true, points: Vec::new() };
    gym.ledger.put(Derived { recordings: vec![piece], ..Derived::default() }).await.unwrap();
    gym.at(5);
    keeper.turn().await.unwrap();
    assert_eq!((sealed(&gym, first).await, sealed(&gym, second_one).await), (Some(1), None));
    gym.at(180);
    keeper.turn().await.unwrap();
    assert_eq!(sealed(&gym, second_one).await, Some(1));
    // What comes later is sealed, too, by a server that was started anew as well.
    for (number, at) in [(0, 300), (1, 900)] {
        gym.at(at);
        keeper.turn().await.unwrap();
        if number == 1 {
            keeper = self::keeper(&gym, &proof);
        }
        let recording = RecordingId([2; 16]);
        let (machine, points) = (machine("m-1"), Vec::new());
        let piece = DerivedPiece { recording, machine, number, is_last: number == 1, points };
        gym.ledger.put(Derived { recordings: vec![piece], ..Derived::default() }).await.unwrap();
        gym.at(at + 60);
        keeper.turn().await.unwrap();
        assert_eq!(seals(&gym, second_one).await, usize::try_from(number).unwrap() + 2);
    }
    gym.at(2_000);
    keeper.turn().await.unwrap();
    assert_eq!((seals(&gym, first).await, seals(&gym, second_one).await), (1, 3));
}

#[tokio::test]
async fn what_a_restart_left_unsealed_is_found() {
    let (gym, proof, mut keeper) = gym(&[]).await;
    *proof.is_failing.lock().unwrap() = true;
    let id = gym.found(incident(1, Rule::EmergencyStop, Severity::Critical, 0)).await;
    keeper.turn().await.unwrap();
    *proof.is_failing.lock().unwrap() = false;
    keeper.turn().await.unwrap();
    assert_eq!(sealed(&gym, id).await, None, "it is asked for again only after a while");
    let mut keeper = self::keeper(&gym, &proof);
    keeper.turn().await.unwrap();
    assert_eq!(sealed(&gym, id).await, Some(1));
}

#[tokio::test]
async fn each_anchor_gets_one_head_a_day() {
    let anchor = |name: &str| Contact { is_anchor: true, ..hook(name) };
    let (gym, proof, mut keeper) = gym(&[anchor("lawyer"), hook("floor")]).await;
    let facts = gym.registry().last_fact;
    keeper.turn().await.unwrap();
    keeper.turn().await.unwrap();
    let heads = gym.notices().await;
    let leaves = gym.ledger.leaves(0, usize::try_from(facts).unwrap()).await.unwrap();
    let root = hex::encode(dossier::head(leaves).root);
    assert_eq!(
        heads.iter().map(|n| (n.contact.as_str(), n.about.clone())).collect::<Vec<_>>(),
        [("lawyer", About::Head { facts, root })]
    );
    // A restart plans nothing anew; a new anchor and a new day do.
    gym.at(60)
        .fact(store::fact::FactKind::ContactSet(store::fact::NewContact { contact: anchor("office") }))
        .await;
    let mut keeper = self::keeper(&gym, &proof);
    keeper.turn().await.unwrap();
    let names = |notices: Vec<Notice>| notices.into_iter().map(|notice| notice.contact).collect::<Vec<_>>();
    assert_eq!(names(gym.notices().await), ["lawyer", "office"]);
    gym.at(86_400);
    keeper.turn().await.unwrap();
    assert_eq!(gym.notices().await.len(), 4);
    assert_eq!(gym.notices().await[2].planned, second(86_400));
}
