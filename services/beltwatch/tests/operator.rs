//! The operator's commands as somebody types them: the real program against a real API on the memory stores.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use agent::enrol::Refusal::ByStaff;
use agent::enrol::{Address, EnrolError, EnrolSettings, Told, enrol};
use api::{Api, Part, Refusal, SecretKind, Stores, Surroundings, new_secret, secret_hash};
use domain::belt::{Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId, SessionId};
use domain::live::{Segment, Session};
use domain::log::Lane;
use domain::record::{Payload, Reading, Record, SpeedSummary};
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use domain::usage::Grade;
use store::feed::Feed;
use store::ledger::{Derived, Ledger};
use store::memory::{MemoryLedger, MemoryTelemetry};
use store::registry::Machine;
use store::telemetry::{Block, Telemetry};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use wire::credential::Credential;
use wire::enrolment::Code;
use wire::keys::MasterKey;

/// 2026-11-20T12:00:00Z.
const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);

fn master() -> MasterKey {
    MasterKey::new([5; 32])
}

#[derive(Debug)]
struct Stage;

impl Surroundings for Stage {
    fn now(&self) -> UnixMicros {
        NOON
    }
    fn readiness(&self) -> Vec<Part> {
        Vec::new()
    }
    fn metrics(&self) -> String {
        String::new()
    }
    fn refusals(&self) -> Vec<Refusal> {
        Vec::new()
    }
    fn url(&self) -> String {
        "https://gym.example".to_owned()
    }

    fn settled(&self) -> Option<UnixMicros> {
        Some(NOON)
    }
    fn credential(&self, machine: &Machine) -> Result<Credential, String> {
        let key = master().machine_key(&machine.id, machine.key_generation);
        let (machine, generation) = (machine.id.clone(), machine.key_generation);
        Ok(Credential { machine, generation, key, broker: "127.0.0.1:1883".to_owned(), tls: None })
    }
    fn authority(&self) -> Option<wire::enrolment::Fingerprint> {
        None
    }
}

struct Bench {
    url: String,
    folder: tempfile::TempDir,
    ledger: MemoryLedger,
    telemetry: MemoryTelemetry,
}

/// What a command left behind.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    aside: String,
}

impl Bench {
    async fn start() -> Bench {
        let (ledger, telemetry) = (MemoryLedger::new(), MemoryTelemetry::new());
        let stores = Stores {
            ledger: Arc::new(ledger.clone()),
            telemetry: Arc::new(telemetry.clone()),
            feed: Feed::new(),
        };
        let stopping = CancellationToken::new();
        let folder = tempfile::tempdir().unwrap();
        let secret = new_secret(SecretKind::Operator).unwrap();
        std::fs::write(folder.path().join("operator"), &secret).unwrap();
        let hash = secret_hash(&secret);
        let api = Api::new(stores, &master(), hash, Arc::new(Stage), stopping.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(api::serve(listener, api.router(axum::Router::new()), None, stopping));
        Bench { url, folder, ledger, telemetry }
    }

    async fn run(&self, line: &str) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_beltwatch"))
            .args(line.split_whitespace())
            .current_dir(&self.folder)
            .env("BELTWATCH_SERVER", &self.url)
            .env("BELTWATCH_OPERATOR", "operator")
            .env("USER", "anna")
            .env_remove("BELTWATCH_TOKEN")
            .output()
            .await
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), aside: text(output.stderr) }
    }

    async fn ok(&self, line: &str) -> Ran {
        let ran = self.run(line).await;
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
        ran
    }

    async fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&format!("{line} --json")).await.out).unwrap()
    }
}

