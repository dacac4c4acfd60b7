//! Commits and pushes, looked at with `git` on the other side.

use chrono::{DateTime, Utc};
use domain::{commit::Commit, fault::Fault, forge::Repository, proposal::ReleaseBranch};
use forge::{Error, FileEdit, Forge, NewCommit};

use crate::host::Host;

const FILES: &[(&str, &str)] = &[
    ("apps/aws/kustomization.yaml", "images: []\n"),
    ("apps/aws/run.sh*", "#!/bin/sh\n"),
    ("apps/gcp/kustomization.yaml*", "images: []\r\n"),
    ("apps/link", "->aws/run.sh"),
    ("README", "no line ending"),
];

fn branch() -> anyhow::Result<ReleaseBranch> {
    Ok(ReleaseBranch::new(&"mandelbrot".parse()?, Commit::from_bytes([0x1f; 20])))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default()
}

fn edits(content: &str) -> Vec<FileEdit> {
    ["apps/aws/kustomization.yaml", "apps/gcp/kustomization.yaml", "apps/azure/new.yaml"]
        .map(|path| FileEdit { path: path.to_owned(), bytes: content.as_bytes().to_vec() })
        .to_vec()
}

async fn commit(forge: &Forge, repository: &Repository, content: &str) -> anyhow::Result<Commit> {
    let tip = forge.tip(repository, &"main".parse()?).await?;
    let files = edits(content);
    let branch = branch()?;
    let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message: "release(x): y\n", at: at(0) };
    Ok(forge.commit(repository, &new).await?)
}

#[tokio::test]
async fn the_same_input_gives_the_same_commit() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let tip = forge.tip(&repository, &"main".parse()?).await?;
    let files = edits("a");
    let branch = branch()?;
    let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message: "m", at: at(0) };
    let first = forge.commit(&repository, &new).await?;
    assert_eq!(forge.commit(&repository, &new).await?, first);
    let later = NewCommit { at: at(1), ..new };
    assert_ne!(forge.commit(&repository, &later).await?, first);
    Ok(())
}

#[tokio::test]
async fn a_commit_changes_its_files_and_nothing_else() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let before = host.ask("acme/trinity", &["ls-tree", "-r", "main"]).await?;
    let forge = host.forge()?;
    let commit = commit(&forge, &repository, "images: [b]\n").await?;
    host.lines()?;
    forge.push(&repository, &branch()?, commit, &[]).await?;
    assert_eq!(
        host.lines()?,
        ["GET /acme/trinity.git/info/refs?service=git-receive-pack", "POST /acme/trinity.git/git-receive-pack"]
    );

    let name = branch()?.branch().to_string();
    let after = host.ask("acme/trinity", &["ls-tree", "-r", &name]).await?;
    let shown = |listing: &str, path: &str| {
        listing.lines().find(|line| line.ends_with(&format!("\t{path}"))).map(str::to_owned)
    };
    for path in ["apps/aws/run.sh", "apps/link", "README"] {
        assert_eq!(shown(&after, path), shown(&before, path));
    }
    for (path, mode) in [
        ("apps/aws/kustomization.yaml", "100644"),
        ("apps/gcp/kustomization.yaml", "100755"),
        ("apps/azure/new.yaml", "100644"),
    ] {
        assert!(shown(&after, path).unwrap().starts_with(mode), "{after}");
        let content = host.ask("acme/trinity", &["show", &format!("{name}:{path}")]).await?;
        assert_eq!(content, "images: [b]\n");
    }
    assert_eq!(after.lines().count(), before.lines().count() + 1);
    let format = "--format=%an <%ae> %at %cn %ct %P%n%B";
    let log = host.ask("acme/trinity", &["log", "-1", format, &name]).await?;
    let parent = host.ask("acme/trinity", &["rev-parse", "main"]).await?;
    assert_eq!(
        log.trim_end(),
        format!(
            "Tagferry <tagferry@users.noreply.github.com> 1800000000 Tagferry 1800000000 {}\nrelease(x): y",
            parent.trim()
        )
    );
    host.ask("acme/trinity", &["fsck", "--strict"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_push_replaces_only_what_we_pushed() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let (branch, name) = (branch()?, branch()?.branch().to_string());
    let first = commit(&forge, &repository, "a").await?;
    forge.push(&repository, &branch, first, &[]).await?;
    host.lines()?;
    forge.push(&repository, &branch, first, &[]).await?;
    assert_eq!(host.lines()?.len(), 1, "what is there already is not sent again");

    host.push("acme/trinity", "main", &[("README", "moved on")]).await?;
    let second = commit(&forge, &repository, "b").await?;
    forge.push(&repository, &branch, second, &[first]).await?;
    let tip = async || host.ask("acme/trinity", &["rev-parse", &name]).await;
    assert_eq!(tip().await?.trim(), second.to_string());

    let foreign = host.push("acme/trinity", &name, &[("README", "by hand")]).await?;
    let third = commit(&forge, &repository, "c").await?;
    let error = forge.push(&repository, &branch, third, &[first, second]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("branch {name} has commit {foreign}, which is not ours; it was left alone"));
    assert_eq!(error.fault(), Fault::Stale);
    assert_eq!(tip().await?.trim(), foreign.to_string());
    Ok(())
}

#[tokio::test]
async fn a_refused_push_is_an_error_with_the_forges_words() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let words = "error: GH006: Protected branch update failed for refs/heads/x.";
    host.refuse_pushes("acme/trinity", words)?;
    let commit = commit(&forge, &repository, "a").await?;
    let error = forge.push(&repository, &branch()?, commit, &[]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("pushing branch {}: the forge refused it: pre-receive hook declined · {words}", branch()?.branch())
    );
    assert!(matches!(error, Error::PushRefused { .. }));
    assert_eq!(error.fault(), Fault::Permanent);
    assert_eq!(host.ask("acme/trinity", &["branch", "--list", "mandelbrot/*"]).await?, "");
    Ok(())
}

