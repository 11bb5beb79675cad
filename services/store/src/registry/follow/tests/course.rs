//! Courses and the labels of sessions.

use domain::ids::SessionId;
use domain::limits::COURSES_MAX;

use super::*;
use crate::fact::{CourseChange, CourseEnd, NewCourse, PrescriptionChange, SessionLabel};
use crate::registry::{Course, CourseCode, CourseId, Prescription};

fn code(text: &str) -> CourseCode {
    CourseCode::new(text).unwrap()
}

fn course(at: &str, text: &str) -> FactKind {
    prescribed(at, text, None)
}

fn prescribed(at: &str, text: &str, prescription: Option<Prescription>) -> FactKind {
    FactKind::CourseCreated(NewCourse { site: site_id(at), code: code(text), prescription })
}

fn prescription_changed(course: u64, prescription: Option<Prescription>) -> FactKind {
    let prescription = Some(PrescriptionChange { prescription });
    FactKind::CourseChanged(CourseChange { course: CourseId(course), prescription, owner: None })
}

fn handed_over(course: u64, owner: &str) -> FactKind {
    let owner = Some(owner.to_owned());
    FactKind::CourseChanged(CourseChange { course: CourseId(course), prescription: None, owner })
}

fn ended(course: u64) -> FactKind {
    FactKind::CourseEnded(CourseEnd { course: CourseId(course) })
}

fn label(machine: &str, at: &str, course: Option<u64>) -> FactKind {
    FactKind::SessionLabelled(SessionLabel {
        session: SessionId([7; 16]),
        machine: machine_id(machine),
        site: site_id(at),
        course: course.map(CourseId),
    })
}

const SOME: Prescription = Prescription {
    sessions_a_week: Some(3),
    reverse_seconds: Some(600),
    speed_mm_s: Some(800),
    interval_seconds: Some(30),
    weeks: Some(6),
};

impl Followed {
    fn course(&self, number: u64) -> &Course {
        self.0.course(CourseId(number)).unwrap()
    }

    /// The kind of the refusal, and that it says this.
    #[track_caller]
    fn refuses_with(&self, kind: FactKind, expected: StoreErrorKind, says: &[&str]) {
        let fact = Fact { time: UnixMicros(0), author: "user:anna".to_owned(), request_id: None, kind };
        let error = self.0.follow(self.0.last_fact + 1, &fact).expect_err("it is not allowed");
        assert_eq!(error.kind, expected, "{}", error.context);
        for words in says {
            assert!(error.context.contains(words), "\"{}\" does not say \"{words}\"", error.context);
        }
    }
}

#[test]
fn a_course_is_made_changed_and_ended() {
    let mut followed = Followed::new();
    let number = followed.at(5, prescribed("gym-1", "Knee-1", Some(SOME)));
    let made = Course {
        id: CourseId(number),
        site: site_id("gym-1"),
        code: code("Knee-1"),
        owner: "user:anna".to_owned(),
        created: UnixMicros(5),
        prescription: Some(SOME),
        ended: None,
    };
    assert_eq!(*followed.course(number), made);
    let other = Prescription { weeks: None, ..SOME };
    followed.all([prescription_changed(number, Some(other))]);
    assert_eq!(*followed.course(number), Course { prescription: Some(other), ..made.clone() });
    followed.all([handed_over(number, "user:ben")]);
    let owner = "user:ben".to_owned();
    assert_eq!(*followed.course(number), Course { prescription: Some(other), owner, ..made.clone() });
    followed.all([prescription_changed(number, None)]);
    let owner = "user:ben".to_owned();
    let changed = Course { prescription: None, owner, ..made };
    assert_eq!(*followed.course(number), changed);
    let nothing = CourseChange { course: CourseId(number), prescription: None, owner: None };
    followed.all([FactKind::CourseChanged(nothing)]);
    assert_eq!(*followed.course(number), changed);
    followed.at(9, ended(number));
    followed.at(10, ended(number));
    assert_eq!(*followed.course(number), Course { ended: Some(UnixMicros(9)), ..changed });
    assert_eq!(followed.0.courses().len(), 1);
}

