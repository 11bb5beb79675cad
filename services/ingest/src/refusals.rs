//! Messages that were refused: why, how often, and the last few of each reason for an operator to see.

use std::collections::VecDeque;

use domain::limits;
use domain::units::UnixMicros;

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// Its topic is none of ours, or the body belongs to another topic.
    ForeignTopic,
    /// The registry does not know its machine.
    UnknownMachine,
    /// It is larger than any message of ours.
    TooLarge,
    /// It is sealed with a key that is not valid any more, or not yet.
    WrongGeneration,
    /// The seal does not match.
    NotAuthentic,
    /// It is not what it should be: field, value and what is allowed are in the detail.
    Unreadable,
    /// It is of a version that this program does not know.
    Version,
    /// An older process of the machine sent it, or a copy of its credential.
    Order,
    /// Another process has made records with the same positions: a copied spool.
    LogId,
    /// The store refuses this machine's records for good; it is tried again later.
    SetAside,
}

impl RefusalReason {
    /// Every reason.
    pub const ALL: [RefusalReason; 10] = [
        RefusalReason::ForeignTopic,
        RefusalReason::UnknownMachine,
        RefusalReason::TooLarge,
        RefusalReason::WrongGeneration,
        RefusalReason::NotAuthentic,
        RefusalReason::Unreadable,
        RefusalReason::Version,
        RefusalReason::Order,
        RefusalReason::LogId,
        RefusalReason::SetAside,
    ];

    /// The reason in one word, as in metrics and in acks.
    pub fn name(self) -> &'static str {
        match self {
            RefusalReason::ForeignTopic => "foreign_topic",
            RefusalReason::UnknownMachine => "unknown_machine",
            RefusalReason::TooLarge => "too_large",
            RefusalReason::WrongGeneration => "wrong_generation",
            RefusalReason::NotAuthentic => "not_authentic",
            RefusalReason::Unreadable => "unreadable",
            RefusalReason::Version => "version",
            RefusalReason::Order => "order",
            RefusalReason::LogId => "log_id",
            RefusalReason::SetAside => "set_aside",
        }
    }

    /// The reason's place in `ALL`.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One refused message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When, by the server's clock.
    pub time: UnixMicros,
    /// Why.
    pub reason: RefusalReason,
    /// Its topic, cut to 200 characters.
    pub topic: String,
    /// Field, value and what is allowed, in one sentence.
    pub detail: String,
}

/// The last refused messages of each reason.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    kept: [VecDeque<Refused>; RefusalReason::ALL.len()],
}

impl Refusals {
    /// Keeps one; the oldest of the same reason goes when there are too many.
    pub fn keep(&mut self, refused: Refused) {
        let kept = &mut self.kept[refused.reason.index()];
        if kept.len() >= limits::REFUSALS_KEPT {
            kept.pop_front();
        }
        kept.push_back(refused);
    }

    /// The last ones of a reason, oldest first.
    pub fn of(&self, reason: RefusalReason) -> impl Iterator<Item = &Refused> {
        self.kept[reason.index()].iter()
    }

    /// The last ones of every reason, by reason, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Refused> {
        self.kept.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_at_their_index_and_the_last_of_each_are_kept() {
        let mut refusals = Refusals::default();
        for reason in RefusalReason::ALL {
            assert_eq!(RefusalReason::ALL[reason.index()], reason);
            for time in 0..=20 {
                let detail = reason.name().to_owned();
                refusals.keep(Refused { time: UnixMicros(time), reason, topic: String::new(), detail });
            }
            let times: Vec<i64> = refusals.of(reason).map(|refused| refused.time.0).collect();
            assert_eq!(times, (1..=20).collect::<Vec<_>>());
        }
        assert_eq!(refusals.all().count(), RefusalReason::ALL.len() * limits::REFUSALS_KEPT);
    }
}
