//! How many machines each stage has. Pure.

use std::str::FromStr;

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
}
