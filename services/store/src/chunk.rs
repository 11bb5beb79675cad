//! Chunks: rows of telemetry as columns, in few octets, with a checksum.
//!
//! A chunk holds rows of one lane, one log and one boot, by ascending number. It is, in this order:
//!
//! | octets | what |
//! |---|---|
//! | 2 | magic, `c7 42` |
//! | 1 | version: 1; 2 of events that may have the columns for capabilities and recording; 3 of readings in the dense form |
//! | 1 | form: bit 0 the body is compressed (zstd), bit 1 events, bit 2 there are event times, bit 3 dense |
//! | 4 | CRC-32C of all other octets, little endian |
//! | varint | count of rows, 1 to [`limits::COMPACTED_ROWS_MAX`] |
//! | varint, varint | number of the first row; of the last one, minus the first |
//! | varint, varint | with event times only: the least one (zigzag); the greatest one, minus the least |
//! | varint | not if dense: set of columns that are present; an absent one is all zero, or not known |
//! | varint | not if dense: length of the body before compression |
//! | rest | the body: the present columns, see `columns.rs`; if dense, see `dense.rs` |
//!
//! A column that never changes costs two or three octets however many rows there are. The dense form takes a third of
//! the room and several times the work: it is for what is written once, by compaction.

mod coder;
pub(crate) mod codes;
mod columns;
mod dense;
mod events;
mod frames;
mod readings;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod varint;

use domain::clock::Clock;
use domain::limits;
use domain::log::Lane;
use domain::record::{Payload, Record};
use domain::units::UnixMicros;

use columns::{ColumnReader, ColumnWriter};
use varint::Octets;

const MAGIC: [u8; 2] = [0xc7, 0x42];
/// The newest version that is read. Fresh readings are still written as version 1.
const VERSION: u8 = 3;
const COMPRESSED: u8 = 1;
const EVENTS: u8 = 1 << 1;
const DATED: u8 = 1 << 2;
const DENSE: u8 = 1 << 3;
/// Bodies below this are not worth the attempt to compress them, in octets.
const COMPRESSION_PAYS_BYTES: usize = 256;
const COMPRESSION_LEVEL: i32 = 3;
/// For what is written once and kept long.
const COMPACTED_LEVEL: i32 = 19;

/// A record with its number and settled clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Number in its boot and lane.
    pub n: u64,
    /// The settled wall-clock mapping.
    pub clock: Clock,
    /// The record.
    pub record: Record,
}

impl Row {
    /// Event time; `None`: undated.
    pub fn time(&self) -> Option<UnixMicros> {
        self.clock.unix(self.record.at)
    }
}

/// What a chunk says of itself without its body being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Lane of all its rows.
    pub lane: Lane,
    /// How many rows it has.
    pub count: usize,
    /// Number of the first row.
    pub first_n: u64,
    /// Number of the last row.
    pub last_n: u64,
    /// Least and greatest event time; `None`: no row is dated.
    pub times: Option<(UnixMicros, UnixMicros)>,
}

