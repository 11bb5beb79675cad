//! What enrolling leaves on the disk: a nonce while it goes on, the credential when it is done. Both are secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Uid, fchown};
use serde::{Deserialize, Serialize};
use wire::enrolment::{Code, NONCE_OCTETS, Nonce};

use super::EnrolError;

/// What is put behind the credential's file name while an agent enrols.
const SUFFIX: &str = ".enrolling";

/// Something that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {error}; run it with sudo, or name another file with --credential", file.display())]
pub struct Unkept {
    what: &'static str,
    file: PathBuf,
    error: io::Error,
}

impl Unkept {
    fn of<'a>(what: &'static str, file: &'a Path) -> impl Fn(io::Error) -> Unkept + 'a {
        move |error| Unkept { what, file: file.to_owned(), error }
    }
}

/// The file of an agent that enrols.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    version: u32,
    /// Hash of the code, so that another code gets another nonce.
    code: String,
    nonce: String,
}

/// The nonce, as it is kept.
#[derive(Debug)]
pub(super) struct Kept {
    file: PathBuf,
    nonce: Nonce,
}

impl Kept {
    /// The nonce that was begun with for this code, or a new one, which is on the disk when this returns.
    pub(super) fn open(credential: &Path, code: &Code) -> Result<Kept, EnrolError> {
        let mut name = credential.file_name().unwrap_or_default().to_owned();
        name.push(SUFFIX);
        let file = credential.with_file_name(name);
        if let Some(nonce) = begun(&file, code) {
            return Ok(Kept { file, nonce });
        }
        let mut octets = [0; NONCE_OCTETS];
        getrandom::fill(&mut octets).map_err(EnrolError::Random)?;
        let (code, nonce) = (hex::encode(code.shown.hash()), hex::encode(octets));
        let text = serde_json::to_string(&Begun { version: 1, code, nonce })
            .expect("strings and numbers are always JSON");
        replace(&file, &text)?;
        Ok(Kept { file, nonce: Nonce(octets) })
    }

    pub(super) fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// It is done, or there is no use in asking for the same again. Another run may have been first.
    pub(super) fn forget(&self) -> Result<(), Unkept> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Unkept::of("remove", &self.file)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// What an earlier run has begun with the same code. A file that cannot be read is as good as none.
fn begun(file: &Path, code: &Code) -> Option<Nonce> {
    let begun: Begun = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    if begun.version != 1 || begun.code != hex::encode(code.shown.hash()) {
        return None;
    }
    let mut octets = [0; NONCE_OCTETS];
    hex::decode_to_slice(begun.nonce, &mut octets).ok()?;
    Some(Nonce(octets))
}

/// Writes a file that its owner alone can read, whole or not at all, and brings it to the disk. It belongs to whom its
/// folder belongs to: a technician may be root, the agent is not.
pub(super) fn replace(file: &Path, text: &str) -> Result<(), Unkept> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    // What a run before left when the power went.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Unkept::of("replace", &new)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    let mut written =
        options.write(true).create_new(true).mode(0o600).open(&new).map_err(Unkept::of("make", &new))?;
    let put = written.write_all(text.as_bytes()).and_then(|()| belong(&written, folder));
    let put = put.and_then(|()| written.sync_all()).and_then(|()| fs::rename(&new, file));
    put.and_then(|()| File::open(folder)?.sync_all()).map_err(|error| {
        // Nobody shall find half a secret.
        let _ = fs::remove_file(&new);
        Unkept::of("write", file)(error)
    })
}

/// Gives the file to the owner of its folder, if it is not theirs already.
fn belong(file: &File, folder: &Path) -> io::Result<()> {
    let (own, wanted) = (file.metadata()?, fs::metadata(folder)?);
    // Who is not root can give nothing away; then they are the agent's user, or know what they do.
    if own.uid() == wanted.uid() || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(wanted.uid()), Gid::from_raw(wanted.gid()));
    Ok(fchown(file, Some(user), Some(group))?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use wire::enrolment::Shown;

    use super::*;

    fn code(octet: u8) -> Code {
        Code { shown: Shown::new(&[octet; 11]).expect("11 octets"), authority: None }
    }

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_nonce_is_kept_for_one_code_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let credential = folder.path().join("credential.json");
        let open = |code| Kept::open(&credential, &code).unwrap();
        let first = open(code(1));
        assert_eq!(open(code(1)).nonce(), first.nonce(), "begun again");
        let other = open(code(2));
        assert_ne!(other.nonce(), first.nonce());
        assert_eq!(mode(&folder.path().join("credential.json.enrolling")), 0o600);
        other.forget().unwrap();
        other.forget().unwrap();
        assert_ne!(open(code(2)).nonce(), other.nonce());
        fs::write(folder.path().join("credential.json.enrolling"), "{half").unwrap();
        assert_ne!(open(code(2)).nonce(), other.nonce());
        assert!(!credential.exists());
    }

    #[test]
    fn a_file_is_replaced_whole_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credential.json");
        fs::write(&file, "old").unwrap();
        fs::write(folder.path().join("credential.json.new"), "half").unwrap();
        replace(&file, "new").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("new", 0o600));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = replace(&folder.path().join("none/credential.json"), "new").unwrap_err().to_string();
        assert!(error.contains("cannot make") && error.contains("--credential"), "{error}");
        // What stands there stays if the new one cannot take its place.
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inside")).unwrap();
        assert!(replace(&taken, "new").is_err());
        assert!(!folder.path().join("taken.new").exists());
    }
}