#[tokio::test]
async fn a_branch_is_deleted_while_it_is_ours() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let (branch, name) = (branch()?, branch()?.branch().to_string());
    forge.delete_branch(&repository, &branch, &[]).await?;
    let ours = commit(&forge, &repository, "a").await?;
    forge.push(&repository, &branch, ours, &[]).await?;
    let error = forge.delete_branch(&repository, &branch, &[]).await.unwrap_err();
    assert!(matches!(error, Error::ForeignTip { tip, .. } if tip == ours), "{error}");
    forge.delete_branch(&repository, &branch, &[ours]).await?;
    assert_eq!(host.ask("acme/trinity", &["branch", "--list", &name]).await?, "");
    Ok(())
}

#[tokio::test]
async fn a_commit_that_was_not_made_here_is_not_pushed() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let unknown = Commit::from_bytes([1; 20]);
    let error = forge.push(&repository, &branch()?, unknown, &[]).await.unwrap_err();
    assert!(matches!(error, Error::UnknownCommit { .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_edit_does_not_follow_a_symbolic_link() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let tip = forge.tip(&repository, &"main".parse()?).await?;
    let files = [FileEdit { path: "apps/link".to_owned(), bytes: Vec::new() }];
    let branch = branch()?;
    let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message: "m", at: at(0) };
    let error = forge.commit(&repository, &new).await.unwrap_err();
    assert_eq!(error.to_string(), "apps/link in acme/trinity is a symbolic link, not a regular file");
    Ok(())
}

#[tokio::test]
async fn many_at_once_do_not_disturb_each_other() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let one = host.repository("acme/one", FILES).await?;
    let two = host.repository("acme/two", FILES).await?;
    let forge = host.forge()?;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8_u8 {
        let repository = if number % 2 == 0 { one.clone() } else { two.clone() };
        let forge = forge.clone();
        tasks.spawn(async move {
            let branch = ReleaseBranch::new(&"x".parse()?, Commit::from_bytes([number; 20]));
            let commit = commit(&forge, &repository, &number.to_string()).await?;
            forge.push(&repository, &branch, commit, &[]).await?;
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    assert_eq!(host.ask("acme/one", &["branch", "--list", "x/*"]).await?.lines().count(), 4);
    Ok(())
}

#[tokio::test]
async fn a_push_costs_what_it_changes() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let filler = "0123456789abcdef".repeat(64);
    let many: Vec<(String, String)> =
        (0..200).map(|number| (format!("other/{number}/file"), format!("{number}{filler}"))).collect();
    let mut files: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.extend(FILES);
    let repository = host.repository("acme/trinity", &files).await?;
    let forge = host.forge()?;
    let ours = commit(&forge, &repository, "a").await?;
    host.seen()?;
    forge.push(&repository, &branch()?, ours, &[]).await?;
    let sent: usize = host.seen()?.iter().map(|seen| seen.body.len()).sum();
    assert!(sent < 3000, "{sent} bytes were sent");
    Ok(())
}

#[tokio::test]
async fn a_base_that_moved_since_it_was_fetched_is_built_upon() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    for round in 0..4 {
        host.push("acme/trinity", "main", &[("README", &format!("round {round}"))]).await?;
        let head = commit(&forge, &repository, &format!("round {round}")).await?;
        let branch = ReleaseBranch::new(&"mandelbrot".parse()?, head);
        forge.push(&repository, &branch, head, &[head]).await?;
        let reference = branch.branch().to_string();
        assert_eq!(
            host.ask("acme/trinity", &["rev-list", "--count", &format!("main..{reference}")]).await?.trim(),
            "1"
        );
    }
    Ok(())
}
