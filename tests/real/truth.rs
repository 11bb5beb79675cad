//! What an agent says it has seen and has on its disk: the lines that `beltwatch-agent simulate --truth` writes.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use domain::log::{Lane, Position};
use domain::record::Record;
use serde_json::Value;

/// One agent's records, of all its boots.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Every record by its place.
    pub(crate) records: BTreeMap<(Lane, Position), Record>,
    /// Lines that a kill cut short. What they told is not known.
    pub(crate) cut_lines: u64,
}

impl Truth {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Truth> {
        let octets = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Truth::parse(&octets).with_context(|| format!("{} is no truth", file.display()))
    }

    /// Reads lines. A kill may cut the last line of a boot; the next boot's first line then follows on the same
    /// line.
    fn parse(octets: &[u8]) -> anyhow::Result<Truth> {
        let mut truth = Truth::default();
        let lines: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').collect();
        for (number, line) in lines.iter().enumerate() {
            truth.take(line, number + 1 == lines.len()).with_context(|| format!("line {}", number + 1))?;
        }
        truth.check_order()?;
        Ok(truth)
    }

    /// Takes a line. Its objects hold no others, so each brace begins one.
    fn take(&mut self, line: &[u8], is_unfinished: bool) -> anyhow::Result<()> {
        let braces = line.iter().enumerate().filter(|(_, octet)| **octet == b'{').map(|(at, _)| at);
        let mut ends: Vec<usize> = braces.skip(1).collect();
        ends.push(line.len());
        let (mut begin, last) = (0, ends.len());
        for (number, end) in ends.into_iter().enumerate() {
            let (piece, is_cut_off) = (&line[begin..end], number + 1 < last || is_unfinished);
            begin = end;
            self.cut_lines += u64::from(is_cut_off && !piece.is_empty());
            match serde_json::from_slice(piece) {
                Ok(value) => self.add(&value)?,
                Err(_) if is_cut_off => {}
                Err(error) => bail!("it is neither whole nor cut by a kill: {error}"),
            }
        }
        Ok(())
    }

    fn add(&mut self, value: &Value) -> anyhow::Result<()> {
        let number = |key: &str| value[key].as_u64().with_context(|| format!("{key} is no number"));
        let name = value["lane"].as_str().unwrap_or_default();
        let lane = Lane::ALL.into_iter().find(|lane| lane.name() == name).context("no such lane")?;
        let position = Position::new(u32::try_from(number("boot_count")?)?, number("n")?);
        let octets = hex::decode(value["record"].as_str().context("record is no text")?)?;
        let record = wire::record::decode(lane, &octets)?;
        if self.records.insert((lane, position), record).is_some() {
            bail!("{} {position} is told twice", lane.name());
        }
        Ok(())
    }

    /// Within a boot the numbers follow each other, or the truth itself has a hole and proves nothing.
    fn check_order(&self) -> anyhow::Result<()> {
        let mut before: Option<(Lane, Position)> = None;
        for (lane, position) in self.records.keys().copied() {
            let follows = before.filter(|(of, last)| *of == lane && last.boot_count == position.boot_count);
            let expected = follows.map_or(1, |(_, last)| last.n + 1);
            if position.n != expected {
                bail!("{} {position} comes where {expected} should", lane.name());
            }
            before = Some((lane, position));
        }
        Ok(())
    }

    /// The number of the last record of a lane and boot; 0 if there is none.
    pub(crate) fn last_n(&self, lane: Lane, boot_count: u32) -> u64 {
        let range = (lane, Position::new(boot_count, 0))..=(lane, Position::new(boot_count, u64::MAX));
        self.records.range(range).next_back().map_or(0, |((_, position), _)| position.n)
    }

    /// The last boot that wrote anything; 0 if none did.
    pub(crate) fn last_boot(&self) -> u32 {
        self.records.keys().map(|(_, position)| position.boot_count).max().unwrap_or(0)
    }
}
