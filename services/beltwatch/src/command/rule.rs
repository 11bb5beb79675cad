//! `beltwatch rule`: the rules of incidents and their thresholds.

use clap::{Args as ClapArgs, Subcommand};
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::{print, request_id};
use crate::failure::{Exit, Failure};
use crate::quantity;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

/// Shows the rules of incidents and sets their thresholds
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists rules
    List,
    /// Shows one rule with its thresholds
    Show {
        /// Its name, such as emergency-stop
        name: String,
        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// Sets a threshold from 10 s after now on
    Set {
        /// The threshold, such as reverse-overspeed.limit
        name: String,
        /// Its value: speeds in km/h, changes of speed in km/h per s, times in s, incline in %, yes or no
        #[arg(allow_hyphen_values = true)]
        value: String,
        #[command(flatten)]
        whose: OneArgs,
    },
    /// Takes the value of a threshold away, so that what lies below holds again
    Clear {
        /// The threshold
        name: String,
        #[command(flatten)]
        whose: OneArgs,
    },
}

/// For what thresholds are shown.
#[derive(Debug, Clone, Default, ClapArgs)]
#[group(required = false, multiple = false)]
struct WhoseArgs {
    /// As set for this site
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// As set for machines of this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// As they hold for this machine
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
}

/// For what thresholds are set.
#[derive(Debug, Clone, Default, ClapArgs)]
#[group(required = true, multiple = false)]
pub(super) struct OneArgs {
    /// For this site
    #[arg(long, value_name = "SITE")]
    pub(super) site: Option<String>,
    /// For machines of this model; a model's lie over a site's
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,
    /// For this machine; a machine's lie over a model's
    #[arg(long, value_name = "MACHINE")]
    pub(super) machine: Option<String>,
}

const COLUMNS: &[Column<v1::Rule>] = &[
    Column { name: "number", title: "", value: |rule| Value::Count(u64::from(rule.number)) },
    Column { name: "name", title: "rule", value: |rule| Value::Text(rule.name.clone()) },
    Column { name: "title", title: "title", value: |rule| Value::Text(rule.title.clone()) },
    Column {
        name: "severities",
        title: "severities",
        value: |rule| {
            let names: Vec<&str> = rule.severities.iter().map(|one| words::severity(*one)).collect();
            Value::Text(names.join(" "))
        },
    },
    Column {
        name: "thresholds",
        title: "thresholds",
        value: |rule| Value::Text(rule.thresholds.iter().map(own_name).collect::<Vec<_>>().join(" ")),
    },
    Column { name: "version", title: "", value: |rule| Value::Count(u64::from(rule.version)) },
];

/// A threshold's name without the rule's.
fn own_name(threshold: &v1::Threshold) -> &str {
    threshold.name.split_once('.').map_or(threshold.name.as_str(), |(_, name)| name)
}

const THRESHOLD_COLUMNS: &[Column<v1::Threshold>] = &[
    Column { name: "name", title: "threshold", value: |one| Value::Text(one.name.clone()) },
    Column { name: "unit", title: "", value: |one| Value::Text(one.unit.clone()) },
    Column { name: "value", title: "value", value: |one| value(one, one.value.unwrap_or(one.default_value)) },
    Column {
        name: "set_for",
        title: "set for",
        value: |one| {
            Value::Text(if one.set_for.is_empty() { "default".to_owned() } else { one.set_for.clone() })
        },
    },
    Column { name: "default_value", title: "default", value: |one| value(one, one.default_value) },
    Column { name: "min_value", title: "least", value: |one| value(one, one.min_value) },
    Column { name: "max_value", title: "most", value: |one| value(one, one.max_value) },
    Column { name: "reason", title: "what for", value: |one| Value::Text(one.reason.clone()) },
];

