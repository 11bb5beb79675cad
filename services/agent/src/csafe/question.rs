//! All that the agent can ask of a machine. A command that would set or start something cannot be said.

use super::frame::framed;

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// GetStatus
    Status,
    /// GetVersion
    Version,
    /// GetErrorCode
    ErrorCode,
    /// GetTWork: time of the workout.
    WorkTime,
    /// GetHorizontal: distance.
    Distance,
    /// GetSpeed
    Speed,
    /// GetGrade
    Grade,
    /// GetHRCur
    HeartRate,
}

impl Question {
    /// All of them.
    pub const ALL: [Question; 8] = [
        Question::Status,
        Question::Version,
        Question::ErrorCode,
        Question::WorkTime,
        Question::Distance,
        Question::Speed,
        Question::Grade,
        Question::HeartRate,
    ];

    /// Its command: one octet without parameters.
    pub const fn command(self) -> u8 {
        match self {
            Question::Status => 0x80,
            Question::Version => 0x91,
            Question::ErrorCode => 0x9C,
            Question::WorkTime => 0xA0,
            Question::Distance => 0xA1,
            Question::Speed => 0xA5,
            Question::Grade => 0xA8,
            Question::HeartRate => 0xB0,
        }
    }
}

/// The frame that asks these questions.
pub fn request(questions: &[Question]) -> Vec<u8> {
    let commands: Vec<u8> = questions.iter().map(|question| question.command()).collect();
    framed(&commands)
}
