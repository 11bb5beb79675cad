use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId};
use domain::log::{BootStart, Lane, Position};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use wire::envelope::Entry;
use wire::seal::seal;

use super::*;

fn machine() -> MachineId {
    MachineId::new("tm-01").unwrap()
}

fn master() -> MasterKey {
    MasterKey::new([7; 32])
}

fn keys() -> [Keys; 4] {
    let credential = |machine: &str| Credential {
        machine: MachineId::new(machine).unwrap(),
        generation: 1,
        key: master().machine_key(&MachineId::new(machine).unwrap(), 1),
        broker: "127.0.0.1:1883".to_owned(),
        tls: None,
    };
    [
        Keys::None,
        Keys::Master(Box::new(master())),
        Keys::Machine(Box::new(credential("tm-01"))),
        Keys::Machine(Box::new(credential("tm-02"))),
    ]
}

fn sealed(kind: Kind, body: Bytes) -> (String, String) {
    let topic = Topic::new(machine(), kind);
    let payload = seal(&master().machine_key(&machine(), 1), 1, &topic, body);
    (topic.to_string(), hex::encode(payload))
}

fn envelope(lane: Lane, payload: Payload) -> Bytes {
    let at = MonotonicMicros(5_000_000);
    let record = wire::record::encode(&Record { at, other_n: 3, payload });
    let envelope = Envelope {
        log: LogId([1; 16]),
        sender: BootId([2; 16]),
        sender_boot_count: 4,
        lane,
        boot: BootStart {
            boot_count: 4,
            previous: Some(Position::new(3, 9)),
            other_previous: None,
            maker: None,
        },
        after: None,
        after_maker: None,
        clock: Clock {
            quality: ClockQuality::Estimated,
            offset_us: 1_700_000_000_000_000,
            uncertainty_us: 9,
        },
        sent: at,
        entries: vec![Entry { n: 1, record }, Entry { n: 2, record: Bytes::from_static(b"\xff") }],
    };
    envelope.encode()
}

fn reverse_run() -> Payload {
    let speed =
        SpeedSummary { mean: Speed(800), min: Speed(790), max: Speed(810), rise: None, fall: Some(20) };
    Payload::Reading(Reading {
        span_ms: 1_000,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(speed),
        holds_for_ms: 3_000,
        ..Reading::default()
    })
}

#[test]
fn a_reverse_run_and_an_emergency_stop_can_be_read() {
    let (topic, payload) = sealed(Kind::Readings, envelope(Lane::Readings, reverse_run()));
    let found = inspect(&format!("{topic} {payload}"), &Keys::None);
    assert_eq!(found["machine"], "tm-01");
    assert_eq!(found["kind"], "readings");
    assert_eq!(found["authentic"], Value::Null);
    let records = &found["envelope"]["records"];
    let reading = &records[0]["reading"];
    assert_eq!(reading["direction"], "reverse");
    assert_eq!(reading["origin"], "measured");
    assert_eq!(reading["speed_mean_mm_s"], 800);
    assert_eq!(reading["incline_tenths_pct"], Value::Null, "not known is not zero");
    assert_eq!(records[0]["unix_us"], 1_700_000_005_000_000_i64);
    assert_eq!(records[1]["position"], "4/2");
    assert_eq!(records[1]["record"], "ff", "what cannot be read is shown as it came");
    assert!(records[1]["error"].is_string());

    let mut contacts = Contacts::default();
    contacts.set(Contact::EmergencyStop, true);
    let belt = Belt { contacts, ..Belt::default() };
    let event = Event {
        contact: Some(Contact::EmergencyStop),
        ..Event::new(EventKind::ContactOpened, MonotonicMicros(5_000_000), belt, Belt::default())
    };
    let (topic, payload) = sealed(Kind::Events, envelope(Lane::Events, Payload::Event(event)));
    let found = inspect(&format!("{topic} {payload}"), &Keys::None);
    let event = &found["envelope"]["records"][0]["event"];
    assert_eq!(
        (event["kind"].as_str(), event["contact"].as_str()),
        (Some("contact_opened"), Some("emergency_stop"))
    );
    assert_eq!(event["belt"]["contacts"], json!({ "emergency_stop": "open" }));
}