fn value(threshold: &v1::Threshold, value: i64) -> Value {
    Value::Quantity(value, threshold.unit.clone())
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or a value is none.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::List => {
            let rules = rules(&mut client, WhoseArgs::default()).await?;
            print(&Listing { name: "rules", columns: COLUMNS, rows: &rules, notes: Vec::new() }, options)
        }
        Action::Show { name, whose } => {
            let rules = rules(&mut client, whose).await?;
            let rule = rules.into_iter().find(|rule| rule.name == name).ok_or_else(|| {
                Failure::new(
                    Exit::NotFound,
                    format!("there is no rule \"{name}\"; `beltwatch rule list` names all"),
                )
            })?;
            show(&rule, options)
        }
        Action::Set { name, value, whose } => {
            let value = read(&mut client, &name, &value).await?;
            set(client, whose, vec![v1::NamedValue { name, value }], Vec::new(), options).await
        }
        Action::Clear { name, whose } => set(client, whose, Vec::new(), vec![name], options).await,
    }
}

async fn rules(client: &mut Client, whose: WhoseArgs) -> Result<Vec<v1::Rule>, Failure> {
    let WhoseArgs { site, model, machine } = whose;
    let request = v1::ListRulesRequest {
        machine_id: machine.unwrap_or_default(),
        site_id: site.unwrap_or_default(),
        model: model.unwrap_or_default(),
    };
    Ok(client.incidents.list_rules(request).await?.into_inner().rules)
}

fn show(rule: &v1::Rule, options: &Options) -> Result<(), Failure> {
    let text = |name, text: &str| Note { name, value: Value::Text(text.to_owned()) };
    let mut notes: Vec<Note> =
        COLUMNS.iter().map(|column| Note { name: column.name, value: (column.value)(rule) }).collect();
    // The thresholds are the rows themselves.
    notes.retain(|note| note.name != "thresholds");
    notes.extend([
        text("meaning", &rule.meaning),
        text("reason", &rule.reason),
        text("rearm", &rule.rearm),
        text("action_card", &rule.action_card),
    ]);
    print(&Listing { name: "thresholds", columns: THRESHOLD_COLUMNS, rows: &rule.thresholds, notes }, options)
}

/// A threshold's value as people give it, in its own unit, which the server tells.
pub(super) async fn read(client: &mut Client, name: &str, text: &str) -> Result<i64, Failure> {
    let rules = rules(client, WhoseArgs::default()).await?;
    let found = rules.iter().flat_map(|rule| &rule.thresholds).find(|threshold| threshold.name == name);
    let threshold = found.ok_or_else(|| {
        let help = "`beltwatch rule show RULE` names a rule's";
        Failure::new(Exit::Usage, format!("there is no threshold \"{name}\"; {help}"))
    })?;
    quantity::read(text, &threshold.unit)
        .map_err(|allowed| Failure::new(Exit::Usage, format!("{name} is \"{text}\"; {allowed}")))
}

async fn set(
    mut client: Client,
    whose: OneArgs,
    thresholds: Vec<v1::NamedValue>,
    cleared: Vec<String>,
    options: &Options,
) -> Result<(), Failure> {
    let OneArgs { site, model, machine } = whose.clone();
    let request = v1::SetThresholdsRequest {
        site_id: site.unwrap_or_default(),
        model: model.unwrap_or_default(),
        machine_id: machine.unwrap_or_default(),
        thresholds,
        cleared,
        request_id: request_id()?,
    };
    let answer = client.admin.set_thresholds(request).await?.into_inner();
    let whose = WhoseArgs { site: whose.site, model: whose.model, machine: whose.machine };
    let rules = rules(&mut client, whose).await?;
    let is_set = |threshold: &v1::Threshold| answer.thresholds.iter().any(|one| one.name == threshold.name);
    let rows: Vec<v1::Threshold> =
        rules.into_iter().flat_map(|rule| rule.thresholds).filter(is_set).collect();
    let effective = Value::Time(words::time(answer.effective_time), jiff::tz::TimeZone::UTC);
    let notes = vec![Note { name: "effective_time", value: effective }];
    print(&Listing { name: "thresholds", columns: THRESHOLD_COLUMNS, rows: &rows, notes }, options)
}
