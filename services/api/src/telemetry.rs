//! `TelemetryService`: what belts did.

mod sessions;
pub(crate) mod shown;

use std::sync::Arc;

use domain::ids::MachineId;
use domain::limits::{API_PAGE_BYTES_MAX, COVERAGE_READINGS_MAX};
use domain::log::Lane;
use domain::units::UnixMicros;
use prost::Message;
use store::feed::Feed;
use store::ledger::{Ledger, Loss};
use store::telemetry::{RangeQuery, Stored};
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::telemetry_service_server::TelemetryService;

use crate::access::{Caller, Scope};
use crate::check::{Check, Span};
use crate::convert::{self, ReadBy};
use crate::coverage::{self, Covered};
use crate::gate::Gate;
use crate::paging::{AfterRecord, Asked, Pages};
use crate::registry::Visible;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

const RECORDS_DEFAULT: usize = 1_000;
const RECORDS_MAX: usize = 10_000;
const READINGS_DAYS_MAX: i64 = 31;
const EVENTS_DAYS_MAX: i64 = 366;
/// Losses of a machine that are looked at.
const LOSSES_READ: usize = 10_000;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) gate: Arc<Gate>,
    pub(crate) pages: Pages,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) telemetry: Arc<dyn store::telemetry::Telemetry>,
    pub(crate) feed: Feed,
    pub(crate) surroundings: Arc<dyn Surroundings>,
}

/// A page's part of the span that was asked for.
#[derive(Debug, Clone, Copy)]
struct Part {
    span: Span,
    first: bool,
    last: bool,
}

impl Part {
    fn new(asked: Span, after: Option<&AfterRecord>, end: Option<UnixMicros>) -> Part {
        let from = after.map_or(asked.from, |after| after.record.0);
        Part {
            span: Span { from, until: end.unwrap_or(asked.until) },
            first: after.is_none(),
            last: end.is_none(),
        }
    }

    /// Whether a moment belongs to this part and to no other one of the same listing.
    fn has(&self, time: UnixMicros) -> bool {
        let Span { from, until } = self.span;
        let begun = if self.first { time >= from } else { time > from };
        let ended = if self.last { time >= until } else { time > until };
        begun && !ended
    }

    fn coverage(&self, covered_us: u64, losses: &[Loss], lane: Lane) -> v1::Coverage {
        let here = |loss: &&Loss| loss.lane == lane && loss.before.is_some_and(|before| self.has(before));
        let lost = losses.iter().filter(here).map(|loss| loss.hole.records_at_least);
        v1::Coverage {
            covered: Some(convert::duration(covered_us)),
            asked: Some(convert::duration(u64::try_from(self.span.until.since(self.span.from)).unwrap_or(0))),
            records_lost: lost.sum(),
        }
    }
}

/// What a listing of one machine's records asks for, checked.
struct RecordsAsked {
    machine: Arc<store::registry::Machine>,
    visible: Visible,
    asked: Asked,
    after: Option<AfterRecord>,
    span: Span,
    size: usize,
    as_of: Option<UnixMicros>,
}

impl RecordsAsked {
    /// Whether what the machine did then is the caller's to see.
    fn saw(&self, time: UnixMicros) -> bool {
        self.visible.saw(&self.machine, time)
    }

    /// From the first to the last time asked for that is the caller's to see, so that what is not need not be read.
    fn query(&self) -> RangeQuery {
        let stays = self.visible.stays_seen(&self.machine);
        let Span { from, until } = self.span;
        let begin = stays.first().map_or(until, |first| first.from.clamp(from, until));
        let end = stays.last().map_or(until, |last| last.until.clamp(begin, until));
        RangeQuery {
            machine: self.machine.id.clone(),
            from: begin,
            until: end,
            after: self.after.map(|after| after.record),
            max: self.size + 1,
        }
    }
}

/// Whether what a machine did at a time is the caller's to see.
type Saw<'a> = &'a (dyn Fn(UnixMicros) -> bool + Send + Sync);

/// The fields that listings of records share.
struct RecordFields<'a> {
    method: &'static str,
    machine_id: &'a str,
    range: Option<&'a v1::TimeRange>,
    days_max: i64,
    page_size: i32,
    page_token: &'a str,
}

