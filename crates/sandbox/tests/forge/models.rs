//! A client that somebody else wrote understands every answer that it has a model for.

use anyhow::{Context as _, Result};
use octocrab::{
    Octocrab,
    models::{
        CheckRunId, HookDeliveryId, IssueState, StatusState, apps::CreateInstallationAccessToken,
        pulls::MergeableState, webhook_events::WebhookEventType,
    },
    params::{
        checks::{CheckRunConclusion, CheckRunStatus},
        pulls::{MergeMethod, State},
        repos::{Commitish, Reference},
    },
};
use sandbox::{Options, Push, Target};

use crate::client::{Forge, REPOSITORY};

/// A client with a token, or with the App's signature in place of one.
fn client(forge: &Forge, token: &str) -> Result<Octocrab> {
    Ok(Octocrab::builder().base_uri(forge.sandbox.url())?.user_access_token(token.to_owned()).build()?)
}

#[tokio::test]
async fn octocrab_understands_the_app_its_installation_and_its_tokens() -> Result<()> {
    let forge = Forge::start().await?;
    let app = client(&forge, &forge.signature(&forge.claims())?)?;
    let shown = app.current().app().await?;
    assert_eq!((shown.id.into_inner(), shown.name.as_str()), (1, "tagferry"));
    let installation = app.apps().get_repository_installation("acme", "trinity").await?;
    assert_eq!(installation.account.login, "acme");
    let listed = app.apps().installations().send().await?;
    assert_eq!(listed.items.iter().map(|one| one.id).collect::<Vec<_>>(), [installation.id]);
    assert_eq!(app.apps().installation(installation.id).await?.id, installation.id);
    let repositories = Some(vec!["trinity".to_owned()]);
    let wanted = CreateInstallationAccessToken { repositories, ..CreateInstallationAccessToken::default() };
    let token = app.apps().create_installation_access_token(installation.id, &wanted).await?;
    assert!(token.token.starts_with("ghs_") && token.expires_at.is_some(), "{:?}", token.expires_at);

    let installed = client(&forge, &token.token)?;
    let repositories = installed.apps().installation_repositories().send().await?;
    assert_eq!(
        repositories.repositories.iter().filter_map(|it| it.full_name.as_deref()).collect::<Vec<_>>(),
        [REPOSITORY]
    );
    assert!(installed.ratelimit().get().await?.resources.core.limit > 0);
    installed.apps().revoke_installation_token().await?;
    assert!(installed.repos("acme", "trinity").get().await.is_err(), "a token that is revoked is of no use");
    Ok(())
}

#[tokio::test]
async fn octocrab_understands_repositories_references_and_commits() -> Result<()> {
    let forge = Forge::start().await?;
    let octocrab = client(&forge, &forge.token)?;
    let repos = octocrab.repos("acme", "trinity");
    let repository = repos.get().await?;
    assert_eq!((repository.name.as_str(), repository.allow_auto_merge), ("trinity", Some(true)));
    let main = repos.get_ref(&Reference::Branch("main".to_owned())).await?;
    assert_eq!(main.ref_field, "refs/heads/main");
    let branch = repos.branches().get("main").await?;
    assert!(branch.protected);
    assert_eq!(repos.rules_for_branch("main").send().await?.len(), 0);

    let head = forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "1")])).await?.to_string();
    let other = Reference::Branch("a/b".to_owned());
    let made = repos.create_ref(&other, &branch.commit.sha).await?;
    assert_eq!(made.ref_field, "refs/heads/a/b");
    repos.update_ref(&other, &head).send().await?;
    assert_eq!(repos.list_matching_refs("heads/a").await?.len(), 1);
    repos.delete_ref(&other).await?;

    let commits = octocrab.commits("acme", "trinity");
    let commit = commits.get(head.as_str()).await?;
    assert_eq!((commit.sha.as_str(), commit.parents.len()), (head.as_str(), 1));
    let compared = commits.compare("main", "topic").send().await?;
    assert_eq!((compared.ahead_by, compared.behind_by, compared.commits.len()), (1, 0, 1));
    Ok(())
}

