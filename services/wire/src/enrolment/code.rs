//! The code that is typed into an agent: what it holds, and how it is written so that people can read it out.
//!
//! 44 characters of Crockford's base32 (0 to 9 and A to Z without I, L, O and U) hold 220 bits: the version (4), the
//! code's identity (24), its secret (64) and the first 16 octets of SHA-256 over the authority's certificate (128). A
//! 45th checks them: it finds every wrong character and every two neighbours that were exchanged.

use std::fmt;

use sha2::{Digest, Sha256};

/// Octets of identity and secret, as they are sent.
pub const SHOWN_OCTETS: usize = 11;
const ID_OCTETS: usize = 3;
const FINGERPRINT_OCTETS: usize = 16;
const VERSION: u8 = 1;
const PREFIX: &str = "BW";
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters without the one that checks them.
const CHARACTERS: usize = 44;
const GROUP: usize = 5;
const NIBBLES: usize = 1 + 2 * (SHOWN_OCTETS + FINGERPRINT_OCTETS);

/// The first 16 octets of SHA-256 over an authority's certificate (DER).
pub type Fingerprint = [u8; FINGERPRINT_OCTETS];

/// The fingerprint of a certificate.
pub fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let mut fingerprint = [0; FINGERPRINT_OCTETS];
    fingerprint.copy_from_slice(&Sha256::digest(certificate)[..FINGERPRINT_OCTETS]);
    fingerprint
}

/// Identity and secret of a code: what an agent shows to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shown([u8; SHOWN_OCTETS]);

/// It is a secret.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({:06x}, secret)", self.id())
    }
}

impl Shown {
    /// From octets: identity (3), secret (8). `None`: they are not 11.
    pub fn new(octets: &[u8]) -> Option<Shown> {
        octets.try_into().ok().map(Shown)
    }

    /// A new one, from the operating system's random octets.
    ///
    /// # Errors
    /// The operating system gives none.
    pub fn generate() -> Result<Shown, getrandom::Error> {
        let mut octets = [0; SHOWN_OCTETS];
        getrandom::fill(&mut octets)?;
        Ok(Shown(octets))
    }

    /// Its identity, below 2^24.
    pub fn id(&self) -> u32 {
        self.0[..ID_OCTETS].iter().fold(0, |id, octet| id << 8 | u32::from(*octet))
    }

    /// The octets as they are sent.
    pub fn octets(&self) -> &[u8; SHOWN_OCTETS] {
        &self.0
    }

    /// What a server keeps of it: SHA-256.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::new().chain_update(b"beltwatch/v1/enrolment-code/").chain_update(self.0).finalize().into()
    }
}

/// A code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// What the server is shown.
    pub shown: Shown,
    /// The only authority whose server may see it; `None`: the server that made it speaks no TLS, so it is good on that
    /// very computer only.
    pub authority: Option<Fingerprint>,
}

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCode {
    /// A part is missing, or there is too much.
    #[error(
        "the code has {found} characters without hyphens; {} are needed, after BW: is a group missing?",
        CHARACTERS + 1
    )]
    Length {
        /// How many there are.
        found: usize,
    },
    /// A character that no code has.
    #[error("\"{character}\" in the code is none of its characters: 0 to 9 and A to Z without I, L, O and U")]
    Character {
        /// The character.
        character: char,
    },
    /// Something was mistyped.
    #[error("the code is mistyped: its last character does not fit the others; look at each group again")]
    Mistyped,
    /// Another program's.
    #[error("the code has version {found}; this program reads {VERSION}: install the newer one")]
    Version {
        /// The version.
        found: u8,
    },
}

impl Code {
    /// Reads what somebody typed: small letters, spaces and missing hyphens do no harm, nor O for 0 and I or L for 1.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Code, InvalidCode> {
        let is_filling = |c: char| c == '-' || c.is_whitespace();
        let typed: String =
            text.chars().filter(|c| !is_filling(*c)).map(|c| c.to_ascii_uppercase()).collect();
        let found = typed.chars().count();
        let rest = typed.strip_prefix(PREFIX).filter(|_| found == CHARACTERS + 1 + PREFIX.len());
        let characters = rest.unwrap_or(&typed);
        let found = characters.chars().count();
        let values = characters.chars().map(value).collect::<Result<Vec<u8>, InvalidCode>>()?;
        if found != CHARACTERS + 1 {
            return Err(InvalidCode::Length { found });
        }
        let (last, values) = values.split_last().expect("there are 45");
        if check(values) != *last {
            return Err(InvalidCode::Mistyped);
        }
        let bit = |at: usize| values[at / 5] >> (4 - at % 5) & 1;
        let mut nibbles = (0..NIBBLES).map(|nibble| (0..4).fold(0, |n, at| n << 1 | bit(4 * nibble + at)));
        let version = nibbles.next().expect("there are 55");
        if version != VERSION {
            return Err(InvalidCode::Version { found: version });
        }
        let nibbles: Vec<u8> = nibbles.collect();
        let octet = |at: usize| nibbles[2 * at] << 4 | nibbles[2 * at + 1];
        let shown = Shown(std::array::from_fn(octet));
        let authority: Fingerprint = std::array::from_fn(|at| octet(SHOWN_OCTETS + at));
        Ok(Code { shown, authority: (authority != Fingerprint::default()).then_some(authority) })
    }
}

