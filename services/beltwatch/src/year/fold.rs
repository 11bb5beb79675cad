//! A machine's year as the ledger keeps it.

use std::collections::BTreeMap;

use domain::ids::{LogId, SessionId};
use domain::live::Session;
use domain::log::Position;
use domain::units::UnixMicros;
use domain::usage::{OpenDay, PartId, Stretch, UsageFold, UsageRow};

use super::plan::Purpose;
use super::sessions::SessionFold;
use super::{FleetMachine, Year};

/// What the ledger keeps of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Parts of days, in order.
    pub usage: Vec<UsageRow>,
    /// Sessions, in order.
    pub sessions: Vec<Session>,
    /// Sessions that are of a course, with its number. Those that were not seen from the beginning are not among them.
    pub courses: Vec<(SessionId, usize)>,
}

impl Year {
    /// The log that tells of the machine with this number. No agent has it.
    pub fn log(&self, number: usize) -> LogId {
        let seed = self.machine_seed(number).to_be_bytes();
        let mut octets = *b"year----machine-";
        octets[..8].copy_from_slice(&seed);
        LogId(octets)
    }

    /// The history of the machine with this number.
    pub fn history(&self, number: usize) -> History {
        let (machine, log) = (&self.machines()[number], self.log(number));
        let mut usage = UsageFold { able: machine.kind.capabilities(), ..UsageFold::default() };
        let mut sessions = SessionFold::new(&machine.id, log);
        let mut rows = Vec::new();
        let (mut revision, mut boot, mut n) = (0, 0, 0);
        self.spells(number, |spell| {
            revision += 1;
            n = if spell.boot == boot { n + 1 } else { 1 };
            boot = spell.boot;
            let position = Position::new(boot, n);
            let stretch = Stretch::of(spell.until, &spell.reading, usage.able, machine.kind.belt());
            for open in usage.add(&stretch, PartId::of(log, position)) {
                rows.push(row(machine, &open, revision));
            }
            sessions.add(&spell, position, revision);
        });
        rows.extend(usage.open.iter().map(|open| row(machine, open, revision)));
        let sessions = sessions.finish();
        let courses = self.courses(number, &sessions);
        History { usage: rows, sessions, courses }
    }

    fn courses(&self, number: usize, sessions: &[Session]) -> Vec<(SessionId, usize)> {
        if self.machines()[number].appointments.is_empty() {
            return Vec::new();
        }
        let by_start: BTreeMap<UnixMicros, SessionId> =
            sessions.iter().map(|session| (session.started, session.id)).collect();
        self.planned(number)
            .filter_map(|planned| match planned.purpose {
                Purpose::Course(course) => Some((*by_start.get(&planned.starts)?, course)),
                Purpose::Exercise | Purpose::TestRun => None,
            })
            .collect()
    }
}

fn row(machine: &FleetMachine, open: &OpenDay, revision: u64) -> UsageRow {
    UsageRow {
        machine: machine.id.clone(),
        day: open.day,
        part: open.part,
        revision,
        through: open.through,
        quarters: open.quarters(),
    }
}
