//! A file of usage, sessions or intervals, given part by part.
//!
//! Lines are made stand by stand (a machine at a site) and written at once; no more than some thousand are held.

mod cell;
mod clock;
mod count;
mod csv_lines;
mod sending;
mod session_lines;
mod stands;
mod usage_lines;
mod workbook;

use domain::limits::{EXPORT_LINES_CSV_MAX, EXPORT_LINES_XLSX_MAX, EXPORTS_MAX};
use domain::usage::calendar::Resolution;
use wire::api::v1;

use self::cell::{Column, Line};
use self::sending::{Export, ExportFile};
use self::session_lines::SessionLines;
use self::usage_lines::UsageLines;
use super::asked::Dates;
use super::whereabouts::Whereabouts;
use super::{ExportStream, Usages};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::course::sight::CourseSight;
use crate::status::ApiError;

const DAYS_MAX: i64 = 3_660;
const HOURLY_DAYS_MAX: i64 = 92;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Usage by machine and period.
    Usage(Resolution),
    /// One line a session.
    Sessions,
    /// One line an interval.
    Intervals,
}

impl Kind {
    fn of(kind: v1::ExportKind, resolution: Resolution) -> Kind {
        match kind {
            v1::ExportKind::Unspecified | v1::ExportKind::Usage => Kind::Usage(resolution),
            v1::ExportKind::Sessions => Kind::Sessions,
            v1::ExportKind::Intervals => Kind::Intervals,
        }
    }

    /// In a word.
    fn name(self) -> &'static str {
        match self {
            Kind::Usage(_) => "usage",
            Kind::Sessions => "sessions",
            Kind::Intervals => "intervals",
        }
    }

    fn days_max(self) -> i64 {
        match self {
            Kind::Usage(Resolution::Hour) => HOURLY_DAYS_MAX,
            Kind::Usage(_) | Kind::Sessions | Kind::Intervals => DAYS_MAX,
        }
    }

    fn columns(self) -> &'static [Column] {
        match self {
            Kind::Usage(_) => usage_lines::COLUMNS,
            Kind::Sessions => session_lines::SESSION_COLUMNS,
            Kind::Intervals => session_lines::INTERVAL_COLUMNS,
        }
    }
}

/// Form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Xlsx,
}

impl Form {
    fn of(format: v1::ExportFormat) -> Form {
        match format {
            v1::ExportFormat::Unspecified | v1::ExportFormat::Csv => Form::Csv,
            v1::ExportFormat::Xlsx => Form::Xlsx,
        }
    }

