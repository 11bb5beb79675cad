//! Waits until the server has caught up, then judges.

use std::time::Duration;

use anyhow::Context;

use crate::processes::{Fleet, PATIENCE};
use crate::stored;
use crate::truth::Truth;
use crate::verdict::Verdict;

/// Compares all machines, again and again until nothing is missing or patience ends: history is written a little
/// behind the acknowledgement. The agents must have ended.
pub(crate) async fn judge(fleet: &Fleet) -> anyhow::Result<Verdict> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let verdict = once(fleet).await?;
        if verdict.is_complete() || tokio::time::Instant::now() >= deadline {
            return Ok(verdict);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn once(fleet: &Fleet) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    for agent in fleet.agents() {
        let machine = agent.machine();
        let truth = Truth::read(&agent.truth_file())?;
        let listing = stored::list(&fleet.api_url(), machine).await;
        let listing = listing.with_context(|| format!("listing what is stored of {machine}"))?;
        verdict.add(Verdict::of(machine, &truth, &listing, agent::clock::system().offset_us));
    }
    Ok(verdict)
}
