mod access;
mod changed;
mod course;
mod drill;
mod enrolment;
mod maintenance;
mod notification;
mod settings;

use domain::registry::{BeltKind, DriveKind};

use super::*;
use crate::fact::{
    Acknowledgement, Arrangement, End, MachineChange, MachineName, NewPreferences, Placed, Refusal,
    TokenNumber, UserChange,
};
use crate::registry::{Language, Place, Preferences, Role, SpeedUnit};

const DAY: i64 = 24 * 3_600 * 1_000_000;

fn site_id(name: &str) -> SiteId {
    SiteId::new(name).unwrap()
}

fn machine_id(name: &str) -> MachineId {
    MachineId::new(name).unwrap()
}

fn user_name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn site(name: &str) -> FactKind {
    FactKind::SiteCreated(Site {
        id: site_id(name),
        display_name: name.to_uppercase(),
        time_zone: "Europe/Vienna".to_owned(),
        created: UnixMicros(0),
        history: Default::default(),
    })
}

fn machine(name: &str, at: &str) -> FactKind {
    FactKind::MachineCreated(Machine {
        id: machine_id(name),
        site: site_id(at),
        display_name: name.to_uppercase(),
        model: "Maker 9".to_owned(),
        belt: BeltKind::Unknown,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: UnixMicros(0),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    })
}

fn grant(role: Role, sites: &[&str]) -> Grant {
    Grant { role, sites: sites.iter().map(|name| site_id(name)).collect() }
}

fn user(name: &str, grants: &[Grant]) -> User {
    User {
        name: user_name(name),
        display_name: name.to_uppercase(),
        grants: grants.to_vec(),
        expires: None,
        disabled: false,
        password: None,
        preferences: Preferences::default(),
        created: UnixMicros(0),
        last_sign_in: None,
    }
}

fn created(user: User) -> FactKind {
    FactKind::UserCreated(NewUser { user, link: None })
}

fn administrator(name: &str) -> FactKind {
    let password = Some("$argon2id$".to_owned());
    created(User { password, ..user(name, &[grant(Role::Administrator, &[])]) })
}

fn no_change(name: &str) -> UserChange {
    UserChange { user: user_name(name), display_name: None, grants: None, end: None, disabled: None }
}

fn disabled(name: &str, disabled: bool) -> FactKind {
    FactKind::UserChanged(UserChange { disabled: Some(disabled), ..no_change(name) })
}

fn arranged(at: &str, places: &[(&str, Option<(u8, u8)>)]) -> FactKind {
    let placed = |(name, place): &(&str, Option<(u8, u8)>)| Placed {
        machine: machine_id(name),
        place: place.map(|(row, column)| Place { row, column }),
    };
    FactKind::MachinesArranged(Arrangement { site: site_id(at), places: places.iter().map(placed).collect() })
}

fn link(octet: u8, kind: LinkKind, expires: i64) -> FactKind {
    FactKind::LinkMade(Link { hash: [octet; 32], kind, expires: UnixMicros(expires) })
}

fn sign_in_of(octet: u8, name: &str, created: i64, expires: i64) -> SignIn {
    let (created, expires) = (UnixMicros(created), UnixMicros(expires));
    SignIn { hash: [octet; 32], user: user_name(name), created, expires, peer: String::new() }
}

fn signed_in(octet: u8, name: &str, created: i64, expires: i64) -> FactKind {
    FactKind::SignedIn(sign_in_of(octet, name, created, expires))
}

fn password(name: &str, keep: Option<u8>, link: Option<u8>) -> FactKind {
    FactKind::PasswordSet(NewPassword {
        user: user_name(name),
        password: "$new$".to_owned(),
        keep: keep.map(|octet| [octet; 32]),
        link: link.map(|octet| [octet; 32]),
    })
}

fn token(octet: u8, sites: &[&str], expires: i64) -> FactKind {
    FactKind::TokenCreated(Token {
        hash: [octet; 32],
        number: 0,
        display_name: "wall display".to_owned(),
        grants: vec![grant(Role::Viewer, sites)],
        author: "user:anna".to_owned(),
        created: UnixMicros(0),
        expires: UnixMicros(expires),
        revoked: None,
    })
}

