//! Sessions and their labels: what is put, what is asked, and that both ledgers answer the same.

use domain::belt::{Direction, Origin};
use domain::ids::{MachineId, SessionId};
use domain::live::{Segment, Session};
use domain::units::{Speed, UnixMicros};
use domain::usage::{Grade, Guidance};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use store::fact::{CourseEnd, Fact, FactKind, NewCourse, SessionLabel};
use store::ledger::{CourseQuery, Derived, Ledger, SessionQuery};
use store::memory::MemoryLedger;
use store::registry::{CourseCode, CourseId};
use store::sqlite::SqliteLedger;

use crate::facts::{a_machine, a_site};
use crate::{machine_of, machines, site_of, times, told};

#[derive(Debug, Clone)]
pub(crate) enum SessionAsk {
    Page(SessionQuery),
    Spans(Vec<MachineId>, UnixMicros, UnixMicros, usize),
    Labels(Vec<SessionId>),
    Course(CourseQuery),
}

pub(crate) fn session_ids() -> impl Strategy<Value = SessionId> {
    (0..12_u8).prop_map(|octet| SessionId([octet; 16]))
}

fn directions() -> impl Strategy<Value = Direction> {
    select(vec![Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown])
}

fn segments() -> impl Strategy<Value = Segment> {
    let grades = select(Grade::ALL.to_vec());
    (directions(), any::<[u64; 5]>(), any::<[i64; 3]>(), any::<u32>(), grades).prop_map(
        |(direction, numbers, signed, speed, grade)| Segment {
            direction,
            origin: Origin::Declared,
            started: UnixMicros(signed[0]),
            ended: UnixMicros(signed[1]),
            observed_us: numbers[0],
            distance_mm: numbers[1],
            distance_remainder: numbers[2],
            speed_max: Speed(speed),
            grade,
            incline_us: numbers[3],
            incline_sum: signed[2],
            guidance: Guidance { key_known_us: numbers[4] & 3, ..Guidance::default() },
        },
    )
}

pub(crate) fn sessions() -> impl Strategy<Value = Session> {
    let last = prop_oneof![4 => times(), 1 => any::<i64>().prop_map(UnixMicros)];
    ((session_ids(), machines()), times(), (last, any::<bool>()), vec(segments(), 0..4), 0..4_u64).prop_map(
        |((id, machine), started, (last_motion, ended), segments, revision)| Session {
            id,
            machine,
            started,
            last_motion,
            ended,
            segments,
            revision,
        },
    )
}

pub(crate) fn session_asks() -> impl Strategy<Value = SessionAsk> {
    let after = || option::of((times(), session_ids()));
    let page = (vec(machines(), 0..4), times(), times(), (option::of(directions()), after()), 0..6_usize)
        .prop_map(|(machines, from, until, (with, after), max)| {
            SessionAsk::Page(SessionQuery { machines, from, until, with, after, max })
        });
    let spans = (vec(machines(), 0..4), times(), times(), 0..6_usize)
        .prop_map(|(machines, from, until, max)| SessionAsk::Spans(machines, from, until, max));
    let course = ((1..20_u64).prop_map(CourseId), times(), times(), after(), 0..6_usize).prop_map(
        |(course, from, until, after, max)| {
            SessionAsk::Course(CourseQuery { course, from, until, after, max })
        },
    );
    prop_oneof![3 => page, 2 => spans, 1 => vec(session_ids(), 0..9).prop_map(SessionAsk::Labels), 1 => course]
}

pub(crate) async fn answers_agree(
    sqlite: &SqliteLedger,
    memory: &MemoryLedger,
    ask: SessionAsk,
) -> Result<(), TestCaseError> {
    match ask {
        SessionAsk::Page(query) => {
            prop_assert_eq!(told(sqlite.sessions(&query).await), told(memory.sessions(&query).await));
        }
        SessionAsk::Spans(machines, from, until, max) => {
            let spans = told(sqlite.session_spans(&machines, from, until, max).await);
            prop_assert_eq!(spans, told(memory.session_spans(&machines, from, until, max).await));
        }
        SessionAsk::Labels(ids) => {
            prop_assert_eq!(
                told(sqlite.session_courses(&ids).await),
                told(memory.session_courses(&ids).await)
            );
        }
        SessionAsk::Course(query) => {
            prop_assert_eq!(
                told(sqlite.course_sessions(&query).await),
                told(memory.course_sessions(&query).await)
            );
        }
    }
    Ok(())
}

