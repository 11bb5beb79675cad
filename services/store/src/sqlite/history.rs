//! Compacted chunks: files in the folder `history` that are written once, and their index in `telemetry.db`.
//!
//! A day's file is written and synced before its chunks are in the index; in the transaction that puts them there the
//! small chunks go. A file is removed after its chunks have left the index. So at each moment every record is in one
//! place that readers know. Readers hold [`History::hold`] before they look into the index, and files are removed under
//! its counterpart: nobody is led to a file that is gone.

mod check;
mod compact;
mod file;
mod forget;
mod index;
mod merge;
mod open;
mod writer;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use domain::limits;

use super::lock::{make_folder, sync_folder};
use crate::chunk::{self, Row};
use crate::telemetry::{Damage, Damages};
use crate::{StoreError, StoreErrorKind};

pub(super) use self::check::{check, lost, stock};
pub(super) use self::compact::{commit, write_file};
pub(super) use self::forget::{forget, gone};
pub(super) use self::index::{Filed, Run, SCHEMA, drop_filed, overlapping};
pub(super) use self::merge::{commit_merged, merge_files};
pub(super) use self::open::settle;

/// Its name in the store's folder.
pub(super) const FOLDER: &str = "history";
const ENDING: &str = ".chunks";

/// The files, and what was found damaged.
#[derive(Debug)]
pub(super) struct History {
    folder: PathBuf,
    /// Held for writing while a file is removed.
    files: RwLock<()>,
    damages: Mutex<Damages>,
}

/// Why a chunk could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is not what was written, or not there at all.
    Damaged(String),
    /// The disk failed; it may be read later.
    Failed(StoreError),
}

impl History {
    /// The files of a store's folder.
    pub(super) fn new(folder: &Path) -> History {
        History { folder: folder.join(FOLDER), files: RwLock::new(()), damages: Mutex::default() }
    }

    /// Keeps files from being removed; to be held before the index is asked for them.
    pub(super) fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody holds the files just now.
    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.files.try_write().is_err()
    }

    /// The octets of a chunk in a file.
    fn octets(&self, file: &str, place: u64, length: u64) -> Result<Vec<u8>, Unread> {
        let path = self.folder.join(file);
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(place))?;
            let mut octets = vec![0; usize::try_from(length).unwrap_or(0)];
            file.read_exact(&mut octets)?;
            Ok(octets)
        };
        read().map_err(|error: std::io::Error| {
            if error.kind() == ErrorKind::NotFound {
                Unread::Damaged("its file is missing".to_owned())
            } else if error.kind() == ErrorKind::UnexpectedEof {
                Unread::Damaged("its file ends before it".to_owned())
            } else {
                Unread::Failed(failed("read", &path, error))
            }
        })
    }

    /// The rows of a chunk in a file.
    pub(super) fn rows(&self, filed: &Filed) -> Result<Vec<Row>, Unread> {
        let octets = self.octets(&filed.file, filed.offset + filed.head_bytes, filed.bytes)?;
        let (head, rows) = chunk::decode(&octets).map_err(|error| Unread::Damaged(error.to_string()))?;
        if filed.is_of(&head) {
            Ok(rows)
        } else {
            Err(Unread::Damaged("another chunk stands there".to_owned()))
        }
    }

    /// Remembers what is damaged, each place once.
    pub(super) fn note(&self, damage: Damage) {
        let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
        if damages.places.contains(&damage) {
            return;
        }
        if damages.places.len() >= limits::DAMAGES_KEPT_MAX {
            damages.more = damages.more.saturating_add(1);
            return;
        }
        tracing::error!(file = damage.file, offset = damage.offset, reason = damage.reason, lost = ?damage.lost,
            "something in the history is damaged");
        damages.places.push(damage);
    }

    /// What was found damaged.
    pub(super) fn damages(&self) -> Damages {
        self.damages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Removes a file that no reader can be led to any more.
    pub(super) fn remove(&self, file: &str) -> Result<(), StoreError> {
        let path = self.folder.join(file);
        let _nobody = self.files.write().unwrap_or_else(PoisonError::into_inner);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("removed", &path, error)),
        }
    }

    /// Removes files for good: not even a power cut brings one back. Fails where the folder is not there just now: its
    /// files may be elsewhere, and come back.
    pub(super) fn remove_all<'n>(&self, files: impl IntoIterator<Item = &'n str>) -> Result<(), StoreError> {
        files.into_iter().try_for_each(|file| self.remove(file))?;
        sync_folder(&self.folder)
    }

    /// Whether a file is missing or shorter than this. What cannot be told is told when it is read.
    fn ends_before(&self, file: &str, end: u64) -> bool {
        match std::fs::metadata(self.folder.join(file)) {
            Ok(found) => found.is_file() && found.len() < end,
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }

    /// Which files there are.
    fn list(&self) -> Result<Vec<String>, StoreError> {
        let cannot = |error| failed("listed", &self.folder, error);
        let mut names = Vec::new();
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            // The first file makes it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(cannot(error)),
        };
        for entry in entries {
            let name = entry.map_err(cannot)?.file_name();
            if let Some(name) = name.to_str().filter(|name| name.ends_with(ENDING)) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes a new file of a day.
    fn create(&self, day: &str) -> Result<(String, File), StoreError> {
        make_folder(&self.folder)?;
        for number in 1..u32::MAX {
            let name = format!("{day}-{number}{ENDING}");
            let path = self.folder.join(&name);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("made", &path, error)),
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Full,
            format!("there are too many files of {day} in the history"),
        ))
    }

    /// Brings a file that was written, and its name, to disk.
    fn sync(&self, name: &str, file: &File) -> Result<(), StoreError> {
        file.sync_all().map_err(|error| failed("synced", &self.folder.join(name), error))?;
        sync_folder(&self.folder)
    }
}

fn failed(what: &str, path: &Path, error: std::io::Error) -> StoreError {
    let is_full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let kind = if is_full { StoreErrorKind::Full } else { StoreErrorKind::Unavailable };
    let context = format!("{} cannot be {what}: {error}; see to its disk and its rights", path.display());
    StoreError::with_source(kind, context, error)
}
