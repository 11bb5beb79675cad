//! To which cell every quarter of every machine belongs: an hour, a day, a month, an hour of the week, all together.
//!
//! A day that lies in one cell as a whole is read as its sum; only days that a cell's border cuts are read by quarters.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::ids::MachineId;
use domain::limits::{MACHINES_NAMED_MAX, USAGE_DAYS_ADDED_MAX, USAGE_DAYS_CUT_MAX};
use domain::registry::BeltKind;
use domain::units::UnixMicros;
use domain::usage::QUARTERS_A_DAY;
use domain::usage::calendar::QuarterSpan;

use super::groups::{Groups, Share};
use super::whereabouts::{Visit, Whereabouts, quarter_begin};
use crate::status::{ApiError, Violation};

/// From which quarter on which cell; each until the next one. Ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout(Vec<(i64, usize)>);

impl Layout {
    /// One cell for everything.
    pub(crate) fn one() -> Layout {
        Layout(vec![(i64::MIN, 0)])
    }

    /// From spans without a hole between them, in any order.
    pub(crate) fn of(mut begins: Vec<(i64, usize)>) -> Layout {
        begins.sort_unstable();
        begins.dedup_by_key(|(_, cell)| *cell);
        Layout(begins)
    }

    /// Adds what holds from a quarter on, after all that was added before.
    pub(crate) fn push(&mut self, from: i64, cell: usize) {
        if self.0.last().is_none_or(|(_, last)| *last != cell) {
            self.0.push((from, cell));
        }
    }

    /// The cell of a quarter, and until which quarter it holds.
    fn at(&self, quarter: i64) -> Option<(usize, i64)> {
        let after = self.0.partition_point(|(from, _)| *from <= quarter);
        let until = self.0.get(after).map_or(i64::MAX, |(from, _)| *from);
        after.checked_sub(1).map(|last| (self.0[last].1, until))
    }
}

/// Layouts of places.
#[derive(Debug, Clone)]
pub(crate) struct Layouts {
    /// How many cells there are.
    pub(crate) cells: usize,
    /// Different ones.
    pub(crate) list: Vec<Layout>,
    /// Which one each place has; then, if service is told apart, which one it has for machines out of service.
    pub(crate) of_place: Vec<usize>,
}

impl Layouts {
    /// One cell for everything everywhere.
    pub(crate) fn one(whereabouts: &Whereabouts) -> Layouts {
        Layouts { cells: 1, list: vec![Layout::one()], of_place: vec![0; whereabouts.places.len()] }
    }
}

/// A time of a machine with one layout and one share.
#[derive(Debug, Clone, Copy)]
struct Part {
    span: QuarterSpan,
    share: usize,
    layout: usize,
}

/// A machine and its parts.
#[derive(Debug, Clone)]
struct Spreading {
    id: MachineId,
    is_one_way: bool,
    /// From when on it counts.
    since: UnixMicros,
    /// Ascending and apart.
    parts: Vec<Part>,
}

/// Where usage that is read goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Index of the share: which machine in which group.
    pub(crate) share: usize,
    /// The cell.
    pub(crate) cell: usize,
}

/// To which cell every quarter of every machine belongs.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    /// The field that can be made smaller if it is too much.
    field: &'static str,
    now: UnixMicros,
    /// How many groups there are.
    pub(crate) groups: usize,
    /// How many cells each has.
    pub(crate) cells: usize,
    /// Shares of machines in groups.
    pub(crate) shares: Vec<Share>,
    layouts: Vec<Layout>,
    /// By id.
    machines: Vec<Spreading>,
}

