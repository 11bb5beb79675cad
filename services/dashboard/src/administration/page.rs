//! The three shapes of the administration's pages: a list, a form, and a secret that is shown once.

use askama::Template;

use super::grants::Grants;
use super::{Area, words_of};
use crate::call::Failure;
use crate::form::Fields;
use crate::frame::{Frame, Here, MissingPart};
use crate::texts::Texts;
use crate::visitor::Visitor;

/// What a hidden field's name begins with that tells the value which a form was loaded with.
const WAS: &str = "was.";

/// A way to a part of the administration.
#[derive(Debug)]
pub(super) struct Tab {
    href: &'static str,
    name: &'static str,
    is_here: bool,
}

fn tabs(visitor: &Visitor, here: Area) -> Vec<Tab> {
    let shown = Area::ALL.into_iter().filter(|area| area.is_for(visitor));
    shown
        .map(|area| Tab { href: area.path(), name: area.name(visitor.t()), is_here: area == here })
        .collect()
}

/// A link, and of what it is for those who cannot see beside what it stands.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) of: String,
}

impl Link {
    pub(super) fn new(href: impl Into<String>, label: &'static str, of: &str) -> Link {
        Link { href: href.into(), label, of: of.to_owned() }
    }
}

/// A cell of a table.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) more: String,
    /// Whether it says that something is not as it should be.
    pub(super) alarm: bool,
    /// Whether it is in the API's own words, which are English.
    pub(super) english: bool,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    pub(super) fn and(self, more: impl Into<String>) -> Cell {
        Cell { more: more.into(), ..self }
    }
}

/// A row: what it is about first.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) actions: Vec<Link>,
}

/// A table with its caption.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    /// What is said if there is no row.
    pub(super) none: &'static str,
}

impl Table {
    fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| !row.actions.is_empty())
    }
}

/// A choice of what a list shows.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) label: &'static str,
    pub(super) choices: Vec<Choice>,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl Choice {
    pub(super) fn new(value: &str, label: impl Into<String>, chosen: &str) -> Choice {
        Choice { value: value.to_owned(), label: label.into(), chosen: value == chosen }
    }
}

/// A list.
#[derive(Debug, Template)]
#[template(path = "administration_list.html")]
pub(super) struct ListPage {
    frame: Frame,
    t: Texts,
    tabs: Vec<Tab>,
    area: &'static str,
    pub(super) done: String,
    /// Whether the page says that its times are UTC.
    pub(super) has_times: bool,
    pub(super) add: Option<Link>,
    pub(super) filter: Option<Filter>,
    pub(super) missing: Vec<MissingPart>,
    pub(super) cut: String,
    pub(super) tables: Vec<Table>,
    pub(super) pager: Vec<Link>,
}

impl ListPage {
    pub(super) fn new(visitor: &Visitor, area: Area) -> ListPage {
        ListPage {
            frame: area.frame(visitor, area.name(visitor.t())),
            t: visitor.t(),
            tabs: tabs(visitor, area),
            area: area.path(),
            done: String::new(),
            has_times: false,
            add: None,
            filter: None,
            missing: Vec::new(),
            cut: String::new(),
            tables: Vec::new(),
            pager: Vec::new(),
        }
    }
}

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

    /// Says that a field is not what it should be.
    pub(super) fn refuse(&mut self, name: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.wrong.clone_into(&mut field.error);
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
                (Some(grants), false) if name == "grants" => self.t.grants_wrong().clone_into(&mut grants.error),
                (Some(_) | None, false) => others = true,
            }
        }
        if failure.reason == "ID_TAKEN" {
            for field in self.fields.iter_mut().filter(|field| field.name == key) {
                self.t.id_taken().clone_into(&mut field.error);
                others = false;
            }
        }
        if let Some(grants) = self.grants.as_mut().filter(|_| failure.reason == "BEYOND_OWN") {
            self.t.grants_beyond().clone_into(&mut grants.error);
            others = false;
        }
        self.is_refused();
        if others {
            self.error = words_of(failure, self.t);
        }
    }
}

/// A secret that is shown once, as the answer to the form that made it. No log can show it.
#[derive(Template)]
#[template(path = "administration_secret.html")]
pub(super) struct SecretPage {
    frame: Frame,
    t: Texts,
    tabs: Vec<Tab>,
    back: &'static str,
    pub(super) lead: &'static str,
    /// What the secret is called.
    pub(super) label: &'static str,
    pub(super) secret: String,
    /// What to do with it, and a line that shows how.
    pub(super) then: &'static str,
    pub(super) example: String,
    /// Where a form sends it to come back as a file; empty: it is text to copy.
    pub(super) file: String,
}

impl SecretPage {
    pub(super) fn new(visitor: &Visitor, area: Area, title: &str, secret: String) -> SecretPage {
        SecretPage {
            frame: area.frame(visitor, title),
            t: visitor.t(),
            tabs: tabs(visitor, area),
            back: area.path(),
            lead: "",
            label: "",
            secret,
            then: "",
            example: String::new(),
            file: String::new(),
        }
    }
}
