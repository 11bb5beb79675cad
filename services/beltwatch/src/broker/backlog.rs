//! What is on its way to each subscriber, in octets. The broker's library queues without a bound between publisher
//! and subscriber; here a publisher waits for room before its message goes in.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};
use wire::topics::Kind;

/// What a message takes beside topic and payload, in octets; estimated from the memory of a full backlog.
const MESSAGE_OVERHEAD_BYTES: usize = 1_024;
/// How long a publisher waits for room. Longer: its message is dropped; its agent sends it again.
const ROOM_WAIT: Duration = Duration::from_millis(250);

/// What a message of this size takes, in octets.
pub(crate) fn weight(topic: &str, payload: &[u8]) -> u32 {
    u32::try_from(topic.len() + payload.len() + MESSAGE_OVERHEAD_BYTES).unwrap_or(u32::MAX)
}

/// A subscriber of upstream kinds. `Id` names one connection.
#[derive(Debug)]
struct Subscriber<Id> {
    id: Id,
    kinds: Vec<Kind>,
    room: Arc<Semaphore>,
}

/// All subscribers of upstream kinds: a few, our own.
#[derive(Debug)]
pub(crate) struct Backlog<Id> {
    bytes_max: u32,
    subscribers: RwLock<Vec<Subscriber<Id>>>,
}

impl<Id: PartialEq> Backlog<Id> {
    /// `bytes_max` octets may be on their way to each subscriber.
    pub(crate) fn new(bytes_max: u32) -> Backlog<Id> {
        Backlog { bytes_max, subscribers: RwLock::default() }
    }

    /// A connection now gets all messages of a kind.
    pub(crate) fn subscribed(&self, id: Id, kind: Kind) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        match subscribers.iter_mut().find(|subscriber| subscriber.id == id) {
            Some(subscriber) if subscriber.kinds.contains(&kind) => {}
            Some(subscriber) => subscriber.kinds.push(kind),
            None => {
                let room = Arc::new(Semaphore::new(octets(self.bytes_max)));
                subscribers.push(Subscriber { id, kinds: vec![kind], room });
            }
        }
    }

    /// A connection gets no more messages of a kind.
    pub(crate) fn unsubscribed(&self, id: &Id, kind: Kind) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(subscriber) = subscribers.iter_mut().find(|subscriber| subscriber.id == *id) {
            subscriber.kinds.retain(|subscribed| *subscribed != kind);
        }
    }

    /// A connection has ended. Who waits for room there goes on.
    pub(crate) fn ended(&self, id: &Id) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| {
            let has_ended = subscriber.id == *id;
            if has_ended {
                subscriber.room.close();
            }
            !has_ended
        });
    }

    /// Takes room for a message at every subscriber of its kind, and waits a moment if there is none; `false`: there
    /// was none, nothing is taken.
    pub(crate) async fn take(&self, kind: Kind, weight: u32) -> bool {
        let rooms = self.rooms(kind);
        for (taken, room) in rooms.iter().enumerate() {
            if !take(room, weight).await {
                rooms[..taken].iter().for_each(|room| self.give_to(room, weight));
                return false;
            }
        }
        true
    }

    /// A message has left for, or is lost to, a subscriber.
    pub(crate) fn give(&self, id: &Id, weight: u32) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(subscriber) = subscribers.iter().find(|subscriber| subscriber.id == *id) {
            self.give_to(&subscriber.room, weight);
        }
    }

    /// Never more than all: a message may have been sent before the subscription and be delivered after it.
    fn give_to(&self, room: &Semaphore, weight: u32) {
        let missing = octets(self.bytes_max).saturating_sub(room.available_permits());
        room.add_permits(octets(weight).min(missing));
    }

    fn rooms(&self, kind: Kind) -> Vec<Arc<Semaphore>> {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        let hearing = subscribers.iter().filter(|subscriber| subscriber.kinds.contains(&kind));
        hearing.map(|subscriber| subscriber.room.clone()).collect()
    }
}

async fn take(room: &Semaphore, weight: u32) -> bool {
    match room.try_acquire_many(weight) {
        Ok(permit) => permit.forget(),
        // The subscriber has gone: nothing will be queued for it.
        Err(TryAcquireError::Closed) => {}
        Err(TryAcquireError::NoPermits) => {
            match tokio::time::timeout(ROOM_WAIT, room.acquire_many(weight)).await {
                Ok(Ok(permit)) => permit.forget(),
                Ok(Err(_closed)) => {}
                Err(_elapsed) => return false,
            }
        }
    }
    true
}

fn octets(count: u32) -> usize {
    usize::try_from(count).expect("an address has 32 bits at least")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_message_takes_room_at_each_subscriber_of_its_kind() {
        let backlog = Backlog::new(1_000);
        backlog.subscribed("events", Kind::Events);
        backlog.subscribed("both", Kind::Events);
        backlog.subscribed("both", Kind::Readings);
        assert!(backlog.take(Kind::Readings, 800).await);
        assert!(!backlog.take(Kind::Events, 300).await, "both has no room");
        assert!(backlog.take(Kind::Events, 200).await, "what was refused was given back");
        backlog.give(&"both", 800);
        assert!(backlog.take(Kind::Events, 800).await);
        assert!(backlog.take(Kind::Status, u32::MAX).await, "nobody hears it");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_on_when_there_is_room_or_the_subscriber_has_gone() {
        let backlog = Arc::new(Backlog::new(1_000));
        for (end, expected) in [("give", true), ("ended", true), ("nothing", false)] {
            backlog.subscribed(1, Kind::Events);
            assert!(backlog.take(Kind::Events, 1_000).await);
            let waiting = tokio::spawn({
                let backlog = backlog.clone();
                async move { backlog.take(Kind::Events, 1).await }
            });
            tokio::task::yield_now().await;
            match end {
                "give" => backlog.give(&1, 1),
                "ended" => backlog.ended(&1),
                _ => {}
            }
            assert_eq!(waiting.await.unwrap(), expected, "{end}");
            backlog.ended(&1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_subscription_nothing_is_counted() {
        let backlog = Backlog::new(100);
        backlog.subscribed(1, Kind::Events);
        backlog.unsubscribed(&1, Kind::Events);
        assert!(backlog.take(Kind::Events, 1_000).await);
    }
}
