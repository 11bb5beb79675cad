//! What happened before the demo: some weeks of its machines, put into the ledger before the server opens it.
//!
//! It ends before the first reading of the demo's agents, whose days are parts of their own: no time is counted twice.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use domain::ids::{MachineId, SiteId};
use domain::units::UnixMicros;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use store::fact::{
    Fact, FactKind, FactOutcome, NewCourse, NewMaintained, NewMaintenance, ServiceChange, SessionLabel,
};
use store::ledger::{Derived, Ledger};
use store::registry::{CourseCode, CourseId, MaintenancePlan, Prescription, Scope};
use store::sqlite::{self, SqliteLedger};

use super::floor::{SITES, Spot};
use crate::year::{self, Appointment, Author, FleetMachine, Gym, Habit, History, Year};

/// Days of history, if the machines are few.
const DAYS: usize = 28;
/// Most days of all machines together: a demo of many starts as soon as one of few.
const MACHINE_DAYS_MAX: usize = 1_000;
/// The history ends so long before the demo begins.
const ENDS_BEFORE_US: i64 = 10_000_000;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// How the server names whoever registers the demo, and what its requests are called: see `floor::register`.
const REGISTRAR: Author<'static> = Author { name: "operator:demo", request: Some("demo") };
/// Who holds the courses: the demo's user.
const THERAPIST: &str = "user:demo";
/// Who serviced machines.
const TECHNICIAN: &str = "operator:technician";
/// How much machines are used, by turns, in parts of 1 000 of an ordinary one.
const POPULARITY: [u32; 7] = [1_250, 950, 1_100, 700, 400, 850, 60];
/// After so many hours of the belt a machine is due for service: the one that was never serviced is overdue.
const PLAN: MaintenancePlan = MaintenancePlan { hours: Some(100), kilometres: Some(1_000) };
/// The others were serviced so many days before the demo, by turns.
const SERVICED_DAYS: [i64; 3] = [6, 11, 17];
/// Codes, weekdays, and times of day in minutes of the courses; both are held on the second site's first machine.
const COURSES: [(&str, [usize; 2], i64, Prescription); 2] = [
    (
        "R-1042",
        [0, 3],
        10 * 60,
        Prescription {
            sessions_a_week: Some(2),
            reverse_seconds: Some(280),
            speed_mm_s: Some(894),
            interval_seconds: Some(30),
            weeks: Some(6),
        },
    ),
    (
        "K-7",
        [1, 4],
        15 * 60 + 30,
        Prescription {
            sessions_a_week: Some(3),
            reverse_seconds: Some(240),
            speed_mm_s: Some(600),
            interval_seconds: Some(30),
            weeks: Some(4),
        },
    ),
];

/// Puts the history into a ledger that knows nothing yet; one that does is left as it is.
///
/// # Errors
/// The folder cannot be used.
pub(super) async fn put(folder: &Path, spots: &[Spot], seed: u64, now: UnixMicros) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let lock = sqlite::lock_folder(folder)?;
    let ledger = SqliteLedger::open(folder)?;
    if ledger.registry().machines().is_empty() {
        let year = year(spots, seed, now).context("the demo's weeks")?;
        fill(&ledger, &year, now).await.context("putting the demo's weeks")?;
    }
    drop(ledger);
    drop(lock);
    Ok(())
}

fn year(spots: &[Spot], seed: u64, now: UnixMicros) -> anyhow::Result<Year> {
    let habits = [Habit::Usual, Habit::Practice];
    let mut gyms = Vec::new();
    for ((id, name, zone), habit) in SITES.into_iter().zip(habits) {
        let (open, staffed) = year::hours(habit);
        let (site, name, zone) = (SiteId::new(id)?, name.to_owned(), zone.to_owned());
        gyms.push(Gym { site, name, zone, open, staffed, sleeps: false });
    }
    let mut machines = Vec::new();
    for (number, spot) in spots.iter().enumerate() {
        let gym = SITES.iter().position(|(site, ..)| *site == spot.site).context("a site of the demo")?;
        machines.push(FleetMachine {
            id: MachineId::new(&spot.id)?,
            name: spot.name.clone(),
            gym,
            kind: spot.kind,
            model: spot.model.to_owned(),
            popularity: POPULARITY[number / SITES.len() % POPULARITY.len()],
            appointments: Vec::new(),
        });
    }
    let host =
        machines.iter_mut().find(|machine| machine.gym == 1).context("a machine of the second site")?;
    for (course, (_, weekdays, minute, _)) in COURSES.iter().enumerate() {
        let held = weekdays.map(|weekday| Appointment { course, weekday, minute: *minute });
        host.appointments.extend(held);
    }
    let days = i64::try_from((MACHINE_DAYS_MAX / spots.len()).clamp(1, DAYS))?;
    let zone = TimeZone::get(SITES[0].2)?;
    let today = Timestamp::from_microsecond(now.0)?.to_zoned(zone).date();
    let until = now.plus(-ENDS_BEFORE_US);
    // Agents tell time to the millisecond, years to the second.
    let until = UnixMicros(until.0 - until.0.rem_euclid(1_000_000));
    Ok(Year::new(seed, gyms, machines, today.checked_sub(days.days())?, until)?)
}

