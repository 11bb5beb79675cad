//! The newest status of each machine, for whoever subscribes later.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use rmqtt::retain::RetainStorage;
use rmqtt::types::{Retain, TopicFilter, TopicName};
use wire::topics::{Kind, filter_all};

use super::metrics;
use super::refusals::{Reason, Refusals};

/// Retained messages by topic, bounded in number and octets of topic and payload.
#[derive(Debug)]
struct Statuses<Message> {
    messages_max: usize,
    bytes_max: usize,
    bytes: usize,
    by_topic: HashMap<String, (usize, Message)>,
}

impl<Message: Clone> Statuses<Message> {
    fn new(messages_max: usize, bytes_max: usize) -> Statuses<Message> {
        Statuses { messages_max, bytes_max, bytes: 0, by_topic: HashMap::new() }
    }

    /// Forgets the topic's message: nothing is better than what is outdated.
    fn clear(&mut self, topic: &str) {
        if let Some((bytes, _)) = self.by_topic.remove(topic) {
            self.bytes -= bytes;
        }
    }

    /// Keeps a message in place of the topic's last one; `false`: there is no room, and none is kept.
    fn set(&mut self, topic: &str, payload_bytes: usize, message: Message) -> bool {
        self.clear(topic);
        let bytes = topic.len() + payload_bytes;
        if self.by_topic.len() >= self.messages_max || self.bytes + bytes > self.bytes_max {
            return false;
        }
        self.bytes += bytes;
        self.by_topic.insert(topic.to_owned(), (bytes, message));
        true
    }

    fn all(&self) -> Vec<(String, Message)> {
        self.by_topic.iter().map(|(topic, (_, message))| (topic.clone(), message.clone())).collect()
    }
}

/// The library's way to the statuses.
pub(crate) struct Retained {
    statuses: RwLock<Statuses<Retain>>,
    refusals: Arc<Refusals>,
}

impl Retained {
    pub(crate) fn new(messages_max: usize, bytes_max: usize, refusals: Arc<Refusals>) -> Retained {
        Retained { statuses: RwLock::new(Statuses::new(messages_max, bytes_max)), refusals }
    }

    fn count_messages(&self) -> isize {
        let statuses = self.statuses.read().unwrap_or_else(PoisonError::into_inner);
        isize::try_from(statuses.by_topic.len()).unwrap_or(isize::MAX)
    }
}

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    /// The rights let through statuses only, from clients and as wills.
    async fn set(&self, topic: &TopicName, retain: Retain, _expiry: Option<Duration>) -> rmqtt::Result<()> {
        let payload_bytes = retain.publish.payload.len();
        let client = retain.from.client_id.clone();
        let mut statuses = self.statuses.write().unwrap_or_else(PoisonError::into_inner);
        let is_kept = if payload_bytes == 0 {
            statuses.clear(topic);
            true
        } else {
            statuses.set(topic, payload_bytes, retain)
        };
        metrics::retained(statuses.by_topic.len());
        drop(statuses);
        if !is_kept {
            self.refusals.refuse(Reason::RetainedFull, &client, topic);
        }
        Ok(())
    }

    /// The rights let through one filter that statuses can match.
    async fn get(&self, filter: &TopicFilter) -> rmqtt::Result<Vec<(TopicName, Retain)>> {
        if *filter != filter_all(Kind::Status) {
            return Ok(Vec::new());
        }
        let all = self.statuses.read().unwrap_or_else(PoisonError::into_inner).all();
        Ok(all.into_iter().map(|(topic, retain)| (TopicName::from(topic), retain)).collect())
    }

    async fn count(&self) -> isize {
        self.count_messages()
    }

    async fn max(&self) -> isize {
        self.count_messages()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_bounded_in_number_and_octets() {
        let mut statuses = Statuses::new(2, 10);
        let mut check = |topic: &str, payload_bytes, expected: bool, bytes_after| {
            assert_eq!(
                statuses.set(topic, payload_bytes, payload_bytes),
                expected,
                "{topic} {payload_bytes}"
            );
            assert_eq!(statuses.bytes, bytes_after, "{topic} {payload_bytes}");
        };
        check("a", 3, true, 4);
        check("b", 5, true, 10);
        check("c", 1, false, 10); // a third
        check("a", 4, false, 6); // too large, and what it would replace is gone
        check("c", 3, true, 10);
        check("b", 1, true, 6); // replaced by a smaller one
        statuses.clear("c");
        statuses.clear("c");
        assert_eq!(statuses.all(), [("b".to_owned(), 1)]);
        assert_eq!(statuses.bytes, 2);
    }
}
