//! SQLite answers as memory does, whatever is asked in whatever order.

mod facts;
mod incidents;
mod notices;
mod sessions;
mod usage;

use std::sync::Arc;

use bytes::Bytes;
use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId, MachineId, SiteId};
use domain::log::{BootStart, Hole, Lane, Position};
use domain::record::{Event, EventKind, Payload, Reading, Record};
use domain::units::{MonotonicMicros, UnixMicros};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use store::fact::Fact;
use store::journal::{Journal, Slice};
use store::ledger::{Checkpoint, Derived, Ledger, Loss, Unreadable};
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::sqlite::{SqliteJournal, SqliteLedger, SqliteTelemetry};
use store::telemetry::{Block, RangeQuery, Telemetry};
use store::{StoreError, StoreErrorKind};

const CASES: u32 = 48;

/// An answer, or the kind of the failure.
fn told<T>(result: Result<T, StoreError>) -> Result<T, StoreErrorKind> {
    result.map_err(|error| error.kind)
}

fn machine_of(number: u8) -> MachineId {
    MachineId::new(&format!("tm-{number}")).expect("it is an id")
}

fn site_of(number: u8) -> SiteId {
    SiteId::new(&format!("gym-{number}")).expect("it is an id")
}

fn machines() -> impl Strategy<Value = MachineId> {
    (0..3_u8).prop_map(machine_of)
}

fn logs() -> impl Strategy<Value = LogId> {
    (0..2_u8).prop_map(|octet| LogId([octet; 16]))
}

fn lanes() -> impl Strategy<Value = Lane> {
    select(Lane::ALL.to_vec())
}

fn positions() -> impl Strategy<Value = Position> {
    (1..3_u32, 0..20_u64).prop_map(|(boot_count, n)| Position { boot_count, n })
}

fn holes() -> impl Strategy<Value = Hole> {
    (option::of(positions()), positions(), 0..9_u64).prop_map(|(from, to, records_at_least)| Hole {
        from,
        to,
        records_at_least,
    })
}

/// Offsets that make blocks overlap in time, lie hours apart, or have no time at all.
fn clocks() -> impl Strategy<Value = Clock> {
    let qualities = select(vec![ClockQuality::Synchronised, ClockQuality::Estimated, ClockQuality::Undated]);
    let offsets = prop_oneof![0..30_i64, select(vec![0, 3_600_000_000, -7_200_000_001, i64::MAX, i64::MIN])];
    (qualities, offsets, 0..5_u64).prop_map(|(quality, offset_us, uncertainty_us)| Clock {
        quality,
        offset_us,
        uncertainty_us,
    })
}

/// Microseconds on both sides of where the records lie.
fn times() -> impl Strategy<Value = UnixMicros> {
    prop_oneof![0..60_i64, 3_600_000_000..3_600_000_060_i64, select(vec![i64::MIN, i64::MAX])]
        .prop_map(UnixMicros)
}

#[derive(Debug, Clone)]
enum JournalStep {
    Append(Vec<Slice>),
    Trim(u64),
    Read(u64, usize),
    Reopen,
}

fn slices() -> impl Strategy<Value = Slice> {
    let maker = option::of(any::<[u8; 16]>().prop_map(BootId));
    let boot = (1..9_u32, option::of(positions()), option::of(positions()), maker).prop_map(
        |(boot_count, previous, other_previous, maker)| BootStart {
            boot_count,
            previous,
            other_previous,
            maker,
        },
    );
    let range = (0..9_u64, 0..9_u64, any::<u32>());
    let body = vec(any::<u8>(), 0..300).prop_map(Bytes::from);
    ((machines(), logs(), lanes(), boot), range, option::of(holes()), clocks(), body).prop_map(
        |((machine, log, lane, boot), (first, last, records), hole, clock, body)| Slice {
            machine,
            log,
            lane,
            boot,
            first,
            last,
            records,
            hole,
            clock,
            body,
        },
    )
}

