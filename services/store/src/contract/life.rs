//! Facts of some days in a gym: every kind but steps about incidents and labels of sessions, each following from those
//! before it.

use domain::handling::HandlingState;
use domain::ids::UserName;
use domain::incident::Severity;
use domain::incident::settings::CommissionedStop;
use domain::incident::threshold;
use domain::registry::BeltKind;
use domain::stop::StopContact;
use domain::units::Speed;

use super::given::{machine, machine_created, second, site, site_created, token_created};
use crate::fact::{
    Acknowledgement, Anchoring, Arrangement, ContactEnd, CourseChange, CourseEnd, DrillEnd, End, Fact,
    FactKind, MachineChange, MachineName, NewCommissioning, NewContact, NewCourse, NewDrill, NewMaintained,
    NewMaintenance, NewOpening, NewPassword, NewPreferences, NewStaffedHours, NewThresholds, NewUser,
    OpeningHours, Placed, PolicyChange, PrescriptionChange, Refusal, ServiceChange, SignOut, SiteChange,
    TokenNumber, UserChange,
};
use crate::registry::{
    ChainStep, Contact, CourseCode, CourseId, Deadline, Grant, Language, Link, LinkKind, MaintenancePlan,
    Place, Preferences, Prescription, Role, Scope, SecretHash, ServiceRule, SignIn, SpeedUnit, Staffing,
    User, Way,
};

pub(super) fn user(name: &str) -> UserName {
    UserName::new(name).expect("suites name users well")
}

/// Hashes of secrets, by what they are for.
pub(super) const FIRST_LINK: SecretHash = [1; 32];
pub(super) const PASSWORD_LINK: SecretHash = [2; 32];
pub(super) const SESSIONS: [SecretHash; 3] = [[0x3a; 32], [0xff; 32], [0; 32]];

/// All of it, a fact each minute.
pub(super) fn life() -> Vec<Fact> {
    let kinds = [fleet(), people(), programs(), settings(), notification(), courses(), upkeep()].concat();
    let at = |(minute, kind): (i64, FactKind)| Fact {
        time: second(60 * minute),
        author: "user:anna".to_owned(),
        request_id: Some(format!("r{minute}")),
        kind,
    };
    (1_i64..).zip(kinds).map(at).collect()
}

fn fleet() -> Vec<FactKind> {
    let named = |name: &str| MachineName { machine: machine(name) };
    let place = |name: &str, place: Option<(u8, u8)>| Placed {
        machine: machine(name),
        place: place.map(|(row, column)| Place { row, column }),
    };
    let arranged =
        |places: Vec<Placed>| FactKind::MachinesArranged(Arrangement { site: site("gym-1"), places });
    vec![
        site_created("user:anna", None, "gym-1").kind,
        machine_created("tm-01", "gym-1").kind,
        machine_created("tm-02", "gym-1").kind,
        FactKind::SiteChanged(SiteChange {
            site: site("gym-1"),
            display_name: Some("Gym \"ä\"".to_owned()),
            time_zone: None,
        }),
        FactKind::MachineChanged(MachineChange {
            machine: machine("tm-01"),
            display_name: None,
            model: Some(String::new()),
            belt: Some(BeltKind::OneWay),
            drive: None,
            site: None,
        }),
        arranged(vec![place("tm-01", Some((0, 0))), place("tm-02", Some((63, 63)))]),
        arranged(vec![place("tm-02", Some((0, 0))), place("tm-01", Some((63, 63)))]),
        FactKind::CredentialRevoked(named("tm-01")),
        FactKind::CredentialRevoked(named("tm-02")),
        FactKind::CredentialRenewed(named("tm-02")),
        FactKind::StopAcknowledged(Acknowledgement { machine: machine("tm-02"), until: second(7) }),
    ]
}

