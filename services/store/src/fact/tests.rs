mod enrolment;
mod handling;
mod settings;
mod usage;

use domain::ids::UserName;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use self::enrolment::{enrolment_entries, enrolment_kinds};
use self::handling::{drills, handling_entries, handling_kinds};
use self::settings::{machine_histories, scoped_limits, setting_kinds, site_histories};
use self::usage::{maintained, usage_entries, usage_kinds};
use super::*;
use crate::registry::{Acknowledged, Entry, Language, LinkKind, Preferences, Scope, SpeedUnit, User};

fn times() -> impl Strategy<Value = UnixMicros> {
    any::<i64>().prop_map(UnixMicros)
}

fn hashes() -> impl Strategy<Value = SecretHash> {
    any::<[u8; 32]>()
}

fn sites() -> impl Strategy<Value = SiteId> {
    "[a-z0-9]{1,9}".prop_map(|id| SiteId::new(&id).unwrap())
}

fn machine_ids() -> impl Strategy<Value = MachineId> {
    "[a-z0-9]{1,9}".prop_map(|id| MachineId::new(&id).unwrap())
}

fn user_names() -> impl Strategy<Value = UserName> {
    "[a-z0-9._-]{1,64}".prop_map(|name| UserName::new(&name).unwrap())
}

fn belts() -> impl Strategy<Value = BeltKind> {
    select(vec![BeltKind::OneWay, BeltKind::Reversible, BeltKind::Unknown])
}

fn drives() -> impl Strategy<Value = DriveKind> {
    select(vec![DriveKind::Motor, DriveKind::Manual])
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let roles = select(vec![
        Role::Viewer,
        Role::Staff,
        Role::Therapist,
        Role::Manager,
        Role::Technician,
        Role::Auditor,
        Role::Administrator,
    ]);
    vec((roles, vec(sites(), 0..3)).prop_map(|(role, sites)| Grant { role, sites }), 0..3)
}

fn preferences() -> impl Strategy<Value = Preferences> {
    let languages = select(vec![Language::Browser, Language::English, Language::German]);
    let units = select(vec![SpeedUnit::KilometresPerHour, SpeedUnit::MilesPerHour]);
    (languages, units).prop_map(|(language, speed_unit)| Preferences { language, speed_unit })
}

fn places() -> impl Strategy<Value = Option<Place>> {
    option::of(any::<(u8, u8)>().prop_map(|(row, column)| Place { row, column }))
}

fn a_site() -> impl Strategy<Value = Site> {
    (sites(), ".{0,9}", ".{0,9}", times(), site_histories()).prop_map(
        |(id, display_name, time_zone, created, history)| Site {
            id,
            display_name,
            time_zone,
            created,
            history,
        },
    )
}

fn a_machine() -> impl Strategy<Value = Machine> {
    let acknowledged =
        (times(), ".{0,9}", times()).prop_map(|(until, by, at)| Acknowledged { until, by, at });
    let later = (
        places(),
        any::<u32>(),
        option::of(times()),
        option::of(acknowledged),
        machine_histories(),
        vec(drills(), 0..2),
        maintained(),
    );
    ((machine_ids(), sites()), ".{0,9}", ".{0,9}", belts(), drives(), any::<u32>(), times(), later).prop_map(
        |((id, site), display_name, model, belt, drive, key_generation, created, later)| {
            let (place, revoked_generation, revoked, acknowledged, history, drills, maintained) = later;
            Machine {
                id,
                site,
                display_name,
                model,
                belt,
                drive,
                key_generation,
                created,
                place,
                revoked_generation,
                revoked,
                acknowledged,
                history,
                drills,
                maintained,
            }
        },
    )
}

fn a_user() -> impl Strategy<Value = User> {
    let ends = (option::of(times()), any::<bool>(), option::of(".{0,9}"));
    (user_names(), ".{0,9}", grants(), ends, preferences(), times(), option::of(times())).prop_map(
        |(name, display_name, grants, (expires, disabled, password), preferences, created, last_sign_in)| {
            User {
                name,
                display_name,
                grants,
                expires,
                disabled,
                password,
                preferences,
                created,
                last_sign_in,
            }
        },
    )
}

fn a_token() -> impl Strategy<Value = Token> {
    let ends = (times(), times(), option::of(times()));
    (hashes(), any::<u64>(), ".{0,9}", grants(), ".{0,9}", ends).prop_map(
        |(hash, number, display_name, grants, author, (created, expires, revoked))| Token {
            hash,
            number,
            display_name,
            grants,
            author,
            created,
            expires,
            revoked,
        },
    )
}

fn a_sign_in() -> impl Strategy<Value = SignIn> {
    (hashes(), user_names(), times(), times(), ".{0,9}")
        .prop_map(|(hash, user, created, expires, peer)| SignIn { hash, user, created, expires, peer })
}

