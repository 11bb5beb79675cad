//! From an envelope to the journal and back to the agent.

use bytes::Bytes;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::Clock;
use domain::limits;
use domain::log::{Lane, Position};
use domain::record::EventKind;
use domain::units::{MILLI, MonotonicMicros, SECOND, Speed, UnixMicros};
use ingest::ingest::{Input, Room};
use ingest::refusals::RefusalReason;
use store::StoreErrorKind;
use wire::status::Status;
use wire::topics::Kind;

use crate::agent::{Agent, EPOCH};
use crate::world::World;

fn connected(world: &mut World, name: &str) -> Agent {
    let mut agent = world.agent(name);
    let status = agent.send_status();
    world.deliver(&status);
    world.answer(&mut agent);
    agent
}

fn send(world: &mut World, agent: &Agent, lane: Lane) {
    let (envelope, _) = agent.envelope_after(lane, None, 100).expect("something was written");
    world.deliver(&agent.send(&envelope));
}

fn at(n: u64) -> Option<Position> {
    Some(Position::new(1, n))
}

#[test]
fn an_ack_comes_only_from_the_journal() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    world.appends = false;
    agent.event(EventKind::BeltStarted);
    send(&mut world, &agent, Lane::Events);
    assert!(world.under_way.is_some(), "an event does not wait");
    world.pass(10 * SECOND);
    // Seen again while the first is under way: still nothing to say.
    send(&mut world, &agent, Lane::Events);
    assert!(world.acks(&agent).is_empty());
    let status = agent.send_status();
    world.deliver(&status);
    let told: Vec<_> = world.acks(&agent).into_iter().flat_map(|ack| ack.lanes).collect();
    assert!(told.iter().all(|lane| lane.committed.is_none()), "{told:?}");
    world.commit();
    let told: Vec<_> = world.acks(&agent).into_iter().flat_map(|ack| ack.lanes).collect();
    assert_eq!(
        told.iter().map(|lane| (lane.lane, lane.committed)).collect::<Vec<_>>(),
        [(Lane::Events, at(1))]
    );
    assert_eq!((world.counters().duplicates_applied, world.counters().events_committed), (0, 1));
}

#[test]
fn a_status_is_answered_at_once_with_an_echo() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = world.agent("tm-01");
    let status = agent.send_status();
    world.pass(SECOND);
    world.deliver(&status);
    let acks = world.acks(&agent);
    let [ack] = &acks[..] else { panic!("one ack: {acks:?}") };
    assert_eq!((ack.boot, ack.connection), (agent.boot, 1));
    assert_eq!(ack.echo, Some((agent.at, 0)));
    assert_eq!(ack.server_time, world.now.unix);
    let lanes: Vec<_> = ack.lanes.iter().map(|lane| (lane.lane, lane.log, lane.committed)).collect();
    assert_eq!(lanes, Lane::ALL.map(|lane| (lane, agent.log(lane), None)));
    assert!(agent.take(ack));
    // An older status of the same connection is not answered, and shows nothing.
    world.deliver(&status);
    assert!(world.acks(&agent).is_empty());
    assert_eq!(world.counters().statuses, 1);
}

#[test]
fn the_first_envelope_may_come_before_the_status_and_is_acked_with_it() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = world.agent("tm-01");
    agent.event(EventKind::BeltStarted);
    send(&mut world, &agent, Lane::Events);
    assert_eq!(world.journal.len(), 1);
    assert!(world.acks(&agent).is_empty(), "the connection is not known yet");
    let status = agent.send_status();
    world.deliver(&status);
    world.answer(&mut agent);
    assert_eq!(agent.trimmed[0], at(1));
}

#[test]
fn readings_are_committed_in_groups_and_acked_once_a_second() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    let mut acks = 0;
    for round in 0..20 {
        agent.reading(1_000);
        send(&mut world, &agent, Lane::Readings);
        assert_eq!(world.journal.len(), round, "it waits a little for company");
        world.pass(limits::COMMIT_WAIT_US);
        assert_eq!(world.journal.len(), round + 1);
        world.pass(100 * MILLI - limits::COMMIT_WAIT_US);
        let told = world.acks(&agent);
        acks += told.len();
        told.iter().for_each(|ack| assert!(agent.take(ack)));
    }
    assert!((1..=2).contains(&acks), "2 s: {acks}");
    // A fast agent is not kept waiting.
    for n in 0..16 {
        agent.reading(1_000);
        let (envelope, _) = agent.envelope_after(Lane::Readings, at(20 + n), 1).expect("the newest");
        world.deliver(&agent.send(&envelope));
    }
    world.pass(limits::COMMIT_WAIT_US);
    assert_eq!(world.acks(&agent).len(), 1);
    assert_eq!(world.counters().readings_committed, 36);
}

