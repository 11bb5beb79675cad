//! What people have set for the rules of incidents, each value with the time from which on it holds.
//!
//! A fold of records asks what held at a record's event time, so that a replay finds what was found before.

mod history;
mod timeline;

use std::collections::BTreeMap;

use domain::ids::{ConfigurationHash, MachineId, SiteId};
use domain::incident::settings::{CommissionedStop, MachineSettings};
use domain::incident::threshold::Limits;
use domain::limits::CONFIGURATIONS_PROVEN_MAX;
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

pub use self::history::{BEGINNING, Dated, History};
use super::{Machine, Registry, Site, json};

/// For what thresholds are set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All machines of a site.
    Site(SiteId),
    /// All machines of a model: those whose model is this very text, 1 to 120 characters. Laid over the site's.
    Model(String),
    /// One machine. Laid over the model's.
    Machine(MachineId),
}

/// Thresholds that were set for a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopedLimits {
    /// For what.
    pub scope: Scope,
    /// All that were set, from when on. Before the first time nothing was.
    pub history: History<Limits>,
}

impl ScopedLimits {
    /// What was set last.
    pub fn newest(&self) -> Limits {
        self.history.newest().cloned().unwrap_or_default()
    }
}

/// When staff are at a site: spans of each day from Monday on, in minutes after midnight of the site's time, beginning
/// and end up to 1 440, ascending and apart.
pub type StaffedDays = [Vec<(u16, u16)>; 7];

/// Of a site what rules use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteTraits {
    /// Time zone by its IANA name.
    pub time_zone: String,
    /// When staff are there; `None`: nobody has said.
    pub staffed: Option<StaffedDays>,
    /// When it is open, by whole quarters of an hour; `None`: nobody has said.
    #[serde(default)]
    pub open: Option<StaffedDays>,
    /// The first day of its weeks: 0 is Monday, 6 is Sunday.
    #[serde(default)]
    pub first_weekday: u8,
}

/// Of a machine what rules use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineTraits {
    /// What the belt can do.
    #[serde(with = "json::belt")]
    pub belt: BeltKind,
    /// What drives it.
    #[serde(with = "json::drive")]
    pub drive: DriveKind,
    /// Maker and model; empty: not told.
    pub model: String,
    /// The tag of a machine that nobody shall use.
    pub out_of_service: Option<OutOfService>,
    /// What its last commissioning has shown; `None`: there was none.
    pub commissioning: Option<Commissioning>,
    /// Where it stood; `None`, in what was written before machines could move: where it stands now.
    #[serde(default)]
    pub site: Option<SiteId>,
}

/// A proof test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Number of the fact that began it.
    pub number: u64,
    /// Who began it.
    pub by: String,
    /// From when on what is found is part of it.
    #[serde(rename = "from_us", with = "json::micros")]
    pub from: UnixMicros,
    /// Until when: by itself, or as somebody ended it.
    #[serde(rename = "until_us", with = "json::micros")]
    pub until: UnixMicros,
    /// Whether somebody has ended it.
    pub is_ended: bool,
    /// What was seen, at most 200 characters.
    pub note: String,
}

/// Why nobody shall use a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfService {
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// Since when, by the server's clock. Another reason leaves it as it is.
    #[serde(rename = "since_us", with = "json::micros")]
    pub since: UnixMicros,
}

/// What a commissioning has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commissioning {
    /// When it was recorded, by the server's clock.
    #[serde(rename = "time_us", with = "json::micros")]
    pub time: UnixMicros,
    /// Whether it has proven which sign of the direction signal is forward.
    pub direction_proven: bool,
    /// Stops of the moving belt that were measured.
    pub stops: Vec<CommissionedStop>,
    /// Whether the model falls silent instead of telling a standstill.
    pub silent_on_stop: bool,
    /// Whether the incline that it tells is where the deck shall go, not where it is.
    pub incline_is_target: bool,
    /// Who did it and how; at most 200 characters.
    pub note: String,
    /// How the agent's sources were set; `None`: nobody said, so it holds however they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ConfigurationHash>,
    /// For which configurations the direction was proven by this one and those before, the newest last; empty: for
    /// whichever. From this one on only its own counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven_for: Vec<ConfigurationHash>,
}

impl Commissioning {
    /// For which configurations the direction is proven by one with this configuration after `before`.
    pub(super) fn proven_for_after(
        before: Option<&Commissioning>,
        configuration: Option<ConfigurationHash>,
        direction_proven: bool,
    ) -> Vec<ConfigurationHash> {
        let Some(configuration) = configuration else { return Vec::new() };
        let mut proven = before.map(|before| before.proven_for.clone()).unwrap_or_default();
        proven.retain(|other| *other != configuration);
        if direction_proven {
            proven.push(configuration);
        }
        let surplus = proven.len().saturating_sub(CONFIGURATIONS_PROVEN_MAX);
        proven.drain(..surplus);
        proven
    }
}

