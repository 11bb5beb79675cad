//! The long history in InfluxDB: a body around the minds of `put.rs` and `list.rs`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use async_trait::async_trait;
use domain::ids::MachineId;
use domain::limits;
use domain::log::Lane;
use domain::record::{Event, Payload, Reading, Record};
use domain::units::UnixMicros;
use tokio::sync::Mutex;

use super::InfluxSettings;
use super::client::{Client, RefusedLine};
use super::flux::{self, End};
use super::known::{Aside, Axis, BootKey, Known, LaneKey, Span};
use super::line::{Line, Lines};
use super::list::{Question, Walk};
use super::put::{Look, Plan, TIMES, measurement};
use super::rows::{found, place_in_time, points, sum, times};
use crate::journal::Sequence;
use crate::sqlite::InfluxIndex;
use crate::telemetry::{
    Block, Counts, Damage, Damages, Forgotten, LaneStock, RangeQuery, Stock, Stored, Telemetry,
};
use crate::{StoreError, StoreErrorKind, bounds};

/// How long a stretch one step of forgetting removes: 30 days, in microseconds.
const FORGOTTEN_US_MAX: i64 = 30 * 24 * 3_600 * 1_000_000;
/// All times that a point can have.
const ALWAYS: Span = TIMES;

/// The long history in InfluxDB, and `influxdb.db` in the server's folder.
#[derive(Debug)]
pub struct InfluxTelemetry {
    client: Client,
    buckets: Buckets,
    index: InfluxIndex,
    /// Held for a put and a step of retention. Whether InfluxDB was asked what it knows.
    turn: Mutex<bool>,
    damages: std::sync::Mutex<Damages>,
}

/// Names of the buckets.
#[derive(Debug)]
struct Buckets {
    readings: String,
    events: String,
    rest: String,
}

impl Buckets {
    fn of(&self, lane: Lane, axis: Axis) -> &str {
        match (axis, lane) {
            (Axis::Undated, _) => &self.rest,
            (Axis::Dated, Lane::Events) => &self.events,
            (Axis::Dated, Lane::Readings) => &self.readings,
        }
    }
}

impl InfluxTelemetry {
    /// Opens `influxdb.db` in a folder, or makes it. InfluxDB need not be there yet. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// `Invalid`: the settings can never work; else the file cannot be used.
    pub fn open(settings: &InfluxSettings, folder: &Path) -> Result<InfluxTelemetry, StoreError> {
        let buckets = Buckets {
            readings: settings.readings_bucket(),
            events: settings.events_bucket(),
            rest: settings.bucket.clone(),
        };
        Ok(InfluxTelemetry {
            client: Client::new(settings)?,
            buckets,
            index: InfluxIndex::open(folder)?,
            turn: Mutex::new(false),
            damages: std::sync::Mutex::default(),
        })
    }

    /// Compares what InfluxDB says it was given with what this folder knows of.
    async fn meet(&self) -> Result<(), StoreError> {
        let there = sum(&self.client.query(&flux::puts(&self.buckets.rest)).await?)?;
        let known = self.index.puts().await?;
        if there < known / 2 {
            tracing::error!(
                there,
                known,
                "InfluxDB knows much less than was written to it: it was emptied, restored, or is another one; what it \
                 lacks stays missing"
            );
        }
        if there > known {
            let era = self.index.begin_era(there).await?;
            tracing::warn!(
                era,
                "InfluxDB knows more than this folder, which was restored from an older backup or lost \
                its influxdb.db: what comes is compared with what is there"
            );
        }
        Ok(())
    }

    /// Asks for the latest records of machines that were not asked for since InfluxDB was found to know more.
    async fn catch_up(&self, known: &mut Known, keys: Vec<LaneKey>) -> Result<(), StoreError> {
        let era = known.era;
        if era == 0 {
            return Ok(());
        }
        for key in keys {
            let lane = known.lanes.entry(key.clone()).or_default();
            if lane.era == era {
                continue;
            }
            for axis in Axis::ALL {
                let first = match axis {
                    Axis::Dated => {
                        lane.times.dated.map_or(ALWAYS.first, |known| known.last.saturating_add(1))
                    }
                    // Monotonic times begin anew with every boot.
                    Axis::Undated => ALWAYS.first,
                };
                if first > ALWAYS.last {
                    continue;
                }
                let span = Span { first, last: ALWAYS.last };
                let question = flux::end(self.buckets.of(key.lane, axis), &key, axis, span, End::Last);
                let Some((_, last)) = times(&self.client.query(&question).await?)? else { continue };
                lane.times.add(axis, Span { first: last, last });
                lane.unseen.add(axis, Span { first, last });
            }
            lane.era = era;
        }
        Ok(())
    }

