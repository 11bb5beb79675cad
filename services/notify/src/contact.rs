//! What a contact may be told by.

use std::net::IpAddr;

use lettre::Address;
use url::{Host, Url};

/// Longest URL or address, in octets.
const WAY_BYTES_MAX: usize = 1_000;

/// Whether a webhook may be at this URL.
///
/// # Errors
/// What is wrong and what is allowed, in one sentence.
pub fn check_url(url: &str) -> Result<(), String> {
    if url.len() > WAY_BYTES_MAX {
        return Err(format!("url has {} octets; at most {WAY_BYTES_MAX} are allowed", url.len()));
    }
    let parsed = Url::parse(url).map_err(|error| {
        format!("url \"{url}\" cannot be read ({error}); one such as https://example.org/hook is allowed")
    })?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("url holds a user or a password; the receiver knows us by the signature, leave them out"
            .to_owned());
    }
    if parsed.fragment().is_some() {
        return Err("url ends with a part behind #, which is never sent; leave it out".to_owned());
    }
    let host = parsed.host().ok_or_else(|| format!("url \"{url}\" names no host"))?;
    if url.parse::<http::Uri>().is_err() {
        return Err(format!("url \"{url}\" has characters that have to be written as %XX"));
    }
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_near(&host) => Ok(()),
        "http" => Err(format!(
            "url \"{url}\" is http; https is required, and http is allowed only to localhost or to a loopback or private \
             IP address, such as http://192.168.1.5:8080/hook"
        )),
        scheme => Err(format!(
            "url begins with \"{scheme}:\"; https: is allowed, and http: to this computer or network"
        )),
    }
}

/// Names but localhost are not asked for: what they mean can change after the check.
fn is_near(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => is_private(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_private(IpAddr::V6(*address)),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// Whether mail may be sent to this address.
///
/// # Errors
/// What is wrong and what is allowed, in one sentence.
pub fn check_address(address: &str) -> Result<(), String> {
    if address.len() > 254 {
        return Err(format!("address has {} octets; at most 254 are allowed", address.len()));
    }
    match address.parse::<Address>() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "address \"{address}\" is no mail address ({error}); one such as anna@example.org is allowed, without a name \
             and without <>"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        match check_url(url) {
            Ok(()) => assert_eq!(expected, "", "{url}"),
            Err(error) => assert!(!expected.is_empty() && error.contains(expected), "{url}: {error}"),
        }
    }

    #[test]
    fn urls() {
        check("https://example.org/hook?key=1", "");
        check("https://10.0.0.1:8443/", "");
        check("http://127.0.0.1:9/x", "");
        check("http://[::1]/x", "");
        check("http://[fd00::5]:8080/x", "");
        check("http://localhost:8080/x", "");
        check("http://192.168.1.5/x", "");
        check("http://172.20.0.1/x", "");
        check("http://172.32.0.1/x", "https is required");
        check("http://[::ffff:8.8.8.8]/x", "https is required");
        check("http://example.org/x", "https is required");
        check("http://localhost.example.org/x", "https is required");
        check("http://169.254.169.254/x", "https is required");
        check("https://anna:secret@example.org/", "user or a password");
        check("https://example.org/#part", "behind #");
        check("ftp://example.org/", "begins with \"ftp:\"");
        check("file:///etc/passwd", "names no host");
        check("example.org/hook", "cannot be read");
        check("", "cannot be read");
        check("https://", "cannot be read");
        check("https://example.org/ä b", "%XX");
        check(&format!("https://example.org/{}", "x".repeat(1_000)), "at most 1000");
    }

    #[test]
    fn addresses() {
        assert_eq!(check_address("anna@example.org"), Ok(()));
        let long = format!("{}@example.org", "a".repeat(300));
        for bad in ["", "anna", "anna@", "Anna <anna@example.org>", "a@b\r\nBcc: c@d", "a@b,c@d", &long] {
            let error = check_address(bad).expect_err(bad);
            assert!(error.contains("allowed"), "{error}");
        }
    }
}
