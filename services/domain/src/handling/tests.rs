use proptest::prelude::*;

use super::*;

const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);
const CRITICAL: Subject = Subject { severity: Severity::Critical, is_drill: false };
const MEDIUM: Subject = Subject { severity: Severity::Medium, is_drill: false };

fn deed(number: u64, by: &str) -> Deed {
    Deed { number, time: NOON.plus(number.cast_signed() * 1_000_000), by: by.to_owned() }
}

fn anna() -> UserName {
    UserName::new("anna").unwrap()
}

/// The handling after these steps, each by `user:NUMBER`.
fn after(steps: &[Step]) -> Handling {
    let mut handling = Handling::default();
    for (number, step) in (1..).zip(steps) {
        handling.take(step, *step == Step::Note, deed(number, &format!("user:{number}")));
    }
    handling
}

fn close(cause: Cause, hurt: Hurt) -> Step {
    Step::Close { cause: Some(cause), hurt: Some(hurt) }
}

#[test]
fn an_incident_goes_from_open_to_closed() {
    let assign = Step::Assign { to: Some(anna()) };
    let done = close(Cause::Misuse, Hurt::No);
    let states = |steps: &[Step]| after(steps).state;
    assert_eq!(states(&[]), HandlingState::Open);
    assert_eq!(states(&[Step::Acknowledge]), HandlingState::Acknowledged);
    assert_eq!(states(&[Step::Acknowledge, assign.clone()]), HandlingState::InProgress);
    let closed = after(&[Step::Acknowledge, assign, Step::Note, done]);
    assert_eq!((closed.state, closed.notes, closed.steps), (HandlingState::Closed, 1, 4));
    assert_eq!(closed.acknowledged, Some(deed(1, "user:1")));
    assert_eq!(closed.closing.unwrap().first, deed(4, "user:4"));
}

#[test]
fn what_comes_after_the_closing_reopens_nothing_and_is_counted() {
    let done = close(Cause::DeliberateStop, Hurt::No);
    let handling = after(&[done, Step::Acknowledge, Step::Assign { to: Some(anna()) }, Step::Note]);
    assert_eq!((handling.state, handling.steps, handling.notes), (HandlingState::Closed, 4, 1));
    assert_eq!((handling.assignee, handling.acknowledged.unwrap().number), (None, 1));
}

#[test]
fn of_two_closings_the_last_cause_counts_and_the_worst_answer() {
    let hurt = close(Cause::MachineFault, Hurt::Yes);
    let fine = close(Cause::DeliberateStop, Hurt::No);
    for steps in [[hurt.clone(), fine.clone()], [fine, hurt]] {
        let Step::Close { cause, .. } = steps[1] else { panic!("both close") };
        let closing = after(&steps).closing.unwrap();
        assert_eq!((closing.cause, closing.hurt), (cause, Some(Hurt::Yes)));
        assert_eq!((closing.first.number, closing.last.number), (1, 2));
    }
}

#[test]
fn what_cannot_be_done_is_told_with_what_can() {
    let check = |before: &[Step], step: Step, subject: Subject| {
        after(before).check(&step, false, subject, NOON).map_err(|error| error.to_string())
    };
    let shelve = |us: i64| Step::Shelve { until: Some(NOON.plus(us)) };
    let refused = |result: Result<(), String>, words: &str| {
        let error = result.expect_err(words);
        assert!(error.contains(words), "{error}");
    };
    refused(check(&[], shelve(60_000_000), CRITICAL), "cannot be shelved");
    refused(check(&[], shelve(0), MEDIUM), "30 days");
    refused(check(&[], shelve(SHELVED_US_MAX + 1), MEDIUM), "30 days");
    assert_eq!(check(&[], shelve(SHELVED_US_MAX), MEDIUM), Ok(()));
    refused(check(&[], Step::Close { cause: None, hurt: Some(Hurt::No) }, CRITICAL), "machine_fault");
    refused(
        check(&[], Step::Close { cause: Some(Cause::Drill), hurt: None }, CRITICAL),
        "no, unknown or yes",
    );
    assert_eq!(check(&[], Step::Close { cause: None, hurt: None }, MEDIUM), Ok(()));
    refused(check(&[], Step::Note, MEDIUM), "1 to 2000");
    let done = [close(Cause::Misuse, Hurt::No)];
    refused(check(&done, shelve(1), MEDIUM), "closed by user:1");
    refused(check(&done, Step::Assign { to: None }, MEDIUM), "closed by user:1");
    assert_eq!(check(&done, Step::Acknowledge, CRITICAL), Ok(()));
    assert_eq!(check(&done, Step::Close { cause: None, hurt: None }, CRITICAL), Ok(()));
}

#[test]
fn a_shelved_one_comes_back_by_itself() {
    let handling = after(&[Step::Shelve { until: Some(NOON.plus(10)) }]);
    assert!(handling.is_shelved(NOON.plus(9)) && !handling.is_shelved(NOON.plus(10)));
    assert!(
        !after(&[Step::Shelve { until: Some(NOON.plus(10)) }, Step::Shelve { until: None }]).is_shelved(NOON)
    );
}

fn any_step() -> impl Strategy<Value = Step> {
    let cause = proptest::option::of(proptest::sample::select(Cause::ALL.to_vec()));
    let hurt = proptest::option::of(proptest::sample::select(Hurt::ALL.to_vec()));
    prop_oneof![
        Just(Step::Acknowledge),
        any::<bool>().prop_map(|some| Step::Assign { to: some.then(anna) }),
        Just(Step::Note),
        proptest::option::of(0..100_i64).prop_map(|us| Step::Shelve { until: us.map(|us| NOON.plus(us)) }),
        (cause, hurt).prop_map(|(cause, hurt)| Step::Close { cause, hurt }),
        any::<bool>().prop_map(|on| Step::Hold { on }),
    ]
}

proptest! {
    /// Whatever the order, every step counts, a closed one stays closed, and nobody's yes is lost.
    #[test]
    fn the_fold_is_total(steps in proptest::collection::vec(any_step(), 0..12)) {
        let handling = after(&steps);
        prop_assert_eq!(handling.steps as usize, steps.len());
        let closing = |step: &Step| if let Step::Close { hurt, .. } = step { Some(*hurt) } else { None };
        let closings: Vec<_> = steps.iter().filter_map(closing).collect();
        prop_assert_eq!(handling.closing.as_ref().map(|closing| closing.hurt), closings.iter().copied().max());
        prop_assert_eq!(handling.state == HandlingState::Closed, !closings.is_empty());
        let json = serde_json::to_string(&handling).unwrap();
        prop_assert_eq!(serde_json::from_str::<Handling>(&json).unwrap(), handling);
    }
}
