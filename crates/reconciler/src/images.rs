//! What is known of the images of a release once every target has one: what they hold, who built them, who signed that.

use std::collections::BTreeMap;

use domain::{
    application::{Application, Demand, Wish},
    commit::Commit,
    evidence::{self, Attestations, BuilderReport, Evidence, Images, Kind, Origin, Outcome, Wait},
    image::{Contents, Digest},
    release::{Barrier, Build, newest},
};
use futures_util::future::try_join_all;

use crate::{Error, attesters::Found, kept::Kept, outside::Outside};

/// What is behind a digest, which never changes.
pub(crate) type KnownContents = Kept<Digest, Contents>;

/// What of a release its images prove.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) application: &'a Application,
    pub(crate) commit: Commit,
    pub(crate) builds: &'a [Build],
    pub(crate) barrier: &'a Barrier,
    /// The evidence that was recorded earlier.
    pub(crate) recorded: &'a [Evidence],
    /// What GitHub Actions posted; `None` where nobody knows.
    pub(crate) reports: Option<&'a [BuilderReport]>,
    pub(crate) wait: Wait,
}

impl<'a> Asked<'a> {
    /// The build of each target that is released; of those with the same digest the first.
    fn distinct(&self) -> Vec<&'a Build> {
        let mut distinct: Vec<&Build> = Vec::new();
        let chosen = self.application.targets().iter().filter_map(|target| newest(self.builds, &target.name));
        for build in chosen {
            if distinct.iter().all(|known| known.digest != build.digest) {
                distinct.push(build);
            }
        }
        distinct
    }

    /// Whether no target ever had another image of this release than now.
    fn is_unmoved(&self) -> bool {
        let other = |one: &Build| self.builds.iter().any(|two| two.target == one.target && two.digest != one.digest);
        !self.builds.iter().any(other)
    }

    /// What passed earlier and is about the same images: they never change.
    fn proven(&self, kind: Kind) -> Option<Evidence> {
        let has_passed = |one: &&Evidence| one.kind == kind && one.outcome == Outcome::Passed;
        self.recorded.iter().find(has_passed).filter(|_| self.is_unmoved()).cloned()
    }
}

impl Outside {
    /// The evidence about the images.
    pub(crate) async fn image_evidence(&self, asked: &Asked<'_>) -> Result<Vec<Evidence>, Error> {
        let Asked { application, commit, builds, barrier, wait, .. } = *asked;
        let immutable = evidence::immutable(application, builds);
        if *barrier != Barrier::Complete {
            let image = evidence::image(application, builds, (barrier, &Images::new()), wait);
            return Ok(vec![image, immutable]);
        }
        let verify = &application.verify;
        let is_image_known = verify.platforms.is_empty() || asked.proven(Kind::Image).is_some();
        let is_revision_known = verify.revision == Wish::Off || asked.proven(Kind::Revision).is_some();
        let contents =
            async { if is_image_known && is_revision_known { Ok(Images::new()) } else { self.contents(asked).await } };
        let (images, provenance, gate) = tokio::try_join!(contents, self.provenance(asked), self.gate(asked))?;
        let image = match asked.proven(Kind::Image) {
            Some(known) if is_revision_known => known,
            Some(_) | None => evidence::image(application, builds, (barrier, &images), wait),
        };
        let revision = || evidence::revision(application, commit, builds, &images, wait);
        let revision = asked.proven(Kind::Revision).unwrap_or_else(revision);
        Ok(vec![image, immutable, revision, builder(asked), provenance, gate])
    }

    /// What is behind each digest; one that its registry does not have any more is left out.
    async fn contents(&self, asked: &Asked<'_>) -> Result<Images, Error> {
        let inspected = asked.distinct().into_iter().map(|build| async move {
            if let Some(known) = self.known_contents.get(&build.digest) {
                return Ok::<_, Error>(Some((build.digest.clone(), known)));
            }
            let contents = self.registries.inspect(&build.reference, &build.digest).await?;
            Ok(contents.map(|contents| (build.digest.clone(), self.known_contents.put(build.digest.clone(), contents))))
        });
        Ok(try_join_all(inspected).await?.into_iter().flatten().collect())
    }

    /// What the gate of the application says, if there is one.
    async fn gate(&self, asked: &Asked<'_>) -> Result<Evidence, Error> {
        if let Some(known) = asked.proven(Kind::Gate) {
            return Ok(known);
        }
        let Asked { application, commit, builds, wait, .. } = *asked;
        let answer = match self.witnesses.gates.get(application.name()) {
            None => None,
            Some(gate) => {
                let chosen = application.targets().iter().filter_map(|target| newest(builds, &target.name));
                let images: Vec<&Build> = chosen.collect();
                Some(gate.ask(&gate::Question { application, commit, images: &images }).await?)
            }
        };
        Ok(evidence::gate(application, answer.as_ref(), wait))
    }

    async fn provenance(&self, asked: &Asked<'_>) -> Result<Evidence, Error> {
        if let Some(known) = asked.proven(Kind::Provenance) {
            return Ok(known);
        }
        let Asked { application, commit, builds, wait, .. } = *asked;
        let mut attestations: BTreeMap<Digest, Attestations> = BTreeMap::new();
        if application.verify.provenance.demand == Demand::Required {
            let found =
                try_join_all(asked.distinct().into_iter().map(|build| self.bundles(application, build))).await?;
            for (digest, found) in found {
                let examined = self.witnesses.attesters.examine(application.name(), &digest, found)?;
                attestations.insert(digest, examined);
            }
        }
        let origin =
            Origin { issuer: self.witnesses.attesters.issuer.clone(), address: self.forge.address().to_owned() };
        Ok(evidence::provenance(application, commit, builds, (&attestations, &origin), wait))
    }

    /// The bundles that the forge and the registry have of a digest.
    async fn bundles(&self, application: &Application, build: &Build) -> Result<(Digest, Found), Error> {
        let (forge, registry) = tokio::try_join!(
            async { Ok::<_, Error>(self.forge.attestations(&application.source.repository, &build.digest).await?) },
            async { Ok::<_, Error>(self.registries.referrers(&build.reference, &build.digest).await?) },
        )?;
        let bundles = forge.bundles.into_iter().chain(registry.bundles).collect();
        let left_out = forge.left_out.into_iter().chain(registry.left_out).collect();
        Ok((build.digest.clone(), Found { bundles, left_out }))
    }
}

/// What GitHub Actions posted, as far as that is known.
fn builder(asked: &Asked<'_>) -> Evidence {
    let Asked { application, builds, reports, wait, .. } = *asked;
    if let Some(known) = asked.proven(Kind::Builder) {
        return known;
    }
    if reports.is_none() && application.verify.builder == Wish::Required {
        let seen = "what GitHub Actions posted is known to the service alone".to_owned();
        return Evidence { kind: Kind::Builder, outcome: Outcome::Pending { until: wait.until }, seen, link: None };
    }
    evidence::builder(application, builds, reports.unwrap_or_default(), wait)
}
