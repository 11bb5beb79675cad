//! Courses, labels, opening hours, moves and maintenance.

use domain::ids::SessionId;

use super::settings::{scopes, staffed};
use super::*;
use crate::registry::{
    Course, CourseCode, CourseId, Maintained, MaintenancePlan, Prescription, ScopedMaintenance, StaffedDays,
};

fn codes() -> impl Strategy<Value = CourseCode> {
    "[A-Za-z0-9-]{1,16}".prop_map(|text| CourseCode::new(&text).unwrap())
}

fn courses() -> impl Strategy<Value = CourseId> {
    any::<u64>().prop_map(CourseId)
}

fn prescriptions() -> impl Strategy<Value = Option<Prescription>> {
    let counts = (any::<Option<u8>>(), any::<Option<u8>>());
    option::of((counts, any::<[Option<u32>; 3]>()).prop_map(|((sessions_a_week, weeks), numbers)| {
        let [reverse_seconds, speed_mm_s, interval_seconds] = numbers;
        Prescription { sessions_a_week, reverse_seconds, speed_mm_s, interval_seconds, weeks }
    }))
}

fn plans() -> impl Strategy<Value = MaintenancePlan> {
    any::<(Option<u32>, Option<u32>)>().prop_map(|(hours, kilometres)| MaintenancePlan { hours, kilometres })
}

pub(super) fn maintained() -> impl Strategy<Value = Option<Maintained>> {
    option::of((times(), ".{0,9}", ".{0,9}").prop_map(|(at, by, note)| Maintained { at, by, note }))
}

pub(super) fn usage_kinds() -> impl Strategy<Value = FactKind> {
    let openings =
        (sites(), option::of(staffed()), option::of(any::<u8>())).prop_map(|(site, hours, first_weekday)| {
            let hours = hours.map(|days| OpeningHours { days });
            FactKind::OpeningSet(NewOpening { site, hours, first_weekday })
        });
    let created = (sites(), codes(), prescriptions());
    let created = created.prop_map(|(site, code, prescription)| NewCourse { site, code, prescription });
    let changes =
        (courses(), option::of(prescriptions()), texts()).prop_map(|(course, prescription, owner)| {
            let prescription = prescription.map(|prescription| PrescriptionChange { prescription });
            FactKind::CourseChanged(CourseChange { course, prescription, owner })
        });
    let labels = (any::<[u8; 16]>(), machine_ids(), sites(), option::of(courses())).prop_map(
        |(session, machine, site, course)| {
            let session = SessionId(session);
            FactKind::SessionLabelled(SessionLabel { session, machine, site, course })
        },
    );
    prop_oneof![
        openings,
        created.prop_map(FactKind::CourseCreated),
        changes,
        courses().prop_map(|course| FactKind::CourseEnded(CourseEnd { course })),
        labels,
        (scopes(), option::of(plans()))
            .prop_map(|(scope, plan)| FactKind::MaintenanceSet(NewMaintenance { scope, plan })),
        (machine_ids(), times(), ".{0,9}").prop_map(|(machine, at, note)| {
            FactKind::MachineMaintained(NewMaintained { machine, at, note })
        }),
    ]
}

pub(super) fn usage_entries() -> impl Strategy<Value = Entry> {
    let course = ((courses(), sites(), codes()), ".{0,9}", times(), prescriptions(), option::of(times()));
    let course = course.prop_map(|((id, site, code), owner, created, prescription, ended)| {
        Entry::Course(Course { id, site, code, owner, created, prescription, ended })
    });
    let plan = (scopes(), plans());
    prop_oneof![course, plan.prop_map(|(scope, plan)| Entry::Maintenance(ScopedMaintenance { scope, plan })),]
}

