//! Courses to messages of the public API and back.

use store::registry::{Course, CourseCode, Prescription};
use wire::api::v1;

use super::weeks::{Compared, Week};
use crate::check::{Check, quoted};
use crate::convert::{duration, timestamp};

pub(super) fn course(course: &Course) -> v1::Course {
    v1::Course {
        id: course.id.0,
        site_id: course.site.to_string(),
        code: course.code.to_string(),
        owner: course.owner.clone(),
        create_time: Some(timestamp(course.created)),
        end_time: course.ended.map(timestamp),
        prescription: course.prescription.as_ref().map(prescription),
    }
}

fn prescription(prescription: &Prescription) -> v1::Prescription {
    let Prescription { sessions_a_week, reverse_seconds, speed_mm_s, interval_seconds, weeks } =
        *prescription;
    v1::Prescription {
        sessions_a_week: sessions_a_week.map(u32::from),
        reverse_s: reverse_seconds,
        speed_max_mps: speed_mm_s.map(|mm_s| f64::from(mm_s) / 1_000.0),
        interval_s: interval_seconds,
        weeks: weeks.map(u32::from),
    }
}

pub(super) fn week(week: &Week) -> v1::CourseWeek {
    let speeds = week.reverse.speeds();
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    v1::CourseWeek {
        date: week.begin.to_string(),
        sessions: week.sessions,
        reverse: Some(duration(week.reverse.observed_us)),
        unknown: Some(duration(week.unknown_us)),
        speed_mean_mps: speeds.map(|(mean, _)| mean.mps()),
        speed_max_mps: speeds.map(|(_, greatest)| greatest.mps()),
        intervals: u32::try_from(week.intervals_us.len()).unwrap_or(u32::MAX),
        longest_interval: week.intervals_us.last().map(|longest| duration(*longest)),
        level: Some(duration(week.reverse.level_us)),
        uphill: Some(duration(week.reverse.uphill_us)),
        downhill: Some(duration(week.reverse.downhill_us)),
        days_between_max: week.days_between_max,
        compared: week.compared.iter().map(compared).collect(),
        coverage: share(week.covered_us, week.asked_us),
        incidents: week.incidents,
    }
}

fn compared(compared: &Compared) -> v1::Compared {
    v1::Compared {
        field: compared.field.to_owned(),
        prescribed: compared.prescribed,
        done: compared.done,
        kept: compared.kept,
    }
}

impl Check {
    /// A course's code.
    pub(super) fn course_code(&mut self, value: &str) -> Option<CourseCode> {
        let code = CourseCode::new(value);
        if code.is_err() {
            let allowed = "1 to 16 letters, digits and hyphens are allowed; do not write names";
            self.wrong("code", format!("is {}; {allowed}", quoted(value)));
        }
        code.ok()
    }

    /// What is prescribed; `None`: nothing.
    pub(super) fn prescription(&mut self, value: &v1::Prescription) -> Option<Prescription> {
        let v1::Prescription { sessions_a_week, reverse_s, speed_max_mps, interval_s, weeks } = *value;
        let prescription = Prescription {
            sessions_a_week: self.small("prescription.sessions_a_week", sessions_a_week, 1..=14),
            reverse_seconds: self.within("prescription.reverse_s", reverse_s, 30..=7_200),
            speed_mm_s: self.speed("prescription.speed_max_mps", speed_max_mps),
            interval_seconds: self.within("prescription.interval_s", interval_s, 5..=1_800),
            weeks: self.small("prescription.weeks", weeks, 1..=52),
        };
        (prescription != Prescription::default()).then_some(prescription)
    }

    fn small(
        &mut self,
        field: &'static str,
        value: Option<u32>,
        allowed: std::ops::RangeInclusive<u32>,
    ) -> Option<u8> {
        self.within(field, value, allowed).and_then(|value| u8::try_from(value).ok())
    }

    fn within(
        &mut self,
        field: &'static str,
        value: Option<u32>,
        allowed: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = value?;
        if !allowed.contains(&value) {
            self.wrong(field, format!("is {value}; {} to {} are allowed", allowed.start(), allowed.end()));
        }
        Some(value)
    }

    fn speed(&mut self, field: &'static str, value: Option<f64>) -> Option<u32> {
        let value = value?;
        if !(0.1..=3.0).contains(&value) {
            self.wrong(field, format!("is {value}; 0.1 to 3 are allowed"));
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is 100 to 3 000")]
        let mm_s = (value * 1_000.0).round() as u32;
        Some(mm_s)
    }
}
