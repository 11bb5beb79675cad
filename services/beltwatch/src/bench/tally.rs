//! What the machines of a load count, all of them together.

use domain::log::Lane;
use hdrhistogram::Histogram;
use wire::ack::Refusal;

/// Longest time that is told apart, in microseconds; longer ones count as this.
const LONGEST_US: u64 = 600 * 1_000_000;

/// Times in microseconds.
pub(super) fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are in order")
}

/// Counts since the load began, and times since they were last taken.
#[derive(Debug)]
pub struct Tally {
    /// Machines that the ingest has answered.
    pub machines_heard: usize,
    /// Records made, in the order of [`Lane::ALL`].
    pub made: [u64; 2],
    /// Records acknowledged.
    pub records: [u64; 2],
    /// Envelopes acknowledged.
    pub envelopes: [u64; 2],
    /// Octets of the envelopes that were sent, sealed.
    pub octets_sent: u64,
    /// Envelopes sent, repetitions too.
    pub envelopes_sent: u64,
    /// Envelopes sent again.
    pub resent: u64,
    /// Messages that the ingest refused.
    pub refused: u64,
    /// Acks of what was never sent.
    pub conflicts: u64,
    /// Why a connection ended before it should.
    pub failed: Option<String>,
    times: [Histogram<u64>; 2],
}

impl Tally {
    pub(super) fn new() -> Tally {
        Tally {
            machines_heard: 0,
            made: [0; 2],
            records: [0; 2],
            envelopes: [0; 2],
            octets_sent: 0,
            envelopes_sent: 0,
            resent: 0,
            refused: 0,
            conflicts: 0,
            failed: None,
            times: [times(), times()],
        }
    }

    pub(super) fn sent(&mut self, octets: usize) {
        self.envelopes_sent += 1;
        self.octets_sent += octets as u64;
    }

    pub(super) fn acked(&mut self, lane: Lane, records: u64) {
        self.records[lane.index()] += records;
    }

    /// An envelope was acknowledged so long after it was first sent.
    pub(super) fn delivered(&mut self, lane: Lane, took_us: u64) {
        self.envelopes[lane.index()] += 1;
        self.times[lane.index()].saturating_record(took_us);
    }

    pub(super) fn refused(&mut self, refusal: &Refusal) {
        if self.refused == 0 {
            tracing::warn!(
                reason = refusal.reason,
                detail = refusal.detail,
                "the ingest refuses a message of the load"
            );
        }
        self.refused += 1;
    }

    /// Whether all that was made is acknowledged.
    pub(super) fn is_drained(&self) -> bool {
        self.made == self.records
    }

    /// Times from publish to ack, and begins them anew.
    pub(super) fn take_times(&mut self) -> [Histogram<u64>; 2] {
        let taken = self.times.clone();
        self.times.iter_mut().for_each(Histogram::reset);
        taken
    }
}
