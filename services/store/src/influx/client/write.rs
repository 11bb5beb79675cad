//! Writes in batches. What InfluxDB refuses is halved until the lines are found that it means.
//!
//! Of a batch that it refuses InfluxDB may have written all, some or none of the other lines: it writes its shards at the
//! same time and answers at the first one that fails. So every line of it is written again, until it is in a batch that was
//! taken as a whole, or alone.

use std::ops::Range;

use domain::limits;
use reqwest::Method;

use super::answer::{Doing, Refusal, short};
use super::{Client, RefusedLine};
use crate::StoreError;
use crate::influx::line::Lines;

/// How a batch fared.
enum Fate {
    Taken,
    /// Some of its lines are refused; all, if they are as many as there are.
    Refused {
        reason: String,
        dropped: Option<usize>,
    },
}

impl Client {
    pub(super) async fn write_lines(
        &self,
        bucket: &str,
        lines: &Lines,
    ) -> Result<Vec<RefusedLine>, StoreError> {
        let mut refused = Vec::new();
        let end = |from| match lines.len() {
            len if from == len => len,
            _ => lines.batch(from, limits::INFLUX_BATCH_LINES_MAX, limits::INFLUX_BATCH_BYTES_MAX),
        };
        let mut from = 0;
        while from < lines.len() {
            let middle = end(from);
            let until = end(middle);
            // Two are under way at once: InfluxDB parses one while it writes the other. Both are waited for also if one
            // fails: a request that was given up may arrive after the look at what is stored.
            let (first, second) = tokio::join!(
                self.write_halving(bucket, lines, from..middle),
                self.write_halving(bucket, lines, middle..until)
            );
            refused.extend(first?);
            refused.extend(second?);
            from = until;
        }
        Ok(refused)
    }

    /// Writes a batch, in parts where lines of it are refused; gives these.
    async fn write_halving(
        &self,
        bucket: &str,
        lines: &Lines,
        batch: Range<usize>,
    ) -> Result<Vec<RefusedLine>, StoreError> {
        let mut refused = Vec::new();
        let mut waiting = vec![(batch.start, batch.end)];
        while let Some((begin, end)) = waiting.pop() {
            let range = begin..end;
            if range.is_empty() {
                continue;
            }
            match self.write_batch(bucket, lines, &range).await? {
                Fate::Taken => {}
                Fate::Refused { reason, dropped } if range.len() == 1 || dropped == Some(range.len()) => {
                    refused.extend(
                        lines
                            .range(range)
                            .map(|line| RefusedLine { line: line.to_owned(), reason: reason.clone() }),
                    );
                }
                Fate::Refused { .. } => {
                    let middle = begin + range.len() / 2;
                    // The first half is on top.
                    waiting.extend([(middle, end), (begin, middle)]);
                }
            }
        }
        Ok(refused)
    }

    async fn write_batch(
        &self,
        bucket: &str,
        lines: &Lines,
        range: &Range<usize>,
    ) -> Result<Fate, StoreError> {
        self.wait_for_quiet().await;
        let doing = self.doing("writing points", Some(bucket));
        let request = self
            .request(Method::POST, "/api/v2/write")
            .query(&[("org", self.inner.organisation.as_str()), ("bucket", bucket), ("precision", "ns")])
            .body(lines.text(range.clone()).to_owned());
        let response = self.send(request, &doing).await?;
        if response.status().as_u16() == 204 {
            return Ok(Fate::Taken);
        }
        let refusal = Refusal::read(response).await;
        if let (429 | 503, Some(asked)) = (refusal.status, refusal.retry_after) {
            self.keep_quiet(asked);
        }
        judge(&doing, refusal)
    }
}

/// Whether an answer is about lines, or about something else that may be well later.
fn judge(doing: &Doing<'_>, refusal: Refusal) -> Result<Fate, StoreError> {
    let message = refusal.message.as_str();
    // A shard that goes just now, a request that came cut, an organisation that is not there.
    let is_passing = message.contains("is pending deletion dropped=")
        || ["unable to read", "organization name"].iter().any(|begin| message.starts_with(begin));
    let is_about_lines = match refusal.status {
        // A proxy in between may say this, too, in its own words.
        413 => true,
        400 | 422 => !refusal.code.is_empty() && !is_passing,
        _ => false,
    };
    if is_about_lines {
        return Ok(Fate::Refused { reason: short(message), dropped: dropped(message) });
    }
    Err(match refusal.status {
        400 | 422 => doing.unsure(&refusal),
        _ => doing.failed(&refusal),
    })
}

/// How many lines InfluxDB says that it dropped: of those of one shard, so never more than it did.
pub(super) fn dropped(message: &str) -> Option<usize> {
    let (_, behind) = message.rsplit_once(" dropped=")?;
    let digits = behind.find(|c: char| !c.is_ascii_digit()).map_or(behind, |end| &behind[..end]);
    digits.parse().ok()
}
