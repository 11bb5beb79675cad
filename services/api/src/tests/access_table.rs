//! The table of access, written by hand from what roles are for, against the server.
//!
//! `site`: at the caller's own sites, and what is elsewhere is not there for it; `own`: only what is their own, and here it is
//! somebody else's; `all`: only by those who have the role
//! for all sites; `any`: wherever; `.`: refused. The column `token` says whether a program with the same role may.

mod requests;

use std::collections::BTreeSet;

use domain::handling::Step;
use domain::ids::{IncidentId, SessionId, SiteId};
use domain::live::Session;
use prost::Message;
use store::fact::{
    EnrolmentFact, FactKind, IncidentStepped, NewContact, NewCourse, NewDrill, Note, SignOut, SiteChange,
    TokenNumber,
};
use store::ledger::{Derived, Ledger};
use store::registry::{
    Contact, CourseCode, Enrolment, EnrolmentCode, EnrolmentStanding, EnrolmentTarget, Role, Way,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use self::requests::{Told, call, request};
use super::incidents::incident;
use super::port::http;
use super::{Bench, DAY_US, NOON, machine_id, site_id, user_name};
use crate::access::rights::METHODS;
use crate::secret_hash;

const ROLES: [Role; 7] = [
    Role::Viewer,
    Role::Staff,
    Role::Therapist,
    Role::Manager,
    Role::Technician,
    Role::Auditor,
    Role::Administrator,
];

const TABLE: &str = "
method                               nobody viewer staff therapist manager technician auditor administrator token operator
AccountService/SignIn                any    any    any   any       any     any        any     any           yes   yes
AccountService/GetLink               any    any    any   any       any     any        any     any           yes   yes
AccountService/RedeemLink            any    any    any   any       any     any        any     any           yes   yes
AccountService/SignOut               .      any    any   any       any     any        any     any           no    no
AccountService/GetAccount            .      any    any   any       any     any        any     any           yes   yes
AccountService/UpdatePreferences     .      any    any   any       any     any        any     any           no    no
AccountService/ChangePassword        .      any    any   any       any     any        any     any           no    no
FleetService/ListSites               .      site   site  site      site    site       site    site          yes   yes
FleetService/ListMachines            .      site   site  site      site    site       site    site          yes   yes
FleetService/GetMachine              .      site   site  site      site    site       site    site          yes   yes
FleetService/WatchFleet              .      site   site  site      site    site       site    site          yes   yes
FleetService/AcknowledgeStop         .      .      site  site      site    site       .       site          yes   yes
TelemetryService/ListReadings        .      site   site  .         site    site       site    site          yes   yes
TelemetryService/ListEvents          .      site   site  .         site    site       site    site          yes   yes
TelemetryService/ListSessions        .      site   site  .         site    site       site    site          yes   yes
TelemetryService/GetSession          .      site   site  .         site    site       site    site          yes   yes
CourseService/CreateCourse           .      .      .     site      site    .          .       site          yes   yes
CourseService/ListCourses            .      .      .     own       site    .          .       site          yes   yes
CourseService/GetCourse              .      .      .     own       site    .          .       site          yes   yes
CourseService/UpdateCourse           .      .      .     own       site    .          .       site          yes   yes
CourseService/ListLabelSessions      .      .      .     site      site    .          .       site          yes   yes
CourseService/LabelSession           .      .      .     own       site    .          .       site          yes   yes
CourseService/EndCourse              .      .      .     own       site    .          .       site          yes   yes
UsageService/GetUsage                .      site   site  .         site    site       site    site          yes   yes
UsageService/ListUsage               .      site   site  .         site    site       site    site          yes   yes
UsageService/GetHeatMap              .      site   site  .         site    site       site    site          yes   yes
UsageService/GetUtilisation          .      site   site  .         site    site       site    site          yes   yes
UsageService/GetReverseUse           .      site   site  .         site    site       site    site          yes   yes
UsageService/ListMaintenance         .      site   site  .         site    site       site    site          yes   yes
UsageService/ExportUsage             .      site   site  .         site    site       site    site          yes   yes
IncidentService/ListIncidents        .      site   site  .         site    site       site    site          yes   yes
IncidentService/ListSiteIncidents    .      site   site  .         site    site       site    site          yes   yes
IncidentService/CountIncidents       .      site   site  .         site    site       site    site          yes   yes
IncidentService/GetIncident          .      site   site  .         site    site       site    site          yes   yes
IncidentService/WatchIncidents       .      site   site  .         site    site       site    site          yes   yes
IncidentService/ListRules            .      site   site  site      site    site       site    site          yes   yes
IncidentService/ListBlindSpots       .      site   site  .         site    site       site    site          yes   yes
IncidentService/GetIncidentRates     .      site   site  .         site    site       site    site          yes   yes
IncidentService/RehearseThresholds   .      site   site  .         site    site       site    site          yes   yes
IncidentService/RebuildIncidents     .      .      .     .         site    .          .       site          yes   yes
HandlingService/AcknowledgeIncidents .      .      site  .         site    site       .       site          yes   yes
HandlingService/AssignIncidents      .      .      site  .         site    site       .       site          yes   yes
HandlingService/NoteIncidents        .      .      site  .         site    site       .       site          yes   yes
HandlingService/ShelveIncidents      .      .      site  .         site    site       .       site          yes   yes
HandlingService/CloseIncidents       .      .      site  .         site    site       .       site          yes   yes
HandlingService/EraseNote            .      .      .     .         site    .          .       site          yes   yes
HandlingService/HoldIncidents        .      .      .     .         site    .          .       site          yes   yes
HandlingService/ListIncidentSteps    .      site   site  .         site    site       site    site          yes   yes
HandlingService/ExportDossier        .      .      site  .         site    site       site    site          yes   yes
HandlingService/GetServerKey         .      any    any   .         any     any        any     any           yes   yes
DrillService/StartDrill              .      .      site  .         site    site       .       site          yes   yes
DrillService/EndDrill                .      .      site  .         site    site       .       site          yes   yes
DrillService/GetDrill                .      site   site  .         site    site       site    site          yes   yes
DrillService/ListDrills              .      site   site  .         site    site       site    site          yes   yes
DrillService/ListProofs              .      site   site  .         site    site       site    site          yes   yes
DrillService/ListStops               .      site   site  .         site    site       site    site          yes   yes
NotificationService/ListContacts     .      .      .     .         site    .          .       site          yes   yes
NotificationService/SetContact       .      .      .     .         site    .          .       site          yes   yes
NotificationService/DeleteContact    .      .      .     .         site    .          .       site          yes   yes
NotificationService/TestContact      .      .      .     .         site    .          .       site          yes   yes
NotificationService/ListPolicies     .      site   site  .         site    site       site    site          yes   yes
NotificationService/UpdatePolicy     .      .      .     .         site    .          .       site          yes   yes
NotificationService/ListNotices      .      site   site  .         site    site       site    site          yes   yes
AdminService/CreateSite              .      .      .     .         .       .          .       all           no    yes
AdminService/UpdateSite              .      .      .     .         site    .          .       site          yes   yes
AdminService/CreateMachine           .      .      .     .         .       site       .       site          yes   yes
AdminService/UpdateMachine           .      .      .     .         .       site       .       site          yes   yes
AdminService/ArrangeMachines         .      .      site  .         site    site       .       site          yes   yes
AdminService/RenewCredential         .      .      .     .         .       site       .       site          yes   yes
AdminService/RevokeCredential        .      .      .     .         .       site       .       site          yes   yes
AdminService/CreateUser              .      .      .     .         .       .          .       site          no    yes
AdminService/UpdateUser              .      .      .     .         .       .          .       site          no    yes
AdminService/CreatePasswordLink      .      .      .     .         .       .          .       site          no    yes
AdminService/ListUsers               .      .      .     .         .       .          .       site          no    yes
AdminService/CreateToken             .      .      .     .         .       .          .       site          no    yes
AdminService/ListTokens              .      .      .     .         .       .          .       site          no    yes
AdminService/RevokeToken             .      .      .     .         .       .          .       site          no    yes
AdminService/ListAuditEntries        .      .      .     .         .       .          site    site          yes   yes
AdminService/ListRefusals            .      .      .     .         .       all        .       all           yes   yes
AdminService/SetThresholds           .      .      .     .         site    .          .       site          yes   yes
AdminService/SetOutOfService         .      .      site  site      site    site       .       site          yes   yes
AdminService/RecordCommissioning     .      .      .     .         .       site       .       site          yes   yes
AdminService/SetStaffedHours         .      .      .     .         site    .          .       site          yes   yes
AdminService/SetOpeningHours         .      .      .     .         site    .          .       site          yes   yes
AdminService/SetMaintenancePlan      .      .      .     .         site    .          .       site          yes   yes
AdminService/RecordMaintenance       .      .      site  .         site    site       .       site          yes   yes
EnrolmentService/Enrol               any    any    any   any       any     any        any     any           yes   yes
EnrolmentService/GetEnrolment        any    any    any   any       any     any        any     any           yes   yes
EnrolmentService/CreateEnrolmentCode .      .      .     .         .       site       .       site          yes   yes
EnrolmentService/ListEnrolmentCodes  .      .      .     .         .       site       .       site          yes   yes
EnrolmentService/RevokeEnrolmentCode .      .      .     .         .       site       .       site          yes   yes
EnrolmentService/ListPendingEnrolments .    .      .     .         .       site       .       site          yes   yes
EnrolmentService/ApproveEnrolment    .      .      .     .         .       site       .       site          yes   yes
EnrolmentService/RefuseEnrolment     .      .      .     .         .       site       .       site          yes   yes
metrics                              .      .      .     .         .       all        .       all           yes   yes
";

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The caller was let in, and reached what it named.
    Reached,
    /// The caller was let in, but what it named is not there for it.
    NotThere,
    /// The caller is known, but may not.
    NotAllowed,
    /// The caller is not known.
    NotKnown,
}