#[tokio::test]
async fn a_machine_is_registered_and_its_credential_kept_from_others() {
    let bench = Bench::start().await;
    bench.ok("site add north --name North --time-zone Europe/Vienna").await;
    let ran = bench.ok("machine add tm-1 --site north --belt reversible").await;
    assert!(ran.out.contains("tm-1") && ran.out.contains("reversible"), "{ran:?}");
    assert!(
        ran.aside
            .contains("next: beltwatch-agent simulate --credential tm-1.credential.json --spool tm-1.spool"),
        "{ran:?}"
    );
    let path = bench.folder.path().join("tm-1.credential.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(Credential::from_json(&text).unwrap().machine, MachineId::new("tm-1").unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!ran.out.contains("\"key\"") && !ran.aside.contains("\"key\""), "{ran:?}");
    let facts = bench.ledger.facts(0, 10).await.unwrap();
    assert!(facts.iter().all(|(_, fact)| fact.author == "operator:anna"), "{facts:?}");

    // What is there is not overwritten, and then no machine is made.
    let ran = bench.run("machine add tm-2 --site north --out tm-1.credential.json").await;
    assert_eq!(ran.code, 73, "{ran:?}");
    assert!(ran.aside.contains("exists already"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(bench.run("machine show tm-2").await.code, 66);

    // A refused machine leaves no file behind.
    let ran = bench.run("machine add tm-1 --site north --out other.json").await;
    assert_eq!(ran.code, 73, "{ran:?}");
    assert!(ran.aside.contains("belongs to another machine"), "{ran:?}");
    assert!(!Path::new(&bench.folder.path().join("other.json")).exists());
}

#[tokio::test]
async fn failures_are_one_sentence_and_an_exit_code() {
    let bench = Bench::start().await;
    bench.ok("site add north").await;
    for (line, code, words) in [
        ("machine show tm-9", 66, "there is no machine \"tm-9\" that you may see"),
        ("site add NORTH", 64, "site_id is not valid: \"NORTH\" is no id"),
        ("site add west --time-zone Vienna", 64, "time zone \"Vienna\" is not known"),
        ("site add north --name Other", 73, "belongs to another site"),
        ("token create", 64, "required"),
        ("fleet list --json --csv", 64, "cannot be used with"),
        ("fleet list --token nonsense", 77, "authorization must be"),
        ("fleet list --server ftp://x", 64, "--server is \"ftp://x\""),
        ("session list", 64, "required"),
        ("session show 00", 64, "session_id is \"00\""),
        ("nothing", 64, "unrecognized"),
    ] {
        let ran = bench.run(line).await;
        assert_eq!(ran.code, code, "{line}: {ran:?}");
        assert!(ran.out.is_empty() && ran.aside.contains(words), "{line}: {ran:?}");
    }
    // The port was free a moment ago; nobody answers there.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ran = bench.run(&format!("fleet list --server http://{gone}")).await;
    assert_eq!(ran.code, 69, "{ran:?}");
    assert!(ran.aside.contains("beltwatch serve"), "{ran:?}");
}

#[tokio::test]
async fn a_token_reads_its_site_only() {
    let bench = Bench::start().await;
    bench.ok("site add north").await;
    bench.ok("site add south").await;
    let token = bench.ok("token create Grafana --role viewer --site south").await.out;
    let sites = bench.json(&format!("site list --token {}", token.trim())).await;
    assert_eq!(sites["sites"].as_array().unwrap().len(), 1);
    assert_eq!(sites["sites"][0]["id"], "south");
    let ran = bench.run(&format!("site add east --token {}", token.trim())).await;
    assert_eq!(ran.code, 77, "{ran:?}");
    let tokens = bench.json("token list").await;
    let id = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(tokens["tokens"][0]["may"], "viewer at south");
    assert_eq!(tokens["tokens"][0]["secret"], "", "it was shown once");
    bench.ok(&format!("token revoke {id}")).await;
    assert_eq!(bench.run(&format!("site list --token {}", token.trim())).await.code, 77);
}

#[tokio::test]
async fn a_user_is_made_changed_and_stopped_and_all_of_it_is_in_the_audit() {
    let bench = Bench::start().await;
    bench.ok("site add north").await;
    let ran = bench.ok("user add ben --name Ben --role staff --site north").await;
    let link = ran.aside.lines().last().unwrap().to_owned();
    assert!(link.starts_with(&format!("{}/link/bwl1_", bench.url)), "{ran:?}");
    assert!(!ran.out.contains("bwl1_"), "a link is no part of the listing: {ran:?}");
    let users = bench.json("user list").await;
    assert_eq!(users["users"][0]["may"], "staff at north");
    assert_eq!(users["users"][0]["state"], "no password yet");
    bench.ok("user grant ben --role manager --role viewer").await;
    assert_eq!(bench.json("user list").await["users"][0]["may"], "manager; viewer");
    assert_eq!(bench.json("user disable ben").await["users"][0]["state"], "disabled");
    assert_eq!(bench.json("user enable ben").await["users"][0]["state"], "no password yet");
    assert_ne!(bench.ok("user link ben").await.aside.lines().last().unwrap(), link);
    let ran = bench.run("user add ben --role staff").await;
    assert!(ran.code == 73 && ran.aside.contains("belongs to another user"), "{ran:?}");
    let ran = bench.run("user add carl --role auditor").await;
    assert!(ran.code == 64 && ran.aside.contains("an auditor's time has an end"), "{ran:?}");
    let ran = bench.run("user add carl --role staff --expires soon").await;
    assert!(ran.code == 64 && ran.aside.contains("--expires is \"soon\""), "{ran:?}");
    let audit = bench.json("audit --max 3").await;
    let kinds: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["link_made", "user_changed", "user_changed"]);
    assert_eq!(audit["entries"][0]["author"], "operator:anna");
    bench.ok("machine add tm-1 --site north").await;
    let ran = bench.ok("machine edit tm-1 --model M9 --belt reversible").await;
    assert!(ran.out.contains("M9") && ran.out.contains("reversible"), "{ran:?}");
    bench.ok("machine revoke tm-1").await;
    bench.ok("machine renew tm-1 --out new.json").await;
    let text = std::fs::read_to_string(bench.folder.path().join("new.json")).unwrap();
    assert_eq!(Credential::from_json(&text).unwrap().generation, 2);
    bench.ok("site edit north --time-zone Asia/Kathmandu").await;
    assert_eq!(bench.json("site list").await["sites"][0]["time_zone"], "Asia/Kathmandu");
}

