mod story;

use domain::incident::Rule;

use super::*;
use crate::given::{Gym, hook, incident, second, step, stored};

fn notice(octet: u8, contact: &str, severity: Severity, due: i64) -> Notice {
    Notice {
        id: NoticeId([octet; 16]),
        about: About::Incident { incident: IncidentId([octet; 16]) },
        contact: contact.to_owned(),
        site: Some(crate::given::site()),
        severity,
        step: 1,
        planned: second(0),
        due: second(due),
        state: NoticeState::Waiting,
        attempts: 0,
        last_attempt: None,
        reason: String::new(),
        together: 0,
        revision: 1,
    }
}

async fn gym() -> Gym {
    let names: Vec<String> = (0..10).map(|number| format!("c-{number}")).collect();
    let contacts: Vec<Contact> = names.iter().map(|name| hook(name)).collect();
    Gym::new(&contacts, &[step("c-0", Severity::Info, 0), step("c-1", Severity::Info, 600)]).await
}

fn known(notices: &[Notice]) -> Known {
    let known = notices.iter().map(|notice| {
        let stored = stored(incident(notice.id.0[0], Rule::EmergencyStop, notice.severity, 0));
        (stored.incident.id, Some(stored))
    });
    known.collect()
}

/// What a turn sends: contacts with the first octets of what they are told.
fn sent(mind: &mut Mind, registry: &Registry, waiting: &[Notice], now: i64) -> Vec<(String, Vec<u8>)> {
    sent_watched(mind, registry, waiting, true, now)
}

fn sent_watched(
    mind: &mut Mind,
    registry: &Registry,
    waiting: &[Notice],
    is_watched: bool,
    now: i64,
) -> Vec<(String, Vec<u8>)> {
    let candidates = mind.candidates(waiting, registry, |_| is_watched, second(now));
    let candidates: Vec<Notice> = candidates.into_iter().cloned().collect();
    let turn = mind.turn(candidates, &known(waiting), registry, second(now));
    let ids = |notices: Vec<Notice>| notices.iter().map(|notice| notice.id.0[0]).collect();
    turn.sent.into_iter().map(|(contact, notices)| (contact.name, ids(notices))).collect()
}

fn told(contact: &str, ids: &[u8]) -> (String, Vec<u8>) {
    (contact.to_owned(), ids.to_vec())
}

#[tokio::test]
async fn what_is_due_at_once_goes_together_and_one_message_at_a_time() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    let waiting = [
        notice(1, "c-0", Severity::Low, 0),
        notice(2, "c-1", Severity::Low, 0),
        notice(3, "c-0", Severity::High, 0),
        notice(4, "c-0", Severity::High, 5),
    ];
    assert_eq!(sent(&mut mind, &registry, &waiting, 1), [told("c-0", &[1, 3]), told("c-1", &[2])]);
    assert_eq!(sent(&mut mind, &registry, &waiting[3..], 6), []);
    let ended = mind.ended("c-0", &[waiting[0].clone(), waiting[2].clone()], Ok(()), &registry, second(7));
    assert!(
        ended.iter().all(|n| (n.state, n.together, n.attempts, n.revision) == (NoticeState::Sent, 2, 1, 2))
    );
    assert_eq!(sent(&mut mind, &registry, &waiting[3..], 7), [told("c-0", &[4])]);
}

#[tokio::test]
async fn eight_messages_at_once_the_worst_first() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    let mut waiting: Vec<Notice> = (0..9).map(|n| notice(n, &format!("c-{n}"), Severity::Low, 0)).collect();
    waiting.push(notice(9, "c-9", Severity::Critical, 0));
    let first = sent(&mut mind, &registry, &waiting, 0);
    assert_eq!(first.len(), MESSAGES_UNDER_WAY_MAX);
    assert_eq!(first[0], told("c-9", &[9]));
    assert_eq!(sent(&mut mind, &registry, &waiting, 0), []);
    mind.ended("c-9", &waiting[9..], Ok(()), &registry, second(1));
    assert_eq!(sent(&mut mind, &registry, &waiting[..9], 1), [told("c-7", &[7])]);
}

