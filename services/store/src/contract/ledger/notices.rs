//! Cases of notices.

use domain::ids::{IncidentId, NoticeId};
use domain::incident::Severity;
use domain::units::UnixMicros;

use crate::StoreErrorKind;
use crate::contract::given::{second, site};
use crate::contract::refused;
use crate::ledger::{About, Ledger, Notice, NoticeQuery, NoticeState};

fn about(octet: u8) -> About {
    About::Incident { incident: IncidentId([octet; 16]) }
}

/// A notice that uses every field.
fn notice(octet: u8, due: i64, revision: u64) -> Notice {
    Notice {
        id: NoticeId([octet; 16]),
        about: about(octet % 3),
        contact: "desk".to_owned(),
        site: Some(site("gym-1")),
        severity: Severity::High,
        step: 2,
        planned: second(10),
        due: second(due),
        state: NoticeState::Waiting,
        attempts: 3,
        last_attempt: Some(second(9)),
        reason: "\"503\" äöü".to_owned(),
        together: 4,
        revision,
    }
}

async fn put(ledger: &dyn Ledger, notices: Vec<Notice>) {
    ledger.put_notices(notices, None).await.expect("notices can be put");
}

async fn waiting(ledger: &dyn Ledger) -> Vec<Notice> {
    ledger.waiting_notices(1_000).await.expect("notices can be read")
}

async fn taken(ledger: &dyn Ledger) -> Option<u64> {
    ledger.notices_taken().await.expect("the cursor can be read")
}

pub(super) async fn the_greater_revision_stays_and_is_told(ledger: &dyn Ledger) {
    let told = ledger.notice_change();
    assert_eq!(waiting(ledger).await, []);
    put(ledger, vec![notice(1, 30, 1), notice(2, 20, 5)]).await;
    let first = *told.borrow();
    assert!(told.has_changed().expect("the ledger is there"));
    // Planned again it is the same, whatever it says.
    put(ledger, vec![notice(1, 99, 1), notice(2, 99, 4)]).await;
    put(ledger, Vec::new()).await;
    assert_eq!((waiting(ledger).await, *told.borrow()), (vec![notice(2, 20, 5), notice(1, 30, 1)], first));
    let sent = Notice { state: NoticeState::Sent, contact: "night".to_owned(), ..notice(2, 21, 6) };
    put(ledger, vec![sent.clone(), notice(1, 31, 2)]).await;
    assert_ne!(*told.borrow(), first);
    assert_eq!(waiting(ledger).await, [notice(1, 31, 2)]);
    let all = NoticeQuery { max: 10, ..NoticeQuery::default() };
    let all = ledger.notices(&all).await.expect("notices can be listed");
    assert_eq!(all, [sent, notice(1, 31, 2)]);
}

pub(super) async fn those_that_wait_come_by_when_they_are_due(ledger: &dyn Ledger) {
    let states = [NoticeState::Sent, NoticeState::NotNeeded, NoticeState::Failed];
    let ended = states.into_iter().zip(10..).map(|(state, octet)| Notice { state, ..notice(octet, 1, 1) });
    put(ledger, ended.collect()).await;
    put(ledger, vec![notice(4, 20, 1), notice(1, 30, 1), notice(3, 20, 1), notice(2, -5, 1)]).await;
    let order = |notices: &[Notice]| notices.iter().map(|notice| notice.id.0[0]).collect::<Vec<_>>();
    assert_eq!(order(&waiting(ledger).await), [2, 3, 4, 1]);
    assert_eq!(order(&ledger.waiting_notices(2).await.expect("notices can be read")), [2, 3]);
    put(ledger, vec![notice(2, 40, 2)]).await;
    assert_eq!(order(&waiting(ledger).await), [3, 4, 1, 2]);
}

