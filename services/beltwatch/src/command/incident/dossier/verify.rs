//! A dossier judged without a server: what holds, and what does not.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use domain::limits::DOSSIER_BYTES_MAX;
use dossier::{Expect, ExpectedHead, Finding, Report, Statement};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::client::Options;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Format, Listing, Value, people_text};

/// Hexadecimal digits of a fingerprint or a root.
const DIGITS: usize = 64;

#[derive(Debug, Args)]
pub(in crate::command::incident) struct VerifyArgs {
    /// The dossier
    file: PathBuf,
    /// Fingerprint of the server's key, as `beltwatch incident key` shows it and as you got it from somewhere else than
    /// this file
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    key: Option<String>,
    /// Root of a head that somebody outside holds, or how many facts it covers and its root, such as 1200:ROOT; may be
    /// given again
    #[arg(long = "anchor", value_name = "[FACTS:]ROOT", value_parser = head)]
    anchors: Vec<ExpectedHead>,
}

/// 64 hexadecimal digits, however they were copied.
fn fingerprint(text: &str) -> Result<String, String> {
    let plain = text.replace([' ', ':'], "").to_ascii_lowercase();
    is_hash(&plain).then_some(plain).ok_or_else(|| format!("{DIGITS} of 0-9 and a-f are allowed"))
}

fn head(text: &str) -> Result<ExpectedHead, String> {
    let (facts, root) = text.split_once(':').map_or((None, text), |(facts, root)| (Some(facts), root));
    let allowed =
        || format!("{DIGITS} of 0-9 and a-f, before them a number of facts and a colon, are allowed");
    let facts = facts.map(|facts| facts.parse().map_err(|_| allowed())).transpose()?;
    let root = root.to_ascii_lowercase();
    if is_hash(&root) { Ok(ExpectedHead { facts, root }) } else { Err(allowed()) }
}

fn is_hash(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// What was found of a dossier, in a line.
struct Line {
    holds: bool,
    text: String,
}

const COLUMNS: &[Column<Line>] = &[
    Column {
        name: "holds",
        title: "",
        value: |row| Value::Text(if row.holds { "holds" } else { "wrong" }.to_owned()),
    },
    Column { name: "text", title: "", value: |row| Value::Text(row.text.clone()) },
];

/// Verifies a file.
pub(in crate::command::incident) fn verify(args: &VerifyArgs, options: &Options) -> Result<(), Failure> {
    let octets = read(&args.file)?;
    let expect = Expect { fingerprint: args.key.clone(), heads: args.anchors.clone() };
    let report = dossier::verify(&octets, &expect);
    let printed = match options.format() {
        Format::Table => write!(io::stdout(), "{}", sentences(&report, &expect)),
        Format::Json => writeln!(io::stdout(), "{}", object(&report, &expect)),
        Format::Csv => {
            let rows = lines(&report);
            let listing = Listing { name: "lines", columns: COLUMNS, rows: &rows, notes: Vec::new() };
            listing.print(Format::Csv, &mut io::stdout().lock(), &mut io::stderr().lock())
        }
    };
    match printed {
        // Whoever read it has seen enough; whether it holds is still told by the code.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    if args.key.is_none() {
        writeln!(
            io::stderr(),
            "the key was not compared: anybody can sign a dossier with a key of their own. Ask the server's operator for \
             its fingerprint (`beltwatch incident key`) and give it with --key"
        )?;
    }
    judged(&args.file, &report)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::InputOutput };
        Failure::new(exit, format!("{shown} cannot be read: {error}"))
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut octets = Vec::new();
    file.take(DOSSIER_BYTES_MAX as u64 + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() > DOSSIER_BYTES_MAX {
        let message = format!("{shown} is no dossier: it has more than {DOSSIER_BYTES_MAX} octets");
        return Err(Failure::new(Exit::Data, message));
    }
    Ok(octets)
}

fn judged(path: &Path, report: &Report) -> Result<(), Failure> {
    let shown = path.display();
    match report.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Data, format!("{shown} does not hold: 1 thing is wrong"))),
        count => Err(Failure::new(Exit::Data, format!("{shown} does not hold: {count} things are wrong"))),
    }
}

fn lines(report: &Report) -> Vec<Line> {
    let findings = report.findings.iter().map(|finding| Line { holds: false, text: finding.to_string() });
    let holds = report.holds.iter().map(|statement| Line { holds: true, text: statement.to_string() });
    findings.chain(holds).collect()
}

/// How the signature's key compares with the one that was given, in a word.
fn key_word(report: &Report, expect: &Expect) -> &'static str {
    let is_another = report.findings.iter().any(|finding| matches!(finding, Finding::OtherServer { .. }));
    let is_signed = report.holds.iter().any(|statement| matches!(statement, Statement::Signed { .. }));
    match (is_another, is_signed, &expect.fingerprint) {
        (true, ..) => "another",
        (false, false, _) => "not_signed",
        (false, true, Some(_)) => "expected",
        (false, true, None) => "not_compared",
    }
}

