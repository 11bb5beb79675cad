use super::*;

#[test]
fn a_form_says_what_to_do() {
    let check = |form: &str, act: Option<Act>| {
        assert_eq!(Act::read(&Fields::read(form.as_bytes())), act, "{form}");
    };
    check("step=acknowledge", Some(Act::Acknowledge));
    check("step=assign&to=me&user=otto", Some(Act::Assign("me".to_owned())));
    check("step=assign&to=nobody&user=otto", Some(Act::Assign(String::new())));
    check("step=assign&to=user&user=+otto+", Some(Act::Assign("otto".to_owned())));
    check("step=shelve&until=week", Some(Act::Shelve(Shelf::Week)));
    check("step=close&cause=misuse&hurt=no", Some(Act::Close(v1::Cause::Misuse, v1::Hurt::No)));
    check("step=close", Some(Act::Close(v1::Cause::Unspecified, v1::Hurt::Unspecified)));
    check("step=erase&number=18", Some(Act::Erase(18)));
    check("step=release", Some(Act::Hold(false)));
    for nonsense in [
        "",
        "step=",
        "step=explode",
        "step=shelve&until=year",
        "step=close&cause=rain",
        "step=erase&number=x",
    ] {
        check(nonsense, None);
    }
}

#[test]
fn morning_is_that_of_the_site() {
    let check = |now: &str, zone: &str, shelf: Shelf, until: &str| {
        let (now, zone): (Timestamp, _) = (now.parse().unwrap(), TimeZone::get(zone).unwrap());
        assert_eq!(shelf.until(now, &zone), until.parse().unwrap(), "{now} {shelf:?}");
    };
    check("2026-11-21T22:30:00Z", "Europe/Vienna", Shelf::Tomorrow, "2026-11-22T07:00:00Z");
    // After midnight there it is the day after.
    check("2026-11-21T23:30:00Z", "Europe/Vienna", Shelf::Tomorrow, "2026-11-23T07:00:00Z");
    // Over the end of summer time.
    check("2026-10-24T10:00:00Z", "Europe/Vienna", Shelf::Tomorrow, "2026-10-25T07:00:00Z");
    check("2026-11-21T23:30:00Z", "Europe/Vienna", Shelf::Hour, "2026-11-22T00:30:00Z");
    check("2026-11-21T23:30:00Z", "America/New_York", Shelf::Week, "2026-11-28T23:30:00Z");
}

#[test]
fn the_same_form_of_the_same_page_is_one_request() {
    let id = |form: &str| request_id(&Fields::read(form.as_bytes()));
    assert_eq!(id("step=note&note=a&seen=1"), id("step=note&note=a&seen=1"));
    for other in ["step=note&note=b&seen=1", "step=note&note=a&seen=2", "step=note&note=&seen=a1"] {
        assert_ne!(id("step=note&note=a&seen=1"), id(other), "{other}");
    }
    assert!(id("").len() <= 64);
}
