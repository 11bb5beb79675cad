//! The mind that slows down whoever guesses passwords.
//!
//! Failures are counted for a name from one address, for an address, and for a name from everywhere. Each has some
//! for free; then the wait doubles with each. A name from everywhere waits a minute at most, so that a stranger cannot
//! shut a user out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use domain::limits::ATTEMPTS_KEPT_MAX;
use domain::units::UnixMicros;

const SECOND_US: i64 = 1_000_000;
/// Without a failure for so long, the earlier ones are forgotten.
const FORGOTTEN_US: i64 = 24 * 3_600 * SECOND_US;

/// Whose failures are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Both(String, Option<IpAddr>),
    Address(Option<IpAddr>),
    Name(String),
}

impl Key {
    fn of(name: &str, peer: Option<IpAddr>) -> [Key; 3] {
        let peer = peer.map(network);
        [Key::Both(name.to_owned(), peer), Key::Address(peer), Key::Name(name.to_owned())]
    }

    /// Failures without a wait, and the longest wait, in microseconds.
    fn patience(&self) -> (u32, i64) {
        match self {
            Key::Both(..) => (5, 15 * 60 * SECOND_US),
            Key::Address(_) => (50, 15 * 60 * SECOND_US),
            Key::Name(_) => (100, 60 * SECOND_US),
        }
    }
}

/// Whoever has one address of IPv6 has the 2^64 beside it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: UnixMicros,
}

/// Failures so far.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failures: HashMap<Key, Failures>,
}

impl Attempts {
    /// An attempt begins and counts as a failure until it succeeds, so that many at once do not slip through.
    ///
    /// # Errors
    /// It must wait; how long, in microseconds.
    pub(crate) fn begin(&mut self, name: &str, peer: Option<IpAddr>, now: UnixMicros) -> Result<(), i64> {
        let keys = Key::of(name, peer);
        let wait = keys.iter().map(|key| self.wait(key, now)).max().unwrap_or_default();
        if wait > 0 {
            return Err(wait);
        }
        for key in keys {
            self.count(key, now);
        }
        Ok(())
    }

    /// The attempt that was begun has succeeded.
    pub(crate) fn succeeded(&mut self, name: &str, peer: Option<IpAddr>) {
        let [both, address, name] = Key::of(name, peer);
        self.failures.remove(&both);
        // Others may be guessing from the same address, or at the same name.
        for key in [address, name] {
            if let Some(failures) = self.failures.get_mut(&key) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }

    fn wait(&self, key: &Key, now: UnixMicros) -> i64 {
        let Some(failures) = self.failures.get(key) else { return 0 };
        let (free, longest) = key.patience();
        let Some(beyond) = failures.count.checked_sub(free) else { return 0 };
        let wait = SECOND_US.saturating_mul(1_i64.checked_shl(beyond).unwrap_or(i64::MAX)).clamp(0, longest);
        // A clock that was set back must not make anybody wait for longer.
        (wait - now.since(failures.last).max(0)).max(0)
    }

    fn count(&mut self, key: Key, now: UnixMicros) {
        if self.failures.len() >= ATTEMPTS_KEPT_MAX && !self.failures.contains_key(&key) {
            self.make_room(now);
        }
        let failures = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
        if now.since(failures.last) >= FORGOTTEN_US {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
    }

    /// Forgets what is old, or else the half with the fewest failures.
    fn make_room(&mut self, now: UnixMicros) {
        self.failures.retain(|_, failures| now.since(failures.last) < FORGOTTEN_US);
        if self.failures.len() >= ATTEMPTS_KEPT_MAX {
            let mut counts: Vec<u32> = self.failures.values().map(|failures| failures.count).collect();
            let (_, median, _) = counts.select_nth_unstable(ATTEMPTS_KEPT_MAX / 2);
            let median = *median;
            self.failures.retain(|_, failures| failures.count > median);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn after_five_failures_the_wait_doubles() {
        let mut attempts = Attempts::default();
        let mut now = NOON;
        for _ in 0..5 {
            assert_eq!(attempts.begin("anna", peer(1), now), Ok(()));
        }
        for wait in [1, 2, 4, 8, 16] {
            assert_eq!(attempts.begin("anna", peer(1), now), Err(wait * SECOND_US));
            assert_eq!(attempts.begin("anna", peer(1), now.plus(wait * SECOND_US - 1)), Err(1));
            now = now.plus(wait * SECOND_US);
            assert_eq!(attempts.begin("anna", peer(1), now), Ok(()));
        }
        assert_eq!(attempts.begin("anna", peer(2), now), Ok(()), "from elsewhere it goes on");
        assert_eq!(attempts.begin("ben", peer(1), now), Ok(()), "and so does another user");
        assert_eq!(attempts.begin("anna", peer(1), now.plus(-3_600 * SECOND_US)), Err(32 * SECOND_US));
    }

    #[test]
    fn success_and_a_day_of_rest_forgive() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts.begin("anna", peer(1), NOON).unwrap();
        }
        attempts.succeeded("anna", peer(1));
        for _ in 0..5 {
            assert_eq!(attempts.begin("anna", peer(1), NOON), Ok(()));
        }
        assert!(attempts.begin("anna", peer(1), NOON).is_err());
        let later = NOON.plus(FORGOTTEN_US);
        for _ in 0..5 {
            assert_eq!(attempts.begin("anna", peer(1), later), Ok(()));
        }
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_a_name_from_everywhere_a_minute_at_most() {
        let mut attempts = Attempts::default();
        for user in 0..50 {
            assert_eq!(attempts.begin(&format!("user-{user}"), peer(1), NOON), Ok(()));
        }
        assert_eq!(attempts.begin("another", peer(1), NOON), Err(SECOND_US));
        let mut attempts = Attempts::default();
        for last in 0..100 {
            assert_eq!(attempts.begin("anna", peer(last), NOON), Ok(()));
        }
        let mut now = NOON;
        for last in 100..130 {
            let wait = attempts.begin("anna", peer(last), now).unwrap_err();
            assert!(wait <= 60 * SECOND_US, "{wait}");
            now = now.plus(wait);
            assert_eq!(attempts.begin("anna", peer(last), now), Ok(()));
        }
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_are_one_and_a_mapped_one_is_its_own() {
        let at = |address: &str| Some(address.parse().unwrap());
        for (first, second, are_one) in [
            ("2001:db8::1", "2001:db8::ffff:0:0:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ] {
            let mut attempts = Attempts::default();
            for _ in 0..5 {
                attempts.begin("anna", at(first), NOON).unwrap();
            }
            assert_eq!(attempts.begin("anna", at(second), NOON).is_err(), are_one, "{first} {second}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_most_persistent_are_remembered() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts.begin("anna", peer(1), NOON).unwrap();
        }
        for user in 0..u32::try_from(ATTEMPTS_KEPT_MAX).unwrap() {
            let from = Some(IpAddr::from(user.to_be_bytes()));
            attempts.begin(&format!("user-{user}"), from, NOON).unwrap();
            assert!(attempts.failures.len() <= ATTEMPTS_KEPT_MAX + 2);
        }
        assert!(attempts.begin("anna", peer(1), NOON).is_err());
    }
}