fn journal_steps() -> impl Strategy<Value = JournalStep> {
    prop_oneof![
        4 => vec(slices(), 0..4).prop_map(JournalStep::Append),
        2 => (0..30_u64).prop_map(JournalStep::Trim),
        3 => (0..40_u64, 0..9_usize).prop_map(|(after, max)| JournalStep::Read(after, max)),
        1 => Just(JournalStep::Reopen),
    ]
}

#[derive(Debug, Clone)]
enum LedgerStep {
    Add(Box<Fact>),
    Put(Box<Derived>),
    Registry(Option<u8>, usize),
    Sessions(sessions::SessionAsk),
    Usage(usage::UsageAsk),
    Machine(MachineId, usize),
    Incidents(incidents::Ask),
    Notices(notices::NoticeAsk),
    Reopen,
}

fn deriveds() -> impl Strategy<Value = Derived> {
    let checkpoint = (machines(), 0..9_u64, 0..4_u64, vec(any::<u8>(), 0..9)).prop_map(
        |(machine, sequence, revision, state)| Checkpoint {
            machine,
            sequence,
            revision,
            state: state.into(),
        },
    );
    let loss = (machines(), logs(), lanes(), holes(), option::of(times()))
        .prop_map(|(machine, log, lane, hole, before)| (machine, Loss { log, lane, hole, before }));
    let unreadable = (machines(), logs(), lanes(), positions(), ".{0,5}").prop_map(
        |(machine, log, lane, position, reason)| {
            (machine, Unreadable { log, lane, position, octets: Bytes::from(reason.clone()), reason })
        },
    );
    let found = (vec(incidents::incidents(), 0..6), vec(incidents::pieces(), 0..3));
    let told = (vec(sessions::sessions(), 0..5), vec(usage::usage_rows(), 0..4));
    (vec(checkpoint, 0..3), told, vec(loss, 0..3), vec(unreadable, 0..3), found).prop_map(
        |(checkpoints, (sessions, usage), losses, unreadable, (incidents, recordings))| Derived {
            checkpoints,
            sessions,
            usage,
            losses,
            unreadable,
            incidents,
            recordings,
            facts: Vec::new(),
        },
    )
}

fn ledger_steps() -> impl Strategy<Value = LedgerStep> {
    prop_oneof![
        8 => facts::facts().prop_map(|fact| LedgerStep::Add(Box::new(fact))),
        4 => deriveds().prop_map(|derived| LedgerStep::Put(Box::new(derived))),
        2 => (option::of(0..4_u8), 0..5_usize).prop_map(|(after, max)| LedgerStep::Registry(after, max)),
        4 => sessions::session_asks().prop_map(LedgerStep::Sessions),
        3 => usage::usage_asks().prop_map(LedgerStep::Usage),
        2 => (machines(), 0..5_usize).prop_map(|(machine, max)| LedgerStep::Machine(machine, max)),
        4 => incidents::asks().prop_map(LedgerStep::Incidents),
        4 => notices::notice_asks().prop_map(LedgerStep::Notices),
        1 => Just(LedgerStep::Reopen),
    ]
}

#[derive(Debug, Clone)]
enum TelemetryStep {
    Put(Vec<Block>),
    List(RangeQuery),
    SetWatermark(u64),
    Reopen,
}

