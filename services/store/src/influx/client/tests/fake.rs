//! A server that answers as a test says, on a port of its own.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Method, path and query.
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: String,
}

/// What is answered.
pub(super) enum Answer {
    /// These octets, then the end of the connection.
    Octets(Vec<u8>),
    /// The end of the connection, before the request was read.
    Reset,
    /// Nothing, for as long as the test takes.
    Silence,
}

impl Answer {
    /// A whole answer.
    pub(super) fn new(status: u16, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n");
        Answer::Octets(format!("{head}{headers}\r\n{body}").into_bytes())
    }

    /// An answer as InfluxDB words errors.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
        let body = serde_json::json!({ "code": code, "message": message }).to_string();
        Answer::new(status, "content-type: application/json\r\n", &body)
    }

    /// A table, in pieces of chunked encoding; the last piece, of no octets, is left out if the answer is cut.
    pub(super) fn table(body: &str, is_cut: bool) -> Answer {
        let mut octets =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".to_vec();
        for piece in body.as_bytes().chunks(7) {
            octets.extend(format!("{:x}\r\n", piece.len()).bytes());
            octets.extend_from_slice(piece);
            octets.extend(b"\r\n");
        }
        if !is_cut {
            octets.extend(b"0\r\n\r\n");
        }
        Answer::Octets(octets)
    }
}

/// It ends with this.
pub(super) struct Fake {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    _running: JoinSet<()>,
}

impl Fake {
    /// Answers the n-th request, from 0, as `answer` says.
    pub(super) async fn start(answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut running = JoinSet::new();
        let seen = requests.clone();
        running.spawn(async move {
            let answer = Arc::new(answer);
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, seen) = (answer.clone(), seen.clone());
                connections.spawn(async move { serve(stream, &*answer, &seen).await });
            }
        });
        Fake { url, requests, _running: running }
    }

    /// What was asked so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(usize, &Request) -> Answer + Send + Sync),
    seen: &Mutex<Vec<Request>>,
) {
    let Some(request) = read(&mut stream).await else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    match answer(number, &request) {
        Answer::Octets(octets) => {
            // Whoever asked may have gone.
            let _ = stream.write_all(&octets).await;
            let _ = stream.shutdown().await;
        }
        Answer::Reset => {
            // Octets that nobody has read when a socket closes make its end a reset.
            stream.set_zero_linger().unwrap();
        }
        Answer::Silence => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                let line = head.lines().next().unwrap_or_default().to_owned();
                return Some(Request { line, head: lower, body: body.to_owned() });
            }
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}
