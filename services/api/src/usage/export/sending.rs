//! The way of a file to its client, part by part.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use domain::limits::{EXPORT_PART_BYTES_MAX, EXPORT_TIME_US};
use store::{StoreError, StoreErrorKind};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tonic::Status;
use wire::api::v1;

use super::super::ExportStream;
use super::workbook::Book;
use super::{Form, Kind, Lines, csv_lines};
use crate::status::{ApiError, Violation};

const EXPORT_TIME: Duration = Duration::from_micros(EXPORT_TIME_US);

/// What is told of a file beside its lines.
#[derive(Debug)]
pub(super) struct ExportFile {
    /// Its name.
    pub(super) name: String,
    /// What it is about.
    pub(super) about: Vec<(&'static str, String)>,
}

/// How far it is written.
#[derive(Debug)]
enum Stage {
    /// Lines go out as they come.
    Csv,
    /// Lines go into a workbook, which cannot be read before its end.
    Book(Box<Book>),
    /// The workbook is read.
    Reading(File),
    /// Nothing more comes.
    Ended,
}

/// A file on its way.
#[derive(Debug)]
pub(super) struct Export {
    kind: Kind,
    form: Form,
    lines: Lines,
    file: ExportFile,
    stage: Stage,
    /// Octets that were not given yet.
    ready: Vec<u8>,
    /// Lines so far.
    count: usize,
}

type Part = Result<v1::ExportUsageResponse, Status>;

impl Export {
    /// Nothing was written but the line of names.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub(super) fn new(kind: Kind, form: Form, lines: Lines, file: ExportFile) -> Result<Export, ApiError> {
        let (stage, ready) = match form {
            Form::Csv => (Stage::Csv, csv_lines::header(kind.columns())),
            Form::Xlsx => (Stage::Book(Box::new(Book::new(kind.name(), kind.columns())?)), Vec::new()),
        };
        Ok(Export { kind, form, lines, file, stage, ready, count: 0 })
    }

    /// Sends it in a task of its own, so that a client that stands still holds its place for a bounded time only.
    pub(super) fn send(self, slot: OwnedSemaphorePermit) -> ExportStream {
        let (sender, parts) = mpsc::channel::<Part>(1);
        tokio::spawn(async move {
            let result = match tokio::time::timeout(EXPORT_TIME, self.run(&sender)).await {
                Ok(result) => result,
                Err(_) => Err(ApiError::Late { seconds: EXPORT_TIME.as_secs() }),
            };
            drop(slot);
            if let Err(error) = result {
                if error.is_ours() {
                    tracing::error!(error = %error, "an export failed");
                }
                // A client that takes nothing more is not waited for.
                let _ = sender.send_timeout(Err(error.to_status()), Duration::from_secs(1)).await;
            }
        });
        let next = async |mut parts: mpsc::Receiver<Part>| parts.recv().await.map(|part| (part, parts));
        Box::pin(futures::stream::unfold(parts, next))
    }

    async fn run(mut self, parts: &mpsc::Sender<Part>) -> Result<(), ApiError> {
        let mut file_name = std::mem::take(&mut self.file.name);
        let mut media_type = self.form.media_type().to_owned();
        while let Some(octets) = self.part().await? {
            let (file_name, media_type) = (std::mem::take(&mut file_name), std::mem::take(&mut media_type));
            if parts.send(Ok(v1::ExportUsageResponse { octets, file_name, media_type })).await.is_err() {
                // Nobody wants it any more.
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next part; `None`: that was all.
    async fn part(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        loop {
            let is_last = matches!(self.stage, Stage::Ended);
            if self.ready.len() >= EXPORT_PART_BYTES_MAX || (is_last && !self.ready.is_empty()) {
                let length = self.ready.len().min(EXPORT_PART_BYTES_MAX);
                return Ok(Some(self.ready.drain(..length).collect()));
            }
            if is_last {
                return Ok(None);
            }
            self.go_on().await?;
        }
    }

    /// Makes more octets ready, or comes nearer to it.
    async fn go_on(&mut self) -> Result<(), ApiError> {
        if let Stage::Reading(file) = &mut self.stage {
            let before = self.ready.len();
            file.take(EXPORT_PART_BYTES_MAX as u64).read_to_end(&mut self.ready).map_err(unreadable)?;
            if self.ready.len() == before {
                self.stage = Stage::Ended;
            }
            return Ok(());
        }
        if let Some(lines) = self.lines.next().await? {
            self.count += lines.len();
            self.check_count()?;
            match &mut self.stage {
                Stage::Csv => self.ready.extend(csv_lines::lines(&lines)),
                Stage::Book(book) => book.add(&lines)?,
                Stage::Reading(_) | Stage::Ended => {}
            }
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.stage = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Csv | Stage::Ended => Stage::Ended,
            Stage::Reading(file) => Stage::Reading(file),
            Stage::Book(book) => {
                let mut about = std::mem::take(&mut self.file.about);
                about.extend(self.lines.about());
                about.push(("lines", self.count.to_string()));
                let finished = tokio::task::spawn_blocking(move || book.finish(&about)).await;
                Stage::Reading(finished.map_err(|_| unreadable(std::io::Error::other("it panicked")))??)
            }
        };
        Ok(())
    }

    /// What could not be counted beforehand.
    fn check_count(&self) -> Result<(), ApiError> {
        let max = self.form.lines_max();
        if self.count <= max {
            return Ok(());
        }
        let (kind, form) = (self.kind.name(), self.form.name());
        let description = format!(
            "holds more than {max} {kind}; at most {max} are allowed in a {form} file, and what came until here is not \
             all: ask for fewer days, or name fewer sites or machines"
        );
        Err(Violation { field: "range", description }.into())
    }
}

fn unreadable(error: std::io::Error) -> ApiError {
    let context = "the temporary file of an export cannot be read";
    StoreError::with_source(StoreErrorKind::Unavailable, context, error).into()
}
