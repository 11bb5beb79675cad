//! How a machine's belt comes to rest: what is proven, the last measured stops with their trend, and the way to the
//! proof test.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::stop_chart::Chart;
use crate::administration::Origin;
use crate::call::answer;
use crate::drill::{self, CONTACTS, Code, StopLine, contact_name, proof_state};
use crate::frame::{self, MissingPart};
use crate::outage::Part;
use crate::router::Dashboard;
use crate::texts::{Language, Texts};
use crate::visitor::Visitor;
use crate::words;

/// Stops in the chart.
const DRAWN: i32 = 100;
/// Stops in the table.
const LISTED: usize = 10;

/// What is known of a machine's stops.
#[derive(Debug, Template)]
#[template(path = "machine_stops.html")]
pub(super) struct StopsPart {
    t: Texts,
    id: String,
    drill: String,
    missing: Vec<MissingPart>,
    proofs: Vec<ProofLine>,
    stops: Vec<StopLine>,
    cut: bool,
    chart: Option<Chart>,
    trends: Vec<String>,
}

/// Whether one contact is proven.
#[derive(Debug)]
struct ProofLine {
    contact: String,
    state: (&'static str, &'static str),
    last: String,
    due: String,
}

pub(super) async fn stops(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    zone: &TimeZone,
) -> StopsPart {
    let t = visitor.t();
    let proofs = v1::ListProofsRequest { machine_id: machine.to_owned(), ..v1::ListProofsRequest::default() };
    let stops = v1::ListStopsRequest { machine_id: machine.to_owned(), range: None, page_size: DRAWN };
    let (mut one, mut other) = (dashboard.clients().drills(), dashboard.clients().drills());
    let proofs = answer(one.list_proofs(visitor.caller.request(proofs)));
    let stops = answer(other.list_stops(visitor.caller.request(stops)));
    let (proofs, stops) = tokio::join!(proofs, stops);
    let mut missing = Vec::new();
    let proofs = dashboard.outages().note(Part::Proofs, proofs).map_err(|one| missing.push(one));
    let stops = dashboard.outages().note(Part::Stops, stops).map_err(|one| missing.push(one));
    let (proofs, stops) = (proofs.unwrap_or_default().proofs, stops.unwrap_or_default());
    let line = |stop: &v1::Stop| StopLine::new(stop, zone, visitor.reader);
    StopsPart {
        t,
        id: machine.to_owned(),
        drill: drill::path(machine),
        missing: missing.iter().map(|one| MissingPart::new(one, t, zone)).collect(),
        trends: trends(&proofs, &stops.trends, t),
        proofs: proofs.iter().map(|proof| proof_line(proof, zone, t)).collect(),
        cut: stops.stops.len() > LISTED || stops.has_more,
        chart: Chart::of(&stops.stops, zone, t),
        stops: stops.stops.iter().take(LISTED).map(line).collect(),
    }
}

fn proof_line(proof: &v1::Proof, zone: &TimeZone, t: Texts) -> ProofLine {
    let day = |time| words::moment(time).map(|at| at.to_zoned(zone.clone()).date().to_string());
    ProofLine {
        contact: contact_name(&proof.contact, t),
        state: proof_state(proof.state(), t),
        last: day(proof.last_time).map(|day| t.proof_last_at(day)).unwrap_or_default(),
        due: day(proof.due_time).map(|day| t.proof_due_by(day)).unwrap_or_default(),
    }
}

/// How the braking of each contact that can be measured changes.
fn trends(proofs: &[v1::Proof], trends: &[v1::StopTrend], t: Texts) -> Vec<String> {
    let is_blind = |contact: &str| {
        proofs.iter().any(|proof| proof.contact == contact && proof.state() == v1::ProofState::Blind)
    };
    let measured = CONTACTS.into_iter().filter(|contact| !is_blind(contact));
    let told = |contact: &str| {
        let name = contact_name(contact, t);
        match trends.iter().find(|trend| trend.contact == contact) {
            Some(trend) => t.trend_of(name, trend_words(trend, t), trend.stops),
            None => t.trend_of_few(name, t.trend_few()),
        }
    };
    measured.map(told).collect()
}

/// How much longer a stop takes than a month ago, in words: at the same speed the time goes with the inverse of the
/// deceleration.
fn trend_words(trend: &v1::StopTrend, t: Texts) -> String {
    let change = trend.deceleration_percent_per_30_days.max(-90.0);
    let longer = (1.0 / (1.0 + change / 100.0) - 1.0) * 100.0;
    let number = |value: f64| {
        let text = if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        match t.language {
            Language::English => text,
            Language::German => text.replace('.', ","),
        }
    };
    if longer >= 1.0 {
        t.trend_longer(number(longer))
    } else if longer <= -1.0 {
        t.trend_shorter(number(-longer))
    } else {
        t.trend_same().to_owned()
    }
}

/// The code that leads a phone to the proof test of a machine.
#[derive(Debug, Template)]
#[template(path = "machine_tag.html")]
pub(super) struct TagPart {
    t: Texts,
    id: String,
    code: Option<Code>,
}

impl TagPart {
    pub(super) fn new(dashboard: &Dashboard, visitor: &Visitor, machine: &str, origin: &Origin) -> TagPart {
        let code = Code::of(dashboard, origin, machine);
        TagPart { t: visitor.t(), id: machine.to_owned(), code }
    }
}

/// The part with the stops, to be shown anew.
pub(crate) async fn part(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match super::find(&dashboard, &visitor, &id).await {
        Ok(found) => frame::html(StatusCode::OK, &stops(&dashboard, &visitor, &id, &found.zone).await),
        Err(response) => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_tells_the_time_and_not_the_deceleration() {
        let check = |percent: f64, english: &str, german: &str| {
            let trend =
                v1::StopTrend { deceleration_percent_per_30_days: percent, ..v1::StopTrend::default() };
            assert_eq!(trend_words(&trend, Texts { language: Language::English }), english, "{percent}");
            assert_eq!(trend_words(&trend, Texts { language: Language::German }), german, "{percent}");
        };
        let same = ("takes as long as a month ago", "braucht so lange wie vor einem Monat");
        for percent in [0.0, 0.9, -0.9] {
            check(percent, same.0, same.1);
        }
        check(-4.0, "takes 4.2 % longer than a month ago", "braucht 4,2 % länger als vor einem Monat");
        check(-50.0, "takes 100 % longer than a month ago", "braucht 100 % länger als vor einem Monat");
        let german = "braucht 20 % weniger Zeit als vor einem Monat";
        check(25.0, "takes 20 % less time than a month ago", german);
        // A nonsense trend is still a sentence.
        check(-500.0, "takes 900 % longer than a month ago", "braucht 900 % länger als vor einem Monat");
    }

    #[test]
    fn a_contact_without_a_trend_says_so_and_a_blind_one_says_nothing() {
        let t = Texts { language: Language::English };
        let proof = |contact: &str, state: v1::ProofState| v1::Proof {
            contact: contact.to_owned(),
            state: state.into(),
            ..v1::Proof::default()
        };
        let proofs =
            [proof("emergency_stop", v1::ProofState::Proven), proof("safety_key", v1::ProofState::Blind)];
        assert_eq!(trends(&proofs, &[], t), ["Emergency stop: too few stops to tell a trend."]);
        let trend =
            v1::StopTrend { contact: "emergency_stop".to_owned(), stops: 7, ..v1::StopTrend::default() };
        let told = ["Emergency stop: takes as long as a month ago (7 stops)."];
        assert_eq!(trends(&proofs, &[trend], t), told);
    }
}