/// A registry that takes facts one after another, as an engine's does.
#[derive(Default)]
struct Followed(Registry);

impl Followed {
    /// Two sites with machines, an administrator, somebody else.
    fn new() -> Followed {
        let mut followed = Followed::default();
        followed.all([
            site("gym-1"),
            site("gym-2"),
            machine("tm-1", "gym-1"),
            machine("tm-2", "gym-1"),
            machine("tm-9", "gym-2"),
            administrator("anna"),
            created(user("ben", &[grant(Role::Staff, &["gym-1"])])),
        ]);
        followed
    }

    fn add_at(&mut self, time: i64, kind: FactKind) -> Result<u64, StoreErrorKind> {
        let number = self.0.last_fact + 1;
        let fact = Fact { time: UnixMicros(time), author: "user:anna".to_owned(), request_id: None, kind };
        let before = self.0.clone();
        match self.0.follow(number, &fact) {
            Ok(changes) => self.0.put(number, changes),
            Err(error) => {
                assert!(!error.context.is_empty(), "a refusal says why");
                assert_eq!(self.0, before);
                return Err(error.kind);
            }
        }
        Ok(number)
    }

    #[track_caller]
    fn at(&mut self, time: i64, kind: FactKind) -> u64 {
        self.add_at(time, kind.clone()).unwrap_or_else(|error| panic!("{kind:?} is {error:?}"))
    }

    #[track_caller]
    fn all<const N: usize>(&mut self, kinds: [FactKind; N]) {
        for kind in kinds {
            self.at(0, kind);
        }
    }

    #[track_caller]
    fn refuses(&mut self, expected: StoreErrorKind, kind: FactKind) {
        assert_eq!(self.add_at(0, kind.clone()), Err(expected), "{kind:?}");
    }

    fn machine(&self, name: &str) -> &Machine {
        &self.0.machines()[&machine_id(name)]
    }

    fn user(&self, name: &str) -> &User {
        &self.0.users()[&user_name(name)]
    }

    /// First octets of the sessions that are there.
    fn sign_ins(&self) -> Vec<u8> {
        self.0.sign_ins.keys().map(|hash| hash[0]).collect()
    }

    fn links(&self) -> Vec<u8> {
        self.0.links.keys().map(|hash| hash[0]).collect()
    }

    fn tokens(&self) -> Vec<u8> {
        self.0.tokens.keys().map(|hash| hash[0]).collect()
    }
}

#[test]
fn what_is_taken_is_a_conflict() {
    let mut followed = Followed::new();
    followed.all([token(1, &["gym-1"], 9)]);
    for kind in [
        site("gym-1"),
        machine("tm-1", "gym-2"),
        administrator("ben"),
        token(1, &[], 9),
        FactKind::UserCreated(NewUser { user: user("carl", &[]), link: Some([7; 32]) }),
        password("ben", None, Some(7)),
    ] {
        followed.refuses(StoreErrorKind::Conflict, kind);
    }
}

