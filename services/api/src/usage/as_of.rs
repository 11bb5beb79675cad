//! Up to when figures are complete.

use std::collections::HashMap;

use domain::ids::MachineId;
use domain::limits::MACHINES_NAMED_MAX;
use domain::units::UnixMicros;
use store::ledger::Ledger;
use wire::api::v1;

use crate::convert::timestamp;
use crate::status::ApiError;

/// A machine that was heard this long ago or longer is silent, in microseconds.
const SILENT_AFTER_US: i64 = 24 * 3_600 * 1_000_000;
/// How far ahead of the server's clock a machine's newest time may lie, in microseconds. Beyond, a clock was wrong, and how
/// far its usage is complete cannot be told: it counts as silent.
const AHEAD_US: i64 = 5 * 60 * 1_000_000;
/// Silent machines that are named.
const SILENT_NAMED: usize = 20;

/// Up to when usage of these machines is complete.
pub(crate) async fn as_of(
    ledger: &dyn Ledger,
    machines: &[MachineId],
    now: UnixMicros,
) -> Result<v1::AsOf, ApiError> {
    let mut heard: HashMap<MachineId, UnixMicros> = HashMap::new();
    for machines in machines.chunks(MACHINES_NAMED_MAX) {
        heard.extend(ledger.usage_through(machines).await?);
    }
    let of = |machine: &MachineId| heard.get(machine).copied();
    let is_silent = |through: Option<UnixMicros>| {
        through.is_none_or(|through| !(-AHEAD_US..SILENT_AFTER_US).contains(&now.since(through)))
    };
    let oldest = machines.iter().filter_map(of).filter(|through| !is_silent(Some(*through))).min();
    let silent: Vec<&MachineId> = machines.iter().filter(|machine| is_silent(of(machine))).collect();
    Ok(v1::AsOf {
        time: oldest.map(timestamp),
        machines_silent: u32::try_from(silent.len()).unwrap_or(u32::MAX),
        silent_machine_ids: silent.iter().take(SILENT_NAMED).map(ToString::to_string).collect(),
    })
}