impl History {
    /// `bare` is the request without its page fields.
    fn records_asked(
        &self,
        scope: &Scope,
        fields: RecordFields<'_>,
        bare: &impl Message,
    ) -> Result<RecordsAsked, ApiError> {
        let as_of = self.surroundings.settled();
        let mut check = Check::default();
        let machine = check.id::<MachineId>("machine_id", fields.machine_id);
        let size = check.page_size(fields.page_size, RECORDS_DEFAULT, RECORDS_MAX);
        let span = check.span(fields.range, self.surroundings.now(), fields.days_max);
        check.finish()?;
        let (machine, span) = machine.zip(span).expect("what is not valid is a violation");
        let asked = Asked::new(fields.method, bare);
        let after = self.pages.cursor::<AfterRecord>(&asked, fields.page_token)?;
        let visible = Visible::new(self.ledger.registry(), scope.clone());
        let machine = visible.machine_ever(&machine)?.clone();
        // "Until now" stays the now of the first page.
        let span = after.map_or(span, |after| after.span);
        Ok(RecordsAsked { machine, visible, asked, after, span, size, as_of })
    }

    /// A page of readings. What is not the caller's to see covers nothing; a reading counts by its own time, so that the
    /// first one after a move covers the whole interval that it summarises.
    async fn readings(
        &self,
        _caller: Caller,
        scope: Scope,
        mut request: v1::ListReadingsRequest,
    ) -> Result<v1::ListReadingsResponse, ApiError> {
        let page_token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let fields = RecordFields {
            method: "ListReadings",
            machine_id: &request.machine_id,
            range: request.range.as_ref(),
            days_max: READINGS_DAYS_MAX,
            page_size,
            page_token: &page_token,
        };
        let asked = self.records_asked(&scope, fields, &request)?;
        let machine = &asked.machine;
        let saw: Saw<'_> = &|time| asked.saw(time);
        let rows = self.telemetry.readings(&asked.query()).await?;
        let by = ReadBy::of(asked.visible.registry(), machine, &self.feed);
        let show = |row: &Stored<_>| asked.saw(row.time).then(|| convert::reading(row, &by));
        let (readings, rows, more) = fill(&rows, asked.size, show);
        let last = rows.last().filter(|_| more);
        let part = Part::new(asked.span, asked.after.as_ref(), last.map(|last| last.time));

        let covered_until = match &asked.after {
            Some(after) => after.covered_until,
            None => self.covered_before(&machine.id, asked.span.from, saw).await?,
        };
        let mut covered = Covered::new(self.until_now(part.span), covered_until);
        rows.iter().filter(|row| saw(row.time)).for_each(|row| covered.reading(row));
        if part.last {
            self.covered_after(&machine.id, asked.span.until, &mut covered, saw).await?;
        }
        let losses = self.losses_seen(&asked).await?;
        let holding = rows.iter().filter(|row| saw(row.time));
        let covered_until = holding.map(coverage::holds_until).fold(covered_until, UnixMicros::max);
        let next = last.map(|last| AfterRecord { span: asked.span, record: place(last), covered_until });
        Ok(v1::ListReadingsResponse {
            readings,
            next_page_token: next.map(|next| self.pages.token(&asked.asked, &next)).unwrap_or_default(),
            coverage: Some(part.coverage(covered.micros(), &losses, Lane::Readings)),
            as_of: asked.as_of.map(convert::timestamp),
        })
    }

    async fn events(
        &self,
        _caller: Caller,
        scope: Scope,
        mut request: v1::ListEventsRequest,
    ) -> Result<v1::ListEventsResponse, ApiError> {
        let page_token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let fields = RecordFields {
            method: "ListEvents",
            machine_id: &request.machine_id,
            range: request.range.as_ref(),
            days_max: EVENTS_DAYS_MAX,
            page_size,
            page_token: &page_token,
        };
        let asked = self.records_asked(&scope, fields, &request)?;
        let machine = &asked.machine;
        let rows = self.telemetry.events(&asked.query()).await?;
        let by = ReadBy::of(asked.visible.registry(), machine, &self.feed);
        let show = |row: &Stored<_>| asked.saw(row.time).then(|| convert::event(row, &by));
        let (events, rows, more) = fill(&rows, asked.size, show);
        let last = rows.last().filter(|_| more);
        let part = Part::new(asked.span, asked.after.as_ref(), last.map(|last| last.time));

        let covered_us = self.covered_seen(&machine.id, part.span, &|time| asked.saw(time)).await?;
        let losses = self.losses_seen(&asked).await?;
        // Events cover nothing themselves: each page works its coverage out from the readings of its part.
        let next =
            last.map(|last| AfterRecord { span: asked.span, record: place(last), covered_until: last.time });
        Ok(v1::ListEventsResponse {
            events,
            next_page_token: next.map(|next| self.pages.token(&asked.asked, &next)).unwrap_or_default(),
            coverage: covered_us.map(|covered_us| part.coverage(covered_us, &losses, Lane::Events)),
            as_of: asked.as_of.map(convert::timestamp),
        })
    }

