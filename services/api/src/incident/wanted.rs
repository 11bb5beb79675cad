//! Which incidents a request asks for: its filter, checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::belt::Direction;
use domain::handling::HandlingState;
use domain::ids::{MachineId, SiteId, UserName};
use domain::incident::{Rule, Severity};
use domain::limits::{INCIDENT_MACHINES_MAX, MACHINES_NAMED_MAX};
use domain::units::UnixMicros;
use store::ledger::{IncidentFilter, IncidentOrder, Members, StoredIncident};
use store::registry::Machine;
use wire::api::v1;

use crate::access::Caller;
use crate::check::{Check, NAME_CHARACTERS_MAX, Span, quoted};
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

/// Longest span of a filter, in days.
const DAYS_MAX: i64 = 3_660;

/// A filter, checked. The default: all incidents. What was found in a proof test is none.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    site: Option<SiteId>,
    machines: BTreeSet<MachineId>,
    model: String,
    /// By these rules; empty: by all.
    pub(crate) rules: Vec<Rule>,
    severities: Vec<Severity>,
    directions: Vec<Direction>,
    active: Option<bool>,
    from: UnixMicros,
    until: UnixMicros,
    handling: Vec<HandlingState>,
    shelved: Option<bool>,
    assignee: Option<UserName>,
    with_members: bool,
}

impl Wanted {
    /// Checks a filter of this caller.
    pub(crate) fn of(check: &mut Check, filter: Option<&v1::IncidentFilter>, caller: &Caller) -> Wanted {
        let none = v1::IncidentFilter::default();
        let filter = filter.unwrap_or(&none);
        let named = filter.machine_ids.len();
        if named > MACHINES_NAMED_MAX {
            let allowed = format!("has {named} entries; at most {MACHINES_NAMED_MAX} are allowed");
            check.wrong("filter.machine_ids", allowed);
        }
        let ids = filter.machine_ids.iter().take(MACHINES_NAMED_MAX);
        let (from, until) =
            check.open_span(filter.range.as_ref(), DAYS_MAX).unwrap_or((UnixMicros(0), UnixMicros(0)));
        Wanted {
            site: check.optional_id::<SiteId>("filter.site_id", &filter.site_id),
            machines: ids.filter_map(|id| check.id::<MachineId>("filter.machine_ids", id)).collect(),
            model: check.text("filter.model", &filter.model, NAME_CHARACTERS_MAX),
            rules: each(&filter.rules, |name| check.rule("filter.rules", name)),
            severities: each(&filter.severities, |severity| check.severity(*severity)),
            directions: each(&filter.directions, |direction| check.direction(*direction)),
            active: check.incident_state(filter.state),
            from,
            until,
            handling: each(&filter.handling_states, |state| {
                check.handling_state("filter.handling_states", *state)
            }),
            shelved: filter.shelved,
            assignee: check.user_or_me("filter.assignee", &filter.assignee, caller),
            with_members: filter.with_members,
        }
    }

    /// The machine of an incident with the site at which it stood then, if the caller may see that site and if it is the
    /// one asked for.
    pub(crate) fn machine_of(&self, stored: &StoredIncident, visible: &Visible) -> Option<Arc<Machine>> {
        let found = &stored.incident;
        visible.machine_then(&found.machine, found.time).ok().filter(|machine| self.is_site(&machine.site))
    }

    /// Whether an incident of this machine, as [`Wanted::machine_of`] gives it, is one of them as it is now.
    pub(crate) fn has(&self, stored: &StoredIncident, machine: &Machine, now: UnixMicros) -> bool {
        let StoredIncident { incident, handling, .. } = stored;

        fn allows<T: PartialEq>(these: &[T], one: &T) -> bool {
            these.is_empty() || these.contains(one)
        }
        self.is_named(machine)
            && allows(&self.rules, &incident.rule)
            && allows(&self.severities, &incident.severity)
            && allows(&self.directions, &incident.direction)
            && self.active.is_none_or(|active| active == incident.cleared.is_none())
            && (self.from..self.until).contains(&incident.time)
            && allows(&self.handling, &handling.state)
            && self.shelved.is_none_or(|shelved| shelved == stored.is_shelved(now))
            && (self.assignee.is_none() || self.assignee == handling.assignee)
            && (self.with_members || handling.lead.is_none())
            && incident.drill.is_none()
    }

    fn is_site(&self, site: &SiteId) -> bool {
        self.site.as_ref().is_none_or(|wanted| wanted == site)
    }

