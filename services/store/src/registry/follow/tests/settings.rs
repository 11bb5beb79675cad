//! What rules use, and since when.

mod naive;
mod opening;
mod stays;

use domain::ids::ConfigurationHash;
use domain::incident::settings::{CommissionedStop, EFFECTIVE_AFTER_US, MachineSettings, StaffedHours};
use domain::incident::threshold::{self, Threshold};
use domain::limits::{COMMISSIONED_STOPS_MAX, LIMIT_MODELS_MAX, SETTING_CHANGES_MAX, STAFFED_SPANS_MAX};
use domain::stop::StopContact;
use domain::units::Speed;

use super::*;
use crate::fact::{
    MachineChange, NewCommissioning, NewOpening, NewStaffedHours, NewThresholds, OpeningHours, SeenByAgent,
    ServiceChange,
};
use crate::registry::{Scope, ScopedLimits, SiteTraits, StaffedDays};

/// What a fact of this time sets holds from then on.
fn after(time: i64) -> i64 {
    time + EFFECTIVE_AFTER_US
}

/// Two thresholds.
fn some_thresholds() -> [&'static Threshold; 2] {
    let mut all = threshold::all().filter(|threshold| threshold.max - threshold.min > 10);
    [all.next().unwrap(), all.next().unwrap()]
}

fn of_site(name: &str) -> Scope {
    Scope::Site(site_id(name))
}

fn of_model(model: &str) -> Scope {
    Scope::Model(model.to_owned())
}

fn of_machine(name: &str) -> Scope {
    Scope::Machine(machine_id(name))
}

/// Sets values by how much they are above the least that is allowed, or takes them away.
fn limits(scope: Scope, values: &[(&Threshold, Option<i64>)]) -> FactKind {
    let values = values.iter();
    let values = values
        .map(|(threshold, above)| (threshold.name.to_owned(), above.map(|above| threshold.min + above)));
    FactKind::ThresholdsSet(NewThresholds { scope, values: values.collect() })
}

fn service(name: &str, reason: Option<&str>) -> FactKind {
    let out_of_service = reason.map(str::to_owned);
    FactKind::ServiceChanged(ServiceChange { machine: machine_id(name), out_of_service })
}

fn commissioning(name: &str) -> NewCommissioning {
    NewCommissioning {
        machine: machine_id(name),
        direction_proven: true,
        stops: vec![stop(1_500, 1_800)],
        silent_on_stop: true,
        incline_is_target: true,
        note: "by the service".to_owned(),
        seen: None,
    }
}

fn stop(speed: u32, time_ms: u32) -> CommissionedStop {
    CommissionedStop { contact: StopContact::SafetyKey, speed: Speed(speed), time_ms }
}

/// On Mondays.
fn hours(name: &str, spans: &[(u16, u16)]) -> FactKind {
    let mut days = StaffedDays::default();
    days[0] = spans.to_vec();
    FactKind::StaffedHoursSet(NewStaffedHours { site: site_id(name), hours: Some(days) })
}

fn change(name: &str) -> MachineChange {
    MachineChange {
        machine: machine_id(name),
        display_name: None,
        model: None,
        belt: None,
        drive: None,
        site: None,
    }
}

fn model(name: &str, model: &str) -> FactKind {
    FactKind::MachineChanged(MachineChange { model: Some(model.to_owned()), ..change(name) })
}

fn belt(name: &str, belt: BeltKind) -> FactKind {
    FactKind::MachineChanged(MachineChange { belt: Some(belt), ..change(name) })
}

fn zone(name: &str, zone: &str) -> FactKind {
    let time_zone = Some(zone.to_owned());
    FactKind::SiteChanged(SiteChange { site: site_id(name), display_name: None, time_zone })
}

impl Followed {
    fn settings(&self, name: &str, time: i64) -> MachineSettings {
        self.0.timeline(&machine_id(name)).unwrap().at(UnixMicros(time)).clone()
    }
}

