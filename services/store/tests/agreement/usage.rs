//! Usage: what is put, what is asked, and that both ledgers answer the same.

use domain::belt::{Direction, Origin};
use domain::ids::MachineId;
use domain::signal::Capabilities;
use domain::units::Speed;
use domain::usage::{Grade, Motion, MotionKey, PartId, Usage, UsageRow, code};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use store::ledger::{Ledger, UsageQuery};
use store::memory::MemoryLedger;
use store::sqlite::SqliteLedger;

use crate::{machine_of, machines, times, told};

#[derive(Debug, Clone)]
pub(crate) enum UsageAsk {
    Page(UsageQuery),
    Through(Vec<MachineId>),
    Changes(u64, usize),
}

fn days() -> impl Strategy<Value = i32> {
    prop_oneof![6 => -2..4_i32, 1 => select(vec![i32::MIN, i32::MAX])]
}

/// Few, of both halves of all numbers.
fn parts() -> impl Strategy<Value = PartId> {
    select(vec![0, 1, 1 << 63, u64::MAX]).prop_map(PartId)
}

fn usages() -> impl Strategy<Value = Usage> {
    let directions = select(vec![Direction::Forward, Direction::Reverse, Direction::Unknown]);
    (directions, select(Grade::ALL.to_vec()), any::<(u64, u64, u32)>(), 0..64_u32).prop_map(
        |(direction, grade, (observed_us, distance, speed), signals)| {
            let key = MotionKey { direction, origin: Origin::Measured, grade };
            let motion = Motion {
                observed_us,
                distance_nm: u128::from(distance) << 30,
                speed_max: Speed(speed),
                ..Motion::default()
            };
            let mut usage = Usage::default();
            usage.add(key, &motion);
            usage.rest_us = distance;
            usage.coverage.add(Capabilities(signals), observed_us);
            usage
        },
    )
}

/// Rows, few of them with octets that are no quarters.
pub(crate) fn usage_rows() -> impl Strategy<Value = UsageRow> {
    let quarters = vec((0..96_u8, usages()), 0..4).prop_map(|quarters| {
        let mut octets = Vec::new();
        quarters.iter().for_each(|(number, usage)| code::put(&mut octets, *number, usage));
        octets
    });
    let quarters = prop_oneof![30 => quarters, 1 => vec(any::<u8>(), 1..9)];
    (machines(), days(), parts(), 0..4_u64, times(), quarters).prop_map(
        |(machine, day, part, revision, through, quarters)| UsageRow {
            machine,
            day,
            part,
            revision,
            through,
            quarters,
        },
    )
}

pub(crate) fn usage_asks() -> impl Strategy<Value = UsageAsk> {
    let after = option::of((machines(), days(), parts()));
    let page = (vec(machines(), 0..4), days(), days(), after, 0..6_usize).prop_map(
        |(machines, from_day, until_day, after, max)| {
            UsageAsk::Page(UsageQuery { machines, from_day, until_day, after, max })
        },
    );
    let changes = (0..20_u64, 0..6_usize).prop_map(|(after, max)| UsageAsk::Changes(after, max));
    prop_oneof![4 => page, 1 => vec(machines(), 0..4).prop_map(UsageAsk::Through), 1 => changes]
}

pub(crate) async fn answers_agree(
    sqlite: &SqliteLedger,
    memory: &MemoryLedger,
    ask: UsageAsk,
) -> Result<(), TestCaseError> {
    match ask {
        UsageAsk::Page(query) => {
            prop_assert_eq!(told(sqlite.usage(&query).await), told(memory.usage(&query).await));
            let totals = told(sqlite.usage_totals(&query).await);
            prop_assert_eq!(totals, told(memory.usage_totals(&query).await));
        }
        UsageAsk::Through(machines) => {
            let through = told(sqlite.usage_through(&machines).await);
            prop_assert_eq!(through, told(memory.usage_through(&machines).await));
        }
        UsageAsk::Changes(after, max) => {
            let changes = told(sqlite.usage_changes(after, max).await);
            prop_assert_eq!(changes, told(memory.usage_changes(after, max).await));
            prop_assert_eq!(*sqlite.usage_change().borrow(), *memory.usage_change().borrow());
        }
    }
    Ok(())
}

/// All that there is.
pub(crate) async fn all_agree(sqlite: &SqliteLedger, memory: &MemoryLedger) -> Result<(), TestCaseError> {
    let machines = vec![machine_of(2), machine_of(0), machine_of(1)];
    answers_agree(sqlite, memory, UsageAsk::Through(machines.clone())).await?;
    answers_agree(sqlite, memory, UsageAsk::Changes(0, 1_000)).await?;
    let (from_day, until_day) = (i32::MIN, i32::MAX);
    let all = UsageQuery { machines, from_day, until_day, after: None, max: 1_000 };
    answers_agree(sqlite, memory, UsageAsk::Page(all)).await
}