async fn fill(ledger: &dyn Ledger, year: &Year, now: UnixMicros) -> anyhow::Result<()> {
    let histories: Vec<History> = (0..year.machines().len()).map(|number| year.history(number)).collect();
    let facts = year::registration(year, REGISTRAR);
    let registered = facts.first().map_or(year.from(), |fact| fact.time);
    let (registering, serving): (Vec<Fact>, Vec<Fact>) =
        facts.into_iter().partition(|fact| fact.time == registered);
    for fact in registering {
        ledger.add_fact(fact).await?;
    }
    let courses = make_courses(ledger, year, registered).await?;
    let mut rest = serving;
    rest.extend(back_in_service(&rest, year.until()));
    rest.extend(maintenance(year, registered, now));
    let mut derived = Derived::default();
    for (history, machine) in histories.into_iter().zip(year.machines()) {
        let site = &year.gyms()[machine.gym].site;
        let label = |(session, course): &(_, usize)| {
            let time = history.sessions.iter().find(|one| one.id == *session)?.last_motion;
            let (machine, site, course) = (machine.id.clone(), site.clone(), Some(courses[*course]));
            let label = SessionLabel { session: *session, machine, site, course };
            let kind = FactKind::SessionLabelled(label);
            Some(fact(time.plus(120_000_000), THERAPIST, kind))
        };
        rest.extend(history.courses.iter().filter_map(label));
        derived.usage.extend(history.usage);
        derived.sessions.extend(history.sessions);
    }
    ledger.put(derived).await?;
    rest.sort_by_key(|fact| fact.time);
    for fact in rest {
        ledger.add_fact(fact).await?;
    }
    Ok(())
}

/// Whatever is out of service in the end is back: the demo's belts run.
fn back_in_service(facts: &[Fact], time: UnixMicros) -> Vec<Fact> {
    let mut out = BTreeSet::new();
    for fact in facts {
        if let FactKind::ServiceChanged(change) = &fact.kind {
            match &change.out_of_service {
                Some(_) => out.insert(change.machine.clone()),
                None => out.remove(&change.machine),
            };
        }
    }
    let back = |machine| FactKind::ServiceChanged(ServiceChange { machine, out_of_service: None });
    out.into_iter().map(|machine| fact(time, REGISTRAR.name, back(machine))).collect()
}

async fn make_courses(
    ledger: &dyn Ledger,
    year: &Year,
    time: UnixMicros,
) -> anyhow::Result<[CourseId; COURSES.len()]> {
    let mut ids = [CourseId(0); COURSES.len()];
    for (id, (code, _, _, prescription)) in ids.iter_mut().zip(COURSES) {
        let new = NewCourse {
            site: year.gyms()[1].site.clone(),
            code: CourseCode::new(code)?,
            prescription: Some(prescription),
        };
        let outcome = ledger.add_fact(fact(time, THERAPIST, FactKind::CourseCreated(new))).await?;
        let (FactOutcome::Added(number) | FactOutcome::Repeated(number, _)) = outcome;
        *id = CourseId(number);
    }
    Ok(ids)
}

/// Plans of both sites, and services of all machines but the first.
fn maintenance(year: &Year, registered: UnixMicros, now: UnixMicros) -> Vec<Fact> {
    let mut facts = Vec::new();
    for gym in year.gyms() {
        let new = NewMaintenance { scope: Scope::Site(gym.site.clone()), plan: Some(PLAN) };
        facts.push(fact(registered, REGISTRAR.name, FactKind::MaintenanceSet(new)));
    }
    for (number, machine) in year.machines().iter().enumerate().skip(1) {
        let days = SERVICED_DAYS[number % SERVICED_DAYS.len()];
        let at = now.plus(-days * DAY_US).max(registered);
        let note = "belt tension, lubrication".to_owned();
        let new = NewMaintained { machine: machine.id.clone(), at, note };
        facts.push(fact(at, TECHNICIAN, FactKind::MachineMaintained(new)));
    }
    facts
}

fn fact(time: UnixMicros, author: &str, kind: FactKind) -> Fact {
    Fact { time, author: author.to_owned(), request_id: None, kind }
}

#[cfg(test)]
mod tests;
