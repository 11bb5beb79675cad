//! The port: accepts connections, speaks HTTP/1.1 and HTTP/2 (with prior knowledge), drains.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use domain::limits::API_CONNECTIONS_MAX;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::metrics::Present;

/// A connection that says nothing for this long at its beginning is closed.
const FIRST_WORD_TIME: Duration = Duration::from_secs(10);
/// A TLS handshake that takes longer is given up.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// An HTTP/2 connection is asked for a sign of life this often, and closed if it gives none in time: a watcher that
/// vanished would otherwise keep its place for a quarter of an hour.
const KEEP_ALIVE_PERIOD: Duration = Duration::from_secs(15);
const KEEP_ALIVE_TIME: Duration = Duration::from_secs(10);
/// Streams in one HTTP/2 connection. More: the client waits.
const STREAMS_MAX: u32 = 256;
/// Pause after a failed accept, which mostly means that files have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping`, then lets requests that were begun finish; with TLS if there is a configuration for it, and
/// then nobody without. The caller sets the deadline for that by dropping the future.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    stopping: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(listen = %address, tls = tls.is_some(), "api is listening");
    let graceful = GracefulShutdown::new();
    let port = Port { builder: builder(), router, acceptor: tls.map(TlsAcceptor::from) };
    let places = Arc::new(Semaphore::new(API_CONNECTIONS_MAX));
    // Connections are tasks of this set, so that dropping the future ends them.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accept = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stopping.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (port, watcher) = (port.clone(), graceful.watcher());
        connections.spawn(async move {
            let _place = place;
            let _present = Present::connection();
            port.take(stream, peer, watcher).await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

/// What each connection needs.
#[derive(Clone)]
struct Port {
    builder: Builder<TokioExecutor>,
    router: Router,
    acceptor: Option<TlsAcceptor>,
}

impl Port {
    async fn take(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        if !has_something_to_say(&stream).await {
            return;
        }
        let Some(acceptor) = self.acceptor.clone() else {
            return self.speak(stream, peer, watcher).await;
        };
        match tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.speak(stream, peer, watcher).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS came about"),
            Err(_) => tracing::debug!(%peer, "no TLS came about in time"),
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        watcher: Watcher,
    ) {
        let service = self.router.map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            request.map(Body::new)
        });
        let connection = self
            .builder
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, error = %error, "connection ended with an error");
        }
    }
}

async fn has_something_to_say(stream: &TcpStream) -> bool {
    // Small answers go out at once.
    let nodelay = stream.set_nodelay(true);
    nodelay.is_ok() && matches!(tokio::time::timeout(FIRST_WORD_TIME, stream.readable()).await, Ok(Ok(())))
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(FIRST_WORD_TIME);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE_PERIOD)
        .keep_alive_timeout(KEEP_ALIVE_TIME)
        .max_concurrent_streams(STREAMS_MAX);
    builder
}
