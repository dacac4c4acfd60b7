//! The ways in which a pull request lands that does not just merge itself: drafts, queues, repositories without
//! auto-merge, bases that move, rulesets.

use std::time::Duration;

use domain::{
    fault::Fault,
    forge::{AutoMerge, MergeMethod, Mergeability, PullRequest, PullRequestState},
};
use forge::{Armed, Error, Ordered};
use sandbox::{AppChange, MergeQueue, Outcome, Protection, PullRequestChange, Push, Removal, Report, Rules, Settings};

use crate::stage::{GITOPS, PATH, Stage, ci};

const SOON: Duration = Duration::from_secs(30);

/// A repository whose `main` has a merge queue and requires the check `ci`.
async fn with_queue(queue: MergeQueue) -> anyhow::Result<(Stage, PullRequest)> {
    let stage = Stage::set().await?;
    let required_checks = vec!["ci".to_owned()];
    let rules = Rules { required_checks, merge_queue: Some(queue), ..Rules::default() };
    stage.sandbox.set_rules(GITOPS, "main", Some(rules)).await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    Ok((stage, open))
}

async fn say(stage: &Stage, revision: &str, outcome: Outcome) -> anyhow::Result<()> {
    Ok(stage.sandbox.set_check(GITOPS, revision, Report { outcome, ..ci() }).await?)
}

/// Lets the queue's check of the pull request conclude.
async fn say_in_queue(stage: &Stage, outcome: Outcome) -> anyhow::Result<()> {
    let branches = stage.sandbox.repository(GITOPS).await?.branches;
    let group = branches.iter().find(|(name, _)| name.starts_with("gh-readonly-queue/main/pr-"));
    let Some((_, group)) = group else { anyhow::bail!("nothing is in the queue: {branches:?}") };
    say(stage, &group.to_string(), outcome).await
}

async fn state(stage: &Stage, open: &PullRequest) -> anyhow::Result<PullRequestState> {
    Ok(stage.look(open).await?.state)
}

#[tokio::test]
async fn a_draft_is_not_armed_and_says_so() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    let draft = PullRequestChange { draft: Some(true), ..PullRequestChange::default() };
    stage.sandbox.change_pull_request(GITOPS, open.number.0, draft).await?;
    assert_eq!(stage.look(&open).await?.mergeability, Mergeability::Draft);
    stage.requests();
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(error.to_string(), "merging acme/trinity#1: it is a draft: mark it as ready for review");
    assert_eq!((error.fault(), stage.requests().len()), (Fault::Permanent, 1));
    let ready = PullRequestChange { draft: Some(false), ..PullRequestChange::default() };
    stage.sandbox.change_pull_request(GITOPS, open.number.0, ready).await?;
    assert_eq!(stage.arm(&open).await?, Armed::Armed);
    Ok(())
}

#[tokio::test]
async fn an_order_becomes_a_place_in_the_queue_and_that_a_merge() -> anyhow::Result<()> {
    let (stage, open) = with_queue(MergeQueue::default()).await?;
    assert_eq!(stage.arm(&open).await?, Armed::ForQueue);
    assert_eq!(stage.look(&open).await?.auto_merge, AutoMerge::Armed);
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    assert_eq!(stage.look(&open).await?.auto_merge, AutoMerge::Queued);
    assert_eq!(stage.arm(&open).await?, Armed::Queued);
    say_in_queue(&stage, Outcome::Success).await?;
    let PullRequestState::Merged(Some(merge)) = state(&stage, &open).await? else { anyhow::bail!("not merged") };
    assert_eq!(stage.forge.tip(&stage.repository, &stage.base).await?, merge);
    Ok(())
}

