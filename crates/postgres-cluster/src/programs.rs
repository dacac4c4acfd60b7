//! Where the programs are, and who may run them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian's packages have each version's programs, outside of `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

use crate::failed;

/// The programs of one version of PostgreSQL.
#[derive(Debug)]
pub(crate) struct Programs {
    directory: PathBuf,
}

/// Whose processes the server's are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) id: u32,
    pub(crate) group: u32,
}

/// Whether a server can be started here.
#[must_use]
pub fn is_there() -> bool {
    Programs::find().is_ok()
}

impl Programs {
    /// The newest of Debian's, or those that `pg_config` knows of.
    pub(crate) fn find() -> io::Result<Self> {
        let mut all = newest(Path::new(DEBIAN)).into_iter().chain(configured());
        let directory =
            all.find(|directory| directory.join("initdb").is_file() && directory.join("postgres").is_file());
        let missing = || io::Error::other("no PostgreSQL server is installed (Debian: postgresql)");
        Ok(Self { directory: directory.ok_or_else(missing)? })
    }

    pub(crate) fn path(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.directory.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(io::Error::other(format!("PostgreSQL has no {}", path.display())))
    }
}

impl User {
    /// Nobody else when this process is not root's; else the user of Debian's package, for the server refuses to be
    /// root's.
    pub(crate) fn other_than_root() -> io::Result<Option<Self>> {
        if id(&["-u"])? != 0 {
            return Ok(None);
        }
        Ok(Some(Self { id: id(&["-u", "postgres"])?, group: id(&["-g", "postgres"])? }))
    }
}

fn newest(versions: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let all = fs::read_dir(versions).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    Some(all.max_by_key(version)?.join("bin"))
}

fn configured() -> Option<PathBuf> {
    let done = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(done.stdout).ok()?.trim()))
}

fn id(arguments: &[&str]) -> io::Result<u32> {
    let done = Command::new("id").args(arguments).output().map_err(|error| failed("starting id", error))?;
    let printed = String::from_utf8_lossy(&done.stdout);
    let unexpected = || format!("`id {}` printed {printed:?}", arguments.join(" "));
    printed.trim().parse().map_err(|error| failed(&unexpected(), error))
}
