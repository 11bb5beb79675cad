use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::handling::Step;
use domain::ids::NoticeId;
use domain::incident::{Rule, Severity};
use store::fact::{FactKind, NewContact, ServiceChange};
use store::ledger::NoticeState;
use store::registry::{ChainStep, Contact};

use super::*;
use crate::given::{Gym, hook, incident, machine, second, step};
use crate::message::{Message, Subject};
use crate::retry::Refusal;

/// Notes what it is given, and fails or hangs for some contacts.
#[derive(Debug, Default)]
struct Notes {
    carried: Mutex<Vec<Message>>,
    failing: Mutex<BTreeSet<String>>,
    hanging: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Carrier for Notes {
    async fn carry(&self, message: &Message) -> Result<(), Refusal> {
        self.carried.lock().unwrap().push(message.clone());
        let name = &message.contact.name;
        let is_hanging = self.hanging.lock().unwrap().contains(name);
        if is_hanging {
            std::future::pending::<()>().await;
        }
        match self.failing.lock().unwrap().contains(name) {
            true => Err(Refusal::passing("the receiver answered 500")),
            false => Ok(()),
        }
    }
}

struct Desk {
    gym: Gym,
    notes: Arc<Notes>,
    follower: Follower,
}

fn follower(gym: &Gym, notes: &Arc<Notes>) -> Follower {
    let clock = gym.clone();
    let settings = Settings {
        url: "https://gym.example.org".to_owned(),
        mail: None,
        secrets: Arc::new(|_, _| [0; 32]),
        clock: Arc::new(move || clock.now()),
    };
    Follower::new(
        gym.ledger.clone(),
        settings,
        gym.pages.clone(),
        Arc::new(crate::keeper::tests::Count),
        notes.clone(),
    )
}

impl Desk {
    async fn new(contacts: &[Contact], chain: &[ChainStep]) -> Desk {
        let gym = Gym::new(contacts, chain).await;
        let notes = Arc::<Notes>::default();
        let follower = follower(&gym, &notes);
        let mut desk = Desk { gym, notes, follower };
        desk.settle().await;
        desk
    }

    async fn usual() -> Desk {
        let chain = [step("floor", Severity::Low, 0), step("office", Severity::High, 300)];
        Desk::new(&["floor", "office"].map(hook), &chain).await
    }

    /// Turns until nothing is under way but what hangs.
    async fn settle(&mut self) {
        loop {
            self.follower.turn().await.unwrap();
            if self.follower.sending.len() <= self.notes.hanging.lock().unwrap().len() {
                return;
            }
            let ended = self.follower.sending.join_next().await.unwrap();
            self.follower.ended(ended);
        }
    }

    /// Of what was told since: contact, severities, and identity of the message.
    fn told(&self) -> Vec<(String, Vec<Severity>)> {
        let carried = std::mem::take(&mut *self.notes.carried.lock().unwrap());
        let severities = |message: &Message| message.told.iter().map(|told| told.severity).collect();
        carried.iter().map(|message| (message.contact.name.clone(), severities(message))).collect()
    }

    #[track_caller]
    fn check(&self, expected: &[(&str, &[Severity])]) {
        let mut told = self.told();
        told.sort();
        let told: Vec<(&str, &[Severity])> =
            told.iter().map(|(name, all)| (name.as_str(), all.as_slice())).collect();
        assert_eq!(told, expected);
    }

