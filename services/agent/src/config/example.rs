//! The commented configuration, printed from the types.

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

/// Every setting with its comment: those of the agent as they are by default, and a source of each kind, put behind
/// `#` so that the file can be used as it is.
pub fn example() -> String {
    let mut text = String::from("# Beltwatch agent. Every key may be left out; these are the defaults.\n");
    let mut table = table(&Config::default());
    table.remove("source");
    print(&mut text, &table, &COMMENTS, "");
    text.push_str(
        "\n# Sources: one table each. Where two tell the same, the first goes first. Take away the `# ` before the lines\n\
         # of those that this machine has; `beltwatch-agent probe` then shows what they deliver.\n",
    );
    for (source, about, comments) in SourceSettings::examples() {
        let table = self::table(&source);
        text.push_str(&format!("\n# {about}\n# [[source]]\n"));
        print(&mut text, &table, comments, "# ");
    }
    text
}

fn table(value: &impl serde::Serialize) -> toml::Table {
    toml::Table::try_from(value).expect("settings are always TOML")
}

fn print(text: &mut String, table: &toml::Table, comments: &[Comment], before: &str) {
    if let Some(kind) = table.get("kind") {
        text.push_str(&format!("{before}kind = {kind}\n"));
    }
    for (key, comment) in comments {
        text.push_str(&format!("{before}# {comment}\n"));
        match table.get(*key) {
            Some(value) => text.push_str(&format!("{before}{key} = {value}\n")),
            None => text.push_str(&format!("{before}# {key} is not set.\n")),
        }
    }
}