#[tokio::test]
async fn what_has_everything_goes_into_the_queue_at_once_even_without_auto_merge() -> anyhow::Result<()> {
    let (stage, open) = with_queue(MergeQueue::default()).await?;
    stage.sandbox.set_settings(GITOPS, Settings::default()).await?;
    let Armed::Watching(missing) = stage.arm(&open).await? else { anyhow::bail!("not watched") };
    assert_eq!(missing.to_string(), "check `ci` (not reported yet)");
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    stage.requests();
    assert_eq!(stage.arm(&open).await?, Armed::Queued);
    assert_eq!(stage.requests().len(), 2);
    say_in_queue(&stage, Outcome::Success).await?;
    assert!(matches!(state(&stage, &open).await?, PullRequestState::Merged(Some(_))));
    Ok(())
}

#[tokio::test]
async fn an_order_that_the_queue_leaves_alone_is_enqueued_by_us() -> anyhow::Result<()> {
    let (stage, open) = with_queue(MergeQueue { takes_armed: false, ..MergeQueue::default() }).await?;
    assert_eq!(stage.arm(&open).await?, Armed::ForQueue);
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    assert_eq!(stage.look(&open).await?.auto_merge, AutoMerge::Unqueued);
    assert_eq!(stage.arm(&open).await?, Armed::Queued);
    assert_eq!(stage.look(&open).await?.auto_merge, AutoMerge::Queued);
    Ok(())
}

#[tokio::test]
async fn what_is_in_the_queue_comes_out_when_the_order_is_taken_back() -> anyhow::Result<()> {
    let (stage, open) = with_queue(MergeQueue::default()).await?;
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    for _ in 0..4 {
        assert_eq!(stage.arm(&open).await?, Armed::Queued);
        let queued = stage.look(&open).await?;
        assert_eq!(queued.auto_merge, AutoMerge::Queued);
        stage.forge.disarm(&stage.repository, &queued).await?;
        stage.forge.disarm(&stage.repository, &queued).await?;
        assert_eq!(stage.look(&open).await?.auto_merge, AutoMerge::Disarmed);
    }
    Ok(())
}

#[tokio::test]
async fn what_fails_in_the_queue_has_three_tries_with_each_head() -> anyhow::Result<()> {
    let (stage, open) = with_queue(MergeQueue::default()).await?;
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    for _ in 0..3 {
        assert_eq!(stage.arm(&open).await?, Armed::Queued);
        say_in_queue(&stage, Outcome::Failure).await?;
        assert_eq!(stage.look(&open).await?.auto_merge, AutoMerge::Disarmed);
    }
    stage.requests();
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "merging acme/trinity#1: the merge queue took it out 3 times (ci failure, the last time): mend what fails there, then put it into the queue by hand or release another commit"
    );
    assert_eq!((error.fault(), stage.requests().len()), (Fault::Permanent, 1));
    let seen = stage.sandbox.pull_request(GITOPS, open.number.0).await?;
    assert_eq!(seen.removals, [Removal::CiFailure; 3]);

    stage.sandbox.push(GITOPS, Push::new("main", [("README", "moved")])).await?;
    let rebuilt = stage.push_over("images: [c]\n", open.head).await?;
    say(&stage, &rebuilt.to_string(), Outcome::Success).await?;
    let open = stage.look(&open).await?;
    assert_eq!(stage.arm(&open).await?, Armed::Queued);
    Ok(())
}

#[tokio::test]
async fn without_auto_merge_we_merge_once_all_that_is_required_is_there() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    stage.sandbox.set_settings(GITOPS, Settings::default()).await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    for outcome in [None, Some(Outcome::Pending), Some(Outcome::Failure)] {
        if let Some(outcome) = outcome {
            say(&stage, &open.head.to_string(), outcome).await?;
        }
        stage.requests();
        assert!(matches!(stage.arm(&open).await?, Armed::Watching(_)), "{outcome:?}");
        assert_eq!(stage.requests().len(), 1);
    }
    let extra = Report { name: "optional".to_owned(), outcome: Outcome::Pending, ..ci() };
    stage.sandbox.set_check(GITOPS, &open.head.to_string(), extra).await?;
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert!(error.to_string().ends_with("a check that is not required failed or is running"), "{error}");
    let extra = Report { name: "optional".to_owned(), outcome: Outcome::Success, ..ci() };
    stage.sandbox.set_check(GITOPS, &open.head.to_string(), extra).await?;
    let Armed::Merged(Some(merge)) = stage.arm(&open).await? else { anyhow::bail!("not merged") };
    assert_eq!(stage.forge.tip(&stage.repository, &stage.base).await?, merge);
    Ok(())
}