    /// The server was killed and is started again.
    fn restart(&mut self) {
        self.follower = follower(&self.gym, &self.notes);
    }
}

use Severity::{Critical, High, Low};

#[tokio::test]
async fn a_chain_goes_on_until_somebody_acknowledges() {
    let mut desk = Desk::usual().await;
    let first = desk.gym.at(0).found(incident(1, Rule::EmergencyStop, Critical, 0)).await;
    desk.gym.found(incident(2, Rule::EmergencyStop, Critical, 0)).await;
    desk.settle().await;
    desk.check(&[("floor", &[Critical, Critical])]);
    desk.gym.at(200).stepped(first, Step::Acknowledge).await;
    desk.settle().await;
    desk.gym.at(299);
    desk.settle().await;
    desk.check(&[]);
    desk.gym.at(300);
    desk.settle().await;
    desk.check(&[("office", &[Critical])]);
    desk.gym.at(100_000);
    desk.settle().await;
    desk.check(&[]);
    let notices = desk.gym.notices().await;
    let floor = notices.iter().find(|notice| notice.contact == "floor").unwrap();
    assert_eq!((floor.state, floor.together, floor.attempts), (NoticeState::Sent, 2, 1));
    let spared = notices.iter().find(|notice| notice.state == NoticeState::NotNeeded).unwrap();
    assert_eq!((spared.step, spared.reason.as_str()), (2, "acknowledged by anna before it was due"));
}

#[tokio::test]
async fn nobody_looks_so_it_is_told_at_once() {
    let mut desk = Desk::new(&[hook("floor")], &[step("floor", Low, 600)]).await;
    desk.gym.found(incident(1, Rule::EmergencyStop, Critical, 0)).await;
    desk.settle().await;
    desk.check(&[]);
    desk.gym.pages.0.store(0, std::sync::atomic::Ordering::Relaxed);
    desk.settle().await;
    desk.check(&[("floor", &[Critical])]);
}

#[tokio::test]
async fn history_is_no_news_at_the_first_start() {
    let gym = Gym::new(&[hook("floor")], &[step("floor", Low, 0)]).await;
    gym.found(incident(1, Rule::EmergencyStop, Critical, 0)).await;
    gym.found(incident(2, Rule::SlowEmergencyStop, High, 0)).await;
    let mut cleared = incident(3, Rule::EmergencyStop, Critical, 0);
    cleared.cleared = Some(second(1));
    gym.found(cleared).await;
    gym.found(incident(4, Rule::EmergencyStop, Critical, -1_000)).await;
    let notes = Arc::<Notes>::default();
    let follower = follower(&gym, &notes);
    let mut desk = Desk { gym, notes, follower };
    desk.settle().await;
    desk.check(&[("floor", &[Critical])]);
    desk.gym.found(incident(5, Rule::SlowEmergencyStop, High, 0)).await;
    desk.settle().await;
    desk.check(&[("floor", &[High])]);
    desk.restart();
    desk.settle().await;
    desk.check(&[]);
}

#[tokio::test]
async fn killed_between_sending_and_writing_it_sends_again_with_the_same_id() {
    let mut desk = Desk::usual().await;
    desk.gym.found(incident(1, Rule::EmergencyStop, Critical, 0)).await;
    desk.follower.turn().await.unwrap();
    // The message arrives, and nothing of it is written.
    assert!(desk.follower.sending.join_next().await.is_some());
    desk.restart();
    desk.settle().await;
    let ids: BTreeSet<NoticeId> =
        desk.notes.carried.lock().unwrap().iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), 1);
    desk.check(&[("floor", &[Critical]), ("floor", &[Critical])]);
    desk.restart();
    desk.settle().await;
    desk.check(&[]);
}

#[tokio::test]
async fn whoever_hangs_or_fails_delays_nobody_else() {
    let mut desk = Desk::new(
        &["floor", "night", "office"].map(hook),
        &["floor", "night", "office"].map(|name| step(name, Low, 0)),
    )
    .await;
    desk.notes.hanging.lock().unwrap().insert("floor".to_owned());
    desk.notes.failing.lock().unwrap().insert("night".to_owned());
    desk.gym.found(incident(1, Rule::EmergencyStop, Critical, 0)).await;
    desk.settle().await;
    desk.check(&[("floor", &[Critical]), ("night", &[Critical]), ("office", &[Critical])]);
    desk.gym.found(incident(2, Rule::AbruptStop, High, 0)).await;
    desk.settle().await;
    desk.check(&[("office", &[High])]);
    let failed = desk
        .gym
        .notices()
        .await
        .into_iter()
        .find(|notice| notice.contact == "night" && notice.attempts > 0)
        .unwrap();
    assert_eq!((failed.state, failed.reason.as_str()), (NoticeState::Waiting, "the receiver answered 500"));
    desk.notes.failing.lock().unwrap().clear();
    desk.gym.at(2);
    desk.settle().await;
    desk.check(&[("night", &[Critical, High])]);
}

