//! The anchors: heads that somebody outside took, and the ways that lead from the entries to them.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Chain, Link};
use super::report::{Finding, Report, Statement};
use super::{Expect, ExpectedHead};
use crate::Hash;
use crate::file::{AnchorRow, ProofRow};
use crate::merkle::root_of;
use crate::words::{octets, plain, quoted};

/// Judges the anchors.
pub(super) fn judge(chain: &Chain<'_>, anchors: &[AnchorRow], expect: &Expect, report: &mut Report) {
    let links: BTreeMap<u64, &Link<'_>> = chain.links.iter().map(|link| (link.row.number, link)).collect();
    let expected: Vec<ExpectedHead> =
        expect.heads.iter().map(|head| ExpectedHead { facts: head.facts, root: plain(&head.root) }).collect();
    let mut covered = BTreeSet::new();
    // Expected heads that something leads to.
    let mut reached = BTreeSet::new();
    for anchor in anchors {
        let proven = proven(&links, anchor, report);
        if proven.is_empty() {
            continue;
        }
        let same = |head: &ExpectedHead| {
            head.root == anchor.root && head.facts.is_none_or(|facts| facts == anchor.facts)
        };
        let matching: Vec<usize> = (0..expected.len()).filter(|place| same(&expected[*place])).collect();
        report.hold(Statement::Anchored {
            facts: anchor.facts,
            root: anchor.root.clone(),
            taken: anchor.taken.iter().map(|taken| (taken.contact.clone(), taken.taken_us)).collect(),
            entries: proven.len() as u64,
            is_compared: !matching.is_empty(),
        });
        covered.extend(proven);
        reached.extend(matching);
    }
    for (_, head) in expected.iter().enumerate().filter(|(place, _)| !reached.contains(place)) {
        let other =
            anchors.iter().find(|anchor| Some(anchor.facts) == head.facts && anchor.root != head.root);
        report.find(match other {
            Some(anchor) => Finding::OtherRoot {
                facts: anchor.facts,
                found: quoted(&anchor.root),
                expected: quoted(&head.root),
            },
            None => Finding::RootMissing { expected: quoted(&head.root) },
        });
    }
    let open: Vec<u64> = links.keys().copied().filter(|number| !covered.contains(number)).collect();
    if covered.is_empty() {
        report.hold(Statement::Unanchored);
    } else if !open.is_empty() {
        report.hold(Statement::NotCovered { numbers: open });
    }
}

/// Numbers of the entries that lead to this anchor.
fn proven(links: &BTreeMap<u64, &Link<'_>>, anchor: &AnchorRow, report: &mut Report) -> BTreeSet<u64> {
    let facts = anchor.facts;
    let Some(root) = octets::<32>(&anchor.root) else {
        report.find(Finding::HeadUnreadable { facts });
        return BTreeSet::new();
    };
    if anchor.proofs.is_empty() {
        report.find(Finding::HeadWithoutProof { facts });
    }
    let mut proven = BTreeSet::new();
    for proof in &anchor.proofs {
        let number = proof.number;
        let (Some(link), Some(path)) = (links.get(&number), path(proof)) else {
            report.find(match links.get(&number) {
                Some(_) => Finding::HeadUnreadable { facts },
                None => Finding::ProofForeign { number, facts },
            });
            continue;
        };
        if root_of(link.leaf, number, facts, &path) == Some(root) {
            proven.insert(number);
        } else {
            report.find(Finding::Proof { number, facts });
        }
    }
    proven
}

fn path(proof: &ProofRow) -> Option<Vec<Hash>> {
    proof.path.iter().map(|digits| octets(digits)).collect()
}
