//! The master key's file: made at the first start, mode 0600, never overwritten.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::RangeInclusive;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use store::registry::Machine;
use wire::keys::MasterKey;

/// Name of the file in the server's folder.
const FILE: &str = "master.key";

/// The generations of a machine's key with which a broker lets it in: the newest and the one before, as far as they were
/// not revoked. The ingest refuses the older one once the newer one was used.
pub fn good_generations(machine: &Machine) -> Option<RangeInclusive<u32>> {
    let newest = machine.key_generation;
    let least = machine.revoked_generation.checked_add(1)?.max(newest.saturating_sub(1)).max(1);
    (least <= newest).then_some(least..=newest)
}

/// Reads the master key of a folder, or makes it if there is none.
///
/// # Errors
/// The file cannot be read or written, or holds no key.
pub fn master_key(folder: &Path) -> anyhow::Result<MasterKey> {
    let path = folder.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => MasterKey::from_hex(&text).with_context(|| format!("{} holds no key", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn make(path: &Path) -> anyhow::Result<MasterKey> {
    let key = MasterKey::generate().context("the operating system gives no random octets")?;
    write_secret(path, &format!("{}\n", key.to_hex()))?;
    Ok(key)
}

/// Writes a new file that only its owner can read, and brings it to the disk.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    file.sync_all().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let made = master_key(folder.path()).unwrap();
        assert_eq!(master_key(folder.path()).unwrap(), made);
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.path().join(FILE), "short").unwrap();
        let error = format!("{:#}", master_key(folder.path()).unwrap_err());
        assert!(error.contains("64 hexadecimal digits"), "{error}");
    }
}
