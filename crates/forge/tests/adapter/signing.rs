//! Signed commits, verified by `git` and `ssh-keygen`.

use std::path::Path;

use anyhow::{Context as _, ensure};
use domain::{commit::Commit, proposal::ReleaseBranch};
use forge::{Credentials, Error, FileEdit, Forge, NewCommit, Settings, Signing, Write};
use tokio::process::Command;

use crate::host::{Host, TOKEN};

const EMAIL: &str = "tagferry@users.noreply.github.com";

/// Makes a key with `ssh-keygen`; gives its text.
async fn key(directory: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let path = directory.join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-C", "test", "-f"]).arg(&path).args(arguments).output().await;
    let made = made.context("running ssh-keygen (Debian package openssh-client)")?;
    ensure!(made.status.success(), "{made:?}");
    Ok(std::fs::read_to_string(path)?)
}

fn forge(host: &Host, key: &str) -> Result<Forge, Error> {
    let credentials = Credentials::Token(TOKEN.into());
    let data_dir = host.directory.path().join("stores");
    let mut settings = Settings::new(host.url(), credentials, data_dir);
    settings.write = Write::Git(Some(Signing::Ssh(key.into())));
    Forge::new(settings)
}

#[tokio::test]
async fn a_signed_commit_is_verified_by_git_and_by_ssh_keygen() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", &[("a", "b")]).await?;
    let secret = key(host.directory.path(), &["-t", "ed25519", "-N", ""]).await?;
    let forge = forge(&host, secret.trim_end())?;
    let tip = forge.tip(&repository, &"main".parse()?).await?;
    let files = [FileEdit { path: "a".to_owned(), bytes: b"c".to_vec() }];
    let branch = ReleaseBranch::new(&"mandelbrot".parse()?, Commit::from_bytes([0x1f; 20]));
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).context("a time")?;
    let message = "release(x): ünïcode\n\nSource-Commit: 1f\n";
    let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message, at };
    let head = forge.commit(&repository, &new).await?;
    assert_eq!(forge.commit(&repository, &new).await?, head, "the same input gives the same signature");
    forge.push(&repository, &branch, head, &[]).await?;
    host.ask("acme/trinity", &["fsck", "--strict"]).await?;

    let public = std::fs::read_to_string(host.directory.path().join("key.pub"))?;
    let allowed = host.directory.path().join("allowed");
    std::fs::write(&allowed, format!("{EMAIL} namespaces=\"git\" {public}"))?;
    let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    let head = head.to_string();
    host.ask("acme/trinity", &["-c", &setting, "verify-commit", &head]).await?;
    let shown = host.ask("acme/trinity", &["-c", &setting, "log", "-1", "--format=%G? %GS %B", &head]).await?;
    assert_eq!(shown.trim_end(), format!("G {EMAIL} {}", message.trim_end()));

    // Without Git's help: the signature is over the commit without its own header.
    let object = host.ask("acme/trinity", &["cat-file", "commit", &head]).await?;
    let (headers, body) = object.split_once("\n\n").context("no message")?;
    let (mut signature, mut signed) = (String::new(), String::new());
    for line in headers.lines() {
        match line.strip_prefix("gpgsig ").or_else(|| line.strip_prefix(' ')) {
            Some(part) => signature.push_str(&format!("{part}\n")),
            None => signed.push_str(&format!("{line}\n")),
        }
    }
    let signature_file = host.directory.path().join("signature");
    std::fs::write(&signature_file, signature)?;
    let text_file = host.directory.path().join("text");
    std::fs::write(&text_file, format!("{signed}\n{body}"))?;
    let verified = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", "git", "-I", EMAIL, "-f"])
        .arg(&allowed)
        .arg("-s")
        .arg(&signature_file)
        .stdin(std::fs::File::open(&text_file)?)
        .output()
        .await?;
    assert!(verified.status.success(), "{verified:?}");
    Ok(())
}

#[tokio::test]
async fn a_key_that_can_not_be_used_is_refused_without_repeating_it() -> anyhow::Result<()> {
    for (arguments, expected) in [
        (&["-t", "ed25519", "-N", "a passphrase"][..], "has a passphrase: take it away with `ssh-keygen -p`"),
        (&["-t", "ecdsa", "-N", ""], "is no Ed25519 key as OpenSSH writes it: make one with `ssh-keygen -t ed25519`"),
        (&["-t", "rsa", "-m", "PEM", "-N", ""], "is no Ed25519 key as OpenSSH writes it"),
    ] {
        let host = Host::start().await?;
        let secret = key(host.directory.path(), arguments).await?;
        let error = forge(&host, &secret).unwrap_err().to_string();
        let checked = Write::Git(Some(Signing::Ssh(secret.into()))).check();
        assert_eq!(checked.unwrap_err().to_string(), error);
        assert!(error.contains("github.signing.key") && error.contains(expected), "{error}");
        assert!(!error.contains("BEGIN"), "{error}");
    }
    Ok(())
}
