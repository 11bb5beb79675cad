//! What an agent and a server say to each other before the agent has a credential.

mod code;

use prost::Message;
use prost::bytes::Bytes;

pub use self::code::{Code, Fingerprint, InvalidCode, SHOWN_OCTETS, Shown, fingerprint};
use crate::Unreadable;

/// Generated messages of the part of the API that an agent reads.
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/enrolment/beltwatch.v1.rs"));
}

/// The name that an agent asks for in its TLS handshake. The server shows it a certificate of its own authority, whatever
/// certificate its pages have. It can never be anybody's (RFC 6761).
pub const SERVER_NAME: &str = "enrol.beltwatch.invalid";
/// Path of the method with which an agent begins.
pub const ENROL_PATH: &str = "/beltwatch.v1.EnrolmentService/Enrol";
/// Path of the method with which it asks how it stands.
pub const GET_PATH: &str = "/beltwatch.v1.EnrolmentService/GetEnrolment";
/// Octets of a nonce.
pub const NONCE_OCTETS: usize = 32;
/// Characters of a computer's name.
pub const NAME_CHARACTERS_MAX: usize = 64;
/// Characters of an agent's version.
pub const VERSION_CHARACTERS_MAX: usize = 32;

/// What an agent made to be known again by. A secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(pub [u8; NONCE_OCTETS]);

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonce(secret)")
    }
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Content of the credential file.
    Credential(String),
    /// It waits for approval; the digits that staff see, too.
    Waiting(String),
}

/// A credential is a secret.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Answer::Credential(_) => f.write_str("Credential(secret)"),
            Answer::Waiting(comparison) => f.debug_tuple("Waiting").field(comparison).finish(),
        }
    }
}

/// The message with which an agent begins. Name and version are cut to what is allowed.
pub fn enrol(shown: &Shown, nonce: &Nonce, name: &str, agent_version: &str) -> Bytes {
    let cut = |text: &str, max: usize| text.chars().filter(|c| !c.is_control()).take(max).collect();
    let request = proto::EnrolRequest {
        code: shown.octets().to_vec(),
        nonce: nonce.0.to_vec(),
        name: cut(name, NAME_CHARACTERS_MAX),
        agent_version: cut(agent_version, VERSION_CHARACTERS_MAX),
    };
    request.encode_to_vec().into()
}

/// The message with which an agent asks how it stands.
pub fn get(nonce: &Nonce) -> Bytes {
    proto::GetEnrolmentRequest { nonce: nonce.0.to_vec() }.encode_to_vec().into()
}

/// Reads the answer to either.
///
/// # Errors
/// It is not the message that it should be.
pub fn answer(octets: &[u8]) -> Result<Answer, Unreadable> {
    use proto::enrol_response::Outcome;
    // Both answers have the same fields.
    let read = proto::EnrolResponse::decode(octets);
    match read.map_err(|error| Unreadable::new(format!("EnrolResponse: {error}")))?.outcome {
        Some(Outcome::Credential(credential)) => Ok(Answer::Credential(credential)),
        Some(Outcome::Comparison(comparison)) => Ok(Answer::Waiting(comparison)),
        None => Err(Unreadable::new("EnrolResponse has no outcome that this program knows")),
    }
}

/// `google.rpc.Status`, as far as it is read here.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.ErrorInfo`, as far as it is read here.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
}

/// The reason in one word that the details of a refusal hold (`grpc-status-details-bin`, decoded); empty: none.
pub fn reason(details: &[u8]) -> String {
    let status = Status::decode(details).unwrap_or_default();
    let found = status.details.iter().find(|any| any.type_url.ends_with("/google.rpc.ErrorInfo"));
    let read = found.and_then(|any| ErrorInfo::decode(&*any.value).ok());
    read.map(|read| read.reason).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_read_back_and_say_no_secret() {
        use proto::enrol_response::Outcome;
        let told = |outcome| answer(&proto::EnrolResponse { outcome }.encode_to_vec());
        let credential = told(Some(Outcome::Credential("{\"key\":1}".to_owned()))).unwrap();
        assert_eq!(credential, Answer::Credential("{\"key\":1}".to_owned()));
        assert!(!format!("{credential:?}").contains("key"));
        let waiting = told(Some(Outcome::Comparison("123456".to_owned())));
        assert_eq!(waiting, Ok(Answer::Waiting("123456".to_owned())));
        assert!(told(None).unwrap_err().to_string().contains("no outcome"));
        let same = proto::get_enrolment_response::Outcome::Comparison("1".to_owned());
        let other = proto::GetEnrolmentResponse { outcome: Some(same) }.encode_to_vec();
        assert_eq!(answer(&other), Ok(Answer::Waiting("1".to_owned())));
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let octets = enrol(&Shown::new(&[7; 11]).unwrap(), &Nonce([1; 32]), &"ü\n".repeat(99), "");
        let read = proto::EnrolRequest::decode(octets).unwrap();
        assert_eq!((read.name, read.code.len(), read.nonce.len()), ("ü".repeat(64), 11, 32));
    }

    #[test]
    fn the_reason_of_a_refusal_is_found() {
        let info = ErrorInfo { reason: "CODE_USED".to_owned() };
        let any = |name: &str, value| Any { type_url: format!("type.googleapis.com/{name}"), value };
        let status = Status {
            details: vec![
                any("google.rpc.RetryInfo", Vec::new()),
                any("google.rpc.ErrorInfo", info.encode_to_vec()),
            ],
        };
        assert_eq!(reason(&status.encode_to_vec()), "CODE_USED");
        assert_eq!(reason(&Status::default().encode_to_vec()), "");
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = answer(&octets);
            let _ = reason(&octets);
        }
    }
}
