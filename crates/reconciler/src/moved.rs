//! Whether tags are still what they were: before something is proposed, and from time to time of what is deployed.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    application::{Application, Name},
    fault::Chain,
    image::{Digest, Reference},
    release::{Build, newest},
};
use futures_util::future::try_join_all;
use store::{Claim, NewBuild, Note, Promotion};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{Error, Reconciler, outside::Outside};

/// The longest sleep between two looks at which applications are due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A tag that is not what it was.
struct Moved<'a> {
    build: &'a Build,
    /// What it is now; `None` where its registry does not have it any more.
    now: Option<Digest>,
}

impl Outside {
    /// Asks what the tags of a release are now, and gives those that are something else.
    async fn moved<'a>(&self, application: &Application, builds: &'a [Build]) -> Result<Vec<Moved<'a>>, Error> {
        let chosen = application.targets().iter().filter_map(|target| newest(builds, &target.name));
        let asked = chosen.map(|build| async move {
            let now = self.registries.resolve(&build.reference).await?;
            Ok::<_, Error>((now.as_ref() != Some(&build.digest)).then_some(Moved { build, now }))
        });
        Ok(try_join_all(asked).await?.into_iter().flatten().collect())
    }
}

impl Reconciler {
    /// Whether a tag was moved since the release was looked at; what it is now is recorded then.
    pub(crate) async fn has_moved(
        &self,
        claim: &Claim,
        application: &Application,
        promotion: &Promotion,
    ) -> Result<bool, Error> {
        let builds = self.store.builds(promotion.release).await?;
        let moved = self.outside.moved(application, &builds).await?;
        for one in &moved {
            let Some(digest) = one.now.clone() else { return Err(Error::Gone(one.build.reference.clone())) };
            let build = Build { digest, found_at: self.store.now(), ..one.build.clone() };
            let new = NewBuild {
                application: application.name(),
                commit: promotion.commit,
                gitops: &promotion.gitops,
                base: &promotion.base,
                build: &build,
            };
            self.store.record_build(claim, &new).await?;
        }
        Ok(!moved.is_empty())
    }

    /// Looks at what is deployed from time to time, until `stop` is cancelled.
    pub(crate) async fn watch(&self, stop: &CancellationToken) {
        let applications: Vec<&Application> =
            self.outside.applications.iter().filter(|application| application.verify.recheck.is_some()).collect();
        let mut due: BTreeMap<&Name, Instant> = BTreeMap::new();
        for application in &applications {
            // Not all at once, nor all replicas at the same time.
            let first = application.verify.recheck.unwrap_or_default().mul_f64(fastrand::f64());
            due.insert(application.name(), Instant::now() + first);
        }
        while let Some(next) = due.values().min().copied() {
            let latest = Instant::now() + LONGEST_SLEEP;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next.min(latest)) => {}
            }
            let is_due = |name| due.get(name).is_some_and(|at| *at <= Instant::now());
            let now_due: Vec<&Application> =
                applications.iter().copied().filter(|application| is_due(application.name())).collect();
            for application in now_due {
                self.recheck_or_say(application).await;
                due.insert(application.name(), Instant::now() + application.verify.recheck.unwrap_or_default());
            }
        }
    }

    async fn recheck_or_say(&self, application: &Application) {
        if let Err(error) = self.recheck(application).await {
            let (name, error) = (application.name(), Chain(&error));
            debug!(application = %name, %error, "what is deployed could not be looked at; it is later");
        }
    }

    /// Looks at the tags of what was merged last, and says in the ledger and the log which are not what they were.
    async fn recheck(&self, application: &Application) -> Result<(), Error> {
        let Some(release) = self.store.deployed(application.name()).await? else { return Ok(()) };
        let builds = self.store.builds(release).await?;
        for Moved { build, now } in self.outside.moved(application, &builds).await? {
            let (what, why) = told(&build.reference, &build.digest, now.as_ref());
            let why = format!("{why}, and {} runs it", build.target);
            let note = Note { what, why: why.clone(), link: None };
            if self.store.note_release(release, &note, self.store.now()).await? {
                warn!(
                    application = %application.name(),
                    release.id = %release,
                    image.repository = %build.reference.repository,
                    image.tag = %build.reference.tag,
                    "what is deployed is not what it was: {why}"
                );
            }
        }
        Ok(())
    }
}

/// What became of a tag, as a word of the ledger and in a sentence.
fn told(reference: &Reference, digest: &Digest, now: Option<&Digest>) -> (&'static str, String) {
    match now {
        Some(now) => (
            "tag-moved",
            format!("{reference} was moved from {} to {} after it was released", digest.short(), now.short()),
        ),
        None => ("tag-gone", format!("{reference} is not in its registry any more; it was {}", digest.short())),
    }
}
