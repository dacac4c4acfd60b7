//! The evidence about one image now, whether it is about to be released or not: `tagferry verify`.
//!
//! The same rules are asked as in a pass. What only the database knows is not known here: whether the tag had another
//! digest before, and what GitHub Actions posted.

use chrono::{DateTime, Utc};
use domain::{
    application::{Application, Demand, Name},
    commit::Commit,
    evidence::{self, Evidence, Kind, Outcome, Verdict, Wait, verdict},
    image::{Contents, Digest, Reference, Repository, Tag},
    release::{self, Build},
};

use crate::{Error, Planner, images::Asked};

/// An image that somebody asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub repository: Repository,
    /// Its tag; `None` for the one that stands for the commit.
    pub tag: Option<Tag>,
    /// The digest that it is to have; `None` for whichever it has.
    pub digest: Option<Digest>,
    /// The commit that it is to be built from; `None` for the one that the tag names, or else the image itself.
    pub commit: Option<Commit>,
}

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose policy it was held to.
    pub application: Name,
    /// The commit that it was held to; `None` when nothing names one.
    pub commit: Option<Commit>,
    /// The tag that it was asked for by.
    pub reference: Option<Reference>,
    /// The digest that the registry has for that tag.
    pub digest: Option<Digest>,
    /// What was verified, in the order of the kinds.
    pub evidence: Vec<Evidence>,
    /// What that adds up to.
    pub verdict: Verdict,
}

impl Planner {
    /// Finds out what is known of an image. Asks its registry and the forge, and changes nothing.
    ///
    /// # Errors
    ///
    /// The application is not configured, or the registry or the forge did not say.
    pub async fn verify(&self, application: &Name, image: &Image, now: DateTime<Utc>) -> Result<Verified, Error> {
        let application = self.outside().application(application)?.pulling_from(&image.repository);
        let commit = match self.commit(&application, image).await? {
            Ok(commit) => commit,
            Err(why) => return Ok(nameless(&application, why)),
        };
        let tag = image.tag.clone().unwrap_or_else(|| application.tag.tag(commit));
        let reference = Reference { repository: image.repository.clone(), tag };
        let digest = self.outside().registries.resolve(&reference).await?;
        let build = |digest: &Digest, target: &Name| Build {
            target: target.clone(),
            reference: reference.clone(),
            digest: digest.clone(),
            found_at: now,
        };
        let targets = application.targets().iter().map(|target| &target.name);
        let builds: Vec<Build> =
            digest.iter().flat_map(|digest| targets.clone().map(|one| build(digest, one))).collect();
        let mut evidence = self.evidence(&application, commit, (&builds, now)).await?;
        for one in &mut evidence {
            match (one.kind, &image.digest, &digest) {
                (Kind::Tag, ..) if application.tag.tag(commit) != reference.tag => {
                    *one = failed(Kind::Tag, format!("tag {} does not name commit {}", reference.tag, commit.short()));
                }
                (Kind::Image, Some(wanted), Some(has)) if wanted != has => {
                    *one = failed(Kind::Image, format!("{reference} is {has}, not {wanted}"));
                }
                (Kind::Immutable, ..) if application.verify.immutable == Demand::Required => {
                    one.outcome = Outcome::Skipped;
                    "whether the tag had another digest before is known to the service alone".clone_into(&mut one.seen);
                }
                _ => {}
            }
        }
        let verdict = verdict(&evidence);
        let (application, reference) = (application.name().clone(), Some(reference));
        Ok(Verified { application, commit: Some(commit), reference, digest, evidence, verdict })
    }

    async fn evidence(
        &self,
        application: &Application,
        commit: Commit,
        (builds, now): (&[Build], DateTime<Utc>),
    ) -> Result<Vec<Evidence>, Error> {
        let barrier = release::barrier(application, builds, now, now);
        let wait = Wait::new(application, builds, now, now);
        let asked = Asked { application, commit, builds, barrier: &barrier, recorded: &[], reports: None, wait };
        let (source, images) = tokio::try_join!(
            self.outside().source_evidence(application, commit, (&[], wait)),
            self.outside().image_evidence(&asked),
        )?;
        Ok([evidence::tag(application, commit)].into_iter().chain(source.evidence).chain(images).collect())
    }

    /// The commit that the image is held to, or why there is none.
    async fn commit(&self, application: &Application, image: &Image) -> Result<Result<Commit, String>, Error> {
        if let Some(commit) = image.commit {
            return Ok(Ok(commit));
        }
        match (&image.tag, &image.digest) {
            (Some(tag), _) => Ok(application.tag.commit(tag).map_err(|_not| {
                format!("tag {tag} does not name a commit, as {} would: say which it is to be", application.tag)
            })),
            (None, Some(digest)) => {
                // The tag is not asked for; only the repository matters.
                let tag = application.tag.tag(Commit::from_bytes([0; 20]));
                let reference = Reference { repository: image.repository.clone(), tag };
                let contents = self.outside().registries.inspect(&reference, digest).await?;
                Ok(match contents {
                    None => Err(format!("the registry has no {digest} in {}", image.repository)),
                    Some(contents) => said(&contents).ok_or_else(|| {
                        "the image does not say which commit it was built from: say which it is to be".to_owned()
                    }),
                })
            }
            (None, None) => Ok(Err("neither a tag nor a digest nor a commit is named".to_owned())),
        }
    }
}

/// The one commit that the images say.
fn said(contents: &Contents) -> Option<Commit> {
    let mut all = contents.images.iter().flat_map(|said| &said.revisions);
    let first: Commit = all.next()?.trim().to_ascii_lowercase().parse().ok()?;
    all.all(|other| other.trim().eq_ignore_ascii_case(&first.to_string())).then_some(first)
}

/// What is known of an image that no commit is named for.
fn nameless(application: &Application, why: String) -> Verified {
    let evidence = vec![failed(Kind::Tag, why)];
    let verdict = verdict(&evidence);
    Verified { application: application.name().clone(), commit: None, reference: None, digest: None, evidence, verdict }
}

fn failed(kind: Kind, seen: String) -> Evidence {
    Evidence { kind, outcome: Outcome::Failed, seen, link: None }
}
