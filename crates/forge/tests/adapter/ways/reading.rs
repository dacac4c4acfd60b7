//! Reading.

use domain::fault::Fault;
use forge::Error;

use super::{GITOPS, Ground, ways};

const FILES: &[(&str, &str)] = &[
    ("apps/x/aws/kustomization.yaml", "images: []\n"),
    ("apps/x/aws/other.yaml", "a: b\n"),
    ("apps/x/gcp/kustomization.yml", "\u{feff}images: [] # ünïcode\r\n"),
    ("apps/x/link/kustomization.yaml", "->../aws/kustomization.yaml"),
    ("apps/x/deep/kustomization.yaml/file", "x"),
    ("apps/elsewhere", "->x/aws"),
    ("kustomization.yaml*", "at: the root"),
    ("run.sh*", "#!/bin/sh\n"),
];

const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml"];

#[tokio::test]
async fn directories_are_read_byte_for_byte_with_the_tip() -> anyhow::Result<()> {
    let ground = Ground::lay(FILES).await?;
    let main = "main".parse()?;
    let directories = ["apps/x/aws", "apps/x/azure", "apps/x/gcp/", "apps", ".", "apps/elsewhere/deeper"];
    for way in ways() {
        let forge = ground.forge(&way).await?;
        ground.documents();
        let (tip, read) = forge.read_tip(&ground.repository, &main, &directories, NAMES).await?;
        assert_eq!(
            read,
            [
                Some(vec![("kustomization.yaml".to_owned(), b"images: []\n".to_vec())]),
                None,
                Some(vec![("kustomization.yml".to_owned(), "\u{feff}images: [] # ünïcode\r\n".as_bytes().to_vec())]),
                Some(vec![]),
                Some(vec![("kustomization.yaml".to_owned(), b"at: the root".to_vec())]),
                None,
            ],
            "{}",
            way.0
        );
        let documents = ground.documents();
        assert_eq!(documents.len(), usize::from(way.0 == "api"), "{documents:?}");
        assert_eq!(tip.to_string(), ground.git(&["rev-parse", "main"]).await?);
        assert_eq!(forge.tip(&ground.repository, &main).await?, tip);
        assert_eq!(forge.read_directories(&ground.repository, tip, &directories, NAMES).await?, read, "{}", way.0);
    }
    Ok(())
}

#[tokio::test]
async fn only_regular_files_are_read() -> anyhow::Result<()> {
    let ground = Ground::lay(FILES).await?;
    for way in ways() {
        let forge = ground.forge(&way).await?;
        let tip = forge.tip(&ground.repository, &"main".parse()?).await?;
        for (directory, sentence) in [
            ("apps/x/link", "apps/x/link/kustomization.yaml in acme/trinity is a symbolic link, not a regular file"),
            ("apps/x/deep", "apps/x/deep/kustomization.yaml in acme/trinity is a directory, not a regular file"),
            ("apps/elsewhere", "apps/elsewhere in acme/trinity is a symbolic link, not a directory"),
            ("run.sh", "run.sh in acme/trinity is a file, not a directory"),
        ] {
            let error = forge.read_directories(&ground.repository, tip, &[directory], NAMES).await.unwrap_err();
            assert_eq!(error.to_string(), sentence, "{}", way.0);
            assert_eq!(error.fault(), Fault::Permanent);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named() -> anyhow::Result<()> {
    let ground = Ground::lay(FILES).await?;
    for way in ways() {
        let forge = ground.forge(&way).await?;
        let error = forge.tip(&ground.repository, &"release/1.x".parse()?).await.unwrap_err();
        assert_eq!(error.to_string(), "acme/trinity has no branch release/1.x");
        assert_eq!(error.fault(), Fault::Permanent);
        let unknown = "1".repeat(40).parse()?;
        let error = forge.read_directories(&ground.repository, unknown, &["."], NAMES).await.unwrap_err();
        assert!(matches!(error, Error::UnknownCommit { .. }), "{}: {error}", way.0);
        assert_eq!(error.fault(), Fault::Stale);
        ground.sandbox.set_installed(GITOPS, false).await?;
        let error = ground.forge(&way).await?.tip(&ground.repository, &"main".parse()?).await.unwrap_err();
        assert!(matches!(error, Error::NotInstalled { .. }), "{}: {error}", way.0);
        ground.sandbox.set_installed(GITOPS, true).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_text_or_too_long_for_one_answer_is_read_whole() -> anyhow::Result<()> {
    let long = format!("# {}\n", "0123456789abcdef".repeat(40_000));
    let files = [("long/kustomization.yaml", long.as_str()), ("zero/kustomization.yaml", "a\0b")];
    let ground = Ground::lay(&files).await?;
    // Latin-1 is no UTF-8.
    let work = ground.host.directory.path().join("work").join(GITOPS);
    std::fs::create_dir_all(work.join("latin"))?;
    std::fs::write(work.join("latin/kustomization.yaml"), b"name: caf\xe9\n")?;
    ground.host.push(GITOPS, "main", &[]).await?;
    let bare = ground.host.bare(GITOPS);
    ground.git(&["fetch", "--quiet", &bare.to_string_lossy(), "+main:refs/heads/other"]).await?;
    let other = "other".parse()?;
    // The sandbox looks at its branches after each change that it makes.
    ground.push("main", "README", "x").await?;
    let expected = [long.into_bytes(), b"a\0b".to_vec(), b"name: caf\xe9\n".to_vec()];
    for way in ways() {
        let forge = ground.forge(&way).await?;
        let (_, read) = forge.read_tip(&ground.repository, &other, &["long", "zero", "latin"], NAMES).await?;
        let read: Vec<Vec<u8>> = read.into_iter().flatten().flatten().map(|(_, bytes)| bytes).collect();
        assert!(read == expected, "{}", way.0);
    }
    Ok(())
}
