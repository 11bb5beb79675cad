//! Where a server is, as somebody types it.

use std::net::IpAddr;

use http::Uri;

const HTTPS_PORT: u16 = 443;
const HTTP_PORT: u16 = 80;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    is_secure: bool,
    host: String,
    port: u16,
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address is \"{given}\": {reason}, such as https://gym.example:8080")]
pub struct InvalidAddress {
    /// What was given.
    pub given: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Address {
    /// Reads an address: `https://host:port`, or `http://` to this very computer.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(given: &str) -> Result<Address, InvalidAddress> {
        let invalid = |reason| InvalidAddress { given: given.chars().take(200).collect(), reason };
        let uri: Uri = given.trim().parse().map_err(|_| invalid("it must be an https:// address"))?;
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(invalid("it must begin with https://")),
        };
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(invalid("it names no host"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(invalid("it must not hold a user's name"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(invalid("nothing may stand behind host and port"));
        }
        let port = match port_text(&uri) {
            None if is_secure => HTTPS_PORT,
            None => HTTP_PORT,
            Some(text) => match text.parse() {
                Ok(port) if port > 0 => port,
                Ok(_) | Err(_) => return Err(invalid("the port must be a number from 1 to 65535")),
            },
        };
        if !is_secure && host != "localhost" && !host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()) {
            return Err(invalid("http:// is allowed to this very computer only; use https://"));
        }
        Ok(Address { is_secure, host, port })
    }

    /// Whether it is spoken to with TLS.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Host and port, to connect to.
    pub(super) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Host and port, as a request names them.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The scheme, as a request names it.
    pub(super) fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
}

/// What stands behind the host and its colon, also if it is no port: `http` leaves out what it cannot read.
fn port_text(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?.as_str();
    // The colons of an IPv6 address are within its brackets.
    let behind_host = authority.rsplit_once(']').map_or(authority, |(_, behind)| behind);
    behind_host.rsplit_once(':').map(|(_, port)| port)
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address_and_what_is_not() {
        let good = |given: &str, expected: &str| {
            assert_eq!(Address::parse(given).map(|address| address.to_string()).as_deref(), Ok(expected));
        };
        good("https://gym.example:8080", "https://gym.example:8080");
        good(" https://gym.example/ ", "https://gym.example:443");
        good("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443");
        good("https://192.0.2.1", "https://192.0.2.1:443");
        good("http://127.0.0.1:8080", "http://127.0.0.1:8080");
        good("http://localhost:8080", "http://localhost:8080");
        good("http://[::1]:8080", "http://[::1]:8080");
        let bad = |given: &str, says: &str| {
            let error = Address::parse(given).unwrap_err().to_string();
            assert!(error.contains(says), "{given}: {error}");
        };
        bad("gym.example:8080", "https://");
        bad("gym.example", "begin with https://");
        bad("", "https:// address");
        bad("ftp://gym.example", "begin with https://");
        bad("http://gym.example:8080", "this very computer only");
        bad("http://192.0.2.1", "this very computer only");
        bad("http://localhost.example", "this very computer only");
        bad("https://gym.example/pages", "behind host and port");
        bad("https://gym.example?x=1", "behind host and port");
        bad("https://anna@gym.example", "user's name");
        for port in ["80800", "65536", "0", "", "-1"] {
            bad(&format!("https://gym.example:{port}"), "1 to 65535");
            bad(&format!("https://[2001:db8::1]:{port}"), "1 to 65535");
            bad(&format!("http://localhost:{port}"), "1 to 65535");
        }
        good("https://[2001:db8::1]", "https://[2001:db8::1]:443");
        good("https://gym.example:65535", "https://gym.example:65535");
        bad("https://", "https:// address");
    }
}