#[test]
fn a_code_names_one_course_of_a_site_at_a_time() {
    let mut followed = Followed::new();
    let first = followed.at(0, course("gym-1", "a"));
    followed.all([course("gym-2", "a"), course("gym-1", "A")]);
    followed.refuses_with(course("gym-1", "a"), StoreErrorKind::Conflict, &["course \"a\""]);
    followed.all([ended(first)]);
    let again = followed.at(1, course("gym-1", "a"));
    followed.refuses_with(course("gym-1", "a"), StoreErrorKind::Conflict, &["course \"a\""]);
    let of_site: Vec<u64> = followed.0.courses_of(&site_id("gym-1")).map(|course| course.id.0).collect();
    assert_eq!(of_site, [first, first + 2, again]);
}

#[test]
fn a_course_that_cannot_be_is_refused() {
    let mut followed = Followed::new();
    let number = followed.at(0, course("gym-1", "a"));
    let none = number + 1;
    let invalid = StoreErrorKind::Invalid;
    followed.refuses_with(course("gym-3", "a"), invalid, &["gym-3"]);
    let wrong = Prescription { weeks: Some(53), ..SOME };
    let says = ["weeks is 53", "1 to 52"];
    followed.refuses_with(prescribed("gym-1", "b", Some(wrong)), invalid, &says);
    followed.refuses_with(prescription_changed(number, Some(wrong)), invalid, &says);
    for kind in [prescription_changed(none, None), ended(none), label("tm-1", "gym-1", Some(none))] {
        followed.refuses_with(kind, invalid, &[&format!("no course {none}")]);
    }
    for owner in ["", "anna", "user:", "user:An na", "token:3"] {
        followed.refuses_with(handed_over(number, owner), invalid, &["owner is", "\"user:\""]);
    }
    followed.refuses_with(handed_over(number, "user:nobody"), invalid, &["\"nobody\""]);
    followed.all([ended(number)]);
    for kind in [prescription_changed(number, None), handed_over(number, "user:ben")] {
        followed.refuses_with(kind, StoreErrorKind::Conflict, &["\"a\"", "has ended"]);
    }
}

#[test]
fn courses_of_a_site_are_bounded() {
    let mut followed = Followed::new();
    followed.all([course("gym-1", "first")]);
    let first = followed.course(followed.0.last_fact).clone();
    for number in 1..COURSES_MAX as u64 {
        let (id, code) = (CourseId(1_000 + number), code(&format!("c-{number}")));
        followed.0.put_entry(Entry::Course(Course { id, code, ended: Some(UnixMicros(1)), ..first.clone() }));
    }
    followed.refuses_with(course("gym-1", "more"), StoreErrorKind::Full, &["courses at \"gym-1\"", "10000"]);
    followed.all([course("gym-2", "more")]);
}

#[test]
fn labels_are_of_courses_of_the_same_site_that_have_not_ended() {
    let mut followed = Followed::new();
    let here = followed.at(0, course("gym-1", "a"));
    let there = followed.at(0, course("gym-2", "a"));
    let before = followed.0.clone();
    for kind in [label("tm-1", "gym-1", Some(here)), label("tm-1", "gym-1", None)] {
        let number = followed.at(0, kind);
        assert_eq!(followed.0, Registry { last_fact: number, ..before.clone() });
    }
    let invalid = StoreErrorKind::Invalid;
    followed.refuses_with(label("tm-1", "gym-1", Some(there)), invalid, &["\"gym-2\"", "\"gym-1\""]);
    for course in [Some(here), None] {
        followed.refuses_with(label("tm-0", "gym-1", course), invalid, &["tm-0"]);
        followed.refuses_with(label("tm-1", "gym-3", course), invalid, &["gym-3"]);
        followed.refuses_with(label("tm-1", "gym-2", course), invalid, &["never stood at \"gym-2\""]);
    }
    // It stood there when the session was.
    let moved = MachineChange {
        machine: machine_id("tm-1"),
        display_name: None,
        model: None,
        belt: None,
        drive: None,
        site: Some(site_id("gym-2")),
    };
    followed.all([
        FactKind::MachineChanged(moved),
        label("tm-1", "gym-1", Some(here)),
        label("tm-1", "gym-2", Some(there)),
        ended(here),
        label("tm-1", "gym-1", None),
    ]);
    followed.refuses_with(label("tm-1", "gym-1", Some(here)), StoreErrorKind::Conflict, &["has ended"]);
}

