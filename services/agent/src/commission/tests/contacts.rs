//! Contacts: what bounces, what was never seen to change, and a key that is told in words only.

use super::*;

/// The levels of a contact, each so many milliseconds after the step began.
fn levels(stage: &mut Stage, contact: Contact, levels: &[(u64, bool)]) {
    let began = stage.now;
    for (after_ms, open) in levels {
        let at = began.plus(after_ms * MILLI);
        let value = SignalValue::ContactLevel { contact, open: *open };
        stage.mind.signal(&Signal { at, source: SourceNumber(0), value });
        stage.now = at;
    }
    stage.said.extend(stage.mind.says());
}

#[test]
fn an_edge_is_one_that_stays() {
    let check = |told: &[(u64, bool)], expected: Option<i64>| {
        let mut stage = Stage::new(|_| {});
        stage.comes_to(Step::KeyPulled).answers("");
        levels(&mut stage, Contact::SafetyKey, told);
        stage.passes(110);
        let last = stage.mind.results.last().filter(|result| result.step == Step::KeyPulled);
        let seen = last.map(|result| result.measured[0].1);
        assert_eq!(seen, expected, "{told:?}");
        if expected.is_none() {
            let failed = (Outcome::Failed, "the key was not seen to open within 10 s");
            assert_eq!(stage.came_of(Step::KeyPulled), Some(failed), "{told:?}");
        }
    };
    // Noise on a long wire.
    check(&[(500, true), (501, false)], None);
    check(&[(500, true), (501, false), (600, true), (614, false), (900, true), (910, false)], None);
    // It bounces, and is open: the first edge counts.
    check(&[(500, true), (502, false), (504, true), (900, false)], Some(500));
    check(&[(500, true), (900, false), (903, true), (905, false)], Some(500));
}

#[test]
fn a_level_that_was_open_when_it_was_told_first_is_no_edge() {
    let mut stage = Stage::new(|_| {});
    stage.comes_to(Step::KeyPulled).answers("");
    let value = SignalValue::Lost("unplugged".to_owned());
    stage.mind.signal(&Signal { at: stage.now, source: SourceNumber(0), value });
    // The source is back, and nobody has seen the key being pulled.
    stage.open.push(Contact::SafetyKey);
    stage.passes(5);
    let (outcome, words) = stage.came_of(Step::KeyPulled).expect("it has ended");
    assert_eq!(outcome, Outcome::Failed);
    assert!(words.contains("put it back first"), "{words}");
}

#[test]
fn a_key_that_is_told_in_words_is_shown_by_its_stop_only() {
    let mut stage = Stage::new(|plan| plan.key_in_words = true);
    assert!(!stage.mind.steps.contains(&Step::KeyPulled), "it cannot be seen while the belt stands");
    // The button beside it has a level.
    stage.open.push(Contact::SafetyKey);
    stage.passes(5).answers("").passes(5);
    assert_eq!(stage.came_of(Step::ContactsClosed), Some((Outcome::Shown, "")));
    stage.comes_to(Step::StopByKey).runs(Direction::Forward, 833).answers("").passes(10);
    assert_eq!(stage.came_of(Step::StopByKey), None);
    stage.mind.signal(&Signal { at: stage.now, source: SourceNumber(0), value: SignalValue::SafetyKeyStop });
    stage.passes(5).runs(Direction::Forward, 300).runs(Direction::Stopped, 0);
    assert_eq!(stage.came_of(Step::StopByKey), Some((Outcome::Shown, "")));
    let stop = stage.mind.stops[0];
    assert_eq!((stop.contact, stop.speed), (StopContact::SafetyKey, Speed(833)));
    assert!((900..=1_200).contains(&stop.time_ms), "{stop:?}");
    // Without a button there is no level at all.
    let stage = Stage::new(|plan| {
        plan.key_in_words = true;
        plan.able = Capabilities::SPEED.and(Capabilities::SAFETY_KEY);
    });
    assert!(!stage.mind.steps.contains(&Step::ContactsClosed) && stage.mind.steps.contains(&Step::StopByKey));
}
