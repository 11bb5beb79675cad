//! Answers of a Biodex treadmill. The agent keeps their reader to itself, so it is compiled here from its own file.

#[path = "../../services/agent/src/source/biodex/answer.rs"]
#[expect(dead_code, reason = "the rest is for those who ask")]
mod answer;
#[path = "../../services/agent/src/source/biodex/question.rs"]
mod question;

use answer::{Answers, Found};
use question::Question;

use crate::pieces;

/// Whether any pieces give the same, and no octet is lost.
pub fn check(octets: &[u8], lengths: [u8; 4]) {
    let (mut answers, mut whole) = (Answers::default(), Vec::new());
    answers.push(octets, &mut whole);
    let (mut answers, mut in_pieces) = (Answers::default(), Vec::new());
    for piece in pieces(octets, lengths) {
        answers.push(piece, &mut in_pieces);
    }
    assert_eq!(in_pieces, whole);
    let told: Vec<u8> = whole.iter().flat_map(sent).collect();
    let under_way = octets.strip_prefix(told.as_slice()).expect("what was found was sent");
    let begins = under_way.first().is_none_or(|first| Question::ALL.iter().any(|one| one.octet() == *first));
    assert!(begins && under_way.len() < 4, "{under_way:02x?} is no answer under way");
}

/// The octets of what was found.
fn sent(found: &Found) -> Vec<u8> {
    let digits = |question: Question, text: String| [&[question.octet()], text.as_bytes()].concat();
    match found {
        Found::Speed(tenths) => digits(Question::Speed, format!("{tenths:03}")),
        Found::Elevation(percent) => digits(Question::Elevation, format!("{percent:02}")),
        Found::Forward(forward) => vec![Question::Direction.octet(), if *forward { b'F' } else { b'R' }],
        Found::Status(octets) => [&[Question::Status.octet()], octets.as_slice()].concat(),
        Found::NotAcknowledged => vec![0xAF],
        Found::Noise(octets) => octets.clone(),
    }
}