#[test]
fn the_window_follows_the_room() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    for (queue_used, journal_nearly_full, expected) in
        [(0, false, [64, 64]), (30, false, [64, 32]), (80, false, [16, 2]), (0, true, [64, 0])]
    {
        world.tell(Input::Room(Room { queue_used, queue_size: 100, journal_nearly_full }));
        agent.connect();
        let status = agent.send_status();
        world.deliver(&status);
        let acks = world.acks(&agent);
        let windows: Vec<u32> = acks.iter().flat_map(|ack| &ack.lanes).map(|lane| lane.window).collect();
        assert_eq!(windows, expected, "{queue_used} of 100");
    }
}

#[test]
fn a_commit_that_fails_for_now_is_repeated_and_nothing_is_acked_before() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    world.appends = false;
    agent.event(EventKind::BeltStarted);
    send(&mut world, &agent, Lane::Events);
    for _ in 0..5 {
        world.fail(StoreErrorKind::Full);
        assert!(world.acks(&agent).is_empty());
        world.pass(10 * SECOND);
    }
    assert_eq!(world.counters().commits_retried, 5);
    world.commit();
    world.answer(&mut agent);
    assert_eq!(agent.trimmed[0], at(1));
}

#[test]
fn a_machine_whose_records_cannot_be_written_stops_nobody_else() {
    let mut world = World::new(&["tm-01", "tm-02", "tm-03"]);
    world.appends = false;
    let mut agents: Vec<Agent> =
        ["tm-01", "tm-02", "tm-03"].into_iter().map(|name| connected(&mut world, name)).collect();
    for agent in &mut agents {
        agent.event(EventKind::BeltStarted);
        send(&mut world, agent, Lane::Events);
    }
    let bad = agents[1].machine.clone();
    let work = |world: &mut World| {
        while let Some(slices) = world.under_way.clone() {
            match slices.iter().any(|slice| slice.machine == bad) {
                true => world.fail(StoreErrorKind::Invalid),
                false => world.commit(),
            }
        }
    };
    work(&mut world);
    assert_eq!(world.counters().set_aside, 1);
    assert_eq!(world.alarms.iter().map(|alarm| &alarm.machine).collect::<Vec<_>>(), [&bad]);
    for agent in &mut agents {
        world.answer(agent);
        assert_eq!(agent.trimmed[0], at(1).filter(|_| agent.machine != bad));
    }
    // It is refused for a while, and then tried again.
    send(&mut world, &agents[1], Lane::Events);
    assert_eq!(world.counters().refused_for(RefusalReason::SetAside), 1);
    world.pass(60 * SECOND);
    world.settle(&mut agents[1]);
    assert_eq!(world.records(&bad, Lane::Events).len(), 1);
}

#[test]
fn a_record_that_cannot_be_read_keeps_its_place_and_stops_nobody() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    agent.reading(1_000);
    let strange = agent.write_octets(Lane::Readings, Bytes::from_static(b"from the future"), None);
    agent.reading(1_000);
    agent.event(EventKind::BeltStopped);
    world.settle(&mut agent);
    let unreadable: Vec<_> = world.rows.unreadable.values().collect();
    assert_eq!(unreadable.len(), 1);
    assert_eq!((unreadable[0].position, &unreadable[0].octets[..]), (strange, &b"from the future"[..]));
    assert!(!unreadable[0].reason.is_empty());
    assert_eq!(world.counters().records_unreadable, 1);
    assert_eq!(world.counters().records_folded, 3, "the event behind it, too");
    let readable: usize = world.rows.blocks.values().map(|block| block.records.len()).sum();
    assert_eq!(readable, 3);
}

