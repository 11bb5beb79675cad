//! Who may speak: the registered machines, their topics and their keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::ids::MachineId;
use domain::incident::settings::Timeline;
use wire::keys::{MachineKey, MasterKey};
use wire::topics::{Kind, Topic};

/// Number of a machine within this process; lists are indexed by it.
pub(crate) type MachineNumber = usize;

/// What somebody has to do whose machine is refused for its credential.
const REVOKED: &str =
    "the credential of this machine was revoked; make a new one with `beltwatch machine renew`";

/// What the registry says of one machine's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The machine.
    pub machine: MachineId,
    /// Generation of its newest key, from 1.
    pub key_generation: u32,
    /// Generations up to this one are refused; 0: none is. If the newest one is among them, the machine stays known
    /// but cannot speak.
    pub revoked_generation: u32,
    /// What was set for it, over time.
    pub settings: Arc<Timeline>,
}

impl Registered {
    /// What the ledger's registry says of a machine.
    pub(crate) fn of(registry: &store::registry::Registry, machine: &store::registry::Machine) -> Registered {
        Registered {
            machine: machine.id.clone(),
            key_generation: machine.key_generation,
            revoked_generation: machine.revoked_generation,
            settings: Arc::new(registry.timeline(&machine.id).unwrap_or_default()),
        }
    }
}

/// The registered machines by topic, with their keys.
#[derive(Debug)]
pub(crate) struct Registry {
    master: MasterKey,
    by_topic: HashMap<Box<str>, (MachineNumber, Kind)>,
    by_machine: HashMap<MachineId, MachineNumber>,
    entries: Vec<Entry>,
    /// How often a second or later generation was seen for the first time.
    renewals: u64,
}

#[derive(Debug)]
struct Entry {
    topics: [Topic; 4],
    newest: u32,
    /// The greatest generation that was revoked; 0: none was.
    revoked: u32,
    /// The greatest generation with which an authentic message came; older ones are refused.
    seen: u32,
    /// Keys in use: usually one, two while a new one is being introduced.
    keys: Vec<(u32, MachineKey)>,
}

impl Registry {
    pub(crate) fn new(master: MasterKey) -> Registry {
        Registry {
            master,
            by_topic: HashMap::new(),
            by_machine: HashMap::new(),
            entries: Vec::new(),
            renewals: 0,
        }
    }

