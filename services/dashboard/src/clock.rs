//! The time of the server, for those parts of the pages that wait for others anyway.

use jiff::Timestamp;

#[expect(
    clippy::disallowed_methods,
    reason = "pages show how old their figures are; bodies ask here, minds are told"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default()
}
