//! Facts that go together or do not, of a few sites, machines, people and secrets, so that they meet.

use domain::handling::{Cause, Hurt, Step};
use domain::ids::{MachineId, SiteId, UserName};
use domain::incident::{Severity, threshold};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use store::fact::{
    Acknowledgement, Anchoring, Arrangement, ContactEnd, CourseChange, CourseEnd, DrillEnd,
    EnrolmentApproval, EnrolmentFact, Fact, FactKind, IncidentStepped, MachineChange, MachineName,
    NewContact, NewCourse, NewDrill, NewEnrolled, NewMaintained, NewMaintenance, NewOpening, NewPassword,
    NewStaffedHours, NewThresholds, NewUser, Note, Placed, PolicyChange, ServiceChange, SessionLabel,
    SignOut, TokenNumber, UserChange,
};
use store::registry::{
    ChainStep, Contact, CourseCode, CourseId, Enrolment, EnrolmentCode, EnrolmentStanding, EnrolmentTarget,
    Grant, Link, LinkKind, Machine, MaintenancePlan, Place, Preferences, Role, Scope, SignIn, Site, Staffing,
    Token, User, Way,
};

use crate::incidents::ids;
use crate::sessions::session_ids;
use crate::{machines, site_of, times};

/// A site of which nothing but its id matters.
pub(crate) fn a_site(id: SiteId) -> Site {
    Site {
        id,
        display_name: String::new(),
        time_zone: "UTC".to_owned(),
        created: UnixMicros(7),
        history: Default::default(),
    }
}

