//! `beltwatch backup`: a copy of a server's folder, made while the server runs.

pub mod manifest;

use std::fs::{DirBuilder, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use store::sqlite::backup::{HISTORY_FOLDER, Snapshot, StoreName};

use self::manifest::{Entry, FORMAT, Journal, Manifest, SECRETS};
use crate::command::folder::{FolderArgs, Meter};
use crate::command::now;
use crate::failure::{Exit, Failure};

/// How often the states of the stores are taken anew because a file of the history was removed in between.
const ATTEMPTS_MAX: usize = 5;

/// Copies a server's folder, also while the server runs and writes
///
/// The backup holds everything that was acknowledged before it began, and the master key: whoever has it can pass for any
/// machine. `beltwatch restore --check` tells whether it is whole.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Where to: a folder that is empty or not there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    folder: FolderArgs,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let folder = args.folder.config()?.folder;
    let made = make(&folder, &args.to, &mut Meter::new("", 0))?;
    let (to, files, mib) = (args.to.display(), made.files.len(), made.bytes() >> 20);
    writeln!(
        io::stderr(),
        "{to}: {files} files, {mib} MiB, everything that was acknowledged before {}\nthe master key is in it: keep it as \
         safe as the server itself",
        made.complete_through
    )?;
    if made.files.iter().any(|file| file.path == StoreName::Influxdb.file()) {
        writeln!(
            io::stderr(),
            "the history is in InfluxDB and not in it: make its backup with `influx backup`"
        )?;
    }
    Ok(())
}

/// Makes a backup of a server's folder.
///
/// # Errors
/// `CannotCreate` if `to` is not empty; otherwise something cannot be read or written, and what is in `to` is no backup.
pub fn make(folder: &Path, to: &Path, meter: &mut Meter) -> Result<Manifest, Failure> {
    empty_folder(to)?;
    let complete_through = format!("{:.0}", now());
    let snapshot = copy(folder, to, meter).map_err(unavailable)?;
    let mut paths: Vec<String> = snapshot.stores().map(|name| name.file().to_owned()).collect();
    paths.extend(snapshot.files().iter().map(|file| format!("{HISTORY_FOLDER}/{}", file.name)));
    for name in SECRETS {
        if copy_secret(folder, to, name)? {
            paths.push(name.to_owned());
        }
    }
    let span = snapshot.span();
    let (journal, watermark) = (Journal { trimmed: span.trimmed, last: span.last }, snapshot.watermark());
    // The server's logs need not wait for what follows.
    drop(snapshot);
    let entries = paths.iter().map(|path| Entry::of(to, path, meter));
    let files = entries.collect::<io::Result<Vec<Entry>>>()?;
    meter.end();
    let manifest = Manifest {
        format: FORMAT,
        complete_through,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        journal,
        watermark,
        files,
    };
    manifest.write(to)?;
    Ok(manifest)
}

/// Makes a folder for its owner only, or takes an empty one.
pub(super) fn empty_folder(folder: &Path) -> Result<(), Failure> {
    let cannot = |error: io::Error| {
        Failure::new(Exit::CannotCreate, format!("{} cannot be used: {error}", folder.display()))
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(cannot),
            Some(_) => {
                let message = format!("{} is not empty: name a new folder", folder.display());
                Err(Failure::new(Exit::CannotCreate, message))
            }
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)
        }
        Err(error) => Err(cannot(error)),
    }
}

/// Copies the stores, and gives the state that was copied. Files of the history come first: they could be removed.
fn copy(folder: &Path, to: &Path, meter: &mut Meter) -> anyhow::Result<Snapshot> {
    for _ in 0..ATTEMPTS_MAX {
        let snapshot = Snapshot::take(folder)?;
        let filed: u64 = snapshot.files().iter().map(|file| file.bytes).sum();
        meter.begin("copying", (snapshot.bytes()? + filed).saturating_mul(2));
        if !copy_history(folder, to, &snapshot, meter)? {
            continue;
        }
        snapshot.copy(to, &mut |octets| meter.add(octets))?;
        return Ok(snapshot);
    }
    anyhow::bail!("files of the history were removed each time before they were copied; try again later")
}

/// Whether all files were there still.
fn copy_history(folder: &Path, to: &Path, snapshot: &Snapshot, meter: &mut Meter) -> anyhow::Result<bool> {
    let (from, to) = (folder.join(HISTORY_FOLDER), to.join(HISTORY_FOLDER));
    if to.exists() {
        std::fs::remove_dir_all(&to).with_context(|| format!("cannot empty {}", to.display()))?;
    }
    if snapshot.files().is_empty() {
        return Ok(true);
    }
    std::fs::create_dir(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for file in snapshot.files() {
        let (from, to) = (from.join(&file.name), to.join(&file.name));
        // A file never changes: on the same disk another name for it is as good as a copy.
        let is_linked = std::fs::hard_link(&from, &to).is_ok();
        match if is_linked { Ok(()) } else { copy_file(&from, &to) } {
            Ok(()) => meter.add(file.bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).with_context(|| format!("cannot copy {}", from.display())),
        }
    }
    std::fs::File::open(&to)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("cannot sync {}", to.display()))?;
    Ok(true)
}

/// Copies a file with its rights, and brings it to disk.
pub(super) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::copy(from, to)?;
    std::fs::File::open(to)?.sync_all()
}

/// Whether there is such a file. Without the master key there is no backup.
fn copy_secret(folder: &Path, to: &Path, name: &str) -> Result<bool, Failure> {
    match copy_file(&folder.join(name), &to.join(name)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound && name != SECRETS[0] => Ok(false),
        Err(error) => {
            let message = format!("cannot copy {}: {error}", folder.join(name).display());
            Err(Failure::new(Exit::InputOutput, message))
        }
    }
}

/// A store cannot be read or written: the message says what to do.
fn unavailable(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Unavailable, format!("{error:#}"))
}