fn blocks() -> impl Strategy<Value = Block> {
    let record = |lane: Lane| {
        move |(at, other_n): (u64, u64)| {
            let at = MonotonicMicros(at);
            let payload = match lane {
                Lane::Readings => Payload::Reading(Reading { holds_for_ms: 3, ..Reading::default() }),
                Lane::Events => Payload::Event(Event::new(
                    EventKind::BeltStarted,
                    at,
                    domain::belt::Belt::default(),
                    domain::belt::Belt::default(),
                )),
            };
            Record { at, other_n, payload }
        }
    };
    // Monotonic time goes with the number, give or take, and now and then leaps by hours.
    let at = prop_oneof![6 => 0..40_u64, 1 => Just(3_600_000_001_u64), 1 => Just(i64::MAX as u64)];
    let numbers = subsequence((0..24_u64).collect::<Vec<_>>(), 0..12);
    ((machines(), logs(), lanes(), 1..3_u32), clocks(), numbers, vec((at, 0..3_u64), 12)).prop_map(
        move |((machine, log, lane, boot_count), clock, numbers, values)| {
            let records = values.into_iter().map(record(lane));
            Block {
                sequence: 1,
                machine,
                log,
                lane,
                boot_count,
                clock,
                records: numbers.into_iter().zip(records).collect(),
            }
        },
    )
}

fn telemetry_steps() -> impl Strategy<Value = TelemetryStep> {
    let after = option::of((times(), logs(), positions()));
    let query = (machines(), times(), times(), after, 0..9_usize)
        .prop_map(|(machine, from, until, after, max)| RangeQuery { machine, from, until, after, max });
    prop_oneof![
        4 => vec(blocks(), 0..4).prop_map(TelemetryStep::Put),
        4 => query.prop_map(TelemetryStep::List),
        1 => (0..9_u64).prop_map(TelemetryStep::SetWatermark),
        1 => Just(TelemetryStep::Reopen),
    ]
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be started").block_on(test)
}

async fn journals_agree(steps: Vec<JournalStep>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir()?;
    let open = || SqliteJournal::open(folder.path()).expect("it opens");
    let (memory, mut sqlite) = (MemoryJournal::new(), open());
    for step in steps {
        match step {
            JournalStep::Append(slices) => {
                let slices: Arc<[Slice]> = slices.into();
                prop_assert_eq!(told(sqlite.append(slices.clone()).await), told(memory.append(slices).await));
            }
            JournalStep::Trim(through) => {
                prop_assert_eq!(told(sqlite.trim(through).await), told(memory.trim(through).await));
            }
            JournalStep::Read(after, max) => {
                prop_assert_eq!(told(sqlite.read(after, max).await), told(memory.read(after, max).await));
            }
            JournalStep::Reopen => {
                drop(sqlite);
                sqlite = open();
            }
        }
        prop_assert_eq!(told(sqlite.span().await), told(memory.span().await));
    }
    prop_assert_eq!(told(sqlite.read(0, 10_000).await), told(memory.read(0, 10_000).await));
    Ok(())
}

async fn ledgers_agree(steps: Vec<LedgerStep>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir()?;
    let open = || SqliteLedger::open(folder.path()).expect("it opens");
    let (memory, mut sqlite) = (MemoryLedger::new(), open());
    for step in steps {
        match step {
            LedgerStep::Add(fact) => {
                prop_assert_eq!(
                    told(sqlite.add_fact((*fact).clone()).await),
                    told(memory.add_fact(*fact).await)
                );
                prop_assert_eq!(sqlite.registry(), memory.registry());
                prop_assert_eq!(*sqlite.incident_change().borrow(), *memory.incident_change().borrow());
            }
            LedgerStep::Put(derived) => {
                prop_assert_eq!(told(sqlite.put((*derived).clone()).await), told(memory.put(*derived).await));
            }
            LedgerStep::Registry(after, max) => registries_agree(&sqlite, &memory, after, max).await?,
            LedgerStep::Sessions(ask) => sessions::answers_agree(&sqlite, &memory, ask).await?,
            LedgerStep::Usage(ask) => usage::answers_agree(&sqlite, &memory, ask).await?,
            LedgerStep::Machine(machine, max) => {
                prop_assert_eq!(
                    told(sqlite.losses(&machine, max).await),
                    told(memory.losses(&machine, max).await)
                );
                prop_assert_eq!(
                    told(sqlite.unreadable(&machine, max).await),
                    told(memory.unreadable(&machine, max).await)
                );
            }
            LedgerStep::Incidents(ask) => incidents::answers_agree(&sqlite, &memory, ask).await?,
            LedgerStep::Notices(ask) => notices::answers_agree(&sqlite, &memory, ask).await?,
            LedgerStep::Reopen => {
                drop(sqlite);
                sqlite = open();
                prop_assert_eq!(sqlite.registry(), memory.registry());
            }
        }
    }
    registries_agree(&sqlite, &memory, None, 1_000).await?;
    incidents::all_agree(&sqlite, &memory).await?;
    notices::all_agree(&sqlite, &memory).await?;
    sessions::all_agree(&sqlite, &memory).await?;
    usage::all_agree(&sqlite, &memory).await
}

