//! What the belt does: stops, rest, laps, and the run in reverse.

use super::*;

#[test]
fn a_stop_is_measured_only_of_a_belt_that_ran_when_the_contact_opened() {
    let check = |act: fn(&mut Stage), words: &str| {
        for (step, contact) in
            [(Step::StopByButton, Contact::EmergencyStop), (Step::StopByKey, Contact::SafetyKey)]
        {
            let mut stage = Stage::new(|_| {});
            stage.comes_to(step).runs(Direction::Forward, 833).answers("").passes(10);
            act(&mut stage);
            stage.open.push(contact);
            stage.passes(40);
            let (outcome, told) = stage.came_of(step).expect("it has ended");
            assert_eq!(outcome, Outcome::Failed, "{words}");
            assert!(told.contains(words), "{words}: {told}");
            assert_eq!(stage.mind.stops, []);
            assert!(!stage.mind.silent_on_stop);
        }
    };
    // Somebody has stopped it at the console, by habit.
    let stop = |stage: &mut Stage| {
        stage.runs(Direction::Forward, 300).runs(Direction::Stopped, 0);
    };
    check(stop, "stood, or ran slower");
    let slow = |stage: &mut Stage| {
        stage.runs(Direction::Forward, 554);
    };
    check(slow, "ran slower than 2 km/h");
    let silent = |stage: &mut Stage| {
        stage.tells_speed = false;
        stage.passes(25);
    };
    check(silent, "no speed was told when the contact opened");
    // It told the speed before, and nothing afterwards: a stop may take the console's supply.
    check(|stage| stage.tells_speed = false, "no speed is told after the stop");
}

#[test]
fn a_standstill_that_comes_at_once_is_none() {
    let mut stage = Stage::new(|_| {});
    stage.comes_to(Step::StopByButton).runs(Direction::Forward, 833).answers("").passes(10);
    let at = |stage: &mut Stage, after_ms: u64, value: SignalValue| {
        let at = stage.now.plus(after_ms * MILLI);
        stage.mind.signal(&Signal { at, source: SourceNumber(0), value });
        stage.said.extend(stage.mind.says());
    };
    at(&mut stage, 10, SignalValue::ContactLevel { contact: Contact::EmergencyStop, open: true });
    at(&mut stage, 60, SignalValue::Speed(Speed(0)));
    let (outcome, words) = stage.came_of(Step::StopByButton).expect("it has ended");
    assert_eq!(outcome, Outcome::Failed, "{words}");
    assert!(words.contains("sooner than any belt"), "{words}");
    assert_eq!(stage.mind.stops, []);
}

#[test]
fn silence_is_a_trait_only_of_a_source_that_has_told_a_moving_belt() {
    let check = |act: fn(&mut Stage), silent: bool, words: &str| {
        let mut stage = Stage::new(|_| {});
        stage.comes_to(Step::BeltAtRest);
        act(&mut stage);
        stage.answers("").passes(120);
        let (outcome, told) = stage.came_of(Step::BeltAtRest).expect("it has ended");
        assert!(told.contains(words), "{words}: {told}");
        assert_eq!((outcome == Outcome::Shown, stage.mind.silent_on_stop), (silent, silent), "{words}");
    };
    let silent = |stage: &mut Stage| {
        stage.tells_speed = false;
        stage.passes(25);
    };
    check(silent, false, "no speed is told at all");
    let fell_silent: fn(&mut Stage) = |stage| {
        stage.runs(Direction::Forward, 800).tells_speed = false;
        stage.passes(25);
    };
    check(fell_silent, true, "no speed is told while the belt stands");
    let fell_silent_and_was_lost: fn(&mut Stage) = |stage| {
        stage.runs(Direction::Forward, 800).tells_speed = false;
        stage.passes(25);
        let value = SignalValue::Lost("unplugged".to_owned());
        stage.mind.signal(&Signal { at: stage.now, source: SourceNumber(0), value });
    };
    check(fell_silent_and_was_lost, false, "no speed is told at all");
    // Another source goes on failing; that says nothing of this one.
    let beside_a_broken_one: fn(&mut Stage) = |stage| {
        stage.runs(Direction::Forward, 800).tells_speed = false;
        stage.passes(25);
        let value = SignalValue::Lost("it has ended".to_owned());
        stage.mind.signal(&Signal { at: stage.now, source: SourceNumber(7), value });
    };
    check(beside_a_broken_one, true, "no speed is told while the belt stands");
}

