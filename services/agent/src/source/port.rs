//! Serial ports: the only file of the agent that writes octets to a machine.
//!
//! What goes out is a [`Poll`]: a question that a machine answers and that changes nothing. It has no place for other
//! octets, and nobody else holds the port's writing end. A line that is only overheard is opened for reading alone.

pub(super) mod dialogue;
mod line;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use line::Port;
pub use line::{LineSettings, Parity};

use super::Lost;
use super::biodex::question::Question as BiodexQuestion;
use crate::csafe::question::{Question as CsafeQuestion, request};
use crate::modbus::Read;

/// How long a port may take to accept a question.
const WRITE_TIME: Duration = Duration::from_secs(1);

/// All that can be written to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// One CSAFE frame with these questions.
    Csafe(Vec<CsafeQuestion>),
    /// Modbus: read registers.
    Modbus(Read),
    /// One octet of the Biodex host port.
    Biodex(BiodexQuestion),
}

impl Poll {
    /// Its octets.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Poll::Csafe(questions) => request(questions),
            Poll::Modbus(read) => read.octets(),
            Poll::Biodex(question) => vec![question.octet()],
        }
    }
}

/// A port that can be asked and heard.
#[derive(Debug)]
pub(super) struct AskingPort<P> {
    port: P,
    name: String,
}

impl AskingPort<Port> {
    /// Opens a serial port for both ways.
    pub(super) fn open(name: &str, settings: &LineSettings) -> Result<AskingPort<Port>, Lost> {
        Ok(AskingPort::over(Port::open(name, settings, line::Ways::Both)?, name))
    }
}

impl<P: AsyncRead + AsyncWrite + Unpin> AskingPort<P> {
    /// A port that is open.
    pub(super) fn over(port: P, name: &str) -> AskingPort<P> {
        AskingPort { port, name: name.to_owned() }
    }

    /// Writes a question.
    pub(super) async fn ask(&mut self, poll: &Poll) -> Result<(), Lost> {
        let octets = poll.octets();
        let written = async {
            self.port.write_all(&octets).await?;
            self.port.flush().await
        };
        match tokio::time::timeout(WRITE_TIME, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Lost(format!("{} takes no question: {error}", self.name))),
            Err(_) => Err(Lost(format!("{} takes no question: its buffer is full", self.name))),
        }
    }

    /// Waits for octets; there is at least one.
    pub(super) async fn hear<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], Lost> {
        heard(self.port.read(buffer).await, buffer, &self.name)
    }
}

/// A port that is only heard.
#[derive(Debug)]
pub(super) struct ListeningPort<P> {
    port: P,
    name: String,
}

impl ListeningPort<Port> {
    /// Opens a serial port for reading alone: the system refuses every write to it.
    pub(super) fn open(name: &str, settings: &LineSettings) -> Result<ListeningPort<Port>, Lost> {
        Ok(ListeningPort::over(Port::open(name, settings, line::Ways::Reading)?, name))
    }
}

impl<P: AsyncRead + Unpin> ListeningPort<P> {
    /// A port that is open.
    pub(super) fn over(port: P, name: &str) -> ListeningPort<P> {
        ListeningPort { port, name: name.to_owned() }
    }

    /// Waits for octets; there is at least one.
    pub(super) async fn hear<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], Lost> {
        heard(self.port.read(buffer).await, buffer, &self.name)
    }
}

fn heard<'a>(read: io::Result<usize>, buffer: &'a [u8], name: &str) -> Result<&'a [u8], Lost> {
    match read {
        Ok(0) => Err(Lost(format!("{name} is gone: unplugged, or its other end is closed"))),
        Ok(octets) => Ok(buffer.get(..octets).unwrap_or_default()),
        Err(error) => Err(Lost(format!("{name} is gone: {error}"))),
    }
}

#[cfg(test)]
mod tests;
