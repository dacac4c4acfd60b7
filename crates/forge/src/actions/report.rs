//! What a workflow says of the images that it has pushed.

use std::collections::BTreeSet;

use domain::{
    announcement::{Pushed, matches},
    application::Application,
    excerpt::{MOST_UNUSABLE, excerpt},
    image::{Digest, Repository, Tag},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::Run;

/// How many builds one report holds at most: one for each cloud, with room.
const MOST_BUILDS: usize = 50;

/// How many tags and how many images one build holds at most.
const MOST_NAMES: usize = 50;

/// How many announcements one report makes at most.
const MOST_PUSHED: usize = 1_000;

/// A report, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was pushed, without repetitions.
    pub pushed: Vec<Pushed>,
    /// What of it can not be used; bounded in number.
    pub unusable: Vec<Unusable>,
}

/// A part of a report that can not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// How it begins; bounded in length.
    pub text: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// The report can not be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    Json(String),
    /// It is JSON of another kind, or without a build.
    #[error("the body is neither a build nor a list of builds")]
    Kind,
    /// More builds than a release has targets.
    #[error("the body has {0} builds; at most {MOST_BUILDS} are taken")]
    TooMany(usize),
}

/// One build, as the workflow says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    cloud: String,
    repository: String,
    tags: OneOrMany<String>,
    images: OneOrMany<Image>,
    /// For people; it is in the delivery's body.
    #[serde(default, rename = "run_url")]
    _run_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Image {
    Name(String),
    Pinned(Pinned),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    image: String,
    #[serde(default)]
    digest: Option<String>,
}

/// An image reference, cut; the tag and the digest as they are written.
struct Cut<'t> {
    repository: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

impl Report {
    /// Reads the body of a run whose word counts; one bad build does not drop the good ones beside it.
    ///
    /// What a build says of itself must agree with the token: its repository, and the commit that each tag names.
    /// `address` is where people find the repositories of the forge.
    ///
    /// # Errors
    ///
    /// The body as a whole can not be read.
    pub fn read(run: &Run, body: &[u8], (applications, address): (&[Application], &str)) -> Result<Self, Invalid> {
        let body: &RawValue = serde_json::from_slice(body).map_err(|error| Invalid::Json(error.to_string()))?;
        let builds: Vec<&RawValue> = match body.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(body.get()).map_err(|error| Invalid::Json(error.to_string()))?,
            Some(b'{') => vec![body],
            _ => return Err(Invalid::Kind),
        };
        match builds.len() {
            0 => return Err(Invalid::Kind),
            many if many > MOST_BUILDS => return Err(Invalid::TooMany(many)),
            _ => {}
        }
        let mut reading = Reading::default();
        for text in builds {
            match build(run, text.get()) {
                Err(reason) => reading.refuse(text.get(), &reason),
                Ok((cloud, pushed)) => {
                    let agreed = pushed.into_iter().map(|one| {
                        agree(run, &cloud, one, applications).map(|one| Pushed { run: Some(run.built(address)), ..one })
                    });
                    agreed.for_each(|one| reading.take(text.get(), one));
                }
            }
        }
        Ok(reading.report)
    }
}

/// A report that is being read.
#[derive(Default)]
struct Reading {
    report: Report,
    /// What was pushed so far: a report may say the same a hundred thousand times.
    seen: BTreeSet<(Repository, Tag)>,
}

impl Reading {
    /// Takes what agrees, once, and tells why the rest does not.
    fn take(&mut self, text: &str, agreed: Result<Pushed, String>) {
        match agreed {
            Err(reason) => self.refuse(text, &reason),
            Ok(_) if self.report.pushed.len() == MOST_PUSHED => {
                self.refuse(text, &format!("only the first {MOST_PUSHED} images and tags of a report are taken"));
            }
            Ok(one) => {
                if self.seen.insert((one.repository.clone(), one.tag.clone())) {
                    self.report.pushed.push(one);
                }
            }
        }
    }

