//! The folder that a Mosquitto reads. Its files are for the server's user to write and for the folder's group to read:
//! a Mosquitto of another user must be of that group.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Of a folder that is made: its group may look into it.
const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;
const KEY: &str = "broker.key";

/// The folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it if it is not there. One that is there keeps owner, group and mode.
    pub(super) fn open(path: &Path) -> anyhow::Result<Folder> {
        if !path.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            let made = builder.recursive(true).mode(FOLDER_MODE).create(path);
            made.with_context(|| format!("cannot make {}", path.display()))?;
            // What the process's mask took away.
            std::fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))?;
        }
        Ok(Folder(path.to_owned()))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The broker's key, which is made once.
    pub(super) fn key(&self, make: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<String> {
        match std::fs::read_to_string(self.path(KEY)) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = make()?;
                self.put(KEY, &made)?;
                Ok(made)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.path(KEY).display())),
        }
    }

    /// Puts a whole file in place of the old one; one that is the same stays as it is.
    pub(super) fn put(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let file = self.path(name);
        if std::fs::read(&file).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(());
        }
        self.write(&file, name, text).with_context(|| format!("cannot write {}", file.display()))
    }

    fn write(&self, file: &Path, name: &str, text: &str) -> anyhow::Result<()> {
        let new = self.path(&format!(".{name}.new"));
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            // Left by a server that was killed, or not there.
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        // Nobody else reads it before its group is right.
        let mut written = options.write(true).create_new(true).mode(0o600).open(&new)?;
        written.write_all(text.as_bytes())?;
        self.hand_over(&written)?;
        written.sync_all()?;
        std::fs::rename(&new, file)?;
        Ok(File::open(&self.0)?.sync_all()?)
    }

    /// To the folder's group.
    fn hand_over(&self, file: &File) -> anyhow::Result<()> {
        let group = std::fs::metadata(&self.0)?.gid();
        if file.metadata()?.gid() != group {
            fchown(file, None, Some(group)).with_context(|| {
                format!(
                    "group {group} of the folder is not this user's: make this user a member, or chmod g+s it"
                )
            })?;
        }
        Ok(file.set_permissions(Permissions::from_mode(FILE_MODE))?)
    }
}

#[cfg(test)]
mod tests;
