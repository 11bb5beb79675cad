//! `beltwatch restore`: a server's folder out of a backup.

mod verify;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use store::sqlite::backup::{HISTORY_FOLDER, StoreName};
use store::sqlite::lock_folder;

pub use self::verify::{Verified, verify};
use crate::client::Options;
use crate::command::backup::manifest::{Entry, Manifest, SECRETS};
use crate::command::backup::{copy_file, empty_folder};
use crate::command::finding;
use crate::command::folder::Meter;
use crate::failure::{Exit, Failure};

pub(in crate::command) use self::verify::{chunks, losses};

/// In the folder while it is restored. No server starts on it.
pub const RESTORING: &str = "restoring";

/// Checks a backup, and makes a server's folder of it
///
/// What the machines sent after the backup and had acknowledged is in neither the backup nor the machines: when they go
/// on, it is recorded as lost. What was not acknowledged comes again.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Where to: a folder that is empty or not there
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    to: Option<PathBuf>,
    /// Only look at every octet and tell what is there; ends with 65 if something is damaged
    #[arg(long, conflicts_with = "to")]
    check: bool,
}

/// Runs the command.
pub(super) fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let verified = verify(&args.from, &mut Meter::new("", 0))?;
    let findings = finding::conclude(&verified.findings, Vec::new(), options);
    let Some(to) = args.to.filter(|_| !args.check) else { return findings };
    findings?;
    copy(&args.from, &to, &verified.manifest, &mut Meter::new("", 0))?;
    let (to, through) = (to.display(), &verified.manifest.complete_through);
    writeln!(
        io::stderr(),
        "{to} is restored. Start the server on it; what machines sent after {through} and had acknowledged will be \
         recorded as lost"
    )?;
    if StoreName::of(&args.from).contains(&StoreName::Influxdb) {
        writeln!(
            io::stderr(),
            "the history is in InfluxDB: restore what `influx backup` made of it before the start"
        )?;
    }
    Ok(())
}

/// Checks a backup and makes a server's folder of it. Nothing is made of one that is damaged.
///
/// # Errors
/// `Data` if the backup is damaged, `CannotCreate` if `to` is not empty, or something cannot be written.
pub fn restore(from: &Path, to: &Path, meter: &mut Meter) -> Result<Verified, Failure> {
    let verified = verify(from, meter)?;
    if !verified.is_whole() {
        return Err(Failure::new(Exit::Data, format!("{} is damaged", from.display())));
    }
    copy(from, to, &verified.manifest, meter)?;
    Ok(verified)
}

/// Everything is copied into a folder within `to` first: until it is all there and on disk, nothing is in its place.
fn copy(from: &Path, to: &Path, manifest: &Manifest, meter: &mut Meter) -> Result<(), Failure> {
    empty_folder(to)?;
    let _lock = lock_folder(to).map_err(|error| Failure::new(Exit::Unavailable, error.to_string()))?;
    meter.begin("restoring", manifest.bytes().saturating_mul(2));
    let aside = to.join(RESTORING);
    std::fs::create_dir_all(aside.join(HISTORY_FOLDER))?;
    for entry in &manifest.files {
        let path = aside.join(&entry.path);
        copy_file(&from.join(&entry.path), &path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        meter.add(entry.bytes);
        if Entry::of(&aside, &entry.path, meter)? != *entry {
            let message = format!("{} is not what was read before: see to the disks", path.display());
            return Err(Failure::new(Exit::InputOutput, message));
        }
    }
    meter.end();
    sync(&aside.join(HISTORY_FOLDER))?;
    sync(&aside)?;
    let stores = StoreName::of(&aside).into_iter().map(StoreName::file);
    let names = SECRETS.into_iter().chain([HISTORY_FOLDER]).chain(stores);
    for name in names.filter(|name| aside.join(name).exists()) {
        std::fs::rename(aside.join(name), to.join(name))?;
    }
    sync(to)?;
    // From here on a server starts on it.
    std::fs::remove_dir(&aside)?;
    Ok(sync(to)?)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