fn people() -> Vec<FactKind> {
    let link = |hash, kind| FactKind::LinkMade(Link { hash, kind, expires: second(9_000) });
    let new_user = |name: &str, role, link: Option<SecretHash>| {
        let user = User {
            name: user(name),
            display_name: name.to_uppercase(),
            grants: vec![Grant { role, sites: Vec::new() }],
            expires: None,
            disabled: false,
            password: link.map(|_| "$argon2id$first".to_owned()),
            preferences: Preferences::default(),
            created: second(1),
            last_sign_in: None,
        };
        FactKind::UserCreated(NewUser { user, link })
    };
    let signed_in = |session: usize, name: &str| {
        FactKind::SignedIn(SignIn {
            hash: SESSIONS[session],
            user: user(name),
            created: second(1),
            expires: second(90_000),
            peer: "192.0.2.7".to_owned(),
        })
    };
    vec![
        link(FIRST_LINK, LinkKind::FirstAdministrator),
        new_user("anna", Role::Administrator, Some(FIRST_LINK)),
        new_user("ben", Role::Staff, None),
        link([9; 32], LinkKind::Password { user: user("ben") }),
        link(PASSWORD_LINK, LinkKind::Password { user: user("ben") }),
        signed_in(0, "ben"),
        signed_in(1, "ben"),
        signed_in(2, "anna"),
        FactKind::PasswordSet(NewPassword {
            user: user("ben"),
            password: "$argon2id$second".to_owned(),
            keep: Some(SESSIONS[1]),
            link: Some(PASSWORD_LINK),
        }),
        FactKind::SignedOut(SignOut { user: user("anna"), session: Some(SESSIONS[2]) }),
        FactKind::PreferencesSet(NewPreferences {
            user: user("ben"),
            preferences: Preferences { language: Language::German, speed_unit: SpeedUnit::MilesPerHour },
        }),
        FactKind::UserChanged(UserChange {
            user: user("ben"),
            display_name: None,
            grants: Some(vec![Grant { role: Role::Manager, sites: vec![site("gym-1")] }]),
            end: Some(End { expires: Some(second(99_999)) }),
            disabled: None,
        }),
        link([8; 32], LinkKind::SignIn { user: user("ben") }),
    ]
}

fn programs() -> Vec<FactKind> {
    // The second one's number: facts are numbered as they stand here.
    let number = (fleet().len() + people().len() + 2) as u64;
    vec![
        token_created(9, &["gym-1"]).kind,
        token_created(10, &[]).kind,
        FactKind::TokenRevoked(TokenNumber { number }),
        FactKind::AccessRefused(Refusal {
            method: "/beltwatch.v1.AdminService/CreateUser".to_owned(),
            reason: "role".to_owned(),
            subject: String::new(),
            peer: "192.0.2.7".to_owned(),
            count: 3,
        }),
    ]
}

fn settings() -> Vec<FactKind> {
    let threshold = threshold::all().next().expect("rules have thresholds");
    let limit = |scope, value| {
        let values = [(threshold.name.to_owned(), value)].into();
        FactKind::ThresholdsSet(NewThresholds { scope, values })
    };
    let model = || Scope::Model("Maker \"9\"".to_owned());
    let service = |reason: Option<&str>| {
        let out_of_service = reason.map(str::to_owned);
        FactKind::ServiceChanged(ServiceChange { machine: machine("tm-01"), out_of_service })
    };
    let stop = CommissionedStop { contact: StopContact::SafetyKey, speed: Speed(1_500), time_ms: 1_800 };
    vec![
        limit(Scope::Site(site("gym-1")), Some(threshold.max)),
        limit(model(), Some(threshold.min)),
        limit(Scope::Machine(machine("tm-01")), Some(threshold.default)),
        limit(model(), None),
        service(Some("belt \"torn\"")),
        service(None),
        service(Some("motor")),
        FactKind::Commissioned(NewCommissioning {
            machine: machine("tm-02"),
            direction_proven: true,
            stops: vec![stop],
            silent_on_stop: true,
            incline_is_target: false,
            note: "by the service".to_owned(),
            seen: None,
        }),
        FactKind::StaffedHoursSet(NewStaffedHours {
            site: site("gym-1"),
            hours: Some(std::array::from_fn(|_| vec![(360, 720), (780, 1_440)])),
        }),
    ]
}

