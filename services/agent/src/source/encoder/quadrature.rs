//! Counts from edges: two lines a quarter of a period apart give steps with a sign, one line gives pulses without.

use domain::units::MonotonicMicros;

/// What an edge means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// One count on.
    Forward,
    /// One count back.
    Back,
    /// Nothing: the level of the other line is not known yet, or a pulse's other end.
    Nothing,
    /// The edge cannot follow the one before: one between them was missed, or this is noise.
    Invalid,
}

/// By the levels of A and B before and after: 00, 01, 10, 11 from the left and from the top. Forward, A goes first.
const STEPS: [[Step; 4]; 4] = {
    const F: Step = Step::Forward;
    const B: Step = Step::Back;
    const X: Step = Step::Invalid;
    [
        [X, B, F, X], // from 00
        [F, X, X, B], // from 01
        [B, X, X, F], // from 10
        [X, F, B, X], // from 11
    ]
};

/// The two lines of a quadrature encoder.
#[derive(Debug, Clone, Default)]
pub(super) struct Quadrature {
    /// Levels of A and B; `None`: no edge of it was seen yet.
    levels: [Option<bool>; 2],
}

impl Quadrature {
    /// Takes an edge of line A (0) or B (1).
    pub(super) fn see(&mut self, line: usize, is_high: bool) -> Step {
        let Some(level) = self.levels.get_mut(line) else { return Step::Invalid };
        let before = level.replace(is_high);
        let (Some(a), Some(b)) = (self.levels[0], self.levels[1]) else { return Step::Nothing };
        let Some(before) = before else { return Step::Nothing };
        let old = if line == 0 { state(before, b) } else { state(a, before) };
        STEPS[old][state(a, b)]
    }

    /// Edges were missed: neither level is known any more.
    pub(super) fn forget(&mut self) {
        *self = Quadrature::default();
    }
}

fn state(a: bool, b: bool) -> usize {
    usize::from(a) << 1 | usize::from(b)
}

/// One line with pulses: a single switch at a magnet or a slotted wheel. Only the beginning of a pulse counts, because
/// how long a pulse is depends on the distance of the magnet.
#[derive(Debug, Clone)]
pub(super) struct Pulses {
    /// Two pulses cannot be closer, in microseconds.
    shortest_us: u64,
    level: Option<bool>,
    counted: Option<MonotonicMicros>,
}

impl Pulses {
    /// With the least time between two pulses.
    pub(super) fn new(shortest_us: u64) -> Pulses {
        Pulses { shortest_us, level: None, counted: None }
    }

    /// Takes an edge.
    pub(super) fn see(&mut self, is_high: bool, at: MonotonicMicros) -> Step {
        if self.level.replace(is_high) == Some(is_high) {
            return Step::Invalid;
        }
        if !is_high {
            return Step::Nothing;
        }
        if self.counted.is_some_and(|counted| at.since(counted) < self.shortest_us) {
            return Step::Invalid;
        }
        self.counted = Some(at);
        Step::Forward
    }

    /// Edges were missed: the level is not known any more.
    pub(super) fn forget(&mut self) {
        self.level = None;
    }
}

/// The slack between the belt and what counts as its motion. A belt that rocks to and fro within it does not move; one
/// that runs on moves with every count.
#[derive(Debug, Clone)]
pub(super) struct Slack {
    width: i64,
    position: i64,
    /// The lower end of the slack; the upper one is a width above.
    low: i64,
}

impl Slack {
    /// So many counts wide.
    pub(super) fn new(width: i64) -> Slack {
        Slack { width, position: 0, low: 0 }
    }

    /// Takes a step; whether it moves the belt, and forward.
    pub(super) fn step(&mut self, forward: bool) -> Option<bool> {
        self.position += if forward { 1 } else { -1 };
        if self.position > self.low + self.width {
            self.low += 1;
            return Some(true);
        }
        if self.position < self.low {
            self.low -= 1;
            return Some(false);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Edges as `a+`, `a-`, `b+`, `b-`; what each means as `f`, `b`, `.` or `x`.
    fn check(edges: &str, meanings: &str) {
        let mut quadrature = Quadrature::default();
        let meant: String = edges
            .split_whitespace()
            .map(|edge| match quadrature.see(usize::from(edge.starts_with('b')), edge.ends_with('+')) {
                Step::Forward => 'f',
                Step::Back => 'b',
                Step::Nothing => '.',
                Step::Invalid => 'x',
            })
            .collect();
        assert_eq!(meant, meanings, "{edges}");
    }

    #[test]
    fn a_goes_first_forward_and_b_goes_first_in_reverse() {
        check("b- a+ b+ a- b- a+ b+ a- b-", "..fffffff");
        check("a- b+ a+ b- a- b+ a+ b- a-", "..bbbbbbb");
        check("b- a+ b+ b- b+ a- b-", "..fbfff");
        check("b- a+ a+ b+ a+", "..xfx");
        check("a+ a- a+", "...");
    }

    #[test]
    fn a_pulse_counts_once_and_bounces_do_not() {
        let check = |edges: &[(u64, bool, Step)]| {
            let mut pulses = Pulses::new(1_000);
            for (at, is_high, step) in edges {
                assert_eq!(pulses.see(*is_high, MonotonicMicros(*at)), *step, "at {at}");
            }
        };
        check(&[
            (10, true, Step::Forward),
            (500, false, Step::Nothing),
            (600, true, Step::Invalid),
            (700, true, Step::Invalid),
            (900, false, Step::Nothing),
            (1_010, true, Step::Forward),
        ]);
    }

    #[test]
    fn rocking_within_the_slack_is_no_motion_and_running_on_is() {
        let check = |steps: &str, moves: &str| {
            let mut slack = Slack::new(3);
            let moved: String = steps
                .chars()
                .map(|step| match slack.step(step == '+') {
                    Some(true) => '+',
                    Some(false) => '-',
                    None => '.',
                })
                .collect();
            assert_eq!(moved, moves, "{steps}");
        };
        check("++++++", "...+++");
        check("++-+-++-", "........");
        check("+++++----++", "...++...-..");
        check("-----", "-----");
    }

    proptest! {
        /// However the belt runs, the slack never lies elsewhere than around it.
        #[test]
        fn the_slack_stays_around_the_position(width in 0i64..20, steps in prop::collection::vec(any::<bool>(), 0..500)) {
            let mut slack = Slack::new(width);
            for forward in steps {
                slack.step(forward);
                prop_assert!(slack.low <= slack.position && slack.position <= slack.low + width);
            }
        }
    }
}
