//! Edges and levels of lines as a recording has them.
//!
//! An edge has 14 octets, high ones first: the line's place in the settings (1), its new level (1), the kernel's number of
//! the edge (4), and its time on this computer's monotonic clock in microseconds (8). A level has one octet.

use domain::units::MonotonicMicros;

use super::Edge;
use crate::capture::Characteristic;
use crate::source::Outlet;
use crate::source::outlet::Way;

/// Octets of an edge.
pub(crate) const EDGE_OCTETS: usize = 14;
/// Edges in a frame, at most: a line of a capture stays short.
const FRAME_EDGES_MAX: usize = 64;

/// Tapes edges as they were taken from the kernel.
pub(super) fn tape_edges(outlet: &Outlet, now: MonotonicMicros, edges: &[Edge]) {
    if !outlet.has_tape() {
        return;
    }
    for some in edges.chunks(FRAME_EDGES_MAX) {
        let octets: Vec<u8> = some.iter().flat_map(written).collect();
        outlet.tape(now, Characteristic::GpioEdges, Way::Notify, &octets);
    }
}

/// Tapes the level of each line.
pub(super) fn tape_levels(outlet: &Outlet, now: MonotonicMicros, levels: &[bool]) {
    let octets: Vec<u8> = levels.iter().copied().map(u8::from).collect();
    outlet.tape(now, Characteristic::GpioLevels, Way::Read, &octets);
}

fn written(edge: &Edge) -> [u8; EDGE_OCTETS] {
    let mut octets = [0; EDGE_OCTETS];
    // A source has far fewer lines.
    octets[0] = u8::try_from(edge.line).unwrap_or(u8::MAX);
    octets[1] = u8::from(edge.is_high);
    octets[2..6].copy_from_slice(&edge.number.to_be_bytes());
    octets[6..].copy_from_slice(&edge.at.0.to_be_bytes());
    octets
}

/// The edges of a frame, and how many octets are left over.
pub(crate) fn read_edges(octets: &[u8]) -> (Vec<Edge>, usize) {
    let edges = octets.chunks_exact(EDGE_OCTETS);
    let rest = edges.remainder().len();
    let number = |octets: &[u8]| octets.iter().fold(0, |number, octet| (number << 8) | u64::from(*octet));
    let edge = |octets: &[u8]| Edge {
        at: MonotonicMicros(number(&octets[6..])),
        line: usize::from(octets[0]),
        is_high: octets[1] != 0,
        number: u32::try_from(number(&octets[2..6])).unwrap_or(u32::MAX),
    };
    (edges.map(edge).collect(), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::sync::mpsc;

    use super::*;

    fn edges() -> impl Strategy<Value = Vec<Edge>> {
        let edge = (any::<u64>(), 0..5_usize, any::<bool>(), any::<u32>());
        let edge = edge.prop_map(|(at, line, is_high, number)| Edge {
            at: MonotonicMicros(at),
            line,
            is_high,
            number,
        });
        prop::collection::vec(edge, 0..200)
    }

    proptest! {
        #[test]
        fn what_is_taped_reads_back(edges in edges()) {
            let (signals, _signals) = crate::source::outlet::queue();
            let (tape, mut frames) = mpsc::channel(8);
            let outlet = Outlet::new("belt", domain::signal::SourceNumber(0), signals, Some(tape));
            tape_edges(&outlet, MonotonicMicros(0), &edges);
            let mut read = Vec::new();
            while let Ok(frame) = frames.try_recv() {
                prop_assert_eq!((frame.characteristic, frame.way), (Characteristic::GpioEdges, Way::Notify));
                let (some, rest) = read_edges(&frame.octets);
                prop_assert!(rest == 0 && (1..=FRAME_EDGES_MAX).contains(&some.len()));
                read.extend(some);
            }
            prop_assert_eq!(read, edges);
        }

        #[test]
        fn any_octets_are_edges_and_a_rest(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let (edges, rest) = read_edges(&octets);
            prop_assert_eq!(edges.len() * EDGE_OCTETS + rest, octets.len());
        }
    }
}
