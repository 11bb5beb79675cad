//! The watchers: on one thread of their own, so that what they cost can be told apart.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinSet, LocalSet};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use tonic::transport::Endpoint;
use wire::api::v1::account_service_client::AccountServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::watch_fleet_response::Update;
use wire::api::v1::{MachineState, RedeemLinkRequest, WatchFleetRequest, WatchFleetResponse};

use super::super::fleet;
use super::super::report::Percentiles;
use super::feeder::now;
use crate::client::Identity;
use crate::serve::Server;

/// How long all watchers may take to have their first state.
const CONNECT_MAX: Duration = Duration::from_secs(60);
/// How often is looked whether they have.
const POLL: Duration = Duration::from_millis(20);
/// How long the one that stopped reading reads what is there, in the end.
const READ_ON: Duration = Duration::from_secs(3);
/// Longest time that is told apart, in microseconds; longer ones count as this.
const LONGEST_US: u64 = 60 * 1_000_000;
/// Octets that may wait for one that has stopped reading: a library's usual room would hold minutes of changes.
const STALLED_WINDOW: u32 = 64 * 1024;
/// Octets read at once from a page's stream.
const READ_BYTES: usize = 64 * 1024;
/// What stands before the time of a machine's picture, in milliseconds since 1970, in a page's stream.
const MARK: &[u8] = b",\"at\":";
/// What stands before it if the machine has a stop that nobody has seen to.
const STOP_MARK: &[u8] = b",\"stop\":\"";
/// Most octets of a time.
const TIME_BYTES_MAX: usize = 20;

/// How the watchers get in.
#[derive(Debug, Clone)]
pub(super) struct Access {
    server: SocketAddr,
    session: String,
}

impl Access {
    /// A session as a person has it.
    pub(super) async fn of(server: &Server) -> anyhow::Result<Access> {
        let link = server.demo_link().await?;
        let code = link.trim_start_matches("/link/").to_owned();
        let channel = Endpoint::from_shared(format!("http://{}", server.api_address()))?.connect().await?;
        let request = RedeemLinkRequest { code, ..RedeemLinkRequest::default() };
        let session = AccountServiceClient::new(channel).redeem_link(request).await?.into_inner().session;
        Ok(Access { server: server.api_address(), session })
    }
}

/// What the watchers have seen since it was last taken.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) rpc: Percentiles,
    pub(super) page: Percentiles,
    pub(super) page_stops: Percentiles,
    pub(super) rpc_messages: u64,
    pub(super) page_bytes: u64,
}

#[derive(Debug)]
struct Counts {
    /// Watchers that have their first state.
    ready: usize,
    rpc: Histogram<u64>,
    page: Histogram<u64>,
    page_stops: Histogram<u64>,
    rpc_messages: u64,
    page_bytes: u64,
    /// Snapshots after the first of the watcher that stopped reading.
    snapshots: u64,
    failed: Option<String>,
}

type Shared = Arc<Mutex<Counts>>;

/// Running watchers.
#[derive(Debug)]
pub(super) struct Viewers {
    thread: std::thread::JoinHandle<()>,
    ending: CancellationToken,
    counts: Shared,
}