/// Five readings of one second each, and a session over them.
async fn with_history() -> Bench {
    let bench = Bench::start().await;
    bench.ok("site add north --time-zone Europe/Vienna").await;
    bench.ok("machine add tm-1 --site north").await;
    let reading = |n: u64| {
        let speed =
            SpeedSummary { mean: Speed(500), min: Speed(490), max: Speed(510), ..SpeedSummary::default() };
        let reading = Reading {
            span_ms: 1_000,
            holds_for_ms: 1_000,
            direction: Direction::Reverse,
            origin: Origin::Measured,
            speed: Some(speed),
            ..Reading::default()
        };
        (n, Record { at: MonotonicMicros(n * 1_000_000), other_n: 0, payload: Payload::Reading(reading) })
    };
    let (machine, began) = (MachineId::new("tm-1").unwrap(), NOON.plus(-60_000_000));
    let block = Block {
        sequence: 1,
        machine: machine.clone(),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot_count: 1,
        clock: Clock { quality: ClockQuality::Synchronised, offset_us: began.0, uncertainty_us: 1_000 },
        records: (1..=5).map(reading).collect(),
    };
    bench.telemetry.put(vec![block]).await.unwrap();
    let segment = Segment {
        ended: began.plus(5_000_000),
        observed_us: 5_000_000,
        distance_mm: 2_500,
        speed_max: Speed(510),
        ..Segment::begun(Direction::Reverse, Origin::Measured, Grade::Unknown, began)
    };
    let session = Session {
        id: SessionId([0xab; 16]),
        machine,
        started: began,
        last_motion: began.plus(5_000_000),
        ended: true,
        segments: vec![segment],
        revision: 1,
    };
    bench.ledger.put(Derived { sessions: vec![session], ..Derived::default() }).await.unwrap();
    bench
}

#[tokio::test]
async fn readings_and_sessions_are_listed_with_their_coverage() {
    let bench = with_history().await;
    let span = "--from 2026-11-20T12:59 --until 2026-11-20T12:00Z";
    let unproven = bench.json(&format!("reading list tm-1 {span}")).await;
    assert_eq!(unproven["readings"][0]["direction"], "unknown", "nobody has proven the direction");
    bench.ok("machine commission tm-1 --direction-proven").await;
    let all = bench.json(&format!("reading list tm-1 {span}")).await;
    let readings = all["readings"].as_array().unwrap();
    assert_eq!((readings.len(), &all["more"], &all["asked_s"]), (5, &false.into(), &60.0.into()));
    assert_eq!((&all["covered_s"], &all["as_of"]), (&6.0.into(), &"2026-11-20T12:00:00Z".into()));
    assert_eq!((&readings[0]["direction"], &readings[0]["speed_mean_mps"]), (&"reverse".into(), &0.5.into()));
    assert_eq!(readings[0]["time"], "2026-11-20T11:59:01Z");
    let some = bench.json(&format!("reading list tm-1 {span} --limit 2")).await;
    assert_eq!((some["readings"].as_array().unwrap().len(), &some["more"]), (2, &true.into()));
    let csv = bench.ok(&format!("reading list tm-1 {span} --csv")).await;
    assert_eq!(csv.out.lines().count(), 6);
    assert!(csv.aside.contains("covered_s: 6"), "{csv:?}");
    let table = bench.ok(&format!("reading list tm-1 {span}")).await.out;
    assert!(table.contains("2026-11-20 12:59:01+01:00") && table.contains("▼ reverse"), "{table}");

    let sessions = bench.json("session list --site north --from 2026-11-20 --until 2026-11-21").await;
    assert_eq!(sessions["sessions"][0]["reverse_distance_m"], 2.5);
    let id = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    let session = bench.json(&format!("session show {id}")).await;
    assert_eq!(
        (&session["machine_id"], &session["segments"][0]["distance_m"]),
        (&"tm-1".into(), &2.5.into())
    );
    let events = bench.json("event list tm-1 --from 2026-11-20 --until 2026-11-21").await;
    assert_eq!(events["events"].as_array().unwrap().len(), 0);
    assert_eq!(events["covered_s"], 6.0);
}

