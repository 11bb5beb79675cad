//! The credential file of one machine's agent: JSON, mode 0600.

use domain::ids::MachineId;
use serde::{Deserialize, Serialize};

use crate::keys::MachineKey;

/// What an agent needs to speak TLS with its broker. All of it is PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsCredential {
    /// Certificate of the only authority by which the agent knows its broker.
    pub authority: String,
    /// The machine's own certificate.
    pub certificate: String,
    /// The key of that certificate.
    pub private_key: String,
}

impl std::fmt::Debug for TlsCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsCredential").finish_non_exhaustive()
    }
}

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
    /// For TLS; `None`: the broker is spoken to in plain text.
    pub tls: Option<TlsCredential>,
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
    // With TLS all three are there, without it none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authority: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private_key: Option<String>,
}

impl File {
    fn tls(&self) -> Result<Option<TlsCredential>, InvalidCredential> {
        let missing = |field| InvalidCredential::Field {
            field,
            reason: "is missing: authority, certificate and private_key come together".to_owned(),
        };
        if self.authority.is_none() && self.certificate.is_none() && self.private_key.is_none() {
            return Ok(None);
        }
        let given = |value: &Option<String>, field| value.clone().ok_or_else(|| missing(field));
        Ok(Some(TlsCredential {
            authority: given(&self.authority, "authority")?,
            certificate: given(&self.certificate, "certificate")?,
            private_key: given(&self.private_key, "private_key")?,
        }))
    }
}

impl Credential {
    /// The file's content.
    pub fn to_json(&self) -> String {
        let tls = self.tls.as_ref();
        let file = File {
            version: 1,
            machine: self.machine.to_string(),
            generation: self.generation,
            key: self.key.to_hex(),
            broker: self.broker.clone(),
            authority: tls.map(|tls| tls.authority.clone()),
            certificate: tls.map(|tls| tls.certificate.clone()),
            private_key: tls.map(|tls| tls.private_key.clone()),
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
            tls: file.tls()?,
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

    fn credential(tls: Option<TlsCredential>) -> Credential {
        Credential {
            machine: MachineId::new("tm-01").unwrap(),
            generation: 1,
            key: MachineKey::from_hex(&"ab".repeat(32)).unwrap(),
            broker: "127.0.0.1:1883".to_owned(),
            tls,
        }
    }

    fn tls() -> TlsCredential {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nQUJD\n-----END {label}-----\n");
        TlsCredential {
            authority: pem("CERTIFICATE"),
            certificate: pem("CERTIFICATE"),
            private_key: pem("PRIVATE KEY"),
        }
    }

    #[test]
    fn a_credential_reads_back_and_unknown_fields_are_named() {
        for credential in [credential(None), credential(Some(tls()))] {
            let text = credential.to_json();
            assert_eq!(Credential::from_json(&text).unwrap(), credential);
            let shown = format!("{credential:?}");
            assert!(!shown.contains("abab") && !shown.contains("PRIVATE"), "secrets are not shown: {shown}");
            let error = Credential::from_json(&text.replace("broker", "brocker")).unwrap_err();
            assert!(error.to_string().contains("brocker"), "{error}");
        }
    }

    #[test]
    fn a_file_from_before_tls_still_reads_and_half_of_tls_is_refused() {
        let text = credential(None).to_json();
        assert!(!text.contains("authority"), "{text}");
        let old = format!(
            r#"{{"version":1,"machine":"tm-01","generation":1,"key":"{}","broker":"127.0.0.1:1883"}}"#,
            "ab".repeat(32)
        );
        assert_eq!(Credential::from_json(&old).unwrap(), credential(None));
        for field in ["authority", "certificate", "private_key"] {
            let mut file: serde_json::Value =
                serde_json::from_str(&credential(Some(tls())).to_json()).unwrap();
            file.as_object_mut().unwrap().remove(field);
            let error = Credential::from_json(&file.to_string()).unwrap_err().to_string();
            assert!(error.contains(field) && error.contains("come together"), "{error}");
        }
    }
}
