//! Watching a release from outside: whatever is new since the last look is told.

use std::time::Instant;

use anyhow::{Result, bail, ensure};

use crate::{
    place::{CHECK, Commit, GITOPS, Scene},
    sandbox::PullRequest,
    say::{Sign, Teller, brief},
    tagferry::{Evidence, Promotion, Release},
};

/// When something was seen for the first time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    /// The release branch is there.
    pub(super) branched: Option<Instant>,
    /// The pull request is there.
    pub(super) opened: Option<Instant>,
    /// It merges itself once it may.
    pub(super) armed: Option<Instant>,
    /// The required check has passed.
    pub(super) checked: Option<Instant>,
    /// It is merged.
    pub(super) merged: Option<Instant>,
}

/// The evidence of a release that goes well. What is off by default, or only looked at where it is there, may be told
/// besides.
const EVIDENCE: [&str; 6] = ["tag", "commit", "branch", "image", "immutable", "revision"];

/// What was told of a release so far.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    teller: &'a Teller,
    scene: &'a Scene,
    commit: &'a Commit,
    /// The release's id, once it is known.
    id: Option<String>,
    builds: usize,
    waiting: Option<String>,
    evidence: Vec<Evidence>,
    moments: Moments,
}

impl Moments {
    /// Makes sure that no part of the way was left out.
    ///
    /// # Errors
    ///
    /// Something was never seen.
    pub(super) fn expect_all(&self) -> Result<()> {
        for (moment, what) in [
            (self.branched, "the release branch was never seen"),
            (self.opened, "the pull request was never seen"),
            (self.armed, "the pull request was never seen to merge itself: somebody else merged it"),
            (self.checked, "the required check was never seen to pass"),
            (self.merged, "the merge was never seen"),
        ] {
            ensure!(moment.is_some(), "{what}");
        }
        Ok(())
    }
}

impl<'a> Watch<'a> {
    /// Nothing is told yet.
    pub(super) fn new(teller: &'a Teller, scene: &'a Scene, commit: &'a Commit) -> Self {
        let (builds, waiting, evidence, moments) = (0, None, Vec::new(), Moments::default());
        Self { teller, scene, commit, id: None, builds, waiting, evidence, moments }
    }

    /// Asks Tagferry, tells what is new, and gives the release; `None` while there is none.
    ///
    /// # Errors
    ///
    /// Tagferry does not answer.
    pub(super) async fn look(&mut self) -> Result<Option<Release>> {
        let release = match &self.id {
            Some(id) => self.scene.tagferry.release_by_id(id).await?,
            None => match self.scene.tagferry.release(&self.commit.sha).await? {
                Some(release) => release,
                None => return Ok(None),
            },
        };
        self.id = Some(release.id.clone());
        for build in release.builds.iter().skip(self.builds) {
            let text = format!("{} has it at {}, says the registry itself", build.target, build.digest);
            self.teller.line(Sign::Good, "build", &brief(&text))?;
        }
        self.builds = release.builds.len();
        if let Some(promotion) = release.promotion() {
            self.tell_evidence(promotion)?;
            self.tell_waiting(promotion)?;
        }
        Ok(Some(release))
    }

    /// Makes sure that all evidence was told, and passed.
    ///
    /// # Errors
    ///
    /// One kind was not.
    pub(super) fn expect_evidence(&self) -> Result<()> {
        expect_passed(&self.evidence)
    }

