//! The runs: each source that measures a direction tells the one that was looked at.

use domain::belt::Direction;
use domain::commissioning::Step;
use domain::units::MonotonicMicros;

use super::{EDGE_US, FASTEST, STEADY_US, Verdict, Watch};
use crate::commission::plan::Signed;
use crate::commission::seen::Seen;

impl Watch {
    pub(super) fn run(&self, asked: Direction, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let waited = now.since(self.since);
        let measured = || vec![("fastest_mm_s", i64::from(seen.fastest().0))];
        if seen.fastest() > FASTEST {
            let words = "the belt ran faster than 3.6 km/h: do it slowly, with nobody on the belt".to_owned();
            return Verdict::Failed { words, measured: measured(), advice: Vec::new() };
        }
        let is_moving = seen.is_moving(now) == Some(true);
        let steady = |one: &Signed| {
            let (direction, steady) = seen.direction(one.number, now).filter(|_| is_moving)?;
            (steady >= STEADY_US).then_some(direction)
        };
        let tells = |wanted: Direction| self.signed.iter().filter(move |one| steady(one) == Some(wanted));
        let opposite = if asked == Direction::Forward { Direction::Reverse } else { Direction::Forward };
        if tells(asked).count() == self.signed.len() && waited >= STEADY_US {
            return Verdict::shown("", measured());
        }
        // Whose forward was shown has the right sign: then the belt is still running forward.
        let is_still_forward = self.step == Step::ReverseRun && self.was_forward;
        if tells(opposite).next().is_some() && !is_still_forward {
            let names = names(tells(opposite));
            let words = format!("the OPPOSITE direction is measured by {names}");
            return Verdict::Failed { words, measured: measured(), advice: advice(tells(opposite)) };
        }
        if waited <= EDGE_US {
            return Verdict::Open;
        }
        if !is_moving {
            return Verdict::failed("no motion was measured within 10 s");
        }
        if tells(opposite).next().is_some() {
            let names = names(tells(opposite));
            return Verdict::failed(format!(
                "forward is still measured by {names}: start the belt in REVERSE first"
            ));
        }
        let missing = names(self.signed.iter().filter(|one| steady(one) != Some(asked)));
        Verdict::failed(format!("no steady direction was measured within 10 s by {missing}"))
    }
}

fn names<'s>(sources: impl Iterator<Item = &'s Signed>) -> String {
    sources.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What to set so that sources tell the opposite.
fn advice<'s>(sources: impl Iterator<Item = &'s Signed>) -> Vec<String> {
    let of = |one: &Signed| match one.inverted {
        Some(inverted) => {
            format!("  In the configuration, at name = \"{}\", set: invert = {}", one.name, !inverted)
        }
        None => {
            format!("  {} has no setting `invert`: change the sign in its program or its wiring.", one.name)
        }
    };
    let after = "  Then begin anew (q ends): what is shown is true of one configuration only.".to_owned();
    sources.map(of).chain([after]).collect()
}
