//! An announcement becomes a build, or is kept with the reason why not.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    announcement::{About, Announcement, Haste, Ignored, Match, Moved, Pushed, matches},
    application::Application,
    image::{Digest, Reference},
    release::Build,
};
use store::{AnnouncementId, AnnouncementVerdict, Claim, NewBuild, ReleaseId};
use tracing::info;

use crate::{Error, Reconciler, missed::SENDER, outside::Outside, run::After};

/// How long a registry may lag behind its own announcement before what it says counts.
const LONGEST_LAG: TimeDelta = TimeDelta::seconds(20);

/// How long what need not be looked at at once waits for more.
const SOON: TimeDelta = TimeDelta::seconds(2);

/// The age that the first wait is half of.
const SHORTEST_AGE: TimeDelta = TimeDelta::milliseconds(200);

/// What an announced tag is.
#[derive(Debug)]
pub(crate) enum Identified<'a> {
    /// Of no interest; nobody was asked.
    Ignored(Ignored),
    /// A tag of applications.
    Tag {
        /// Whose; at least one.
        found: Vec<Match<'a>>,
        reference: Reference,
        /// What its registry says that it is; `None` where it has none.
        digest: Option<Digest>,
    },
}

impl Outside {
    /// Finds the applications that an announced tag is about, and asks the registry what it is.
    pub(crate) async fn identify(&self, pushed: &Pushed) -> Result<Identified<'_>, Error> {
        let found = match matches(&self.applications, pushed) {
            Ok(found) => found,
            Err(ignored) => return Ok(Identified::Ignored(ignored)),
        };
        let reference = Reference { repository: pushed.repository.clone(), tag: pushed.tag.clone() };
        let digest = self.registries.resolve(&reference).await?;
        Ok(Identified::Tag { found, reference, digest })
    }
}

/// What is said of a tag that its registry does not have.
pub(crate) fn absent(reference: &Reference) -> String {
    format!("the registry has no {reference}")
}

/// What is said of one that it has.
pub(crate) fn present(reference: &Reference, digest: &Digest, claimed: Option<&Digest>) -> String {
    match claimed {
        Some(claimed) if claimed != digest => format!("{reference} is {digest} by now, not {claimed} as announced"),
        Some(_) | None => format!("{reference} is {digest}"),
    }
}

impl Reconciler {
    /// Finds out what an announcement is about and records that.
    pub(crate) async fn take_in(&self, claim: &Claim, id: AnnouncementId) -> Result<After, Error> {
        let announced = self.store.announcement(id).await?;
        let verdict = match &announced.announcement {
            Announcement::Moved(moved) => Some(self.moved(moved).await?),
            Announcement::Pushed(pushed) => {
                let told = announced.sender != SENDER;
                self.pushed(claim, (pushed, told), announced.received_at).await?
            }
        };
        match verdict {
            Some(verdict) => {
                self.store.settle_announcement(claim, &verdict).await?;
                Ok(After::Settled)
            }
            None => Ok(After::Again(self.store.now() + self.age(announced.received_at).max(SHORTEST_AGE) / 2)),
        }
    }

    async fn moved(&self, moved: &Moved) -> Result<AnnouncementVerdict, Error> {
        let Moved { repository, about, haste } = moved;
        let wait = match haste {
            Haste::Now => TimeDelta::zero(),
            Haste::Soon => SOON,
        };
        let at = self.store.now() + wait;
        let mut woken = self.store.wake_promotions(repository, about, at).await?;
        // Whether a release is proven may depend on the checks of where it comes from, and on no pull request there.
        let commit = match about {
            About::Commit(commit) => Some(*commit),
            About::Repository | About::Branch(_) | About::PullRequest(_) => None,
        };
        let is_by_request = matches!(about, About::PullRequest(_));
        let checked = |one: &&Application| !is_by_request && one.is_checked_in(repository);
        for application in self.outside.applications.iter().filter(checked) {
            woken += self.store.wake_application(application.name(), commit, at).await?;
        }
        Ok(AnnouncementVerdict::Accepted {
            reason: format!("promotions into or from {repository} that are looked at: {woken}"),
            release: None,
        })
    }

    /// Asks the registry what the tag is, and records a build in each target that pulls it.
    ///
    /// `None` while the registry may not have caught up with its own announcement: CNCF Distribution announces a
    /// push before it moves the tag (`registry/handlers/manifests.go`, `PutManifest`), and on slow storage our
    /// question overtakes that.
    async fn pushed(
        &self,
        claim: &Claim,
        (pushed, told): (&Pushed, bool),
        received_at: DateTime<Utc>,
    ) -> Result<Option<AnnouncementVerdict>, Error> {
        let Pushed { repository, tag, claimed_digest, run: _ } = pushed;
        let asked_at = self.store.now();
        let (found, reference, digest) = match self.outside.identify(pushed).await? {
            Identified::Tag { found, reference, digest } => (found, reference, digest),
            Identified::Ignored(ignored) => {
                info!(image.repository = %repository, image.tag = %tag, reason = %ignored, "a pushed tag is ignored");
                return Ok(Some(AnnouncementVerdict::Ignored { reason: ignored.to_string() }));
            }
        };
        let is_as_announced = digest.is_some() && (claimed_digest.is_none() || *claimed_digest == digest);
        if !is_as_announced && self.age(received_at) < LONGEST_LAG {
            return Ok(None);
        }
        let Some(digest) = digest else {
            return Ok(Some(AnnouncementVerdict::Ignored { reason: absent(&reference) }));
        };
        let mut release = None;
        for one in &found {
            release = self.record(claim, one, (&reference, &digest, told), asked_at).await?;
            if let Some(release) = release.filter(|_| pushed.run.is_some()) {
                // That it was built by whom it should be may be all that a release waits for.
                self.store.wake_release(release, self.store.now()).await?;
            }
        }
        let reason = present(&reference, &digest, claimed_digest.as_ref());
        Ok(Some(AnnouncementVerdict::Accepted { reason, release }))
    }

    /// How long ago that was; each wait is half of it, so that questions become rarer.
    fn age(&self, received_at: DateTime<Utc>) -> TimeDelta {
        self.store.now() - received_at
    }

    /// Records the build in each target that pulls it; they are all of one release.
    async fn record(
        &self,
        claim: &Claim,
        found: &Match<'_>,
        (reference, digest, told): (&Reference, &Digest, bool),
        found_at: DateTime<Utc>,
    ) -> Result<Option<ReleaseId>, Error> {
        let application = found.application;
        let mut release = None;
        for target in &found.targets {
            let build =
                Build { target: (*target).clone(), reference: reference.clone(), digest: digest.clone(), found_at };
            let new = NewBuild {
                application: application.name(),
                commit: found.commit,
                gitops: &application.gitops.repository,
                base: &application.gitops.base,
                build: &build,
                told,
            };
            let recorded = self.store.record_build(claim, &new).await?;
            release = Some(recorded.release);
            info!(
                image.repository = %reference.repository,
                image.tag = %reference.tag,
                image.digest = %digest,
                release.id = %recorded.release,
                new = recorded.new_build,
                "a build is recorded"
            );
        }
        Ok(release)
    }
}
