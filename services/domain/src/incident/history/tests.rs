use proptest::prelude::*;

use super::*;
use crate::belt::{Belt, Contact, Contacts};
use crate::incident::settings::MachineSettings;
use crate::incident::{Rule, Severity};
use crate::record::{Event, EventKind, Payload, Reading};
use crate::signal::Capabilities;
use crate::units::{MonotonicMicros, Speed};

const SPOOL: [u8; 16] = [6; 16];

fn machine() -> MachineId {
    MachineId::new("tm-1").expect("an id")
}

/// A record of a boot, with the number of the other lane's last record before it.
fn remembered(lane: Lane, boot: u32, n: u64, other_n: u64, at: u64) -> Remembered {
    let payload = match lane {
        Lane::Readings => Payload::Reading(Reading { span_ms: 1, ..Reading::default() }),
        Lane::Events => {
            let at = MonotonicMicros(at);
            Payload::Event(Event::new(EventKind::BeltStarted, at, Belt::default(), Belt::default()))
        }
    };
    Remembered {
        log: LogId::for_lane(SPOOL, lane),
        position: Position::new(boot, n),
        time: UnixMicros(i64::try_from(at).expect("small")),
        record: Record { at: MonotonicMicros(at), other_n, payload },
    }
}

/// As an agent writes: `true` is an event, and each inner list a boot.
fn written(boots: &[Vec<bool>]) -> Vec<(Lane, Remembered)> {
    let (mut all, mut at) = (Vec::new(), 0);
    for (boot, lanes) in (1..).zip(boots) {
        let mut last = [0_u64; 2];
        for is_event in lanes {
            let lane = if *is_event { Lane::Events } else { Lane::Readings };
            last[lane.index()] += 1;
            at += 1;
            let (n, other_n) = (last[lane.index()], last[lane.other().index()]);
            all.push((lane, remembered(lane, boot, n, other_n, at)));
        }
    }
    all
}

/// The order in which the history takes these, read in pages of a size.
fn order(all: &[(Lane, Remembered)], page: usize) -> Vec<(Lane, Position)> {
    let mut left = Lane::ALL.map(|lane| -> VecDeque<Remembered> {
        all.iter().filter(|(of, _)| *of == lane).map(|(_, record)| record.clone()).collect()
    });
    let mut fold = HistoryFold::new(machine(), Vec::new(), &Configurations::default());
    let mut order = Vec::new();
    loop {
        while let Some(lane) = fold.wants() {
            let left = &mut left[lane.index()];
            let count = page.min(left.len());
            fold.push(lane, left.drain(..count).collect());
        }
        let Some(lane) = fold.next_lane() else { return order };
        order.push((lane, fold.lanes[lane.index()][0].position));
        assert!(fold.fold().is_some());
    }
}

proptest! {
    #[test]
    fn records_are_folded_as_they_were_written(
        boots in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..20), 0..4),
        page in 1_usize..7,
    ) {
        let all = written(&boots);
        let expected: Vec<_> = all.iter().map(|(lane, record)| (*lane, record.position)).collect();
        prop_assert_eq!(order(&all, page), expected);
    }

    #[test]
    fn records_that_are_not_there_hold_nothing_up(
        boots in prop::collection::vec(prop::collection::vec(any::<(bool, bool)>(), 0..20), 0..4),
        page in 1_usize..7,
    ) {
        let lanes: Vec<Vec<bool>> = boots.iter().map(|boot| boot.iter().map(|one| one.0).collect()).collect();
        let kept = boots.iter().flatten().map(|one| one.1);
        let all: Vec<_> =
            written(&lanes).into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one).collect();
        let expected: Vec<_> = all.iter().map(|(lane, record)| (*lane, record.position)).collect();
        prop_assert_eq!(order(&all, page), expected);
    }
}

#[test]
fn each_timeline_is_folded_for_itself() {
    let mut open = remembered(Lane::Events, 1, 2, 0, 2_000_000);
    let contacts = Contacts { closed: 0, open: Contact::EmergencyStop.bit() };
    let at = MonotonicMicros(2_000_000);
    let belt = Belt { speed: Some(Speed(1_000)), contacts, ..Belt::default() };
    let mut event =
        Event::new(EventKind::ContactOpened, at, belt, Belt { speed: Some(Speed(1_000)), ..belt });
    event.contact = Some(Contact::EmergencyStop);
    open.record.payload = Payload::Event(event);
    let mut started = remembered(Lane::Events, 1, 1, 0, 1_000_000);
    let mut event = Event::new(EventKind::AgentStarted, at, Belt::default(), Belt::default());
    event.capabilities = Some(Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP));
    started.record.payload = Payload::Event(event);

    let timelines = vec![Timeline::always(MachineSettings::default()), Timeline::default()];
    let mut fold = HistoryFold::new(machine(), timelines, &Configurations::default());
    assert_eq!(fold.wants(), Some(Lane::Events));
    fold.push(Lane::Events, vec![started, open.clone()]);
    assert_eq!((fold.wants(), fold.fold()), (Some(Lane::Readings), None));
    fold.push(Lane::Readings, Vec::new());
    let started = fold.fold().expect("the first event");
    assert!(started.iter().all(|folded| folded.incidents.is_empty()), "{started:?}");
    let found = fold.fold().expect("the second event");
    let id = crate::ids::IncidentId::of(&machine(), open.log, Rule::EmergencyStop, open.position);
    for place in [0, 1] {
        let raised = found[place].incidents.iter().find(|incident| incident.id == id);
        assert_eq!(raised.map(|incident| incident.severity), Some(Severity::Critical), "{found:?}");
    }
    assert_eq!(fold.wants(), Some(Lane::Events));
    fold.push(Lane::Events, Vec::new());
    assert_eq!((fold.wants(), fold.fold()), (None, None));
}
