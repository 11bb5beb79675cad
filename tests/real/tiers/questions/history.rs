//! Readings, events and sessions: pages of all sizes, and spans that end between two microseconds.

use anyhow::Context;
use futures::future::try_join_all;
use wire::api::v1;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;

use super::super::feed::MACHINES;
use super::super::server::{Reach, SITE, Tier};
use super::{About, Answers, micros, range};

/// Page sizes, and how many pages of each are asked for at most.
const PAGES: [(i32, usize); 3] = [(1, 4), (7, 4), (1_000, 100)];
/// Around so many records the span is cut to the microsecond.
const CUTS: usize = 3;

/// One of the two listings.
#[derive(Debug, Clone, Copy)]
enum Listing {
    Readings,
    Events,
}

/// What is needed of a page to ask on.
struct Page {
    next_page_token: String,
    /// Event times in microseconds since 1970.
    times: Vec<i64>,
}

/// Records, which are listed as they were told; of all machines at once.
pub(super) async fn ask(reach: &Reach, about: About, answers: &mut Answers) -> anyhow::Result<()> {
    let machines = MACHINES.iter().map(|(machine, _)| records_of(reach, about, machine));
    for of_one in try_join_all(machines).await? {
        answers.all.extend(of_one.all);
    }
    Ok(())
}

async fn records_of(reach: &Reach, about: About, machine: &str) -> anyhow::Result<Answers> {
    let mut answers = Answers::default();
    for listing in [Listing::Readings, Listing::Events] {
        let mut times = Vec::new();
        for (page_size, pages) in PAGES {
            let span = (about.from_us, about.until_us);
            let what = format!("{listing:?} of {machine}, pages of {page_size}");
            times = list(reach, listing, machine, (span, page_size, pages), &what, &mut answers).await?;
        }
        cut(reach, listing, machine, &times, &mut answers).await?;
    }
    Ok(answers)
}

/// Sessions, of which the one under way is written down now and then.
pub(super) async fn sessions(reach: &Reach, about: About, answers: &mut Answers) {
    for (machine, _) in MACHINES {
        sessions_of(reach, about, machine, answers).await;
    }
    let mut telemetry = reach.client(TelemetryServiceClient::with_interceptor);
    let request =
        v1::ListSessionsRequest { site_id: SITE.to_owned(), range: about.range(), ..Default::default() };
    answers.note(format!("ListSessions of {SITE}"), telemetry.list_sessions(request).await);
}

/// Spans that begin or end at a record, a microsecond before it or after it.
async fn cut(
    reach: &Reach,
    listing: Listing,
    machine: &str,
    times: &[i64],
    answers: &mut Answers,
) -> anyhow::Result<()> {
    let step = (times.len() / CUTS).max(1);
    for (number, at) in times.iter().copied().enumerate().step_by(step).take(CUTS) {
        let next = times.get(number + 3).copied().unwrap_or(at + 1);
        for span in [
            (at, at + 1),
            (at - 1, at),
            (at + 1, at + 2),
            (at, next.max(at + 1)),
            (at + 1, next.max(at + 1) + 1),
        ] {
            let what = format!("{listing:?} of {machine} from {} to {}", span.0, span.1);
            list(reach, listing, machine, (span, 2, 10), &what, answers).await?;
        }
    }
    Ok(())
}

/// Page by page; gives the event times of what was listed.
async fn list(
    reach: &Reach,
    listing: Listing,
    machine: &str,
    (span, page_size, pages): ((i64, i64), i32, usize),
    what: &str,
    answers: &mut Answers,
) -> anyhow::Result<Vec<i64>> {
    let (mut token, mut times) = (String::new(), Vec::new());
    for page in 1..=pages {
        let question = format!("{what}, page {page}");
        let Some(told) = one_page(reach, listing, machine, (span, page_size, token), question, answers).await
        else {
            break;
        };
        times.extend(told.times);
        token = told.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    Ok(times)
}

async fn one_page(
    reach: &Reach,
    listing: Listing,
    machine: &str,
    (span, page_size, page_token): ((i64, i64), i32, String),
    question: String,
    answers: &mut Answers,
) -> Option<Page> {
    let mut telemetry = reach.client(TelemetryServiceClient::with_interceptor);
    let (machine_id, range) = (machine.to_owned(), range(span.0, span.1));
    match listing {
        Listing::Readings => {
            let request = v1::ListReadingsRequest { machine_id, range, page_size, page_token };
            let told = answers.note(question, telemetry.list_readings(request).await)?;
            let times = told.readings.iter().filter_map(|reading| micros(reading.time)).collect();
            Some(Page { next_page_token: told.next_page_token, times })
        }
        Listing::Events => {
            let request = v1::ListEventsRequest { machine_id, range, page_size, page_token };
            let told = answers.note(question, telemetry.list_events(request).await)?;
            let times = told.events.iter().filter_map(|event| micros(event.time)).collect();
            Some(Page { next_page_token: told.next_page_token, times })
        }
    }
}

async fn sessions_of(reach: &Reach, about: About, machine: &str, answers: &mut Answers) {
    let mut telemetry = reach.client(TelemetryServiceClient::with_interceptor);
    let request = v1::ListSessionsRequest {
        machine_id: machine.to_owned(),
        range: about.range(),
        page_size: 1_000,
        ..Default::default()
    };
    let answer = telemetry.list_sessions(request).await;
    let told = answers.note(format!("ListSessions of {machine}"), answer);
    for session in told.into_iter().flat_map(|told| told.sessions).take(10) {
        let request = v1::GetSessionRequest { session_id: session.id.clone() };
        answers.note(format!("GetSession {}", session.id), telemetry.get_session(request).await);
    }
}

/// How many events and readings of a machine are listed.
pub(in super::super) async fn listed(tier: &Tier, about: About, machine: &str) -> anyhow::Result<[u64; 2]> {
    let (reach, mut answers) = (tier.reach().await?, Answers::default());
    let span = (about.from_us, about.until_us);
    let mut counts = [0; 2];
    for (count, listing) in counts.iter_mut().zip([Listing::Events, Listing::Readings]) {
        let times = list(&reach, listing, machine, (span, 10_000, 1_000), "", &mut answers).await;
        *count = times.context("listing")?.len() as u64;
    }
    Ok(counts)
}
