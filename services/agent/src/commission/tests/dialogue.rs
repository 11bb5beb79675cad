//! What is said and answered: the summary, and lines from a terminal or a file.

use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep};

use super::body::Lines;
use super::*;

#[test]
fn the_summary_says_what_an_earlier_commissioning_loses() {
    let noted = |stage: &Stage, words: &str| {
        stage.said.iter().any(|said| matches!(said, Say::Note(note) if note.contains(words)))
    };
    let mut stage = Stage::new(|_| {});
    while stage.mind.step().is_some() {
        stage.answers("s");
    }
    assert!(noted(&stage, "NOT proven") && noted(&stage, "counts as unknown"), "{:?}", stage.said);
    assert!(noted(&stage, "NO stop was measured by emergency_stop, safety_key"), "{:?}", stage.said);
    assert!(noted(&stage, "takes the place of ALL"), "{:?}", stage.said);
    // A stop that cannot be measured is not missing.
    let mut stage = Stage::new(|plan| plan.able = Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP));
    while stage.mind.step() != Some(Step::StopByButton) {
        stage.answers("s");
    }
    stage.stops(Contact::EmergencyStop);
    assert!(noted(&stage, "takes the place of ALL") && !noted(&stage, "NO stop"), "{:?}", stage.said);
}

/// A dialogue about a belt that stands, of whose speed alone something is told, with these lines, each so many seconds
/// after the beginning: what was written, and whether there is a report.
async fn dialogue(said: &'static [(u64, &'static str)], are_typed: bool) -> (String, bool) {
    let plan = Plan { able: Capabilities::SPEED, ..Plan::of(&[]) };
    let mind = Commissioning::new(plan, CONFIGURATION, "1");
    let (sender, mut signals) = mpsc::channel(64);
    let (answer, lines) = mpsc::channel(8);
    let began = Instant::now();
    let now = move || MonotonicMicros(SECOND + u64::try_from(began.elapsed().as_micros()).expect("short"));
    let belt = tokio::spawn(async move {
        loop {
            let signal = Signal { at: now(), source: SourceNumber(0), value: SignalValue::Speed(Speed(0)) };
            if sender.send(signal).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    let technician = tokio::spawn(async move {
        for (after, line) in said {
            tokio::time::sleep_until(began + Duration::from_secs(*after)).await;
            if answer.send((*line).to_owned()).await.is_err() {
                return;
            }
        }
    });
    let mut lines = Lines { lines, are_typed };
    let mut out = Vec::new();
    let report =
        body::run(mind, &mut signals, &mut lines, None, now, &mut out).await.expect("memory takes it");
    belt.abort();
    technician.abort();
    (String::from_utf8(out).expect("text"), report.is_some())
}

#[tokio::test(start_paused = true)]
async fn a_file_of_answers_is_read_in_step() {
    let (text, has_report) = dialogue(&[(0, ""), (0, "Jo"), (0, "yes")], false).await;
    assert!(has_report && text.contains("belt_at_rest shown") && text.contains("NOT proven"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_while_nothing_is_asked_answers_nothing() {
    // "Jo" would be the name, and "yes" the confirmation, if they were kept.
    let early: &[(u64, &str)] =
        &[(0, ""), (1, "Jo"), (2, "yes"), (6, "Kim"), (7, "no"), (8, "Kim"), (9, "yes")];
    let (text, has_report) = dialogue(early, true).await;
    assert!(has_report && text.contains("by Kim?") && !text.contains("by Jo?"), "{text}");
    // That it ends is heard at any time.
    let (text, has_report) = dialogue(&[(0, ""), (1, "q"), (6, "Kim"), (7, "yes")], true).await;
    assert!(!has_report && !text.contains("belt_at_rest shown"), "{text}");
}
