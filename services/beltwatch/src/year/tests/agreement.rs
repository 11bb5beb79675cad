//! The machine mind, fed with readings of 1 to 60 s, gives the usage and the sessions that are folded from spells.

use std::sync::Arc;

use domain::belt::Belt;
use domain::incident::settings::{MachineSettings, Timeline};
use domain::live::Session;
use domain::log::Position;
use domain::machine::{MachineFold, MachineMind};
use domain::record::{Event, EventKind, Payload, Reading, Record};
use domain::units::MonotonicMicros;
use proptest::prelude::*;

use super::*;

/// Usage by day and quarter.
type Quarters = BTreeMap<(i32, u8), Usage>;

fn quarters(rows: &[UsageRow]) -> Quarters {
    let mut all = Quarters::new();
    for row in rows {
        for quarter in code::quarters(&row.quarters) {
            let (number, usage) = quarter.unwrap();
            all.entry((row.day, number)).or_default().merge(&usage);
        }
    }
    all
}

/// What the machine mind makes of the same spells, cut into readings.
fn by_the_mind(year: &Year, number: usize, seed: u64) -> (Vec<UsageRow>, Vec<Session>) {
    let (machine, log) = (&year.machines()[number], year.log(number));
    let mut mind = MachineMind::new(machine.id.clone(), MachineFold::default());
    mind.obey(Arc::new(Timeline::always(MachineSettings {
        belt: machine.kind.belt(),
        direction_proven: machine.kind.is_measured(),
        ..Default::default()
    })));
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut rows, mut sessions) = (Vec::new(), BTreeMap::new());
    let (mut boot, mut n) = (0, 0);
    let mut fold = |position: Position, time: UnixMicros, payload: Payload| {
        let record = Record { at: MonotonicMicros(1), other_n: 0, payload };
        let folded = mind.fold(log, position, Some(time), &record);
        rows.extend(folded.usage);
        sessions.extend(folded.sessions.into_iter().map(|session| (session.started, session)));
    };
    year.spells(number, |spell| {
        if spell.boot != boot {
            (boot, n) = (spell.boot, 0);
            let mut event =
                Event::new(EventKind::AgentStarted, MonotonicMicros(1), Belt::default(), Belt::default());
            event.capabilities = Some(machine.kind.capabilities());
            fold(Position::new(boot, 0), spell.from, Payload::Event(event));
        }
        let mut at = spell.from;
        while at < spell.until {
            let length = random.i64(1_000..=60_000) * 1_000;
            let end = at.plus(length).min(spell.until);
            let span_ms = u32::try_from(end.since(at) / 1_000).unwrap();
            n += 1;
            let reading = Reading { span_ms, ..spell.reading.clone() };
            fold(Position::new(boot, n), end, Payload::Reading(reading));
            at = end;
        }
    });
    rows.extend(mind.open_usage());
    assert_eq!(mind.open_session(), None, "every session has ended");
    (rows, sessions.into_values().collect())
}

/// What a session says, whoever wrote it when.
fn said(session: &Session) -> Session {
    Session { revision: 0, ..session.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn spells_and_readings_fold_to_the_same(seed in any::<u64>(), number in 0_usize..10, month in 1_i8..=12) {
        let year = fleet(seed, 10, date(2026, month, 14), 2);
        let history = year.history(number);
        let (rows, sessions) = by_the_mind(&year, number, seed);
        prop_assert_eq!(quarters(&history.usage), quarters(&rows));
        let without_id = |session: &Session| Session { id: Default::default(), ..said(session) };
        let ours: Vec<Session> = history.sessions.iter().map(without_id).collect();
        let theirs: Vec<Session> = sessions.iter().map(without_id).collect();
        prop_assert_eq!(ours, theirs);
    }
}