/// Why something is no chunk or cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// It is not what was written.
    #[error("the chunk is damaged: {0}")]
    Damaged(&'static str),
    /// It was written by a newer version.
    #[error("the chunk has version {0}; this program reads versions 1 to 3: use the newer one")]
    NewerVersion(u8),
    /// These rows cannot be one chunk.
    #[error("these rows cannot be a chunk: {0}")]
    Invalid(&'static str),
    /// The compressor failed.
    #[error("the chunk cannot be compressed: {0}")]
    Compressor(String),
}

/// Makes chunks. Keeps its buffers from one chunk to the next.
#[derive(Default)]
pub struct Encoder {
    writer: ColumnWriter,
    compressors: [Option<zstd::bulk::Compressor<'static>>; 2],
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// For how long a chunk is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    Fresh,
    Compacted,
}

impl Encoder {
    /// One chunk of `rows`: 1 to [`limits::CHUNK_ROWS_MAX`] of them, all of `lane`, by ascending number.
    pub fn encode(&mut self, lane: Lane, rows: &[Row]) -> Result<Vec<u8>, ChunkError> {
        if rows.len() > limits::CHUNK_ROWS_MAX {
            return Err(ChunkError::Invalid("there are more than CHUNK_ROWS_MAX"));
        }
        let head = head_of(lane, rows)?;
        self.columns(rows, &head, Effort::Fresh)
    }

    /// The same of 1 to [`limits::COMPACTED_ROWS_MAX`] rows, in fewer octets and with more work.
    pub fn compact(&mut self, lane: Lane, rows: &[Row]) -> Result<Vec<u8>, ChunkError> {
        let head = head_of(lane, rows)?;
        match lane {
            Lane::Events => self.columns(rows, &head, Effort::Compacted),
            Lane::Readings => {
                let mut chunk = begin(VERSION, DENSE, &head);
                chunk.extend(dense::write(rows, &head));
                Ok(sealed(chunk))
            }
        }
    }

    fn columns(&mut self, rows: &[Row], head: &Head, effort: Effort) -> Result<Vec<u8>, ChunkError> {
        self.writer.clear();
        frames::write(&mut self.writer, rows, head);
        match head.lane {
            Lane::Events => events::write(&mut self.writer, rows),
            Lane::Readings => readings::write(&mut self.writer, rows),
        }
        if self.writer.body().len() > limits::CHUNK_BODY_BYTES_MAX {
            return Err(ChunkError::Invalid("their body is longer than CHUNK_BODY_BYTES_MAX"));
        }
        let compressed = self.compressed(effort)?;
        let form = if compressed.is_some() { COMPRESSED } else { 0 };
        let body = self.writer.body();
        let mut chunk = begin(version_of(head.lane), form, head);
        varint::put(&mut chunk, self.writer.mask());
        varint::put(&mut chunk, body.len() as u64);
        chunk.extend_from_slice(compressed.as_deref().unwrap_or(body));
        Ok(sealed(chunk))
    }

    /// The body compressed, if that makes it smaller.
    fn compressed(&mut self, effort: Effort) -> Result<Option<Vec<u8>>, ChunkError> {
        let body = self.writer.body();
        if body.len() < COMPRESSION_PAYS_BYTES {
            return Ok(None);
        }
        let failed = |error: std::io::Error| ChunkError::Compressor(error.to_string());
        let [fresh, compacted] = &mut self.compressors;
        let (compressor, level) = match effort {
            Effort::Fresh => (fresh, COMPRESSION_LEVEL),
            Effort::Compacted => (compacted, COMPACTED_LEVEL),
        };
        let compressor = match compressor {
            Some(compressor) => compressor,
            empty @ None => empty.insert(zstd::bulk::Compressor::new(level).map_err(failed)?),
        };
        let compressed = compressor.compress(body).map_err(failed)?;
        Ok((compressed.len() < body.len()).then_some(compressed))
    }
}

/// What stands before the body; the checksum is missing.
fn begin(version: u8, form: u8, head: &Head) -> Vec<u8> {
    let mut form = form;
    form |= if head.lane == Lane::Events { EVENTS } else { 0 };
    form |= if head.times.is_some() { DATED } else { 0 };
    let mut chunk = vec![MAGIC[0], MAGIC[1], version, form, 0, 0, 0, 0];
    put_head(&mut chunk, head);
    chunk
}

/// The same octets with their checksum.
fn sealed(mut chunk: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&chunk);
    chunk[4..8].copy_from_slice(&checksum.to_le_bytes());
    chunk
}

/// The version that columns of a lane are written in.
fn version_of(lane: Lane) -> u8 {
    match lane {
        Lane::Events => 2,
        Lane::Readings => 1,
    }
}

/// What a chunk says of itself; its checksum is checked, its body is not read.
pub fn head(chunk: &[u8]) -> Result<Head, ChunkError> {
    open(chunk).map(|(head, _, _)| head)
}

/// A chunk's head and rows.
pub fn decode(chunk: &[u8]) -> Result<(Head, Vec<Row>), ChunkError> {
    let (head, form, mut octets) = open(chunk)?;
    if form & DENSE != 0 {
        return Ok((head, dense::read(octets.rest(), &head)?));
    }
    let mask = octets.varint()?;
    let length = usize::try_from(octets.varint()?).unwrap_or(usize::MAX);
    if length > limits::CHUNK_BODY_BYTES_MAX {
        return Err(ChunkError::Damaged("its body would be longer than CHUNK_BODY_BYTES_MAX"));
    }
    let stored = octets.rest();
    let decompressed;
    let body = if form & COMPRESSED == 0 {
        stored
    } else {
        decompressed = zstd::bulk::decompress(stored, length)
            .map_err(|_| ChunkError::Damaged("its body cannot be decompressed"))?;
        &decompressed
    };
    if body.len() != length {
        return Err(ChunkError::Damaged("its body has another length than it says"));
    }
    let mut reader = ColumnReader::new(body, mask);
    let frames = frames::read(&mut reader, &head)?;
    let rows = match head.lane {
        Lane::Events => events::read(&mut reader, frames)?,
        Lane::Readings => readings::read(&mut reader, frames)?,
    };
    reader.finish()?;
    Ok((head, rows))
}

fn head_of(lane: Lane, rows: &[Row]) -> Result<Head, ChunkError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err(ChunkError::Invalid("there are none"));
    };
    if rows.len() > limits::COMPACTED_ROWS_MAX {
        return Err(ChunkError::Invalid("there are more than COMPACTED_ROWS_MAX"));
    }
    if rows.iter().any(|row| row.record.payload.lane() != lane) {
        return Err(ChunkError::Invalid("they are not all of one lane"));
    }
    if rows.iter().any(|row| matches!(row.record.payload, Payload::Recording(_) | Payload::Commissioning(_)))
    {
        return Err(ChunkError::Invalid("a piece of a recording or a commissioning is among them"));
    }
    if rows.windows(2).any(|pair| pair[0].n >= pair[1].n) {
        return Err(ChunkError::Invalid("their numbers do not ascend"));
    }
    let times = rows.iter().filter_map(Row::time).fold(None, |times, time| match times {
        None => Some((time, time)),
        Some((least, greatest)) => Some((time.min(least), time.max(greatest))),
    });
    Ok(Head { lane, count: rows.len(), first_n: first.n, last_n: last.n, times })
}