#[tokio::test]
async fn an_outage_is_one_message_that_says_how_many() {
    let mut desk = Desk::usual().await;
    for number in 1..=4_u8 {
        let mut found = incident(number, Rule::AgentOffline, Low, i64::from(number));
        found.machine = machine(&format!("m-{number}"));
        desk.gym.found(found).await;
        desk.settle().await;
    }
    desk.check(&[]);
    desk.gym.at(70);
    desk.settle().await;
    let carried = desk.notes.carried.lock().unwrap().clone();
    let [message] = &carried[..] else { panic!("{carried:?}") };
    let Subject::Incident(story) = &message.told[0].subject else { panic!("{message:?}") };
    assert_eq!((message.told.len(), story.members), (1, 3));
    assert!(message.told[0].summary().contains("M-1 and 3 more machines"), "{}", message.told[0].summary());
    let lead = IncidentId([1; 16]);
    for number in 2..=4_u8 {
        let member = desk.gym.ledger.incident(&IncidentId([number; 16])).await.unwrap().unwrap();
        assert_eq!(member.handling.lead, Some(lead));
    }
    let notices = desk.gym.notices().await;
    assert_eq!(notices.iter().filter(|notice| notice.state == NoticeState::Sent).count(), 1);
}

#[tokio::test]
async fn two_failed_protections_tag_the_machine_once() {
    let mut desk = Desk::usual().await;
    desk.gym.service(2, 7).await;
    let tag = |gym: &Gym| {
        gym.registry().machines()[&machine("m-1")].out_of_service().map(|(reason, _)| reason.to_owned())
    };
    let first = desk.gym.found(incident(1, Rule::SlowEmergencyStop, High, 0)).await;
    desk.settle().await;
    assert_eq!(tag(&desk.gym), None);
    let last = desk.gym.at(10).found(incident(2, Rule::RestartByReset, Critical, 9)).await;
    desk.settle().await;
    let reason =
        "2 incidents within 7 days in which a protection failed: slow-emergency-stop, restart-by-reset";
    assert_eq!(tag(&desk.gym).as_deref(), Some(reason));
    // Staff have looked at it: what people do about these incidents tags it no more.
    let released = ServiceChange { machine: machine("m-1"), out_of_service: None };
    desk.gym.at(100).fact(FactKind::ServiceChanged(released)).await;
    for id in [first, last] {
        desk.gym.stepped(id, Step::Acknowledge).await;
        desk.settle().await;
    }
    desk.restart();
    desk.follower.taken = Some(0);
    desk.settle().await;
    assert_eq!(tag(&desk.gym), None);
}

#[tokio::test]
async fn tests_and_heads_are_sent_and_a_head_that_was_taken_is_a_fact() {
    let anchor = Contact { is_anchor: true, ..hook("floor") };
    let mut desk = Desk::new(&[anchor.clone(), hook("office")], &[]).await;
    let gym = desk.gym.clone();
    for _ in 0..2 {
        let office = hook("office");
        crate::test(&*gym.ledger, &office, ("user:anna", "r-1"), gym.now()).await.unwrap();
    }
    let head = crate::send_head(&*gym.ledger, gym.now()).await.unwrap();
    desk.settle().await;
    let carried = desk.notes.carried.lock().unwrap().clone();
    let is_signed =
        |message: &Message| message.told[0].description().contains("facts signed at 1800014400000000");
    assert_eq!(carried.iter().filter(|message| is_signed(message)).count(), 1);
    desk.check(&[("floor", &[Severity::Info]), ("office", &[Severity::Info])]);
    let anchors: Vec<_> = gym
        .registry()
        .anchors()
        .map(|anchor| (anchor.facts, anchor.root.clone(), anchor.contact.clone()))
        .collect();
    let (facts, root) = head.unwrap();
    assert_eq!(anchors, [(facts, root, "floor".to_owned())]);
    assert!(gym.notices().await.iter().all(|notice| notice.state == NoticeState::Sent));
    // A test that fails is not tried again.
    desk.notes.failing.lock().unwrap().insert("office".to_owned());
    let id = crate::test(&*gym.ledger, &hook("office"), ("user:anna", "r-2"), gym.now()).await.unwrap();
    desk.settle().await;
    let failed = gym.notices().await.into_iter().find(|notice| notice.id == id).unwrap();
    assert_eq!((failed.state, failed.reason.as_str()), (NoticeState::Failed, "the receiver answered 500"));
}

