//! Every page as people see it: pictures for looking at, and what a program can tell of them.

mod scene;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::json;
use wire::api::v1::{CreateUserRequest, Grant, Role};

use self::scene::Scene;
use super::driver::{Browser, check_console};
use super::floor::Floor;
use super::{history, incidents};
use crate::report;

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
struct View {
    name: &'static str,
    size: (u64, u64),
    is_dark: bool,
    language: &'static str,
    rules: Rules,
}

/// Which rules of axe-core are asked. All of them take most of the time, and most see no difference between colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    All,
    /// Those on colours: the other views of the same width and of the same language ask the others.
    Colours,
    /// This width and these colours are asked in another language, this language at another width.
    None,
}

const VIEWS: [View; 5] = [
    View { name: "desk-light-en", size: DESK, is_dark: false, language: "en", rules: Rules::All },
    View { name: "desk-dark-en", size: DESK, is_dark: true, language: "en", rules: Rules::Colours },
    View { name: "desk-light-de", size: DESK, is_dark: false, language: "de", rules: Rules::None },
    View { name: "phone-light-en", size: PHONE, is_dark: false, language: "en", rules: Rules::Colours },
    View { name: "phone-dark-de", size: PHONE, is_dark: true, language: "de", rules: Rules::All },
];
const DESK: (u64, u64) = (1_280, 900);
const PHONE: (u64, u64) = (360, 780);
/// Pages that must be found by following links.
const REQUIRED: [&str; 24] = [
    "/",
    "/floor/*",
    "/machine/*",
    "/machine/*/drill",
    "/machine/*/service",
    "/machine/*/tag",
    "/account",
    "/incidents",
    "/incident/*",
    "/incident/*/print",
    "/proofs",
    "/usage",
    "/reverse",
    "/today",
    "/courses",
    "/courses/*",
    "/courses/*/print",
    "/courses/label",
    "/administration/contacts",
    "/administration/contacts/*/test",
    "/administration/add/contact",
    "/administration/policies",
    "/administration/policies/*",
    "/administration/notices",
];
/// Pages of which only those are looked at that show what there is to see.
const CHOSEN: [&str; 5] =
    ["/incident/*", "/incident/*/print", "/machine/*", "/machine/*/drill", "/machine/*/drill/*"];
/// Whether a form was answered with what is wrong in it.
const IS_REFUSED: &str = "document.querySelector('main .error')";
/// True once a page that has a chart has asked for what it draws.
const CHART_IS_ASKED: &str = include_str!("scripts/chart_is_asked.js");
/// More pages than this are a loop.
const PAGES_MAX: usize = 60;

pub(super) async fn run(browser: &Browser, shots: Option<&Path>, axe: Option<&str>) -> anyhow::Result<()> {
    let mut floor = Floor::start().await?;
    let outcome = Box::pin(look(browser, &mut floor, Watch { shots, axe })).await;
    floor.stop().await?;
    outcome
}

/// What is wanted of each page.
#[derive(Debug, Clone, Copy)]
struct Watch<'a> {
    shots: Option<&'a Path>,
    axe: Option<&'a str>,
}

