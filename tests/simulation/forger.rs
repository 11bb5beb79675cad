//! Somebody who can read and write at the broker and has no key: changes what was said, says it again, says it for
//! others, and makes things up.

use domain::log::{BootStart, Position};
use wire::ack::{Ack, LaneAck};
use wire::envelope::{Entry, Envelope};
use wire::keys::MasterKey;
use wire::seal::{Unopened, seal};
use wire::topics::{Kind, Topic};

use super::network::{Message, To};

/// Messages of each direction that are remembered, over the whole life of a world.
const REMEMBERED: usize = 48;

/// A message that the forger sends.
#[derive(Debug)]
pub(crate) enum Forgery {
    /// Genuine, but old: whatever was new in it may still be taken, nothing else may follow.
    Replayed(Message),
    /// Not genuine.
    Forged(Message),
}

#[derive(Debug)]
pub(crate) struct Forger {
    random: fastrand::Rng,
    /// A key of its own.
    key: MasterKey,
    /// What was sent to the ingest and to agents.
    heard: [Vec<Message>; 2],
    seen: [usize; 2],
}

impl Forger {
    pub(crate) fn new(seed: u64) -> Forger {
        let mut random = fastrand::Rng::with_seed(seed);
        let key = MasterKey::new(std::array::from_fn(|_| random.u8(..)));
        Forger { random, key, heard: Default::default(), seen: [0; 2] }
    }

    /// Listens. Each message of a direction is remembered with the same chance, however old it is.
    pub(crate) fn hear(&mut self, message: &Message) {
        let index = usize::from(message.to != To::Ingest);
        let (heard, seen) = (&mut self.heard[index], &mut self.seen[index]);
        *seen += 1;
        if heard.len() < REMEMBERED {
            heard.push(message.clone());
        } else {
            let place = self.random.usize(0..*seen);
            if let Some(old) = heard.get_mut(place) {
                *old = message.clone();
            }
        }
    }

    /// Something to say; `None`: it has heard too little.
    pub(crate) fn forge(&mut self) -> Option<Forgery> {
        let index = self.random.usize(0..2);
        let old = self.random.choice(&self.heard[index])?.clone();
        Some(match self.random.u8(0..5) {
            0 => self.with_a_bit_changed(old),
            1 => Forgery::Forged(self.of_another(old)?),
            2 => Forgery::Forged(self.made_up(old)?),
            _ => Forgery::Replayed(old),
        })
    }

    fn with_a_bit_changed(&mut self, old: Message) -> Forgery {
        let mut octets = old.payload.to_vec();
        let place = self.random.usize(0..octets.len().max(1));
        if let Some(octet) = octets.get_mut(place) {
            *octet ^= 1 << self.random.u8(0..8);
        }
        let payload: bytes::Bytes = octets.into();
        let parts = |payload: &bytes::Bytes| {
            Unopened::read(payload.clone()).map(|message| (message.key_generation(), message.body().clone()))
        };
        // The generation is not under the seal: if only that is another one, the message says what it said.
        let is_the_same = match (parts(&payload), parts(&old.payload)) {
            (Ok((generation, body)), Ok((of_old, old_body))) => body == old_body && generation != of_old,
            (_, _) => false,
        };
        let message = Message { payload, ..old };
        if is_the_same { Forgery::Replayed(message) } else { Forgery::Forged(message) }
    }

    /// What another machine said, or what was said to it, or on another topic of the same machine.
    fn of_another(&mut self, old: Message) -> Option<Message> {
        let index = usize::from(old.to != To::Ingest);
        let other = self.random.choice(&self.heard[index]).filter(|other| other.topic != old.topic)?;
        Some(Message { payload: other.payload.clone(), ..old })
    }

    /// What would do harm if its seal were believed: positions far ahead in a log that is known.
    fn made_up(&mut self, old: Message) -> Option<Message> {
        let topic = Topic::parse(&old.topic).ok()?;
        let body = Unopened::read(old.payload.clone()).ok()?.body().clone();
        let body = match topic.kind {
            Kind::Events | Kind::Readings => far_ahead(Envelope::decode(body).ok()?).encode(),
            Kind::Status => body,
            Kind::Ack => all_done(Ack::decode(body).ok()?).encode(),
        };
        let key = self.key.machine_key(&topic.machine, 1);
        let generation = self.random.u32(0..4);
        Some(Message { payload: seal(&key, generation, &topic, body), ..old })
    }
}

fn far_ahead(envelope: Envelope) -> Envelope {
    let boot_count = envelope.boot.boot_count;
    let entries =
        envelope.entries.into_iter().map(|entry| Entry { n: entry.n + 1_000_000, ..entry }).collect();
    let boot = BootStart { boot_count, previous: None, other_previous: None, maker: None };
    Envelope { after: None, boot, entries, ..envelope }
}

fn all_done(ack: Ack) -> Ack {
    let done = |lane: LaneAck| LaneAck {
        committed: Some(
            lane.committed.map_or(Position::new(1, 1_000), |at| Position::new(at.boot_count, at.n + 1_000)),
        ),
        ..lane
    };
    Ack { counter: ack.counter + 1_000_000_000, lanes: ack.lanes.into_iter().map(done).collect(), ..ack }
}
