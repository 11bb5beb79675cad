//! A tag to stick on a machine: its name, and the way to its proof test as a QR code, drawn by the server.

use std::fmt::Write as _;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use qrcodegen::{QrCode, QrCodeEcc};

use super::{find, path};
use crate::administration::Origin;
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Light modules around a code, as its standard asks.
const QUIET: i32 = 4;

/// A QR code as a drawing: its side in modules with the quiet zone, and the path of its dark modules.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) side: i32,
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Code {
    /// Of the page of a machine's proof tests. None: nobody knows by which address people reach the pages.
    pub(crate) fn of(dashboard: &Dashboard, origin: &Origin, machine: &str) -> Option<Code> {
        let base = if dashboard.url().is_empty() { origin.address() } else { dashboard.url() };
        if base.is_empty() {
            return None;
        }
        Code::new(format!("{base}{}", path(machine)))
    }

    /// None: the text is too long for a code.
    pub(crate) fn new(text: String) -> Option<Code> {
        // A quarter of it may be scratched off.
        let code = QrCode::encode_text(&text, QrCodeEcc::Quartile).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let dark = (x..code.size()).take_while(|at| code.get_module(*at, y)).count();
                let dark = i32::try_from(dark).unwrap_or(0);
                if dark > 0 {
                    let _ = write!(path, "M{} {}h{dark}v1h-{dark}z", x + QUIET, y + QUIET);
                }
                x += dark + 1;
            }
        }
        Some(Code { side: code.size() + 2 * QUIET, path, text })
    }
}

#[derive(Debug, Template)]
#[template(path = "drill_tag.html")]
struct TagPage {
    frame: Frame,
    t: Texts,
    id: String,
    machine: String,
    site: String,
    code: Option<Code>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    origin: Origin,
) -> Response {
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let t = visitor.t();
    let page = TagPage {
        frame: Frame::of(&visitor, Here::Machine, &t.tag_of(found.name())),
        t,
        id: found.machine.id.clone(),
        machine: found.name().to_owned(),
        site: found.site.clone(),
        code: Code::of(&dashboard, &origin, &found.machine.id),
    };
    frame::html(StatusCode::OK, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dark modules that a path draws.
    fn drawn(path: &str) -> Vec<(i32, i32)> {
        let mut modules = Vec::new();
        for run in path.split('z').filter(|run| !run.is_empty()) {
            let (at, rest) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (i32, i32) = (x.parse().unwrap(), y.parse().unwrap());
            let (length, back) = rest.split_once("v1h-").unwrap();
            assert_eq!(length, back);
            modules.extend((0..length.parse::<i32>().unwrap()).map(|step| (x + step, y)));
        }
        modules
    }

    #[test]
    fn the_drawing_has_each_dark_module_once() {
        let text = "https://gym.example/machine/n-1/drill";
        let code = Code::new(text.to_owned()).unwrap();
        let plain = QrCode::encode_text(text, QrCodeEcc::Quartile).unwrap();
        let mut expected = Vec::new();
        for y in 0..plain.size() {
            let dark = (0..plain.size()).filter(|x| plain.get_module(*x, y));
            expected.extend(dark.map(|x| (x + QUIET, y + QUIET)));
        }
        assert_eq!(drawn(&code.path), expected);
        assert_eq!(code.side, plain.size() + 8);
        assert!(Code::new("x".repeat(5_000)).is_none());
    }
}
