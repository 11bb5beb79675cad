//! Quarters of a day as octets: each a version, its number within the day, and its usage.
//!
//! A quarter may come more than once; whoever reads adds up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Usage;

/// The version that is written.
const VERSION: u8 = 1;

/// Why octets are no usage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// They are not what was written.
    #[error("the usage is damaged at octet {0}")]
    Damaged(usize),
    /// A newer program wrote them.
    #[error("the usage has version {0}; this program reads version {VERSION}: use the newer one")]
    NewerVersion(u8),
}

#[derive(Serialize, Deserialize)]
struct Written<U> {
    version: u8,
    number: u8,
    usage: U,
}

/// Appends a quarter with its number within the day.
pub fn put(octets: &mut Vec<u8>, number: u8, usage: &Usage) {
    let written = Written { version: VERSION, number, usage };
    let grown = postcard::to_extend(&written, std::mem::take(octets));
    *octets = grown.expect("a vector takes whatever is written");
}

/// The quarters, in the order of writing.
///
/// # Errors
/// Octets that are no quarters, or of a newer version; nothing follows an error.
pub fn quarters(octets: &[u8]) -> impl Iterator<Item = Result<(u8, Usage), CodeError>> + '_ {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let at = octets.len() - rest.len();
        if first != VERSION {
            rest = &[];
            return Some(Err(CodeError::NewerVersion(first)));
        }
        match postcard::take_from_bytes::<Written<Usage>>(rest) {
            Ok((written, behind)) if written.number < 96 => {
                rest = behind;
                Some(Ok((written.number, written.usage)))
            }
            Ok(_) | Err(_) => {
                rest = &[];
                Some(Err(CodeError::Damaged(at)))
            }
        }
    })
}

/// All quarters added up.
///
/// # Errors
/// As [`quarters`].
pub fn total(octets: &[u8]) -> Result<Usage, CodeError> {
    quarters(octets).try_fold(Usage::default(), |mut sum, quarter| {
        sum.merge(&quarter?.1);
        Ok(sum)
    })
}

/// The same quarters, each once. Octets that are no quarters stay as they are.
pub fn joined(octets: &[u8]) -> Vec<u8> {
    let mut all: BTreeMap<u8, Usage> = BTreeMap::new();
    for quarter in quarters(octets) {
        let Ok((number, usage)) = quarter else { return octets.to_vec() };
        all.entry(number).or_default().merge(&usage);
    }
    let mut joined = Vec::new();
    all.iter().for_each(|(number, usage)| put(&mut joined, *number, usage));
    joined
}

/// Usage that was added up, as octets.
pub fn encode(usage: &Usage) -> Vec<u8> {
    let mut octets = Vec::new();
    put(&mut octets, 0, usage);
    octets
}