async fn look(browser: &Browser, floor: &mut Floor, watch: Watch<'_>) -> anyhow::Result<()> {
    if let Some(folder) = watch.shots {
        std::fs::create_dir_all(folder).context("no folder for the pictures")?;
    }
    let mut scene = Scene::set(floor).await?;
    incidents::add_fast_machine(floor).await?;
    let floor = &*floor;
    history::put(floor).await?;
    let user = CreateUserRequest {
        name: "ben".to_owned(),
        display_name: "Ben Ash".to_owned(),
        grants: vec![Grant { role: Role::Staff.into(), site_ids: vec!["north".to_owned()] }],
        ..CreateUserRequest::default()
    };
    let link = floor.admin().await?.create_user(user).await?.into_inner().link_path;
    plant(browser, floor, watch).await?;
    let mut faults = Vec::new();
    for (name, path) in
        [("sign-in", "/sign-in"), ("link", link.as_str()), ("link-unknown", "/link/bwl1_unknown")]
    {
        visit(browser, floor, watch, &Page::new(name, path), &mut faults).await?;
    }
    floor.sign_in(browser).await?;
    let shown = incidents::wait_for_both(floor).await?;
    scene.play(floor, &shown).await?;
    let mut found = find_pages(browser, floor).await?;
    report(&format!("pages: {}", found.join(" ")));
    found.retain(|path| !CHOSEN.contains(&kind(path).as_str()));
    let mut pages: Vec<Page> = found.iter().map(|path| Page::new(&file_name(path), path)).collect();
    pages.extend(scene.pages(&shown));
    pages.push(Page::new("not-found", "/nothing-here"));
    for page in &pages {
        visit(browser, floor, watch, page, &mut faults).await?;
    }
    let asked = if watch.axe.is_some() { "axe-core asked" } else { "axe-core not asked" };
    report(&format!(
        "pages: {} pages in {} views, {asked}, {} faults",
        pages.len() + 3,
        VIEWS.len(),
        faults.len()
    ));
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// A page to look at.
#[derive(Debug)]
struct Page {
    name: String,
    path: String,
    /// What is done on it before it is looked at: something that is refused.
    press: Option<&'static str>,
}

impl Page {
    fn new(name: &str, path: &str) -> Page {
        Page { name: name.to_owned(), path: path.to_owned(), press: None }
    }

    fn refused(name: &str, path: &str, press: &'static str) -> Page {
        Page { press: Some(press), ..Page::new(name, path) }
    }
}

/// Spoils a page to see that what is wrong with it is found.
async fn plant(browser: &Browser, floor: &Floor, watch: Watch<'_>) -> anyhow::Result<()> {
    browser.open(&floor.url("/sign-in")).await?;
    browser.console().await?;
    browser.run(include_str!("scripts/spoil.js"), Vec::new()).await?;
    if let Some(axe) = watch.axe {
        let found = ask_axe(browser, Some(axe), Rules::All).await?.join("\n");
        ensure!(found.contains("image-alt"), "axe-core does not find a picture without words: {found}");
        let found = ask_axe(browser, Some(axe), Rules::Colours).await?.join("\n");
        ensure!(found.contains("color-contrast"), "axe-core does not find grey on grey: {found}");
    }
    let said = browser.console().await?;
    ensure!(check_console(&said, "spoilt").is_err(), "script within a page is not refused: {said:?}");
    let ran = browser.run("return window.beltwatchRan === true", Vec::new()).await?;
    ensure!(ran == false, "script within a page runs");
    Ok(())
}

/// One page in all views. What is wrong with it is added to `faults`.
async fn visit(
    browser: &Browser,
    floor: &Floor,
    watch: Watch<'_>,
    page: &Page,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    let Page { name, path, press } = page;
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for view in VIEWS {
        let mut note = |fault: String| found.entry(fault).or_default().push(view.name);
        browser.size(view.size.0, view.size.1).await?;
        browser.colours(view.is_dark).await?;
        browser.language(view.language).await?;
        browser.console().await?;
        browser.open(&floor.url(path)).await?;
        if let Some(press) = press {
            browser.run(press, Vec::new()).await?;
            if let Err(error) = browser.wait_until(IS_REFUSED).await {
                note(format!("it is not refused: {error:#}"));
            }
        }
        browser.wait_until(CHART_IS_ASKED).await?;
        let language = browser.run("return document.documentElement.lang", Vec::new()).await?;
        if language != json!(view.language) {
            note(format!("its language is {language}"));
        }
        let wide =
            browser.run("return document.documentElement.scrollWidth - innerWidth", Vec::new()).await?;
        if wide.as_i64().unwrap_or(0) > 0 {
            note(format!("it is {wide} pixels wider than the screen"));
        }
        if let Some(folder) = watch.shots {
            browser.picture(&folder.join(format!("{name}-{}.png", view.name))).await?;
        }
        let foreign = browser.run(include_str!("scripts/requests.js"), Vec::new()).await?;
        if foreign != json!([]) {
            note(format!("it asks other hosts: {foreign}"));
        }
        for violation in ask_axe(browser, watch.axe, view.rules).await? {
            note(violation);
        }
        let mut lines = browser.console().await?;
        // The browser itself reports a page that is answered with an error; these are.
        let is_refused = press.is_some() || ["not-found", "link-unknown"].contains(&name.as_str());
        lines.retain(|line| !(is_refused && line.text.contains("status of 4")));
        if let Err(error) = check_console(&lines, name) {
            note(format!("{error:#}"));
        }
    }
    faults.extend(found.iter().map(|(fault, views)| format!("{name}: {fault} [{}]", views.join(", "))));
    Ok(())
}

/// What axe-core finds wrong with the page that is shown.
async fn ask_axe(browser: &Browser, axe: Option<&str>, rules: Rules) -> anyhow::Result<Vec<String>> {
    let names = match rules {
        Rules::All => json!(null),
        Rules::Colours => json!(["color-contrast"]),
        Rules::None => return Ok(Vec::new()),
    };
    let Some(axe) = axe else { return Ok(Vec::new()) };
    browser.run(axe, Vec::new()).await?;
    let found = browser.run_async(include_str!("scripts/axe.js"), vec![names]).await?;
    let violations = found.as_array().into_iter().flatten();
    Ok(violations.map(|violation| violation.as_str().unwrap_or_default().to_owned()).collect())
}

/// How many machines' pages are looked at for links.
const MACHINES_LOOKED_AT: usize = 12;

/// One page of each kind that links lead to.
async fn find_pages(browser: &Browser, floor: &Floor) -> anyhow::Result<Vec<String>> {
    let mut waiting = VecDeque::from(["/".to_owned()]);
    let mut kinds = BTreeSet::new();
    let mut pages = Vec::new();
    let mut machines = 0;
    while let Some(path) = waiting.pop_front() {
        let is_new = kinds.insert(kind(&path));
        // A machine that is out of service, perhaps tagged so by a rule just now, has other links than one in service.
        machines += usize::from(kind(&path) == "/machine/*");
        if !is_new && (kind(&path) != "/machine/*" || machines > MACHINES_LOOKED_AT) {
            continue;
        }
        ensure!(pages.len() < PAGES_MAX, "links lead to more than {PAGES_MAX} kinds of pages: {pages:?}");
        browser.open(&floor.url(&path)).await?;
        let links = browser.run(include_str!("scripts/links.js"), Vec::new()).await?;
        waiting.extend(
            links.as_array().into_iter().flatten().filter_map(|link| link.as_str().map(str::to_owned)),
        );
        if is_new {
            pages.push(path);
        }
    }
    for required in REQUIRED {
        ensure!(kinds.contains(required), "no link leads to {required}: there are {kinds:?}");
    }
    Ok(pages)
}

/// The page without what it is about.
fn kind(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let is_about = |number: usize| match (number, parts[1]) {
        (2, "floor" | "machine" | "incident") => true,
        (2, "courses") => parts[2].parse::<u64>().is_ok(),
        (3, "administration") => parts[2] != "add",
        // Forms of the other areas are alike.
        (4.., "administration") => parts[2] != "contacts",
        (4.., _) => true,
        _ => false,
    };
    let parts = parts.iter().enumerate().map(|(number, part)| if is_about(number) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn file_name(path: &str) -> String {
    match path.trim_matches('/').replace('/', "-") {
        empty if empty.is_empty() => "chain".to_owned(),
        name => name,
    }
}
