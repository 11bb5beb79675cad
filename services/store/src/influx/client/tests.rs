//! What the client makes of everything that a server may answer.

mod administering;
mod fake;
mod writing;

use domain::units::UnixMicros;
use url::Url;

use self::fake::{Answer, Fake};
use super::*;
use crate::influx::{DatedLine, Line};

const SECRET: &str = "very-secret";

fn settings(url: &str) -> InfluxSettings {
    InfluxSettings {
        url: Url::parse(url).unwrap(),
        organisation: "gym".to_owned(),
        token: SECRET.to_owned(),
        bucket: "belts".to_owned(),
    }
}

/// A client that does not wait long.
fn client(url: &str) -> Client {
    let times = Times { quiet: Duration::from_millis(20), ..Times::USUAL };
    Client::with(&settings(url), times).unwrap()
}

fn line(n: i64) -> DatedLine {
    Line::new("reading").tag("machine", "tm-01").int("n", n).at(n)
}

fn lines(count: i64) -> Lines {
    (0..count).map(line).collect()
}

/// What is told about a failure, where the token never is.
fn failure<T: fmt::Debug>(result: Result<T, StoreError>) -> (StoreErrorKind, String) {
    let error = result.unwrap_err();
    let all = format!("{error} {error:?}");
    assert!(!all.contains(SECRET), "{all}");
    (error.kind, error.to_string())
}

