//! Whether somebody can be told that way at all: addresses and URLs as contacts may have them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::Way;

/// Longest URL, in octets.
const URL_BYTES_MAX: usize = 1_000;
/// Longest address, and longest part before its `@`, in octets (RFC 5321).
const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
/// Longest part of a host name, in octets (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

impl Way {
    /// Whether somebody can be told this way.
    ///
    /// # Errors
    /// What it is and what is allowed, to stand behind a field's name.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Way::Webhook { url } => check_url(url),
            Way::Email { address } => check_address(address),
        }
    }
}

/// Whether a webhook may be there: `https`, or `http` to a loopback or private address.
///
/// # Errors
/// What it is and what is allowed, to stand behind a field's name.
pub fn check_url(text: &str) -> Result<(), String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!("has {} octets; at most {URL_BYTES_MAX} are allowed", text.len()));
    }
    let is_allowed = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    if let Some(other) = text.chars().find(|c| !is_allowed(*c)) {
        return Err(format!(
            "has the character {other:?}; visible ASCII characters are allowed, others as %XX"
        ));
    }
    let allowed = "a URL such as https://alerts.example.org/beltwatch is allowed";
    let url = Url::parse(text)
        .map_err(|error| format!("is {}, which is no URL ({error}); {allowed}", cut(text)))?;
    let is_plain = match url.scheme() {
        "https" => false,
        "http" => true,
        other => {
            return Err(format!(
                "has the scheme {}; https is allowed, http only to a loopback or private address",
                cut(other)
            ));
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "has a name or password before its host; messages are signed instead: leave it out".to_owned()
        );
    }
    if url.fragment().is_some() {
        return Err("has a part after #, which is never sent; leave it out".to_owned());
    }
    match url.host() {
        None => Err(format!("has no host; {allowed}")),
        Some(host) if is_plain && !is_near(&host) => Err(format!(
            "is http to {}; http is allowed to a loopback or private address only: take https",
            cut(&host.to_string())
        )),
        Some(_) if url.port() == Some(0) => Err("has the port 0; 1 to 65535 are allowed".to_owned()),
        Some(_) => Ok(()),
    }
}

/// Whether what is sent there stays on this computer or in a private network. A name is not asked for: what it stands for
/// may change.
fn is_near(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => is_near_v4(*address),
        Host::Ipv6(address) => is_near_v6(*address),
    }
}

fn is_near_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private()
}

fn is_near_v6(address: Ipv6Addr) -> bool {
    let is_unique_local = address.segments()[0] & 0xfe00 == 0xfc00;
    address.is_loopback() || is_unique_local || address.to_ipv4_mapped().is_some_and(is_near_v4)
}

/// Whether this is one e-mail address, without a name or angle brackets.
///
/// # Errors
/// What it is and what is allowed, to stand behind a field's name.
pub fn check_address(text: &str) -> Result<(), String> {
    let allowed = "one address such as ops@example.org is allowed";
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(format!("has {} octets; at most {ADDRESS_BYTES_MAX} are allowed", text.len()));
    }
    let Some((local, host)) = text.rsplit_once('@') else {
        return Err(format!("is {}, which has no @; {allowed}", cut(text)));
    };
    if local.is_empty() || local.len() > LOCAL_BYTES_MAX || !local.split('.').all(is_atom) {
        return Err(format!("has {} before the @; {allowed}", cut(local)));
    }
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => literal.strip_prefix("IPv6:").unwrap_or(literal).parse::<IpAddr>().is_ok(),
        None => !host.is_empty() && host.split('.').all(is_label),
    };
    if is_host { Ok(()) } else { Err(format!("has {} after the @; {allowed}", cut(host))) }
}

/// A part between dots before the `@` (RFC 5322, `atext`).
fn is_atom(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c))
}

fn is_label(part: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&part.len())
        && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        && !part.starts_with('-')
        && !part.ends_with('-')
}

