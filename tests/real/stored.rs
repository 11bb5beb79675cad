//! What the server tells of one machine, by the public API alone; and what it should tell of a record.

use anyhow::{Context, bail};
use beltwatch::client::Identity;
use beltwatch::operator;
use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::log::{Lane, Position};
use domain::record::{Event, Payload, Reading, Record};
use domain::units::{Incline, Speed};
use tonic::transport::Channel;
use wire::api::v1;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;

/// Small enough that a machine takes several pages.
const PAGE: i32 = 700;

/// A record as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    /// Its log's identity.
    pub(crate) log: String,
    /// Its place in that log.
    pub(crate) position: Position,
    /// Its event time, in microseconds since 1970.
    pub(crate) unix_us: i64,
    /// How far that may be off, in microseconds.
    pub(crate) uncertainty_us: i64,
    /// What it says.
    pub(crate) said: Said,
}

/// What a listed record says, without its place and time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// Of the events lane.
    Event(v1::Event),
    /// Of the readings lane.
    Reading(v1::Reading),
}

impl Said {
    /// The lane it came by.
    pub(crate) fn lane(&self) -> Lane {
        match self {
            Said::Event(_) => Lane::Events,
            Said::Reading(_) => Lane::Readings,
        }
    }
}

/// Everything that is listed of a machine.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Its records, as they came.
    pub(crate) records: Vec<Stored>,
    /// Records that the server knows to be lost.
    pub(crate) lost: u64,
}

/// The secret with which the operator of the server at this address calls it.
pub(crate) fn operator_secret(url: &str) -> anyhow::Result<String> {
    let port = url.rsplit_once(':').context("the address has no port")?.1.trim_end_matches('/').parse()?;
    operator::read(&operator::usual_file(port)).context("the server left no operator's secret")
}

/// Asks for everything of a machine.
pub(crate) async fn list(url: &str, machine: &str) -> anyhow::Result<Listing> {
    let channel = Channel::from_shared(url.to_owned())?.connect().await.context("the API does not answer")?;
    list_through(channel, &operator_secret(url)?, machine).await
}

