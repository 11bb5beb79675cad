//! Who is let in, and who may say and hear what: each is tried, and it is watched where it arrives.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use domain::ids::MachineId;
use rustls::ClientConfig;
use wire::topics::{Kind, Topic, filter_all};

use super::client::{self, Client, Wish, refused};
use super::stage::Stage;
use super::table::Table;
use crate::report;

/// `tm-01` tries what it may and may not; `tm-02` is another machine.
const OWN: &str = "tm-01";
const OTHER: &str = "tm-02";
const EVENTS_USER: &str = "Beltwatch-ingest-events";
const READINGS_USER: &str = "Beltwatch-ingest-readings";

pub(super) async fn run(stage: &mut Stage) -> anyhow::Result<()> {
    report("who is let in");
    connect(stage).await?;
    let mut cast = Cast::gather(stage).await?;
    report("what a machine publishes, and who hears it");
    publish(&mut cast).await?;
    report("what a machine subscribes to, and what it hears then");
    subscribe(&mut cast).await?;
    report("what the server may");
    server(&mut cast).await?;
    report("what a machine leaves as its will, and who hears it");
    wills(stage, cast).await
}

fn topic(machine: &str, kind: Kind) -> String {
    Topic::new(MachineId::new(machine).expect("an id"), kind).to_string()
}

/// The topic with another partition than the machine's.
fn astray(machine: &str, kind: Kind) -> String {
    let right = topic(machine, kind);
    let other = if right.contains("/63/") { "/62/" } else { "/63/" };
    let partition = right.split('/').nth(2).map(|partition| format!("/{partition}/"));
    right.replacen(&partition.expect("a topic has one"), other, 1)
}

async fn connect(stage: &Stage) -> anyhow::Result<()> {
    let mut table = Table::default();
    let other_machine = Client::open(stage.broker_port, &stage.credential(OTHER)?, Wish::default()).await?;
    let rows: [(&str, Arc<ClientConfig>, &str, &str); 10] = [
        ("its own certificate", stage.credential(OWN)?, OWN, "let in"),
        ("its own certificate, without a client id", stage.credential(OWN)?, "", "let in"),
        ("its own certificate, with another machine's client id", stage.credential(OWN)?, OTHER, "let in"),
        ("no certificate", client::tls(&stage.roots()?, None), OWN, "refused by TLS"),
        ("a certificate of another authority", stage.foreign(OWN)?, OWN, "refused by TLS"),
        (
            "a certificate of another authority for the server's name",
            stage.foreign(EVENTS_USER)?,
            "",
            "refused by TLS",
        ),
        ("a certificate that has expired", stage.signed(OWN, 91)?, OWN, "refused by TLS"),
        ("the broker's own certificate", stage.brokers_own()?, "beltwatch", "refused by TLS"),
        ("the server's certificate for events", stage.signed(EVENTS_USER, 0)?, EVENTS_USER, "let in"),
        ("the server's certificate for readings", stage.signed(READINGS_USER, 0)?, READINGS_USER, "let in"),
    ];
    for (done, tls, client_id, expected) in rows {
        let seen = match Client::open(stage.broker_port, &tls, Wish { client_id, will: None }).await {
            Ok(_) => "let in",
            Err(error) => refused(&error),
        };
        table.row(done, expected, seen);
    }
    // Pushed out, it would not answer any more.
    let mut other_machine = other_machine;
    let seen = if other_machine.so_far().await.is_ok() { "stays" } else { "pushed out" };
    table.row("the other machine, whose client id was taken", "stays", seen);
    table.end()
}

/// Everybody who can hear something.
struct Cast {
    own: Client,
    other: Client,
    events: Client,
    readings: Client,
    fences: u32,
}

impl Cast {
    async fn gather(stage: &Stage) -> anyhow::Result<Cast> {
        let open = async |tls| Client::open(stage.broker_port, &tls, Wish::default()).await;
        let mut cast = Cast {
            own: open(stage.credential(OWN)?).await?,
            other: open(stage.credential(OTHER)?).await?,
            events: open(stage.signed(EVENTS_USER, 0)?).await?,
            readings: open(stage.signed(READINGS_USER, 0)?).await?,
            fences: 0,
        };
        cast.own.subscribe(&topic(OWN, Kind::Ack)).await?;
        cast.other.subscribe(&topic(OTHER, Kind::Ack)).await?;
        cast.events.subscribe(&filter_all(Kind::Events)).await?;
        cast.events.subscribe(&filter_all(Kind::Status)).await?;
        cast.readings.subscribe(&filter_all(Kind::Readings)).await?;
        Ok(cast)
    }

