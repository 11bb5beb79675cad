//! Which usage a page shows, as its address says.

use jiff::ToSpan;
use jiff::civil::Date;
use wire::api::v1;

use super::span::{Dates, SPANS, Span, date};
use crate::call::Failure;
use crate::form::Fields;
use crate::texts::Texts;

/// Periods that one page draws and lists. More: refused beside the field, with what is allowed.
const PERIODS_MAX: i64 = 400;
/// Characters of a wrong value that are shown.
const SHOWN: usize = 64;
/// Kilograms of the person whose energy is estimated.
const MASS_KG: std::ops::RangeInclusive<u32> = 30..=250;

const RESOLUTIONS: [(&str, v1::Resolution); 5] = [
    ("", v1::Resolution::Unspecified),
    ("hour", v1::Resolution::Hour),
    ("day", v1::Resolution::Day),
    ("week", v1::Resolution::Week),
    ("month", v1::Resolution::Month),
];
const ORDERS: [(&str, v1::UsageOrder); 4] = [
    ("most", v1::UsageOrder::Motion),
    ("least", v1::UsageOrder::LeastMotion),
    ("reverse", v1::UsageOrder::Reverse),
    ("distance", v1::UsageOrder::Distance),
];
const HEATS: [(&str, Heat); 4] =
    [("all", Heat::All), ("forward", Heat::Forward), ("reverse", Heat::Reverse), ("unknown", Heat::Unknown)];

/// A page with a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Usage,
    Export,
    Reverse,
}

impl Page {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Page::Usage => "/usage",
            Page::Export => "/usage/export",
            Page::Reverse => "/reverse",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Page::Usage => &["site", "model", "machine", "span", "from", "to", "by", "order", "heat"],
            Page::Export => {
                &["site", "model", "machine", "span", "from", "to", "by", "order", "heat", "kind", "format"]
            }
            Page::Reverse => &["site", "model", "machine", "span", "from", "to", "mass"],
        }
    }

    /// Days that the API allows.
    fn days_max(self) -> i64 {
        match self {
            Page::Usage | Page::Export => 3_660,
            Page::Reverse => 92,
        }
    }
}

/// Which motion a heat map shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Heat {
    #[default]
    All,
    Forward,
    Reverse,
    Unknown,
}

impl Heat {
    pub(super) const ALL: [Heat; 4] = [Heat::All, Heat::Forward, Heat::Reverse, Heat::Unknown];

    pub(super) fn words(self, t: Texts) -> &'static str {
        match self {
            Heat::All => t.heat_all(),
            Heat::Forward => t.usage_forward(),
            Heat::Reverse => t.usage_reverse(),
            Heat::Unknown => t.usage_unknown(),
        }
    }
}

/// What is wrong with fields, in words.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<(&'static str, String)>);

impl Errors {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field; empty: nothing.
    pub(crate) fn of(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == field).map_or("", |(_, words)| words)
    }

    /// What is wrong with anything that is none of these fields.
    pub(super) fn beside(&self, fields: &[&str]) -> Vec<&str> {
        let beside = self.0.iter().filter(|(name, _)| !fields.contains(name));
        beside.map(|(_, words)| words.as_str()).collect()
    }

    pub(crate) fn add(&mut self, field: &'static str, words: String) {
        if self.of(field).is_empty() {
            self.0.push((field, words));
        }
    }

    /// Takes what the API says of fields; what is said of none of ours stands above them all.
    pub(super) fn take(&mut self, failure: &Failure, t: Texts) {
        if failure.fields.is_empty() {
            self.add("", t.filter_refused(failure.words(t)));
        }
        for (name, reason) in &failure.fields {
            const FIELDS: [(&str, &str); 9] = [
                ("site", "site"),
                ("machine", "machine"),
                ("model", "model"),
                ("start_date", "span"),
                ("end_date", "span"),
                ("time_zone", "span"),
                ("resolution", "by"),
                ("mass", "mass"),
                ("range", "span"),
            ];
            let known = FIELDS.iter().find(|(part, _)| name.contains(part));
            self.add(known.map_or("", |(_, field)| field), t.filter_refused(reason));
        }
    }
}

