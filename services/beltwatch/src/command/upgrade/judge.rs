//! When the machines of a stage are well, and when they have to be taken back. Pure: what the server said, and when, are
//! arguments.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::api::v1;

/// Most that may wait in a spool that is well, in seconds.
const BACKLOG_S_MAX: i64 = 60;
/// How long a machine has to be well without a break: several times the pause after which its agent is started again when it
/// has failed (`RestartSec` of `beltwatch-agent.service`).
pub(super) const WELL_FOR: Duration = Duration::from_secs(10);

/// What the server knows of a machine's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) is_online: bool,
    pub(super) version: String,
    pub(super) backlog_s: Option<i64>,
    pub(super) lost: u64,
    /// When it was heard last, by the server's clock.
    pub(super) heard: Option<prost_types::Timestamp>,
    /// The place of the event with which the agent's newest life began; `None`: not known, or not asked for.
    pub(super) life: Option<String>,
}

impl State {
    pub(super) fn of(state: &v1::MachineState) -> State {
        State {
            is_online: state.presence() == v1::Presence::Online,
            version: state.agent_version.clone(),
            backlog_s: state.backlog.as_ref().map(|backlog| backlog.seconds),
            lost: state.records_lost,
            heard: state.last_heard_time,
            life: None,
        }
    }
}

/// How a machine's agent was before its stage was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Before {
    version: String,
    lost: u64,
}

impl Before {
    /// What is to be remembered of a machine, or why it is left alone.
    pub(super) fn of(state: &State, new: &str) -> Result<Before, String> {
        if !state.is_online {
            return Err("it is not online".to_owned());
        }
        if state.version == new {
            return Err(format!("it has version {new} already"));
        }
        Ok(Before { version: state.version.clone(), lost: state.lost })
    }
}

/// What a machine of a stage has to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// Online with this version, nothing lost, nothing that waits for long.
    New(&'a str),
    /// Online with what it had before. What was lost on the way stays lost and says nothing of the way back.
    Back,
}

/// What is to be done with a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It cannot be said yet.
    Wait,
    /// All its machines are well.
    Well,
    /// It has to be taken back, and why.
    Ill(String),
}

/// Why a machine is not well.
enum Trouble {
    /// It may heal.
    NotYet(String),
    /// It never heals.
    Final(String),
}

/// Since when a machine is well without a break, and in which life of its agent.
struct Well {
    since: Duration,
    life: Option<String>,
}

/// Judges the machines of one stage.
pub(super) struct Judge<'a> {
    before: &'a BTreeMap<String, Before>,
    wanted: Wanted<'a>,
    patience: Duration,
    well: BTreeMap<&'a str, Well>,
}

impl<'a> Judge<'a> {
    /// For these machines. `patience` is how long one may be not well yet.
    pub(super) fn new(
        before: &'a BTreeMap<String, Before>,
        wanted: Wanted<'a>,
        patience: Duration,
    ) -> Judge<'a> {
        Judge { before, wanted, patience, well: BTreeMap::new() }
    }

    /// What one look at the server says; an error: it could not be asked. `now` is the time since the stage was installed.
    pub(super) fn look(&mut self, seen: Result<&BTreeMap<String, State>, String>, now: Duration) -> Verdict {
        let states = match seen {
            Ok(states) => states,
            // A server that starts again says nothing of the machines.
            Err(why) => {
                self.well.clear();
                return self.not_yet(format!("the server cannot be asked: {why}"), now);
            }
        };
        let mut trouble = None;
        for (machine, before) in self.before {
            match self.judge(machine, before, states.get(machine), now) {
                Ok(()) => {}
                Err(Trouble::Final(why)) => return Verdict::Ill(format!("{machine}: {why}")),
                Err(Trouble::NotYet(why)) => {
                    trouble.get_or_insert(format!("{machine}: {why}"));
                }
            }
        }
        match trouble {
            Some(why) => self.not_yet(why, now),
            None if self.well.values().all(|well| now.saturating_sub(well.since) >= WELL_FOR) => {
                Verdict::Well
            }
            None => Verdict::Wait,
        }
    }

    fn not_yet(&self, why: String, now: Duration) -> Verdict {
        if now >= self.patience { Verdict::Ill(why) } else { Verdict::Wait }
    }

    fn judge(
        &mut self,
        machine: &'a str,
        before: &Before,
        state: Option<&State>,
        now: Duration,
    ) -> Result<(), Trouble> {
        let Some(state) = state else {
            self.well.remove(machine);
            return Err(Trouble::NotYet("it is not in the site any more".to_owned()));
        };
        if let Err(trouble) = self.wanted.is_met(before, state) {
            self.well.remove(machine);
            return Err(trouble);
        }
        let begun = || Well { since: now, life: state.life.clone() };
        let well = self.well.entry(machine).or_insert_with(begun);
        // An old life is not looked for any more, so not to see one says nothing.
        if state.life.is_some() && well.life != state.life {
            // Its first event may come a moment after its first status.
            let is_first = well.life.is_none();
            *well = begun();
            if !is_first {
                return Err(Trouble::NotYet("its agent was started again".to_owned()));
            }
        }
        Ok(())
    }
}

