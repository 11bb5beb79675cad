//! The third shape of the administration's pages: a form, or a question that is asked once more.

use askama::Template;

use super::grants::Grants;
use super::page::{Tab, tabs};
use super::{Area, words_of};
use crate::call::{Failure, Reason};
use crate::form::Fields;
use crate::frame::{Frame, Here};
use crate::texts::Texts;
use crate::visitor::Visitor;

/// What a hidden field's name begins with that tells the value which a form was loaded with.
const WAS: &str = "was.";

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Text,
    Date,
    Choices(Vec<(String, String)>),
}

/// A field of a form, named as in the API.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    label: &'static str,
    hint: &'static str,
    /// What is said if the API refuses it.
    wrong: &'static str,
    entry: Entry,
    pub(super) value: String,
    /// The value that the form was loaded with.
    was: String,
    pub(super) error: String,
}

impl Field {
    pub(super) fn new(
        name: &'static str,
        label: &'static str,
        hint: &'static str,
        wrong: &'static str,
    ) -> Field {
        let (value, was, error) = (String::new(), String::new(), String::new());
        Field { name, label, hint, wrong, entry: Entry::Text, value, was, error }
    }

    pub(super) fn entered(self, entry: Entry) -> Field {
        Field { entry, ..self }
    }

    /// With the value that there is now.
    pub(super) fn of(self, value: impl Into<String>) -> Field {
        let value: String = value.into();
        Field { was: value.clone(), value, ..self }
    }

    fn choices(&self) -> &[(String, String)] {
        match &self.entry {
            Entry::Choices(choices) => choices,
            Entry::Text | Entry::Date => &[],
        }
    }

    fn kind(&self) -> &'static str {
        match self.entry {
            Entry::Text | Entry::Choices(_) => "text",
            Entry::Date => "date",
        }
    }

    /// Ids of what describes it, for `aria-describedby`.
    fn described(&self) -> String {
        let error = (!self.error.is_empty()).then(|| format!("{}-error", self.name));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        [error, hint].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A form, or a question that is asked once more: then without fields.
#[derive(Debug, Template)]
#[template(path = "administration_form.html")]
pub(super) struct FormPage {
    frame: Frame,
    t: Texts,
    tabs: Vec<Tab>,
    action: String,
    back: &'static str,
    submit: &'static str,
    pub(super) lead: &'static str,
    pub(super) fields: Vec<Field>,
    pub(super) grants: Option<Grants>,
    pub(super) error: String,
}

impl FormPage {
    pub(super) fn new(visitor: &Visitor, area: Area, title: &str, action: String) -> FormPage {
        FormPage {
            frame: area.frame(visitor, title),
            t: visitor.t(),
            tabs: tabs(visitor, area),
            action,
            back: area.path(),
            submit: visitor.t().save(),
            lead: "",
            fields: Vec::new(),
            grants: None,
            error: String::new(),
        }
    }

    /// A question, and what the button that says yes is called.
    pub(super) fn question(self, lead: &'static str, submit: &'static str) -> FormPage {
        FormPage { lead, submit, ..self }
    }

    /// Takes what was typed.
    pub(super) fn read(&mut self, typed: &Fields) {
        for field in &mut self.fields {
            typed.trimmed(field.name).clone_into(&mut field.value);
            typed.get(&format!("{WAS}{}", field.name)).clone_into(&mut field.was);
        }
        if let Some(grants) = &mut self.grants {
            grants.read(typed, self.t);
        }
    }

    pub(super) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", |field| &field.value)
    }

    /// Names of the fields whose values are not those that the form was loaded with.
    pub(super) fn changed(&self) -> Vec<String> {
        let changed = self.fields.iter().filter(|field| field.value != field.was);
        let mut names: Vec<String> = changed.map(|field| field.name.to_owned()).collect();
        if self.grants.as_ref().is_some_and(Grants::is_changed) {
            names.push("grants".to_owned());
        }
        names
    }

    /// Whether what was chosen is among what the field offers.
    pub(super) fn offers(&self, name: &str) -> bool {
        let field = self.fields.iter().find(|field| field.name == name);
        field.is_some_and(|field| field.choices().iter().any(|(choice, _)| *choice == field.value))
    }

    /// Says that a field is not what it should be.
    pub(super) fn refuse(&mut self, name: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.wrong.clone_into(&mut field.error);
        }
    }

    /// Says what else is wrong with a field.
    pub(super) fn refuse_as(&mut self, name: &str, words: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            words.clone_into(&mut field.error);
        }
    }

    /// Whether something that was typed is refused; says so above the fields.
    pub(super) fn is_refused(&mut self) -> bool {
        let grants = self.grants.as_ref().is_some_and(Grants::is_refused);
        let refused = grants || self.fields.iter().any(|field| !field.error.is_empty());
        if refused {
            self.t.fields_wrong().clone_into(&mut self.error);
        }
        refused
    }

    /// Puts the API's reasons beside the fields that they are about; `key` is the field of the id.
    pub(super) fn take(&mut self, failure: &Failure, key: &str) {
        let mut others = failure.fields.is_empty();
        for (named, _) in &failure.fields {
            let name = named.rsplit_once('.').map_or(named.as_str(), |(_, last)| last);
            match (&mut self.grants, self.fields.iter().any(|field| field.name == name)) {
                (_, true) => self.refuse(name),
                (Some(grants), false) if name == "grants" => {
                    self.t.grants_wrong().clone_into(&mut grants.error)
                }
                (Some(_) | None, false) => others = true,
            }
        }
        if failure.reason == Some(Reason::IdTaken) {
            for field in self.fields.iter_mut().filter(|field| field.name == key) {
                self.t.id_taken().clone_into(&mut field.error);
                others = false;
            }
        }
        if let Some(grants) = self.grants.as_mut().filter(|_| failure.reason == Some(Reason::BeyondOwn)) {
            self.t.grants_beyond().clone_into(&mut grants.error);
            others = false;
        }
        self.is_refused();
        if others {
            self.error = words_of(failure, self.t);
        }
    }
}
