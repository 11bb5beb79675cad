//! What people did about one incident, by when something has to be done, and who was told.

use jiff::tz::TimeZone;
use serde_json::json;
use tonic::{Code, Status};
use wire::api::v1;

use super::row::Shown;
use super::timeline;
use crate::client::Client;
use crate::command::notice;
use crate::failure::Failure;
use crate::table::{Row, people_text};
use crate::words;

/// Notices that are asked for.
const NOTICES: i32 = 500;
/// Members of an outage that people are shown by name. More: only how many there are; JSON has all.
const MEMBERS_SHOWN_MAX: usize = 20;

/// What was asked for besides the incident. `None`: the caller may not see it.
#[derive(Debug, Default)]
pub(super) struct Told {
    steps: Option<Vec<timeline::Shown>>,
    members: Vec<v1::Incident>,
    notices: Option<Vec<notice::Shown>>,
}

impl Told {
    pub(super) async fn fetch(client: &mut Client, id: &str, zone: &TimeZone) -> Result<Told, Failure> {
        let request = v1::ListIncidentStepsRequest { incident_id: id.to_owned() };
        let steps =
            seen(client.handling.list_incident_steps(request).await.map(tonic::Response::into_inner))?;
        let request = v1::ListNoticesRequest {
            incident_id: id.to_owned(),
            page_size: NOTICES,
            ..v1::ListNoticesRequest::default()
        };
        let notices = client.notifications.list_notices(request).await.map(tonic::Response::into_inner);
        let notices = seen(notices)?.map(|answer| answer.notices);
        Ok(Told::new(steps, notices, zone))
    }

    fn new(
        steps: Option<v1::ListIncidentStepsResponse>,
        notices: Option<Vec<v1::Notice>>,
        zone: &TimeZone,
    ) -> Told {
        let (steps, members) = steps.map(|answer| (answer.steps, answer.members)).unzip();
        let step = |step| timeline::Shown::new(step, zone);
        // The last one first is for lists; here they are read along the timeline.
        let in_time = |notices: Vec<v1::Notice>| {
            notices.into_iter().rev().map(|notice| notice::Shown { notice, zone: zone.clone() }).collect()
        };
        Told {
            steps: steps.map(|steps: Vec<_>| steps.into_iter().map(step).collect()),
            members: members.unwrap_or_default(),
            notices: notices.map(in_time),
        }
    }

    /// Lines for people: what they are about, and the rest.
    pub(super) fn sentences(&self, row: &Shown) -> Vec<(&'static str, String)> {
        let handling = row.incident.handling.clone().unwrap_or_default();
        let time = |time| people_text(&row.time(time));
        let deed = |deed: &v1::Deed| format!("by {} at {}", deed.author, time(deed.time));
        let mut lines = Vec::new();
        let mut say = |name, text: String| lines.push((name, text));
        if row.incident.drill > 0 {
            say("proof test", format!("{}; it is no incident", row.incident.drill));
        }
        if let Some(acknowledged) = &handling.acknowledged {
            say("acknowledged", deed(acknowledged));
        }
        if handling.shelve_until_time.is_some() {
            say("shelved", format!("until {}", time(handling.shelve_until_time)));
        }
        if let Some(closing) = &handling.closed {
            let how = timeline::closed(words::cause(handling.cause), words::hurt(handling.hurt));
            let how = how.strip_prefix("closed: ").map(|how| format!("; {how}")).unwrap_or_default();
            say("closed", format!("{}{how}", deed(closing)));
        }
        if let Some(corrected) = &handling.corrected {
            say("corrected", deed(corrected));
        }
        if handling.legal_hold {
            say("legal hold", "its data is kept against retention".to_owned());
        }
        for deadline in &handling.deadlines {
            let due = time(deadline.due_time);
            let what = match (deadline.met_time, is_missed(row, deadline)) {
                (Some(_), false) => format!("met at {}", time(deadline.met_time)),
                (Some(_), true) => format!("met too late, at {}", time(deadline.met_time)),
                (None, false) => "not met yet".to_owned(),
                (None, true) => "missed".to_owned(),
            };
            say("deadline", format!("{} by {due}: {what}", deadline.name));
        }
        self.say_outage(&handling, &mut say);
        self.say_notices(&mut say);
        match &self.steps {
            Some(steps) => steps.iter().for_each(|step| say("step", step.line())),
            None => say("steps", "you may not see them".to_owned()),
        }
        if handling.is_normal_stop && handling.closed.is_none() {
            let command = format!("beltwatch incident close {} --normal-stop", row.incident.id);
            say("a normal stop", format!("after speaking to the person: {command}"));
        }
        lines
    }