impl Wanted<'_> {
    fn is_met(self, before: &Before, now: &State) -> Result<(), Trouble> {
        let version = match self {
            Wanted::New(version) => version,
            Wanted::Back => &before.version,
        };
        let is_new = matches!(self, Wanted::New(_));
        if is_new && now.lost > before.lost {
            return Err(Trouble::Final(format!("{} records were lost", now.lost - before.lost)));
        }
        let why = if !now.is_online {
            "it is not online".to_owned()
        } else if now.version != version {
            format!("it says version {}, not {version}", now.version)
        } else if !is_new {
            return Ok(());
        } else {
            match now.backlog_s {
                Some(backlog) if backlog > BACKLOG_S_MAX => format!("{backlog} s of records wait"),
                Some(_) => return Ok(()),
                None => "how much waits is not known".to_owned(),
            }
        };
        Err(Trouble::NotYet(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: u64 = 30;

    fn state(version: &str) -> State {
        let version = version.to_owned();
        let life = Some("log/1/1".to_owned());
        State { is_online: true, version, backlog_s: Some(0), lost: 3, heard: None, life }
    }

    fn new() -> State {
        state("0.2.0")
    }

    fn away() -> State {
        State { is_online: false, ..new() }
    }

    fn life(life: &str) -> State {
        State { life: Some(life.to_owned()), ..new() }
    }

    fn ill(why: &str) -> Verdict {
        Verdict::Ill(why.to_owned())
    }

    /// What is said of a machine seen so; no state: the server could not be asked. Each from its second on, looked at each
    /// second; gives the first verdict and its second.
    #[track_caller]
    fn check(wanted: Wanted<'_>, seen: &[(u64, Option<State>)], expected: Verdict, at: u64) {
        let before = Before::of(&state("0.1.0"), "0.2.0").unwrap();
        let before = BTreeMap::from([("tm-01".to_owned(), before)]);
        let mut judge = Judge::new(&before, wanted, Duration::from_secs(PATIENCE));
        for second in 0..200 {
            let now = seen.iter().rev().find(|(from, _)| *from <= second);
            let now = now.and_then(|(_, state)| state.clone());
            let states = now.map(|state| BTreeMap::from([("tm-01".to_owned(), state)]));
            let look = states.as_ref().ok_or_else(|| "it is away".to_owned());
            let verdict = judge.look(look, Duration::from_secs(second));
            if verdict != Verdict::Wait {
                assert_eq!((verdict, second), (expected, at), "{seen:?}");
                return;
            }
        }
        panic!("nothing is said of {seen:?}");
    }

    const NEW: Wanted<'_> = Wanted::New("0.2.0");

    #[test]
    fn a_machine_is_well_when_it_is_heard_for_a_while_with_the_right_version() {
        check(NEW, &[(0, Some(new()))], Verdict::Well, 10);
        check(NEW, &[(0, Some(away())), (7, Some(new()))], Verdict::Well, 17);
        let end = PATIENCE;
        check(NEW, &[(0, Some(state("0.1.0")))], ill("tm-01: it says version 0.1.0, not 0.2.0"), end);
        check(NEW, &[(0, Some(away()))], ill("tm-01: it is not online"), end);
        let waits = State { backlog_s: Some(61), ..new() };
        check(NEW, &[(0, Some(waits))], ill("tm-01: 61 s of records wait"), end);
        let unknown = State { backlog_s: None, ..new() };
        check(NEW, &[(0, Some(unknown))], ill("tm-01: how much waits is not known"), end);
        // Who is well when patience ends gets the rest of its time, and no more.
        check(NEW, &[(0, Some(away())), (29, Some(new()))], Verdict::Well, 39);
        check(
            NEW,
            &[(0, Some(away())), (29, Some(new())), (35, Some(away()))],
            ill("tm-01: it is not online"),
            35,
        );
    }

    #[test]
    fn one_glimpse_is_not_enough() {
        // An agent that starts, speaks and fails, over and over.
        let lives: Vec<(u64, Option<State>)> =
            (0..60).map(|n| (n * 4, Some(life(&format!("log/{n}/1"))))).collect();
        check(NEW, &lives, ill("tm-01: its agent was started again"), 32);
        let flickers: Vec<(u64, Option<State>)> =
            (0..60).map(|n| (n * 5, Some(if n % 2 == 0 { new() } else { away() }))).collect();
        check(NEW, &flickers, ill("tm-01: it is not online"), PATIENCE + 5);
        // That it was started is known a moment after it is online.
        check(NEW, &[(0, Some(State { life: None, ..new() })), (2, Some(new()))], Verdict::Well, 12);
        check(NEW, &[(0, Some(new())), (5, Some(State { life: None, ..new() }))], Verdict::Well, 10);
        check(NEW, &[(0, Some(life("log/1/1"))), (8, Some(life("log/2/1")))], Verdict::Well, 18);
    }

    #[test]
    fn what_is_lost_is_final_and_no_matter_on_the_way_back() {
        let lost = |state| State { lost: 5, ..state };
        check(NEW, &[(0, Some(away())), (4, Some(lost(new())))], ill("tm-01: 2 records were lost"), 4);
        check(Wanted::Back, &[(0, Some(lost(state("0.1.0"))))], Verdict::Well, 10);
        let waits = State { backlog_s: None, ..lost(state("0.1.0")) };
        check(Wanted::Back, &[(0, Some(waits))], Verdict::Well, 10);
        check(Wanted::Back, &[(0, Some(new()))], ill("tm-01: it says version 0.2.0, not 0.1.0"), PATIENCE);
    }

    #[test]
    fn a_server_that_cannot_be_asked_for_a_while_proves_nothing() {
        check(NEW, &[(0, None), (20, Some(new()))], Verdict::Well, 30);
        check(NEW, &[(0, Some(new())), (5, None), (6, Some(new()))], Verdict::Well, 16);
        check(NEW, &[(0, Some(new())), (5, None)], ill("the server cannot be asked: it is away"), PATIENCE);
    }

    #[test]
    fn machines_that_cannot_be_judged_are_left_alone() {
        assert!(Before::of(&State { is_online: false, ..state("0.1.0") }, "0.2.0").is_err());
        assert!(Before::of(&state("0.2.0"), "0.2.0").is_err());
    }
}
