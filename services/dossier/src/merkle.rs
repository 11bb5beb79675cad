//! The Merkle tree over the leaves of all facts, as RFC 6962 section 2.1 has it, and proofs that a leaf is in it (2.1.1).
//!
//! Ours, because the crate for it (`ct-merkle` 0.2) hashes what is pushed once more and keeps it, while the stores hold
//! leaves that are hashed already.

use crate::Hash;
use crate::words::sha256;

/// The head of a tree: what is signed and sent outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many facts it covers: those with numbers up to this.
    pub facts: u64,
    /// Root of the tree over their leaves.
    pub root: Hash,
}

/// The head over these leaves, in the order of their facts' numbers from 1.
pub fn head(leaves: impl IntoIterator<Item = Hash>) -> Head {
    let mut peaks = Peaks::default();
    peaks.extend(leaves);
    peaks.head()
}

/// What is needed of a tree to add leaves and to tell its head: one hash for each bit of their number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peaks {
    facts: u64,
    /// Roots of the complete trees that make up the whole, the largest first.
    roots: Vec<Hash>,
}

impl Peaks {
    /// Adds the leaf of the next fact.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // As in counting: each bit that carries joins two trees of the same size.
        for _ in 0..self.facts.trailing_ones() {
            let left = self.roots.pop().expect("there is a root for each bit of the number");
            node = parent(&left, &node);
        }
        self.roots.push(node);
        self.facts += 1;
    }

    /// How many leaves were added.
    pub fn facts(&self) -> u64 {
        self.facts
    }

    /// The head over all leaves so far.
    pub fn head(&self) -> Head {
        let whole = self.roots.iter().rev().copied().reduce(|right, left| parent(&left, &right));
        Head { facts: self.facts, root: whole.unwrap_or_else(|| sha256(b"")) }
    }
}

impl Extend<Hash> for Peaks {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

/// The whole tree, to make proofs of: 64 octets a leaf.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Roots of the complete trees over 2^level leaves, by level.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Adds the leaf of the next fact.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            let [.., left, right] = nodes.as_slice() else { return };
            if nodes.len() % 2 == 1 {
                return;
            }
            node = parent(left, right);
        }
    }

    /// How many leaves it has.
    pub fn facts(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The head over the first `facts` leaves; `None`: there are fewer.
    pub fn head(&self, facts: u64) -> Option<Head> {
        let count = self.count(facts)?;
        let root = if count == 0 { sha256(b"") } else { self.root(0, count) };
        Some(Head { facts, root })
    }

    /// What proves that fact `number` is one of the first `facts`: the hashes beside the way from its leaf up to the
    /// root. `None`: the tree has fewer, or the fact is none of them.
    pub fn proof(&self, number: u64, facts: u64) -> Option<Vec<Hash>> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        let (mut start, mut end) = (0, self.count(facts)?);
        if place >= end {
            return None;
        }
        let mut path = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if place < middle {
                path.push(self.root(middle, end));
                end = middle;
            } else {
                path.push(self.root(start, middle));
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    fn count(&self, facts: u64) -> Option<usize> {
        if facts <= self.facts() { usize::try_from(facts).ok() } else { None }
    }

    /// The root over the leaves from `start` to before `end`, of which there is at least one.
    fn root(&self, start: usize, end: usize) -> Hash {
        let count = end - start;
        if count.is_power_of_two() && start.is_multiple_of(count) {
            return self.levels[count.trailing_zeros() as usize][start / count];
        }
        let middle = start + split(count);
        parent(&self.root(start, middle), &self.root(middle, end))
    }
}

impl Extend<Hash> for Tree {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<T: IntoIterator<Item = Hash>>(leaves: T) -> Tree {
        let mut tree = Tree::default();
        tree.extend(leaves);
        tree
    }
}

/// The root that a proof leads to from the leaf of fact `number` in a tree of `facts`; `None`: a proof of this length
/// belongs to no such place. The algorithm of RFC 9162, section 2.1.3.2.
pub fn root_of(leaf: Hash, number: u64, facts: u64, path: &[Hash]) -> Option<Hash> {
    let mut place = number.checked_sub(1)?;
    let mut last = facts.checked_sub(1)?;
    if place > last {
        return None;
    }
    let mut node = leaf;
    for beside in path {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            node = parent(beside, &node);
            // The last node of a level that has no other beside it goes up as it is.
            let skipped = if place == 0 { 0 } else { place.trailing_zeros() };
            place >>= skipped;
            last >>= skipped;
        } else {
            node = parent(&node, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    let mut octets = [1; 65];
    octets[1..33].copy_from_slice(left);
    octets[33..].copy_from_slice(right);
    sha256(&octets)
}

/// The greatest power of two that is smaller.
fn split(count: usize) -> usize {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests;
