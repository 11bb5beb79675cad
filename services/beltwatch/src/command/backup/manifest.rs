//! What a backup says of itself. It is written last: a folder without it is no backup.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use domain::limits;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::sqlite::backup::{HISTORY_FOLDER, StoreName};

use crate::command::folder::Meter;

/// Its name in the backup's folder.
pub const MANIFEST: &str = "manifest.json";
/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// Files beside the stores that a server needs: the key from which the machines' keys follow, and its own authority.
pub const SECRETS: [&str; 3] = ["master.key", "authority.key", "authority.pem"];

const READ_BYTES: usize = 1 << 20;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the backup.
    pub format: u32,
    /// Everything that was acknowledged before this time is in it; RFC 3339, UTC.
    pub complete_through: String,
    /// The version of the program that made it.
    pub program_version: String,
    /// What the journal holds.
    pub journal: Journal,
    /// Everything up to this slice of the journal is in the telemetry.
    pub watermark: u64,
    /// All files but this one.
    pub files: Vec<Entry>,
}

/// What the journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Everything up to this slice was derived and removed.
    pub trimmed: u64,
    /// The last slice.
    pub last: u64,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is in the folder, with `/`.
    pub path: String,
    /// Its octets.
    pub bytes: u64,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// There is none, it is of a newer format, or it names files that no backup has.
    pub fn read(folder: &Path) -> anyhow::Result<Manifest> {
        let path = folder.join(MANIFEST);
        let is_there = path.try_exists().with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            is_there,
            "{} has no {MANIFEST}: it is no backup, or one that was broken off",
            folder.display()
        );
        let mut text = String::new();
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(limits::BACKUP_MANIFEST_BYTES_MAX)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Manifest =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        ensure!(
            manifest.format == FORMAT,
            "{} has format {}, written by version {} of Beltwatch; this program reads format {FORMAT}: use that version \
             or a newer one",
            path.display(),
            manifest.format,
            manifest.program_version
        );
        for entry in &manifest.files {
            ensure!(is_ours(&entry.path), "{} names \"{}\", which no backup has", path.display(), entry.path);
        }
        for needed in StoreName::ALL.map(StoreName::file).into_iter().chain([SECRETS[0]]) {
            let is_named = manifest.files.iter().any(|entry| entry.path == needed);
            ensure!(is_named, "{} does not name {needed}: it is damaged", path.display());
        }
        Ok(manifest)
    }

    /// Writes it, so that it is whole or not there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let (path, new) = (folder.join(MANIFEST), folder.join(format!("{MANIFEST}.new")));
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&new)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            writeln!(file)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Octets of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|entry| entry.bytes).fold(0, u64::saturating_add)
    }
}

impl Entry {
    /// What a file is now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(folder: &Path, path: &str, meter: &mut Meter) -> std::io::Result<Entry> {
        let (mut file, mut digest, mut bytes) = (File::open(folder.join(path))?, Sha256::new(), 0_u64);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            digest.update(&buffer[..read]);
            bytes += read as u64;
            meter.add(read as u64);
        }
        Ok(Entry { path: path.to_owned(), bytes, sha256: hex::encode(digest.finalize()) })
    }
}

/// Whether a backup may have a file of this name. Nothing leads out of its folder.
fn is_ours(path: &str) -> bool {
    let known = StoreName::ALL.map(StoreName::file);
    if known.contains(&path) || path == StoreName::Influxdb.file() || SECRETS.contains(&path) {
        return true;
    }
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.');
    let name = path.strip_prefix(HISTORY_FOLDER).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| name.ends_with(".chunks") && !name.starts_with('.') && name.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_within_the_folder_are_ours() {
        for (path, expected) in [
            ("journal.db", true),
            ("master.key", true),
            ("history/2026-11-21-1.chunks", true),
            ("history/../master.chunks", false),
            ("history/..chunks", false),
            ("history/a", false),
            ("/etc/passwd", false),
            ("../journal.db", false),
            ("lock", false),
            ("", false),
        ] {
            assert_eq!(is_ours(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let check = |text: Option<&str>, expected: &str| {
            if let Some(text) = text {
                std::fs::write(folder.path().join(MANIFEST), text).unwrap();
            }
            let error = format!("{:#}", Manifest::read(folder.path()).unwrap_err());
            assert!(error.contains(expected), "{error} lacks {expected}");
        };
        let manifest = |format: u32, files: &str| {
            format!(
                r#"{{"format": {format}, "complete_through": "", "program_version": "9.9.9",
                "journal": {{"trimmed": 0, "last": 0}}, "watermark": 0, "files": [{files}]}}"#
            )
        };
        check(None, "it is no backup");
        check(Some("{"), "is damaged");
        check(Some(&manifest(2, "")), "written by version 9.9.9");
        check(Some(&manifest(1, r#"{"path": "../x", "bytes": 0, "sha256": ""}"#)), "which no backup has");
        check(Some(&manifest(1, "")), "does not name ledger.db");
    }
}
