//! What a label of a session needs: the same in every engine.

use domain::ids::MachineId;

use crate::StoreError;
use crate::bounds::invalid;
use crate::fact::SessionLabel;

/// Whether a label can be taken, if its session is of `machine`; `None`: there is no such session.
///
/// # Errors
/// `Invalid` if there is no such session of the machine that the label names.
pub(crate) fn check(label: &SessionLabel, machine: Option<&MachineId>) -> Result<(), StoreError> {
    if machine == Some(&label.machine) {
        return Ok(());
    }
    Err(invalid(format!("there is no session {} of machine \"{}\"", label.session, label.machine)))
}
