//! Receivers on loopback for the tests: one of webhooks, one of mail.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// By names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

/// A receiver; what it is to answer next, and what has arrived.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    pub(crate) port: u16,
    pub(crate) arrived: mpsc::UnboundedReceiver<T>,
}

/// Answers, in order: the text that goes back; `None`: nothing ever, the connection stays open. Then all is well.
type Answers = Arc<Mutex<VecDeque<Option<String>>>>;

pub(crate) fn status(status: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"))
}

/// A receiver of webhooks.
pub(crate) async fn webhooks(answers: Vec<Option<String>>) -> Receiver<Request> {
    let answers: Answers = Arc::new(Mutex::new(answers.into()));
    serve(move |stream, arrived| webhook(stream, answers.clone(), arrived)).await
}

/// A mail server. What it answers to the mail itself; then `250`.
pub(crate) async fn mails(answers: Vec<Option<String>>) -> Receiver<(Vec<String>, String)> {
    let answers: Answers = Arc::new(Mutex::new(answers.into()));
    serve(move |stream, arrived| mail(stream, answers.clone(), arrived)).await
}

async fn serve<T, F>(
    answer: impl Fn(TcpStream, mpsc::UnboundedSender<T>) -> F + Send + 'static,
) -> Receiver<T>
where
    T: Send + 'static,
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, arrived) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, sender.clone()));
        }
    });
    Receiver { port, arrived }
}

async fn webhook(
    stream: TcpStream,
    answers: Answers,
    arrived: mpsc::UnboundedSender<Request>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: HashMap<String, String> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8(body).unwrap();
    let answer = answers.lock().unwrap().pop_front();
    let _ = arrived.send(Request { line: lines[0].clone(), headers, body });
    match answer.unwrap_or_else(|| status("200 OK")) {
        Some(answer) => stream.write_all(answer.as_bytes()).await,
        None => std::future::pending().await,
    }
}

async fn mail(
    stream: TcpStream,
    answers: Answers,
    arrived: mpsc::UnboundedSender<(Vec<String>, String)>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut commands, mut text, mut is_text) = (Vec::new(), String::new(), false);
    stream.write_all(b"220 loopback ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match (is_text, line.trim_end()) {
            (true, ".") => {
                is_text = false;
                let answer = answers.lock().unwrap().pop_front();
                let _ = arrived.send((std::mem::take(&mut commands), std::mem::take(&mut text)));
                match answer.unwrap_or_else(|| Some("250 taken".to_owned())) {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
            (true, _) => {
                text.push_str(&line);
                continue;
            }
            (false, "DATA") => {
                is_text = true;
                "354 go on".to_owned()
            }
            (false, "QUIT") => "221 bye".to_owned(),
            (false, command) => {
                commands.push(command.to_owned());
                "250 well".to_owned()
            }
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
