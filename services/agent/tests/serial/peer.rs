//! The other end of a serial line: a pseudo-terminal and a machine that answers as it is told to.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::signal::SignalValue;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// At once and in one piece.
    Whole,
    /// Behind octets that make no sense.
    AfterNoise,
    /// Octet by octet.
    InPieces,
    /// With one octet changed.
    Garbled,
    /// Not at all.
    Silent,
    /// So late that nobody waits for it any more.
    Late,
    /// When the line has been quiet for long and another question might have been asked.
    VeryLate,
    /// The answer before is said again.
    Again,
}

/// A machine at the other end.
pub(crate) trait Machine: Send + 'static {
    /// Takes the first whole request out of what was heard.
    fn request(&mut self, heard: &mut Vec<u8>) -> Option<Vec<u8>>;

    /// The answer, and what a source should tell of it if it comes in this manner.
    fn answer(&mut self, request: &[u8], manner: Manner) -> (Vec<u8>, Vec<SignalValue>);
}

/// How long a source of these tests waits for an answer, in milliseconds.
pub(crate) const ANSWER_MS: u32 = 1_000;
const LATE: Duration = Duration::from_millis(ANSWER_MS as u64 + 100);

const VERY_LATE: Duration = Duration::from_millis(ANSWER_MS as u64 * 2);

/// What a peer has heard and what should be told of its answers.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) heard: Vec<u8>,
    pub(crate) requests: usize,
    pub(crate) expected: Vec<SignalValue>,
}

/// A machine that is plugged in.
#[derive(Debug)]
pub(crate) struct Peer {
    record: Arc<Mutex<Record>>,
    is_unplugged: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Peer {
    /// Plugs a machine in: its port gets this name. Answers come in these manners, again and again.
    pub(crate) fn plug(link: &Path, machine: impl Machine, manners: &'static [Manner]) -> Peer {
        let (record, is_unplugged) = (Arc::<Mutex<Record>>::default(), Arc::<AtomicBool>::default());
        let master = port(link);
        let mut loop_ = Loop { master, record: Arc::clone(&record), is_unplugged: Arc::clone(&is_unplugged) };
        let thread = std::thread::spawn(move || loop_.serve(machine, manners));
        Peer { record, is_unplugged, thread }
    }

    /// Plugs in a line on which these pieces go over, asked or not.
    pub(crate) fn plug_line(link: &Path, pieces: Vec<Vec<u8>>) -> Peer {
        let (record, is_unplugged) = (Arc::<Mutex<Record>>::default(), Arc::<AtomicBool>::default());
        let master = port(link);
        let mut loop_ = Loop { master, record: Arc::clone(&record), is_unplugged: Arc::clone(&is_unplugged) };
        let thread = std::thread::spawn(move || loop_.play(&pieces));
        Peer { record, is_unplugged, thread }
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.record.lock().unwrap().requests
    }

    /// What should have been told so far.
    pub(crate) fn expected(&self) -> Vec<SignalValue> {
        self.record.lock().unwrap().expected.clone()
    }

    /// Unplugs the machine and gives every octet that came to it.
    pub(crate) fn unplug(self) -> Vec<u8> {
        self.is_unplugged.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.record.lock().unwrap().heard.clone()
    }
}

/// A pseudo-terminal whose end for programs has this name, as /dev/serial/by-id gives names.
fn port(link: &Path) -> OwnedFd {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let _ = std::fs::remove_file(link);
    std::os::unix::fs::symlink(OsStr::from_bytes(name.as_bytes()), link).unwrap();
    master
}

struct Loop {
    master: OwnedFd,
    record: Arc<Mutex<Record>>,
    is_unplugged: Arc<AtomicBool>,
}

impl Loop {
    fn serve(&mut self, mut machine: impl Machine, manners: &[Manner]) {
        let (mut manners, mut heard) = (manners.iter().copied().cycle(), Vec::new());
        while !self.is_unplugged.load(Ordering::Relaxed) {
            heard.extend(self.hear());
            while let Some(request) = machine.request(&mut heard) {
                let manner = manners.next().unwrap();
                let (answer, expected) = machine.answer(&request, manner);
                {
                    // Before the answer: it may be told at once.
                    let mut record = self.record.lock().unwrap();
                    record.requests += 1;
                    record.expected.extend(expected);
                }
                self.say(&answer, manner);
            }
        }
    }

    /// Waits until somebody has opened the port and set it up, which throws away what came before; then plays.
    fn play(&mut self, pieces: &[Vec<u8>]) {
        while !self.is_unplugged.load(Ordering::Relaxed) && !self.is_raw() {
            self.hear();
        }
        std::thread::sleep(Duration::from_millis(100));
        for piece in pieces {
            self.write(piece);
            std::thread::sleep(Duration::from_millis(5));
        }
        while !self.is_unplugged.load(Ordering::Relaxed) {
            self.hear();
        }
    }

    fn is_raw(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.master).unwrap().local_modes;
        !modes.contains(rustix::termios::LocalModes::ICANON)
    }

    /// What has come; waits a moment for it.
    fn hear(&mut self) -> Vec<u8> {
        let wait = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let mut polled = [PollFd::new(&self.master, PollFlags::IN)];
        poll(&mut polled, Some(&wait)).unwrap();
        if !polled[0].revents().contains(PollFlags::IN) {
            if polled[0].revents().contains(PollFlags::HUP) {
                // Nobody has the port open.
                std::thread::sleep(Duration::from_millis(5));
            }
            return Vec::new();
        }
        let mut octets = vec![0; 256];
        let count = rustix::io::read(&self.master, &mut octets).unwrap_or(0);
        octets.truncate(count);
        self.record.lock().unwrap().heard.extend(&octets);
        octets
    }

    fn say(&mut self, answer: &[u8], manner: Manner) {
        match manner {
            Manner::Whole | Manner::Again => self.write(answer),
            Manner::AfterNoise => self.write(&[b"\x13\x37\x00\xFE"[..].to_vec(), answer.to_vec()].concat()),
            Manner::InPieces => {
                for octet in answer {
                    self.write(&[*octet]);
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            Manner::Garbled => {
                let mut garbled = answer.to_vec();
                // No digit, no checksum and no first octet of a status is like that.
                garbled[1] ^= 0xA0;
                self.write(&garbled);
            }
            Manner::Silent => {}
            Manner::Late => {
                std::thread::sleep(LATE);
                self.write(answer);
            }
            Manner::VeryLate => {
                std::thread::sleep(VERY_LATE);
                self.write(answer);
            }
        }
    }

    fn write(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let written = rustix::io::write(&self.master, octets).unwrap();
            octets = &octets[written..];
        }
    }
}
