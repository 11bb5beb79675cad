use prost_types::Timestamp;

use super::*;

fn id(number: usize) -> String {
    format!("{number:032x}")
}

fn incident(number: usize) -> Incident {
    let seconds = 1_000 + i64::try_from(number).unwrap();
    Incident {
        id: id(number),
        rule: "emergency-stop".to_owned(),
        machine_id: "m-1".to_owned(),
        time: Some(Timestamp { seconds, nanos: 0 }),
        detect_time: Some(Timestamp { seconds, nanos: 100_000_000 }),
        severity: Severity::Critical.into(),
        ..Default::default()
    }
}

fn notice(number: usize) -> Notice {
    Notice {
        id: id(100 + number),
        contact: "desk".to_owned(),
        incident_id: id(number),
        severity: Severity::Critical.into(),
        step: 1,
        state: NoticeState::Sent.into(),
        attempts: 1,
        ..Default::default()
    }
}

fn message(number: usize, came_ms: f64, taken_ms: Option<f64>) -> Message {
    let told = Told {
        id: id(100 + number),
        incident: id(number),
        severity: "critical".to_owned(),
        machine: "m-1".to_owned(),
        name: "emergency-stop".to_owned(),
    };
    Message { contact: "desk".to_owned(), came_ms, taken_ms, told: vec![told] }
}

fn press(killed_ms: Option<f64>) -> Press {
    let strike = killed_ms.map(|killed_ms| Strike { killed_ms });
    Press { machine: "m-1".to_owned(), strike }
}

/// Three stops, all told once, then changed.
fn judged(change: impl FnOnce(&mut Seen)) -> Verdict {
    let mut seen = Seen {
        incidents: (0..3).map(incident).collect(),
        notices: (0..3).map(notice).collect(),
        messages: (0..3).map(|number| message(number, 2e6, Some(2e6 + 1.0))).collect(),
        presses: vec![press(None); 3],
    };
    change(&mut seen);
    judge(&seen)
}

#[track_caller]
fn check(change: impl FnOnce(&mut Seen), fault: &str) {
    let verdict = judged(change);
    let found = verdict.faults.iter().any(|found| found.contains(fault));
    assert!(found, "\"{fault}\" is not among {:?}", verdict.faults);
}

#[test]
fn what_is_told_once_or_twice_is_clean() {
    let verdict = judged(|_| {});
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.incidents, verdict.once, verdict.again), (3, 3, 0));
    let verdict = judged(|seen| seen.messages.push(message(1, 3e6, Some(3e6))));
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.once, verdict.again, verdict.most), (2, 1, 2));
}

#[test]
fn every_planted_difference_is_found() {
    check(|seen| drop(seen.messages.pop()), "took no message");
    check(|seen| seen.messages[1].taken_ms = None, "took no message");
    check(|seen| seen.notices[1].state = NoticeState::Waiting.into(), "is Waiting after 1 attempts");
    check(|seen| drop(seen.notices.pop()), "0 notices are listed");
    check(|seen| seen.notices.push(notice(1)), "2 notices are listed");
    check(|seen| seen.messages[1].told[0].id = id(101 + 1), "stands for 2 incidents");
    check(|seen| seen.messages[1].told[0].id = id(7), "is not listed so");
    let renamed = |seen: &mut Seen| {
        let mut other = message(1, 3e6, None);
        other.told[0].id = id(7);
        seen.messages.push(other);
    };
    check(renamed, "came under 2 ids");
    check(|seen| drop(seen.incidents.pop()), "3 stops were pressed, 2 are in the ledger");
    check(|seen| seen.presses.push(press(None)), "4 stops were pressed, 3 are in the ledger");
}

/// The second incident happens at 1 001 000 ms and is found 100 ms later.
#[track_caller]
fn check_phase(killed_ms: f64, messages: &[Message], phase: usize, longest_ms: [f64; 2]) {
    let verdict = judged(|seen| {
        seen.presses[1] = press(Some(killed_ms));
        seen.messages.retain(|message| message.told[0].incident != id(1));
        seen.messages.extend_from_slice(messages);
    });
    assert!(verdict.is_clean(), "{verdict}");
    let mut phases = [0; 4];
    phases[phase] = 1;
    assert_eq!((verdict.phases, verdict.longest_ms), (phases, longest_ms));
}

#[test]
fn kills_are_told_apart_by_what_was_there() {
    let again = message(1, 1_002_000.0, Some(1_002_001.0));
    check_phase(1_001_050.0, std::slice::from_ref(&again), 0, [0.0, 950.0]);
    check_phase(1_001_150.0, std::slice::from_ref(&again), 1, [850.0, 0.0]);
    check_phase(1_001_150.0, &[message(1, 1_001_120.0, None), again.clone()], 2, [0.0; 2]);
    check_phase(1_001_150.0, &[message(1, 1_001_120.0, Some(1_001_130.0))], 3, [0.0; 2]);
}
