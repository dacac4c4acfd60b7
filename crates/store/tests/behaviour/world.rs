//! A store in a place of its own, and shortest ways to what a test is about.

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    announcement::{Announcement, Pushed},
    application::Name,
    commit::Commit,
    evidence::{Evidence, Kind, Outcome},
    forge::{self, Branch},
    release::Build,
};
use std::time::Duration;
use store::{
    AnnouncementVerdict, Claim, DeliveryId, Element, NewBuild, NewDelivery, PromotionId, Recorded, RecordedBuild,
    Store, Subject,
};

use crate::place::Place;

/// The lease that tests claim with.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// A store that is gone when the test ends.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) store: Store,
}

impl World {
    pub(crate) async fn new() -> Result<Self> {
        let place = Place::new().await?;
        let store = Store::open(&place.url(), at(0)).await?;
        Ok(Self { place, store })
    }

    /// Drops the store without closing it, as a crash does, and opens it again.
    pub(crate) async fn crash(self) -> Result<Self> {
        let Self { place, store } = self;
        drop(store);
        let store = Store::open(&place.url(), at(0)).await?;
        Ok(Self { place, store })
    }

    pub(crate) fn url(&self) -> String {
        self.place.url()
    }

    /// Records a delivery that announces one image.
    pub(crate) async fn announce(&self, id: &str) -> Result<DeliveryId> {
        self.deliver(id, vec![Element::Announced(pushed()?)]).await
    }

    pub(crate) async fn deliver(&self, id: &str, elements: Vec<Element>) -> Result<DeliveryId> {
        let new = NewDelivery { sender: "ecr-prod", sender_delivery_id: id, received_at: at(0), body: b"{}", elements };
        match self.store.record_delivery(&new).await? {
            Recorded::New(id) | Recorded::Repeated(id) => Ok(id),
        }
    }

    /// Claims what is due; there must be something.
    pub(crate) async fn claim(&self, now: DateTime<Utc>) -> Result<Claim> {
        self.store.claim_due(now, LEASE).await?.context("nothing was due")
    }

    /// Announces, claims, records and settles one build, as intake does.
    pub(crate) async fn found(&self, commit: Commit, build: &Build, gitops: &str) -> Result<RecordedBuild> {
        self.found_as(commit, build, gitops, true).await
    }

    /// As `found`, of a build that somebody told us of, or that we came across ourselves.
    pub(crate) async fn found_as(
        &self,
        commit: Commit,
        build: &Build,
        gitops: &str,
        told: bool,
    ) -> Result<RecordedBuild> {
        let id = format!("{commit} {} {}", build.digest, build.found_at);
        self.announce(&id).await?;
        let claim = self.claim_announcement().await?;
        let new = NewBuild {
            application: &name("mandelbrot")?,
            commit,
            gitops: &gitops.parse::<forge::Repository>()?,
            base: &"main".parse::<Branch>()?,
            build,
            told,
        };
        let recorded = self.store.record_build(&claim, &new).await?;
        let verdict = AnnouncementVerdict::Accepted {
            reason: "a build of mandelbrot".to_owned(),
            release: Some(recorded.release),
        };
        self.store.settle_announcement(&claim, &verdict).await?;
        Ok(recorded)
    }

    /// Opens the promotion of a commit.
    pub(crate) async fn open(&self, byte: u8) -> Result<PromotionId> {
        self.found(commit(byte), &build(byte, 0)?, "acme/trinity").await?.promotion.context("no promotion was opened")
    }

    /// Opens and claims the promotion of a commit.
    pub(crate) async fn open_and_claim(&self, byte: u8) -> Result<(PromotionId, Claim)> {
        let promotion = self.open(byte).await?;
        let claim = self.claim(at(0)).await?;
        anyhow::ensure!(claim.subject == Subject::Promotion(promotion));
        Ok((promotion, claim))
    }

    /// Claims the announcement that is due, passing over promotions, which become due again.
    async fn claim_announcement(&self) -> Result<Claim> {
        let mut passed_over = Vec::new();
        let found = loop {
            let claim = self.claim(at(0)).await?;
            match claim.subject {
                Subject::Announcement(_) => break claim,
                Subject::Promotion(_) => passed_over.push(claim),
            }
        };
        for claim in passed_over {
            self.store.hand_back(&claim, at(0), store::Attempts::Reset).await?;
        }
        Ok(found)
    }
}

/// That many seconds after the tests began.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

pub(crate) fn name(text: &str) -> Result<Name> {
    Ok(text.parse()?)
}

pub(crate) fn commit(byte: u8) -> Commit {
    Commit::from_bytes([byte; 20])
}

pub(crate) fn pushed() -> Result<Announcement> {
    Ok(Announcement::Pushed(Pushed {
        repository: "registry.example/mandelbrot".parse()?,
        tag: "sha-1".parse()?,
        claimed_digest: Some(build(1, 0)?.digest),
        run: None,
    }))
}

/// A build of the target `aws` with a digest made of that byte.
pub(crate) fn build(byte: u8, seconds: i64) -> Result<Build> {
    Ok(Build {
        target: name("aws")?,
        reference: domain::image::Reference {
            repository: "registry.example/mandelbrot".parse()?,
            tag: "sha-1".parse()?,
        },
        digest: format!("sha256:{}", format!("{byte:02x}").repeat(32)).parse()?,
        found_at: at(seconds),
    })
}

pub(crate) fn evidence(kind: Kind, outcome: Outcome, seen: &str) -> Evidence {
    Evidence { kind, outcome, seen: seen.to_owned(), link: None }
}

/// Fails unless a call failed for that reason.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, store::Error>, expected: &str) -> Result<()> {
    match result {
        Err(error) if format!("{error:?}").starts_with(expected) => Ok(()),
        other => bail!("{expected} was expected, not {other:?}"),
    }
}
