//! What a release of three targets costs at the forge.

use anyhow::{Result, ensure};
use sandbox::Recorded;
use testkit::{Scene, scene::Way};

/// What was asked of the forge.
#[derive(Debug, Default, PartialEq, Eq)]
struct Spent {
    /// Of its interfaces.
    reads: usize,
    /// Whatever changes something, but for commits and branches.
    changes: usize,
    /// Whatever makes commits or moves branches.
    pushes: usize,
}

impl Spent {
    fn of(requests: &[Recorded]) -> Self {
        let mut spent = Self::default();
        for one in requests {
            let is_git = one.path.contains(".git/");
            let moves_branches = one.operations.iter().any(|name| name == "updateRefs");
            match (one.mutating, is_git || moves_branches) {
                (true, true) => spent.pushes += 1,
                (true, false) => spent.changes += 1,
                // What Git says of its branches costs nothing of what is limited.
                (false, true) => {}
                (false, false) => spent.reads += 1,
            }
        }
        spent
    }
}

/// What the second release of a service costs: the first one has to find its installation, and to get tokens.
async fn release(way: Way, labels: &str) -> Result<(Spent, String)> {
    let scene = Scene::start(way.options()).await?;
    let config = std::fs::read_to_string(scene.config())?;
    std::fs::write(scene.config(), config.replace("labels: [release]", labels))?;
    let tagferry = scene.tagferry().await?;
    for subject in ["First", "Second"] {
        scene.forge.clear_requests();
        let commit = scene.commit(subject).await?;
        scene.push_to_all(&commit)?;
        let (outcome, reason) = tagferry.outcome(&commit).await?;
        ensure!(outcome == "merged", "{outcome}: {reason}");
    }
    // It finishes what it has begun.
    ensure!(tagferry.terminate().await?);
    let requests = scene.forge.requests();
    scene.end().await;
    let line = |one: &Recorded| format!("{} {} {:?}", one.method, one.path, one.operations);
    Ok((Spent::of(&requests), requests.iter().map(line).collect::<Vec<_>>().join("\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_takes_two_changes_one_push_and_five_reads_at_most() -> Result<()> {
    let (spent, told) = release(Way::Git, "labels: [release]").await?;
    testkit::say(&format!("by Git: {spent:?}"))?;
    ensure!(spent.changes == 2 && spent.pushes == 1 && spent.reads <= 5, "{spent:?}:\n{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_status_takes_one_change_more() -> Result<()> {
    let (spent, told) = release(Way::Git, "labels: [release], verdict_status: true").await?;
    ensure!(spent.changes == 3 && spent.pushes == 1 && spent.reads <= 5, "{spent:?}:\n{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_forge_makes_the_commits_two_documents_and_two_looks_take_the_place_of_the_push() -> Result<()> {
    let (spent, told) = release(Way::Api, "labels: [release]").await?;
    testkit::say(&format!("by the forge: {spent:?}"))?;
    ensure!(spent.changes == 2 && spent.pushes == 2 && spent.reads <= 5 + 2, "{spent:?}:\n{told}");
    Ok(())
}
