//! What people have not closed, by site.

use std::collections::{BTreeMap, BTreeSet};

use domain::handling::HandlingState;
use domain::ids::SiteId;
use domain::incident::Severity;
use domain::limits::SITES_COUNTED_MAX;
use store::ledger::{IncidentFilter, IncidentOrder, IncidentQuery, Members, StoredIncident};
use store::registry::Machine;
use wire::api::v1;

use super::wanted::by_stays;
use super::{Incidents, show};
use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

/// What is not closed.
const UNFINISHED: [HandlingState; 3] =
    [HandlingState::Open, HandlingState::Acknowledged, HandlingState::InProgress];
/// What should not wait long.
const AT_LEAST_MEDIUM: [Severity; 3] = [Severity::Medium, Severity::High, Severity::Critical];

impl Incidents {
    pub(super) async fn site_incidents(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ListSiteIncidentsRequest,
    ) -> Result<v1::ListSiteIncidentsResponse, ApiError> {
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        check.finish()?;
        let visible = self.ground.visible(scope);
        let sites: Vec<SiteId> = match site {
            Some(site) => vec![visible.site(&site)?.id.clone()],
            None => visible.sites(None).map(|site| site.id.clone()).collect(),
        };
        if sites.len() > SITES_COUNTED_MAX {
            let count = sites.len();
            let description = format!(
                "leaves {count} sites; at most {SITES_COUNTED_MAX} can be counted together: name one"
            );
            return Err(Violation { field: "site_id", description }.into());
        }
        let mut machines: BTreeMap<SiteId, Vec<&Machine>> = BTreeMap::new();
        for machine in visible.machines_ever() {
            let stood: BTreeSet<SiteId> = machine.stays().into_iter().map(|stay| stay.site).collect();
            stood.into_iter().for_each(|site| machines.entry(site).or_default().push(machine));
        }
        let mut shown = Vec::with_capacity(sites.len());
        for site in sites {
            let machines = machines.remove(&site).unwrap_or_default();
            shown.push(self.of_site(&caller, &visible, &site, &machines).await?);
        }
        Ok(v1::ListSiteIncidentsResponse { sites: shown })
    }

    async fn of_site(
        &self,
        caller: &Caller,
        visible: &Visible,
        site: &SiteId,
        machines: &[&Machine],
    ) -> Result<v1::SiteIncidents, ApiError> {
        let evidence = self.gate.reach(caller, Permission::Evidence);
        let view = self.view(visible, &evidence);
        let mut counts: BTreeMap<Severity, (u64, u64)> = BTreeMap::new();
        let mut oldest: Option<StoredIncident> = None;
        let unfinished = IncidentFilter {
            handling: UNFINISHED.to_vec(),
            shelved: Some((false, view.now)),
            drill: Some(false),
            members: Members::LeftOut,
            ..IncidentFilter::default()
        };
        for unfinished in by_stays(&unfinished, machines.iter().copied(), visible, |stood| stood == site) {
            for one in self.ground.ledger.incident_counts(&unfinished).await? {
                counts.entry(one.severity).or_default().0 += one.count;
            }
            let open = IncidentFilter { handling: vec![HandlingState::Open], ..unfinished };
            for one in self.ground.ledger.incident_counts(&open).await? {
                counts.entry(one.severity).or_default().1 += one.count;
            }
            let filter = IncidentFilter { severities: AT_LEAST_MEDIUM.to_vec(), ..open };
            let query = IncidentQuery { filter, order: IncidentOrder::OldestFirst, after: None, max: 1 };
            let first = self.ground.ledger.incidents(&query).await?.into_iter().next();
            let by_time = |one: &StoredIncident| (one.incident.time, one.incident.id);
            oldest = oldest.into_iter().chain(first).min_by_key(by_time);
        }
        let oldest = oldest.map(|oldest| {
            let machine = visible.machine_then(&oldest.incident.machine, oldest.incident.time)?;
            Ok::<_, ApiError>(show::incident(&oldest, &machine, &view))
        });
        let here: Vec<&Machine> = machines.iter().copied().filter(|machine| machine.site == *site).collect();
        let counts = counts.into_iter().rev().map(|(severity, (count, open))| v1::SeverityCount {
            severity: show::severity(severity),
            count,
            open,
        });
        Ok(v1::SiteIncidents {
            site_id: site.to_string(),
            counts: counts.collect(),
            oldest_open: oldest.transpose()?,
            proofs_overdue: self.proofs.overdue(visible, &here, view.now).await?,
        })
    }
}