impl Viewers {
    /// Starts them all; each has its first state when this returns.
    pub(super) async fn start(access: Access, count: usize, has_stalled: bool) -> anyhow::Result<Viewers> {
        let times = || Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are in order");
        let counts = Counts {
            ready: 0,
            rpc: times(),
            page: times(),
            page_stops: times(),
            rpc_messages: 0,
            page_bytes: 0,
            snapshots: 0,
            failed: None,
        };
        let counts = Arc::new(Mutex::new(counts));
        let ending = CancellationToken::new();
        let (shared, token) = (counts.clone(), ending.clone());
        let run = move || drive(&access, count, has_stalled, &token, &shared);
        let thread = std::thread::Builder::new().name(fleet::THREAD.to_owned()).spawn(run);
        let viewers = Viewers { thread: thread.context("no thread for the watchers")?, ending, counts };
        let all = count + if has_stalled { 2 } else { 0 };
        let ready = async {
            loop {
                viewers.check()?;
                if lock(&viewers.counts).ready >= all {
                    return Ok::<_, anyhow::Error>(());
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(CONNECT_MAX, ready).await.context("not all watchers have a first state")??;
        Ok(viewers)
    }

    /// What was seen since this was last asked.
    ///
    /// # Errors
    /// A watcher lost its stream.
    pub(super) fn take(&self) -> anyhow::Result<Seen> {
        self.check()?;
        let mut counts = lock(&self.counts);
        let seen = Seen {
            rpc: Percentiles::of(&counts.rpc),
            page: Percentiles::of(&counts.page),
            page_stops: Percentiles::of(&counts.page_stops),
            rpc_messages: std::mem::take(&mut counts.rpc_messages),
            page_bytes: std::mem::take(&mut counts.page_bytes),
        };
        counts.rpc.reset();
        counts.page.reset();
        counts.page_stops.reset();
        Ok(seen)
    }

    /// Ends them; how many new snapshots the one that stopped reading has found.
    pub(super) async fn stop(self) -> anyhow::Result<u64> {
        self.ending.cancel();
        let thread = self.thread;
        tokio::task::spawn_blocking(move || thread.join())
            .await?
            .ok()
            .context("the watchers' thread panicked")?;
        let counts = lock(&self.counts);
        if let Some(failed) = &counts.failed {
            bail!("{failed}");
        }
        Ok(counts.snapshots)
    }

    fn check(&self) -> anyhow::Result<()> {
        match &lock(&self.counts).failed {
            Some(failed) => bail!("{failed}"),
            None => Ok(()),
        }
    }
}

fn lock(counts: &Shared) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn drive(access: &Access, count: usize, has_stalled: bool, ending: &CancellationToken, counts: &Shared) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            lock(counts).failed = Some(format!("no runtime for the watchers: {error}"));
            return;
        }
    };
    LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (access, ending, counts) = (access.clone(), ending.clone(), counts.clone());
            tasks.spawn_local(async move {
                let watching = async {
                    if number % 2 == 0 { rpc(&access, &counts).await } else { page(&access, &counts).await }
                };
                tokio::select! {
                    () = ending.cancelled() => Ok(()),
                    ended = watching => ended,
                }
            });
        }
        if has_stalled {
            let (stalled, token, shared) = (access.clone(), ending.clone(), counts.clone());
            tasks.spawn_local(async move { stalled_rpc(&stalled, &token, &shared).await });
            let (stalled, token, shared) = (access.clone(), ending.clone(), counts.clone());
            tasks.spawn_local(async move { stalled_page(&stalled, &token, &shared).await });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended.map_err(anyhow::Error::from).flatten() {
                lock(counts).failed.get_or_insert(format!("a watcher: {error:#}"));
            }
        }
    });
}

/// Opens a watch. `window`: octets that may be on their way unread, where it is not the usual.
async fn open_rpc(access: &Access, window: Option<u32>) -> anyhow::Result<Streaming<WatchFleetResponse>> {
    let endpoint = Endpoint::from_shared(format!("http://{}", access.server))?;
    let endpoint = endpoint.initial_stream_window_size(window).initial_connection_window_size(window);
    let channel = endpoint.connect().await?;
    let identity = Identity::bearer(&access.session, None)?;
    let mut fleet = FleetServiceClient::with_interceptor(channel, identity);
    let request = WatchFleetRequest { site_id: super::SITE.to_owned(), ..WatchFleetRequest::default() };
    Ok(fleet.watch_fleet(request).await?.into_inner())
}

/// Watches by `WatchFleet` until it is ended.
async fn rpc(access: &Access, counts: &Shared) -> anyhow::Result<()> {
    let mut stream = open_rpc(access, None).await?;
    stream.message().await?.context("the stream ended")?;
    lock(counts).ready += 1;
    loop {
        let message = stream.message().await?.context("the stream ended")?;
        let counts = &mut *lock(counts);
        counts.rpc_messages += 1;
        if let Some(Update::Changed(state)) = message.update
            && let Some(picture_us) = picture_micros(&state)
        {
            counts.rpc.saturating_record(age(picture_us));
        }
    }
}

/// Takes the first message, no more until the others end, and then what is there.
async fn stalled_rpc(access: &Access, ending: &CancellationToken, counts: &Shared) -> anyhow::Result<()> {
    let mut stream = open_rpc(access, Some(STALLED_WINDOW)).await?;
    stream.message().await?.context("the stream ended")?;
    lock(counts).ready += 1;
    ending.cancelled().await;
    let read = async {
        while let Some(message) = stream.message().await? {
            if let Some(Update::Snapshot(snapshot)) = message.update
                && snapshot.part == 0
            {
                lock(counts).snapshots += 1;
            }
        }
        Ok::<_, tonic::Status>(())
    };
    // It would go on for ever: what has waited for it is there at once.
    match tokio::time::timeout(READ_ON, read).await {
        Ok(ended) => ended.context("the stream of the one that stopped reading ended"),
        Err(_) => Ok(()),
    }
}

