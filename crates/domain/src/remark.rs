//! What we say on a pull request, beside its title and body: once each.

use chrono::{DateTime, Utc};

use crate::{
    commit::Commit,
    forge::{Branch, Number},
    proposal::markdown,
};

/// How a time reads in a comment.
const MINUTE: &str = "%Y-%m-%d %H:%M UTC";

/// How many characters of a reason are shown.
const LONGEST_REASON: usize = 500;

/// Something that is worth a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark<'a> {
    /// A commit of somebody else is on the branch, so that we take our hands off.
    Foreign {
        /// That commit.
        head: Commit,
        /// The branch.
        branch: &'a Branch,
    },
    /// It should have landed by now.
    Overdue {
        /// The commit that waits.
        head: Commit,
        /// Since when the release is on its way.
        since: DateTime<Utc>,
        /// What it waits for: a sentence, which may have words of others.
        why: &'a str,
    },
    /// The pull request was closed in favour of another.
    SupersededBy {
        /// The other one.
        number: Number,
    },
}

impl Remark<'_> {
    /// What it is about, as a key: nothing is said twice about the same.
    #[must_use]
    pub fn about(&self, on: Number) -> String {
        match self {
            Self::Foreign { head, .. } => format!("foreign {head} on {on}"),
            Self::Overdue { head, .. } => format!("overdue {head} on {on}"),
            Self::SupersededBy { .. } => format!("superseded {on}"),
        }
    }

    /// The comment, in GitHub's Markdown; it ends in [`mark`](Self::mark), by which it is found again.
    #[must_use]
    pub fn text(&self, on: Number) -> String {
        let said = match self {
            Self::Foreign { head, branch } => format!(
                "Commit {} on `{branch}` is not Tagferry's, and nobody has verified it: the pull request does not merge \
                 itself any more. Take the commit off the branch and the release goes on; or merge or close the pull \
                 request yourself.",
                head.short()
            ),
            Self::Overdue { since, why, .. } => format!(
                "This release has been on its way since {} and has not landed: {}.",
                since.format(MINUTE),
                markdown(why, LONGEST_REASON)
            ),
            Self::SupersededBy { number } => format!("Superseded by {number}."),
        };
        format!("{said}\n\n{}\n", self.mark(on))
    }

    /// What is invisible at the end of the comment.
    #[must_use]
    pub fn mark(&self, on: Number) -> String {
        format!("<!-- tagferry: {} -->", self.about(on))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_remark_says_what_to_do_and_ends_in_its_mark() {
        let branch: Branch = "mandelbrot/deploy-1f1f".parse().unwrap();
        let foreign = Remark::Foreign { head: Commit::from_bytes([0xab; 20]), branch: &branch };
        assert_snapshot!(foreign.text(Number(7)), @r"
        Commit abababa on `mandelbrot/deploy-1f1f` is not Tagferry's, and nobody has verified it: the pull request does not merge itself any more. Take the commit off the branch and the release goes on; or merge or close the pull request yourself.

        <!-- tagferry: foreign abababababababababababababababababababab on #7 -->
        ");
        let (head, since) = (Commit::from_bytes([0xab; 20]), DateTime::UNIX_EPOCH);
        let overdue = Remark::Overdue { head, since, why: "waits for check `@ci`, as #1 says" };
        let said = "This release has been on its way since 1970-01-01 00:00 UTC and has not landed: waits for check \
                    &#96;@\u{200b}ci&#96;, as #\u{200b}1 says.\n\n\
                    <!-- tagferry: overdue abababababababababababababababababababab on #7 -->\n";
        assert_eq!(overdue.text(Number(7)), said);
        let superseded = Remark::SupersededBy { number: Number(8) };
        assert_snapshot!(superseded.text(Number(7)), @r"
        Superseded by #8.

        <!-- tagferry: superseded #7 -->
        ");
    }
}
