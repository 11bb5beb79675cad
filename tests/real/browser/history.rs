//! A second gym with four weeks of history, a course and nobody connected: for the pages of usage.

use anyhow::Context;
use beltwatch::year::{Author, FleetMachine, Gym, Habit, Kind, Year, hours, registration};
use domain::ids::{MachineId, SiteId};
use domain::units::UnixMicros;
use jiff::ToSpan;
use store::ledger::Derived;
use wire::api::v1;

use super::floor::Floor;

const SITE: &str = "quay";
const ZONE: &str = "Europe/Berlin";

/// Puts it into the server's ledger.
pub(super) async fn put(floor: &Floor) -> anyhow::Result<()> {
    let year = year()?;
    let ledger = floor.server()?.stores().ledger.clone();
    for fact in registration(&year, Author { name: "user:browser", request: None }) {
        ledger.add_fact(fact).await?;
    }
    let mut derived = Derived::default();
    for number in 0..year.machines().len() {
        let history = year.history(number);
        derived.usage.extend(history.usage);
        derived.sessions.extend(history.sessions);
    }
    let newest = derived.sessions.last().context("a session")?.id;
    ledger.put(derived).await?;
    let mut courses = floor.courses().await?;
    let prescription = v1::Prescription { sessions_a_week: Some(2), ..v1::Prescription::default() };
    let request = v1::CreateCourseRequest {
        site_id: SITE.to_owned(),
        code: "R-7".to_owned(),
        prescription: Some(prescription),
        request_id: "course".to_owned(),
    };
    let course = courses.create_course(request).await?.into_inner().course.context("a course")?;
    let request = v1::LabelSessionRequest {
        session_id: newest.to_string(),
        course_id: course.id,
        request_id: "label".to_owned(),
    };
    courses.label_session(request).await?;
    Ok(())
}

fn year() -> anyhow::Result<Year> {
    let (open, staffed) = hours(Habit::Usual);
    let gym = Gym {
        site: SiteId::new(SITE)?,
        name: "Quay".to_owned(),
        zone: ZONE.to_owned(),
        open,
        staffed,
        sleeps: false,
    };
    let machine = |(number, kind): (usize, Kind)| {
        Ok(FleetMachine {
            id: MachineId::new(&format!("quay-{number}"))?,
            name: format!("Quay {number}"),
            gym: 0,
            kind,
            model: kind.model().to_owned(),
            popularity: 1_000,
            appointments: Vec::new(),
        })
    };
    let machines = (1..).zip(Kind::ALL).map(machine).collect::<anyhow::Result<Vec<_>>>()?;
    let now = jiff::Timestamp::now();
    let today = now.to_zoned(jiff::tz::TimeZone::get(ZONE)?).date();
    let until = UnixMicros(now.as_second() * 1_000_000);
    Ok(Year::new(7, vec![gym], machines, today.checked_sub(28.days())?, until)?)
}
