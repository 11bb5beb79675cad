//! Sealing: who wrote a body, for which topic. In both directions; built anew at each transmission.

use hmac::{Hmac, Mac};
use prost::Message;
use prost::bytes::Bytes;
use sha2::Sha256;

use crate::keys::MachineKey;
use crate::proto::Sealed;
use crate::topics::{Kind, Topic};
use crate::{Unreadable, VERSION, check_version};

/// Why a message is refused before its body is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is no sealed message.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Its MAC is not what the key makes of it.
    #[error("the seal does not match: another key, another topic, or a changed body")]
    NotAuthentic,
}

/// A message whose seal has not been checked yet.
#[derive(Debug, Clone)]
pub struct Unopened {
    sealed: Sealed,
}

/// Seals a body for a topic.
pub fn seal(key: &MachineKey, generation: u32, topic: &Topic, body: Bytes) -> Bytes {
    let mac = mac(key, topic, &body).finalize().into_bytes();
    let sealed =
        Sealed { version: VERSION, key_generation: generation, body, mac: Bytes::copy_from_slice(&mac) };
    sealed.encode_to_vec().into()
}

impl Unopened {
    /// Reads the outside of a message; copies nothing.
    pub fn read(payload: Bytes) -> Result<Unopened, Unreadable> {
        let sealed = Sealed::decode(payload).map_err(|error| Unreadable::new(format!("Sealed: {error}")))?;
        check_version("Sealed", sealed.version)?;
        Ok(Unopened { sealed })
    }

    /// The generation of the key that the sender says it used.
    pub fn key_generation(&self) -> u32 {
        self.sealed.key_generation
    }

    /// The body with its seal unchecked, for those who only look. Nothing may follow from it.
    pub fn body(&self) -> &Bytes {
        &self.sealed.body
    }

    /// Checks the seal, in constant time, and gives the body.
    pub fn open(self, key: &MachineKey, topic: &Topic) -> Result<Bytes, SealError> {
        mac(key, topic, &self.sealed.body)
            .verify_slice(&self.sealed.mac)
            .map_err(|_| SealError::NotAuthentic)?;
        Ok(self.sealed.body)
    }
}

fn mac(key: &MachineKey, topic: &Topic, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.octets()).expect("HMAC takes any key length");
    for part in [purpose(topic.kind).as_bytes(), topic.to_string().as_bytes(), body] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

/// What the body is; an envelope's seal can never pass for an ack's.
fn purpose(kind: Kind) -> &'static str {
    match kind {
        Kind::Events | Kind::Readings => "beltwatch/v1/envelope",
        Kind::Status => "beltwatch/v1/status",
        Kind::Ack => "beltwatch/v1/ack",
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::MachineId;

    use super::*;
    use crate::keys::MasterKey;

    fn topic(machine: &str, kind: Kind) -> Topic {
        Topic::new(MachineId::new(machine).unwrap(), kind)
    }

    #[test]
    fn a_seal_holds_for_one_key_one_topic_and_one_body() {
        let master = MasterKey::new([7; 32]);
        let own = topic("tm-01", Kind::Events);
        let key = master.machine_key(&own.machine, 1);
        let message = seal(&key, 1, &own, Bytes::from_static(b"body"));

        let open =
            |message: Bytes, key: &MachineKey, topic: &Topic| Unopened::read(message)?.open(key, topic);
        assert_eq!(open(message.clone(), &key, &own), Ok(Bytes::from_static(b"body")));
        for (key, topic) in [
            (master.machine_key(&own.machine, 2), own.clone()),
            (master.machine_key(&MachineId::new("tm-02").unwrap(), 1), own.clone()),
            (key.clone(), topic("tm-02", Kind::Events)),
            (key.clone(), topic("tm-01", Kind::Readings)),
            (key.clone(), topic("tm-01", Kind::Ack)),
        ] {
            assert_eq!(open(message.clone(), &key, &topic), Err(SealError::NotAuthentic));
        }
        for at in 0..message.len() {
            let mut changed = message.to_vec();
            changed[at] ^= 1;
            let opened = open(changed.into(), &key, &own);
            assert!(opened.is_err() || opened == Ok(Bytes::from_static(b"body")), "octet {at}: {opened:?}");
        }
    }
}