#[tokio::test]
async fn a_contact_is_told_as_it_is_now() {
    let mut desk = Desk::usual().await;
    desk.gym.found(incident(1, Rule::AbruptStop, High, 0)).await;
    let contact = Contact { generation: 2, ..hook("floor") };
    desk.gym.fact(FactKind::ContactSet(NewContact { contact })).await;
    desk.settle().await;
    assert_eq!(desk.notes.carried.lock().unwrap()[0].contact.generation, 2);
}

fn of_week(octet: u8, contact: &str, head: Option<(u64, String)>) -> Notice {
    let (from, until, text) = ("2027-01-04".to_owned(), "2027-01-11".to_owned(), "Forward 3 h.".to_owned());
    Notice {
        id: NoticeId([octet; 16]),
        about: About::Weekly { from, until, text, head },
        contact: contact.to_owned(),
        site: Some(crate::given::site()),
        severity: Severity::Info,
        step: 0,
        planned: second(0),
        due: second(0),
        state: NoticeState::Waiting,
        attempts: 0,
        last_attempt: None,
        reason: String::new(),
        together: 0,
        revision: 1,
    }
}

#[tokio::test]
async fn a_weekly_report_is_tried_again_and_the_head_in_it_is_noted() {
    let mut desk = Desk::usual().await;
    desk.notes.failing.lock().unwrap().insert("office".to_owned());
    let head = Some((7, "ab".repeat(32)));
    desk.gym.at(0).ledger.put_notices(vec![of_week(1, "office", head)], None).await.unwrap();
    desk.settle().await;
    desk.check(&[("office", &[Severity::Info])]);
    assert_eq!(desk.gym.notices().await[0].reason, "the receiver answered 500");
    desk.restart();
    desk.notes.failing.lock().unwrap().clear();
    desk.gym.at(10);
    desk.settle().await;
    let carried = desk.notes.carried.lock().unwrap().clone();
    let Subject::Weekly(week) = &carried[0].told[0].subject else { panic!("{carried:?}") };
    assert_eq!((week.site.as_str(), week.text.as_str()), ("Gym North", "Forward 3 h."));
    let signed = week.head.as_ref().map(|head| head.signed.as_str());
    assert_eq!(signed, Some(format!("7 facts signed at {}", second(0).0).as_str()));
    let notice = desk.gym.notices().await.remove(0);
    assert_eq!((notice.state, notice.attempts), (NoticeState::Sent, 2));
    let facts = desk.gym.ledger.facts(0, 100).await.unwrap();
    let anchored = facts.iter().filter(|(_, fact)| matches!(fact.kind, FactKind::HeadAnchored(_)));
    assert_eq!(anchored.count(), 1);
}

#[tokio::test]
async fn of_more_reports_than_a_message_lists_none_is_lost() {
    let mut desk = Desk::usual().await;
    let count = domain::limits::NOTICES_LISTED_MAX + 5;
    let numbers = (0..count).map(|number| u8::try_from(number).unwrap());
    let notices: Vec<Notice> = numbers.map(|octet| of_week(octet, "office", None)).collect();
    desk.gym.at(0).ledger.put_notices(notices, None).await.unwrap();
    desk.settle().await;
    desk.settle().await;
    let told: Vec<usize> = desk.told().iter().map(|(_, severities)| severities.len()).collect();
    assert_eq!(told, [count - 5, 5]);
}

#[tokio::test]
async fn a_report_of_a_site_that_is_no_longer_the_contacts_is_not_sent() {
    let mut desk = Desk::usual().await;
    let elsewhere = domain::ids::SiteId::new("south").unwrap();
    let site = store::registry::Site { id: elsewhere.clone(), ..crate::given::site_entry() };
    desk.gym.fact(FactKind::SiteCreated(site)).await;
    let contact = Contact { site: Some(elsewhere), ..hook("manager") };
    desk.gym.fact(FactKind::ContactSet(NewContact { contact })).await;
    desk.gym.at(0).ledger.put_notices(vec![of_week(1, "manager", None)], None).await.unwrap();
    desk.settle().await;
    desk.check(&[]);
    assert_eq!(desk.gym.notices().await[0].state, NoticeState::NotNeeded);
}