async fn check_write(
    answer: impl Fn() -> Answer + Send + Sync + 'static,
    kind: StoreErrorKind,
    says: &[&str],
) {
    let fake = Fake::start(move |_, _| answer()).await;
    let (found, text) = failure(client(&fake.url).write("belts-readings", &lines(2)).await);
    assert_eq!(found, kind, "{text}");
    for part in says.iter().chain(&["belts-readings", fake.url.as_str(), "writing points"]) {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[tokio::test]
async fn a_write_that_fails_says_of_which_kind_and_what_helps() {
    use StoreErrorKind::{Full, Timeout, Unavailable};
    let error = |status, code, message| move || Answer::error(status, code, message);
    let bare = |status, body| move || Answer::new(status, "", body);
    let setup = "beltwatch influxdb setup";
    check_write(
        error(401, "unauthorized", "unauthorized access"),
        Unavailable,
        &["refuses the token", setup],
    )
    .await;
    check_write(error(403, "forbidden", "insufficient"), Unavailable, &["refuses the token", setup]).await;
    let gone = "bucket \"belts-readings\" not found";
    check_write(error(404, "not found", gone), Unavailable, &["is not there", gone, setup]).await;
    let gone = "organization name \"gym\" not found";
    check_write(error(404, "not found", gone), Unavailable, &["organisation gym", setup]).await;
    check_write(error(400, "invalid", gone), Unavailable, &["organization name"]).await;
    let deleted = "partial write: shard 7 is pending deletion dropped=2";
    check_write(error(422, "unprocessable entity", deleted), Unavailable, &["pending deletion"]).await;
    check_write(error(400, "invalid", "unable to read data: unexpected EOF"), Unavailable, &["EOF"]).await;
    let full = "unexpected error writing points to database: write /var: no space left on device";
    check_write(error(500, "internal error", full), Full, &["disk is full"]).await;
    check_write(bare(507, ""), Full, &["disk is full"]).await;
    check_write(error(500, "internal error", "timeout"), Unavailable, &["500", "timeout"]).await;
    check_write(error(503, "unavailable", "starting"), Unavailable, &["too busy or starting"]).await;
    check_write(error(408, "x", ""), Timeout, &["gave up"]).await;
    check_write(bare(504, ""), Timeout, &["gave up"]).await;
    // Not InfluxDB at all.
    check_write(bare(400, "<html>Bad Request</html>"), Unavailable, &["says nothing about the points"]).await;
    for status in [200, 301, 401, 404, 418] {
        check_write(bare(status, "<html>"), Unavailable, &["no answer of InfluxDB 2", "influxdb.url"]).await;
    }
    check_write(|| Answer::Reset, Unavailable, &["connection"]).await;
    check_write(|| Answer::Octets(Vec::new()), Unavailable, &["connection ended"]).await;
    check_write(|| Answer::Octets(b"\x00\xff\r\n\r\n".to_vec()), Unavailable, &["connection ended"]).await;
    // The answer breaks off behind its head: what is known of it counts.
    let cut = || Answer::Octets(b"HTTP/1.1 503 Busy\r\ncontent-length: 99\r\n\r\n{\"co".to_vec());
    check_write(cut, Unavailable, &["too busy"]).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (kind, text) = failure(client(&url).write("belts", &lines(1)).await);
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(text.contains("cannot be reached"), "{text}");
    let (kind, _) = failure(client(&url).health().await);
    assert_eq!(kind, StoreErrorKind::Unavailable);

    let fake = Fake::start(|_, _| Answer::Silence).await;
    let short = Duration::from_millis(30);
    let times = Times { request: short, delete: short, ..Times::USUAL };
    let client = Client::with(&settings(&fake.url), times).unwrap();
    let (from, until) = (UnixMicros(1), UnixMicros(2));
    let all = [
        failure(client.write("belts", &lines(1)).await),
        failure(client.query("buckets()").await),
        failure(client.delete("belts", from, until, None).await),
        failure(client.health().await),
    ];
    for (kind, text) in all {
        assert_eq!(kind, StoreErrorKind::Timeout, "{text}");
        assert!(text.contains("no answer in time"), "{text}");
    }
}

#[tokio::test]
async fn settings_that_can_never_work_are_told_at_once() {
    for (url, token, says) in [
        ("http://user:hidden@gym.example", SECRET, "influxdb.url"),
        ("http://gym.example/influx", SECRET, "influxdb.url"),
        ("http://gym.example?x=1", SECRET, "influxdb.url"),
        ("ftp://gym.example", SECRET, "influxdb.url"),
        ("http://gym.example", "two\nlines", "influxdb.token_file"),
    ] {
        let settings = InfluxSettings { token: token.to_owned(), ..settings(url) };
        let (kind, text) = failure(Client::new(&settings));
        assert_eq!(kind, StoreErrorKind::Invalid);
        assert!(text.contains(says) && !text.contains("hidden") && !text.contains(token), "{text}");
    }
    let client = Client::new(&settings("http://127.0.0.1:1")).unwrap();
    assert!(!format!("{client:?}").contains(SECRET));
}

const TABLE: &str = "#datatype,string,long,dateTime:RFC3339,long,string\r\n#group,false,false,false,false,true\r\n\
                     #default,_result,,,,\r\n,result,table,_time,_value,machine\r\n\
                     ,,0,1970-01-01T00:00:00.000001002Z,5,tm-01\r\n,,0,1970-01-01T00:00:01Z,,tm-01\r\n\r\n";

async fn check_query(answer: impl Fn() -> Answer + Send + Sync + 'static, kind: StoreErrorKind, says: &str) {
    let fake = Fake::start(move |_, _| answer()).await;
    let (found, text) = failure(client(&fake.url).query("from(bucket: \"x\")").await);
    assert_eq!(found, kind, "{text}");
    assert!(text.contains(says) && text.contains(&fake.url), "{says:?} is not in {text:?}");
}

#[tokio::test]
async fn a_question_that_fails_says_of_which_kind() {
    use StoreErrorKind::{Invalid, Unavailable};
    let whole = |body: String| move || Answer::table(&body, false);
    check_query(|| Answer::error(400, "invalid", "compilation failed: error @1:1"), Invalid, "compilation")
        .await;
    let gone = "failed to decode request body: organization name \"gym\" not found";
    check_query(move || Answer::error(400, "invalid", gone), Unavailable, "influxdb setup").await;
    let gone = "failed to initialize execute state: could not find bucket \"x\"";
    check_query(move || Answer::error(404, "not found", gone), Unavailable, "influxdb setup").await;
    check_query(|| Answer::error(401, "unauthorized", "no"), Unavailable, "refuses the token").await;
    check_query(|| Answer::error(429, "too many requests", "queue"), Unavailable, "too busy").await;
    let error = format!(
        "{TABLE}\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,runtime error: gone,\r\n"
    );
    check_query(whole(error), Unavailable, "runtime error: gone").await;
    check_query(|| Answer::table(TABLE, true), Unavailable, "connection ended").await;
    let half = TABLE[..TABLE.len() - 20].to_owned();
    check_query(whole(half), Unavailable, "has no end").await;
    let without_last_line = TABLE[..TABLE.len() - 2].to_owned();
    check_query(whole(without_last_line), Unavailable, "has no end").await;
    check_query(whole(String::new()), Unavailable, "has no end").await;
    check_query(whole("<html>\r\n<b>hi</b>\r\n\r\n".to_owned()), Unavailable, "no table").await;
    check_query(whole("{\"results\":[]}\n\n".to_owned()), Unavailable, "no table").await;
    check_query(whole(TABLE.replace(",,0,1970-01-01T00:00:01Z", ",0")), Unavailable, "cells").await;
    check_query(|| Answer::Octets(b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe,\"\r\n\r\n".to_vec()), Unavailable, "")
        .await;
    check_query(|| Answer::Reset, Unavailable, "connection").await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_before_it_is_read() {
    let row = format!(",,0,1970-01-01T00:00:01Z,1,{}\r\n", "x".repeat(100_000));
    let head: String = TABLE.lines().take(4).map(|line| format!("{line}\r\n")).collect();
    let body = head + &row.repeat(limits::INFLUX_ANSWER_BYTES_MAX / row.len() + 1);
    let fake = Fake::start(move |_, _| Answer::new(200, "", &body)).await;
    let (kind, text) = failure(client(&fake.url).query("from(bucket: \"x\")").await);
    assert_eq!(kind, StoreErrorKind::Invalid);
    assert!(text.contains("128 MiB: ask for less"), "{text}");
}

#[tokio::test]
async fn an_answer_in_pieces_is_a_table_with_nulls() {
    let fake = Fake::start(|_, _| Answer::table(TABLE, false)).await;
    let tables = client(&fake.url).query("buckets()").await.unwrap();
    let [table] = &tables[..] else { panic!("{tables:?}") };
    let (time, value) = (table.need("_time").unwrap(), table.need("_value").unwrap());
    let rows: Vec<_> =
        table.rows().map(|row| (row.nanoseconds(time).unwrap(), row.int(value).unwrap())).collect();
    assert_eq!(rows, [(Some(1_002), Some(5)), (Some(1_000_000_000), None)]);
    assert_eq!(table.key("machine"), Some("tm-01"));
    let request = fake.requests().remove(0);
    assert_eq!(request.line, "POST /api/v2/query?org=gym HTTP/1.1");
    assert!(request.head.contains(&format!("authorization: token {SECRET}")), "{}", request.head);
    assert!(request.body.contains("buckets()"), "{}", request.body);
}

#[tokio::test]
async fn a_removal_tells_its_first_and_its_last_nanosecond() {
    let fake = Fake::start(|n, _| match n {
        0 => Answer::new(204, "", ""),
        _ => Answer::error(400, "invalid", "bad predicate"),
    });
    let fake = fake.await;
    let client = client(&fake.url);
    client.delete("belts", UnixMicros(1), UnixMicros(1_000_000), Some("machine=\"tm-01\"")).await.unwrap();
    client.delete("belts", UnixMicros(5), UnixMicros(5), None).await.unwrap();
    let (kind, text) =
        failure(client.delete("belts", UnixMicros(i64::MIN), UnixMicros(i64::MAX), None).await);
    assert_eq!(kind, StoreErrorKind::Invalid);
    assert!(text.contains("bad predicate") && text.contains("removing points"), "{text}");
    let bodies: Vec<serde_json::Value> =
        fake.requests().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect();
    assert_eq!(bodies.len(), 2, "nothing is asked for an empty span");
    assert_eq!(bodies[0]["start"], "1970-01-01T00:00:00.000001Z");
    assert_eq!(bodies[0]["stop"], "1970-01-01T00:00:00.999999999Z");
    assert_eq!(bodies[0]["predicate"], "machine=\"tm-01\"");
    assert_eq!(bodies[1]["start"], "1677-09-21T00:12:43.145224194Z", "the first that InfluxDB knows");
    assert_eq!(bodies[1]["stop"], "2262-04-11T23:47:16.854775806Z", "the last that it knows");
}

#[tokio::test]
async fn health_is_what_influxdb_says_of_itself() {
    let said = |status: &str| {
        format!("{{\"name\":\"influxdb\",\"message\":\"said\",\"status\":\"{status}\",\"checks\":[]}}")
    };
    let (well, ill) = (said("pass"), said("fail"));
    let fake = Fake::start(move |n, _| match n {
        0 => Answer::new(200, "", &well),
        1 => Answer::new(503, "", &ill),
        2 => Answer::new(200, "", "<html>"),
        _ => Answer::new(404, "", "nothing here"),
    });
    let fake = fake.await;
    let client = client(&fake.url);
    client.health().await.unwrap();
    for says in ["said", "none of InfluxDB 2", "404"] {
        let (kind, text) = failure(client.health().await);
        assert_eq!(kind, StoreErrorKind::Unavailable);
        assert!(text.contains(says), "{says:?} is not in {text:?}");
    }
}