#[test]
fn what_names_something_that_is_not_there_is_invalid() {
    let mut followed = Followed::new();
    let none = MachineName { machine: machine_id("tm-0") };
    let nobody = user_name("nobody");
    for kind in [
        machine("tm-3", "gym-3"),
        FactKind::SiteChanged(SiteChange { site: site_id("gym-3"), display_name: None, time_zone: None }),
        FactKind::MachineChanged(MachineChange {
            machine: machine_id("tm-0"),
            display_name: None,
            model: None,
            belt: None,
            drive: None,
            site: None,
        }),
        arranged("gym-1", &[("tm-0", None)]),
        // It stands at the other site.
        arranged("gym-1", &[("tm-1", Some((1, 1))), ("tm-9", Some((1, 2)))]),
        FactKind::CredentialRenewed(none.clone()),
        FactKind::CredentialRevoked(none),
        FactKind::StopAcknowledged(Acknowledgement { machine: machine_id("tm-0"), until: UnixMicros(1) }),
        created(user("carl", &[grant(Role::Viewer, &["gym-1", "gym-3"])])),
        FactKind::UserChanged(no_change("nobody")),
        FactKind::UserChanged(UserChange {
            grants: Some(vec![grant(Role::Viewer, &["gym-3"])]),
            ..no_change("ben")
        }),
        password("nobody", None, None),
        FactKind::PreferencesSet(NewPreferences {
            user: nobody.clone(),
            preferences: Preferences::default(),
        }),
        link(1, LinkKind::Password { user: nobody.clone() }, 9),
        link(1, LinkKind::SignIn { user: nobody }, 9),
        signed_in(1, "nobody", 0, 9),
        token(1, &["gym-3"], 9),
        FactKind::TokenRevoked(TokenNumber { number: 1 }),
    ] {
        followed.refuses(StoreErrorKind::Invalid, kind);
    }
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let mut followed = Followed::new();
    let nothing = SiteChange { site: site_id("gym-1"), display_name: None, time_zone: None };
    let before = followed.0.clone();
    followed.all([FactKind::SiteChanged(nothing.clone()), FactKind::UserChanged(no_change("ben"))]);
    assert_eq!(followed.0, Registry { last_fact: followed.0.last_fact, ..before });
    followed.all([
        FactKind::SiteChanged(SiteChange { time_zone: Some("UTC".to_owned()), ..nothing }),
        FactKind::MachineChanged(MachineChange {
            machine: machine_id("tm-1"),
            display_name: None,
            model: Some(String::new()),
            belt: Some(BeltKind::Reversible),
            drive: None,
            site: None,
        }),
        FactKind::UserChanged(UserChange {
            display_name: Some("Ben B.".to_owned()),
            grants: Some(vec![grant(Role::Manager, &["gym-2"])]),
            end: Some(End { expires: Some(UnixMicros(5)) }),
            ..no_change("ben")
        }),
        FactKind::PreferencesSet(NewPreferences {
            user: user_name("ben"),
            preferences: Preferences { language: Language::German, speed_unit: SpeedUnit::MilesPerHour },
        }),
    ]);
    let site = &followed.0.sites()[&site_id("gym-1")];
    assert_eq!((site.display_name.as_str(), site.time_zone.as_str()), ("GYM-1", "UTC"));
    let machine = followed.machine("tm-1");
    assert_eq!((machine.display_name.as_str(), machine.model.as_str()), ("TM-1", ""));
    assert_eq!((machine.belt, machine.drive), (BeltKind::Reversible, DriveKind::Motor));
    let ben = followed.user("ben");
    assert_eq!((ben.display_name.as_str(), ben.grants[0].role), ("Ben B.", Role::Manager));
    assert!(ben.is_active(UnixMicros(4)) && !ben.is_active(UnixMicros(5)));
    assert_eq!(ben.preferences.language, Language::German);
    let end = Some(End { expires: None });
    followed.all([FactKind::UserChanged(UserChange { end, ..no_change("ben") })]);
    assert_eq!(followed.user("ben").expires, None);
}

#[test]
fn no_two_machines_stand_on_one_place() {
    let mut followed = Followed::new();
    followed.all([
        arranged("gym-1", &[("tm-1", Some((1, 1))), ("tm-2", Some((1, 2)))]),
        // The same place in another room.
        arranged("gym-2", &[("tm-9", Some((1, 1)))]),
    ]);
    for places in [
        &[("tm-1", Some((1, 2)))][..],
        &[("tm-1", Some((3, 3))), ("tm-2", Some((3, 3)))],
        // Named twice: neither a move nor another machine.
        &[("tm-1", Some((3, 3))), ("tm-1", Some((3, 3)))],
    ] {
        followed.refuses(StoreErrorKind::Conflict, arranged("gym-1", places));
    }
    followed.all([arranged("gym-1", &[("tm-1", Some((1, 2))), ("tm-2", Some((1, 1)))])]);
    assert_eq!(followed.machine("tm-1").place, Some(Place { row: 1, column: 2 }));
    assert_eq!(followed.machine("tm-2").place, Some(Place { row: 1, column: 1 }));
    // What is taken out makes room.
    followed.all([arranged("gym-1", &[("tm-1", None), ("tm-2", Some((1, 2)))]), arranged("gym-1", &[])]);
    assert_eq!(followed.machine("tm-1").place, None);
}

