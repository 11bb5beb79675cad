//! Puts edges into the order in which they happened, and notices those that are missing.
//!
//! The kernel numbers edges when it is interrupted, but each line has a thread of its own that puts them into the
//! queue: two lines may be the wrong way round there. A number that does not come stands for an edge that was dropped
//! because the queue was full, or that came while the one before it was still handled.

use domain::units::MonotonicMicros;

use super::Edge;

/// How many later edges wait for one that is missing. More: it is lost.
const WAITING_MAX: usize = 8;

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordered {
    /// The next edge.
    Edge(Edge),
    /// So many edges are missing before the next.
    Lost(u32),
}

/// Puts edges into order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The number that comes next; `None`: any.
    next: Option<u32>,
    /// Later edges, in their order.
    waiting: Vec<Edge>,
}

impl Order {
    /// Takes an edge, and gives what is in order by it. An edge that comes too late is left out: it was told as lost.
    pub fn take(&mut self, edge: Edge, out: &mut Vec<Ordered>) {
        let next = *self.next.get_or_insert(edge.number);
        if is_before(edge.number, next) {
            return;
        }
        let place = self.waiting.partition_point(|other| is_before(other.number, edge.number));
        if self.waiting.get(place).is_some_and(|other| other.number == edge.number) {
            return;
        }
        self.waiting.insert(place, edge);
        self.release(out);
        if self.waiting.len() > WAITING_MAX {
            self.skip(out);
        }
    }

    /// When the first of the edges came that wait for another.
    pub fn waits_since(&self) -> Option<MonotonicMicros> {
        self.waiting.first().map(|edge| edge.at)
    }

    /// Waits no longer for what is missing before edges older than `before`: it is lost.
    pub fn give_up(&mut self, before: MonotonicMicros, out: &mut Vec<Ordered>) {
        while self.waiting.first().is_some_and(|edge| edge.at < before) {
            self.skip(out);
        }
    }

    /// Gives the edges whose turn it is.
    fn release(&mut self, out: &mut Vec<Ordered>) {
        let mut next = self.next.unwrap_or_default();
        let ready = self.waiting.iter().take_while(|edge| {
            let is_next = edge.number == next;
            next = if is_next { next.wrapping_add(1) } else { next };
            is_next
        });
        let count = ready.count();
        out.extend(self.waiting.drain(..count).map(Ordered::Edge));
        self.next = self.next.map(|_| next);
    }

    /// Takes what is missing before the first that waits for lost.
    fn skip(&mut self, out: &mut Vec<Ordered>) {
        let Some((first, next)) = self.waiting.first().zip(self.next) else { return };
        out.push(Ordered::Lost(first.number.wrapping_sub(next)));
        self.next = Some(first.number);
        self.release(out);
    }
}

/// Whether a number comes before another; numbers begin anew after 2³² of them.
fn is_before(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) > u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(number: u32) -> Edge {
        Edge { at: MonotonicMicros(u64::from(number)), line: 0, is_high: true, number }
    }

    /// Numbers that come, and what comes out: a number is an edge, a negative one so many lost.
    fn check(came: &[u32], out: &[i64]) {
        let (mut order, mut ordered) = (Order::default(), Vec::new());
        for number in came {
            order.take(edge(*number), &mut ordered);
        }
        order.give_up(MonotonicMicros(u64::MAX), &mut ordered);
        assert_eq!(ordered.iter().map(shown).collect::<Vec<_>>(), out, "{came:?}");
    }

    fn shown(ordered: &Ordered) -> i64 {
        match ordered {
            Ordered::Edge(edge) => i64::from(edge.number),
            Ordered::Lost(count) => -i64::from(*count),
        }
    }

    #[test]
    fn edges_come_out_in_their_order_and_what_is_missing_is_told() {
        check(&[], &[]);
        check(&[5, 6, 7], &[5, 6, 7]);
        check(&[5, 7, 6, 8], &[5, 6, 7, 8]);
        check(&[5, 8, 7, 6], &[5, 6, 7, 8]);
        check(&[5, 7, 8], &[5, -1, 7, 8]);
        check(&[5, 6, 6, 5, 7], &[5, 6, 7]);
        check(&[u32::MAX, 0, 2, 1], &[i64::from(u32::MAX), 0, 1, 2]);
        check(&[u32::MAX - 1, 1], &[i64::from(u32::MAX - 1), -2, 1]);
        check(&[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 12], &[1, -1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }

    proptest! {
        #[test]
        fn any_numbers_come_out_rising_and_nothing_is_missing_untold(
            start in prop_oneof![Just(u32::MAX - 20), any::<u32>()],
            steps in prop::collection::vec(0u32..12, 0..200),
        ) {
            let (mut order, mut out) = (Order::default(), Vec::new());
            for step in &steps {
                order.take(edge(start.wrapping_add(*step)), &mut out);
            }
            order.give_up(MonotonicMicros(u64::MAX), &mut out);
            let mut next = None;
            for ordered in out {
                match ordered {
                    Ordered::Edge(edge) => {
                        prop_assert!(next.is_none_or(|next| next == edge.number));
                        next = Some(edge.number.wrapping_add(1));
                    }
                    Ordered::Lost(count) => next = next.map(|next: u32| next.wrapping_add(count)),
                }
            }
        }
    }
}