    fn is_named(&self, machine: &Machine) -> bool {
        (self.machines.is_empty() || self.machines.contains(&machine.id))
            && (self.model.is_empty() || self.model == machine.model)
    }

    /// The machines asked for that stand, or ever stood, where they are asked for, by id; `NotFound` if a site, machine or
    /// model is named that the caller cannot see.
    pub(crate) fn machines_ever<'a>(
        &'a self,
        visible: &'a Visible,
    ) -> Result<impl Iterator<Item = &'a Machine>, ApiError> {
        if let Some(site) = &self.site {
            visible.site(site)?;
        }
        self.machines.iter().try_for_each(|machine| visible.machine_ever(machine).map(drop))?;
        if !self.model.is_empty() && visible.machines_ever().all(|machine| machine.model != self.model) {
            return Err(ApiError::NotFound { what: "model", id: self.model.clone() });
        }
        let stood = |machine: &Machine| self.site.as_ref().is_none_or(|site| machine.ever_stood_at(site));
        let machines = visible.machines_ever().map(AsRef::as_ref);
        Ok(machines.filter(move |machine| stood(machine) && self.is_named(machine)))
    }

    /// The same that stood there within a span, each with when.
    pub(crate) fn stood(
        &self,
        visible: &Visible,
        span: Span,
    ) -> Result<Vec<(MachineId, Vec<Span>)>, ApiError> {
        let stood = |machine: &Machine| -> Vec<Span> {
            let stays = visible.stays_seen(machine).into_iter().filter(|stay| self.is_site(&stay.site));
            let within = stays
                .map(|stay| Span { from: span.from.max(stay.from), until: span.until.min(stay.until) })
                .filter(|span| span.from < span.until);
            within.collect()
        };
        let machines = self.machines_ever(visible)?.map(|machine| (machine.id.clone(), stood(machine)));
        Ok(machines.filter(|(_, stood)| !stood.is_empty()).collect())
    }

    /// Filters for the ledger that have nothing in common: together exactly what the caller may see of what is asked
    /// for. One, and one more for each stay of a machine that was elsewhere, too.
    pub(crate) fn filters(
        &self,
        visible: &Visible,
        now: UnixMicros,
    ) -> Result<Vec<IncidentFilter>, ApiError> {
        let all = self.filter(visible, now)?;
        if all.machines.is_none() {
            return Ok(vec![all]);
        }
        Ok(by_stays(&all, self.machines_ever(visible)?, visible, |site| self.is_site(site)))
    }

    /// What is asked for as it is now, for the ledger. Of machines that moved there may be some among it that the
    /// caller must not see: take those that [`Wanted::machine_of`] lets pass.
    pub(crate) fn filter(&self, visible: &Visible, now: UnixMicros) -> Result<IncidentFilter, ApiError> {
        let machines: Vec<MachineId> =
            self.machines_ever(visible)?.map(|machine| machine.id.clone()).collect();
        let is_all = self.site.is_none() && self.machines.is_empty() && self.model.is_empty();
        let machines = if is_all && visible.is_whole() { None } else { Some(machines) };
        let count = machines.as_ref().map_or(0, Vec::len);
        if count > INCIDENT_MACHINES_MAX {
            let description = format!(
                "leaves {count} machines; incidents of at most {INCIDENT_MACHINES_MAX} can be asked for together: name \
                 a site"
            );
            return Err(Violation { field: "filter.site_id", description }.into());
        }
        Ok(IncidentFilter {
            machines,
            rules: self.rules.clone(),
            severities: self.severities.clone(),
            directions: self.directions.clone(),
            active: self.active,
            from: self.from,
            until: self.until,
            handling: self.handling.clone(),
            shelved: self.shelved.map(|shelved| (shelved, now)),
            assignee: self.assignee.clone(),
            drill: Some(false),
            members: if self.with_members { Members::Listed } else { Members::LeftOut },
        })
    }
}

/// Filters for the ledger that have nothing in common: what `all` asks for of these machines while they stood at sites
/// that the caller may see and that are wanted. One for each 10 000 machines, and one for each stay of a machine that was
/// elsewhere, too.
pub(super) fn by_stays<'a>(
    all: &IncidentFilter,
    machines: impl Iterator<Item = &'a Machine>,
    visible: &Visible,
    is_wanted: impl Fn(&SiteId) -> bool,
) -> Vec<IncidentFilter> {
    let (mut filters, mut always) = (Vec::new(), Vec::new());
    for machine in machines {
        let mut stays = visible.stays_seen(machine);
        stays.retain(|stay| is_wanted(&stay.site));
        if stays.len() == machine.stays().len() {
            always.push(machine.id.clone());
            continue;
        }
        for stay in stays {
            let (from, until) = (all.from.max(stay.from), all.until.min(stay.until));
            if from < until {
                let machines = Some(vec![machine.id.clone()]);
                filters.push(IncidentFilter { machines, from, until, ..all.clone() });
            }
        }
    }
    for machines in always.chunks(INCIDENT_MACHINES_MAX) {
        filters.push(IncidentFilter { machines: Some(machines.to_vec()), ..all.clone() });
    }
    filters
}