    /// As file names end.
    fn name(self) -> &'static str {
        match self {
            Form::Csv => "csv",
            Form::Xlsx => "xlsx",
        }
    }

    fn lines_max(self) -> usize {
        match self {
            Form::Csv => EXPORT_LINES_CSV_MAX,
            Form::Xlsx => EXPORT_LINES_XLSX_MAX,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Form::Csv => "text/csv; charset=utf-8; header=present",
            Form::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Lines, some at a time.
#[derive(Debug)]
enum Lines {
    Usage(Box<UsageLines>),
    Sessions(Box<SessionLines>),
}

impl Lines {
    /// The next ones, of one stand or a part of it; `None`: that was all.
    async fn next(&mut self) -> Result<Option<Vec<Line>>, ApiError> {
        match self {
            Lines::Usage(lines) => lines.next().await,
            Lines::Sessions(lines) => lines.next().await,
        }
    }

    /// What is to be said of all lines together, once they were given.
    fn about(&self) -> Vec<(&'static str, String)> {
        match self {
            Lines::Usage(lines) => lines.about(),
            Lines::Sessions(_) => Vec::new(),
        }
    }
}

impl Usages {
    pub(super) async fn export(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ExportUsageRequest,
    ) -> Result<ExportStream, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let resolution = check.resolution(request.resolution);
        let kind = Kind::of(check.known("kind", request.kind, 3), resolution);
        let form = Form::of(check.known("format", request.format, 2));
        let dates = check.dates(request.range.as_ref(), kind.days_max());
        check.finish()?;
        let dates = dates.expect("dates that are not valid are a violation");
        let slot = self.exports.clone().try_acquire_owned();
        let slot = slot.map_err(|_| ApiError::Full { what: "exports under way", max: EXPORTS_MAX })?;
        let visible = self.visible(scope);
        let whereabouts = Whereabouts::new(&visible, &wanted, &dates, self.surroundings.now())?;
        self.check_count(&whereabouts, kind, form).await?;
        let as_of = self.as_of(&whereabouts).await?;
        let file = ExportFile {
            name: file_name(kind, form, &dates, &whereabouts, &as_of),
            about: about(kind, &dates, &whereabouts, &as_of),
        };
        let ledger = self.ledger.clone();
        let lines = match kind {
            Kind::Usage(resolution) => {
                Lines::Usage(Box::new(UsageLines::new(ledger, whereabouts, resolution)))
            }
            Kind::Sessions | Kind::Intervals => {
                let sight = CourseSight::of(&self.gate, &caller);
                let registry = visible.registry_kept();
                let lines = SessionLines::new(ledger, registry, sight, whereabouts, kind == Kind::Intervals);
                Lines::Sessions(Box::new(lines))
            }
        };
        Ok(Export::new(kind, form, lines, file)?.send(slot))
    }
}

/// Such as `beltwatch-usage-by-day-2026-11-01-to-2026-11-30-as-of-20261201T051500Z.csv`.
fn file_name(kind: Kind, form: Form, dates: &Dates, whereabouts: &Whereabouts, as_of: &v1::AsOf) -> String {
    let by = match kind {
        Kind::Usage(resolution) => format!("-by-{}", resolution.name()),
        Kind::Sessions | Kind::Intervals => String::new(),
    };
    let (name, from, end) = (kind.name(), dates.from, form.name());
    let to = last_date(dates, whereabouts).map_or_else(String::new, |last| format!("-to-{last}"));
    let as_of = as_of_time(as_of).map(|time| format!("-as-of-{}", time.strftime("%Y%m%dT%H%M%SZ")));
    format!("beltwatch-{name}{by}-{from}{to}{}.{end}", as_of.unwrap_or_default())
}

fn last_date(dates: &Dates, whereabouts: &Whereabouts) -> Option<jiff::civil::Date> {
    let until = dates.until.or_else(|| whereabouts.places.iter().map(|place| place.dates.1).max());
    until.and_then(|until| until.yesterday().ok())
}

fn as_of_time(as_of: &v1::AsOf) -> Option<jiff::Timestamp> {
    as_of.time.as_ref().and_then(|time| jiff::Timestamp::from_second(time.seconds).ok())
}

/// What is to be said of a file as a whole.
fn about(
    kind: Kind,
    dates: &Dates,
    whereabouts: &Whereabouts,
    as_of: &v1::AsOf,
) -> Vec<(&'static str, String)> {
    let by = match kind {
        Kind::Usage(resolution) => format!(" by {}", resolution.name()),
        Kind::Sessions | Kind::Intervals => String::new(),
    };
    let complete = match as_of_time(as_of) {
        Some(time) => time.to_string(),
        None => "not known: no machine was heard in the last day".to_owned(),
    };
    let zones = dates.zone.as_ref().map_or("of each site", |zones| zones.name_at(0));
    vec![
        ("content", format!("{}{by}", kind.name())),
        ("first date", dates.from.to_string()),
        ("last date", last_date(dates, whereabouts).map(|last| last.to_string()).unwrap_or_default()),
        ("time zone", zones.to_owned()),
        ("complete up to", complete),
        ("machines heard last before that day, or never", as_of.machines_silent.to_string()),
        ("unknown", "the belt moved, and which way is not known; it is not part of forward".to_owned()),
        (
            "declared",
            "forward because the machine is registered as one that cannot run in reverse".to_owned(),
        ),
    ]
}
