//! Courses, opening hours, moves and maintenance in the audit.

use domain::ids::{MachineId, SessionId};
use domain::live::Session;
use domain::units::UnixMicros;
use store::fact::{
    CourseChange, CourseEnd, FactKind, MachineChange, NewContact, NewCourse, NewMaintained, NewMaintenance,
    NewOpening, OpeningHours, PrescriptionChange, SessionLabel,
};
use store::ledger::{Derived, Ledger};
use store::registry::{
    Contact, CourseCode, CourseId, MaintenancePlan, Prescription, Role, Scope as SettingScope, Way,
};

use super::super::{Bench, NOON, site_id};
use super::entries;

fn machine(name: &str) -> MachineId {
    MachineId::new(name).unwrap()
}

/// After this fact the newest entry has this kind, subject, site and detail.
async fn check(bench: &Bench, kind: FactKind, expected: [&str; 4]) {
    bench.fact(kind).await;
    let entries = entries(bench, &bench.operator, 1_000).await.concat();
    let newest = entries.first().unwrap();
    let told = [&newest.kind, &newest.subject, &newest.site_id, &newest.detail];
    assert_eq!(told.map(String::as_str), expected);
}

#[tokio::test]
async fn courses_and_labels_are_audited() {
    let bench = Bench::furnished().await;
    let site = site_id("north");
    let course = CourseId(bench.ledger.registry().last_fact + 1);
    let prescription = Prescription {
        sessions_a_week: Some(3),
        reverse_seconds: Some(600),
        speed_mm_s: Some(800),
        interval_seconds: Some(30),
        weeks: Some(6),
    };
    let said = "3 sessions a week, 600 s in reverse, at most 800 mm/s, intervals of 30 s, 6 weeks";
    let new = NewCourse {
        site: site.clone(),
        code: CourseCode::new("Knee-1").unwrap(),
        prescription: Some(prescription),
    };
    check(&bench, FactKind::CourseCreated(new), ["course_created", "Knee-1", "north", said]).await;
    let change = |prescription: Option<Prescription>| {
        let prescription = Some(PrescriptionChange { prescription });
        FactKind::CourseChanged(CourseChange { course, prescription, owner: None })
    };
    let weeks = Prescription { weeks: Some(2), ..Prescription::default() };
    check(&bench, change(Some(weeks)), ["course_changed", "Knee-1", "north", "2 weeks"]).await;
    let away = "prescription taken away";
    check(&bench, change(None), ["course_changed", "Knee-1", "north", away]).await;
    bench.user("ben", Role::Therapist, &["north"]).await;
    let owner = Some("user:ben".to_owned());
    let handed = FactKind::CourseChanged(CourseChange { course, prescription: None, owner });
    let said = "handed over to user:ben";
    check(&bench, handed, ["course_changed", "Knee-1", "north", said]).await;
    let session = Session {
        id: SessionId([0x0a; 16]),
        machine: machine("n-1"),
        started: NOON,
        last_motion: NOON.plus(1),
        ended: true,
        segments: Vec::new(),
        revision: 1,
    };
    let derived = Derived { sessions: vec![session], ..Derived::default() };
    bench.ledger.put(derived).await.unwrap();
    let label = |course| {
        let (session, machine) = (SessionId([0x0a; 16]), machine("n-1"));
        FactKind::SessionLabelled(SessionLabel { session, machine, site: site.clone(), course })
    };
    let session = "0a".repeat(16);
    // Not the code: who reads the audit need not see the course.
    let on = format!("on n-1: course {course}");
    check(&bench, label(Some(course)), ["session_labelled", &session, "north", &on]).await;
    let away = "on n-1: label taken away";
    check(&bench, label(None), ["session_labelled", &session, "north", away]).await;
    let end = FactKind::CourseEnded(CourseEnd { course });
    check(&bench, end, ["course_ended", "Knee-1", "north", ""]).await;
}

#[tokio::test]
async fn opening_hours_moves_and_reports_are_audited() {
    let bench = Bench::furnished().await;
    let opening = |hours: OpeningHours, first_weekday| {
        FactKind::OpeningSet(NewOpening { site: site_id("north"), hours: Some(hours), first_weekday })
    };
    let tuesdays = std::array::from_fn(|day| if day == 1 { vec![(360, 1_320)] } else { Vec::new() });
    let said = "hours: Tue 06:00-22:00, weeks begin: Sun";
    let set = opening(OpeningHours { days: Some(tuesdays) }, Some(6));
    check(&bench, set, ["opening_set", "north", "north", said]).await;
    let away = opening(OpeningHours { days: None }, None);
    check(&bench, away, ["opening_set", "north", "north", "hours: none"]).await;
    let moved = FactKind::MachineChanged(MachineChange {
        machine: machine("n-1"),
        display_name: None,
        model: None,
        belt: None,
        drive: None,
        site: Some(site_id("south")),
    });
    check(&bench, moved, ["machine_changed", "n-1", "south", "moved to: south"]).await;
    let contact = Contact {
        name: "owner".to_owned(),
        display_name: String::new(),
        site: None,
        way: Way::Email { address: "owner@example.org".to_owned() },
        is_anchor: false,
        weekly: true,
        generation: 1,
        changed: NOON,
    };
    let said = "by e-mail, secret 1, is sent the weekly report";
    check(&bench, FactKind::ContactSet(NewContact { contact }), ["contact_set", "owner", "", said]).await;
}

#[tokio::test]
async fn maintenance_is_audited() {
    let bench = Bench::furnished().await;
    let plan = |scope, plan| FactKind::MaintenanceSet(NewMaintenance { scope, plan });
    let due = |hours, kilometres| Some(MaintenancePlan { hours, kilometres });
    let north = || SettingScope::Site(site_id("north"));
    let both = plan(north(), due(Some(500), Some(2_000)));
    check(&bench, both, ["maintenance_set", "north", "north", "every 500 h or 2000 km"]).await;
    check(&bench, plan(north(), None), ["maintenance_set", "north", "north", "taken away"]).await;
    let model = plan(SettingScope::Model("Maker 9".to_owned()), due(Some(1), None));
    check(&bench, model, ["maintenance_set", "Maker 9", "", "every 1 h"]).await;
    let one = plan(SettingScope::Machine(machine("n-1")), due(None, Some(1)));
    check(&bench, one, ["maintenance_set", "n-1", "north", "every 1 km"]).await;
    let serviced = |note: &str| {
        let (machine, at) = (machine("n-1"), UnixMicros(0));
        FactKind::MachineMaintained(NewMaintained { machine, at, note: note.to_owned() })
    };
    let said = "at 1970-01-01T00:00:00Z: belt waxed";
    check(&bench, serviced("belt waxed"), ["machine_maintained", "n-1", "north", said]).await;
    let said = "at 1970-01-01T00:00:00Z";
    check(&bench, serviced(""), ["machine_maintained", "n-1", "north", said]).await;
}
