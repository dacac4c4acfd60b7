//! What a promotion writes into Git and shows to people: branch, commit message, title and body.

use std::fmt::Write as _;

use crate::{
    application::{Application, Name},
    commit::Commit,
    evidence::{Evidence, Outcome},
    forge::Branch,
    image::{Digest, Repository, Tag},
};

/// The mark at the end of each body, invisible on the page: it tells people who wrote it, in the source of the page.
///
/// Nothing reads it yet. Its number is the body's version, for a later one that may have to tell them apart.
const MARK: &str = "<!-- tagferry:1 -->";

/// The longest title that is written, in characters: GitHub refuses a longer one for good.
const LONGEST_TITLE: usize = 256;

/// How many characters of the subject are in the title: beside them and the longest name of an application, there is
/// room for one target with the longest name and the number of the others.
const LONGEST_SUBJECT: usize = 90;

/// What one target's overlay is moved from and to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which target.
    pub target: Name,
    /// The image repository that its cluster pulls from.
    pub repository: Repository,
    /// The tag that the overlay has now; `None` when it names none.
    pub from: Option<String>,
    /// The tag that it will have.
    pub to: Tag,
    /// What that tag points to.
    pub digest: Digest,
    /// The file that is edited, from the repository's root.
    pub path: String,
}

/// Everything that a pull request tells about a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal<'a> {
    /// What is released.
    pub application: &'a Application,
    /// At which commit.
    pub commit: Commit,
    /// The first line of that commit's message; `None` when it is not known.
    pub subject: Option<&'a str>,
    /// What is edited, in the order of the configuration.
    pub moves: &'a [Move],
    /// What was verified.
    pub evidence: &'a [Evidence],
}

/// The branch that a release is proposed on: `<application>/deploy-<commit>`.
///
/// Only these are ever pushed to, with force: a base branch can not become one by any configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseBranch(Branch);

impl ReleaseBranch {
    /// The branch of a release.
    ///
    /// # Panics
    ///
    /// Never: a name and a commit always make a legal branch.
    #[must_use]
    pub fn new(application: &Name, commit: Commit) -> Self {
        Self(
            format!("{application}/deploy-{commit}")
                .parse()
                .expect("lower-case letters, digits and dashes around one slash are a legal branch"),
        )
    }

    /// It as a branch among others.
    #[must_use]
    pub fn branch(&self) -> &Branch {
        &self.0
    }
}

impl Proposal<'_> {
    /// The title, which is the subject of the commit as well; at most 256 characters.
    #[must_use]
    pub fn title(&self) -> String {
        let subject = self.subject.map(|subject| unlinked(&plain(subject))).filter(|subject| !subject.is_empty());
        let what = subject
            .map_or_else(|| self.commit.short(), |subject| format!("{} ({})", shorten(&subject), self.commit.short()));
        let start = format!("release({}): {what} → ", self.application.name());
        let targets: Vec<&str> = self.moves.iter().map(|one| one.target.as_str()).collect();
        let room = LONGEST_TITLE.saturating_sub(start.chars().count());
        start + &listed(&targets, room)
    }

    /// The message of the commit: the title, then the trailers.
    #[must_use]
    pub fn commit_message(&self) -> String {
        format!("{}\n\n{}", self.title(), self.trailers())
    }

    /// Trailers from which Git alone can tell the release (<https://git-scm.com/docs/git-interpret-trailers>).
    #[must_use]
    pub fn trailers(&self) -> String {
        let mut trailers = format!("Source-Commit: {}\n", self.commit);
        for one in self.moves {
            push(&mut trailers, format_args!("Image-Digest-{}: {}\n", one.target, one.digest));
        }
        trailers
    }

    /// The body, in GitHub's Markdown.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = format!(
            "Releases **{}** at commit {}@{}.\n\n| Target | Image | From | To | Digest | Overlay |\n|---|---|---|---|---|---|\n",
            self.application.name(),
            self.application.source.repository,
            self.commit
        );
        for one in self.moves {
            let from = one.from.as_deref().map_or_else(|| "–".to_owned(), code);
            push(
                &mut body,
                format_args!(
                    "| {} | {} | {from} | {} | {} | {} |\n",
                    one.target,
                    code(&one.repository.to_string()),
                    code(one.to.as_str()),
                    code(&one.digest.short()),
                    code(&one.path),
                ),
            );
        }
        body.push_str("\nEvidence:\n\n");
        for one in self.evidence {
            let sign = match one.outcome {
                Outcome::Passed => "x",
                Outcome::Failed | Outcome::Pending { .. } | Outcome::Skipped => " ",
            };
            push(&mut body, format_args!("- [{sign}] **{}**: {}\n", one.kind, escape(&one.seen)));
        }
        push(
            &mut body,
            format_args!(
                "\nMerges itself ({}) once everything that `{base}` requires is there; if `{base}` requires nothing, a person merges it.\nTo decline this release, close the pull request: the commit is not proposed again.\n\n{MARK}\n",
                self.application.pull_request.merge_method.as_str(),
                base = self.application.gitops.base,
            ),
        );
        body
    }
}

/// Appends; writing to a string does not fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes everything that is written to it");
}

/// One line of printable text, with runs of white space as one blank.
fn plain(text: &str) -> String {
    let printable: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= LONGEST_SUBJECT {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST_SUBJECT).collect();
    format!("{}…", kept.trim_end())
}

/// As many names as have room, in characters, and the number of the others.
fn listed(names: &[&str], room: usize) -> String {
    let first = |shown: usize| {
        let (named, others) = names.split_at(shown);
        let named = named.join(", ");
        if others.is_empty() { named } else { format!("{named} and {} more", others.len()) }
    };
    let fitting = (1..=names.len()).rev().map(first).find(|list| list.chars().count() <= room);
    fitting.unwrap_or_else(|| format!("{} targets", names.len()))
}

/// Text of others that mentions nobody and refers to no issue: a zero-width space stands behind each `@` and `#`.
fn unlinked(text: &str) -> String {
    text.replace('@', "@\u{200b}").replace('#', "#\u{200b}")
}

/// Text of others in Markdown, so that it neither formats, mentions, links nor closes issues.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in unlinked(&plain(text)).chars() {
        match one {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '!' => {
                escaped.extend(['\\', one]);
            }
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(one),
        }
    }
    escaped
}

/// Text of others as code in a table: a backtick or a pipe would end it.
fn code(text: &str) -> String {
    let harmless: String = plain(text).chars().map(|one| if matches!(one, '`' | '|') { '\'' } else { one }).collect();
    format!("`{harmless}`")
}

#[cfg(test)]
mod tests;
