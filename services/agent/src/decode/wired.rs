//! Decoded frames of a Biodex host port and of GPIO lines as named values, and what is wrong with them in words.

use serde_json::{Value, json};

use super::fields::Fields;
use super::serial::Rendered;
use crate::source::biodex::answer::{Answers, Found};
use crate::source::biodex::question::Question;
use crate::source::gpio::Edge;
use crate::source::gpio::taped;
use crate::source::outlet::Way;

/// One question, or one answer. Where nobody said which, an octet alone is a question.
pub(super) fn biodex(octets: &[u8], way: Option<Way>) -> Rendered {
    let mut fields = Fields::default();
    let error = match (octets, way) {
        ([octet], None | Some(Way::Request)) => biodex_question(*octet, &mut fields),
        (_, Some(Way::Request)) => Some(format!("a question has 1 octet, this has {}", octets.len())),
        (_, None | Some(Way::Response | Way::Notify | Way::Read)) => biodex_answer(octets, &mut fields),
    };
    (fields, error)
}

fn biodex_question(octet: u8, fields: &mut Fields) -> Option<String> {
    let asked = Question::ALL.into_iter().find(|question| question.octet() == octet);
    let Some(question) = asked else { return Some(format!("{octet:02x} is no question")) };
    fields.push("question", name(question));
    None
}

fn biodex_answer(octets: &[u8], fields: &mut Fields) -> Option<String> {
    let mut found = Vec::new();
    Answers::default().push(octets, &mut found);
    let Some(first) = found.first() else { return Some(format!("cut after {} octets", octets.len())) };
    fields.maybe("answer", first.question().map(name));
    match first {
        Found::Speed(tenths) => fields.push("speed_tenths", *tenths),
        Found::Elevation(percent) => fields.push("elevation_percent", *percent),
        Found::Forward(forward) => fields.push("direction", if *forward { "F" } else { "R" }),
        Found::Status([communication, first, second]) => {
            fields.push("communication_status", *communication);
            fields.push("system_status", vec![*first, *second]);
        }
        Found::NotAcknowledged => fields.push("acknowledged", false),
        Found::Noise(_) => return Some("no answer".to_owned()),
    }
    let used = first.octets().len();
    (used != octets.len()).then(|| format!("{} octets after the answer", octets.len() - used))
}

fn name(question: Question) -> &'static str {
    match question {
        Question::Speed => "speed",
        Question::Elevation => "elevation",
        Question::Direction => "direction",
        Question::Status => "status",
    }
}

/// Edges as a source of GPIO lines took them from the kernel.
pub(super) fn gpio_edges(octets: &[u8]) -> Rendered {
    let (edges, rest) = taped::read_edges(octets);
    let edge = |edge: &Edge| {
        let level = u8::from(edge.is_high);
        json!({ "time_us": edge.at.0, "line": edge.line, "level": level, "number": edge.number })
    };
    let mut fields = Fields::default();
    fields.push("edges", edges.iter().map(edge).collect::<Vec<Value>>());
    (fields, (rest > 0).then(|| format!("cut: an edge has {} octets, {rest} left", taped::EDGE_OCTETS)))
}

/// The level of each line, read at once.
pub(super) fn gpio_levels(octets: &[u8]) -> Rendered {
    let mut fields = Fields::default();
    fields.push("levels", octets);
    let odd = octets.iter().find(|octet| **octet > 1);
    (fields, odd.map(|octet| format!("{octet:02x} is no level")))
}
