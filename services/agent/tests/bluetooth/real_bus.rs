//! The same over a real bus, whose rules the fake only imitates. Asked for by name, as it needs `dbus-daemon`.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncBufReadExt;

use super::fake::Fake;
use super::rig::Rig;
use super::world::{gym, treadmill};

/// A private bus.
#[derive(Debug)]
struct Bus {
    process: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Bus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=FOLDER/bus</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

async fn bus() -> Bus {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    std::fs::write(&config, CONFIG.replace("FOLDER", &folder.path().display().to_string())).unwrap();
    let mut process = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", config.display()))
        .args(["--nofork", "--nopidfile", "--print-address"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dbus-daemon is there");
    let printed = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
    let mut lines = tokio::io::BufReader::new(printed).lines();
    let address = lines.next_line().await.unwrap().expect("an address");
    Bus { process, address, _folder: folder }
}

#[tokio::test]
#[ignore = "needs dbus-daemon"]
async fn a_machine_is_listened_to_over_a_real_bus_and_bluetoothd_may_be_restarted() {
    // A bus that does not answer must not hold up whoever asks for this.
    tokio::time::timeout(Duration::from_secs(60), restart()).await.expect("in time");
}

async fn restart() {
    let bus = bus().await;
    let mut rig = Rig::on(Fake::join(gym(), &bus.address).await, |_| {});
    rig.hears().await;
    rig.fake.disconnect().await;
    rig.lost("the connection to the machine has ended").await;
    rig.hears().await;
    // bluetoothd ends: its connection to the bus, and with it its name, are gone.
    rig.fake.hang_up().await;
    rig.lost("bluetoothd has ended").await;
    let mut world = gym();
    world.machines = vec![treadmill()];
    rig.fake = Fake::join(world, &bus.address).await;
    rig.fake.until_heard(0x2ACD).await;
    rig.hears().await;
}