#[tokio::test]
async fn without_auto_merge_and_without_a_required_check_nothing_is_merged_by_us() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.sandbox.set_settings(GITOPS, Settings::default()).await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "merging acme/trinity#1: auto-merge is not allowed, and `main` requires no check: switch on \"Allow auto-merge\" in the repository's settings and protect the branch (Settings, Branches), or merge it by hand"
    );
    assert_eq!(state(&stage, &open).await?, PullRequestState::Open);
    Ok(())
}

#[tokio::test]
async fn a_pull_request_behind_a_strict_base_is_made_anew_on_it_and_lands() -> anyhow::Result<()> {
    for allow_auto_merge in [true, false] {
        let stage = Stage::set().await?;
        stage.sandbox.set_settings(GITOPS, Settings { allow_auto_merge, ..Settings::default() }).await?;
        let rules = Rules { required_checks: vec!["ci".to_owned()], strict: true, ..Rules::default() };
        stage.sandbox.set_rules(GITOPS, "main", Some(rules)).await?;
        let first = stage.push("images: [b]\n").await?;
        let open = stage.create().await??;
        say(&stage, &first.to_string(), Outcome::Success).await?;
        stage.sandbox.push(GITOPS, Push::new("main", [("README", "moved")])).await?;
        assert_eq!(stage.look(&open).await?.mergeability, Mergeability::Behind);
        let error = stage.arm(&open).await.unwrap_err();
        assert_eq!(error.to_string(), "merging acme/trinity#1: it is behind its base, which requires the opposite");
        assert_eq!(error.fault(), Fault::Stale);

        let rebuilt = stage.push_over("images: [b]\n", first).await?;
        say(&stage, &rebuilt.to_string(), Outcome::Success).await?;
        let open = stage.look(&open).await?;
        assert!(matches!(stage.arm(&open).await?, Armed::Merged(Some(_))));
        assert_eq!(stage.sandbox.read_file(GITOPS, "main", "README").await?.as_deref(), Some("moved"));
        assert_eq!(stage.sandbox.read_file(GITOPS, "main", PATH).await?.as_deref(), Some("images: [b]\n"));
    }
    Ok(())
}

#[tokio::test]
async fn what_a_ruleset_forbids_is_named() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    let required_checks = vec!["ci".to_owned()];
    let rules =
        Rules { allowed_merge_methods: Some(vec![sandbox::Method::Merge]), required_checks, ..Rules::default() };
    stage.sandbox.set_rules(GITOPS, "main", Some(rules.clone())).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert!(error.to_string().contains("the merge method squash is not allowed there"), "{error}");
    assert_eq!(stage.arm_with(&open, MergeMethod::Merge, &[]).await?.armed, Armed::Armed);
    let signed = Rules { required_signatures: true, ..rules };
    stage.sandbox.set_rules(GITOPS, "main", Some(signed)).await?;
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    assert_eq!(stage.look(&open).await?.mergeability, Mergeability::Blocked);
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_shown_with_the_pull_request() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    let rules = Rules { required_checks: vec!["lint".to_owned()], required_approving_reviews: 2, ..Rules::default() };
    stage.sandbox.set_rules(GITOPS, "main", Some(rules)).await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    let missing = async || anyhow::Ok(stage.look(&open).await?.missing.to_string());
    let unheard = "check `ci` (not reported yet), check `lint` (not reported yet) and 2 approving reviews";
    assert_eq!(missing().await?, unheard);
    say(&stage, &open.head.to_string(), Outcome::Pending).await?;
    let lint = Report { name: "lint".to_owned(), outcome: Outcome::Failure, kind: sandbox::Kind::Status };
    stage.sandbox.set_check(GITOPS, &open.head.to_string(), lint.clone()).await?;
    stage.sandbox.approve(GITOPS, open.number.0, "ada").await?;
    assert_eq!(missing().await?, "check `ci`, check `lint` (failed) and 1 approving review");
    say(&stage, &open.head.to_string(), Outcome::Success).await?;
    stage.sandbox.set_check(GITOPS, &open.head.to_string(), Report { outcome: Outcome::Success, ..lint }).await?;
    assert_eq!(missing().await?, "1 approving review");
    Ok(())
}

