//! How far work at length is, on a terminal.

use std::io::{self, IsTerminal, Write};

/// Characters of the bar.
const WIDTH: usize = 30;

/// On a terminal, how far it is.
pub(super) fn show(done: u32, all: u32) -> io::Result<()> {
    let mut aside = io::stderr();
    if aside.is_terminal() {
        let filled = WIDTH * done as usize / (all as usize).max(1);
        write!(aside, "\r[{:<WIDTH$}] {done} of {all} machines", "#".repeat(filled))?;
        aside.flush()?;
    }
    Ok(())
}

/// Takes the bar away.
pub(super) fn end() -> io::Result<()> {
    let mut aside = io::stderr();
    if aside.is_terminal() { write!(aside, "\r\x1b[K") } else { Ok(()) }
}
