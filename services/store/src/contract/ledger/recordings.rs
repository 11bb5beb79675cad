//! Cases of recordings.

use domain::belt::{Contacts, Direction, Origin};
use domain::ids::RecordingId;
use domain::units::{Incline, Speed, UnixMicros};

use crate::StoreErrorKind;
use crate::contract::given::{machine, second};
use crate::contract::refused;
use crate::ledger::{Derived, DerivedPiece, Ledger, RecordedPoint};

fn id(octet: u8) -> RecordingId {
    RecordingId([octet; 16])
}

/// A piece whose points use every field, with the least and greatest values that there are.
fn piece(octet: u8, number: u32, points: usize) -> DerivedPiece {
    let point = RecordedPoint {
        time: second(1),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(1_234)),
        incline: Some(Incline(-15)),
        contacts: Contacts { closed: 5, open: 2 },
    };
    let extremes = RecordedPoint {
        time: UnixMicros(i64::MIN),
        direction: Direction::Stopped,
        origin: Origin::Declared,
        speed: Some(Speed(u32::MAX)),
        incline: Some(Incline(i32::MIN)),
        contacts: Contacts { closed: u32::MAX, open: 0 },
    };
    let all = [
        RecordedPoint { speed: Some(Speed(0)), incline: Some(Incline(0)), ..point },
        RecordedPoint { time: second(1).plus(100_000), speed: None, ..point },
        RecordedPoint { incline: None, direction: Direction::Unknown, origin: Origin::Unknown, ..point },
        extremes,
        RecordedPoint { time: UnixMicros(i64::MAX), incline: Some(Incline(i32::MAX)), ..extremes },
    ];
    let points = all.into_iter().cycle().take(points).collect();
    DerivedPiece { recording: id(octet), machine: machine("tm-1"), number, is_last: number == 9, points }
}

async fn put(ledger: &dyn Ledger, recordings: Vec<DerivedPiece>) {
    ledger.put(Derived { recordings, ..Derived::default() }).await.expect("putting works");
}

async fn get(ledger: &dyn Ledger, octet: u8) -> Vec<DerivedPiece> {
    ledger.recording(&id(octet)).await.expect("a recording can be read")
}

pub(super) async fn pieces_come_by_number(ledger: &dyn Ledger) {
    assert_eq!(get(ledger, 1).await, []);
    put(ledger, vec![piece(1, 9, 3), piece(2, 4, 5), piece(1, 2, 128)]).await;
    put(ledger, vec![piece(1, u32::MAX, 0), piece(1, 9, 3), piece(1, 0, 1)]).await;
    let expected = [piece(1, 0, 1), piece(1, 2, 128), piece(1, 9, 3), piece(1, u32::MAX, 0)];
    assert_eq!(get(ledger, 1).await, expected);
    assert_eq!(get(ledger, 2).await, [piece(2, 4, 5)]);
    // Written again, the later one stays.
    let later = DerivedPiece { machine: machine("tm-2"), is_last: true, ..piece(2, 4, 2) };
    put(ledger, vec![later.clone()]).await;
    assert_eq!(get(ledger, 2).await, [later]);
    let many: Vec<DerivedPiece> = (0..300).map(|number| piece(3, number, 1)).collect();
    put(ledger, many.clone()).await;
    assert_eq!(get(ledger, 3).await, many[..256]);
}

/// And nothing of it stays.
pub(super) async fn a_piece_that_is_too_long_is_refused(ledger: &dyn Ledger) {
    let recordings = vec![piece(1, 0, 1), piece(1, 1, 129)];
    refused(ledger.put(Derived { recordings, ..Derived::default() }).await, StoreErrorKind::Invalid);
    assert_eq!(get(ledger, 1).await, []);
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    put(&*open().await, vec![piece(1, 9, 3), piece(1, 2, 128)]).await;
    assert_eq!(get(&*open().await, 1).await, [piece(1, 2, 128), piece(1, 9, 3)]);
}