    /// Looks at the forge and at Tagferry; gives the pull request when both say that it is merged.
    ///
    /// # Errors
    ///
    /// One does not answer, or the promotion was settled otherwise.
    pub(super) async fn merged(&mut self) -> Result<Option<(PullRequest, Moments)>> {
        let pull_request = self.look_at_forge().await?;
        let Some(release) = self.look().await? else { return Ok(None) };
        let Some(promotion) = release.promotion() else { return Ok(None) };
        let Some(outcome) = &promotion.outcome else { return Ok(None) };
        let reason = promotion.reason.as_deref().unwrap_or_default();
        ensure!(outcome == "merged", "the release was to be merged, and is {outcome}: {reason}");
        let Some(pull_request) = pull_request.filter(|_| self.moments.merged.is_some()) else { return Ok(None) };
        self.teller.line(Sign::Good, "settled", &format!("Tagferry: {reason}"))?;
        let steps: Vec<&str> = release.ledger.iter().map(|entry| entry.what.as_str()).collect();
        self.teller.line(Sign::Good, "ledger", &format!("{} rows of /v1/releases/{}:", steps.len(), release.id))?;
        self.teller.more(&counted(&steps))?;
        Ok(Some((pull_request, self.moments)))
    }

    fn tell_evidence(&mut self, promotion: &Promotion) -> Result<()> {
        for evidence in &promotion.evidence {
            // What is pending is what is waited for, which is told by itself.
            if evidence.outcome == "pending" || self.evidence.contains(evidence) {
                continue;
            }
            let sign = match evidence.outcome.as_str() {
                "failed" => Sign::No,
                "skipped" => Sign::Aside,
                _ => Sign::Good,
            };
            self.teller.line(sign, &evidence.kind, &brief(&evidence.seen))?;
            self.evidence.push(evidence.clone());
        }
        Ok(())
    }

    fn tell_waiting(&mut self, promotion: &Promotion) -> Result<()> {
        if promotion.waiting != self.waiting {
            if let Some(waiting) = &promotion.waiting {
                self.teller.line(Sign::Wait, "waits", &brief(waiting))?;
            }
            self.waiting.clone_from(&promotion.waiting);
        }
        Ok(())
    }

    /// Tells what is new on the forge; gives the pull request once it is there.
    async fn look_at_forge(&mut self) -> Result<Option<PullRequest>> {
        let branch = format!("mandelbrot/deploy-{}", self.commit.sha);
        let forge = &self.scene.sandbox;
        if self.moments.branched.is_none() {
            let Some(tip) = forge.tip(GITOPS, &branch).await? else { return Ok(None) };
            self.moments.branched = Some(Instant::now());
            self.teller.line(Sign::Step, "branch", &brief(&format!("{branch} is at {tip}")))?;
        }
        let all = forge.pull_requests(GITOPS).await?;
        let Some(found) = all.into_iter().find(|one| one.head_branch == branch) else { return Ok(None) };
        self.tell_pull_request(&found)?;
        if self.moments.checked.is_none() {
            self.look_at_check(&found.head).await?;
        }
        match found.state.as_str() {
            "open" => {}
            "merged" => self.tell_merge(&found)?,
            other => bail!("the pull request was to be merged, and is {other}"),
        }
        Ok(Some(found))
    }

    fn tell_pull_request(&mut self, found: &PullRequest) -> Result<()> {
        if self.moments.opened.is_none() {
            self.moments.opened = Some(Instant::now());
            self.teller.line(Sign::Step, "pull request", &format!("#{} {}", found.number, found.title))?;
            self.teller.more(&format!("{} by {}", found.url, found.author))?;
        }
        if let (None, Some(method)) = (self.moments.armed, &found.auto_merge) {
            self.moments.armed = Some(Instant::now());
            let text = format!("#{} merges itself ({method}) once `{CHECK}` has passed", found.number);
            self.teller.line(Sign::Step, "auto-merge", &text)?;
        }
        Ok(())
    }

    async fn look_at_check(&mut self, head: &str) -> Result<()> {
        let check = self.scene.sandbox.check(GITOPS, head, CHECK).await?;
        let Some(conclusion) = check.and_then(|check| check.conclusion) else { return Ok(()) };
        ensure!(conclusion == "success", "the check {CHECK} was to pass, and its conclusion is {conclusion}");
        self.moments.checked = Some(Instant::now());
        self.teller.line(Sign::Good, "check", &format!("`{CHECK}` has passed"))
    }