/// After facts at some times, tm-1 has these values at other times.
#[track_caller]
fn check<V: PartialEq + std::fmt::Debug, const F: usize, const T: usize>(
    facts: [(i64, FactKind); F],
    value: impl Fn(&MachineSettings) -> V,
    expected: [(i64, V); T],
) {
    let mut followed = Followed::new();
    let before = followed.settings("tm-9", 0);
    for (time, kind) in facts {
        followed.at(time, kind);
    }
    for (time, expected) in expected {
        assert_eq!(value(&followed.settings("tm-1", time)), expected, "at {time}");
    }
    let timeline = followed.0.timeline(&machine_id("tm-1")).unwrap();
    assert_eq!(timeline.newest(), timeline.at(UnixMicros(i64::MAX)));
    assert_eq!(followed.settings("tm-9", i64::MAX), before, "another site and model are not concerned");
}

#[test]
fn what_a_machine_is_created_with_has_always_held() {
    let followed = Followed::new();
    let settings = MachineSettings { belt: BeltKind::Unknown, ..MachineSettings::default() };
    for time in [i64::MIN, -1, i64::MAX] {
        assert_eq!(followed.settings("tm-1", time), settings);
    }
    assert_eq!(followed.0.timeline(&machine_id("tm-0")), None);
}

#[test]
fn a_change_holds_10_s_after_it_was_made() {
    let belts = [(100, belt("tm-1", BeltKind::OneWay)), (200, belt("tm-1", BeltKind::Reversible))];
    check(
        belts,
        |settings| settings.belt,
        [
            (i64::MIN, BeltKind::Unknown),
            (after(100) - 1, BeltKind::Unknown),
            (after(100), BeltKind::OneWay),
            (after(200) - 1, BeltKind::OneWay),
            (after(200), BeltKind::Reversible),
            (i64::MAX, BeltKind::Reversible),
        ],
    );
    let tags = [(100, service("tm-1", Some("belt torn"))), (200, service("tm-1", None))];
    check(
        tags,
        |settings| settings.out_of_service,
        [(after(100) - 1, false), (after(100), true), (after(200) - 1, true), (after(200), false)],
    );
}

#[test]
fn a_commissioning_replaces_the_one_before() {
    let again = NewCommissioning {
        direction_proven: false,
        stops: Vec::new(),
        silent_on_stop: false,
        ..commissioning("tm-1")
    };
    check(
        [(1, FactKind::Commissioned(commissioning("tm-1"))), (9, FactKind::Commissioned(again))],
        |settings| {
            let flags = [settings.direction_proven, settings.silent_on_stop, settings.incline_is_target];
            (flags, settings.measured_stops.clone())
        },
        [
            (after(1) - 1, ([false; 3], vec![])),
            (after(1), ([true; 3], vec![stop(1_500, 1_800)])),
            (after(9), ([false, false, true], vec![])),
        ],
    );
}

#[test]
fn only_the_newest_commissioning_holds_from_then_on() {
    let configurations = |settings: &MachineSettings| {
        let numbers = |all: &[ConfigurationHash]| all.iter().map(|hash| hash.0[0]).collect::<Vec<_>>();
        (settings.direction_proven, numbers(&settings.proven_for), numbers(&settings.proven_before))
    };
    let seen = |number: u8, direction_proven: bool| {
        let seen = SeenByAgent {
            done: None,
            technician: "Jo".to_owned(),
            agent_version: "1".to_owned(),
            configuration: ConfigurationHash([number; 16]),
            steps: Vec::new(),
        };
        let new = NewCommissioning { direction_proven, seen: Some(Box::new(seen)), ..commissioning("tm-1") };
        FactKind::Commissioned(new)
    };
    check(
        [
            (1, seen(1, true)),
            (2, seen(2, true)),
            // Back to the first one: it was not looked at until the next one.
            (3, seen(1, true)),
            (4, seen(3, false)),
            (5, FactKind::Commissioned(commissioning("tm-1"))),
        ],
        configurations,
        [
            (after(1) - 1, (false, vec![], vec![])),
            (after(1), (true, vec![1], vec![])),
            (after(2), (true, vec![2], vec![1])),
            (after(3), (true, vec![1], vec![2])),
            (after(4), (false, vec![3], vec![2, 1])),
            // A person says that it counts, however the sources are set.
            (after(5), (true, vec![], vec![])),
        ],
    );
    let mut followed = Followed::new();
    followed.at(1, seen(1, true));
    followed.at(2, seen(2, true));
    let machine = followed.machine("tm-1");
    let counts = |number: u8| machine.direction_counts(Some(ConfigurationHash([number; 16])));
    assert_eq!((counts(1), counts(2), counts(3)), (false, true, false));
}

