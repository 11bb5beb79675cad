//! How the sources of a machine's agents were set over time.

use serde::{Deserialize, Serialize};

use crate::ids::ConfigurationHash;
use crate::limits::CONFIGURATIONS_TOLD_MAX;
use crate::units::UnixMicros;

/// Stands for configurations that were told, and forgotten since: none has this hash, so none is proven for it.
const FORGOTTEN: ConfigurationHash = ConfigurationHash([0; 16]);

/// How the sources of a machine's agents were set over time, as each told when it started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Configurations(Vec<Span>);

/// A time in which nothing else was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Span {
    from: UnixMicros,
    /// When the same was told last.
    again: UnixMicros,
    /// `None`: by an agent that does not tell, as older ones.
    told: Option<ConfigurationHash>,
}

impl Configurations {
    /// What held then; `None`: it was not told.
    pub fn at(&self, time: UnixMicros) -> Option<ConfigurationHash> {
        let after = self.0.partition_point(|span| span.from <= time);
        self.0[..after].last().and_then(|span| span.told)
    }

    /// What was told for the newest time.
    pub fn newest(&self) -> Option<ConfigurationHash> {
        self.0.last().and_then(|span| span.told)
    }

    /// Takes what an agent told that started then.
    pub fn tell(&mut self, time: UnixMicros, told: Option<ConfigurationHash>) {
        let after = self.0.partition_point(|span| span.from <= time);
        let mut made = vec![Span { from: time, again: time, told }];
        match self.0[..after].last_mut() {
            Some(before) if before.told == told => {
                before.again = before.again.max(time);
                return;
            }
            // An older spool has come back: what was told after that time goes on to hold.
            Some(before) if before.again > time => {
                made.push(Span { from: before.again, ..*before });
                before.again = time;
            }
            Some(_) | None => {}
        }
        self.0.splice(after..after, made);
        if self.0.len() > CONFIGURATIONS_TOLD_MAX {
            let surplus = self.0.len() - CONFIGURATIONS_TOLD_MAX;
            self.0.drain(..surplus);
            let first = &mut self.0[0];
            *first = Span { from: UnixMicros(i64::MIN), again: first.again, told: Some(FORGOTTEN) };
        }
    }

    /// The same of an agent whose start cannot be dated: it started after all that is known, of which `newest` is the time of
    /// the newest record.
    pub fn tell_undated(&mut self, newest: Option<UnixMicros>, told: Option<ConfigurationHash>) {
        let newest = newest.max(self.0.last().map(|span| span.again));
        self.tell(newest.map_or(UnixMicros(i64::MIN), |newest| newest.plus(1)), told);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(number: u8) -> Option<ConfigurationHash> {
        (number > 0).then_some(ConfigurationHash([number; 16]))
    }

    fn told(starts: &[(i64, u8)]) -> Configurations {
        let mut all = Configurations::default();
        starts.iter().for_each(|(time, number)| all.tell(UnixMicros(*time), hash(*number)));
        all
    }

    #[test]
    fn a_configuration_holds_from_the_start_that_told_it() {
        let check = |starts: &[(i64, u8)], time: i64, expected: u8| {
            assert_eq!(told(starts).at(UnixMicros(time)), hash(expected), "{starts:?} at {time}");
        };
        check(&[], 5, 0);
        let changed = [(10, 1), (20, 1), (30, 2), (40, 0)];
        for (time, expected) in [(9, 0), (10, 1), (29, 1), (30, 2), (39, 2), (40, 0), (99, 0)] {
            check(&changed, time, expected);
        }
        // A start that is told late, by a spool that was away.
        let late = [(10, 1), (30, 1), (20, 2)];
        for (time, expected) in [(10, 1), (19, 1), (20, 2), (29, 2), (30, 1)] {
            check(&late, time, expected);
        }
        check(&[(30, 1), (10, 2)], 20, 2);
        check(&[(30, 1), (10, 0)], 20, 0);
    }

    #[test]
    fn a_start_without_a_date_follows_all_that_is_known() {
        let check = |starts: &[(i64, u8)], newest: Option<i64>, time: i64, expected: u8| {
            let mut all = told(starts);
            all.tell_undated(newest.map(UnixMicros), hash(3));
            assert_eq!(all.at(UnixMicros(time)), hash(expected), "{starts:?}, {newest:?} at {time}");
            assert_eq!(all.newest(), hash(3));
        };
        check(&[], None, 5, 3);
        check(&[(10, 1)], Some(20), 20, 1);
        check(&[(10, 1)], Some(20), 21, 3);
        check(&[(10, 1)], None, 10, 1);
        check(&[(10, 1)], None, 11, 3);
    }

    #[test]
    fn what_is_forgotten_is_not_taken_for_what_was_not_told() {
        let many = i64::try_from(CONFIGURATIONS_TOLD_MAX).expect("small") + 9;
        let starts: Vec<(i64, u8)> = (1..=many).map(|n| (n * 10, if n % 2 == 0 { 1 } else { 2 })).collect();
        let all = told(&starts);
        assert_eq!(all.0.len(), CONFIGURATIONS_TOLD_MAX);
        assert_eq!(all.at(UnixMicros(5)), Some(FORGOTTEN));
        assert_eq!(all.at(UnixMicros(50)), Some(FORGOTTEN));
        assert_eq!(all.at(UnixMicros((many - 1) * 10)), hash(if many % 2 == 0 { 2 } else { 1 }));
    }

    proptest! {
        /// Each start that was told holds at its own time, whatever is told behind it, and telling all again changes nothing.
        #[test]
        fn starts_are_taken_in_any_order(
            starts in prop::collection::btree_map(0_i64..100, 0_u8..4, 0..12).prop_map(Vec::from_iter),
            order in any::<prop::sample::Index>(),
        ) {
            let sorted = told(&starts);
            for (time, number) in &starts {
                prop_assert_eq!(sorted.at(UnixMicros(*time)), hash(*number));
            }
            prop_assert!(sorted.0.windows(2).all(|two| two[0].from < two[1].from && two[0].told != two[1].told));
            // One of them comes last.
            let mut late = starts.clone();
            if !late.is_empty() {
                let one = late.remove(order.index(late.len()));
                late.push(one);
                let all = told(&late);
                prop_assert_eq!(all.at(UnixMicros(one.0)), hash(one.1));
                prop_assert_eq!(all.newest(), sorted.newest());
                let first = starts[0];
                prop_assert_eq!(all.at(UnixMicros(first.0)), hash(first.1));
            }
            let mut again = sorted.clone();
            starts.iter().for_each(|(time, number)| again.tell(UnixMicros(*time), hash(*number)));
            prop_assert_eq!(again, sorted);
        }
    }
}
