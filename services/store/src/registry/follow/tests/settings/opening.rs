//! When a site is open, and the first day of its weeks.

use super::*;

/// On Mondays; `None`: nobody says any more.
fn open(name: &str, spans: Option<&[(u16, u16)]>) -> FactKind {
    let days = spans.map(|spans| {
        let mut days = StaffedDays::default();
        days[0] = spans.to_vec();
        days
    });
    let hours = Some(OpeningHours { days });
    FactKind::OpeningSet(NewOpening { site: site_id(name), hours, first_weekday: None })
}

fn first_weekday(name: &str, day: u8) -> FactKind {
    FactKind::OpeningSet(NewOpening { site: site_id(name), hours: None, first_weekday: Some(day) })
}

#[test]
fn what_is_not_named_of_an_opening_stays() {
    let mut followed = Followed::new();
    let told = |followed: &Followed, time: i64| {
        let traits = followed.0.sites()[&site_id("gym-1")].traits_at(UnixMicros(time));
        (traits.open.map(|days| days[0].clone()), traits.first_weekday, traits.staffed.is_some())
    };
    followed.at(1, open("gym-1", Some(&[(0, 15), (15, 1_440)])));
    followed.at(2, first_weekday("gym-1", 6));
    followed.at(3, hours("gym-1", &[(7, 9)]));
    followed.at(4, zone("gym-1", "UTC"));
    followed.at(5, open("gym-1", Some(&[])));
    followed.at(6, open("gym-1", None));
    let spans = Some(vec![(0, 15), (15, 1_440)]);
    for (time, expected) in [
        (i64::MIN, (None, 0, false)),
        (after(1) - 1, (None, 0, false)),
        (after(1), (spans.clone(), 0, false)),
        (after(2), (spans.clone(), 6, false)),
        (after(3), (spans.clone(), 6, true)),
        (after(4), (spans, 6, true)),
        (after(5), (Some(vec![]), 6, true)),
        (after(6), (None, 6, true)),
    ] {
        assert_eq!(told(&followed, time), expected, "at {time}");
    }
    let site = &followed.0.sites()[&site_id("gym-1")];
    assert_eq!((site.open(), site.first_weekday(), site.time_zone.as_str()), (None, 6, "UTC"));
    let other = &followed.0.sites()[&site_id("gym-2")];
    assert_eq!((other.open(), other.first_weekday(), other.history.is_empty()), (None, 0, true));
    followed.all([open("gym-2", Some(&[(60, 120)]))]);
    assert_eq!(followed.0.sites()[&site_id("gym-2")].open().unwrap()[0], [(60, 120)]);
}

#[test]
fn an_opening_that_cannot_be_is_refused() {
    check_invalid(open("gym-0", None), &["gym-0"]);
    check_invalid(first_weekday("gym-0", 0), &["gym-0"]);
    check_invalid(first_weekday("gym-1", 7), &["first_weekday is 7", "0 (Monday) to 6 (Sunday)"]);
    check_invalid(open("gym-1", Some(&[(60, 60)])), &["day 1", "60 to 60"]);
    check_invalid(open("gym-1", Some(&[(60, 1_455)])), &["1455", "1440"]);
    check_invalid(open("gym-1", Some(&[(60, 120), (105, 180)])), &["105", "120"]);
    check_invalid(open("gym-1", Some(&[(50, 120)])), &["day 1", "minute 50", "quarters of an hour"]);
    check_invalid(open("gym-1", Some(&[(45, 60), (75, 121)])), &["minute 121", "0, 15, 30"]);
    let many: Vec<(u16, u16)> = (0..=24).map(|quarter| (15 * quarter, 15 * quarter + 15)).collect();
    assert_eq!(many.len(), STAFFED_SPANS_MAX + 1);
    check_invalid(open("gym-1", Some(&many)), &["25 spans", "24"]);
    // Staff may come at any minute.
    Followed::new().all([hours("gym-1", &[(50, 121)])]);
}

#[test]
fn zones_are_told_with_their_times() {
    let mut followed = Followed::new();
    let zones = |followed: &Followed| {
        let zones = followed.0.sites()[&site_id("gym-1")].zones().into_iter();
        zones.map(|(from, zone)| (from.0, zone)).collect::<Vec<_>>()
    };
    let vienna = "Europe/Vienna".to_owned();
    assert_eq!(zones(&followed), [(i64::MIN, vienna.clone())]);
    followed.at(1, hours("gym-1", &[(7, 9)]));
    assert_eq!(zones(&followed), [(i64::MIN, vienna.clone())]);
    followed.at(2, zone("gym-1", "UTC"));
    followed.at(3, hours("gym-1", &[]));
    followed.at(4, zone("gym-1", "Asia/Kathmandu"));
    let expected =
        [(i64::MIN, vienna), (after(2), "UTC".to_owned()), (after(4), "Asia/Kathmandu".to_owned())];
    assert_eq!(zones(&followed), expected);
}

/// What was written before sites had opening hours.
#[test]
fn earlier_traits_have_no_opening_hours() {
    let traits: SiteTraits = serde_json::from_str(r#"{"time_zone":"UTC","staffed":null}"#).unwrap();
    assert_eq!((traits.open, traits.first_weekday), (None, 0));
}
