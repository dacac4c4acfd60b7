//! Answers that are lost, and others who are faster: what is not recorded never comes onto the release branch.

use domain::fault::Fault;
use forge::Error;
use sandbox::{Action, Match, Push};

use super::{GITOPS, Ground, STAGING, branch, commit, edit, ways};

const PATH: &str = "apps/kustomization.yaml";

async fn ground() -> anyhow::Result<Ground> {
    Ground::lay(&[(PATH, "images: []\n"), ("README", "x")]).await
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_on_no_release_branch_and_made_again() -> anyhow::Result<()> {
    for action in [Action::ApplyThenDrop, Action::DropBefore] {
        let ground = ground().await?;
        let [_, by_api] = ways();
        let forge = ground.forge(&by_api).await?;
        ground.sandbox.add_fault(sandbox::Fault::new(Match::operation("createCommitOnBranch"), action));
        let files = [edit(PATH, "images: [b]\n")];
        let lost = commit(&forge, &ground.repository, &files, &[]).await?.unwrap_err();
        assert_eq!(lost.fault(), Fault::Transient, "{lost}");
        assert!(!ground.branches().await?.contains(&branch()?.branch().to_string()));
        let made = commit(&forge, &ground.repository, &files, &[]).await??;
        forge.push(&ground.repository, &branch()?, made, &[]).await?;
        assert_eq!(ground.branches().await?, [branch()?.branch().as_str()]);
        let name = branch()?.branch().to_string();
        assert_eq!(ground.git(&["rev-list", "--count", &format!("main..{name}")]).await?, "1");
    }
    Ok(())
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_found_done_though_the_forge_named_the_commit() -> anyhow::Result<()> {
    for way in ways() {
        let ground = ground().await?;
        let forge = ground.forge(&way).await?;
        let files = [edit(PATH, "images: [b]\n")];
        let made = commit(&forge, &ground.repository, &files, &[]).await??;
        for pushing in [Match::operation("updateRefs"), Match::request("POST", "/acme/trinity.git/git-receive-pack")] {
            ground.sandbox.add_fault(sandbox::Fault::new(pushing, Action::ApplyThenDrop));
        }
        let lost = forge.push(&ground.repository, &branch()?, made, &[made]).await.unwrap_err();
        assert_eq!(lost.fault(), Fault::Transient, "{lost}");
        ground.sandbox.clear_faults();
        ground.documents();
        // It was recorded before it was pushed; the same edit is the same commit then.
        assert_eq!(commit(&forge, &ground.repository, &files, &[made]).await??, made, "{}", way.0);
        forge.push(&ground.repository, &branch()?, made, &[made]).await?;
        assert!(!ground.documents().iter().any(|document| document.contains("updateRefs")));
        assert_eq!(ground.branches().await?, [branch()?.branch().as_str()]);
    }
    Ok(())
}

#[tokio::test]
async fn a_commit_that_only_looks_like_ours_is_not_taken_for_it() -> anyhow::Result<()> {
    let ground = ground().await?;
    let [_, by_api] = ways();
    let forge = ground.forge(&by_api).await?;
    let files = [edit(PATH, "images: [b]\n")];
    let message = "release(mandelbrot): Zoom\n\nSource-Commit: 1f1f\nImage-Digest-aws: sha256:0\n";
    let name = branch()?.branch().to_string();
    let forged = Push::new(&name, [(PATH, "images: [b]\n"), ("README", "something else")]).message(message);
    let forged = ground.sandbox.push(GITOPS, forged).await?.to_string();
    let made = commit(&forge, &ground.repository, &files, &[]).await??;
    assert_ne!(made.to_string(), forged);
    let error = forge.push(&ground.repository, &branch()?, made, &[made]).await.unwrap_err();
    assert!(matches!(error, Error::ForeignTip { .. }), "{error}");
    assert_eq!(ground.git(&["rev-parse", &name]).await?, forged);
    Ok(())
}

#[tokio::test]
async fn one_who_moves_the_branch_between_our_look_and_our_write_is_not_written_over() -> anyhow::Result<()> {
    for way in ways() {
        let ground = ground().await?;
        let forge = ground.forge(&way).await?;
        let made = commit(&forge, &ground.repository, &[edit(PATH, "images: [b]\n")], &[]).await??;
        forge.push(&ground.repository, &branch()?, made, &[]).await?;
        ground.push("main", "README", "moved on").await?;
        let next = commit(&forge, &ground.repository, &[edit(PATH, "images: [c]\n")], &[made]).await??;
        for writing in [Match::operation("updateRefs"), Match::request("POST", "/acme/trinity.git/git-receive-pack")] {
            ground.sandbox.add_fault(sandbox::Fault::new(writing, Action::Delay { milliseconds: 1_000 }));
        }
        ground.sandbox.clear_requests();
        let name = branch()?.branch().to_string();
        let (pushed, foreign) = tokio::join!(
            async {
                forge.push(&ground.repository, &branch()?, next, &[made, next]).await.map_err(anyhow::Error::from)
            },
            async {
                let is_writing = |one: &sandbox::Recorded| {
                    one.operations.iter().any(|name| name == "updateRefs") || one.path.ends_with("git-receive-pack")
                };
                while !ground.sandbox.requests().iter().any(is_writing) {
                    tokio::task::yield_now().await;
                }
                ground.push(&name, "README", "by hand").await
            }
        );
        let error = pushed.unwrap_err();
        let fault = error.downcast_ref().map(Error::fault);
        assert!(matches!(fault, Some(Fault::Stale | Fault::Transient)), "{}: {error:#}", way.0);
        assert_eq!(ground.git(&["rev-parse", &name]).await?, foreign?.to_string(), "{}", way.0);
    }
    Ok(())
}

#[tokio::test]
async fn one_who_moves_the_staging_branch_meanwhile_makes_us_look_again() -> anyhow::Result<()> {
    let ground = ground().await?;
    let [_, by_api] = ways();
    let forge = ground.forge(&by_api).await?;
    let files = [edit(PATH, "images: [b]\n")];
    let staging = Match::operation("createCommitOnBranch");
    ground.sandbox.add_fault(sandbox::Fault::new(staging, Action::Delay { milliseconds: 1_000 }));
    let (made, moved) = tokio::join!(commit(&forge, &ground.repository, &files, &[]), async {
        while !ground
            .sandbox
            .requests()
            .iter()
            .any(|one| one.operations.iter().any(|name| name == "createCommitOnBranch"))
        {
            tokio::task::yield_now().await;
        }
        ground.sandbox.push(GITOPS, Push::new(STAGING, [("README", "another")])).await
    });
    moved?;
    let error = made?.unwrap_err();
    assert!(matches!(error, Error::Moved { .. }), "{error}");
    assert_eq!(error.fault(), Fault::Stale);
    commit(&forge, &ground.repository, &files, &[]).await??;
    Ok(())
}