/// A value for an error message: quoted, cut to 80 characters.
fn cut(text: &str) -> String {
    let cut: String = text.chars().take(80).collect();
    format!("{cut:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of the error; none: it is good.
    #[track_caller]
    fn check(found: Result<(), String>, words: &[&str]) {
        match found {
            Ok(()) => assert!(words.is_empty(), "it is taken: {words:?}"),
            Err(error) => {
                assert!(!words.is_empty(), "{error}");
                words.iter().for_each(|word| assert!(error.contains(word), "{word} in {error}"));
            }
        }
    }

    #[test]
    fn urls() {
        for good in [
            "https://alerts.example.org/hook?team=floor",
            "https://10.0.0.1:8443/",
            "http://127.0.0.1:9093/api/v2/alerts",
            "http://localhost:8080/",
            "http://192.168.1.7/x",
            "http://10.1.2.3/x",
            "http://172.31.0.1/x",
            "http://[::1]:80/x",
            "http://[fd00::1]/x",
            "http://[::ffff:10.0.0.1]/x",
        ] {
            check(check_url(good), &[]);
        }
        check(check_url(""), &["\"\"", "no URL", "https://"]);
        check(check_url("alerts.example.org"), &["no URL"]);
        check(check_url("ftp://example.org/"), &["\"ftp\"", "https is allowed"]);
        check(check_url("file:///etc/passwd"), &["\"file\""]);
        check(check_url("https://"), &["no URL"]);
        check(check_url("https://example.org/a b"), &["' '", "visible ASCII"]);
        check(check_url("https://example.org/\n"), &["'\\n'"]);
        check(check_url("https://example.org/{x}"), &["'{'", "%XX"]);
        check(check_url("https://ann:secret@example.org/"), &["name or password"]);
        check(check_url("https://example.org/#part"), &["#"]);
        check(check_url("https://example.org:0/"), &["port 0"]);
        check(
            check_url(&format!("https://example.org/{}", "x".repeat(1_000))),
            &["1020 octets", "at most 1000"],
        );
        for far in [
            "http://example.org/",
            "http://8.8.8.8/",
            "http://172.32.0.1/",
            "http://169.254.169.254/",
            "http://[2001:db8::1]/",
            "http://localhost.example.org/",
            "http://0.0.0.0/",
        ] {
            check(check_url(far), &["loopback or private", "take https"]);
        }
        // What looks near but is not, and what looks far but is near.
        check(check_url("http://127.0.0.1@example.org/"), &["name or password"]);
        check(check_url("http://0x7f.1/"), &[]);
    }

    #[test]
    fn addresses() {
        for good in [
            "ops@example.org",
            "o.p-s+floor@mail.example.org",
            "root@localhost",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
        ] {
            check(check_address(good), &[]);
        }
        check(check_address(""), &["no @", "ops@example.org"]);
        check(check_address("ops"), &["\"ops\"", "no @"]);
        for local in ["", ".ops", "ops.", "o..ps", "o ps", "ops\r\nBcc: x", "a@b", "ä"] {
            check(check_address(&format!("{local}@example.org")), &["before the @"]);
        }
        for host in [
            "",
            "example..org",
            "-a.org",
            "a-.org",
            "exa mple.org",
            "example.org\n",
            "[127.0.0]",
            "ä.org",
            "a>",
        ] {
            check(check_address(&format!("ops@{host}")), &["after the @"]);
        }
        check(check_address(&format!("{}@example.org", "x".repeat(65))), &["before the @"]);
        check(check_address(&format!("a@{}", "x.".repeat(130))), &["262 octets", "at most 254"]);
        check(Way::Email { address: "ops".to_owned() }.check(), &["no @"]);
        check(Way::Webhook { url: "x".to_owned() }.check(), &["no URL"]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_taken_can_break_a_line(text in "\\PC{0,40}|[a-z@.\\r\\n ]{0,40}|https?://[a-z0-9.:/@\\r\\n]{0,40}") {
            if check_url(&text).is_ok() || check_address(&text).is_ok() {
                prop_assert!(text.bytes().all(|c| c.is_ascii_graphic()), "{:?}", text);
            }
        }
    }
}
