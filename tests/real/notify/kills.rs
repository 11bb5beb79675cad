//! Kills the server around stops: before the incident is found, before it is told, while the receiver answers, after.

use std::time::Duration;

use anyhow::{Context, bail};
use wire::api::v1::NoticeState;

use super::clock;
use super::gym::{Gym, LOOK};
use super::receiver::{Message, Receiver};
use super::verdict::{Press, Seen, Strike};

/// The latest moment of a kill after the press.
const LATEST_MS: u64 = 400;
/// The latest moment of those that are to strike early.
const EARLY_MS: u64 = 100;
/// Of those that strike behind a message, so long after it came at most.
const BEHIND_US: u64 = 10_000;
/// How long everything may take to be told at the end. A contact that got much gets the rest within a minute.
const END: Duration = Duration::from_secs(100);

/// Presses a stop, kills the server, starts it again, and so on.
pub(super) async fn kill_many(
    gym: &mut Gym,
    receiver: &Receiver,
    random: &mut fastrand::Rng,
    kills: usize,
    presses: &mut Vec<Press>,
) -> anyhow::Result<()> {
    for kill in 0..kills {
        let number = kill % gym.machines.len();
        gym.boot(number).await?;
        gym.machines[number].runs().await?;
        gym.delivered(number).await?;
        let before = receiver.messages().len();
        gym.machines[number].press();
        let machine = gym.machines[number].name.clone();
        match random.u32(0..3) {
            0 => tokio::time::sleep(Duration::from_millis(random.u64(0..=EARLY_MS))).await,
            1 => tokio::time::sleep(Duration::from_millis(random.u64(0..=LATEST_MS))).await,
            _ => {
                receiver.wait_for(&machine, before, Duration::from_millis(LATEST_MS)).await;
                tokio::time::sleep(Duration::from_micros(random.u64(0..=BEHIND_US))).await;
            }
        }
        gym.kill().await.with_context(|| format!("kill {}", kill + 1))?;
        let killed_ms = clock::now_ms();
        gym.start_again().await.with_context(|| format!("after kill {}", kill + 1))?;
        presses.push(Press { machine, strike: Some(Strike { killed_ms }) });
    }
    Ok(())
}

/// Waits until the server has every event, and until everything critical was told.
pub(super) async fn settle(
    gym: &mut Gym,
    receiver: &Receiver,
    contact: &str,
    presses: Vec<Press>,
) -> anyhow::Result<Seen> {
    for number in 0..gym.machines.len() {
        gym.boot(number).await?;
    }
    for number in 0..gym.machines.len() {
        gym.delivered(number).await?;
    }
    let deadline = tokio::time::Instant::now() + END;
    loop {
        let incidents = gym.critical().await?;
        let notices = gym.notices(contact).await?;
        let waiting = notices.iter().filter(|notice| notice.state() == NoticeState::Waiting).count();
        let is_planned = |id: &str| notices.iter().any(|notice| notice.incident_id == id && notice.step == 1);
        let unplanned = incidents.iter().filter(|incident| !is_planned(&incident.id)).count();
        if waiting == 0 && unplanned == 0 {
            let of_contact = |message: &Message| message.contact == contact;
            let messages = receiver.messages().into_iter().filter(of_contact).collect();
            // What came just now is listed, too.
            let notices = gym.notices(contact).await?;
            return Ok(Seen { incidents, notices, messages, presses });
        }
        if tokio::time::Instant::now() >= deadline {
            bail!("after {END:?} {waiting} notices still wait, and {unplanned} incidents have none");
        }
        tokio::time::sleep(LOOK * 10).await;
    }
}
