//! docs/rules.md says what the rules say.

use std::fmt::Write;

use domain::incident::Rule;
use domain::incident::definition::{Definition, Judged};

use crate::tree::root;

const HEAD: &str = "# Rules of incidents

Printed from the rules themselves (`services/domain/src/incident/rules`); a test holds this page against them. Speeds of
thresholds are in mm/s: 278 mm/s are 1 km/h, 447 mm/s are 1 mph. A threshold is set for a site, a model or a machine with
`beltwatch rule set NAME VALUE`; it holds from 10 s after that on. How sure the rules are: `docs/detection.md`.

A rule that needs signals which a machine does not deliver is not judged there, and `beltwatch blind-spots` says so: no
incident of it means nothing then. Rules about a direction need a commissioning that has proven which sign of the signal
is forward (`beltwatch machine commission`).
";

fn rule(text: &mut String, definition: &Definition) -> std::fmt::Result {
    let severities: Vec<&str> = definition.severities.iter().map(|severity| severity.name()).collect();
    let needs: Vec<String> = definition
        .needs
        .iter()
        .map(|needed| needed.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and "))
        .filter(|needed| !needed.is_empty())
        .collect();
    let needs = if needs.is_empty() { "an agent".to_owned() } else { needs.join("; or ") };
    let judged = match definition.judged {
        Judged::AtOnce => "with the event itself",
        Judged::Merged => "when readings and events up to it are there",
    };
    let direction = if definition.is_about_direction { "; a proven direction" } else { "" };
    let motor = if definition.is_for_motors { "; a motor" } else { "" };
    writeln!(text, "\n## {} (`{}`)\n", definition.title, definition.rule.name())?;
    writeln!(text, "{}\n", definition.meaning)?;
    writeln!(text, "* **Severity**: {}", severities.join(", "))?;
    writeln!(text, "* **Needs**: {needs}{direction}{motor}")?;
    writeln!(text, "* **Judged**: {judged}")?;
    writeln!(text, "* **Again**: {}", definition.rearm)?;
    writeln!(text, "* **Why**: {}", definition.reason)?;
    writeln!(text, "* **What to do**: {}", definition.card)?;
    if definition.thresholds.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n| threshold | default | allowed | why |\n|---|---|---|---|")?;
    for threshold in definition.thresholds {
        let (unit, default) = (threshold.unit.symbol(), threshold.default);
        let name = threshold.name;
        let (min, max, reason) = (threshold.min, threshold.max, threshold.reason);
        writeln!(text, "| `{name}` | {default} {unit} | {min} to {max} | {reason} |")?;
    }
    Ok(())
}

#[test]
fn the_page_says_what_the_rules_say() {
    let mut expected = HEAD.to_owned();
    for one in Rule::ALL {
        rule(&mut expected, one.definition()).expect("a text takes everything");
    }
    let page = std::fs::read_to_string(root().join("docs/rules.md")).unwrap_or_default();
    assert!(page == expected, "docs/rules.md is not what the rules say; it should be:\n{expected}");
}