/// All that there is.
pub(crate) async fn all_agree(sqlite: &SqliteLedger, memory: &MemoryLedger) -> Result<(), TestCaseError> {
    let ids: Vec<SessionId> = (0..12).map(|octet| SessionId([octet; 16])).collect();
    for id in &ids {
        prop_assert_eq!(told(sqlite.session(id).await), told(memory.session(id).await));
    }
    answers_agree(sqlite, memory, SessionAsk::Labels(ids)).await?;
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    for number in 0..40 {
        let query = CourseQuery { course: CourseId(number), from, until, after: None, max: 1_000 };
        answers_agree(sqlite, memory, SessionAsk::Course(query)).await?;
    }
    let machines = vec![machine_of(0), machine_of(1), machine_of(2)];
    answers_agree(sqlite, memory, SessionAsk::Spans(machines, from, until, 1_000)).await
}

#[derive(Debug, Clone)]
pub(crate) enum LabelStep {
    Put(Vec<Session>),
    Label(SessionId, MachineId, Option<CourseId>),
    End(CourseId),
    Ask(SessionAsk),
    Reopen,
}

/// The courses of the gym in which labels are given: the facts before them make a site and three machines.
fn courses() -> impl Strategy<Value = CourseId> {
    (5..7_u64).prop_map(CourseId)
}

pub(crate) fn label_steps() -> impl Strategy<Value = LabelStep> {
    let label = (session_ids(), machines(), option::weighted(0.8, courses()));
    let page =
        (courses(), option::of((times(), session_ids())), 1..6_usize).prop_map(|(course, after, max)| {
            let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
            SessionAsk::Course(CourseQuery { course, from, until, after, max })
        });
    prop_oneof![
        4 => vec(sessions(), 1..6).prop_map(LabelStep::Put),
        20 => label.prop_map(|(session, machine, course)| LabelStep::Label(session, machine, course)),
        1 => courses().prop_map(LabelStep::End),
        2 => session_asks().prop_map(LabelStep::Ask),
        4 => page.prop_map(LabelStep::Ask),
        1 => Just(LabelStep::Reopen),
    ]
}

pub(crate) async fn labels_agree(steps: Vec<LabelStep>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir()?;
    let open = || SqliteLedger::open(folder.path()).expect("it opens");
    let (memory, mut sqlite) = (MemoryLedger::new(), open());
    let mut kinds = vec![FactKind::SiteCreated(a_site(site_of(0)))];
    let machine = |number| FactKind::MachineCreated(a_machine(machine_of(number), site_of(0)));
    kinds.extend((0..3).map(machine));
    kinds.extend(["A", "B"].map(|code| {
        let code = CourseCode::new(code).expect("it is a code");
        FactKind::CourseCreated(NewCourse { site: site_of(0), code, prescription: None })
    }));
    let fact = |kind| {
        let author = "user:anna".to_owned();
        Fact { time: UnixMicros(5), author, request_id: None, kind }
    };
    for kind in kinds {
        prop_assert!(sqlite.add_fact(fact(kind.clone())).await.is_ok());
        prop_assert!(memory.add_fact(fact(kind)).await.is_ok());
    }
    for step in steps {
        match step {
            LabelStep::Put(sessions) => {
                let derived = Derived { sessions, ..Derived::default() };
                prop_assert_eq!(told(sqlite.put(derived.clone()).await), told(memory.put(derived).await));
            }
            LabelStep::Label(session, machine, course) => {
                let label = SessionLabel { session, machine, site: site_of(0), course };
                let fact = fact(FactKind::SessionLabelled(label));
                prop_assert_eq!(told(sqlite.add_fact(fact.clone()).await), told(memory.add_fact(fact).await));
            }
            LabelStep::End(course) => {
                let fact = fact(FactKind::CourseEnded(CourseEnd { course }));
                prop_assert_eq!(told(sqlite.add_fact(fact.clone()).await), told(memory.add_fact(fact).await));
            }
            LabelStep::Ask(ask) => answers_agree(&sqlite, &memory, ask).await?,
            LabelStep::Reopen => {
                drop(sqlite);
                sqlite = open();
            }
        }
    }
    all_agree(&sqlite, &memory).await
}
