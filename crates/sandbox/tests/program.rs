//! The program `tagferry-sandbox`, as a shell sees it.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// Longer than anything here takes; the program makes an RSA key, which can take seconds.
const SOON: Duration = Duration::from_secs(60);

/// A program that runs, with a temporary directory of its own.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(temporary: &Path, arguments: &[&str]) -> Result<Self> {
        let mut child = command(temporary, arguments).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = child.stdout.take().context("no standard output")?;
        Ok(Self { child, lines: BufReader::new(output).lines() })
    }

    /// Reads on to the line that begins with this word, and gives what follows it.
    async fn said(&mut self, word: &str) -> Result<String> {
        let search = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some((first, rest)) = line.split_once(char::is_whitespace)
                    && first == word
                {
                    return Ok(rest.trim().to_owned());
                }
            }
            anyhow::bail!("it ended without a word of {word}")
        };
        timeout(SOON, search).await.with_context(|| format!("waiting for {word}"))?
    }

    /// Tells it to stop, and gives its exit code.
    async fn terminate(mut self) -> Result<Option<i32>> {
        let id = self.child.id().context("it has ended already")?;
        let told = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(told.success(), "kill: {told}");
        Ok(timeout(SOON, self.child.wait()).await.context("waiting for its end")??.code())
    }
}

fn command(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagferry-sandbox"));
    command.arg("serve").args(arguments).env("TMPDIR", temporary).env_remove("TAGFERRY_LOG");
    command
}

async fn git(directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]).args(arguments).current_dir(directory);
    git.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0")]);
    Ok(git.env("LC_ALL", "C").output().await?)
}

async fn git_does(directory: &Path, arguments: &[&str]) -> Result<()> {
    let output = git(directory, arguments).await?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A clone with one commit on `main`.
async fn clone_in(directory: &Path) -> Result<PathBuf> {
    let clone = directory.join("original");
    std::fs::create_dir(&clone)?;
    std::fs::write(clone.join("README.md"), "hello\n")?;
    git_does(&clone, &["init", "--quiet", "--initial-branch=main"]).await?;
    git_does(&clone, &["add", "README.md"]).await?;
    git_does(&clone, &["commit", "--quiet", "-m", "Begin"]).await?;
    Ok(clone)
}

async fn get(url: &str) -> Result<Value> {
    let client = reqwest::Client::builder().no_proxy().timeout(SOON).build()?;
    Ok(client.get(url).send().await?.error_for_status()?.json().await?)
}

#[tokio::test]
async fn it_serves_a_protected_copy_and_a_registry_until_it_is_told_to_stop() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let temporary = directory.path().join("temporary");
    std::fs::create_dir(&temporary)?;
    let repository = format!("a/b={}", clone_in(directory.path()).await?.display());
    let ports = ["--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"];
    let wanted = ["--repository", &repository, "--required-check", "ci"];
    let mut program = Program::start(&temporary, &[ports, wanted].concat())?;
    let forge = program.said("forge").await?;
    let git_url = program.said("git").await?;
    let registry = program.said("registry").await?;
    assert_eq!(git_url, format!("{forge}/a/b.git"));
    assert_eq!(get(&format!("{registry}/v2/")).await?, json!({}));
    let seen = get(&format!("{forge}/_sim/repositories/a/b")).await?;
    assert_eq!(seen.pointer("/protection/main/required_checks"), Some(&json!(["ci"])));

    let authorized = git_url.replace("http://", "http://x-access-token:ghp_sandboxOctocat@");
    git_does(directory.path(), &["clone", "--quiet", &authorized, "copy"]).await?;
    let copy = directory.path().join("copy");
    assert_eq!(std::fs::read_to_string(copy.join("README.md"))?, "hello\n");
    git_does(&copy, &["commit", "--quiet", "--allow-empty", "-m", "Go past the check"]).await?;
    let pushed = git(&copy, &["push", "origin", "main"]).await?;
    let said = String::from_utf8_lossy(&pushed.stderr);
    assert!(!pushed.status.success() && said.contains("protected branch hook declined"), "{said}");

    assert_eq!(program.terminate().await?, Some(0));
    let left: Vec<_> = std::fs::read_dir(&temporary)?.collect::<Result<_, _>>()?;
    assert!(left.is_empty(), "{left:?}");
    assert!(get(&format!("{forge}/_sim/")).await.is_err());
    assert!(get(&format!("{registry}/_sim/")).await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_it_can_not_use_is_refused_with_a_sentence() -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let empty = temporary.path().join("empty");
    std::fs::write(&empty, "\n")?;
    let empty = empty.display().to_string();
    for (arguments, sentence) in [
        (["--repository", "trinity"], "a repository is written owner/name, with letters, digits and . _ -"),
        (["--listen", "8090"], "invalid value '8090' for '--listen <ADDRESS>'"),
        (["--log", "=a=b="], "tagferry-sandbox: --log =a=b=: invalid filter directive"),
        (["--token-file", &empty], &format!("tagferry-sandbox: {empty} is empty")),
    ] {
        let output = timeout(SOON, command(temporary.path(), &arguments).output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(sentence), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}