#[tokio::test]
async fn a_flood_is_gathered_and_critical_ones_go_on_for_a_while() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    for octet in 1..=6 {
        let one = [notice(octet, "c-0", Severity::Low, 0)];
        assert_eq!(sent(&mut mind, &registry, &one, 0), [told("c-0", &[octet])]);
        mind.ended("c-0", &one, Ok(()), &registry, second(0));
    }
    let gathered: Vec<Notice> = (7..=30).map(|octet| notice(octet, "c-0", Severity::High, 1)).collect();
    assert_eq!(sent(&mut mind, &registry, &gathered, 59), []);
    for octet in 31..=33 {
        let mut all = gathered.clone();
        all.push(notice(octet, "c-0", Severity::Critical, 1));
        assert_eq!(sent(&mut mind, &registry, &all, 2), [told("c-0", &[octet])]);
        mind.ended("c-0", &all[24..], Ok(()), &registry, second(2));
    }
    let mut all = gathered.clone();
    all.push(notice(34, "c-0", Severity::Critical, 1));
    assert_eq!(sent(&mut mind, &registry, &all, 59), []);
    let everything: Vec<u8> = (7..=30).chain([34]).collect();
    assert_eq!(sent(&mut mind, &registry, &all, 60), [told("c-0", &everything)]);
    let ended = mind.ended("c-0", &all, Ok(()), &registry, second(60));
    assert!(ended.iter().all(|notice| notice.together == 25));
}

#[tokio::test]
async fn nobody_looks_so_the_first_step_of_a_critical_one_is_due() {
    let registry = gym().await.registry();
    let first = notice(1, "c-0", Severity::Critical, 600);
    let second_step = Notice { step: 2, ..notice(2, "c-1", Severity::Critical, 600) };
    let mild = notice(3, "c-0", Severity::High, 600);
    let waiting = [first, second_step, mild];
    assert_eq!(sent_watched(&mut Mind::default(), &registry, &waiting, true, 1), []);
    assert_eq!(sent_watched(&mut Mind::default(), &registry, &waiting, false, 1), [told("c-0", &[1])]);
}

#[tokio::test]
async fn failures_wait_and_hold_up_their_contact_only() {
    let gym = gym().await;
    let registry = gym.registry();
    let mut mind = Mind::default();
    let low = notice(1, "c-0", Severity::Low, 0);
    assert_eq!(sent(&mut mind, &registry, std::slice::from_ref(&low), 0), [told("c-0", &[1])]);
    let refusal = Refusal::passing("the receiver\nanswered 500");
    let failed = mind.ended("c-0", &[low], Err(refusal.clone()), &registry, second(0)).remove(0);
    assert_eq!(
        (failed.state, failed.attempts, failed.reason.as_str()),
        (NoticeState::Waiting, 1, "the receiver answered 500")
    );
    assert!((900_000..=1_100_000).contains(&failed.due.since(second(0))), "{:?}", failed.due);
    // It comes with the rest when it is tried again, but what is critical is tried at once.
    let waiting = [failed.clone(), notice(2, "c-0", Severity::High, 0), notice(3, "c-1", Severity::Low, 0)];
    assert_eq!(sent(&mut mind, &registry, &waiting, 0), [told("c-1", &[3])]);
    let critical = [failed.clone(), notice(4, "c-0", Severity::Critical, 0)];
    assert_eq!(sent(&mut mind, &registry, &critical, 0), [told("c-0", &[4])]);
    mind.ended("c-0", &critical[1..], Err(refusal), &registry, second(0));
    assert_eq!(sent(&mut mind, &registry, &waiting[..2], 3), [told("c-0", &[1, 2])]);
    // After a restart the notices tell how often it failed.
    let again = Notice { attempts: 5, ..failed };
    let failed =
        Mind::default().ended("c-0", &[again], Err(Refusal::passing("")), &registry, second(0)).remove(0);
    assert!((28_000_000..=36_000_000).contains(&failed.due.since(second(0))), "{:?}", failed.due);
}

