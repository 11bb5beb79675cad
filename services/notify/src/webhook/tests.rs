use domain::ids::NoticeId;
use domain::incident::{Rule, Severity};
use serde_json::Value;
use store::registry::Way;

use super::*;
use crate::carrier::{Carrier, Carriers};
use crate::given::{contact, incident, second, stored};
use crate::loopback::{Receiver, Request, status, webhooks};
use crate::message::{HeadTold, Story, Subject, Told, WeeklyTold};

fn secrets() -> Secrets {
    Arc::new(|name, generation| {
        let mut secret = [7; 32];
        secret[0] = u8::try_from(name.len()).unwrap();
        secret[1] = u8::try_from(generation).unwrap();
        secret
    })
}

pub(crate) fn told(octet: u8, severity: Severity) -> Told {
    let mut found = incident(octet, Rule::EmergencyStop, severity, 0);
    found.detail = "Pressed at speed.".to_owned();
    let story = Story {
        stored: stored(found),
        machine: "TM 4".to_owned(),
        site_id: "north".to_owned(),
        site: "Gym North".to_owned(),
        zone: "Europe/Vienna".to_owned(),
        members: 0,
    };
    Told { id: NoticeId([octet; 16]), severity, subject: Subject::Incident(Box::new(story)) }
}

pub(crate) fn message(way: Way, told: Vec<Told>) -> Message {
    Message {
        id: told.first().map_or(NoticeId([9; 16]), |told| told.id),
        contact: contact("floor", way),
        told,
        more: 0,
        time: second(5),
        url: "https://gym.example.org".to_owned(),
    }
}

fn to(port: u16) -> Message {
    let url = format!("http://127.0.0.1:{port}/hook?key=1");
    message(Way::Webhook { url }, vec![told(1, Severity::Critical)])
}

async fn carry(message: &Message) -> Result<(), Refusal> {
    Carriers { webhooks: Webhooks::new(secrets()), mail: None }.carry(message).await
}

async fn taken(receiver: &mut Receiver<Request>, message: &Message) -> (Request, Value) {
    assert_eq!(carry(message).await, Ok(()));
    let request = receiver.arrived.recv().await.unwrap();
    let body = serde_json::from_str(&request.body).unwrap();
    (request, body)
}

