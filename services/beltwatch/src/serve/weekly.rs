//! What a weekly report says: asked of this server's own API, as its operator.

mod words;

use std::fmt;
use std::sync::Arc;

use api::Api;
use async_trait::async_trait;
use domain::ids::SiteId;
use domain::limits::SESSION_SPANS_READ_MAX;
use domain::units::UnixMicros;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use store::ledger::Ledger;
use store::registry::{Machine, Site};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::usage_service_client::UsageServiceClient;

use crate::operator::Operator;

/// Machines that are looked at for what is due.
const MACHINES_MAX: i32 = 1_000;

/// Makes weekly reports.
pub(super) struct WeeklyReport {
    api: dashboard::Api,
    ledger: Arc<dyn Ledger>,
    /// With what the operator shows who they are.
    secret: String,
}

impl fmt::Debug for WeeklyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeeklyReport").finish_non_exhaustive()
    }
}

/// A site's week.
#[derive(Debug)]
struct Week {
    site: Arc<Site>,
    from: Date,
    until: Date,
    zone: TimeZone,
}

impl Week {
    /// When a date begins at the site.
    fn begin(&self, date: Date) -> Result<UnixMicros, String> {
        let begin = date.to_zoned(self.zone.clone()).map_err(|error| error.to_string())?;
        Ok(UnixMicros(begin.timestamp().as_microsecond()))
    }
}

/// What is known of a week.
#[derive(Debug, Default)]
struct Figures {
    usage: v1::GetUsageResponse,
    utilisation: v1::SiteUtilisation,
    /// Sessions that began.
    sessions: usize,
    /// Incidents that happened.
    incidents: Vec<v1::IncidentCount>,
    /// Of these, how many nobody has closed.
    open: u64,
    /// Machines that are tagged out of service now, and why.
    out_of_service: Vec<(String, String)>,
    /// Machines whose service is due now, and the share of the plan that is used up.
    due: Vec<(String, f64)>,
}

#[async_trait]
impl notify::Report for WeeklyReport {
    async fn weekly(&self, site: &SiteId, from: Date, until: Date) -> Result<String, String> {
        let registry = self.ledger.registry();
        let site = registry.sites().get(site).ok_or("there is no such site")?.clone();
        let zone = TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC);
        let week = Week { site, from, until, zone };
        let figures = self.figures(&week).await?;
        Ok(words::report(&week, &figures))
    }
}

impl WeeklyReport {
    pub(super) fn new(api: &Api, ledger: Arc<dyn Ledger>, operator: &Operator) -> WeeklyReport {
        let secret = operator.secret().to_owned();
        WeeklyReport { api: dashboard::in_process(api.for_pages()), ledger, secret }
    }

    /// The ledger of the same server.
    pub(super) fn ledger(&self) -> Arc<dyn Ledger> {
        self.ledger.clone()
    }

    async fn figures(&self, week: &Week) -> Result<Figures, String> {
        let site_ids = vec![week.site.id.to_string()];
        let scope = Some(v1::UsageScope { site_ids, ..v1::UsageScope::default() });
        let range = Some(v1::DateRange {
            start_date: week.from.to_string(),
            end_date: week.until.to_string(),
            time_zone: String::new(),
        });
        let mut service = UsageServiceClient::new(self.api.clone());
        let asked = v1::GetUsageRequest {
            scope: scope.clone(),
            range: range.clone(),
            ..v1::GetUsageRequest::default()
        };
        let usage = told(service.get_usage(self.request(asked)).await)?;
        let asked = v1::GetUtilisationRequest { scope: scope.clone(), range };
        let utilisation = told(service.get_utilisation(self.request(asked)).await)?;
        let asked = v1::ListMaintenanceRequest { scope, page_size: MACHINES_MAX };
        let maintenance = told(service.list_maintenance(self.request(asked)).await)?;
        let machines = self.ledger.registry();
        let here = || machines.machines().values().filter(|machine| machine.site == week.site.id);
        let tagged = |machine: &Arc<Machine>| {
            let (reason, _) = machine.out_of_service()?;
            Some((words::name(machine), reason.to_owned()))
        };
        let due = maintenance.machines.iter().filter_map(|one| {
            let used = one.used.filter(|used| *used >= 1.0)?;
            let machine = here().find(|machine| machine.id.as_str() == one.machine_id)?;
            Some((words::name(machine), used))
        });
        let not_closed =
            [v1::HandlingState::Open, v1::HandlingState::Acknowledged, v1::HandlingState::InProgress];
        let open = self.incidents(week, &not_closed).await?;
        Ok(Figures {
            usage,
            utilisation: utilisation.sites.into_iter().next().unwrap_or_default(),
            sessions: self.sessions(week).await?,
            incidents: self.incidents(week, &[]).await?,
            open: open.iter().map(|one| one.count).sum(),
            out_of_service: here().filter_map(tagged).collect(),
            due: due.collect(),
        })
    }

    /// Incidents of the week, in these states; in any if there is none.
    async fn incidents(
        &self,
        week: &Week,
        states: &[v1::HandlingState],
    ) -> Result<Vec<v1::IncidentCount>, String> {
        let time = |date| week.begin(date).map(timestamp);
        let range = v1::TimeRange { start_time: Some(time(week.from)?), end_time: Some(time(week.until)?) };
        let filter = v1::IncidentFilter {
            site_id: week.site.id.to_string(),
            range: Some(range),
            handling_states: states.iter().map(|state| i32::from(*state)).collect(),
            ..v1::IncidentFilter::default()
        };
        let asked = v1::CountIncidentsRequest { filter: Some(filter) };
        let mut service = IncidentServiceClient::new(self.api.clone());
        Ok(told(service.count_incidents(self.request(asked)).await)?.counts)
    }

    /// How many sessions began in the week while their machines stood at the site.
    async fn sessions(&self, week: &Week) -> Result<usize, String> {
        let (from, until) = (week.begin(week.from)?, week.begin(week.until)?);
        let registry = self.ledger.registry();
        let mut count = 0;
        for machine in registry.machines().values() {
            for stay in machine.stays().iter().filter(|stay| stay.site == week.site.id) {
                let (from, until) = (from.max(stay.from), until.min(stay.until));
                if from >= until {
                    continue;
                }
                let id = [machine.id.clone()];
                let spans = self.ledger.session_spans(&id, from, until, SESSION_SPANS_READ_MAX).await;
                let spans = spans.map_err(|error| error.to_string())?;
                count += spans.iter().filter(|(_, started, _)| *started >= from).count();
            }
        }
        Ok(count)
    }

    /// A request as the operator, who is on this computer.
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        let ascii = |text: &str| MetadataValue::<Ascii>::try_from(text).ok();
        for (name, text) in [
            ("authorization", format!("Bearer {}", self.secret).as_str()),
            ("x-beltwatch-user", "weekly-report"),
            ("x-beltwatch-peer", "127.0.0.1"),
        ] {
            if let Some(value) = ascii(text) {
                metadata.insert(name, value);
            }
        }
        request
    }
}

fn told<T>(answer: Result<Response<T>, Status>) -> Result<T, String> {
    answer.map(Response::into_inner).map_err(|status| status.message().to_owned())
}

fn timestamp(time: UnixMicros) -> prost_types::Timestamp {
    // Dates begin at whole seconds.
    prost_types::Timestamp { seconds: time.0.div_euclid(1_000_000), nanos: 0 }
}
