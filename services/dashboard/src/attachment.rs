//! Files that a browser saves.

use axum::http::HeaderValue;

/// The header that gives a file its name; a name that could lead elsewhere is replaced.
pub(crate) fn disposition(name: &str, instead: &'static str) -> HeaderValue {
    let text = format!("attachment; filename=\"{}\"", file_name(name, instead));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// A name that means the same to every browser.
fn file_name<'a>(name: &'a str, instead: &'static str) -> &'a str {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    let is_good = (1..=128).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed);
    if is_good { name } else { instead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_lead_elsewhere_is_not_used() {
        for good in ["dossier-0123abcd.json", "beltwatch_1.xlsx"] {
            assert_eq!(file_name(good, "file.json"), good);
        }
        for bad in ["", "../../x", ".profile", "a\"; x=\"b", "a\r\nb", "ä.json", &"a".repeat(129)] {
            assert_eq!(file_name(bad, "file.json"), "file.json", "{bad}");
        }
        assert_eq!(disposition("a\r\nb", "x.csv"), "attachment; filename=\"x.csv\"");
    }
}
