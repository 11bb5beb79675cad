//! The line between a console and its base, overheard.

use std::path::Path;

use agent::source::outlet::Way;
use agent::source::tap::{Settings, example, source};
use domain::signal::SignalValue;
use domain::units::Speed;

use crate::drive::checksum;
use crate::peer::Peer;
use crate::rig::{Running, frames};

/// Frames of a console and its base as they were logged (blak3r/treadspan, protocol-analysis/serial): each write and its
/// echo.
const LOGGED: [&str; 6] = [
    "0106000f0000b9c9",
    "0106000a005e2830",
    "01060001000119ca",
    "0106000a01d629c6",
    "0106000a0032281d",
    "010600020001e9ca",
];

#[tokio::test]
async fn a_console_is_overheard_and_nothing_is_written() {
    let mut line = Vec::new();
    for frame in LOGGED {
        let frame = hex::decode(frame.replace(' ', "")).unwrap();
        line.extend(frame.iter().chain(&frame).copied());
    }
    // A question for the steps, and its answer.
    for mut frame in [vec![1, 3, 0, 15, 0, 1], vec![1, 3, 2, 0, 91]] {
        frame.extend(checksum(&frame));
        line.extend(frame);
    }
    let whole = line.clone();
    // Half a frame from before, and an octet of noise between two frames.
    line.splice(0..0, *b"\x00\x05");
    line.splice(18..18, *b"\xFF");
    let pieces = line.chunks(5).map(<[u8]>::to_vec).collect();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("tap");
    let peer = Peer::plug_line(&link, pieces);
    let port = link.to_str().unwrap().to_owned();
    let mut running = Running::start(source(&Settings { port, ..example() }));
    let expected = [
        SignalValue::Commanded(Speed(179)),
        SignalValue::UserStarted,
        SignalValue::Commanded(Speed(894)),
        SignalValue::Commanded(Speed(0)),
        SignalValue::UserStopped,
        SignalValue::Steps(91),
    ];
    running.until(|told| told.len() >= expected.len()).await;
    assert_eq!(running.told(), expected);
    // The system itself refuses to write: the port is open for reading alone.
    let name = std::fs::read_link(&link).unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let ours: Vec<_> = open
        .filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|to| to == name))
        .map(|entry| Path::new("/proc/self/fdinfo").join(entry.file_name()))
        .map(|entry| std::fs::read_to_string(entry).unwrap())
        .collect();
    assert_eq!(ours.len(), 1);
    let flags = ours[0].lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim().to_owned();
    assert_eq!(u32::from_str_radix(&flags, 8).unwrap() & 3, 0, "O_RDONLY");
    assert_eq!(peer.unplug(), b"");
    let (lost, unreadable, tape) = running.end().await;
    assert!(lost.to_string().contains("is gone"), "{lost}");
    assert!(unreadable > 0);
    let overheard: Vec<u8> = tape.iter().flat_map(|(_, octets)| octets.clone()).collect();
    assert_eq!(overheard, whole);
    // Eight octets each: six writes and a question.
    assert_eq!(frames(&tape, Way::Request).len(), 7 * 8);
}
