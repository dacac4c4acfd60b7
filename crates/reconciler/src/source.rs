//! What the source repository says: whether a commit is where it should be, and which of two is newer.

use std::sync::Arc;

use domain::{
    application::{Application, Demand, Source},
    commit::Commit,
    evidence::{self, Evidence, Kind, Lookup, Outcome, Wait},
    forge::Repository,
};
use forge::Comparison;

use crate::{Error, kept::Kept, outside::Outside};

/// How commits stand to each other and what is between them, which never changes once both are known.
pub(crate) type Comparisons = Kept<(Repository, Commit, Commit), Comparison>;

/// The evidence of the source repository and the subject of the commit.
#[derive(Debug)]
pub(crate) struct SourceEvidence {
    pub(crate) evidence: Vec<Evidence>,
    /// The first line of the commit's message, where it was read just now.
    pub(crate) subject: Option<String>,
}

impl Outside {
    /// What the source repository says of a commit. What passed or failed is final, so that it is asked again only while
    /// checks are waited for.
    pub(crate) async fn source_evidence(
        &self,
        application: &Application,
        commit: Commit,
        (recorded, wait): (&[Evidence], Wait),
    ) -> Result<SourceEvidence, Error> {
        let verify = &application.verify;
        let is_final = |one: &Evidence| match one.outcome {
            Outcome::Passed | Outcome::Failed => true,
            Outcome::Skipped => one.kind == Kind::Branch && verify.branch == Demand::Off,
            Outcome::Pending { .. } => false,
        };
        let known = |kind| recorded.iter().find(|one| one.kind == kind && is_final(one)).cloned();
        // Of a commit that does not exist nothing else is to be found out.
        if let Some(absent) = known(Kind::Commit).filter(|one| one.outcome == Outcome::Failed) {
            return Ok(SourceEvidence { evidence: vec![absent], subject: None });
        }
        let unasked = verify.checks.is_empty().then(|| evidence::checks(application, &[], wait));
        let all = (known(Kind::Commit), known(Kind::Branch), unasked.or_else(|| known(Kind::Checks)));
        if let (Some(exists), Some(branch), Some(checks)) = all {
            return Ok(SourceEvidence { evidence: vec![exists, branch, checks], subject: None });
        }
        let source = &application.source;
        if let (Some(exists), Some(branch)) = (known(Kind::Commit), known(Kind::Branch)) {
            let reported = self.forge.checks(&source.repository, commit).await?;
            let evidence = vec![exists, branch, evidence::checks(application, &reported, wait)];
            return Ok(SourceEvidence { evidence, subject: None });
        }
        let lookup = self.look_up(application, commit).await?;
        let exists = evidence::commit(application, commit, &lookup);
        let Lookup::Present { subject, checks, .. } = &lookup else {
            return Ok(SourceEvidence { evidence: vec![exists], subject: None });
        };
        let fresh =
            [exists, evidence::branch(application, commit, &lookup), evidence::checks(application, checks, wait)];
        let evidence = fresh.into_iter().map(|one| known(one.kind).unwrap_or(one)).collect();
        Ok(SourceEvidence { evidence, subject: Some(subject.clone()) })
    }

    /// Where a commit is and, where that is asked for, what its checks say.
    async fn look_up(&self, application: &Application, commit: Commit) -> Result<Lookup, Error> {
        let Source { repository, branches, .. } = &application.source;
        let is_checked = !application.verify.checks.is_empty();
        let Some(mirror) = self.witnesses.mirrors.get(application.name()) else {
            // To see checks takes permissions that are not needed where nobody asks for them.
            return Ok(if is_checked {
                self.forge.look_up(repository, commit, branches).await?
            } else {
                self.forge.locate(repository, commit, branches).await?
            });
        };
        let mut lookup = mirror.look_up(commit, branches).await?;
        if let (true, Lookup::Present { checks, .. }) = (is_checked, &mut lookup) {
            *checks = self.forge.checks(repository, commit).await?;
        }
        Ok(lookup)
    }

    /// The mirror of a source repository, if one is kept.
    fn mirror(&self, repository: &Repository) -> Option<&forge::Mirror> {
        let is_it = |application: &&Application| application.source.repository == *repository;
        let mut all = self.applications.iter().filter(is_it);
        all.find_map(|application| self.witnesses.mirrors.get(application.name()))
    }

    /// How one commit of the source repository stands to another, and what is between them; `None` when one is not
    /// known there.
    pub(crate) async fn comparison(
        &self,
        repository: &Repository,
        first: Commit,
        second: Commit,
    ) -> Result<Option<Arc<Comparison>>, Error> {
        let key = (repository.clone(), first, second);
        if let Some(known) = self.comparisons.get(&key) {
            return Ok(Some(known));
        }
        let comparison = match self.mirror(repository) {
            Some(mirror) => mirror.comparison(first, second).await?,
            None => self.forge.comparison(repository, first, second).await?,
        };
        Ok(comparison.map(|comparison| self.comparisons.put(key, comparison)))
    }
}
