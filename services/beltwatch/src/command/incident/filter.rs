//! Which incidents a command is about.

use clap::{Args as ClapArgs, ValueEnum};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::Client;
use crate::command::now;
use crate::command::pages::Zones;
use crate::failure::Failure;
use crate::words::RangeArgs;

/// Everything that is given has to hold.
#[derive(Debug, Default, ClapArgs)]
pub(in crate::command) struct FilterArgs {
    /// Only of this site
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Only of this machine; may be given again
    #[arg(long = "machine", value_name = "MACHINE")]
    machines: Vec<String>,
    /// Only of machines of this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Only by this rule, such as emergency-stop; may be given again
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// Only of this severity; may be given again
    #[arg(long = "severity", value_enum)]
    severities: Vec<Severity>,
    /// Only with the belt in this direction; may be given again
    #[arg(long = "direction", value_enum)]
    directions: Vec<Direction>,
    /// Only in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// From this time on: with offset, or in the site's zone, such as 2026-11-20T09:00
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// How far people are with them. Everything that is given has to hold.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(super) struct HandlingArgs {
    /// Only those with which people are so far; may be given again
    #[arg(long = "handling", value_enum)]
    states: Vec<Handling>,
    /// Only those that need a person: not closed, not laid aside
    #[arg(long, conflicts_with_all = ["states", "shelved"])]
    needs_person: bool,
    /// Only those that you work on
    #[arg(long, conflicts_with = "assignee")]
    mine: bool,
    /// Only those that this user works on
    #[arg(long, value_name = "USER")]
    assignee: Option<String>,
    /// Only those that are laid aside now
    #[arg(long)]
    shelved: bool,
    /// Also each one that is part of an outage which another stands for
    #[arg(long)]
    with_members: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Handling {
    /// Nobody has said that they know of it
    Open,
    /// Somebody knows of it
    Acknowledged,
    /// Somebody works on it
    #[value(alias = "in_progress")]
    InProgress,
    /// It is dealt with
    Closed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::command) enum Severity {
    /// A person may be hurt now
    Critical,
    /// A protection failed, or a dangerous state
    High,
    /// Misuse; look soon
    Medium,
    /// Maintenance or quality
    Low,
    /// Worth knowing
    Info,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Direction {
    /// Forward
    Forward,
    /// Reverse
    Reverse,
    /// At rest
    Stopped,
    /// Not known
    Unknown,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// The machine still does it
    Active,
    /// The machine has stopped doing it
    Cleared,
}

impl FilterArgs {
    /// The filter of a request, and the zone in which its times are shown.
    pub(in crate::command) async fn filter(
        self,
        client: &mut Client,
    ) -> Result<(v1::IncidentFilter, TimeZone), Failure> {
        let zone = match (&self.machines[..], &self.site) {
            ([machine], _) => Zones::of_machine(client, machine).await?,
            (_, Some(site)) => Zones::fetch(client).await?.of(site),
            (_, None) => TimeZone::UTC,
        };
        let has_range = self.from.is_some() || self.until.is_some();
        let range = RangeArgs { from: self.from, until: self.until, last: None };
        let range = if has_range { Some(range.range(&zone, now())?) } else { None };
        let filter = v1::IncidentFilter {
            site_id: self.site.unwrap_or_default(),
            machine_ids: self.machines,
            model: self.model.unwrap_or_default(),
            rules: self.rules,
            severities: self.severities.into_iter().map(|one| one.value().into()).collect(),
            directions: self.directions.into_iter().map(|one| one.value().into()).collect(),
            state: self.state.map(State::value).unwrap_or_default().into(),
            range,
            ..v1::IncidentFilter::default()
        };
        Ok((filter, zone))
    }
}

impl HandlingArgs {
    /// The filter with this besides.
    pub(super) fn apply(self, filter: v1::IncidentFilter) -> v1::IncidentFilter {
        let needed = [Handling::Open, Handling::Acknowledged, Handling::InProgress];
        let states = if self.needs_person { needed.to_vec() } else { self.states };
        let assignee = if self.mine { Some("me".to_owned()) } else { self.assignee };
        v1::IncidentFilter {
            handling_states: states.into_iter().map(|one| one.value().into()).collect(),
            shelved: (self.shelved || self.needs_person).then_some(self.shelved),
            assignee: assignee.unwrap_or_default(),
            with_members: self.with_members,
            ..filter
        }
    }
}

impl Handling {
    fn value(self) -> v1::HandlingState {
        match self {
            Handling::Open => v1::HandlingState::Open,
            Handling::Acknowledged => v1::HandlingState::Acknowledged,
            Handling::InProgress => v1::HandlingState::InProgress,
            Handling::Closed => v1::HandlingState::Closed,
        }
    }
}

impl Severity {
    pub(in crate::command) fn value(self) -> v1::Severity {
        match self {
            Severity::Critical => v1::Severity::Critical,
            Severity::High => v1::Severity::High,
            Severity::Medium => v1::Severity::Medium,
            Severity::Low => v1::Severity::Low,
            Severity::Info => v1::Severity::Info,
        }
    }
}

impl Direction {
    fn value(self) -> v1::Direction {
        match self {
            Direction::Forward => v1::Direction::Forward,
            Direction::Reverse => v1::Direction::Reverse,
            Direction::Stopped => v1::Direction::Stopped,
            Direction::Unknown => v1::Direction::Unknown,
        }
    }
}

impl State {
    fn value(self) -> v1::IncidentState {
        match self {
            State::Active => v1::IncidentState::Active,
            State::Cleared => v1::IncidentState::Cleared,
        }
    }
}
