//! How sure the clocks of machines are, as the newest readings say.

use futures::StreamExt;
use jiff::SignedDuration;
use wire::api::v1;

use super::Ground;
use super::block::{Block, Line};
use crate::call::{Failure, answer};
use crate::outage::Missing;
use crate::router::Dashboard;
use crate::usage::figures::seconds;
use crate::visitor::Visitor;

/// Machines whose readings are asked for, each by itself. More: the page says so, and asks for a site.
const ASKED_MAX: usize = 60;
/// Of these, at once.
const AT_ONCE: usize = 8;
/// How far back readings are looked at.
const REACH: SignedDuration = SignedDuration::from_secs(120);
/// Seconds by which a clock may be off.
const UNSURE_S: f64 = 1.0;

/// What readings say of clocks.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// Half-widths in seconds, by machine.
    widths: Vec<(String, f64)>,
    is_cut: bool,
}

/// Asks the machines that are heard, one reading each.
pub(super) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    ground: &Ground,
) -> Result<Clocks, Failure> {
    let may_ask = |state: &&v1::MachineState| {
        let site = state.machine.as_ref().map_or("", |machine| &machine.site_id);
        state.presence() == v1::Presence::Online && visitor.may("history", site)
    };
    let heard = ground.machines.values().filter(may_ask);
    let ids: Vec<String> =
        heard.filter_map(|state| Some(state.machine.as_ref()?.id.clone())).take(ASKED_MAX + 1).collect();
    let is_cut = ids.len() > ASKED_MAX;
    let start = ground.now - REACH;
    let start = prost_types::Timestamp { seconds: start.as_second(), nanos: 0 };
    let ask = async |machine_id: String| {
        let range = v1::TimeRange { start_time: Some(start), end_time: None };
        let message = v1::ListReadingsRequest {
            machine_id: machine_id.clone(),
            range: Some(range),
            page_size: 1,
            page_token: String::new(),
        };
        let mut client = dashboard.clients().telemetry();
        let told = answer(client.list_readings(visitor.caller.request(message))).await?;
        let reading = told.readings.first();
        Ok::<_, Failure>(reading.map(|one| (machine_id, seconds(one.time_uncertainty.as_ref()))))
    };
    let asked: Vec<_> =
        futures::stream::iter(ids.into_iter().take(ASKED_MAX).map(ask)).buffered(AT_ONCE).collect().await;
    let told: Result<Vec<_>, Failure> = asked.into_iter().collect();
    Ok(Clocks { widths: told?.into_iter().flatten().collect(), is_cut })
}

/// Machines whose clocks are unsure, the worst first.
pub(super) fn block(told: &Result<Clocks, Missing>, ground: &Ground) -> Block {
    let t = ground.t();
    let (id, title) = ("clocks", t.today_clocks());
    let clocks = match told {
        Ok(clocks) => clocks,
        Err(missing) => return Block::missing(id, title, missing, ground),
    };
    let mut unsure: Vec<&(String, f64)> =
        clocks.widths.iter().filter(|(_, width)| *width > UNSURE_S).collect();
    unsure.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let line = |(machine, width): &(String, f64)| {
        let width = t.age_seconds(ground.reader.number(*width));
        Line::of(machine, t.today_clock_off(width), ground)
    };
    let lines = unsure.into_iter().map(line).collect();
    let mut block = Block::new(id, title, lines, ground).led(t.today_clocks_lead());
    block.notes.push(t.today_clocks_looked(clocks.widths.len()));
    if clocks.is_cut {
        block.notes.push(t.today_clocks_cut(ASKED_MAX));
    }
    block
}