/// A row: the method and its cells by column.
struct Row {
    method: &'static str,
    cells: Vec<&'static str>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        Row { method: words.next().unwrap(), cells: words.collect() }
    };
    TABLE.trim().lines().skip(1).map(row).collect()
}

#[test]
fn the_table_of_rights_has_exactly_the_methods_of_the_schema_and_so_has_this_one() {
    let set = prost_types::FileDescriptorSet::decode(wire::api::DESCRIPTOR_SET).unwrap();
    let own = set.file.iter().filter(|file| file.package() == "beltwatch.v1");
    let services = own.flat_map(|file| &file.service);
    let methods = services.flat_map(|service| {
        service.method.iter().map(|method| format!("{}/{}", service.name(), method.name()))
    });
    let schema: BTreeSet<String> = methods.chain(["metrics".to_owned()]).collect();
    let rights: Vec<String> = METHODS.iter().map(|(method, _)| (*method).to_owned()).collect();
    let here: Vec<String> = rows().iter().map(|row| row.method.to_owned()).collect();
    for table in [rights, here] {
        assert_eq!(table.len(), schema.len(), "each once");
        assert_eq!(table.into_iter().collect::<BTreeSet<_>>(), schema);
    }
}

/// How somebody calls, as the table's columns know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Nobody,
    /// With a session or token that has ended, of an administrator of all sites.
    Ended,
    Revoked,
    Session(Role, &'static str),
    Token(Role, &'static str),
    Operator,
}

/// What the table says, for a thing of this site.
fn expected(row: &Row, by: By, site: &str) -> Outcome {
    let of = |role: Role, sites: &str| match row.cells[1 + ROLES.iter().position(|one| *one == role).unwrap()]
    {
        "any" => Outcome::Reached,
        "site" if sites.is_empty() || sites == site => Outcome::Reached,
        "site" | "own" => Outcome::NotThere,
        "all" if sites.is_empty() => Outcome::Reached,
        "all" | "." => Outcome::NotAllowed,
        other => panic!("{other}"),
    };
    let [nobody, .., token, operator] = row.cells[..] else { panic!("{}", row.method) };
    match by {
        By::Nobody | By::Ended | By::Revoked if nobody == "any" => Outcome::Reached,
        By::Nobody | By::Ended | By::Revoked => Outcome::NotKnown,
        By::Session(role, sites) => of(role, sites),
        By::Token(..) if token == "no" => Outcome::NotAllowed,
        By::Token(role, sites) => of(role, sites),
        By::Operator if operator == "yes" => Outcome::Reached,
        By::Operator => Outcome::NotAllowed,
    }
}

/// The bench with what the table needs, and the secrets of its callers.
struct Hall {
    bench: Bench,
    tokens: Vec<(By, String)>,
    /// Of north and south.
    told: [Told; 2],
    calls: u32,
}

impl Hall {
    async fn open() -> Hall {
        let bench = Bench::furnished().await;
        let session = |id: u8, machine: &str| Session {
            id: SessionId([id; 16]),
            machine: machine_id(machine),
            started: NOON.plus(-100_000_000),
            last_motion: NOON.plus(-90_000_000),
            ended: true,
            segments: Vec::new(),
            revision: 1,
        };
        let sessions = vec![session(1, "n-1"), session(2, "s-1")];
        let incidents = vec![incident(1, "n-1", 0), incident(2, "s-1", 0)];
        bench.ledger.put(Derived { sessions, incidents, ..Derived::default() }).await.unwrap();
        let told = [told(&bench, 1, "n-1").await, told(&bench, 2, "s-1").await];
        let mut tokens = Vec::new();
        for role in ROLES {
            for (sites, of) in [("", &[][..]), ("north", &["north"])] {
                bench.user(&user_of(role, sites), role, of).await;
                tokens.push((By::Token(role, sites), bench.token_of(role, of).await));
            }
        }
        for site in ["north", "south"] {
            bench.user(&format!("member-{site}"), Role::Viewer, &[site]).await;
        }
        let revoked = bench.token_of(Role::Technician, &[]).await;
        bench.fact(FactKind::TokenRevoked(TokenNumber { number: number(&bench, &revoked) })).await;
        tokens.push((By::Revoked, revoked));
        Hall { bench, tokens, told, calls: 0 }
    }

    async fn secret(&self, by: By) -> Option<String> {
        match by {
            By::Nobody => None,
            By::Operator => Some(self.bench.operator.clone()),
            By::Session(role, sites) => Some(self.bench.session(&user_of(role, sites)).await),
            By::Ended => {
                let name = user_of(Role::Administrator, "");
                let secret = self.bench.session(&name).await;
                let session = Some(secret_hash(&secret));
                self.bench.fact(FactKind::SignedOut(SignOut { user: user_name(&name), session })).await;
                Some(secret)
            }
            By::Token(..) | By::Revoked => {
                self.tokens.iter().find(|(one, _)| *one == by).map(|(_, secret)| secret.clone())
            }
        }
    }

    /// Calls a method on a thing of this site.
    async fn call(&mut self, method: &str, by: By, site: &str) -> Outcome {
        self.calls += 1;
        // There is room for a thousand, and more calls than that.
        let token = match method {
            "AdminService/ListTokens" | "AdminService/RevokeToken" => {
                number(&self.bench, &self.bench.token_of(Role::Viewer, &[site]).await)
            }
            _ => 0,
        };
        // So that the newest entry of the audit is of the site.
        let display_name = Some(format!("Gym {site} {}", self.calls));
        let change = SiteChange { site: site_id(site), display_name, time_zone: None };
        self.bench.fact(FactKind::SiteChanged(change)).await;
        self.bench.fact(FactKind::ContactSet(NewContact { contact: desk(site) })).await;
        let secret = self.secret(by).await;
        if method == "metrics" {
            let (status, _) = http(&self.bench, "/metrics", secret.as_deref()).await;
            return match status.as_str() {
                "HTTP/1.1 200 OK" => Outcome::Reached,
                "HTTP/1.1 401 Unauthorized" => Outcome::NotKnown,
                "HTTP/1.1 403 Forbidden" => Outcome::NotAllowed,
                other => panic!("{other}"),
            };
        }
        let told = self.told[usize::from(site == "south")];
        let (message, seen) = request(method, site, token, self.calls, told);
        match call(&self.bench, method, secret.as_deref(), message).await {
            Ok(answer) => {
                let is_there = seen.is_none_or(|seen| contains(&answer, seen.as_bytes()));
                if is_there { Outcome::Reached } else { Outcome::NotThere }
            }
            Err(status) => refused(method, &status),
        }
    }
}

/// A note about an incident, a course at its site, and a proof test of its machine.
async fn told(bench: &Bench, id: u8, machine: &str) -> Told {
    let note = Some(Note::new([id; 16], "called the technician".to_owned()));
    let incident = IncidentId([id; 16]);
    bench
        .fact(FactKind::IncidentStepped(IncidentStepped { incident, step: Step::Note, note, previous: None }))
        .await;
    let note = bench.ledger.registry().last_fact;
    let site = bench.ledger.registry().machines()[&machine_id(machine)].site.clone();
    let code = CourseCode::new(&format!("told-{site}")).unwrap();
    let course = NewCourse { site: site.clone(), code, prescription: None };
    bench.fact(FactKind::CourseCreated(course)).await;
    let course = bench.ledger.registry().last_fact;
    let until = NOON.plus(600_000_000);
    bench.fact(FactKind::DrillStarted(NewDrill { machine: machine_id(machine), until })).await;
    let drill = bench.ledger.registry().last_fact;
    Told { note, course, drill, asked: agents(bench, id, site).await }
}

/// Three agents that came with a site's code: one to list, one to approve, one to refuse. The number of the first.
async fn agents(bench: &Bench, id: u8, site: SiteId) -> u64 {
    let made = EnrolmentCode {
        id: id.into(),
        hash: [id; 32],
        number: 0,
        target: EnrolmentTarget::Site { site: site.clone(), machines_max: 3 },
        author: "test".to_owned(),
        created: NOON,
        expires: NOON.plus(DAY_US),
        revoked: None,
        wrong_tries: 0,
        came: 0,
        used: None,
    };
    bench.fact(FactKind::Enrolment(EnrolmentFact::CodeMade(made))).await;
    for agent in 0..3 {
        let asked = Enrolment {
            nonce: [id * 10 + agent; 32],
            number: 0,
            code: id.into(),
            site: site.clone(),
            name: format!("box at {site}"),
            agent_version: String::new(),
            peer: String::new(),
            comparison: "123456".to_owned(),
            asked: NOON,
            standing: EnrolmentStanding::Waiting,
        };
        bench.fact(FactKind::Enrolment(EnrolmentFact::Asked(asked))).await;
    }
    bench.ledger.registry().last_fact - 2
}

/// Somebody at a site who can be told.
fn desk(site: &str) -> Contact {
    Contact {
        name: format!("desk-{site}"),
        display_name: String::new(),
        site: Some(site_id(site)),
        way: Way::Email { address: "desk@gym.example".to_owned() },
        is_anchor: false,
        weekly: false,
        generation: 1,
        changed: NOON,
    }
}

fn user_of(role: Role, sites: &str) -> String {
    format!("{role:?}-{sites}").to_lowercase()
}

fn number(bench: &Bench, token: &str) -> u64 {
    bench.ledger.registry().tokens().get(&secret_hash(token)).unwrap().number
}

fn contains(answer: &[u8], seen: &[u8]) -> bool {
    answer.windows(seen.len()).any(|part| part == seen)
}

fn refused(method: &str, status: &Status) -> Outcome {
    let reason = status.get_details_error_info().map(|told| told.reason).unwrap_or_default();
    match (method, status.code(), reason.as_str()) {
        // These are for everybody: a wrong password, link or new password is an answer.
        ("AccountService/SignIn", _, "WRONG_PASSWORD" | "TOO_MANY_ATTEMPTS")
        | ("AccountService/GetLink" | "AccountService/RedeemLink", _, "NO_LINK")
        | ("EnrolmentService/Enrol", _, "WRONG_CODE" | "TOO_MANY_ATTEMPTS")
        | ("EnrolmentService/GetEnrolment", _, "NOT_FOUND" | "TOO_MANY_ATTEMPTS")
        | ("AccountService/ChangePassword", Code::InvalidArgument, _) => Outcome::Reached,
        // It has the label of a course that is not theirs.
        ("CourseService/LabelSession", Code::FailedPrecondition, "LABELLED_OTHERWISE") => Outcome::NotThere,
        // One is under way.
        ("DrillService/StartDrill", Code::FailedPrecondition, _) => Outcome::Reached,
        (_, Code::NotFound, "NOT_FOUND") => Outcome::NotThere,
        (_, Code::PermissionDenied, _) => Outcome::NotAllowed,
        (_, Code::Unauthenticated, "NOT_KNOWN" | "ENDED") => Outcome::NotKnown,
        _ => panic!("{method}: {status:?}"),
    }
}

async fn check(callers: Vec<By>) {
    let mut hall = Hall::open().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for by in &callers {
            for site in ["north", "south"] {
                let (expected, found) = (expected(&row, *by, site), hall.call(row.method, *by, site).await);
                if expected != found {
                    wrong.push(format!("{} by {by:?} at {site}: {found:?}, not {expected:?}", row.method));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn people_of_one_site_reach_what_the_table_says() {
    check(ROLES.map(|role| By::Session(role, "north")).into()).await;
}

#[tokio::test]
async fn people_of_all_sites_reach_what_the_table_says() {
    check(ROLES.map(|role| By::Session(role, "")).into()).await;
}

#[tokio::test]
async fn programs_of_one_site_reach_what_the_table_says() {
    check(ROLES.map(|role| By::Token(role, "north")).into()).await;
}

#[tokio::test]
async fn programs_of_all_sites_reach_what_the_table_says() {
    check(ROLES.map(|role| By::Token(role, "")).into()).await;
}

#[tokio::test]
async fn the_operator_may_everything_that_needs_no_account_and_strangers_nothing() {
    check(vec![By::Operator, By::Nobody, By::Ended, By::Revoked]).await;
}
