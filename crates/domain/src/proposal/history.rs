//! What the source repository has between two of its commits.

use super::{
    Move, Proposal,
    foreign::{code, link, markdown},
    names, push,
};
use crate::commit::Commit;

/// How many commits of a comparison are listed at most: who wants more reads the comparison itself.
pub const MOST_LISTED: usize = 50;

/// How many characters of a commit's subject are in the list.
const LONGEST_SUBJECT: usize = 120;

/// How many characters of a login are in the list: GitHub has none as long.
const LONGEST_LOGIN: usize = 60;

/// How many comparisons are linked to, beside the one whose commits are listed.
const MOST_COMPARISONS: usize = 5;

/// The commits that come after one that an overlay has, up to and with the one that is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Between {
    /// The commit that an overlay has.
    pub from: Commit,
    /// Where people read the comparison.
    pub url: String,
    /// How many commits there are.
    pub count: u64,
    /// The first of them, oldest first; at most [`MOST_LISTED`].
    pub listed: Vec<Listed>,
}

/// A commit in a list, as people recognise it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which one.
    pub commit: Commit,
    /// The first line of its message.
    pub subject: String,
    /// Where people read it.
    pub url: String,
    /// The login of its author; `None` when the forge knows no account of theirs.
    pub author: Option<String>,
}

impl Between {
    /// The commits as a link, since when, and for which targets.
    fn sentence(&self, moves: &[&Move]) -> String {
        let many = if self.count == 1 { "1 commit".to_owned() } else { format!("{} commits", self.count) };
        format!("{} since {} ({})", link(&many, &self.url), code(&self.from.short()), names(moves))
    }
}

impl Proposal<'_> {
    /// The comparisons with what an overlay has that is moved: one without an image yet is not.
    fn compared(&self) -> impl Iterator<Item = &Between> {
        self.between.iter().filter(|one| self.moves.iter().any(|moved| moved.from_commit == Some(one.from)))
    }

    /// The comparison whose commits are listed: the longest, which is with what is oldest.
    pub(super) fn longest_history(&self) -> Option<&Between> {
        self.compared()
            .fold(None, |longest, one| longest.filter(|longest: &&Between| longest.count >= one.count).or(Some(one)))
    }

    /// What comes with the release: the commits since the oldest of what the overlays have, as many as said, and links
    /// to the other comparisons.
    pub(super) fn tell_history(&self, body: &mut String, most_listed: usize) {
        body.push_str("\n### Commits\n");
        let moves_from =
            |from: Commit| self.moves.iter().filter(|one| one.from_commit == Some(from)).collect::<Vec<_>>();
        if let Some(longest) = self.longest_history() {
            tell_listed(body, longest, &moves_from(longest.from), most_listed);
            let others = || self.compared().filter(|one| one.from != longest.from);
            for other in others().take(MOST_COMPARISONS) {
                push(body, format_args!("\n{}.\n", other.sentence(&moves_from(other.from))));
            }
            let untold = others().count().saturating_sub(MOST_COMPARISONS);
            if untold > 0 {
                push(body, format_args!("\nThere was no room for {untold} more comparisons.\n"));
            }
        }
        let same = moves_from(self.commit);
        if !same.is_empty() {
            push(body, format_args!("\nNo commit for {}: only what the table says changes there.\n", names(&same)));
        }
        let is_compared = |from: Commit| from == self.commit || self.between.iter().any(|one| one.from == from);
        let unknown: Vec<&Move> = self.moves.iter().filter(|one| !one.from_commit.is_some_and(is_compared)).collect();
        if !unknown.is_empty() {
            push(
                body,
                format_args!(
                    "\nNothing to compare with for {}: what is there now names no commit that {} has.\n",
                    names(&unknown),
                    self.source()
                ),
            );
        }
    }
}

fn tell_listed(body: &mut String, between: &Between, moves: &[&Move], most_listed: usize) {
    let sentence = between.sentence(moves);
    let shown = between.listed.get(..most_listed).unwrap_or(&between.listed);
    if shown.is_empty() {
        push(body, format_args!("\n{sentence}.\n"));
        return;
    }
    push(body, format_args!("\n{sentence}, oldest first:\n\n"));
    for one in shown {
        push(body, format_args!("- {}", link(&code(&one.commit.short()), &one.url)));
        let subject = markdown(&one.subject, LONGEST_SUBJECT);
        if !subject.is_empty() {
            push(body, format_args!(" {subject}"));
        }
        if let Some(author) = &one.author {
            push(body, format_args!(" ({})", markdown(author, LONGEST_LOGIN)));
        }
        body.push('\n');
    }
    let left_out = between.count.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
    if left_out > 0 {
        push(body, format_args!("- and {left_out} newer\n"));
    }
}
