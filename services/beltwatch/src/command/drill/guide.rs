//! What to do next in a proof test, and which stops are new: a fold of what the server says, without a clock.

use wire::api::v1;

use crate::command::stop::contact_name;

/// What was told already.
#[derive(Debug, Clone, Default)]
pub(super) struct Guide {
    /// Contacts that can be measured on this machine, in the order in which they are to be tried.
    contacts: Vec<String>,
    /// Stops as they were told last.
    told: Vec<v1::Stop>,
}

impl Guide {
    /// For a machine with these contacts. What it cannot report cannot be proven.
    pub(super) fn new(proofs: &[v1::Proof]) -> Guide {
        let seen = proofs.iter().filter(|proof| proof.state() != v1::ProofState::Blind);
        let mut contacts: Vec<String> = seen.map(|proof| proof.contact.clone()).collect();
        contacts.sort();
        contacts.dedup();
        Guide { contacts, told: Vec::new() }
    }

    /// Stops that are new, or were measured since they were told.
    pub(super) fn apply(&mut self, drill: &v1::Drill) -> Vec<v1::Stop> {
        let mut news = Vec::new();
        for stop in &drill.stops {
            let known = self.told.iter_mut().find(|told| told.incident_id == stop.incident_id);
            match known {
                Some(known) if known == stop => {}
                Some(known) => {
                    known.clone_from(stop);
                    news.push(stop.clone());
                }
                None => {
                    self.told.push(stop.clone());
                    news.push(stop.clone());
                }
            }
        }
        news
    }

    /// What to do before it takes effect.
    pub(super) fn before(&self) -> String {
        if self.contacts.is_empty() {
            return "this machine does not report what is needed to measure a stop; `beltwatch blind-spots` says what is \
                    missing. Nobody on the belt; press nothing yet"
                .to_owned();
        }
        "nobody on the belt; press nothing yet, it takes effect in 10 s".to_owned()
    }

    /// What to do next.
    pub(super) fn next(&self) -> String {
        let is_measured = |contact: &&String| {
            self.told.iter().any(|stop| stop.contact == **contact && stop.stop_time.is_some())
        };
        match self.contacts.iter().find(|contact| !is_measured(contact)).map(String::as_str) {
            None if self.contacts.is_empty() => "end it with `beltwatch drill end`".to_owned(),
            None => "all that stops this machine was measured; reset it, and end the test with `beltwatch drill end`"
                .to_owned(),
            Some("emergency_stop") => {
                "now: start the belt at about 3 km/h, press the emergency stop, wait until the belt stands, reset it"
                    .to_owned()
            }
            Some("safety_key") => {
                "now: start the belt at about 3 km/h, pull the safety key, wait until the belt stands, put the key back"
                    .to_owned()
            }
            Some(contact) => {
                format!("now: start the belt at about 3 km/h and stop it by {}", contact_name(contact))
            }
        }
    }

    /// How many stops were told.
    pub(super) fn stops(&self) -> usize {
        self.told.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(contact: &str, state: v1::ProofState) -> v1::Proof {
        v1::Proof { contact: contact.to_owned(), state: state.into(), ..v1::Proof::default() }
    }

    fn stop(id: &str, contact: &str, seconds: Option<i64>) -> v1::Stop {
        v1::Stop {
            incident_id: id.to_owned(),
            contact: contact.to_owned(),
            stop_time: seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
            ..v1::Stop::default()
        }
    }

    #[test]
    fn each_stop_is_told_when_it_is_there_and_when_it_changes() {
        let mut guide = Guide::new(&[]);
        let mut check = |stops: Vec<v1::Stop>, told: &[usize]| {
            let drill = v1::Drill { stops: stops.clone(), ..v1::Drill::default() };
            let expected: Vec<v1::Stop> = told.iter().map(|number| stops[*number].clone()).collect();
            assert_eq!(guide.apply(&drill), expected);
        };
        check(Vec::new(), &[]);
        check(vec![stop("a", "emergency_stop", None)], &[0]);
        check(vec![stop("a", "emergency_stop", None)], &[]);
        check(vec![stop("a", "emergency_stop", Some(2))], &[0]);
        check(vec![stop("a", "emergency_stop", Some(2)), stop("b", "safety_key", Some(1))], &[1]);
        assert_eq!(guide.stops(), 2);
    }

    #[test]
    fn one_contact_after_the_other_until_all_are_measured() {
        use v1::ProofState::{Blind, Never, Proven};
        let mut guide = Guide::new(&[proof("safety_key", Proven), proof("emergency_stop", Never)]);
        let mut next = |stops: Vec<v1::Stop>| {
            guide.apply(&v1::Drill { stops, ..v1::Drill::default() });
            guide.next()
        };
        assert!(next(Vec::new()).contains("press the emergency stop"));
        assert!(next(vec![stop("a", "emergency_stop", None)]).contains("press the emergency stop"));
        assert!(next(vec![stop("a", "emergency_stop", Some(2))]).contains("pull the safety key"));
        assert!(next(vec![stop("b", "safety_key", Some(2))]).contains("all that stops"));
        let blind = Guide::new(&[proof("safety_key", Blind), proof("emergency_stop", Blind)]);
        assert!(blind.before().contains("blind-spots"), "{}", blind.before());
        assert!(!blind.next().contains("measured"), "{}", blind.next());
    }
}