    fn refuse(&mut self, text: &str, reason: &str) {
        if self.report.unusable.len() < MOST_UNUSABLE {
            self.report.unusable.push(Unusable { text: excerpt(text), reason: excerpt(reason) });
        }
    }
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// One build's target and what it has pushed; the sentence names the field that is wrong.
fn build(run: &Run, text: &str) -> Result<(String, Vec<Pushed>), String> {
    // A derived struct is also read from an array, its fields by position.
    if !text.starts_with('{') {
        return Err("a build is a JSON object".to_owned());
    }
    let build: Build = serde_json::from_str(text).map_err(|error| field(text, &error))?;
    let repository: Result<domain::forge::Repository, _> = build.repository.parse();
    if !repository.is_ok_and(|repository| repository == run.repository) {
        return Err(format!("repository: the token was made for {}", run.repository));
    }
    let (tags, images) = (build.tags.into_vec(), build.images.into_vec());
    if tags.is_empty() || images.is_empty() || tags.len().max(images.len()) > MOST_NAMES {
        return Err(format!("tags, images: 1 to {MOST_NAMES} of each are expected"));
    }
    let tags: Vec<Tag> =
        tags.iter().map(|tag| tag.parse().map_err(|why| format!("tags: {why}"))).collect::<Result<_, _>>()?;
    let mut pushed = Vec::new();
    for image in images {
        let (name, digest) = match image {
            Image::Name(name) => (name, None),
            Image::Pinned(Pinned { image, digest }) => (image, digest),
        };
        pushed.extend(image_at(&name, digest.as_deref(), &tags)?);
    }
    Ok((build.cloud, pushed))
}

/// What serde says, with the field where it does not name one.
fn field(text: &str, error: &serde_json::Error) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let is_text = |key: &str| value.get(key).is_none_or(Value::is_string);
    let wrong = ["cloud", "repository"].into_iter().find(|key| !is_text(key));
    match wrong {
        Some(key) => format!("{key}: text was expected"),
        None if error.to_string().contains("untagged") => {
            "tags, images: a text or a list of texts was expected; an image may be { image, digest }".to_owned()
        }
        None => error.to_string(),
    }
}

/// An image at each of the tags, or at the one that it names itself.
fn image_at(name: &str, digest: Option<&str>, tags: &[Tag]) -> Result<Vec<Pushed>, String> {
    let cut = cut(name);
    let repository: Repository = cut.repository.parse().map_err(|why| format!("images: {name:?}: {why}"))?;
    let claimed: Option<Digest> = match digest.or(cut.digest) {
        Some(digest) => Some(digest.parse().map_err(|why| format!("images: {name:?}: {why}"))?),
        None => None,
    };
    let tags = match cut.tag {
        None => tags.to_vec(),
        Some(tag) => match tags.iter().find(|known| known.as_str() == tag) {
            Some(tag) => vec![tag.clone()],
            None => return Err(format!("images: {name:?} has a tag that is not among tags")),
        },
    };
    let pushed = |tag| Pushed { repository: repository.clone(), tag, claimed_digest: claimed.clone(), run: None };
    Ok(tags.into_iter().map(pushed).collect())
}

/// Cuts behind the last slash; before it a colon belongs to a host.
fn cut(reference: &str) -> Cut<'_> {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let slash = rest.rfind('/').unwrap_or_default();
    match rest.get(slash..).and_then(|name| name.find(':')) {
        Some(colon) => {
            let (repository, tag) = rest.split_at_checked(slash + colon).unwrap_or((rest, ""));
            Cut { repository, tag: tag.strip_prefix(':'), digest }
        }
        None => Cut { repository: rest, tag: None, digest },
    }
}

/// Compares what is said with the applications that it is about; what is about none is told later why it is ignored.
fn agree(run: &Run, cloud: &str, pushed: Pushed, applications: &[Application]) -> Result<Pushed, String> {
    for found in matches(applications, &pushed).into_iter().flatten() {
        let source = &found.application.source.repository;
        if *source != run.repository {
            let name = found.application.name().as_str();
            return Err(format!(
                "images: {} is built from {source} ({name}), not from {}",
                pushed.repository, run.repository
            ));
        }
        if found.application.source.id.is_some_and(|id| id != run.repository_id) {
            let (name, id) = (found.application.name().as_str(), run.repository_id);
            return Err(format!(
                "repository: {source} has the number {id} by now, which {name} is not built from (source.id)"
            ));
        }
        if found.commit != run.commit {
            let (tag, token) = (found.commit.short(), run.commit.short());
            return Err(format!("tags: {} names commit {tag}, and the token was made for {token}", pushed.tag));
        }
        if !found.targets.iter().any(|target| target.as_str() == cloud) {
            let targets: Vec<&str> = found.targets.iter().map(|target| target.as_str()).collect();
            return Err(format!("cloud: {} belongs to {}, not to {cloud:?}", pushed.repository, targets.join(", ")));
        }
    }
    Ok(pushed)
}
