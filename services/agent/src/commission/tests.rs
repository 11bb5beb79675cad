mod belt;
mod contacts;
mod dialogue;

use domain::belt::{Contact, Direction};
use domain::signal::{Capabilities, SignalValue, SourceNumber, SourceSpec};
use domain::stop::StopContact;
use domain::units::{Incline, MILLI, SECOND, Speed};

use super::*;

const CONFIGURATION: ConfigurationHash = ConfigurationHash([3; 16]);
const ALL: Capabilities = Capabilities::SPEED
    .and(Capabilities::DIRECTION)
    .and(Capabilities::INCLINE)
    .and(Capabilities::EMERGENCY_STOP)
    .and(Capabilities::SAFETY_KEY);

/// A machine whose signals come ten times a second, and the technician beside it.
struct Stage {
    mind: Commissioning,
    now: MonotonicMicros,
    speed: u32,
    direction: Direction,
    incline: i32,
    open: Vec<Contact>,
    tells_speed: bool,
    /// What a second source measures, if there is one.
    second: Option<Direction>,
    said: Vec<Say>,
}

impl Stage {
    fn new(change: impl FnOnce(&mut Plan)) -> Stage {
        let spec = SourceSpec { name: "encoder".to_owned(), capabilities: ALL, period_us: 100 * MILLI };
        let mut plan = Plan::of(&[spec]).with_inverted(&[Some(false)]);
        change(&mut plan);
        let mut stage = Stage {
            mind: Commissioning::new(plan, CONFIGURATION, "1.2.3"),
            now: MonotonicMicros(SECOND),
            speed: 0,
            direction: Direction::Stopped,
            incline: 0,
            open: Vec::new(),
            tells_speed: true,
            second: None,
            said: Vec::new(),
        };
        stage.passes(10);
        stage
    }

    /// So many tenths of a second pass.
    fn passes(&mut self, tenths: u32) -> &mut Stage {
        for _ in 0..tenths {
            self.now = self.now.plus(100 * MILLI);
            let mut values = vec![SignalValue::Incline(Incline(self.incline))];
            for contact in [Contact::EmergencyStop, Contact::SafetyKey] {
                values.push(SignalValue::ContactLevel { contact, open: self.open.contains(&contact) });
            }
            if self.tells_speed {
                values.push(SignalValue::Speed(Speed(self.speed)));
                values.push(SignalValue::MeasuredDirection(self.direction));
            }
            for value in values {
                self.mind.signal(&Signal { at: self.now, source: SourceNumber(0), value });
            }
            if let Some(direction) = self.second {
                let value = SignalValue::MeasuredDirection(direction);
                self.mind.signal(&Signal { at: self.now, source: SourceNumber(1), value });
            }
            self.mind.tick(self.now);
            self.said.extend(self.mind.says());
        }
        self
    }

    fn answers(&mut self, line: &str) -> &mut Stage {
        self.mind.answer(Answer::of(line), self.now);
        self.said.extend(self.mind.says());
        self
    }

    fn runs(&mut self, direction: Direction, speed: u32) -> &mut Stage {
        (self.direction, self.speed) = (direction, speed);
        self.passes(5)
    }

    fn actuates(&mut self, contact: Contact) -> &mut Stage {
        self.open.push(contact);
        self.passes(5);
        self.open.clear();
        self.passes(5)
    }

    /// The belt runs, somebody stops it, and it stands 1.5 s later.
    fn stops(&mut self, contact: Contact) -> &mut Stage {
        self.runs(Direction::Forward, 833).answers("").passes(10);
        self.open.push(contact);
        self.passes(2);
        for speed in [600, 300, 100] {
            self.runs(Direction::Forward, speed);
        }
        self.runs(Direction::Stopped, 0);
        self.open.clear();
        self.passes(5)
    }

    /// On to this step, as if those before it were over.
    fn comes_to(&mut self, step: Step) -> &mut Stage {
        self.mind.place = self.mind.steps.iter().position(|one| *one == step).expect("the plan has it");
        self
    }

    /// What came of a step last: its outcome and its words.
    fn came_of(&self, step: Step) -> Option<(Outcome, &str)> {
        self.said.iter().rev().find_map(|said| match said {
            Say::Result(result) if result.step == step => Some((result.outcome, &result.words[..])),
            Say::Result(_) | Say::Ask(_) | Say::Note(_) => None,
        })
    }

    fn outcomes(&self) -> Vec<(Step, Outcome)> {
        self.mind.results.iter().map(|result| (result.step, result.outcome)).collect()
    }

    /// Contacts and rest, as they should be.
    fn begins(&mut self) -> &mut Stage {
        self.answers("").passes(5);
        self.answers("").passes(5).actuates(Contact::SafetyKey);
        self.answers("").passes(5).actuates(Contact::EmergencyStop);
        self.answers("").passes(40)
    }
}

