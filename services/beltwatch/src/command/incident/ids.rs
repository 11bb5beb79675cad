//! Which incidents are meant: whole ids, beginnings of them, or lines of standard input.

use std::io::{self, BufRead, BufReader, Read};

use clap::Args;
use wire::api::v1;

use crate::client::Client;
use crate::failure::{Exit, Failure};

/// Digits of an id.
const DIGITS: usize = 32;
/// Fewest digits of a beginning.
const DIGITS_MIN: usize = 6;
/// Incidents of one command. More: refused.
const IDS_MAX: usize = 10_000;
/// Octets read from standard input for them. More: refused.
const OCTETS_MAX: u64 = 1024 * 1024;
/// Incidents that are looked through for a beginning, in pages of so many. More: whole ids are asked for.
const PAGES_MAX: usize = 10;
const PAGE: i32 = 1_000;

/// One or more incidents.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct IdArgs {
    /// Their ids: 32 hexadecimal digits, or the first 6 or more if no other begins so; `-` reads them from standard
    /// input, one a line
    #[arg(value_name = "ID", required = true)]
    pub(super) ids: Vec<String>,
}

/// Whole ids of what was given, each once, in its order.
pub(super) async fn resolve(client: &mut Client, given: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for text in given {
        if text == "-" {
            texts.extend(lines(io::stdin().lock())?);
        } else {
            texts.push(text);
        }
    }
    if texts.is_empty() || texts.len() > IDS_MAX {
        let message = format!("{} incidents are named; 1 to {IDS_MAX} are allowed", texts.len());
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut are_all_whole = true;
    for text in &texts {
        are_all_whole &= is_whole(text)?;
    }
    let all = if are_all_whole { Vec::new() } else { all(client).await? };
    let mut ids: Vec<String> = Vec::new();
    for text in texts {
        let id = if text.len() == DIGITS { text } else { complete(&text, &all)? };
        ids.push(id);
    }
    Ok(without_repeats(ids))
}

/// The whole id of one.
pub(in crate::command) async fn resolve_one(client: &mut Client, given: String) -> Result<String, Failure> {
    if is_whole(&given)? {
        return Ok(given);
    }
    let all = all(client).await?;
    complete(&given, &all)
}

/// Lines that say something; quotes around them, as JSON has them, are taken away.
fn lines(input: impl Read) -> Result<Vec<String>, Failure> {
    let mut input = BufReader::new(input.take(OCTETS_MAX + 1));
    let (mut lines, mut octets) = (Vec::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        octets += input.read_line(&mut line)?;
        if octets as u64 > OCTETS_MAX {
            let message = format!("standard input has more than {OCTETS_MAX} octets of ids");
            return Err(Failure::new(Exit::Usage, message));
        }
        if line.is_empty() {
            return Ok(lines);
        }
        let text = line.trim().trim_matches('"');
        if !text.is_empty() {
            lines.push(text.to_owned());
        }
    }
}

/// Whether it is a whole id; else it is a beginning.
fn is_whole(text: &str) -> Result<bool, Failure> {
    let are_digits = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if are_digits && (DIGITS_MIN..=DIGITS).contains(&text.len()) {
        return Ok(text.len() == DIGITS);
    }
    let allowed = "32 of 0-9 and a-f are allowed, or the first 6 or more of them";
    Err(Failure::new(Exit::Usage, format!("incident id is \"{text}\"; {allowed}")))
}

/// The one that begins so.
fn complete(beginning: &str, all: &[String]) -> Result<String, Failure> {
    let found: Vec<&String> = all.iter().filter(|id| id.starts_with(beginning)).collect();
    match &found[..] {
        [id] => Ok((*id).clone()),
        [] => Err(Failure::new(Exit::NotFound, format!("no incident's id begins with \"{beginning}\""))),
        [..] => {
            let message =
                format!("{} incidents' ids begin with \"{beginning}\"; give more digits", found.len());
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

fn without_repeats(ids: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// The ids of all incidents that the caller may see: a beginning that fits one of some may fit another of the rest.
async fn all(client: &mut Client) -> Result<Vec<String>, Failure> {
    let filter = v1::IncidentFilter { with_members: true, ..v1::IncidentFilter::default() };
    let mut request = v1::ListIncidentsRequest {
        filter: Some(filter),
        page_size: PAGE,
        ..v1::ListIncidentsRequest::default()
    };
    let mut ids = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = client.incidents.list_incidents(request.clone()).await?.into_inner();
        ids.extend(page.incidents.into_iter().map(|incident| incident.id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(ids);
        }
    }
    let message = "there are too many incidents to look for the beginning of an id; give all 32 digits";
    Err(Failure::new(Exit::Usage, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_lines() {
        let read = |text: &str| lines(text.as_bytes()).map_err(|failure| failure.exit);
        assert_eq!(
            read("0f0f0f\n\n  aa \r\n\"bb\"\ncc"),
            Ok(["0f0f0f", "aa", "bb", "cc"].map(String::from).into())
        );
        assert_eq!(read(""), Ok(Vec::new()));
        assert_eq!(read(&"0123456789abcde\n".repeat(65_537)), Err(Exit::Usage));
    }

    #[test]
    fn whole_ids_and_beginnings() {
        for (text, expected) in [
            ("0f".repeat(16).as_str(), Ok(true)),
            ("0f0f0f", Ok(false)),
            ("0f0f0", Err(Exit::Usage)),
            ("0F0F0F", Err(Exit::Usage)),
            ("0f".repeat(17).as_str(), Err(Exit::Usage)),
            ("", Err(Exit::Usage)),
        ] {
            assert_eq!(is_whole(text).map_err(|failure| failure.exit), expected, "{text}");
        }
    }

    #[test]
    fn a_beginning_must_fit_one() {
        let all = ["0f0f0f01", "0f0f0f02", "ab0f0f01"].map(String::from);
        for (beginning, expected) in [
            ("ab0f0f", Ok("ab0f0f01")),
            ("0f0f0f02", Ok("0f0f0f02")),
            ("0f0f0f", Err("2 incidents' ids begin with \"0f0f0f\"; give more digits")),
            ("cccccc", Err("no incident's id begins with \"cccccc\"")),
        ] {
            let found = complete(beginning, &all);
            let found = found.as_deref().map_err(|failure| failure.message.as_str());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn each_is_named_once() {
        let ids = ["b", "a", "b", "c", "a"].map(String::from).to_vec();
        assert_eq!(without_repeats(ids), ["b", "a", "c"]);
    }
}
