//! The evidence of an incident, as it is sealed and as a dossier holds it.

use std::sync::Arc;

use ::dossier::{Evidence, RecordedPoint, Recording, evidence};
use domain::handling::Step;
use domain::ids::IncidentId;
use domain::units::UnixMicros;
use store::StoreError;
use store::fact::{Fact, FactKind, IncidentStepped, SERVER};
use store::ledger::{DerivedPiece, Ledger, StoredIncident};

use crate::incident::show::is_complete;

/// Works out what the evidence of incidents is, for what is sealed.
#[derive(Debug, Clone)]
pub struct Sealer {
    ledger: Arc<dyn Ledger>,
}

/// What the evidence of an incident is by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    /// Version of the incident.
    pub revision: u64,
    /// SHA-256 of the evidence, in 64 hexadecimal digits.
    pub evidence: String,
    /// Whether readings and recording, if there is one, have everything that they will have.
    pub is_complete: bool,
    /// Whether the incident was sealed in this version before more of its recording came: then it is to be sealed again.
    pub has_grown: bool,
}

impl Sealer {
    /// Reads from this ledger.
    pub fn new(ledger: Arc<dyn Ledger>) -> Sealer {
        Sealer { ledger }
    }

    /// What the evidence of an incident is by now; `None`: there is no such incident.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn evidence_of(&self, id: &IncidentId) -> Result<Option<Sealing>, StoreError> {
        let Some(stored) = self.ledger.incident(id).await? else { return Ok(None) };
        let pieces = pieces_of(&self.ledger, &stored).await?;
        let has_recording = stored.incident.recording.is_some();
        Ok(Some(Sealing {
            revision: stored.incident.revision,
            evidence: of(&stored, &pieces).hex(),
            is_complete: stored.incident.trace_complete && (!has_recording || is_complete(&pieces)),
            has_grown: has_grown(&stored, &pieces),
        }))
    }
}

/// The pieces of an incident's recording, by number; none if it has no recording.
pub(super) async fn pieces_of(
    ledger: &Arc<dyn Ledger>,
    stored: &StoredIncident,
) -> Result<Vec<DerivedPiece>, StoreError> {
    match &stored.incident.recording {
        Some(recording) => ledger.recording(recording).await,
        None => Ok(Vec::new()),
    }
}

/// Whether what was sealed of this version is the same evidence without the last pieces of its recording. Any other
/// difference is for the verifier to find: it is never sealed again.
pub(super) fn has_grown(stored: &StoredIncident, pieces: &[DerivedPiece]) -> bool {
    let Some((revision, sealed)) = &stored.handling.sealed else { return false };
    let is_of = |count: usize| of(stored, &pieces[..count]).hex() == *sealed;
    *revision == stored.incident.revision && !is_of(pieces.len()) && (0..pieces.len()).any(is_of)
}

/// The fact that seals an incident again. Its identity tells what was sealed, so that it is added once.
pub(super) fn again(stored: &StoredIncident, pieces: &[DerivedPiece], now: UnixMicros) -> Fact {
    let (id, revision) = (stored.incident.id, stored.incident.revision);
    let evidence = of(stored, pieces).hex();
    let request_id = Some(format!("seal:{id}:{}", &evidence[..16]));
    let step = Step::Seal { revision, evidence };
    let kind = FactKind::IncidentStepped(IncidentStepped { incident: id, step, note: None, previous: None });
    Fact { time: now, author: SERVER.to_owned(), request_id, kind }
}

/// The evidence of an incident with the pieces of its recording, which are by number.
pub(super) fn of(stored: &StoredIncident, pieces: &[DerivedPiece]) -> Evidence {
    let points = pieces.iter().flat_map(|piece| &piece.points).map(|point| RecordedPoint {
        time: point.time,
        direction: point.direction,
        origin: point.origin,
        speed: point.speed,
        incline: point.incline,
        contacts: point.contacts,
    });
    let recording = Recording { is_complete: is_complete(pieces), points: points.collect() };
    evidence(&stored.incident, &recording)
}