#[tokio::test]
async fn a_contact_that_was_put_right_is_tried_at_once() {
    let gym = gym().await;
    let mut mind = Mind::default();
    let low = notice(1, "c-0", Severity::Low, 0);
    let refused = Err(Refusal::lasting("the receiver answered 404"));
    let failed = mind.ended("c-0", &[low], refused, &gym.registry(), second(0));
    assert_eq!(sent(&mut mind, &gym.registry(), &failed, 200), []);
    let contact = Contact { changed: second(100), ..hook("c-0") };
    gym.fact(store::fact::FactKind::ContactSet(store::fact::NewContact { contact })).await;
    // What was never tried comes first in the list.
    let waiting = [notice(2, "c-0", Severity::Low, 150), failed[0].clone()];
    assert_eq!(sent(&mut mind, &gym.registry(), &waiting, 200), [told("c-0", &[2, 1])]);
}

#[track_caller]
fn check_given_up(
    mut notice: Notice,
    about: Option<About>,
    attempts: u32,
    now: i64,
    expected: NoticeState,
    registry: &Registry,
) {
    notice.about = about.unwrap_or(notice.about);
    notice.attempts = attempts;
    let ended = Mind::default().ended("c-1", &[notice], Err(Refusal::passing("no")), registry, second(now));
    assert_eq!(ended[0].state, expected);
}

#[tokio::test]
async fn after_a_day_it_is_given_up_and_a_test_at_once() {
    let registry = gym().await.registry();
    let low = || Notice { step: 2, ..notice(1, "c-1", Severity::Low, 600) };
    let (day, wait) = (86_400, 600);
    check_given_up(low(), None, 100, day + wait - 1, NoticeState::Waiting, &registry);
    check_given_up(low(), None, 100, day + wait, NoticeState::Failed, &registry);
    check_given_up(low(), None, 3, day + wait, NoticeState::Waiting, &registry);
    let test = About::Test { by: "anna".to_owned() };
    check_given_up(low(), Some(test), 0, 0, NoticeState::Failed, &registry);
}

#[tokio::test]
async fn what_is_not_needed_is_not_sent() {
    let registry = gym().await.registry();
    let waiting = vec![
        notice(1, "c-0", Severity::Low, 0),
        notice(2, "gone", Severity::Low, 0),
        notice(3, "c-0", Severity::Low, 0),
    ];
    let mut known = known(&waiting);
    known.get_mut(&IncidentId([1; 16])).unwrap().as_mut().unwrap().handling.state =
        domain::handling::HandlingState::Closed;
    known.insert(IncidentId([3; 16]), None);
    let turn = Mind::default().turn(waiting, &known, &registry, second(0));
    let reasons: Vec<&str> = turn.written.iter().map(|notice| notice.reason.as_str()).collect();
    let expected =
        ["closed before it was due", "the contact was taken away", "there is no such incident any more"];
    assert_eq!(reasons, expected);
    assert!(
        turn.sent.is_empty()
            && turn.written.iter().all(|n| n.state == NoticeState::NotNeeded && n.revision == 2)
    );
}

#[tokio::test]
async fn too_much_for_one_is_put_off_so_that_others_are_seen() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    let waiting = [
        notice(1, "c-0", Severity::Low, 0),
        notice(2, "c-0", Severity::Low, 9),
        notice(3, "c-1", Severity::Low, 0),
    ];
    assert_eq!(sent(&mut mind, &registry, &waiting[..1], 0), [told("c-0", &[1])]);
    let put_off = |mind: &mut Mind| -> Vec<(u8, UnixMicros)> {
        mind.put_off(&waiting, second(9)).iter().map(|notice| (notice.id.0[0], notice.due)).collect()
    };
    assert_eq!(put_off(&mut mind), [(2, second(19))]);
    mind.ended("c-0", &waiting[..1], Err(Refusal::lasting("no")), &registry, second(9));
    let put_off = put_off(&mut mind);
    assert_eq!(put_off.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
    assert!(put_off.iter().all(|(_, due)| due.since(second(9)) > 200_000_000));
}

