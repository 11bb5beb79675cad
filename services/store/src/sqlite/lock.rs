//! One server a folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::{StoreError, StoreErrorKind};

/// Holds a store's folder for this process. Released when dropped, and by the system when the process ends.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    /// Holding it open holds the lock.
    _file: File,
}

impl FolderLock {
    /// The folder that is held.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Takes a store's folder for this process; makes the folder if it is not there. Blocks for as long as the disk takes.
/// `Unavailable` if it cannot be written, or if another process holds it.
pub fn lock_folder(folder: &Path) -> Result<FolderLock, StoreError> {
    make_folder(folder)?;
    let path = folder.join("lock");
    let cannot = |error| unavailable(format!("{} cannot be written", path.display()), error);
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held(folder, &mut file)),
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    let note = |mut file: &File| -> std::io::Result<()> {
        file.set_len(0)?;
        write!(file, "{}", std::process::id())
    };
    note(&file).map_err(cannot)?;
    Ok(FolderLock { folder: folder.to_owned(), _file: file })
}

fn held(folder: &Path, file: &mut File) -> StoreError {
    let mut process = String::new();
    // The number is only there to help: it may be missing.
    let by = match file.take(20).read_to_string(&mut process) {
        Ok(1..) => format!("process {process}"),
        Ok(_) | Err(_) => "another process".to_owned(),
    };
    let folder = folder.display();
    let context = format!("{folder} is in use by {by}: stop that server first, or use another folder");
    StoreError::new(StoreErrorKind::Unavailable, context)
}

/// Makes a folder if it is not there.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let cannot = |error| unavailable(format!("the folder {} cannot be made", folder.display()), error);
    if folder.is_dir() {
        return Ok(());
    }
    // What people do and the master key are in it: nobody else looks in.
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    // A folder whose entry was not written is gone after a power cut, with all that is in it.
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Waits until the folder's entries are on disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(|error| unavailable(format!("the folder {} cannot be synced", folder.display()), error))
}

fn unavailable(what: String, error: std::io::Error) -> StoreError {
    let context = format!("{what}: {error}; give this user the right to write there, or use another folder");
    StoreError::with_source(StoreErrorKind::Unavailable, context, error)
}
