//! Getting the machine's credential with a code that staff made.
//!
//! The server is known by the fingerprint in the code and by nothing else. What the agent asks carries a nonce that it
//! keeps beside the credential: if an answer is lost, or it is started again while staff have not approved it yet, it
//! asks for the same once more and gets the same answer.

mod address;
mod connection;
mod grpc;
mod keep;
mod pace;
mod verifier;

use std::path::{Path, PathBuf};

use domain::units::SECOND;
use wire::credential::Credential;
use wire::enrolment::{self, Answer, Code, ENROL_PATH, GET_PATH, Nonce};

pub use self::address::{Address, InvalidAddress};
use self::connection::Connection;
use self::keep::Kept;
pub use self::keep::Unkept;
use self::pace::{Next, Pace};

/// What is needed to enrol.
#[derive(Debug, Clone)]
pub struct EnrolSettings {
    /// Where the server is.
    pub address: Address,
    /// The code.
    pub code: Code,
    /// What staff know this computer by.
    pub name: String,
    /// Where to keep the credential.
    pub credential: PathBuf,
}

/// What is told while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It waits for approval; staff see these digits, too.
    Waiting {
        /// Six digits.
        comparison: String,
    },
    /// It tries again after a while.
    Again {
        /// Why.
        reason: String,
        /// In how many seconds.
        seconds: u64,
    },
    /// The credential is written, but what was kept while it went on is still there.
    Left {
        /// Why, with the file.
        reason: String,
    },
}

/// Why the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The code, or its secret, is not known.
    WrongCode,
    /// The code was used.
    Used,
    /// The code has expired.
    Expired,
    /// The code was revoked.
    Revoked,
    /// The code was tried wrongly too often.
    TriedOut,
    /// Staff said no.
    ByStaff,
    /// Nobody answered in time, or the answer was not collected.
    TooLate,
    /// The machine got another credential meanwhile.
    Replaced,
    /// Anything else.
    Other,
}

impl Refusal {
    fn named(reason: &str) -> Refusal {
        match reason {
            "WRONG_CODE" => Refusal::WrongCode,
            "CODE_USED" => Refusal::Used,
            "CODE_EXPIRED" => Refusal::Expired,
            "CODE_REVOKED" => Refusal::Revoked,
            "CODE_TRIED_OUT" => Refusal::TriedOut,
            "REFUSED" => Refusal::ByStaff,
            "TOO_LATE" => Refusal::TooLate,
            "CREDENTIAL_REPLACED" => Refusal::Replaced,
            _ => Refusal::Other,
        }
    }

    /// Whether the same agent may not ask the same again.
    fn ends_the_nonce(self) -> bool {
        match self {
            Refusal::ByStaff | Refusal::TooLate | Refusal::Replaced => true,
            Refusal::WrongCode
            | Refusal::Used
            | Refusal::Expired
            | Refusal::Revoked
            | Refusal::TriedOut
            | Refusal::Other => false,
        }
    }
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Nobody answers there.
    #[error("no server answers at {address}: {reason}; look at the address, and at this computer's network")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// What answers cannot prove that it is the server of the code.
    #[error(
        "{address} is not the server that this code was made for: it does not show the authority in the code. Either \
         the address is wrong, or something in between ends the connection; nothing was sent"
    )]
    OtherServer {
        /// Where.
        address: String,
    },
    /// The code was made by a server that speaks no TLS, and the address wants it, or the other way round.
    #[error("{0}")]
    Mismatch(String),
    /// No secure connection came about.
    #[error("no secure connection to {address} came about: {reason}")]
    Tls {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// What answers is no such server.
    #[error(
        "{address} answers, but gives no credentials ({reason}); it may be another program, or an older server"
    )]
    NoService {
        /// Where.
        address: String,
        /// What it said.
        reason: String,
    },
    /// It went wrong too often.
    #[error("{reason}; run the same command again later")]
    Later {
        /// What went wrong last.
        reason: String,
    },
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// In the server's words.
        message: String,
    },
    /// The answer makes no sense.
    #[error("the server's answer cannot be used: {0}")]
    Unreadable(String),
    /// Something cannot be kept.
    #[error(transparent)]
    Unkept(#[from] Unkept),
    /// The operating system gives no random octets.
    #[error("the operating system gives no random octets: {0}")]
    Random(getrandom::Error),
}

/// What became of one question.
pub(crate) enum Failed {
    /// The connection is gone, or the server has no time: it may be asked again.
    Again(String),
    /// It stays so.
    Ended(EnrolError),
}

