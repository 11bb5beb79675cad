//! Files of usage, sessions and intervals.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

use domain::limits::{EXPORT_PART_BYTES_MAX, EXPORTS_MAX};
use store::fact::{NewCourse, SessionLabel};
use store::registry::{CourseCode, CourseId};
use tonic::Code;

use super::super::bad_input::check;
use super::super::course::session;
use super::super::incidents::{changed, incident};
use super::*;

/// A file as it came.
struct Taken {
    name: String,
    media_type: String,
    parts: Vec<usize>,
    octets: Vec<u8>,
}

impl Taken {
    /// Lines by the names of columns.
    fn lines(&self) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_reader(&self.octets[..]);
        reader.deserialize().map(Result::unwrap).collect()
    }
}

impl Bench {
    async fn export(&self, request: v1::ExportUsageRequest) -> Result<Taken, tonic::Status> {
        self.export_as(request, None).await
    }

    async fn export_as(
        &self,
        request: v1::ExportUsageRequest,
        token: Option<&str>,
    ) -> Result<Taken, tonic::Status> {
        let request = match token {
            Some(token) => with_token(token, request),
            None => tonic::Request::new(request),
        };
        let mut stream = self.usage().await.export_usage(request).await?.into_inner();
        let mut taken =
            Taken { name: String::new(), media_type: String::new(), parts: vec![], octets: vec![] };
        while let Some(part) = stream.message().await? {
            assert_eq!(
                part.file_name.is_empty(),
                !taken.parts.is_empty(),
                "a name is in the first part only"
            );
            taken.name.push_str(&part.file_name);
            taken.media_type.push_str(&part.media_type);
            taken.parts.push(part.octets.len());
            taken.octets.extend(part.octets);
        }
        Ok(taken)
    }
}

fn today(kind: v1::ExportKind) -> v1::ExportUsageRequest {
    v1::ExportUsageRequest {
        range: dates("2026-11-20", "2026-11-21"),
        kind: kind.into(),
        ..Default::default()
    }
}

