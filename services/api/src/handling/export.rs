//! Dossiers: what is known of an incident in one file, signed.

use ::dossier::{AnchorTaken, CoverageText, Entry, Head, Input, NoteText, Tree, build, fingerprint};
use domain::limits::{DOSSIER_LEAVES_MAX, LEAVES_READ_MAX};
use sha2::{Digest, Sha256};
use store::fact::{Anchoring, FactKind, IncidentStepped, StoredFact};
use store::ledger::{DerivedPiece, StoredIncident};
use store::registry::{Machine, Registry};
use wire::api::v1;

use super::context::{AROUND_US, context};
use super::{Steps, seal};
use crate::access::{Caller, Scope};
use crate::check::Span;
use crate::convert::timestamp;
use crate::status::ApiError;

/// Heads that are told with the server's key.
const HEADS_TOLD: usize = 10;
/// How often an incident that changes while it is read is read again.
const SETTLED_TURNS: usize = 5;

impl Steps {
    pub(super) async fn export(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ExportDossierRequest,
    ) -> Result<v1::ExportDossierResponse, ApiError> {
        let (stored, machine) = self.named(&scope, &request.incident_id).await?;
        let id = stored.incident.id;
        // Closed never: the service owns the semaphore.
        let _turn = self.exports.acquire().await;
        let (stored, pieces, facts) = self.settled(stored).await?;
        let registry = self.ground.ledger.registry();
        let anchors = anchors(&registry, &facts);
        let tree = self.tree(anchors.iter().map(|anchor| anchor.head.facts).max().unwrap_or(0)).await?;
        let coverage = self.coverage(&machine, &stored.incident).await?;
        let site = registry.sites().get(&machine.site).expect("a machine stands at a registered site");
        let input = Input {
            made: self.now(),
            server: &self.ground.surroundings.url(),
            version: env!("CARGO_PKG_VERSION"),
            incident: id,
            context: &context(&registry, (&machine, site), &stored, coverage),
            evidence: &seal::of(&stored, &pieces),
            entries: &facts.iter().map(entry).collect::<Vec<_>>(),
            notes: &facts.iter().filter_map(note).collect::<Vec<_>>(),
            anchors: &anchors,
            tree: &tree,
        };
        let file = build(&input, &self.key).map_err(|error| ApiError::NoDossier(error.to_string()))?;
        tracing::info!(incident.id = %id, caller = caller.name(), "dossier was made");
        let last = facts.last().map(|fact| fact.number);
        let covers = |anchor: &AnchorTaken| {
            last.is_some_and(|last| last <= anchor.head.facts)
                && tree.head(anchor.head.facts) == Some(anchor.head)
        };
        Ok(v1::ExportDossierResponse {
            file_name: format!("beltwatch-dossier-{id}.json"),
            sha256: hex::encode(Sha256::digest(&file)),
            file: file.into_bytes(),
            key_fingerprint: self.key.fingerprint(),
            anchored: anchors.iter().any(covers),
        })
    }

    /// An incident with the pieces of its recording and its facts, as they were at one moment. If more of the recording came
    /// since it was sealed it is sealed again: else its evidence would look changed.
    async fn settled(
        &self,
        mut stored: StoredIncident,
    ) -> Result<(StoredIncident, Vec<DerivedPiece>, Vec<StoredFact>), ApiError> {
        let ledger = &self.ground.ledger;
        let id = stored.incident.id;
        let mut turn = 1;
        loop {
            let pieces = seal::pieces_of(ledger, &stored).await?;
            if seal::has_grown(&stored, &pieces) {
                ledger.add_fact(seal::again(&stored, &pieces, self.now())).await?;
                stored = ledger.incident(&id).await?.unwrap_or(stored);
            }
            let facts = ledger.incident_facts(&id).await?;
            let now = ledger.incident(&id).await?;
            match now.filter(|now| now.change != stored.change && turn < SETTLED_TURNS) {
                Some(now) => stored = now,
                None => return Ok((stored, pieces, facts)),
            }
            turn += 1;
        }
    }

