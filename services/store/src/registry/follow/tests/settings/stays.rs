//! Machines that move to another site.

use super::*;
use crate::registry::{Dated, MachineTraits, Stay};

fn moved(name: &str, to: &str) -> FactKind {
    FactKind::MachineChanged(MachineChange { site: Some(site_id(to)), ..change(name) })
}

fn stays(followed: &Followed, name: &str) -> Vec<(i64, i64, String)> {
    let stays = followed.0.stays(&machine_id(name)).into_iter();
    stays.map(|Stay { from, until, site }| (from.0, until.0, site.to_string())).collect()
}

/// Where tm-1 stood after moves at some times.
#[track_caller]
fn check_stays<const F: usize>(facts: [(i64, FactKind); F], expected: &[(i64, i64, &str)]) {
    let mut followed = Followed::new();
    for (time, kind) in facts {
        followed.at(time, kind);
    }
    let expected: Vec<_> =
        expected.iter().map(|(from, until, site)| (*from, *until, (*site).to_owned())).collect();
    assert_eq!(stays(&followed, "tm-1"), expected);
    for (from, until, site) in &expected {
        for time in [*from, until - 1] {
            let found = followed.0.site_at(&machine_id("tm-1"), UnixMicros(time));
            assert_eq!(found, Some(&site_id(site)), "at {time}");
        }
    }
    assert_eq!(stays(&followed, "tm-2"), [(i64::MIN, i64::MAX, "gym-1".to_owned())]);
    assert_eq!(stays(&followed, "tm-0"), []);
    assert_eq!(followed.0.site_at(&machine_id("tm-0"), UnixMicros(0)), None);
}

#[test]
fn stays_are_told_for_all_time() {
    let (min, max) = (i64::MIN, i64::MAX);
    check_stays([], &[(min, max, "gym-1")]);
    check_stays([(1, moved("tm-1", "gym-1"))], &[(min, max, "gym-1")]);
    check_stays([(1, belt("tm-1", BeltKind::OneWay))], &[(min, max, "gym-1")]);
    check_stays([(1, moved("tm-1", "gym-2"))], &[(min, after(1), "gym-1"), (after(1), max, "gym-2")]);
    check_stays(
        [
            (1, service("tm-1", Some("noise"))),
            (2, moved("tm-1", "gym-2")),
            (3, service("tm-1", None)),
            (4, moved("tm-1", "gym-1")),
            (5, belt("tm-1", BeltKind::OneWay)),
        ],
        &[(min, after(2), "gym-1"), (after(2), after(4), "gym-2"), (after(4), max, "gym-1")],
    );
    // The last word counts when a clock was set back.
    check_stays(
        [(9, moved("tm-1", "gym-2")), (5, belt("tm-1", BeltKind::OneWay))],
        &[(min, after(5), "gym-1"), (after(5), max, "gym-2")],
    );
    check_stays([(9, moved("tm-1", "gym-2")), (5, moved("tm-1", "gym-1"))], &[(min, max, "gym-1")]);
}

#[test]
fn a_machine_that_moves_leaves_its_place_in_the_room() {
    let mut followed = Followed::new();
    followed.all([
        arranged("gym-1", &[("tm-1", Some((1, 1))), ("tm-2", Some((1, 2)))]),
        arranged("gym-2", &[("tm-9", Some((1, 1)))]),
        // It stays where it is.
        moved("tm-2", "gym-1"),
        moved("tm-1", "gym-2"),
    ]);
    let place = |followed: &Followed, name: &str| {
        let machine = followed.machine(name);
        (machine.site.to_string(), machine.place.map(|place| (place.row, place.column)))
    };
    assert_eq!(place(&followed, "tm-1"), ("gym-2".to_owned(), None));
    assert_eq!(place(&followed, "tm-2"), ("gym-1".to_owned(), Some((1, 2))));
    followed.refuses(StoreErrorKind::Conflict, arranged("gym-2", &[("tm-1", Some((1, 1)))]));
    followed.refuses(StoreErrorKind::Invalid, arranged("gym-1", &[("tm-1", Some((1, 1)))]));
    followed.all([arranged("gym-2", &[("tm-1", Some((1, 2)))])]);
    assert_eq!(place(&followed, "tm-1"), ("gym-2".to_owned(), Some((1, 2))));
    followed.refuses(StoreErrorKind::Invalid, moved("tm-1", "gym-3"));
    followed.refuses(StoreErrorKind::Invalid, moved("tm-0", "gym-1"));
}

