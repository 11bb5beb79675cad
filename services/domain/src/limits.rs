//! Every bound in one place, with what happens when it is reached.

/// Largest MQTT payload that is read, in octets. Larger: refused as `too_large`, counted.
pub const MESSAGE_BYTES_MAX: usize = 24 * 1024;
/// Largest encoded envelope body, in octets. The agent packs less into one; the ingest refuses more.
pub const ENVELOPE_BYTES_MAX: usize = 16 * 1024;
/// Most records in an envelope. The agent packs no more; the ingest refuses more as `unreadable`.
pub const ENVELOPE_RECORDS_MAX: usize = 600;
/// Largest encoded record, in octets. The agent makes none larger; the ingest keeps larger ones as unreadable.
pub const RECORD_BYTES_MAX: usize = 2 * 1024;
/// Longest source name in an event, in octets. Longer: cut at the agent.
pub const SOURCE_NAME_BYTES_MAX: usize = 64;
/// Signals of all sources that wait for the agent's loop. Full: sources wait, and their ports' own buffers hold what comes.
pub const SOURCE_SIGNALS_WAITING_MAX: usize = 1024;
/// Longest line that a source's program may print, in octets. Longer: the line is not used, and counted.
pub const SOURCE_LINE_BYTES_MAX: usize = 4096;
/// Most words of a source's command. More: the configuration is refused.
pub const SOURCE_COMMAND_WORDS_MAX: usize = 64;
/// Most sources of an agent. More: the configuration is refused.
pub const SOURCES_MAX: usize = 16;
/// Octets of a CSAFE frame as sent. More without an end: given up and told as unreadable.
pub const CSAFE_FRAME_OCTETS_MAX: usize = 96;
/// Octets of a Modbus RTU frame. So many on a line in which no frame is found: the oldest are given up and told as unreadable.
pub const MODBUS_FRAME_OCTETS_MAX: usize = 256;
/// Octets of a serial port that are taken at once. More: the next time.
pub const PORT_OCTETS_TAKEN_MAX: usize = 512;
/// Addresses that a Bluetooth source remembers while it looks for its machine. More: the later ones are not seen.
pub const BLUETOOTH_PERIPHERALS_MAX: usize = 2_000;
/// Services, and characteristics, of all of them that a Bluetooth source remembers. More: the later ones are not seen.
pub const BLUETOOTH_ATTRIBUTES_MAX: usize = 4_000;
/// Messages of the D-Bus that wait for a Bluetooth source. Full: the bus's socket is not read until there is room.
pub const BLUETOOTH_MESSAGES_WAITING_MAX: usize = 256;
/// Frames that a Bluetooth source keeps while bluetoothd answers a question. Full: the oldest is dropped, and logged.
pub const BLUETOOTH_FRAMES_WAITING_MAX: usize = 256;
/// Edges of one source's GPIO lines that the kernel keeps until they are taken. More: the oldest are dropped; their numbers
/// show it, they are counted, and levels are read anew.
pub const GPIO_EDGES_WAITING_MAX: u32 = 1024;
/// Counts of an encoder that its speed is worked out from. More in a tenth of a second: it is worked out from the newest.
pub const ENCODER_COUNTS_MAX: usize = 4096;
/// Longest detail in an event, in octets. Longer: cut at the agent.
pub const DETAIL_BYTES_MAX: usize = 200;
/// Envelopes of one lane that may be unacknowledged. More: the uplink waits.
pub const WINDOW_ENVELOPES: u32 = 64;
/// Octets the events lane of a spool may hold. Full: edges are coalesced into a durable counter.
pub const SPOOL_EVENTS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Octets the readings lane of a spool may hold. Full: the oldest are dropped first and counted.
pub const SPOOL_READINGS_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Age of the oldest reading in a spool, in microseconds (14 days). Older: dropped and counted.
pub const SPOOL_READINGS_AGE_MAX_US: u64 = 14 * 24 * 3_600 * 1_000_000;
/// Octets of a spool's lane that stay in memory although they are on the disk. More: read from the disk when sent.
pub const SPOOL_MEMORY_BYTES_MAX: u64 = 256 * 1024;
/// Octets of a spool's lane that wait in memory while its disk fails. Full: readings lose the oldest, counted;
/// events are coalesced into a counter.
pub const SPOOL_UNWRITTEN_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Edges of a contact within 60 s that are told one by one. More: one `contact_chattering` every 10 s.
pub const CONTACT_EDGES_MAX: usize = 20;
/// Points of one piece of a recording. More: the next piece.
pub const RECORDING_POINTS_MAX: usize = 128;
/// Pieces of a recording that are read. More: the later ones are left out.
pub const RECORDING_PIECES_MAX: usize = 256;
/// How far a recording reaches back before its event, in microseconds. Older points are forgotten.
pub const RECORDING_BEFORE_US: u64 = 20 * 1_000_000;
/// How long a recording goes on after its event at most, in microseconds. Then it ends, whatever the belt does.
pub const RECORDING_AFTER_US_MAX: u64 = 120 * 1_000_000;
/// Octets that the events lane of a spool may hold for a piece of a recording to be written. More: the piece is left out
/// and counted, its recording has a hole or no last piece, and the room is kept for events.
pub const SPOOL_RECORDINGS_BYTES_MAX: u64 = SPOOL_EVENTS_BYTES_MAX / 2;
/// Moments that a rule of incidents remembers. More: the oldest is forgotten.
pub const RULE_MARKS_MAX: usize = 16;
/// Silent sources of a machine that are remembered. More: the later ones are not.
pub const SILENT_SOURCES_MAX: usize = 16;
/// Incidents of a machine that are active or not complete. More, as after a day of stops whose readings are still to come:
/// the oldest is left as it was written last.
pub const OPEN_INCIDENTS_MAX: usize = 512;
/// Changes of one setting that are kept with the time from which on they held. More: the oldest two become one.
pub const SETTING_CHANGES_MAX: usize = 100;
/// Models for which thresholds are set. More: refused with RESOURCE_EXHAUSTED.
pub const LIMIT_MODELS_MAX: usize = 1_000;
/// Stops measured at one commissioning. More: refused.
pub const COMMISSIONED_STOPS_MAX: usize = 8;
/// Steps of one commissioning. More: refused.
pub const COMMISSIONING_STEPS_MAX: usize = 24;
/// Octets of what is said of one step. More: cut by the agent, refused by the server.
pub const COMMISSIONING_WORDS_MAX: usize = 200;
/// Figures of one step. More: refused.
pub const COMMISSIONING_FIGURES_MAX: usize = 8;
/// Octets of a whole report, so that it fits a record. More: the agent leaves words out.
pub const COMMISSIONING_BYTES_MAX: usize = RECORD_BYTES_MAX - 128;
/// Commissionings of one machine that its agent can make facts of within a day of UTC. More: set aside, counted, and said in
/// the server's log.
pub const COMMISSIONINGS_A_DAY_MAX: usize = 20;
/// Octets of a technician's name. More: refused.
pub const COMMISSIONING_NAME_MAX: usize = 80;
/// Configurations of an agent's sources for which the direction is proven, of one machine. More: the oldest is forgotten,
/// and counts as not proven.
pub const CONFIGURATIONS_PROVEN_MAX: usize = 16;
/// Times in which an agent's sources were set in one way, of one machine. More: the oldest are forgotten, and for what was
/// before a direction counts only if a person has said that it does however the sources are set.
pub const CONFIGURATIONS_TOLD_MAX: usize = 32;
/// Spans of a day with staff. More: refused.
pub const STAFFED_SPANS_MAX: usize = 24;
/// Readings kept with an incident. More: the later ones are left out; the telemetry has them.
pub const TRACE_POINTS_MAX: usize = 64;
/// Longest span of a reading, in milliseconds. Longer: unreadable.
pub const READING_SPAN_MS_MAX: u32 = 60_000;
/// Longest time a reading may stand, in milliseconds. Longer: unreadable.
pub const READING_HOLDS_MS_MAX: u32 = 120_000;
/// Greatest believable belt speed, in mm/s (30 km/h). Faster: dropped at the agent, counted, told as an event.
pub const SPEED_PLAUSIBLE_MM_S_MAX: u32 = 8_333;
/// Greatest believable |incline|, in tenths of a per cent. Steeper: dropped at the agent, counted, told.
pub const INCLINE_PLAUSIBLE_TENTHS_MAX: i32 = 400;
/// Messages waiting between the ingest's MQTT connection and its mind. Full: dropped unacknowledged, counted as
/// `deferred`; agents send again.
pub const INGEST_QUEUE_MESSAGES: usize = 8_192;
/// Most records committed to the journal in one group. More: the next group.
pub const COMMIT_RECORDS_MAX: usize = 65_536;
/// How long a commit waits for company, in microseconds.
pub const COMMIT_WAIT_US: u64 = 5_000;
/// Records of one machine kept in memory while one lane waits for the other. More: dropped from memory and read
/// again from the journal when the other lane has come.
pub const MERGE_RECORDS_MAX: usize = 8_192;
/// Segments of a session kept one by one. More: the last one grows and the session says so.
pub const SESSION_SEGMENTS_MAX: usize = 1_000;
/// Time at rest that ends a session, in microseconds.
pub const SESSION_REST_US: u64 = 180 * 1_000_000;
/// Spans of time counted as usage that a machine remembers. More: the two oldest become one, and records from between them
/// count no more.
pub const COVERED_SPANS_MAX: usize = 64;
/// Logs of one machine (spools made over its life). More: the one longest without new records is forgotten.
pub const LOGS_PER_MACHINE_MAX: usize = 256;
/// Changes waiting for one watcher. Full: the watcher gets a new snapshot.
pub const FEED_CHANGES_MAX: usize = 4_096;
/// Refused messages kept for an operator to see, of each reason. More: the oldest go.
pub const REFUSALS_KEPT: usize = 20;
/// Agent status period, in microseconds.
pub const STATUS_PERIOD_US: u64 = 30 * 1_000_000;
/// Watchers of the API at once. More: refused with RESOURCE_EXHAUSTED.
pub const WATCHERS_MAX: usize = 2_000;
/// Greatest belt speed that can be told, in mm/s (what FTMS can carry is 182 042). Faster: unreadable.
pub const SPEED_WIRE_MM_S_MAX: u32 = 200_000;
/// Connections to the API's port at once. More: they wait in the system's backlog.
pub const API_CONNECTIONS_MAX: usize = 4_096;
/// Requests that the API works on at once, streams apart. More: they wait, within their time.
pub const API_REQUESTS_MAX: usize = 256;
/// Time for one request, in microseconds. Longer: DEADLINE_EXCEEDED.
pub const API_REQUEST_TIME_US: u64 = 10 * 1_000_000;
/// Largest request of the API, in octets. Larger: refused with OUT_OF_RANGE.
pub const API_REQUEST_BYTES_MAX: usize = 256 * 1024;
/// Octets of items in one answer of the API. More: the page ends early and its token goes on.
pub const API_PAGE_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Readings looked at to work out one coverage. More: the answer has none and says so.
pub const COVERAGE_READINGS_MAX: usize = 250_000;
/// Machines in one part of a watcher's snapshot. More: the next part.
pub const SNAPSHOT_PART_MACHINES: usize = 500;
/// Machines that a watcher may name, and machines of a site whose sessions can be listed at once. More: refused.
pub const MACHINES_NAMED_MAX: usize = 1_000;
/// Machines whose incidents can be listed or counted at once. More: refused; all machines need no list.
pub const INCIDENT_MACHINES_MAX: usize = 10_000;
/// Changed incidents read at once for one watcher. More: the next time it takes a message.
pub const INCIDENT_CHANGES_READ: usize = 100;
/// Rehearsals of thresholds at once: each folds the history of many machines. More: refused with RESOURCE_EXHAUSTED.
pub const REHEARSALS_MAX: usize = 1;
/// Machines of one rehearsal. More: refused.
pub const REHEARSAL_MACHINES_MAX: usize = 1_000;
/// Records of a lane read at once to fold the history anew. More: the next page.
pub const HISTORY_PAGE_RECORDS: usize = 4_096;
/// Critical incidents that a rehearsal names as lost. More: counted only.
pub const REHEARSAL_LOST_NAMED_MAX: usize = 100;
/// Grants of one user or token. More: refused.
pub const GRANTS_MAX: usize = 20;
/// Sites that a grant may name. More: refused; a grant without sites is for all.
pub const GRANT_SITES_MAX: usize = 100;
/// Users. More: refused with RESOURCE_EXHAUSTED.
pub const USERS_MAX: usize = 10_000;
/// Tokens, with those that ended in the last 90 days. More: refused with RESOURCE_EXHAUSTED.
pub const TOKENS_MAX: usize = 1_000;
/// Links that have not been used. More: refused with RESOURCE_EXHAUSTED.
pub const LINKS_MAX: usize = 1_000;
/// Enrolment codes that are kept: those that are open, and those that ended in the last 90 days. More: those that ended
/// longest ago are forgotten, their facts stay; if all are open, refused with RESOURCE_EXHAUSTED.
pub const ENROLMENT_CODES_MAX: usize = 10_000;
/// Wrong secrets with which a code for one machine can be tried. More: the code has ended.
pub const ENROLMENT_TRIES_MAX: u32 = 5;
/// Agents that may come with one enrolment code of a site. More: they are refused.
pub const ENROLMENT_MACHINES_MAX: u32 = 200;
/// Agents that wait for approval, with those that were answered in the last day. More: refused with RESOURCE_EXHAUSTED.
pub const ENROLMENTS_MAX: usize = 1_000;
/// Octets of a server's answer that an agent reads when it enrols. More: refused as unreadable.
pub const ENROLMENT_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Sessions of one user at once. More: the oldest ends.
pub const USER_SIGN_INS_MAX: usize = 20;
/// Passwords that are hashed at once. More: they wait, within their request's time.
pub const PASSWORDS_AT_ONCE_MAX: usize = 2;
/// Passwords that wait to be hashed. More: refused with RESOURCE_EXHAUSTED, so that guesses do not hold up all else.
pub const PASSWORDS_WAITING_MAX: usize = 64;
/// Names and addresses whose failed sign-ins are remembered. More: those with the fewest failures are forgotten.
pub const ATTEMPTS_KEPT_MAX: usize = 10_000;
/// Refusals that wait to be written to the audit. More: counted in the metrics only.
pub const REFUSALS_WAITING_MAX: usize = 1_024;
/// Kinds of refusals that the audit tells apart at once. More: told apart by their reason only.
pub const REFUSAL_KINDS_MAX: usize = 256;
/// Facts looked at for one page of the audit. More: the page ends early and its token goes on.
pub const AUDIT_FACTS_MAX: usize = 10_000;
/// Rows and columns in the plan of a room. A place outside is refused.
pub const PLAN_ROWS_MAX: u32 = 64;
/// Writes waiting for a store's file. More: callers wait.
pub const STORE_WRITES_WAITING: usize = 64;
/// Readers of a store's file at once. More: callers wait.
pub const STORE_READERS_MAX: usize = 4;
/// Rows in one chunk of telemetry. More: the next chunk.
pub const CHUNK_ROWS_MAX: usize = 4_096;
/// Octets of a chunk's body before compression. More: refused as invalid; rows within their own bounds stay below.
pub const CHUNK_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Event time that one chunk of telemetry spans, in microseconds. More: the next chunk.
pub const CHUNK_SPAN_US_MAX: u64 = 3_600 * 1_000_000;
/// Rows in one compacted chunk of telemetry: listing any of them decodes it. More: the next chunk.
pub const COMPACTED_ROWS_MAX: usize = 8_192;
/// Event time that one compacted chunk spans, in microseconds: a day, and the hour that a chunk reaches into the next.
/// More: the next chunk.
pub const COMPACTED_SPAN_US_MAX: u64 = 25 * 3_600 * 1_000_000;
/// How long ago a UTC day must have ended for its chunks to be compacted, in microseconds. Later records make another file.
pub const COMPACTION_AGE_US: i64 = 6 * 3_600 * 1_000_000;
/// Chunks that one step of compaction or retention takes: its transaction keeps writers waiting. More: the next step.
pub const COMPACTION_STEP_CHUNKS_MAX: usize = 10_000;
/// Records that one step of compaction takes. More: the next step.
pub const COMPACTION_STEP_RECORDS_MAX: usize = 1_000_000;
/// Small files of a day and lane from which on they are made one. Fewer: they stay.
pub const MERGED_FILES_MIN: usize = 8;
/// Small files that are made one in one step. More: the next step.
pub const MERGED_FILES_MAX: usize = 500;
/// Octets of a file that was made of several; one of an eighth of that is no small one. More: another file.
pub const MERGED_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Chunks looked at in one step of a check. More: the next step.
pub const CHECK_STEP_CHUNKS_MAX: usize = 2_000;
/// Places of damage in the telemetry that are remembered by name. More: only their number grows.
pub const DAMAGES_KEPT_MAX: usize = 1_000;
/// Octets of a compacted chunk in its file. More: it is taken for damage.
pub const COMPACTED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Octets of a line of a capture. Longer: the line is not used and told as an error.
pub const CAPTURE_LINE_BYTES_MAX: usize = 64 * 1024;
/// Frames of a capture that is played. More: refused.
pub const CAPTURE_FRAMES_MAX: usize = 1_000_000;
/// Octets of the manifest of a backup that are read. More: it is taken for damage.
pub const BACKUP_MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Octets that the journal's disk keeps free. Less: the acks' windows for readings are 0, events go on, readiness says so.
pub const JOURNAL_FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// Generations of one machine's key that the list of revoked certificates names. More: the newest of them; older ones are
/// refused by the ingest alone.
pub const REVOKED_GENERATIONS_MAX: u32 = 1_000;
/// Clients connected to the embedded broker at once. More: not connected.
pub const BROKER_CONNECTIONS_MAX: usize = 16_384;
/// Largest MQTT packet that the embedded broker reads, in octets. Larger: its sender is disconnected.
pub const BROKER_PACKET_BYTES_MAX: u32 = 25 * 1024;
/// Statuses that the embedded broker retains. More: passed on but not retained, counted.
pub const BROKER_RETAINED_MESSAGES_MAX: usize = 16_384;
/// Octets of the statuses that the embedded broker retains. More: passed on but not retained, counted.
pub const BROKER_RETAINED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Octets on their way from the embedded broker to one subscriber. More: publishers wait a moment, then their messages
/// are dropped and counted; agents send again.
pub const BROKER_BACKLOG_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Proof tests that the registry keeps of a machine. More: the oldest stay in the audit only.
pub const DRILLS_KEPT_MAX: usize = 50;
/// Length of a proof test, in microseconds (15 min). Longer: refused.
pub const DRILL_US_MAX: i64 = 15 * 60 * 1_000_000;
/// Contacts. More: refused with RESOURCE_EXHAUSTED.
pub const CONTACTS_MAX: usize = 200;
/// Steps of a chain. More: refused.
pub const CHAIN_STEPS_MAX: usize = 20;
/// Deadlines of a site. More: refused.
pub const DEADLINES_MAX: usize = 10;
/// Heads of all facts that were taken outside and the registry keeps. More: the newer ones stay in the audit only.
pub const ANCHORS_KEPT_MAX: usize = 10_000;
/// Steps that people take about one incident. More: refused, but for its first acknowledgement and closing and for erasing
/// notes; the server's own go on.
pub const INCIDENT_STEPS_MAX: u32 = 1_000;
/// Incidents that one request steps. More: refused.
pub const INCIDENTS_STEPPED_MAX: usize = 100;
/// Leaves of facts read at once. More: the next page.
pub const LEAVES_READ_MAX: usize = 100_000;
/// Things to be told that one read gives. More: the next page.
pub const NOTICES_READ_MAX: usize = 1_000;
/// Things told that one message lists one by one. More: it says how many more there are; critical ones wait for the next.
pub const NOTICES_LISTED_MAX: usize = 100;
/// Messages to one contact in 10 min. More: one a minute, which holds all that has gathered.
pub const CONTACT_MESSAGES_MAX: usize = 6;
/// Messages of critical incidents alone that go to one contact in 10 min beyond those. More: they wait as all others.
pub const CONTACT_URGENT_MESSAGES_MAX: usize = 3;
/// Messages under way to contacts at once, one to each. More: the next when one has ended.
pub const MESSAGES_UNDER_WAY_MAX: usize = 8;
/// Octets read of what a webhook answers. More: not read; the status counts.
pub const WEBHOOK_ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Incidents whose evidence is about to be noted. More: left to the look around of the next hour.
pub const SEALS_WAITING_MAX: usize = 10_000;
/// Incidents of one machine or site that are looked at for an outage or for taking a machine out of service. More: the
/// newest count.
pub const INCIDENTS_COMPARED_MAX: usize = 1_000;
/// Open incidents of stops that are acknowledged with a stop of their machine. More: the oldest stay open.
pub const STOPS_ACKNOWLEDGED_MAX: usize = 200;
/// Members of outages that one request steps, and that are listed of one outage. More: the outage is refused and asked for
/// alone; of one alone the newest members are left out.
pub const MEMBERS_STEPPED_MAX: usize = 1_000;
/// Leaves of facts that one dossier's proofs are worked out from. More: the dossier says that it is not anchored.
pub const DOSSIER_LEAVES_MAX: u64 = 5_000_000;
/// Octets of a dossier. More: it is neither built nor verified.
pub const DOSSIER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Heads that a dossier tells. More: of entries the first that covers them is left out, and the newest covers them.
pub const DOSSIER_HEADS_MAX: usize = 64;
/// Findings about one dossier that are told one by one. More: counted.
pub const DOSSIER_FINDINGS_MAX: usize = 1_000;
/// Incidents that one question about stops of a machine looks at. More: older ones are left out, and a list says so.
pub const STOPS_READ_MAX: usize = 1_000;
/// Sites whose incidents one request counts. More: refused, and asked for one by one.
pub const SITES_COUNTED_MAX: usize = 1_000;
/// Rows of usage that one read gives. More: the next page.
pub const USAGE_ROWS_READ_MAX: usize = 40_000;
/// Spans of sessions that one read gives. More: the later ones are left out.
pub const SESSION_SPANS_READ_MAX: usize = 200_000;
/// Sites that one question about usage may name. More: refused.
pub const USAGE_SITES_NAMED_MAX: usize = 100;
/// Models that one question about usage may name. More: refused.
pub const USAGE_MODELS_NAMED_MAX: usize = 100;
/// Periods of groups of one question about usage. More: refused, with the nearest that is allowed.
pub const USAGE_PERIODS_MAX: usize = 5_000;
/// Days of machines whose sums one question about usage reads. More: refused, with the nearest that is allowed.
pub const USAGE_DAYS_ADDED_MAX: i64 = 1_000_000;
/// Days of machines that one question about usage reads by quarters of an hour. More: refused, with the nearest that is
/// allowed.
pub const USAGE_DAYS_CUT_MAX: i64 = 100_000;
/// Courses of one site, ended ones too. More: refused with RESOURCE_EXHAUSTED.
pub const COURSES_MAX: usize = 10_000;
/// Hours, days, weeks or months of one question about a place. More: refused, with the latest end that is allowed.
pub const CALENDAR_PERIODS_MAX: usize = 10_000;
/// Sessions of one course that are looked at for one answer. More: the oldest are left out.
pub const COURSE_SESSIONS_READ_MAX: usize = 2_000;
/// Sessions looked at for one page of those that can be labelled. More: the page ends early and its token goes on.
pub const LABEL_SESSIONS_READ_MAX: usize = 2_000;
/// Sessions with reverse motion that one question about it looks at. More: refused, with the nearest span that is allowed.
pub const REVERSE_SESSIONS_MAX: usize = 20_000;
/// Lines of a CSV file of usage, sessions or intervals. More: refused, with the nearest span that is allowed.
pub const EXPORT_LINES_CSV_MAX: usize = 1_000_000;
/// Lines of an XLSX file, which is complete only at its end. More: refused, with the nearest span that is allowed.
pub const EXPORT_LINES_XLSX_MAX: usize = 200_000;
/// Octets of one part of an exported file. More: the next part.
pub const EXPORT_PART_BYTES_MAX: usize = 64 * 1024;
/// Exports at once. More: refused with RESOURCE_EXHAUSTED.
pub const EXPORTS_MAX: usize = 4;
/// Time in which an exported file has to be taken, in microseconds. Longer: it ends with DEADLINE_EXCEEDED.
pub const EXPORT_TIME_US: u64 = 600 * 1_000_000;
/// Characters of one weekly report. More: its end is cut off.
pub const WEEKLY_REPORT_CHARS_MAX: usize = 6_000;
/// Time for a connection to InfluxDB, in microseconds. Longer: `Timeout`, tried again.
pub const INFLUX_CONNECT_US: u64 = 3 * 1_000_000;
/// Time for one request to InfluxDB with its answer, in microseconds. Longer: `Timeout`, tried again; writing the same again
/// changes nothing.
pub const INFLUX_REQUEST_US: u64 = 30 * 1_000_000;
/// Time for one removal of points from InfluxDB, in microseconds. Longer: `Timeout`, tried again.
pub const INFLUX_DELETE_US: u64 = 300 * 1_000_000;
/// How long writes wait if InfluxDB asks for it, in microseconds. It asks for more: they try again all the same.
pub const INFLUX_RETRY_AFTER_US_MAX: u64 = 30 * 1_000_000;
/// Points written to InfluxDB in one request. More: the next request.
pub const INFLUX_BATCH_LINES_MAX: usize = 5_000;
/// Octets written to InfluxDB in one request; a single longer point goes alone. More: the next request.
pub const INFLUX_BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Octets of one answer of InfluxDB to a question. More: refused as invalid; ask for less at once.
pub const INFLUX_ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Octets read of what InfluxDB says about an error, and of the answers to its settings. More: not read.
pub const INFLUX_REFUSAL_BYTES_MAX: usize = 1024 * 1024;
/// Characters kept of what InfluxDB says about an error. More: its end is cut off.
pub const INFLUX_REASON_CHARS_MAX: usize = 500;
/// Rows of one field that one question to InfluxDB gives. More: it is asked again, from where it ended.
pub const INFLUX_ROWS_READ_MAX: usize = 10_000;
/// Lines that InfluxDB refuses for good and that are kept in `influxdb.db`. More: the oldest go, and are counted.
pub const INFLUX_LINES_ASIDE_MAX: usize = 10_000;
/// So many points, if they are more than half of a put, are not put aside when InfluxDB refuses them: then it is not the
/// points that are wrong, and they are tried again.
pub const INFLUX_LINES_REFUSED_MAX: usize = 100;
/// Questions to InfluxDB that are under way at once; each answer is kept whole in memory. More: they wait.
pub const INFLUX_QUESTIONS_MAX: usize = 8;
/// Changed usage rows read at once for the points in InfluxDB. More: the next turn.
pub const MIRROR_USAGE_CHANGES_READ: usize = 500;
/// Octets of points that are written to InfluxDB together. More: the next batch.
pub const MIRROR_BATCH_BYTES: usize = 1024 * 1024;
/// Days of machines whose written quarters are remembered, some 800 octets each. More: the oldest days are forgotten, and
/// written whole if they change again.
pub const MIRROR_DAYS_KNOWN: usize = 20_000;
/// Moments that are remembered to tell how long slices have waited for the history. More: later ones are not remembered
/// until the first are over.
pub const LAG_MOMENTS_KEPT: usize = 1_000;
