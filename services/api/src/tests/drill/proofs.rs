//! When contacts were proven, and when they are due.

use domain::belt::Contact;
use domain::ids::IncidentId;
use domain::live::LiveState;
use domain::signal::Capabilities;
use domain::units::Speed;
use store::ledger::Ledger;
use wire::api::v1;

use super::super::{Bench, machine_id, seconds, with_token};
use super::{DAY, drills, put, stop, with};

const BOTH: Capabilities =
    Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP).and(Capabilities::SAFETY_KEY);

fn can(bench: &Bench, machine: &str, capabilities: Capabilities) {
    bench.feed.put(LiveState { capabilities, ..LiveState::new(machine_id(machine)) });
}

/// Machine, contact, state, last and due in days after noon.
type Listed = (String, String, v1::ProofState, Option<i64>, Option<i64>);

pub(super) async fn listed(bench: &Bench, token: Option<&str>, machine: &str) -> Vec<Listed> {
    let request = v1::ListProofsRequest { machine_id: machine.to_owned(), ..Default::default() };
    let request = match token {
        Some(token) => with_token(token, request),
        None => tonic::Request::new(request),
    };
    let proofs = drills(bench).await.list_proofs(request).await.unwrap().into_inner().proofs;
    let days = |time: prost_types::Timestamp| (time.seconds - seconds(0).seconds).div_euclid(DAY);
    let told = |one: &v1::Proof| {
        let (last, due) = (one.last_time.map(days), one.due_time.map(days));
        (one.machine_id.clone(), one.contact.clone(), one.state(), last, due)
    };
    proofs.iter().map(told).collect()
}

#[tokio::test]
async fn proven_due_overdue_never_and_blind() {
    let bench = Bench::furnished().await;
    type Expected = (v1::ProofState, Option<i64>, Option<i64>);
    let check = async |capabilities, day: i64, contact, expected: Expected| {
        can(&bench, "n-1", capabilities);
        bench.at(day * DAY);
        let all = listed(&bench, None, "n-1").await;
        assert_eq!(all.len(), 2, "each contact once");
        let (.., state, last, due) = all.into_iter().find(|one| one.1 == contact).unwrap();
        assert_eq!((state, last, due), expected, "{contact} on day {day}");
    };
    use v1::ProofState::{Blind, Due, Never, Overdue, Proven};
    check(BOTH, 0, "emergency_stop", (Never, None, None)).await;
    put(&bench, vec![stop(1, 0, Contact::EmergencyStop, Some(1_000))]).await;
    check(BOTH, 1, "emergency_stop", (Proven, Some(0), Some(30))).await;
    check(BOTH, 1, "safety_key", (Never, None, None)).await;
    check(BOTH, 22, "emergency_stop", (Proven, Some(0), Some(30))).await;
    check(BOTH, 23, "emergency_stop", (Due, Some(0), Some(30))).await;
    check(BOTH, 30, "emergency_stop", (Overdue, Some(0), Some(30))).await;
    let threshold = v1::NamedValue { name: "safety-function-untested.days".to_owned(), value: 90 };
    let request = v1::SetThresholdsRequest {
        machine_id: "n-1".to_owned(),
        thresholds: vec![threshold],
        ..Default::default()
    };
    bench.admin().await.set_thresholds(request).await.unwrap();
    check(BOTH, 30, "emergency_stop", (Proven, Some(0), Some(90))).await;
    let no_speed = Capabilities::EMERGENCY_STOP.and(Capabilities::SAFETY_KEY);
    check(no_speed, 30, "emergency_stop", (Blind, Some(0), None)).await;
    let no_key = Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP);
    check(no_key, 30, "safety_key", (Blind, None, None)).await;
    check(Capabilities::default(), 30, "emergency_stop", (Blind, Some(0), None)).await;
}

