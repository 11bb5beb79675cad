//! What rules use.

use domain::incident::settings::CommissionedStop;
use domain::incident::threshold::{self, Limits};
use domain::stop::StopContact;
use domain::units::Speed;

use super::*;
use crate::registry::{
    BEGINNING, Commissioning, History, MachineTraits, OutOfService, Scope, ScopedLimits, SiteTraits,
    StaffedDays,
};

pub(super) fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        sites().prop_map(Scope::Site),
        ".{1,9}".prop_map(Scope::Model),
        machine_ids().prop_map(Scope::Machine)
    ]
}

fn stops() -> impl Strategy<Value = Vec<CommissionedStop>> {
    let contacts =
        select(vec![StopContact::EmergencyStop, StopContact::SafetyKey, StopContact::MachinePower]);
    let stop = (contacts, any::<u32>(), any::<u32>());
    vec(
        stop.prop_map(|(contact, speed, time_ms)| CommissionedStop { contact, speed: Speed(speed), time_ms }),
        0..3,
    )
}

pub(super) fn staffed() -> impl Strategy<Value = Option<StaffedDays>> {
    option::of(proptest::array::uniform7(vec(any::<(u16, u16)>(), 0..3)))
}

fn new_commissionings() -> impl Strategy<Value = NewCommissioning> {
    (machine_ids(), any::<[bool; 3]>(), stops(), ".{0,9}").prop_map(
        |(machine, [direction_proven, silent_on_stop, incline_is_target], stops, note)| NewCommissioning {
            machine,
            direction_proven,
            stops,
            silent_on_stop,
            incline_is_target,
            note,
            seen: None,
        },
    )
}

/// Facts of what rules use.
pub(super) fn setting_kinds() -> impl Strategy<Value = FactKind> {
    let values = proptest::collection::btree_map("[a-z.-]{1,9}", option::of(any::<i64>()), 0..3);
    prop_oneof![
        (scopes(), values)
            .prop_map(|(scope, values)| FactKind::ThresholdsSet(NewThresholds { scope, values })),
        (machine_ids(), texts()).prop_map(|(machine, out_of_service)| {
            FactKind::ServiceChanged(ServiceChange { machine, out_of_service })
        }),
        new_commissionings().prop_map(FactKind::Commissioned),
        (sites(), staffed())
            .prop_map(|(site, hours)| FactKind::StaffedHoursSet(NewStaffedHours { site, hours })),
    ]
}

/// A history in which a first value was followed by others.
fn history<T: Clone + PartialEq + std::fmt::Debug>(
    values: impl Strategy<Value = T>,
) -> impl Strategy<Value = History<T>> {
    vec((times(), values), 0..4).prop_map(|values| {
        let mut history = History::default();
        for pair in values.windows(2) {
            history.set(pair[0].1.clone(), pair[1].0.max(BEGINNING.plus(1)), pair[1].1.clone());
        }
        history
    })
}

pub(super) fn site_histories() -> impl Strategy<Value = History<SiteTraits>> {
    let traits = (".{0,9}", staffed(), staffed(), any::<u8>());
    history(traits.prop_map(|(time_zone, staffed, open, first_weekday)| SiteTraits {
        time_zone,
        staffed,
        open,
        first_weekday,
    }))
}

pub(super) fn machine_histories() -> impl Strategy<Value = History<MachineTraits>> {
    let tags = (".{1,9}", times()).prop_map(|(reason, since)| OutOfService { reason, since });
    let commissionings = (times(), new_commissionings()).prop_map(|(time, new)| Commissioning {
        time,
        direction_proven: new.direction_proven,
        stops: new.stops,
        silent_on_stop: new.silent_on_stop,
        incline_is_target: new.incline_is_target,
        note: new.note,
        configuration: None,
        proven_for: Vec::new(),
    });
    let known = (option::of(tags), option::of(commissionings), option::of(sites()));
    let traits = (belts(), drives(), ".{0,9}", known);
    history(traits.prop_map(|(belt, drive, model, (out_of_service, commissioning, site))| MachineTraits {
        belt,
        drive,
        model,
        out_of_service,
        commissioning,
        site,
    }))
}