async fn open_page(access: &Access, is_stalled: bool) -> anyhow::Result<TcpStream> {
    let Access { server, session } = access;
    let socket = TcpSocket::new_v4()?;
    if is_stalled {
        socket.set_recv_buffer_size(STALLED_WINDOW)?;
    }
    let mut stream = socket.connect(*server).await?;
    let request = format!(
        "GET /live?site={} HTTP/1.1\r\nhost: {server}\r\naccept: text/event-stream\r\ncookie: {}={session}\r\n\r\n",
        super::SITE,
        super::SESSION_COOKIE,
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// Reads a page's stream until it is ended.
async fn page(access: &Access, counts: &Shared) -> anyhow::Result<()> {
    let mut stream = open_page(access, false).await?;
    let (mut buffer, mut kept) = (vec![0; READ_BYTES], Vec::new());
    let mut is_ready = false;
    loop {
        let count = stream.read(&mut buffer).await?;
        ensure!(count > 0, "the page's stream ended");
        kept.extend_from_slice(&buffer[..count]);
        if !is_ready {
            let head = String::from_utf8_lossy(&kept[..kept.len().min(12)]).into_owned();
            ensure!("HTTP/1.1 200".starts_with(&head), "the page's stream is refused: {head}");
            is_ready = kept.len() >= 12;
            lock(counts).ready += usize::from(is_ready);
        }
        let counts = &mut *lock(counts);
        counts.page_bytes += count as u64;
        let (page, page_stops) = (&mut counts.page, &mut counts.page_stops);
        let done = take_times(&kept, |at_ms, has_stop| {
            let times = if has_stop { &mut *page_stops } else { &mut *page };
            times.saturating_record(age(at_ms.saturating_mul(1_000)));
        });
        kept.drain(..done);
    }
}

/// Reads the first octets and no more until the others end.
async fn stalled_page(access: &Access, ending: &CancellationToken, counts: &Shared) -> anyhow::Result<()> {
    let mut stream = open_page(access, true).await?;
    let count = stream.read(&mut [0; 12]).await?;
    ensure!(count > 0, "the page's stream ended");
    lock(counts).ready += 1;
    ending.cancelled().await;
    Ok(())
}

/// Gives the times of pictures in octets, in milliseconds since 1970, with whether it is of a machine with a stop; and
/// tells how many octets are done with.
fn take_times(octets: &[u8], mut take: impl FnMut(i64, bool)) -> usize {
    let mut done = 0;
    while let Some(place) = find(&octets[done..], MARK) {
        let begin = done + place + MARK.len();
        let digits =
            octets[begin..].iter().take(TIME_BYTES_MAX).take_while(|octet| octet.is_ascii_digit()).count();
        if begin + digits == octets.len() {
            // The rest of the time, or what ends it, is still to come.
            return done;
        }
        let time =
            std::str::from_utf8(&octets[begin..begin + digits]).ok().and_then(|time| time.parse().ok());
        if let Some(at_ms) = time {
            take(at_ms, find(&octets[done..begin], STOP_MARK).is_some());
        }
        done = begin + digits;
    }
    done
}

fn find(octets: &[u8], mark: &[u8]) -> Option<usize> {
    octets.windows(mark.len()).position(|window| window == mark)
}

fn picture_micros(state: &MachineState) -> Option<i64> {
    let time = state.belt_time?;
    Some(time.seconds.saturating_mul(1_000_000).saturating_add(i64::from(time.nanos / 1_000)))
}

/// Microseconds since then.
fn age(then_us: i64) -> u64 {
    u64::try_from(now().0.saturating_sub(then_us)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_wherever_the_stream_is_cut() {
        let stream =
            b"event: tiles\ndata: {\"now\":7,\"tiles\":[{\"id\":\"a\",\"stop\":\"1.500000000\",\"at\":1500},\
                       {\"id\":\"b\",\"at\":2000,\"value\":1.5},{\"id\":\"c\"}]}\n\n";
        for cut in 0..=stream.len() {
            let (mut kept, mut found) = (Vec::new(), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                kept.extend_from_slice(part);
                let done = take_times(&kept, |at_ms, has_stop| found.push((at_ms, has_stop)));
                kept.drain(..done);
            }
            assert_eq!(found, [(1_500, true), (2_000, false)], "cut at {cut}");
        }
    }
}
