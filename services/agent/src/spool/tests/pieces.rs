//! Pieces of recordings in the events lane: they take no room from events.

use domain::recording::{RecordingPiece, RecordingPoint};

use super::*;

fn piece(number: u32) -> Payload {
    Payload::Recording(RecordingPiece { trigger: NOW, number, is_last: false, points: vec![point(NOW)] })
}

fn point(at: MonotonicMicros) -> RecordingPoint {
    let belt = Belt::default();
    let (direction, origin, contacts) = (belt.direction, belt.origin, belt.contacts);
    RecordingPoint { at, direction, origin, speed: None, incline: None, contacts }
}

#[test]
fn pieces_of_recordings_leave_room_for_events() {
    let bounds = Bounds { events_bytes_max: 1_000, recordings_bytes_max: 500, ..Bounds::default() };
    let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
    let written = (0..20).filter_map(|number| spool.append(NOW, piece(number))).collect::<Vec<_>>();
    assert!((2..15).contains(&written.len()), "{written:?}");
    let expected: Vec<Position> = (1..=written.len() as u64).map(|n| at(1, n)).collect();
    assert_eq!(written, expected, "what is left out takes no number");
    assert_eq!(spool.pieces_left_out(), 20 - written.len() as u64);
    spool.write(NOW);
    let event = spool.append(NOW, event()).expect("there is room for events");
    assert_eq!(spool.append(NOW, piece(20)), None);
    assert_eq!(spool.counted(), 0, "pieces are not counted as events");
    spool.write(NOW);
    let mut shelf = spool.into_disk();
    shelf.cut_power();
    let mut spool = Spool::open(shelf, ids(2, 1), bounds, NOW).unwrap();
    assert_eq!(positions(&mut spool, Lane::Events).len(), written.len() + 1, "all are durable");
    spool.trim(Lane::Events, event);
    spool.write(NOW);
    assert!(spool.append(NOW, piece(21)).is_some(), "there is room again");
}

#[test]
fn pieces_of_recordings_do_not_fill_the_memory_while_the_disk_fails() {
    let bounds = Bounds { unwritten_bytes_max: 1_000, ..Bounds::default() };
    let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
    spool.disk().fails = true;
    spool.write(NOW);
    let written = (0..100).filter_map(|number| spool.append(NOW, piece(number))).count() as u64;
    assert!(spool.status().bytes <= 500 && written + spool.pieces_left_out() == 100, "{written}");
    assert!(spool.append(NOW, event()).is_some());
}
