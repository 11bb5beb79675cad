//! What was just done, told by the address that the answer to a form leads to. Only known words and ids are shown.

use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Area;
use crate::texts::Texts;

/// Something that was done. Its word stands in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    SiteAdded,
    SiteChanged,
    MachineChanged,
    CredentialRevoked,
    UserChanged,
    UserDisabled,
    UserEnabled,
    TokenRevoked,
    ContactSaved,
    ContactDeleted,
    EnrolmentApproved,
    EnrolmentRefused,
    EnrolmentCodeEnded,
    NothingChanged,
}

const ALL: [(&str, Notice); 14] = [
    ("site-added", Notice::SiteAdded),
    ("site-changed", Notice::SiteChanged),
    ("machine-changed", Notice::MachineChanged),
    ("credential-revoked", Notice::CredentialRevoked),
    ("user-changed", Notice::UserChanged),
    ("user-disabled", Notice::UserDisabled),
    ("user-enabled", Notice::UserEnabled),
    ("token-revoked", Notice::TokenRevoked),
    ("contact-saved", Notice::ContactSaved),
    ("contact-deleted", Notice::ContactDeleted),
    ("enrolment-approved", Notice::EnrolmentApproved),
    ("enrolment-refused", Notice::EnrolmentRefused),
    ("code-ended", Notice::EnrolmentCodeEnded),
    ("nothing-changed", Notice::NothingChanged),
];

/// What an address says was done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
    #[serde(default)]
    id: String,
}

impl Done {
    /// In a sentence; empty if nothing known was done to something that can be an id.
    pub(super) fn words(&self, t: Texts) -> String {
        let Some((_, notice)) = ALL.iter().find(|(word, _)| *word == self.done) else { return String::new() };
        if !is_id(&self.id) {
            return String::new();
        }
        let id = &self.id;
        match notice {
            Notice::SiteAdded => t.site_added(id),
            Notice::SiteChanged => t.site_changed(id),
            Notice::MachineChanged => t.machine_changed(id),
            Notice::CredentialRevoked => t.credential_revoked(id),
            Notice::UserChanged => t.user_changed(id),
            Notice::UserDisabled => t.user_disabled(id),
            Notice::UserEnabled => t.user_enabled(id),
            Notice::TokenRevoked => t.token_revoked(id),
            Notice::ContactSaved => t.contact_saved(id),
            Notice::ContactDeleted => t.contact_deleted(id),
            Notice::EnrolmentApproved => t.enrolment_approved(id),
            Notice::EnrolmentRefused => t.enrolment_refused(id),
            Notice::EnrolmentCodeEnded => t.enrolment_code_ended(id),
            Notice::NothingChanged => t.nothing_changed().to_owned(),
        }
    }
}

/// Whether a text can be the id of a site, machine or token, or the name of a user.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"._-".contains(&octet);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// Goes back to the list of a part and says what was done.
pub(super) fn go(area: Area, notice: Notice, id: &str) -> Response {
    let word = ALL.iter().find(|(_, one)| *one == notice).map_or("", |(word, _)| word);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("done", word).append_pair("id", id);
    Redirect::to(&format!("{}?{}", area.path(), query.finish())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn only_known_words_and_ids_are_shown() {
        let t = Texts { language: Language::English };
        let check = |done: &str, id: &str, expected: &str| {
            let done = Done { done: done.to_owned(), id: id.to_owned() };
            assert_eq!(done.words(t), expected);
        };
        check("site-added", "north", "The site north is added.");
        check("user-disabled", "anna.m-1_x", "The user anna.m-1_x is disabled.");
        check("site-added", "", "");
        check("site-added", "call 0900 123 now", "");
        check("site-added", "<b>", "");
        check("site-added", &"a".repeat(65), "");
        check("all-deleted", "north", "");
        check("", "north", "");
    }

    #[test]
    fn every_notice_has_one_word() {
        for (word, notice) in ALL {
            assert_eq!(
                ALL.iter().filter(|(one, other)| *one == word || *other == notice).count(),
                1,
                "{word}"
            );
        }
    }
}
