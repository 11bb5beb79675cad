//! A treadmill as its wires tell of it: a motor drive that answers on a serial line, a belt that takes its time to turn, and
//! two contacts that a program prints.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::ensure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::time::{Instant, sleep};

use crate::processes::PATIENCE;

/// How fast a belt gets faster or slower, in mm/s in a second.
const RAMP: f64 = 800.0;
/// How long the drive waits for octets before it looks whether it was unplugged.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// The belt; a minus is reverse.
#[derive(Debug)]
struct Belt {
    wanted: f64,
    speed: f64,
    travelled_mm: f64,
    at: Instant,
}

impl Belt {
    /// What has become of it by now.
    fn now(&mut self) -> &Belt {
        let at = Instant::now();
        let seconds = at.duration_since(self.at).as_secs_f64();
        let change = (self.wanted - self.speed).clamp(-RAMP * seconds, RAMP * seconds);
        self.travelled_mm += (self.speed + change / 2.0).abs() * seconds;
        (self.speed, self.at) = (self.speed + change, at);
        self
    }
}

/// A treadmill whose drive is wired so that the drive's forward is the belt's reverse.
#[derive(Debug)]
pub(super) struct Treadmill {
    belt: Arc<Mutex<Belt>>,
    contacts: PathBuf,
    is_unplugged: Arc<AtomicBool>,
    drive: Option<JoinHandle<()>>,
}

impl Treadmill {
    /// Plugs it in: its drive's port is called `drive` in this folder, what its contacts tell stands in `contacts`.
    pub(super) fn plug_in(folder: &Path) -> anyhow::Result<Treadmill> {
        let belt = Belt { wanted: 0.0, speed: 0.0, travelled_mm: 0.0, at: Instant::now() };
        let (belt, is_unplugged) = (Arc::new(Mutex::new(belt)), Arc::<AtomicBool>::default());
        let port = port(&folder.join("drive"))?;
        let (turning, ended) = (belt.clone(), is_unplugged.clone());
        let drive = std::thread::spawn(move || answer(&port, &turning, &ended));
        let contacts = folder.join("contacts");
        let treadmill = Treadmill { belt, contacts, is_unplugged, drive: Some(drive) };
        treadmill.closes()?;
        Ok(treadmill)
    }

    /// Sources that listen to it, as a technician writes them.
    pub(super) fn sources(&self, inverted: bool) -> String {
        let folder = self.contacts.parent().unwrap_or(Path::new("/")).display();
        format!(
            "[[source]]\nkind = \"drive\"\nname = \"drive\"\nport = \"{folder}/drive\"\ndrive = \"delta-ms300\"\n\
             mm_s_per_hz = 100.0\ninvert = {inverted}\n\
             [[source]]\nkind = \"exec\"\nname = \"contacts\"\nperiod_ms = 100\n\
             command = [\"sh\", \"-c\", 'while cat \"$1\"; do sleep 0.1; done', \"contacts\", \"{}\"]\n\
             reports = [\"emergency_stop\", \"safety_key\"]\n",
            self.contacts.display()
        )
    }

    fn belt(&self) -> MutexGuard<'_, Belt> {
        self.belt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the belt run at this speed in mm/s, a minus is reverse, and waits until it does.
    pub(super) async fn runs(&self, speed: f64) -> anyhow::Result<()> {
        {
            let mut belt = self.belt();
            belt.now();
            belt.wanted = speed;
        }
        self.is_so(|belt| (belt.speed - speed).abs() < 1.0).await
    }

    /// Waits until the belt has gone so many millimetres more.
    pub(super) async fn goes(&self, distance_mm: f64) -> anyhow::Result<()> {
        let until = self.belt().now().travelled_mm + distance_mm;
        self.is_so(|belt| belt.travelled_mm >= until).await
    }