impl Commissioning {
    /// For which configurations the direction counts from this one on; none: for whichever, if it is proven.
    pub(super) fn proven_now(&self) -> Vec<ConfigurationHash> {
        self.configuration.into_iter().collect()
    }

    /// For which others it counts in what was recorded before this one.
    pub(super) fn proven_before(&self) -> Vec<ConfigurationHash> {
        self.proven_for.iter().filter(|other| Some(**other) != self.configuration).copied().collect()
    }
}

impl Site {
    /// Of it what rules use, as set last.
    pub fn traits(&self) -> SiteTraits {
        SiteTraits {
            time_zone: self.time_zone.clone(),
            staffed: self.staffed().cloned(),
            open: self.open().cloned(),
            first_weekday: self.first_weekday(),
        }
    }

    /// When staff are there, as set last; `None`: nobody has said.
    pub fn staffed(&self) -> Option<&StaffedDays> {
        self.history.newest().and_then(|traits| traits.staffed.as_ref())
    }

    /// When it is open, as set last; `None`: nobody has said.
    pub fn open(&self) -> Option<&StaffedDays> {
        self.history.newest().and_then(|traits| traits.open.as_ref())
    }

    /// The first day of its weeks, as set last: 0 is Monday, 6 is Sunday.
    pub fn first_weekday(&self) -> u8 {
        self.history.newest().map_or(0, |traits| traits.first_weekday)
    }

    /// What held then. Of a site without history what is set has always held.
    pub fn traits_at(&self, time: UnixMicros) -> SiteTraits {
        self.history.at(time).cloned().unwrap_or_else(|| self.traits())
    }
}

impl Machine {
    /// Of it what rules use, as set last.
    pub fn traits(&self) -> MachineTraits {
        let newest = self.history.newest();
        MachineTraits {
            belt: self.belt,
            drive: self.drive,
            model: self.model.clone(),
            out_of_service: newest.and_then(|traits| traits.out_of_service.clone()),
            commissioning: newest.and_then(|traits| traits.commissioning.clone()),
            site: Some(self.site.clone()),
        }
    }

    /// Why it is tagged out of service, and since when; `None`: it is not.
    pub fn out_of_service(&self) -> Option<(&str, UnixMicros)> {
        let tag = self.history.newest()?.out_of_service.as_ref()?;
        Some((&tag.reason, tag.since))
    }

    /// What its last commissioning has shown; `None`: there was none.
    pub fn commissioning(&self) -> Option<&Commissioning> {
        self.history.newest()?.commissioning.as_ref()
    }

    /// When it was commissioned last; `None`: never.
    pub fn commissioned(&self) -> Option<UnixMicros> {
        self.commissioning().map(|commissioning| commissioning.time)
    }

    /// Whether its last commissioning has proven which sign of the direction signal is forward.
    pub fn direction_proven(&self) -> bool {
        self.commissioning().is_some_and(|commissioning| commissioning.direction_proven)
    }

    /// Whether a measured direction counts while the agent's sources are set like this; `None`: the agent has not told.
    pub fn direction_counts(&self, configuration: Option<ConfigurationHash>) -> bool {
        let Some(shown) = self.commissioning() else { return false };
        let settings = MachineSettings {
            direction_proven: shown.direction_proven,
            proven_for: shown.proven_now(),
            ..MachineSettings::default()
        };
        settings.direction_counts(configuration)
    }

    /// What held then. Of a machine without history what is set has always held.
    pub fn traits_at(&self, time: UnixMicros) -> MachineTraits {
        let mut traits = self.history.at(time).cloned().unwrap_or_else(|| self.traits());
        traits.site.get_or_insert_with(|| self.site.clone());
        traits
    }

    /// Notes in the history what holds from then on; `before` is what held until then if nothing was changed yet.
    pub(super) fn set_traits(&mut self, before: MachineTraits, from: UnixMicros, traits: MachineTraits) {
        // Before machines could move it was not written where they stood: all the time at one site.
        self.history.complete(|earlier| {
            if earlier.site.is_none() {
                earlier.site.clone_from(&before.site);
            }
        });
        self.history.set(before, from, traits);
    }
}

impl Registry {
    /// What is set for a scope; `None`: nothing ever was.
    pub fn limits(&self, scope: &Scope) -> Option<&ScopedLimits> {
        self.limits.get(scope).map(AsRef::as_ref)
    }

    /// All scopes for which something was set.
    pub fn all_limits(&self) -> impl Iterator<Item = &ScopedLimits> {
        self.limits.values().map(AsRef::as_ref)
    }
}

/// New thresholds by name; `None` takes a value away, so that what lies below holds again.
pub type NewLimits = BTreeMap<String, Option<i64>>;