#[test]
fn a_rest_lasts_three_seconds_in_a_row() {
    let mut stage = Stage::new(|_| {});
    stage.comes_to(Step::BeltAtRest).runs(Direction::Forward, 100).answers("").passes(20);
    stage.runs(Direction::Stopped, 0).passes(15);
    stage.runs(Direction::Forward, 100).runs(Direction::Stopped, 0).passes(20);
    assert_eq!(stage.came_of(Step::BeltAtRest), None);
    stage.passes(10);
    assert_eq!(stage.came_of(Step::BeltAtRest), Some((Outcome::Shown, "")));
    // One that creeps all the time is no rest.
    let mut stage = Stage::new(|_| {});
    stage.comes_to(Step::BeltAtRest).runs(Direction::Forward, 100).answers("").passes(120);
    let (outcome, words) = stage.came_of(Step::BeltAtRest).expect("it has ended");
    assert_eq!((outcome, words), (Outcome::Failed, "a speed is told while the belt stands"));
}

#[test]
fn a_belt_that_still_runs_forward_is_no_reason_to_invert_what_was_shown() {
    let run = |forward: &str| {
        let mut stage = Stage::new(|_| {});
        stage.comes_to(Step::ForwardRun).runs(Direction::Forward, 800).answers(forward).passes(35);
        // Enter comes before the belt has been turned round.
        stage.answers("").passes(120);
        stage
    };
    let advised = |stage: &Stage| {
        stage.said.iter().any(|said| matches!(said, Say::Note(words) if words.contains("invert = ")))
    };
    let shown = run("");
    let (outcome, words) = shown.came_of(Step::ReverseRun).expect("it has ended");
    assert_eq!(outcome, Outcome::Failed);
    assert!(words.contains("start the belt in REVERSE") && !advised(&shown), "{words}");
    // Where nobody has shown which way is forward it may be the sign.
    let skipped = run("s");
    let (outcome, words) = skipped.came_of(Step::ReverseRun).expect("it has ended");
    assert_eq!(outcome, Outcome::Failed);
    assert!(words.contains("OPPOSITE") && advised(&skipped), "{words}");
    // And turned round within its time, it is shown.
    let mut stage = Stage::new(|_| {});
    stage.comes_to(Step::ForwardRun).runs(Direction::Forward, 800).answers("").passes(35);
    stage.answers("").passes(40).runs(Direction::Reverse, 800).passes(35);
    assert_eq!(stage.came_of(Step::ReverseRun), Some((Outcome::Shown, "")));
}

#[test]
fn laps_give_the_line_that_calibrates_an_encoder() {
    let check = |after: Shown, outcome: Outcome, words: &str| {
        let mut stage = Stage::new(|plan| {
            plan.belt_mm = Some(3_000);
            plan.encoder = Some(Calibrated { name: "belt".to_owned(), nm_per_count: 2_500_000 });
        });
        stage.comes_to(Step::CountedLaps).runs(Direction::Forward, 800);
        stage.mind.odometer(Shown { counts: 1_000, interruptions: 2 });
        // The speed that is told is of no use here: another source's.
        stage.answers("").passes(30);
        stage.mind.odometer(after);
        stage.answers("");
        let (told, said) = stage.came_of(Step::CountedLaps).expect("it has ended");
        assert_eq!(told, outcome, "{said}");
        assert!(said.contains(words), "{words}: {said}");
        stage
    };
    // 30 m in 11 753 counts are 2 552.5 µm a count.
    let stage = check(
        Shown { counts: 12_753, interruptions: 2 },
        Outcome::Shown,
        "at name = \"belt\", set: um_per_count = 2552.5",
    );
    let result = stage.mind.results.last().expect("a result");
    let measured = |name: &str| result.measured.iter().find(|(one, _)| one == name).map(|(_, value)| *value);
    assert_eq!((measured("counts"), measured("told_mm")), (Some(11_753), Some(29_382)));
    assert_eq!(measured("factor_ppm"), Some(1_021_033));
    check(Shown { counts: 12_753, interruptions: 3 }, Outcome::Failed, "counts were missed");
    check(Shown { counts: 1_000, interruptions: 2 }, Outcome::Failed, "is the encoder connected?");
    check(Shown { counts: 6_000, interruptions: 2 }, Outcome::Failed, "off by more than a quarter");
}
