//! The cookie that holds a session.

use axum::http::{HeaderMap, HeaderValue, header};

const NAME: &str = "beltwatch_session";
/// Browsers take a cookie with this prefix only with `Secure`, `Path=/` and without a domain.
const NAME_SECURE: &str = "__Host-beltwatch_session";
const LENGTH_MAX: usize = 512;

fn name(secure: bool) -> &'static str {
    if secure { NAME_SECURE } else { NAME }
}

/// Characters of sessions as the API makes them; nothing else is passed on.
fn is_session(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.~+/=".contains(&octet);
    !text.is_empty() && text.len() <= LENGTH_MAX && text.bytes().all(allowed)
}

/// The session of a request.
pub(crate) fn session(headers: &HeaderMap, secure: bool) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name(secure))?;
    is_session(value).then(|| value.to_owned())
}

/// Sets a session for as many seconds. None: the API made one that a cookie cannot hold.
pub(crate) fn set(session: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    if !is_session(session) {
        return None;
    }
    write(session, seconds.max(0), secure)
}

/// Forgets the session.
pub(crate) fn clear(secure: bool) -> Option<HeaderValue> {
    write("", 0, secure)
}

fn write(value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let only_tls = if secure { "; Secure" } else { "" };
    let name = name(secure);
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{only_tls}");
    HeaderValue::from_str(&text).ok()
}
