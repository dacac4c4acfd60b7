//! How many deliveries the service records in a second, and how long the slowest wait: `cargo bench -p testkit --bench
//! intake`, which `cargo xtask bench intake` runs.
//!
//! The service is the release build on loopback with its database on the disk of the temporary directory. The load
//! comes from a second process on the same machine. Beside the figure stand what it is to be judged by, from the same
//! run: the same service where a delivery is only counted, where each delivery leaves work that fails and is put off, and
//! how often the disk alone can make a write durable.

#[path = "intake/disk.rs"]
mod disk;
#[path = "intake/load.rs"]
mod load;
#[path = "intake/service.rs"]
mod service;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::{
    load::{Kind, Measured},
    service::Service,
};

/// How many clients send at once.
const CONNECTIONS: usize = 64;

/// How many others hold a connection and do not get on with their request.
const SLOW: usize = 1_000;

/// How often everything is measured; the figure is the median.
const ROUNDS: usize = 5;

/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(4);

/// How many deliveries come before anything is measured.
const WARM_UP: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => measure(),
        ["load", address, kind, seconds] => load::run(address, Kind::parse(kind)?, seconds.parse()?, CONNECTIONS),
        ["slow", address] => load::hold(address, SLOW),
        other => bail!("{other:?}: this takes no arguments"),
    }
}

/// The figures of one round.
struct Round {
    syncs: f64,
    counted: Measured,
    durable: Measured,
    wanted: Measured,
    besieged: Measured,
}

fn measure() -> Result<()> {
    testkit::say(&format!(
        "{CONNECTIONS} connections, medians of {ROUNDS} rounds, load of the machine {}",
        load_average()?
    ))?;
    let directory = tempfile::tempdir().context("making a directory")?;
    let service = Service::start(directory.path())?;
    for kind in [Kind::Counted, Kind::Durable] {
        load::start(service.address(), kind, WARM_UP)?;
    }
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        let round = Round {
            syncs: disk::syncs_per_second(directory.path(), TIME / 2)?,
            counted: load::start(service.address(), Kind::Counted, TIME)?,
            durable: load::start(service.address(), Kind::Durable, TIME)?,
            wanted: load::start(service.address(), Kind::Wanted, TIME)?,
            besieged: {
                let _slow = load::Slow::start(service.address())?;
                load::start(service.address(), Kind::Durable, TIME)?
            },
        };
        testkit::say(&format!("round {number}: {}", line(&round)))?;
        rounds.push(round);
    }
    let median = Round {
        syncs: median(rounds.iter().map(|round| round.syncs)),
        counted: Measured::median(rounds.iter().map(|round| &round.counted)),
        durable: Measured::median(rounds.iter().map(|round| &round.durable)),
        wanted: Measured::median(rounds.iter().map(|round| &round.wanted)),
        besieged: Measured::median(rounds.iter().map(|round| &round.besieged)),
    };
    testkit::say(&format!("median:  {}", line(&median)))?;
    testkit::say(&format!(
        "{:.2} of what is only counted, {:.2} deliveries for each sync of the disk, p99 times {:.2} beside {SLOW} slow \
         connections, peak memory {:.0} MB, load of the machine {}",
        median.durable.rate / median.counted.rate,
        median.durable.rate / median.syncs,
        median.besieged.p99_ms / median.durable.p99_ms,
        service.peak_memory_mb()?,
        load_average()?,
    ))
}

fn line(round: &Round) -> String {
    format!(
        "durable {}; with work {}; besieged {}; only counted {}; {:.0} syncs/s",
        round.durable, round.wanted, round.besieged, round.counted, round.syncs
    )
}

/// The middle one; 0 where there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// How busy the machine is with everything: over one, five and fifteen minutes.
fn load_average() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg").context("reading the load")?;
    Ok(text.split(' ').take(3).collect::<Vec<_>>().join(" "))
}