impl Spread {
    /// Of machines and where they were.
    pub(crate) fn new(whereabouts: &Whereabouts, groups: &Groups, layouts: Layouts) -> Spread {
        let machines = whereabouts.machines.iter().zip(&groups.share_of).map(|(whereabout, share_of)| {
            let part = |(visit, share): (&Visit, &usize)| {
                let kind = visit.place + if visit.is_out { whereabouts.places.len() } else { 0 };
                Part { span: visit.span, share: *share, layout: layouts.of_place[kind] }
            };
            Spreading {
                id: whereabout.machine.id.clone(),
                is_one_way: whereabout.machine.belt == BeltKind::OneWay,
                since: whereabout.machine.created,
                parts: whereabout.visits.iter().zip(share_of).map(part).collect(),
            }
        });
        Spread {
            field: "range",
            now: whereabouts.now,
            groups: groups.list.len(),
            cells: layouts.cells,
            shares: groups.shares.clone(),
            machines: machines.collect(),
            layouts: layouts.list,
        }
    }

    /// Of machines wherever they were, each from its own moment on and in a group of its own. By id.
    pub(crate) fn each(
        machines: impl Iterator<Item = (MachineId, BeltKind, UnixMicros, QuarterSpan)>,
        now: UnixMicros,
    ) -> Spread {
        let spreading =
            |(share, (id, belt, since, span)): (usize, (MachineId, BeltKind, UnixMicros, QuarterSpan))| {
                let part = Part { span, share, layout: 0 };
                let parts = if span.is_empty() { Vec::new() } else { vec![part] };
                Spreading { id, is_one_way: belt == BeltKind::OneWay, since, parts }
            };
        let machines: Vec<Spreading> = machines.enumerate().map(spreading).collect();
        let count = machines.len();
        let shares = (0..count).map(|index| Share { machine: index, group: index }).collect();
        Spread {
            field: "scope",
            now,
            groups: count,
            cells: 1,
            shares,
            layouts: vec![Layout::one()],
            machines,
        }
    }

    /// Whether a machine cannot run in reverse.
    pub(crate) fn is_one_way(&self, machine: usize) -> bool {
        self.machines[machine].is_one_way
    }

    /// How many machines there are.
    pub(crate) fn machines(&self) -> usize {
        self.machines.len()
    }

    /// The ids of some of the machines.
    pub(crate) fn ids(&self, machines: &[usize]) -> Vec<MachineId> {
        machines.iter().map(|machine| self.machines[*machine].id.clone()).collect()
    }

    /// The index of a machine; mostly that of the row before.
    pub(crate) fn machine(&self, id: &MachineId, before: Option<usize>) -> Option<usize> {
        let find = || self.machines.binary_search_by(|machine| machine.id.cmp(id)).ok();
        before.filter(|before| self.machines[*before].id == *id).or_else(find)
    }

    /// Where a quarter of a machine goes; `None`: it was not asked for.
    pub(crate) fn target(&self, machine: usize, quarter: i64) -> Option<Target> {
        self.until(machine, quarter).map(|(target, _)| target)
    }

    /// Where a whole day of a machine goes; `None`: it is cut, or was not asked for.
    pub(crate) fn target_of_day(&self, machine: usize, day: i64) -> Option<Target> {
        let begin = day * QUARTERS_A_DAY;
        let (target, until) = self.until(machine, begin)?;
        (until >= begin + QUARTERS_A_DAY).then_some(target)
    }

    /// Where a quarter goes, and until which quarter the same holds.
    fn until(&self, machine: usize, quarter: i64) -> Option<(Target, i64)> {
        let parts = &self.machines[machine].parts;
        let part = parts.get(parts.partition_point(|part| part.span.until <= quarter))?;
        if !part.span.contains(quarter) {
            return None;
        }
        let (cell, until) = self.layouts[part.layout].at(quarter)?;
        Some((Target { share: part.share, cell }, until.min(part.span.until)))
    }

