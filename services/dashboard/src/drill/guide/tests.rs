use super::*;

const BEGIN_S: i64 = 1_800_000_000;

fn drill(stops: &[&str]) -> v1::Drill {
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let stop = |contact: &&str| v1::Stop { contact: (*contact).to_owned(), ..v1::Stop::default() };
    v1::Drill {
        effective_time: at(BEGIN_S),
        end_time: at(BEGIN_S + 600),
        is_open: true,
        stops: stops.iter().map(stop).collect(),
        ..v1::Drill::default()
    }
}

fn machine(speed_mps: Option<f64>, open: &[&str]) -> v1::MachineState {
    let value = |name: &str| {
        if open.contains(&name) { v1::ContactState::Open.into() } else { v1::ContactState::Closed.into() }
    };
    let contacts = v1::Contacts {
        emergency_stop: value("emergency_stop"),
        safety_key: value("safety_key"),
        ..v1::Contacts::default()
    };
    let capabilities = ["emergency_stop", "safety_key", "speed"].map(str::to_owned).to_vec();
    let belt = v1::Belt { speed_mps, contacts: Some(contacts), ..v1::Belt::default() };
    v1::MachineState { belt: Some(belt), capabilities, ..v1::MachineState::default() }
}

fn check(drill: &v1::Drill, state: &v1::MachineState, after_ms: i64, expected: Phase) {
    let now = Timestamp::from_millisecond(BEGIN_S * 1_000 + after_ms).unwrap();
    assert_eq!(phase(drill, state, now), expected, "{after_ms} ms after it took effect");
}

#[test]
fn it_waits_until_it_takes_effect_and_ends_by_itself() {
    let rest = machine(Some(0.0), &[]);
    check(&drill(&[]), &rest, -10_000, Phase::Wait(10));
    check(&drill(&[]), &rest, -9_001, Phase::Wait(10));
    check(&drill(&[]), &rest, -1, Phase::Wait(1));
    check(&drill(&[]), &rest, 0, Phase::Run("emergency_stop"));
    check(&drill(&[]), &rest, 599_999, Phase::Run("emergency_stop"));
    check(&drill(&[]), &rest, 600_000, Phase::Ended);
    check(&v1::Drill { is_open: false, ..drill(&[]) }, &rest, 5_000, Phase::Ended);
}

#[test]
fn it_goes_from_one_contact_to_the_next() {
    let (stop, key) = ("emergency_stop", "safety_key");
    check(&drill(&[]), &machine(None, &[]), 1_000, Phase::Run(stop));
    check(&drill(&[]), &machine(Some(0.69), &[]), 1_000, Phase::Run(stop));
    check(&drill(&[]), &machine(Some(0.7), &[]), 1_000, Phase::Press(stop));
    check(&drill(&[]), &machine(Some(0.5), &[stop]), 1_000, Phase::Measure(stop));
    check(&drill(&[stop]), &machine(Some(0.0), &[stop]), 1_000, Phase::Release(stop, key));
    check(&drill(&[stop]), &machine(Some(0.0), &[]), 1_000, Phase::Run(key));
    check(&drill(&[stop]), &machine(Some(0.9), &[]), 1_000, Phase::Press(key));
    check(&drill(&[stop]), &machine(Some(0.4), &[key]), 1_000, Phase::Measure(key));
    check(&drill(&[stop, key]), &machine(Some(0.0), &[key]), 1_000, Phase::Complete);
    check(&drill(&[key]), &machine(Some(0.0), &[key]), 1_000, Phase::Release(key, stop));
}

#[test]
fn what_the_machine_cannot_report_is_not_asked_for() {
    let mut state = machine(Some(0.9), &[]);
    state.capabilities.retain(|name| name != "emergency_stop");
    check(&drill(&[]), &state, 1_000, Phase::Press("safety_key"));
    check(&drill(&["safety_key"]), &state, 1_000, Phase::Complete);
    state.capabilities.clear();
    check(&drill(&[]), &state, 1_000, Phase::Complete);
}