#[tokio::test]
async fn a_contact_made_anew_for_another_site_is_not_told_of_the_old_one() {
    let mut contacts = vec![hook("c-0")];
    contacts[0].site = Some(crate::given::site());
    let registry = Gym::new(&contacts, &[]).await.registry();
    let mut mind = Mind::default();
    let mut elsewhere = notice(1, "c-0", Severity::Critical, 0);
    elsewhere.site = Some(SiteId::new("south").unwrap());
    let turn = mind.turn(vec![elsewhere.clone()], &known(&[elsewhere]), &registry, second(1));
    assert_eq!((turn.sent.len(), turn.written[0].state), (0, NoticeState::NotNeeded));
    assert_eq!(sent(&mut mind, &registry, &[notice(1, "c-0", Severity::Low, 0)], 1), [told("c-0", &[1])]);
}

#[tokio::test]
async fn what_was_laid_aside_while_it_was_planned_is_not_sent() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    let planned = notice(1, "c-0", Severity::High, 0);
    let mut known = known(std::slice::from_ref(&planned));
    if let Some(Some(stored)) = known.get_mut(&IncidentId([1; 16])) {
        stored.handling.shelved_until = Some(second(100));
    }
    for (now, messages) in [(1, 0), (100, 1)] {
        let turn = mind.turn(vec![planned.clone()], &known, &registry, second(now));
        assert_eq!((turn.sent.len(), turn.written.len()), (messages, 0), "{now}");
    }
}

#[tokio::test]
async fn a_test_of_a_contact_that_fails_goes_at_once() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    let failing = notice(1, "c-0", Severity::High, 0);
    let refusal = || Err(Refusal::lasting("status 404"));
    mind.ended("c-0", std::slice::from_ref(&failing), refusal(), &registry, second(1));
    let mut test = notice(2, "c-0", Severity::Info, 2);
    test.about = About::Test { by: "user:anna".to_owned() };
    assert_eq!(sent(&mut mind, &registry, &[failing, test], 2), [told("c-0", &[2])]);
}

#[tokio::test]
async fn a_contact_that_was_changed_in_the_future_is_not_told_without_end() {
    let mut contacts = vec![hook("c-0")];
    contacts[0].changed = second(86_400);
    let registry = Gym::new(&contacts, &[]).await.registry();
    let mut mind = Mind::default();
    let first = notice(1, "c-0", Severity::High, 0);
    let refusal = || Err(Refusal::passing("status 500"));
    let failed = mind.ended("c-0", std::slice::from_ref(&first), refusal(), &registry, second(1));
    assert_eq!(sent(&mut mind, &registry, &failed, 1), [], "the clock was set back; it waits its second");
    assert_eq!(sent(&mut mind, &registry, &failed, 3), [told("c-0", &[1])]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_delays_nothing() {
    let registry = gym().await.registry();
    let mut mind = Mind::default();
    let mut planned = notice(1, "c-0", Severity::High, 3_900);
    planned.planned = second(3_600);
    assert_eq!(sent(&mut mind, &registry, std::slice::from_ref(&planned), 3_550), []);
    assert_eq!(sent(&mut mind, &registry, &[planned], 0), [told("c-0", &[1])]);
}

#[tokio::test]
async fn of_critical_incidents_each_is_told_and_lesser_ones_are_counted() {
    let registry = gym().await.registry();
    let critical = (1..=150).map(|octet| notice(octet, "c-0", Severity::Critical, 0));
    let waiting: Vec<Notice> =
        critical.chain((151..=210).map(|octet| notice(octet, "c-0", Severity::High, 0))).collect();
    let mut mind = Mind::default();
    let first: Vec<u8> = (1..=100).chain(151..=210).collect();
    assert_eq!(sent(&mut mind, &registry, &waiting, 1), [told("c-0", &first)]);
    let (gone, left): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|notice| first.contains(&notice.id.0[0]));
    assert_eq!(mind.ended("c-0", &gone, Ok(()), &registry, second(2)).len(), 160);
    let rest: Vec<u8> = (101..=150).collect();
    assert_eq!(sent(&mut mind, &registry, &left, 3), [told("c-0", &rest)]);
}