    /// Everything that was said before is heard by now by whoever hears it: who heard it.
    async fn heard(&mut self, payload: &str) -> anyhow::Result<String> {
        self.fences += 1;
        let fence = format!("fence {}", self.fences);
        self.other.publish(&topic(OTHER, Kind::Events), false, &fence).await?;
        self.other.publish(&topic(OTHER, Kind::Readings), false, &fence).await?;
        self.events.publish(&topic(OWN, Kind::Ack), false, &fence).await?;
        self.events.publish(&topic(OTHER, Kind::Ack), false, &fence).await?;
        let mut heard = Vec::new();
        for (name, listener) in [
            ("server (events)", &mut self.events),
            ("server (readings)", &mut self.readings),
            ("itself", &mut self.own),
            ("another machine", &mut self.other),
        ] {
            let messages = listener.until(&fence).await?;
            if messages.iter().any(|(_, came)| came == payload.as_bytes()) {
                heard.push(name);
            }
        }
        Ok(if heard.is_empty() { "nobody".to_owned() } else { heard.join(", ") })
    }

    /// The topics of which whoever comes new hears at once: `machine/kind` with their partition.
    async fn retained(&mut self) -> anyhow::Result<String> {
        self.events.so_far().await?;
        // Asked for again, they are said again.
        self.events.subscribe(&filter_all(Kind::Events)).await?;
        self.events.subscribe(&filter_all(Kind::Status)).await?;
        let messages = self.events.so_far().await?;
        Ok(listed(messages.into_iter().map(|(topic, _)| topic)))
    }
}

/// Topics, each once and in order.
fn listed(topics: impl IntoIterator<Item = String>) -> String {
    let topics: BTreeSet<String> =
        topics.into_iter().map(|topic| topic.replacen("beltwatch/v1/", "", 1)).collect();
    topics.into_iter().collect::<Vec<_>>().join(", ")
}

async fn publish(cast: &mut Cast) -> anyhow::Result<()> {
    let mut table = Table::default();
    let rows = [
        ("events of its own", topic(OWN, Kind::Events), false, "server (events)"),
        ("status of its own", topic(OWN, Kind::Status), false, "server (events)"),
        ("status of its own, retained", topic(OWN, Kind::Status), true, "server (events)"),
        ("readings of its own", topic(OWN, Kind::Readings), false, "server (readings)"),
        // No broker setting forbids it: three topics of its own at most, and the ingest takes nothing twice.
        ("events of its own, retained", topic(OWN, Kind::Events), true, "server (events)"),
        ("its own ack", topic(OWN, Kind::Ack), false, "nobody"),
        ("events of its own in another partition", astray(OWN, Kind::Events), false, "nobody"),
        ("events of its own in another partition, retained", astray(OWN, Kind::Events), true, "nobody"),
        ("events of another machine", topic(OTHER, Kind::Events), false, "nobody"),
        ("readings of another machine", topic(OTHER, Kind::Readings), false, "nobody"),
        ("status of another machine, retained", topic(OTHER, Kind::Status), true, "nobody"),
        ("ack of another machine", topic(OTHER, Kind::Ack), false, "nobody"),
        ("events of a machine that is not registered", topic("tm-99", Kind::Events), false, "nobody"),
    ];
    for (number, (done, topic, retain, expected)) in rows.into_iter().enumerate() {
        let payload = format!("said {number}");
        cast.own.publish(&topic, retain, &payload).await.with_context(|| done.to_owned())?;
        table.row(done, expected, &cast.heard(&payload).await?);
    }
    let expected = listed([topic(OWN, Kind::Events), topic(OWN, Kind::Status)]);
    table.row("what is retained of it", &expected, &cast.retained().await?);
    table.end()
}

