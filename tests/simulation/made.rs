//! What the world remembers of every record that ever was on a disk: the disk itself notes it, so that what a dying
//! process left there counts, too.

use std::collections::BTreeMap;

use agent::spool::{Row, SpoolId};
use bytes::Bytes;
use domain::ids::LogId;
use domain::log::{Lane, Position};

/// A record's place in the whole fleet.
pub(crate) type Place = (LogId, Position);

/// A record that was brought to a disk.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) lane: Lane,
    pub(crate) octets: Bytes,
    /// Generation of the credential under which it was made.
    pub(crate) generation: u32,
    pub(crate) fate: Fate,
    /// Whether it came to the disk by a call that was reported as failed: its agent may have dropped it since, and told so.
    pub(crate) is_unsure: bool,
    /// Where it was before its spool went on in another log: it may have arrived there.
    pub(crate) earlier: Vec<Place>,
    /// Whether an ack let it be removed: then it must be stored, whatever became of the disk.
    pub(crate) is_acknowledged: bool,
}

/// What a record's disk promises of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives.
    Promised,
    /// It may be gone without a word: an unsynced reading when the power was cut, a wiped spool, a copied spool that is
    /// taken out of service.
    Excused,
    /// It was dropped for want of room, and is recorded as lost if it had not arrived.
    Dropped,
}

/// Every record that ever was on one disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chronicle {
    made: BTreeMap<Place, Made>,
    pub(crate) generation: u32,
}

/// The place of a row.
pub(crate) fn place(spool: Option<SpoolId>, lane: Lane, position: Position) -> Place {
    (LogId::for_lane(spool.map_or([0; 16], |spool| spool.0), lane), position)
}

impl Chronicle {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &Made)> {
        self.made.iter()
    }

    pub(crate) fn get(&self, place: &Place) -> Option<&Made> {
        self.made.get(place)
    }

    pub(crate) fn get_mut(&mut self, place: &Place) -> Option<&mut Made> {
        self.made.get_mut(place)
    }

    /// A row is on the disk.
    pub(crate) fn add(&mut self, spool: Option<SpoolId>, lane: Lane, row: &Row) -> &mut Made {
        let generation = self.generation;
        self.made.entry(place(spool, lane, row.position)).or_insert_with(|| Made {
            lane,
            octets: row.octets.clone(),
            generation,
            fate: Fate::Promised,
            is_unsure: false,
            earlier: Vec::new(),
            is_acknowledged: false,
        })
    }

    /// A row is not on the disk any more, and nobody has to be told.
    pub(crate) fn excuse(&mut self, spool: Option<SpoolId>, lane: Lane, position: Position) {
        let made = self.made.get_mut(&place(spool, lane, position));
        made.into_iter().for_each(|made| made.fate = Fate::Excused);
    }

    pub(crate) fn excuse_all(&mut self) {
        self.made.values_mut().for_each(|made| made.fate = Fate::Excused);
    }

    /// What was dropped goes to the spool's other log: in that the ingest records it as lost.
    pub(crate) fn renew_dropped(&mut self, from: LogId, to: LogId) {
        let dropped = self.made.iter().filter(|(place, made)| place.0 == from && made.fate == Fate::Dropped);
        let dropped: Vec<Place> = dropped.map(|(place, _)| *place).collect();
        dropped.into_iter().for_each(|place| self.renew(place, (to, place.1)));
    }

    /// A row goes to another log.
    pub(crate) fn renew(&mut self, from: Place, to: Place) {
        if let Some(old) = self.made.get_mut(&from) {
            let mut made = old.clone();
            made.earlier.push(from);
            old.fate = Fate::Excused;
            self.made.insert(to, made);
        }
    }
}
