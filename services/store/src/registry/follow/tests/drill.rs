//! Proof tests: when they hold, and who may begin one.

use domain::incident::settings::EFFECTIVE_AFTER_US;
use domain::limits::{DRILL_US_MAX, DRILLS_KEPT_MAX};

use super::*;
use crate::fact::{DrillEnd, NewDrill};
use crate::registry::Drill;

const SECOND: i64 = 1_000_000;

fn start(name: &str, until: i64) -> FactKind {
    FactKind::DrillStarted(NewDrill { machine: machine_id(name), until: UnixMicros(until) })
}

fn end(name: &str, drill: u64, note: &str) -> FactKind {
    FactKind::DrillEnded(DrillEnd { machine: machine_id(name), drill, note: note.to_owned() })
}

impl Followed {
    /// The proof test in the settings of tm-1 at that second.
    fn drill_at(&self, second: i64) -> Option<u64> {
        self.0.timeline(&machine_id("tm-1")).unwrap().at(UnixMicros(second * SECOND)).drill
    }

    fn drills(&self) -> &[Drill] {
        &self.machine("tm-1").drills
    }
}

#[test]
fn a_proof_test_holds_from_10_s_after_its_beginning_until_its_end() {
    let mut followed = Followed::new();
    let number = followed.at(100 * SECOND, start("tm-1", 400 * SECOND));
    let at = [109, 110, 399, 400].map(|second| followed.drill_at(second));
    assert_eq!(at, [None, Some(number), Some(number), None]);
    assert_eq!(followed.0.timeline(&machine_id("tm-2")).unwrap().newest().drill, None);
    let machine = followed.machine("tm-1");
    let under_way = |second: i64| machine.drill(UnixMicros(second * SECOND)).map(|drill| drill.number);
    assert_eq!([100, 399, 400].map(under_way), [Some(number), Some(number), None]);
    // When it has ended, another one may begin, and the first one is not forgotten.
    let second = followed.at(400 * SECOND, start("tm-1", 500 * SECOND));
    let at = [399, 409, 410, 499, 500].map(|second| followed.drill_at(second));
    assert_eq!(at, [Some(number), None, Some(second), Some(second), None]);
    // What else is set meanwhile stays apart.
    let model = FactKind::MachineChanged(MachineChange {
        machine: machine_id("tm-1"),
        display_name: None,
        model: Some("other".to_owned()),
        belt: None,
        drive: None,
        site: None,
    });
    followed.at(450 * SECOND, model);
    assert_eq!([470, 500].map(|second| followed.drill_at(second)), [Some(second), None]);
}

#[test]
fn a_proof_test_can_be_ended_before_its_time() {
    let mut followed = Followed::new();
    let number = followed.at(100 * SECOND, start("tm-1", 400 * SECOND));
    followed.at(200 * SECOND, end("tm-1", number, "all three stops work"));
    assert_eq!([209, 210].map(|second| followed.drill_at(second)), [Some(number), None]);
    assert_eq!(followed.machine("tm-1").drill(UnixMicros(200 * SECOND)), None);
    let expected = Drill {
        number,
        by: "user:anna".to_owned(),
        from: UnixMicros(110 * SECOND),
        until: UnixMicros(210 * SECOND),
        is_ended: true,
        note: "all three stops work".to_owned(),
    };
    assert_eq!(followed.drills(), std::slice::from_ref(&expected));
    // Another word replaces the first, and ends nothing again.
    followed.at(205 * SECOND, end("tm-1", number, "two"));
    assert_eq!(followed.drills(), [Drill { note: "two".to_owned(), ..expected }]);
    // One that is ended before it holds never does.
    let second = followed.at(300 * SECOND, start("tm-1", 400 * SECOND));
    followed.at(300 * SECOND, end("tm-1", second, ""));
    assert!((300..400).all(|at| followed.drill_at(at).is_none()));
    // A word about one that ended by itself.
    let third = followed.at(500 * SECOND, start("tm-1", 600 * SECOND));
    followed.at(700 * SECOND, end("tm-1", third, "late"));
    let last = followed.drills().last().unwrap();
    assert_eq!((last.is_ended, last.until.0, last.note.as_str()), (false, 600 * SECOND, "late"));
}

#[test]
fn a_proof_test_that_cannot_be_is_refused() {
    let mut followed = Followed::new();
    let from = EFFECTIVE_AFTER_US;
    for until in [i64::MIN, 0, from, from + DRILL_US_MAX + 1, i64::MAX] {
        followed.refuses(StoreErrorKind::Invalid, start("tm-1", until));
    }
    followed.refuses(StoreErrorKind::Invalid, start("tm-0", from + 1));
    let number = followed.at(0, start("tm-1", from + DRILL_US_MAX));
    followed.refuses(StoreErrorKind::Conflict, start("tm-1", from + 1));
    followed.all([start("tm-2", from + 1)]);
    for wrong in [
        end("tm-0", number, ""),
        end("tm-2", number, ""),
        end("tm-1", number + 1, ""),
        end("tm-1", number, &"ä".repeat(201)),
    ] {
        followed.refuses(StoreErrorKind::Invalid, wrong);
    }
    followed.all([end("tm-1", number, &"ä".repeat(200))]);
}

#[test]
fn the_last_proof_tests_are_kept() {
    let mut followed = Followed::new();
    let kept = i64::try_from(DRILLS_KEPT_MAX).unwrap();
    let mut numbers = Vec::new();
    for round in 0..kept + 3 {
        let at = round * 1_000 * SECOND;
        numbers.push(followed.at(at, start("tm-1", at + 100 * SECOND)));
    }
    let kept_numbers: Vec<u64> = followed.drills().iter().map(|drill| drill.number).collect();
    assert_eq!(kept_numbers, numbers[3..]);
    // What was forgotten is no proof test that has always held.
    assert_eq!([0, 50, 2_050, 3_050].map(|at| followed.drill_at(at)), [None, None, None, Some(numbers[3])]);
    assert!(followed.machine("tm-1").history.is_empty(), "settings are not crowded out");
}