    /// What has not come yet cannot be covered.
    fn until_now(&self, span: Span) -> Span {
        Span { from: span.from, until: span.until.min(self.surroundings.now()).max(span.from) }
    }

    /// What is known to be lost of the time that is the caller's to see.
    async fn losses_seen(&self, asked: &RecordsAsked) -> Result<Vec<Loss>, ApiError> {
        let mut losses = self.ledger.losses(&asked.machine.id, LOSSES_READ).await?;
        losses.retain(|loss| loss.before.is_some_and(|before| asked.saw(before)));
        Ok(losses)
    }

    /// Until when the readings before `from` speak.
    async fn covered_before(
        &self,
        machine: &MachineId,
        from: UnixMicros,
        saw: Saw<'_>,
    ) -> Result<UnixMicros, ApiError> {
        let query = RangeQuery {
            machine: machine.clone(),
            from: from.plus(-coverage::REACH_ON_US),
            until: from,
            after: None,
            max: RECORDS_MAX,
        };
        let rows = self.telemetry.readings(&query).await?;
        let rows = rows.iter().filter(|row| saw(row.time));
        Ok(rows.map(coverage::holds_until).fold(from, UnixMicros::max))
    }

    /// Adds the reading after `until`: its interval may have begun before.
    async fn covered_after(
        &self,
        machine: &MachineId,
        until: UnixMicros,
        covered: &mut Covered,
        saw: Saw<'_>,
    ) -> Result<(), ApiError> {
        let query = RangeQuery {
            machine: machine.clone(),
            from: until,
            until: until.plus(coverage::REACH_BACK_US),
            after: None,
            max: 1,
        };
        let rows = self.telemetry.readings(&query).await?;
        rows.iter().filter(|row| saw(row.time)).for_each(|row| covered.reading(row));
        Ok(())
    }

    /// Covered microseconds of a span; `None` if it holds too many readings to look at.
    pub(crate) async fn covered(&self, machine: &MachineId, span: Span) -> Result<Option<u64>, ApiError> {
        self.covered_seen(machine, span, &|_| true).await
    }

    /// The same by the readings of the times that `saw` lets pass.
    async fn covered_seen(
        &self,
        machine: &MachineId,
        span: Span,
        saw: Saw<'_>,
    ) -> Result<Option<u64>, ApiError> {
        let covered_until = self.covered_before(machine, span.from, saw).await?;
        let mut covered = Covered::new(self.until_now(span), covered_until);
        let Span { from, until } = span;
        let mut query = RangeQuery { machine: machine.clone(), from, until, after: None, max: RECORDS_MAX };
        for _ in 0..COVERAGE_READINGS_MAX.div_ceil(RECORDS_MAX) {
            let rows = self.telemetry.readings(&query).await?;
            rows.iter().filter(|row| saw(row.time)).for_each(|row| covered.reading(row));
            query.after = rows.last().map(place);
            if rows.len() < RECORDS_MAX {
                self.covered_after(machine, until, &mut covered, saw).await?;
                return Ok(Some(covered.micros()));
            }
        }
        Ok(None)
    }
}

fn place<T>(row: &Stored<T>) -> store::telemetry::Cursor {
    (row.time, row.log, row.position)
}

/// Rows as messages, as many as fit into a page, without those that are not shown; the rows taken for it; whether there
/// are more.
fn fill<R, M: Message>(rows: &[R], size: usize, show: impl Fn(&R) -> Option<M>) -> (Vec<M>, &[R], bool) {
    let mut page: Vec<M> = Vec::with_capacity(rows.len().min(size));
    let mut octets = 0;
    for (taken, row) in rows.iter().enumerate() {
        let message = show(row);
        octets += message.as_ref().map_or(0, M::encoded_len);
        if taken == size || (!page.is_empty() && octets > API_PAGE_BYTES_MAX) {
            return (page, &rows[..taken], true);
        }
        page.extend(message);
    }
    (page, rows, false)
}

#[tonic::async_trait]
impl TelemetryService for History {
    async fn list_readings(
        &self,
        request: Request<v1::ListReadingsRequest>,
    ) -> Result<Response<v1::ListReadingsResponse>, Status> {
        let work = |caller, scope, request| self.readings(caller, scope, request);
        self.gate.answer("TelemetryService/ListReadings", request, work).await
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        let work = |caller, scope, request| self.events(caller, scope, request);
        self.gate.answer("TelemetryService/ListEvents", request, work).await
    }

    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        let work = |caller, scope, request| self.sessions(caller, scope, request);
        self.gate.answer("TelemetryService/ListSessions", request, work).await
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let work = |caller, scope, request| self.session(caller, scope, request);
        self.gate.answer("TelemetryService/GetSession", request, work).await
    }
}
