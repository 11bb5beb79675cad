//! The rules, with the thresholds that hold for whom they are asked.

use domain::ids::{MachineId, SiteId};
use domain::incident::Rule;
use domain::incident::threshold::Limits;
use store::registry::{Machine, Scope as SetFor};
use wire::api::v1;

use super::{Incidents, show};
use crate::access::Scope;
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::registry::Visible;
use crate::status::ApiError;

/// For what thresholds are set or asked: of a request's three fields one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// No field was given.
    Nobody,
    /// One was.
    Of(SetFor),
}

impl Check {
    /// One of three fields that say for what thresholds are; more than one is wrong.
    pub(crate) fn whose(&mut self, site_id: &str, model: &str, machine_id: &str) -> Whose {
        let given = [site_id, model, machine_id].iter().filter(|field| !field.is_empty()).count();
        if given > 1 {
            self.wrong("site_id", "model and machine_id exclude each other; give only one of them");
            return Whose::Nobody;
        }
        let site = self.optional_id::<SiteId>("site_id", site_id).map(SetFor::Site);
        let machine = self.optional_id::<MachineId>("machine_id", machine_id).map(SetFor::Machine);
        let model = self.text("model", model, NAME_CHARACTERS_MAX);
        let model = (!model.is_empty()).then_some(SetFor::Model(model));
        site.or(model).or(machine).map_or(Whose::Nobody, Whose::Of)
    }

    /// The same, but it is required.
    pub(crate) fn for_whom(&mut self, site_id: &str, model: &str, machine_id: &str) -> Option<SetFor> {
        let is_nobody = [site_id, model, machine_id].iter().all(|field| field.is_empty());
        if is_nobody {
            self.wrong("site_id", "is empty, and so are model and machine_id; one of them is required");
        }
        match self.whose(site_id, model, machine_id) {
            Whose::Nobody => None,
            Whose::Of(set_for) => Some(set_for),
        }
    }
}

impl Visible {
    /// `NotFound` if what thresholds are asked or set for is not there, or the caller cannot see it. Of a model a
    /// machine has to be seen.
    pub(crate) fn has(&self, set_for: &SetFor) -> Result<(), ApiError> {
        match set_for {
            SetFor::Site(site) => self.site(site).map(drop),
            SetFor::Machine(machine) => self.machine(machine).map(drop),
            SetFor::Model(model) => {
                let has = self.machines(None).any(|machine| machine.model == *model);
                let none = || ApiError::NotFound { what: "model", id: model.clone() };
                if has { Ok(()) } else { Err(none()) }
            }
        }
    }

    /// The machines of what thresholds are set for, by id.
    pub(crate) fn machines_of(&self, set_for: &SetFor) -> impl Iterator<Item = &Machine> {
        let is_of = move |machine: &&Machine| match set_for {
            SetFor::Site(site) => machine.site == *site,
            SetFor::Machine(id) => machine.id == *id,
            SetFor::Model(model) => machine.model == *model,
        };
        self.machines(None).map(AsRef::as_ref).filter(is_of)
    }

    /// What was set last for one thing alone.
    pub(crate) fn limits(&self, set_for: &SetFor) -> Limits {
        self.registry().limits(set_for).map(store::registry::ScopedLimits::newest).unwrap_or_default()
    }

    /// What was set last for a machine's site, its model and itself, the widest first.
    pub(crate) fn layers(&self, machine: &Machine) -> [(SetFor, Limits); 3] {
        let all = [
            SetFor::Site(machine.site.clone()),
            SetFor::Model(machine.model.clone()),
            SetFor::Machine(machine.id.clone()),
        ];
        all.map(|set_for| {
            let limits = self.limits(&set_for);
            (set_for, limits)
        })
    }
}

/// A word for what thresholds are set for.
fn word(set_for: &SetFor) -> &'static str {
    match set_for {
        SetFor::Site(_) => "site",
        SetFor::Model(_) => "model",
        SetFor::Machine(_) => "machine",
    }
}

/// A rule with the thresholds that hold for a machine.
pub(super) fn of_machine(visible: &Visible, machine: &Machine, rule: Rule) -> v1::Rule {
    let layers = visible.layers(machine);
    show::rule(rule, &layers.each_ref().map(|(set_for, limits)| (word(set_for), limits)))
}

impl Incidents {
    pub(super) fn rules(
        &self,
        scope: Scope,
        request: v1::ListRulesRequest,
    ) -> Result<v1::ListRulesResponse, ApiError> {
        let mut check = Check::default();
        let whose = check.whose(&request.site_id, &request.model, &request.machine_id);
        check.finish()?;
        let visible = self.ground.visible(scope);
        let layers = match whose {
            Whose::Nobody => Vec::new(),
            Whose::Of(SetFor::Machine(machine)) => visible.layers(visible.machine(&machine)?).to_vec(),
            Whose::Of(set_for) => {
                visible.has(&set_for)?;
                let limits = visible.limits(&set_for);
                vec![(set_for, limits)]
            }
        };
        let layers: Vec<_> = layers.iter().map(|(set_for, limits)| (word(set_for), limits)).collect();
        Ok(v1::ListRulesResponse { rules: Rule::ALL.map(|rule| show::rule(rule, &layers)).to_vec() })
    }
}
