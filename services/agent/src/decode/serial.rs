//! Decoded frames of serial lines and of 2A53 as named values, and what is wrong with them in words.

use serde_json::{Value, json};

use super::fields::Fields;
use crate::csafe::answer::{Answer, Item};
use crate::csafe::frame::{Deframer, Found, Frame};
use crate::csafe::request::{Command, Request};
use crate::ftms::octets::Cut;
use crate::modbus::message::{Recorded, Side, recorded};
use crate::running_speed::RunningSpeed;
use crate::source::outlet::Way;

/// The fields of a frame, and what is wrong with its octets.
pub(super) type Rendered = (Fields, Option<String>);

/// 2A53.
pub(super) fn running_speed(octets: &[u8]) -> Rendered {
    let mut fields = Fields::default();
    let cut = match RunningSpeed::decode(octets) {
        Ok(frame) => {
            fields.push("flags", frame.flags);
            fields.scaled("speed_ms", frame.speed, 256.0);
            fields.maybe("cadence_per_min", frame.cadence);
            fields.scaled("stride_length_m", frame.stride_length, 100.0);
            fields.scaled("total_distance_m", frame.total_distance, 10.0);
            fields.push("running", frame.is_running());
            frame.cut
        }
        Err(cut) => Some(cut),
    };
    if cut.is_some() {
        fields.push("truncated", true);
    }
    (fields, cut.map(|cut| cut.to_string()))
}

/// A CSAFE frame. Where nobody said whether it is a request or an answer, its contents tell.
pub(super) fn csafe(octets: &[u8], way: Option<Way>) -> Rendered {
    let mut faults = Vec::new();
    let contents = contents(octets, &mut faults);
    let mut fields = Fields::default();
    let is_request = match way {
        Some(Way::Request) => true,
        Some(Way::Response | Way::Notify | Way::Read) => false,
        None => contents.as_deref().is_some_and(Request::is_likely),
    };
    let cut = match contents {
        None => None,
        Some(contents) if is_request => csafe_request(&contents, &mut fields),
        Some(contents) => csafe_answer(&contents, &mut fields),
    };
    faults.extend(cut.map(|cut| cut.to_string()));
    let error = (!faults.is_empty()).then(|| faults.join("; "));
    fields.maybe("error", error.clone());
    (fields, error)
}

/// The contents of the first frame among the octets, or else of the first that is broken; what is wrong goes to `faults`.
fn contents(octets: &[u8], faults: &mut Vec<String>) -> Option<Vec<u8>> {
    let (mut deframer, mut found) = (Deframer::default(), Vec::new());
    deframer.push(octets, &mut found);
    deframer.finish(&mut found);
    if found.is_empty() {
        faults.push("cut: frame needs 4 octets, 0 left".to_owned());
    }
    let is_whole = |found: &Found| matches!(found, Found::Frame(_));
    let mut chosen: Option<Vec<u8>> = None;
    let has_whole = found.iter().any(is_whole);
    for one in found {
        match one {
            Found::Frame(Frame { contents, .. }) if chosen.is_none() => chosen = Some(contents),
            Found::Frame(Frame { octets, .. }) => {
                faults.push(format!("{} octets of another frame", octets.len()))
            }
            Found::Broken(broken) => {
                faults.push(broken.error.to_string());
                if !has_whole && chosen.is_none() && !broken.contents.is_empty() {
                    chosen = Some(broken.contents);
                }
            }
        }
    }
    chosen
}

fn csafe_request(contents: &[u8], fields: &mut Fields) -> Option<Cut> {
    let request = Request::decode(contents);
    let command = |command: &Command| match command {
        Command::Short(command) => json!({ "cmd": command }),
        Command::Long(item) => self::item(item),
    };
    fields.push("commands", request.commands.iter().map(command).collect::<Vec<Value>>());
    request.cut
}

fn csafe_answer(contents: &[u8], fields: &mut Fields) -> Option<Cut> {
    let answer = match Answer::decode(contents) {
        Ok(answer) => answer,
        Err(cut) => return Some(cut),
    };
    fields.push("commands", answer.items.iter().map(item).collect::<Vec<Value>>());
    fields.push("status", answer.status.0);
    fields.push("frame_toggle", answer.status.toggle());
    fields.push("previous", answer.status.previous().name());
    fields.push("state", answer.status.state().name());
    answer.cut
}

fn item(item: &Item) -> Value {
    json!({ "cmd": item.command, "data": hex::encode(&item.octets) })
}

/// A Modbus RTU frame. Where nobody said who sent it, length and checksum tell.
pub(super) fn modbus(octets: &[u8], way: Option<Way>) -> Rendered {
    let side = way.map(|way| match way {
        Way::Request => Side::Master,
        Way::Response | Way::Notify | Way::Read => Side::Unit,
    });
    let Recorded { message, is_sound, after } = recorded(octets, side);
    let mut fields = Fields::default();
    fields.push("crc_ok", is_sound);
    fields.maybe("unit", message.unit);
    fields.maybe("function", message.function);
    fields.maybe("register", message.register);
    fields.maybe("count", message.count);
    fields.maybe("values", message.values);
    fields.maybe("value", message.value);
    let mut faults: Vec<String> = message.cut.iter().map(ToString::to_string).collect();
    if !is_sound && message.cut.is_none() {
        faults.push("the checksum is wrong".to_owned());
    }
    if after > 0 {
        faults.push(format!("{after} octets after the frame"));
    }
    (fields, (!faults.is_empty()).then(|| faults.join("; ")))
}