/// What an address asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) site: String,
    pub(crate) model: String,
    pub(crate) machine: String,
    pub(crate) span: Span,
    /// Own dates as they were typed, the last one with it.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Unspecified: as fits the span.
    pub(crate) by: v1::Resolution,
    pub(crate) order: v1::UsageOrder,
    pub(crate) heat: Heat,
    pub(crate) mass: String,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            site: String::new(),
            model: String::new(),
            machine: String::new(),
            span: Span::FourWeeks,
            from: String::new(),
            to: String::new(),
            by: v1::Resolution::Unspecified,
            order: v1::UsageOrder::Motion,
            heat: Heat::All,
            mass: String::new(),
        }
    }
}

/// Why an address is none of a page, in words.
pub(super) fn check_names(fields: &Fields, page: Page, t: Texts) -> Result<(), String> {
    let mut known: Vec<&str> = Vec::new();
    for (name, _) in fields.beginning("") {
        if !page.keys().contains(&name) {
            return Err(t.filter_unknown(cut(name)));
        }
        if known.contains(&name) {
            return Err(t.filter_twice(name));
        }
        known.push(name);
    }
    Ok(())
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// One of the known values; empty: the first choice of the page. What is none is noted and read as that.
pub(super) fn one_of<T: Copy>(
    fields: &Fields,
    name: &'static str,
    known: &[(&'static str, T)],
    default: T,
    errors: &mut Errors,
    t: Texts,
) -> T {
    let value = fields.trimmed(name);
    if value.is_empty() {
        return default;
    }
    if let Some((_, one)) = known.iter().find(|(known, _)| *known == value) {
        return *one;
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
    errors.add(name, t.filter_value(name, cut(value), names.join(", ")));
    default
}

pub(super) fn name_of<T: PartialEq>(value: T, known: &[(&'static str, T)]) -> &'static str {
    known.iter().find(|(_, one)| *one == value).map_or("", |(name, _)| name)
}

impl Filter {
    /// Reads an address's query; empty fields ask for all.
    pub(super) fn read(fields: &Fields, errors: &mut Errors, t: Texts) -> Filter {
        let text = |name: &str| fields.trimmed(name).to_owned();
        let begin = Filter::default();
        Filter {
            site: text("site"),
            model: text("model"),
            machine: text("machine"),
            span: one_of(fields, "span", &SPANS, begin.span, errors, t),
            from: text("from"),
            to: text("to"),
            by: one_of(fields, "by", &RESOLUTIONS, begin.by, errors, t),
            order: one_of(fields, "order", &ORDERS, begin.order, errors, t),
            heat: one_of(fields, "heat", &HEATS, begin.heat, errors, t),
            mass: text("mass"),
        }
    }

    /// The dates that are asked for, as of today. None: they are wrong, and it is noted.
    pub(super) fn dates(&self, page: Page, today: Date, errors: &mut Errors, t: Texts) -> Option<Dates> {
        let dates = match self.span.dates(today) {
            Some(dates) => dates,
            None => self.own_dates(errors, t)?,
        };
        let days_max = page.days_max();
        if dates.days() > days_max {
            let nearest = dates.end.saturating_sub(days_max.days());
            let field = if self.span == Span::Own { "from" } else { "span" };
            errors.add(field, t.span_too_long(dates.days(), days_max, nearest));
            return None;
        }
        Some(dates)
    }

    fn own_dates(&self, errors: &mut Errors, t: Texts) -> Option<Dates> {
        let mut read = |name: &'static str, text: &str| {
            let found = date(text);
            if found.is_none() {
                errors.add(name, t.date_wrong(cut(text)));
            }
            found
        };
        let (from, to) = (read("from", &self.from), read("to", &self.to));
        let dates = Dates { start: from?, end: to?.saturating_add(1.day()) };
        if dates.days() == 0 {
            errors.add("to", t.dates_reversed(dates.start));
            return None;
        }
        Some(dates)
    }

    /// The resolution that is shown. None: it is too fine, and it is noted.
    pub(super) fn resolution(&self, dates: Dates, errors: &mut Errors, t: Texts) -> Option<v1::Resolution> {
        if self.by == v1::Resolution::Unspecified {
            return Some(dates.resolution());
        }
        let periods = dates.periods(self.by);
        if periods > PERIODS_MAX {
            let days = if self.by == v1::Resolution::Hour { PERIODS_MAX / 24 } else { PERIODS_MAX };
            let nearest = resolution_words(dates.resolution(), t);
            errors.add("by", t.periods_too_many(periods, PERIODS_MAX, days, nearest));
            return None;
        }
        Some(self.by)
    }

    /// The mass in kilograms; 0: the API's own. None: it is wrong, and it is noted.
    pub(crate) fn mass(&self, errors: &mut Errors, t: Texts) -> Option<u32> {
        if self.mass.is_empty() {
            return Some(0);
        }
        let mass = self.mass.parse().ok().filter(|mass| MASS_KG.contains(mass));
        if mass.is_none() {
            errors.add("mass", t.mass_wrong(MASS_KG.start(), MASS_KG.end()));
        }
        mass
    }

    /// Whose, for the API.
    pub(crate) fn scope(&self) -> v1::UsageScope {
        let filled = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        v1::UsageScope {
            site_ids: filled(&self.site),
            machine_ids: filled(&self.machine),
            models: filled(&self.model),
        }
    }

    /// An address that asks for the same.
    pub(crate) fn address(&self, page: Page) -> String {
        self.address_with(page, &[])
    }

    /// The same with more fields.
    pub(crate) fn address_with(&self, page: Page, more: &[(&str, &str)]) -> String {
        let begin = Filter::default();
        let unless = |is_first: bool, name: &'static str| if is_first { "" } else { name };
        let mut pairs: Vec<(&str, &str)> = vec![
            ("site", &self.site),
            ("model", &self.model),
            ("machine", &self.machine),
            ("span", unless(self.span == begin.span, name_of(self.span, &SPANS))),
            ("by", name_of(self.by, &RESOLUTIONS)),
            ("order", unless(self.order == begin.order, name_of(self.order, &ORDERS))),
            ("heat", unless(self.heat == begin.heat, name_of(self.heat, &HEATS))),
            ("mass", &self.mass),
        ];
        if self.span == Span::Own {
            pairs.extend([("from", self.from.as_str()), ("to", &self.to)]);
        }
        pairs.extend(more);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let shown = pairs.iter().filter(|(name, value)| page.keys().contains(name) && !value.is_empty());
        query.extend_pairs(shown);
        let query = query.finish();
        if query.is_empty() { page.path().to_owned() } else { format!("{}?{query}", page.path()) }
    }

    pub(super) fn span_name(&self) -> &'static str {
        name_of(self.span, &SPANS)
    }

    pub(super) fn resolution_name(&self) -> &'static str {
        name_of(self.by, &RESOLUTIONS)
    }

    pub(super) fn order_name(&self) -> &'static str {
        name_of(self.order, &ORDERS)
    }

    pub(super) fn heat_name(&self) -> &'static str {
        name_of(self.heat, &HEATS)
    }
}

/// All spans of a page by name.
pub(super) fn spans(page: Page, t: Texts) -> Vec<(&'static str, &'static str)> {
    let fits = |span: Span| page != Page::Reverse || span != Span::Year;
    SPANS.into_iter().filter(|(_, span)| fits(*span)).map(|(name, span)| (name, span.words(t))).collect()
}

/// All resolutions by name.
pub(super) fn resolutions(t: Texts) -> Vec<(&'static str, &'static str)> {
    RESOLUTIONS.into_iter().map(|(name, one)| (name, resolution_words(one, t))).collect()
}

/// All orders of machines.
pub(super) fn orders() -> impl Iterator<Item = v1::UsageOrder> {
    ORDERS.into_iter().map(|(_, order)| order)
}

pub(super) fn resolution_words(resolution: v1::Resolution, t: Texts) -> &'static str {
    match resolution {
        v1::Resolution::Unspecified => t.by_fitting(),
        v1::Resolution::Hour => t.by_hour(),
        v1::Resolution::Day => t.by_day(),
        v1::Resolution::Week => t.by_week(),
        v1::Resolution::Month => t.by_month(),
    }
}