#[test]
fn names_of_courses_in_the_json_stay() {
    let (site, machine) = (SiteId::new("gym-1").unwrap(), MachineId::new("tm-1").unwrap());
    let prescription = Prescription {
        sessions_a_week: Some(3),
        reverse_seconds: Some(600),
        speed_mm_s: None,
        interval_seconds: Some(30),
        weeks: Some(6),
    };
    check_written(
        r#"{"v":2,"kind":"course_created","site":"gym-1","code":"Knee-1","prescription":{"sessions_a_week":3,"reverse_seconds":600,"speed_mm_s":null,"interval_seconds":30,"weeks":6}}"#,
        &FactKind::CourseCreated(NewCourse {
            site: site.clone(),
            code: CourseCode::new("Knee-1").unwrap(),
            prescription: Some(prescription),
        }),
    );
    let course = CourseId(7);
    check_written(
        r#"{"v":2,"kind":"course_changed","course":7,"prescription":{"prescription":null},"owner":"user:ben"}"#,
        &FactKind::CourseChanged(CourseChange {
            course,
            prescription: Some(PrescriptionChange { prescription: None }),
            owner: Some("user:ben".to_owned()),
        }),
    );
    check_written(
        r#"{"v":2,"kind":"course_ended","course":7}"#,
        &FactKind::CourseEnded(CourseEnd { course }),
    );
    for (course, json) in [(Some(course), "7"), (None, "null")] {
        let session = SessionId([1; 16]);
        let (machine, site) = (machine.clone(), site.clone());
        check_written(
            &format!(
                r#"{{"v":2,"kind":"session_labelled","session":"{}","machine":"tm-1","site":"gym-1","course":{json}}}"#,
                "01".repeat(16)
            ),
            &FactKind::SessionLabelled(SessionLabel { session, machine, site, course }),
        );
    }
    let wrong = r#"{"v":2,"kind":"course_created","site":"gym-1","code":"Anna Berger","prescription":null}"#;
    assert!(matches!(read(wrong), Err(Unread::Damaged(reason)) if reason.contains("do not write names")));
}

#[test]
fn names_of_opening_and_maintenance_in_the_json_stay() {
    let (site, machine) = (SiteId::new("gym-1").unwrap(), MachineId::new("tm-1").unwrap());
    let mut days = StaffedDays::default();
    days[6] = vec![(0, 60), (480, 1_440)];
    let opening =
        |hours, first_weekday| FactKind::OpeningSet(NewOpening { site: site.clone(), hours, first_weekday });
    check_written(
        r#"{"v":2,"kind":"opening_set","site":"gym-1","hours":{"days":[[],[],[],[],[],[],[[0,60],[480,1440]]]},"first_weekday":null}"#,
        &opening(Some(OpeningHours { days: Some(days) }), None),
    );
    check_written(
        r#"{"v":2,"kind":"opening_set","site":"gym-1","hours":{"days":null},"first_weekday":6}"#,
        &opening(Some(OpeningHours { days: None }), Some(6)),
    );
    check_written(
        r#"{"v":2,"kind":"opening_set","site":"gym-1","hours":null,"first_weekday":0}"#,
        &opening(None, Some(0)),
    );
    let plan = Some(MaintenancePlan { hours: Some(500), kilometres: None });
    check_written(
        r#"{"v":2,"kind":"maintenance_set","scope":{"model":"Maker 9"},"plan":{"hours":500,"kilometres":null}}"#,
        &FactKind::MaintenanceSet(NewMaintenance { scope: Scope::Model("Maker 9".to_owned()), plan }),
    );
    check_written(
        r#"{"v":2,"kind":"machine_maintained","machine":"tm-1","at_us":5,"note":"belt waxed"}"#,
        &FactKind::MachineMaintained(NewMaintained {
            machine,
            at: UnixMicros(5),
            note: "belt waxed".to_owned(),
        }),
    );
}

/// As they were written before machines could move and contacts were sent reports.
#[test]
fn earlier_changes_and_contacts_are_read() {
    let change = |site| {
        FactKind::MachineChanged(MachineChange {
            machine: MachineId::new("tm-1").unwrap(),
            display_name: None,
            model: Some("Maker 9".to_owned()),
            belt: None,
            drive: None,
            site,
        })
    };
    let earlier = r#"{"v":2,"kind":"machine_changed","machine":"tm-1","display_name":null,"model":"Maker 9","belt":null,"drive":null}"#;
    assert_eq!(read(earlier).unwrap(), change(None));
    check_written(
        r#"{"v":2,"kind":"machine_changed","machine":"tm-1","display_name":null,"model":"Maker 9","belt":null,"drive":null,"site":"gym-2"}"#,
        &change(Some(SiteId::new("gym-2").unwrap())),
    );
    let earlier = r#"{"v":2,"kind":"contact_set","contact":{"name":"insurer","display_name":"Insurer","site":null,"way":{"way":"email","address":"a@example.org"},"is_anchor":true,"generation":1,"changed_us":5}}"#;
    let FactKind::ContactSet(NewContact { contact }) = read(earlier).unwrap() else { panic!("it is one") };
    assert!(contact.is_anchor && !contact.weekly);
}
