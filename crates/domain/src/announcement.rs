//! What a sender says, and which application it is about.
//!
//! An announcement is a hint, never a fact: what a tag stands for is asked of the registry, and where a pull
//! request is, of the forge.

use std::{fmt, str::FromStr};

use crate::{
    application::{Application, Name, NotACommit, TagPattern},
    commit::Commit,
    forge,
    image::{self, Digest, Tag},
};

/// One thing that a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// A tag was pushed to an image repository.
    Pushed(Pushed),
    /// Something happened to pull requests or branches of a repository of the forge.
    Moved(Moved),
}

/// "Something happened to pull requests, checks or branches."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// In which repository.
    pub repository: forge::Repository,
    /// What of it.
    pub about: About,
    /// How soon it matters.
    pub haste: Haste,
}

/// What of a repository moved: whatever depends on nothing of it need not be looked at. It is written as a word and what
/// it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Anything: who may do what, or what we do not know.
    Repository,
    /// The tip of a branch.
    Branch(forge::Branch),
    /// What is known of a commit: its checks.
    Commit(Commit),
    /// A pull request.
    PullRequest(forge::Number),
}

/// Not what [`About`] is written as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a part of a repository")]
pub struct InvalidAbout;

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository => f.write_str("repository"),
            Self::Branch(branch) => write!(f, "branch {}", branch.as_str()),
            Self::Commit(commit) => write!(f, "commit {commit}"),
            Self::PullRequest(number) => write!(f, "pull-request {}", number.0),
        }
    }
}

impl FromStr for About {
    type Err = InvalidAbout;

    fn from_str(text: &str) -> Result<Self, InvalidAbout> {
        let (word, name) = text.split_once(' ').unwrap_or((text, ""));
        let about = match word {
            "repository" => Some(Self::Repository),
            "branch" => name.parse().ok().map(Self::Branch),
            "commit" => name.parse().ok().map(Self::Commit),
            "pull-request" => name.parse().ok().map(forge::Number).map(Self::PullRequest),
            _ => None,
        };
        about.ok_or(InvalidAbout)
    }
}

/// How soon it matters that something moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Haste {
    /// In a moment, together with what else moves until then: what we did ourselves is announced too, and checks come
    /// by the dozen.
    Soon,
    /// At once: a pull request may have ended.
    Now,
}

/// "This tag was pushed."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Where it was pushed to.
    pub repository: image::Repository,
    /// What was pushed.
    pub tag: Tag,
    /// What the sender says that the tag points to.
    pub claimed_digest: Option<Digest>,
    /// Which run built it, where the sender is one that has shown who it is.
    pub run: Option<BuildRun>,
}

/// A run of a workflow that built an image; its identity token named the repository and the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRun {
    /// The workflow, with its reference: `acme/mandelbrot/.github/workflows/release.yml@refs/heads/main`.
    pub workflow: String,
    /// Where people read the run.
    pub url: String,
}

/// An announced tag stands for a commit of an application, in one of its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// Whose image it is.
    pub application: &'a Application,
    /// The targets that pull from that repository; at least one.
    pub targets: Vec<&'a Name>,
    /// What the tag says it was built from.
    pub commit: Commit,
}

/// Why an announced tag is of no interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// No target pulls from that repository.
    NoApplication(image::Repository),
    /// The tag is that of a pull request's build.
    PullRequestTag(Tag),
    /// The tag does not spell a commit.
    NotACommit {
        /// What was pushed.
        tag: Tag,
        /// What the application expects.
        pattern: TagPattern,
    },
}

/// Finds the applications that an announced tag is about.
///
/// # Errors
///
/// It is about none; the reason is a sentence for people.
pub fn matches<'a>(applications: &'a [Application], pushed: &Pushed) -> Result<Vec<Match<'a>>, Ignored> {
    let mut found = Vec::new();
    let mut refused = None;
    for application in applications {
        let targets: Vec<&Name> = application
            .targets()
            .iter()
            .filter(|target| target.repository == pushed.repository)
            .map(|target| &target.name)
            .collect();
        if targets.is_empty() {
            continue;
        }
        match application.tag.commit(&pushed.tag) {
            Ok(commit) => found.push(Match { application, targets, commit }),
            Err(NotACommit::PullRequest) => {
                refused = Some(Ignored::PullRequestTag(pushed.tag.clone()));
            }
            Err(NotACommit::Other) => {
                refused = Some(Ignored::NotACommit { tag: pushed.tag.clone(), pattern: application.tag.clone() });
            }
        }
    }
    if found.is_empty() {
        return Err(refused.unwrap_or_else(|| Ignored::NoApplication(pushed.repository.clone())));
    }
    Ok(found)
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoApplication(repository) => write!(f, "no application uses {repository}"),
            Self::PullRequestTag(tag) => {
                write!(f, "pull-request tag: {tag} was built for a pull request")
            }
            Self::NotACommit { tag, pattern } => {
                write!(f, "tag does not name a commit: {tag} is not of the form {pattern}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