#[test]
fn limits_lie_over_each_other() {
    let [one, two] = some_thresholds();
    // The machine's over the model's over the site's, whenever they were set.
    check(
        [
            (1, limits(of_machine("tm-1"), &[(one, Some(3))])),
            (2, limits(of_model("Maker 9"), &[(one, Some(2)), (two, Some(2))])),
            (3, limits(of_site("gym-1"), &[(one, Some(1)), (two, Some(1))])),
            (4, limits(of_machine("tm-1"), &[(one, None)])),
            (5, limits(of_model("Maker 9"), &[(one, None), (two, None)])),
            (6, limits(of_site("gym-1"), &[(one, None)])),
            // Of no concern.
            (7, limits(of_model("maker 9"), &[(two, Some(7))])),
            (8, limits(of_machine("tm-2"), &[(two, Some(7))])),
        ],
        |settings| [one, two].map(|threshold| settings.limits.get(threshold) - threshold.min),
        [
            (after(1) - 1, [one.default - one.min, two.default - two.min]),
            (after(1), [3, two.default - two.min]),
            (after(2), [3, 2]),
            (after(3), [3, 2]),
            (after(4), [2, 2]),
            (after(5), [1, 1]),
            (after(6), [one.default - one.min, 1]),
            (i64::MAX, [one.default - one.min, 1]),
        ],
    );
}

#[test]
fn a_model_counts_while_the_machine_has_it() {
    let [one, _] = some_thresholds();
    check(
        [
            (1, limits(of_model("A"), &[(one, Some(1))])),
            (2, model("tm-1", "A")),
            (4, model("tm-1", "B")),
            (6, limits(of_model("B"), &[(one, Some(2))])),
            // It is no longer one.
            (8, limits(of_model("A"), &[(one, Some(3))])),
        ],
        |settings| settings.limits.iter().next().map(|(_, value)| value - one.min),
        [(after(1), None), (after(2), Some(1)), (after(4), None), (after(6), Some(2)), (after(8), Some(2))],
    );
}

#[test]
fn staffed_hours_are_in_the_zone_of_their_time() {
    let staffed = |zone: &str, spans: &[(u16, u16)]| {
        let mut days = StaffedDays::default();
        days[0] = spans.to_vec();
        Some(StaffedHours { zone: zone.to_owned(), days })
    };
    let nobody = FactKind::StaffedHoursSet(NewStaffedHours { site: site_id("gym-1"), hours: None });
    check(
        [
            (1, hours("gym-1", &[(360, 720), (720, 1_440)])),
            (2, zone("gym-1", "UTC")),
            (3, hours("gym-1", &[])),
            (4, nobody),
        ],
        |settings| settings.staffed.clone(),
        [
            (after(1) - 1, None),
            (after(1), staffed("Europe/Vienna", &[(360, 720), (720, 1_440)])),
            (after(2), staffed("UTC", &[(360, 720), (720, 1_440)])),
            (after(3), staffed("UTC", &[])),
            (after(4), None),
        ],
    );
}

/// What was set when a clock ran ahead does not come back later.
#[test]
fn the_last_word_counts_when_the_clock_was_set_back() {
    let hour = 3_600_000_000;
    check(
        [
            (hour, service("tm-1", Some("belt torn"))),
            (2 * hour, belt("tm-1", BeltKind::OneWay)),
            (7, service("tm-1", None)),
        ],
        |settings| (settings.out_of_service, settings.belt),
        [
            (after(7) - 1, (false, BeltKind::Unknown)),
            (after(7), (false, BeltKind::OneWay)),
            (after(hour), (false, BeltKind::OneWay)),
            (after(2 * hour), (false, BeltKind::OneWay)),
        ],
    );
}

