//! How much of reverse motion was as starting advice says; each criterion with the time in which it was known.

use wire::api::v1;

use crate::usage::figures::{length, percent, seconds, share};
use crate::words::Reader;

/// The speed that starting advice names, in metres per second: 2 mph.
const SLOW_MPS: f64 = 0.894_08;

/// One criterion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) name: String,
    pub(super) words: String,
    /// Length of its bar, of the time in which it was known.
    pub(super) bar: String,
    /// Whether it was ever known.
    pub(super) is_known: bool,
}

pub(super) fn lines(told: &v1::Guidance, reader: Reader) -> Vec<Advice> {
    let t = reader.t;
    let all = told.reverse.as_ref();
    let line = |name: String, met: Option<&prost_types::Duration>, known: Option<&prost_types::Duration>| {
        let (met, known, all) = (seconds(met), seconds(known), seconds(all));
        let words = match percent(met, known, reader) {
            Some(share) => t.advice_met(share, length(known, reader), length(all, reader)),
            None => t.advice_unknown(length(all, reader)),
        };
        Advice { name, words, bar: share(met, known), is_known: known > 0.0 }
    };
    vec![
        line(t.advice_slow(reader.speed(SLOW_MPS)), told.slow.as_ref(), all),
        line(t.advice_level().to_owned(), told.level.as_ref(), told.level_known.as_ref()),
        line(t.advice_rail().to_owned(), told.rail_held.as_ref(), told.rail_known.as_ref()),
        line(t.advice_key().to_owned(), told.key_in.as_ref(), told.key_known.as_ref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{Language, Texts};
    use crate::words::Unit;

    #[test]
    fn each_criterion_says_how_much_of_it_was_known() {
        let span = |seconds: i64| Some(prost_types::Duration { seconds, nanos: 0 });
        let told = v1::Guidance {
            reverse: span(2_400),
            slow: span(2_400),
            rail_held: span(562),
            rail_known: span(720),
            ..v1::Guidance::default()
        };
        let reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
        let lines = lines(&told, reader);
        assert_eq!(lines[0].name, "At 3.2\u{a0}km/h or slower");
        assert_eq!(lines[0].words, "100 % of the 40 min in which that was known; of 40 min in all.");
        assert_eq!(lines[1].words, "Never known in the 40 min in reverse.");
        assert!(!lines[1].is_known);
        assert_eq!(lines[2].words, "78 % of the 12 min in which that was known; of 40 min in all.");
        assert_eq!(lines[2].bar, "78.06%");
    }
}
