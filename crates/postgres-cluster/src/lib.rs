//! A PostgreSQL server of a test's own: a private port, a data folder that is gone afterwards.
//!
//! A *cluster* is what PostgreSQL calls the databases of one server
//! (<https://www.postgresql.org/docs/15/creating-cluster.html>). The server never runs as root; where the test does, it
//! gets the user that Debian's package makes. It does not outlive the process that started it, whatever ends that.

mod guardian;
mod programs;

use std::{
    fs::{File, Permissions},
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt as _, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub use crate::programs::is_there;
use crate::{
    guardian::Guardian,
    programs::{Programs, User},
};

/// How long a server may take to start; a busy machine needs some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a starting server is asked.
const INTERVAL: Duration = Duration::from_millis(50);

/// Whether what was committed must survive the machine, or only the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production: a commit waits for the disk.
    Disk,
    /// A commit is safe from the end of the server, and not from that of the machine.
    Server,
}

/// A server that is stopped when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    directory: TempDir,
    programs: Programs,
    user: Option<User>,
    port: u16,
    durability: Durability,
    server: Option<Child>,
    _guardian: Guardian,
}

impl Cluster {
    /// Makes a cluster and starts its server on a port that nobody has now.
    ///
    /// # Errors
    ///
    /// As [`Cluster::start`].
    pub fn start_anywhere(durability: Durability) -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Self::start(port, durability)
    }

    /// Makes a cluster and starts its server on that port of loopback, which must be free.
    ///
    /// # Errors
    ///
    /// A program is missing or fails; what it printed is part of the error.
    pub fn start(port: u16, durability: Durability) -> io::Result<Self> {
        let programs = Programs::find()?;
        let user = User::other_than_root()?;
        let directory = tempfile::Builder::new().prefix("tagferry-postgres-").tempdir()?;
        if let Some(user) = user {
            std::fs::set_permissions(directory.path(), Permissions::from_mode(0o700))?;
            chown(directory.path(), Some(user.id), Some(user.group))
                .map_err(|error| failed("giving the folder to PostgreSQL's user", error))?;
        }
        let guardian = Guardian::of(directory.path())?;
        let mut cluster = Self { directory, programs, user, port, durability, server: None, _guardian: guardian };
        cluster.initialise()?;
        cluster.resume()?;
        Ok(cluster)
    }

    /// The address of a database; `postgres` is always there.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://tagferry@{}:{}/{database}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The port that it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Starts the server again after it was stopped.
    ///
    /// # Errors
    ///
    /// It does not start; what it logged is part of the error.
    pub fn resume(&mut self) -> io::Result<()> {
        if self.server.is_some() {
            return Err(io::Error::other("the server runs already"));
        }
        let log = File::options().create(true).append(true).open(self.log())?;
        let settings = [
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.directory.path().display()),
            format!("fsync={}", if self.durability == Durability::Disk { "on" } else { "off" }),
            "listen_addresses=127.0.0.1".to_owned(),
            "max_connections=300".to_owned(),
        ];
        let mut command = self.command("postgres")?;
        command.arg("-D").arg(self.data());
        for setting in settings {
            command.args(["-c", &setting]);
        }
        self.server = Some(
            command.stdout(log.try_clone()?).stderr(log).spawn().map_err(|error| failed("starting postgres", error))?,
        );
        self.wait_until_ready()
    }

    /// Stops the server as a crash would: connections break off, and the next start recovers from the log.
    ///
    /// # Errors
    ///
    /// It does not end.
    pub fn crash(&mut self) -> io::Result<()> {
        self.end("QUIT")
    }

    /// Runs a statement in a database as a superuser would, and gives what it prints.
    ///
    /// # Errors
    ///
    /// The statement fails; what was printed is part of the error.
    pub fn execute(&self, database: &str, statement: &str) -> io::Result<String> {
        let mut command = self.command("psql")?;
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        output(command.args(["--command", statement, &self.url(database)]))
    }

    /// Breaks off every connection but our own, as a failing network would.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub fn cut_connections(&self) -> io::Result<()> {
        let statement = "select pg_terminate_backend(pid) from pg_stat_activity \
             where backend_type = 'client backend' and pid <> pg_backend_pid()";
        self.execute("postgres", statement).map(drop)
    }

    /// Sends a signal to every process of the server, by its name: `STOP` lets it hang as on a disk that does not answer,
    /// and `CONT` lets it go on.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn signal_all(&self, name: &str) -> io::Result<()> {
        let Some(server) = &self.server else { return Err(io::Error::other("the server does not run")) };
        let id = server.id().to_string();
        // The others are its children (proc(5)); one that has ended meanwhile hears of nothing.
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let all = children.split_whitespace().chain([id.as_str()]);
        Command::new("kill").arg(format!("-{name}")).args(all).stderr(Stdio::null()).status().map(drop)
    }

    fn initialise(&self) -> io::Result<()> {
        let mut command = self.command("initdb")?;
        command.args(["--username=tagferry", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        output(command.arg("-D").arg(self.data())).map(drop)
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(server) = &mut self.server
                && let Some(status) = server.try_wait()?
            {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                return Err(io::Error::other(format!("postgres ended before it was ready: {status}\n{log}")));
            }
            let mut ask = self.command("pg_isready")?;
            ask.args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()]);
            if ask.status().map_err(|error| failed("starting pg_isready", error))?.success() {
                return Ok(());
            }
            thread::sleep(INTERVAL);
        }
        Err(io::Error::other(format!("postgres was not ready after {} s", PATIENCE.as_secs())))
    }

    /// Sends the server a signal (<https://www.postgresql.org/docs/15/server-shutdown.html>) and waits for its end.
    fn end(&mut self, signal: &str) -> io::Result<()> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        let told = Command::new("kill").args([&format!("-{signal}"), &server.id().to_string()]).status();
        if !told.is_ok_and(|status| status.success()) {
            server.kill().map_err(|error| failed("killing postgres", error))?;
        }
        server.wait().map(drop).map_err(|error| failed("waiting for the end of postgres", error))
    }

    /// A program of PostgreSQL, run by the user that may.
    fn command(&self, name: &str) -> io::Result<Command> {
        let program = self.programs.path(name)?;
        let mut command = match self.user {
            None => Command::new(program),
            Some(User { id, group }) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={id}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
                command.arg("--").arg(program);
                command
            }
        };
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        Ok(command)
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nobody can be told any more, and the folder goes in any case.
        drop(self.end("QUIT"));
    }
}

fn output(command: &mut Command) -> io::Result<String> {
    let done = command.output().map_err(|error| failed(&format!("starting {command:?}"), error))?;
    let printed = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    if done.status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!("{command:?} failed: {}\n{printed}\n{complaint}", done.status)))
}

/// An error with what was being done.
pub(crate) fn failed(what: &str, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{what}: {error}"))
}
