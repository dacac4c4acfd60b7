//! What nobody told us: releases that Git tells of, overlays that were edited by hand, and images that were pushed
//! unheard.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    announcement::{Announcement, Pushed},
    application::{Application, Name},
    commit::Commit,
    image::{self, Reference, Tag},
    missed::{Known, Told, missed},
    release::{Build, newest},
};
use kustomize::Image;
use registry::{Listing, Tags, Validator};
use store::{Drift, Element, NewDelivery, Note, Past, Recorded, ReleaseId, Replay};
use tracing::{info, warn};

use crate::{Error, Reconciler, outside::Outside, overlays};

/// The sender of deliveries that we make of what nobody else announced.
pub(crate) const SENDER: &str = "reconciliation";

/// The tags of image repositories as they were listed last, to be asked whether they are still so.
#[derive(Debug, Default)]
pub(crate) struct Listed(Mutex<BTreeMap<image::Repository, OnceListed>>);

/// What a registry knows a list by, and the list.
type OnceListed = (Validator, Arc<BTreeSet<Tag>>);

/// What is known of the images of an application.
struct Images {
    there: BTreeMap<Name, Arc<BTreeSet<Tag>>>,
    recorded: BTreeSet<(Name, Commit)>,
    deployed: BTreeMap<Name, Commit>,
}

impl Known for Images {
    fn has(&self, target: &Name, tag: &Tag) -> bool {
        self.there.get(target).is_some_and(|tags| tags.contains(tag))
    }

    fn is_recorded(&self, target: &Name, commit: Commit) -> bool {
        self.recorded.contains(&(target.clone(), commit))
    }

    fn deployed(&self, target: &Name) -> Option<Commit> {
        self.deployed.get(target).copied()
    }
}

impl Reconciler {
    /// Looks for what happened without that anybody told us, and records it.
    pub(crate) async fn look_for_missed(&self, application: &Application) -> Result<(), Error> {
        self.recall(application).await?;
        let before = self.at_rest(application).await?;
        let overlays = overlays::images(&self.outside, application).await?;
        let after = self.at_rest(application).await?;
        // What was merged while they were read may be in them, or not.
        if let Some(release) = after.filter(|_| before == after) {
            self.watch_drift(application, release, &overlays).await?;
        }
        self.announce_missed(application, &overlays).await
    }

    /// Records the releases that the history of the base branch tells of and we do not know, oldest first.
    async fn recall(&self, application: &Application) -> Result<(), Error> {
        let gitops = &application.gitops;
        let history = self.outside.forge.history(&gitops.repository, &gitops.base).await?;
        let mine = history.iter().rev().filter_map(|past| Some((past, Told::read(&past.message)?)));
        let mine: Vec<_> = mine.filter(|(_, told)| told.application == *application.name()).collect();
        let commits: Vec<Commit> = mine.iter().map(|(_, told)| told.commit).collect();
        let known = self.store.promoted(application.name(), &commits).await?;
        for (past, told) in mine.iter().filter(|(_, told)| !known.contains(&told.commit)) {
            let tag = application.tag.tag(told.commit);
            let build = |(name, digest): &(Name, image::Digest)| {
                let target = application.targets().iter().find(|target| target.name == *name)?;
                let reference = Reference { repository: target.repository.clone(), tag: tag.clone() };
                Some(Build { target: name.clone(), reference, digest: digest.clone(), found_at: past.committed_at })
            };
            let builds: Vec<Build> = told.digests.iter().filter_map(build).collect();
            if builds.is_empty() {
                // It moved none of the targets that there are now.
                continue;
            }
            let recorded = Past {
                application: application.name(),
                commit: told.commit,
                gitops: &gitops.repository,
                base: &gitops.base,
                merge: past.commit,
                merged_at: past.committed_at,
                pull_request: self.outside.forge.pull_request_of(&gitops.repository, past.commit).await?,
                builds: &builds,
            };
            if self.store.record_past(&recorded).await? {
                let (name, commit) = (application.name(), told.commit);
                info!(application = %name, %commit, "a release is known again: the history of the base branch tells it");
            }
        }
        Ok(())
    }

