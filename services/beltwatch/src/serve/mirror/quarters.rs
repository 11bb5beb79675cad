//! Which quarters of an hour were written, so that a day that grows is not written whole each minute.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use domain::ids::MachineId;
use domain::limits::MIRROR_DAYS_KNOWN;
use domain::usage::{Usage, code};

/// A day of a machine.
pub(super) type Day = (i32, MachineId);

/// What was written of a day: a digest of each quarter; 0: nothing.
pub(super) type Digests = [u64; 96];

/// What was written of many days.
#[derive(Debug, Default)]
pub(super) struct QuartersKnown {
    days: BTreeMap<Day, Box<Digests>>,
}

impl QuartersKnown {
    /// Of a day's quarters those that are not written as they are now, and what is to be noted once they are.
    pub(super) fn changed<'u>(
        &self,
        day: &Day,
        quarters: &'u BTreeMap<u8, Usage>,
    ) -> (Vec<(u8, &'u Usage)>, Box<Digests>) {
        let mut digests = self.days.get(day).cloned().unwrap_or_else(|| Box::new([0; 96]));
        let mut changed = Vec::new();
        for (number, usage) in quarters {
            let digest = digest(usage);
            let Some(known) = digests.get_mut(usize::from(*number)) else { continue };
            if *known != digest {
                *known = digest;
                changed.push((*number, usage));
            }
        }
        (changed, digests)
    }

    /// Notes what was written of a day.
    pub(super) fn note(&mut self, day: Day, digests: Box<Digests>) {
        self.days.insert(day, digests);
        // Old days change seldom.
        while self.days.len() > MIRROR_DAYS_KNOWN {
            self.days.pop_first();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.days.clear();
    }
}

fn digest(usage: &Usage) -> u64 {
    let mut hasher = DefaultHasher::new();
    code::encode(usage).hash(&mut hasher);
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(rest_us: u64) -> Usage {
        let mut usage = Usage::default();
        usage.rest_us = rest_us;
        usage
    }

    fn day(day: i32) -> Day {
        (day, MachineId::new("tm-01").unwrap())
    }

    #[test]
    fn only_what_changed_is_written_again() {
        let mut known = QuartersKnown::default();
        let check = |known: &mut QuartersKnown, values: &[(u8, u64)], expected: &[u8], written: bool| {
            let quarters = values.iter().map(|(number, rest)| (*number, usage(*rest))).collect();
            let (changed, digests) = known.changed(&day(7), &quarters);
            assert_eq!(changed.iter().map(|(number, _)| *number).collect::<Vec<_>>(), expected);
            if written {
                known.note(day(7), digests);
            }
        };
        check(&mut known, &[(3, 1), (95, 2)], &[3, 95], false);
        check(&mut known, &[(3, 1), (95, 2)], &[3, 95], true);
        check(&mut known, &[(3, 1), (95, 2)], &[], true);
        check(&mut known, &[(3, 9), (95, 2), (4, 0)], &[3, 4], true);
        check(&mut known, &[(3, 1)], &[3], true);
        known.clear();
        check(&mut known, &[(3, 1)], &[3], true);
    }

    #[test]
    fn the_oldest_days_are_forgotten_first() {
        let mut known = QuartersKnown::default();
        for number in 0..=i32::try_from(MIRROR_DAYS_KNOWN).unwrap() {
            known.note(day(-number), Box::new([1; 96]));
        }
        assert_eq!(known.days.len(), MIRROR_DAYS_KNOWN);
        let last = -i32::try_from(MIRROR_DAYS_KNOWN).unwrap();
        assert!(!known.days.contains_key(&day(last)) && known.days.contains_key(&day(0)));
    }
}
