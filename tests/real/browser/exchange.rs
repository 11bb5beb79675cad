//! Plain HTTP/1.1 over loopback, for what a browser would not send, and a foreign site for what it should not obey.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// An answer takes no longer.
const TIME_MAX: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// Values of a header, in their order.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let line =
            |line: &'_ str| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        let lines = self.head.lines().skip(1).filter(|text| line(text));
        lines.filter_map(|line| line.split_once(':')).map(|(_, value)| value.trim()).collect()
    }
}

/// Sends one request and reads its answer to the end.
pub(super) async fn send(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes()).await?;
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).await?;
        Ok::<_, std::io::Error>(octets)
    };
    let octets = tokio::time::timeout(TIME_MAX, exchange).await.context("no answer")??;
    let text = String::from_utf8_lossy(&octets);
    let (head, body) = text.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// A line to the server that can fall silent: connections stay, nothing passes, as when a cable is pulled.
#[derive(Debug)]
pub(super) struct Line {
    address: SocketAddr,
    silent: watch::Sender<bool>,
    carrying: JoinHandle<()>,
}

impl Line {
    pub(super) async fn start(server: SocketAddr) -> anyhow::Result<Line> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (silent, is_silent) = watch::channel(false);
        let carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let is_silent = is_silent.clone();
                connections.spawn(async move {
                    let far = TcpStream::connect(server).await?;
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::try_join!(
                        carry(near_in, far_out, is_silent.clone()),
                        carry(far_in, near_out, is_silent)
                    )
                });
            }
        });
        Ok(Line { address, silent, carrying })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Falls silent, or carries on with what waited.
    pub(super) fn silence(&self, is_silent: bool) {
        self.silent.send_replace(is_silent);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// One direction of one connection, until its end.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_silent: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut octets = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut octets).await?;
        if is_silent.wait_for(|is_silent| !is_silent).await.is_err() || count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&octets[..count]).await?;
    }
}

/// A site of somebody else, on another port of loopback: one page, whatever is asked for.
#[derive(Debug)]
pub(super) struct ForeignSite {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl ForeignSite {
    pub(super) async fn start(page: String) -> anyhow::Result<ForeignSite> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 16 * 1024];
                // Whatever is asked: it gets the page, or it is gone.
                if stream.read(&mut request).await.is_ok() {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        Ok(ForeignSite { address, serving })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for ForeignSite {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Checks that an answer refuses.
pub(super) fn check_refused(answer: &Answer, what: &str) -> anyhow::Result<()> {
    ensure!((400..500).contains(&answer.status), "{what}: the answer was {}", answer.status);
    Ok(())
}
