//! The body of a pull request: what is proven, what changes, what happens next, how to take it back.

use super::{
    Marker, Move, Proposal,
    foreign::{code, link, markdown},
    names, push,
};
use crate::{
    evidence::{self, Evidence, Kind, Outcome, Verdict},
    forge::MergeMethod,
};

/// The longest body that is written, in bytes, with two for each end of a line.
///
/// GitHub refuses more than 65,536 characters, and it may count some of ours as more than one.
const LONGEST_BODY: usize = 65_536;

/// How many characters of a sentence about evidence, or of one that a person wrote, are shown.
const LONGEST_SENTENCE: usize = 300;

/// How many required checks are named.
const MOST_CHECKS: usize = 20;

/// How many pieces of evidence there may be; there is one of each kind.
const MOST_EVIDENCE: usize = 50;

/// How much of everything that has no natural bound is told.
#[derive(Clone, Copy, Debug)]
struct Detail {
    /// How many commits are listed.
    commits: usize,
    /// How the evidence is told.
    evidence: Telling,
    /// How many rows the table has.
    rows: usize,
    /// How many digests the marker has.
    digests: usize,
}

#[derive(Clone, Copy, Debug)]
enum Telling {
    /// With what was seen and where.
    InFull,
    /// By its outcome alone.
    InBrief,
}

impl Proposal<'_> {
    /// The body, in GitHub's Markdown; never more than GitHub takes.
    ///
    /// What does not fit is given up in this order, none of it before all of the former: commits of the list, from the
    /// newest; what was seen of the evidence; rows of the table; digests of the marker. Each says what it left out,
    /// but the marker.
    #[must_use]
    pub fn body(&self) -> String {
        let fits = |detail: Detail| size(&self.told(detail)) <= LONGEST_BODY;
        let commits = self.longest_history().map_or(0, |longest| longest.listed.len());
        let (rows, evidence) = (self.moves.len(), Telling::InFull);
        let mut detail = Detail { commits, evidence, rows, digests: rows };
        if !fits(detail) {
            detail.commits = most(commits, |commits| fits(Detail { commits, ..detail }));
        }
        if !fits(detail) {
            detail.evidence = Telling::InBrief;
        }
        if !fits(detail) {
            detail.rows = most(rows, |rows| fits(Detail { rows, ..detail }));
        }
        if !fits(detail) {
            detail.digests = most(rows, |digests| fits(Detail { digests, ..detail }));
        }
        self.told(detail)
    }

    fn told(&self, detail: Detail) -> String {
        let mut body = String::new();
        self.tell_verdict(&mut body);
        self.tell_moves(&mut body, detail.rows);
        self.tell_evidence(&mut body, detail.evidence);
        self.tell_history(&mut body, detail.commits);
        self.tell_what_happens_next(&mut body);
        self.tell_how_to_roll_back(&mut body);
        let digests = self.moves.get(..detail.digests).unwrap_or(self.moves);
        let marker = Marker::new(self.application.name(), self.commit, digests, &self.title(), &body);
        push(&mut body, format_args!("\n{marker}"));
        body
    }

    /// The source repository. Only its underlines could mean something in Markdown; with the rest as it is, the forge
    /// makes a link of it and a commit.
    pub(super) fn source(&self) -> String {
        self.application.source.repository.to_string().replace('_', "\\_")
    }

    fn tell_verdict(&self, body: &mut String) {
        let (word, sentence) = match evidence::verdict(self.evidence) {
            Verdict::Passed => ("passed.", self.proven()),
            Verdict::Pending { why, until } => {
                let why = markdown(&why, LONGEST_SENTENCE);
                ("pending:", format!("{why}, until {} at the latest.", until.format("%Y-%m-%d %H:%M UTC")))
            }
            Verdict::Failed { why } => ("failed:", format!("{}.", markdown(&why, LONGEST_SENTENCE))),
        };
        push(
            body,
            format_args!(
                "**Verdict: {word}** {sentence}\n\nReleases **{}** at commit {}@{}.\n",
                self.application.name(),
                self.source(),
                self.commit
            ),
        );
    }

    /// What passed, in one sentence, and what was not asked for.
    fn proven(&self) -> String {
        let claims = |is_meant: fn(&Outcome) -> bool| {
            let meant = self.evidence.iter().take(MOST_EVIDENCE).filter(|one| is_meant(&one.outcome));
            joined(&meant.map(|one| claim(one.kind).to_owned()).collect::<Vec<_>>())
        };
        let passed = claims(|outcome| matches!(outcome, Outcome::Passed));
        let skipped = claims(|outcome| matches!(outcome, Outcome::Skipped));
        let mut sentence = format!("It is proven that {passed}.");
        if !skipped.is_empty() {
            push(&mut sentence, format_args!(" Not proven, as the policy allows: that {skipped}."));
        }
        sentence
    }

    fn tell_moves(&self, body: &mut String, rows: usize) {
        body.push_str("\n| Target | Image | From | To | Digest | Overlay |\n|---|---|---|---|---|---|\n");
        for one in self.moves.iter().take(rows) {
            push(
                body,
                format_args!(
                    "| {} | {} | {} | {} | {} | {} |\n",
                    one.target,
                    code(&one.repository.to_string()),
                    code(one.from.as_deref().unwrap_or_default()),
                    code(one.to.as_str()),
                    code(&one.digest.short()),
                    code(&one.path),
                ),
            );
        }
        let others = self.moves.get(rows..).unwrap_or_default();
        if !others.is_empty() {
            let others: Vec<&Move> = others.iter().collect();
            push(body, format_args!("\nThere was no room for the rows of {}.\n", names(&others)));
        }
    }

    fn tell_evidence(&self, body: &mut String, telling: Telling) {
        body.push_str("\n### Evidence\n\n");
        for one in self.evidence.iter().take(MOST_EVIDENCE) {
            push(body, format_args!("{}\n", entry(one, telling)));
        }
    }

    fn tell_what_happens_next(&self, body: &mut String) {
        let method = self.application.pull_request.merge_method.as_str();
        let base = code(self.application.gitops.base.as_str());
        body.push_str("\n### What happens next\n\n");
        if let Some(freeze) = self.outlook.freeze {
            push(
                body,
                format_args!(
                    "- **Frozen:** {}. Nothing is merged before that is over.\n",
                    markdown(freeze, LONGEST_SENTENCE)
                ),
            );
        }
        let by_itself = match self.outlook.required_checks {
            None => format!("It merges itself ({method}) once everything that {base} requires is there"),
            Some([]) => format!(
                "{base} requires no check. It merges itself ({method}) once one has passed, and everything else that {base} requires is there"
            ),
            Some(checks) => {
                let shown = checks.iter().take(MOST_CHECKS).map(|name| code(name));
                let others = checks.len().saturating_sub(MOST_CHECKS);
                let others = (others > 0).then(|| format!("{others} more"));
                let checks = joined(&shown.chain(others).collect::<Vec<_>>());
                format!(
                    "It merges itself ({method}) once everything that {base} requires is there, with the checks {checks}"
                )
            }
        };
        let by_hand = match self.outlook.required_checks {
            None | Some([]) => format!("; if {base} requires nothing, a person merges it"),
            Some(_) => String::new(),
        };
        push(
            body,
            format_args!(
                "- {by_itself}{by_hand}.\n- A newer release of {} that is proven closes it and takes its place.\n",
                self.application.name()
            ),
        );
    }

    fn tell_how_to_roll_back(&self, body: &mut String) {
        let revert = match self.application.pull_request.merge_method {
            MergeMethod::Merge => "git revert -m 1",
            MergeMethod::Squash | MergeMethod::Rebase => "git revert",
        };
        push(
            body,
            format_args!(
                "\n### How to roll back\n\n- Before the merge, close this pull request: the commit is not proposed again.\n- After it, revert what was merged into {}, with the forge's own button or with `{revert}` and the commit: what was merged once is not proposed again, a newer release is.\n",
                code(self.application.gitops.base.as_str()),
            ),
        );
    }
}

