//! Answers among octets that come in any pieces. Nothing but their own shape protects them.

use super::question::Question;

/// What a machine sends instead of an answer to what it does not understand.
const NOT_ACKNOWLEDGED: u8 = 0xAF;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Present speed, in tenths.
    Speed(u16),
    /// Present elevation, in per cent.
    Elevation(u16),
    /// Present belt direction as the machine sees it.
    Forward(bool),
    /// Communication status and both octets of system status.
    Status([u8; 3]),
    /// The machine did not understand.
    NotAcknowledged,
    /// Octets that are no answer.
    Noise(Vec<u8>),
}

impl Found {
    /// Which question it answers; `None`: any, or none.
    pub(crate) fn question(&self) -> Option<Question> {
        match self {
            Found::Speed(_) => Some(Question::Speed),
            Found::Elevation(_) => Some(Question::Elevation),
            Found::Forward(_) => Some(Question::Direction),
            Found::Status(_) => Some(Question::Status),
            Found::NotAcknowledged | Found::Noise(_) => None,
        }
    }

    /// Its octets, as they came.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let digits = |question: Question, digits: String| [&[question.octet()], digits.as_bytes()].concat();
        match self {
            Found::Speed(tenths) => digits(Question::Speed, format!("{tenths:03}")),
            Found::Elevation(percent) => digits(Question::Elevation, format!("{percent:02}")),
            Found::Forward(forward) => vec![Question::Direction.octet(), if *forward { b'F' } else { b'R' }],
            Found::Status(octets) => [&[Question::Status.octet()], octets.as_slice()].concat(),
            Found::NotAcknowledged => vec![NOT_ACKNOWLEDGED],
            Found::Noise(octets) => octets.clone(),
        }
    }
}

/// The answer under way.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    question: Option<Question>,
    octets: Vec<u8>,
}

impl Answers {
    /// Takes octets and appends what they complete. What is found does not depend on the pieces.
    pub(crate) fn push(&mut self, octets: &[u8], found: &mut Vec<Found>) {
        for octet in octets {
            self.push_one(*octet, found);
        }
    }

    fn push_one(&mut self, octet: u8, found: &mut Vec<Found>) {
        let Some(question) = self.question else {
            self.begin(octet, found);
            return;
        };
        if !fits(question, self.octets.len(), octet) {
            self.question = None;
            let mut noise = vec![question.octet()];
            noise.append(&mut self.octets);
            found.push(Found::Noise(noise));
            // It may be the first of an answer.
            self.begin(octet, found);
            return;
        }
        self.octets.push(octet);
        if self.octets.len() == question.answer_octets() {
            self.question = None;
            found.push(answer(question, &std::mem::take(&mut self.octets)));
        }
    }

    fn begin(&mut self, octet: u8, found: &mut Vec<Found>) {
        self.question = Question::ALL.into_iter().find(|question| question.octet() == octet);
        if self.question.is_none() {
            found.push(match octet {
                NOT_ACKNOWLEDGED => Found::NotAcknowledged,
                _ => Found::Noise(vec![octet]),
            });
        }
    }
}

/// Whether an octet can be at this place of an answer.
fn fits(question: Question, place: usize, octet: u8) -> bool {
    match question {
        Question::Speed | Question::Elevation => octet.is_ascii_digit(),
        Question::Direction => matches!(octet, b'F' | b'R'),
        // The manual: bit 7 of the communication status must be 0.
        Question::Status => place != 0 || octet & 0x80 == 0,
    }
}

fn answer(question: Question, octets: &[u8]) -> Found {
    let number = || octets.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    match question {
        Question::Speed => Found::Speed(number()),
        Question::Elevation => Found::Elevation(number()),
        Question::Direction => Found::Forward(octets == b"F"),
        Question::Status => match octets {
            [communication, first, second] => Found::Status([*communication, *first, *second]),
            _ => Found::Noise(octets.to_vec()),
        },
    }
}
