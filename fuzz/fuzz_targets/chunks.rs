//! Chunks of telemetry, as the store keeps them.
//!
//! Input: an octet that says whether the checksum is put right before, and the chunk.

#![no_main]

use beltwatch_fuzz::Input;
use domain::limits::{CHUNK_ROWS_MAX, COMPACTED_ROWS_MAX};
use domain::log::Lane;
use libfuzzer_sys::fuzz_target;
use store::chunk::{self, Encoder, Head, Row};

fuzz_target!(|octets: &[u8]| {
    let mut input = Input::new(octets);
    let is_put_right = input.u8().is_some_and(|first| first & 1 != 0);
    let mut chunk = input.rest().to_vec();
    if is_put_right && chunk.len() >= 8 {
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&chunk[..4]), &chunk[8..]);
        chunk[4..8].copy_from_slice(&checksum.to_le_bytes());
    }
    let (head, rows) = match chunk::decode(&chunk) {
        Ok(read) => read,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    assert_eq!(chunk::head(&chunk), Ok(head));
    assert!(rows.len() == head.count && head.count <= COMPACTED_ROWS_MAX);
    assert!(rows.iter().all(|row| row.record.payload.lane() == head.lane));
    assert!(rows.windows(2).all(|pair| pair[0].n < pair[1].n), "numbers do not ascend");
    // A damaged head may say other numbers and times than the rows do; what is written of them says theirs.
    reads_back(&head, &rows);
});

fn reads_back(head: &Head, rows: &[Row]) {
    let mut encoder = Encoder::default();
    let mut chunks = Vec::new();
    if rows.len() <= CHUNK_ROWS_MAX {
        chunks.extend(encoder.encode(head.lane, rows).ok());
    }
    if head.lane == Lane::Readings {
        chunks.extend(encoder.compact(head.lane, rows).ok());
    }
    for chunk in chunks {
        let (again, read) = chunk::decode(&chunk).expect("what is written reads back");
        assert_eq!((again.lane, again.count), (head.lane, head.count));
        assert_eq!(read, rows);
    }
}
