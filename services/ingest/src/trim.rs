//! Keeping the journal small, and watching its disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use store::journal::{Journal, Sequence};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::readiness::{Part, Readiness};

const TRIM_PERIOD: Duration = Duration::from_secs(10);
const ROOM_PERIOD: Duration = Duration::from_secs(2);

/// Trims the journal up to where everything derived from it has been written. A last time when the service stops.
pub(crate) async fn trim(
    journal: Arc<dyn Journal>,
    mut saved: watch::Receiver<Sequence>,
    mut watermark: watch::Receiver<Sequence>,
    stop: CancellationToken,
) {
    let mut trimmed = 0;
    loop {
        let is_stopping = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(TRIM_PERIOD) => false,
        };
        if is_stopping {
            // Both writers close their side when they have written all.
            while saved.changed().await.is_ok() {}
            while watermark.changed().await.is_ok() {}
        }
        let through = (*saved.borrow()).min(*watermark.borrow());
        if through > trimmed {
            match journal.trim(through).await {
                Ok(()) => trimmed = through,
                Err(error) => {
                    tracing::warn!(error = %error, through, "the journal cannot be trimmed; tried again");
                }
            }
        }
        if is_stopping {
            return;
        }
    }
}

/// Says when the journal's disk is nearly full, before it is full.
pub(crate) async fn watch_room(
    folder: PathBuf,
    nearly_full: watch::Sender<bool>,
    readiness: Readiness,
    stop: CancellationToken,
) {
    loop {
        match free_bytes(&folder) {
            Ok(free) if free < limits::JOURNAL_FREE_BYTES_MIN => {
                let message = format!(
                    "the journal's disk has {} MiB left; readings wait at the agents until it has {} MiB",
                    free >> 20,
                    limits::JOURNAL_FREE_BYTES_MIN >> 20
                );
                if !nearly_full.send_replace(true) {
                    tracing::error!(folder = %folder.display(), free_bytes = free, "the journal's disk is nearly full");
                }
                readiness.trouble(Part::Room, &message);
            }
            Ok(_) => {
                nearly_full.send_replace(false);
                readiness.fine(Part::Room);
            }
            Err(error) => {
                let message = format!("the room of {} cannot be read: {error}", folder.display());
                readiness.trouble(Part::Room, &message);
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROOM_PERIOD) => {}
        }
    }
}

fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let room = rustix::fs::statvfs(folder)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}
