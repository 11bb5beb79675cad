//! Notifications of a server that is killed, to a receiver of webhooks and over a real mail server.

mod belt;
mod clock;
mod delay;
mod exim;
mod gym;
mod kills;
mod letter;
mod mail;
mod program;
mod receiver;
mod verdict;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use wire::api::v1::{Contact, NoticeState};

use self::gym::Gym;
use self::kills::{kill_many, settle};
use self::program::free_ports;
use self::receiver::{Manner, Receiver};
use self::verdict::Press;
use crate::report;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many kills
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    kills: u16,
    /// Seed of the moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The mail server exim4; it needs root. Without it no mail is sent
    #[arg(long, value_name = "FILE")]
    exim: Option<PathBuf>,
    /// Keep the folders with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

/// The contact that is told of every incident.
const DESK: &str = "desk";
/// Enough that none is pressed more often than its contact could be, and each runs again before its next turn.
const MACHINES: usize = 24;
/// Longest pause before the receiver answers, in milliseconds.
const LATE_MS: u64 = 300;
/// How long 100 kills with all around them may take.
const RUN_MAX: Duration = Duration::from_secs(240);

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = tokio::time::Instant::now();
    let mut gym = Gym::start(None).await?;
    let longest = RUN_MAX * u32::from(arguments.kills).div_ceil(100);
    let outcome = tokio::time::timeout(longest, Box::pin(webhooks(&mut gym, arguments))).await;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(_) => Err(anyhow::anyhow!("not done after {longest:?}")),
    };
    if outcome.is_err() || arguments.keep {
        gym.keep();
    }
    report(&format!("notify: webhooks: {} s", began.elapsed().as_secs()));
    outcome?;
    if let Some(exim) = &arguments.exim {
        let began = tokio::time::Instant::now();
        Box::pin(mail::run(exim, arguments.keep)).await?;
        report(&format!("notify: mail: {} s", began.elapsed().as_secs()));
    }
    Ok(())
}

async fn webhooks(gym: &mut Gym, arguments: &Arguments) -> anyhow::Result<()> {
    let receiver = Receiver::start(arguments.seed).await?;
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    set_webhook(gym, &receiver, DESK).await?;
    gym.tell(DESK).await?;
    gym.add_machines(MACHINES).await?;
    let mut presses = Vec::new();
    for (name, manner) in
        [("answers", Manner::Takes(0)), ("hangs", Manner::Hangs), ("refuses", Manner::Refuses)]
    {
        receiver.behave(manner);
        measure_delay(gym, &receiver, name, &mut presses).await?;
    }
    receiver.behave(Manner::Takes(LATE_MS));
    // As whoever has put the receiver right would do: otherwise it is left alone for up to five minutes.
    let secret = gym.set_contact(webhook(&receiver, DESK)).await?;
    ensure!(secret.is_empty(), "a contact that stays a webhook keeps its secret");
    kill_many(gym, &receiver, &mut random, arguments.kills.into(), &mut presses).await?;
    report(&format!("notify: seed {}, {} kills of the server", arguments.seed, arguments.kills));
    let seen = settle(gym, &receiver, DESK, presses).await?;
    let verdict = verdict::judge(&seen);
    report(&format!("notify: {verdict}"));
    try_contacts(gym, &receiver).await?;
    gym.stop().await?;
    let faults = receiver.faults();
    ensure!(faults.is_empty(), "{} messages are wrong:\n{}", faults.len(), faults.join("\n"));
    ensure!(verdict.is_clean(), "what was told is not what happened");
    report(
        "notify: each critical incident was taken at least once, under one id of its own, signed with the contact's \
         secret, and is listed as sent",
    );
    Ok(())
}

/// Stops of a new life of the server, so that the receiver gets messages: within one it gets only so many in ten minutes.
async fn measure_delay(
    gym: &mut Gym,
    receiver: &Receiver,
    name: &str,
    presses: &mut Vec<Press>,
) -> anyhow::Result<()> {
    gym.kill().await?;
    gym.start_again().await?;
    for number in 0..MACHINES {
        gym.boot(number).await?;
        gym.delivered(number).await?;
    }
    let before = receiver.messages().len();
    let times = delay::measure(gym, presses).await?;
    let came = receiver.messages().len() - before;
    let [p50, p99] = [50, 99].map(|percent| delay::percentile(&times, percent));
    report(&format!(
        "notify: from a stop to its incident in WatchIncidents while the receiver {name} ({came} messages): p50 \
         {p50:.1} ms, p99 {p99:.1} ms, all {} arrived",
        times.len()
    ));
    ensure!(came > 0, "the receiver got nothing meanwhile: the test proves nothing");
    Ok(())
}

async fn set_webhook(gym: &Gym, receiver: &Receiver, name: &str) -> anyhow::Result<()> {
    receiver.expect(name, &gym.set_contact(webhook(receiver, name)).await?)
}

fn webhook(receiver: &Receiver, name: &str) -> Contact {
    Contact { name: name.to_owned(), webhook_url: receiver.url(name), ..Default::default() }
}

/// A test that arrives, and one that cannot.
async fn try_contacts(gym: &Gym, receiver: &Receiver) -> anyhow::Result<()> {
    set_webhook(gym, receiver, "spare").await?;
    let notice = gym.test_contact("spare").await?;
    ensure!(notice.state() == NoticeState::Sent, "the test of a contact that answers: {notice:?}");
    let messages = receiver.messages();
    let mut told = messages.iter().filter(|message| message.contact == "spare").flat_map(|one| &one.told);
    ensure!(
        told.any(|told| told.id == notice.id && told.name == "test" && told.incident.is_empty()),
        "the test {} did not come; there are {messages:?}",
        notice.id
    );
    let [port] = free_ports()?;
    let webhook_url = format!("http://127.0.0.1:{port}/nobody");
    let contact = Contact { name: "nobody".to_owned(), webhook_url, ..Default::default() };
    gym.set_contact(contact).await?;
    let notice = gym.test_contact("nobody").await?;
    ensure!(
        notice.state() == NoticeState::Failed && !notice.reason.is_empty(),
        "the test of a contact where nobody is: {notice:?}"
    );
    report(&format!(
        "notify: a test to a contact is sent; one to where nobody listens: \"{}\"",
        notice.reason
    ));
    Ok(())
}