#[test]
fn a_machine_tells_what_is_set_now() {
    let mut followed = Followed::new();
    let state = |followed: &Followed| {
        let machine = followed.machine("tm-1");
        let tag = machine.out_of_service().map(|(reason, since)| (reason.to_owned(), since.0));
        (tag, machine.direction_proven(), machine.commissioned().map(|time| time.0))
    };
    assert_eq!(state(&followed), (None, false, None));
    followed.at(5, service("tm-1", Some("noise")));
    followed.at(6, service("tm-1", Some("belt torn")));
    assert_eq!(state(&followed), (Some(("belt torn".to_owned(), 5)), false, None), "since the first tag");
    followed.at(7, FactKind::Commissioned(commissioning("tm-1")));
    followed.at(8, service("tm-1", None));
    followed.at(9, model("tm-1", "Maker 10"));
    assert_eq!(state(&followed), (None, true, Some(7)));
    assert_eq!(followed.machine("tm-1").commissioning().unwrap().note, "by the service");
    followed.at(10, service("tm-1", Some("again")));
    assert_eq!(state(&followed).0, Some(("again".to_owned(), 10)));
    assert_eq!(followed.0.sites()[&site_id("gym-1")].staffed(), None);
    followed.at(11, hours("gym-1", &[(1, 2)]));
    assert_eq!(followed.0.sites()[&site_id("gym-1")].staffed().unwrap()[0], [(1, 2)]);
}

#[test]
fn the_limits_of_a_scope_can_be_asked() {
    let [one, two] = some_thresholds();
    let mut followed = Followed::new();
    let set = |followed: &Followed, scope: Scope| {
        let newest = followed.0.limits(&scope).map(ScopedLimits::newest);
        newest.map(|limits| limits.iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>())
    };
    // Nothing was set, so nothing can be taken away.
    followed.all([limits(of_site("gym-1"), &[(one, None)])]);
    assert_eq!(set(&followed, of_site("gym-1")), None);
    followed.all([limits(of_site("gym-1"), &[(one, Some(1)), (two, Some(2))])]);
    followed.all([limits(of_site("gym-1"), &[(one, None)])]);
    assert_eq!(set(&followed, of_site("gym-1")), Some(vec![(two.name.to_owned(), two.min + 2)]));
    assert_eq!(set(&followed, of_site("gym-2")), None);
    assert_eq!(followed.0.all_limits().count(), 1);
    followed.all([limits(of_site("gym-1"), &[(two, None)])]);
    assert_eq!(set(&followed, of_site("gym-1")), Some(vec![]));
}

#[track_caller]
fn check_invalid(kind: FactKind, says: &[&str]) {
    let followed = Followed::new();
    let fact = Fact { time: UnixMicros(0), author: String::new(), request_id: None, kind };
    let error = followed.0.follow(99, &fact).expect_err("it is not allowed");
    assert_eq!(error.kind, StoreErrorKind::Invalid);
    for words in says {
        assert!(error.context.contains(words), "\"{}\" does not say \"{words}\"", error.context);
    }
}

#[test]
fn what_is_not_allowed_is_refused_with_what_is() {
    let [one, two] = some_thresholds();
    let over = limits(of_site("gym-1"), &[(two, Some(0)), (one, Some(one.max - one.min + 1))]);
    check_invalid(over, &[one.name, &one.min.to_string(), &(one.max + 1).to_string()]);
    check_invalid(limits(of_site("gym-1"), &[(one, Some(-1))]), &[one.name, &one.max.to_string()]);
    for value in [None, Some(1)] {
        let values = [("speed".to_owned(), value)].into();
        let scope = of_site("gym-1");
        check_invalid(FactKind::ThresholdsSet(NewThresholds { scope, values }), &["speed"]);
    }
    check_invalid(limits(of_site("gym-0"), &[]), &["gym-0"]);
    check_invalid(limits(of_machine("tm-0"), &[]), &["tm-0"]);
    check_invalid(limits(of_model(""), &[]), &["0 characters", "1 to 120"]);
    check_invalid(limits(of_model(&"ä".repeat(121)), &[]), &["121 characters", "1 to 120"]);

    check_invalid(service("tm-0", None), &["tm-0"]);
    check_invalid(service("tm-1", Some("")), &["0 characters", "1 to 200"]);
    check_invalid(service("tm-1", Some(&"ä".repeat(201))), &["201 characters", "1 to 200"]);

    let wrong = |change: fn(&mut NewCommissioning)| {
        let mut new = commissioning("tm-1");
        change(&mut new);
        FactKind::Commissioned(new)
    };
    check_invalid(wrong(|new| new.machine = machine_id("tm-0")), &["tm-0"]);
    check_invalid(wrong(|new| new.note = "ä".repeat(201)), &["201 characters", "200"]);
    check_invalid(
        wrong(|new| new.stops = vec![stop(1_000, 900); COMMISSIONED_STOPS_MAX + 1]),
        &["9 stops", "8"],
    );
    check_invalid(wrong(|new| new.stops.push(stop(199, 900))), &["199 mm/s", "200 to 6000"]);
    check_invalid(wrong(|new| new.stops.push(stop(6_001, 900))), &["6001 mm/s", "200 to 6000"]);
    check_invalid(wrong(|new| new.stops.push(stop(1_000, 99))), &["99 ms", "100 to 60000"]);
    check_invalid(wrong(|new| new.stops.push(stop(1_000, 60_001))), &["60001 ms", "100 to 60000"]);

    check_invalid(hours("gym-0", &[]), &["gym-0"]);
    check_invalid(hours("gym-1", &[(60, 60)]), &["day 1", "60 to 60"]);
    check_invalid(hours("gym-1", &[(60, 1_441)]), &["1441", "1440"]);
    check_invalid(hours("gym-1", &[(60, 120), (119, 130)]), &["119", "120"]);
    check_invalid(hours("gym-1", &[(60, 120), (0, 10)]), &["minute 0", "120"]);
    let many: Vec<(u16, u16)> = (0..=24).map(|hour| (hour, hour + 1)).collect();
    assert_eq!(many.len(), STAFFED_SPANS_MAX + 1);
    check_invalid(hours("gym-1", &many), &["25 spans", "24"]);
}

