use super::*;
use crate::texts::Language;
use crate::words::Unit;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

fn span(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn period(date: &str, hour: Option<u32>, reverse_s: i64, known_s: i64) -> v1::UsagePeriod {
    let motion = |seconds| v1::Motion { observed: span(seconds), ..v1::Motion::default() };
    let coverage =
        v1::UsageCoverage { asked: span(3_600), speed: span(known_s), ..v1::UsageCoverage::default() };
    v1::UsagePeriod {
        date: date.to_owned(),
        hour,
        usage: Some(v1::Usage {
            forward: Some(motion(1_800)),
            reverse: Some(motion(reverse_s)),
            coverage: Some(coverage),
            ..v1::Usage::default()
        }),
        ..v1::UsagePeriod::default()
    }
}

fn told(resolution: v1::Resolution, periods: Vec<v1::UsagePeriod>) -> v1::ListUsageResponse {
    let series = v1::UsageSeries { periods, ..v1::UsageSeries::default() };
    v1::ListUsageResponse { series: vec![series], resolution: resolution.into(), as_of: None }
}

#[test]
fn the_upper_edge_is_round() {
    for (greatest, expected) in [
        (0.0, 60.0),
        (61.0, 120.0),
        (1_900.0, 3_600.0),
        (3_600.0, 3_600.0),
        (3_601.0, 7_200.0),
        (20_000_000.0, 36_000_000.0),
    ] {
        assert!((top(greatest) - expected).abs() < 1e-6, "{greatest}: {}", top(greatest));
    }
}

#[test]
fn kinds_lie_upon_each_other_and_low_coverage_is_seen() {
    let periods = vec![period("2026-11-20", None, 0, 3_600), period("2026-11-21", None, 900, 1_000)];
    let part = BarsPart::new(&told(v1::Resolution::Day, periods), READER);
    assert_eq!((part.top.as_str(), part.half.as_str()), ("60 min", "30 min"));
    let [first, second] = &part.bars[..] else { panic!("two bars") };
    assert_eq!((first.is_low, second.is_low, part.has_low), (false, true, true));
    assert_eq!(second.begin, "56.00%");
    let pieces: Vec<_> = second.pieces.iter().map(|one| (one.class, &*one.begin, &*one.length)).collect();
    assert_eq!(pieces, [("k-measured", "50.00%", "50.00%"), ("k-reverse", "25.00%", "25.00%")]);
    assert_eq!(second.title, "2026-11-21: forward, measured 30 min, reverse 15 min, counted for 28 %");
    assert_eq!(part.rows[0].cells, ["30 min", "0 min", "0 min", "0 min"]);
}

#[test]
fn an_hour_that_comes_twice_is_told_apart() {
    let hours = [2, 2, 3].map(|hour| period("2026-10-25", Some(hour), 0, 3_600)).to_vec();
    let part = BarsPart::new(&told(v1::Resolution::Hour, hours), READER);
    let names: Vec<&str> = part.rows.iter().map(|row| row.period.as_str()).collect();
    assert_eq!(names, ["2026-10-25 02:00", "2026-10-25 02:00 (again)", "2026-10-25 03:00"]);
}

#[test]
fn periods_are_named_by_their_length() {
    let check = |resolution, name: &str, label: &str| {
        let part = BarsPart::new(&told(resolution, vec![period("2026-11-16", None, 0, 3_600)]), READER);
        assert_eq!((part.rows[0].period.as_str(), part.labels[0].1.as_str()), (name, label));
    };
    check(v1::Resolution::Day, "2026-11-16", "11-16");
    check(v1::Resolution::Week, "week from 2026-11-16", "11-16");
    check(v1::Resolution::Month, "2026-11", "2026-11");
    let none = BarsPart::new(&v1::ListUsageResponse::default(), READER);
    assert_eq!((none.bars.len(), none.rows.len()), (0, 0));
}
