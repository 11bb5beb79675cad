//! Whatever is lost, repeated, reordered or killed: every record is in the journal once, and the rows are the same.

use domain::log::{Lane, Position};
use domain::record::{EventKind, Record};
use domain::units::{MILLI, SECOND};
use ingest::ingest::Input;
use proptest::prelude::*;
use proptest::sample::Index;
use store::StoreErrorKind;

use crate::agent::{Agent, Sent};
use crate::world::{Rows, World};

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Event,
    Reading(u32),
    /// The agent sends what it has after its last ack, in envelopes of so many records.
    Send(usize),
    Status,
    /// A message on its way arrives.
    Deliver(Index),
    /// It arrives and stays on its way: it will arrive again.
    Repeat(Index),
    /// It never arrives.
    Lose(Index),
    /// The agent gets its acks.
    Answer,
    /// The acks are lost.
    LoseAcks,
    Commit,
    Fail(bool),
    Pass(u64),
    Checkpoint,
    /// The server dies; what is under way is in the journal, or is not.
    Crash(bool),
    Restart,
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Event),
        6 => (0..3_u32).prop_map(|speed| Step::Reading(speed * 700)),
        6 => (1..5_usize).prop_map(Step::Send),
        2 => Just(Step::Status),
        12 => any::<Index>().prop_map(Step::Deliver),
        3 => any::<Index>().prop_map(Step::Repeat),
        3 => any::<Index>().prop_map(Step::Lose),
        4 => Just(Step::Answer),
        1 => Just(Step::LoseAcks),
        6 => Just(Step::Commit),
        1 => any::<bool>().prop_map(Step::Fail),
        4 => (1..400_u64).prop_map(|millis| Step::Pass(millis * MILLI)),
        1 => (1..100_u64).prop_map(|seconds| Step::Pass(seconds * SECOND)),
        1 => Just(Step::Checkpoint),
        1 => any::<bool>().prop_map(Step::Crash),
        1 => Just(Step::Restart),
        1 => Just(Step::Reconnect),
    ]
}

/// Plays the steps; then all faults end, and what the agent has is delivered.
fn play(steps: &[Step]) -> (World, Agent) {
    let mut world = World::new(&["tm-01"]);
    world.appends = false;
    let mut agent = world.agent("tm-01");
    let mut wire: Vec<Sent> = Vec::new();
    let mut processes = 1;
    for step in steps {
        match step {
            Step::Event => {
                agent.event(EventKind::BeltStarted);
            }
            Step::Reading(mm_s) => {
                agent.reading(*mm_s);
            }
            Step::Send(max) => wire.extend(agent.send_all(*max)),
            Step::Status => wire.push(agent.send_status()),
            Step::Deliver(index) if !wire.is_empty() => {
                let sent = wire.swap_remove(index.index(wire.len()));
                world.deliver(&sent);
            }
            Step::Repeat(index) if !wire.is_empty() => world.deliver(&wire[index.index(wire.len())].clone()),
            Step::Lose(index) if !wire.is_empty() => drop(wire.remove(index.index(wire.len()))),
            Step::Deliver(_) | Step::Repeat(_) | Step::Lose(_) => {}
            Step::Answer => world.answer(&mut agent),
            Step::LoseAcks => world.publishes.clear(),
            Step::Commit => world.commit(),
            Step::Fail(for_good) => {
                world.fail(if *for_good { StoreErrorKind::Invalid } else { StoreErrorKind::Timeout });
            }
            Step::Pass(micros) => world.pass(*micros),
            Step::Checkpoint => world.tell(Input::Stopping),
            Step::Crash(appended) => world.crash(*appended),
            Step::Restart => {
                processes += 1;
                agent.restart(processes);
            }
            Step::Reconnect => agent.connect(),
        }
    }
    // A machine that was set aside is let in again.
    world.appends = true;
    world.commit();
    world.pass(61 * SECOND);
    world.settle(&mut agent);
    (world, agent)
}

fn check(world: &World, agent: &Agent) -> Result<(), TestCaseError> {
    for lane in Lane::ALL {
        let stored: Vec<(Position, Option<Record>)> = world
            .records(&agent.machine, lane)
            .into_iter()
            .map(|(_, position, record)| (position, record))
            .collect();
        let written: Vec<(Position, Option<Record>)> = agent.written[crate::agent::index(lane)]
            .iter()
            .map(|(position, record)| (*position, Some(record.clone())))
            .collect();
        prop_assert_eq!(stored, written, "every record once, in order");
    }
    prop_assert_eq!(world.rows.losses.len(), 0);
    prop_assert_eq!(world.counters().duplicates_applied, 0);
    Ok(())
}

/// The same records without any fault.
fn faultless(agent: &Agent) -> Rows {
    let mut world = World::new(&["tm-01"]);
    let mut again = Agent { generation: 1, ..world.agent("tm-01") };
    let mut all: Vec<(Position, &Record)> =
        agent.written.iter().flatten().map(|(position, record)| (*position, record)).collect();
    all.sort_by_key(|(_, record)| record.at);
    let mut process = 1;
    for (position, record) in all {
        while again.boots[0].boot_count < position.boot_count {
            world.settle(&mut again);
            process += 1;
            again.restart(process);
        }
        again.at = record.at.plus(0);
        again.at.0 -= SECOND;
        again.write(record.payload.clone());
        world.settle(&mut again);
    }
    world.tell(Input::Stopping);
    world.rows
}

