//! A PostgreSQL database of a test's own, on a server that all tests of this process share.

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Result, anyhow};
use postgres_cluster::{Cluster, Durability};

static SERVER: OnceLock<io::Result<Cluster>> = OnceLock::new();

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Where a store is; gone with the server, when the process ends.
pub(crate) struct Place {
    url: String,
}

impl Place {
    pub(crate) async fn new() -> Result<Self> {
        let server = server()?;
        let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        server.execute("postgres", &format!("create database {name}"))?;
        Ok(Self { url: server.url(&name) })
    }

    /// A statement of a test, which is written for SQLite.
    pub(crate) fn words(statement: &str) -> String {
        statement.replace(" x'", " '\\x").replace("'later', 1,", "'later', true,")
    }

    /// The statement after which the next delivery's key is the one after this.
    pub(crate) fn last_delivery(key: u32) -> String {
        format!("select setval(pg_get_serial_sequence('deliveries', 'id'), {key})")
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }
}

fn server() -> Result<&'static Cluster> {
    let server = SERVER.get_or_init(|| Cluster::start_anywhere(Durability::Server));
    server.as_ref().map_err(|error| anyhow!("no PostgreSQL server (`cargo xtask setup` installs it): {error}"))
}
