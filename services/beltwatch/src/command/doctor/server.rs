//! What a running server says.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::api::v1::{MachineState, Presence};

use crate::client::{Client, Options};
use crate::command::finding::Finding;
use crate::command::pages;
use crate::failure::Exit;

/// How long a server may take to say whether it is ready.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Octets of that answer. More is not read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Machines that are named. More: their number.
const NAMED_MAX: usize = 5;

/// Everything about the server.
pub(super) async fn findings(options: &Options) -> Vec<Finding> {
    let mut client = match Client::connect(options).await {
        Ok(client) => client,
        Err(failure) if failure.exit == Exit::Unavailable => {
            return vec![Finding::warn("server", failure.message)];
        }
        Err(failure) => return vec![Finding::bad("server", failure.message)],
    };
    let mut found = vec![Finding::ok("server", format!("one answers at {}", options.server))];
    found.extend(readiness(&options.server).await);
    match pages::machines(&mut client, "").await {
        Ok(machines) => found.extend(presence(&machines)),
        Err(failure) => {
            found.push(Finding::warn("machines", format!("they cannot be asked for: {}", failure.message)));
        }
    }
    found
}

/// What the server says of its parts. It tells more to its log.
async fn readiness(server: &str) -> Vec<Finding> {
    let Some(address) = server.strip_prefix("http://") else {
        return vec![Finding::ok(
            "ready",
            format!("{}/readyz tells; it is not asked over TLS", server.trim_end_matches('/')),
        )];
    };
    let asked = ask(address.trim_end_matches('/'));
    match tokio::time::timeout(ANSWER_TIME, asked).await {
        Ok(Ok(answer)) => parts(&answer),
        Ok(Err(error)) => {
            vec![Finding::warn("ready", format!("it does not say whether it is ready: {error}"))]
        }
        Err(_) => vec![Finding::warn("ready", "it does not say in time whether it is ready")],
    }
}

async fn ask(address: &str) -> std::io::Result<String> {
    let host = if address.contains(':') { address.to_owned() } else { format!("{address}:80") };
    let mut stream = TcpStream::connect(&host).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A line for each part that is not ready.
fn parts(answer: &str) -> Vec<Finding> {
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let lines: Vec<(&str, &str)> = body.lines().filter_map(|line| line.split_once(": ")).collect();
    if lines.is_empty() {
        return vec![Finding::warn(
            "ready",
            "it does not say whether it is ready: is it a server of Beltwatch?",
        )];
    }
    let not_ready: Vec<Finding> = lines
        .iter()
        .filter(|(_, state)| *state != "ready")
        .map(|(part, state)| Finding::bad("ready", format!("{part}: {state}")))
        .collect();
    match not_ready.is_empty() {
        true => vec![Finding::ok("ready", format!("all of its {} parts are", lines.len()))],
        false => not_ready,
    }
}

fn presence(machines: &[MachineState]) -> Vec<Finding> {
    let of = |presence: Presence| -> Vec<&str> {
        let machines = machines.iter().filter(|machine| machine.presence() == presence);
        machines.filter_map(|state| state.machine.as_ref()).map(|machine| machine.id.as_str()).collect()
    };
    let mut found = Vec::new();
    for (presence, words) in [
        (Presence::Late, "are late: see their network"),
        (Presence::Offline, "are offline: see that their agents have power, network and a credential"),
        (Presence::NeverSeen, "were never heard: start their agents with their credentials"),
    ] {
        let ids = of(presence);
        if !ids.is_empty() {
            let more = ids.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = ids[..ids.len().min(NAMED_MAX)].join(", ");
            found.push(Finding::warn("machines", format!("{named}{more} {words}")));
        }
    }
    let online = of(Presence::Online).len();
    found.push(Finding::ok("machines", format!("{online} of {} are heard", machines.len())));
    found
}

#[cfg(test)]
mod tests {
    use wire::api::v1::Machine;

    use super::*;
    use crate::command::finding::Level;

    #[test]
    fn each_part_that_is_not_ready_is_bad() {
        let check = |body: &str, expected: &[(Level, &str)]| {
            let found = parts(&format!("HTTP/1.1 200 OK\r\nserver: x\r\n\r\n{body}"));
            let found: Vec<(Level, &str)> = found.iter().map(|one| (one.level, one.words.as_str())).collect();
            assert_eq!(found, expected, "{body}");
        };
        check("journal: ready\nledger: ready\n", &[(Level::Ok, "all of its 2 parts are")]);
        check(
            "journal: not ready: the disk is full\nledger: ready\n",
            &[(Level::Bad, "journal: not ready: the disk is full")],
        );
        check(
            "<html>",
            &[(Level::Warn, "it does not say whether it is ready: is it a server of Beltwatch?")],
        );
    }

    #[test]
    fn machines_that_are_not_heard_are_named() {
        let machine = |number: usize, presence: Presence| {
            let machine = Some(Machine { id: format!("tm-{number}"), ..Machine::default() });
            MachineState { machine, presence: presence.into(), ..MachineState::default() }
        };
        let machines: Vec<MachineState> = (0..7)
            .map(|number| machine(number, Presence::Offline))
            .chain([machine(7, Presence::Online), machine(8, Presence::Late)])
            .collect();
        let words: Vec<String> = presence(&machines).into_iter().map(|finding| finding.words).collect();
        assert_eq!(words[0], "tm-8 are late: see their network");
        assert!(words[1].starts_with("tm-0, tm-1, tm-2, tm-3, tm-4 and 2 more are offline"), "{words:?}");
        assert_eq!(words[2], "1 of 9 are heard");
    }
}