#[tokio::test]
async fn only_a_measured_stop_of_a_moving_belt_is_a_proof_and_each_change_counts_at_once() {
    let bench = Bench::furnished().await;
    can(&bench, "n-1", BOTH);
    let last = async |contact: &str| {
        let all = listed(&bench, None, "n-1").await;
        all.into_iter().find(|one| one.1 == contact).unwrap().3
    };
    assert_eq!(last("emergency_stop").await, None);
    put(
        &bench,
        vec![
            stop(1, -5 * DAY, Contact::EmergencyStop, None),
            with(stop(2, -4 * DAY, Contact::EmergencyStop, None), |one| one.speed = Some(Speed(0))),
            with(stop(3, -3 * DAY, Contact::EmergencyStop, Some(900)), |one| one.speed = None),
        ],
    )
    .await;
    assert_eq!(last("emergency_stop").await, None);
    // It came to rest after all.
    let measured = with(stop(1, -5 * DAY, Contact::EmergencyStop, Some(900)), |one| one.revision = 2);
    put(&bench, vec![measured]).await;
    assert_eq!(last("emergency_stop").await, Some(-5));
    let in_drill = with(stop(4, -2 * DAY, Contact::EmergencyStop, Some(900)), |one| one.drill = Some(9));
    put(&bench, vec![in_drill, stop(5, -8 * DAY, Contact::SafetyKey, Some(900))]).await;
    assert_eq!((last("emergency_stop").await, last("safety_key").await), (Some(-2), Some(-8)));
    // An earlier one that comes late changes nothing, and what its rule does not find any more counts no longer.
    put(&bench, vec![stop(6, -3 * DAY, Contact::EmergencyStop, Some(900))]).await;
    assert_eq!(last("emergency_stop").await, Some(-2));
    bench.ledger.mark_unconfirmed(vec![IncidentId([4; 16])], 2).await.unwrap();
    assert_eq!(last("emergency_stop").await, Some(-3));
}

#[tokio::test]
async fn many_that_are_no_proof_may_stand_before_the_one_that_is() {
    let bench = Bench::furnished().await;
    can(&bench, "n-1", BOTH);
    let pressed = |id: u8| {
        let second = -DAY + i64::from(id);
        with(stop(id, second, Contact::EmergencyStop, None), |one| one.speed = Some(Speed(0)))
    };
    put(&bench, (1..=220).map(pressed).collect()).await;
    put(&bench, vec![stop(0, -9 * DAY, Contact::EmergencyStop, Some(900))]).await;
    let all = listed(&bench, None, "n-1").await;
    assert!(all.iter().any(|one| one.1 == "emergency_stop" && one.3 == Some(-9)), "{all:?}");
}

#[tokio::test]
async fn what_needs_a_person_most_comes_first() {
    let bench = Bench::furnished().await;
    can(&bench, "n-1", BOTH);
    can(&bench, "n-2", BOTH);
    let of = |id, machine: &str, day: i64, contact| {
        with(stop(id, day * DAY, contact, Some(900)), |one| one.machine = machine_id(machine))
    };
    put(
        &bench,
        vec![
            of(1, "n-1", -40, Contact::EmergencyStop),
            of(2, "n-1", -3, Contact::SafetyKey),
            of(3, "n-2", -50, Contact::SafetyKey),
        ],
    )
    .await;
    let request = v1::ListProofsRequest { site_id: "north".to_owned(), ..Default::default() };
    let north = drills(&bench).await.list_proofs(request).await.unwrap().into_inner().proofs;
    let order = |proofs: &[v1::Proof]| -> Vec<(String, String)> {
        proofs.iter().map(|one| (one.machine_id.clone(), one.contact.clone())).collect()
    };
    let expected =
        [("n-2", "safety_key"), ("n-1", "emergency_stop"), ("n-2", "emergency_stop"), ("n-1", "safety_key")];
    let expected: Vec<(String, String)> =
        expected.iter().map(|(machine, contact)| ((*machine).to_owned(), (*contact).to_owned())).collect();
    assert_eq!(order(&north), expected);
    let all = listed(&bench, None, "").await;
    assert_eq!(all.len(), 6);
    assert!(all[4..].iter().all(|one| one.0 == "s-1" && one.2 == v1::ProofState::Blind), "{all:?}");
}
