//! The day of `docs/usage.md`: its readings through the machine mind into the server, its tables out of the API.

use anyhow::{Context, ensure};
use domain::belt::{Direction, Origin};
use domain::ids::{LogId, MachineId, SiteId};
use domain::incident::settings::{MachineSettings, Timeline};
use domain::log::Position;
use domain::machine::{MachineFold, MachineMind};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::registry::{BeltKind, DriveKind};
use domain::signal::Capabilities;
use domain::units::{Incline, MonotonicMicros, Speed, UnixMicros};
use harness::service::Service;
use store::fact::{Fact, FactKind};
use store::ledger::Derived;
use store::registry::{History, Machine};
use wire::api::v1;

const SECOND_US: i64 = 1_000_000;
/// 2026-10-01, when the machine was registered.
const REGISTERED: UnixMicros = UnixMicros(1_790_812_800 * SECOND_US);

/// The rows of the tables of a document, their heads left out.
fn tables(document: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut within = false;
    for line in document.lines() {
        let is_row = line.starts_with('|');
        if is_row && !within {
            tables.push(Vec::new());
        }
        within = is_row;
        if let Some(table) = tables.last_mut().filter(|_| is_row) {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            table.push(cells.collect());
        }
    }
    tables.iter().map(|table| table[2..].to_vec()).collect()
}

fn moment(text: &str) -> anyhow::Result<UnixMicros> {
    let (date, time) = text.split_once(' ').context("a date and a time")?;
    let mut days = date.splitn(3, '-').map(str::parse::<i64>);
    let mut next = || days.next().context("a date")?.map_err(anyhow::Error::from);
    ensure!((next()?, next()?) == (2026, 10), "{text}: October 2026");
    let day = next()?;
    let seconds: i64 =
        time.split(':').map(str::parse::<i64>).try_fold(0, |sum, part| anyhow::Ok(sum * 60 + part?))?;
    Ok(REGISTERED.plus(((day - 1) * 86_400 + seconds) * SECOND_US))
}

/// Readings of at most 60 s for a row of the first table.
fn readings(row: &[String]) -> anyhow::Result<Vec<(UnixMicros, Reading)>> {
    let (from, until) = (moment(&row[0])?, moment(&row[1])?);
    let direction = match row[2].as_str() {
        "forward" => Direction::Forward,
        "reverse" => Direction::Reverse,
        "stopped" => Direction::Stopped,
        "unknown" => Direction::Unknown,
        other => anyhow::bail!("{other} is no direction"),
    };
    let origin = if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured };
    let mm_s = row[3].parse::<f64>()? * 1_000.0;
    let speed = Speed(format!("{mm_s:.0}").parse()?);
    let incline = Incline(row[4].parse::<i32>()? * 10);
    let mut all = Vec::new();
    let mut ended = from;
    while ended < until {
        let span_us = until.since(ended).min(60 * SECOND_US);
        ended = ended.plus(span_us);
        let reading = Reading {
            span_ms: u32::try_from(span_us / 1_000)?,
            direction,
            origin,
            speed: Some(SpeedSummary { mean: speed, min: speed, max: speed, ..SpeedSummary::default() }),
            incline: Some(incline),
            ..Reading::default()
        };
        all.push((ended, reading));
    }
    Ok(all)
}

/// What the server derives of the day.
fn derived(machine: &MachineId, rows: &[Vec<String>]) -> anyhow::Result<Derived> {
    let mut mind = MachineMind::new(machine.clone(), MachineFold::default());
    mind.obey(std::sync::Arc::new(Timeline::always(MachineSettings {
        belt: BeltKind::Reversible,
        direction_proven: true,
        ..MachineSettings::default()
    })));
    let mut events =
        Event::new(EventKind::AgentStarted, MonotonicMicros(0), Default::default(), Default::default());
    let able = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::INCLINE);
    events.capabilities = Some(able);
    let started = Record { at: MonotonicMicros(0), other_n: 0, payload: Payload::Event(events) };
    let (log, mut derived) = (LogId([7; 16]), Derived::default());
    mind.fold(LogId([6; 16]), Position::new(1, 1), Some(REGISTERED), &started);
    let mut all = Vec::new();
    for row in rows {
        all.extend(readings(row)?);
    }
    for (n, (time, reading)) in (1..).zip(all) {
        let record = Record { at: MonotonicMicros(0), other_n: 1, payload: Payload::Reading(reading) };
        let folded = mind.fold(log, Position::new(1, n), Some(time), &record);
        derived.sessions.extend(folded.sessions);
        derived.usage.extend(folded.usage);
    }
    derived.sessions.extend(mind.open_session());
    derived.usage.extend(mind.open_usage());
    Ok(derived)
}

