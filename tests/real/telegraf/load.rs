//! Machines that publish, for either of the two.

use std::time::Duration;

use beltwatch::bench::fleet::{Fleet, Order};
use domain::log::Lane;
use futures::future::try_join_all;

use super::lines::Script;
use super::publisher::Publisher;

/// How often it is looked whether everything was made.
const POLL: Duration = Duration::from_millis(20);

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Made {
    pub(super) messages: u64,
    pub(super) readings: u64,
    pub(super) events: u64,
}

impl Made {
    /// Readings and events.
    pub(super) fn records(self) -> u64 {
        self.readings + self.events
    }
}

/// Machines that publish.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) speakers: Speakers,
    pub(super) machines: u64,
    /// Of each machine.
    pub(super) readings: u64,
}

/// How they speak.
#[derive(Debug)]
pub(super) enum Speakers {
    /// As agents do, to Beltwatch.
    Sealed(Fleet),
    /// In line protocol, to Telegraf.
    Lines(Vec<(Publisher, Script)>),
}

impl Load {
    /// Publishes one of so many parts. Returns when the ingest, or for lines the broker, has acknowledged all of it.
    pub(super) async fn publish(&mut self, part: usize, parts: usize) -> anyhow::Result<()> {
        match &mut self.speakers {
            Speakers::Sealed(fleet) => {
                let readings = self.readings * part as u64 / parts as u64;
                fleet.order(Order::FillTo(readings));
                while fleet.tally().made[Lane::Readings.index()] < readings * self.machines {
                    fleet.run_for(POLL).await?;
                }
                fleet.drain().await
            }
            Speakers::Lines(speakers) => {
                let all = speakers.iter_mut().map(|(publisher, script)| {
                    let place = |part| script.messages.len() * part / parts;
                    publisher.publish(&script.messages[place(part - 1)..place(part)])
                });
                try_join_all(all).await?;
                Ok(())
            }
        }
    }

    /// Disconnects the machines, and says what they have published.
    pub(super) async fn end(self) -> anyhow::Result<Made> {
        match self.speakers {
            Speakers::Sealed(fleet) => {
                let made = {
                    let tally = fleet.tally();
                    let [events, readings] =
                        [Lane::Events, Lane::Readings].map(|lane| tally.made[lane.index()]);
                    Made { messages: tally.envelopes.iter().sum(), readings, events }
                };
                fleet.stop().await?;
                Ok(made)
            }
            Speakers::Lines(speakers) => {
                let scripts = || speakers.iter().map(|(_, script)| script);
                Ok(Made {
                    messages: scripts().map(|script| script.messages.len() as u64).sum(),
                    readings: scripts().map(|script| script.readings).sum(),
                    events: scripts().map(|script| script.events).sum(),
                })
            }
        }
    }
}