    /// The release that the overlays should have; `None` while one is on its way, which may be merged at any moment.
    async fn at_rest(&self, application: &Application) -> Result<Option<ReleaseId>, Error> {
        if self.store.is_on_its_way(application.name()).await? {
            return Ok(None);
        }
        Ok(self.store.deployed(application.name()).await?)
    }

    /// Says which overlays name something else than that release put there; nothing is done about it.
    async fn watch_drift(
        &self,
        application: &Application,
        release: ReleaseId,
        overlays: &[(Name, Image)],
    ) -> Result<(), Error> {
        let builds = self.store.builds(release).await?;
        for (target, image) in overlays {
            let Some(build) = newest(&builds, target) else { continue };
            let Some(has) = other_than(build, image) else {
                if self.store.end_drift(application.name(), target).await? {
                    info!(application = %application.name(), target_name = %target, "an overlay has what was released again");
                }
                continue;
            };
            let (released, since) = (build.reference.tag.to_string(), self.store.now());
            let drift = Drift { application: application.name().clone(), target: target.clone(), released, has, since };
            if self.store.record_drift(&drift).await? {
                let why = told(&drift);
                warn!(application = %application.name(), target_name = %target, "an overlay has drifted: {why}");
                self.store.note_release(release, &Note { what: "drift", why, link: None }, since).await?;
            }
        }
        Ok(())
    }

    /// Announces images to ourselves that nobody else announced; from then on they are like any other.
    async fn announce_missed(&self, application: &Application, overlays: &[(Name, Image)]) -> Result<(), Error> {
        // A mirror says where a commit is, and not which came first.
        if self.outside.witnesses.mirrors.contains_key(application.name()) {
            return Ok(());
        }
        let there = self.outside.tags(application).await?;
        for branch in self.outside.branches(application).await? {
            let history = self.outside.forge.history(&application.source.repository, &branch).await?;
            let history: Vec<Commit> = history.iter().map(|past| past.commit).collect();
            let recorded = self.store.built(application.name(), &history).await?;
            let commit = |image: &Image| application.tag.commit(&image.new_tag.as_ref()?.parse().ok()?).ok();
            let images = Images {
                there: there.clone(),
                recorded: recorded.into_iter().map(|(commit, target)| (target, commit)).collect(),
                deployed: overlays.iter().filter_map(|(name, image)| Some((name.clone(), commit(image)?))).collect(),
            };
            for reference in missed(application, &history, &images) {
                self.announce(&reference).await?;
            }
        }
        Ok(())
    }

    async fn announce(&self, reference: &Reference) -> Result<(), Error> {
        let Reference { repository, tag } = reference.clone();
        let pushed = Announcement::Pushed(Pushed { repository, tag, claimed_digest: None, run: None });
        let new = NewDelivery {
            sender: SENDER,
            sender_delivery_id: &reference.to_string(),
            received_at: self.store.now(),
            body: b"",
            elements: vec![Element::Announced(pushed)],
        };
        if let Recorded::Repeated(delivery) = self.store.record_delivery(&new).await? {
            // It was announced before, and came to nothing.
            let replay = Replay { by: SENDER, at: new.received_at, read_anew: &[] };
            self.store.replay_delivery(delivery, &replay).await?;
        } else {
            info!(image.repository = %reference.repository, image.tag = %reference.tag, "an image was found that nobody announced");
        }
        self.waker.wake();
        Ok(())
    }
}

