//! Asks a registry what a tag points to.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::image::{Digest, Host, Reference, Repository};
use oci_client::errors::OciDistributionError;
use tokio::time::timeout;
use tracing::debug;

use crate::{
    access::{Access, Timeouts},
    asker::Asker,
    error::{Error, Refusal, Subject, refusal},
    head::Headed,
    question::Question,
};

/// The registries that we know how to reach.
///
/// A host that is not listed is asked anonymously over HTTPS. Which hosts may be asked at all is decided by the
/// caller: only those that an application names.
///
/// Credentials that change are found out when they are needed, used until shortly before their end, and found out anew
/// once when they are refused. A registry that asks for a pause is not asked until that is over, and one that does not
/// answer is left alone for a while; neither costs the others anything.
pub struct Registries {
    /// Those with settings, and those that were asked without.
    askers: Mutex<BTreeMap<Host, Arc<Asker>>>,
    timeouts: Timeouts,
}

impl Registries {
    /// Makes one client for each access; those of other registries are made when they are asked.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`]: a client could not be made, as when the system has no usable root certificates.
    ///
    /// # Panics
    ///
    /// No crypto provider is installed for rustls in this process and none can be chosen.
    pub fn new(accesses: BTreeMap<Host, Access>, timeouts: Timeouts) -> Result<Self, Error> {
        let mut askers = BTreeMap::new();
        for (host, access) in accesses {
            let asker = Asker::new(&host, access, timeouts)?;
            askers.insert(host, Arc::new(asker));
        }
        // One that can not be made later is told at once.
        let any = "registry.invalid".parse().expect("two labels are a legal host");
        let _usable = Asker::new(&any, Access::default(), timeouts)?;
        Ok(Self { askers: Mutex::new(askers), timeouts })
    }

    /// The repositories that are left alone because their registry does not answer, and since when that is.
    #[must_use]
    pub fn away(&self) -> Vec<(Repository, DateTime<Utc>)> {
        self.askers().values().flat_map(|asker| asker.line.away()).collect()
    }

    /// Asks what a tag points to now, of an index the index's own digest; `None` when there is no such tag or
    /// repository.
    ///
    /// # Errors
    ///
    /// The registry did not say; [`Error::fault`] tells what that means.
    pub async fn resolve(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let answer = self.in_turn(reference, Box::pin(self.ask(reference))).await;
        debug!(
            image.repository = %reference.repository,
            image.tag = %reference.tag,
            "asked a registry what a tag is"
        );
        answer
    }

    async fn ask(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let mut question = Question::new(self, reference).await?;
        loop {
            match self.in_time(&question.subject, question.resolve(reference)).await? {
                Err(failure) if question.renew(&failure).await? => {}
                answer => return answer,
            }
        }
    }
}

impl Registries {
    /// Who asks the registry of a repository. Each has its own, so that what is known of one, as a token or a pause, is
    /// not taken to be so of another.
    pub(crate) fn asker(&self, repository: &Repository) -> Result<Arc<Asker>, Error> {
        let (host, mut askers) = (repository.host(), self.askers());
        if let Some(asker) = askers.get(host) {
            return Ok(Arc::clone(asker));
        }
        let asker = Arc::new(Asker::new(host, Access::default(), self.timeouts)?);
        askers.insert(host.clone(), Arc::clone(&asker));
        Ok(asker)
    }

    /// Puts a question, of however many requests, when it is its turn.
    pub(crate) async fn in_turn<T>(
        &self,
        subject: impl Into<Subject>,
        asking: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let subject = subject.into();
        self.asker(subject.repository())?.line.ask(&subject, self.timeouts.total, asking).await
    }

    fn askers(&self) -> MutexGuard<'_, BTreeMap<Host, Arc<Asker>>> {
        self.askers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one answer, as long as it may take.
    pub(crate) async fn in_time<T>(&self, subject: &Subject, asking: impl Future<Output = T>) -> Result<T, Error> {
        let after = self.timeouts.total;
        timeout(after, asking).await.map_err(|_elapsed| Error::Timeout { subject: subject.clone(), after })
    }
}

impl Question<'_> {
    /// Asks by HEAD, and reads the manifest where that does not tell.
    async fn resolve(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let theirs = self.by_tag(reference.tag.to_string());
        match self.head(&theirs).await? {
            Headed::Digest(digest) => return Ok(Some(digest)),
            Headed::Absent => return Ok(None),
            Headed::Unclear => {}
        }
        let answer = self.held.client.fetch_manifest_digest(&theirs, &self.held.auth).await;
        match self.tell_apart(&theirs, answer).await {
            Ok(digest) => {
                let odd = |source| Error::Answer { subject: self.subject.clone(), source };
                digest.parse().map(Some).map_err(odd)
            }
            Err(error) => absent_or(&self.subject, error),
        }
    }
}

/// That there is nothing of that name is an answer; everything else is an error.
pub(crate) fn absent_or<T>(subject: &Subject, error: OciDistributionError) -> Result<Option<T>, Error> {
    let kind = refusal(&error);
    let subject = subject.clone();
    let source = Box::new(error);
    match kind {
        Refusal::Absent => Ok(None),
        Refusal::Denied => Err(Error::Denied { subject, source }),
        Refusal::Limited => Err(Error::Limited { subject, retry_after: None, source: Some(source) }),
        Refusal::Unavailable => Err(Error::Unavailable { subject, source }),
        Refusal::Other => Err(Error::Refused { subject, source }),
    }
}

impl fmt::Debug for Registries {
    /// Only the names: the clients hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries")
            .field("known", &self.askers().keys())
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
