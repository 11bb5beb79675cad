//! The embedded broker, seen from its clients.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use beltwatch::broker::{Access, Broker, BrokerError, BrokerSettings, Reason, Who};
use domain::ids::MachineId;
use futures::stream::{self, StreamExt};
use rumqttc::{ConnectReturnCode, LastWill, MqttOptions, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::topics::{Kind, Topic, filter_all};

use client::{Client, Closed, options, patiently};

/// Machines `tm-…` with their id as password, and the service.
struct Doorkeeper;

impl Access for Doorkeeper {
    fn authenticate(&self, _client_id: &str, user: Option<&str>, password: Option<&[u8]>) -> Option<Who> {
        match (user?, password?) {
            ("service", b"secret") => Some(Who::Service),
            (user, password) if user.starts_with("tm-") && password == user.as_bytes() => {
                MachineId::new(user).ok().map(Who::Machine)
            }
            _ => None,
        }
    }
}

fn anywhere() -> BrokerSettings {
    BrokerSettings::at(SocketAddr::from(([127, 0, 0, 1], 0)))
}

async fn broker() -> Broker {
    Broker::start(anywhere(), Arc::new(Doorkeeper)).await.unwrap()
}

fn topic(machine: &str, kind: Kind) -> String {
    Topic::new(MachineId::new(machine).unwrap(), kind).to_string()
}

#[tokio::test]
async fn only_who_is_known_gets_in() {
    let broker = broker().await;
    let check =
        async |client_id: &str, user: &str, password: &str, expected: Result<(), ConnectReturnCode>| {
            let opened = Client::open(options(broker.local_addr(), client_id, user, password)).await;
            assert_eq!(opened.map(|_| ()), expected, "{client_id} {user} {password}");
        };
    let (login, rights) = (ConnectReturnCode::BadUserNamePassword, ConnectReturnCode::NotAuthorized);
    check("tm-01", "tm-01", "tm-01", Ok(())).await;
    check("anything", "service", "secret", Ok(())).await;
    check("tm-01", "tm-01", "wrong", Err(login)).await;
    check("tm-01", "tm-01", "", Err(login)).await;
    check("stranger", "stranger", "stranger", Err(login)).await;
    check("anything", "service", "tm-01", Err(login)).await;
    check("tm-02", "tm-01", "tm-01", Err(rights)).await;
    check("tm-01-b", "tm-01", "tm-01", Err(rights)).await;
    let mut nameless = MqttOptions::new("tm-01", "127.0.0.1", broker.local_addr().port());
    nameless.set_clean_session(true);
    assert_eq!(Client::open(nameless).await.map(|_| ()), Err(login));
    assert_eq!([Reason::Login, Reason::ClientId].map(|reason| broker.refused(reason)), [5, 2]);
    broker.stop().await;
}

#[tokio::test]
async fn another_protocol_version_is_refused() {
    let broker = broker().await;
    let mut stream = TcpStream::connect(broker.local_addr()).await.unwrap();
    // CONNECT of MQTT 5: clean start, keep-alive 60 s, no properties, client id "a".
    stream.write_all(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a").await.unwrap();
    let mut answer = [0; 4];
    patiently(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!((answer[0], answer[3]), (0x20, 0x87), "CONNACK: not authorised");
    assert_eq!(broker.refused(Reason::Protocol), 1);
    broker.stop().await;
}

#[tokio::test]
async fn messages_pass_only_on_topics_of_their_sender() {
    let broker = broker().await;
    let mut service = Client::service(&broker, "ingest").await;
    for kind in [Kind::Events, Kind::Readings, Kind::Status] {
        assert_eq!(service.subscribe(&filter_all(kind)).await, Ok(true));
    }
    let right = topic("tm-01", Kind::Events);
    let parts: Vec<&str> = right.split('/').collect();
    let other_partition = [parts[0], parts[1], "63", parts[3], parts[4]].join("/");
    for (number, (topic, is_retained, expected)) in [
        (right.clone(), false, Ok(())),
        (topic("tm-02", Kind::Events), false, Err(Closed)),
        (topic("tm-01", Kind::Readings), false, Ok(())),
        (other_partition, false, Err(Closed)),
        (topic("tm-01", Kind::Status), true, Ok(())),
        (topic("tm-01", Kind::Ack), false, Err(Closed)),
        (topic("tm-01", Kind::Status), false, Ok(())),
        ("$SYS/brokers".to_owned(), false, Err(Closed)),
        (right.clone(), true, Err(Closed)),
        ("elsewhere".to_owned(), false, Err(Closed)),
        (right, false, Ok(())),
    ]
    .into_iter()
    .enumerate()
    {
        let mut machine = Client::machine(&broker, "tm-01").await;
        let payload = number.to_string();
        let outcome = machine.publish(&topic, is_retained, payload.as_bytes()).await;
        assert_eq!(outcome, expected, "{topic}");
        if outcome.is_ok() {
            // What was refused before would have come before.
            assert_eq!(service.message().await, (topic, payload.into_bytes()));
            machine.leave().await;
        }
    }
    assert_eq!([Reason::Publish, Reason::Retained].map(|reason| broker.refused(reason)), [5, 1]);
    let status = topic("tm-01", Kind::Status);
    assert_eq!(
        service.publish(&status, false, b"forged").await,
        Err(Closed),
        "the service cannot speak for a machine"
    );
    broker.stop().await;
}

#[tokio::test]
async fn nobody_hears_what_is_not_for_them() {
    let broker = broker().await;
    let acks = topic("tm-01", Kind::Ack);
    let shared = format!("$share/group/{acks}");
    let wildcard = filter_all(Kind::Ack);
    let foreign = topic("tm-02", Kind::Ack);
    let upstream = topic("tm-01", Kind::Status);
    for filter in [&foreign, &wildcard, &upstream, "#", "+/#", "$SYS/#", "$share/group/#", &shared] {
        let mut machine = Client::machine(&broker, "tm-01").await;
        assert_eq!(machine.subscribe(filter).await, Ok(false), "{filter}");
        assert_eq!(machine.subscribe(&acks).await, Ok(true), "after {filter}");
        machine.leave().await;
    }
    let mut service = Client::service(&broker, "ingest").await;
    for filter in ["#", "$SYS/#", &wildcard, &acks] {
        assert_eq!(service.subscribe(filter).await, Ok(false), "{filter}");
    }
    assert_eq!(broker.refused(Reason::Subscribe), 12);

    let mut machine = Client::machine(&broker, "tm-01").await;
    assert_eq!(machine.subscribe(&foreign).await, Ok(false));
    assert_eq!(machine.subscribe(&acks).await, Ok(true));
    service.publish(&foreign, false, b"for another").await.unwrap();
    service.publish(&acks, false, b"for this one").await.unwrap();
    assert_eq!(machine.message().await, (acks, b"for this one".to_vec()));
    broker.stop().await;
}

#[tokio::test]
async fn a_will_is_the_machines_own_status_or_nothing() {
    let broker = broker().await;
    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    let with_will = |user: &str, password: &str, topic: &str| {
        let mut options = options(broker.local_addr(), "tm-01", user, password);
        options.set_last_will(LastWill::new(topic, "gone", QoS::AtLeastOnce, true));
        options
    };
    let own = topic("tm-01", Kind::Status);
    for foreign in
        [topic("tm-02", Kind::Status), topic("tm-01", Kind::Events), topic("tm-01", Kind::Ack), "x".into()]
    {
        let refused = Client::open(with_will("tm-01", "tm-01", &foreign)).await;
        assert_eq!(refused.map(|_| ()), Err(ConnectReturnCode::NotAuthorized), "{foreign}");
    }
    let refused = Client::open(with_will("service", "secret", &own)).await;
    assert_eq!(refused.map(|_| ()), Err(ConnectReturnCode::NotAuthorized));
    assert_eq!(broker.refused(Reason::Will), 5);

    let machine = Client::open(with_will("tm-01", "tm-01", &own)).await.unwrap();
    drop(machine);
    assert_eq!(service.message().await, (own.clone(), b"gone".to_vec()));
    let mut later = Client::service(&broker, "bench").await;
    assert_eq!(later.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    assert_eq!(later.message().await, (own, b"gone".to_vec()), "it is retained");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_subscriber_gets_every_retained_status() {
    const MACHINES: usize = 3_000;
    let broker = broker().await;
    let status = |number: usize| topic(&format!("tm-{number}"), Kind::Status);
    stream::iter(0..MACHINES)
        .for_each_concurrent(20, |number| {
            let broker = &broker;
            async move {
                let mut machine = Client::machine(broker, &format!("tm-{number}")).await;
                for payload in [b"old" as &[u8], b"new"] {
                    machine.publish(&status(number), true, payload).await.unwrap();
                }
                machine.leave().await;
            }
        })
        .await;
    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    let mut received = BTreeMap::new();
    while received.len() < MACHINES {
        let (topic, payload) = service.message().await;
        assert_eq!(received.insert(topic, payload), None, "each comes once");
    }
    assert!(received.values().all(|payload| payload == b"new"));

    let mut machine = Client::machine(&broker, "tm-0").await;
    machine.publish(&status(0), true, b"").await.unwrap();
    let mut later = Client::service(&broker, "bench").await;
    assert_eq!(later.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    for _ in 1..MACHINES {
        let (topic, _) = later.message().await;
        assert!(topic != status(0) && received.remove(&topic).is_some(), "{topic}");
    }
    machine.publish(&status(0), false, b"nothing came before").await.unwrap();
    assert_eq!(later.message().await, (status(0), b"nothing came before".to_vec()));
    broker.stop().await;
}

#[tokio::test]
async fn retained_statuses_are_bounded() {
    let settings = BrokerSettings { retained_messages_max: 1, ..anywhere() };
    let broker = Broker::start(settings, Arc::new(Doorkeeper)).await.unwrap();
    let mut early = Client::service(&broker, "early").await;
    assert_eq!(early.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    for id in ["tm-01", "tm-02"] {
        let mut machine = Client::machine(&broker, id).await;
        machine.publish(&topic(id, Kind::Status), true, b"here").await.unwrap();
        // Passed on all the same. The first one may come twice: as it was published, and as the retained one of the
        // subscription, which the broker looks up only after it has confirmed it.
        while early.message().await.0 != topic(id, Kind::Status) {}
    }
    assert_eq!(broker.refused(Reason::RetainedFull), 1);
    let mut late = Client::service(&broker, "late").await;
    assert_eq!(late.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    assert_eq!(late.message().await.0, topic("tm-01", Kind::Status));
    broker.stop().await;
}

#[tokio::test]
async fn stopping_disconnects_everybody_frees_the_port_and_forgets() {
    let doorkeeper = Arc::new(Doorkeeper);
    let broker = Broker::start(anywhere(), doorkeeper.clone()).await.unwrap();
    let address = broker.local_addr();
    let in_use = Broker::start(BrokerSettings::at(address), doorkeeper.clone()).await.unwrap_err();
    assert!(matches!(in_use, BrokerError::PortInUse { address: at } if at == address), "{in_use}");
    assert!(in_use.to_string().contains(&address.to_string()), "{in_use}");

    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    let mut machine = Client::machine(&broker, "tm-01").await;
    machine.publish(&topic("tm-01", Kind::Status), true, b"before").await.unwrap();
    assert_eq!(broker.connections(), 2);
    broker.stop().await;
    service.closed().await;
    machine.closed().await;
    patiently(async {
        while Arc::strong_count(&doorkeeper) > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;

    let again = Broker::start(BrokerSettings::at(address), doorkeeper).await.unwrap();
    assert_eq!(again.local_addr(), address);
    let mut service = Client::service(&again, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Status)).await, Ok(true));
    let mut machine = Client::machine(&again, "tm-01").await;
    machine.publish(&topic("tm-01", Kind::Status), false, b"after").await.unwrap();
    assert_eq!(service.message().await.1, b"after");
    again.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_only_dropped_ends_too() {
    let broker = broker().await;
    let machine = Client::machine(&broker, "tm-01").await;
    drop(broker);
    machine.closed().await;
}

#[tokio::test]
async fn an_address_that_is_not_here_is_told() {
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 1883));
    let error = Broker::start(BrokerSettings::at(elsewhere), Arc::new(Doorkeeper)).await.unwrap_err();
    assert!(matches!(error, BrokerError::AddressNotHere { .. }), "{error}");
}

#[tokio::test]
async fn bad_clients_hurt_only_themselves() {
    let broker = broker().await;
    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Readings)).await, Ok(true));
    let mut good = Client::machine(&broker, "tm-01").await;

    let silent = TcpStream::connect(broker.local_addr()).await.unwrap();
    let mut noisy = TcpStream::connect(broker.local_addr()).await.unwrap();
    noisy.write_all(&[0xff; 4_096]).await.unwrap();
    // The broker may close with a reset, since it has not read it all.
    let _ = patiently(noisy.read_to_end(&mut Vec::new())).await;
    let mut greedy = TcpStream::connect(broker.local_addr()).await.unwrap();
    greedy.write_all(b"\x10\xff\xff\xff\x7f\x00\x04MQTT\x04").await.unwrap();
    let _ = patiently(greedy.read_to_end(&mut Vec::new())).await;
    let mut large = Client::machine(&broker, "tm-02").await;
    assert_eq!(large.publish(&topic("tm-02", Kind::Readings), false, &[7; 30_000]).await, Err(Closed));

    let readings = topic("tm-01", Kind::Readings);
    good.publish(&readings, false, b"still here").await.unwrap();
    assert_eq!(service.message().await, (readings, b"still here".to_vec()));
    patiently(async {
        while broker.refused(Reason::Packet) < 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(broker.refused(Reason::Packet), 1, "what was no connection yet is not counted");
    drop(silent);
    broker.stop().await;
}

#[tokio::test]
async fn the_newest_connection_of_a_machine_wins() {
    let broker = broker().await;
    let mut last = None;
    for _ in 0..100 {
        let older = last.replace(Client::machine(&broker, "tm-01").await);
        if let Some(older) = older {
            older.closed().await;
        }
    }
    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Events)).await, Ok(true));
    let mut newest = last.unwrap();
    newest.publish(&topic("tm-01", Kind::Events), false, b"me").await.unwrap();
    assert_eq!(service.message().await.1, b"me");
    broker.stop().await;
}

#[tokio::test]
async fn there_is_room_for_so_many_clients() {
    let settings = BrokerSettings { connections_max: 2, ..anywhere() };
    let broker = Broker::start(settings, Arc::new(Doorkeeper)).await.unwrap();
    let first = Client::machine(&broker, "tm-01").await;
    let _second = Client::machine(&broker, "tm-02").await;
    let third = || Client::open(options(broker.local_addr(), "tm-03", "tm-03", "tm-03"));
    assert_eq!(third().await.map(|_| ()), Err(ConnectReturnCode::ServiceUnavailable));
    first.leave().await;
    patiently(async { while third().await.is_err() {} }).await;
    broker.stop().await;
}

#[tokio::test]
async fn messages_for_a_subscriber_that_does_not_read_are_bounded() {
    let settings = BrokerSettings { backlog_bytes_max: 256 * 1024, ..anywhere() };
    let broker = Broker::start(settings, Arc::new(Doorkeeper)).await.unwrap();
    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Readings)).await, Ok(true));
    let mut machine = Client::machine(&broker, "tm-01").await;
    let readings = topic("tm-01", Kind::Readings);
    let mut sent = 0_u64;
    while broker.refused(Reason::Behind) == 0 {
        assert!(sent < 10_000, "sockets and the window hold less than that");
        machine.publish(&readings, false, &[0; 20_000]).await.unwrap();
        sent += 1;
    }
    for _ in 0..sent - broker.refused(Reason::Behind) {
        assert_eq!(service.message().await.1.len(), 20_000);
    }
    // More than the bound in all, but never at once.
    for number in 0..20 {
        machine.publish(&readings, false, &[number; 20_000]).await.unwrap();
        assert_eq!(service.message().await.1, [number; 20_000]);
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_burst_waits_for_its_subscriber() {
    let broker = broker().await;
    let mut service = Client::service(&broker, "ingest").await;
    assert_eq!(service.subscribe(&filter_all(Kind::Readings)).await, Ok(true));
    let mut machine = Client::machine(&broker, "tm-01").await;
    let readings = topic("tm-01", Kind::Readings);
    for number in 0..3_000_u32 {
        machine.publish(&readings, false, &number.to_be_bytes()).await.unwrap();
    }
    for number in 0..3_000_u32 {
        assert_eq!(service.message().await.1, number.to_be_bytes());
    }
    assert_eq!(broker.refused(Reason::Behind), 0);
    broker.stop().await;
}
