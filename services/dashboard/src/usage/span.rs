//! Spans of dates that a page can be asked for, and the periods that they are shown in.

use jiff::ToSpan;
use jiff::civil::Date;
use wire::api::v1;

use crate::texts::Texts;

/// A span by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Today,
    Week,
    FourWeeks,
    Month,
    LastMonth,
    Year,
    /// The dates that were typed.
    Own,
}

/// Names in addresses.
pub(super) const SPANS: [(&str, Span); 7] = [
    ("today", Span::Today),
    ("7", Span::Week),
    ("28", Span::FourWeeks),
    ("month", Span::Month),
    ("last-month", Span::LastMonth),
    ("year", Span::Year),
    ("own", Span::Own),
];

impl Span {
    pub(super) fn words(self, t: Texts) -> &'static str {
        match self {
            Span::Today => t.span_today(),
            Span::Week => t.span_week(),
            Span::FourWeeks => t.span_four_weeks(),
            Span::Month => t.span_month(),
            Span::LastMonth => t.span_last_month(),
            Span::Year => t.span_year(),
            Span::Own => t.span_own(),
        }
    }

    /// Its dates for the API, as of today.
    pub(crate) fn range(self, today: Date) -> Option<v1::DateRange> {
        self.dates(today).map(Dates::asked)
    }

    /// Its dates, as of today. Own dates are in no calendar: none.
    pub(super) fn dates(self, today: Date) -> Option<Dates> {
        let tomorrow = today.saturating_add(1.day());
        let back = |days: i64| Dates { start: tomorrow.saturating_sub(days.days()), end: tomorrow };
        let month = today.first_of_month();
        match self {
            Span::Today => Some(back(1)),
            Span::Week => Some(back(7)),
            Span::FourWeeks => Some(back(28)),
            Span::Month => Some(Dates { start: month, end: tomorrow }),
            Span::LastMonth => Some(Dates { start: month.saturating_sub(1.month()), end: month }),
            Span::Year => Some(back(365)),
            Span::Own => None,
        }
    }
}

/// From a date up to but not including another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) start: Date,
    pub(crate) end: Date,
}

impl Dates {
    /// How many there are; 0 if they are in the wrong order.
    pub(crate) fn days(self) -> i64 {
        self.end.duration_since(self.start).as_hours().max(0) / 24
    }

    /// The last one.
    pub(crate) fn last(self) -> Date {
        self.end.saturating_sub(1.day())
    }

    /// The same for the API, each in the site's own zone.
    pub(crate) fn asked(self) -> v1::DateRange {
        v1::DateRange {
            start_date: self.start.to_string(),
            end_date: self.end.to_string(),
            time_zone: String::new(),
        }
    }

    /// How many periods there are at most.
    pub(super) fn periods(self, resolution: v1::Resolution) -> i64 {
        let days = self.days();
        match resolution {
            v1::Resolution::Hour => days * 24,
            v1::Resolution::Day | v1::Resolution::Unspecified => days,
            v1::Resolution::Week => days / 7 + 2,
            v1::Resolution::Month => days / 28 + 2,
        }
    }

    /// The resolution that shows most without being too fine.
    pub(super) fn resolution(self) -> v1::Resolution {
        match self.days() {
            ..=2 => v1::Resolution::Hour,
            3..=62 => v1::Resolution::Day,
            63..=400 => v1::Resolution::Week,
            401.. => v1::Resolution::Month,
        }
    }
}

/// Reads a date as forms send it.
pub(super) fn date(text: &str) -> Option<Date> {
    if text.len() != "2026-11-01".len() { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_whole_dates_and_end_with_today() {
        let check = |span: Span, today: &str, start: &str, end: &str| {
            let dates = span.dates(date(today).unwrap()).unwrap();
            assert_eq!((dates.start.to_string(), dates.end.to_string()), (start.to_owned(), end.to_owned()));
        };
        check(Span::Today, "2026-11-21", "2026-11-21", "2026-11-22");
        check(Span::Week, "2026-11-21", "2026-11-15", "2026-11-22");
        check(Span::FourWeeks, "2026-03-01", "2026-02-02", "2026-03-02");
        check(Span::Month, "2026-11-01", "2026-11-01", "2026-11-02");
        check(Span::LastMonth, "2026-03-31", "2026-02-01", "2026-03-01");
        check(Span::LastMonth, "2026-01-05", "2025-12-01", "2026-01-01");
        check(Span::Year, "2026-11-21", "2025-11-22", "2026-11-22");
        assert_eq!(Span::Own.dates(date("2026-11-21").unwrap()), None);
    }

    #[test]
    fn only_dates_are_dates() {
        assert!(date("2026-02-28").is_some());
        for wrong in ["", "2026-02-29", "2026-2-28", "28.02.2026", "2026-02-28T00:00", "+02026-02-"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn periods_follow_from_the_days() {
        use v1::Resolution as R;
        let check = |start: &str, end: &str, days: i64, resolution: R, hours: i64| {
            let dates = Dates { start: date(start).unwrap(), end: date(end).unwrap() };
            assert_eq!((dates.days(), dates.resolution()), (days, resolution), "{start}");
            assert_eq!(dates.periods(R::Hour), hours, "{start}");
        };
        check("2026-11-21", "2026-11-22", 1, R::Hour, 24);
        check("2026-10-25", "2026-10-28", 3, R::Day, 72);
        check("2026-01-01", "2027-01-01", 365, R::Week, 8_760);
        check("2024-01-01", "2027-01-01", 1_096, R::Month, 26_304);
        check("2026-11-22", "2026-11-21", 0, R::Hour, 0);
    }
}
