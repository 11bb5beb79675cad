//! What happens to agents, server and broker while a world is bad.

use store::ledger::Ledger;

use super::{Ability, Answer, AppendEnds, Forgery, To, World};
use crate::simulation::clocks::a_step;
use crate::simulation::tally::Met;

impl World {
    pub(super) fn hurt_agents(&mut self) {
        for number in 0..self.agents.len() {
            let (now, faults) = (self.now, self.faults);
            if self.chance(faults.agent_killed) {
                self.agents[number].kill();
                self.agents[number].starts_at = now + self.random.u64(0..3_000_000);
            }
            if self.chance(faults.agent_killed_in_call) {
                self.agents[number].die_in_call();
            }
            if self.chance(faults.power_cut) {
                self.agents[number].cut_power(now);
                self.agents[number].starts_at = now + self.random.u64(0..8_000_000);
            }
            if self.chance(faults.spool_wiped) {
                self.agents[number].wipe(now);
            }
            if self.chance(faults.disk_changed) {
                let ability = self.random.choice([Ability::Works, Ability::Full, Ability::Fails]);
                self.agents[number].disk.set_ability(ability.unwrap_or_default());
            }
            if self.chance(faults.outage) {
                let longest_us = if self.is_long { 400_000_000 } else { 60_000_000 };
                let agent = &mut self.agents[number];
                agent.disconnect(now, 0);
                agent.offline_until = now + self.random.u64(5_000_000..longest_us);
            }
            if self.chance(faults.agent_clock_stepped)
                && let Some(clock) = &mut self.agents[number].clock
            {
                clock.set(&mut self.random);
                self.tally.note(Met::ClockSteps, 1);
            }
            if self.chance(faults.cloned) && self.copies.iter().all(|(of, _, _)| *of != number) {
                self.copy_card(number);
            }
        }
    }

    /// Somebody copies a card and puts the copy into a second computer, which runs for a while.
    fn copy_card(&mut self, number: usize) {
        let seed = self.random.u64(..);
        let copy = self.agents[number].copied(seed, self.now);
        let longest_us = if self.is_long { 300_000_000 } else { 60_000_000 };
        let until = self.now + self.random.u64(10_000_000..longest_us);
        self.copies.push((number, copy, until));
        self.tally.note(Met::Clones, 1);
    }

    pub(super) fn hurt_server(&mut self) -> anyhow::Result<()> {
        let (now, faults) = (self.now, self.faults);
        if self.chance(faults.server_killed) {
            self.server.kill();
            self.server_starts_at = now + self.random.u64(0..3_000_000);
        }
        if self.chance(faults.journal_full) {
            self.journal_full_until = now + self.random.u64(0..20_000_000);
        }
        if self.chance(faults.journal_nearly_full) {
            self.nearly_full_until = now + self.random.u64(0..40_000_000);
        }
        for store in 0..2 {
            if self.chance(faults.stores_bad) {
                self.server.answers[store] = Answer::drawn(&mut self.random);
                self.answers_until[store] = now + self.random.u64(0..20_000_000);
            }
        }
        if self.chance(faults.server_clock_stepped) {
            self.server.ahead_us = if self.random.bool() { 0 } else { a_step(&mut self.random) };
            self.tally.note(Met::ClockSteps, 1);
        }
        if self.chance(faults.backup_restored) {
            match self.backup.take() {
                None => self.backup = Some(self.server.back_up()),
                Some(backup) => {
                    let before = self.server.stores.ledger.registry();
                    self.server.restore(&backup);
                    self.is_restored = true;
                    self.repeat(&before)?;
                }
            }
        }
        Ok(())
    }

    /// Troubles that last for a while end.
    pub(super) fn end_troubles(&mut self) {
        for store in 0..2 {
            if self.now >= self.answers_until[store] {
                self.server.answers[store] = Answer::Works;
            }
        }
        self.server.is_journal_nearly_full = self.now < self.nearly_full_until;
        let ended = self.copies.extract_if(.., |(_, _, until)| *until <= self.now);
        for (number, mut copy, _) in ended {
            // Of a copy that nobody has any more only what was acknowledged can be asked for.
            copy.kill();
            copy.disk.excuse_all();
            self.former.push((number, copy));
        }
    }

    pub(super) fn append_ends(&mut self, is_bad: bool) -> AppendEnds {
        if self.now < self.journal_full_until {
            return AppendEnds::Refused;
        }
        if !is_bad || !self.chance(self.faults.append_bad) {
            return AppendEnds::Well;
        }
        let ends = [
            AppendEnds::Refused,
            AppendEnds::Refused,
            AppendEnds::RefusedForGood,
            AppendEnds::KilledBefore,
            AppendEnds::KilledBefore,
            AppendEnds::KilledAfter,
            AppendEnds::KilledAfter,
        ];
        self.server_starts_at = self.now + self.random.u64(0..1_000_000);
        self.random.choice(ends).unwrap_or(AppendEnds::Well)
    }

    pub(super) fn hurt_broker(&mut self) {
        let (now, faults) = (self.now, self.faults);
        if self.chance(faults.broker_wiped) {
            self.network.forget();
            for index in 0..self.agents.len() + self.copies.len() {
                let pause_us = self.random.u64(0..2_000_000);
                let agent = self.anybody(index);
                agent.disconnect(now, pause_us);
                // It has forgotten the wills, too.
                agent.take_wills();
            }
        }
        if self.chance(faults.broker_restarted) {
            let until = now + self.random.u64(100_000..4_000_000);
            let kept = self.network.keep_until(until);
            self.tally.note(Met::KeptByBroker, kept);
            for index in 0..self.agents.len() + self.copies.len() {
                let pause_us = until - now + self.random.u64(0..2_000_000);
                self.anybody(index).disconnect(now, pause_us);
            }
        }
    }

    pub(super) fn forge(&mut self) -> anyhow::Result<()> {
        if !self.chance(self.faults.forged) {
            return Ok(());
        }
        match self.forger.forge() {
            Some(Forgery::Replayed(message)) => {
                self.tally.note(Met::Replayed, 1);
                self.network.send(self.now, message);
            }
            Some(Forgery::Forged(message)) => match message.to {
                To::Ingest => {
                    let replies = self.server.receive_forged(&message.topic, message.payload, self.now)?;
                    self.send(replies);
                }
                To::Agent(number) => self.deliver(number, &message, true),
            },
            None => {}
        }
        Ok(())
    }
}
