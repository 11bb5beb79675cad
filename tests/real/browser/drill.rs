//! A proof test with a telephone in one hand: from the tag on the machine to the dated sheet. The belt's own truth is
//! compared with what the pages tell.

use anyhow::{Context, ensure};
use domain::belt::{Contact, Direction};
use wire::api::v1::{CommissionedStop, RecordCommissioningRequest, Status};

use super::belt::{Act, Belt, Hand, starts};
use super::driver::Browser;
use super::floor::Floor;
use super::handling::{Tools, says, text};
use super::people::TECHNICIAN;
use crate::report;

const MACHINE: &str = "north-01";
const NOTE: &str = "Empty belt, 3 km/h. Mat dry.";
/// How far the told stop time may be from the belt's, in percent.
const OFF_MAX_PERCENT: u64 = 5;

pub(super) async fn run(browser: &Browser, tools: Tools<'_>) -> anyhow::Result<()> {
    let mut floor = Floor::start().await?;
    let outcome = Box::pin(test(browser, &mut floor, tools)).await;
    floor.stop().await?;
    outcome
}

async fn test(browser: &Browser, floor: &mut Floor, tools: Tools<'_>) -> anyhow::Result<()> {
    report(&format!("drill: seed {}", tools.seed));
    let mut random = fastrand::Rng::with_seed(tools.seed);
    let (speed, step_ms) = (10 * random.u32(80..150), 100 * random.u64(5..12));
    floor.add_site("north", "Northside Gym").await?;
    let credential = floor.add_machine("north", MACHINE, "Treadmill 1").await?;
    let hand = Hand::default();
    floor.play(credential, Belt::by_hand(MACHINE, &hand)).await?;
    commission(floor, f64::from(speed) / 1_000.0, 3 * step_ms).await?;
    floor
        .wait_for("the belt stands", |states| states.iter().all(|state| state.status() == Status::Free))
        .await?;
    TECHNICIAN.join(floor, "north").await?;
    TECHNICIAN.takes(browser, floor).await?;
    let page = scan(browser, floor, tools).await?;
    browser.open(&page).await?;
    tools.picture(browser, "drill-2-start").await?;
    browser.tap("form[action$='/drill'] button.main").await?;
    browser.wait_until(&says("#drill-step", "It takes effect in")).await?;
    tools.picture(browser, "drill-3-wait").await?;
    browser.wait_until(&says("#drill-step", "Bring the empty belt to")).await?;
    let mut start = starts(speed);
    start.push(Act::runs(Direction::Forward, speed, 1_000));
    hand.does(&start);
    browser.wait_until(&says("#drill-step", "Press the emergency stop now")).await?;
    browser.wait_until(&says("#drill-now .speed", &kmh(speed))).await?;
    tools.picture(browser, "drill-4-press").await?;
    hand.does(&pressed(speed, step_ms));
    browser.wait_until("document.querySelector('.result .took b')").await?;
    let told = text(browser, ".result .took b").await?;
    compare(&told, 3 * step_ms)?;
    ensure!(text(browser, "#drill-result").await?.contains("passed"), "the stop is within its limit");
    browser.wait_until(&says("#drill-step", "Release the emergency stop")).await?;
    tools.picture(browser, "drill-5-measured").await?;
    hand.does(&[Act::stands(1_000)]);
    browser.wait_until(&says("#drill-step", "Bring the empty belt to")).await?;
    browser.write("#note", NOTE).await?;
    browser.tap("form.note button.main").await?;
    sheet(browser, &told, tools).await?;
    nobody(browser, floor, tools).await
}

/// A speed as pages show it.
fn kmh(mm_s: u32) -> String {
    format!("{:.1}", f64::from(mm_s) * 3.6 / 1_000.0)
}

/// How long the belt takes was measured once, when it was set up.
async fn commission(floor: &Floor, speed_mps: f64, stop_ms: u64) -> anyhow::Result<()> {
    let stop = CommissionedStop {
        contact: "emergency_stop".to_owned(),
        speed_mps,
        time: std::time::Duration::from_millis(stop_ms).try_into().ok(),
    };
    let request = RecordCommissioningRequest {
        machine_id: MACHINE.to_owned(),
        direction_proven: true,
        stops: vec![stop],
        note: "Forward and reverse run seen".to_owned(),
        ..RecordCommissioningRequest::default()
    };
    floor.admin().await?.record_commissioning(request).await.context("commissioning")?;
    Ok(())
}

/// The button is pressed and stays so; the belt comes to rest in three steps.
fn pressed(speed: u32, step_ms: u64) -> [Act; 4] {
    let slower = |quarters: u32| {
        Act::runs(Direction::Forward, speed * quarters / 4, step_ms).with_open(Contact::EmergencyStop)
    };
    [slower(3), slower(2), slower(1), Act::stands(1_000).with_open(Contact::EmergencyStop)]
}

