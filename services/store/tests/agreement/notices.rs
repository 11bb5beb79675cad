//! Notices: what is put, what is asked, and that both ledgers answer the same.

use domain::ids::NoticeId;
use domain::incident::Severity;
use domain::units::UnixMicros;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use store::ledger::{About, Ledger, Notice, NoticeQuery, NoticeState};
use store::memory::MemoryLedger;
use store::sqlite::SqliteLedger;

use crate::incidents::ids;
use crate::{site_of, times, told};

#[derive(Debug, Clone)]
pub(crate) enum NoticeAsk {
    Put(Vec<Notice>, Option<u64>),
    Waiting(usize),
    Page(NoticeQuery),
}

fn notice_ids() -> impl Strategy<Value = NoticeId> {
    (0..6_u8).prop_map(|octet| NoticeId([octet; 16]))
}

fn contacts() -> impl Strategy<Value = String> {
    select(vec!["desk".to_owned(), "night".to_owned()])
}

fn notices() -> impl Strategy<Value = Notice> {
    let about = prop_oneof![
        4 => ids().prop_map(|incident| About::Incident { incident }),
        1 => ".{0,5}".prop_map(|by| About::Test { by }),
        1 => any::<u64>().prop_map(|facts| About::Head { facts, root: "00".repeat(32) }),
        1 => (".{0,9}", option::of(any::<u64>())).prop_map(|(text, facts)| About::Weekly {
            from: "2026-11-16".to_owned(),
            until: "2026-11-23".to_owned(),
            text,
            head: facts.map(|facts| (facts, "00".repeat(32))),
        }),
    ];
    let states = select(vec![
        NoticeState::Waiting,
        NoticeState::Waiting,
        NoticeState::Sent,
        NoticeState::NotNeeded,
        NoticeState::Failed,
    ]);
    let what = (notice_ids(), about, contacts(), option::of((0..3_u8).prop_map(site_of)));
    let texts = (select(vec![0, 1, 300, 301]), any::<u32>());
    (what, times(), times(), states, 0..4_u64, texts).prop_map(
        |((id, about, contact, site), planned, due, state, revision, (length, attempts))| Notice {
            id,
            about,
            contact,
            site,
            severity: Severity::High,
            step: 1,
            planned,
            due,
            state,
            attempts,
            last_attempt: Some(UnixMicros(-1)),
            reason: "ä".repeat(length),
            together: 2,
            revision,
        },
    )
}

pub(crate) fn notice_asks() -> impl Strategy<Value = NoticeAsk> {
    let query = (
        option::of(ids()),
        option::of(contacts()),
        option::of(vec((0..3_u8).prop_map(site_of), 0..3)),
        option::of((times(), notice_ids())),
        0..5_usize,
    );
    let query = query.prop_map(|(incident, contact, sites, after, max)| NoticeQuery {
        incident,
        contact,
        sites,
        after,
        max,
    });
    prop_oneof![
        3 => (vec(notices(), 0..4), option::of(0..9_u64))
            .prop_map(|(notices, taken)| NoticeAsk::Put(notices, taken)),
        1 => (0..5_usize).prop_map(NoticeAsk::Waiting),
        2 => query.prop_map(NoticeAsk::Page),
    ]
}

pub(crate) async fn answers_agree(
    sqlite: &SqliteLedger,
    memory: &MemoryLedger,
    ask: NoticeAsk,
) -> Result<(), TestCaseError> {
    match ask {
        NoticeAsk::Put(notices, taken) => {
            let (mut one, mut other) = (sqlite.notice_change(), memory.notice_change());
            one.mark_unchanged();
            other.mark_unchanged();
            let written = told(sqlite.put_notices(notices.clone(), taken).await);
            prop_assert_eq!(written, told(memory.put_notices(notices, taken).await));
            let is_told = |told: &tokio::sync::watch::Receiver<u64>| told.has_changed().expect("it is there");
            prop_assert_eq!(is_told(&one), is_told(&other));
        }
        NoticeAsk::Waiting(max) => {
            let waiting = told(sqlite.waiting_notices(max).await);
            prop_assert_eq!(waiting, told(memory.waiting_notices(max).await));
        }
        NoticeAsk::Page(query) => {
            prop_assert_eq!(told(sqlite.notices(&query).await), told(memory.notices(&query).await));
        }
    }
    Ok(())
}

/// All that there is.
pub(crate) async fn all_agree(sqlite: &SqliteLedger, memory: &MemoryLedger) -> Result<(), TestCaseError> {
    answers_agree(sqlite, memory, NoticeAsk::Waiting(1_000)).await?;
    let all = NoticeQuery { max: 1_000, ..NoticeQuery::default() };
    answers_agree(sqlite, memory, NoticeAsk::Page(all)).await?;
    prop_assert_eq!(told(sqlite.notices_taken().await), told(memory.notices_taken().await));
    Ok(())
}
