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
    said: Vec<Say>,
}

impl Stage {
    fn new(change: impl FnOnce(&mut Plan)) -> Stage {
        let spec = SourceSpec { name: "encoder".to_owned(), capabilities: ALL, period_us: 100 * MILLI };
        let mut plan = Plan::of(&[spec]);
        change(&mut plan);
        let mut stage = Stage {
            mind: Commissioning::new(plan, CONFIGURATION, "1.2.3"),
            now: MonotonicMicros(SECOND),
            speed: 0,
            direction: Direction::Stopped,
            incline: 0,
            open: Vec::new(),
            tells_speed: true,
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
    let told = stage.said.iter().any(|said| matches!(said, Say::Result(one) if one.words.contains("invert")));
    assert!(told, "{:?}", stage.said);
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
        "no direction",
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
fn a_model_that_falls_silent_is_noted() {
    let mut stage = Stage::new(|_| {});
    stage.answers("").passes(5);
    stage.answers("").passes(5).actuates(Contact::SafetyKey);
    stage.answers("").passes(5).actuates(Contact::EmergencyStop);
    stage.tells_speed = false;
    stage.passes(30).answers("").passes(40);
    assert!(stage.mind.silent_on_stop);
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

#[tokio::test(start_paused = true)]
async fn a_file_of_answers_is_read_in_step() {
    let plan = Plan { able: Capabilities::SPEED, ..Plan::of(&[]) };
    let mind = Commissioning::new(plan, CONFIGURATION, "1");
    let (sender, mut signals) = tokio::sync::mpsc::channel(64);
    let (answer, mut lines) = tokio::sync::mpsc::channel(8);
    for line in ["", "Jo", "yes"] {
        answer.send(line.to_owned()).await.expect("there is room");
    }
    let began = tokio::time::Instant::now();
    let now = move || MonotonicMicros(SECOND + u64::try_from(began.elapsed().as_micros()).expect("short"));
    let belt = tokio::spawn(async move {
        loop {
            let signal = Signal { at: now(), source: SourceNumber(0), value: SignalValue::Speed(Speed(0)) };
            if sender.send(signal).await.is_err() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    let mut out = Vec::new();
    let report = body::run(mind, &mut signals, &mut lines, now, &mut out).await.expect("memory takes it");
    belt.abort();
    let text = String::from_utf8(out).expect("text");
    let report = report.expect("it was confirmed");
    assert!(
        report.steps.iter().any(|one| one.step == Step::BeltAtRest && one.outcome == Outcome::Shown),
        "{text}"
    );
    assert!(text.contains("belt_at_rest shown") && text.contains("NOT proven"), "{text}");
}
