//! A burst into a subscriber that takes nothing: the broker holds what it has acknowledged.

use std::collections::BTreeSet;

use anyhow::ensure;
use bytes::Bytes;
use domain::ids::MachineId;
use wire::topics::{Kind, Topic, filter_all};

use super::client::{Client, Wish};
use super::stage::Stage;
use crate::report;

const MESSAGES: u32 = 20_000;
/// Of one message: more than the usual.
const BYTES: usize = 2_000;
/// Messages that the publisher has under way.
const AHEAD: u32 = 500;

pub(super) async fn run(stage: &Stage) -> anyhow::Result<()> {
    let open = async |tls| Client::open(stage.broker_port, &tls, Wish::default()).await;
    let mut subscriber = open(stage.signed("Beltwatch-ingest-events", 0)?).await?;
    subscriber.subscribe(&filter_all(Kind::Events)).await?;
    subscriber.pause();
    let mut machine = open(stage.credential("tm-02")?).await?;
    let topic = Topic::new(MachineId::new("tm-02")?, Kind::Events).to_string();
    for number in 0..MESSAGES {
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(BYTES, 0);
        machine.put(&topic, false, Bytes::from(payload)).await?;
        if number >= AHEAD {
            machine.taken().await?;
        }
    }
    for _ in 0..AHEAD {
        machine.taken().await?;
    }
    machine.publish(&topic, false, "the end").await?;
    subscriber.go_on();
    let came = subscriber.until("the end").await?;
    let numbers: Vec<u32> = came.iter().filter_map(|(_, payload)| number(payload)).collect();
    let different: BTreeSet<u32> = numbers.iter().copied().collect();
    let mebibytes = MESSAGES as usize * BYTES / 1024 / 1024;
    report(&format!(
        "a burst of {MESSAGES} messages, {mebibytes} MiB, while the subscriber takes nothing: all acknowledged, {} \
         arrive, {} of them twice",
        different.len(),
        numbers.len() - different.len()
    ));
    ensure!(different.len() == usize::try_from(MESSAGES)?, "messages that were acknowledged are missing");
    ensure!(numbers.is_sorted(), "they arrive in another order");
    Ok(())
}

fn number(payload: &Bytes) -> Option<u32> {
    let head: [u8; 4] = payload.get(..4)?.try_into().ok()?;
    (payload.len() == BYTES).then(|| u32::from_be_bytes(head))
}
