//! What the broker refused: counted by reason, and told in the log, but not more often than a person can read.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::metrics;

/// Time between two lines about one reason. Refusals in between are counted and told with the next line.
const LINE_PERIOD: Duration = Duration::from_secs(10);
/// Characters of what a client sent that are repeated in the log.
const SHOWN_CHARACTERS_MAX: usize = 120;

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Another protocol than MQTT 3.1.1 (or 3.1). Not connected.
    Protocol,
    /// No TLS, or no certificate of our authority. Not connected.
    Tls,
    /// The certificate is not that of the machine. Not connected.
    Certificate,
    /// No such user, or a wrong password. Not connected.
    Login,
    /// A machine's client id is not its machine id. Not connected.
    ClientId,
    /// A will on another topic than the machine's status. Not connected.
    Will,
    /// A message to a topic that is not the client's. Disconnected.
    Publish,
    /// A retained message that is no status. Disconnected.
    Retained,
    /// A subscription to what is not the client's. Answered with a failure; the connection stays.
    Subscribe,
    /// A packet that is too large, malformed or out of place. Disconnected.
    Packet,
    /// There is no room for another retained status. Passed on, but not retained.
    RetainedFull,
    /// A subscriber is too far behind. The message is dropped, although a PUBACK may follow.
    Behind,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 12] = [
        Reason::Protocol,
        Reason::Tls,
        Reason::Certificate,
        Reason::Login,
        Reason::ClientId,
        Reason::Will,
        Reason::Publish,
        Reason::Retained,
        Reason::Subscribe,
        Reason::Packet,
        Reason::RetainedFull,
        Reason::Behind,
    ];

    /// The reason in a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Protocol => "protocol",
            Reason::Tls => "tls",
            Reason::Certificate => "certificate",
            Reason::Login => "login",
            Reason::ClientId => "client_id",
            Reason::Will => "will",
            Reason::Publish => "publish",
            Reason::Retained => "retained",
            Reason::Subscribe => "subscribe",
            Reason::Packet => "packet",
            Reason::RetainedFull => "retained_full",
            Reason::Behind => "behind",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Reason::Protocol => "only MQTT 3.1.1 is spoken here",
            Reason::Tls => "TLS with a certificate of this server's authority is required",
            Reason::Certificate => "the certificate must be the machine's own",
            Reason::Login => "user name or password is wrong",
            Reason::ClientId => "a machine's client id must be its machine id",
            Reason::Will => "a will may only be on the machine's own status topic",
            Reason::Publish => "the topic is not this client's to publish to",
            Reason::Retained => "only a status may be retained",
            Reason::Subscribe => "the filter is not this client's to subscribe to",
            Reason::Packet => "a packet is too large, malformed or out of place",
            Reason::RetainedFull => "no room for another retained status",
            Reason::Behind => "a subscriber is too far behind; the message is dropped",
        }
    }

    fn index(self) -> usize {
        Reason::ALL.into_iter().position(|reason| reason == self).expect("every reason is in the list")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explanation())
    }
}

/// When a line may be written.
#[derive(Debug, Default)]
struct Pace {
    next: Option<Instant>,
    unspoken: u64,
}

impl Pace {
    /// One more; if it may be told, how many were not told before it.
    fn apply(&mut self, now: Instant) -> Option<u64> {
        if self.next.is_some_and(|next| now < next) {
            self.unspoken += 1;
            return None;
        }
        self.next = Some(now + LINE_PERIOD);
        Some(std::mem::take(&mut self.unspoken))
    }
}

/// The counts, and when each reason was last told.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    counts: [AtomicU64; Reason::ALL.len()],
    paces: Mutex<[Pace; Reason::ALL.len()]>,
}

impl Refusals {
    /// Counts a refusal, and logs it if this reason was not logged just before.
    ///
    /// `client` and `what` are what the client sent; they are cut and escaped.
    #[expect(clippy::disallowed_methods, reason = "the body of the log's pace asks for the time")]
    pub(crate) fn refuse(&self, reason: Reason, client: &str, what: &str) {
        self.counts[reason.index()].fetch_add(1, Ordering::Relaxed);
        metrics::refused(reason);
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let unspoken = paces[reason.index()].apply(Instant::now());
        drop(paces);
        if let Some(unspoken) = unspoken {
            let (client, what) = (shown(client), shown(what));
            tracing::warn!(reason = reason.name(), ?client, ?what, unspoken, "the broker refuses: {reason}");
        }
    }

    /// How often something was refused for this reason.
    pub(crate) fn count(&self, reason: Reason) -> u64 {
        self.counts[reason.index()].load(Ordering::Relaxed)
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_a_period_with_what_was_not_told() {
        let mut pace = Pace::default();
        #[expect(clippy::disallowed_methods, reason = "any moment will do as the first")]
        let start = Instant::now();
        let told: Vec<Option<u64>> =
            [0, 1, 9, 10, 11, 25].map(|seconds| pace.apply(start + Duration::from_secs(seconds))).into();
        assert_eq!(told, [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn reasons_are_counted_apart() {
        let refusals = Refusals::default();
        for reason in [Reason::Login, Reason::Behind, Reason::Login] {
            refusals.refuse(reason, "tm-01", "x");
        }
        let counted = Reason::ALL.map(|reason| refusals.count(reason));
        assert_eq!(counted, [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
