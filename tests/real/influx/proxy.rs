//! A proxy between a server and its InfluxDB that does what networks do: it is slow, it cuts, it answers half, it
//! takes and never answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Octets that are handed on at once.
const PIECE: usize = 64 << 10;
/// What a write begins with.
const WRITE: &[u8] = b"POST /api/v2/write";
/// What is answered instead of InfluxDB.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: application/json\r\n\
    Content-Length: 45\r\n\r\n{\"code\":\"unavailable\",\"message\":\"overloaded\"}";

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// All is well.
    None,
    /// Each piece is late by so many milliseconds, in both directions.
    Late(u64),
    /// Every other request ends in the middle, and the connection with it.
    CutRequest,
    /// Every other request is carried out, but its answer is lost with the connection.
    CutBeforeAnswer,
    /// Every other answer ends in the middle.
    HalfAnswer,
    /// Requests are taken and never answered.
    Silent,
    /// InfluxDB says that it cannot now, and when to come again.
    Busy,
}

impl Fault {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::None => "none",
            Fault::Late(_) => "late",
            Fault::CutRequest => "requests cut",
            Fault::CutBeforeAnswer => "cut before the answer",
            Fault::HalfAnswer => "half an answer",
            Fault::Silent => "never an answer",
            Fault::Busy => "busy",
        }
    }
}

/// The proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    fault: watch::Sender<Fault>,
    writes: watch::Sender<u64>,
    struck: watch::Sender<BTreeMap<Fault, u64>>,
    random: Mutex<fastrand::Rng>,
}

impl Proxy {
    /// Listens on a free port and hands on to a port of 127.0.0.1.
    pub(crate) async fn start(upstream_port: u16, seed: u64) -> anyhow::Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("the proxy has no port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: SocketAddr::from(([127, 0, 0, 1], upstream_port)),
            fault: watch::Sender::new(Fault::None),
            writes: watch::Sender::new(0),
            struck: watch::Sender::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Proxy { address, shared, accepting })
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this happens, also on connections that are open. A connection that got silence stays silent.
    pub(crate) fn set(&self, fault: Fault) {
        self.shared.fault.send_replace(fault);
    }

    /// How many writes have begun.
    pub(crate) fn writes(&self) -> watch::Receiver<u64> {
        self.shared.writes.subscribe()
    }

    /// How often each fault has struck.
    pub(crate) fn struck(&self) -> watch::Receiver<BTreeMap<Fault, u64>> {
        self.shared.struck.subscribe()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.borrow()
    }

    fn strike(&self, fault: Fault) {
        self.struck.send_modify(|struck| *struck.entry(fault).or_default() += 1);
    }

    fn random(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a fault that strikes every other time strikes now.
    fn strikes(&self, fault: Fault) -> bool {
        let strikes = self.random().bool();
        if strikes {
            self.strike(fault);
        }
        strikes
    }

    /// The beginning of a piece, at least an octet and not all of it.
    fn beginning<'a>(&self, piece: &'a [u8]) -> &'a [u8] {
        let length = self.random().usize(1..piece.len().max(2));
        &piece[..length.min(piece.len())]
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            // A connection that breaks is what this is for.
            let _ = hand_on(stream, &shared).await;
        });
    }
}

/// One connection, until one side or a fault ends it.
async fn hand_on(client: TcpStream, shared: &Shared) -> anyhow::Result<()> {
    let server = TcpStream::connect(shared.upstream).await;
    client.set_nodelay(true)?;
    // Where nobody listens, the connection is reset, which is as close to a refusal as a proxy can come.
    let Ok(server) = server else {
        client.set_zero_linger()?;
        return Ok(());
    };
    server.set_nodelay(true)?;
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    let back = watch::Sender::new(None);
    tokio::select! {
        ended = requests(client_in, server_out, &back, shared) => ended,
        ended = answers(server_in, client_out, back.subscribe(), shared) => ended,
    }
}

/// From the server under test to InfluxDB. What is to be answered instead of InfluxDB goes into `back`.
async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    back: &watch::Sender<Option<&'static [u8]>>,
    shared: &Shared,
) -> anyhow::Result<()> {
    let mut room = vec![0; PIECE];
    loop {
        let length = from.read(&mut room).await?;
        if length == 0 {
            return Ok(());
        }
        let piece = &room[..length];
        if piece.starts_with(WRITE) {
            shared.writes.send_modify(|writes| *writes += 1);
        }
        match shared.fault() {
            Fault::None | Fault::CutBeforeAnswer | Fault::HalfAnswer => to.write_all(piece).await?,
            Fault::Late(millis) => {
                shared.strike(Fault::Late(millis));
                tokio::time::sleep(Duration::from_millis(millis)).await;
                to.write_all(piece).await?;
            }
            Fault::CutRequest => {
                if shared.strikes(Fault::CutRequest) {
                    to.write_all(shared.beginning(piece)).await?;
                    return Ok(());
                }
                to.write_all(piece).await?;
            }
            Fault::Silent => {
                shared.strike(Fault::Silent);
                swallow(&mut from).await?;
                return Ok(());
            }
            Fault::Busy => {
                shared.strike(Fault::Busy);
                back.send_replace(Some(BUSY));
                swallow(&mut from).await?;
                return Ok(());
            }
        }
    }
}

/// From InfluxDB to the server under test.
async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut instead: watch::Receiver<Option<&'static [u8]>>,
    shared: &Shared,
) -> anyhow::Result<()> {
    let mut room = vec![0; PIECE];
    loop {
        let length = tokio::select! {
            length = from.read(&mut room) => length?,
            changed = instead.changed() => {
                changed?;
                let answer = *instead.borrow();
                to.write_all(answer.unwrap_or_default()).await?;
                return Ok(());
            }
        };
        if length == 0 {
            return Ok(());
        }
        let piece = &room[..length];
        match shared.fault() {
            Fault::None | Fault::CutRequest | Fault::Silent | Fault::Busy => to.write_all(piece).await?,
            Fault::Late(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                to.write_all(piece).await?;
            }
            Fault::CutBeforeAnswer => {
                if shared.strikes(Fault::CutBeforeAnswer) {
                    return Ok(());
                }
                to.write_all(piece).await?;
            }
            Fault::HalfAnswer => {
                if shared.strikes(Fault::HalfAnswer) {
                    to.write_all(shared.beginning(piece)).await?;
                    return Ok(());
                }
                to.write_all(piece).await?;
            }
        }
    }
}

/// Takes what comes until the other side gives up.
async fn swallow(from: &mut OwnedReadHalf) -> anyhow::Result<()> {
    let mut room = vec![0; PIECE];
    while from.read(&mut room).await? > 0 {}
    Ok(())
}
