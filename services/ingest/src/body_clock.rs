//! The one place where the ingest asks the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::units::{MonotonicMicros, UnixMicros};
use tokio::time::Instant;

use crate::ingest::Now;

/// Monotonic time of a body begins here, so that no time is 0.
const BEGINNING_US: u64 = 1_000_000;

/// Both clocks of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyClock {
    started: Instant,
}

impl BodyClock {
    pub(crate) fn start() -> BodyClock {
        BodyClock { started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        #[expect(clippy::disallowed_methods, reason = "the body's clock; minds are told the time")]
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Now {
            monotonic: MonotonicMicros(micros(self.started.elapsed()) + BEGINNING_US),
            unix: UnixMicros(i64::try_from(micros(unix)).unwrap_or(i64::MAX)),
        }
    }

    /// The moment at which a monotonic time comes.
    pub(crate) fn at(&self, time: MonotonicMicros) -> Instant {
        self.started + Duration::from_micros(time.0.saturating_sub(BEGINNING_US))
    }
}