fn a_link() -> impl Strategy<Value = Link> {
    let kinds = prop_oneof![
        Just(LinkKind::FirstAdministrator),
        user_names().prop_map(|user| LinkKind::Password { user }),
        user_names().prop_map(|user| LinkKind::SignIn { user }),
    ];
    (hashes(), kinds, times()).prop_map(|(hash, kind, expires)| Link { hash, kind, expires })
}

fn texts() -> impl Strategy<Value = Option<String>> {
    option::of(".{0,9}")
}

/// Of places where machines stand.
fn fleet_kinds() -> impl Strategy<Value = FactKind> {
    let site_changes = (sites(), texts(), texts()).prop_map(|(site, display_name, time_zone)| {
        FactKind::SiteChanged(SiteChange { site, display_name, time_zone })
    });
    let kinds = (option::of(belts()), option::of(drives()));
    let machine_changes = (machine_ids(), texts(), texts(), kinds, option::of(sites()));
    let machine_changes = machine_changes.prop_map(|(machine, display_name, model, (belt, drive), site)| {
        FactKind::MachineChanged(MachineChange { machine, display_name, model, belt, drive, site })
    });
    let placed = (machine_ids(), places()).prop_map(|(machine, place)| Placed { machine, place });
    let arrangements = (sites(), vec(placed, 0..4))
        .prop_map(|(site, places)| FactKind::MachinesArranged(Arrangement { site, places }));
    let named = || machine_ids().prop_map(|machine| MachineName { machine });
    prop_oneof![
        a_site().prop_map(FactKind::SiteCreated),
        site_changes,
        a_machine().prop_map(FactKind::MachineCreated),
        machine_changes,
        arrangements,
        named().prop_map(FactKind::CredentialRenewed),
        named().prop_map(FactKind::CredentialRevoked),
        (machine_ids(), times())
            .prop_map(|(machine, until)| { FactKind::StopAcknowledged(Acknowledgement { machine, until }) }),
    ]
}

/// Of people and programs.
fn access_kinds() -> impl Strategy<Value = FactKind> {
    let ends = option::of(option::of(times()).prop_map(|expires| End { expires }));
    let user_changes = (user_names(), texts(), option::of(grants()), ends, option::of(any::<bool>()));
    let user_changes = user_changes.prop_map(|(user, display_name, grants, end, disabled)| {
        FactKind::UserChanged(UserChange { user, display_name, grants, end, disabled })
    });
    let passwords = (user_names(), ".{0,9}", option::of(hashes()), option::of(hashes()));
    let passwords = passwords.prop_map(|(user, password, keep, link)| {
        FactKind::PasswordSet(NewPassword { user, password, keep, link })
    });
    let refusals = (".{0,9}", ".{0,9}", ".{0,9}", ".{0,9}", any::<u64>());
    let refusals = refusals.prop_map(|(method, reason, subject, peer, count)| {
        FactKind::AccessRefused(Refusal { method, reason, subject, peer, count })
    });
    prop_oneof![
        (a_user(), option::of(hashes()))
            .prop_map(|(user, link)| FactKind::UserCreated(NewUser { user, link })),
        user_changes,
        passwords,
        (user_names(), preferences()).prop_map(|(user, preferences)| {
            FactKind::PreferencesSet(NewPreferences { user, preferences })
        }),
        a_link().prop_map(FactKind::LinkMade),
        a_sign_in().prop_map(FactKind::SignedIn),
        (user_names(), option::of(hashes()))
            .prop_map(|(user, session)| FactKind::SignedOut(SignOut { user, session })),
        a_token().prop_map(FactKind::TokenCreated),
        any::<u64>().prop_map(|number| FactKind::TokenRevoked(TokenNumber { number })),
        refusals,
    ]
}

fn entries() -> impl Strategy<Value = Entry> {
    prop_oneof![
        a_site().prop_map(Entry::Site),
        a_machine().prop_map(Entry::Machine),
        a_user().prop_map(Entry::User),
        a_token().prop_map(Entry::Token),
        a_sign_in().prop_map(Entry::SignIn),
        a_link().prop_map(Entry::Link),
        scoped_limits().prop_map(Entry::Limits),
        handling_entries(),
        usage_entries(),
        enrolment_entries(),
    ]
}

proptest! {
    #[test]
    fn facts_come_back(
        kind in prop_oneof![fleet_kinds(), access_kinds(), setting_kinds(), handling_kinds(), usage_kinds(), enrolment_kinds()],
    ) {
        let json = to_json(&kind);
        let again = from_json(&json, "", UnixMicros(0)).map_err(|error| {
            TestCaseError::fail(format!("{json}: {error:?}"))
        })?;
        prop_assert_eq!(again, kind);
    }

    #[test]
    fn entries_come_back(entry in entries()) {
        let json = serde_json::to_string(&entry)?;
        prop_assert_eq!(serde_json::from_str::<Entry>(&json)?, entry);
    }
}

const ONES: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn read(json: &str) -> Result<FactKind, Unread> {
    from_json(&json.replace("ONES", ONES), "local:anna", UnixMicros(1_000))
}

