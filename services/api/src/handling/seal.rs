//! The evidence of an incident, as it is sealed and as a dossier holds it.

use std::sync::Arc;

use ::dossier::{Evidence, RecordedPoint, Recording, evidence};
use domain::ids::IncidentId;
use store::StoreError;
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
