//! The timeline against a recomputation that knows no histories: what holds at a time is what the last fact that holds
//! by then has left.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn sites() -> impl Strategy<Value = SiteId> {
    select(vec!["gym-1", "gym-2"]).prop_map(site_id)
}

fn machines() -> impl Strategy<Value = MachineId> {
    select(vec!["tm-1", "tm-2", "tm-9"]).prop_map(machine_id)
}

fn models() -> impl Strategy<Value = String> {
    select(vec!["Maker 9", "maker 9", ""]).prop_map(str::to_owned)
}

fn kinds() -> impl Strategy<Value = FactKind> {
    let scopes = prop_oneof![
        sites().prop_map(Scope::Site),
        select(vec!["Maker 9", "maker 9"]).prop_map(of_model),
        machines().prop_map(Scope::Machine),
    ];
    let value = (select(some_thresholds().to_vec()), option::of(0..4_i64));
    let thresholds = (scopes, vec(value, 0..3)).prop_map(|(scope, values)| limits(scope, &values));
    let belts = select(vec![BeltKind::OneWay, BeltKind::Reversible]);
    let drives = select(vec![DriveKind::Motor, DriveKind::Manual]);
    let news = (option::of(models()), option::of(belts), option::of(drives), option::of(sites()));
    let changes = (machines(), news).prop_map(|(machine, (model, belt, drive, site))| {
        FactKind::MachineChanged(MachineChange { machine, display_name: None, model, belt, drive, site })
    });
    let commissionings = (machines(), any::<[bool; 3]>(), 0..2_usize).prop_map(|(machine, flags, stops)| {
        let [direction_proven, silent_on_stop, incline_is_target] = flags;
        let (stops, note) = (vec![stop(1_000, 900); stops], String::new());
        FactKind::Commissioned(NewCommissioning {
            machine,
            direction_proven,
            stops,
            silent_on_stop,
            incline_is_target,
            note,
            seen: None,
        })
    });
    let hours = (sites(), option::of(0..3_u16)).prop_map(|(site, begin)| {
        let hours = begin.map(|begin| std::array::from_fn(|_| vec![(begin, 60)]));
        FactKind::StaffedHoursSet(NewStaffedHours { site, hours })
    });
    let openings = (sites(), option::of(option::of(0..3_u16)), option::of(0..7_u8)).prop_map(
        |(site, begin, first_weekday)| {
            let week = |hour: u16| std::array::from_fn(|_| vec![(60 * hour, 240)]);
            let hours = begin.map(|begin| OpeningHours { days: begin.map(week) });
            FactKind::OpeningSet(NewOpening { site, hours, first_weekday })
        },
    );
    let zones = (sites(), option::of(select(vec!["UTC", "Europe/Vienna"]))).prop_map(|(site, zone)| {
        let time_zone = zone.map(str::to_owned);
        FactKind::SiteChanged(SiteChange { site, display_name: None, time_zone })
    });
    let services = (machines(), option::of(select(vec!["torn", "noise"]))).prop_map(|(machine, reason)| {
        let out_of_service = reason.map(str::to_owned);
        FactKind::ServiceChanged(ServiceChange { machine, out_of_service })
    });
    prop_oneof![
        3 => thresholds,
        3 => changes,
        1 => commissionings,
        1 => hours,
        1 => openings,
        1 => zones,
        1 => services,
    ]
}

/// About which site, model or machine a fact is: facts of one follow each other whole.
fn subject(kind: &FactKind) -> Scope {
    if let FactKind::ThresholdsSet(new) = kind {
        new.scope.clone()
    } else if let FactKind::MachineChanged(MachineChange { machine, .. })
    | FactKind::Commissioned(NewCommissioning { machine, .. })
    | FactKind::ServiceChanged(ServiceChange { machine, .. }) = kind
    {
        Scope::Machine(machine.clone())
    } else if let FactKind::StaffedHoursSet(NewStaffedHours { site, .. })
    | FactKind::OpeningSet(NewOpening { site, .. })
    | FactKind::SiteChanged(SiteChange { site, .. }) = kind
    {
        Scope::Site(site.clone())
    } else {
        panic!("{kind:?} sets nothing")
    }
}