/// A machine of which nothing but its id and site matters.
pub(crate) fn a_machine(id: MachineId, site: SiteId) -> Machine {
    Machine {
        id,
        site,
        display_name: String::new(),
        model: String::new(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: UnixMicros(-1),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    }
}

pub(crate) fn facts() -> impl Strategy<Value = Fact> {
    let sites = || (0..4_u8).prop_map(site_of);
    let site = (sites(), ".{0,5}", ".{0,5}").prop_map(|(id, display_name, time_zone)| {
        FactKind::SiteCreated(Site { display_name, time_zone, ..a_site(id) })
    });
    let belt = select(vec![BeltKind::OneWay, BeltKind::Reversible, BeltKind::Unknown]);
    let drive = select(vec![DriveKind::Motor, DriveKind::Manual]);
    let machine = (machines(), sites(), ".{0,5}", belt, drive, any::<u32>()).prop_map(
        |(id, site, text, belt, drive, key_generation)| {
            let (display_name, model) = (text.clone(), text);
            let machine = a_machine(id, site);
            FactKind::MachineCreated(Machine { display_name, model, belt, drive, key_generation, ..machine })
        },
    );
    let token =
        (0..3_u8, ".{0,5}", subsequence(vec![0, 1, 2, 3], 0..=4)).prop_map(|(octet, display_name, sites)| {
            FactKind::TokenCreated(Token {
                hash: [octet; 32],
                number: 0,
                display_name,
                grants: vec![Grant { role: Role::Viewer, sites: sites.into_iter().map(site_of).collect() }],
                author: String::new(),
                created: UnixMicros(1),
                expires: UnixMicros(9),
                revoked: None,
            })
        });
    let request = option::of(select(vec!["", "r1", "r2"]));
    let author =
        select(vec!["local:anna".to_owned(), "local:ben".to_owned(), "server".to_owned(), "a".repeat(121)]);
    (
        author,
        request,
        times(),
        prop_oneof![2 => site, 2 => machine, 1 => token, 2 => fleet_kinds(), 2 => setting_kinds(), 5 => access_kinds(),
            8 => step_kinds(), 3 => notification_kinds(), 5 => course_kinds(), 4 => usage_kinds(),
            4 => enrolment_kinds()],
    )
        .prop_map(|(author, request_id, time, kind)| Fact {
            time,
            author,
            request_id: request_id.map(str::to_owned),
            kind,
        })
}

fn fleet_kinds() -> impl Strategy<Value = FactKind> {
    let named = || machines().prop_map(|machine| MachineName { machine });
    let place =
        option::of((0..2_u8, 0..2_u8)).prop_map(|place| place.map(|(row, column)| Place { row, column }));
    let placed = (machines(), place).prop_map(|(machine, place)| Placed { machine, place });
    prop_oneof![
        named().prop_map(FactKind::CredentialRenewed),
        named().prop_map(FactKind::CredentialRevoked),
        ((0..4_u8).prop_map(site_of), vec(placed, 0..3))
            .prop_map(|(site, places)| FactKind::MachinesArranged(Arrangement { site, places })),
        (machines(), times())
            .prop_map(|(machine, until)| FactKind::StopAcknowledged(Acknowledgement { machine, until })),
    ]
}

fn setting_kinds() -> impl Strategy<Value = FactKind> {
    let threshold = threshold::all().next().expect("rules have thresholds");
    let scopes = prop_oneof![
        (0..4_u8).prop_map(site_of).prop_map(Scope::Site),
        select(vec!["A", "a", ""]).prop_map(|model| Scope::Model(model.to_owned())),
        machines().prop_map(Scope::Machine),
    ];
    let values = option::of(select(vec![threshold.min, threshold.max, threshold.max + 1]));
    let thresholds = (scopes, values).prop_map(|(scope, value)| {
        let values = [(threshold.name.to_owned(), value)].into();
        FactKind::ThresholdsSet(NewThresholds { scope, values })
    });
    let services = (machines(), option::of(".{0,5}")).prop_map(|(machine, out_of_service)| {
        FactKind::ServiceChanged(ServiceChange { machine, out_of_service })
    });
    let hours = ((0..4_u8).prop_map(site_of), 50..70_u16).prop_map(|(site, begin)| {
        let hours = Some(std::array::from_fn(|_| vec![(begin, 60)]));
        FactKind::StaffedHoursSet(NewStaffedHours { site, hours })
    });
    prop_oneof![2 => thresholds, 1 => services, 1 => hours]
}

/// Courses handed over, moves, opening hours and maintenance; some are refused.
fn usage_kinds() -> impl Strategy<Value = FactKind> {
    let sites = || (0..4_u8).prop_map(site_of);
    let courses = (1..20_u64).prop_map(CourseId);
    let changed = (courses, users()).prop_map(|(course, user)| {
        let owner = Some(format!("user:{user}"));
        FactKind::CourseChanged(CourseChange { course, prescription: None, owner })
    });
    let scopes = prop_oneof![
        sites().prop_map(Scope::Site),
        select(vec!["A", "a", ""]).prop_map(|model| Scope::Model(model.to_owned())),
        machines().prop_map(Scope::Machine),
    ];
    let plans = (scopes, option::of(0..3_u32)).prop_map(|(scope, hours)| {
        let plan = hours.map(|hours| MaintenancePlan { hours: Some(hours), kilometres: None });
        FactKind::MaintenanceSet(NewMaintenance { scope, plan })
    });
    let moves = (machines(), sites()).prop_map(|(machine, site)| {
        FactKind::MachineChanged(MachineChange {
            machine,
            display_name: None,
            model: None,
            belt: None,
            drive: None,
            site: Some(site),
        })
    });
    let openings = (sites(), 0..8_u8).prop_map(|(site, first)| {
        FactKind::OpeningSet(NewOpening { site, hours: None, first_weekday: Some(first) })
    });
    prop_oneof![
        1 => changed,
        2 => plans,
        2 => moves,
        1 => openings,
        1 => (machines(), times()).prop_map(|(machine, at)| {
            FactKind::MachineMaintained(NewMaintained { machine, at, note: String::new() })
        }),
    ]
}

/// Codes for machines and a site, and agents that come with them; some are refused.
fn enrolment_kinds() -> impl Strategy<Value = FactKind> {
    let codes = || 0..4_u32;
    let target = prop_oneof![
        machines().prop_map(|machine| EnrolmentTarget::Machine { machine }),
        Just(EnrolmentTarget::Site { site: site_of(0), machines_max: 2 }),
    ];
    let made = (codes(), target, 0..40_i64).prop_map(|(id, target, expires)| {
        EnrolmentFact::CodeMade(EnrolmentCode {
            id,
            hash: [1; 32],
            number: 0,
            target,
            author: String::new(),
            created: UnixMicros(1),
            expires: UnixMicros(expires),
            revoked: None,
            wrong_tries: 0,
            came: 0,
            used: None,
        })
    });
    let enrolled = (codes(), machines()).prop_map(|(code, machine)| {
        EnrolmentFact::Enrolled(NewEnrolled { code, nonce: [2; 32], machine, peer: String::new() })
    });
    let asked = (codes(), 0..4_u8, times()).prop_map(|(code, nonce, asked)| {
        EnrolmentFact::Asked(Enrolment {
            nonce: [nonce; 32],
            number: 0,
            code,
            site: site_of(0),
            name: String::new(),
            agent_version: String::new(),
            peer: String::new(),
            comparison: String::new(),
            asked,
            standing: EnrolmentStanding::Waiting,
        })
    });
    let facts = prop_oneof![
        3 => made,
        2 => enrolled,
        3 => asked,
        1 => codes().prop_map(|code| EnrolmentFact::CodeTried { code }),
        1 => codes().prop_map(|code| EnrolmentFact::CodeRevoked { code }),
        2 => (0..20_u64, machines()).prop_map(|(number, machine)| {
            EnrolmentFact::Approved(EnrolmentApproval { number, machine, created: None })
        }),
        1 => (0..20_u64).prop_map(|number| EnrolmentFact::Refused { number }),
    ];
    facts.prop_map(FactKind::Enrolment)
}

/// Names of two people.
pub(crate) fn users() -> impl Strategy<Value = UserName> {
    select(vec!["anna", "ben"]).prop_map(|name| UserName::new(name).expect("it is a name"))
}

/// Steps about few incidents, so that they meet; some of them are refused.
fn step_kinds() -> impl Strategy<Value = FactKind> {
    let answers = (option::of(select(Cause::ALL.to_vec())), option::of(select(Hurt::ALL.to_vec())));
    let steps = prop_oneof![
        2 => Just(Step::Acknowledge),
        2 => option::of(users()).prop_map(|to| Step::Assign { to }),
        2 => Just(Step::Note),
        2 => option::of(times()).prop_map(|until| Step::Shelve { until }),
        2 => answers.prop_map(|(cause, hurt)| Step::Close { cause, hurt }),
        1 => any::<bool>().prop_map(|on| Step::Hold { on }),
        2 => (0..30_u64).prop_map(|number| Step::EraseNote { number }),
        2 => ids().prop_map(|lead| Step::Join { lead }),
        1 => (0..3_u64).prop_map(|revision| Step::Seal { revision, evidence: "0a".repeat(32) }),
    ];
    let notes = option::of((any::<[u8; 16]>(), "[a-c]{0,3}"));
    (ids(), steps, notes).prop_map(|(incident, step, note)| {
        let note = note.map(|(salt, text)| Note::new(salt, text));
        FactKind::IncidentStepped(IncidentStepped { incident, step, note, previous: None })
    })
}

/// Courses of few sites, and labels of few sessions with them; some of them are refused.
fn course_kinds() -> impl Strategy<Value = FactKind> {
    let sites = || (0..2_u8).prop_map(site_of);
    let courses = || (1..20_u64).prop_map(CourseId);
    let made = (sites(), "[AB]").prop_map(|(site, code)| {
        let code = CourseCode::new(&code).expect("it is a code");
        FactKind::CourseCreated(NewCourse { site, code, prescription: None })
    });
    let labels = (session_ids(), machines(), sites(), option::of(courses())).prop_map(
        |(session, machine, site, course)| {
            FactKind::SessionLabelled(SessionLabel { session, machine, site, course })
        },
    );
    prop_oneof![
        2 => made,
        6 => labels,
        1 => courses().prop_map(|course| FactKind::CourseEnded(CourseEnd { course })),
    ]
}

/// Proof tests, who is told, heads that were taken.
fn notification_kinds() -> impl Strategy<Value = FactKind> {
    let names = || select(vec!["desk".to_owned(), "night".to_owned(), "Nobody".to_owned()]);
    let sites = || option::of((0..2_u8).prop_map(site_of));
    let contacts = (names(), sites(), 0..2_u32).prop_map(|(name, site, generation)| {
        let way = Way::Webhook { url: "https://example.org/".to_owned() };
        let (display_name, changed) = (String::new(), UnixMicros(1));
        let contact =
            Contact { name, display_name, site, way, is_anchor: true, weekly: false, generation, changed };
        FactKind::ContactSet(NewContact { contact })
    });
    let steps = vec((names(), 0..2_u32), 0..3).prop_map(|steps| {
        let step = |(contact, after_seconds)| ChainStep {
            contact,
            least: Severity::High,
            after_seconds,
            staffing: Staffing::Always,
        };
        steps.into_iter().map(step).collect()
    });
    let policies = (sites(), option::of(steps)).prop_map(|(site, chain)| {
        FactKind::PolicySet(PolicyChange { site, chain, ..PolicyChange::default() })
    });
    let anchors = (0..4_u64, names()).prop_map(|(facts, contact)| {
        let (root, taken) = ("00".repeat(32), UnixMicros(3));
        FactKind::HeadAnchored(Anchoring { facts, root, contact, taken })
    });
    prop_oneof![
        3 => contacts,
        1 => names().prop_map(|name| FactKind::ContactEnded(ContactEnd { name })),
        2 => policies,
        1 => anchors,
        1 => (machines(), times())
            .prop_map(|(machine, until)| FactKind::DrillStarted(NewDrill { machine, until })),
        1 => (machines(), 0..20_u64).prop_map(|(machine, drill)| {
            FactKind::DrillEnded(DrillEnd { machine, drill, note: String::new() })
        }),
    ]
}

fn access_kinds() -> impl Strategy<Value = FactKind> {
    let hashes = || (0..4_u8).prop_map(|octet| [octet; 32]);
    let ends = || (0..40_i64).prop_map(UnixMicros);
    let grants = || {
        select(vec![Role::Administrator, Role::Staff])
            .prop_map(|role| vec![Grant { role, sites: Vec::new() }])
    };
    let user = (users(), grants(), option::of(Just("$argon2id$".to_owned()))).prop_map(
        |(name, grants, password)| User {
            name,
            display_name: String::new(),
            grants,
            expires: None,
            disabled: false,
            password,
            preferences: Preferences::default(),
            created: UnixMicros(0),
            last_sign_in: None,
        },
    );
    let change =
        (users(), option::of(grants()), option::of(any::<bool>())).prop_map(|(user, grants, disabled)| {
            UserChange { user, display_name: None, grants, end: None, disabled }
        });
    let password = (users(), option::of(hashes()), option::of(hashes())).prop_map(|(user, keep, link)| {
        FactKind::PasswordSet(NewPassword { user, password: "$new$".to_owned(), keep, link })
    });
    let purposes = prop_oneof![
        Just(LinkKind::FirstAdministrator),
        users().prop_map(|user| LinkKind::Password { user }),
        users().prop_map(|user| LinkKind::SignIn { user }),
    ];
    let sign_in = (hashes(), users(), ends(), ends()).prop_map(|(hash, user, created, expires)| {
        FactKind::SignedIn(SignIn { hash, user, created, expires, peer: String::new() })
    });
    prop_oneof![
        3 => (user, option::of(hashes())).prop_map(|(user, link)| FactKind::UserCreated(NewUser { user, link })),
        2 => change.prop_map(FactKind::UserChanged),
        1 => password,
        2 => (hashes(), purposes, ends())
            .prop_map(|(hash, kind, expires)| FactKind::LinkMade(Link { hash, kind, expires })),
        3 => sign_in,
        1 => (users(), option::of(hashes()))
            .prop_map(|(user, session)| FactKind::SignedOut(SignOut { user, session })),
        1 => (0..20_u64).prop_map(|number| FactKind::TokenRevoked(TokenNumber { number })),
    ]
}
