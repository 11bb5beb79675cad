//! All that the agent can ask of a Biodex treadmill: one octet each. 80H to 86H start, stop, set and reverse a belt; they
//! are not in here, and no octet can be made of anything else.

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// Present speed.
    Speed,
    /// Present elevation.
    Elevation,
    /// Present belt direction.
    Direction,
    /// System status.
    Status,
}

impl Question {
    /// All of them.
    pub const ALL: [Question; 4] =
        [Question::Speed, Question::Elevation, Question::Direction, Question::Status];

    /// Its octet; an answer begins with the same one.
    pub const fn octet(self) -> u8 {
        match self {
            Question::Speed => 0xA0,
            Question::Elevation => 0xA1,
            Question::Direction => 0xA2,
            Question::Status => 0xA7,
        }
    }

    /// How many octets follow in an answer.
    pub(super) const fn answer_octets(self) -> usize {
        match self {
            Question::Speed | Question::Status => 3,
            Question::Elevation => 2,
            Question::Direction => 1,
        }
    }
}