#[test]
fn the_newer_of_status_and_records_is_shown() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    agent.reading(1_000);
    world.settle(&mut agent);
    let status = agent.send_status();
    world.deliver(&status);
    let state = &world.states[&agent.machine];
    let folded = state.latest.expect("a reading was folded");
    assert_eq!(folded.belt.speed, Some(Speed(1_000)));
    assert_eq!((state.backlog_us, &state.agent_version[..]), (Some(0), "1.2.3"));
    let belt = Belt {
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(900)),
        ..Belt::default()
    };
    let mut tell = |agent: &mut Agent, at: u64, change: &dyn Fn(&mut Status)| {
        let mut status = agent.status();
        status.belt = Some((belt, MonotonicMicros(at), 2_000));
        change(&mut status);
        let sent = agent.seal(Kind::Status, status.encode());
        world.deliver(&sent);
        world.states[&agent.machine].clone()
    };
    let older = tell(&mut agent, 500_000, &|_| {});
    assert_eq!(older.latest, Some(folded), "an older picture");
    let newest = agent.at.0 + SECOND;
    let newer = tell(&mut agent, newest, &|_| {}).latest.expect("the status' picture");
    assert_eq!((newer.belt, newer.time), (belt, UnixMicros(EPOCH + newest.cast_signed())));
    assert_eq!((newer.since, newer.last_event), (folded.since, folded.last_event), "it goes on as it did");
    let undated = tell(&mut agent, newest + SECOND, &|status| status.clock = Clock::UNDATED);
    assert_eq!(undated.latest, Some(folded), "a picture without a date is not shown");
}

#[test]
fn the_will_says_that_the_agent_is_gone_unless_it_is_back() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    let will = |agent: &Agent, connection| {
        agent.seal(Kind::Status, Status::will(agent.boot, agent.boots[0].boot_count, connection).encode())
    };
    world.deliver(&will(&agent, 1));
    assert!(world.states[&agent.machine].lost_by_broker);
    agent.connect();
    let status = agent.send_status();
    world.deliver(&status);
    assert!(!world.states[&agent.machine].lost_by_broker);
    world.deliver(&will(&agent, 1));
    assert!(!world.states[&agent.machine].lost_by_broker, "the will of an older connection");
    let old = agent.clone();
    agent.restart(2);
    let status = agent.send_status();
    world.deliver(&status);
    world.deliver(&will(&old, 2));
    assert!(!world.states[&agent.machine].lost_by_broker, "the will of an older process");
    assert_eq!((world.counters().refused_total(), world.alarms.len()), (0, 0));
}

#[test]
fn event_time_is_settled_once_and_read_ever_after() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    agent.clock = Clock::UNDATED;
    agent.reading(1_000);
    world.settle(&mut agent);
    agent.clock = Clock { offset_us: EPOCH + 5, ..world.agent("x").clock };
    agent.reading(1_000);
    world.settle(&mut agent);
    agent.clock = Clock::UNDATED;
    agent.reading(1_000);
    world.settle(&mut agent);
    let clocks: Vec<Option<i64>> = world
        .journal
        .iter()
        .map(|slice| slice.clock.unix(MonotonicMicros(0)).map(|time| time.0 - EPOCH))
        .collect();
    assert_eq!(clocks, [None, Some(5), Some(5)]);
    let before = world.rows.clone();
    world.rows.blocks.clear();
    world.checkpoints.clear();
    world.crash(true);
    assert_eq!(world.rows, before);
}

#[test]
fn a_restart_goes_on_from_the_checkpoint_and_acks_at_once() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = connected(&mut world, "tm-01");
    agent.event(EventKind::BeltStarted);
    world.settle(&mut agent);
    world.pass(130 * SECOND);
    assert_eq!(world.checkpoints.len(), 1, "one a minute");
    agent.event(EventKind::BeltStopped);
    send(&mut world, &agent, Lane::Events);
    // The ack is lost, and so is the server.
    world.crash(true);
    assert_eq!(world.mind.states().count(), 1);
    send(&mut world, &agent, Lane::Events);
    assert_eq!(world.counters().envelopes_duplicate, 1);
    world.answer(&mut agent);
    assert_eq!(agent.trimmed[0], at(2), "its connection is known from the checkpoint");
    assert_eq!(world.records(&agent.machine, Lane::Events).len(), 2);
    let state = world.mind.states().next().expect("it is known");
    assert!(state.heard.is_some());
}

#[test]
fn the_journal_is_needed_from_the_first_slice_that_no_checkpoint_holds() {
    let mut world = World::new(&["tm-01", "tm-02"]);
    let (mut one, mut two) = (connected(&mut world, "tm-01"), connected(&mut world, "tm-02"));
    one.event(EventKind::BeltStarted);
    send(&mut world, &one, Lane::Events);
    two.event(EventKind::BeltStarted);
    send(&mut world, &two, Lane::Events);
    assert_eq!(world.mind.saved(), 0);
    world.tell(Input::Stopping);
    assert_eq!((world.mind.saved(), world.journal.len()), (2, 2));
    two.event(EventKind::BeltStopped);
    send(&mut world, &two, Lane::Events);
    assert_eq!(world.mind.saved(), 2);
    world.settle(&mut one);
    world.settle(&mut two);
    world.pass(200 * SECOND);
    assert_eq!(world.mind.saved(), world.journal.len() as u64);
}