    /// The tree over the first `facts` leaves, as far as there are so many.
    async fn tree(&self, facts: u64) -> Result<Tree, ApiError> {
        let mut tree = Tree::default();
        while tree.facts() < facts {
            let left = usize::try_from(facts - tree.facts()).unwrap_or(usize::MAX);
            let leaves = self.ground.ledger.leaves(tree.facts(), left.min(LEAVES_READ_MAX)).await?;
            if leaves.is_empty() {
                break;
            }
            // Some ten milliseconds of hashing a page: not on a thread that others wait for.
            let extended = tokio::task::spawn_blocking(move || {
                tree.extend(leaves);
                tree
            });
            tree = extended.await.map_err(|_| ApiError::Stopping)?;
        }
        Ok(tree)
    }

    /// How much of the time around an incident readings speak for; `None`: there are too many to look at.
    async fn coverage(
        &self,
        machine: &Machine,
        incident: &domain::incident::Incident,
    ) -> Result<Option<CoverageText>, ApiError> {
        let until = incident.time.plus(AROUND_US).min(self.now());
        let span = Span { from: incident.time.plus(-AROUND_US), until };
        if span.from >= span.until {
            return Ok(None);
        }
        let covered = self.history.covered(&machine.id, span).await?;
        Ok(covered.map(|covered_us| CoverageText { start: span.from, end: span.until, covered_us }))
    }

    /// The key with which the server signs.
    pub(super) fn server_key(&self) -> v1::GetServerKeyResponse {
        let registry = self.ground.ledger.registry();
        let head = |anchor: &Anchoring| v1::AnchoredHead {
            facts: anchor.facts,
            root: anchor.root.clone(),
            contact: anchor.contact.clone(),
            take_time: Some(timestamp(anchor.taken)),
        };
        let public = self.key.public();
        v1::GetServerKeyResponse {
            key: hex::encode(public),
            fingerprint: fingerprint(&public),
            heads: registry.anchors().rev().take(HEADS_TOLD).map(head).collect(),
        }
    }
}

/// Heads that were taken outside and cover one of these facts at least, in the order in which they were taken.
fn anchors(registry: &Registry, facts: &[StoredFact]) -> Vec<AnchorTaken> {
    let Some(first) = facts.first().map(|fact| fact.number) else { return Vec::new() };
    let covering = registry.anchors().filter(|anchor| first <= anchor.facts);
    let (near, far): (Vec<&Anchoring>, Vec<&Anchoring>) =
        covering.partition(|anchor| anchor.facts <= DOSSIER_LEAVES_MAX);
    if !far.is_empty() {
        let heads = far.len();
        tracing::warn!(
            heads,
            max = DOSSIER_LEAVES_MAX,
            "heads cover too many facts to prove anything in a dossier"
        );
    }
    let mut anchors: Vec<AnchorTaken> = near.into_iter().filter_map(taken).collect();
    anchors.sort_by_key(|anchor| anchor.taken);
    anchors
}

/// A head whose root is no hash proves nothing.
fn taken(anchor: &Anchoring) -> Option<AnchorTaken> {
    let mut root = [0; 32];
    hex::decode_to_slice(&anchor.root, &mut root).ok()?;
    let (contact, taken) = (anchor.contact.clone(), anchor.taken);
    Some(AnchorTaken { head: Head { facts: anchor.facts, root }, contact, taken })
}

fn entry(stored: &StoredFact) -> Entry {
    Entry {
        number: stored.number,
        time: stored.fact.time,
        author: stored.fact.author.clone(),
        body: stored.body.clone(),
        leaf: stored.leaf,
    }
}

/// The note of a fact; `None`: it brought none.
fn note(stored: &StoredFact) -> Option<NoteText> {
    let FactKind::IncidentStepped(IncidentStepped { note: Some(note), .. }) = &stored.fact.kind else {
        return None;
    };
    let written = note.text.as_ref().map(|note| (note.salt, note.text.clone()));
    Some(NoteText { number: stored.number, written })
}
