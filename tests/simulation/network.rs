//! The broker and the network between agents and ingest, as bad as they may be: they drop, repeat, reorder, delay,
//! forget, and keep too long. Messages are due at a virtual time.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Who gets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// The ingest.
    Ingest,
    /// The agent with this number, and whoever uses its credential.
    Agent(usize),
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) to: To,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
}

/// How bad the network is; each a chance between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Badness {
    pub(crate) lost: f64,
    pub(crate) repeated: f64,
    pub(crate) reordered: f64,
    pub(crate) truncated: f64,
}

/// Messages on their way, by the time at which they are due.
#[derive(Debug)]
pub(crate) struct Network {
    random: fastrand::Rng,
    badness: Badness,
    /// Delay of a message in ordinary order, in microseconds.
    delay_us: u64,
    on_their_way: BTreeMap<(u64, u64), Message>,
    sent: u64,
    last_due: BTreeMap<usize, u64>,
    /// The broker is down until then: what is sent is lost.
    down_until: u64,
}

impl Network {
    pub(crate) fn new(seed: u64, badness: Badness, delay_us: u64) -> Network {
        Network {
            random: fastrand::Rng::with_seed(seed),
            badness,
            delay_us,
            on_their_way: BTreeMap::new(),
            sent: 0,
            last_due: BTreeMap::new(),
            down_until: 0,
        }
    }

    /// Takes a message; what becomes of it is the network's business.
    pub(crate) fn send(&mut self, now: u64, message: Message) {
        if now < self.down_until || self.chance(self.badness.lost) {
            return;
        }
        let copies = if self.chance(self.badness.repeated) { 2 } else { 1 };
        for copy in 0..copies {
            let mut message = message.clone();
            if self.chance(self.badness.truncated) {
                let length = self.random.usize(0..message.payload.len().max(1));
                message.payload.truncate(length);
            }
            let late = copy > 0 || self.chance(self.badness.reordered);
            let due = self.due(now, message.to, late);
            self.put(due, message);
        }
    }

    /// The broker has lost an agent, and publishes its will when it notices.
    pub(crate) fn send_will(&mut self, now: u64, will: Message) {
        let due = now.max(self.down_until) + self.random.u64(0..10_000_000);
        self.put(due, will);
    }

    /// The next message that is due.
    pub(crate) fn receive(&mut self, now: u64) -> Option<Message> {
        let entry = self.on_their_way.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// The broker loses its memory: nothing that was on its way arrives.
    pub(crate) fn forget(&mut self) {
        self.on_their_way.clear();
        self.last_due.clear();
    }

    /// The broker is down until then and keeps what it has: to the ingest in order, to agents when they may have a new
    /// connection. Gives how many messages it keeps.
    pub(crate) fn keep_until(&mut self, until: u64) -> u64 {
        self.down_until = self.down_until.max(until);
        let kept = std::mem::take(&mut self.on_their_way);
        let count = kept.len() as u64;
        for ((due, _), message) in kept {
            let pause_us = match message.to {
                To::Ingest => 0,
                To::Agent(_) => self.random.u64(0..3_000_000),
            };
            self.put(due.max(until + pause_us), message);
        }
        count
    }

    /// From now on the network is a good one.
    pub(crate) fn mend(&mut self) {
        self.badness = Badness::default();
        self.delay_us = self.delay_us.min(20_000);
        self.down_until = 0;
    }

    fn put(&mut self, due: u64, message: Message) {
        self.sent += 1;
        self.on_their_way.insert((due, self.sent), message);
    }

    /// Ordinary messages to one receiver keep their order; late ones come up to 5 s after.
    fn due(&mut self, now: u64, to: To, late: bool) -> u64 {
        if late {
            return now + self.random.u64(0..5_000_000);
        }
        let receiver = match to {
            To::Ingest => usize::MAX,
            To::Agent(number) => number,
        };
        let due = now + self.random.u64(0..=self.delay_us);
        let last = self.last_due.entry(receiver).or_default();
        *last = due.max(*last);
        *last
    }

    fn chance(&mut self, chance: f64) -> bool {
        self.random.f64() < chance
    }
}
