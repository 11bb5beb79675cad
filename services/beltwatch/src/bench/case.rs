//! One load against one target.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use domain::ids::{MachineId, SiteId};
use domain::log::Lane;
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use ingest::counters::Counters;
use store::fact::{Fact, FactKind};
use store::journal::{Journal, Slice};
use store::ledger::Ledger;
use store::registry::{Machine, Site};
use store::sqlite::{SqliteJournal, SqliteLedger, SqliteTelemetry};
use wire::keys::MasterKey;

use super::IngestSettings;
use super::cost::{self, Spent};
use super::fleet::{Fleet, LoadSettings, Order};
use super::floor::Floor;
use super::report::{Figures, HalfLoad, Ingest, Percentiles};
use crate::config::Config;
use crate::serve::Server;

/// Slices of the journal that are written once more to know their size.
const SAMPLE_SLICES: usize = 10_000;
/// Fewer slices say nothing about a size.
const SAMPLE_SLICES_LEAST: usize = 1_000;

/// Measures the floor.
pub(super) async fn floor(settings: &IngestSettings, machines: &[MachineId]) -> anyhow::Result<Figures> {
    cost::forget_memory();
    let master = MasterKey::generate().context("no random octets")?;
    let floor = Floor::start(machines, &master).await?;
    let fleet = Fleet::start(load(settings, machines, floor.broker(), master)).await?;
    let figures = full_load(&fleet, settings).await?;
    fleet.drain().await?;
    fleet.stop().await?;
    let dropped = floor.dropped();
    floor.stop().await?;
    ensure!(dropped == 0, "the broker dropped {dropped} messages: the floor means nothing");
    Ok(figures)
}

/// Measures the ingest in a new folder.
pub(super) async fn ingest(
    settings: &IngestSettings,
    machines: &[MachineId],
    folder: &Path,
) -> anyhow::Result<Ingest> {
    cost::forget_memory();
    register(folder, machines).await?;
    let server = Server::start(&config(folder)).await?;
    let broker: SocketAddr = server.broker_address().parse().context("the broker's address")?;
    let fleet = Fleet::start(load(settings, machines, broker, server.master().clone())).await?;
    let (spent, before) = (Spent::now(), server.ingest().counters());
    let full = full_load(&fleet, settings).await?;
    let (passed, after) = (Spent::now().passed(&spent).as_secs_f64(), server.ingest().counters());
    let journal = server.stores().journal.clone();
    let sample = sample(&*journal).await?;
    drop(journal);
    fleet.drain().await?;
    let half = half_load(&fleet, settings, machines.len(), full.readings_per_second / 2.0).await?;
    fleet.drain().await?;
    let made = fleet.tally().made;
    fleet.stop().await?;
    let stores = server.stores().clone();
    let ended = server.stop().await?;
    let stored = stores.telemetry.counts(None).await?;
    drop(stores);
    let commits = count(after.commits - before.commits);
    let committed = count(records(&after) - records(&before));
    let kept = stored.readings + stored.events;
    Ok(Ingest {
        full,
        half,
        commits_per_second: commits / passed,
        records_per_commit: committed / commits.max(1.0),
        commit_wait_mean_ms: count(after.commit_wait_us - before.commit_wait_us) / 1e3 / commits.max(1.0),
        journal_bytes_per_reading: journal_bytes(folder, sample, committed / commits.max(1.0)).await?,
        telemetry_bytes_per_reading: telemetry_bytes(folder)? / count(stored.readings).max(1.0),
        readings_stored: stored.readings,
        events_stored: stored.events,
        records_lost: made.iter().sum::<u64>().saturating_sub(kept),
        duplicates_applied: ended.duplicates_applied,
        messages_deferred: ended.deferred,
        acks_dropped: ended.acks_dropped,
    })
}

fn load(
    settings: &IngestSettings,
    machines: &[MachineId],
    broker: SocketAddr,
    master: MasterKey,
) -> LoadSettings {
    let readings_per_envelope = settings.readings_per_envelope;
    LoadSettings { machines: machines.to_vec(), readings_per_envelope, broker, master }
}

fn config(folder: &Path) -> Config {
    let mut config = Config { folder: folder.to_owned(), ..Config::default() };
    config.api.listen.set_port(0);
    config.broker.listen.set_port(0);
    config
}

/// Registers the machines straight in the ledger, before the server opens it.
async fn register(folder: &Path, machines: &[MachineId]) -> anyhow::Result<()> {
    let ledger = SqliteLedger::open(folder)?;
    let created = UnixMicros(0);
    let add = async |kind| {
        let fact = Fact { time: created, author: "bench".to_owned(), request_id: None, kind };
        ledger.add_fact(fact).await
    };
    let site = SiteId::new("bench").expect("it is an id");
    let time_zone = "Etc/UTC".to_owned();
    add(FactKind::SiteCreated(Site {
        id: site.clone(),
        display_name: "Bench".to_owned(),
        time_zone,
        created,
        history: Default::default(),
    }))
    .await?;
    for id in machines {
        let machine = Machine {
            id: id.clone(),
            site: site.clone(),
            display_name: id.to_string(),
            model: String::new(),
            belt: BeltKind::Reversible,
            drive: DriveKind::Motor,
            key_generation: 1,
            created,
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        };
        add(FactKind::MachineCreated(machine)).await?;
    }
    Ok(())
}