async fn registries_agree(
    sqlite: &SqliteLedger,
    memory: &MemoryLedger,
    after: Option<u8>,
    max: usize,
) -> Result<(), TestCaseError> {
    let number = after.map_or(0, u64::from);
    prop_assert_eq!(told(sqlite.facts(number, max).await), told(memory.facts(number, max).await));
    let before = after.map_or(u64::MAX, u64::from);
    prop_assert_eq!(
        told(sqlite.facts_before(before, max).await),
        told(memory.facts_before(before, max).await)
    );
    prop_assert_eq!(told(sqlite.leaves(number, max).await), told(memory.leaves(number, max).await));
    let after = after.map(machine_of);
    let after = after.as_ref();
    prop_assert_eq!(told(sqlite.checkpoints(after, max).await), told(memory.checkpoints(after, max).await));
    Ok(())
}

async fn histories_agree(steps: Vec<TelemetryStep>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir()?;
    let open = || SqliteTelemetry::open(folder.path()).expect("it opens");
    let (memory, mut sqlite) = (MemoryTelemetry::new(), open());
    let all = |machine| RangeQuery {
        machine,
        from: UnixMicros(i64::MIN),
        until: UnixMicros(i64::MAX),
        after: None,
        max: 10_001,
    };
    let mut queries: Vec<RangeQuery> = (0..3).map(|number| all(machine_of(number))).collect();
    for step in steps {
        match step {
            TelemetryStep::Put(blocks) => {
                prop_assert_eq!(told(sqlite.put(blocks.clone()).await), told(memory.put(blocks).await));
            }
            TelemetryStep::List(query) => queries.push(query),
            TelemetryStep::SetWatermark(through) => {
                let (one, other) = (sqlite.set_watermark(through).await, memory.set_watermark(through).await);
                prop_assert_eq!(told(one), told(other));
            }
            TelemetryStep::Reopen => {
                drop(sqlite);
                sqlite = open();
            }
        }
        for query in &queries {
            prop_assert_eq!(told(sqlite.readings(query).await), told(memory.readings(query).await));
            prop_assert_eq!(told(sqlite.events(query).await), told(memory.events(query).await));
        }
        for machine in [None, Some(machine_of(0)), Some(machine_of(2))] {
            let machine = machine.as_ref();
            prop_assert_eq!(told(sqlite.counts(machine).await), told(memory.counts(machine).await));
        }
        prop_assert_eq!(told(sqlite.watermark().await), told(memory.watermark().await));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn the_journals_agree(steps in vec(journal_steps(), 1..30)) {
        run(journals_agree(steps))?;
    }

    #[test]
    fn the_ledgers_agree(steps in vec(ledger_steps(), 1..40)) {
        run(ledgers_agree(steps))?;
    }

    #[test]
    fn the_ledgers_agree_on_labels(steps in vec(sessions::label_steps(), 1..40)) {
        run(sessions::labels_agree(steps))?;
    }

    #[test]
    fn the_histories_agree(steps in vec(telemetry_steps(), 1..30)) {
        run(histories_agree(steps))?;
    }
}
