//! Git over HTTP, as the `git` program sees it.

use anyhow::Result;
use sandbox::{Protection, Push};
use tempfile::tempdir;

use crate::client::{Forge, REPOSITORY, git};

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_is_made_and_a_branch_is_pushed() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let directory = tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    clone.commit("new.txt", "text\n")?;
    let (done, said) = clone.git(&["push", "origin", "HEAD:refs/heads/topic"])?;
    assert!(done, "{said}");
    assert_eq!(forge.sandbox.read_file(REPOSITORY, "topic", "new.txt").await?.as_deref(), Some("text\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_fetch_request_is_unpacked() -> Result<()> {
    let forge = Forge::start().await?;
    let directory = tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    // Many commits that the forge does not have make a request that git packs.
    for count in 0..60 {
        let (done, said) = clone.git(&["commit", "--quiet", "--allow-empty", "-m", &count.to_string()])?;
        assert!(done, "{said}");
    }
    forge.sandbox.push(REPOSITORY, Push::new("main", [("later.txt", "later\n")])).await?;
    let (done, said) = clone.git(&["fetch", "origin"])?;
    assert!(done, "{said}");
    let (done, said) = clone.git(&["-c", "protocol.version=0", "fetch", "origin"])?;
    assert!(done, "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_a_protected_branch_is_refused_as_github_says_it() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let protection = Protection { require_pull_request: true, ..Protection::default() };
    forge.sandbox.protect(REPOSITORY, "main", Some(protection)).await?;
    let before = forge.sandbox.repository(REPOSITORY).await?.branches;
    let directory = tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    clone.commit("new.txt", "text\n")?;
    let (done, said) = clone.git(&["push", "origin", "HEAD:main"])?;
    assert!(!done);
    for expected in [
        "remote: error: GH006: Protected branch update failed for refs/heads/main.",
        "remote: - Changes must be made through a pull request.",
        "! [remote rejected] HEAD -> main (protected branch hook declined)",
    ] {
        assert!(said.contains(expected), "{expected:?} is missing in:\n{said}");
    }
    assert_eq!(forge.sandbox.repository(REPOSITORY).await?.branches, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_without_the_required_check_says_which() -> Result<()> {
    let forge = Forge::start().await?;
    let directory = tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    clone.commit("new.txt", "text\n")?;
    let (done, said) = clone.git(&["push", "origin", "HEAD:main"])?;
    assert!(!done && said.contains("Required status check \"ci\" is expected."), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_does_not_clone_and_nobody_is_asked_for_basic_credentials() -> Result<()> {
    let mut forge = Forge::start().await?;
    let response = forge.http.get(format!("{}/info/refs?service=git-upload-pack", forge.sandbox.git_url(REPOSITORY)));
    let response = response.send().await?;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"GitHub\"");
    forge.token = "ghp_wrong".to_owned();
    let directory = tempdir()?;
    assert!(forge.clone_to(directory.path()).is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_the_app_is_not_found() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    forge.sandbox.set_installed(REPOSITORY, false).await?;
    let directory = tempdir()?;
    let refused = forge.clone_to(directory.path()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("not found"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_follows_its_branch() -> Result<()> {
    let forge = Forge::start().await?;
    let (number, head) = forge.pull_request("topic").await?;
    let directory = tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    let (done, said) = clone.git(&["checkout", "--quiet", "topic"])?;
    assert!(done, "{said}");
    clone.commit("more.txt", "more\n")?;
    let (done, said) = clone.git(&["push", "origin", "topic"])?;
    assert!(done, "{said}");
    let after = forge.sandbox.pull_request(REPOSITORY, number).await?;
    assert_ne!(after.head.as_str(), head);
    // A branch that goes closes its pull request.
    let (done, said) = clone.git(&["push", "origin", ":topic"])?;
    assert!(done, "{said}");
    assert_eq!(forge.sandbox.pull_request(REPOSITORY, number).await?.state, "closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_the_branches_of_the_original() -> Result<()> {
    let directory = tempdir()?;
    let original = directory.path().join("original");
    std::fs::create_dir(&original)?;
    for arguments in [
        vec!["init", "--quiet", "--initial-branch=trunk"],
        vec!["commit", "--quiet", "--allow-empty", "-m", "First"],
        vec!["branch", "other"],
    ] {
        let (done, said) = git(&original, &arguments)?;
        assert!(done, "{said}");
    }
    let forge = Forge::start().await?;
    let new = sandbox::NewRepository::with_files("acme/copy", [])?;
    let new = sandbox::NewRepository { copy_from: Some(original), ..new };
    let made = forge.sandbox.create_repository(new).await?;
    assert_eq!(made.branches.keys().collect::<Vec<_>>(), ["other", "trunk"]);
    assert_eq!(made.default_branch, "trunk");
    Ok(())
}
