//! The commented configuration, printed from the types.
//!
//! A line behind one `#` is what a technician sets for a source. A line behind two is prose, or a setting with what holds
//! without it: it stays a comment when the first `#` of every line of the source is taken away.

use serde::Deserialize;

use crate::config::Config;
use crate::source::settings::SourceSettings;

/// What one key means.
pub type Comment = (&'static str, &'static str);

/// Key and comment of every setting of the agent itself.
const COMMENTS: [Comment; 5] = [
    ("credential", "The machine's credential, as `beltwatch-agent enrol` wrote it. A secret."),
    ("spool", "Folder in which records wait for the server. Made if it is not there; belongs to one agent."),
    (
        "trust_system_clock",
        "true: believe this computer's clock, because something keeps it right. Otherwise the server tells the time.",
    ),
    ("drain_seconds", "How long a stop may wait for acknowledgements. What is left stays in the spool."),
    ("log", "Which lines are logged, as in \"info\" or \"info,agent=debug\"."),
];

const HEAD: &str = "\
# Beltwatch agent. Every setting up to the sources may be left out; these are the defaults.
";

const ABOUT_SOURCES: &str = "
# Sources: what this computer hears the machine by. There is a block of lines for each kind; take those that this machine
# has. Take the first `#` away from every line of the block, and put in what is true of the machine. What has a second
# `#` stays a comment by that: words, and settings with what holds without them. Take it away, too, from a setting that
# shall be another. Where two sources tell the same, the first goes first. What is called docs/ here is in
# /usr/share/doc/beltwatch-agent. Afterwards:
#
#     sudo -u beltwatch-agent beltwatch-agent config --check
#     sudo -u beltwatch-agent beltwatch-agent probe
";

/// Every setting with its comment: those of the agent as they are by default, and a source of each kind, put behind
/// `#` so that the file can be used as it is.
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    let mut table = table(&Config::default());
    table.remove("source");
    for (key, comment) in COMMENTS {
        text.push_str(&format!("# {comment}\n"));
        text.push_str(&line(&table, key));
    }
    text.push_str(ABOUT_SOURCES);
    for (source, about, comments) in SourceSettings::examples() {
        print_source(&mut text, &source, about, comments);
    }
    text
}

/// What a technician sets comes first, then what may stay away.
fn print_source(text: &mut String, source: &SourceSettings, about: &str, comments: &[Comment]) {
    let table = table(source);
    let (given, free): (Vec<&Comment>, Vec<&Comment>) =
        comments.iter().partition(|(key, _)| is_given(source, &table, key));
    text.push_str(&format!("\n## {about}\n# [[source]]\n# {}", line(&table, "kind")));
    for (key, comment) in given {
        text.push_str(&format!("## {comment}\n# {}", line(&table, key)));
    }
    if !free.is_empty() {
        text.push_str("## The rest may stay as it is:\n");
    }
    for (key, comment) in free {
        text.push_str(&format!("## {comment}\n## {}", line(&table, key)));
    }
}

/// Whether the source would be another without this setting, or none at all.
fn is_given(source: &SourceSettings, table: &toml::Table, key: &str) -> bool {
    let mut rest = table.clone();
    rest.remove(key);
    SourceSettings::deserialize(rest).ok().as_ref() != Some(source)
}

fn table(value: &impl serde::Serialize) -> toml::Table {
    toml::Table::try_from(value).expect("settings are always TOML")
}

/// The line of a setting.
fn line(table: &toml::Table, key: &str) -> String {
    match table.get(key) {
        Some(value) => format!("{key} = {value}\n"),
        None => format!("({key} is not set.)\n"),
    }
}