/// Revisions count records folded, which is the same; blocks follow the envelopes, which are not.
fn sessions(rows: &Rows) -> Vec<&store_session> {
    rows.sessions.values().collect()
}

#[expect(non_camel_case_types, reason = "a short name for a long path")]
type store_session = domain::live::Session;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_stored_once_whatever_happens(steps in prop::collection::vec(step(), 0..120)) {
        let (mut world, agent) = play(&steps);
        check(&world, &agent)?;
        world.tell(Input::Stopping);
        let expected = faultless(&agent);
        prop_assert_eq!(sessions(&world.rows), sessions(&expected));
    }

    #[test]
    fn folding_again_from_any_checkpoint_gives_the_same_rows(
        steps in prop::collection::vec(step(), 0..120), at in any::<Index>(),
    ) {
        let (mut world, _) = play(&steps);
        world.tell(Input::Stopping);
        let (rows, states) = (world.rows.clone(), world.mind.states().collect::<Vec<_>>());
        // From the newest checkpoint, and from none at all.
        for from_nothing in [false, true] {
            if from_nothing {
                world.checkpoints.clear();
            }
            world.crash(true);
            world.tell(Input::Stopping);
            prop_assert_eq!(&world.rows, &rows);
            let again: Vec<_> = world.mind.states().collect();
            prop_assert_eq!(again.len(), states.len());
            for (again, state) in again.iter().zip(&states) {
                prop_assert_eq!((&again.latest, &again.session), (&state.latest, &state.session));
                prop_assert_eq!(again.records_lost, state.records_lost);
            }
        }
        // From a checkpoint in the middle of the journal.
        let journal = world.journal.clone();
        let middle = at.index(journal.len() + 1);
        world.journal.truncate(middle);
        world.checkpoints.clear();
        world.crash(true);
        world.tell(Input::Stopping);
        world.journal = journal;
        world.crash(true);
        world.tell(Input::Stopping);
        prop_assert_eq!(&world.rows, &rows);
    }

    #[test]
    fn what_a_power_cut_or_a_wiped_spool_takes_is_the_only_thing_missing(
        steps in prop::collection::vec(step(), 0..60),
        unsynced in 0..6_usize,
        wiped in any::<bool>(),
        more in 0..10_usize,
    ) {
        let (mut world, mut agent) = play(&steps);
        for n in 0..6 {
            agent.reading(700);
            agent.event(EventKind::BeltStopped);
            if n == 3 {
                // Some of it is delivered, and the ack is lost.
                for sent in agent.send_all(2) {
                    world.deliver(&sent);
                }
                world.pass(SECOND);
                world.publishes.clear();
            }
        }
        let readings = &mut agent.spooled[1];
        let from = readings.len().saturating_sub(unsynced);
        readings[from..].iter_mut().for_each(|row| row.synced = false);
        if wiped { agent.wipe(42, 200) } else { agent.power_cut(200) }
        for _ in 0..more {
            agent.event(EventKind::BeltStarted);
            agent.reading(0);
        }
        world.settle(&mut agent);
        for lane in Lane::ALL {
            let stored = world.records(&agent.machine, lane);
            let mut positions: Vec<_> = stored.iter().map(|(log, position, _)| (*log, *position)).collect();
            let all = positions.len();
            positions.sort_unstable();
            positions.dedup();
            prop_assert_eq!(positions.len(), all, "each position once");
            let kept: Vec<_> = stored.into_iter().map(|(_, position, record)| (position, record)).collect();
            for (position, record) in &agent.written[crate::agent::index(lane)] {
                prop_assert!(kept.contains(&(*position, Some(record.clone()))), "{position} {lane:?}");
            }
        }
        prop_assert_eq!(world.rows.losses.len(), 0, "what nobody numbered durably is not called lost");
        prop_assert_eq!(world.counters().duplicates_applied, 0);
    }

    #[test]
    fn a_server_put_back_to_an_earlier_state_says_what_it_lost(
        steps in prop::collection::vec(step(), 0..60), at in any::<Index>(), more in 1..10_usize,
    ) {
        let (mut world, mut agent) = play(&steps);
        let (journal, rows) = (world.journal.clone(), world.rows.clone());
        let kept = at.index(journal.len() + 1);
        world.journal.truncate(kept);
        world.checkpoints.clear();
        world.rows = Rows::default();
        world.crash(true);
        for _ in 0..more {
            agent.event(EventKind::BeltStarted);
            agent.reading(700);
        }
        world.settle(&mut agent);
        for lane in Lane::ALL {
            let stored = world.records(&agent.machine, lane);
            let written = &agent.written[crate::agent::index(lane)];
            let lost: u64 = world.rows.losses.values().filter(|loss| loss.lane == lane)
                .map(|loss| loss.hole.records_at_least).sum();
            let missing = written.len() - stored.len();
            prop_assert!(lost <= missing as u64, "never more than is missing");
            prop_assert_eq!(lost > 0, missing > 0, "a hole is told: {} missing of {:?}", missing, lane);
        }
        drop(rows);
    }
}
