//! What is refused: why, and who is told.

use std::sync::Arc;

use bytes::Bytes;
use domain::ids::{BootId, MachineId};
use domain::limits;
use domain::log::Lane;
use domain::record::EventKind;
use domain::units::SECOND;
use ingest::Registered;
use ingest::ingest::Input;
use ingest::refusals::RefusalReason;
use wire::topics::Kind;

use crate::agent::{Agent, Sent, index};
use crate::world::World;

/// What one message is refused for, and whether the agent is told why.
#[track_caller]
fn check(reason: RefusalReason, told: bool, message: impl Fn(&mut Agent) -> Sent) {
    let mut world = World::new(&["tm-01", "tm-02"]);
    let mut agent = world.agent("tm-01");
    let status = agent.send_status();
    world.deliver(&status);
    world.answer(&mut agent);
    agent.event(EventKind::BeltStarted);
    let sent = message(&mut agent);
    world.deliver(&sent);
    let reasons: Vec<RefusalReason> = world.refused.iter().map(|refused| refused.reason).collect();
    assert_eq!(reasons, [reason], "{:?}", world.refused);
    assert_eq!(world.counters().refused_for(reason), 1);
    assert_eq!(world.counters().refused_total(), 1);
    assert!(world.journal.is_empty(), "nothing of it is taken");
    let refusals: Vec<String> =
        world.acks(&agent).into_iter().filter_map(|ack| ack.refusal).map(|refusal| refusal.reason).collect();
    assert_eq!(refusals, if told { vec![reason.name().to_owned()] } else { vec![] });
}

fn events(agent: &Agent) -> Sent {
    let (envelope, _) = agent.envelope_after(Lane::Events, None, 10).expect("something was written");
    agent.send(&envelope)
}

fn rewritten(agent: &Agent, kind: Kind, change: impl Fn(&mut wire::envelope::Envelope)) -> Sent {
    let (mut envelope, _) = agent.envelope_after(Lane::Events, None, 10).expect("something was written");
    change(&mut envelope);
    agent.seal(kind, envelope.encode())
}

#[test]
fn what_is_not_proven_to_be_of_the_agent_is_refused_in_silence() {
    check(RefusalReason::ForeignTopic, false, |agent| Sent { topic: "a/b".to_owned(), ..events(agent) });
    check(RefusalReason::ForeignTopic, false, |agent| Sent {
        topic: agent.topic(Kind::Ack).to_string(),
        ..events(agent)
    });
    check(RefusalReason::UnknownMachine, false, |agent| {
        let stranger = Agent::new("tm-99", &agent.master);
        Sent { topic: stranger.topic(Kind::Events).to_string(), ..events(agent) }
    });
    check(RefusalReason::NotAuthentic, false, |agent| {
        let other = Agent::new("tm-02", &agent.master);
        Sent { topic: other.topic(Kind::Events).to_string(), ..events(agent) }
    });
    check(RefusalReason::NotAuthentic, false, |agent| Sent {
        topic: agent.topic(Kind::Readings).to_string(),
        ..agent.seal(Kind::Status, Bytes::new())
    });
    check(RefusalReason::NotAuthentic, false, |agent| {
        let sent = events(agent);
        let mut payload = sent.payload.to_vec();
        let middle = payload.len() / 2;
        payload[middle] ^= 1;
        Sent { payload: payload.into(), ..sent }
    });
    check(RefusalReason::WrongGeneration, false, |agent| {
        agent.generation = 2;
        events(agent)
    });
    check(RefusalReason::Unreadable, false, |agent| Sent {
        payload: Bytes::from_static(b"\xff\xff"),
        ..events(agent)
    });
    check(RefusalReason::Unreadable, false, |agent| {
        let sent = events(agent);
        Sent { payload: sent.payload.slice(..sent.payload.len() / 2), ..sent }
    });
    check(RefusalReason::TooLarge, false, |agent| Sent {
        payload: Bytes::from(vec![0; limits::MESSAGE_BYTES_MAX + 1]),
        ..events(agent)
    });
}