fn sum(lines: &[BTreeMap<String, String>], column: &str) -> f64 {
    lines.iter().map(|line| line[column].parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn sums_of_a_file_are_those_of_get_usage() {
    let bench = Bench::gym().await;
    // Across midnight, and the hour that clocks repeated.
    bench.did("n-1", "2026-10-24T23:40:00Z", 130, Did::Ran(Direction::Forward, 700)).await;
    let range = dates("2026-10-20", "2026-11-21");
    let usage = v1::GetUsageRequest { range: range.clone(), ..Default::default() };
    let usage = bench.usage().await.get_usage(usage).await.unwrap().into_inner().total.unwrap();
    let (forward, reverse, unknown, at_rest) = moved(&usage);
    let ([asked, _, speed, direction, _], _) = covered(&usage);
    for resolution in [v1::Resolution::Hour, v1::Resolution::Day, v1::Resolution::Week, v1::Resolution::Month]
    {
        let request = v1::ExportUsageRequest {
            range: range.clone(),
            resolution: resolution.into(),
            ..Default::default()
        };
        let lines = bench.export(request).await.unwrap().lines();
        for (column, minutes) in [
            ("forward_minutes", forward),
            ("reverse_minutes", reverse),
            ("unknown_minutes", unknown),
            ("at_rest_minutes", at_rest),
            ("asked_minutes", asked),
            ("speed_known_minutes", speed),
            ("direction_known_minutes", direction),
        ] {
            let sum = sum(&lines, column);
            assert!((sum - minutes as f64).abs() < 0.01, "{resolution:?} {column}: {sum} is not {minutes}");
        }
        let metres = usage.forward.unwrap().distance_m;
        assert!((sum(&lines, "forward_metres") - metres).abs() < 0.1);
    }
}

#[tokio::test]
async fn a_line_tells_machine_period_and_how_forward_is_known() {
    let bench = Bench::gym().await;
    let taken = bench.export(today(v1::ExportKind::Usage)).await.unwrap();
    assert!(
        taken.name.starts_with("beltwatch-usage-by-day-2026-11-20-to-2026-11-20-as-of-20261120T"),
        "{}",
        taken.name
    );
    assert!(taken.name.ends_with(".csv") && taken.media_type.starts_with("text/csv"));
    let lines = taken.lines();
    let ids: Vec<&str> = lines.iter().map(|line| line["machine_id"].as_str()).collect();
    assert_eq!(ids, ["n-1", "n-2", "n-3", "s-1"]);
    let cells = |line: usize, columns: &[&str]| -> Vec<String> {
        columns.iter().map(|column| lines[line][*column].clone()).collect()
    };
    let place =
        ["site_id", "site", "machine", "model", "period_begin_local", "utc_offset_hours", "is_partial"];
    assert_eq!(
        cells(0, &place),
        ["north", "Gym north", "Treadmill n-1", "Two", "2026-11-20", "1.00", "true"]
    );
    assert_eq!(lines[3]["utc_offset_hours"], "-5.00");
    let motion =
        ["forward_measured_minutes", "forward_declared_minutes", "reverse_minutes", "unknown_minutes"];
    assert_eq!(cells(0, &motion), ["30.0000", "0.0000", "15.0000", "0.0000"]);
    assert_eq!(cells(1, &motion), ["0.0000", "20.0000", "0.0000", "0.0000"], "one-way, and not seen");
    assert_eq!(cells(2, &motion), ["0.0000", "0.0000", "0.0000", "10.0000"]);
    assert_eq!(
        (lines[0]["greatest_speed_kmh"].as_str(), lines[3]["greatest_speed_kmh"].as_str()),
        ("3.60", "")
    );
    // By hour, the machine that ran from 12 to 13:45 in UTC.
    let request = v1::ExportUsageRequest {
        scope: of_machines(&["n-1"]),
        resolution: v1::Resolution::Hour.into(),
        ..today(v1::ExportKind::Usage)
    };
    let lines = bench.export(request).await.unwrap().lines();
    assert_eq!(lines.len(), 19, "from midnight until now");
    assert_eq!(
        (lines[13]["period_begin_local"].as_str(), lines[13]["forward_minutes"].as_str()),
        ("2026-11-20T13:00", "30.0000")
    );
}

#[tokio::test]
async fn names_that_look_like_formulas_stay_texts() {
    let bench = Bench::gym().await;
    let mut machine = (*bench.ledger.registry().machines()[&machine_id("n-1")]).clone();
    machine.id = machine_id("n-9");
    machine.display_name = "=HYPERLINK(\"http://x\",\"a,b\")".to_owned();
    bench.fact_at(at("2026-01-01T00:00:00Z"), FactKind::MachineCreated(machine)).await;
    let request = |format: v1::ExportFormat| v1::ExportUsageRequest {
        scope: of_machines(&["n-9"]),
        format: format.into(),
        ..today(v1::ExportKind::Usage)
    };
    let lines = bench.export(request(v1::ExportFormat::Csv)).await.unwrap().lines();
    assert_eq!(lines[0]["machine"], "'=HYPERLINK(\"http://x\",\"a,b\")");
    let taken = bench.export(request(v1::ExportFormat::Xlsx)).await.unwrap();
    let sheets = opened(&taken.octets);
    let sheet = &sheets["xl/worksheets/sheet1.xml"];
    assert!(!sheet.contains("<f>"), "{sheet}");
    assert!(sheet.contains("t=\"inlineStr\"><is><t>=HYPERLINK("), "{sheet}");
}

/// The entries of a workbook, as texts.
fn opened(octets: &[u8]) -> BTreeMap<String, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(octets).unwrap();
    file.rewind().unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let count = archive.len();
    let read = |index| {
        let mut entry = archive.by_index(index).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.name().unwrap().into_owned(), text)
    };
    (0..count).map(read).collect()
}

