//! The catalogue of all texts that pages show. Each stands here once, in English and German side by side, so that a
//! missing translation does not compile.

mod access;
mod administration;
mod course;
mod drill;
mod enrolment;
mod floor;
mod general;
mod handling;
mod incidents;
mod machine;
mod notification;
mod reverse;
mod rules;
mod settings;
mod today;
mod usage;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use wire::api::v1;

/// Declares texts: `name: "English", "Deutsch";`. Each becomes a method of [`Texts`].
macro_rules! texts {
    ($($name:ident: $english:literal, $german:literal;)*) => {
        impl crate::texts::Texts {
            $(pub(crate) fn $name(self) -> &'static str {
                match self.language {
                    crate::texts::Language::English => $english,
                    crate::texts::Language::German => $german,
                }
            })*
        }
    };
}

/// Declares sentences: `name(part, …): "English {part}", "Deutsch {part}";`. Each language must use every part.
macro_rules! sentences {
    ($($name:ident($($part:ident),+): $english:literal, $german:literal;)*) => {
        impl crate::texts::Texts {
            $(pub(crate) fn $name(self $(, $part: impl std::fmt::Display)+) -> String {
                match self.language {
                    crate::texts::Language::English => format!($english),
                    crate::texts::Language::German => format!($german),
                }
            })*
        }
    };
}

use {sentences, texts};

/// A language that pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// What the user prefers; else what the browser accepts first of what there is; else English.
    pub(crate) fn choose(preferred: v1::Language, headers: &HeaderMap) -> Language {
        match preferred {
            v1::Language::English => Language::English,
            v1::Language::German => Language::German,
            v1::Language::Unspecified => accepted(headers),
        }
    }
}

fn accepted(headers: &HeaderMap) -> Language {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut best = (0.0, Language::English);
    for part in accepted.split(',').take(20) {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        let weight: f32 = weight.trim().parse().unwrap_or(0.0);
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let language = match primary {
            "de" => Language::German,
            "en" => Language::English,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// The texts in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) language: Language,
}

impl Texts {
    /// The language's code, for `lang`.
    pub(crate) fn code(self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::German => "de",
        }
    }
}

#[cfg(test)]
mod tests;