    fn say_outage(&self, handling: &v1::Handling, say: &mut impl FnMut(&'static str, String)) {
        if !handling.lead_incident_id.is_empty() {
            say("outage", format!("part of the one that {} stands for", handling.lead_incident_id));
        }
        if self.members.is_empty() {
            return;
        }
        let shown = self.members.iter().take(MEMBERS_SHOWN_MAX);
        let names: Vec<String> = shown.map(|one| format!("{} ({})", one.machine_id, one.id)).collect();
        let more = self.members.len().saturating_sub(MEMBERS_SHOWN_MAX);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        say("outage", format!("it stands for {} more: {}{more}", self.members.len(), names.join(", ")));
    }

    fn say_notices(&self, say: &mut impl FnMut(&'static str, String)) {
        match &self.notices {
            Some(notices) if notices.is_empty() => say("told", "nobody".to_owned()),
            Some(notices) => notices.iter().for_each(|notice| say("told", notice.line())),
            None => say("told", "you may not see who was".to_owned()),
        }
    }

    /// Deadlines for programs.
    pub(super) fn deadlines(&self, row: &Shown) -> serde_json::Value {
        let deadlines = row.incident.handling.iter().flat_map(|handling| &handling.deadlines);
        let time = |time| words::time(time).map(|time| time.to_string());
        deadlines
            .map(|deadline| {
                json!({
                    "name": deadline.name,
                    "due_time": time(deadline.due_time),
                    "met_time": time(deadline.met_time),
                    "is_missed": is_missed(row, deadline),
                })
            })
            .collect()
    }

    /// Steps for programs; null if the caller may not see them.
    pub(super) fn timeline(&self) -> serde_json::Value {
        let steps = self.steps.as_ref();
        json!(steps.map(|steps| rows(steps, timeline::COLUMNS)))
    }

    /// Members of the outage, for programs.
    pub(super) fn members(&self) -> serde_json::Value {
        self.members.iter().map(|one| json!({ "id": one.id, "machine_id": one.machine_id })).collect()
    }

    /// Notices for programs; null if the caller may not see them.
    pub(super) fn notices(&self) -> serde_json::Value {
        let notices = self.notices.as_ref();
        json!(notices.map(|notices| rows(notices, notice::COLUMNS)))
    }
}

fn rows<T>(rows: &[T], columns: &'static [crate::table::Column<T>]) -> Vec<serde_json::Value> {
    rows.iter().map(|row| json!(Row { row, columns })).collect()
}

/// Whether it was not done in time, as far as this computer's clock can tell.
fn is_missed(row: &Shown, deadline: &v1::DeadlineState) -> bool {
    let end = words::time(deadline.met_time).unwrap_or(row.now);
    words::time(deadline.due_time).is_some_and(|due| due < end)
}

/// `None` for what the caller may not see: the rest of the incident is shown all the same.
fn seen<T>(answer: Result<T, Status>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::PermissionDenied => Ok(None),
        Err(status) => Err(status.into()),
    }
}

#[cfg(test)]
pub(super) fn of(steps: Vec<v1::IncidentStep>, members: Vec<v1::Incident>, notices: Vec<v1::Notice>) -> Told {
    let answer = v1::ListIncidentStepsResponse { steps, members };
    Told::new(Some(answer), Some(notices), &TimeZone::UTC)
}
