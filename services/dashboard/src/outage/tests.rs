use tonic::Status;

use super::*;

#[test]
fn an_outage_begins_with_its_first_failure_and_ends_with_an_answer() {
    let outages = Outages::default();
    let at = |second| Timestamp::from_second(second).unwrap();
    let fail = |part, second| {
        let failure = Failure::from(Status::unavailable("gone"));
        outages.note_at::<()>(part, Err(failure), at(second)).unwrap_err().since
    };
    assert_eq!(fail(Part::Events, 10), Some(at(10)));
    assert_eq!(fail(Part::Events, 20), Some(at(10)));
    assert_eq!(fail(Part::Sites, 25), Some(at(25)));
    outages.note_at(Part::Events, Ok(()), at(30)).unwrap();
    assert_eq!(fail(Part::Events, 40), Some(at(40)));
}

#[test]
fn a_refusal_to_one_visitor_is_no_outage() {
    let outages = Outages::default();
    let failure = Failure::from(Status::permission_denied("not yours"));
    let missing = outages.note_at::<()>(Part::Events, Err(failure), Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(missing.since, None);
}