#[test]
fn a_sound_machine_is_commissioned_from_the_first_step_to_the_report() {
    let mut stage = Stage::new(|plan| plan.belt_mm = Some(3_000));
    stage.begins();
    stage.runs(Direction::Forward, 800).answers("").passes(45);
    stage.runs(Direction::Stopped, 0).runs(Direction::Reverse, 800).answers("").passes(45);
    stage.runs(Direction::Stopped, 0).answers("").passes(5).answers("yes");
    // Ten laps of 3 m at 1 m/s take 30 s; the encoder tells 4 % too little.
    stage.runs(Direction::Forward, 960).answers("").passes(300).answers("");
    stage.stops(Contact::EmergencyStop);
    stage.stops(Contact::SafetyKey);
    stage.answers("Jo Technician").answers("yes");
    let report = stage.mind.report().expect("it was confirmed");
    assert!(report.steps.iter().all(|result| result.outcome == Outcome::Shown), "{:?}", report.steps);
    assert_eq!(report.steps.len(), Step::ALL.len());
    assert!(report.direction_proven && !report.silent_on_stop && !report.incline_is_target);
    assert_eq!((&report.technician[..], &report.agent_version[..]), ("Jo Technician", "1.2.3"));
    assert_eq!(report.configuration, CONFIGURATION);
    let laps = report.steps.iter().find(|result| result.step == Step::CountedLaps).expect("laps");
    let factor = laps.measured.iter().find(|(name, _)| name == "factor_ppm").expect("a factor").1;
    assert!((factor - 1_041_667).abs() < 5_000, "{factor}");
    let contacts: Vec<StopContact> = report.stops.iter().map(|stop| stop.contact).collect();
    assert_eq!(contacts, [StopContact::EmergencyStop, StopContact::SafetyKey]);
    assert!(report.stops.iter().all(|stop| (1_400..=2_000).contains(&stop.time_ms)), "{:?}", report.stops);
    assert_eq!(report.check(), Ok(()));
}

#[test]
fn a_swapped_encoder_is_found_and_proves_nothing() {
    let mut stage = Stage::new(|_| {});
    stage.begins();
    // It runs forward, and the opposite is told.
    stage.runs(Direction::Reverse, 800).answers("").passes(45);
    let Some(Say::Ask(_)) = stage.said.last() else { panic!("{:?}", stage.said) };
    let told = |part: &str| {
        stage.said.iter().any(|said| match said {
            Say::Result(one) => one.words.contains(part),
            Say::Note(words) | Say::Ask(words) => words.contains(part),
        })
    };
    assert!(told("OPPOSITE direction is measured by encoder"), "{:?}", stage.said);
    assert!(told("at name = \"encoder\", set: invert = true"), "{:?}", stage.said);
    stage.answers("s");
    for _ in 0..4 {
        stage.answers("s");
    }
    stage.answers("Jo").answers("yes");
    let report = stage.mind.report().expect("it was confirmed");
    assert!(!report.direction_proven);
    let forward = report.steps.iter().find(|result| result.step == Step::ForwardRun).expect("the run");
    assert_eq!(forward.outcome, Outcome::Failed);
}

#[test]
fn a_step_that_failed_can_be_tried_again() {
    let mut stage = Stage::new(|_| {});
    stage.answers("").passes(5);
    // Nobody pulls the key.
    stage.answers("").passes(110);
    assert_eq!(
        stage.outcomes(),
        [(Step::CountedLaps, Outcome::Skipped), (Step::ContactsClosed, Outcome::Shown)]
    );
    stage.answers("again").answers("").passes(5).actuates(Contact::SafetyKey);
    assert_eq!(stage.outcomes().last(), Some(&(Step::KeyPulled, Outcome::Shown)));
}

/// Signals of several sources: of one second after another, the number of each source with what it told.
fn seen(told: &[(u64, u8, SignalValue)]) -> Seen {
    let mut seen = Seen::default();
    for (second, source, value) in told {
        let at = MonotonicMicros(second * SECOND);
        seen.take(&Signal { at, source: SourceNumber(*source), value: value.clone() });
    }
    seen
}

#[test]
fn of_several_sources_the_first_goes_first_and_each_is_lost_alone() {
    let closed = |contact| SignalValue::ContactLevel { contact, open: false };
    let (speed, lost) =
        (|value| SignalValue::Speed(Speed(value)), || SignalValue::Lost("unplugged".to_owned()));
    let forward = SignalValue::MeasuredDirection(Direction::Forward);
    let both = [
        (1, 0, forward.clone()),
        (1, 0, speed(800)),
        (1, 1, closed(Contact::SafetyKey)),
        (1, 2, SignalValue::MeasuredDirection(Direction::Reverse)),
        (1, 2, speed(900)),
    ];
    let now = MonotonicMicros(2 * SECOND);
    let all = seen(&both);
    assert_eq!(all.speed(now), Some(Speed(800)));
    let direction =
        |seen: &Seen, source| seen.direction(SourceNumber(source), now).map(|(direction, _)| direction);
    assert_eq!(
        (direction(&all, 0), direction(&all, 2)),
        (Some(Direction::Forward), Some(Direction::Reverse))
    );
    let without_first = seen(&[&both[..], &[(2, 0, lost()), (2, 2, speed(950))]].concat());
    assert_eq!(without_first.speed(now), Some(Speed(950)));
    assert_eq!(
        (direction(&without_first, 0), direction(&without_first, 2)),
        (None, Some(Direction::Reverse))
    );
    assert!(
        without_first.contact(Contact::SafetyKey).is_some_and(|state| !state.open),
        "another source told it"
    );
    let without_contacts = seen(&[&both[..], &[(2, 1, lost())]].concat());
    assert_eq!(
        (without_contacts.contact(Contact::SafetyKey), without_contacts.speed(now)),
        (None, Some(Speed(800)))
    );
}