pub(super) fn scoped_limits() -> impl Strategy<Value = ScopedLimits> {
    let names = select(threshold::all().collect::<Vec<_>>());
    let limits = vec(names, 0..3).prop_map(|thresholds| {
        let mut limits = Limits::default();
        for threshold in thresholds {
            limits.set(threshold.name, Some(threshold.max)).expect("it is within its range");
        }
        limits
    });
    (scopes(), history(limits)).prop_map(|(scope, history)| ScopedLimits { scope, history })
}

#[test]
fn names_of_settings_in_the_json_stay() {
    let machine = MachineId::new("tm-1").unwrap();
    let values = [("b".to_owned(), None), ("a.b".to_owned(), Some(-7))].into();
    check_written(
        r#"{"v":2,"kind":"thresholds_set","scope":{"model":"Maker 9"},"values":{"a.b":-7,"b":null}}"#,
        &FactKind::ThresholdsSet(NewThresholds { scope: Scope::Model("Maker 9".to_owned()), values }),
    );
    for (scope, json) in [
        (Scope::Site(SiteId::new("gym-1").unwrap()), r#"{"site":"gym-1"}"#),
        (Scope::Machine(machine.clone()), r#"{"machine":"tm-1"}"#),
    ] {
        check_written(
            &format!(r#"{{"v":2,"kind":"thresholds_set","scope":{json},"values":{{}}}}"#),
            &FactKind::ThresholdsSet(NewThresholds { scope, values: [].into() }),
        );
    }
    let out_of_service = Some("belt torn".to_owned());
    check_written(
        r#"{"v":2,"kind":"service_changed","machine":"tm-1","out_of_service":"belt torn"}"#,
        &FactKind::ServiceChanged(ServiceChange { machine: machine.clone(), out_of_service }),
    );
    check_written(
        r#"{"v":2,"kind":"commissioned","machine":"tm-1","direction_proven":true,"stops":[{"contact":"safety_key","speed":1000,"time_ms":900}],"silent_on_stop":false,"incline_is_target":true,"note":"by the maker"}"#,
        &FactKind::Commissioned(NewCommissioning {
            machine,
            direction_proven: true,
            stops: vec![CommissionedStop {
                contact: StopContact::SafetyKey,
                speed: Speed(1_000),
                time_ms: 900,
            }],
            silent_on_stop: false,
            incline_is_target: true,
            note: "by the maker".to_owned(),
            seen: None,
        }),
    );
    let mut days = StaffedDays::default();
    days[6] = vec![(0, 60), (480, 1_440)];
    check_written(
        r#"{"v":2,"kind":"staffed_hours_set","site":"gym-1","hours":[[],[],[],[],[],[],[[0,60],[480,1440]]]}"#,
        &FactKind::StaffedHoursSet(NewStaffedHours {
            site: SiteId::new("gym-1").unwrap(),
            hours: Some(days),
        }),
    );
}

/// Entries as they were written before anything had a history.
#[test]
fn entries_without_a_history_are_read() {
    let site = r#"{"entry":"site","id":"gym-1","display_name":"Gym","time_zone":"UTC","created_us":5}"#;
    let machine = r#"{"entry":"machine","id":"tm-1","site":"gym-1","display_name":"TM","model":"Maker 9","belt":"one_way","drive":"manual","key_generation":3,"created_us":6,"place":null,"revoked_generation":0,"revoked_us":null,"acknowledged":null}"#;
    let read = |json: &str| serde_json::from_str::<Entry>(json).unwrap();
    let (Entry::Site(site), Entry::Machine(machine)) = (read(site), read(machine)) else {
        panic!("they are a site and a machine")
    };
    assert!(site.history.is_empty() && machine.history.is_empty());
    let id = machine.id.clone();
    let mut registry = crate::registry::Registry::default();
    registry.put(1, [Entry::Site(site), Entry::Machine(machine)].map(crate::registry::Change::Put));
    let timeline = registry.timeline(&id).expect("it is there");
    for time in [i64::MIN, 0, i64::MAX] {
        let settings = timeline.at(UnixMicros(time));
        assert_eq!((settings.belt, settings.drive), (BeltKind::OneWay, DriveKind::Manual));
    }
}
