//! Whom a pass asks: the registries and the forge, on behalf of the applications.
//!
//! Everything here only looks, so that a plan can ask the same questions as a pass and get the same answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    application::{Application, Name},
    evidence::{self, BuilderReport, Evidence, Wait},
    promotion::Overlays,
    proposal::{Outlook, Proposal},
    release,
};

use crate::{
    Error,
    attesters::Attesters,
    images::{Asked, KnownContents},
    missed::Listed,
    overlays::{At, Seen, Texts, Wanted},
    required::RequiredChecks,
    source::Comparisons,
};

/// The registries and the forge, with the applications that they are asked for.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) forge: forge::Forge,
    pub(crate) registries: registry::Registries,
    pub(crate) applications: Vec<Application>,
    pub(crate) comparisons: Comparisons,
    pub(crate) texts: Texts,
    pub(crate) required: RequiredChecks,
    pub(crate) known_contents: KnownContents,
    pub(crate) listed: Listed,
    pub(crate) witnesses: Witnesses,
}

/// Whose word counts besides that of the forge and the registries.
#[derive(Debug)]
pub struct Witnesses {
    /// Whose attestations are believed.
    pub attesters: Attesters,
    /// The gates that are asked, by application.
    pub gates: BTreeMap<Name, gate::Gate>,
    /// The mirrors that say where commits of source repositories are, in place of the forge, by application.
    pub mirrors: BTreeMap<Name, forge::Mirror>,
}

/// What was gathered about a release.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) evidence: Vec<Evidence>,
    /// The first line of the commit's message, where it was read just now.
    pub(crate) subject: Option<String>,
    pub(crate) seen: Seen,
    /// The checks that the base branch requires; `None` when that is not known.
    pub(crate) required_checks: Option<Vec<String>>,
}

/// What was known of a release before it is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The evidence that was recorded earlier.
    pub(crate) evidence: &'a [Evidence],
    /// When the first build was found, or the release was last given a new chance.
    pub(crate) since: DateTime<Utc>,
    /// What GitHub Actions posted of the images; `None` where nobody knows.
    pub(crate) reports: Option<&'a [BuilderReport]>,
}

impl Outside {
    /// Nothing is asked yet.
    pub(crate) fn new(
        forge: forge::Forge,
        registries: registry::Registries,
        witnesses: Witnesses,
        applications: Vec<Application>,
    ) -> Self {
        Self {
            forge,
            registries,
            applications,
            comparisons: Comparisons::default(),
            texts: Texts::default(),
            required: RequiredChecks::default(),
            known_contents: KnownContents::default(),
            listed: Listed::default(),
            witnesses,
        }
    }

    /// The application of that name.
    pub(crate) fn application(&self, name: &Name) -> Result<&Application, Error> {
        let found = self.applications.iter().find(|application| application.name() == name);
        found.ok_or_else(|| Error::NotConfigured(name.clone()))
    }

    /// Gathers the evidence about a release, and reads and edits its overlays there, all at once.
    pub(crate) async fn gather(
        &self,
        wanted: &Wanted<'_>,
        known: Known<'_>,
        (at, now): (At, DateTime<Utc>),
    ) -> Result<Gathered, Error> {
        let Wanted { application, commit, builds, .. } = *wanted;
        let barrier = release::barrier(application, builds, known.since, now);
        let wait = Wait::new(application, builds, known.since, now);
        let Known { evidence: recorded, reports, .. } = known;
        let asked = Asked { application, commit, builds, barrier: &barrier, recorded, reports, wait };
        let (source, images, seen, required_checks) = tokio::try_join!(
            self.source_evidence(application, commit, (recorded, wait)),
            self.image_evidence(&asked),
            self.overlays(wanted, at),
            async {
                match at {
                    At::Nowhere => Ok(None),
                    At::Tip | At::Commit(_) => Ok(self.required_checks(wanted.gitops).await),
                }
            },
        )?;
        let mut evidence = vec![evidence::tag(application, commit)];
        evidence.extend(source.evidence.into_iter().chain(images));
        Ok(Gathered { evidence, subject: source.subject, seen, required_checks })
    }
}

impl Gathered {
    /// What is known without asking anybody.
    pub(crate) fn as_recorded(evidence: &[Evidence]) -> Self {
        let seen = Seen { overlays: Overlays::Unread, edit: None };
        Self { evidence: evidence.to_vec(), subject: None, seen, required_checks: None }
    }

    /// What the pull request says.
    pub(crate) fn proposal<'a>(&'a self, application: &'a Application, commit: domain::commit::Commit) -> Proposal<'a> {
        let (moves, between) = self.seen.edit.as_ref().map_or((&[][..], &[][..]), |edit| (&edit.moves, &edit.between));
        let subject = self.subject.as_deref();
        let outlook = Outlook { required_checks: self.required_checks.as_deref(), freeze: None };
        Proposal { application, commit, subject, moves, evidence: &self.evidence, between, outlook }
    }
}
