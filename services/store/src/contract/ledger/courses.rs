//! Cases of sessions that are labelled with courses.

use domain::ids::{MachineId, SessionId};
use domain::live::Session;
use domain::units::UnixMicros;

use crate::StoreErrorKind;
use crate::contract::given::{machine, machine_created, second, session, site, site_created};
use crate::contract::refused;
use crate::fact::{CourseEnd, Fact, FactKind, FactOutcome, NewCourse, SessionLabel};
use crate::ledger::{CourseQuery, Derived, Ledger};
use crate::registry::{CourseCode, CourseId};

fn id(octet: u8) -> SessionId {
    SessionId([octet; 16])
}

fn fact(kind: FactKind) -> Fact {
    Fact { time: second(9), author: "user:anna".to_owned(), request_id: None, kind }
}

async fn add(ledger: &dyn Ledger, fact: Fact) -> u64 {
    match ledger.add_fact(fact).await.expect("adding a fact works") {
        FactOutcome::Added(number) => number,
        FactOutcome::Repeated(number, first) => panic!("taken for a repetition of {number}, {first:?}"),
    }
}

async fn course(ledger: &dyn Ledger, code: &str) -> CourseId {
    let code = CourseCode::new(code).expect("suites name courses well");
    let new = NewCourse { site: site("gym-1"), code, prescription: None };
    CourseId(add(ledger, fact(FactKind::CourseCreated(new))).await)
}

fn label_of(octet: u8, of: MachineId, course: Option<CourseId>) -> Fact {
    let label = SessionLabel { session: id(octet), machine: of, site: site("gym-1"), course };
    fact(FactKind::SessionLabelled(label))
}

async fn label(ledger: &dyn Ledger, octet: u8, course: Option<CourseId>) {
    add(ledger, label_of(octet, machine("tm-1"), course)).await;
}

/// A gym with one machine, and sessions of it: number n began in second n.
async fn gym(ledger: &dyn Ledger, sessions: &[u8]) {
    add(ledger, site_created("user:anna", None, "gym-1")).await;
    add(ledger, machine_created("tm-1", "gym-1")).await;
    add(ledger, machine_created("tm-2", "gym-1")).await;
    let sessions = sessions.iter().map(|octet| session(*octet, "tm-1", i64::from(*octet), 3)).collect();
    ledger.put(Derived { sessions, ..Derived::default() }).await.expect("putting works");
}

fn all(course: CourseId, max: usize) -> CourseQuery {
    CourseQuery { course, from: UnixMicros(i64::MIN), until: UnixMicros(i64::MAX), after: None, max }
}

async fn listed(ledger: &dyn Ledger, query: &CourseQuery) -> Vec<u8> {
    let sessions = ledger.course_sessions(query).await.expect("sessions can be listed");
    sessions.into_iter().map(|session| session.id.0[0]).collect()
}

async fn labels(ledger: &dyn Ledger, octets: &[u8]) -> Vec<(u8, CourseId)> {
    let sessions: Vec<SessionId> = octets.iter().map(|octet| id(*octet)).collect();
    let labels = ledger.session_courses(&sessions).await.expect("labels can be read");
    labels.into_iter().map(|(session, course)| (session.0[0], course)).collect()
}

const NONE: [u8; 0] = [];

pub(super) async fn the_newest_label_counts(ledger: &dyn Ledger) {
    gym(ledger, &[1, 2, 3]).await;
    let (one, two) = (course(ledger, "K-1").await, course(ledger, "K-2").await);
    label(ledger, 1, Some(one)).await;
    label(ledger, 2, Some(one)).await;
    label(ledger, 3, Some(two)).await;
    assert_eq!(labels(ledger, &[3, 9, 1, 2, 1]).await, [(1, one), (2, one), (3, two)]);
    label(ledger, 2, Some(two)).await;
    label(ledger, 3, None).await;
    // Taking away what is not there is no failure.
    label(ledger, 3, None).await;
    assert_eq!(labels(ledger, &[1, 2, 3]).await, [(1, one), (2, two)]);
    assert_eq!(listed(ledger, &all(one, 10)).await, [1]);
    assert_eq!(listed(ledger, &all(two, 10)).await, [2]);
    // A newer version of the session keeps its label.
    let newer = session(2, "tm-1", 7, 9);
    ledger.put(Derived { sessions: vec![newer.clone()], ..Derived::default() }).await.expect("putting works");
    assert_eq!(ledger.course_sessions(&all(two, 10)).await.expect("sessions can be listed"), [newer]);
    // A course that has ended keeps its sessions.
    add(ledger, fact(FactKind::CourseEnded(CourseEnd { course: two }))).await;
    assert_eq!(listed(ledger, &all(two, 10)).await, [2]);
    label(ledger, 2, None).await;
    assert_eq!(listed(ledger, &all(two, 10)).await, NONE);
    assert_eq!(labels(ledger, &[]).await, []);
}