/// As it is read out: `BW` and nine groups of five.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.shown.0.into_iter().chain(self.authority.unwrap_or_default());
        let nibbles: Vec<u8> =
            [VERSION].into_iter().chain(octets.flat_map(|octet| [octet >> 4, octet & 15])).collect();
        let bit = |at: usize| nibbles[at / 4] >> (3 - at % 4) & 1;
        let mut values: Vec<u8> = (0..CHARACTERS)
            .map(|character| (0..5).fold(0, |value, at| value << 1 | bit(5 * character + at)))
            .collect();
        values.push(check(&values));
        f.write_str(PREFIX)?;
        for (at, value) in values.iter().enumerate() {
            if at % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(DIGITS[usize::from(*value)]))?;
        }
        Ok(())
    }
}

fn value(character: char) -> Result<u8, InvalidCode> {
    let meant = match character {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = DIGITS.iter().position(|digit| char::from(*digit) == meant);
    place.and_then(|place| u8::try_from(place).ok()).ok_or(InvalidCode::Character { character })
}

/// The polynomial of the values at a generator of GF(32) (x^5 + x^2 + 1): one wrong value, or two neighbours that were
/// exchanged, give another one.
fn check(values: &[u8]) -> u8 {
    // Once more at the end, or the last value could be exchanged for the check itself.
    double(values.iter().fold(0, |sum, value| double(sum) ^ value))
}

/// Times the generator.
fn double(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code() -> Code {
        let shown = Shown(std::array::from_fn(|at| u8::try_from(at * 23 % 251).unwrap()));
        Code { shown, authority: Some(fingerprint(b"a certificate")) }
    }

    fn parse(text: &str) -> Result<Code, InvalidCode> {
        Code::parse(text)
    }

    #[test]
    fn what_is_typed_otherwise_is_the_same_code() {
        let text = code().to_string();
        assert!(text.starts_with("BW-") && text.len() == 2 + 9 * 6, "{text}");
        let bare: String = text.chars().filter(|c| *c != '-').collect();
        let typed = text.replace('0', "o").replace('1', "l");
        for text in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', " "),
            bare.clone(),
            bare[2..].to_owned(),
            typed,
        ] {
            assert_eq!(parse(&text), Ok(code()), "{text}");
        }
        assert_eq!(format!("{:?}", code().shown), "Shown(00172e, secret)");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let text = code().to_string();
        assert_eq!(parse(""), Err(InvalidCode::Length { found: 0 }));
        assert_eq!(parse(&text[..text.len() - 6]), Err(InvalidCode::Length { found: 42 }));
        assert_eq!(parse(&format!("{text}0")), Err(InvalidCode::Length { found: 48 }));
        assert_eq!(parse(&text.replace("BW-", "BW-U")), Err(InvalidCode::Character { character: 'U' }));
        assert_eq!(parse("ü"), Err(InvalidCode::Character { character: 'ü' }));
        let without = Code { authority: None, ..code() };
        assert_eq!(parse(&without.to_string()), Ok(without));
    }

    #[test]
    fn another_version_is_named() {
        let mut values: Vec<u8> =
            code().to_string()[3..].chars().filter(|c| *c != '-').map(|c| value(c).unwrap()).collect();
        values.pop();
        values[0] = values[0] & 1 | 2 << 1;
        values.push(check(&values));
        let text: String = values.iter().map(|value| char::from(DIGITS[usize::from(*value)])).collect();
        assert_eq!(parse(&text), Err(InvalidCode::Version { found: 2 }));
    }

    proptest! {
        #[test]
        fn every_code_reads_back(octets in any::<[u8; SHOWN_OCTETS]>(), authority in any::<[u8; 16]>()) {
            let code = Code { shown: Shown(octets), authority: Some(authority).filter(|a| *a != [0; 16]) };
            prop_assert_eq!(parse(&code.to_string()), Ok(code));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            if let Ok(code) = parse(&text) {
                prop_assert_eq!(parse(&code.to_string()), Ok(code));
            }
        }

        #[test]
        fn a_wrong_character_and_an_exchange_are_found(at in 0..45_usize, other in 0..32_u8) {
            let text = code().to_string();
            let places: Vec<usize> = text.char_indices().skip(3).filter(|(_, c)| *c != '-').map(|(at, _)| at).collect();
            let mut wrong = text.clone().into_bytes();
            wrong[places[at]] = DIGITS[usize::from(other)];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(parse(&wrong).is_ok(), wrong == text);
            if let Some(next) = places.get(at + 1) {
                let mut exchanged = text.clone().into_bytes();
                exchanged.swap(places[at], *next);
                let exchanged = String::from_utf8(exchanged).unwrap();
                prop_assert_eq!(parse(&exchanged).is_ok(), exchanged == text);
            }
        }
    }
}
