//! A machine that publishes lines to the broker: QoS 1, so many messages under way at once, none sent again.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use beltwatch::bench::mqtt::{self, Packet};
use bytes::BytesMut;
use domain::limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::lines::Message;

/// Room for what is read at once, in octets.
const READ_BYTES: usize = 4 * 1024;

/// One machine's connection.
#[derive(Debug)]
pub(super) struct Publisher {
    stream: TcpStream,
    topics: [String; 2],
    number: u16,
    read: BytesMut,
    out: BytesMut,
}

impl Publisher {
    /// Connects.
    pub(super) async fn connect(broker: SocketAddr, machine: &str) -> anyhow::Result<Publisher> {
        let stream = TcpStream::connect(broker).await.context("cannot connect to the broker")?;
        stream.set_nodelay(true)?;
        let topics = domain::log::Lane::ALL.map(|lane| format!("telegraf/{machine}/{}", lane.name()));
        let (read, out) = (BytesMut::new(), BytesMut::new());
        let mut publisher = Publisher { stream, topics, number: 0, read, out };
        mqtt::connect(&mut publisher.out, &format!("lines-{machine}"), machine, "");
        publisher.stream.write_all_buf(&mut publisher.out).await?;
        match publisher.next().await? {
            Packet::ConnAck(0) => Ok(publisher),
            other @ (Packet::ConnAck(_) | Packet::SubAck(_) | Packet::PubAck | Packet::Publish { .. }) => {
                bail!("the broker answers with {other:?}")
            }
        }
    }

    /// Publishes; returns when the broker has confirmed all of them.
    pub(super) async fn publish(&mut self, messages: &[Message]) -> anyhow::Result<()> {
        let (mut sent, mut confirmed) = (0, 0);
        while confirmed < messages.len() {
            while sent < messages.len() && sent - confirmed < limits::WINDOW_ENVELOPES as usize {
                let message = &messages[sent];
                self.number = self.number.checked_add(1).unwrap_or(1);
                let topic = &self.topics[message.lane.index()];
                mqtt::publish(&mut self.out, topic, &message.payload, false, Some(self.number));
                sent += 1;
            }
            self.stream.write_all_buf(&mut self.out).await?;
            match self.next().await? {
                Packet::PubAck => confirmed += 1,
                other @ (Packet::ConnAck(_) | Packet::SubAck(_) | Packet::Publish { .. }) => {
                    bail!("the broker sends {other:?}")
                }
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<Packet> {
        loop {
            if let Some(packet) = mqtt::take(&mut self.read)? {
                return Ok(packet);
            }
            self.read.reserve(READ_BYTES);
            ensure!(self.stream.read_buf(&mut self.read).await? > 0, "the broker closed the connection");
        }
    }
}
