//! The whole way of a release against the sandbox: its answers are GitHub's, its repositories are real.

use std::time::Duration;

use domain::{
    commit::Commit,
    evidence::Lookup,
    fault::Fault,
    forge::{Ancestry, AutoMerge, Branch, Mergeability, PullRequestState},
    glob::Glob,
};
use forge::{Armed, Credentials, Error, Forge, Settings};
use sandbox::{Action, Match, Protection, Push};

use crate::stage::{GITOPS, PATH, Stage, branch, branch_name, ci};

#[tokio::test]
async fn a_release_goes_from_the_tip_to_the_merge() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    let head = stage.push("images: [b]\n").await?;
    let requests = stage.requests();
    assert_eq!(requests.get(..2).unwrap_or_default().len(), 2);
    assert!(requests.len() <= 2 + 3 + 2, "token, fetch, push: {requests:?}");

    let open = stage.create().await??;
    assert_eq!((open.head, open.state), (head, PullRequestState::Open));
    stage.forge.add_labels(&stage.repository, open.number, &["release".to_owned()]).await?;
    assert_eq!(stage.arm(&open).await?, Armed::Armed);
    assert_eq!(stage.arm(&open).await?, Armed::Armed);
    let armed = stage.forge.pull_request(&stage.repository, open.number).await?;
    assert_eq!((armed.auto_merge, armed.mergeability), (AutoMerge::Armed, Mergeability::Blocked));
    assert_eq!((armed.number, &armed.handle, &armed.url), (open.number, &open.handle, &open.url));
    assert_eq!(stage.requests().len(), 6);

    stage.sandbox.set_check(GITOPS, &head.to_string(), ci()).await?;
    let merged = stage.sandbox.until_merged(GITOPS, open.number.0, Duration::from_secs(30)).await?;
    assert_eq!(merged.labels, ["release"]);
    let shown = stage.forge.pull_request(&stage.repository, open.number).await?;
    let PullRequestState::Merged(Some(merge)) = shown.state else { anyhow::bail!("{shown:?}") };
    assert_eq!(Some(merge.to_string()), merged.merge_commit.map(|oid| oid.to_string()));
    assert_eq!(stage.forge.tip(&stage.repository, &stage.base).await?, merge);
    assert_eq!(stage.sandbox.read_file(GITOPS, "main", PATH).await?.as_deref(), Some("images: [b]\n"));
    stage.forge.delete_branch(&stage.repository, &branch()?, &[head]).await?;
    stage.forge.delete_branch(&stage.repository, &branch()?, &[head]).await?;
    Ok(())
}

#[tokio::test]
async fn what_is_not_checked_at_all_is_not_merged_by_our_order() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    stage.requests();
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "merging acme/trinity#1: `main` requires no check, so a pull request can not merge itself: protect the branch (Settings, Branches), or merge it by hand"
    );
    assert_eq!(error.fault(), Fault::Permanent);
    assert_eq!(stage.requests().len(), 2);
    let shown = stage.forge.pull_request(&stage.repository, open.number).await?;
    assert_eq!(shown.state, PullRequestState::Open);
    Ok(())
}

#[tokio::test]
async fn what_has_passed_its_required_check_already_is_merged_at_once() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    let head = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    stage.sandbox.set_check(GITOPS, &head.to_string(), ci()).await?;
    stage.requests();
    let Armed::Merged(Some(merge)) = stage.arm(&open).await? else { anyhow::bail!("not merged") };
    assert_eq!(stage.requests().len(), 3);
    assert_eq!(stage.forge.tip(&stage.repository, &stage.base).await?, merge);
    Ok(())
}

#[tokio::test]
async fn what_nothing_has_checked_waits_for_a_check_though_the_base_requires_none() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let by_pull_request_only = Protection { require_pull_request: true, ..Protection::default() };
    stage.sandbox.protect(GITOPS, "main", Some(by_pull_request_only)).await?;
    let head = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "merging acme/trinity#1: `main` requires no check, and none has run yet: require one (Settings, Branches), so that a pull request can merge itself, or merge it by hand"
    );
    assert_eq!(error.fault(), Fault::Transient);
    stage.sandbox.set_check(GITOPS, &head.to_string(), ci()).await?;
    assert!(matches!(stage.arm(&open).await?, Armed::Merged(Some(_))));
    Ok(())
}

