//! What stands in the ledger when the demo begins.

use domain::registry::BeltKind;
use store::ledger::{CourseQuery, SessionQuery, UsageQuery};

use super::*;
use crate::demo::DemoSettings;
use crate::demo::floor;

/// 2026-03-31 at 14:20:05.4 UTC: clocks were changed two days before.
const NOW: UnixMicros = UnixMicros(1_774_966_805_400_000);

fn spots(machines: usize) -> Vec<Spot> {
    let settings = DemoSettings { machines, seed: 1, speed: 1.0, folder: None, listen: None, replay: None };
    floor::spots(&settings).unwrap()
}

#[tokio::test]
async fn some_weeks_stand_in_the_ledger_and_end_before_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let spots = spots(6);
    put(folder.path(), &spots, 1, NOW).await.unwrap();
    // A demo that goes on in the same folder adds nothing.
    put(folder.path(), &spots, 2, NOW.plus(DAY_US)).await.unwrap();
    let ledger = SqliteLedger::open(folder.path()).unwrap();
    let registry = ledger.registry();
    let machines: Vec<MachineId> = registry.machines().keys().cloned().collect();
    assert_eq!(machines.len(), 6);
    let (from_day, until_day) = (0, i32::MAX);
    let query = UsageQuery { machines: machines.clone(), from_day, until_day, after: None, max: 10_000 };
    let rows = ledger.usage(&query).await.unwrap();
    let end = NOW.plus(-ENDS_BEFORE_US);
    assert!(rows.iter().all(|row| row.through <= end), "{:?}", rows.iter().map(|row| row.through).max());
    let through = ledger.usage_through(&machines).await.unwrap();
    assert!(through.iter().any(|(_, through)| end.since(*through) < 1_000_000), "{through:?}");
    for machine in &machines {
        let days = rows.iter().filter(|row| row.machine == *machine).count();
        assert!((26..=30).contains(&days), "{machine}: {days}");
    }
    let query =
        SessionQuery { machines, from: UnixMicros(0), until: NOW, with: None, after: None, max: 1_000 };
    let sessions = ledger.sessions(&query).await.unwrap();
    assert!(sessions.iter().all(|session| session.ended && session.last_motion < end));
    assert!(sessions.first().is_some_and(|newest| NOW.since(newest.started) < DAY_US), "today, too");
}

#[tokio::test]
async fn hours_courses_and_maintenance_are_set() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &spots(12), 1, NOW).await.unwrap();
    let ledger = SqliteLedger::open(folder.path()).unwrap();
    let registry = ledger.registry();
    for site in registry.sites().values() {
        let traits = site.traits_at(NOW);
        assert!(traits.open.is_some() && traits.staffed.is_some(), "{traits:?}");
    }
    let harbour = SiteId::new("harbour").unwrap();
    let courses: Vec<_> = registry.courses_of(&harbour).collect();
    assert_eq!(courses.len(), COURSES.len());
    for course in courses {
        let (from, until) = (UnixMicros(0), NOW);
        let query = CourseQuery { course: course.id, from, until, after: None, max: 100 };
        let sessions = ledger.course_sessions(&query).await.unwrap();
        assert!((5..=8).contains(&sessions.len()), "{course:?}: {}", sessions.len());
        assert!(course.prescription.is_some() && course.owner == THERAPIST);
    }
    let never_serviced = registry.machines().values().filter(|machine| machine.maintained.is_none()).count();
    assert_eq!(never_serviced, 1);
    for machine in registry.machines().values() {
        let traits = machine.traits_at(NOW);
        assert!(traits.out_of_service.is_none() && registry.maintenance_plan(&machine.id).is_some());
        let is_proven = traits.commissioning.is_some_and(|shown| shown.direction_proven);
        let is_blind = machine.model.contains("console");
        // Whatever measures a direction was commissioned.
        assert!(is_proven || traits.belt != BeltKind::Reversible || is_blind, "{machine:?}");
        assert!(!(is_proven && is_blind), "{machine:?}");
    }
}
