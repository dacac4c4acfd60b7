//! A SQLite file of a test's own.

use anyhow::Result;
use tempfile::TempDir;

/// Where a store is; gone when the test ends.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    /// The statement that lists the tables.
    pub(crate) const TABLES: &str = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'";

    /// The statement that drops a table which no row refers to.
    pub(crate) fn drop(table: &str) -> String {
        format!("drop table {table}")
    }

    pub(crate) async fn new() -> Result<Self> {
        Ok(Self { directory: tempfile::tempdir()? })
    }

    /// A statement of a test, which is written for SQLite.
    pub(crate) fn words(statement: &str) -> String {
        statement.to_owned()
    }

    /// The statement after which the next delivery's key is the one after this.
    pub(crate) fn last_delivery(key: u32) -> String {
        format!("update sqlite_sequence set seq = {key} where name = 'deliveries'")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.directory.path().join("t.db").display())
    }
}
