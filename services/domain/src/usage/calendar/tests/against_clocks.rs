//! Any range of any place against its clock, asked quarter by quarter.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use crate::units::UnixMicros;
use crate::usage::calendar::{
    Period, Periods, QUARTER_EARLIEST, QUARTER_LATEST, QUARTER_SECONDS, QuarterSpan, Resolution, Zones,
};

/// A place, and a range that its changes of zone are near to.
#[derive(Debug, Clone)]
struct Place {
    before: String,
    changes: Vec<(UnixMicros, String)>,
    range: QuarterSpan,
    first_weekday: Weekday,
}

impl Place {
    fn zones(&self) -> Zones {
        Zones::new(&self.before, self.changes.clone()).unwrap()
    }

    fn periods(&self, resolution: Resolution) -> Periods {
        let calendar = self.zones().calendar(self.range.from, self.range.until).unwrap();
        calendar.periods(resolution, self.first_weekday).unwrap()
    }

    /// The zone that holds when a quarter begins.
    fn zone(&self, quarter: i64) -> TimeZone {
        let begin = UnixMicros(quarter * QUARTER_SECONDS * 1_000_000);
        let mut newest: Option<&(UnixMicros, String)> = None;
        for change in &self.changes {
            if change.0 <= begin && newest.is_none_or(|newest| newest.0 <= change.0) {
                newest = Some(change);
            }
        }
        let name = newest.map_or(&self.before, |(_, name)| name);
        TimeZoneDatabase::bundled().get(name).unwrap()
    }

    /// The period of a quarter as its clock tells it: the date on which it begins, and of hours hour and offset.
    fn told(&self, quarter: i64, resolution: Resolution) -> (Date, Option<(u8, i32)>) {
        let moment = Timestamp::from_second(quarter * QUARTER_SECONDS).unwrap();
        let clock = moment.to_zoned(self.zone(quarter));
        let date = clock.date();
        match resolution {
            Resolution::Hour => (date, Some((u8::try_from(clock.hour()).unwrap(), clock.offset().seconds()))),
            Resolution::Day => (date, None),
            Resolution::Week => {
                let mut begin = date;
                while begin.weekday() != self.first_weekday {
                    begin = begin.yesterday().unwrap();
                }
                (begin, None)
            }
            Resolution::Month => (Date::new(date.year(), date.month(), 1).unwrap(), None),
            Resolution::Total => {
                let first = Timestamp::from_second(self.range.from * QUARTER_SECONDS).unwrap();
                (first.to_zoned(self.zone(self.range.from)).date(), None)
            }
        }
    }
}

fn told_by(period: &Period) -> (Date, Option<(u8, i32)>) {
    (period.begin, period.hour.map(|hour| (hour.hour, hour.offset_seconds)))
}

fn any_zone() -> impl Strategy<Value = String> {
    let all: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
    let notable = ["Australia/Lord_Howe", "Pacific/Apia", "Pacific/Honolulu", "Pacific/Kiritimati"];
    let notable: Vec<String> = notable.into_iter().map(str::to_owned).collect();
    prop_oneof![3 => prop::sample::select(all), 2 => prop::sample::select(notable)]
}

