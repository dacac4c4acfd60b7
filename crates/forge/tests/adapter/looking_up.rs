//! Looking a commit up. Existence is not ancestry.

use anyhow::Context as _;
use domain::{
    commit::Commit,
    evidence::{App, CheckState, Left, Lookup, Reported},
    fault::Fault,
    glob::Glob,
};
use forge::{Credentials, Error, Forge, Settings};
use sandbox::{AppChange, Kind, Outcome, Push, Report, Reporter, RunReport};

use crate::stage::{GITOPS, Stage};

/// Pushes to a branch, anew from a commit where one is given.
async fn push(stage: &Stage, branch: &str, onto: Option<Commit>) -> anyhow::Result<Commit> {
    let push = Push::new(branch, [("README", branch)]).message(&format!("On {branch}\n\nMore"));
    let push = match onto {
        Some(onto) => push.onto(&onto.to_string()),
        None => push,
    };
    Ok(stage.sandbox.push(GITOPS, push).await?.to_string().parse()?)
}

async fn look_up(stage: &Stage, commit: Commit, branches: &[&str]) -> anyhow::Result<Result<Lookup, Error>> {
    let branches: Vec<Glob> = branches.iter().map(|branch| branch.parse()).collect::<Result<_, _>>()?;
    Ok(stage.forge.look_up(&stage.repository, commit, &branches).await)
}

/// The branch that a commit is on, and how it left it.
async fn branch_of(stage: &Stage, commit: Commit, branches: &[&str]) -> anyhow::Result<(Option<String>, Option<Left>)> {
    match look_up(stage, commit, branches).await?? {
        Lookup::Present { branch, left, .. } => Ok((branch.map(|branch| branch.to_string()), left)),
        Lookup::Absent => anyhow::bail!("it is absent"),
    }
}

async fn checks(stage: &Stage, commit: Commit) -> anyhow::Result<Vec<Reported>> {
    let asked = stage.forge.checks(&stage.repository, commit).await?;
    match look_up(stage, commit, &["main"]).await?? {
        Lookup::Present { checks, .. } => assert_eq!(checks, asked),
        Lookup::Absent => anyhow::bail!("it is absent"),
    }
    Ok(asked)
}

#[tokio::test]
async fn a_commit_is_found_by_one_request_on_the_first_branch_that_has_it() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let base = stage.forge.tip(&stage.repository, &stage.base).await?;
    let on_main = push(&stage, "main", None).await?;
    push(&stage, "main", None).await?;
    let aside = push(&stage, "aside", Some(base)).await?;
    let release = push(&stage, "release/1.x", Some(base)).await?;
    push(&stage, "release-1.x", Some(base)).await?;
    branch_of(&stage, base, &["main"]).await?;
    stage.requests();
    for (commit, branches, expected) in [
        (on_main, vec!["main", "aside"], "main"),
        (base, vec!["main", "aside"], "main"),
        (base, vec!["aside", "main"], "aside"),
        (aside, vec!["main", "aside"], "aside"),
        (release, vec!["main", "release/*"], "release/1.x"),
        (base, vec!["release/*", "main"], "main"),
        (base, vec!["release/*"], "release/1.x"),
        (base, vec!["a*", "release*"], "aside"),
        (release, vec!["*x"], "release/1.x"),
        (on_main, vec!["gone", "main"], "main"),
    ] {
        assert_eq!(branch_of(&stage, commit, &branches).await?, (Some(expected.to_owned()), None), "{branches:?}");
        assert_eq!(stage.requests(), ["POST /graphql repository"], "{branches:?}");
    }
    let found = look_up(&stage, on_main, &["main"]).await??;
    let Lookup::Present { subject, url, checks, .. } = found else { anyhow::bail!("it is absent") };
    let expected = format!("{}/{GITOPS}/commit/{on_main}", stage.sandbox.url());
    assert_eq!((subject.as_str(), url, checks), ("On main", expected, Vec::new()));
    Ok(())
}

#[tokio::test]
async fn a_commit_on_no_allowed_branch_only_exists() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let base = stage.forge.tip(&stage.repository, &stage.base).await?;
    push(&stage, "main", None).await?;
    let aside = push(&stage, "aside", Some(base)).await?;
    for branches in [vec!["main"], vec!["main", "release/*"], vec!["a-*"], vec![]] {
        assert_eq!(branch_of(&stage, aside, &branches).await?, (None, None), "{branches:?}");
    }
    // As one of a fork: the forge has it, and no branch.
    stage.sandbox.delete_branch(GITOPS, "aside").await?;
    assert_eq!(branch_of(&stage, aside, &["main", "*"]).await?, (None, None));
    Ok(())
}

