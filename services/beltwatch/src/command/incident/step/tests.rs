use clap::Parser;

use super::*;
use crate::command::incident::{Action, Args as IncidentArgs};
use crate::command::{Command, CommandLine};

/// What a command line after `beltwatch incident` asks for.
fn action(line: &[&str]) -> Result<Action, clap::error::ErrorKind> {
    let line = ["beltwatch", "incident"].iter().chain(line);
    let line = CommandLine::try_parse_from(line).map_err(|error| error.kind())?;
    let Command::Incident(IncidentArgs { action }) = line.command else { panic!("{line:?}") };
    Ok(action)
}

#[test]
fn steps_are_read_with_all_their_incidents() {
    let Action::Ack(args) = action(&["ack", "aa", "-", "bb", "--request-id", "r-1"]).unwrap() else {
        panic!()
    };
    assert_eq!((args.ids.ids, args.note.as_str()), (["aa", "-", "bb"].map(String::from).to_vec(), ""));
    assert_eq!(args.repeat.id().unwrap(), "r-1");
    let Action::Note(args) = action(&["note", "aa", "bb", "all well"]).unwrap() else { panic!() };
    assert_eq!((args.ids.ids, args.text.as_str()), (["aa", "bb"].map(String::from).to_vec(), "all well"));
    let Action::Note(args) = action(&["note", "aa", "-"]).unwrap() else { panic!() };
    assert_eq!((args.ids.ids, args.text.as_str()), (vec!["aa".to_owned()], "-"));
    let Action::Close(args) = action(&["close", "aa", "--cause", "deliberate_stop", "--hurt", "no"]).unwrap()
    else {
        panic!()
    };
    assert_eq!(args.cause.map(Cause::value), Some(v1::Cause::DeliberateStop));
    assert_eq!(args.hurt.map(Hurt::value), Some(v1::Hurt::No));
}

#[test]
fn wrong_uses_are_refused() {
    use clap::error::ErrorKind::{ArgumentConflict, InvalidValue, MissingRequiredArgument, ValueValidation};
    for (line, kind) in [
        (&["ack"][..], MissingRequiredArgument),
        (&["note", "aa"], MissingRequiredArgument),
        (&["assign", "aa"], MissingRequiredArgument),
        (&["shelve", "aa"], MissingRequiredArgument),
        (&["shelve", "aa", "--for", "2h", "--until", "2026-11-20T09:00"], ArgumentConflict),
        (&["close", "aa", "--normal-stop", "--hurt", "no"], ArgumentConflict),
        (&["close", "aa", "--normal-stop", "--note", "x"], ArgumentConflict),
        (&["close", "aa", "--cause", "bad-luck"], InvalidValue),
        (&["ack", "aa", "--request-id", ""], ValueValidation),
        (&["verify", "a.json", "--key", "ab"], ValueValidation),
        (&["list", "--needs-person", "--shelved"], ArgumentConflict),
        (&["list", "--needs-person", "--handling", "open"], ArgumentConflict),
        (&["list", "--mine", "--assignee", "anna"], ArgumentConflict),
    ] {
        assert_eq!(action(line).map(|_| ()), Err(kind), "{line:?}");
    }
}

#[test]
fn every_answer_has_its_own_value() {
    let causes = Cause::value_variants();
    let words: Vec<&str> = causes.iter().map(|cause| words::cause(cause.value().into())).collect();
    let expected = domain::handling::Cause::ALL.map(domain::handling::Cause::name);
    assert_eq!(words, expected, "those of the product, in its order");
    let words: Vec<&str> =
        Hurt::value_variants().iter().map(|hurt| words::hurt(hurt.value().into())).collect();
    assert_eq!(words, domain::handling::Hurt::ALL.map(domain::handling::Hurt::name));
    let note = NORMAL_STOP_NOTE.chars().count();
    assert!((1..=domain::handling::NOTE_CHARACTERS_MAX).contains(&note));
}

#[test]
fn people_are_filtered_by() {
    let filter = |line: &[&str]| {
        let line: Vec<&str> = ["list"].iter().chain(line).copied().collect();
        let Action::List { handling, .. } = action(&line).unwrap() else { panic!() };
        handling.apply(v1::IncidentFilter { site_id: "north".to_owned(), ..v1::IncidentFilter::default() })
    };
    let all = || v1::IncidentFilter { site_id: "north".to_owned(), ..v1::IncidentFilter::default() };
    let states =
        |states: &[v1::HandlingState]| states.iter().map(|state| (*state).into()).collect::<Vec<i32>>();
    let (open, acknowledged) = (v1::HandlingState::Open, v1::HandlingState::Acknowledged);
    let (in_progress, closed) = (v1::HandlingState::InProgress, v1::HandlingState::Closed);
    assert_eq!(filter(&[]), all());
    let needed = v1::IncidentFilter {
        handling_states: states(&[open, acknowledged, in_progress]),
        shelved: Some(false),
        ..all()
    };
    assert_eq!(filter(&["--needs-person"]), needed);
    let handling_states = states(&[in_progress, closed]);
    let chosen = v1::IncidentFilter { handling_states, shelved: Some(true), ..all() };
    assert_eq!(filter(&["--handling", "in-progress", "--handling", "closed", "--shelved"]), chosen);
    assert_eq!(filter(&["--mine"]), v1::IncidentFilter { assignee: "me".to_owned(), ..all() });
    let anna = v1::IncidentFilter { assignee: "anna".to_owned(), with_members: true, ..all() };
    assert_eq!(filter(&["--assignee", "anna", "--with-members"]), anna);
}
