//! Incidents by mail, over a real mail server that is away for a while.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use wire::api::v1::{Contact, GetIncidentRequest, Incident, Notice, NoticeState};

use super::exim::Exim;
use super::gym::{Gym, LOOK, MailPlan, SITE, display_name};
use super::letter::Letter;
use crate::processes::PATIENCE;
use crate::report;

/// The contact, its address, and whom mail is from.
const STAFF: &str = "staff";
const TO: &str = "staff@gym.example";
const FROM: &str = "Beltwatch <beltwatch@gym.example>";

pub(super) async fn run(program: &Path, keep: bool) -> anyhow::Result<()> {
    let mut exim = Exim::start(program).await?;
    let plan = MailPlan { server: exim.address(), from: FROM.to_owned(), authority: exim.authority() };
    let mut gym = Gym::start(Some(&plan)).await?;
    let outcome = write_letters(&mut gym, &mut exim).await;
    if outcome.is_err() || keep {
        gym.keep();
        exim.keep();
    }
    outcome
}

async fn write_letters(gym: &mut Gym, exim: &mut Exim) -> anyhow::Result<()> {
    let contact = Contact { name: STAFF.to_owned(), email: TO.to_owned(), ..Default::default() };
    let secret = gym.set_contact(contact).await?;
    ensure!(secret.is_empty(), "mail has no secret");
    gym.tell(STAFF).await?;
    gym.add_machines(2).await?;
    let test = gym.test_contact(STAFF).await?;
    ensure!(test.state() == NoticeState::Sent, "the test of a contact with a mail address: {test:?}");
    let letter = letter_of(exim, &test).await?;
    ensure!(letter.header("subject").contains("Test message"), "a test has the subject of one: {letter:?}");

    let incident = stop(gym, 0).await?;
    let first = gym.notice("a mail about the stop is sent", STAFF, is_sent(&incident)).await?;
    let letter = letter_of(exim, &first).await?;
    check(gym, &incident, &letter, 1).await?;
    report(&format!("notify: a mail over STARTTLS: \"{}\"", letter.header("subject")));

    exim.stop().await?;
    let incident = stop(gym, 1).await?;
    let is_tried = |notice: &Notice| {
        notice.incident_id == incident.id
            && notice.state() == NoticeState::Waiting
            && notice.attempts >= 2
            && !notice.reason.is_empty()
    };
    let waiting = gym.notice("the mail is tried again, with a reason", STAFF, is_tried).await?;
    report(&format!(
        "notify: without a mail server, after {} attempts: \"{}\"",
        waiting.attempts, waiting.reason
    ));
    exim.start_again().await?;
    let notice = gym.notice("the mail is sent at last", STAFF, is_sent(&incident)).await?;
    ensure!(notice.id == waiting.id, "the notice keeps its id: {} and {}", waiting.id, notice.id);
    ensure!(notice.attempts > waiting.attempts, "it was tried again: {notice:?}");
    let letter = letter_of(exim, &notice).await?;
    check(gym, &incident, &letter, 2).await?;
    gym.stop().await?;
    exim.stop().await?;
    check_all(exim, &[test, first, notice])?;
    report(&format!(
        "notify: mail: a test, a stop and a stop without a mail server arrived, the last after {} attempts, each under \
         the id of its notice",
        waiting.attempts + 1
    ));
    Ok(())
}

fn is_sent(incident: &Incident) -> impl Fn(&Notice) -> bool {
    |notice| notice.incident_id == incident.id && notice.state() == NoticeState::Sent
}

/// Presses the stop of a machine whose agent has told that its belt runs, and gives the incident.
async fn stop(gym: &mut Gym, number: usize) -> anyhow::Result<Incident> {
    gym.delivered(number).await?;
    let machine = gym.machines[number].name.clone();
    gym.machines[number].press();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let is_its =
            |incident: &Incident| incident.machine_id == machine && incident.rule == "emergency-stop";
        if let Some(incident) = gym.critical().await?.into_iter().find(is_its) {
            return Ok(incident);
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("the stop of {machine} is no incident after {PATIENCE:?}")
}

/// Waits for the mail of a notice.
async fn letter_of(exim: &Exim, notice: &Notice) -> anyhow::Result<Letter> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        for written in exim.mailbox()? {
            let letter = Letter::read(&written)?;
            if letter.header("message-id") == message_id(notice) {
                return Ok(letter);
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("no mail {} came; there are {:?}", message_id(notice), exim.mailbox()?)
}

fn message_id(notice: &Notice) -> String {
    format!("<{}@gym.example>", notice.id)
}

/// Whom it is from and to, what it says, and where more is to be read.
async fn check(gym: &Gym, incident: &Incident, letter: &Letter, number: usize) -> anyhow::Result<()> {
    let request = GetIncidentRequest { incident_id: incident.id.clone() };
    let whole = gym.client().await?.incidents.get_incident(request).await?.into_inner();
    let card = whole.rule.context("an incident has a rule")?.action_card;
    let machine = display_name(number);
    let expected = [("from", FROM), ("to", TO)];
    for (name, value) in expected {
        let bare = letter.header(name).replace('"', "");
        ensure!(bare == value, "{name} is {bare}, not {value}");
    }
    let subject = letter.header("subject");
    for word in [SITE.1, &machine, "critical", "emergency-stop"] {
        ensure!(subject.contains(word), "the subject does not name {word}: {subject}");
    }
    let link = format!("{}/incident/{}", gym.url(), incident.id);
    let summary = format!("critical: Emergency stop, {machine}, {}", SITE.1);
    for words in [summary.as_str(), "Emergency stop at ", "Belt speed ", &card, &link] {
        ensure!(!words.is_empty() && letter.text.contains(words), "\"{words}\" is not in {}", letter.text);
    }
    Ok(())
}

/// Of each notice there is one mail.
fn check_all(exim: &Exim, known: &[Notice]) -> anyhow::Result<()> {
    let letters: Vec<Letter> =
        exim.mailbox()?.iter().map(|written| Letter::read(written)).collect::<anyhow::Result<_>>()?;
    for notice in known {
        let count = letters.iter().filter(|letter| letter.header("message-id") == message_id(notice)).count();
        ensure!(count == 1, "{count} mails {}: nothing was killed, so there is one", message_id(notice));
    }
    Ok(())
}