#[test]
fn what_is_authentic_and_wrong_is_told_to_the_agent() {
    check(RefusalReason::TooLarge, true, |agent| {
        agent.seal(Kind::Events, Bytes::from(vec![0; limits::ENVELOPE_BYTES_MAX + 1]))
    });
    check(RefusalReason::Unreadable, true, |agent| agent.seal(Kind::Events, Bytes::from_static(b"\xff")));
    check(RefusalReason::Unreadable, true, |agent| agent.seal(Kind::Status, Bytes::from_static(b"\xff")));
    check(RefusalReason::Unreadable, true, |agent| rewritten(agent, Kind::Readings, |_| {}));
    check(RefusalReason::Version, true, |agent| {
        let envelope = wire::proto::Envelope { version: 2, ..wire::proto::Envelope::default() };
        agent.seal(Kind::Events, prost_encode(&envelope))
    });
    check(RefusalReason::Unreadable, true, |agent| {
        rewritten(agent, Kind::Events, |envelope| envelope.entries.clear())
    });
}

fn prost_encode(envelope: &wire::proto::Envelope) -> Bytes {
    // Field 1, a number: the version.
    Bytes::from(vec![8, u8::try_from(envelope.version).expect("small")])
}

#[test]
fn an_old_key_is_refused_once_the_new_one_was_seen() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = world.agent("tm-01");
    agent.event(EventKind::BeltStarted);
    let (machine, settings) = (agent.machine.clone(), Arc::default());
    let newer = Registered { machine, key_generation: 2, revoked_generation: 0, settings };
    world.tell(Input::Registered(std::slice::from_ref(&newer)));
    world.registered = vec![newer];
    world.deliver(&events(&agent));
    assert_eq!(world.journal.len(), 1, "the old key is good until the new one is seen");
    agent.generation = 2;
    let status = agent.send_status();
    world.deliver(&status);
    world.answer(&mut agent);
    agent.generation = 1;
    agent.event(EventKind::BeltStopped);
    world.deliver(&events(&agent));
    assert_eq!(world.counters().refused_for(RefusalReason::WrongGeneration), 1);
    // The spool is not stranded: it is sealed with the new key.
    agent.generation = 2;
    world.settle(&mut agent);
    assert_eq!(world.records(&agent.machine, Lane::Events).len(), 2);
    // A restart of the server does not make the old key good again.
    world.tell(Input::Stopping);
    world.crash(true);
    agent.generation = 1;
    let status = agent.send_status();
    world.deliver(&status);
    assert_eq!(world.counters().refused_for(RefusalReason::WrongGeneration), 1);
}

/// The server dies right after the new key was seen, before anything was folded and long before a checkpoint is due.
#[test]
fn an_old_key_stays_refused_when_the_server_dies_as_soon_as_the_new_one_was_seen() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = world.agent("tm-01");
    agent.event(EventKind::BeltStarted);
    world.settle(&mut agent);
    let (machine, settings) = (agent.machine.clone(), Arc::default());
    let newer = Registered { machine, key_generation: 2, revoked_generation: 0, settings };
    world.tell(Input::Registered(std::slice::from_ref(&newer)));
    world.registered = vec![newer];
    agent.generation = 2;
    let status = agent.send_status();
    world.deliver(&status);
    world.crash(true);
    assert_eq!(world.records(&agent.machine, Lane::Events).len(), 1, "nothing is folded twice");
    agent.generation = 1;
    let status = agent.send_status();
    world.deliver(&status);
    assert_eq!(world.counters().refused_for(RefusalReason::WrongGeneration), 1);
    agent.generation = 2;
    agent.event(EventKind::BeltStopped);
    world.settle(&mut agent);
    assert_eq!(world.records(&agent.machine, Lane::Events).len(), 2);
}