#[test]
fn a_piece_of_a_recording_can_be_read() {
    let belt = Belt::default();
    let point = |at| RecordingPoint {
        at: MonotonicMicros(at),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: (at > 4_900_000).then_some(Speed(894)),
        incline: None,
        contacts: belt.contacts,
    };
    let points = vec![point(4_900_000), point(5_000_000)];
    let piece = RecordingPiece { trigger: MonotonicMicros(4_950_000), number: 2, is_last: true, points };
    let (topic, payload) = sealed(Kind::Events, envelope(Lane::Events, Payload::Recording(piece)));
    let found = inspect(&format!("{topic} {payload}"), &Keys::None);
    let told = &found["envelope"]["records"][0]["recording"];
    assert_eq!((&told["trigger_monotonic_us"], &told["number"]), (&json!(4_950_000), &json!(2)));
    assert_eq!(told["is_last"], true);
    assert_eq!(told["points"][0]["speed_mm_s"], Value::Null, "not known is not zero");
    assert_eq!(told["points"][1]["speed_mm_s"], 894);
    assert_eq!(told["points"][0]["direction"], "reverse");
}

#[test]
fn with_a_key_it_says_whether_a_message_is_authentic() {
    let body = envelope(Lane::Readings, reverse_run());
    let (topic, payload) = sealed(Kind::Readings, body.clone());
    let (_, forged) = {
        let other = MasterKey::new([8; 32]).machine_key(&machine(), 1);
        let own = Topic::new(machine(), Kind::Readings);
        (own.clone(), hex::encode(seal(&other, 1, &own, body)))
    };
    let authentic = |line: String| keys().map(|keys| inspect(&line, &keys)["authentic"].as_bool());
    // In the order: no key, master key, the machine's own, another machine's.
    let yes = Some(true);
    assert_eq!(authentic(format!("{topic} {payload}")), [None, yes, yes, None]);
    assert_eq!(authentic(format!("{topic} {forged}")), [None, Some(false), Some(false), None]);
    assert_eq!(
        authentic(payload),
        [None, None, yes, Some(false)],
        "without topic the machine is the credential's"
    );
}

#[test]
fn statuses_and_acks_are_told_apart_without_their_topic() {
    let status = Status {
        capabilities: Capabilities::SPEED.and(Capabilities::DIRECTION),
        ..Status::will(BootId([2; 16]), 4, 5)
    };
    let ack = Ack {
        boot: BootId([2; 16]),
        connection: 5,
        counter: 6,
        lanes: vec![wire::ack::LaneAck {
            lane: Lane::Events,
            log: LogId([1; 16]),
            committed: Some(Position::new(4, 7)),
            maker: None,
            window: 64,
        }],
        echo: None,
        server_time: UnixMicros(8),
        refusal: None,
        settings: None,
    };
    let event =
        Event::new(EventKind::BeltStarted, MonotonicMicros(5_000_000), Belt::default(), Belt::default());
    for (kind, body, name) in [
        (Kind::Status, status.encode(), "status"),
        (Kind::Ack, ack.encode(), "ack"),
        (Kind::Readings, envelope(Lane::Readings, reverse_run()), "envelope"),
        (Kind::Events, envelope(Lane::Events, Payload::Event(event)), "envelope"),
    ] {
        let (_, payload) = sealed(kind, body);
        let found = inspect(&payload, &Keys::None);
        assert_eq!(found["kind"], kind.name());
        assert!(found[name].is_object(), "{found}");
    }
    let (_, payload) = sealed(Kind::Ack, ack.encode());
    assert_eq!(inspect(&payload, &Keys::None)["ack"]["lanes"][0]["committed"], "4/7");
    let (_, payload) = sealed(Kind::Status, status.encode());
    assert_eq!(inspect(&payload, &Keys::None)["status"]["capabilities"], json!(["speed", "direction"]));
}

#[test]
fn bad_lines_say_what_is_wrong_and_the_next_is_read() {
    let (topic, payload) = sealed(Kind::Readings, envelope(Lane::Readings, reverse_run()));
    let long = "0".repeat(domain::limits::CAPTURE_LINE_BYTES_MAX + 1);
    let lines = [
        "xyz".to_owned(),
        format!("other/topic {payload}"),
        format!("{topic} abc"),
        "0801".to_owned(),
        "08011a00".to_owned(),
        long,
        String::new(),
        format!("{topic} {payload}"),
    ];
    let mut written = Vec::new();
    let inspected = run(&mut lines.join("\n").as_bytes(), &mut written, &Keys::None).unwrap();
    assert_eq!(inspected, Inspected { lines: 7, unreadable: 6 });
    let written = String::from_utf8(written).unwrap();
    let errors = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["error"].clone());
    let parts =
        ["hexadecimal", "no topic of Beltwatch", "Odd number", "no envelope", "no envelope", "longer"];
    let mut errors = errors.collect::<Vec<_>>();
    assert_eq!(errors.pop(), Some(Value::Null));
    for (error, part) in errors.iter().zip(parts) {
        assert!(error.as_str().unwrap_or_default().contains(part), "{error} should say {part}");
    }
    assert_eq!(errors.len(), parts.len());
}