    /// Asks what is there, and tells the plan.
    async fn look(&self, look: &Look, plan: &mut Plan) -> Result<(), StoreError> {
        let Some(span) = self.narrowed(look).await? else { return Ok(()) };
        let bucket = self.buckets.of(look.key.lane, look.axis);
        let mut rest = Span { first: span.first * 1_000, last: span.last * 1_000 + 999 };
        loop {
            let rows = limits::INFLUX_ROWS_READ_MAX;
            let tables = self.client.query(&flux::places(bucket, &look.key, look.axis, rest, rows)).await?;
            let points = points(&tables)?;
            let places: Vec<_> = points
                .iter()
                .filter_map(|point| match found(point) {
                    Ok(found) => Some(found),
                    Err(problem) => {
                        self.damaged(bucket, &look.key.machine, point.0, &problem.to_string());
                        None
                    }
                })
                .collect();
            plan.found(look, &places);
            match points.last() {
                Some((last, _)) if points.len() >= rows && *last < rest.last => rest.first = last + 1,
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// The stretch that matters of the one that is looked at; `None`: none of it.
    async fn narrowed(&self, look: &Look) -> Result<Option<Span>, StoreError> {
        let span = Span { first: look.span.first.max(ALWAYS.first), last: look.span.last.min(ALWAYS.last) };
        if span.first > span.last {
            return Ok(None);
        }
        let Some(numbers) = look.numbers else { return Ok(Some(span)) };
        let bucket = self.buckets.of(look.key.lane, look.axis);
        let question = |end| flux::numbered(bucket, &look.key, look.axis, span, numbers, end);
        let Some((first, _)) = times(&self.client.query(&question(End::First)).await?)? else {
            return Ok(None);
        };
        let last = times(&self.client.query(&question(End::Last)).await?)?.map_or(first, |(_, last)| last);
        Ok(Some(Span { first, last }))
    }

    /// Writes points; what InfluxDB refuses for good comes back.
    async fn write(&self, bucket: &str, lines: &Lines) -> Result<Vec<Aside>, StoreError> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let refused = self.client.write(bucket, lines).await?;
        if let Some(first) = refused.first() {
            if is_about_all(&refused, lines.len()) {
                let why = format!(
                    "InfluxDB refuses {} of {} points for bucket {bucket} ({}): they are kept and tried again",
                    refused.len(),
                    lines.len(),
                    first.reason
                );
                return Err(StoreError::new(StoreErrorKind::Unavailable, why));
            }
            tracing::error!(
                bucket,
                lines = refused.len(),
                reason = first.reason,
                "InfluxDB refuses records for good; they are put aside in influxdb.db"
            );
        }
        Ok(refused.into_iter().map(|line| Aside { reason: line.reason, line: line.line }).collect())
    }

    /// Tells InfluxDB how many puts there were. If it is not told, the next put tells it.
    async fn tell(&self, puts: u64, through: Sequence) {
        let line =
            Line::new(flux::STORE).int(flux::PUTS, puts.cast_signed()).int("through", through.cast_signed());
        if let Err(error) = self.client.write(&self.buckets.rest, &Lines::from_iter([line.at(0)])).await {
            tracing::debug!(%error, "InfluxDB was not told how many puts there were");
        }
    }

    async fn list<T>(
        &self,
        lane: Lane,
        query: &RangeQuery,
        value: fn(Record) -> Option<T>,
    ) -> Result<Vec<Stored<T>>, StoreError> {
        let Some(from) = bounds::range(query)? else {
            return Ok(Vec::new());
        };
        let key = LaneKey { machine: query.machine.clone(), lane };
        let bucket = self.buckets.of(lane, Axis::Dated);
        let mut walk = Walk::new(lane, query, from);
        while let Some(question) = walk.question() {
            match question {
                Question::First(span) => {
                    let question = flux::end(bucket, &key, Axis::Dated, span, End::First);
                    walk.first(times(&self.client.query(&question).await?)?.map(|(first, _)| first));
                }
                Question::Rows(span, max) => {
                    let tables = self.client.query(&flux::rows(bucket, &key, span, max)).await?;
                    let points = points(&tables)?;
                    let last = points.last().filter(|_| points.len() >= max);
                    let cut_at = last.map(|(nanoseconds, _)| place_in_time(*nanoseconds).0);
                    let rows = points.iter().filter_map(|point| self.stored(bucket, &key, point)).collect();
                    walk.rows_are(rows, cut_at);
                }
            }
        }
        let stored = walk.page().into_iter().filter_map(|stored| {
            let Stored { log, position, time, uncertainty_us, value: record } = stored;
            Some(Stored { log, position, time, uncertainty_us, value: value(record)? })
        });
        Ok(stored.collect())
    }

    fn stored(&self, bucket: &str, key: &LaneKey, point: &super::rows::Point<'_>) -> Option<Stored<Record>> {
        let (nanoseconds, fields) = point;
        let told = match key.lane {
            Lane::Events => fields.event(),
            Lane::Readings => fields.reading(),
        };
        match told {
            Ok(told) => Some(Stored {
                log: told.log,
                position: told.position,
                time: UnixMicros(place_in_time(*nanoseconds).0),
                uncertainty_us: told.uncertainty_us,
                value: told.record,
            }),
            Err(problem) => {
                self.damaged(bucket, &key.machine, *nanoseconds, &problem.to_string());
                None
            }
        }
    }

    /// Notes a point that is none of ours, or was changed by somebody.
    fn damaged(&self, bucket: &str, machine: &MachineId, nanoseconds: i64, problem: &str) {
        let reason = format!("the point of {machine} at {nanoseconds} ns cannot be read: {problem}");
        let damage = Damage { file: format!("bucket {bucket}"), offset: None, reason, lost: None };
        let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
        if damages.places.contains(&damage) {
            return;
        }
        if damages.places.len() >= limits::DAMAGES_KEPT_MAX {
            damages.more = damages.more.saturating_add(1);
            return;
        }
        tracing::error!(bucket, reason = damage.reason, "a point in InfluxDB is left out");
        damages.places.push(damage);
    }

    async fn oldest(&self, lane: Lane) -> Result<Option<UnixMicros>, StoreError> {
        let question = flux::oldest(self.buckets.of(lane, Axis::Dated), lane, ALWAYS);
        Ok(times(&self.client.query(&question).await?)?.map(|(oldest, _)| UnixMicros(oldest)))
    }

    async fn count(&self, question: String) -> Result<u64, StoreError> {
        sum(&self.client.query(&question).await?)
    }
}

/// Whether so much is refused that something else is wrong than the points; those that are too old by InfluxDB's own rule
/// are not meant.
fn is_about_all(refused: &[RefusedLine], lines: usize) -> bool {
    let meant = refused.iter().filter(|line| !line.reason.contains("beyond retention policy")).count();
    meant >= limits::INFLUX_LINES_REFUSED_MAX && meant * 2 > lines
}

/// The machines and lanes of blocks, each with its boots.
fn asked(blocks: &[Block]) -> Vec<(LaneKey, Vec<BootKey>)> {
    let mut asked: BTreeMap<LaneKey, Vec<BootKey>> = BTreeMap::new();
    for block in blocks {
        let boots = asked.entry(LaneKey { machine: block.machine.clone(), lane: block.lane }).or_default();
        let boot = (block.log, block.boot_count);
        if !boots.contains(&boot) {
            boots.push(boot);
        }
    }
    asked.into_iter().collect()
}

#[async_trait]
impl Telemetry for InfluxTelemetry {
    /// If InfluxDB fails in between, a part of the points may be there already; writing the same again completes them.
    async fn put(&self, mut blocks: Vec<Block>) -> Result<(), StoreError> {
        blocks.iter().try_for_each(bounds::block)?;
        blocks.retain(|block| !block.records.is_empty());
        let Some(through) = blocks.iter().map(|block| block.sequence).max() else { return Ok(()) };
        let mut has_met = self.turn.lock().await;
        if !*has_met {
            self.meet().await?;
            *has_met = true;
        }
        let asked = asked(&blocks);
        let keys = asked.iter().map(|(key, _)| key.clone()).collect();
        let mut known = self.index.known(asked).await?;
        self.catch_up(&mut known, keys).await?;
        let mut plan = Plan::new(blocks, known);
        for look in plan.looks() {
            self.look(&look, &mut plan).await?;
        }
        for look in plan.further_looks() {
            self.look(&look, &mut plan).await?;
        }
        let written = plan.finish();
        let mut aside = written.aside;
        let Buckets { readings, events, rest } = &self.buckets;
        for (bucket, lines) in
            [(rest, &written.undated), (events, &written.events), (readings, &written.readings)]
        {
            aside.extend(self.write(bucket, lines).await?);
        }
        let puts = self.index.keep(written.known, aside).await?;
        self.tell(puts, through).await;
        Ok(())
    }

    async fn watermark(&self) -> Result<Sequence, StoreError> {
        self.index.watermark().await
    }

    async fn set_watermark(&self, through: Sequence) -> Result<(), StoreError> {
        self.index.set_watermark(through).await
    }

    async fn readings(&self, query: &RangeQuery) -> Result<Vec<Stored<Reading>>, StoreError> {
        let reading = |record: Record| match record.payload {
            Payload::Reading(reading) => Some(reading),
            Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        };
        self.list(Lane::Readings, query, reading).await
    }

    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError> {
        let event = |record: Record| match record.payload {
            Payload::Event(event) => Some(event),
            Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        };
        self.list(Lane::Events, query, event).await
    }

    async fn history(&self, lane: Lane, query: &RangeQuery) -> Result<Vec<Stored<Record>>, StoreError> {
        self.list(lane, query, Some).await
    }

    async fn counts(&self, machine: Option<&MachineId>) -> Result<Counts, StoreError> {
        let dated = |lane| self.count(flux::count(self.buckets.of(lane, Axis::Dated), lane, machine, ALWAYS));
        let undated = |lane| self.count(flux::count_undated(&self.buckets.rest, lane, machine, ALWAYS));
        let (readings, events, undated_readings, undated_events) = tokio::try_join!(
            dated(Lane::Readings),
            dated(Lane::Events),
            undated(Lane::Readings),
            undated(Lane::Events)
        )?;
        Ok(Counts {
            readings: readings + undated_readings,
            events: events + undated_events,
            undated: undated_readings + undated_events,
        })
    }

    async fn forget(&self, lane: Lane, before: UnixMicros) -> Result<Forgotten, StoreError> {
        let _turn = self.turn.lock().await;
        let Some(oldest) = self.oldest(lane).await?.filter(|oldest| *oldest < before) else {
            return Ok(Forgotten::default());
        };
        let until = before.min(oldest.plus(FORGOTTEN_US_MAX));
        let bucket = self.buckets.of(lane, Axis::Dated);
        let gone = Span { first: oldest.0, last: until.0 - 1 };
        let records = self.count(flux::count(bucket, lane, None, gone)).await?;
        let predicate = format!("_measurement=\"{}\"", measurement(lane));
        self.client.delete(bucket, oldest, until, Some(&predicate)).await?;
        self.index.forget(lane, until).await?;
        Ok(Forgotten { records, files: 0, more: until < before })
    }

    /// Octets are those of `influxdb.db`: InfluxDB does not say how large it is.
    async fn stock(&self) -> Result<Stock, StoreError> {
        let (events, readings) = tokio::try_join!(self.oldest(Lane::Events), self.oldest(Lane::Readings))?;
        let (database_bytes, database_free_bytes) = self.index.bytes().await?;
        Ok(Stock {
            events: LaneStock { oldest: events, ..LaneStock::default() },
            readings: LaneStock { oldest: readings, ..LaneStock::default() },
            files: 0,
            database_bytes,
            database_free_bytes,
        })
    }

    fn damages(&self) -> Damages {
        self.damages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
