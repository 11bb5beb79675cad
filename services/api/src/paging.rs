//! Cursors of listings, and the tokens that carry them.

use domain::ids::{IncidentId, LogId, SessionId};
use domain::incident::Severity;
use domain::log::Position;
use domain::units::UnixMicros;
use store::ledger::IncidentPlace;
use store::telemetry::Cursor;
use wire::keys::{MachineKey, MasterKey};
use wire::page_token;

use crate::check::Span;
use crate::status::{ApiError, Violation};

/// Makes and reads page tokens.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    key: MachineKey,
}

impl Pages {
    pub(crate) fn new(master: &MasterKey) -> Pages {
        Pages { key: master.purpose_key("page-token") }
    }

    /// A token that goes on at `cursor`. `request` is the method's name and its fields other than the page's.
    pub(crate) fn token(&self, request: &Asked, cursor: &impl Place) -> String {
        page_token::encode(&self.key, &request.0, &cursor.encode())
    }

    /// The cursor of a token; `None` for the first page.
    pub(crate) fn cursor<C: Place>(&self, request: &Asked, token: &str) -> Result<Option<C>, ApiError> {
        if token.is_empty() {
            return Ok(None);
        }
        let wrong = |description: String| ApiError::from(Violation { field: "page_token", description });
        let octets = page_token::decode(&self.key, &request.0, token).map_err(|error| match error {
            page_token::InvalidPageToken::NotOurs => wrong("is not one that this server gave".to_owned()),
            page_token::InvalidPageToken::OtherRequest => {
                wrong("belongs to a request with other fields; repeat them as they were".to_owned())
            }
        })?;
        C::decode(&octets)
            .map(Some)
            .ok_or_else(|| wrong("was given by another version; begin again".to_owned()))
    }
}

/// What a page token is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Asked(Vec<u8>);

impl Asked {
    /// From the method's name and the request without its page fields.
    pub(crate) fn new(method: &str, request: &impl prost::Message) -> Asked {
        let mut octets = method.as_bytes().to_vec();
        octets.push(0);
        octets.extend(request.encode_to_vec());
        Asked(octets)
    }
}

/// A place in a listing that a token can carry.
pub(crate) trait Place: Sized {
    fn encode(&self) -> Vec<u8>;
    fn decode(octets: &[u8]) -> Option<Self>;
}

/// After the item with this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AfterId(pub(crate) String);

impl Place for AfterId {
    fn encode(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }

    fn decode(octets: &[u8]) -> Option<AfterId> {
        String::from_utf8(octets.to_vec()).ok().map(AfterId)
    }
}

/// After the item with this number, downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AfterNumber(pub(crate) u64);

impl Place for AfterNumber {
    fn encode(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    fn decode(octets: &[u8]) -> Option<AfterNumber> {
        octets.try_into().ok().map(u64::from_be_bytes).map(AfterNumber)
    }
}

/// After this record of a span that was settled with the first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AfterRecord {
    pub(crate) span: Span,
    pub(crate) record: Cursor,
    /// Until when the readings up to there speak.
    pub(crate) covered_until: UnixMicros,
}

impl Place for AfterRecord {
    fn encode(&self) -> Vec<u8> {
        let (time, log, position) = self.record;
        let mut octets = Vec::with_capacity(60);
        for moment in [self.span.from, self.span.until, self.covered_until, time] {
            octets.extend(moment.0.to_be_bytes());
        }
        octets.extend(log.0);
        octets.extend(position.boot_count.to_be_bytes());
        octets.extend(position.n.to_be_bytes());
        octets
    }

    fn decode(octets: &[u8]) -> Option<AfterRecord> {
        let mut octets = Octets(octets);
        let span = Span { from: octets.moment()?, until: octets.moment()? };
        let covered_until = octets.moment()?;
        let time = octets.moment()?;
        let log = LogId(octets.take()?);
        let position = Position::new(u32::from_be_bytes(octets.take()?), u64::from_be_bytes(octets.take()?));
        octets.0.is_empty().then_some(AfterRecord { span, record: (time, log, position), covered_until })
    }
}

/// After this session of a span that was settled with the first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AfterSession {
    pub(crate) span: Span,
    pub(crate) session: (UnixMicros, SessionId),
}

impl Place for AfterSession {
    fn encode(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(40);
        for moment in [self.span.from, self.span.until, self.session.0] {
            octets.extend(moment.0.to_be_bytes());
        }
        octets.extend(self.session.1.0);
        octets
    }

    fn decode(octets: &[u8]) -> Option<AfterSession> {
        let mut octets = Octets(octets);
        let span = Span { from: octets.moment()?, until: octets.moment()? };
        let session = (octets.moment()?, SessionId(octets.take()?));
        octets.0.is_empty().then_some(AfterSession { span, session })
    }
}

/// After this incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AfterIncident(pub(crate) IncidentPlace);

impl Place for AfterIncident {
    fn encode(&self) -> Vec<u8> {
        let IncidentPlace { severity, time, id } = self.0;
        let mut octets = Vec::with_capacity(25);
        octets.push(match severity {
            Severity::Info => 1,
            Severity::Low => 2,
            Severity::Medium => 3,
            Severity::High => 4,
            Severity::Critical => 5,
        });
        octets.extend(time.0.to_be_bytes());
        octets.extend(id.0);
        octets
    }

    fn decode(octets: &[u8]) -> Option<AfterIncident> {
        let mut octets = Octets(octets);
        let severity = match octets.take::<1>()? {
            [1] => Severity::Info,
            [2] => Severity::Low,
            [3] => Severity::Medium,
            [4] => Severity::High,
            [5] => Severity::Critical,
            _ => return None,
        };
        let (time, id) = (octets.moment()?, IncidentId(octets.take()?));
        octets.0.is_empty().then_some(AfterIncident(IncidentPlace { severity, time, id }))
    }
}

struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn moment(&mut self) -> Option<UnixMicros> {
        self.take().map(|octets| UnixMicros(i64::from_be_bytes(octets)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_read_back(times in any::<[i64; 4]>(), id in any::<[u8; 16]>(), boot in any::<u32>(), n in any::<u64>()) {
            let [from, until, covered, time] = times.map(UnixMicros);
            let span = Span { from, until };
            let record = (time, LogId(id), Position::new(boot, n));
            let after = AfterRecord { span, record, covered_until: covered };
            prop_assert_eq!(AfterRecord::decode(&after.encode()), Some(after));
            let after = AfterSession { span, session: (time, SessionId(id)) };
            prop_assert_eq!(AfterSession::decode(&after.encode()), Some(after));
            for severity in Severity::ALL {
                let after = AfterIncident(IncidentPlace { severity, time, id: IncidentId(id) });
                prop_assert_eq!(AfterIncident::decode(&after.encode()), Some(after));
            }
        }

        #[test]
        fn any_octets_are_a_place_or_none(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(place) = AfterRecord::decode(&octets) {
                prop_assert_eq!(place.encode(), octets.clone());
            }
            if let Some(place) = AfterSession::decode(&octets) {
                prop_assert_eq!(place.encode(), octets.clone());
            }
            if let Some(place) = AfterIncident::decode(&octets) {
                prop_assert_eq!(place.encode(), octets);
            }
        }
    }
}
