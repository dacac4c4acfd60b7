//! Writing.

use domain::fault::Fault;
use forge::{Error, FileEdit, NewPullRequest};
use sandbox::{Protection, Push};

use super::{GITOPS, Ground, STAGING, branch, commit, edit, ways};

const FILES: &[(&str, &str)] = &[
    ("apps/aws/kustomization.yaml", "images: []\n"),
    ("apps/aws/run.sh*", "#!/bin/sh\n"),
    ("apps/gcp/kustomization.yaml", "images: []\r\n"),
    ("apps/link", "->aws/run.sh"),
    ("README", "no line ending"),
];

fn edits(text: &str) -> Vec<FileEdit> {
    ["apps/aws/kustomization.yaml", "apps/gcp/kustomization.yaml", "apps/azure/new.yaml"]
        .map(|path| edit(path, text))
        .to_vec()
}

#[tokio::test]
async fn both_ways_leave_the_same_tree_and_message_and_no_other_branch() -> anyhow::Result<()> {
    let mut trees = Vec::new();
    for way in ways() {
        let ground = Ground::lay(FILES).await?;
        let forge = ground.forge(&way).await?;
        let text = "images: [b] # ünïcode\r\n";
        let head = commit(&forge, &ground.repository, &edits(text), &[]).await??;
        ground.documents();
        forge.push(&ground.repository, &branch()?, head, &[]).await?;
        let name = branch()?.branch().to_string();
        assert_eq!(ground.branches().await?, [name.as_str()], "{}", way.0);
        assert_eq!(ground.git(&["rev-parse", &name]).await?, head.to_string());
        assert_eq!(
            ground.git(&["rev-parse", &format!("{name}^")]).await?,
            ground.git(&["rev-parse", "main"]).await?,
            "{}",
            way.0
        );
        let listed = ground.git(&["diff", "--name-status", "main", &name]).await?;
        assert_eq!(listed.lines().count(), 3, "{listed}");
        ground.git(&["fsck", "--strict"]).await?;
        trees.push([
            ground.git(&["rev-parse", &format!("{name}^{{tree}}")]).await?,
            ground.git(&["log", "-1", "--format=%B", &name]).await?,
        ]);
        let documents = ground.documents();
        let expected: &[&str] = if way.0 == "api" { &["repository", "updateRefs"] } else { &[] };
        assert_eq!(documents, expected);
    }
    assert_eq!(trees.first(), trees.last());
    Ok(())
}

