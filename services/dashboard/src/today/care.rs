//! What people owe machines: proof tests, service, repair, signals, and contacts that can be reached.

use wire::api::v1;

use super::Ground;
use super::block::{Block, Line};
use crate::drill::{self, contact_name, proof_state};
use crate::incident::signal_name;
use crate::outage::Missing;
use crate::usage::figures::percent;
use crate::visitor::Visitor;

/// The share of a plan from which on service is due soon.
const SOON: f64 = 0.9;

/// Machines out of service, since longest first, with the reason.
pub(super) fn out_of_service(ground: &Ground) -> Block {
    let t = ground.t();
    let machines = ground.machines.values().filter_map(|state| state.machine.as_ref());
    let mut out: Vec<&v1::Machine> = machines.filter(|one| !one.out_of_service_reason.is_empty()).collect();
    out.sort_by_key(|one| one.out_of_service_time.map(|at| at.seconds));
    let line = |one: &&v1::Machine| {
        let age = ground.age(one.out_of_service_time).map(|age| t.today_since(age));
        let words = [Some(one.out_of_service_reason.clone()), age];
        Line::of(&one.id, words.into_iter().flatten().collect::<Vec<_>>().join(", "), ground)
    };
    Block::new("out-of-service", t.today_out_of_service(), out.iter().map(line).collect(), ground)
}

/// Contacts that have to be proven: overdue first, as the API lists them.
pub(super) fn proofs(told: &Result<v1::ListProofsResponse, Missing>, ground: &Ground) -> Block {
    let t = ground.t();
    let (id, title) = ("proofs", t.today_proofs());
    let told = match told {
        Ok(told) => told,
        Err(missing) => return Block::missing(id, title, missing, ground),
    };
    let own = || told.proofs.iter().filter(|proof| ground.has(&proof.machine_id));
    let waits = [v1::ProofState::Overdue, v1::ProofState::Never, v1::ProofState::Due];
    let due = own().filter(|proof| waits.contains(&proof.state()));
    let line = |proof: &v1::Proof| {
        let (_, state) = proof_state(proof.state(), t);
        let words = t.today_proof(contact_name(&proof.contact, t), state);
        Line { href: drill::path(&proof.machine_id), ..Line::of(&proof.machine_id, words, ground) }
    };
    let mut block = Block::new(id, title, due.map(line).collect(), ground);
    let blind = own().filter(|proof| proof.state() == v1::ProofState::Blind).count();
    if blind > 0 {
        block.notes.push(t.today_unmeasurable(blind));
    }
    block.all = Some(("/proofs".to_owned(), t.today_proofs_all()));
    block
}

/// Machines whose service is due, or soon is; the most overdue first.
pub(super) fn maintenance(told: &Result<v1::ListMaintenanceResponse, Missing>, ground: &Ground) -> Block {
    let (t, reader) = (ground.t(), ground.reader);
    let (id, title) = ("maintenance", t.today_maintenance());
    let told = match told {
        Ok(told) => told,
        Err(missing) => return Block::missing(id, title, missing, ground),
    };
    let own = || told.machines.iter().filter(|one| ground.has(&one.machine_id));
    let due = own().filter(|one| one.used.is_some_and(|used| used >= SOON));
    let line = |one: &v1::MachineMaintenance| {
        let used = percent(one.used.unwrap_or_default(), 1.0, reader).map(|used| t.today_used(used));
        let hours = one
            .plan_hours
            .map(|plan| t.today_hours(t.age_hours(reader.number(one.hours)), t.age_hours(plan)));
        let way = one.plan_kilometres.map(|plan| {
            let plan = reader.distance(f64::from(plan) * 1_000.0);
            t.today_hours(reader.distance(one.kilometres * 1_000.0), plan)
        });
        let words: Vec<String> = [used, hours, way].into_iter().flatten().collect();
        Line::of(&one.machine_id, words.join(", "), ground)
    };
    let mut block = Block::new(id, title, due.map(line).collect(), ground).led(t.today_maintenance_lead());
    let without = own().filter(|one| !one.has_plan).count();
    if without > 0 {
        block.notes.push(t.today_without_plan(without));
    }
    block.all = Some(("/usage#maintenance".to_owned(), t.today_maintenance_all()));
    block
}

/// Machines for which rules see nothing: those with most of them first, with the signal that would add most.
pub(super) fn blind(told: &Result<v1::ListBlindSpotsResponse, Missing>, ground: &Ground) -> Block {
    let t = ground.t();
    let (id, title) = ("blind", t.today_blind());
    let told = match told {
        Ok(told) => told,
        Err(missing) => return Block::missing(id, title, missing, ground),
    };
    let count =
        |one: &v1::MachineSight| one.rules.iter().filter(|rule| rule.sight() == v1::Sight::Blind).count();
    let mut blind: Vec<&v1::MachineSight> =
        told.machines.iter().filter(|one| ground.has(&one.machine_id) && count(one) > 0).collect();
    blind.sort_by_key(|one| std::cmp::Reverse(count(one)));
    let line = |one: &&v1::MachineSight| {
        let mut words = vec![t.today_rules_blind(count(one), one.rules.len())];
        words.extend(one.gains.first().map(|gain| t.today_would_add(signal_name(&gain.capability, t))));
        Line::of(&one.machine_id, words.join("; "), ground)
    };
    let mut block = Block::new(id, title, blind.iter().map(line).collect(), ground).led(t.today_blind_lead());
    block.all = Some(("/reverse#blind-title".to_owned(), t.today_blind_all()));
    block
}

/// Contacts that the message tried last did not reach.
pub(super) fn contacts(
    told: &Result<v1::ListContactsResponse, Missing>,
    ground: &Ground,
    visitor: &Visitor,
) -> Block {
    let t = ground.t();
    let (id, title) = ("contacts", t.today_contacts());
    let told = match told {
        Ok(told) => told,
        Err(missing) => return Block::missing(id, title, missing, ground),
    };
    let has_failed = |one: &&v1::Contact| {
        let last = one.last_notice.as_ref();
        last.is_some_and(|notice| notice.state() == v1::NoticeState::Failed)
    };
    let is_own = |one: &&v1::Contact| one.site_id.is_empty() || visitor.may("configure", &one.site_id);
    let line = |one: &v1::Contact| {
        let name = if one.display_name.is_empty() { &one.name } else { &one.display_name };
        let age = one.last_notice.as_ref().and_then(|notice| ground.age(notice.last_attempt_time));
        let site = if one.site_id.is_empty() { t.today_of_all() } else { ground.places.name(&one.site_id) };
        Line {
            name: name.clone(),
            href: "/administration/contacts".to_owned(),
            site: site.to_owned(),
            words: age.map(|age| t.ago(age)).unwrap_or_default(),
        }
    };
    let lines = told.contacts.iter().filter(is_own).filter(has_failed).map(line).collect();
    let mut block = Block::new(id, title, lines, ground).led(t.today_contacts_lead());
    block.all = Some(("/administration/contacts".to_owned(), t.today_contacts_all()));
    block
}
