//! A commit whose images reach every registry and which still does not go into the overlays.

use anyhow::{Result, ensure};

use crate::{
    place::{Commit, GITOPS, Scene, TARGETS},
    say::{Sign, Teller, brief},
    tagferry::Promotion,
    wait::until,
};

/// How a promotion is to end.
#[derive(Debug)]
pub(super) struct Expected {
    /// The word for it.
    pub(super) outcome: &'static str,
    /// What the sentence about it must say.
    pub(super) reason: String,
    /// The one kind of evidence that is to fail; `None` when none is.
    pub(super) failed: Option<&'static str>,
}

/// Pushes a commit's image to all targets and tells why it goes no further.
///
/// # Errors
///
/// The outcome, its reason or its evidence is another than was expected, or there is a pull request.
pub(super) async fn tell(teller: &Teller, scene: &Scene, commit: &Commit, expected: &Expected) -> Result<()> {
    let text = format!("{} \"{}\" is on {}", commit.short(), commit.subject, commit.branch);
    teller.line(Sign::Step, "commit", &text)?;
    let mut names = Vec::new();
    for target in TARGETS {
        scene.sandbox.push_image(target, &commit.tag(), &commit.sha).await?;
        names.push(target.name);
    }
    teller.line(Sign::Step, "push", &brief(&format!("{} to {}", commit.tag(), names.join(", "))))?;
    let what = format!("the outcome of {}", commit.short());
    let promotion = until(&what, async || {
        let release = scene.tagferry.release(&commit.sha).await?;
        Ok(release.and_then(|release| release.promotions.into_iter().next_back()).filter(|it| it.outcome.is_some()))
    })
    .await?;
    let failed = promotion.evidence.iter().filter(|evidence| evidence.outcome == "failed");
    for evidence in failed {
        teller.line(Sign::No, &evidence.kind, &brief(&evidence.seen))?;
    }
    let outcome = promotion.outcome.as_deref().unwrap_or_default();
    teller.line(Sign::No, outcome, &brief(promotion.reason.as_deref().unwrap_or_default()))?;
    expect(&promotion, expected, commit.short())?;
    let branch = &promotion.branch;
    let all = scene.sandbox.pull_requests(GITOPS).await?;
    ensure!(all.iter().all(|one| one.head_branch != *branch), "{branch} was to have no pull request, and has one");
    Ok(())
}

fn expect(promotion: &Promotion, expected: &Expected, commit: &str) -> Result<()> {
    let Expected { outcome: wanted, reason: wanted_reason, failed: wanted_failed } = expected;
    let outcome = promotion.outcome.as_deref().unwrap_or_default();
    let reason = promotion.reason.as_deref().unwrap_or_default();
    ensure!(outcome == *wanted, "{commit} was to be {wanted}, and is {outcome}: {reason}");
    ensure!(reason.contains(wanted_reason), "{commit} was to be {wanted} because: {wanted_reason}, and is: {reason}");
    let failed = promotion.evidence.iter().filter(|evidence| evidence.outcome == "failed");
    let failed: Vec<&str> = failed.map(|evidence| evidence.kind.as_str()).collect();
    let wanted_failed = wanted_failed.as_slice();
    ensure!(failed == wanted_failed, "of {commit} this evidence was to fail: {wanted_failed:?}, and did: {failed:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagferry::Evidence;

    /// A promotion that was refused because of its branch.
    fn refused() -> Promotion {
        let evidence = |kind: &str, outcome: &str| Evidence {
            kind: kind.to_owned(),
            outcome: outcome.to_owned(),
            seen: "as it was seen".to_owned(),
        };
        Promotion {
            outcome: Some("refused".to_owned()),
            reason: Some("refused: commit 1f1f1f1 is not on an allowed branch of acme/mandelbrot (main)".to_owned()),
            branch: "mandelbrot/deploy-1f1f1f1".to_owned(),
            waiting: None,
            evidence: vec![evidence("tag", "passed"), evidence("branch", "failed")],
        }
    }

    fn complaint(promotion: &Promotion) -> String {
        let reason = "commit 1f1f1f1 is not on an allowed branch".to_owned();
        let expected = Expected { outcome: "refused", reason, failed: Some("branch") };
        expect(promotion, &expected, "1f1f1f1").err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn it_must_end_so_for_this_reason_and_by_this_evidence() {
        assert_eq!(complaint(&refused()), "");
        let declined = Promotion { outcome: Some("declined".to_owned()), ..refused() };
        assert!(complaint(&declined).starts_with("1f1f1f1 was to be refused, and is declined"));
        let other = "refused: the image is missing in azure";
        let otherwise = Promotion { reason: Some(other.to_owned()), ..refused() };
        assert!(complaint(&otherwise).ends_with(&format!("and is: {other}")));
        let unproven = Promotion { evidence: Vec::new(), ..refused() };
        assert!(complaint(&unproven).ends_with("and did: []"));
        let unsettled = Promotion { outcome: None, reason: None, ..refused() };
        assert!(complaint(&unsettled).starts_with("1f1f1f1 was to be refused, and is"));
    }

    #[test]
    fn another_commit_that_supersedes_is_not_as_told() {
        let superseded = |by: &str| Promotion {
            outcome: Some("superseded".to_owned()),
            reason: Some(format!("superseded by {by}")),
            evidence: Vec::new(),
            ..refused()
        };
        let expected = Expected { outcome: "superseded", reason: "superseded by 8756f13".to_owned(), failed: None };
        assert!(expect(&superseded("8756f13"), &expected, "ceeb5ce").is_ok());
        assert!(expect(&superseded("10182de"), &expected, "ceeb5ce").is_err());
    }
}