pub(super) async fn pages_come_newest_first(ledger: &dyn Ledger) {
    let of = |octet: u8| {
        let about = match octet % 5 {
            0 => About::Test { by: "user:anna".to_owned() },
            1 => About::Head { facts: 9, root: "00".repeat(32) },
            other => about(other),
        };
        Notice {
            about,
            contact: if octet.is_multiple_of(2) { "desk" } else { "night" }.to_owned(),
            site: (!octet.is_multiple_of(3)).then(|| site(&format!("gym-{}", octet % 3))),
            planned: second(i64::from(octet) / 4),
            ..notice(octet, 1, 1)
        }
    };
    let mut all: Vec<Notice> = (0..60).map(of).collect();
    put(ledger, all.clone()).await;
    all.sort_by_key(|notice| std::cmp::Reverse((notice.planned, notice.id)));
    let none = || NoticeQuery { max: 7, ..NoticeQuery::default() };
    let incident = Some(IncidentId([3; 16]));
    let sites = |numbers: &[u8]| Some(numbers.iter().map(|number| site(&format!("gym-{number}"))).collect());
    let queries = [
        none(),
        NoticeQuery { incident, ..none() },
        NoticeQuery { contact: Some("desk".to_owned()), ..none() },
        NoticeQuery { sites: sites(&[2, 1]), ..none() },
        NoticeQuery { sites: sites(&[2]), incident, contact: Some("night".to_owned()), ..none() },
        NoticeQuery { sites: sites(&[]), ..none() },
    ];
    for mut query in queries {
        let wanted = |notice: &&Notice| {
            query.incident.is_none_or(|incident| notice.about == About::Incident { incident })
                && query.contact.as_ref().is_none_or(|contact| *contact == notice.contact)
                && query
                    .sites
                    .as_ref()
                    .is_none_or(|sites| sites.iter().any(|site| notice.site.as_ref() == Some(site)))
        };
        let expected: Vec<Notice> = all.iter().filter(wanted).cloned().collect();
        let mut seen = Vec::new();
        loop {
            let page = ledger.notices(&query).await.expect("notices can be listed");
            assert!(page.len() <= 7, "{query:?}");
            let Some(last) = page.last() else { break };
            query.after = Some((last.planned, last.id));
            seen.extend(page);
            assert!(seen.len() <= expected.len(), "pages of {query:?} repeat notices");
        }
        assert_eq!(seen, expected, "{query:?}");
    }
    // After a place where nothing lies.
    let after = Some((second(1), NoticeId([0xff; 16])));
    let page = ledger.notices(&NoticeQuery { after, ..none() }).await.expect("notices can be listed");
    assert_eq!(page[0].id.0[0], 7);
    let least = UnixMicros(i64::MIN);
    put(ledger, vec![Notice { planned: least, ..notice(99, 1, 1) }]).await;
    let after = Some((second(0), NoticeId([0; 16])));
    let page = ledger.notices(&NoticeQuery { after, ..none() }).await.expect("notices can be listed");
    assert_eq!(page.iter().map(|notice| notice.planned).collect::<Vec<_>>(), [least]);
}

pub(super) async fn the_cursor_goes_forward(ledger: &dyn Ledger) {
    assert_eq!(taken(ledger).await, None);
    ledger.put_notices(vec![notice(1, 5, 1)], Some(0)).await.expect("notices can be put");
    assert_eq!(taken(ledger).await, Some(0));
    ledger.put_notices(Vec::new(), Some(7)).await.expect("notices can be put");
    ledger.put_notices(Vec::new(), Some(5)).await.expect("notices can be put");
    put(ledger, vec![notice(2, 5, 1)]).await;
    assert_eq!(taken(ledger).await, Some(7));
}

/// And nothing of it stays.
pub(super) async fn what_cannot_be_is_refused(ledger: &dyn Ledger) {
    let long = |reason: usize| Notice { reason: "ä".repeat(reason), ..notice(2, 5, 1) };
    let named = Notice { contact: "x".repeat(65), ..notice(2, 5, 1) };
    for wrong in [notice(2, 5, u64::MAX), long(301), named] {
        refused(ledger.put_notices(vec![notice(1, 5, 1), wrong], Some(4)).await, StoreErrorKind::Invalid);
    }
    refused(ledger.put_notices(vec![notice(1, 5, 1)], Some(u64::MAX)).await, StoreErrorKind::Invalid);
    assert_eq!((waiting(ledger).await, taken(ledger).await), (Vec::new(), None));
    put(ledger, vec![long(300)]).await;
    for max in [0, 1_001] {
        refused(ledger.waiting_notices(max).await, StoreErrorKind::Invalid);
        refused(
            ledger.notices(&NoticeQuery { max, ..NoticeQuery::default() }).await,
            StoreErrorKind::Invalid,
        );
    }
    let sites = Some(vec![site("gym-1"); 10_001]);
    refused(
        ledger.notices(&NoticeQuery { sites, max: 1, ..NoticeQuery::default() }).await,
        StoreErrorKind::Invalid,
    );
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let notices = vec![notice(1, 5, 1), notice(2, 6, 1)];
    open().await.put_notices(notices.clone(), Some(9)).await.expect("notices can be put");
    let ledger = open().await;
    assert_eq!((waiting(&*ledger).await, taken(&*ledger).await), (notices, Some(9)));
}
