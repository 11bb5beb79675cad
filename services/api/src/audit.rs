//! Refusals as facts. A flood of one kind becomes one fact a minute with its count, so that nobody can fill the
//! ledger by being refused.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::limits::{REFUSAL_KINDS_MAX, REFUSALS_WAITING_MAX};
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, Refusal};
use store::ledger::Ledger;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::metrics;
use crate::surroundings::Surroundings;

/// How long refusals of one kind are gathered into one fact, in microseconds.
const WINDOW_US: i64 = 60_000_000;
const TICK: Duration = Duration::from_secs(5);

/// Refusals that count together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Refused {
    /// Who, as facts name callers.
    pub(crate) author: String,
    /// Which method.
    pub(crate) method: String,
    /// Why, in one word.
    pub(crate) reason: &'static str,
    /// The name that somebody tried to sign in with; empty: none.
    pub(crate) subject: String,
    /// From where; empty: not known.
    pub(crate) peer: String,
}

/// Gathers refusals: the first of a kind is told at once, more of it once a minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    windows: HashMap<Refused, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: UnixMicros,
    untold: u64,
}

impl Refusals {
    /// Takes one refusal; what is to be told now.
    pub(crate) fn take(&mut self, refused: Refused, now: UnixMicros) -> Option<(Refused, u64)> {
        // Of too many kinds at once only the reason is told apart.
        let is_new = !self.windows.contains_key(&refused);
        let refused = if is_new && self.windows.len() >= REFUSAL_KINDS_MAX {
            let (author, method) = ("many".to_owned(), "many".to_owned());
            Refused { author, method, subject: String::new(), peer: String::new(), ..refused }
        } else {
            refused
        };
        match self.windows.get_mut(&refused) {
            Some(window) => {
                window.untold += 1;
                None
            }
            None => {
                self.windows.insert(refused.clone(), Window { began: now, untold: 0 });
                Some((refused, 1))
            }
        }
    }

    /// What is to be told of windows that are over.
    pub(crate) fn tick(&mut self, now: UnixMicros) -> Vec<(Refused, u64)> {
        let mut told = Vec::new();
        self.windows.retain(|refused, window| {
            // A clock that was set back ends a window, too.
            if (0..WINDOW_US).contains(&now.since(window.began)) {
                return true;
            }
            let untold = std::mem::take(&mut window.untold);
            window.began = now;
            if untold > 0 {
                told.push((refused.clone(), untold));
            }
            untold > 0
        });
        told
    }
}

/// Takes refusals from wherever they arise.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    refused: mpsc::Sender<Refused>,
}

/// The other end: writes the facts.
#[derive(Debug)]
pub(crate) struct AuditWriter {
    refused: mpsc::Receiver<Refused>,
    ledger: Arc<dyn Ledger>,
    surroundings: Arc<dyn Surroundings>,
}

impl Audit {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, surroundings: Arc<dyn Surroundings>) -> (Audit, AuditWriter) {
        let (sender, refused) = mpsc::channel(REFUSALS_WAITING_MAX);
        (Audit { refused: sender }, AuditWriter { refused, ledger, surroundings })
    }

    /// Notes a refusal. If too many wait it is counted in the metrics only.
    pub(crate) fn note(&self, refused: Refused) {
        if self.refused.try_send(refused).is_err() {
            metrics::audit_dropped();
        }
    }
}

impl AuditWriter {
    /// Writes until `stopping`, and then what is left.
    pub(crate) async fn run(&mut self, stopping: &CancellationToken) {
        let mut refusals = Refusals::default();
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                refused = self.refused.recv() => {
                    let Some(refused) = refused else { break };
                    if let Some((refused, count)) = refusals.take(refused, self.surroundings.now()) {
                        self.write(refused, count).await;
                    }
                }
                _ = tick.tick() => {
                    for (refused, count) in refusals.tick(self.surroundings.now()) {
                        self.write(refused, count).await;
                    }
                }
            }
        }
        while let Ok(refused) = self.refused.try_recv() {
            if let Some((refused, count)) = refusals.take(refused, self.surroundings.now()) {
                self.write(refused, count).await;
            }
        }
        for (refused, count) in refusals.tick(UnixMicros(i64::MAX)) {
            self.write(refused, count).await;
        }
    }

    async fn write(&self, refused: Refused, count: u64) {
        let Refused { author, method, reason, subject, peer } = refused;
        let reason = reason.to_owned();
        let kind = FactKind::AccessRefused(Refusal { method, reason, subject, peer, count });
        let fact = Fact { time: self.surroundings.now(), author, request_id: None, kind };
        if let Err(error) = self.ledger.add_fact(fact).await {
            tracing::error!(%error, "a refusal could not be written to the audit");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);

    fn refused(method: &str) -> Refused {
        Refused {
            author: "unknown".to_owned(),
            method: method.to_owned(),
            reason: "NOT_KNOWN",
            subject: String::new(),
            peer: String::new(),
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_more_once_a_minute() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.take(refused("a"), NOON), Some((refused("a"), 1)));
        assert_eq!(refusals.take(refused("b"), NOON), Some((refused("b"), 1)));
        for _ in 0..1_000 {
            assert_eq!(refusals.take(refused("a"), NOON.plus(1)), None);
        }
        assert_eq!(refusals.tick(NOON.plus(WINDOW_US - 1)), []);
        let minute = NOON.plus(WINDOW_US);
        assert_eq!(refusals.tick(minute), [(refused("a"), 1_000)]);
        assert_eq!(refusals.take(refused("a"), minute), None, "the flood goes on within a window");
        assert_eq!(refusals.take(refused("b"), minute), Some((refused("b"), 1)));
        assert_eq!(refusals.tick(minute.plus(WINDOW_US)), [(refused("a"), 1)]);
        assert_eq!(refusals.tick(minute.plus(2 * WINDOW_US)), []);
        assert!(refusals.windows.is_empty());
    }

    #[test]
    fn of_too_many_kinds_only_the_reason_is_kept() {
        let mut refusals = Refusals::default();
        for kind in 0..REFUSAL_KINDS_MAX {
            assert!(refusals.take(refused(&format!("m-{kind}")), NOON).is_some());
        }
        assert_eq!(refusals.take(refused("one more"), NOON).unwrap().0.method, "many");
        assert_eq!(refusals.take(refused("and more"), NOON), None);
        assert_eq!(refusals.windows.len(), REFUSAL_KINDS_MAX + 1);
    }
}