/// Gets a credential and writes it, mode 0600, in place of one that may be there. `told` is called as it goes on.
///
/// It may be dropped at any time: begun again with the same code it goes on.
///
/// # Errors
///
/// Why there is none; the credential that was there stays as it was.
pub async fn enrol(settings: &EnrolSettings, mut told: impl FnMut(Told)) -> Result<Credential, EnrolError> {
    check_fits(settings)?;
    // Before anything is asked for: a credential that cannot be kept must not be made.
    let kept = Kept::open(&settings.credential, &settings.code)?;
    let mut pace = Pace::default();
    let mut connection = None;
    loop {
        let path = if pace.is_waiting() { GET_PATH } else { ENROL_PATH };
        let asked = ask(settings, kept.nonce(), path, &mut connection).await;
        let next = match asked {
            Ok(Answer::Credential(text)) => {
                return keep(&kept, &settings.credential, &text, told);
            }
            Ok(Answer::Waiting(comparison)) => {
                if pace.waits() {
                    told(Told::Waiting { comparison });
                }
                pace.next()
            }
            Err(Failed::Again(reason)) => {
                connection = None;
                let next = pace.failed();
                match next {
                    Next::After { micros } => told(Told::Again { reason, seconds: micros / SECOND }),
                    Next::GiveUp => return Err(EnrolError::Later { reason }),
                }
                next
            }
            Err(Failed::Ended(error)) if pace.is_waiting() && is_passing(&error) => {
                connection = None;
                match pace.failed() {
                    Next::After { micros } => {
                        let (reason, seconds) = (error.to_string(), micros / SECOND);
                        told(Told::Again { reason, seconds });
                        Next::After { micros }
                    }
                    Next::GiveUp => return Err(error),
                }
            }
            Err(Failed::Ended(error)) => {
                if let EnrolError::Refused { refusal, .. } = &error {
                    if refusal.ends_the_nonce() {
                        kept.forget()?;
                    }
                }
                return Err(error);
            }
        };
        match next {
            Next::After { micros } => tokio::time::sleep(std::time::Duration::from_micros(micros)).await,
            Next::GiveUp => {
                return Err(EnrolError::Later { reason: "the server does not answer".to_owned() });
            }
        }
    }
}

/// Whether an agent that was let wait asks again all the same: the network may be gone for a while.
fn is_passing(error: &EnrolError) -> bool {
    match error {
        EnrolError::Unreachable { .. } | EnrolError::Tls { .. } | EnrolError::NoService { .. } => true,
        EnrolError::OtherServer { .. }
        | EnrolError::Mismatch(_)
        | EnrolError::Later { .. }
        | EnrolError::Refused { .. }
        | EnrolError::Unreadable(_)
        | EnrolError::Unkept(_)
        | EnrolError::Random(_) => false,
    }
}

/// Whether the code can prove the server at this address.
fn check_fits(settings: &EnrolSettings) -> Result<(), EnrolError> {
    if settings.address.is_secure() && settings.code.authority.is_none() {
        let message = "this code was made by a server that speaks no TLS: nothing could prove that it is the right one. \
                       Turn TLS on and make another code, or enrol on that computer itself with http://";
        return Err(EnrolError::Mismatch(message.to_owned()));
    }
    Ok(())
}

async fn ask(
    settings: &EnrolSettings,
    nonce: &Nonce,
    path: &str,
    connection: &mut Option<Connection>,
) -> Result<Answer, Failed> {
    let open = match connection {
        Some(open) => open,
        None => {
            let opened = Connection::open(&settings.address, settings.code.authority).await;
            connection.insert(opened.map_err(Failed::Ended)?)
        }
    };
    let message = if path == GET_PATH {
        enrolment::get(nonce)
    } else {
        enrolment::enrol(&settings.code.shown, nonce, &settings.name, env!("CARGO_PKG_VERSION"))
    };
    let octets = open.call(path, message).await?;
    enrolment::answer(&octets).map_err(|error| Failed::Ended(EnrolError::Unreadable(error.message)))
}

fn keep(kept: &Kept, file: &Path, text: &str, mut told: impl FnMut(Told)) -> Result<Credential, EnrolError> {
    let credential =
        Credential::from_json(text).map_err(|error| EnrolError::Unreadable(error.to_string()))?;
    keep::replace(file, text)?;
    // The agent has what it came for; what is left is of no use to it.
    if let Err(error) = kept.forget() {
        told(Told::Left { reason: error.to_string() });
    }
    Ok(credential)
}
