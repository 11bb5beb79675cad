//! Opening a serial port as the system has it: speed, parity, stop bits, and octets as they come.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, SpecialCodeIndex, ioctl_tiocexcl, tcflush,
    tcgetattr, tcsetattr,
};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::source::Lost;

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// How octets go over a line; there are always eight data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits a second.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

impl LineSettings {
    /// 8N1.
    pub fn plain(baud: u32) -> LineSettings {
        LineSettings { baud, parity: Parity::None, stop_bits: 1 }
    }

    /// Whether a port has a name that can be opened.
    pub(in crate::source) fn check_port(port: &str) -> Result<(), String> {
        if !port.starts_with('/') {
            return Err(format!(
                "port is \"{port}\": the whole path of a serial port is needed, as in /dev/serial/by-id"
            ));
        }
        Ok(())
    }

    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        if !(1_200..=230_400).contains(&self.baud) {
            return Err(format!("baud is {}: 1200 to 230400 is allowed", self.baud));
        }
        if !(1..=2).contains(&self.stop_bits) {
            return Err(format!("stop_bits is {}: 1 or 2 is allowed", self.stop_bits));
        }
        Ok(())
    }
}

/// Which ways a port is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// To ask and to hear.
    Both,
    /// To hear only.
    Reading,
}

/// An open serial port. It is closed when it is dropped.
#[derive(Debug)]
pub(in crate::source) struct Port {
    descriptor: AsyncFd<OwnedFd>,
}

impl Port {
    pub(super) fn open(name: &str, settings: &LineSettings, ways: Ways) -> Result<Port, Lost> {
        let lost = |error: io::Error| Lost(format!("cannot open {name}: {error}"));
        let access = match ways {
            Ways::Both => OFlags::RDWR,
            Ways::Reading => OFlags::RDONLY,
        };
        let flags = access | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(name, flags, Mode::empty()).map_err(|errno| lost(errno.into()))?;
        set_up(&descriptor, settings).map_err(|errno| match errno {
            rustix::io::Errno::NOTTY => Lost(format!("cannot open {name}: it is no serial port")),
            errno => lost(errno.into()),
        })?;
        #[expect(deprecated, reason = "what takes its place is unsafe; an owned descriptor stays what it is")]
        let descriptor = AsyncFd::new(descriptor).map_err(lost)?;
        Ok(Port { descriptor })
    }
}

fn set_up(descriptor: &OwnedFd, settings: &LineSettings) -> rustix::io::Result<()> {
    let mut line = tcgetattr(descriptor)?;
    // Nobody else mixes in: two who ask would take each other's answers.
    ioctl_tiocexcl(descriptor)?;
    line.make_raw();
    line.input_modes.remove(InputModes::IXON | InputModes::IXOFF | InputModes::IXANY);
    // Without HUPCL, closing leaves the control lines alone: some adapters and consoles restart on a change.
    line.control_modes.remove(
        ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CSTOPB
            | ControlModes::CRTSCTS
            | ControlModes::HUPCL,
    );
    line.control_modes.insert(ControlModes::CS8 | ControlModes::CREAD | ControlModes::CLOCAL);
    match settings.parity {
        Parity::None => {}
        Parity::Even => line.control_modes.insert(ControlModes::PARENB),
        Parity::Odd => line.control_modes.insert(ControlModes::PARENB | ControlModes::PARODD),
    }
    if settings.stop_bits == 2 {
        line.control_modes.insert(ControlModes::CSTOPB);
    }
    line.special_codes[SpecialCodeIndex::VMIN] = 1;
    line.special_codes[SpecialCodeIndex::VTIME] = 0;
    line.set_speed(settings.baud)?;
    tcsetattr(descriptor, OptionalActions::Now, &line)?;
    // What came before at perhaps another speed says nothing.
    tcflush(descriptor, QueueSelector::IFlush)
}

impl AsyncRead for Port {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.descriptor.poll_read_ready(context))?;
            let unfilled = buffer.initialize_unfilled();
            let read = guard.try_io(|descriptor| Ok(rustix::io::read(descriptor.get_ref(), unfilled)?));
            // `Err`: it was not ready after all.
            if let Ok(read) = read {
                return Poll::Ready(read.map(|octets| buffer.advance(octets)));
            }
        }
    }
}

impl AsyncWrite for Port {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.descriptor.poll_write_ready(context))?;
            let written = guard.try_io(|descriptor| Ok(rustix::io::write(descriptor.get_ref(), octets)?));
            if let Ok(written) = written {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What the system has taken is on its way.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