/// The same through a channel that is there, with the operator's secret.
pub(crate) async fn list_through(channel: Channel, secret: &str, machine: &str) -> anyhow::Result<Listing> {
    let identity = Identity::bearer(secret, None)?;
    let mut telemetry = TelemetryServiceClient::with_interceptor(channel.clone(), identity.clone());
    let mut listing = Listing::default();
    let mut request =
        v1::ListEventsRequest { machine_id: machine.to_owned(), page_size: PAGE, ..Default::default() };
    loop {
        let page = telemetry.list_events(request.clone()).await?.into_inner();
        for event in page.events {
            listing.records.push(stored_event(event)?);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let mut request =
        v1::ListReadingsRequest { machine_id: machine.to_owned(), page_size: PAGE, ..Default::default() };
    loop {
        let page = telemetry.list_readings(request.clone()).await?.into_inner();
        for reading in page.readings {
            listing.records.push(stored_reading(reading)?);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let request = v1::GetMachineRequest { machine_id: machine.to_owned() };
    let mut fleet = FleetServiceClient::with_interceptor(channel, identity);
    let state = fleet.get_machine(request).await?.into_inner().machine;
    listing.lost = state.context("the machine has no state")?.records_lost;
    Ok(listing)
}

fn stored_event(mut event: v1::Event) -> anyhow::Result<Stored> {
    let (log, position) = place(&std::mem::take(&mut event.position))?;
    let time = event.time.take().context("an event has no time")?;
    let uncertainty = event.time_uncertainty.take().context("an event has no uncertainty")?;
    let unix_us = micros(time.seconds, time.nanos);
    let uncertainty_us = micros(uncertainty.seconds, uncertainty.nanos);
    Ok(Stored { log, position, unix_us, uncertainty_us, said: Said::Event(event) })
}

fn stored_reading(mut reading: v1::Reading) -> anyhow::Result<Stored> {
    let (log, position) = place(&std::mem::take(&mut reading.position))?;
    let time = reading.time.take().context("a reading has no time")?;
    let uncertainty = reading.time_uncertainty.take().context("a reading has no uncertainty")?;
    let unix_us = micros(time.seconds, time.nanos);
    let uncertainty_us = micros(uncertainty.seconds, uncertainty.nanos);
    Ok(Stored { log, position, unix_us, uncertainty_us, said: Said::Reading(reading) })
}

fn micros(seconds: i64, nanos: i32) -> i64 {
    seconds * 1_000_000 + i64::from(nanos) / 1_000
}

/// `log/boot/n`
fn place(text: &str) -> anyhow::Result<(String, Position)> {
    let mut parts = text.split('/');
    let (Some(log), Some(boot), Some(n), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        bail!("\"{text}\" is no position");
    };
    let boot = boot.parse().with_context(|| format!("\"{text}\": boot"))?;
    let n = n.parse().with_context(|| format!("\"{text}\": number"))?;
    Ok((log.to_owned(), Position::new(boot, n)))
}

/// What the API should say of a record of a machine whose belt runs both ways; `None`: the history does not hold
/// recordings.
pub(crate) fn expected(record: &Record) -> Option<Said> {
    match &record.payload {
        Payload::Event(event) => Some(Said::Event(expected_event(event))),
        Payload::Reading(reading) => Some(Said::Reading(expected_reading(reading))),
        Payload::Recording(_) | Payload::Commissioning(_) => None,
    }
}

fn expected_event(event: &Event) -> v1::Event {
    v1::Event {
        kind: event.kind.name().to_owned(),
        contact: event.contact.map(|contact| contact.name().to_owned()).unwrap_or_default(),
        at: Some(belt(&event.belt)),
        before: Some(belt(&event.before)),
        source: event.source.clone(),
        count: event.count,
        detail: event.detail.clone(),
        ..Default::default()
    }
}

fn expected_reading(reading: &Reading) -> v1::Reading {
    let length = |millis: u32| std::time::Duration::from_millis(u64::from(millis)).try_into().ok();
    v1::Reading {
        span: length(reading.span_ms),
        holds_for: length(reading.holds_for_ms),
        direction: direction(reading.direction).into(),
        origin: origin(reading.origin).into(),
        speed_mean_mps: reading.speed.map(|speed| metres(speed.mean)),
        speed_min_mps: reading.speed.map(|speed| metres(speed.min)),
        speed_max_mps: reading.speed.map(|speed| metres(speed.max)),
        incline_percent: reading.incline.map(percent),
        contacts: Some(contacts(reading.contacts)),
        elapsed_s: reading.extra.elapsed_s,
        distance_m: reading.extra.distance_m,
        steps: reading.extra.steps,
        ..Default::default()
    }
}

fn belt(belt: &Belt) -> v1::Belt {
    v1::Belt {
        direction: direction(belt.direction).into(),
        origin: origin(belt.origin).into(),
        speed_mps: belt.speed.map(metres),
        incline_percent: belt.incline.map(percent),
        contacts: Some(contacts(belt.contacts)),
    }
}

fn metres(speed: Speed) -> f64 {
    f64::from(speed.0) / 1_000.0
}

fn percent(incline: Incline) -> f64 {
    f64::from(incline.0) / 10.0
}

fn direction(direction: Direction) -> v1::Direction {
    match direction {
        Direction::Forward => v1::Direction::Forward,
        Direction::Reverse => v1::Direction::Reverse,
        Direction::Stopped => v1::Direction::Stopped,
        Direction::Unknown => v1::Direction::Unknown,
    }
}

fn origin(origin: Origin) -> v1::DirectionOrigin {
    match origin {
        Origin::Measured => v1::DirectionOrigin::Measured,
        Origin::Declared => v1::DirectionOrigin::Declared,
        Origin::Unknown => v1::DirectionOrigin::Unknown,
    }
}

fn contacts(contacts: Contacts) -> v1::Contacts {
    let state = |contact: Contact| -> i32 {
        let (closed, open) = (contacts.closed & contact.bit() != 0, contacts.open & contact.bit() != 0);
        let state = match (closed, open) {
            (true, true) => v1::ContactState::Both,
            (true, false) => v1::ContactState::Closed,
            (false, true) => v1::ContactState::Open,
            (false, false) => v1::ContactState::Unknown,
        };
        state.into()
    };
    v1::Contacts {
        emergency_stop: state(Contact::EmergencyStop),
        safety_key: state(Contact::SafetyKey),
        machine_power: state(Contact::MachinePower),
        hand_rail: state(Contact::HandRail),
        user_presence: state(Contact::UserPresence),
    }
}