/// JSON that stands in files, and what it says. It is written in the same words.
#[track_caller]
fn check_written(json: &str, kind: &FactKind) {
    assert_eq!(&read(json).unwrap(), kind);
    assert_eq!(to_json(kind), json.replace("ONES", ONES));
}

#[test]
fn names_in_the_json_stay() {
    let user = UserName::new("anna").unwrap();
    check_written(
        r#"{"v":2,"kind":"link_made","hash":"ONES","for":"password","user":"anna","expires_us":-7}"#,
        &FactKind::LinkMade(Link {
            hash: [1; 32],
            kind: LinkKind::Password { user: user.clone() },
            expires: UnixMicros(-7),
        }),
    );
    check_written(
        r#"{"v":2,"kind":"user_changed","user":"anna","display_name":null,"grants":[{"role":"administrator","sites":["gym-1"]}],"end":{"expires_us":null},"disabled":true}"#,
        &FactKind::UserChanged(UserChange {
            user: user.clone(),
            display_name: None,
            grants: Some(vec![Grant {
                role: Role::Administrator,
                sites: vec![SiteId::new("gym-1").unwrap()],
            }]),
            end: Some(End { expires: None }),
            disabled: Some(true),
        }),
    );
    check_written(
        r#"{"v":2,"kind":"machines_arranged","site":"gym-1","places":[{"machine":"tm-1","place":{"row":1,"column":2}},{"machine":"tm-2","place":null}]}"#,
        &FactKind::MachinesArranged(Arrangement {
            site: SiteId::new("gym-1").unwrap(),
            places: vec![
                Placed { machine: MachineId::new("tm-1").unwrap(), place: Some(Place { row: 1, column: 2 }) },
                Placed { machine: MachineId::new("tm-2").unwrap(), place: None },
            ],
        }),
    );
    check_written(
        r#"{"v":2,"kind":"signed_out","user":"anna","session":"ONES"}"#,
        &FactKind::SignedOut(SignOut { user, session: Some([1; 32]) }),
    );
}

/// Version 1 as its program wrote it.
#[test]
fn facts_of_version_1_are_read() {
    let site = SiteId::new("gym-1").unwrap();
    let kind = read(
        r#"{"v":1,"kind":"site_created","id":"gym-1","display_name":"Gym \"1\"","time_zone":"Europe/Vienna","created_us":5}"#,
    );
    let expected = Site {
        id: site.clone(),
        display_name: "Gym \"1\"".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        created: UnixMicros(5),
        history: Default::default(),
    };
    assert_eq!(kind.unwrap(), FactKind::SiteCreated(expected));
    let kind = read(
        r#"{"v":1,"kind":"machine_created","id":"tm-01","site":"gym-1","display_name":"TM 1","model":"Maker 9","belt":"one_way","drive":"manual","key_generation":3,"created_us":6}"#,
    );
    let expected = Machine {
        id: MachineId::new("tm-01").unwrap(),
        site: site.clone(),
        display_name: "TM 1".to_owned(),
        model: "Maker 9".to_owned(),
        belt: BeltKind::OneWay,
        drive: DriveKind::Manual,
        key_generation: 3,
        created: UnixMicros(6),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    };
    assert_eq!(kind.unwrap(), FactKind::MachineCreated(expected));
    let kind =
        read(r#"{"v":1,"kind":"token_created","hash":"ONES","display_name":"wall","sites":["gym-1"]}"#);
    let expected = Token {
        hash: [1; 32],
        number: 0,
        display_name: "wall".to_owned(),
        grants: vec![Grant { role: Role::Viewer, sites: vec![site] }],
        author: "local:anna".to_owned(),
        created: UnixMicros(1_000),
        // A year later.
        expires: UnixMicros(1_000 + 31_536_000_000_000),
        revoked: None,
    };
    assert_eq!(kind.unwrap(), FactKind::TokenCreated(expected));
}

#[test]
fn what_was_never_written_is_told_apart() {
    for newer in [3, 99] {
        let result = read(&format!(r#"{{"v":{newer},"kind":"something"}}"#));
        assert!(matches!(result, Err(Unread::Newer(version)) if version == newer), "{result:?}");
    }
    for json in [
        "",
        "{}",
        r#"{"v":2}"#,
        r#"{"v":2,"kind":"something"}"#,
        // What came with version 2 was never in version 1.
        r#"{"v":1,"kind":"signed_out","user":"anna","session":null}"#,
        r#"{"v":2,"kind":"signed_out","user":"An na","session":null}"#,
        r#"{"v":2,"kind":"signed_out","user":"anna","session":"01"}"#,
        r#"{"v":1,"kind":"token_created","hash":"01","display_name":"wall","sites":[]}"#,
        r#"{"v":1,"kind":"token_created","hash":"ONES","display_name":"wall","sites":["GYM 1"]}"#,
        r#"{"v":1,"kind":"site_created","id":"gym-1","display_name":"Gym"}"#,
    ] {
        let result = read(json);
        assert!(matches!(&result, Err(Unread::Damaged(reason)) if !reason.is_empty()), "{json}: {result:?}");
    }
}
