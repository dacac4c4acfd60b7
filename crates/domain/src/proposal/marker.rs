//! What stands at the end of each body, unseen on the page: by it Tagferry knows its own text, and what people changed.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::Move;
use crate::{application::Name, commit::Commit, image::Digest};

/// How the marker begins. Its number is the version of its form: one of another version says nothing.
const FIRST: &str = "<!-- tagferry:2";

/// How it ends.
const LAST: &str = "-->";

/// What a body says of itself to Tagferry: which release it tells of, and what we wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// What is released.
    pub application: Name,
    /// At which commit.
    pub commit: Commit,
    /// What the tag of each target points to, in the order of the configuration. Of very many targets, the first ones.
    pub digests: Vec<(Name, Digest)>,
    title: Print,
    rest: Print,
}

/// Who wrote what a pull request says, last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authors {
    /// Of its title.
    pub title: Author,
    /// Of its body.
    pub body: Author,
}

/// Who wrote a text last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// It is as Tagferry wrote it: it can be written anew.
    Tagferry,
    /// A person, or another program, has changed it: it is theirs.
    Person,
}

/// The SHA-256 of a text in hexadecimal, without what the forge changes in it or a click does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Print(String);

/// A body around its marker.
struct Parts<'a> {
    before: &'a str,
    inside: &'a str,
    after: &'a str,
}

impl Marker {
    /// The marker of a body; `None` where there is none that is whole, as in a body that a person wrote.
    #[must_use]
    pub fn find(body: &str) -> Option<Self> {
        Self::parse(Parts::of(body)?.inside)
    }

    /// The key of the release, which is in the commit's trailer `Release-Id` as well.
    #[must_use]
    pub fn release_id(&self) -> String {
        release_id(&self.application, self.commit)
    }

    /// The marker of a text that tells of these moves, under this title.
    pub(super) fn new(application: &Name, commit: Commit, moves: &[Move], title: &str, text: &str) -> Self {
        let digests = moves.iter().map(|one| (one.target.clone(), one.digest.clone())).collect();
        Self { application: application.clone(), commit, digests, title: Print::of(title), rest: Print::of(text) }
    }

    fn parse(inside: &str) -> Option<Self> {
        let mut lines = inside.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
        let (application, commit) = lines.next()?.strip_prefix("release ")?.split_once('/')?;
        let mut digests = Vec::new();
        while let Some(row) = lines.next_if(|line| line.starts_with("digest ")) {
            let (target, digest) = row.strip_prefix("digest ")?.split_once(' ')?;
            digests.push((target.parse().ok()?, digest.parse().ok()?));
        }
        let title = Print(lines.next()?.strip_prefix("title ")?.to_owned());
        let rest = Print(lines.next()?.strip_prefix("body ")?.to_owned());
        let marker =
            Self { application: application.parse().ok()?, commit: commit.parse().ok()?, digests, title, rest };
        lines.next().is_none().then_some(marker)
    }
}

impl Authors {
    /// Who wrote the title and the body of a pull request that Tagferry opened.
    ///
    /// A click on a box of the list of evidence is no change, and neither are other ends of lines. Where the marker is
    /// gone or damaged nobody knows what we wrote, so that both are taken for a person's.
    #[must_use]
    pub fn of(title: &str, body: &str) -> Self {
        let marked = Parts::of(body).and_then(|parts| Some((Marker::parse(parts.inside)?, parts.rest())));
        let Some((marker, rest)) = marked else {
            return Self { title: Author::Person, body: Author::Person };
        };
        let author = |is_ours: bool| if is_ours { Author::Tagferry } else { Author::Person };
        Self { title: author(marker.title == Print::of(title)), body: author(marker.rest == Print::of(&rest)) }
    }
}

impl<'a> Parts<'a> {
    /// What stands around the last marker; only at the beginning of a line is it one.
    fn of(body: &'a str) -> Option<Self> {
        let begins_line = |at: usize| at == 0 || body.get(..at).is_some_and(|before| before.ends_with('\n'));
        let (at, _) = body.rmatch_indices(FIRST).find(|(at, _)| begins_line(*at))?;
        let (before, marker) = body.split_at(at);
        let (inside, after) = marker.strip_prefix(FIRST)?.split_once(LAST)?;
        inside.starts_with(['\n', '\r']).then_some(Self { before, inside, after })
    }

    fn rest(&self) -> String {
        format!("{}\n{}", self.before, self.after)
    }
}

impl Print {
    fn of(text: &str) -> Self {
        let mut same = String::with_capacity(text.len());
        for line in text.lines() {
            let unticked = line.strip_prefix("- [x] ").or_else(|| line.strip_prefix("- [X] "));
            match unticked {
                Some(entry) => same.extend(["- [ ] ", entry.trim_end(), "\n"]),
                None => same.extend([line.trim_end(), "\n"]),
            }
        }
        let digest = Sha256::digest(same.trim());
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}\nrelease {}", self.release_id())?;
        for (target, digest) in &self.digests {
            writeln!(f, "digest {target} {digest}")?;
        }
        writeln!(f, "title {}\nbody {}\n{LAST}", self.title.0, self.rest.0)
    }
}

/// The key of a release wherever it has to mean something without our store: the application and the commit, of which
/// there is one release. A number of the store's would begin again with another store.
pub(super) fn release_id(application: &Name, commit: Commit) -> String {
    format!("{application}/{commit}")
}

#[cfg(test)]
mod tests;