#[test]
fn each_source_that_measures_a_direction_has_to_show_it() {
    let second = |change: fn(&mut Stage)| {
        let mut stage = Stage::new(|plan| {
            let drive = Signed { number: SourceNumber(1), name: "drive".to_owned(), inverted: Some(true) };
            plan.signed.push(drive);
        });
        stage.begins();
        change(&mut stage);
        stage.runs(Direction::Forward, 800).answers("").passes(120);
        let (outcome, words) = stage.came_of(Step::ForwardRun).expect("the step has ended");
        let words = words.to_owned();
        let advised = stage
            .said
            .iter()
            .any(|said| matches!(said, Say::Note(words) if words.contains("\"drive\", set: invert = false")));
        (outcome, words, advised)
    };
    assert_eq!(
        second(|stage| stage.second = Some(Direction::Forward)),
        (Outcome::Shown, String::new(), false)
    );
    let opposite = "the OPPOSITE direction is measured by drive".to_owned();
    assert_eq!(second(|stage| stage.second = Some(Direction::Reverse)), (Outcome::Failed, opposite, true));
    let silent = "no steady direction was measured within 10 s by drive".to_owned();
    assert_eq!(second(|_| {}), (Outcome::Failed, silent, false));
}

#[test]
fn what_a_machine_cannot_show_is_left_out_with_why() {
    let check = |change: fn(&mut Plan), step: Step| {
        let stage = Stage::new(change);
        let left_out = stage.mind.results.iter().find(|result| result.step == step);
        assert!(left_out.is_some_and(|result| !result.words.is_empty()), "{step:?}");
        assert!(!stage.mind.steps.contains(&step));
    };
    check(|_| {}, Step::CountedLaps);
    check(|plan| plan.is_one_way = true, Step::ReverseRun);
    check(|plan| plan.able = Capabilities::SPEED, Step::ForwardRun);
    check(|plan| plan.able = Capabilities::SPEED, Step::ContactsClosed);
    check(|plan| plan.buttons = 0, Step::ButtonPressed);
    let stage = Stage::new(|plan| plan.buttons = 3);
    assert_eq!(stage.mind.steps.iter().filter(|step| **step == Step::ButtonPressed).count(), 3);
}

#[test]
fn a_one_way_belt_needs_no_reverse_run() {
    let mut stage = Stage::new(|plan| plan.is_one_way = true);
    stage.begins();
    stage.runs(Direction::Forward, 800).answers("").passes(45);
    assert!(stage.mind.direction_proven());
}

#[test]
fn what_is_wrong_fails_with_what_was_seen() {
    let check = |act: fn(&mut Stage), step: Step, words: &str| {
        let mut stage = Stage::new(|_| {});
        stage.begins();
        act(&mut stage);
        let failed = stage.said.iter().any(|said| {
            matches!(said, Say::Result(one)
                if one.step == step && one.outcome == Outcome::Failed && one.words.contains(words))
        });
        assert!(failed, "{step:?}, {words}: {:?}", stage.said);
    };
    check(
        |stage| {
            stage.runs(Direction::Forward, 1_500).answers("").passes(45);
        },
        Step::ForwardRun,
        "3.6 km/h",
    );
    check(
        |stage| {
            stage.answers("").passes(120);
        },
        Step::ForwardRun,
        "no motion",
    );
    check(
        |stage| {
            stage.runs(Direction::Unknown, 800).answers("").passes(120);
        },
        Step::ForwardRun,
        "no steady direction was measured within 10 s by encoder",
    );
    check(
        |stage| {
            // The key is out before the step begins.
            stage.mind.place =
                stage.mind.steps.iter().position(|step| *step == Step::KeyPulled).expect("a key");
            stage.open.push(Contact::SafetyKey);
            stage.passes(5).answers("").passes(5);
        },
        Step::KeyPulled,
        "put it back first",
    );
    check(
        |stage| {
            stage.incline = 20;
            stage.passes(5).answers("s").answers("s").answers("").passes(110);
        },
        Step::InclineZero,
        "0.5 %",
    );
}

#[test]
fn whoever_breaks_off_records_nothing() {
    let mut stage = Stage::new(|_| {});
    stage.answers("").passes(5).answers("q");
    assert!(stage.mind.is_over() && stage.mind.report().is_none());
    // And an answer afterwards changes nothing.
    stage.answers("yes");
    assert!(stage.mind.report().is_none());
}
