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
use store::{Drift, Element, NewDelivery, Note, Past};
use tracing::{info, warn};

use crate::{Error, Reconciler, outside::Outside, overlays};

/// The sender of deliveries that we make of what nobody else announced.
const SENDER: &str = "reconciliation";

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
        let overlays = overlays::images(&self.outside, application).await?;
        self.watch_drift(application, &overlays).await?;
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

    /// Says which overlays name something else than the last release put there; nothing is done about it.
    async fn watch_drift(&self, application: &Application, overlays: &[(Name, Image)]) -> Result<(), Error> {
        // One that is on its way may have been merged a moment ago.
        if self.store.is_on_its_way(application.name()).await? {
            return Ok(());
        }
        let Some(release) = self.store.deployed(application.name()).await? else { return Ok(()) };
        let builds = self.store.builds(release).await?;
        for (target, image) in overlays {
            let Some(build) = newest(&builds, target) else { continue };
            let released = build.reference.tag.to_string();
            if image.new_tag.as_deref() == Some(released.as_str()) {
                if self.store.end_drift(application.name(), target).await? {
                    info!(application = %application.name(), target_name = %target, "an overlay has what was released again");
                }
                continue;
            }
            let (has, since) = (image.new_tag.clone(), self.store.now());
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
        self.store.record_delivery(&new).await?;
        self.waker.wake();
        info!(image.repository = %reference.repository, image.tag = %reference.tag, "an image was found that nobody announced");
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

/// What drifted, in a sentence.
fn told(drift: &Drift) -> String {
    let Drift { target, released, has, .. } = drift;
    let has = has.as_deref().map_or_else(|| "no tag".to_owned(), |has| format!("{has:?}"));
    format!(
        "the overlay of {target} has {has}, and not {released}: somebody edited it. It stays so until a newer release"
    )
}
