//! A plain subscriber that only says when something passes, so that kills can strike while work is under way.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use wire::topics::{Kind, filter_all};

/// Messages as they pass through the broker.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// Ends when this is dropped; connects again by itself when its broker was killed.
    _subscriber: Child,
    passed: watch::Receiver<u64>,
}

impl Traffic {
    /// Subscribes to everything that agents and ingest say.
    pub(crate) fn watch(broker_port: u16) -> anyhow::Result<Traffic> {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &broker_port.to_string(), "-F", "%t"]);
        for kind in Kind::ALL {
            command.args(["-t", &filter_all(kind)]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut subscriber = command.spawn().context("cannot start mosquitto_sub")?;
        let mut lines = BufReader::new(subscriber.stdout.take().context("its output is piped")?).lines();
        let (sender, passed) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok(Some(_)) = lines.next_line().await {
                sender.send_modify(|passed| *passed += 1);
            }
        });
        Ok(Traffic { _subscriber: subscriber, passed })
    }

    /// Waits for the next message; says whether one came in time.
    pub(crate) async fn next(&mut self, longest: Duration) -> bool {
        self.passed.mark_unchanged();
        tokio::time::timeout(longest, self.passed.changed()).await.is_ok_and(|changed| changed.is_ok())
    }
}
