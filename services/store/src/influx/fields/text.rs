//! Texts that come back as they were. InfluxDB's answers are CSV with line ends of two characters, in which a line break
//! within a text does not come back as it was written.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with its control characters and backslashes spelled out, such as `\n` and `\u{1b}`.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c == '\\' || c.is_control()) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => plain.push_str("\\\\"),
            '\n' => plain.push_str("\\n"),
            c if c.is_control() => {
                write!(plain, "\\u{{{:x}}}", u32::from(c)).expect("a string takes everything");
            }
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// The text that was spelled out; `None`: it is none that [`plain`] makes.
pub(super) fn original(plain: &str) -> Option<String> {
    let mut original = String::with_capacity(plain.len());
    let mut rest = plain;
    while let Some((before, after)) = rest.split_once('\\') {
        original.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            original.push('\\');
            rest = after;
        } else if let Some(after) = after.strip_prefix('n') {
            original.push('\n');
            rest = after;
        } else {
            let (code, after) = after.strip_prefix("u{")?.split_once('}')?;
            original.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            rest = after;
        }
    }
    original.push_str(rest);
    Some(original)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_and_backslashes_are_spelled_out() {
        for (text, expected) in [
            ("drive: 3 \"E4\", äöü", "drive: 3 \"E4\", äöü"),
            ("a\\n", "a\\\\n"),
            ("a\nb\r", "a\\nb\\u{d}"),
            ("\0\u{1b}", "\\u{0}\\u{1b}"),
        ] {
            assert_eq!(plain(text), expected);
            assert_eq!(original(expected).as_deref(), Some(text));
        }
        for bad in ["\\", "\\x", "\\u{", "\\u{}", "\\u{110000}"] {
            assert_eq!(original(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text: String) {
            let plain = plain(&text);
            prop_assert!(!plain.contains(char::is_control));
            prop_assert_eq!(original(&plain), Some(text));
        }
    }
}