/// What the tag on the machine leads to. The code is compared, dot by dot, with the one of the address beside it.
async fn scan(browser: &Browser, floor: &Floor, tools: Tools<'_>) -> anyhow::Result<String> {
    browser.open(&floor.url(&format!("/machine/{MACHINE}/tag"))).await?;
    let address = text(browser, ".tag .address").await?.trim().to_owned();
    ensure!(address == floor.url(&format!("/machine/{MACHINE}/drill")), "the tag leads to {address}");
    let script = "const code = document.querySelector('.tag .qr'); \
                  return [code.viewBox.baseVal.width, code.querySelector('.dark').getAttribute('d')]";
    let drawn = browser.run(script, Vec::new()).await?;
    let code = qrcodegen::QrCode::encode_text(&address, qrcodegen::QrCodeEcc::Quartile)?;
    let side = drawn[0].as_i64().context("the code has a side")?;
    let quiet = (side - i64::from(code.size())) / 2;
    ensure!(quiet >= 4, "the code has {quiet} light modules around it");
    let dark = dots(drawn[1].as_str().context("the code is drawn")?, quiet)?;
    let wanted: Vec<(i32, i32)> = (0..code.size())
        .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
        .filter(|(x, y)| code.get_module(*x, *y))
        .collect();
    ensure!(dark == wanted, "the code does not say {address}");
    tools.picture(browser, "drill-1-tag").await?;
    Ok(address)
}

/// Dark modules of a path of strokes such as `M4 4h7v1h-7z`.
fn dots(path: &str, quiet: i64) -> anyhow::Result<Vec<(i32, i32)>> {
    let mut dots = Vec::new();
    for stroke in path.split('M').skip(1) {
        let (x, rest) = stroke.split_once(' ').context("a stroke begins somewhere")?;
        let (y, rest) = rest.split_once('h').context("a stroke goes to the right")?;
        let (length, _) = rest.split_once('v').context("a stroke has a height")?;
        let (x, y, length): (i64, i64, i64) = (x.parse()?, y.parse()?, length.parse()?);
        for x in x..x + length {
            dots.push((i32::try_from(x - quiet)?, i32::try_from(y - quiet)?));
        }
    }
    Ok(dots)
}

/// "2.4 s" against the belt's own time.
fn compare(told: &str, truth_ms: u64) -> anyhow::Result<()> {
    let seconds: f64 = told.split_whitespace().next().unwrap_or_default().parse().context("a stop time")?;
    let told_ms = std::time::Duration::from_secs_f64(seconds).as_millis();
    let off_ms = told_ms.abs_diff(u128::from(truth_ms));
    report(&format!("drill: the belt took {truth_ms} ms, the page says {told}"));
    ensure!(off_ms * 100 <= u128::from(truth_ms * OFF_MAX_PERCENT), "{told} is not {truth_ms} ms");
    Ok(())
}

async fn sheet(browser: &Browser, told: &str, tools: Tools<'_>) -> anyhow::Result<()> {
    browser.wait_until("document.querySelector('article.sheet')").await?;
    let sheet = text(browser, "article.sheet").await?;
    let today = browser
        .run(
            "return new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Vienna' }).format(new Date())",
            Vec::new(),
        )
        .await?;
    for wanted in [told, NOTE, TECHNICIAN.name, today.as_str().unwrap_or_default(), "Passed"] {
        ensure!(sheet.contains(wanted), "\"{wanted}\" is not on the sheet: {sheet}");
    }
    ensure!(!sheet.contains("still under way"), "the test goes on after it was ended: {sheet}");
    let pages = browser.paper().await?;
    let pages = String::from_utf8_lossy(&pages).into_owned();
    let count = pages.matches("/Type /Page").count() - pages.matches("/Type /Pages").count();
    ensure!(count == 1, "a sheet takes {count} pages");
    tools.picture(browser, "drill-6-sheet").await?;
    report("drill: from the tag to a dated sheet of one page, with a note");
    Ok(())
}

/// The test alarmed nobody.
async fn nobody(browser: &Browser, floor: &Floor, tools: Tools<'_>) -> anyhow::Result<()> {
    browser.open(&floor.url("/incidents?people=all")).await?;
    let rows =
        browser.run("return document.querySelectorAll('#incidents tbody tr').length", Vec::new()).await?;
    ensure!(rows == 0, "a proof test made {rows} incidents");
    browser.open(&floor.url("/floor/north")).await?;
    browser.wait_until("document.querySelector('#nobody:not([hidden])')").await?;
    let needs = text(browser, "#needs").await?;
    ensure!(needs.trim().is_empty(), "the floor asks for somebody: {needs}");
    tools.picture(browser, "drill-7-floor").await?;
    report("drill: no stop needs somebody, and no incident is listed");
    Ok(())
}