/// All windows full, measured after a while.
async fn full_load(fleet: &Fleet, settings: &IngestSettings) -> anyhow::Result<Figures> {
    fleet.order(Order::Fill);
    fleet.run_for(settings.warm_up).await?;
    let begin = |fleet: &Fleet| {
        let mut tally = fleet.tally();
        (
            tally.take_times(),
            tally.envelopes,
            tally.records,
            tally.resent,
            tally.octets_sent,
            tally.envelopes_sent,
        )
    };
    let (_, envelopes, records, resent, octets, sent) = begin(fleet);
    let before = Spent::now();
    fleet.run_for(settings.time).await?;
    let after = Spent::now();
    let (times, envelopes_after, records_after, resent_after, octets_after, sent_after) = begin(fleet);
    ensure!(fleet.tally().conflicts == 0, "an ack speaks of records that were never sent");
    let readings = count(records_after[Lane::Readings.index()] - records[Lane::Readings.index()]);
    let messages = count(envelopes_after.iter().sum::<u64>() - envelopes.iter().sum::<u64>());
    let seconds = after.passed(&before).as_secs_f64();
    Ok(Figures {
        messages_per_second: messages / seconds,
        readings_per_second: readings / seconds,
        message_bytes: count(octets_after - octets) / count(sent_after - sent).max(1.0),
        readings_ack: Percentiles::of(&times[Lane::Readings.index()]),
        events_ack: Percentiles::of(&times[Lane::Events.index()]),
        processor_seconds_per_million_readings: after.per_million(&before, readings),
        processors_used: after.used(&before),
        memory_max_mib: cost::memory_mib(),
        written_bytes_per_reading: count(after.disk_bytes(&before)) / readings.max(1.0),
        messages_resent: resent_after - resent,
    })
}

/// So many readings a second, of all machines together.
async fn half_load(
    fleet: &Fleet,
    settings: &IngestSettings,
    machines: usize,
    readings_per_second: f64,
) -> anyhow::Result<HalfLoad> {
    let envelopes_per_second = readings_per_second / count(settings.readings_per_envelope as u64);
    fleet.order(Order::Pace(envelopes_per_second / count(machines as u64)));
    fleet.run_for(settings.warm_up).await?;
    let before = Spent::now();
    let records = {
        let mut tally = fleet.tally();
        tally.take_times();
        tally.records
    };
    fleet.run_for(settings.time).await?;
    let after = Spent::now();
    let (times, records_after) = {
        let mut tally = fleet.tally();
        (tally.take_times(), tally.records)
    };
    let seconds = after.passed(&before).as_secs_f64();
    let rate = |lane: Lane| count(records_after[lane.index()] - records[lane.index()]) / seconds;
    Ok(HalfLoad {
        readings_per_second: rate(Lane::Readings),
        events_per_second: rate(Lane::Events),
        processors_used: after.used(&before),
        events_ack: Percentiles::of(&times[Lane::Events.index()]),
        readings_ack: Percentiles::of(&times[Lane::Readings.index()]),
    })
}

fn records(counters: &Counters) -> u64 {
    counters.readings_committed + counters.events_committed
}

/// The newest slices of the journal.
async fn sample(journal: &dyn Journal) -> anyhow::Result<Vec<Slice>> {
    let span = journal.span().await?;
    let after = span.trimmed.max(span.last.saturating_sub(SAMPLE_SLICES as u64));
    let slices = journal.read(after, SAMPLE_SLICES).await?;
    Ok(slices.into_iter().map(|(_, slice)| slice).collect())
}

/// Octets that a reading takes in the journal: a sample of it is written once more, in groups of the same size.
async fn journal_bytes(
    folder: &Path,
    sample: Vec<Slice>,
    records_per_commit: f64,
) -> anyhow::Result<Option<f64>> {
    if sample.len() < SAMPLE_SLICES_LEAST {
        return Ok(None);
    }
    let readings = sample.iter().filter(|slice| slice.lane == Lane::Readings);
    let readings: u64 = readings.map(|slice| u64::from(slice.records)).sum();
    let folder = folder.join("sample");
    let journal = SqliteJournal::open(&folder)?;
    let mut group: Vec<Slice> = Vec::new();
    let last = sample.len() - 1;
    for (number, slice) in sample.into_iter().enumerate() {
        group.push(slice);
        let records: u64 = group.iter().map(|slice| u64::from(slice.records)).sum();
        if count(records) >= records_per_commit || number == last {
            let slices: Arc<[Slice]> = std::mem::take(&mut group).into();
            journal.append(slices).await?;
        }
    }
    // Closed, its log is in its file.
    drop(journal);
    Ok(Some(count(cost::file_bytes(&folder, "journal.db")?) / count(readings).max(1.0)))
}

/// Octets of the telemetry's file. Opened and closed once more, its log is in it.
fn telemetry_bytes(folder: &Path) -> anyhow::Result<f64> {
    drop(SqliteTelemetry::open(folder)?);
    Ok(count(cost::file_bytes(folder, "telemetry.db")?))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a short run, for people")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}
