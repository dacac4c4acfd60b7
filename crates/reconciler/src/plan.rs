//! What would be done, with nothing done: nothing is recorded, pushed, opened or ordered.
//!
//! The same questions are asked as in a pass, and the same function says what comes next. What only the database knows
//! is not known here: what a person declined, another release that is on its way, a digest that a tag had before, and
//! since when other targets are waited for.

use chrono::{DateTime, Utc};
use domain::{
    announcement::{Match, Pushed},
    application::{Application, Gitops, Name},
    commit::Commit,
    evidence::{self, Evidence, Verdict},
    forge::PullRequest,
    image::Reference,
    promotion::{Overlays, Situation, Slot, Step, next_step},
    proposal::ReleaseBranch,
    release::Build,
};

use crate::{
    Error, Settings, Witnesses,
    intake::{self, Identified},
    outside::{Known, Outside},
    overlays::{At, Rewritten, Wanted},
};

/// Looks at what would be done.
#[derive(Debug)]
pub struct Planner {
    outside: Outside,
}

/// What would become of an announced tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// Nothing.
    Ignored {
        /// Why, in a sentence.
        reason: String,
    },
    /// It would be recorded as a build of each of these.
    Accepted {
        /// What it is, in a sentence.
        reason: String,
        /// Whose builds; at least one.
        releases: Vec<Named>,
    },
}

/// A release by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// What is released.
    pub application: Name,
    /// At which commit.
    pub commit: Commit,
}

/// What would be done about a release.
#[derive(Clone, Debug)]
pub struct PlannedRelease {
    /// Which one.
    pub release: Named,
    /// The builds that the registries have of it now, in the order of the targets.
    pub builds: Vec<Build>,
    /// What was verified, in the order of the pull request.
    pub evidence: Vec<Evidence>,
    /// What that adds up to.
    pub verdict: Verdict,
    /// Where the overlays stand.
    pub overlays: Overlays,
    /// What a promotion that was just opened would do next.
    pub step: Step,
    /// The pull requests that its branch has or had, newest first: an open one would be kept, and a commit whose pull
    /// request a person closed would not be proposed again.
    pub pull_requests: Vec<PullRequest>,
    /// What would be proposed, now or once the evidence is complete; `None` when nothing ever would.
    pub draft: Option<Draft>,
}

/// A pull request that would be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Where, and into which branch.
    pub gitops: Gitops,
    /// From which branch.
    pub branch: ReleaseBranch,
    /// Its title.
    pub title: String,
    /// Its body, in Markdown.
    pub body: String,
    /// The files that would be changed.
    pub files: Vec<Rewritten>,
}

impl Planner {
    pub(crate) fn outside(&self) -> &Outside {
        &self.outside
    }

    pub(crate) fn into_outside(self) -> Outside {
        self.outside
    }

    /// Puts the parts together. Nothing is asked yet.
    #[must_use]
    pub fn new(
        forge: forge::Forge,
        registries: registry::Registries,
        witnesses: Witnesses,
        applications: Vec<Application>,
    ) -> Self {
        Self { outside: Outside::new(forge, registries, witnesses, applications) }
    }

    /// Finds out what an announced tag is. Asks its registry, unless no application uses it.
    ///
    /// # Errors
    ///
    /// The registry did not say.
    pub async fn identify(&self, pushed: &Pushed) -> Result<Planned, Error> {
        Ok(match self.outside.identify(pushed).await? {
            Identified::Ignored(ignored) => Planned::Ignored { reason: ignored.to_string() },
            Identified::Tag { reference, digest: None, .. } => Planned::Ignored { reason: intake::absent(&reference) },
            Identified::Tag { found, reference, digest: Some(digest) } => Planned::Accepted {
                reason: intake::present(&reference, &digest, pushed.claimed_digest.as_ref()),
                releases: found.iter().map(named).collect(),
            },
        })
    }

    /// Finds out what would be done about a release. Asks every target's registry and the forge, and changes nothing.
    ///
    /// # Errors
    ///
    /// The application is not configured, or a registry or the forge did not say.
    pub async fn plan(&self, release: &Named, now: DateTime<Utc>) -> Result<PlannedRelease, Error> {
        let application = self.outside.application(&release.application)?;
        let commit = release.commit;
        let builds = self.builds(application, commit, now).await?;
        let gitops = &application.gitops;
        let wanted = Wanted { application, gitops, commit, builds: &builds };
        let branch = ReleaseBranch::new(application.name(), commit);
        let (gathered, pull_requests) = tokio::try_join!(
            self.outside.gather(&wanted, Known { evidence: &[], since: now, reports: None }, (At::Tip, now)),
            async { Ok(self.outside.forge.pull_requests_of(&gitops.repository, &branch).await?) },
        )?;
        let verdict = evidence::verdict(&gathered.evidence);
        let step = next_step(&opened(now, verdict.clone(), gathered.seen.overlays.clone()));
        let proposal = gathered.proposal(application, commit);
        let draft = is_proposed(&step, &gathered.seen.overlays).then(|| Draft {
            gitops: gitops.clone(),
            branch,
            title: proposal.title(),
            body: proposal.body(),
            files: gathered.seen.edit.as_ref().map_or_else(Vec::new, |edit| edit.files.clone()),
        });
        Ok(PlannedRelease {
            release: release.clone(),
            verdict,
            overlays: gathered.seen.overlays,
            evidence: gathered.evidence,
            builds,
            step,
            pull_requests,
            draft,
        })
    }

    /// The builds that the targets' registries have now: without a database nobody knows what was announced earlier.
    async fn builds(&self, application: &Application, commit: Commit, now: DateTime<Utc>) -> Result<Vec<Build>, Error> {
        let mut builds = Vec::new();
        for target in application.targets() {
            let reference = Reference { repository: target.repository.clone(), tag: application.tag.tag(commit) };
            let digest = self.outside.registries.resolve(&reference).await?;
            let target = target.name.clone();
            builds.extend(digest.map(|digest| Build { target, reference, digest, found_at: now }));
        }
        Ok(builds)
    }
}

fn named(found: &Match<'_>) -> Named {
    Named { application: found.application.name().clone(), commit: found.commit }
}

/// The situation of a promotion that was just opened, alone.
fn opened(now: DateTime<Utc>, verdict: Verdict, overlays: Overlays) -> Situation {
    Situation {
        now,
        poll_interval: Settings::default().poll_interval,
        closing: None,
        verdict,
        overlays,
        newer: None,
        slot: Slot::Free,
        pull_request: None,
        ordered: None,
        overdue_at: None,
        restraint: None,
    }
}

/// Whether the overlays would be moved, now or once everything that is waited for is there.
fn is_proposed(step: &Step, overlays: &Overlays) -> bool {
    matches!(step, Step::Propose | Step::Wait { .. }) && *overlays == Overlays::Behind
}