/// Ranges of up to 40 days, some at either end of all years, with changes of zone in them and some days around.
fn any_place() -> impl Strategy<Value = Place> {
    let begin = prop_oneof![
        6 => QUARTER_EARLIEST..QUARTER_LATEST,
        1 => Just(QUARTER_EARLIEST),
        1 => Just(QUARTER_LATEST - 4_000),
        // Apia's missing day.
        1 => Just(1_325_239_200 / 900 - 200),
    ];
    let changes = prop::collection::vec((-300_000_i64..3_700_000, any_zone()), 0..4);
    (begin, 0_i64..3_840, any_zone(), changes, 0_i8..7).prop_map(|(from, length, before, changes, first)| {
        let range = QuarterSpan { from, until: (from + length).min(QUARTER_LATEST) };
        let time =
            |seconds: i64| UnixMicros((from * QUARTER_SECONDS + seconds) * 1_000_000 + seconds % 3 - 1);
        Place {
            before,
            changes: changes.into_iter().map(|(seconds, zone)| (time(seconds), zone)).collect(),
            range,
            first_weekday: Weekday::from_monday_zero_offset(first).unwrap(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_quarter_is_in_the_one_period_that_its_clock_tells(place in any_place()) {
        for resolution in Resolution::ALL {
            let periods = place.periods(resolution);
            let mut found = vec![0_i64; periods.list().len()];
            for quarter in place.range.from..place.range.until {
                let index = periods.index_of(quarter).unwrap();
                let period = &periods.list()[index];
                prop_assert_eq!(told_by(period), place.told(quarter, resolution));
                let of = periods.list().iter().filter(|one| one.spans.iter().any(|span| span.contains(quarter)));
                if quarter % 32 == 0 {
                    prop_assert_eq!(of.count(), 1);
                }
                prop_assert!(period.spans.iter().any(|span| span.contains(quarter)));
                found[index] += QUARTER_SECONDS;
            }
            let lengths: Vec<i64> = periods.list().iter().map(Period::seconds).collect();
            prop_assert_eq!(&lengths, &found);
            prop_assert_eq!(lengths.iter().sum::<i64>(), place.range.seconds());
            prop_assert_eq!(periods.index_of(place.range.from - 1), None);
            prop_assert_eq!(periods.index_of(place.range.until), None);
        }
    }

    #[test]
    fn periods_are_in_order_and_each_is_there_once(place in any_place()) {
        for resolution in Resolution::ALL {
            let periods = place.periods(resolution);
            for pair in periods.list().windows(2) {
                match resolution {
                    Resolution::Hour => prop_assert!(pair[0].spans[0] < pair[1].spans[0]),
                    Resolution::Day | Resolution::Week | Resolution::Month | Resolution::Total => {
                        prop_assert!(pair[0].begin < pair[1].begin);
                    }
                }
            }
            for period in periods.list() {
                prop_assert!(!period.spans.is_empty());
                prop_assert!(period.spans.iter().all(|span| !span.is_empty()));
                prop_assert!(period.spans.windows(2).all(|pair| pair[0].until < pair[1].from));
                if resolution == Resolution::Week {
                    prop_assert_eq!(period.begin.weekday(), place.first_weekday);
                }
            }
        }
    }

    /// A period is cut if its clock comes to it outside the range too, however far.
    #[test]
    fn cut_periods_go_on_outside(place in any_place()) {
        let around = 35 * 96;
        let years = QUARTER_EARLIEST + around..QUARTER_LATEST - around;
        prop_assume!(years.contains(&place.range.from) && years.contains(&place.range.until));
        for resolution in [Resolution::Hour, Resolution::Day, Resolution::Week, Resolution::Month] {
            let (from, until) = (place.range.from, place.range.until);
            let outside: std::collections::BTreeSet<_> = (from - around..from)
                .chain(until..until + around)
                .map(|quarter| place.told(quarter, resolution))
                .collect();
            for period in place.periods(resolution).list() {
                prop_assert_eq!(period.is_cut, outside.contains(&told_by(period)), "{:?}", period);
            }
        }
    }

    #[test]
    fn days_and_hours_add_up_to_months(place in any_place()) {
        let months: BTreeMap<Date, i64> =
            place.periods(Resolution::Month).list().iter().map(|one| (one.begin, one.seconds())).collect();
        for finer in [Resolution::Hour, Resolution::Day] {
            let mut sums: BTreeMap<Date, i64> = BTreeMap::new();
            for period in place.periods(finer).list() {
                *sums.entry(period.begin.first_of_month()).or_default() += period.seconds();
            }
            prop_assert_eq!(&sums, &months);
        }
    }

    /// Ranges of dates that meet share no quarter, and each begins where its clock comes to it.
    #[test]
    fn dates_begin_where_clocks_come_to_them(place in any_place()) {
        let zones = place.zones();
        let first = place.told(place.range.from, Resolution::Day).0;
        let dates: Vec<Date> = first.series(jiff::Span::new().days(1)).take(8).collect();
        let allowed = |date: &Date| (1999..2099).contains(&date.year()) && *date > jiff::civil::date(2000, 1, 3);
        prop_assume!(dates.iter().all(allowed));
        let mut next = None;
        for pair in dates.windows(2) {
            let found = zones.quarters(pair[0], pair[1]).unwrap();
            let naive = |date: Date| {
                (place.range.from - 400..).find(|quarter| place.told(*quarter, Resolution::Day).0 >= date).unwrap()
            };
            prop_assert_eq!(found.until, naive(pair[1]));
            prop_assert!(next.is_none_or(|next| next == found.from));
            next = Some(found.until);
        }
    }

    #[test]
    fn offset_spans_are_the_range(place in any_place()) {
        let spans = place.zones().offset_spans(place.range.from, place.range.until).unwrap();
        let mut next = place.range.from;
        for one in &spans {
            prop_assert_eq!(one.span.from, next);
            for quarter in one.span.from..one.span.until {
                let begin = Timestamp::from_second(quarter * QUARTER_SECONDS).unwrap();
                prop_assert_eq!(one.offset_seconds, place.zone(quarter).to_offset(begin).seconds());
            }
            prop_assert!(!one.span.is_empty());
            next = one.span.until;
        }
        prop_assert_eq!(next, place.range.until);
        prop_assert!(spans.windows(2).all(|pair| pair[0].offset_seconds != pair[1].offset_seconds));
    }

    #[test]
    fn clocks_show_date_weekday_and_minute(place in any_place()) {
        let calendar = place.zones().calendar(place.range.from, place.range.until).unwrap();
        for quarter in place.range.from..place.range.until {
            let clock = Timestamp::from_second(quarter * QUARTER_SECONDS).unwrap().to_zoned(place.zone(quarter));
            let local = calendar.local(quarter).unwrap();
            prop_assert_eq!(local.date(), clock.date());
            prop_assert_eq!(i8::try_from(local.weekday()).unwrap(), clock.weekday().to_monday_zero_offset());
            prop_assert_eq!(i32::from(local.minute()), i32::from(clock.hour()) * 60 + i32::from(clock.minute()));
            prop_assert_eq!(i32::from(local.hour()), i32::from(clock.hour()));
        }
    }
}
