//! Branches and files, read from real repositories.

use domain::fault::Fault;
use forge::Error;

use crate::host::Host;

const FILES: &[(&str, &str)] = &[
    ("apps/x/aws/kustomization.yaml", "images: []\n"),
    ("apps/x/aws/other.yaml", "a: b\n"),
    ("apps/x/gcp/kustomization.yml", "images: []\r\n"),
    ("apps/x/link/kustomization.yaml", "->../aws/kustomization.yaml"),
    ("apps/x/deep/kustomization.yaml/file", "x"),
    ("apps/elsewhere", "->x/aws"),
    ("run.sh*", "#!/bin/sh\n"),
];

const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml"];

#[tokio::test]
async fn a_tip_is_fetched_once_and_then_only_looked_at() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let main = "main".parse()?;
    let first = forge.tip(&repository, &main).await?;
    let fetched = host.lines()?;
    assert_eq!(fetched.first().unwrap(), "GET /acme/trinity.git/info/refs?service=git-upload-pack");
    assert!(fetched.len() <= 3, "{fetched:?}");
    assert_eq!(forge.tip(&repository, &main).await?, first);
    assert_eq!(host.lines()?.len(), 1);

    let moved = host.push("acme/trinity", "main", &[("run.sh*", "#!/bin/bash\n")]).await?;
    assert_eq!(forge.tip(&repository, &main).await?, moved);
    assert!(host.lines()?.len() <= 4);
    let files = forge.read_directories(&repository, moved, &["."], &["run.sh"]).await?;
    assert_eq!(files, [Some(vec![("run.sh".to_owned(), b"#!/bin/bash\n".to_vec())])]);
    Ok(())
}

#[tokio::test]
async fn directories_are_read_byte_for_byte() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let tip = forge.tip(&repository, &"main".parse()?).await?;
    let directories = ["apps/x/aws", "apps/x/azure", "apps/x/gcp/", "apps"];
    let before = host.lines()?.len();
    let read = forge.read_directories(&repository, tip, &directories, NAMES).await?;
    assert_eq!(
        read,
        [
            Some(vec![("kustomization.yaml".to_owned(), b"images: []\n".to_vec())]),
            None,
            Some(vec![("kustomization.yml".to_owned(), b"images: []\r\n".to_vec())]),
            Some(vec![]),
        ]
    );
    assert_eq!((host.lines()?.len(), before > 0), (0, true));
    Ok(())
}

#[tokio::test]
async fn only_regular_files_are_read() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let tip = forge.tip(&repository, &"main".parse()?).await?;
    for (directory, sentence) in [
        ("apps/x/link", "apps/x/link/kustomization.yaml in acme/trinity is a symbolic link, not a regular file"),
        ("apps/x/deep", "apps/x/deep/kustomization.yaml in acme/trinity is a directory, not a regular file"),
        ("apps/elsewhere", "apps/elsewhere in acme/trinity is a symbolic link, not a directory"),
        ("run.sh", "run.sh in acme/trinity is a file, not a directory"),
    ] {
        let error = forge.read_directories(&repository, tip, &[directory], NAMES).await.unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.fault(), Fault::Permanent);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let error = forge.tip(&repository, &"release/1.x".parse()?).await.unwrap_err();
    assert_eq!(error.to_string(), "acme/trinity has no branch release/1.x");
    assert_eq!(error.fault(), Fault::Permanent);
    let error = forge.tip(&"acme/nothing".parse()?, &"main".parse()?).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "repository acme/nothing does not exist, or the credentials may not see it (Metadata: read, Contents: read)"
    );
    let unknown = "1".repeat(40).parse()?;
    let error = forge.read_directories(&repository, unknown, &["."], NAMES).await.unwrap_err();
    assert!(matches!(error, Error::UnknownCommit { .. }), "{error}");
    assert_eq!(error.fault(), Fault::Stale);
    Ok(())
}

#[tokio::test]
async fn a_damaged_store_is_made_anew() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let main = "main".parse()?;
    let tip = forge.tip(&repository, &main).await?;
    let store = host.directory.path().join("stores/acme/trinity.git");

    std::fs::write(store.join("HEAD"), "")?;
    std::fs::remove_file(store.join("config"))?;
    std::fs::remove_dir_all(store.join("objects"))?;
    assert_eq!(forge.tip(&repository, &main).await?, tip);

    for entry in std::fs::read_dir(store.join("objects/pack"))? {
        let path = entry?.path();
        std::fs::remove_file(&path)?;
        std::fs::write(&path, "not a pack")?;
    }
    assert_eq!(forge.tip(&repository, &main).await?, tip);
    forge.read_directories(&repository, tip, &["apps/x/aws"], NAMES).await?;
    Ok(())
}

#[tokio::test]
async fn a_store_with_too_many_packs_is_made_anew() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let main = "main".parse()?;
    let tip = forge.tip(&repository, &main).await?;
    let packs = host.directory.path().join("stores/acme/trinity.git/objects/pack");
    for number in 0..70 {
        std::fs::write(packs.join(format!("left-over-{number}.pack")), "")?;
    }
    assert_eq!(forge.tip(&repository, &main).await?, tip);
    let left = std::fs::read_dir(&packs)?.count();
    assert!(left < 5, "{left} files are left");
    Ok(())
}