    /// Adds a machine or raises its generations. A generation never goes back.
    pub(crate) fn register(&mut self, registered: &Registered) -> MachineNumber {
        let number = *self.by_machine.entry(registered.machine.clone()).or_insert_with(|| {
            let number = self.entries.len();
            let topics = Kind::ALL.map(|kind| Topic::new(registered.machine.clone(), kind));
            for topic in &topics {
                self.by_topic.insert(topic.to_string().into_boxed_str(), (number, topic.kind));
            }
            self.entries.push(Entry { topics, newest: 0, revoked: 0, seen: 0, keys: Vec::new() });
            number
        });
        let entry = &mut self.entries[number];
        entry.newest = entry.newest.max(registered.key_generation);
        entry.revoked = entry.revoked.max(registered.revoked_generation);
        let revoked = entry.revoked;
        entry.keys.retain(|(known, _)| *known > revoked);
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The machine and kind of a topic; `None`: no registered machine has it.
    pub(crate) fn find(&self, topic: &str) -> Option<(MachineNumber, Kind)> {
        self.by_topic.get(topic).copied()
    }

    pub(crate) fn number(&self, machine: &MachineId) -> Option<MachineNumber> {
        self.by_machine.get(machine).copied()
    }

    pub(crate) fn topic(&self, number: MachineNumber, kind: Kind) -> &Topic {
        let topics = &self.entries[number].topics;
        topics.iter().find(|topic| topic.kind == kind).expect("a topic of every kind was made")
    }

    /// The key of a generation, or why that generation is not allowed, in one sentence.
    pub(crate) fn key(&mut self, number: MachineNumber, generation: u32) -> Result<MachineKey, String> {
        let entry = &mut self.entries[number];
        let (newest, revoked) = (entry.newest, entry.revoked);
        if revoked >= newest {
            return Err(REVOKED.to_owned());
        }
        let least = entry.seen.max(revoked + 1);
        if generation < least || generation > newest {
            return Err(format!("Sealed.key_generation is {generation}; {least} to {newest} is allowed"));
        }
        if let Some((_, key)) = entry.keys.iter().find(|(known, _)| *known == generation) {
            return Ok(key.clone());
        }
        let key = self.master.machine_key(&entry.topics[0].machine, generation);
        entry.keys.push((generation, key.clone()));
        Ok(key)
    }

    /// An authentic message came with this generation: older ones are refused from now on.
    pub(crate) fn saw(&mut self, number: MachineNumber, generation: u32) {
        let entry = &mut self.entries[number];
        if generation > entry.seen {
            entry.seen = generation;
            self.renewals += u64::from(generation > 1);
            entry.keys.retain(|(known, _)| *known >= generation);
        }
    }

    /// Counts up whenever [`Registry::renewed`] changes.
    pub(crate) fn renewals(&self) -> u64 {
        self.renewals
    }

    /// The greatest generation with which an authentic message came, of machines for which that is not the first.
    pub(crate) fn renewed(&self) -> BTreeMap<MachineId, u32> {
        let renewed = self.entries.iter().filter(|entry| entry.seen > 1);
        renewed.map(|entry| (entry.topics[0].machine.clone(), entry.seen)).collect()
    }

    /// The greatest generation with which an authentic message came; 0: none yet.
    pub(crate) fn seen(&self, number: MachineNumber) -> u32 {
        self.entries[number].seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(machine: &MachineId, key_generation: u32, revoked_generation: u32) -> Registered {
        Registered { machine: machine.clone(), key_generation, revoked_generation, settings: Arc::default() }
    }

    #[test]
    fn an_old_generation_is_refused_once_the_new_one_was_seen() {
        let machine = MachineId::new("tm-01").unwrap();
        let entry = |key_generation| registered(&machine, key_generation, 0);
        let master = MasterKey::new([1; 32]);
        let mut registry = Registry::new(master.clone());
        let number = registry.register(&entry(2));
        assert_eq!(registry.key(number, 1), Ok(master.machine_key(&machine, 1)));
        assert_eq!(registry.key(number, 2), Ok(master.machine_key(&machine, 2)));
        for generation in [0, 3] {
            let error = registry.key(number, generation).expect_err("not allowed");
            assert!(error.contains("1 to 2 is allowed"), "{error}");
        }
        registry.saw(number, 2);
        let error = registry.key(number, 1).expect_err("the new one was seen");
        assert!(error.contains("2 to 2 is allowed"), "{error}");
        assert_eq!(registry.seen(number), 2);
        assert_eq!((registry.renewals(), registry.renewed()), (1, BTreeMap::from([(machine.clone(), 2)])));
        registry.register(&entry(3));
        assert_eq!(registry.key(number, 3), Ok(master.machine_key(&machine, 3)));
        registry.register(&entry(1));
        assert!(registry.key(number, 3).is_ok(), "a generation never goes back");
        assert_eq!(registry.len(), 1);
    }

    /// Which generations up to 4 are allowed, and what the others are told.
    #[track_caller]
    fn check_revoked(newest: u32, revoked: u32, seen: u32, allowed: &[u32], says: &str) {
        let machine = MachineId::new("tm-01").unwrap();
        let mut registry = Registry::new(MasterKey::new([1; 32]));
        let number = registry.register(&registered(&machine, newest, 0));
        registry.saw(number, seen);
        // The keys are known by now: being known must not make them good.
        for generation in 0..=4 {
            let _ = registry.key(number, generation);
        }
        registry.register(&registered(&machine, newest, revoked));
        // What was read before it comes late.
        registry.register(&registered(&machine, newest, 0));
        for generation in 0..=4 {
            match registry.key(number, generation) {
                Ok(_) => assert!(allowed.contains(&generation), "{generation} is allowed"),
                Err(detail) => {
                    assert!(!allowed.contains(&generation), "{generation} is refused: {detail}");
                    assert!(detail.contains(says), "{detail}");
                }
            }
        }
        assert!(registry.find(&registry.topic(number, Kind::Events).to_string()).is_some(), "it stays known");
    }

    #[test]
    fn a_revoked_generation_is_refused() {
        check_revoked(1, 1, 0, &[], "was revoked; make a new one with `beltwatch machine renew`");
        check_revoked(1, 1, 1, &[], "was revoked; make a new one with `beltwatch machine renew`");
        check_revoked(2, 1, 1, &[2], "2 to 2 is allowed");
        check_revoked(3, 1, 0, &[2, 3], "2 to 3 is allowed");
        check_revoked(4, 1, 3, &[3, 4], "3 to 4 is allowed");
        check_revoked(3, 3, 2, &[], "was revoked");
        check_revoked(u32::MAX, u32::MAX, 0, &[], "was revoked");
    }

    #[test]
    fn a_machine_is_found_by_each_of_its_topics() {
        let mut registry = Registry::new(MasterKey::new([1; 32]));
        for name in ["tm-01", "tm-02"] {
            let machine = MachineId::new(name).unwrap();
            let number = registry.register(&registered(&machine, 1, 0));
            assert_eq!(registry.number(&machine), Some(number));
            for kind in Kind::ALL {
                let topic = registry.topic(number, kind).clone();
                assert_eq!(registry.find(&topic.to_string()), Some((number, kind)));
            }
        }
        assert_eq!(registry.find("beltwatch/v1/00/tm-03/events"), None);
    }
}