impl Outside {
    /// The tags of each target's image repository.
    async fn tags(&self, application: &Application) -> Result<BTreeMap<Name, Arc<BTreeSet<Tag>>>, Error> {
        let mut all = BTreeMap::new();
        for target in application.targets() {
            let known = self.listed.get(&target.repository);
            let validator = known.as_ref().map(|(validator, _)| validator);
            let tags = match self.registries.tags(&target.repository, validator).await? {
                Listing::Tags(Tags { tags, validator, .. }) => {
                    let tags = Arc::new(tags);
                    self.listed.put(&target.repository, validator, &tags);
                    tags
                }
                Listing::Unchanged => known.map(|(_, tags)| tags).unwrap_or_default(),
                Listing::Absent => Arc::default(),
            };
            all.insert(target.name.clone(), tags);
        }
        Ok(all)
    }

    /// The branches that releases come from.
    async fn branches(&self, application: &Application) -> Result<Vec<domain::forge::Branch>, Error> {
        let mut all = Vec::new();
        for pattern in &application.source.branches {
            all.extend(self.forge.branches_like(&application.source.repository, pattern).await?);
        }
        Ok(all)
    }
}

impl Listed {
    fn get(&self, repository: &image::Repository) -> Option<OnceListed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned()
    }

    fn put(&self, repository: &image::Repository, validator: Option<Validator>, tags: &Arc<BTreeSet<Tag>>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match validator {
            Some(validator) => known.insert(repository.clone(), (validator, Arc::clone(tags))),
            None => known.remove(repository),
        };
    }
}

/// What an overlay names where that is not what was released; an overlay without a digest is the tag's.
fn other_than(build: &Build, image: &Image) -> Option<Option<String>> {
    let Reference { repository, tag } = &build.reference;
    let is_name = image.new_name.as_deref() == Some(repository.to_string().as_str());
    let is_tag = image.new_tag.as_deref() == Some(tag.as_str());
    let is_digest = image.digest.as_deref().is_none_or(|digest| digest == build.digest.as_str());
    if is_name && is_tag && is_digest {
        return None;
    }
    if is_name && is_digest {
        return Some(image.new_tag.clone());
    }
    // The tag alone would not say what was edited.
    let name = image.new_name.as_deref().unwrap_or(&image.name);
    let tag = image.new_tag.as_deref().map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = image.digest.as_deref().map(|digest| format!("@{digest}")).unwrap_or_default();
    Some(Some(format!("{name}{tag}{digest}")))
}

/// What drifted, in a sentence.
fn told(drift: &Drift) -> String {
    let Drift { target, released, has, .. } = drift;
    let has = has.as_deref().map_or_else(|| "no tag".to_owned(), |has| format!("{has:?}"));
    format!(
        "the overlay of {target} has {has}, and not {released}: somebody edited it. It stays so until a newer release"
    )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn has(name: Option<&str>, tag: Option<&str>, digest: Option<&str>) -> Option<Option<String>> {
        let build = Build {
            target: "aws".parse().unwrap(),
            reference: Reference { repository: "r.example/app".parse().unwrap(), tag: "sha-1".parse().unwrap() },
            digest: format!("sha256:{}", "ab".repeat(32)).parse().unwrap(),
            found_at: DateTime::UNIX_EPOCH,
        };
        let own = |text: Option<&str>| text.map(str::to_owned);
        other_than(
            &build,
            &Image { name: "app".to_owned(), new_name: own(name), new_tag: own(tag), digest: own(digest) },
        )
    }

    #[test]
    fn an_overlay_has_drifted_when_its_name_tag_or_digest_is_another() {
        let (name, tag) = (Some("r.example/app"), Some("sha-1"));
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(has(name, tag, None), None);
        assert_eq!(has(name, tag, Some(&digest)), None);
        assert_eq!(has(name, Some("v1"), None), Some(Some("v1".to_owned())));
        assert_eq!(has(name, None, None), Some(None));
        assert_eq!(has(Some("evil.example/app"), tag, None), Some(Some("evil.example/app:sha-1".to_owned())));
        assert_eq!(has(None, tag, None), Some(Some("app:sha-1".to_owned())));
        assert_eq!(has(name, tag, Some("sha256:cd")), Some(Some("r.example/app:sha-1@sha256:cd".to_owned())));
    }
}
