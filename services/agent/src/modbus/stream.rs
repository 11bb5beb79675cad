//! Finding frames on a line where two speak and octets come glued, cut and garbled: the checksum decides, not pauses.
//!
//! A frame is found with its last octet, so what is found does not depend on the pieces in which octets come. Of frames
//! that would end there, the longest is taken. A wrong one is found about once in a million octets of noise.

use domain::limits::MODBUS_FRAME_OCTETS_MAX;

use super::message::{Message, Side, length};
use super::{FRAME_OCTETS_MIN, is_sound};

/// The highest address of a unit.
const UNIT_MAX: u8 = 247;
/// So many octets are given up at once, so that they are told together.
const GIVEN_UP: usize = 32;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A frame.
    Frame {
        /// Who sent it; `None`: a write and its answer look the same.
        side: Option<Side>,
        /// Its fields.
        message: Message,
        /// Its octets with the checksum.
        octets: Vec<u8>,
    },
    /// Octets that belong to no frame.
    Noise(Vec<u8>),
}

/// Octets that may still become a frame.
#[derive(Debug, Default)]
pub struct Stream {
    octets: Vec<u8>,
    /// All that a master may have said; `None`: anything.
    asked: Option<Vec<u8>>,
}

impl Stream {
    /// Octets that follow this question of ours, which some adapters hear, too. One answer in 65 536 begins like another
    /// question: it is none.
    pub fn behind(asked: Vec<u8>) -> Stream {
        Stream { octets: Vec::new(), asked: Some(asked) }
    }

    /// Takes octets and appends what they complete.
    pub fn push(&mut self, octets: &[u8], found: &mut Vec<Found>) {
        for octet in octets {
            self.octets.push(*octet);
            if let Some((start, side)) = self.frame_that_ends_here() {
                let frame = self.octets.split_off(start);
                let noise = std::mem::take(&mut self.octets);
                if !noise.is_empty() {
                    found.push(Found::Noise(noise));
                }
                let body = frame.get(..frame.len() - 2).unwrap_or_default();
                let message = Message::decode(body, side.unwrap_or(Side::Master));
                found.push(Found::Frame { side, message, octets: frame });
            } else if self.octets.len() == MODBUS_FRAME_OCTETS_MAX + GIVEN_UP {
                // A frame that began with one of the first ones would have ended by now.
                let kept = self.octets.split_off(GIVEN_UP);
                found.push(Found::Noise(std::mem::replace(&mut self.octets, kept)));
            }
        }
    }

    /// Gives up what has not become a frame.
    pub fn clear(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets)
    }

    fn frame_that_ends_here(&self) -> Option<(usize, Option<Side>)> {
        let starts = 0..(self.octets.len() + 1).saturating_sub(FRAME_OCTETS_MIN);
        starts.into_iter().find_map(|start| {
            let octets = self.octets.get(start..)?;
            let unit = *octets.first()?;
            let fits = |side| length(octets, side) == Some(octets.len());
            // 0 is for all units. Of FFH FFH and zeros the checksum is right: no unit may have that number.
            let may_be_asked = self.asked.as_ref().is_none_or(|asked| asked == octets);
            let fits_master = unit <= UNIT_MAX && may_be_asked && fits(Side::Master);
            let fits_unit = (1..=UNIT_MAX).contains(&unit) && fits(Side::Unit);
            let side = match (fits_master, fits_unit) {
                (false, false) => return None,
                (true, false) => Some(Side::Master),
                (false, true) => Some(Side::Unit),
                (true, true) => None,
            };
            is_sound(octets).then_some((start, side))
        })
    }
}