#[test]
fn a_revoked_credential_is_good_again_when_it_was_renewed() {
    let mut followed = Followed::new();
    let named = || MachineName { machine: machine_id("tm-1") };
    let state = |followed: &Followed| {
        let machine = followed.machine("tm-1");
        (machine.key_generation, machine.revoked_generation, machine.revoked_since())
    };
    assert_eq!(state(&followed), (1, 0, None));
    followed.at(5, FactKind::CredentialRevoked(named()));
    assert_eq!(state(&followed), (1, 1, Some(UnixMicros(5))));
    followed.at(6, FactKind::CredentialRenewed(named()));
    assert_eq!(state(&followed), (2, 1, None));
    followed.at(7, FactKind::CredentialRenewed(named()));
    assert_eq!(state(&followed), (3, 1, None));
    followed.at(8, FactKind::CredentialRevoked(named()));
    assert_eq!(state(&followed), (3, 3, Some(UnixMicros(8))));
    assert_eq!(followed.machine("tm-2").revoked_generation, 0);
}

#[test]
fn the_last_generation_stays_revoked() {
    let mut followed = Followed::new();
    let FactKind::MachineCreated(machine) = machine("tm-5", "gym-1") else { panic!("it is a machine") };
    let named = || MachineName { machine: machine_id("tm-5") };
    followed.all([
        FactKind::MachineCreated(Machine { key_generation: u32::MAX, ..machine }),
        FactKind::CredentialRevoked(named()),
    ]);
    followed.refuses(StoreErrorKind::Full, FactKind::CredentialRenewed(named()));
}

#[test]
fn the_later_acknowledgement_stays() {
    let mut followed = Followed::new();
    let until = |until| {
        let (machine, until) = (machine_id("tm-1"), UnixMicros(until));
        FactKind::StopAcknowledged(Acknowledgement { machine, until })
    };
    for (at, acknowledged, expected) in
        [(10, 5, (5, 10)), (11, 4, (5, 10)), (12, 5, (5, 10)), (13, 6, (6, 13))]
    {
        followed.at(at, until(acknowledged));
        let kept = followed.machine("tm-1").acknowledged.clone().expect("it was acknowledged");
        assert_eq!((kept.until.0, kept.at.0, kept.by.as_str()), (expected.0, expected.1, "user:anna"));
    }
}

#[test]
fn what_is_full_is_refused() {
    let mut followed = Followed::new();
    let hash = |number: usize| std::array::from_fn(|place| number.to_be_bytes()[place % 8]);
    for number in followed.0.users.len()..USERS_MAX {
        followed.0.put_entry(Entry::User(user(&format!("user-{number}"), &[])));
    }
    followed.refuses(StoreErrorKind::Full, created(user("one-more", &[])));
    for number in 0..TOKENS_MAX {
        let FactKind::TokenCreated(token) = token(0, &[], DAY) else { panic!("it is a token") };
        followed.0.put_entry(Entry::Token(Token { hash: hash(number), ..token }));
    }
    followed.refuses(StoreErrorKind::Full, token(255, &[], DAY));
    assert_eq!(followed.add_at(91 * DAY, token(255, &[], 900 * DAY)), Ok(8), "all others ended long ago");
    assert_eq!(followed.0.tokens.len(), 1);
    for number in 0..LINKS_MAX {
        let kind = LinkKind::Password { user: user_name(&format!("user-{}", number + 10)) };
        followed.0.put_entry(Entry::Link(Link { hash: hash(number), kind, expires: UnixMicros(DAY) }));
    }
    followed.refuses(StoreErrorKind::Full, link(255, LinkKind::FirstAdministrator, DAY));
    // One that takes another's place needs no room.
    followed.all([link(255, LinkKind::Password { user: user_name("user-10") }, DAY)]);
    assert_eq!(followed.0.links.len(), LINKS_MAX);
    followed.at(DAY, link(254, LinkKind::FirstAdministrator, 2 * DAY));
    assert_eq!(followed.links(), [254], "all others have ended");
}

#[test]
fn a_refusal_changes_nothing() {
    let mut followed = Followed::new();
    let before = followed.0.clone();
    let text = String::new;
    let refusal = Refusal { method: text(), reason: text(), subject: text(), peer: text(), count: 1 };
    let number = followed.at(9, FactKind::AccessRefused(refusal));
    assert_eq!(followed.0, Registry { last_fact: number, ..before });
}
