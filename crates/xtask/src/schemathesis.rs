//! What tries the API by its own description: Schemathesis, of the Python registry.
//!
//! It has no binary release and no Debian package. All that it needs is pinned, so that a test run is the same
//! tomorrow; a newer set is had by installing `schemathesis` anew and `pip freeze --path`.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::{say, setup};

/// Schemathesis 4 with all that it imports.
const REQUIREMENTS: [&str; 27] = [
    "anyio==4.16.0",
    "certifi==2026.10.19.post1",
    "charset-normalizer==3.5.3",
    "click==8.5.1",
    "graphql-core==3.3.2",
    "harfile==0.6.0",
    "hypothesis==6.170.17",
    "hypothesis-graphql==0.13.5",
    "idna==3.20",
    "iniconfig==2.3.1",
    "jsonschema_rs==0.60.3",
    "markdown-it-py==4.3.0",
    "MarkupSafe==3.0.4",
    "mdurl==0.1.2",
    "packaging==26.4",
    "pluggy==1.7.0",
    "Pygments==2.21.0",
    "pyrate-limiter==4.5.1",
    "pytest==9.2.0",
    "PyYAML==6.0.4",
    "requests==2.34.2",
    "rich==15.0.0",
    "schemathesis==4.32.5",
    "sortedcontainers==2.4.0",
    "typing_extensions==4.16.0",
    "urllib3==2.8.0",
    "Werkzeug==3.1.9",
];

/// Sees to it that `target/tools/schemathesis` has this set.
///
/// # Errors
/// It can not be installed.
pub(crate) fn ensure_there() -> anyhow::Result<()> {
    let tools = setup::tools()?;
    let directory = tools.join("schemathesis");
    let wanted = REQUIREMENTS.join("\n");
    let list = directory.join("requirements.txt");
    if fs::read_to_string(&list).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    say::line(format_args!("installing Schemathesis in {}:", directory.display()))?;
    say::line(format_args!("  schemathesis: the tests try the API by its own description with it"))?;
    setup::ensure_pip()?;
    install(&directory)?;
    // Last, so that a set that is only half there is installed again.
    fs::write(&list, wanted).with_context(|| format!("writing {}", list.display()))
}

fn install(directory: &Path) -> anyhow::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("removing {}", directory.display()))?;
    }
    let install =
        ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--root-user-action", "ignore"];
    let mut command = Command::new("python3");
    command.args(install).arg("--target").arg(directory).args(REQUIREMENTS);
    let status = command.status().context("starting python3")?;
    ensure!(status.success(), "installing Schemathesis failed: {status}");
    Ok(())
}