fn put_head(chunk: &mut Vec<u8>, head: &Head) {
    varint::put(chunk, head.count as u64);
    varint::put(chunk, head.first_n);
    varint::put(chunk, head.last_n - head.first_n);
    if let Some((least, greatest)) = head.times {
        varint::put(chunk, varint::zigzag(least.0));
        varint::put(chunk, greatest.0.abs_diff(least.0));
    }
}

/// Checks magic, version and checksum, and reads the head; what follows it is left in the octets.
fn open(chunk: &[u8]) -> Result<(Head, u8, Octets<'_>), ChunkError> {
    let Some((fixed, rest)) = chunk.split_first_chunk::<8>() else {
        return Err(ChunkError::Damaged("it is shorter than its head"));
    };
    let [magic_1, magic_2, version, form, crc @ ..] = *fixed;
    if [magic_1, magic_2] != MAGIC {
        return Err(ChunkError::Damaged("it does not begin like a chunk"));
    }
    if checksum(chunk) != u32::from_le_bytes(crc) {
        return Err(ChunkError::Damaged("its checksum does not fit"));
    }
    if !(1..=VERSION).contains(&version) {
        return Err(ChunkError::NewerVersion(version));
    }
    let is_dense_readings = version == 3 && form & (EVENTS | COMPRESSED) == 0;
    if form & !(COMPRESSED | EVENTS | DATED | DENSE) != 0 || (form & DENSE != 0 && !is_dense_readings) {
        return Err(ChunkError::Damaged("its form is not known"));
    }
    let mut octets = Octets::new(rest);
    let count = usize::try_from(octets.varint()?).unwrap_or(usize::MAX);
    if !(1..=limits::COMPACTED_ROWS_MAX).contains(&count) {
        return Err(ChunkError::Damaged("its count of rows is none that can be"));
    }
    let first_n = octets.varint()?;
    let Some(last_n) = first_n.checked_add(octets.varint()?) else {
        return Err(ChunkError::Damaged("its last number is none that can be"));
    };
    let times = if form & DATED == 0 {
        None
    } else {
        let least = varint::unzigzag(octets.varint()?);
        let Some(greatest) = least.checked_add_unsigned(octets.varint()?) else {
            return Err(ChunkError::Damaged("its last time is none that can be"));
        };
        Some((UnixMicros(least), UnixMicros(greatest)))
    };
    let lane = if form & EVENTS == 0 { Lane::Readings } else { Lane::Events };
    Ok((Head { lane, count, first_n, last_n, times }, form, octets))
}

/// CRC-32C of all octets but the four of the checksum itself.
fn checksum(chunk: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&chunk[..4]), &chunk[8..])
}