/// Of the facts about one thing, those that count at a time: all up to the last one that holds by then.
fn counting(
    facts: &[(i64, FactKind)],
    time: i64,
    is_about: impl Fn(&FactKind) -> bool,
) -> impl Iterator<Item = &FactKind> {
    let about: Vec<_> = facts.iter().filter(|(_, kind)| is_about(kind)).collect();
    let last = about.iter().rposition(|(made, _)| after(*made) <= time);
    about.into_iter().take(last.map_or(0, |last| last + 1)).map(|(_, kind)| kind)
}

fn limits_at(facts: &[(i64, FactKind)], time: i64, scope: &Scope) -> BTreeMap<String, i64> {
    let mut set = BTreeMap::new();
    let is_about = |kind: &FactKind| matches!(kind, FactKind::ThresholdsSet(_)) && subject(kind) == *scope;
    for kind in counting(facts, time, is_about) {
        let FactKind::ThresholdsSet(new) = kind else { panic!("it sets thresholds") };
        for (name, value) in &new.values {
            match value {
                Some(value) => drop(set.insert(name.clone(), *value)),
                None => drop(set.remove(name)),
            }
        }
    }
    set
}

/// What holds for a machine, the values set for it, and where it stands.
fn naive(
    facts: &[(i64, FactKind)],
    time: i64,
    name: &str,
    first_at: &str,
) -> (MachineSettings, BTreeMap<String, i64>, SiteId) {
    let is_other = |kind: &FactKind| !matches!(kind, FactKind::ThresholdsSet(_));
    let mut settings = MachineSettings::default();
    let mut model = "Maker 9".to_owned();
    let mut at = site_id(first_at);
    let own = of_machine(name);
    for kind in counting(facts, time, |kind| is_other(kind) && subject(kind) == own) {
        if let FactKind::MachineChanged(change) = kind {
            set(&mut model, &change.model);
            set(&mut settings.belt, &change.belt);
            set(&mut settings.drive, &change.drive);
            set(&mut at, &change.site);
        } else if let FactKind::Commissioned(new) = kind {
            settings.direction_proven = new.direction_proven;
            settings.silent_on_stop = new.silent_on_stop;
            settings.incline_is_target = new.incline_is_target;
            settings.measured_stops = new.stops.clone();
        } else if let FactKind::ServiceChanged(change) = kind {
            settings.out_of_service = change.out_of_service.is_some();
        }
    }
    let place = naive_place(facts, time, &at);
    settings.staffed = place.staffed.map(|days| StaffedHours { zone: place.time_zone, days });
    let mut limits = BTreeMap::new();
    for scope in [Scope::Site(at.clone()), of_model(&model), own] {
        limits.extend(limits_at(facts, time, &scope));
    }
    (settings, limits, at)
}

fn naive_place(facts: &[(i64, FactKind)], time: i64, site: &SiteId) -> SiteTraits {
    let mut place =
        SiteTraits { time_zone: "Europe/Vienna".to_owned(), staffed: None, open: None, first_weekday: 0 };
    let own = Scope::Site(site.clone());
    let is_other = |kind: &FactKind| !matches!(kind, FactKind::ThresholdsSet(_));
    for kind in counting(facts, time, |kind| is_other(kind) && subject(kind) == own) {
        if let FactKind::SiteChanged(change) = kind {
            set(&mut place.time_zone, &change.time_zone);
        } else if let FactKind::StaffedHoursSet(new) = kind {
            place.staffed = new.hours.clone();
        } else if let FactKind::OpeningSet(new) = kind {
            set(&mut place.open, &new.hours.clone().map(|hours| hours.days));
            set(&mut place.first_weekday, &new.first_weekday);
        }
    }
    place
}

/// Of spans that ascend and are apart, the value of the one that has this time.
#[track_caller]
fn at_time<T>(spans: impl IntoIterator<Item = (UnixMicros, UnixMicros, T)>, time: i64) -> Option<T> {
    let mut last = UnixMicros(i64::MIN);
    let mut found = None;
    for (from, until, value) in spans {
        assert!(last <= from && from < until);
        last = until;
        if from.0 <= time && (time < until.0 || until.0 == i64::MAX) {
            found = Some(value);
        }
    }
    found
}

