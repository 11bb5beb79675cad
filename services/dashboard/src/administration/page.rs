//! Two of the three shapes of the administration's pages: a list, and a secret that is shown once.

use askama::Template;

use super::Area;
use crate::frame::{Frame, Here, MissingPart};
use crate::texts::Texts;
use crate::visitor::Visitor;

/// A way to a part of the administration.
#[derive(Debug)]
pub(super) struct Tab {
    pub(super) href: &'static str,
    pub(super) name: &'static str,
    pub(super) is_here: bool,
}

/// The ways to all parts that the visitor may see.
pub(super) fn tabs(visitor: &Visitor, here: Area) -> Vec<Tab> {
    let shown = Area::ALL.into_iter().filter(|area| area.is_for(visitor));
    shown.map(|area| Tab { href: area.path(), name: area.name(visitor.t()), is_here: area == here }).collect()
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
    /// Name of its field in the address.
    pub(super) name: &'static str,
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
    pub(super) filters: Vec<Filter>,
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
            filters: Vec::new(),
            missing: Vec::new(),
            cut: String::new(),
            tables: Vec::new(),
            pager: Vec::new(),
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
