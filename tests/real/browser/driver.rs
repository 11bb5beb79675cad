//! A headless Chromium, driven through chromedriver. Both are started here and ended by their own ids.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use url::Url;

use crate::processes::PATIENCE;

/// How often a page is asked whether something has come to pass.
const POLL: Duration = Duration::from_millis(50);
/// What makes Chromium run without a screen, and speak to nobody but the server under test.
const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--metrics-recording-only",
    "--hide-scrollbars",
];

/// A chromedriver.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    /// Starts one on a port of its own choice.
    pub(super) async fn start() -> anyhow::Result<Driver> {
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--log-level=WARNING"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start chromedriver (Debian: chromium-driver)")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let told = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    return port.trim_end_matches('.').parse::<u16>().context("chromedriver's port");
                }
            }
            bail!("chromedriver ended before it listened")
        };
        let port = tokio::time::timeout(PATIENCE, told).await.context("chromedriver does not listen")??;
        // What it says later is read, so that it never waits for us.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Driver { child, url: format!("http://127.0.0.1:{port}") })
    }

    /// A new browser with nothing in it.
    pub(super) async fn browser(&self) -> anyhow::Result<Browser> {
        let profile = tempfile::Builder::new().prefix("beltwatch-chromium-").tempdir()?;
        let mut arguments: Vec<String> = FLAGS.into_iter().map(str::to_owned).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            // A dialog stays until a step has looked for it.
            "unhandledPromptBehavior": "ignore",
            "timeouts": { "script": 120_000, "pageLoad": 60_000 },
        });
        let Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&self.url);
        let client = tokio::time::timeout(PATIENCE, client).await.context("Chromium does not start")?;
        Ok(Browser { client: client.context("Chromium does not start")?, _profile: profile })
    }

    /// Ends it. Browsers that are still open end with it.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("chromedriver does not end")
    }
}

/// A browser with one window.
#[derive(Debug)]
pub(super) struct Browser {
    client: Client,
    _profile: TempDir,
}

/// A line of the browser's console.
#[derive(Debug, Clone)]
pub(super) struct ConsoleLine {
    pub(super) level: String,
    pub(super) text: String,
}

impl Browser {
    /// Opens a page and waits until it is loaded.
    pub(super) async fn open(&self, url: &str) -> anyhow::Result<()> {
        self.client.goto(url).await.with_context(|| format!("opening {url}"))
    }

    /// The address that is shown.
    pub(super) async fn address(&self) -> anyhow::Result<Url> {
        Ok(self.client.current_url().await?)
    }