#[test]
fn a_revoked_credential_is_refused_until_it_is_renewed() {
    let mut world = World::new(&["tm-01", "tm-02"]);
    let (mut agent, mut other) = (world.agent("tm-01"), world.agent("tm-02"));
    let registered = |key_generation, revoked_generation| Registered {
        machine: MachineId::new("tm-01").expect("an id"),
        key_generation,
        revoked_generation,
        settings: Arc::default(),
    };
    agent.event(EventKind::BeltStarted);
    world.settle(&mut agent);
    // Revoked while something of the agent is being written.
    agent.event(EventKind::BeltStopped);
    world.appends = false;
    world.deliver(&events(&agent));
    world.registered[0] = registered(1, 1);
    world.tell(Input::Registered(&[registered(1, 1)]));
    world.appends = true;
    world.commit();
    assert_eq!(world.journal.len(), 2, "what came before is taken");
    world.pass(2 * SECOND);
    assert_eq!(world.acks(&agent).len(), 0, "nothing is told to whoever has that credential");

    let refused = |world: &mut World, agent: &mut Agent| {
        let before = (world.journal.len(), world.counters().refused_for(RefusalReason::WrongGeneration));
        agent.event(EventKind::BeltStarted);
        for sent in [events(agent), agent.send_status()] {
            world.deliver(&sent);
        }
        world.pass(2 * SECOND);
        let after = (world.journal.len(), world.counters().refused_for(RefusalReason::WrongGeneration));
        assert_eq!(after, (before.0, before.1 + 2));
        assert_eq!(world.acks(agent).len(), 0);
        world.refused.last().expect("it was refused").detail.clone()
    };
    let detail = refused(&mut world, &mut agent);
    assert!(detail.contains("was revoked; make a new one with `beltwatch machine renew`"), "{detail}");
    // Others speak on, and what was known of the machine is still known, also after a restart.
    other.event(EventKind::BeltStarted);
    world.settle(&mut other);
    world.tell(Input::Stopping);
    world.crash(true);
    refused(&mut world, &mut agent);
    assert_eq!(world.records(&agent.machine, Lane::Events).len(), 2);
    assert!(world.states.contains_key(&agent.machine));

    // Renewed: the old generation stays refused, the new one brings what the spool held.
    world.registered[0] = registered(2, 1);
    world.tell(Input::Registered(&[registered(2, 1)]));
    let detail = refused(&mut world, &mut agent);
    assert!(detail.contains("is 1; 2 to 2 is allowed"), "{detail}");
    agent.generation = 2;
    world.settle(&mut agent);
    let kept: Vec<_> = world.records(&agent.machine, Lane::Events);
    let written: Vec<_> = agent.written[index(Lane::Events)].iter().map(|(position, _)| *position).collect();
    assert_eq!(kept.iter().map(|(_, position, _)| *position).collect::<Vec<_>>(), written);
}

#[test]
fn two_agents_of_one_machine_are_an_alarm_and_the_newest_connection_wins() {
    let mut world = World::new(&["tm-01"]);
    let mut one = world.agent("tm-01");
    one.event(EventKind::BeltStarted);
    world.settle(&mut one);
    let mut copy = one.clone();
    copy.boot = BootId([2; 16]);
    copy.boots.iter_mut().for_each(|boot| boot.maker = Some(copy.boot));
    let status = copy.send_status();
    world.deliver(&status);
    assert_eq!(world.acks(&copy).len(), 1);
    // Both count the same boot as theirs: what the copy makes is not merged into it.
    copy.event(EventKind::BeltStopped);
    world.deliver(&events(&copy));
    assert_eq!(world.counters().refused_for(RefusalReason::LogId), 1);
    assert_eq!(world.alarms.len(), 1, "{:?}", world.alarms);
    // The older one is refused and told so.
    one.event(EventKind::BeltStopped);
    world.pass(SECOND);
    world.deliver(&events(&one));
    assert_eq!(world.counters().refused_for(RefusalReason::Order), 1);
    let mut acks = world.acks(&one);
    acks.retain(|ack| ack.boot == one.boot);
    let refusals: Vec<&str> =
        acks.iter().filter_map(|ack| ack.refusal.as_ref()).map(|refusal| refusal.reason.as_str()).collect();
    assert_eq!(refusals, ["order"]);
    assert!(acks.iter().all(|ack| ack.lanes.is_empty()), "nothing is acknowledged to it");
    // It makes a new connection, and speaks for the machine again.
    one.connect();
    world.settle(&mut one);
    assert_eq!(world.records(&one.machine, Lane::Events).len(), 2);
    assert!(world.counters().clones_seen >= 2);
}

#[test]
fn a_spool_that_was_put_back_learns_what_the_log_holds() {
    let mut world = World::new(&["tm-01"]);
    let mut agent = world.agent("tm-01");
    let old = agent.clone();
    for process in 2..5 {
        agent.event(EventKind::BeltStarted);
        world.settle(&mut agent);
        agent.restart(process);
    }
    world.settle(&mut agent);
    // A backup of the card from its first boot is started instead.
    let mut restored = Agent { boot: BootId([9; 16]), ..old };
    let status = restored.send_status();
    world.deliver(&status);
    assert!(world.acks(&restored).iter().all(|ack| ack.lanes.is_empty()), "the other may be alive");
    world.pass(70 * SECOND);
    let status = restored.send_status();
    world.deliver(&status);
    let lanes: Vec<_> = world.acks(&restored).into_iter().flat_map(|ack| ack.lanes).collect();
    let events = lanes.iter().find(|lane| lane.lane == Lane::Events).expect("it is told");
    // Beyond the boot of the process that speaks for the machine, so that it takes nothing for acknowledged.
    assert_eq!(events.committed.map(|committed| committed.boot_count), Some(5));
}
