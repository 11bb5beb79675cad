//! The connections that read a file.

use std::sync::{Arc, Mutex, PoisonError};

use domain::limits;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::failure::Failure;
use super::file::StoreFile;
use crate::{StoreError, StoreErrorKind};

/// A few connections that read, each used by one caller at a time.
#[derive(Debug)]
pub(super) struct Readers {
    file: StoreFile,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// None is open yet.
    pub(super) fn new(file: StoreFile) -> Readers {
        Readers { file, idle: Arc::default(), permits: Arc::new(Semaphore::new(limits::STORE_READERS_MAX)) }
    }

    /// Does `work` on one state of the file, away from the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (file, idle) = (self.file.clone(), self.idle.clone());
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let task = tokio::task::spawn_blocking(move || {
            let popped = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let result = match popped {
                Some(connection) => Ok(connection),
                None => file.open_for_reading(),
            }
            .and_then(|connection| {
                let result = read_once(&connection, work);
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                result
            });
            drop(permit);
            result.map_err(|failure| failure.explain(doing, file.path()))
        });
        task.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::new(StoreErrorKind::Unavailable, "the server is stopping")),
        })
    }
}

fn read_once<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // One transaction, so that all statements see the same state; it ends when it is dropped.
    let transaction = connection.unchecked_transaction()?;
    work(&transaction)
}
