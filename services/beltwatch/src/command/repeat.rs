//! Requests that may be repeated: done once, however often they are sent.

use clap::Args;
use tonic::{Code, Response, Status};

use crate::command::request_id;
use crate::failure::Failure;

/// Characters of an identity that is given; the server takes 64, the rest numbers the parts of a long request.
const CHARACTERS_MAX: usize = 56;

/// Who is to know a request again.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RepeatArgs {
    /// Identity of this request, 1 to 56 characters: the same request repeated with it is done once. Made up if not
    /// given, and told if the answer is lost
    #[arg(long, value_name = "TEXT", value_parser = identity)]
    request_id: Option<String>,
}

impl RepeatArgs {
    /// The identity, made up if none was given.
    pub(super) fn id(self) -> Result<String, Failure> {
        self.request_id.map_or_else(request_id, Ok)
    }
}

fn identity(text: &str) -> Result<String, String> {
    let is_allowed = (1..=CHARACTERS_MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    is_allowed
        .then(|| text.to_owned())
        .ok_or_else(|| format!("1 to {CHARACTERS_MAX} letters, digits and signs are allowed"))
}

/// Asks, and once more if the answer was lost: the request's identity makes that safe.
pub(super) async fn twice<T>(
    request_id: &str,
    mut ask: impl AsyncFnMut() -> Result<Response<T>, Status>,
) -> Result<T, Failure> {
    let answer = match ask().await {
        Err(status) if is_lost(&status) => ask().await,
        answer => answer,
    };
    answer.map(Response::into_inner).map_err(|status| {
        let is_lost = is_lost(&status);
        let failure = Failure::from(status);
        if !is_lost {
            return failure;
        }
        let help = "whether it was done is not known; the same again is safe with --request-id";
        Failure::new(failure.exit, format!("{failure}; {help} {request_id}"))
    })
}

fn is_lost(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    #[test]
    fn identities() {
        for good in ["a", "2026-11-20/north", &"x".repeat(56)] {
            assert_eq!(identity(good).as_deref(), Ok(good));
        }
        for bad in ["", "two words", "ä", &"x".repeat(57)] {
            assert!(identity(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_once_more() {
        async fn check(answers: &[Result<(), Code>], asked: usize, expected: Result<(), &str>) {
            let mut calls = 0;
            let outcome = twice("r-1", async || {
                calls += 1;
                answers[calls - 1].map(Response::new).map_err(|code| Status::new(code, "why"))
            })
            .await;
            assert_eq!(calls, asked, "{answers:?}");
            assert_eq!(outcome.map_err(|failure| failure.message), expected.map_err(str::to_owned));
        }
        let lost = "why; whether it was done is not known; the same again is safe with --request-id r-1";
        check(&[Ok(())], 1, Ok(())).await;
        check(&[Err(Code::Unavailable), Ok(())], 2, Ok(())).await;
        check(&[Err(Code::NotFound), Ok(())], 1, Err("why")).await;
        check(&[Err(Code::DeadlineExceeded), Err(Code::Unavailable)], 2, Err(lost)).await;
        check(&[Err(Code::Unavailable), Err(Code::PermissionDenied)], 2, Err("why")).await;
        let failure = twice("r-1", async || Err::<Response<()>, _>(Status::unavailable("why"))).await;
        assert_eq!(failure.unwrap_err().exit, Exit::Unavailable);
    }
}
