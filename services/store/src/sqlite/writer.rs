//! The one thread that writes a file.

use rusqlite::Connection;
use std::thread::JoinHandle;

use domain::limits;
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;
use super::file::{Durability, Format, StoreFile, synchronous};
use crate::{StoreError, StoreErrorKind};

/// Pages in the write-ahead log from which on it is moved into the file. More would pause the writer for longer, fewer
/// would write pages that many machines share more often.
const LOG_PAGES_MAX: i64 = 1_000;

/// A file's writer. Each piece of work is one transaction; they are done one after another.
///
/// `S` is what the work remembers from one transaction to the next, such as numbers of names. It is forgotten when a
/// transaction is taken back, so that it never knows what the file does not.
#[derive(Debug)]
pub(super) struct Writer<S> {
    jobs: Option<mpsc::Sender<Job<S>>>,
    thread: Option<JoinHandle<()>>,
    file: StoreFile,
    durability: Durability,
}

type Job<S> = Box<dyn FnOnce(&mut Desk<S>) + Send>;

/// What the thread owns.
struct Desk<S> {
    connection: Connection,
    durability: Durability,
    memory: S,
}

impl<S: Default + Send + 'static> Writer<S> {
    /// Starts the thread on an open file.
    pub(super) fn start(
        file: StoreFile,
        connection: Connection,
        format: &Format,
    ) -> Result<Writer<S>, StoreError> {
        let (jobs, mut waiting) = mpsc::channel::<Job<S>>(limits::STORE_WRITES_WAITING);
        let durability = format.durability;
        let path = file.path().to_owned();
        let thread = std::thread::Builder::new().name(format!("{}-writer", format.name)).spawn(move || {
            let mut desk = Desk { connection, durability, memory: S::default() };
            while let Some(job) = waiting.blocking_recv() {
                job(&mut desk);
                // The caller has its answer already: what the log holds is as durable as what the file holds.
                if let Err(error) = desk.checkpoint() {
                    tracing::warn!(file = %path.display(), %error, "the write-ahead log could not be moved into its file");
                }
            }
        });
        let thread = thread.map_err(|error| {
            let context = format!("no thread could be started for {}: {error}", file.path().display());
            StoreError::with_source(StoreErrorKind::Unavailable, context, error)
        })?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread), file, durability })
    }

    /// Does `work` as one transaction: all of it or nothing. On disk when it returns if the file's durability says so.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &mut S) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_with(self.durability, doing, work).await
    }

    /// The same; `then` is done on the writer's thread when the transaction is committed, before the next one begins.
    pub(super) async fn write_then<T: Send + 'static, U: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &mut S) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(T) -> U + Send + 'static,
    ) -> Result<U, StoreError> {
        let durability = self.durability;
        self.job(doing, move |desk| desk.transact(durability, work).map(then)).await
    }

    /// The same, with another durability than the file's. On disk at once means all that was written before, too.
    pub(super) async fn write_with<T: Send + 'static>(
        &self,
        durability: Durability,
        doing: &'static str,
        work: impl FnOnce(&Connection, &mut S) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.job(doing, move |desk| desk.transact(durability, work)).await
    }

    /// Moves all of the log into the file and cuts it to nothing, so that it holds nothing that was erased. If somebody
    /// reads for too long, that is left to a later time.
    pub(super) async fn empty_log(&self) {
        let is_empty = self.job("emptying the log of", |desk| {
            let pragma = "PRAGMA wal_checkpoint(TRUNCATE)";
            Ok(desk.connection.query_row(pragma, [], |row| Ok(row.get::<_, i64>(0)? == 0))?)
        });
        let problem = match is_empty.await {
            Ok(true) => return,
            Ok(false) => "somebody reads".to_owned(),
            Err(error) => error.to_string(),
        };
        let file = self.file.path().display();
        tracing::warn!(%file, problem, "the write-ahead log could not be emptied and may hold an erased text for a while");
    }

    async fn job<T: Send + 'static>(
        &self,
        doing: &'static str,
        job: impl FnOnce(&mut Desk<S>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let path = self.file.path().to_owned();
        let job: Job<S> = Box::new(move |desk| {
            let result = job(desk).map_err(|failure| failure.explain(doing, &path));
            // Nobody waits for it any more: it is written all the same.
            let _ = reply.send(result);
        });
        let Some(jobs) = &self.jobs else {
            return Err(self.stopped());
        };
        jobs.send(job).await.map_err(|_| self.stopped())?;
        answer.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    fn stopped(&self) -> StoreError {
        let path = self.file.path().display();
        let context = format!("the writer of {path} has stopped: start the server again");
        StoreError::new(StoreErrorKind::Unavailable, context)
    }
}

impl<S> Drop for Writer<S> {
    /// Waits for the work that was given, so that the file is closed when this returns.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(file = %self.file.path().display(), "the writer of a store's file panicked");
        }
    }
}

impl<S: Default> Desk<S> {
    fn transact<T>(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Connection, &mut S) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.set_durability(durability)?;
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = work(&self.connection, &mut self.memory).and_then(|result| {
            self.connection.execute_batch("COMMIT")?;
            Ok(result)
        });
        if done.is_err() {
            self.memory = S::default();
            // SQLite takes some failed transactions back by itself.
            if !self.connection.is_autocommit() {
                self.connection.execute_batch("ROLLBACK")?;
            }
        }
        done
    }

    fn set_durability(&mut self, durability: Durability) -> Result<(), Failure> {
        if self.durability != durability {
            self.connection.pragma_update(None, "synchronous", synchronous(durability))?;
            self.durability = durability;
        }
        Ok(())
    }

    /// Moves the write-ahead log into the file when it has grown long.
    fn checkpoint(&self) -> Result<(), rusqlite::Error> {
        let pages = |mode: &str| {
            self.connection
                .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(1))
        };
        if pages("NOOP")? >= LOG_PAGES_MAX {
            pages("PASSIVE")?;
        }
        Ok(())
    }
}