#[tokio::test]
async fn what_checks_say_is_not_taken_for_nothing_by_an_app_that_may_not_see_them() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let mut permissions = stage.sandbox.app().await?.permissions;
    permissions.remove("checks");
    let change = sandbox::AppChange { permissions: Some(permissions), ..sandbox::AppChange::default() };
    stage.sandbox.change_app(change).await?;
    stage.require_ci().await?;
    let head = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    assert_eq!(stage.arm(&open).await?, Armed::Armed);
    stage.forge.disarm(&stage.repository, &open).await?;
    stage.sandbox.set_check(GITOPS, &head.to_string(), ci()).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ordering the merge of acme/trinity#1: the forge forbids it (Resource not accessible by integration); it needs Checks: read and Commit statuses: read"
    );
    let shown = stage.forge.pull_request(&stage.repository, open.number).await?;
    assert_eq!(shown.state, PullRequestState::Open);
    Ok(())
}

#[tokio::test]
async fn what_a_person_points_at_another_branch_before_our_order_comes_is_not_merged_there() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    let head = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    stage.sandbox.set_check(GITOPS, &head.to_string(), ci()).await?;
    stage.sandbox.push(GITOPS, Push { branch: "staging".to_owned(), ..Push::default() }.onto("main")).await?;
    stage.sandbox.protect(GITOPS, "staging", Some(Protection::default())).await?;
    let change =
        sandbox::PullRequestChange { base: Some("staging".to_owned()), ..sandbox::PullRequestChange::default() };
    stage.sandbox.change_pull_request(GITOPS, open.number.0, change).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(error.to_string(), "merging acme/trinity#1: it was pointed at another branch in the meantime");
    assert_eq!(error.fault(), Fault::Stale);
    let shown = stage.forge.pull_request(&stage.repository, open.number).await?;
    assert_eq!(shown.state, PullRequestState::Open);
    Ok(())
}

#[tokio::test]
async fn a_head_that_moved_is_not_merged() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let ours = stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    let foreign = stage.sandbox.push(GITOPS, Push::new(&branch_name()?, [("README", "by hand")])).await?;
    let error = stage.arm(&open).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Stale, "{error}");
    let error = stage.forge.push(&stage.repository, &branch()?, ours, &[ours]).await.unwrap_err();
    assert!(matches!(error, Error::ForeignTip { tip, .. } if tip.to_string() == foreign.to_string()), "{error}");
    let error = stage.forge.delete_branch(&stage.repository, &branch()?, &[ours]).await.unwrap_err();
    assert!(matches!(error, Error::ForeignTip { .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_push_that_a_protected_branch_refuses_is_an_error() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let protection = Protection { restrict_pushes: Some(vec!["octocat".to_owned()]), ..Protection::default() };
    stage.sandbox.protect(GITOPS, &branch_name()?, Some(protection)).await?;
    let error = stage.push("images: [b]\n").await.unwrap_err();
    let Some(error @ Error::PushRefused { why, .. }) = error.downcast_ref::<Error>() else {
        return Err(error);
    };
    assert_eq!(error.fault(), Fault::Permanent);
    assert!(why.starts_with("protected branch hook declined · error: GH006: Protected branch update failed"), "{why}");
    let branches = stage.sandbox.repository(GITOPS).await?.branches;
    assert!(!branches.contains_key(&branch_name()?));
    Ok(())
}

#[tokio::test]
async fn an_order_is_taken_back_and_the_pull_request_closed() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    stage.arm(&open).await?;
    for _ in 0..2 {
        stage.forge.disarm(&stage.repository, &open).await?;
    }
    let shown = stage.forge.pull_request(&stage.repository, open.number).await?;
    assert_eq!(shown.auto_merge, AutoMerge::Disarmed);
    for _ in 0..2 {
        stage.forge.close(&stage.repository, open.number).await?;
    }
    let shown = stage.forge.pull_requests_of(&stage.repository, &branch()?).await?;
    assert_eq!(shown.iter().map(|one| one.state).collect::<Vec<_>>(), [PullRequestState::Closed]);
    assert_eq!(stage.arm(&open).await.unwrap_err().fault(), Fault::Stale);
    Ok(())
}

#[tokio::test]
async fn a_pull_request_is_opened_once_though_the_answer_was_lost() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.require_ci().await?;
    stage.push("images: [b]\n").await?;
    let pulls = Match::request("POST", "/repos/acme/trinity/pulls");
    stage.sandbox.add_fault(sandbox::Fault::new(pulls, Action::ApplyThenDrop));
    assert_eq!(stage.create().await?.unwrap_err().fault(), Fault::Transient);
    let adopted = stage.create().await??;
    assert_eq!(stage.create().await??.number, adopted.number);
    assert_eq!(stage.sandbox.pull_requests(GITOPS).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_repeated_without_a_trace() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let push = Match::request("POST", "/acme/trinity.git/git-receive-pack");
    stage.sandbox.add_fault(sandbox::Fault::new(push, Action::ApplyThenDrop));
    let error = stage.push("images: [b]\n").await.unwrap_err();
    let fault = error.downcast_ref().map(Error::fault);
    assert_eq!(fault, Some(Fault::Transient), "{error:#}");
    stage.push("images: [b]\n").await?;
    Ok(())
}

#[tokio::test]
async fn a_branch_with_nothing_new_is_not_proposed() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let nothing = stage.create().await?.unwrap_err();
    assert_eq!(nothing.fault(), Fault::Transient, "{nothing}");
    stage.sandbox.push(GITOPS, Push::new(&branch_name()?, []).onto("main")).await?;
    stage.sandbox.push(GITOPS, Push::new("main", []).onto(&branch_name()?)).await?;
    let nothing = stage.create().await?.unwrap_err();
    assert!(matches!(nothing, Error::NothingToMerge { .. }), "{nothing}");
    Ok(())
}

