//! The credential file of one machine's agent: JSON, mode 0600.

use domain::ids::MachineId;
use serde::{Deserialize, Serialize};

use crate::keys::MachineKey;

/// What an agent needs to speak for its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The machine.
    pub machine: MachineId,
    /// Generation of the key, from 1.
    pub generation: u32,
    /// The key.
    pub key: MachineKey,
    /// The broker, as `host:port`.
    pub broker: String,
}

/// Why a text is no credential.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCredential {
    /// It is not the JSON object that it should be.
    #[error("not a credential file: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is not what it should be.
    #[error("credential file: {field}: {reason}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    machine: String,
    generation: u32,
    key: String,
    broker: String,
}

impl Credential {
    /// The file's content.
    pub fn to_json(&self) -> String {
        let file = File {
            version: 1,
            machine: self.machine.to_string(),
            generation: self.generation,
            key: self.key.to_hex(),
            broker: self.broker.clone(),
        };
        let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are always JSON");
        text.push('\n');
        text
    }

    /// Reads the file's content.
    pub fn from_json(text: &str) -> Result<Credential, InvalidCredential> {
        let file: File = serde_json::from_str(text)?;
        let field = |field, reason: String| InvalidCredential::Field { field, reason };
        if file.version != 1 {
            return Err(field("version", format!("{} is not known; this program reads 1", file.version)));
        }
        Ok(Credential {
            machine: MachineId::new(&file.machine).map_err(|e| field("machine", e.to_string()))?,
            generation: file.generation,
            key: MachineKey::from_hex(&file.key).map_err(|e| field("key", e.to_string()))?,
            broker: file.broker,
        })
    }

    /// The password with which the agent signs in to the broker: the key's own proof, never the key.
    pub fn broker_password(&self) -> String {
        broker_password(&self.key, &self.machine)
    }
}

/// The password with which a machine signs in to the broker.
pub fn broker_password(key: &MachineKey, machine: &MachineId) -> String {
    use hmac::{Hmac, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.octets()).expect("HMAC takes any key length");
    mac.update(b"beltwatch/v1/broker-password/");
    mac.update(machine.as_str().as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_reads_back_and_unknown_fields_are_named() {
        let credential = Credential {
            machine: MachineId::new("tm-01").unwrap(),
            generation: 1,
            key: MachineKey::from_hex(&"ab".repeat(32)).unwrap(),
            broker: "127.0.0.1:1883".to_owned(),
        };
        let text = credential.to_json();
        assert_eq!(Credential::from_json(&text).unwrap(), credential);
        assert!(!format!("{credential:?}").contains("abab"), "secrets are not shown");
        let error = Credential::from_json(&text.replace("broker", "brocker")).unwrap_err();
        assert!(error.to_string().contains("brocker"), "{error}");
    }
}
