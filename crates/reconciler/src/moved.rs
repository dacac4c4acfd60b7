//! Whether tags are still what they were: before something is proposed, and from time to time of what is deployed.

use domain::{
    application::Application,
    image::{Digest, Reference},
    release::{Build, newest},
};
use futures_util::future::try_join_all;
use store::{Claim, NewBuild, Note, Promotion};
use tracing::warn;

use crate::{Error, Reconciler, outside::Outside};

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
                told: false,
            };
            self.store.record_build(claim, &new).await?;
        }
        Ok(!moved.is_empty())
    }

    /// Looks at the tags of what was merged last, and says in the ledger and the log which are not what they were.
    pub(crate) async fn recheck(&self, application: &Application) -> Result<(), Error> {
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