/// What is good of a list, each once.
fn each<T, U: PartialEq>(values: &[T], mut good: impl FnMut(&T) -> Option<U>) -> Vec<U> {
    let mut all: Vec<U> = Vec::new();
    for value in values {
        if let Some(value) = good(value)
            && !all.contains(&value)
        {
            all.push(value);
        }
    }
    all
}

impl Check {
    /// A span that may lack an end or both; of one with both, at most `days_max` days.
    fn open_span(
        &mut self,
        range: Option<&v1::TimeRange>,
        days_max: i64,
    ) -> Option<(UnixMicros, UnixMicros)> {
        let least = UnixMicros(i64::MIN);
        let Some(range) = range else { return Some((least, UnixMicros(i64::MAX))) };
        let Some(end) = &range.end_time else {
            let from = match &range.start_time {
                Some(start) => self.time("filter.range.start_time", start)?,
                None => least,
            };
            return Some((from, UnixMicros(i64::MAX)));
        };
        if range.start_time.is_none() {
            return Some((least, self.time("filter.range.end_time", end)?));
        }
        // Both are there, so what is now does not matter.
        self.span(Some(range), UnixMicros(0), days_max).map(|span| (span.from, span.until))
    }

    /// A rule by its name.
    pub(crate) fn rule(&mut self, field: &'static str, name: &str) -> Option<Rule> {
        let rule = Rule::of_name(name);
        if rule.is_none() {
            let known = "ListRules and `beltwatch rule list` name all";
            self.wrong(field, format!("names {}, which is no rule; {known}", quoted(name)));
        }
        rule
    }

    fn severity(&mut self, value: i32) -> Option<Severity> {
        match v1::Severity::try_from(value) {
            Ok(v1::Severity::Info) => Some(Severity::Info),
            Ok(v1::Severity::Low) => Some(Severity::Low),
            Ok(v1::Severity::Medium) => Some(Severity::Medium),
            Ok(v1::Severity::High) => Some(Severity::High),
            Ok(v1::Severity::Critical) => Some(Severity::Critical),
            Ok(v1::Severity::Unspecified) | Err(_) => {
                self.wrong("filter.severities", format!("has {value}; 1 to 5 are known"));
                None
            }
        }
    }

    fn direction(&mut self, value: i32) -> Option<Direction> {
        match v1::Direction::try_from(value) {
            Ok(v1::Direction::Forward) => Some(Direction::Forward),
            Ok(v1::Direction::Reverse) => Some(Direction::Reverse),
            Ok(v1::Direction::Stopped) => Some(Direction::Stopped),
            Ok(v1::Direction::Unknown) => Some(Direction::Unknown),
            Ok(v1::Direction::Unspecified) | Err(_) => {
                self.wrong("filter.directions", format!("has {value}; 1 to 4 are known"));
                None
            }
        }
    }

    fn incident_state(&mut self, value: i32) -> Option<bool> {
        match v1::IncidentState::try_from(value) {
            Ok(v1::IncidentState::Unspecified) => None,
            Ok(v1::IncidentState::Active) => Some(true),
            Ok(v1::IncidentState::Cleared) => Some(false),
            Err(_) => {
                self.wrong("filter.state", format!("is {value}; 0 to 2 are known"));
                None
            }
        }
    }

    /// An order of incidents.
    pub(super) fn incident_order(&mut self, value: i32) -> IncidentOrder {
        match v1::IncidentOrder::try_from(value) {
            Ok(v1::IncidentOrder::Unspecified | v1::IncidentOrder::NewestFirst) => IncidentOrder::NewestFirst,
            Ok(v1::IncidentOrder::OldestFirst) => IncidentOrder::OldestFirst,
            Ok(v1::IncidentOrder::WorstFirst) => IncidentOrder::WorstFirst,
            Err(_) => {
                self.wrong("order", format!("is {value}; 0 to 3 are known"));
                IncidentOrder::NewestFirst
            }
        }
    }
}
