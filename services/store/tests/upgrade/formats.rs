//! Ledgers as programs of older formats made them, each from the one before.

/// As the program of format 1 made it.
pub(crate) const FORMAT_1: &str = "
PRAGMA journal_mode = WAL;
CREATE TABLE about (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE fact (number INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, author TEXT NOT NULL, request_id TEXT,
    body TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX fact_request ON fact (author, request_id) WHERE request_id IS NOT NULL;
CREATE TABLE site (id TEXT PRIMARY KEY, display_name TEXT NOT NULL, time_zone TEXT NOT NULL,
    created_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE machine (id TEXT PRIMARY KEY, site TEXT NOT NULL, display_name TEXT NOT NULL, model TEXT NOT NULL,
    belt TEXT NOT NULL, drive TEXT NOT NULL, key_generation INTEGER NOT NULL, created_us INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE INDEX machine_site ON machine (site, id);
CREATE TABLE token (hash BLOB PRIMARY KEY, fact_number INTEGER NOT NULL, display_name TEXT NOT NULL,
    sites TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (machine TEXT PRIMARY KEY, sequence INTEGER NOT NULL, revision INTEGER NOT NULL,
    state BLOB NOT NULL) STRICT;
CREATE TABLE session (id BLOB PRIMARY KEY, machine TEXT NOT NULL, started_us INTEGER NOT NULL,
    revision INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX session_time ON session (machine, started_us, id);
CREATE TABLE loss (machine TEXT NOT NULL, log BLOB NOT NULL, lane INTEGER NOT NULL, to_boot INTEGER NOT NULL,
    to_n INTEGER NOT NULL, from_boot INTEGER, from_n INTEGER, records_at_least INTEGER NOT NULL, before_us INTEGER,
    PRIMARY KEY (machine, log, lane, to_boot, to_n)) STRICT, WITHOUT ROWID;
CREATE TABLE unreadable (number INTEGER PRIMARY KEY, machine TEXT NOT NULL, log BLOB NOT NULL,
    lane INTEGER NOT NULL, boot_count INTEGER NOT NULL, n INTEGER NOT NULL, reason TEXT NOT NULL,
    octets BLOB NOT NULL, UNIQUE (machine, log, lane, boot_count, n)) STRICT;
CREATE INDEX unreadable_order ON unreadable (machine, number);
INSERT INTO about VALUES ('written_by', '0.0.9');
INSERT INTO checkpoint VALUES ('tm-01', 7, 3, x'0102');
INSERT INTO site VALUES ('gym-1', 'Gym', 'Europe/Vienna', 5), ('gym-2', 'Other', 'UTC', 6);
INSERT INTO machine VALUES ('tm-01', 'gym-1', 'TM 1', 'Maker 9', 'reversible', 'manual', 1, 7),
    ('tm-02', 'gym-2', 'TM 2', '', 'unknown', 'motor', 3, 8);
INSERT INTO token VALUES (x'0101010101010101010101010101010101010101010101010101010101010101', 4, 'wall', 'gym-1 gym-2'),
    (x'0202020202020202020202020202020202020202020202020202020202020202', 6, 'export', '');
PRAGMA application_id = 0x42576c64;
PRAGMA user_version = 1;
";

pub(crate) const FACTS_1: [(&str, Option<&str>, &str); 6] = [
    (
        "local:anna",
        Some("r1"),
        r#"{"v":1,"kind":"site_created","id":"gym-1","display_name":"Gym","time_zone":"Europe/Vienna","created_us":5}"#,
    ),
    (
        "local:anna",
        None,
        r#"{"v":1,"kind":"site_created","id":"gym-2","display_name":"Other","time_zone":"UTC","created_us":6}"#,
    ),
    (
        "local:anna",
        None,
        r#"{"v":1,"kind":"machine_created","id":"tm-01","site":"gym-1","display_name":"TM 1","model":"Maker 9","belt":"reversible","drive":"manual","key_generation":1,"created_us":7}"#,
    ),
    (
        "local:anna",
        None,
        r#"{"v":1,"kind":"token_created","hash":"0101010101010101010101010101010101010101010101010101010101010101","display_name":"wall","sites":["gym-1","gym-2"]}"#,
    ),
    (
        "token:4",
        Some("r1"),
        r#"{"v":1,"kind":"machine_created","id":"tm-02","site":"gym-2","display_name":"TM 2","model":"","belt":"unknown","drive":"motor","key_generation":3,"created_us":8}"#,
    ),
    (
        "local:ben",
        None,
        r#"{"v":1,"kind":"token_created","hash":"0202020202020202020202020202020202020202020202020202020202020202","display_name":"export","sites":[]}"#,
    ),
];

/// What format 2 changed: values of the registry in one table.
pub(crate) const FORMAT_2: &str = r#"
DROP TABLE site; DROP TABLE machine; DROP TABLE token;
CREATE TABLE entry (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id))
    STRICT, WITHOUT ROWID;
INSERT INTO entry VALUES ('site', 'gym-1',
    '{"entry":"site","id":"gym-1","display_name":"Gym","time_zone":"Europe/Vienna","created_us":5}');
PRAGMA user_version = 2;
"#;

/// What format 3 changed: incidents and recordings.
pub(crate) const FORMAT_3: &str = r#"
CREATE TABLE incident (id BLOB PRIMARY KEY, machine TEXT NOT NULL, rule INTEGER NOT NULL,
    severity INTEGER NOT NULL, direction INTEGER NOT NULL, active INTEGER NOT NULL, time_us INTEGER NOT NULL,
    detected_us INTEGER NOT NULL, change_number INTEGER NOT NULL, revision INTEGER NOT NULL, unconfirmed INTEGER,
    body TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX incident_change ON incident (change_number);
CREATE INDEX incident_time ON incident (time_us, id, rule, severity, direction, active);
CREATE INDEX incident_kind ON incident (rule, severity, active, time_us, id, direction);
CREATE INDEX incident_machine ON incident (machine, time_us, id, rule, severity, direction, active);
CREATE INDEX incident_machine_severity ON incident (machine, severity, time_us, id, rule, direction, active);
CREATE TABLE recording (id BLOB NOT NULL, number INTEGER NOT NULL, machine TEXT NOT NULL,
    is_last INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (id, number)) STRICT;
INSERT INTO incident VALUES (x'01010101010101010101010101010101', 'tm-01', 3, 4, 1, 0, 5, 6, 41, 3, 2,
    '{"id":"01010101010101010101010101010101","machine":"tm-01","rule":"slow-emergency-stop","rule_version":1,"severity":"high","time":5,"noticed":5,"cleared":9,"direction":"forward","origin":"measured","speed":null,"incline":null,"contact":null,"count":1,"measured":[],"thresholds":[],"detail":"","explained":"","capabilities":1,"stop":null,"recording":null,"trace":[],"trace_complete":true,"revision":3}');
PRAGMA user_version = 3;
"#;

/// What format 4 changed: what people do about incidents, notices, leaves.
pub(crate) const FORMAT_4: &str = r#"
ALTER TABLE fact ADD COLUMN leaf BLOB NOT NULL DEFAULT x'';
ALTER TABLE fact ADD COLUMN incident BLOB;
CREATE INDEX fact_incident ON fact (incident, number) WHERE incident IS NOT NULL;
CREATE TABLE note (number INTEGER PRIMARY KEY, salt BLOB NOT NULL, text TEXT NOT NULL) STRICT;
DROP TABLE incident;
CREATE TABLE incident (id BLOB PRIMARY KEY, machine TEXT NOT NULL, rule INTEGER NOT NULL,
    severity INTEGER NOT NULL, direction INTEGER NOT NULL, active INTEGER NOT NULL, time_us INTEGER NOT NULL,
    detected_us INTEGER NOT NULL, change_number INTEGER NOT NULL, revision INTEGER NOT NULL, unconfirmed INTEGER,
    body TEXT NOT NULL, handling INTEGER NOT NULL DEFAULT 0, shelved_until_us INTEGER, assignee TEXT, drill INTEGER,
    lead BLOB, aside INTEGER NOT NULL DEFAULT 0, handling_body TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE UNIQUE INDEX incident_change ON incident (change_number);
CREATE INDEX incident_time ON incident (aside, time_us, id, rule, severity, direction, active, handling,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_kind ON incident (aside, rule, severity, active, time_us, id, direction, handling,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_handling ON incident (aside, handling, severity, time_us, id, rule, direction, active,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_machine ON incident (machine, aside, time_us, id, rule, severity, direction, active, handling,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_machine_handling ON incident (machine, aside, handling, severity, time_us, id, rule, direction,
    active, shelved_until_us, assignee, lead);
CREATE INDEX incident_lead ON incident (lead, severity, time_us, id, rule, direction, active, aside, handling,
    shelved_until_us, assignee) WHERE lead IS NOT NULL;
CREATE TABLE notice (id BLOB PRIMARY KEY, incident BLOB, contact TEXT NOT NULL, site TEXT,
    planned_us INTEGER NOT NULL, due_us INTEGER NOT NULL, waits INTEGER NOT NULL, revision INTEGER NOT NULL,
    body TEXT NOT NULL) STRICT;
CREATE INDEX notice_waiting ON notice (due_us, id) WHERE waits = 1;
CREATE INDEX notice_incident ON notice (incident, planned_us, id, contact, site) WHERE incident IS NOT NULL;
CREATE INDEX notice_contact ON notice (contact, planned_us, id, site);
CREATE INDEX notice_planned ON notice (planned_us, id, contact, site);
CREATE TABLE notice_cursor (one INTEGER PRIMARY KEY CHECK (one = 1), taken INTEGER NOT NULL) STRICT;
PRAGMA user_version = 4;
"#;

/// What format 5 changed: sessions found by direction and span, labels, usage.
pub(crate) const FORMAT_5: &str = r#"
ALTER TABLE session ADD COLUMN ways INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN last_motion_us INTEGER NOT NULL DEFAULT 0;
DROP INDEX session_time;
CREATE INDEX session_time ON session (machine, started_us, id, ways, last_motion_us);
CREATE INDEX session_reverse ON session (machine, started_us, id, ways) WHERE ways & 2;
CREATE TABLE session_longest (machine TEXT PRIMARY KEY, longest_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE session_course (session BLOB PRIMARY KEY, course INTEGER NOT NULL, number INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE INDEX course_session ON session_course (course, session);
CREATE TABLE usage_day (machine TEXT NOT NULL, day INTEGER NOT NULL, part INTEGER NOT NULL,
    revision INTEGER NOT NULL, through_us INTEGER NOT NULL, quarters BLOB NOT NULL,
    PRIMARY KEY (machine, day, part)) STRICT;
CREATE TABLE usage_total (machine TEXT NOT NULL, day INTEGER NOT NULL, part INTEGER NOT NULL, total BLOB NOT NULL,
    PRIMARY KEY (machine, day, part)) STRICT, WITHOUT ROWID;
CREATE TABLE usage_machine (machine TEXT PRIMARY KEY, through_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 5;
"#;
