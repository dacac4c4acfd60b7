//! What is done to the replicas and to what they speak to, one thing after the other.

use std::time::Duration;

use anyhow::{Result, ensure};
use fastrand::Rng;
use sandbox::{Action, Answer, Fault, Match};

use super::{LEASE, Plan, Report, deliveries::Deliveries};
use crate::{
    fleet::{CLOUDS, Database, Fleet},
    until,
};

/// A release that was announced.
#[derive(Clone, Debug)]
pub(super) struct Released {
    pub(super) application: String,
    pub(super) commit: String,
}

/// Everything at random, and what came of it.
pub(super) struct Acts<'a> {
    plan: Plan,
    random: Rng,
    deliveries: &'a Deliveries,
    pub(super) released: Vec<Released>,
    pub(super) report: Report,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Act {
    Release,
    Kill,
    Pause,
    Resize,
    Fail,
    Cut,
    Crash,
    Stall,
}

/// How often each happens, compared with the others.
const WEIGHTS: [(Act, u32); 8] = [
    (Act::Release, 40),
    (Act::Kill, 30),
    (Act::Pause, 2),
    (Act::Resize, 6),
    (Act::Fail, 14),
    (Act::Cut, 4),
    (Act::Crash, 1),
    (Act::Stall, 2),
];

impl<'a> Acts<'a> {
    pub(super) fn new(plan: Plan, deliveries: &'a Deliveries) -> Self {
        let random = Rng::with_seed(plan.seed);
        Self { plan, random, deliveries, released: Vec::new(), report: Report::default() }
    }

    /// Does the next thing and leaves the replicas alone for a moment.
    pub(super) async fn one(&mut self, fleet: &mut Fleet) -> Result<()> {
        match self.choose() {
            Act::Release => self.release(fleet).await?,
            Act::Kill => self.kill(fleet).await?,
            Act::Pause => self.pause(fleet).await?,
            Act::Resize => self.resize(fleet).await?,
            Act::Fail => self.fail(fleet),
            Act::Cut => self.cut(fleet)?,
            Act::Crash => self.crash(fleet).await?,
            Act::Stall => self.stall(fleet).await?,
        }
        tokio::time::sleep(self.milliseconds(0..400)).await;
        Ok(())
    }

    fn choose(&mut self) -> Act {
        let all = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut at = self.random.u32(0..all);
        for (act, weight) in WEIGHTS {
            if at < weight {
                return act;
            }
            at -= weight;
        }
        Act::Release
    }

    async fn release(&mut self, fleet: &Fleet) -> Result<()> {
        let applications = fleet.applications();
        let Some(application) = self.random.choice(&applications) else { return Ok(()) };
        let commit = fleet.commit(application, &format!("Change {}", self.released.len())).await?;
        let mut clouds = CLOUDS;
        self.random.shuffle(&mut clouds);
        for cloud in clouds {
            let repository = fleet.push(application, cloud, &commit)?;
            let after = self.milliseconds(0..300);
            self.deliveries.announce(repository, format!("sha-{commit}"), after).await;
        }
        self.released.push(Released { application: application.clone(), commit });
        Ok(())
    }

    /// Kills a replica wherever it is, and starts it again a little later.
    async fn kill(&mut self, fleet: &mut Fleet) -> Result<()> {
        let Some(number) = self.any_running(fleet) else { return Ok(()) };
        fleet.take(number)?.kill().await?;
        self.report.kills += 1;
        tokio::time::sleep(self.milliseconds(0..200)).await;
        fleet.launch(number).await
    }

    /// Stops a replica for longer than its lease; where there are others they take its work.
    async fn pause(&mut self, fleet: &Fleet) -> Result<()> {
        let Some(number) = self.any_running(fleet) else { return Ok(()) };
        let Some((_, replica)) = fleet.running().find(|(one, _)| *one == number) else { return Ok(()) };
        replica.signal("STOP").await?;
        tokio::time::sleep(LEASE + self.milliseconds(100..1_500)).await;
        replica.signal("CONT").await?;
        self.report.pauses += 1;
        Ok(())
    }

    /// Adds a replica or has one stop, where there may be several.
    async fn resize(&mut self, fleet: &mut Fleet) -> Result<()> {
        let idle = fleet.idle();
        let running = fleet.running().count();
        if let Some(number) = self.random.choice(&idle)
            && (running < 2 || self.random.bool())
        {
            return fleet.launch(*number).await;
        }
        let Some(number) = self.any_running(fleet).filter(|_| running > 1) else { return Ok(()) };
        ensure!(fleet.take(number)?.terminate().await?, "replica {number} did not end with 0 after SIGTERM");
        self.report.removals += 1;
        Ok(())
    }

    fn fail(&mut self, fleet: &Fleet) {
        let actions = [
            Action::DropBefore,
            Action::ApplyThenDrop,
            Action::Truncate { bytes: 20 },
            Action::answer(500, "Server Error"),
            Action::bad_gateway(),
            Action::ApplyThenAnswer(Answer::bad_gateway()),
            Action::StaleRead,
            Action::Delay { milliseconds: 700 },
        ];
        let Some(action) = self.random.choice(actions) else { return };
        let at = Match { nth: self.random.u64(1..12), times: self.random.u64(1..4), ..Match::any() };
        self.report.faults += u32::try_from(at.times).unwrap_or_default();
        if self.random.u8(0..4) == 0 && action != Action::StaleRead {
            fleet.registry.add_fault(Fault::new(at, action));
        } else {
            fleet.forge.add_fault(Fault::new(at, action));
        }
    }

    fn cut(&mut self, fleet: &Fleet) -> Result<()> {
        let Some(cluster) = &fleet.cluster else { return Ok(()) };
        cluster.cut_connections()?;
        self.report.cuts += 1;
        Ok(())
    }

    async fn crash(&mut self, fleet: &mut Fleet) -> Result<()> {
        let down = self.milliseconds(0..1_000);
        let Some(cluster) = &mut fleet.cluster else { return Ok(()) };
        cluster.crash()?;
        tokio::time::sleep(down).await;
        cluster.resume()?;
        self.report.crashes += 1;
        Ok(())
    }

    /// Lets the database do nothing for a while, as when its disk hangs.
    async fn stall(&mut self, fleet: &Fleet) -> Result<()> {
        let Some(cluster) = &fleet.cluster else { return Ok(()) };
        cluster.signal_all("STOP")?;
        tokio::time::sleep(self.milliseconds(200..3_000)).await;
        cluster.signal_all("CONT")?;
        self.report.stalls += 1;
        Ok(())
    }

    /// Nothing goes wrong any more, and every application has a last release.
    pub(super) async fn calm(&mut self, fleet: &mut Fleet) -> Result<()> {
        fleet.forge.clear_faults();
        fleet.registry.clear_faults();
        if fleet.running().count() == 0 {
            fleet.launch(0).await?;
        }
        ensure!(self.plan.database == Database::Sqlite || fleet.cluster.is_some(), "the database is gone");
        until("every application to be released once", async || {
            let missing = fleet
                .applications()
                .into_iter()
                .find(|one| self.released.iter().all(|released| released.application != *one));
            if missing.is_some() {
                self.release(fleet).await?;
            }
            Ok(missing.is_none().then_some(()))
        })
        .await
    }

    fn any_running(&mut self, fleet: &Fleet) -> Option<usize> {
        let running: Vec<usize> = fleet.running().map(|(number, _)| number).collect();
        self.random.choice(running)
    }

    fn milliseconds(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }
}
