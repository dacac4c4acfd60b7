//! Where the overlays stand at the tip of the base branch, and the edits that would move them to a release.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    application::{Application, Gitops, Name, Pin, Target},
    commit::Commit,
    fault::{Chain, Fault},
    forge::{Ancestry, Repository},
    image::{Digest, Tag},
    promotion::{self, Overlays, Standing},
    proposal::{Between, Move},
    release::{self, Build},
};
use kustomize::{Change, Image, Missing, NewName, Outcome, Refusal, Version};

use crate::{Error, kept::Kept, outside::Outside};

/// The files of a directory: names and contents.
type Files = Vec<(String, Vec<u8>)>;

/// Where the overlays are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Nowhere: nothing that comes next depends on them.
    Nowhere,
    /// At the tip of the base branch, which is asked for.
    Tip,
    /// At this commit, which was just seen at the tip.
    Commit(Commit),
}

/// What the directories of a commit hold, which never changes: repository, commit and directories are what is asked.
pub(crate) type Texts = Kept<(Repository, Commit, Vec<String>), Vec<Option<Files>>>;

/// The overlays at the tip of the base branch.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Where all of them stand.
    pub(crate) overlays: Overlays,
    /// The edit that would move them; `None` when the base branch can not be read.
    pub(crate) edit: Option<Edit>,
}

/// What would move the overlays of a release from one tip of the base branch.
#[derive(Debug)]
pub(crate) struct Edit {
    /// The tip.
    pub(crate) tip: Commit,
    /// The files that would change.
    pub(crate) files: Vec<Rewritten>,
    /// What people are told about them; one for each target with an edit.
    pub(crate) moves: Vec<Move>,
    /// What the source repository has between what they name now and the release, once for each commit that they name.
    pub(crate) between: Vec<Between>,
}

/// A file as it is and as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Where it is, from the repository's root.
    pub path: String,
    /// What it holds at the tip of the base branch.
    pub before: Vec<u8>,
    /// What it would hold.
    pub after: Vec<u8>,
}

/// A release as overlays name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) application: &'a Application,
    /// Where this release goes, which stays the same when the configuration changes meanwhile.
    pub(crate) gitops: &'a Gitops,
    pub(crate) commit: Commit,
    pub(crate) builds: &'a [Build],
}

/// One overlay, read and edited.
struct Edited {
    path: String,
    text: Vec<u8>,
    before: Image,
    after: String,
    outcome: Outcome,
}

impl Outside {
    /// Reads and edits all overlays of a release.
    ///
    /// What only a person can mend is no failure of the pass: a pull request that is merged or closed meanwhile is
    /// to be recorded all the same.
    pub(crate) async fn overlays(&self, wanted: &Wanted<'_>, at: At) -> Result<Seen, Error> {
        match self.read_overlays(wanted, at).await {
            Err(error) if error.fault() == Fault::Permanent => {
                Ok(Seen { overlays: Overlays::Unreadable(Chain(&error).to_string()), edit: None })
            }
            seen => seen,
        }
    }

    async fn read_overlays(&self, wanted: &Wanted<'_>, at: At) -> Result<Seen, Error> {
        let Wanted { application, .. } = wanted;
        let Some((tip, found)) = self.read(wanted, at).await? else {
            return Ok(Seen { overlays: Overlays::Unread, edit: None });
        };
        let mut standings = Vec::new();
        let (mut files_by_path, mut moves, mut between) = (BTreeMap::new(), Vec::new(), Vec::<Between>::new());
        for (target, files) in application.targets().iter().zip(&*found) {
            let standing = match edit(wanted, target, files.as_deref()) {
                Err(why) => Standing::Unreadable(why),
                Ok(edited) => {
                    let (standing, history) = self.standing(wanted, &edited).await?;
                    let new = history.filter(|new| between.iter().all(|known| known.from != new.from));
                    between.extend(new);
                    if edited.outcome == Outcome::Changed {
                        moves.extend(describe(wanted, target, &edited));
                        files_by_path.insert(edited.path, (edited.text, edited.after.into_bytes()));
                    }
                    standing
                }
            };
            standings.push((target.name.clone(), standing));
        }
        let files =
            files_by_path.into_iter().map(|(path, (before, after))| Rewritten { path, before, after }).collect();
        Ok(Seen { overlays: promotion::overlays(standings), edit: Some(Edit { tip, files, moves, between }) })
    }

    /// The commit that was read and the kustomizations of all targets there, in their order; `None` where there is no
    /// directory. No request where that commit was read before.
    async fn read(&self, wanted: &Wanted<'_>, at: At) -> Result<Option<(Commit, Arc<Vec<Option<Files>>>)>, Error> {
        let Wanted { application, gitops, .. } = wanted;
        let directories: Vec<&str> = application.targets().iter().map(|target| target.overlay.as_str()).collect();
        let question = |tip| {
            let directories = directories.iter().map(|&directory| directory.to_owned()).collect();
            (gitops.repository.clone(), tip, directories)
        };
        let known = match at {
            At::Nowhere => return Ok(None),
            At::Tip => None,
            At::Commit(tip) => self.texts.get(&question(tip)).map(|found| (tip, found)),
        };
        if known.is_some() {
            return Ok(known);
        }
        let (tip, found) =
            self.forge.read_tip(&gitops.repository, &gitops.base, &directories, &kustomize::FILE_NAMES).await?;
        Ok(Some((tip, self.texts.put(question(tip), found))))
    }

