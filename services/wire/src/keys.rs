//! Keys: one master key on the server; a machine's key follows from it, the machine's id and its generation.

use std::fmt;

use domain::ids::MachineId;
use hkdf::Hkdf;
use sha2::Sha256;

/// The server's secret, 32 octets, from a file. A separate item of every backup.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; 32]);

/// The key of one machine and generation, 32 octets.
#[derive(Clone, PartialEq, Eq)]
pub struct MachineKey([u8; 32]);

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hexadecimal digits; this has {length} characters")]
pub struct InvalidKey {
    /// How many characters were given.
    pub length: usize,
}

fn from_hex(text: &str) -> Result<[u8; 32], InvalidKey> {
    let text = text.trim();
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|_| InvalidKey { length: text.chars().count() })?;
    Ok(key)
}

impl MasterKey {
    /// From the octets themselves.
    pub fn new(octets: [u8; 32]) -> MasterKey {
        MasterKey(octets)
    }

    /// A new random key from the operating system.
    pub fn generate() -> Result<MasterKey, getrandom::Error> {
        let mut octets = [0; 32];
        getrandom::fill(&mut octets)?;
        Ok(MasterKey(octets))
    }

    /// From 64 hexadecimal digits, as its file holds it.
    pub fn from_hex(text: &str) -> Result<MasterKey, InvalidKey> {
        from_hex(text).map(MasterKey)
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The key of one machine and generation: HKDF-SHA256 with `machine/generation` as information.
    pub fn machine_key(&self, machine: &MachineId, generation: u32) -> MachineKey {
        MachineKey(self.derive(&format!("beltwatch/v1/machine/{machine}/{generation}")))
    }

    /// A key for the server's own use, such as page tokens or the broker's service password.
    pub fn purpose_key(&self, purpose: &str) -> MachineKey {
        MachineKey(self.derive(&format!("beltwatch/v1/purpose/{purpose}")))
    }

    fn derive(&self, information: &str) -> [u8; 32] {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(information.as_bytes(), &mut key)
            .expect("32 octets are within HKDF's limit");
        key
    }
}

impl MachineKey {
    /// From 64 hexadecimal digits, as a credential file holds it.
    pub fn from_hex(text: &str) -> Result<MachineKey, InvalidKey> {
        from_hex(text).map(MachineKey)
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The octets, for a MAC.
    pub fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(secret)")
    }
}

impl fmt::Debug for MachineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineKey(secret)")
    }
}
