//! The operator's secret: who runs the server may do everything on the same computer. At each start the server writes
//! a new secret into a file that only its own user can read; the command line reads it there.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use api::{SecretKind, new_secret};

/// A secret that is good as long as this lives.
#[derive(Debug)]
pub(crate) struct Operator {
    secret: String,
    file: PathBuf,
}

impl Operator {
    /// Makes a secret and writes it to a file, in the place of an older one.
    ///
    /// # Errors
    /// The file cannot be written where only this user can read it.
    pub(crate) fn publish(file: &Path) -> anyhow::Result<Operator> {
        let secret =
            new_secret(SecretKind::Operator).context("the operating system gives no random octets")?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_private(folder)?;
        let shown = file.display();
        let new = file.with_extension("new");
        remove(&new).with_context(|| format!("cannot remove {}", new.display()))?;
        let mut options = OpenOptions::new();
        let mut written = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)
            .with_context(|| cannot_write(&new))?;
        writeln!(written, "{secret}").with_context(|| cannot_write(&new))?;
        fs::rename(&new, file).with_context(|| format!("cannot put {shown} in its place"))?;
        Ok(Operator { secret, file: file.to_owned() })
    }

    /// The secret.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Another server may have taken the file over since.
        if read(&self.file).as_deref() == Some(self.secret())
            && let Err(error) = remove(&self.file)
        {
            tracing::warn!(file = %self.file.display(), %error, "the operator's secret could not be removed");
        }
    }
}

/// Where a server on this port keeps its operator's secret, unless it is told otherwise.
pub fn usual_file(port: u16) -> PathBuf {
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| Path::new(folder).is_dir()) {
        Some(runtime) => PathBuf::from(runtime).join("beltwatch"),
        None => std::env::temp_dir().join(format!("beltwatch-{}", rustix::process::getuid().as_raw())),
    };
    folder.join(format!("operator-{port}"))
}

/// The secret in a file; `None`: there is none that this user can read.
pub fn read(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

/// Makes a folder that only this user can open, or sees that it is one.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    let mut builder = DirBuilder::new();
    match builder.recursive(false).mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {shown} for the operator's secret"));
        }
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(folder).with_context(|| format!("cannot look at {shown}"))?;
    let own = found.uid() == rustix::process::getuid().as_raw();
    ensure!(
        found.is_dir() && own && found.mode() & 0o022 == 0,
        "{shown} belongs to somebody else, or others can write to it: set XDG_RUNTIME_DIR or operator_file"
    );
    Ok(())
}

fn cannot_write(file: &Path) -> String {
    format!("cannot write {} for the operator's secret", file.display())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_is_for_its_user_only_and_goes_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("private").join("operator-1");
        let first = Operator::publish(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        let second = Operator::publish(&file).unwrap();
        assert_ne!(first.secret(), second.secret());
        drop(first);
        assert_eq!(read(&file).as_deref(), Some(second.secret()), "it is the newer server's now");
        drop(second);
        assert_eq!(read(&file), None);
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let error = Operator::publish(&open.join("operator-1")).unwrap_err().to_string();
        assert!(error.contains("operator_file"), "{error}");
    }
}