async fn subscribe(cast: &mut Cast) -> anyhow::Result<()> {
    let mut table = Table::default();
    let nothing = "granted, hears nothing";
    let ack = topic(OWN, Kind::Ack);
    let rows = [
        ("its own ack", ack.clone(), "granted, hears its own ack"),
        ("its own ack, shared", format!("$share/group/{ack}"), "granted, hears its own ack"),
        // What is not for it is not delivered, whatever is asked for.
        ("everything", "#".to_owned(), "granted, hears its own ack"),
        ("acks of all machines", filter_all(Kind::Ack), "granted, hears its own ack"),
        ("all of Beltwatch", "beltwatch/#".to_owned(), "granted, hears its own ack"),
        ("its own ack in another partition", astray(OWN, Kind::Ack), nothing),
        ("ack of another machine", topic(OTHER, Kind::Ack), nothing),
        ("ack of another machine, shared", format!("$share/group/{}", topic(OTHER, Kind::Ack)), nothing),
        ("events of its own", topic(OWN, Kind::Events), nothing),
        ("events of all machines", filter_all(Kind::Events), nothing),
        ("events of all machines, shared", format!("$share/group/{}", filter_all(Kind::Events)), nothing),
        ("readings of all machines", filter_all(Kind::Readings), nothing),
        ("status of all machines, also retained", filter_all(Kind::Status), nothing),
        ("the broker's own figures", "$SYS/#".to_owned(), nothing),
    ];
    cast.own.unsubscribe(&ack).await?;
    for (done, filter, expected) in rows {
        cast.own.so_far().await?;
        let is_granted = cast.own.subscribe(&filter).await.with_context(|| done.to_owned())?;
        for kind in [Kind::Events, Kind::Readings, Kind::Status] {
            cast.other.publish(&topic(OTHER, kind), kind == Kind::Status, "for the server").await?;
            cast.own.publish(&topic(OWN, kind), false, "for the server").await?;
        }
        for machine in [OWN, OTHER] {
            cast.events.publish(&topic(machine, Kind::Ack), false, "for a machine").await?;
        }
        let mut heard: Vec<String> = cast
            .own
            .so_far()
            .await?
            .into_iter()
            .map(|(topic, _)| topic.replace(&ack, "its own ack"))
            .collect();
        heard.sort();
        heard.dedup();
        let heard = if heard.is_empty() { "nothing".to_owned() } else { heard.join(", ") };
        let granted = if is_granted { "granted" } else { "refused" };
        table.row(done, expected, &format!("{granted}, hears {heard}"));
        cast.own.unsubscribe(&filter).await?;
    }
    cast.own.subscribe(&ack).await?;
    table.end()
}

async fn server(cast: &mut Cast) -> anyhow::Result<()> {
    let mut table = Table::default();
    let rows = [
        ("ack of a machine, by the connection for events", false, topic(OWN, Kind::Ack), "itself"),
        (
            "ack of another machine, by the connection for events",
            false,
            topic(OTHER, Kind::Ack),
            "another machine",
        ),
        ("events of a machine, by the connection for events", false, topic(OWN, Kind::Events), "nobody"),
        ("status of a machine, by the connection for events", false, topic(OWN, Kind::Status), "nobody"),
        ("ack of a machine, by the connection for readings", true, topic(OWN, Kind::Ack), "nobody"),
        ("readings of a machine, by the connection for readings", true, topic(OWN, Kind::Readings), "nobody"),
    ];
    for (number, (done, by_readings, topic, expected)) in rows.into_iter().enumerate() {
        let payload = format!("served {number}");
        let speaker = if by_readings { &mut cast.readings } else { &mut cast.events };
        speaker.publish(&topic, false, &payload).await.with_context(|| done.to_owned())?;
        table.row(done, expected, &cast.heard(&payload).await?);
    }
    // The connection for readings asks for more than is its own.
    let is_granted = cast.readings.subscribe("#").await?;
    cast.own.publish(&topic(OWN, Kind::Events), false, "an event").await?;
    let heard = cast.heard("an event").await?;
    let granted = if is_granted { "granted" } else { "refused" };
    let expected = "granted; an event is heard by server (events)";
    table.row(
        "everything, by the connection for readings",
        expected,
        &format!("{granted}; an event is heard by {heard}"),
    );
    cast.readings.unsubscribe("#").await?;
    table.end()
}

async fn wills(stage: &Stage, mut cast: Cast) -> anyhow::Result<()> {
    let mut table = Table::default();
    let rows = [
        ("on its own status", topic(OWN, Kind::Status), "server (events)"),
        // A will is taken from everybody; whether it may be said is asked when it would be.
        ("on the status of another machine", topic(OTHER, Kind::Status), "nobody"),
        ("on the events of another machine", topic(OTHER, Kind::Events), "nobody"),
        ("on the ack of another machine", topic(OTHER, Kind::Ack), "nobody"),
        ("on its own ack", topic(OWN, Kind::Ack), "nobody"),
        ("on its own status in another partition", astray(OWN, Kind::Status), "nobody"),
    ];
    let tls = stage.credential(OWN)?;
    for (done, topic, expected) in rows {
        let seen =
            match Client::open(stage.broker_port, &tls, Wish { client_id: OWN, will: Some(&topic) }).await {
                Err(error) => refused(&error).to_owned(),
                Ok(leaving) => {
                    leaving.vanish();
                    // It has this machine's only place: who comes next is let in when the will was said.
                    cast.own = Client::open(stage.broker_port, &tls, Wish::default()).await?;
                    cast.own.subscribe(&self::topic(OWN, Kind::Ack)).await?;
                    cast.heard("will").await?
                }
            };
        table.row(done, expected, &seen);
    }
    // The other machine left a status of its own before.
    let expected = listed([topic(OWN, Kind::Events), topic(OWN, Kind::Status), topic(OTHER, Kind::Status)]);
    table.row("what is retained of it, and from before", &expected, &cast.retained().await?);
    table.end()
}
