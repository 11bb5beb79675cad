//! `beltwatch health`: whether a server answers, for whoever starts it again if it does not.

use std::io::Write;
use std::time::Duration;

use clap::Args as ClapArgs;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{self, Options};
use crate::failure::{Exit, Failure};

/// How long a server may take for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Asks whether a server answers; ends with 69 if it does not. It needs no token
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// End with 69 also if it answers but one of its parts is not ready; /readyz tells which
    #[arg(long)]
    ready: bool,
}

/// Asks once.
pub(super) async fn run(args: &Args, options: &Options) -> Result<(), Failure> {
    let server = &options.server;
    let late = |_| Failure::new(Exit::Unavailable, format!("{server} does not answer in {ANSWER_TIME:?}"));
    let asked = tokio::time::timeout(ANSWER_TIME, status(options)).await.map_err(late)??;
    let (words, is_well) = judged(asked, args.ready);
    if !is_well {
        return Err(Failure::new(Exit::Unavailable, format!("{server} {words}")));
    }
    writeln!(std::io::stderr(), "{server} {words}")?;
    Ok(())
}

async fn status(options: &Options) -> Result<ServingStatus, Failure> {
    let mut health = HealthClient::new(client::channel(options).await?);
    // No name: the server as a whole.
    let request = HealthCheckRequest::default();
    Ok(health.check(request).await?.into_inner().status())
}

/// What the answer means, and whether it is good enough. A server that waits for another part must not be started
/// again for that.
fn judged(status: ServingStatus, must_be_ready: bool) -> (&'static str, bool) {
    match status {
        ServingStatus::Serving => ("answers and is ready", true),
        ServingStatus::NotServing | ServingStatus::Unknown | ServingStatus::ServiceUnknown => {
            ("answers but is not ready; /readyz tells which part", !must_be_ready)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_is_alive_and_who_serves_is_ready() {
        let check =
            |status, ready, expected| assert_eq!(judged(status, ready).1, expected, "{status:?} {ready}");
        check(ServingStatus::Serving, false, true);
        check(ServingStatus::Serving, true, true);
        check(ServingStatus::NotServing, false, true);
        check(ServingStatus::NotServing, true, false);
        check(ServingStatus::Unknown, true, false);
    }
}