    /// Runs the body of a function in the page and gives what it returns.
    pub(super) async fn run(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// The same, for a script that calls its last argument when it is done.
    pub(super) async fn run_async(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    /// Waits until an expression is true in the page.
    pub(super) async fn wait_until(&self, expression: &str) -> anyhow::Result<()> {
        let script = format!("return Boolean({expression})");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            // A page that is just being replaced has no answer.
            if self.client.execute(&script, Vec::new()).await.is_ok_and(|value| value == json!(true)) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("not so after {PATIENCE:?} at {}: {expression}", self.address().await?)
    }

    /// Taps what this selector finds, as soon as a finger could.
    pub(super) async fn tap(&self, css: &str) -> anyhow::Result<()> {
        self.on_element(css, None).await.with_context(|| format!("tapping {css}"))
    }

    /// Types into the field that this selector finds.
    pub(super) async fn write(&self, css: &str, text: &str) -> anyhow::Result<()> {
        self.on_element(css, Some(text)).await.with_context(|| format!("writing into {css}"))
    }

    /// A page that asks again by itself may replace what was found: then it is found anew.
    async fn on_element(&self, css: &str, text: Option<&str>) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let done = async {
                let element = self.client.find(Locator::Css(css)).await?;
                match text {
                    Some(text) => element.send_keys(text).await,
                    None => element.click().await,
                }
            };
            match done.await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() >= deadline => {
                    bail!("not after {PATIENCE:?} at {}: {error}", self.address().await?)
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// The page on A4 paper, as PDF.
    pub(super) async fn paper(&self) -> anyhow::Result<Vec<u8>> {
        let page = json!({ "page": { "width": 21.0, "height": 29.7 }, "shrinkToFit": false });
        let printed = self.client.issue_cmd(Post { path: "print", body: page }).await.context("printing")?;
        base64(printed.as_str().context("what is printed is text")?)
    }

    /// Where files that are downloaded go.
    pub(super) async fn downloads(&self, folder: &Path) -> anyhow::Result<()> {
        let allow = json!({ "behavior": "allow", "downloadPath": folder });
        self.command("Browser.setDownloadBehavior", allow).await?;
        Ok(())
    }

    /// A command of the browser's own protocol.
    pub(super) async fn command(&self, name: &str, parameters: Value) -> anyhow::Result<Value> {
        let body = json!({ "cmd": name, "params": parameters });
        let answer = self.client.issue_cmd(Post { path: "goog/cdp/execute", body }).await;
        answer.with_context(|| format!("the browser's command {name}"))
    }

    /// What came on the console since this was last asked.
    pub(super) async fn console(&self) -> anyhow::Result<Vec<ConsoleLine>> {
        let post = Post { path: "se/log", body: json!({ "type": "browser" }) };
        let lines = self.client.issue_cmd(post).await.context("the browser's console")?;
        let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let lines = lines.as_array().context("the console is a list")?;
        Ok(lines
            .iter()
            .map(|line| ConsoleLine { level: text(line, "level"), text: text(line, "message") })
            .collect())
    }

    /// Whether a dialog is open.
    pub(super) async fn has_dialog(&self) -> bool {
        self.client.get_alert_text().await.is_ok()
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(super) async fn press(&self, keys: &[Key]) -> anyhow::Result<()> {
        for key in keys {
            let (name, code, text) = key.names();
            for kind in ["keyDown", "keyUp"] {
                let mut event = json!({
                    "type": kind, "key": name, "code": name.replace(' ', "Space"), "windowsVirtualKeyCode": code,
                });
                if kind == "keyDown" && !text.is_empty() {
                    event["text"] = json!(text);
                }
                self.command("Input.dispatchKeyEvent", event).await?;
            }
        }
        Ok(())
    }

    /// Writes a picture of the whole page.
    pub(super) async fn picture(&self, file: &Path) -> anyhow::Result<()> {
        // The screen is made as high as the page: what is fixed to its edges is then where it belongs.
        let height = self.run("return document.documentElement.scrollHeight", Vec::new()).await?;
        let height = height.as_u64().unwrap_or(900).clamp(400, 6_000);
        let size = self.run("return [innerWidth, innerHeight]", Vec::new()).await?;
        let (width, shown) = (size[0].as_u64().unwrap_or(1280), size[1].as_u64().unwrap_or(900));
        if height > shown {
            self.size(width, height).await?;
        }
        let picture = self.client.screenshot().await.context("a picture of the page")?;
        if height > shown {
            self.size(width, shown).await?;
        }
        std::fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Sets the size of the page's room, in CSS pixels.
    pub(super) async fn size(&self, width: u64, height: u64) -> anyhow::Result<()> {
        let is_phone = width < 600;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.command("Emulation.setDeviceMetricsOverride", size).await?;
        Ok(())
    }

    /// Which colours the person likes.
    pub(super) async fn colours(&self, is_dark: bool) -> anyhow::Result<()> {
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.command("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// Which language the person reads, such as "de".
    pub(super) async fn language(&self, language: &str) -> anyhow::Result<()> {
        let agent = self.run("return navigator.userAgent", Vec::new()).await?;
        let values = json!({ "userAgent": agent, "acceptLanguage": language });
        self.command("Emulation.setUserAgentOverride", values).await?;
        Ok(())
    }

    /// Ends the browser.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, self.client.close()).await.context("Chromium does not end")??;
        Ok(())
    }
}

/// A key that the steps press.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Tab,
    Enter,
    Space,
    Down,
    Up,
    J,
    K,
}

impl Key {
    /// Name, number and text.
    fn names(self) -> (&'static str, u32, &'static str) {
        match self {
            Key::Tab => ("Tab", 9, ""),
            Key::Enter => ("Enter", 13, "\r"),
            Key::Space => (" ", 32, " "),
            Key::Down => ("ArrowDown", 40, ""),
            Key::Up => ("ArrowUp", 38, ""),
            Key::J => ("j", 74, "j"),
            Key::K => ("k", 75, "k"),
        }
    }
}

/// A command of chromedriver that the protocol's standard does not have.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// Octets of a text in base64, as its RFC 4648 says.
fn base64(text: &str) -> anyhow::Result<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|one| *one == digit).context("no base64")?;
        (bits, count) = (bits << 6 | u32::try_from(value)?, count + 6);
        if count >= 8 {
            count -= 8;
            octets.push(u8::try_from(bits >> count & 0xff)?);
        }
    }
    Ok(octets)
}

/// Checks that the console shows no error and no warning of a policy.
pub(super) fn check_console(lines: &[ConsoleLine], place: &str) -> anyhow::Result<()> {
    let is_bad =
        |line: &&ConsoleLine| line.level == "SEVERE" || line.text.contains("Content Security Policy");
    let bad: Vec<String> = lines.iter().filter(is_bad).map(|line| line.text.clone()).collect();
    ensure!(bad.is_empty(), "{place}: the browser's console says:\n  {}", bad.join("\n  "));
    Ok(())
}
