//! The end: nothing is left over, and what can be tried now.

use anyhow::{Result, ensure};

use crate::{
    place::{BASE, GITOPS, SOURCE, Scene, TARGETS},
    sandbox::PullRequest,
    say::{Sign, Teller},
    tagferry,
};

/// Makes sure that there was one pull request, and that nothing came after its merge.
///
/// # Errors
///
/// Something did.
pub(super) async fn check(teller: &Teller, scene: &Scene, merged: &PullRequest) -> Result<()> {
    let all = scene.sandbox.pull_requests(GITOPS).await?;
    ensure!(all.len() == 1, "one pull request was to be made, and these were: {all:?}");
    let tip = scene.sandbox.tip(GITOPS, BASE).await?;
    ensure!(tip == merged.merge_commit, "{BASE} was to stay at the merge, and is at {tip:?}");
    let left = scene.sandbox.tip(GITOPS, &merged.head_branch).await?;
    ensure!(left.is_none(), "the branch {} was to be deleted, and is at {left:?}", merged.head_branch);
    teller.chapter("The end")?;
    teller.line(
        Sign::Good,
        "all as told",
        "one pull request merged into three overlays, three pushes turned away with their reasons",
    )
}

/// Says what can be tried while everything is up.
///
/// # Errors
///
/// Standard output is closed.
pub(crate) fn invite(teller: &Teller, scene: &Scene) -> Result<()> {
    let (forge, registry, tagferry) = (scene.sandbox.forge(), scene.sandbox.registry(), scene.tagferry.url());
    let repositories: Vec<&str> = TARGETS.iter().map(|target| target.repository).collect();
    let text = format!(
        "
Everything stays up until Ctrl-C.

  tagferry   {tagferry}
  forge      {forge}
  registry   {registry}
  files      {directory}
  configured by {configuration}

Ask Tagferry why (the token may read):
  curl -s -H 'Authorization: Bearer {token}' {tagferry}/v1/releases
  curl -s -H 'Authorization: Bearer {token}' {tagferry}/v1/deliveries

Release another commit: make one, push its image three times, and see the pull request merge.
  commit=$(curl -s {forge}/_sim/repositories/{SOURCE}/push -H 'Content-Type: application/json' \\
    -d '{{\"branch\": \"main\", \"message\": \"Zoom out\", \"files\": {{\"zoom\": \"out\"}}}}' | tr -cd '[:xdigit:]' | tail -c 40)
  for repository in {repositories}; do
    curl -s {registry}/_sim/images -H 'Content-Type: application/json' \\
      -d \"{{\\\"repository\\\": \\\"$repository\\\", \\\"tag\\\": \\\"sha-$commit\\\"}}\"; echo
  done
  sleep 2; curl -s {forge}/_sim/repositories/{GITOPS}/pull-requests

See everything that the forge can be told to do, and clone from it:
  curl -s {forge}/_sim/
  git clone {git_url}
",
        directory = scene.directory.display(),
        configuration = scene.configuration.display(),
        token = tagferry::TOKEN,
        repositories = repositories.join(" "),
        git_url = scene.sandbox.git_url(GITOPS),
    );
    teller.plain(&text)
}
