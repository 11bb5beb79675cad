//! Short numbers for machines and logs, so that rows stay small. They stand in the tables `machine` and `log`.

use std::collections::HashMap;

use domain::ids::{LogId, MachineId};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension};

use super::failure::Failure;

/// Names remembered. More: all are forgotten and looked up again.
const REMEMBERED_MAX: usize = 200_000;

/// Numbers that are known to be in the file.
#[derive(Debug, Default)]
pub(super) struct Names {
    machines: HashMap<MachineId, i64>,
    logs: HashMap<LogId, i64>,
}

impl Names {
    /// The machine's number; it gets one if it has none.
    pub(super) fn machine(&mut self, connection: &Connection, id: &MachineId) -> Result<i64, Failure> {
        if let Some(number) = self.machines.get(id) {
            return Ok(*number);
        }
        let number = intern(connection, "machine", id.as_str())?;
        if self.machines.len() >= REMEMBERED_MAX {
            self.machines.clear();
        }
        self.machines.insert(id.clone(), number);
        Ok(number)
    }

    /// The log's number; it gets one if it has none.
    pub(super) fn log(&mut self, connection: &Connection, id: LogId) -> Result<i64, Failure> {
        if let Some(number) = self.logs.get(&id) {
            return Ok(*number);
        }
        let number = intern(connection, "log", id.0)?;
        if self.logs.len() >= REMEMBERED_MAX {
            self.logs.clear();
        }
        self.logs.insert(id, number);
        Ok(number)
    }
}

fn intern(connection: &Connection, table: &str, id: impl ToSql) -> Result<i64, Failure> {
    let known = format!("SELECT {table}_no FROM {table} WHERE id = ?1");
    let known = connection.prepare_cached(&known)?.query_row([&id], |row| row.get(0)).optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    connection.prepare_cached(&format!("INSERT INTO {table} (id) VALUES (?1)"))?.execute([&id])?;
    Ok(connection.last_insert_rowid())
}

/// The number of a machine that may have none yet.
pub(super) fn machine_number(connection: &Connection, id: &MachineId) -> Result<Option<i64>, Failure> {
    let mut statement = connection.prepare_cached("SELECT machine_no FROM machine WHERE id = ?1")?;
    Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
}