#[tokio::test]
async fn a_request_is_signed_and_looks_like_alertmanager() {
    let mut receiver = webhooks(vec![]).await;
    let message = to(receiver.port);
    let (request, body) = taken(&mut receiver, &message).await;
    assert_eq!(request.line, "POST /hook?key=1 HTTP/1.1");
    let header = |name: &str| request.headers[name].as_str();
    assert_eq!(header("beltwatch-id"), "01".repeat(16));
    assert_eq!((header("beltwatch-timestamp"), header("content-type")), ("1800014405", "application/json"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&secrets()("floor", 1)).unwrap();
    mac.update(format!("1800014405.{}", request.body).as_bytes());
    let signature = hex::decode(header("beltwatch-signature").strip_prefix("v1=").unwrap()).unwrap();
    assert_eq!(mac.verify_slice(&signature), Ok(()));
    for (pointer, expected) in [
        ("/version", "4"),
        ("/status", "firing"),
        ("/receiver", "floor"),
        ("/externalURL", "https://gym.example.org"),
        ("/groupLabels/site", "north"),
        ("/commonLabels/alertname", "emergency-stop"),
        ("/alerts/0/status", "firing"),
        ("/alerts/0/labels/severity", "critical"),
        ("/alerts/0/labels/machine", "m-1"),
        ("/alerts/0/annotations/description", Rule::EmergencyStop.definition().card),
        ("/alerts/0/annotations/local_time", "2027-01-15 13:00:00 CET"),
        ("/alerts/0/startsAt", "2027-01-15T12:00:00.000Z"),
        ("/alerts/0/endsAt", "0001-01-01T00:00:00Z"),
        ("/alerts/0/generatorURL", "https://gym.example.org/incident/01010101010101010101010101010101"),
        ("/alerts/0/fingerprint", "01010101010101010101010101010101"),
    ] {
        assert_eq!(body.pointer(pointer).and_then(Value::as_str), Some(expected), "{pointer}");
    }
    assert_eq!(body["truncatedAlerts"], 0);
}

#[tokio::test]
async fn many_things_are_one_request() {
    let mut receiver = webhooks(vec![]).await;
    let mut message = to(receiver.port);
    message.told = (1..=100).map(|octet| told(octet, Severity::High)).collect();
    message.told[0].severity = Severity::Critical;
    for told in &mut message.told[1..] {
        if let Subject::Incident(story) = &mut told.subject {
            let closing = domain::handling::Step::Close { cause: None, hurt: None };
            let deed = domain::handling::Deed { number: 1, time: second(3), by: "user:anna".to_owned() };
            story.stored.handling.take(&closing, false, deed);
        }
    }
    message.more = 17;
    let (_, body) = taken(&mut receiver, &message).await;
    assert_eq!((&body["truncatedAlerts"], &body["status"]), (&17.into(), &"firing".into()));
    assert_eq!(body["alerts"].as_array().unwrap().len(), 100);
    assert_eq!(
        (&body["alerts"][1]["status"], &body["alerts"][1]["endsAt"]),
        (&"resolved".into(), &"2027-01-15T12:00:03.000Z".into())
    );
    assert_eq!(body["commonLabels"].get("severity"), None);
    assert_eq!(body["commonLabels"]["site"], "north");
}

#[tokio::test]
async fn tests_heads_and_weeks_are_alerts_too() {
    let mut receiver = webhooks(vec![]).await;
    let mut message = to(receiver.port);
    let of = |subject| Told { id: NoticeId([3; 16]), severity: Severity::Info, subject };
    message.told = vec![
        of(Subject::Test { by: "anna".to_owned() }),
        of(Subject::Head(HeadTold { facts: 7, root: "ab".to_owned(), signed: "{}".to_owned() })),
    ];
    let head = Some(HeadTold { facts: 8, root: "cd".to_owned(), signed: "[]".to_owned() });
    let of_week = |head| {
        of(Subject::Weekly(Box::new(WeeklyTold {
            site_id: "north".to_owned(),
            site: "Gym North".to_owned(),
            from: "2026-11-16".to_owned(),
            until: "2026-11-23".to_owned(),
            text: "Forward 3 h 20 min.\nReverse 4 min.".to_owned(),
            head,
        })))
    };
    message.told.extend([of_week(None), of_week(head)]);
    let (_, body) = taken(&mut receiver, &message).await;
    let week = &body["alerts"][2];
    assert_eq!(
        (&week["labels"]["alertname"], &week["labels"]["site"], &week["labels"]["from"]),
        (&"weekly".into(), &"north".into(), &"2026-11-16".into())
    );
    assert_eq!(week["annotations"]["description"], "Forward 3 h 20 min.\nReverse 4 min.");
    assert_eq!(week["generatorURL"], "https://gym.example.org/usage?site=north");
    assert_eq!(week["annotations"].get("signed_head"), None);
    assert_eq!(body["alerts"][3]["annotations"]["signed_head"], "[]");
    assert_eq!(body["alerts"][0]["labels"]["alertname"], "test");
    assert_eq!(body["alerts"][1]["annotations"]["signed_head"], "{}");
    let head = &body["alerts"][1]["labels"];
    assert_eq!(
        (&head["alertname"], &head["facts"], &head["root"]),
        (&"head".into(), &"7".into(), &"ab".into())
    );
}

#[track_caller]
fn check(outcome: Result<(), Refusal>, is_final: bool, reason: &str) {
    let refusal = outcome.unwrap_err();
    assert!(refusal.reason.contains(reason), "{refusal:?}");
    assert_eq!(refusal.is_final, is_final, "{refusal:?}");
}

#[tokio::test]
async fn what_is_not_taken_says_why() {
    for (answer, is_final) in [
        ("500 Internal Server Error", false),
        ("503 Service Unavailable", false),
        ("429 Too Many Requests", false),
        ("401 Unauthorized", true),
        ("404 Not Found", true),
        ("410 Gone", true),
        ("302 Found", true),
    ] {
        let receiver = webhooks(vec![status(answer)]).await;
        check(carry(&to(receiver.port)).await, is_final, &format!("answered {answer}"));
    }
    let receiver = webhooks(vec![Some("this is no HTTP\r\n\r\n".to_owned())]).await;
    check(carry(&to(receiver.port)).await, false, "HTTP");
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    check(carry(&to(free)).await, false, "refused");
    let outside = Way::Webhook { url: "http://example.org/hook".to_owned() };
    check(carry(&message(outside, vec![told(1, Severity::Low)])).await, true, "take https");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_is_left() {
    let receiver = webhooks(vec![None]).await;
    check(carry(&to(receiver.port)).await, false, "no answer within 10 s");
}

#[tokio::test]
async fn a_long_answer_is_not_read() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n{}", "x".repeat(100_000));
    let receiver = webhooks(vec![Some(long)]).await;
    assert_eq!(carry(&to(receiver.port)).await, Ok(()));
}

#[tokio::test]
async fn a_receiver_nobody_vouches_for_gets_nothing() {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://127.0.0.1:{}/hook", listener.local_addr().unwrap().port());
    let receiving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(|_| ())
    });
    let message = message(Way::Webhook { url }, vec![told(1, Severity::Low)]);
    check(carry(&message).await, false, "certificate");
    assert!(receiving.await.unwrap().is_err(), "no connection came about");
}