fn notification() -> Vec<FactKind> {
    let contact = |name: &str, generation| {
        let way = Way::Webhook { url: "https://example.org/hook?a='b'&c=%22".to_owned() };
        let (display_name, site) = (name.to_uppercase(), Some(site("gym-1")));
        let (is_anchor, changed) = (true, second(5));
        let contact = Contact {
            name: name.to_owned(),
            display_name,
            site,
            way,
            is_anchor,
            weekly: false,
            generation,
            changed,
        };
        FactKind::ContactSet(NewContact { contact })
    };
    let step = ChainStep {
        contact: "desk".to_owned(),
        least: Severity::High,
        after_seconds: 300,
        staffing: Staffing::Unstaffed,
    };
    let deadline = Deadline {
        name: "report".to_owned(),
        least: Severity::Critical,
        hours: 24,
        until: HandlingState::Closed,
    };
    let policy = |site, chain| {
        let (deadlines, service) = (Some(vec![deadline.clone()]), Some(ServiceRule { count: 3, days: 9 }));
        FactKind::PolicySet(PolicyChange { site, chain, deadlines, service, cleared: Vec::new() })
    };
    let anchored =
        Anchoring { facts: 7, root: "0a".repeat(32), contact: "desk".to_owned(), taken: second(8) };
    // The proof test begins with the next fact, a fact each minute.
    let number = (fleet().len() + people().len() + programs().len() + settings().len() + 1) as u64;
    let until = second(60 * number.cast_signed() + 600);
    let drill = NewDrill { machine: machine("tm-02"), until };
    let end = DrillEnd { machine: machine("tm-02"), drill: number, note: "all stop".to_owned() };
    vec![
        FactKind::DrillStarted(drill),
        FactKind::DrillEnded(end),
        contact("desk", 1),
        contact("night", 1),
        contact("desk", 2),
        FactKind::ContactEnded(ContactEnd { name: "night".to_owned() }),
        policy(None, None),
        policy(Some(site("gym-1")), Some(vec![step])),
        FactKind::HeadAnchored(anchored),
    ]
}

fn courses() -> Vec<FactKind> {
    // The first one's number.
    let before = [fleet(), people(), programs(), settings(), notification()].map(|kinds| kinds.len());
    let first = before.iter().sum::<usize>() as u64 + 1;
    let course = |code: &str| {
        let (code, prescription) = (CourseCode::new(code).expect("suites code courses well"), None);
        FactKind::CourseCreated(NewCourse { site: site("gym-1"), code, prescription })
    };
    let prescription = Some(Prescription { weeks: Some(6), ..Prescription::default() });
    vec![
        course("Knee-1"),
        course("Hip-1"),
        FactKind::CourseChanged(CourseChange {
            course: CourseId(first),
            prescription: Some(PrescriptionChange { prescription }),
            owner: Some("user:ben".to_owned()),
        }),
        FactKind::CourseEnded(CourseEnd { course: CourseId(first) }),
        course("Knee-1"),
    ]
}

fn upkeep() -> Vec<FactKind> {
    let plan = |scope, hours: Option<u32>| {
        let plan = hours.map(|hours| MaintenancePlan { hours: Some(hours), kilometres: None });
        FactKind::MaintenanceSet(NewMaintenance { scope, plan })
    };
    let model = || Scope::Model("Maker \"9\"".to_owned());
    vec![
        plan(Scope::Site(site("gym-1")), Some(1)),
        plan(model(), Some(2)),
        plan(Scope::Machine(machine("tm-01")), Some(3)),
        plan(model(), None),
        FactKind::MachineMaintained(NewMaintained {
            machine: machine("tm-01"),
            at: second(60),
            note: "belt \"waxed\"".to_owned(),
        }),
        FactKind::OpeningSet(NewOpening {
            site: site("gym-1"),
            hours: Some(OpeningHours { days: Some(std::array::from_fn(|_| vec![(360, 1_320)])) }),
            first_weekday: Some(6),
        }),
        site_created("user:anna", None, "gym-2").kind,
        machine_created("tm-03", "gym-1").kind,
        FactKind::MachineChanged(MachineChange {
            machine: machine("tm-03"),
            display_name: None,
            model: None,
            belt: None,
            drive: None,
            site: Some(site("gym-2")),
        }),
    ]
}