#[test]
fn a_label_is_told_by_its_fact() {
    let FactKind::SessionLabelled(expected) = label("tm-1", "gym-1", Some(3)) else { panic!("it is one") };
    let told = |kind| {
        let fact = Fact { time: UnixMicros(0), author: String::new(), request_id: None, kind };
        fact.labelled().cloned()
    };
    assert_eq!(told(label("tm-1", "gym-1", Some(3))), Some(expected));
    assert_eq!(told(ended(3)), None);
}

#[test]
fn codes_have_no_room_for_names() {
    for good in ["a", "Z", "0", "-", "Knee-2026-07-ABC", "abcdefghijklmnop"] {
        assert_eq!(code(good).as_str(), good);
    }
    for wrong in ["", "abcdefghijklmnopq", "Anna Berger", "a.b", "knie_1", "ä", "a\n", " a"] {
        let error = CourseCode::new(wrong).expect_err("it is no code").to_string();
        let says = "is no code of a course: 1 to 16 letters, digits and hyphens; do not write names";
        assert_eq!(error, format!("{wrong:?} {says}"));
        assert!(serde_json::from_value::<CourseCode>(wrong.into()).is_err());
    }
    let long = CourseCode::new(&"ä".repeat(9_999)).expect_err("it is no code");
    assert_eq!(long.text, "ä".repeat(80));
}

#[test]
fn a_prescription_says_what_is_not_allowed() {
    let nothing = Prescription::default();
    let check = |prescription: Prescription, says: Option<&str>| {
        assert_eq!(prescription.check().err().as_deref(), says, "{prescription:?}");
    };
    check(nothing, None);
    check(SOME, None);
    let sessions = |count| Prescription { sessions_a_week: Some(count), ..nothing };
    check(sessions(1), None);
    check(sessions(14), None);
    check(sessions(0), Some("sessions_a_week is 0; 1 to 14 are allowed"));
    check(sessions(15), Some("sessions_a_week is 15; 1 to 14 are allowed"));
    let reverse = |seconds| Prescription { reverse_seconds: Some(seconds), ..nothing };
    check(reverse(30), None);
    check(reverse(7_200), None);
    check(reverse(29), Some("reverse_seconds is 29; 30 to 7200 are allowed"));
    check(reverse(7_201), Some("reverse_seconds is 7201; 30 to 7200 are allowed"));
    let speed = |speed| Prescription { speed_mm_s: Some(speed), ..nothing };
    check(speed(100), None);
    check(speed(3_000), None);
    check(speed(99), Some("speed_mm_s is 99; 100 to 3000 are allowed"));
    check(speed(3_001), Some("speed_mm_s is 3001; 100 to 3000 are allowed"));
    let interval = |seconds| Prescription { interval_seconds: Some(seconds), ..nothing };
    check(interval(5), None);
    check(interval(1_800), None);
    check(interval(4), Some("interval_seconds is 4; 5 to 1800 are allowed"));
    check(interval(1_801), Some("interval_seconds is 1801; 5 to 1800 are allowed"));
    let weeks = |weeks| Prescription { weeks: Some(weeks), ..nothing };
    check(weeks(1), None);
    check(weeks(52), None);
    check(weeks(0), Some("weeks is 0; 1 to 52 are allowed"));
    check(weeks(53), Some("weeks is 53; 1 to 52 are allowed"));
}