#[test]
fn machines_are_found_where_they_ever_stood() {
    let mut followed = Followed::new();
    let ever = |followed: &Followed, site: &str| {
        let site = site_id(site);
        followed.0.machines_ever_at(&site).map(|machine| machine.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ever(&followed, "gym-1"), ["tm-1", "tm-2"]);
    followed.at(1, belt("tm-1", BeltKind::OneWay));
    followed.at(2, moved("tm-1", "gym-2"));
    assert_eq!(ever(&followed, "gym-1"), ["tm-1", "tm-2"]);
    assert_eq!(ever(&followed, "gym-2"), ["tm-1", "tm-9"]);
    assert_eq!(ever(&followed, "gym-3"), [""; 0]);
}

#[test]
fn what_is_set_for_a_site_counts_while_the_machine_stands_there() {
    let [one, _] = some_thresholds();
    let mut followed = Followed::new();
    followed.at(1, limits(of_site("gym-1"), &[(one, Some(1))]));
    followed.at(2, limits(of_site("gym-2"), &[(one, Some(2))]));
    followed.at(3, hours("gym-1", &[(1, 2)]));
    followed.at(4, zone("gym-2", "UTC"));
    followed.at(5, hours("gym-2", &[(3, 4)]));
    followed.at(10, moved("tm-1", "gym-2"));
    // The first is of no concern any more, the second is.
    followed.at(20, limits(of_site("gym-1"), &[(one, Some(3))]));
    followed.at(21, limits(of_site("gym-2"), &[(one, Some(4))]));
    let told = |time: i64| {
        let settings = followed.settings("tm-1", time);
        let staffed = settings.staffed.map(|staffed| (staffed.zone, staffed.days[0][0]));
        (settings.limits.get(one) - one.min, staffed)
    };
    let vienna = Some(("Europe/Vienna".to_owned(), (1, 2)));
    let utc = Some(("UTC".to_owned(), (3, 4)));
    for (time, expected) in [
        (after(1), (1, None)),
        (after(3), (1, vienna.clone())),
        (after(10) - 1, (1, vienna)),
        (after(10), (2, utc.clone())),
        (after(20), (2, utc.clone())),
        (after(21), (4, utc.clone())),
        (i64::MAX, (4, utc)),
    ] {
        assert_eq!(told(time), expected, "at {time}");
    }
}

#[test]
fn spans_out_of_service_are_told() {
    let mut followed = Followed::new();
    let spans = |followed: &Followed| {
        let spans = followed.machine("tm-1").out_of_service_spans().into_iter();
        spans.map(|(from, until)| (from.0, until.0)).collect::<Vec<_>>()
    };
    assert_eq!(spans(&followed), []);
    followed.at(1, service("tm-1", Some("noise")));
    assert_eq!(spans(&followed), [(after(1), i64::MAX)]);
    followed.at(2, service("tm-1", Some("belt torn")));
    followed.at(3, belt("tm-1", BeltKind::OneWay));
    followed.at(4, service("tm-1", None));
    followed.at(5, model("tm-1", "B"));
    assert_eq!(spans(&followed), [(after(1), after(4))]);
    followed.at(6, service("tm-1", Some("noise")));
    assert_eq!(spans(&followed), [(after(1), after(4)), (after(6), i64::MAX)]);
}

/// A history from before machines could move tells no sites.
#[test]
fn a_machine_with_an_earlier_history_moves() {
    let mut followed = Followed::new();
    followed.at(1, service("tm-1", Some("noise")));
    let mut machine = followed.machine("tm-1").clone();
    let json = serde_json::to_string(&machine.history).unwrap().replace(r#","site":"gym-1""#, "");
    assert!(!json.contains("site"), "{json}");
    machine.history = serde_json::from_str(&json).unwrap();
    followed.0.put_entry(Entry::Machine(machine));
    assert_eq!(stays(&followed, "tm-1"), [(i64::MIN, i64::MAX, "gym-1".to_owned())]);
    let traits = followed.machine("tm-1").traits_at(UnixMicros(0));
    assert_eq!(traits.site, Some(site_id("gym-1")));
    followed.at(2, moved("tm-1", "gym-2"));
    let sites = followed.machine("tm-1").history.iter().map(|Dated { from, value }| {
        let MachineTraits { site, .. } = value;
        (from.0, site.clone().unwrap().to_string())
    });
    let sites: Vec<_> = sites.collect();
    let at = |from: i64, site: &str| (from, site.to_owned());
    assert_eq!(sites, [at(i64::MIN, "gym-1"), at(after(1), "gym-1"), at(after(2), "gym-2")]);
}
