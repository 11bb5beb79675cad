//! A course week by week: what was done, against what was prescribed, and as a drawing.

use wire::api::v1;

use super::prescribed::{seconds_words, speed_words};
use crate::texts::Texts;
use crate::usage::figures::{Key, Kind, length, percent, seconds, share};
use crate::words::Reader;

/// One week.
#[derive(Debug)]
pub(super) struct Week {
    /// Its first date.
    pub(super) date: String,
    pub(super) compared: Vec<Compared>,
    pub(super) sessions: u32,
    pub(super) reverse: String,
    pub(super) unknown: String,
    pub(super) speed: String,
    pub(super) intervals: String,
    pub(super) grades: String,
    pub(super) days: String,
    pub(super) incidents: u32,
    pub(super) seen: String,
}

/// One thing prescribed, and how the week stands against it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compared {
    /// Its shape and colour.
    pub(super) class: &'static str,
    pub(super) verdict: &'static str,
    pub(super) words: String,
    /// The same in a table of its own: the column, and what was done.
    pub(super) name: String,
    pub(super) done: String,
}

impl Week {
    pub(super) fn new(told: &v1::CourseWeek, reader: Reader) -> Week {
        let t = reader.t;
        let time = |told: &Option<prost_types::Duration>| length(seconds(told.as_ref()), reader);
        let speed = told.speed_mean_mps.zip(told.speed_max_mps);
        let speed = speed.map(|(mean, max)| format!("{} / {}", reader.speed_number(mean), reader.speed(max)));
        let longest = told.longest_interval.as_ref();
        let moved = seconds(told.reverse.as_ref()) > 0.0;
        let grades = [time(&told.level), time(&told.uphill), time(&told.downhill)];
        let seen = told.coverage.and_then(|coverage| percent(coverage, 1.0, reader));
        Week {
            date: told.date.clone(),
            compared: told.compared.iter().map(|one| compared(one, reader)).collect(),
            sessions: told.sessions,
            reverse: time(&told.reverse),
            unknown: time(&told.unknown),
            speed: speed.unwrap_or_default(),
            intervals: match longest {
                Some(longest) => {
                    t.course_intervals_are(told.intervals, seconds_words(seconds(Some(longest)), reader))
                }
                None => told.intervals.to_string(),
            },
            grades: if moved { grades.join(" · ") } else { String::new() },
            days: told.days_between_max.map(|n| t.course_days_are(n)).unwrap_or_default(),
            incidents: told.incidents,
            seen: seen.map(|seen| t.usage_percent(seen)).unwrap_or_default(),
        }
    }
}

/// Minutes and seconds, so that two lengths that differ look different.
fn minutes(seconds: f64, reader: Reader) -> String {
    let whole: u64 = format!("{:.0}", seconds.floor()).parse().unwrap_or_default();
    reader.t.age_minutes(format!("{}:{:02}", whole / 60, whole % 60))
}

fn compared(told: &v1::Compared, reader: Reader) -> Compared {
    let t = reader.t;
    let (class, verdict) = match told.kept {
        Some(true) => ("v-passed", t.course_kept_yes()),
        Some(false) => ("v-failed", t.course_kept_no()),
        None => ("v-blind", t.course_kept_unknown()),
    };
    let both = |words: fn(f64, Reader) -> String| {
        let done = told.done.map_or_else(|| t.course_done_none().to_owned(), |done| words(done, reader));
        (done, words(told.prescribed, reader))
    };
    let (name, done, words) = match told.field.as_str() {
        "sessions_a_week" => {
            let (done, prescribed) = both(|n, _| format!("{n:.0}"));
            (t.prescribed_sessions().to_owned(), done.clone(), t.compared_sessions(done, prescribed))
        }
        "reverse_s" => {
            let (done, prescribed) = both(minutes);
            (t.prescribed_reverse().to_owned(), done.clone(), t.compared_reverse(done, prescribed))
        }
        "speed_max_mps" => {
            let (done, prescribed) = both(speed_words);
            let name = t.prescribed_speed(reader.unit.name());
            (name, done.clone(), t.compared_speed(done, prescribed))
        }
        "interval_s" => {
            let (done, prescribed) = both(seconds_words);
            (t.prescribed_interval().to_owned(), done.clone(), t.compared_interval(done, prescribed))
        }
        // Something that this program does not know yet is not hidden.
        other => {
            let (done, prescribed) = both(|n, reader| reader.number(n));
            (other.to_owned(), done.clone(), t.compared_other(other, done, prescribed))
        }
    };
    Compared { class, verdict, words, name, done }
}

/// A drawing: a bar a week, what is in reverse below, what may be above it.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    pub(super) top: String,
    pub(super) first: String,
    pub(super) last: String,
}

/// One week of it, in parts of the whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) begin: String,
    pub(super) width: String,
    /// Upper edge and height.
    pub(super) reverse: (String, String),
    pub(super) unknown: (String, String),
}

impl Chart {
    /// None: there is nothing to draw.
    pub(super) fn new(weeks: &[v1::CourseWeek], reader: Reader) -> Option<Chart> {
        let of = |week: &v1::CourseWeek| (seconds(week.reverse.as_ref()), seconds(week.unknown.as_ref()));
        let whole = weeks.iter().map(|week| of(week).0 + of(week).1).fold(0.0, f64::max);
        if whole <= 0.0 {
            return None;
        }
        let count = u32::try_from(weeks.len()).map_or(1.0, f64::from);
        let bar = |(week, at): (&v1::CourseWeek, u32)| {
            let (reverse, unknown) = of(week);
            let (first, second) = (length(reverse, reader), length(unknown, reader));
            Bar {
                title: reader.t.course_chart_week(&week.date, first, second),
                begin: share(f64::from(at) + 0.1, count),
                width: share(0.8, count),
                reverse: (share(whole - reverse, whole), share(reverse, whole)),
                unknown: (share(whole - reverse - unknown, whole), share(unknown, whole)),
            }
        };
        Some(Chart {
            bars: weeks.iter().zip(0_u32..).map(bar).collect(),
            top: reader.t.course_chart_top(length(whole, reader)),
            first: weeks.first().map(|week| week.date.clone()).unwrap_or_default(),
            last: weeks.last().map(|week| week.date.clone()).unwrap_or_default(),
        })
    }
}

/// What the key of the drawing shows.
pub(super) fn kinds(t: Texts) -> [Key; 2] {
    [Key::of(Kind::Reverse, t), Key::of(Kind::Unknown, t)]
}
