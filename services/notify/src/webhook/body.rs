//! The body of a webhook: Alertmanager's, version 4. Each thing told is one alert.

use std::collections::BTreeMap;

use domain::limits::NOTICES_LISTED_MAX;
use serde_json::{Value, json};

use crate::message::{Message, Subject, Told};
use crate::text;

/// What Alertmanager writes for an end that has not come.
const NO_END: &str = "0001-01-01T00:00:00Z";

type Words = BTreeMap<&'static str, String>;

/// The body as JSON.
pub(super) fn of(message: &Message) -> Value {
    let listed = &message.told[..message.told.len().min(NOTICES_LISTED_MAX)];
    let alerts: Vec<(Words, Words)> = listed.iter().map(|told| (labels(told), annotations(told))).collect();
    let common_labels = common(alerts.iter().map(|(labels, _)| labels));
    let common_annotations = common(alerts.iter().map(|(_, annotations)| annotations));
    let is_firing = listed.iter().any(|told| ended(told).is_none());
    let group: Words =
        common_labels.iter().filter(|(name, _)| **name == "site").map(|(n, v)| (*n, v.clone())).collect();
    let alerts: Vec<Value> =
        listed.iter().zip(alerts).map(|(told, words)| alert(message, told, words)).collect();
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{contact=\"{}\"}}/{}", message.contact.name, message.id),
        "truncatedAlerts": message.more,
        "status": if is_firing { "firing" } else { "resolved" },
        "receiver": message.contact.name,
        "groupLabels": group,
        "commonLabels": common_labels,
        "commonAnnotations": common_annotations,
        "externalURL": message.url,
        "alerts": alerts,
    })
}

fn alert(message: &Message, told: &Told, (labels, annotations): (Words, Words)) -> Value {
    let ended = ended(told);
    let started = match &told.subject {
        Subject::Incident(story) => story.stored.incident.time,
        Subject::Test { .. } | Subject::Head(_) | Subject::Weekly(_) => message.time,
    };
    json!({
        "status": if ended.is_some() { "resolved" } else { "firing" },
        "labels": labels,
        "annotations": annotations,
        "startsAt": text::rfc_3339(started),
        "endsAt": ended.unwrap_or_else(|| NO_END.to_owned()),
        "generatorURL": format!("{}{}", message.url, told.path()),
        "fingerprint": told.id.to_string(),
    })
}

fn ended(told: &Told) -> Option<String> {
    match &told.subject {
        // A stop is over at once and needs somebody all the same: it goes on until somebody has dealt with it.
        Subject::Incident(story) => {
            let closing = story.stored.handling.closing.as_ref();
            closing.map(|closing| text::rfc_3339(closing.first.time))
        }
        Subject::Test { .. } | Subject::Head(_) | Subject::Weekly(_) => None,
    }
}

fn labels(told: &Told) -> Words {
    let mut labels = Words::from([("severity", told.severity.name().to_owned())]);
    match &told.subject {
        Subject::Incident(story) => {
            let incident = &story.stored.incident;
            labels.insert("alertname", incident.rule.name().to_owned());
            labels.insert("site", story.site_id.clone());
            labels.insert("machine", incident.machine.to_string());
            labels.insert("incident", incident.id.to_string());
        }
        Subject::Test { .. } => {
            labels.insert("alertname", "test".to_owned());
        }
        Subject::Head(head) => {
            labels.insert("alertname", "head".to_owned());
            labels.insert("facts", head.facts.to_string());
            labels.insert("root", head.root.clone());
        }
        Subject::Weekly(week) => {
            labels.insert("alertname", "weekly".to_owned());
            labels.insert("site", week.site_id.clone());
            labels.insert("from", week.from.clone());
            labels.insert("until", week.until.clone());
        }
    }
    labels
}

fn annotations(told: &Told) -> Words {
    let mut words = Words::from([("summary", told.summary())]);
    let head = match &told.subject {
        Subject::Head(head) => Some(head),
        Subject::Weekly(week) => week.head.as_ref(),
        Subject::Incident(_) | Subject::Test { .. } => None,
    };
    if let Some(head) = head {
        words.insert("signed_head", head.signed.clone());
    }
    match &told.subject {
        Subject::Incident(story) => {
            words.insert("description", story.card().to_owned());
            words.insert("happened", told.description());
            words.insert("site_name", story.site.clone());
            words.insert("machine_name", story.machine.clone());
            words.insert("local_time", story.local_time());
            words.insert("machines", (story.members + 1).to_string());
        }
        Subject::Test { .. } | Subject::Head(_) => {
            words.insert("description", told.description());
        }
        Subject::Weekly(week) => {
            words.insert("description", week.text.clone());
            words.insert("site_name", week.site.clone());
        }
    }
    words
}

/// What all say alike.
fn common<'a>(mut all: impl Iterator<Item = &'a Words>) -> Words {
    let Some(mut common) = all.next().cloned() else { return Words::new() };
    for words in all {
        common.retain(|name, value| words.get(name) == Some(value));
    }
    common
}
