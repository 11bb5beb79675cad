//! Which method needs what, and which role may do it. The one table of it; `docs/access.md` is printed from here.

use store::registry::Role;

/// Something that may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Permission {
    /// To see sites, machines and what their belts do now.
    Live,
    /// To see readings, events, sessions, usage, incidents and how far people are with them.
    History,
    /// To see notes, whether somebody was hurt, and dossiers.
    Evidence,
    /// To say that a stop was seen to, and to tag a machine out of service.
    Act,
    /// To work on incidents and proof tests, and to say that a machine was serviced.
    Handle,
    /// To label sessions with courses and to see one's own; with `configure`, all of the site.
    Courses,
    /// To arrange the plan of a room.
    Arrange,
    /// To change a site's settings, thresholds and maintenance plans, say who is told of incidents, erase notes, hold
    /// evidence.
    Configure,
    /// To register and commission machines, and to make and revoke their credentials.
    Register,
    /// To make sites, users and tokens, and to say what they may do.
    Administer,
    /// To read the audit.
    Audit,
    /// To see what concerns the whole server: refused messages, metrics.
    Diagnose,
}

impl Permission {
    /// All, in the order in which documents list them.
    pub(crate) const ALL: [Permission; 12] = [
        Permission::Live,
        Permission::History,
        Permission::Evidence,
        Permission::Act,
        Permission::Handle,
        Permission::Courses,
        Permission::Arrange,
        Permission::Configure,
        Permission::Register,
        Permission::Administer,
        Permission::Audit,
        Permission::Diagnose,
    ];

    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Permission::Live => "live",
            Permission::History => "history",
            Permission::Evidence => "evidence",
            Permission::Act => "act",
            Permission::Handle => "handle",
            Permission::Courses => "courses",
            Permission::Arrange => "arrange",
            Permission::Configure => "configure",
            Permission::Register => "register",
            Permission::Administer => "administer",
            Permission::Audit => "audit",
            Permission::Diagnose => "diagnose",
        }
    }

    /// Whether a program may have it. A stolen token must not make users.
    pub(crate) fn is_for_programs(self) -> bool {
        self != Permission::Administer
    }
}

/// Whether a role may do something at its sites.
pub(crate) fn may(role: Role, permission: Permission) -> bool {
    use Permission as P;
    match role {
        Role::Administrator => true,
        Role::Viewer => matches!(permission, P::Live | P::History),
        Role::Staff => {
            matches!(permission, P::Live | P::History | P::Evidence | P::Act | P::Handle | P::Arrange)
        }
        // Of the history they see the sessions of their own courses, and those that nobody has labelled.
        Role::Therapist => matches!(permission, P::Live | P::Act | P::Courses),
        Role::Manager => matches!(
            permission,
            P::Live | P::History | P::Evidence | P::Act | P::Handle | P::Courses | P::Arrange | P::Configure
        ),
        Role::Technician => matches!(
            permission,
            P::Live | P::History | P::Evidence | P::Act | P::Handle | P::Arrange | P::Register | P::Diagnose
        ),
        Role::Auditor => matches!(permission, P::Live | P::History | P::Evidence | P::Audit),
    }
}

/// What a method needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: it is how somebody becomes known.
    Nothing,
    /// To be known.
    Known,
    /// To be a user who has signed in.
    User,
    /// A permission at some site at least; what is reached is cut to the sites.
    Some(Permission),
    /// A permission at all sites.
    All(Permission),
}

