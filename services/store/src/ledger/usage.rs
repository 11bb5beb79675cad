//! Usage rows read, with errors that name the row.

use domain::ids::MachineId;
use domain::usage::code::{self, CodeError};
use domain::usage::{Usage, UsageRow};

use crate::bounds::invalid;
use crate::{StoreError, StoreErrorKind};

/// The quarters of a stored row: number within the day, and usage. A quarter may come more than once.
///
/// # Errors
/// `Corrupt` or `IncompatibleVersion`, naming machine and day; nothing follows an error.
pub fn quarters(row: &UsageRow) -> impl Iterator<Item = Result<(u8, Usage), StoreError>> + '_ {
    let quarters = code::quarters(&row.quarters);
    quarters.map(|quarter| quarter.map_err(|error| unread(&row.machine, row.day, &error)))
}

/// All quarters of a row that is to be put.
///
/// # Errors
/// `Invalid` if they cannot be read.
pub(crate) fn total(row: &UsageRow) -> Result<Usage, StoreError> {
    code::total(&row.quarters).map_err(|error| invalid(said(&row.machine, row.day, &error)))
}

/// Stored usage that cannot be read.
pub(crate) fn unread(machine: &MachineId, day: i32, error: &CodeError) -> StoreError {
    let kind = match error {
        CodeError::Damaged(_) => StoreErrorKind::Corrupt,
        CodeError::NewerVersion(_) => StoreErrorKind::IncompatibleVersion,
    };
    StoreError::new(kind, said(machine, day, error))
}

fn said(machine: &MachineId, day: i32, error: &CodeError) -> String {
    format!("usage of machine \"{machine}\" on day {day} (since 1970-01-01) cannot be read: {error}")
}