/// What an agent beside the server is started with.
fn enrol_settings(bench: &Bench, code: &str, file: &str) -> EnrolSettings {
    EnrolSettings {
        address: Address::parse(&bench.url).unwrap(),
        code: Code::parse(code).unwrap(),
        name: format!("box of {file}"),
        credential: bench.folder.path().join(file),
    }
}

#[tokio::test]
async fn agents_get_credentials_with_codes_of_machines() {
    let bench = Bench::start().await;
    bench.ok("site add north").await;
    let ran = bench.ok("machine add tm-1 --site north").await;
    assert!(ran.aside.contains("beltwatch-agent enrol https://gym.example BW-"), "{ran:?}");
    let ran = bench.ok("machine enrol-code tm-1").await;
    assert!(ran.aside.contains("beltwatch-agent enrol") && ran.aside.contains("good once"), "{ran:?}");
    let settings = enrol_settings(&bench, &ran.out, "tm-1.json");
    assert_eq!(enrol(&settings, |_| {}).await.unwrap().generation, 2);
    let codes = bench.json("enrolment codes").await["codes"].clone();
    let states: Vec<&str> =
        codes.as_array().unwrap().iter().map(|code| code["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["used", "open"]);
    let id = codes[1]["id"].as_str().unwrap().to_owned();
    assert!(bench.ok(&format!("enrolment revoke {id}")).await.out.contains("revoked"));
    for (line, code, words) in [
        ("machine enrol-code tm-9", 66, "no machine"),
        ("enrolment revoke 123456", 66, "no enrolment code"),
        ("enrolment refuse 77", 66, "no enrolment"),
        ("site enrol-code north --days 31", 64, "1 hour to 30 days"),
        ("site enrol-code north --days 0", 64, "1 hour to 30 days"),
        ("site enrol-code north --machines 201", 64, "1 to 200"),
        ("site enrol-code north --machines 0", 64, "1 to 200"),
    ] {
        let ran = bench.run(line).await;
        assert_eq!(ran.code, code, "{line}: {ran:?}");
        assert!(ran.aside.contains(words), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn agents_of_a_site_s_code_are_approved_with_commands() {
    let bench = Bench::start().await;
    bench.ok("site add north").await;
    bench.ok("machine add tm-1 --site north").await;
    let made = bench.json("site enrol-code north --days 2 --machines 3").await["codes"][0].clone();
    assert_eq!(made["site_id"], "north");
    let code = made["code"].as_str().unwrap();
    let (shown, mut seen) = tokio::sync::mpsc::channel(3);
    for name in ["new", "other", "bad"] {
        let (settings, shown) = (enrol_settings(&bench, code, name), shown.clone());
        let told = move |told| match told {
            Told::Waiting { .. } => drop(shown.try_send(())),
            Told::Again { .. } | Told::Left { .. } => {}
        };
        let agent = tokio::spawn(async move { enrol(&settings, told).await });
        seen.recv().await.expect("it waits");
        let rows = bench.json("enrolment list").await["enrolments"].clone();
        assert_eq!((rows.as_array().unwrap().len(), &rows[0]["name"]), (1, &format!("box of {name}").into()));
        let id = rows[0]["id"].as_str().unwrap();
        let answer = match name {
            "new" => format!("enrolment approve {id} tm-2 --belt reversible"),
            "other" => format!("enrolment approve {id} tm-1 --replace"),
            _ => format!("enrolment refuse {id}"),
        };
        bench.ok(&answer).await;
        let ended = agent.await.unwrap();
        match name {
            "new" => {
                assert_eq!(
                    (ended.as_ref().unwrap().machine.as_str(), ended.as_ref().unwrap().generation),
                    ("tm-2", 1)
                )
            }
            "other" => {
                assert_eq!(
                    (ended.as_ref().unwrap().machine.as_str(), ended.as_ref().unwrap().generation),
                    ("tm-1", 2)
                )
            }
            _ => assert!(matches!(ended, Err(EnrolError::Refused { refusal: ByStaff, .. })), "{ended:?}"),
        }
    }
    assert!(bench.ok("machine show tm-2 --json").await.out.contains("tm-2"));
    assert_eq!(bench.json("enrolment list").await["enrolments"].as_array().unwrap().len(), 0);
}
