//! Dossiers: written to a file, verified without a server, and the key that belongs to them.

mod verify;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use wire::api::v1;

pub(super) use self::verify::{VerifyArgs, verify};
use super::ids;
use crate::client::{Client, Options};
use crate::command::print;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Format, Listing, Note, Value};
use crate::words;

/// Characters of a file's name that the server proposes. More: refused.
const NAME_CHARACTERS_MAX: usize = 120;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The incident's id
    id: String,
    /// Where to write it; the name that the server proposes if not given. A file that exists is not overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

/// A dossier that was written.
#[derive(Debug)]
struct Written {
    incident_id: String,
    path: PathBuf,
    octets: usize,
    sha256: String,
    key_fingerprint: String,
    is_anchored: bool,
}

const COLUMNS: &[Column<Written>] = &[
    Column { name: "incident_id", title: "", value: |row| Value::Text(row.incident_id.clone()) },
    Column { name: "file", title: "file", value: |row| Value::Text(row.path.display().to_string()) },
    Column { name: "octets", title: "octets", value: |row| Value::Count(row.octets as u64) },
    Column { name: "anchored", title: "anchored", value: |row| Value::Flag(row.is_anchored) },
    Column { name: "sha256", title: "SHA-256", value: |row| Value::Text(row.sha256.clone()) },
    Column {
        name: "key_fingerprint",
        title: "key fingerprint",
        value: |row| Value::Text(row.key_fingerprint.clone()),
    },
];

/// Writes the dossier of one incident.
pub(super) async fn export(args: ExportArgs, options: &Options) -> Result<(), Failure> {
    let ExportArgs { id, out, force } = args;
    // An export is noted in the audit, so what cannot be written is not asked for.
    if let Some(path) = out.as_deref().filter(|path| !force && path.exists()) {
        return Err(exists(path));
    }
    let mut client = Client::connect(options).await?;
    let incident_id = ids::resolve_one(&mut client, id).await?;
    let request = v1::ExportDossierRequest { incident_id: incident_id.clone() };
    let dossier = client.handling.export_dossier(request).await?.into_inner();
    let path = out.map_or_else(|| proposed(&dossier.file_name), Ok)?;
    let sha256 = hex::encode(Sha256::digest(&dossier.file));
    if sha256 != dossier.sha256 {
        let message =
            format!("the dossier was changed on its way: SHA-256 is {sha256}, told was {}", dossier.sha256);
        return Err(Failure::new(Exit::Data, message));
    }
    write(&path, &dossier.file, force)?;
    let written = Written {
        incident_id,
        path,
        octets: dossier.file.len(),
        sha256,
        key_fingerprint: dossier.key_fingerprint,
        is_anchored: dossier.anchored,
    };
    if !written.is_anchored {
        writeln!(io::stderr(), "unanchored: no head that covers all of its entries was taken outside yet")?;
    }
    print(&Listing { name: "dossiers", columns: COLUMNS, rows: &[written], notes: Vec::new() }, options)
}

/// The name that the server proposes, if it is a plain one in the folder that is open.
fn proposed(name: &str) -> Result<PathBuf, Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_plain = !name.starts_with(['.', '-'])
        && !name.is_empty()
        && name.len() <= NAME_CHARACTERS_MAX
        && name.chars().all(allowed);
    is_plain.then(|| PathBuf::from(name)).ok_or_else(|| {
        Failure::new(Exit::Data, "the server proposes no plain name for the file; choose one with --out")
    })
}

/// Writes the file whole or not at all, for its owner only.
fn write(path: &Path, octets: &[u8], force: bool) -> Result<(), Failure> {
    let shown = path.display();
    let refused = |error: io::Error| {
        Failure::new(
            Exit::CannotCreate,
            format!("{shown} cannot be made ({error}); choose another with --out"),
        )
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
    file.write_all(octets)?;
    file.as_file().sync_all()?;
    let kept = if force { file.persist(path) } else { file.persist_noclobber(path) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(refused(error.error)),
    }
}

fn exists(path: &Path) -> Failure {
    let help = "choose another with --out, or overwrite it with --force";
    Failure::new(Exit::CannotCreate, format!("{} exists already; {help}", path.display()))
}

const HEAD_COLUMNS: &[Column<v1::AnchoredHead>] = &[
    Column { name: "facts", title: "facts", value: |row| Value::Count(row.facts) },
    Column { name: "root", title: "root", value: |row| Value::Text(row.root.clone()) },
    Column { name: "contact", title: "taken by", value: |row| Value::Text(row.contact.clone()) },
    Column {
        name: "take_time",
        title: "at",
        // Heads are of the server, which is at no site.
        value: |row| Value::Time(words::time(row.take_time), TimeZone::UTC),
    },
];

/// Prints the server's key, and the heads that somebody outside took.
pub(super) async fn key(options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let answer = client.handling.get_server_key(v1::GetServerKeyRequest {}).await?.into_inner();
    let text = |name, text: &str| Note { name, value: Value::Text(text.to_owned()) };
    let mut notes = vec![text("fingerprint", &answer.fingerprint), text("key", &answer.key)];
    if options.format() == Format::Table {
        let mut out = io::stdout().lock();
        writeln!(out, "fingerprint: {}\nkey: {}\n", answer.fingerprint, answer.key)?;
        notes.clear();
    }
    print(&Listing { name: "heads", columns: HEAD_COLUMNS, rows: &answer.heads, notes }, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken_from_a_server() {
        for (name, is_taken) in [
            ("beltwatch-0f0f.json", true),
            ("a", true),
            ("", false),
            ("../a", false),
            ("/etc/a", false),
            (".profile", false),
            ("-rf", false),
            ("a b", false),
            ("ä", false),
            (&"a".repeat(121), false),
        ] {
            assert_eq!(proposed(name).is_ok(), is_taken, "{name}");
        }
    }

    #[test]
    fn a_file_is_overwritten_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dossier.json");
        let read = || std::fs::read_to_string(&path).unwrap();
        write(&path, b"one", false).unwrap();
        let failure = write(&path, b"two", false).unwrap_err();
        assert_eq!((failure.exit, read().as_str()), (Exit::CannotCreate, "one"));
        assert!(failure.message.contains("--force"), "{failure}");
        write(&path, b"two", true).unwrap();
        assert_eq!(read(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        let nowhere = folder.path().join("none").join("dossier.json");
        assert_eq!(write(&nowhere, b"one", true).unwrap_err().exit, Exit::CannotCreate);
    }
}