#[tokio::test]
async fn a_workbook_opens_and_says_what_it_is_about() {
    let bench = Bench::gym().await;
    let request = v1::ExportUsageRequest {
        format: v1::ExportFormat::Xlsx.into(),
        scope: of_sites(&["north"]),
        ..today(v1::ExportKind::Usage)
    };
    let taken = bench.export(request).await.unwrap();
    assert!(taken.name.ends_with(".xlsx") && taken.media_type.ends_with("spreadsheetml.sheet"));
    let sheets = opened(&taken.octets);
    let (table, about) = (&sheets["xl/worksheets/sheet1.xml"], &sheets["xl/worksheets/sheet2.xml"]);
    assert_eq!(table.matches("<row ").count(), 4, "names and three machines: {table}");
    for expected in
        ["forward_minutes", "<v>30</v>", "Treadmill n-1", "topLeftCell=\"A2\"", "state=\"frozen\""]
    {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let texts = format!("{about}{}", sheets.get("xl/sharedStrings.xml").map_or("", String::as_str));
    // 135 minutes of 3 times 19 hours.
    for expected in ["complete up to", "speed known for", "3.9 % of the time asked", "usage by day"] {
        assert!(texts.contains(expected), "{expected}: {texts}");
    }
}

/// A bench whose machine `n-1` had a labelled session and one that is not, with incidents.
async fn with_sessions() -> (Bench, String, String) {
    let bench = Bench::furnished().await;
    bench.user("anna", Role::Manager, &["north"]).await;
    bench.user("viewer", Role::Viewer, &["north"]).await;
    let sessions = vec![session(1, "n-1", 5, 500), session(2, "n-1", 125, 500), session(3, "s-1", 185, 500)];
    bench.ledger.put(Derived { sessions, ..Derived::default() }).await.unwrap();
    let (site, code) = (site_id("north"), CourseCode::new("A-1").unwrap());
    bench.fact(FactKind::CourseCreated(NewCourse { site: site.clone(), code, prescription: None })).await;
    let course = Some(CourseId(bench.ledger.registry().last_fact));
    let (labelled, machine) = (domain::ids::SessionId([1; 16]), machine_id("n-1"));
    let label = SessionLabel { session: labelled, machine, site, course };
    bench.fact(FactKind::SessionLabelled(label)).await;
    let test = changed(incident(3, "n-1", 310), |one| one.drill = Some(1));
    bench.found(vec![incident(1, "n-1", 301), incident(2, "n-1", 4_000), test]).await;
    bench.at(8 * 3_600);
    let tokens = (bench.session("anna").await, bench.session("viewer").await);
    (bench, tokens.0, tokens.1)
}

#[tokio::test]
async fn sessions_have_their_figures_and_codes_only_for_those_who_see_them() {
    let (bench, manager, viewer) = with_sessions().await;
    let request = || today(v1::ExportKind::Sessions);
    let lines = bench.export_as(request(), Some(&manager)).await.unwrap().lines();
    assert_eq!(lines.len(), 2, "of north only");
    // The newest first.
    let line = &lines[1];
    for (column, expected) in [
        ("site_id", "north"),
        ("machine_id", "n-1"),
        ("course_code", "A-1"),
        ("begin_local", "2026-11-20T13:05:00"),
        ("begin_utc_offset_hours", "1.00"),
        ("end_local", "2026-11-20T13:07:00"),
        ("has_ended", "true"),
        ("reverse_minutes", "1.5000"),
        ("forward_minutes", "0.0000"),
        ("unknown_minutes", "0.0000"),
        ("reverse_metres", "45.00"),
        ("greatest_speed_kmh", "1.80"),
        ("reverse_intervals", "2"),
        ("reverse_interval_median_seconds", "45.000"),
        ("reverse_interval_longest_seconds", "60.000"),
        ("coverage_percent", "100.00"),
        ("incidents", "1"),
    ] {
        assert_eq!(line[column], expected, "{column}");
    }
    assert_eq!((lines[0]["course_code"].as_str(), lines[0]["incidents"].as_str()), ("", "0"));
    let lines = bench.export_as(request(), Some(&viewer)).await.unwrap().lines();
    assert!(lines.iter().all(|line| line["course_code"].is_empty()), "{lines:?}");
    assert_eq!(bench.export(request()).await.unwrap().lines().len(), 3, "of all sites");
}

#[tokio::test]
async fn intervals_have_a_line_each() {
    let (bench, manager, _) = with_sessions().await;
    let taken = bench.export_as(today(v1::ExportKind::Intervals), Some(&manager)).await.unwrap();
    assert!(taken.name.starts_with("beltwatch-intervals-2026-11-20"), "{}", taken.name);
    let lines = taken.lines();
    let cells = |line: &BTreeMap<String, String>| {
        [
            "interval",
            "direction",
            "direction_origin",
            "length_seconds",
            "grade",
            "is_thirty_seconds",
            "recovery",
        ]
        .map(|column| line[column].clone())
        .join(" ")
    };
    let lines: Vec<String> = lines[2..].iter().map(cells).collect();
    assert_eq!(
        lines,
        ["1 reverse measured 60.000 level false standing", "2 reverse measured 30.000 downhill true "]
    );
}

#[tokio::test]
async fn a_large_file_comes_in_parts() {
    let bench = Bench::gym().await;
    let request = |format: v1::ExportFormat| v1::ExportUsageRequest {
        range: dates("2026-08-21", "2026-11-21"),
        resolution: v1::Resolution::Hour.into(),
        format: format.into(),
        ..Default::default()
    };
    let taken = bench.export(request(v1::ExportFormat::Csv)).await.unwrap();
    let (last, whole) = taken.parts.split_last().unwrap();
    assert!(whole.len() > 10 && whole.iter().all(|part| *part == EXPORT_PART_BYTES_MAX), "{:?}", taken.parts);
    assert!((1..=EXPORT_PART_BYTES_MAX).contains(last));
    // 92 days of four machines, less what is still to come of today, and the hour that was put back.
    let hours = |until: &str, hours_before: i64| {
        (at(until).0 - at("2026-08-21T00:00:00Z").0) / 3_600_000_000 + hours_before
    };
    let vienna = hours("2026-11-20T18:00:00Z", 2);
    let new_york = hours("2026-11-20T18:00:00Z", -4);
    assert_eq!(i64::try_from(taken.lines().len()).unwrap(), 3 * vienna + new_york);
    let book = bench.export(request(v1::ExportFormat::Xlsx)).await.unwrap();
    assert!(book.parts.len() > 1 && book.parts.iter().all(|part| *part <= EXPORT_PART_BYTES_MAX));
    assert_eq!(
        opened(&book.octets)["xl/worksheets/sheet1.xml"].matches("<row ").count(),
        taken.lines().len() + 1
    );
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused() {
    let bench = Bench::gym().await;
    let refused = async |change: &dyn Fn(&mut v1::ExportUsageRequest)| {
        let mut request = today(v1::ExportKind::Usage);
        change(&mut request);
        bench.export(request).await.err().unwrap()
    };
    check(refused(&|one| one.kind = 9).await, "kind", &["is 9; 0 to 3 are known"]);
    check(refused(&|one| one.format = 9).await, "format", &["is 9; 0 to 2 are known"]);
    check(refused(&|one| one.range = None).await, "range", &["missing"]);
    let by_hour = |one: &mut v1::ExportUsageRequest| {
        one.resolution = v1::Resolution::Hour.into();
        one.range = dates("2026-08-20", "2026-11-21");
    };
    let words = ["is 93 days long; at most 92 are allowed: ask from 2026-08-21 until 2026-11-21"];
    check(refused(&by_hour).await, "range", &words);
    let status = refused(&|one| one.scope = of_machines(&["n-7"])).await;
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn only_so_many_exports_are_under_way_at_once() {
    let bench = Bench::gym().await;
    for number in 10..22 {
        let (id, since) = (format!("n-{number}"), "2026-01-01T00:00:00Z");
        bench.machine_since(&id, "north", "Two", BeltKind::Reversible, since).await;
    }
    let request = || v1::ExportUsageRequest {
        range: dates("2026-08-21", "2026-11-21"),
        resolution: v1::Resolution::Hour.into(),
        ..Default::default()
    };
    // Nobody takes any: the file is larger than what a client lets come before it looks.
    let mut held = Vec::new();
    for _ in 0..EXPORTS_MAX {
        held.push(bench.usage().await.export_usage(request()).await.unwrap().into_inner());
    }
    let status = bench.export(request()).await.err().unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    // One that is taken to its end makes room.
    let mut one = held.remove(0);
    while one.message().await.unwrap().is_some() {}
    assert!(bench.export(request()).await.is_ok());
}