    fn tell_merge(&mut self, found: &PullRequest) -> Result<()> {
        if self.moments.merged.is_none() {
            self.moments.merged = Some(Instant::now());
            let commit = found.merge_commit.as_deref().unwrap_or_default();
            let text = format!("#{} is in {} as {commit}", found.number, found.base_branch);
            self.teller.line(Sign::Good, "merge", &brief(&text))?;
        }
        Ok(())
    }
}

/// Each kind of evidence was told, and passed when it was told last.
fn expect_passed(told: &[Evidence]) -> Result<()> {
    for kind in EVIDENCE {
        match told.iter().rfind(|evidence| evidence.kind == kind) {
            None => bail!("the evidence `{kind}` was never told"),
            Some(Evidence { outcome, seen, .. }) => {
                ensure!(outcome == "passed", "the evidence `{kind}` was to pass, and is {outcome}: {seen}");
            }
        }
    }
    Ok(())
}

/// Words in the order in which they come first, each with how often it comes when that is more than once.
fn counted(words: &[&str]) -> String {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match seen.iter_mut().find(|(known, _)| known == word) {
            Some((_, count)) => *count += 1,
            None => seen.push((word, 1)),
        }
    }
    let told = |(word, count): &(&str, usize)| {
        if *count == 1 { (*word).to_owned() } else { format!("{word} ×{count}") }
    };
    seen.iter().map(told).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outcomes: &[(&str, &str)]) -> Vec<Evidence> {
        let evidence = |&(kind, outcome): &(&str, &str)| Evidence {
            kind: kind.to_owned(),
            outcome: outcome.to_owned(),
            seen: "as it was seen".to_owned(),
        };
        outcomes.iter().map(evidence).collect()
    }

    fn complaint(told: &[Evidence]) -> String {
        expect_passed(told).unwrap_err().to_string()
    }

    #[test]
    fn all_evidence_must_have_passed() {
        let all = EVIDENCE.map(|kind| (kind, "passed"));
        assert!(expect_passed(&told(&all)).is_ok());
        let besides = [&all[..], &[("provenance", "skipped")]].concat();
        assert!(expect_passed(&told(&besides)).is_ok());
        let moved = [&all[..], &[("immutable", "failed")]].concat();
        let expected = "the evidence `immutable` was to pass, and is failed: as it was seen";
        assert_eq!(complaint(&told(&moved)), expected);
        let skipped = all.map(|(kind, outcome)| (kind, if kind == "branch" { "skipped" } else { outcome }));
        assert_eq!(complaint(&told(&skipped)), "the evidence `branch` was to pass, and is skipped: as it was seen");
        for (index, kind) in EVIDENCE.into_iter().enumerate() {
            let mut some = told(&all);
            some.remove(index);
            assert_eq!(complaint(&some), format!("the evidence `{kind}` was never told"));
        }
    }

    #[test]
    fn every_part_of_the_way_must_be_seen() {
        let now = Some(Instant::now());
        let all = Moments { branched: now, opened: now, armed: now, checked: now, merged: now };
        assert!(all.expect_all().is_ok());
        let lacks = |moments: Moments| moments.expect_all().unwrap_err().to_string();
        assert!(lacks(Moments { branched: None, ..all }).contains("branch"));
        assert!(lacks(Moments { opened: None, ..all }).contains("pull request"));
        assert!(lacks(Moments { armed: None, ..all }).contains("merge itself"));
        assert!(lacks(Moments { checked: None, ..all }).contains("check"));
        assert!(lacks(Moments { merged: None, ..all }).contains("the merge"));
    }

    #[test]
    fn words_are_counted_in_their_order() {
        assert_eq!(counted(&[]), "");
        assert_eq!(counted(&["build", "opened", "build", "settled"]), "build ×2, opened, settled");
    }
}
