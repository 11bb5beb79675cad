//! What became of a step: a line an incident.

use wire::api::v1;

use super::row::{COLUMNS as INCIDENT_COLUMNS, Shown};
use crate::client::Options;
use crate::command::pages::Zones;
use crate::command::print;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Value};

/// What became of a step about one incident, with what is needed to show it.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    id: String,
    error: String,
    reason: String,
    /// As it is now, if the step was taken.
    row: Option<Shown>,
}

impl Outcome {
    pub(super) fn new(result: v1::StepResult, zones: &Zones) -> Outcome {
        let v1::StepResult { incident_id, incident, error, reason } = result;
        let row = incident.map(|incident| Shown::new(incident, zones));
        Outcome { id: incident_id, error, reason, row }
    }

    fn is_refused(&self) -> bool {
        self.row.is_none() || !self.error.is_empty()
    }

    /// What a listing of incidents says under this name; nothing is known of one that was refused.
    fn as_listed(&self, name: &str) -> Value {
        let column = INCIDENT_COLUMNS.iter().find(|column| column.name == name);
        let value = column.zip(self.row.as_ref()).map(|(column, row)| (column.value)(row));
        value.unwrap_or_else(|| Value::Text(String::new()))
    }
}

/// One that `--normal-stop` must not close.
pub(super) fn no_normal_stop(incident_id: String) -> v1::StepResult {
    let error = "it is no stop after which a moving belt came to rest as it should; close it with --cause, --hurt and \
                 --note";
    refused(incident_id, error, "NO_NORMAL_STOP")
}

/// One that is not there.
pub(super) fn not_found(incident_id: String, error: &str) -> v1::StepResult {
    refused(incident_id, error, "NOT_FOUND")
}

fn refused(incident_id: String, error: &str, reason: &str) -> v1::StepResult {
    v1::StepResult { incident_id, incident: None, error: error.to_owned(), reason: reason.to_owned() }
}

const COLUMNS: &[Column<Outcome>] = &[
    Column { name: "id", title: "id", value: |row| Value::Text(row.id.clone()) },
    Column {
        name: "result",
        title: "result",
        value: |row| Value::Text(if row.is_refused() { "refused" } else { "done" }.to_owned()),
    },
    Column { name: "machine_id", title: "machine", value: |row| row.as_listed("machine_id") },
    Column { name: "title", title: "incident", value: |row| row.as_listed("title") },
    Column { name: "handling", title: "handling", value: |row| row.as_listed("handling") },
    Column { name: "assignee", title: "assignee", value: |row| row.as_listed("assignee") },
    Column { name: "reason", title: "", value: |row| Value::Text(row.reason.clone()) },
    Column { name: "error", title: "why not", value: |row| Value::Text(row.error.clone()) },
];

/// Prints them all. It is a failure if any was refused.
pub(super) fn print_all(outcomes: &[Outcome], options: &Options) -> Result<(), Failure> {
    let listing = Listing { name: "results", columns: COLUMNS, rows: outcomes, notes: Vec::new() };
    print(&listing, options)?;
    judged(outcomes)
}

fn judged(outcomes: &[Outcome]) -> Result<(), Failure> {
    let refused = outcomes.iter().filter(|outcome| outcome.is_refused()).count();
    if refused == 0 {
        return Ok(());
    }
    Err(Failure::new(Exit::Data, format!("refused: {refused} of {}", outcomes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Format;

    #[test]
    fn each_incident_has_its_own_line_and_any_refusal_is_a_failure() {
        let handling = v1::Handling {
            state: v1::HandlingState::InProgress.into(),
            assignee: "anna".to_owned(),
            ..v1::Handling::default()
        };
        let incident = v1::Incident {
            machine_id: "tm-1".to_owned(),
            title: "Emergency stop".to_owned(),
            handling: Some(handling),
            ..v1::Incident::default()
        };
        let done =
            v1::StepResult { incident_id: "aa".to_owned(), incident: Some(incident), ..Default::default() };
        let rows =
            [done, no_normal_stop("bb".to_owned())].map(|result| Outcome::new(result, &Zones::default()));
        let listing = Listing { name: "results", columns: COLUMNS, rows: &rows, notes: Vec::new() };
        let printed = |format| {
            let mut out = Vec::new();
            listing.print(format, &mut out, &mut Vec::new()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            printed(Format::Table),
            "id  result   machine  incident        handling     assignee  why not\n\
             aa  done     tm-1     Emergency stop  in progress  anna\n\
             bb  refused                                                  it is no stop after which a moving belt came to \
             rest as it should; close it with --cause, --hurt and --note\n"
        );
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(json["results"][0]["handling"], "in_progress");
        assert_eq!(json["results"][1]["reason"], "NO_NORMAL_STOP");
        assert_eq!(judged(&rows[..1]), Ok(()));
        assert_eq!(judged(&rows), Err(Failure::new(Exit::Data, "refused: 1 of 2")));
    }
}
