//! The one shape of all forms about courses.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::call::{Failure, Reason};
use crate::form::Fields;
use crate::frame::{self, Frame, Here};
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Text,
    Whole,
    Decimal,
    Choices(Vec<(String, String)>),
}

/// A field of a form, named as in the API.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    label: String,
    hint: String,
    /// What is said if it is refused.
    wrong: String,
    entry: Entry,
    pub(super) value: String,
    error: String,
}

impl Field {
    pub(super) fn new(name: &'static str, entry: Entry, label: impl Into<String>) -> Field {
        let (hint, wrong, value, error) = Default::default();
        Field { name, label: label.into(), hint, wrong, entry, value, error }
    }

    /// What is allowed, before and after something else was typed.
    pub(super) fn told(self, hint: impl Into<String>, wrong: impl Into<String>) -> Field {
        Field { hint: hint.into(), wrong: wrong.into(), ..self }
    }

    pub(super) fn of(self, value: impl Into<String>) -> Field {
        Field { value: value.into(), ..self }
    }

    fn choices(&self) -> &[(String, String)] {
        match &self.entry {
            Entry::Choices(choices) => choices,
            Entry::Text | Entry::Whole | Entry::Decimal => &[],
        }
    }

    /// The keys that a phone shows.
    fn keys(&self) -> &'static str {
        match self.entry {
            Entry::Text | Entry::Choices(_) => "text",
            Entry::Whole => "numeric",
            Entry::Decimal => "decimal",
        }
    }

    /// Ids of what describes it.
    fn described(&self) -> String {
        let error = (!self.error.is_empty()).then(|| format!("{}-error", self.name));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        [error, hint].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A form, or a question that is asked once more: then without fields.
#[derive(Debug, Template)]
#[template(path = "course_form.html")]
pub(super) struct FormPage {
    frame: Frame,
    t: Texts,
    action: String,
    back: String,
    pub(super) submit: &'static str,
    pub(super) lead: &'static str,
    pub(super) fields: Vec<Field>,
    /// Identity of the request, so that a double click is one. Empty: repeating it changes nothing.
    pub(super) request: String,
    error: String,
}

impl FormPage {
    pub(super) fn new(visitor: &Visitor, title: &str, action: String, back: String) -> FormPage {
        FormPage {
            frame: Frame::of(visitor, Here::Courses, title),
            t: visitor.t(),
            action,
            back,
            submit: visitor.t().save(),
            lead: "",
            fields: Vec::new(),
            request: String::new(),
            error: String::new(),
        }
    }

    /// Takes what was typed.
    pub(super) fn read(&mut self, typed: &Fields) {
        for field in &mut self.fields {
            typed.trimmed(field.name).clone_into(&mut field.value);
        }
    }

    pub(super) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", |field| &field.value)
    }

    /// Whether what was chosen is among what the field offers.
    pub(super) fn offers(&self, name: &str) -> bool {
        let field = self.fields.iter().find(|field| field.name == name);
        field.is_some_and(|field| field.choices().iter().any(|(choice, _)| *choice == field.value))
    }

    /// Says that a field is not what it should be. Gives whether there is such a field.
    pub(super) fn refuse(&mut self, name: &str) -> bool {
        let Some(field) = self.fields.iter_mut().find(|field| field.name == name) else { return false };
        field.error = field.wrong.clone();
        self.t.fields_wrong().clone_into(&mut self.error);
        true
    }

    pub(super) fn is_refused(&self) -> bool {
        !self.error.is_empty()
    }

    /// The page as it is first shown.
    pub(super) fn show(&self) -> Response {
        let code = if self.is_refused() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        frame::html(code, self)
    }

    /// The page with the API's reasons beside the fields that they are about.
    pub(super) fn refused(mut self, failure: &Failure) -> Response {
        let mut others = failure.fields.is_empty();
        for (named, _) in &failure.fields {
            let name = named.rsplit_once('.').map_or(named.as_str(), |(_, last)| last);
            others |= !self.refuse(name);
        }
        if failure.reason == Some(Reason::IdTaken)
            && let Some(code) = self.fields.iter_mut().find(|field| field.name == "code")
        {
            self.t.course_code_taken().clone_into(&mut code.error);
            self.t.fields_wrong().clone_into(&mut self.error);
            others = false;
        }
        if others {
            self.error = failure.words(self.t);
        }
        frame::html(status(failure), &self)
    }
}
