//! What a machine's registry entry says of its belt and drive.

/// What a belt can do. A one-way belt is forward, declared; only the others can be blind to direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BeltKind {
    /// It can only run forward.
    OneWay,
    /// It can run both ways.
    Reversible,
    /// Nobody has said.
    #[default]
    Unknown,
}

/// What drives a belt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DriveKind {
    /// A motor.
    #[default]
    Motor,
    /// The person on it.
    Manual,
}