    /// Where one overlay stands, and what came after that: its tag names a commit, and the source repository says
    /// whether that is older.
    ///
    /// A tag that names no commit, or one that the source repository does not know, is older than any release:
    /// there is nothing that could be moved backwards.
    async fn standing(&self, wanted: &Wanted<'_>, edited: &Edited) -> Result<(Standing, Option<Between>), Error> {
        if edited.outcome == Outcome::Unchanged {
            return Ok((Standing::Current, None));
        }
        let Wanted { application, commit, .. } = wanted;
        let Some(now) = edited.commit(application) else {
            return Ok((Standing::Behind, None));
        };
        let Some(comparison) = self.comparison(&application.source.repository, now, *commit).await? else {
            return Ok((Standing::Behind, None));
        };
        let standing = match comparison.ancestry {
            Ancestry::Same | Ancestry::Ancestor => Standing::Behind,
            Ancestry::Descendant => Standing::Ahead(now),
            Ancestry::Unrelated => Standing::Unrelated(now),
        };
        Ok((standing, comparison.between.clone()))
    }
}

impl Edited {
    /// The commit that its tag stood for before the edit.
    fn commit(&self, application: &Application) -> Option<Commit> {
        let tag = self.before.new_tag.as_deref()?.parse::<Tag>().ok()?;
        application.tag.commit(&tag).ok()
    }
}

/// For each target of an application, the file that would be edited, or the sentence why it can not be.
pub(crate) async fn editable<'a>(
    outside: &Outside,
    application: &'a Application,
) -> Result<Vec<(&'a Target, Result<String, String>)>, Error> {
    // Any commit will do: nothing is written.
    let commit = Commit::from_bytes([0; 20]);
    let wanted = Wanted { application, gitops: &application.gitops, commit, builds: &[] };
    let Some((_tip, found)) = outside.read(&wanted, At::Tip).await? else { return Ok(Vec::new()) };
    let targets = application.targets().iter().zip(&*found);
    Ok(targets.map(|(target, files)| (target, edit(&wanted, target, files.as_deref()).map(|one| one.path))).collect())
}

/// What the overlays of an application name at the tip of the base branch, as far as they can be read.
pub(crate) async fn images(outside: &Outside, application: &Application) -> Result<Vec<(Name, Image)>, Error> {
    let commit = Commit::from_bytes([0; 20]);
    let wanted = Wanted { application, gitops: &application.gitops, commit, builds: &[] };
    let Some((_tip, found)) = outside.read(&wanted, At::Tip).await? else { return Ok(Vec::new()) };
    let targets = application.targets().iter().zip(&*found);
    let image = |target, files: Option<&[_]>| edit(&wanted, target, files).ok().map(|edited| edited.before);
    Ok(targets.filter_map(|(target, files)| Some((target.name.clone(), image(target, files.as_deref())?))).collect())
}

/// Edits one overlay; the sentence says why it can not be.
fn edit(wanted: &Wanted<'_>, target: &Target, files: Option<&[(String, Vec<u8>)]>) -> Result<Edited, String> {
    let overlay = &target.overlay;
    let files = files.ok_or_else(|| format!("there is no directory {overlay} at the base branch"))?;
    let name = kustomize::kustomization_file(files.iter().map(|(name, _)| name.as_str()))
        .map_err(|why| format!("{overlay}: {why}"))?;
    let path = overlay.join(name);
    let text = files.iter().find(|(file, _)| file == name).map_or(&[][..], |(_, bytes)| bytes.as_slice());
    let says = |why: &Refusal| format!("{path}: {why}");
    let change = change(wanted, target);
    let before = kustomize::image_in(text, &change.image).map_err(|why| says(&why))?;
    let edit = kustomize::set_image(text, &change).map_err(|why| says(&why))?;
    let outcome = edit.outcome();
    let before =
        before.unwrap_or_else(|| Image { name: change.image.to_string(), new_name: None, new_tag: None, digest: None });
    Ok(Edited { path, text: text.to_owned(), before, after: edit.into_text(), outcome })
}

/// The change that makes an overlay name the release.
fn change(wanted: &Wanted<'_>, target: &Target) -> Change {
    let Wanted { application, commit, builds, .. } = wanted;
    let tag = application.tag.tag(*commit);
    let pinned: Option<&Digest> = match application.release.pin {
        Pin::Tag => None,
        Pin::TagAndDigest => release::digest(builds, &target.name),
    };
    let version = match pinned {
        None => Version::Tag(tag.into()),
        Some(digest) => Version::TagAndDigest(tag.into(), digest.clone().into()),
    };
    Change {
        image: application.image.clone(),
        new_name: NewName::Set(target.repository.clone().into()),
        version,
        missing: Missing::Refuse,
    }
}

/// What people are told about an edit; nothing while the target has no build.
fn describe(wanted: &Wanted<'_>, target: &Target, edited: &Edited) -> Option<Move> {
    let digest = release::digest(wanted.builds, &target.name)?.clone();
    Some(Move {
        target: target.name.clone(),
        repository: target.repository.clone(),
        from: edited.before.new_tag.clone(),
        from_commit: edited.commit(wanted.application),
        to: wanted.application.tag.tag(wanted.commit),
        digest,
        path: edited.path.clone(),
    })
}