#[tokio::test]
async fn an_unknown_commit_is_absent() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let nothing = Commit::from_bytes([7; 20]);
    for branches in [vec!["main"], vec!["gone", "release/*"]] {
        assert_eq!(look_up(&stage, nothing, &branches).await??, Lookup::Absent);
    }
    let error = stage.forge.checks(&stage.repository, nothing).await.unwrap_err();
    assert!(matches!(error, Error::UnknownCommit { .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_missing_branch_is_named_unless_another_has_the_commit() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let base = stage.forge.tip(&stage.repository, &stage.base).await?;
    let aside = push(&stage, "aside", Some(base)).await?;
    let error = look_up(&stage, aside, &["main", "gone", "lost"]).await?.unwrap_err();
    assert_eq!(error.to_string(), format!("{GITOPS} has no branch gone"));
    assert_eq!(error.fault(), Fault::Permanent);
    Ok(())
}

#[tokio::test]
async fn a_branch_that_was_moved_away_from_a_commit_is_named_with_the_time() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let base = stage.forge.tip(&stage.repository, &stage.base).await?;
    let lost = push(&stage, "main", None).await?;
    push(&stage, "main", None).await?;
    let never = push(&stage, "aside", Some(base)).await?;
    let before = chrono::Utc::now() - chrono::TimeDelta::seconds(2);
    for text in ["x", "y"] {
        let push = Push::new("main", [("README", text)]).onto(&base.to_string());
        stage.sandbox.push(GITOPS, push).await?;
    }
    let (branch, left) = branch_of(&stage, lost, &["aside", "main"]).await?;
    let left = left.context("it says so")?;
    assert_eq!((branch, left.branch.as_str()), (None, "main"));
    assert!(left.at >= before && left.at <= chrono::Utc::now() + chrono::TimeDelta::seconds(2), "{left:?}");
    assert_eq!(branch_of(&stage, never, &["main"]).await?, (None, None));

    // An Enterprise Server that does not tell.
    let activity = format!("/repos/{GITOPS}/activity");
    for status in [403, 404] {
        stage.sandbox.add_fault(sandbox::Fault::answer(&activity, 1, status, &[]));
        assert_eq!(branch_of(&stage, lost, &["main"]).await?, (None, None), "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn all_branches_like_a_pattern_are_looked_at() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    stage.crowd("release/", 60).await?;
    let base = stage.forge.tip(&stage.repository, &stage.base).await?;
    let last = push(&stage, "release/zz", Some(base)).await?;
    stage.requests();
    assert_eq!(branch_of(&stage, last, &["release/*"]).await?.0.as_deref(), Some("release/zz"));
    assert_eq!(stage.requests().iter().filter(|line| line.starts_with("POST /graphql")).count(), 2);
    let all = stage.forge.branches_like(&stage.repository, &"release/0*".parse()?).await?;
    assert_eq!(all.len(), 60);
    let one = stage.forge.branches_like(&stage.repository, &"release/00".parse()?).await?;
    assert_eq!(one, []);
    Ok(())
}

#[tokio::test]
async fn a_check_says_what_it_says_at_the_forge() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let tip = stage.forge.tip(&stage.repository, &stage.base).await?;
    let revision = tip.to_string();
    assert_eq!(checks(&stage, tip).await?, []);
    let app = Reporter { id: 15368, slug: "github-actions".to_owned() };
    let mut expected = Vec::new();
    for (conclusion, state) in [
        (None, CheckState::Running),
        (Some("success"), CheckState::Succeeded),
        (Some("neutral"), CheckState::Neutral),
        (Some("skipped"), CheckState::Skipped),
        (Some("failure"), CheckState::Failed("failure".to_owned())),
        (Some("timed_out"), CheckState::Failed("timed_out".to_owned())),
        (Some("cancelled"), CheckState::Failed("cancelled".to_owned())),
    ] {
        let name = format!("run {}", conclusion.unwrap_or("going on"));
        let url = format!("https://ci.example/{}", conclusion.unwrap_or_default());
        let report = RunReport {
            name: name.clone(),
            conclusion: conclusion.map(str::to_owned),
            app: Some(app.clone()),
            details_url: Some(url.clone()),
        };
        stage.sandbox.report_run(GITOPS, &revision, report).await?;
        let app = Some(App { id: app.id, slug: app.slug.clone() });
        expected.push(Reported { name, app, state, url: Some(url) });
    }
    for (outcome, state) in [
        (Outcome::Success, CheckState::Succeeded),
        (Outcome::Pending, CheckState::Running),
        (Outcome::Failure, CheckState::Failed("failure".to_owned())),
    ] {
        let name = format!("status {state:?}");
        let report = Report { name: name.clone(), outcome, kind: Kind::Status };
        stage.sandbox.set_check(GITOPS, &revision, report).await?;
        expected.push(Reported { name, app: None, state, url: None });
    }
    assert_eq!(checks(&stage, tip).await?, expected);

    // The same name by another App is another check; without a page of its own it is shown at the forge.
    let name = "run success".to_owned();
    let again = RunReport { name: name.clone(), conclusion: None, app: None, details_url: None };
    stage.sandbox.report_run(GITOPS, &revision, again).await?;
    let all = checks(&stage, tip).await?;
    let same: Vec<_> = all.iter().filter(|one| one.name == name).collect();
    let id = stage.sandbox.app().await?.id;
    assert_eq!(same.len(), 2);
    let other = same.last().context("two")?;
    assert_eq!((other.app.as_ref().map(|app| app.id), &other.state), (Some(id), &CheckState::Running));
    assert!(other.url.as_deref().is_some_and(|url| url.starts_with(&stage.sandbox.url())), "{other:?}");
    Ok(())
}

#[tokio::test]
async fn more_than_a_hundred_checks_are_all_read() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let tip = stage.forge.tip(&stage.repository, &stage.base).await?;
    for place in 0..205 {
        let report = Report { name: format!("ci {place}"), outcome: Outcome::Success, kind: Kind::CheckRun };
        stage.sandbox.set_check(GITOPS, &tip.to_string(), report).await?;
    }
    let all = checks(&stage, tip).await?;
    assert_eq!((all.len(), all.last().map(|one| one.name.as_str())), (205, Some("ci 204")));
    stage.requests();
    look_up(&stage, tip, &["main"]).await??;
    assert_eq!(stage.requests().len(), 3);
    Ok(())
}

#[tokio::test]
async fn checks_that_may_not_be_seen_are_not_taken_for_none() -> anyhow::Result<()> {
    for (lacking, kind) in [("checks", Kind::CheckRun), ("statuses", Kind::Status)] {
        let stage = Stage::set().await?;
        let tip = stage.forge.tip(&stage.repository, &stage.base).await?;
        let report = Report { name: "ci".to_owned(), outcome: Outcome::Failure, kind };
        stage.sandbox.set_check(GITOPS, &tip.to_string(), report).await?;
        let mut permissions = stage.sandbox.app().await?.permissions;
        permissions.remove(lacking);
        stage.sandbox.change_app(AppChange { permissions: Some(permissions), ..AppChange::default() }).await?;
        stage.sandbox.expire_tokens().await?;
        let asked = [
            look_up(&stage, tip, &["main"]).await?.map(drop),
            stage.forge.checks(&stage.repository, tip).await.map(drop),
        ];
        for error in asked.into_iter().filter_map(Result::err).collect::<Vec<_>>() {
            let text = error.to_string();
            assert!(text.ends_with("it needs Checks: read and Commit statuses: read"), "{text}");
            assert_eq!(error.fault(), Fault::Permanent);
        }
        assert!(look_up(&stage, tip, &["main"]).await?.is_err());
        assert!(stage.forge.checks(&stage.repository, tip).await.is_err());
        // Who does not ask for checks needs no permission to see them.
        let located = stage.forge.locate(&stage.repository, tip, &["main".parse()?]).await?;
        assert!(matches!(located, Lookup::Present { branch: Some(_), .. }), "{located:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_repository_that_may_not_be_seen_is_no_absent_commit() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let directory = tempfile::tempdir()?;
    let credentials = Credentials::Token(sandbox::PERSONAL_TOKEN.into());
    let forge = Forge::new(Settings::new(stage.sandbox.url().parse()?, credentials, directory.path().to_owned()))?;
    let nothing = "acme/nothing".parse()?;
    let error = forge.look_up(&nothing, Commit::from_bytes([7; 20]), &["main".parse()?]).await.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    let error = forge.branches_like(&nothing, &"main".parse()?).await.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    Ok(())
}
