//! Which machines a stage has, and when a machine has come back well. Pure.

use std::str::FromStr;

use wire::api::v1;

/// Most that may wait in a spool that is well, in seconds.
const BACKLOG_S_MAX: i64 = 60;

/// How many machines are upgraded when each stage ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stages(Vec<End>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Machines(usize),
    Percent(usize),
}

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Stages, String> {
        let end = |part: &str| {
            let wrong = || format!("{part} is no stage: a number, or 1% to 100%, is allowed");
            match part.strip_suffix('%') {
                Some(number) => match number.parse() {
                    Ok(percent @ 1..=100) => Ok(End::Percent(percent)),
                    Ok(_) | Err(_) => Err(wrong()),
                },
                None => part.parse().map(End::Machines).map_err(|_| wrong()),
            }
        };
        text.split(',').map(str::trim).map(end).collect::<Result<_, _>>().map(Stages)
    }
}

impl Stages {
    /// How many of `machines` each stage ends with, growing; the last one ends with all.
    pub(super) fn ends(&self, machines: usize) -> Vec<usize> {
        let mut ends: Vec<usize> = Vec::new();
        let asked = self.0.iter().map(|end| match end {
            End::Machines(number) => *number,
            End::Percent(percent) => (machines * percent).div_ceil(100),
        });
        for end in asked.chain([machines]) {
            let end = end.min(machines);
            if ends.last().copied().unwrap_or(0) < end {
                ends.push(end);
            }
        }
        ends
    }
}

/// What the server knows of a machine's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    is_online: bool,
    version: String,
    backlog_s: Option<i64>,
    lost: u64,
}

impl State {
    pub(super) fn of(state: &v1::MachineState) -> State {
        State {
            is_online: state.presence() == v1::Presence::Online,
            version: state.agent_version.clone(),
            backlog_s: state.backlog.as_ref().map(|backlog| backlog.seconds),
            lost: state.records_lost,
        }
    }
}

/// How a machine's agent was before the upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Before {
    /// Its version.
    pub(super) version: String,
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

    /// Whether the machine is well with the version that is wanted, or what is not.
    pub(super) fn has_come_back(&self, now: &State, wanted: &str) -> Result<(), String> {
        if now.lost > self.lost {
            return Err(format!("{} records were lost", now.lost - self.lost));
        }
        if !now.is_online {
            return Err("it is not online".to_owned());
        }
        if now.version != wanted {
            return Err(format!("it says version {}, not {wanted}", now.version));
        }
        match now.backlog_s {
            Some(backlog) if backlog > BACKLOG_S_MAX => Err(format!("{backlog} s of records wait")),
            Some(_) => Ok(()),
            None => Err("how much waits is not known".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_ends(stages: &str, machines: usize, expected: &[usize]) {
        assert_eq!(stages.parse::<Stages>().unwrap().ends(machines), expected);
    }

    #[test]
    fn stages_grow_and_the_last_one_has_all() {
        check_ends("1,10%,100%", 50, &[1, 5, 50]);
        check_ends("1,10%,100%", 5, &[1, 5]);
        check_ends("1,10%,100%", 1, &[1]);
        check_ends("50%", 3, &[2, 3]);
        check_ends("20, 5", 10, &[10]);
        check_ends("0,100%", 2, &[2]);
        for wrong in ["", "0%", "101%", "half", "1,,2"] {
            assert!(wrong.parse::<Stages>().is_err(), "{wrong}");
        }
    }

    fn state(version: &str) -> State {
        State { is_online: true, version: version.to_owned(), backlog_s: Some(0), lost: 3 }
    }

    #[test]
    fn a_machine_is_well_only_when_it_is_heard_with_the_right_version_and_nothing_lost() {
        let before = Before::of(&state("0.1.0"), "0.2.0").unwrap();
        let judge = |now: State| before.has_come_back(&now, "0.2.0").err().unwrap_or_default();
        assert_eq!(judge(state("0.2.0")), "");
        assert_eq!(judge(state("0.1.0")), "it says version 0.1.0, not 0.2.0");
        assert_eq!(judge(State { is_online: false, ..state("0.2.0") }), "it is not online");
        assert_eq!(judge(State { lost: 5, ..state("0.2.0") }), "2 records were lost");
        assert_eq!(judge(State { backlog_s: Some(61), ..state("0.2.0") }), "61 s of records wait");
        assert_eq!(judge(State { backlog_s: None, ..state("0.2.0") }), "how much waits is not known");
    }

    #[test]
    fn machines_that_cannot_be_judged_are_left_alone() {
        assert!(Before::of(&State { is_online: false, ..state("0.1.0") }, "0.2.0").is_err());
        assert!(Before::of(&state("0.2.0"), "0.2.0").is_err());
    }
}