async fn furnished(rows: &[Vec<String>]) -> anyhow::Result<Service> {
    let service = Service::start().await?;
    let ledger = &service.server().stores().ledger;
    let machine = Machine {
        id: MachineId::new("tm-7")?,
        site: SiteId::new("north")?,
        display_name: String::new(),
        model: String::new(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: REGISTERED,
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: History::default(),
        drills: Vec::new(),
        maintained: None,
    };
    let id = machine.id.clone();
    let kind = FactKind::MachineCreated(machine);
    let author = "user:test".to_owned();
    ledger.add_fact(Fact { time: REGISTERED, author, request_id: None, kind }).await?;
    ledger.put(derived(&id, rows)?).await?;
    Ok(service)
}

fn range() -> Option<v1::DateRange> {
    let (start_date, end_date) = ("2026-10-25".to_owned(), "2026-10-26".to_owned());
    Some(v1::DateRange { start_date, end_date, time_zone: "Europe/Berlin".to_owned() })
}

fn seconds(length: Option<prost_types::Duration>) -> String {
    length.unwrap_or_default().seconds.to_string()
}

fn told(motion: Option<&v1::Motion>) -> [String; 2] {
    let motion = motion.cloned().unwrap_or_default();
    [seconds(motion.observed), format!("{:.0}", motion.distance_m)]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_in_the_document_adds_up() -> anyhow::Result<()> {
    let document = std::fs::read_to_string("../docs/usage.md")?;
    let all = tables(&document);
    let [told_rows, hours, day] = &all[..] else { anyhow::bail!("three tables, not {}", all.len()) };
    let mut service = furnished(told_rows).await?;

    let request = v1::ListUsageRequest {
        range: range(),
        resolution: v1::Resolution::Hour.into(),
        ..v1::ListUsageRequest::default()
    };
    let reply = service.usage().await?.list_usage(request).await?.into_inner();
    let periods = &reply.series[0].periods;
    assert_eq!(periods.len(), 25, "the day has 25 hours");
    let used = periods.iter().filter_map(|period| Some((period, period.usage.as_ref()?)));
    let used =
        used.filter(|(_, usage)| usage.coverage.as_ref().is_some_and(|told| seconds(told.observed) != "0"));
    let row = |(period, usage): (&v1::UsagePeriod, &v1::Usage)| {
        let [forward_s, forward_m] = told(usage.forward.as_ref());
        let [reverse_s, reverse_m] = told(usage.reverse.as_ref());
        let [unknown_s, unknown_m] = told(usage.unknown.as_ref());
        let hour = period.hour.map(|hour| hour.to_string()).unwrap_or_default();
        vec![hour, forward_s, forward_m, reverse_s, reverse_m, unknown_s, unknown_m, seconds(usage.at_rest)]
    };
    let expected: Vec<Vec<String>> = hours
        .iter()
        .map(|row| {
            row.iter().enumerate().filter(|(column, _)| *column != 1).map(|(_, cell)| cell.clone()).collect()
        })
        .collect();
    assert_eq!(used.map(row).collect::<Vec<_>>(), expected);

    let request = v1::GetUsageRequest { range: range(), ..v1::GetUsageRequest::default() };
    let total = service.usage().await?.get_usage(request).await?.into_inner().total.context("a total")?;
    let coverage = total.coverage.context("its coverage")?;
    let of_grade = |grade: v1::Grade| {
        let reverse = |keyed: &&v1::KeyedMotion| keyed.direction() == v1::Direction::Reverse;
        let found = total.keyed.iter().filter(reverse).find(|keyed| keyed.grade() == grade);
        told(found.and_then(|keyed| keyed.motion.as_ref()))
    };
    for row in day {
        let got = match row[0].as_str() {
            "forward" => told(total.forward.as_ref()),
            "reverse" => told(total.reverse.as_ref()),
            "of this level" => of_grade(v1::Grade::Level),
            "of this downhill" => of_grade(v1::Grade::Downhill),
            "unknown" => told(total.unknown.as_ref()),
            "rest" => [seconds(total.at_rest), "0".to_owned()],
            "told of" => [seconds(coverage.observed), String::new()],
            "the day" => [seconds(coverage.asked), String::new()],
            other => anyhow::bail!("what is {other}?"),
        };
        assert_eq!(got[..], row[1..3], "{}", row[0]);
    }
    assert_eq!(seconds(coverage.direction), "5280", "as the text says");

    let request = v1::GetReverseUseRequest { range: range(), ..v1::GetReverseUseRequest::default() };
    let reverse = service.usage().await?.get_reverse_use(request).await?.into_inner();
    let intervals = reverse.intervals.context("intervals")?;
    assert_eq!((intervals.count, intervals.thirty), (4, 3));
    assert_eq!(seconds(intervals.longest), "1200");
    let standing = intervals.recoveries.iter().find(|one| one.kind() == v1::RecoveryKind::Standing);
    let standing = standing.context("standing recoveries")?;
    assert_eq!((standing.count, seconds(standing.mean)), (2, "30".to_owned()));
    service.stop().await
}