#[tokio::test]
async fn labels_and_order_are_one_request_once_the_labels_are_there() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    stage.sandbox.add_label(GITOPS, "release").await?;
    stage.requests();
    let labels = ["release".to_owned()];
    let ordered = stage.arm_with(&open, MergeMethod::Squash, &labels).await?;
    assert_eq!(ordered, Ordered { armed: Armed::Armed, unlabelled: None });
    let requests = stage.requests();
    let sent: Vec<&str> = requests.iter().map(String::as_str).collect();
    assert_eq!(sent, ["POST /graphql repository", "POST /graphql addLabelsToLabelable enablePullRequestAutoMerge"]);
    assert_eq!(stage.sandbox.pull_request(GITOPS, open.number.0).await?.labels, labels);

    let more = ["release".to_owned(), "new".to_owned()];
    stage.arm_with(&open, MergeMethod::Squash, &more).await?;
    assert_eq!(stage.requests(), ["POST /graphql repository", "POST /repos/acme/trinity/issues/1/labels"]);
    assert_eq!(stage.sandbox.pull_request(GITOPS, open.number.0).await?.labels, more);
    stage.arm_with(&open, MergeMethod::Squash, &more).await?;
    assert_eq!(stage.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_app_without_the_checks_permission_arms_and_does_not_merge_by_itself() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    let mut permissions = stage.sandbox.app().await?.permissions;
    permissions.remove("checks");
    stage.sandbox.change_app(AppChange { permissions: Some(permissions), ..AppChange::default() }).await?;
    let head = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    stage.sandbox.set_settings(GITOPS, Settings::default()).await?;
    assert!(matches!(stage.arm(&open).await?, Armed::Watching(_)));
    say(&stage, &head.to_string(), Outcome::Success).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    assert!(error.to_string().ends_with("it needs Checks: read and Commit statuses: read"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_rebase_that_conflicts_says_which_method_to_choose() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.sandbox.set_settings(GITOPS, Settings::default()).await?;
    let first = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    // The second commit takes back what conflicts in the first, so that the whole merges and the single ones do not.
    let branch = crate::stage::branch_name()?;
    let both = [("README", "mine"), ("other", "x")];
    stage.sandbox.push(GITOPS, Push::new(&branch, both)).await?;
    let head = stage.sandbox.push(GITOPS, Push::new(&branch, [("README", "x")])).await?;
    stage.sandbox.push(GITOPS, Push::new("main", [("README", "theirs")])).await?;
    let protection = Protection { required_checks: vec!["ci".to_owned()], ..Protection::default() };
    stage.sandbox.protect(GITOPS, "main", Some(protection)).await?;
    say(&stage, &head.to_string(), Outcome::Success).await?;
    let open = stage.look(&open).await?;
    assert_ne!(open.head, first);
    let error = stage.arm_with(&open, MergeMethod::Rebase, &[]).await.unwrap_err();
    assert!(error.to_string().ends_with("choose squash or merge in `pull_request.auto_merge`"), "{error}");
    assert!(matches!(stage.arm(&open).await?, Armed::Merged(_)));
    stage.sandbox.until_merged(GITOPS, open.number.0, SOON).await?;
    Ok(())
}