#[tokio::test]
async fn a_push_replaces_only_what_was_recorded_as_ours() -> anyhow::Result<()> {
    for way in ways() {
        let ground = Ground::lay(FILES).await?;
        let forge = ground.forge(&way).await?;
        let (branch, name) = (branch()?, branch()?.branch().to_string());
        let first = commit(&forge, &ground.repository, &edits("a"), &[]).await??;
        forge.push(&ground.repository, &branch, first, &[]).await?;
        assert_eq!(commit(&forge, &ground.repository, &edits("a"), &[first]).await??, first, "{}", way.0);
        forge.push(&ground.repository, &branch, first, &[first]).await?;

        ground.push("main", "README", "moved on").await?;
        let second = commit(&forge, &ground.repository, &edits("a"), &[first]).await??;
        assert_ne!(second, first);
        let error = forge.push(&ground.repository, &branch, second, &[]).await.unwrap_err();
        assert!(matches!(error, Error::ForeignTip { tip, .. } if tip == first), "{}: {error}", way.0);
        forge.push(&ground.repository, &branch, second, &[first]).await?;
        assert_eq!(ground.git(&["rev-parse", &name]).await?, second.to_string());
        assert_eq!(ground.git(&["rev-list", "--count", &format!("main..{name}")]).await?, "1");

        let foreign = ground.push(&name, "README", "by hand").await?;
        let third = commit(&forge, &ground.repository, &edits("c"), &[first, second]).await??;
        let error = forge.push(&ground.repository, &branch, third, &[first, second]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("branch {name} has commit {foreign}, which is not ours; it was left alone")
        );
        assert_eq!(error.fault(), Fault::Stale);
        assert_eq!(ground.git(&["rev-parse", &name]).await?, foreign.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn a_branch_that_is_made_anew_keeps_its_pull_request_open() -> anyhow::Result<()> {
    for way in ways() {
        let ground = Ground::lay(FILES).await?;
        let forge = ground.forge(&way).await?;
        let (branch, main) = (branch()?, "main".parse()?);
        let first = commit(&forge, &ground.repository, &edits("a"), &[]).await??;
        forge.push(&ground.repository, &branch, first, &[]).await?;
        let new = NewPullRequest { branch: &branch, base: &main, title: "t", body: "b" };
        let open = forge.create_pull_request(&ground.repository, &new).await?;
        for round in 0..3 {
            ground.push("main", "apps/aws/kustomization.yaml", &format!("round {round}\n")).await?;
            let ours = [open.head, first];
            let shown = forge.pull_request(&ground.repository, open.number).await?;
            let next = commit(&forge, &ground.repository, &edits(&format!("{round}")), &[shown.head]).await??;
            let all = [ours.as_slice(), &[shown.head]].concat();
            forge.push(&ground.repository, &branch, next, &all).await?;
            let shown = ground.sandbox.pull_request(GITOPS, open.number.0).await?;
            assert_eq!((shown.state.as_str(), shown.head.to_string()), ("open", next.to_string()), "{}", way.0);
        }
        assert_eq!(ground.branches().await?, [branch.branch().as_str()]);
    }
    Ok(())
}

#[tokio::test]
async fn a_branch_is_deleted_while_it_is_ours() -> anyhow::Result<()> {
    for way in ways() {
        let ground = Ground::lay(FILES).await?;
        let forge = ground.forge(&way).await?;
        let branch = branch()?;
        forge.delete_branch(&ground.repository, &branch, &[]).await?;
        let ours = commit(&forge, &ground.repository, &edits("a"), &[]).await??;
        forge.push(&ground.repository, &branch, ours, &[]).await?;
        let error = forge.delete_branch(&ground.repository, &branch, &[]).await.unwrap_err();
        assert!(matches!(error, Error::ForeignTip { tip, .. } if tip == ours), "{error}");
        // A commit that is made and never proposed leaves nothing behind either.
        ground.push("main", "README", "moved on").await?;
        commit(&forge, &ground.repository, &edits("b"), &[ours]).await??;
        forge.delete_branch(&ground.repository, &branch, &[ours]).await?;
        assert!(ground.branches().await?.is_empty(), "{}", way.0);
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_with_the_branch_that_has_it() -> anyhow::Result<()> {
    let deeper = format!("{}/by-hand", branch()?.branch());
    for way in ways() {
        for taken_by in ["mandelbrot", &deeper] {
            let ground = Ground::lay(FILES).await?;
            let forge = ground.forge(&way).await?;
            ground.push(taken_by, "README", "x").await?;
            ground.push("mandelbrot-2", "README", "y").await?;
            let made = commit(&forge, &ground.repository, &edits("a"), &[]).await?;
            let error = match made {
                Ok(made) => forge.push(&ground.repository, &branch()?, made, &[]).await.unwrap_err(),
                Err(error) => error,
            };
            assert!(
                error.to_string().ends_with(&format!("a directory where it has a file; delete or rename {taken_by}")),
                "{}: {error}",
                way.0
            );
            assert_eq!(error.fault(), Fault::Permanent);
            ground.sandbox.delete_branch(GITOPS, taken_by).await?;
            let made = commit(&forge, &ground.repository, &edits("a"), &[]).await??;
            forge.push(&ground.repository, &branch()?, made, &[]).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_push_is_an_error_with_the_forges_words() -> anyhow::Result<()> {
    for way in ways() {
        let ground = Ground::lay(FILES).await?;
        let forge = ground.forge(&way).await?;
        let protection = Protection { restrict_pushes: Some(vec!["octocat".to_owned()]), ..Protection::default() };
        ground.sandbox.protect(GITOPS, branch()?.branch().as_str(), Some(protection)).await?;
        let made = commit(&forge, &ground.repository, &edits("a"), &[]).await??;
        let error = forge.push(&ground.repository, &branch()?, made, &[]).await.unwrap_err();
        assert!(matches!(error, Error::PushRefused { .. }), "{}: {error}", way.0);
        assert!(error.to_string().contains("You're not authorized to push to this branch."), "{error}");
        assert_eq!(error.fault(), Fault::Permanent);
        assert!(!ground.branches().await?.contains(&branch()?.branch().to_string()));
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_does_not_follow_a_symbolic_link() -> anyhow::Result<()> {
    let ground = Ground::lay(FILES).await?;
    for way in ways() {
        let forge = ground.forge(&way).await?;
        for (path, found) in [("apps/link", "a symbolic link"), ("apps/aws", "a directory")] {
            let error = commit(&forge, &ground.repository, &[edit(path, "x")], &[]).await?.unwrap_err();
            assert_eq!(error.to_string(), format!("{path} in acme/trinity is {found}, not a regular file"));
        }
        assert!(ground.branches().await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_the_forge_would_make_plain_is_refused_there() -> anyhow::Result<()> {
    let ground = Ground::lay(FILES).await?;
    let [by_git, by_api] = ways();
    let files = [edit("apps/aws/run.sh", "#!/bin/bash\n")];
    let made = commit(&ground.forge(&by_git).await?, &ground.repository, &files, &[]).await?;
    assert!(made.is_ok(), "{made:?}");
    let error = commit(&ground.forge(&by_api).await?, &ground.repository, &files, &[]).await?.unwrap_err();
    assert_eq!(
        error.to_string(),
        "apps/aws/run.sh in acme/trinity is executable or writable by its group, and GitHub would make it a plain \
         file: take that from the file, or set `github.write: git`"
    );
    assert_eq!(error.fault(), Fault::Permanent);
    assert!(ground.branches().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_the_forge_makes_is_verified_and_by_the_app() -> anyhow::Result<()> {
    let ground = Ground::lay(FILES).await?;
    let [_, by_api] = ways();
    let forge = ground.forge(&by_api).await?;
    // Something was left behind there, and is written over.
    ground.sandbox.push(GITOPS, Push::new(STAGING, [("README", "left over")])).await?;
    let made = commit(&forge, &ground.repository, &edits("a"), &[]).await??;
    forge.push(&ground.repository, &branch()?, made, &[]).await?;
    let shown: serde_json::Value = reqwest::Client::new()
        .get(format!("{}/repos/{GITOPS}/commits/{made}", ground.sandbox.url()))
        .bearer_auth(sandbox::PERSONAL_TOKEN)
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(shown["commit"]["verification"]["verified"], true, "{shown:#}");
    assert_eq!(shown["author"]["login"], "tagferry[bot]", "{shown:#}");
    assert_eq!(ground.branches().await?, [branch()?.branch().as_str()]);
    // No clone was made.
    assert!(!ground.host.directory.path().join("api").exists());
    Ok(())
}
