//! The load: a second process, whose clients each send one delivery after the other on a connection of their own.

use std::{
    fmt,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{median, service::SECRET};

/// How large a body is made: that of a push through a registry's proxy.
const BODY: usize = 2_048;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// It is of no interest and answered without a row.
    Counted,
    /// It is on disk when it is answered.
    Durable,
    /// It is on disk when it is answered, and an application is about it: there is work to be done.
    Wanted,
}

/// What a load found.
pub(super) struct Measured {
    /// Deliveries in a second.
    pub(super) rate: f64,
    /// How long half of them took at most.
    pub(super) p50_ms: f64,
    /// How long all but one in a hundred took at most.
    pub(super) p99_ms: f64,
}

/// Clients that do not get on with their request. Dropping it ends them.
pub(super) struct Slow(Child);

impl Kind {
    pub(super) fn parse(word: &str) -> Result<Self> {
        match word {
            "pull" => Ok(Self::Counted),
            "push" => Ok(Self::Durable),
            "wanted" => Ok(Self::Wanted),
            other => bail!("{other} is no kind of load"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Counted => "pull",
            Self::Durable => "push",
            Self::Wanted => "wanted",
        }
    }

    /// What the registry's event says: the action, the image repository, the tag.
    fn event(self) -> [&'static str; 3] {
        match self {
            Self::Counted => ["pull", "elsewhere", "latest"],
            Self::Durable => ["push", "elsewhere", "latest"],
            Self::Wanted => ["push", "wanted", "sha-0123456789abcdef0123456789abcdef01234567"],
        }
    }
}

impl Measured {
    /// The median of each figure.
    pub(super) fn median<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            rate: median(all.clone().map(|one| one.rate)),
            p50_ms: median(all.clone().map(|one| one.p50_ms)),
            p99_ms: median(all.map(|one| one.p99_ms)),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s p50 {:.1} p99 {:.1} ms", self.rate, self.p50_ms, self.p99_ms)
    }
}

impl Slow {
    /// Opens all of them before it returns.
    pub(super) fn start(address: &str) -> Result<Self> {
        let mut child = again(&["slow", address])?;
        let mut line = String::new();
        let out = child.stdout.as_mut().context("standard output is a pipe")?;
        BufReader::new(out).read_line(&mut line)?;
        let slow = Self(child);
        ensure!(line.trim() == "open", "the slow connections were not taken");
        Ok(slow)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        // It may have ended by itself; the connections are gone either way.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a load in a process of its own.
pub(super) fn start(address: &str, kind: Kind, time: Duration) -> Result<Measured> {
    let output = again(&["load", address, kind.word(), &time.as_secs().to_string()])?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [rate, p50_ms, p99_ms] = figures[..] else { bail!("the load failed: {text}") };
    Ok(Measured { rate, p50_ms, p99_ms })
}

fn again(arguments: &[&str]) -> Result<Child> {
    let program = std::env::current_exe().context("finding this program")?;
    Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().context("starting the load")
}

/// The second process: sends, and prints the rate and the two times.
pub(super) fn run(address: &str, kind: Kind, seconds: u64, connections: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut times, elapsed) = runtime.block_on(async {
        let (start, time) = (Instant::now(), Duration::from_secs(seconds));
        let mut clients = JoinSet::new();
        for number in 0..connections {
            let address = address.to_owned();
            clients.spawn(async move { send(&address, kind, number, start + time).await });
        }
        let mut times = Vec::new();
        while let Some(client) = clients.join_next().await {
            times.extend(client??);
        }
        anyhow::Ok((times, start.elapsed()))
    })?;
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default().as_secs_f64() * 1_000.0;
    let rate = f64::from(u32::try_from(times.len())?) / elapsed.as_secs_f64();
    Ok(writeln!(std::io::stdout(), "{rate} {} {}", at(50), at(99))?)
}

/// One client: how long each of its deliveries took.
async fn send(address: &str, kind: Kind, number: usize, end: Instant) -> Result<Vec<Duration>> {
    let mut connection = TcpStream::connect(address).await?;
    connection.set_nodelay(true)?;
    // The process is part of the id: none is ever repeated.
    let (process, mut times, mut answer) = (std::process::id(), Vec::new(), Vec::new());
    while Instant::now() < end {
        let request = request(address, kind, &format!("{process}-{number}-{}", times.len()));
        let start = Instant::now();
        connection.write_all(request.as_bytes()).await?;
        receive(&mut connection, &mut answer).await?;
        times.push(start.elapsed());
        ensure!(answer.starts_with(b"HTTP/1.1 202 "), "{}", String::from_utf8_lossy(&answer));
    }
    Ok(times)
}

fn request(address: &str, kind: Kind, id: &str) -> String {
    let ([action, repository, tag], padding) = (kind.event(), "x".repeat(BODY));
    let body = format!(
        r#"{{"events":[{{"id":"{id}","action":"{action}","target":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"{repository}","tag":"{tag}"}},"padding":"{padding}"}}]}}"#
    );
    let length = body.len();
    format!(
        "POST /v1/hooks/registry HTTP/1.1\r\nHost: {address}\r\nAuthorization: {SECRET}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Reads one answer with the body that its head announces.
async fn receive(connection: &mut TcpStream, answer: &mut Vec<u8>) -> Result<()> {
    answer.clear();
    loop {
        ensure!(connection.read_buf(answer).await? > 0, "the connection was closed");
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if answer.len() >= head + 4 + length.context("an answer has a length")? {
            return Ok(());
        }
    }
}

/// The third process: connections that send one byte of their head a second, and say when all are open.
pub(super) fn hold(address: &str, connections: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut open = Vec::new();
        for _ in 0..connections {
            let mut connection = TcpStream::connect(address).await?;
            connection.write_all(b"POST /v1/hooks/registry HTTP/1.1\r\nHost: slow\r\nX-Slow: ").await?;
            open.push(connection);
        }
        writeln!(std::io::stdout(), "open")?;
        let mut each_second = tokio::time::interval(Duration::from_secs(1));
        loop {
            each_second.tick().await;
            for connection in &mut open {
                connection.write_all(b"a").await?;
            }
        }
    })
}
