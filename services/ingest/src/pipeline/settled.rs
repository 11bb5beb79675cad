//! Up to which moment everything that was committed can be read.

use domain::units::UnixMicros;
use store::journal::Sequence;

/// A moment, and what was folded at it: when the telemetry has all that, everything committed before can be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    folded: Sequence,
    at: UnixMicros,
}

impl Mark {
    pub(super) fn new(folded: Sequence, at: UnixMicros) -> Mark {
        Mark { folded, at }
    }

    /// The mark's moment, if the telemetry has come so far; then the mark moves on to now.
    pub(super) fn reached(
        &mut self,
        watermark: Sequence,
        folded: Sequence,
        now: UnixMicros,
    ) -> Option<UnixMicros> {
        if watermark < self.folded {
            return None;
        }
        let reached = std::mem::replace(self, Mark::new(folded, now));
        // If nothing came since, the present moment is reached, too.
        Some(if watermark >= folded { now } else { reached.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_reached_when_all_that_was_folded_at_it_can_be_read() {
        let at = UnixMicros;
        let mut mark = Mark::new(10, at(1));
        assert_eq!(mark.reached(9, 15, at(2)), None);
        assert_eq!(mark.reached(10, 20, at(3)), Some(at(1)));
        assert_eq!(mark.reached(19, 20, at(4)), None);
        assert_eq!(mark.reached(20, 20, at(5)), Some(at(5)), "nothing came since");
    }
}