pub(super) async fn sessions_of_a_course_come_newest_first(ledger: &dyn Ledger) {
    gym(ledger, &[5, 1, 9, 3, 7]).await;
    // Two that begin at the same moment: the greater id is the newer one.
    let twin = Session { id: id(8), ..session(7, "tm-2", 7, 3) };
    ledger.put(Derived { sessions: vec![twin], ..Derived::default() }).await.expect("putting works");
    let (one, other) = (course(ledger, "K-1").await, course(ledger, "K-2").await);
    for octet in [3, 9, 1, 7] {
        label(ledger, octet, Some(one)).await;
    }
    add(ledger, label_of(8, machine("tm-2"), Some(one))).await;
    label(ledger, 5, Some(other)).await;
    assert_eq!(listed(ledger, &all(one, 1_000)).await, [9, 8, 7, 3, 1]);
    let between = |from, until| CourseQuery { from: second(from), until: second(until), ..all(one, 10) };
    assert_eq!(listed(ledger, &between(3, 9)).await, [8, 7, 3]);
    assert_eq!(listed(ledger, &between(9, 3)).await, NONE);
    let mut query = all(one, 2);
    for expected in [&[9, 8][..], &[7, 3], &[1], &[]] {
        let page = ledger.course_sessions(&query).await.expect("sessions can be listed");
        assert_eq!(page.iter().map(|session| session.id.0[0]).collect::<Vec<_>>(), expected);
        query.after = page.last().map(|last| (last.started, last.id));
    }
    assert_eq!(listed(ledger, &all(CourseId(u64::MAX), 10)).await, NONE);
}

/// And nothing of it stays.
pub(super) async fn what_cannot_be_is_refused(ledger: &dyn Ledger) {
    gym(ledger, &[1, 2]).await;
    let one = course(ledger, "K-1").await;
    label(ledger, 2, Some(one)).await;
    let last = ledger.registry().last_fact;
    let (mine, other) = (machine("tm-1"), machine("tm-2"));
    let cases = [
        // No such session, the session of another machine, no such course.
        label_of(9, mine.clone(), Some(one)),
        label_of(9, mine.clone(), None),
        label_of(1, other.clone(), Some(one)),
        label_of(2, other, None),
        label_of(1, mine, Some(CourseId(999))),
    ];
    for bad in cases {
        refused(ledger.add_fact(bad).await, StoreErrorKind::Invalid);
    }
    assert_eq!(ledger.registry().last_fact, last);
    assert_eq!(labels(ledger, &[1, 2, 9]).await, [(2, one)]);
    refused(ledger.course_sessions(&all(one, 0)).await, StoreErrorKind::Invalid);
    refused(ledger.course_sessions(&all(one, 1_001)).await, StoreErrorKind::Invalid);
    refused(ledger.session_courses(&vec![id(1); 1_001]).await, StoreErrorKind::Invalid);
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let ledger = open().await;
    gym(&*ledger, &[1, 2]).await;
    let one = course(&*ledger, "K-1").await;
    label(&*ledger, 1, Some(one)).await;
    label(&*ledger, 2, Some(one)).await;
    label(&*ledger, 1, None).await;
    drop(ledger);
    let ledger = open().await;
    assert_eq!(labels(&*ledger, &[1, 2]).await, [(2, one)]);
    assert_eq!(listed(&*ledger, &all(one, 10)).await, [2]);
    label(&*ledger, 1, Some(one)).await;
    assert_eq!(listed(&*ledger, &all(one, 10)).await, [2, 1]);
}