#[tokio::test]
async fn an_expired_token_is_replaced_in_both_conversations() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.push("images: [b]\n").await?;
    stage.sandbox.expire_tokens().await?;
    stage.forge.tip(&stage.repository, &stage.base).await?;
    stage.sandbox.expire_tokens().await?;
    stage.create().await??;
    Ok(())
}

#[tokio::test]
async fn existence_is_not_ancestry() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let push =
        |branch: &str| stage.sandbox.push(GITOPS, Push::new(branch, [("README", "z")]).message("Zoom deeper\n\nx"));
    let first: Commit = stage.sandbox.repository(GITOPS).await?.branches["main"].to_string().parse()?;
    let on_main: Commit = push("main").await?.to_string().parse()?;
    let aside = stage.sandbox.push(GITOPS, Push::new("aside", [("README", "a")]).onto(&first.to_string()));
    let aside: Commit = aside.await?.to_string().parse()?;
    let main: [Glob; 1] = ["main".parse()?];
    let look_up = async |commit, branches: &[Glob]| stage.forge.look_up(&stage.repository, commit, branches).await;

    let found = look_up(on_main, &main).await?;
    let Lookup::Present { subject, branch, .. } = found else { anyhow::bail!("absent") };
    assert_eq!((subject.as_str(), branch.as_ref().map(Branch::as_str)), ("Zoom deeper", Some("main")));
    let found = look_up(aside, &main).await?;
    assert!(matches!(found, Lookup::Present { branch: None, .. }), "{found:?}");
    let both = ["main".parse()?, "aside".parse()?];
    let found = look_up(aside, &both).await?;
    assert!(
        matches!(&found, Lookup::Present { branch, .. } if branch.as_ref().map(Branch::as_str) == Some("aside")),
        "{found:?}"
    );
    assert_eq!(look_up(Commit::from_bytes([7; 20]), &main).await?, Lookup::Absent);
    let error = look_up(on_main, &["gone".parse()?]).await.unwrap_err();
    assert_eq!(error.to_string(), "acme/trinity has no branch gone");

    for (one, other, expected) in [
        (first, on_main, Some(Ancestry::Ancestor)),
        (on_main, first, Some(Ancestry::Descendant)),
        (on_main, aside, Some(Ancestry::Unrelated)),
        (on_main, Commit::from_bytes([7; 20]), None),
    ] {
        let found = stage.forge.comparison(&stage.repository, one, other).await?;
        assert_eq!(found.map(|found| found.ancestry), expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_repository_that_may_not_be_seen_is_named() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.sandbox.set_installed(GITOPS, false).await?;
    let error = stage.forge.tip(&stage.repository, &stage.base).await.unwrap_err();
    assert!(matches!(error, Error::NotInstalled { .. }), "{error}");

    let credentials = Credentials::Token(sandbox::PERSONAL_TOKEN.into());
    let directory = tempfile::tempdir()?;
    let settings = Settings::new(stage.sandbox.url().parse()?, credentials, directory.path().to_owned());
    let forge = Forge::new(settings)?;
    forge.tip(&stage.repository, &stage.base).await?;
    let nothing = "acme/nothing".parse()?;
    let error = forge.tip(&nothing, &stage.base).await.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    let error = forge.look_up(&nothing, Commit::from_bytes([7; 20]), &["main".parse()?]).await.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    let error = forge.pull_request(&nothing, domain::forge::Number(1)).await.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    let error = forge.pull_request(&stage.repository, domain::forge::Number(9)).await.unwrap_err();
    assert!(matches!(error, Error::NoPullRequest { .. }), "{error}");
    Ok(())
}
