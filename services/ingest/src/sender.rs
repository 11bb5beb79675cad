//! Which process speaks for a machine. Two that alternate are a copied credential: the newest connection wins.

use domain::ids::{BootId, LogId};
use domain::limits;
use domain::units::{MonotonicMicros, SECOND};

#[cfg(test)]
mod tests;

/// Processes that were replaced and are remembered, so that they are known when they speak again.
const REPLACED_MAX: usize = 8;
/// A replaced process that lived on for so long was not just slow to arrive: it is a second one.
const STILL_ALIVE_US: u64 = 60 * SECOND;
/// When the process that speaks for the machine was silent for so long, a replaced one may come back.
const SILENT_US: u64 = 2 * limits::STATUS_PERIOD_US + 5 * SECOND;

/// One process of a machine's agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// The process.
    pub boot: BootId,
    /// Its durable count, which says something only among processes with the same spool.
    pub boot_count: u32,
    /// Its newest connection; 0: no status has told it yet.
    pub connection: u32,
    /// A log of its spool; `None`: not told.
    pub log: Option<LogId>,
}

/// Whether a message is from the process that speaks for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Current,
    /// It is, and it has just replaced another, or is the first.
    New,
    /// It is from another process.
    Old {
        /// Whether two processes speak for one machine.
        cloned: bool,
        /// Whether the one that speaks for the machine was silent for long: this one may be all there is.
        alone: bool,
    },
}

/// The processes that have spoken for one machine.
#[derive(Debug, Clone, Default)]
pub struct Senders {
    current: Option<Heard>,
    replaced: Vec<Heard>,
}

/// A process and when it was last heard.
#[derive(Debug, Clone, Copy)]
struct Heard {
    sender: Sender,
    /// Its newest monotonic time, by its own clock; `None`: it has not spoken since the start.
    sent: Option<MonotonicMicros>,
    /// When it was last heard, by the server's monotonic clock.
    at: MonotonicMicros,
}

impl Senders {
    /// As it was when the process that speaks for the machine was last known.
    pub fn restored(current: Option<Sender>, now: MonotonicMicros) -> Senders {
        let heard = |sender| Heard { sender, sent: None, at: now };
        Senders { current: current.map(heard), replaced: Vec::new() }
    }

    /// A process with this spool has spoken since the checkpoint. If it cannot be the one that is known, nobody is.
    pub fn replay(&mut self, spool: LogId, boot_count: u32) {
        let is_known = |heard: &Heard| {
            heard.sender.log.is_none_or(|log| log == spool) && boot_count <= heard.sender.boot_count
        };
        if !self.current.as_ref().is_some_and(is_known) {
            self.current = None;
        }
    }

    /// The process that speaks for the machine.
    pub fn current(&self) -> Option<Sender> {
        self.current.map(|heard| heard.sender)
    }

    /// The newest connection of a process; 0: not known.
    pub fn connection(&self, boot: BootId) -> u32 {
        let known = self.replaced.iter().chain(&self.current).find(|heard| heard.sender.boot == boot);
        known.map_or(0, |heard| heard.sender.connection)
    }

    /// Judges the sender of a message.
    ///
    /// `sent` is its own monotonic time, `log_boot_count` the greatest boot count known of its log.
    pub fn judge(
        &mut self,
        sender: Sender,
        sent: MonotonicMicros,
        log_boot_count: Option<u32>,
        now: MonotonicMicros,
    ) -> Standing {
        let heard = Heard { sender, sent: Some(sent), at: now };
        let Some(current) = &mut self.current else {
            self.current = Some(heard);
            return Standing::New;
        };
        if current.sender.boot == sender.boot {
            // An agent whose spool was restored gives its boot a greater number.
            current.sender.boot_count = current.sender.boot_count.max(sender.boot_count);
            current.sender.connection = current.sender.connection.max(sender.connection);
            current.sender.log = sender.log.or(current.sender.log);
            current.sent = current.sent.max(Some(sent));
            current.at = now;
            return Standing::Current;
        }
        let current = *current;
        let known = self.replaced.iter().position(|replaced| replaced.sender.boot == sender.boot);
        let wins = match known {
            Some(index) => comes_back(&self.replaced[index], &current, &heard),
            // After a restart it may be one that was replaced, or had replaced another, before.
            None => is_newer(&current, &sender, log_boot_count) || is_left_alone(&current, &heard),
        };
        if wins {
            self.replace(current, heard, known);
            return Standing::New;
        }
        let replaced_at = known.and_then(|index| self.replaced[index].sent);
        let lived_on = replaced_at.is_some_and(|before| sent.since(before) > STILL_ALIVE_US);
        let same_count = same_spool(&current, &sender) && sender.boot_count == current.sender.boot_count;
        let alone = now.since(current.at) > SILENT_US;
        Standing::Old { cloned: lived_on || same_count, alone }
    }

    fn replace(&mut self, current: Heard, heard: Heard, known: Option<usize>) {
        if let Some(index) = known {
            self.replaced.remove(index);
        }
        if self.replaced.len() >= REPLACED_MAX {
            self.replaced.remove(0);
        }
        self.replaced.push(current);
        self.current = Some(heard);
    }
}

fn same_spool(current: &Heard, sender: &Sender) -> bool {
    current.sender.log.is_some() && current.sender.log == sender.log
}

/// Whether a process that was never heard before is newer than the one that speaks for the machine.
fn is_newer(current: &Heard, sender: &Sender, log_boot_count: Option<u32>) -> bool {
    match (sender.log, log_boot_count) {
        // It tells no spool: a last will, or an agent without one. Counts are all there is.
        (None, _) => sender.boot_count > current.sender.boot_count,
        (Some(_), _) if same_spool(current, sender) => sender.boot_count >= current.sender.boot_count,
        // A new spool begins to count anew.
        (Some(_), None) => true,
        (Some(_), Some(known)) => sender.boot_count > known,
    }
}

/// Whether a replaced process speaks for the machine again.
fn comes_back(replaced: &Heard, current: &Heard, heard: &Heard) -> bool {
    let had = replaced.sender.connection;
    let reconnected = same_spool(current, &heard.sender) && had > 0 && heard.sender.connection > had;
    (reconnected && !is_earlier(current, &heard.sender)) || is_left_alone(current, heard)
}

/// Whether the process that speaks for the machine was silent so long that another may be all there is.
fn is_left_alone(current: &Heard, heard: &Heard) -> bool {
    heard.at.since(current.at) > SILENT_US && !is_earlier(current, &heard.sender)
}

/// Whether a process came before the one that speaks for the machine, on the same spool.
fn is_earlier(current: &Heard, sender: &Sender) -> bool {
    same_spool(current, sender) && sender.boot_count < current.sender.boot_count
}