#[test]
fn what_is_just_allowed_is_taken() {
    let [one, _] = some_thresholds();
    let mut followed = Followed::new();
    let new = NewCommissioning {
        stops: [[stop(200, 100); 4], [stop(6_000, 60_000); 4]].concat(),
        note: "ä".repeat(200),
        ..commissioning("tm-1")
    };
    assert_eq!(new.stops.len(), COMMISSIONED_STOPS_MAX);
    let spans: Vec<(u16, u16)> = (0..24).map(|hour| (60 * hour, 60 * hour + 60)).collect();
    followed.all([
        limits(of_model(&"ä".repeat(120)), &[(one, Some(one.max - one.min))]),
        limits(of_model("A"), &[(one, Some(0))]),
        service("tm-1", Some(&"ä".repeat(200))),
        FactKind::Commissioned(new),
        hours("gym-1", &spans),
    ]);
}

#[test]
fn of_too_many_changes_the_oldest_two_become_one() {
    let mut followed = Followed::new();
    let changes = i64::try_from(SETTING_CHANGES_MAX).unwrap() + 5;
    for time in 1..=changes {
        followed.at(time, service("tm-1", Some(&format!("reason {time}"))));
    }
    let history = &followed.machine("tm-1").history;
    assert_eq!(history.iter().count(), SETTING_CHANGES_MAX);
    let reason = |time: i64| {
        let traits = history.at(UnixMicros(time)).unwrap();
        traits.out_of_service.as_ref().map(|tag| tag.reason.clone())
    };
    // With the first value, that of before, there were six too many.
    assert_eq!(reason(i64::MIN), Some("reason 6".to_owned()));
    assert_eq!(reason(after(6)), Some("reason 6".to_owned()));
    assert_eq!(reason(after(7)), Some("reason 7".to_owned()));
    assert_eq!(reason(i64::MAX), Some(format!("reason {changes}")));
    // What changes nothing takes no room.
    let before = history.clone();
    followed.at(changes + 1, service("tm-1", Some(&format!("reason {changes}"))));
    followed.at(changes + 2, FactKind::MachineChanged(change("tm-1")));
    assert_eq!(followed.machine("tm-1").history, before);
}

#[test]
fn too_many_models_with_limits_are_refused() {
    let [one, _] = some_thresholds();
    let mut followed = Followed::new();
    for number in 0..LIMIT_MODELS_MAX {
        let (scope, history) = (of_model(&format!("model {number}")), History::default());
        followed.0.put_entry(Entry::Limits(ScopedLimits { scope, history }));
    }
    followed.refuses(StoreErrorKind::Full, limits(of_model("one more"), &[(one, Some(1))]));
    followed.all([
        limits(of_model("model 7"), &[(one, Some(1))]),
        limits(of_site("gym-1"), &[(one, Some(1))]),
        limits(of_machine("tm-1"), &[(one, Some(1))]),
    ]);
}
