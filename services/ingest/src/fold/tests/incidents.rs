//! Incidents are the same in whatever order slices arrive, and when the fold goes on from a checkpoint.

use std::collections::BTreeMap;

use domain::belt::Contact;
use domain::ids::IncidentId;
use domain::incident::settings::MachineSettings;
use domain::registry::BeltKind;
use domain::signal::Capabilities;

use super::*;

/// What a machine may tell, by a number.
fn told(what: u8, at: MonotonicMicros, moving: &mut bool) -> (Lane, Payload) {
    let event = |kind, contact, moving: bool| {
        let speed = Some(Speed(if moving { 1_000 } else { 0 }));
        let belt = Belt { speed, direction: Direction::Forward, origin: Origin::Measured, ..Belt::default() };
        let mut event = Event::new(kind, at, belt, belt);
        event.contact = contact;
        event.source = "a".to_owned();
        event.detail = "b".to_owned();
        if kind == EventKind::AgentStarted {
            event.capabilities = Some(Capabilities(0xffff));
        }
        (Lane::Events, Payload::Event(event))
    };
    let moves = *moving;
    match what {
        0 => {
            *moving = true;
            event(EventKind::BeltStarted, None, true)
        }
        1 => {
            *moving = false;
            event(EventKind::BeltStopped, None, false)
        }
        2 => event(EventKind::ContactOpened, Some(Contact::EmergencyStop), moves),
        3 => event(EventKind::ContactClosed, Some(Contact::EmergencyStop), moves),
        4 => event(EventKind::ContactOpened, Some(Contact::SafetyKey), moves),
        5 => event(EventKind::ContactClosed, Some(Contact::SafetyKey), moves),
        6 => event(EventKind::SafetyKeyStop, None, moves),
        7 => event(EventKind::FaultReported, None, moves),
        8 => event(EventKind::ValueImplausible, None, moves),
        9 => event(EventKind::DirectionChanged, None, moves),
        10 => event(EventKind::UserStarted, None, moves),
        11 => event(EventKind::AgentStarted, None, moves),
        12 => event(EventKind::SourceStale, None, moves),
        _ => (Lane::Readings, Payload::Reading(reading(moves))),
    }
}

proptest! {
    #[test]
    fn incidents_do_not_depend_on_the_order_of_arrival_nor_on_a_restart(
        written in prop::collection::vec((0_u8..30, prop::sample::select(vec![10_u64, 30, 400, 1_000, 1_000, 1_000, 1_000, 2_000, 3_000, 11_000])), 0..120),
        orders in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..120), 3),
        restart in any::<Index>(),
    ) {
        let mut writer = Writer::new(1);
        let mut moving = false;
        for (what, ms) in std::iter::once(&(11, 1_000)).chain(&written) {
            writer.at = writer.at.plus(ms * 1_000);
            let (lane, payload) = told(*what, writer.at, &mut moving);
            let index = lane.index();
            let record = Record { at: writer.at, other_n: writer.n[1 - index], payload };
            writer.n[index] += 1;
            let n = writer.n[index];
            let entry = Entry { n, record: wire::record::encode(&record) };
            writer.slices[index].push(Slice {
                machine: machine(), log: LogId::for_lane(writer.spool, lane), lane,
                boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
                first: n, last: n, records: 1, hole: None, clock: CLOCK, body: encode_slice(&[entry]),
            });
        }
        let settings = MachineSettings { belt: BeltKind::Reversible, direction_proven: true, ..Default::default() };
        let timeline = Arc::new(Timeline::always(settings));
        let mut all = Vec::new();
        for (number, order) in orders.iter().enumerate() {
            let mut bench = Bench::new();
            bench.folder.obey(timeline.clone());
            let mut found: BTreeMap<IncidentId, Incident> = Default::default();
            let slices = if number == 1 { interleaved(&writer, &vec![true; writer.slices[0].len()]) } else { interleaved(&writer, order) };
            for (index, slice) in slices.iter().enumerate() {
                bench.journal.push(slice.clone());
                let records = read(slice.lane, &decode_slice(slice.body.clone()).unwrap());
                let folded = bench.folder.slice(bench.journal.len() as u64, slice, records, &mut bench.derived);
                for one in folded.incidents {
                    let known = found.get(&one.id).map_or(0, |one| one.revision);
                    prop_assert!(one.revision > known);
                    prop_assert!(one.cleared.is_none_or(|cleared| cleared >= one.time), "cleared before it happened {:?}", one);
                    found.insert(one.id, one);
                }
                if number == 2 && index == restart.index(written.len() + 1) {
                    bench.restart();
                    bench.folder.obey(timeline.clone());
                }
            }
            let mut found: Vec<Incident> = found.into_values().collect();
            found.iter_mut().filter(|one| !one.trace_complete).for_each(|one| one.trace.clear());
            all.push(found);
        }
        prop_assert_eq!(&all[0], &all[1]);
        prop_assert_eq!(&all[0], &all[2]);
    }
}