fn sentences(report: &Report, expect: &Expect) -> String {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let mut lines = vec![
        format!("whole: {}", yes(report.is_whole())),
        format!("anchored: {}", yes(report.is_anchored())),
        format!("key: {}", key_word(report, expect).replace('_', " ")),
    ];
    if let Some(summary) = &report.summary {
        let made = Timestamp::from_microsecond(summary.made.0).ok();
        let made = people_text(&Value::Time(made, TimeZone::UTC));
        lines.push(format!("says of itself: incident {}, made at {made}", summary.incident));
        let server = if summary.server.is_empty() { "" } else { ", by " };
        lines.push(format!(
            "says of itself: made{server}{} with version {} of the program",
            summary.server, summary.version
        ));
    }
    let wrong = report.findings.iter().map(|finding| format!("wrong: {finding}"));
    let holds = report.holds.iter().map(|statement| format!("holds: {statement}"));
    let all = lines.into_iter().chain(wrong).chain(holds);
    all.map(|line| people_text(&Value::Text(line)) + "\n").collect()
}

fn object(report: &Report, expect: &Expect) -> serde_json::Value {
    let summary = report.summary.as_ref().map(|summary| {
        json!({
            "incident_id": summary.incident.to_string(),
            "made_time": Timestamp::from_microsecond(summary.made.0).ok().map(|made| made.to_string()),
            "server": summary.server,
            "version": summary.version,
            "key_fingerprint": summary.fingerprint,
        })
    });
    json!({
        "whole": report.is_whole(),
        "anchored": report.is_anchored(),
        "key": key_word(report, expect),
        "says_of_itself": summary,
        "wrong": report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "holds": report.holds.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_and_heads_are_read_as_people_copy_them() {
        let hash = "0123456789abcdef".repeat(4);
        let spaced = hash.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four)).collect::<Vec<_>>();
        for text in [hash.clone(), hash.to_ascii_uppercase(), spaced.join(":"), spaced.join(" ")] {
            assert_eq!(fingerprint(&text), Ok(hash.clone()));
        }
        assert_eq!(head(&hash), Ok(ExpectedHead { facts: None, root: hash.clone() }));
        assert_eq!(
            head(&format!("1200:{hash}")),
            Ok(ExpectedHead { facts: Some(1_200), root: hash.clone() })
        );
        for bad in
            ["", "ab", &hash[1..], &format!("{hash}0"), &format!("x:{hash}"), &format!("-1:{hash}"), "1:"]
        {
            assert!(head(bad).is_err(), "{bad}");
            assert!(fingerprint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_dossier_is_named_and_ends_with_65() {
        let report = dossier::verify(b"{}", &Expect::default());
        let text = sentences(&report, &Expect::default());
        assert!(text.starts_with("whole: no\nanchored: no\nkey: not signed\nwrong: "), "{text}");
        let object = object(&report, &Expect::default());
        assert_eq!((&object["whole"], &object["says_of_itself"]), (&json!(false), &json!(null)));
        assert_eq!(object["wrong"].as_array().unwrap().len(), report.findings.len());
        assert_eq!(judged(Path::new("a.json"), &report).unwrap_err().exit, Exit::Data);
        assert_eq!(lines(&report).iter().filter(|line| !line.holds).count(), report.findings.len());
    }

    #[test]
    fn the_key_is_compared_only_with_one_that_was_given() {
        let given = || Expect { fingerprint: Some("ab".to_owned()), ..Expect::default() };
        let signed = |is_compared| {
            let statement = Statement::Signed { fingerprint: "ab".to_owned(), is_compared };
            Report { holds: vec![statement], ..Report::default() }
        };
        let other = Finding::OtherServer { found: "cd".to_owned(), expected: "ab".to_owned() };
        let other = Report { findings: vec![other], ..signed(false) };
        for (report, expect, word) in [
            (Report::default(), given(), "not_signed"),
            (signed(false), Expect::default(), "not_compared"),
            (signed(true), given(), "expected"),
            (other, given(), "another"),
        ] {
            assert_eq!(key_word(&report, &expect), word);
        }
    }

    #[test]
    fn files_are_read_up_to_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        assert_eq!(read(&path).unwrap_err().exit, Exit::NotFound);
        let file = File::create(&path).unwrap();
        file.set_len(DOSSIER_BYTES_MAX as u64 + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().exit, Exit::Data);
        assert_eq!(read(folder.path()).unwrap_err().exit, Exit::InputOutput);
    }
}