    async fn is_so(&self, is_so: impl Fn(&Belt) -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self.belt().now()) {
            ensure!(Instant::now() < deadline, "the belt does not do it");
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Somebody actuates a contact; it cuts the drive off, as it does in a machine.
    pub(super) fn opens(&self, contact: &str) -> anyhow::Result<()> {
        let mut belt = self.belt();
        belt.now();
        belt.wanted = 0.0;
        drop(belt);
        self.tell(Some(contact))
    }

    /// Nothing is actuated any more.
    pub(super) fn closes(&self) -> anyhow::Result<()> {
        self.tell(None)
    }

    fn tell(&self, open: Option<&str>) -> anyhow::Result<()> {
        let state = |name| if open == Some(name) { "open" } else { "closed" };
        let (button, key) = (state("emergency_stop"), state("safety_key"));
        let line = format!("{{\"contacts\":{{\"emergency_stop\":\"{button}\",\"safety_key\":\"{key}\"}}}}\n");
        // In one step: it is read at any moment.
        let new = self.contacts.with_extension("new");
        fs::write(&new, line)?;
        Ok(fs::rename(&new, &self.contacts)?)
    }
}

impl Drop for Treadmill {
    fn drop(&mut self) {
        self.is_unplugged.store(true, Ordering::Relaxed);
        if let Some(drive) = self.drive.take() {
            // A drive that has panicked has said so.
            drop(drive.join());
        }
    }
}

/// A pseudo-terminal whose end for programs has this name.
fn port(link: &Path) -> anyhow::Result<OwnedFd> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    symlink(OsStr::from_bytes(name.as_bytes()), link)?;
    Ok(master)
}

/// The drive: answers each question of eight octets, until it is unplugged.
fn answer(port: &OwnedFd, belt: &Mutex<Belt>, is_unplugged: &AtomicBool) {
    let mut heard = Vec::new();
    while !is_unplugged.load(Ordering::Relaxed) {
        let mut polled = [PollFd::new(port, PollFlags::IN)];
        let came = poll(&mut polled, Some(&WAIT)).is_ok();
        if !came || !polled[0].revents().contains(PollFlags::IN) {
            // Nobody has the port open, or nothing has come.
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        let mut octets = [0; 256];
        let count = rustix::io::read(port, &mut octets).unwrap_or(0);
        heard.extend_from_slice(&octets[..count]);
        while heard.len() >= 8 {
            let question: Vec<u8> = heard.drain(..8).collect();
            let speed = belt.lock().unwrap_or_else(PoisonError::into_inner).now().speed;
            // Whoever does not hear it asks again.
            let _ = rustix::io::write(port, &registers(&question, speed));
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no belt runs so fast")]
fn hundredths(speed: f64) -> u16 {
    speed.abs() as u16
}

/// A Delta MS300's registers (its manual, appendix A, p. 799), at 100 mm/s a hertz.
fn registers(question: &[u8], speed: f64) -> Vec<u8> {
    let (first, count) = (u16::from_be_bytes([question[2], question[3]]), u16::from(question[5]));
    let value = |register: u16| -> u16 {
        match register {
            0x2119 if speed.abs() < 1.0 => 0,
            // It drives, and the drive's forward is the belt's reverse.
            0x2119 => {
                if speed < 0.0 {
                    0b0_0011
                } else {
                    0b1_1011
                }
            }
            // Hundredths of a hertz, no more than some thousand.
            0x2103 => hundredths(speed),
            _ => 0,
        }
    };
    let values: Vec<u8> = (first..first + count).flat_map(|register| value(register).to_be_bytes()).collect();
    let mut answer = vec![question[0], question[1], u8::try_from(values.len()).unwrap_or(0)];
    answer.extend(values);
    answer.extend(checksum(&answer));
    answer
}

/// Modbus RTU's.
fn checksum(octets: &[u8]) -> [u8; 2] {
    let mut sum = 0xFFFF_u16;
    for octet in octets {
        sum ^= u16::from(*octet);
        for _ in 0..8 {
            sum = if sum % 2 == 1 { (sum / 2) ^ 0xA001 } else { sum / 2 };
        }
    }
    sum.to_le_bytes()
}