/// What is so when evidence of a kind has passed.
const fn claim(kind: Kind) -> &'static str {
    match kind {
        Kind::Tag => "the tag names the commit",
        Kind::Commit => "the commit exists",
        Kind::Branch => "the commit is on an allowed branch",
        Kind::Checks => "the checks of the commit passed",
        Kind::Image => "every target has the image",
        Kind::Immutable => "no tag was moved to another digest",
        Kind::Revision => "the image says that it was built from the commit",
        Kind::Builder => "GitHub Actions posted that it built the image",
        Kind::Provenance => "a signed attestation names the repository and the commit",
        Kind::Gate => "the gate lets the images through",
    }
}

/// One line of the list of evidence. What is not asked for has no box: nobody has to tick it.
fn entry(one: &Evidence, telling: Telling) -> String {
    let kind = one.kind;
    let head = match one.outcome {
        Outcome::Passed => format!("- [x] **{kind}** passed"),
        Outcome::Failed => format!("- [ ] **{kind}** failed"),
        Outcome::Pending { until } => format!("- [ ] **{kind}** pending until {}", until.format("%Y-%m-%d %H:%M UTC")),
        Outcome::Skipped => format!("- **{kind}** skipped"),
    };
    match telling {
        Telling::InBrief => head,
        Telling::InFull => {
            let seen = markdown(&one.seen, LONGEST_SENTENCE);
            let address = one.link.as_deref().unwrap_or_default();
            match link("look", address) {
                linked if linked == "look" => format!("{head}: {seen}"),
                linked => format!("{head}: {seen} ({linked})"),
            }
        }
    }
}

/// Words as in a sentence: `a, b and c`.
fn joined(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// How long GitHub may find a text, at most: in bytes, with two for each end of a line.
fn size(text: &str) -> usize {
    text.len() + text.lines().count()
}

/// The largest number up to `limit` that fits, when every smaller one fits as well; 0 when none does.
fn most(limit: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut largest, mut too_large) = (0, limit.saturating_add(1));
    while too_large - largest > 1 {
        let middle = largest + (too_large - largest) / 2;
        if fits(middle) {
            largest = middle;
        } else {
            too_large = middle;
        }
    }
    largest
}

#[cfg(test)]
mod tests;