/// Every method of ours and what it needs.
pub(crate) const METHODS: [(&str, Need); 95] = [
    ("AccountService/SignIn", Need::Nothing),
    ("AccountService/GetLink", Need::Nothing),
    ("AccountService/RedeemLink", Need::Nothing),
    ("AccountService/SignOut", Need::User),
    ("AccountService/GetAccount", Need::Known),
    ("AccountService/UpdatePreferences", Need::User),
    ("AccountService/ChangePassword", Need::User),
    ("FleetService/ListSites", Need::Some(Permission::Live)),
    ("FleetService/ListMachines", Need::Some(Permission::Live)),
    ("FleetService/GetMachine", Need::Some(Permission::Live)),
    ("FleetService/WatchFleet", Need::Some(Permission::Live)),
    ("FleetService/AcknowledgeStop", Need::Some(Permission::Act)),
    ("TelemetryService/ListReadings", Need::Some(Permission::History)),
    ("TelemetryService/ListEvents", Need::Some(Permission::History)),
    ("TelemetryService/ListSessions", Need::Some(Permission::History)),
    ("TelemetryService/GetSession", Need::Some(Permission::History)),
    ("CourseService/CreateCourse", Need::Some(Permission::Courses)),
    ("CourseService/UpdateCourse", Need::Some(Permission::Courses)),
    ("CourseService/EndCourse", Need::Some(Permission::Courses)),
    ("CourseService/ListCourses", Need::Some(Permission::Courses)),
    ("CourseService/GetCourse", Need::Some(Permission::Courses)),
    ("CourseService/LabelSession", Need::Some(Permission::Courses)),
    ("CourseService/ListLabelSessions", Need::Some(Permission::Courses)),
    ("UsageService/GetUsage", Need::Some(Permission::History)),
    ("UsageService/ListUsage", Need::Some(Permission::History)),
    ("UsageService/GetHeatMap", Need::Some(Permission::History)),
    ("UsageService/GetUtilisation", Need::Some(Permission::History)),
    ("UsageService/GetReverseUse", Need::Some(Permission::History)),
    ("UsageService/ListMaintenance", Need::Some(Permission::History)),
    ("UsageService/ExportUsage", Need::Some(Permission::History)),
    ("IncidentService/ListIncidents", Need::Some(Permission::History)),
    ("IncidentService/ListSiteIncidents", Need::Some(Permission::History)),
    ("IncidentService/CountIncidents", Need::Some(Permission::History)),
    ("IncidentService/GetIncident", Need::Some(Permission::History)),
    ("IncidentService/WatchIncidents", Need::Some(Permission::History)),
    ("IncidentService/ListRules", Need::Some(Permission::Live)),
    ("IncidentService/ListBlindSpots", Need::Some(Permission::History)),
    ("IncidentService/GetIncidentRates", Need::Some(Permission::History)),
    ("IncidentService/RehearseThresholds", Need::Some(Permission::History)),
    ("IncidentService/RebuildIncidents", Need::Some(Permission::Configure)),
    ("HandlingService/AcknowledgeIncidents", Need::Some(Permission::Handle)),
    ("HandlingService/AssignIncidents", Need::Some(Permission::Handle)),
    ("HandlingService/NoteIncidents", Need::Some(Permission::Handle)),
    ("HandlingService/ShelveIncidents", Need::Some(Permission::Handle)),
    ("HandlingService/CloseIncidents", Need::Some(Permission::Handle)),
    ("HandlingService/EraseNote", Need::Some(Permission::Configure)),
    ("HandlingService/HoldIncidents", Need::Some(Permission::Configure)),
    ("HandlingService/ListIncidentSteps", Need::Some(Permission::History)),
    ("HandlingService/ExportDossier", Need::Some(Permission::Evidence)),
    ("HandlingService/GetServerKey", Need::Some(Permission::History)),
    ("DrillService/StartDrill", Need::Some(Permission::Handle)),
    ("DrillService/EndDrill", Need::Some(Permission::Handle)),
    ("DrillService/GetDrill", Need::Some(Permission::History)),
    ("DrillService/ListDrills", Need::Some(Permission::History)),
    ("DrillService/ListProofs", Need::Some(Permission::History)),
    ("DrillService/ListStops", Need::Some(Permission::History)),
    ("NotificationService/ListContacts", Need::Some(Permission::Configure)),
    ("NotificationService/SetContact", Need::Some(Permission::Configure)),
    ("NotificationService/DeleteContact", Need::Some(Permission::Configure)),
    ("NotificationService/TestContact", Need::Some(Permission::Configure)),
    ("NotificationService/UpdatePolicy", Need::Some(Permission::Configure)),
    ("NotificationService/ListPolicies", Need::Some(Permission::History)),
    ("NotificationService/ListNotices", Need::Some(Permission::History)),
    ("AdminService/CreateSite", Need::All(Permission::Administer)),
    ("AdminService/UpdateSite", Need::Some(Permission::Configure)),
    ("AdminService/CreateMachine", Need::Some(Permission::Register)),
    ("AdminService/UpdateMachine", Need::Some(Permission::Register)),
    ("AdminService/ArrangeMachines", Need::Some(Permission::Arrange)),
    ("AdminService/RenewCredential", Need::Some(Permission::Register)),
    ("AdminService/RevokeCredential", Need::Some(Permission::Register)),
    ("AdminService/CreateUser", Need::Some(Permission::Administer)),
    ("AdminService/UpdateUser", Need::Some(Permission::Administer)),
    ("AdminService/CreatePasswordLink", Need::Some(Permission::Administer)),
    ("AdminService/ListUsers", Need::Some(Permission::Administer)),
    ("AdminService/CreateToken", Need::Some(Permission::Administer)),
    ("AdminService/ListTokens", Need::Some(Permission::Administer)),
    ("AdminService/RevokeToken", Need::Some(Permission::Administer)),
    ("AdminService/ListAuditEntries", Need::Some(Permission::Audit)),
    ("AdminService/ListRefusals", Need::All(Permission::Diagnose)),
    ("AdminService/SetThresholds", Need::Some(Permission::Configure)),
    ("AdminService/SetOutOfService", Need::Some(Permission::Act)),
    ("AdminService/RecordCommissioning", Need::Some(Permission::Register)),
    ("AdminService/SetStaffedHours", Need::Some(Permission::Configure)),
    ("AdminService/SetOpeningHours", Need::Some(Permission::Configure)),
    ("AdminService/SetMaintenancePlan", Need::Some(Permission::Configure)),
    ("AdminService/RecordMaintenance", Need::Some(Permission::Handle)),
    // An agent is known by its code, and by nothing else yet.
    ("EnrolmentService/Enrol", Need::Nothing),
    ("EnrolmentService/GetEnrolment", Need::Nothing),
    ("EnrolmentService/CreateEnrolmentCode", Need::Some(Permission::Register)),
    ("EnrolmentService/ListEnrolmentCodes", Need::Some(Permission::Register)),
    ("EnrolmentService/RevokeEnrolmentCode", Need::Some(Permission::Register)),
    ("EnrolmentService/ListPendingEnrolments", Need::Some(Permission::Register)),
    ("EnrolmentService/ApproveEnrolment", Need::Some(Permission::Register)),
    ("EnrolmentService/RefuseEnrolment", Need::Some(Permission::Register)),
    ("metrics", Need::All(Permission::Diagnose)),
];

/// What a method needs; what is not in the table is refused to everybody.
pub(crate) fn need(method: &str) -> Option<Need> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(_, need)| *need)
}

#[cfg(test)]
mod document;