#[tokio::test]
async fn octocrab_understands_checks_and_statuses() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (_, head) = forge.pull_request("topic").await?;
    let octocrab = client(&forge, &forge.token)?;
    let checks = octocrab.checks("acme", "trinity");
    let run = checks.create_check_run("ci", &head).status(CheckRunStatus::InProgress).send().await?;
    let run = checks
        .update_check_run(CheckRunId(run.id.into_inner()))
        .status(CheckRunStatus::Completed)
        .conclusion(CheckRunConclusion::Success)
        .send()
        .await?;
    assert_eq!(run.conclusion.as_deref(), Some("success"));
    let runs = checks.list_check_runs_for_git_ref(Commitish(head.clone())).send().await?;
    assert_eq!((runs.total_count, runs.check_runs.len()), (1, 1));

    let repos = octocrab.repos("acme", "trinity");
    let status = repos.create_status(head.clone(), StatusState::Success).context("lint".to_owned()).send().await?;
    assert_eq!(status.context.as_deref(), Some("lint"));
    let combined = repos.combined_status_for_ref(&Reference::Branch("topic".to_owned())).await?;
    assert_eq!((combined.state, combined.statuses.len()), (StatusState::Success, 1));
    Ok(())
}

#[tokio::test]
async fn octocrab_understands_the_life_of_a_pull_request() -> Result<()> {
    let forge = Forge::start().await?;
    let octocrab = client(&forge, &forge.token)?;
    let head = forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "1")])).await?.to_string();
    let pulls = octocrab.pulls("acme", "trinity");
    let opened = pulls.create("Raise", "topic", "main").body("Because.").send().await?;
    let number = opened.number;
    assert_eq!((opened.head.sha.as_str(), opened.state), (head.as_str(), Some(IssueState::Open)));
    let edited = pulls.update(number).title("Raise it").send().await?;
    assert_eq!(edited.title.as_deref(), Some("Raise it"));
    let listed = pulls.list().state(octocrab::params::State::Open).head("acme:topic").base("main").send().await?;
    assert_eq!(listed.items.iter().map(|one| one.number).collect::<Vec<_>>(), [number]);
    assert_eq!(pulls.list_files(number).await?.items.len(), 1);

    let issues = octocrab.issues("acme", "trinity");
    let labels = issues.add_labels(number, &["release".to_owned()]).await?;
    assert_eq!(labels.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["release"]);
    assert_eq!(issues.create_comment(number, "Hello").await?.body.as_deref(), Some("Hello"));
    assert!(issues.remove_label(number, "release").await?.is_empty());
    pulls.update(number).state(State::Closed).send().await?;
    let reopened = pulls.update(number).state(State::Open).send().await?;
    assert_eq!(reopened.state, Some(IssueState::Open));

    let shown = pulls.get(number).await?;
    assert_eq!(shown.mergeable_state, Some(MergeableState::Blocked));
    forge.sandbox.protect(REPOSITORY, "main", None).await?;
    let merged = pulls.merge(number).sha(head).method(MergeMethod::Squash).title("Raise").send().await?;
    assert!(merged.merged && merged.sha.is_some());
    assert!(pulls.get(number).await?.merged_at.is_some());
    Ok(())
}

#[tokio::test]
async fn octocrab_understands_what_became_of_webhooks() -> Result<()> {
    let target = Target { url: "http://127.0.0.1:9/".to_owned(), ..Target::default() };
    let forge = Forge::with(Options { webhook: Some(target), ..Options::default() }).await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "1")])).await?;
    let probe = async |control: &sandbox::Control| control.deliveries().into_iter().next();
    forge.sandbox.until("a delivery", crate::client::SOON, probe).await?;
    let app = client(&forge, &forge.signature(&forge.claims())?)?;
    let listed = app.apps().webhook_deliveries().send().await?;
    let first = listed.first().context("nothing was delivered")?;
    assert_eq!(first.event, Some(WebhookEventType::Push));
    app.apps().redeliver_webhook_delivery(HookDeliveryId(first.id.into_inner())).await?;
    Ok(())
}
