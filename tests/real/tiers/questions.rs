//! Every reading method of the API, asked of one tier; answers by the question, so that two tiers can be compared.

mod floor;
mod history;
mod incidents;
mod usage;

use std::fmt::Debug;

use anyhow::Context;
use prost_types::Timestamp;
use tonic::{Response, Status};
use wire::api::v1;

use super::server::Tier;

pub(super) use self::history::listed;
pub(super) use self::incidents::cursor;

/// Answers of one tier, in the order of the questions.
#[derive(Debug, Default)]
pub(super) struct Answers {
    all: Vec<(String, String)>,
}

/// What all questions are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    /// Begin of the span asked, in microseconds since 1970.
    pub(super) from_us: i64,
    /// Its end.
    pub(super) until_us: i64,
}

impl Answers {
    /// Asks a tier what depends only on the records that it lists. `cursor` is one of its own, from before what is to
    /// be seen.
    pub(super) async fn of_settled(tier: &Tier, about: About, cursor: &str) -> anyhow::Result<Answers> {
        let (reach, mut answers) = (tier.reach().await?, Answers::default());
        let what = || format!("asking the {} tier", tier.name);
        floor::ask(&reach, &mut answers).await.with_context(what)?;
        history::ask(&reach, about, &mut answers).await.with_context(what)?;
        incidents::ask(&reach, about, cursor, &mut answers).await.with_context(what)?;
        Ok(answers)
    }

    /// Asks a tier everything: also what is added up, to which what is under way comes now and then, and at a stop.
    pub(super) async fn of(tier: &Tier, about: About, cursor: &str) -> anyhow::Result<Answers> {
        let mut answers = Answers::of_settled(tier, about, cursor).await?;
        let reach = tier.reach().await?;
        history::sessions(&reach, about, &mut answers).await;
        incidents::rates(&reach, about, &mut answers).await;
        usage::ask(&reach, about, &mut answers)
            .await
            .with_context(|| format!("asking the {} tier", tier.name))?;
        Ok(answers)
    }

    /// Judges the history anew, which changes what is stored in the same way on both tiers.
    pub(super) async fn of_rebuild(tier: &Tier, about: About) -> anyhow::Result<Answers> {
        let (reach, mut answers) = (tier.reach().await?, Answers::default());
        incidents::rebuild(&reach, about, &mut answers).await?;
        Ok(answers)
    }

    /// The questions with their answers.
    pub(super) fn all(&self) -> &[(String, String)] {
        &self.all
    }

    /// Writes an answer down; a refusal is one, too. Gives the answer if it was none.
    fn note<T: Debug>(&mut self, question: String, answer: Result<Response<T>, Status>) -> Option<T> {
        let (told, answer) = match answer {
            Ok(answer) => {
                let answer = answer.into_inner();
                (format!("{answer:#?}"), Some(answer))
            }
            Err(status) => (format!("refused {:?}: {:?}", status.code(), status.message()), None),
        };
        self.all.push((question, told));
        answer
    }
}

impl About {
    fn range(self) -> Option<v1::TimeRange> {
        range(self.from_us, self.until_us)
    }
}

/// A span in microseconds since 1970.
fn range(from_us: i64, until_us: i64) -> Option<v1::TimeRange> {
    Some(v1::TimeRange { start_time: Some(timestamp(from_us)), end_time: Some(timestamp(until_us)) })
}

fn timestamp(us: i64) -> Timestamp {
    let nanos = i32::try_from(us.rem_euclid(1_000_000)).expect("less than a million") * 1_000;
    Timestamp { seconds: us.div_euclid(1_000_000), nanos }
}

fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(|time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000)
}