    /// All spans of a machine that go to one place, ascending.
    fn pieces(&self, machine: usize) -> impl Iterator<Item = (Target, QuarterSpan)> + '_ {
        self.machines[machine].parts.iter().flat_map(move |part| {
            let mut from = part.span.from;
            std::iter::from_fn(move || {
                let (target, until) =
                    if from < part.span.until { self.until(machine, from)? } else { return None };
                let span = QuarterSpan { from, until };
                from = until;
                Some((target, span))
            })
        })
    }

    /// The time asked of a machine by where it goes, in microseconds: from when it counts until now.
    pub(crate) fn asked(&self, machine: usize) -> impl Iterator<Item = (Target, u64)> + '_ {
        let since = self.machines[machine].since;
        self.pieces(machine).filter_map(move |(target, span)| {
            let from = quarter_begin(span.from).max(since);
            let until = quarter_begin(span.until).min(self.now);
            let micros = u64::try_from(until.since(from)).ok()?;
            (micros > 0).then_some((target, micros))
        })
    }

    /// What has to be read, at most [`MACHINES_NAMED_MAX`] machines together.
    ///
    /// # Errors
    /// More days than one request may read, with the nearest that is allowed.
    pub(crate) fn reads(&self) -> Result<Vec<Reads>, ApiError> {
        let mut work = Work { field: self.field, machines: self.machines(), added: 0, cut: 0 };
        let firsts = (0..self.machines()).step_by(MACHINES_NAMED_MAX);
        let ranges = firsts.map(|first| first..self.machines().min(first + MACHINES_NAMED_MAX));
        ranges.map(|machines| self.reads_of(machines, &mut work)).collect()
    }

    fn reads_of(&self, machines: Range<usize>, work: &mut Work) -> Result<Reads, ApiError> {
        let mut reads = Reads::default();
        let mut cut: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for machine in machines {
            let mut added: Option<(i64, i64)> = None;
            for (_, span) in self.pieces(machine) {
                let first_whole = -(-span.from).div_euclid(QUARTERS_A_DAY);
                let end_whole = span.until.div_euclid(QUARTERS_A_DAY);
                if first_whole < end_whole {
                    added = Some((added.map_or(first_whole, |(from, _)| from), end_whole));
                }
                let first_cut = (first_whole * QUARTERS_A_DAY > span.from).then_some(first_whole - 1);
                let last_cut = (end_whole * QUARTERS_A_DAY < span.until).then_some(end_whole);
                for day in [first_cut, last_cut].into_iter().flatten() {
                    let machines = cut.entry(day).or_default();
                    if machines.last() != Some(&machine) {
                        machines.push(machine);
                        work.cut += 1;
                    }
                }
            }
            if let Some(days) = added {
                work.added += days.1 - days.0;
                reads.added.entry(days).or_default().push(machine);
            }
            work.check()?;
        }
        for (day, machines) in cut {
            match reads.cut.last_mut() {
                Some((days, same)) if days.1 == day && *same == machines => days.1 = day + 1,
                Some(_) | None => reads.cut.push(((day, day + 1), machines)),
            }
        }
        Ok(reads)
    }
}

/// What has to be read: days from until, since 1970 in UTC, and of which machines.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// As sums.
    pub(crate) added: BTreeMap<(i64, i64), Vec<usize>>,
    /// By quarters.
    pub(crate) cut: Vec<((i64, i64), Vec<usize>)>,
}

/// How much is read for one request, in days of machines.
#[derive(Debug, Clone, Copy)]
struct Work {
    field: &'static str,
    machines: usize,
    added: i64,
    cut: i64,
}

impl Work {
    fn check(self) -> Result<(), ApiError> {
        let Work { field, machines, .. } = self;
        let added = (self.added, USAGE_DAYS_ADDED_MAX, "added up");
        let cut = (self.cut, USAGE_DAYS_CUT_MAX, "read by quarters of an hour");
        let Some((_, max, how)) = [added, cut].into_iter().find(|(days, max, _)| days > max) else {
            return Ok(());
        };
        let each = max / i64::try_from(machines).unwrap_or(i64::MAX).max(1);
        let description = format!(
            "makes more than {max} days of {machines} machines to be {how}; at most {max} are allowed, {each} of each \
             machine: ask for fewer, or name fewer sites or machines"
        );
        Err(Violation { field, description }.into())
    }
}
