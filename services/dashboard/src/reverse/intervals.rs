//! Intervals in reverse: how many, how long, and what came after.

use wire::api::v1;

use crate::texts::Texts;
use crate::usage::figures::{length, percent, ratio, seconds, share};
use crate::words::{self, Reader};

/// Figures of intervals in words.
#[derive(Debug)]
pub(super) struct Intervals {
    pub(super) count: u32,
    /// Names and values.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) classes: Vec<Class>,
    pub(super) recoveries: Vec<Recovery>,
}

/// Intervals of some length, and the height of their bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) words: String,
    pub(super) count: u32,
    pub(super) begin: String,
    pub(super) width: String,
    pub(super) top: String,
    pub(super) height: String,
}

/// What came after some of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recovery {
    pub(super) words: &'static str,
    pub(super) count: u32,
    pub(super) share: String,
    pub(super) mean: String,
}

impl Intervals {
    pub(super) fn new(told: v1::IntervalFigures, reader: Reader) -> Intervals {
        let t = reader.t;
        let words = |time: &Option<prost_types::Duration>| {
            time.as_ref().map_or_else(|| "–".to_owned(), |time| interval(words::seconds(time), reader))
        };
        let rest = told.work_to_rest.map(|work| {
            let parts = if work > 0.0 { ratio(1.0 / work, reader) } else { "–".to_owned() };
            t.work_to_rest_is(parts, ratio(work, reader))
        });
        let facts = vec![
            (t.intervals_count(), told.count.to_string()),
            (t.intervals_thirty(), told.thirty.to_string()),
            (t.intervals_median(), words(&told.median)),
            (t.intervals_longest(), words(&told.longest)),
            (t.work_to_rest(), rest.unwrap_or_else(|| t.work_to_rest_none().to_owned())),
        ];
        Intervals {
            count: told.count,
            facts,
            classes: classes(&told.classes, reader),
            recoveries: recoveries(&told, reader),
        }
    }
}

/// A length in seconds up to two minutes, as intervals are spoken of.
fn interval(seconds: f64, reader: Reader) -> String {
    if seconds < 120.0 { reader.t.age_seconds(format!("{seconds:.0}")) } else { length(seconds, reader) }
}

fn classes(told: &[v1::IntervalClass], reader: Reader) -> Vec<Class> {
    let most = told.iter().map(|class| class.count).max().unwrap_or(0);
    let all = u32::try_from(told.len()).map_or(1.0, f64::from);
    let class = |(class, at): (&v1::IntervalClass, u32)| {
        let from = interval(seconds(class.from.as_ref()), reader);
        let words = match &class.to {
            Some(to) => reader.t.interval_class(from, interval(words::seconds(to), reader)),
            None => reader.t.interval_class_open(from),
        };
        let (count, most) = (f64::from(class.count), f64::from(most));
        Class {
            words,
            count: class.count,
            begin: share(f64::from(at) + 0.1, all),
            width: share(0.8, all),
            top: share(most - count, most),
            height: share(count, most),
        }
    };
    told.iter().zip(0_u32..).map(class).collect()
}

fn recoveries(told: &v1::IntervalFigures, reader: Reader) -> Vec<Recovery> {
    let recovery = |one: &v1::RecoveryCount| Recovery {
        words: recovery_name(one.kind(), reader.t),
        count: one.count,
        share: percent(f64::from(one.count), f64::from(told.count), reader)
            .map_or_else(String::new, |share| reader.t.usage_percent(share)),
        mean: one.mean.as_ref().map_or_else(String::new, |mean| interval(words::seconds(mean), reader)),
    };
    told.recoveries.iter().map(recovery).collect()
}

fn recovery_name(kind: v1::RecoveryKind, t: Texts) -> &'static str {
    match kind {
        v1::RecoveryKind::Unspecified => t.recovery_last(),
        v1::RecoveryKind::Standing => t.recovery_standing(),
        v1::RecoveryKind::Forward => t.recovery_forward(),
        v1::RecoveryKind::Reverse => t.recovery_reverse(),
        v1::RecoveryKind::Mixed => t.recovery_mixed(),
        v1::RecoveryKind::Unseen => t.recovery_unseen(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;
    use crate::words::Unit;

    const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

    fn span(seconds: i64) -> Option<prost_types::Duration> {
        Some(prost_types::Duration { seconds, nanos: 0 })
    }

    #[test]
    fn classes_stand_beside_each_other() {
        let class = |from, to: i64, count| v1::IntervalClass {
            from: span(from),
            to: span(to).filter(|_| to > 0),
            count,
        };
        let told = v1::IntervalFigures {
            count: 6,
            thirty: 4,
            median: span(30),
            classes: vec![class(5, 25, 2), class(25, 300, 4), class(300, 0, 0)],
            work_to_rest: Some(0.5),
            ..v1::IntervalFigures::default()
        };
        let shown = Intervals::new(told, READER);
        let words: Vec<_> =
            shown.classes.iter().map(|one| (one.words.as_str(), one.count, &*one.height)).collect();
        let expected = [
            ("5 s to under 25 s", 2, "50.00%"),
            ("25 s to under 5.0 min", 4, "100.00%"),
            ("5.0 min or longer", 0, "0.00%"),
        ];
        assert_eq!(words, expected);
        assert_eq!(shown.classes[1].begin, "36.67%");
        let values: Vec<&str> = shown.facts.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["6", "4", "30 s", "–", "1 to 2.00 (0.50)"]);
    }

    #[test]
    fn none_is_none() {
        let shown = Intervals::new(v1::IntervalFigures::default(), READER);
        assert_eq!((shown.count, shown.classes.len(), shown.recoveries.len()), (0, 0, 0));
        assert_eq!(shown.facts[4].1, "no interval was followed by another one");
    }
}
