//! Usage added up by group and cell, with for how much of the time asked it can speak.

use domain::belt::Direction;
use domain::signal::Capabilities;
use domain::usage::Usage;

use super::spread::{Spread, Target};

/// A machine was asked about.
const ASKED: u8 = 1;
/// It told anything.
const HEARD: u8 = 2;
/// Its motion had a direction.
const DIRECTED: u8 = 4;

/// Usage of some machines in some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figure {
    /// What was done.
    pub(crate) usage: Usage,
    /// The time asked of all machines together, in microseconds.
    pub(crate) asked_us: u64,
    /// Machines asked.
    pub(crate) machines: u32,
    /// Of these, that told anything.
    pub(crate) machines_heard: u32,
    /// Of these, whose motion had a direction at any time, or that cannot run in reverse.
    pub(crate) machines_with_direction: u32,
}

impl Figure {
    /// Time in which a speed was known, in microseconds.
    pub(crate) fn speed_us(&self) -> u64 {
        self.usage.coverage.covered_us(Capabilities::SPEED)
    }

    /// Counts a machine with these marks.
    fn count(&mut self, marks: u8, is_one_way: bool) {
        if marks & ASKED != 0 {
            self.machines += 1;
            self.machines_heard += u32::from(marks & HEARD != 0);
            self.machines_with_direction += u32::from(is_one_way || marks & DIRECTED != 0);
        }
    }

    /// Adds usage of the same machines in other time: how many they are is counted elsewhere.
    pub(crate) fn add_time(&mut self, other: &Figure) {
        self.usage.merge(&other.usage);
        self.asked_us = self.asked_us.saturating_add(other.asked_us);
    }
}

/// Takes usage and adds it up.
#[derive(Debug)]
pub(crate) struct Sums<'a> {
    spread: &'a Spread,
    /// By group, then by cell.
    figures: Vec<Figure>,
    /// By share, then by cell: what is known of the machine.
    marks: Vec<u8>,
}

impl<'a> Sums<'a> {
    /// Nothing yet, of nobody.
    pub(crate) fn new(spread: &'a Spread) -> Sums<'a> {
        let figures = vec![Figure::default(); spread.groups * spread.cells];
        Sums { spread, figures, marks: vec![0; spread.shares.len() * spread.cells] }
    }

    /// Asks about a machine: counts it, and the time that it could tell of.
    pub(crate) fn ask(&mut self, machine: usize) {
        let spread = self.spread;
        for (target, micros) in spread.asked(machine) {
            self.marks[target.share * spread.cells + target.cell] |= ASKED;
            let figure = self.figure(target);
            figure.asked_us = figure.asked_us.saturating_add(micros);
        }
    }

    fn figure(&mut self, target: Target) -> &mut Figure {
        &mut self.figures[self.spread.shares[target.share].group * self.spread.cells + target.cell]
    }

    /// Adds usage.
    pub(crate) fn add(&mut self, target: Target, usage: &Usage) {
        self.figure(target).usage.merge(usage);
        let marks = &mut self.marks[target.share * self.spread.cells + target.cell];
        if *marks & HEARD == 0 && usage.coverage.observed_us() > 0 {
            *marks |= HEARD;
        }
        if *marks & DIRECTED == 0 && usage.motions().any(|(key, _)| is_directed(key.direction)) {
            *marks |= DIRECTED;
        }
    }

    /// What came of it.
    pub(crate) fn finish(mut self) -> Figures {
        let cells = self.spread.cells;
        let mut together = Figure::default();
        let mut marks_before: Option<(usize, u8)> = None;
        for (share, marks) in self.spread.shares.iter().zip(self.marks.chunks(cells.max(1))) {
            let is_one_way = self.spread.is_one_way(share.machine);
            for (cell, marks) in marks.iter().enumerate() {
                self.figures[share.group * cells + cell].count(*marks, is_one_way);
            }
            // Shares of one machine follow each other; together it is one machine.
            let all = marks.iter().fold(0, |all, marks| all | marks);
            match &mut marks_before {
                Some((machine, before)) if *machine == share.machine => *before |= all,
                Some((machine, before)) => {
                    together.count(*before, self.spread.is_one_way(*machine));
                    marks_before = Some((share.machine, all));
                }
                None => marks_before = Some((share.machine, all)),
            }
        }
        if let Some((machine, before)) = marks_before {
            together.count(before, self.spread.is_one_way(machine));
        }
        self.figures.iter().for_each(|figure| together.add_time(figure));
        Figures { cells, together, list: self.figures }
    }
}

fn is_directed(direction: Direction) -> bool {
    match direction {
        Direction::Forward | Direction::Reverse => true,
        Direction::Stopped | Direction::Unknown => false,
    }
}

/// Usage by group and cell.
#[derive(Debug)]
pub(crate) struct Figures {
    cells: usize,
    /// All groups and cells.
    pub(crate) together: Figure,
    list: Vec<Figure>,
}

impl Figures {
    /// Of one group in one cell.
    pub(crate) fn at(&self, group: usize, cell: usize) -> &Figure {
        &self.list[group * self.cells + cell]
    }

    /// The cells of one group.
    pub(crate) fn of_group(&self, group: usize) -> &[Figure] {
        &self.list[group * self.cells..(group + 1) * self.cells]
    }
}
