//! What the source repository says: whether a commit is where it should be, and which of two is newer.

use std::sync::Arc;

use domain::{
    application::Application,
    commit::Commit,
    evidence::{self, Evidence, Kind, Lookup, Outcome},
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
    /// What the source repository says of a commit; asked once, since the answer is final.
    pub(crate) async fn source_evidence(
        &self,
        application: &Application,
        commit: Commit,
        recorded: &[Evidence],
    ) -> Result<SourceEvidence, Error> {
        let known: Vec<Evidence> = recorded
            .iter()
            .filter(|one| matches!(one.kind, Kind::Commit | Kind::Branch))
            .filter(|one| !matches!(one.outcome, Outcome::Pending { .. }))
            .cloned()
            .collect();
        if !known.is_empty() {
            return Ok(SourceEvidence { evidence: known, subject: None });
        }
        let source = &application.source;
        let lookup = self.forge.look_up(&source.repository, commit, &source.branches).await?;
        let evidence = evidence::of_source(application, commit, &lookup);
        let subject = match lookup {
            Lookup::Present { subject, .. } => Some(subject),
            Lookup::Absent => None,
        };
        Ok(SourceEvidence { evidence, subject })
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
        let comparison = self.forge.comparison(repository, first, second).await?;
        Ok(comparison.map(|comparison| self.comparisons.put(key, comparison)))
    }
}