/// Around each other, so that clocks go back and facts meet.
fn times() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..40_i64, 1 => (0..4_i64).prop_map(|steps| steps * EFFECTIVE_AFTER_US)]
}

proptest! {
    #[test]
    fn the_timeline_is_what_facts_have_set(
        facts in vec((times(), kinds()), 0..40),
        asked in vec(times(), 1..20),
    ) {
        let mut followed = Followed::new();
        for (time, kind) in &facts {
            followed.at(*time, kind.clone());
        }
        let asked: Vec<i64> = asked
            .into_iter()
            .flat_map(|time| [time, after(time)])
            .chain(facts.iter().flat_map(|(time, _)| [after(*time) - 1, after(*time)]))
            .chain([i64::MIN, i64::MAX])
            .collect();
        for (name, at) in [("tm-1", "gym-1"), ("tm-2", "gym-1"), ("tm-9", "gym-2")] {
            let timeline = followed.0.timeline(&machine_id(name)).unwrap();
            for time in &asked {
                let mut found = timeline.at(UnixMicros(*time)).clone();
                let found_limits: BTreeMap<String, i64> =
                    found.limits.iter().map(|(name, value)| (name.to_owned(), value)).collect();
                found.limits = Default::default();
                let machine = followed.machine(name);
                let found = (found, found_limits, machine.site_at(UnixMicros(*time)).clone());
                let expected = naive(&facts, *time, name, at);
                prop_assert_eq!(&found, &expected, "{} at {}", name, time);
                let stays = machine.stays().into_iter().map(|stay| (stay.from, stay.until, stay.site));
                prop_assert_eq!(at_time(stays, *time), Some(expected.2.clone()));
                let tagged = machine.out_of_service_spans().into_iter();
                let is_tagged = at_time(tagged.map(|(from, until)| (from, until, ())), *time).is_some();
                prop_assert_eq!(is_tagged, expected.0.out_of_service);
                prop_assert!(machine.ever_stood_at(&expected.2));
            }
            let (newest, _, _) = naive(&facts, i64::MAX, name, at);
            let machine = followed.machine(name);
            prop_assert_eq!(machine.direction_proven(), newest.direction_proven);
            prop_assert_eq!(machine.out_of_service().is_some(), newest.out_of_service);
            prop_assert_eq!((machine.belt, machine.drive), (newest.belt, newest.drive));
        }
        for id in [site_id("gym-1"), site_id("gym-2")] {
            let site = &followed.0.sites()[&id];
            for time in &asked {
                let expected = naive_place(&facts, *time, &id);
                prop_assert_eq!(&site.traits_at(UnixMicros(*time)), &expected, "{} at {}", id, time);
                let zones = site.zones();
                let zone = zones.iter().rfind(|(from, _)| from.0 <= *time).map(|(_, zone)| zone.as_str());
                prop_assert_eq!(zone, Some(expected.time_zone.as_str()));
            }
            prop_assert_eq!(site.traits(), naive_place(&facts, i64::MAX, &id));
        }
    }

    /// An engine opens with entries that went through JSON.
    #[test]
    fn entries_keep_the_timeline(facts in vec((times(), kinds()), 0..40)) {
        let mut followed = Followed::new();
        let mut opened = followed.0.clone();
        for (number, (time, kind)) in (100_u64..).zip(facts) {
            let fact = Fact { time: UnixMicros(time), author: String::new(), request_id: None, kind };
            let changes = followed.0.follow(number, &fact).unwrap();
            let read = changes.iter().map(|change| {
                let Change::Put(entry) = change else { panic!("{change:?} puts nothing") };
                let json = serde_json::to_string(entry).unwrap();
                Change::Put(serde_json::from_str(&json).unwrap())
            });
            opened.put(number, read.collect::<Vec<_>>());
            followed.0.put(number, changes);
        }
        prop_assert_eq!(opened, followed.0);
    }
}
