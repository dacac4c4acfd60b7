//! What the tests run that comes from the Python registry.
//!
//! Neither has a binary release or a Debian package. All that they need is pinned, so that a test run is the same
//! tomorrow; a newer set is had by installing the program anew and `pip freeze --path`.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::{say, setup};

/// A program with all that it imports.
struct Tool {
    name: &'static str,
    why: &'static str,
    requirements: &'static [&'static str],
}

const TOOLS: [Tool; 2] = [
    Tool {
        name: "schemathesis",
        why: "the tests try the API by its own description with it",
        requirements: &SCHEMATHESIS,
    },
    Tool { name: "moto", why: "the tests ask it for credentials in place of Amazon", requirements: &MOTO },
];

/// Schemathesis 4.
const SCHEMATHESIS: [&str; 27] = [
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

/// Moto 5 and what it serves with.
const MOTO: [&str; 26] = [
    "blinker==1.9.0",
    "boto3==1.44.8",
    "botocore==1.44.8",
    "certifi==2026.10.19.post1",
    "cffi==2.1.1",
    "charset-normalizer==3.5.3",
    "click==8.5.1",
    "cryptography==50.0.2",
    "Flask==3.1.3",
    "flask-cors==6.0.5",
    "idna==3.20",
    "itsdangerous==2.2.0",
    "Jinja2==3.1.6",
    "jmespath==1.1.0",
    "MarkupSafe==3.0.4",
    "moto==5.1.22",
    "pycparser==3.12",
    "python-dateutil==2.9.0.post0",
    "PyYAML==6.0.4",
    "requests==2.34.2",
    "responses==0.26.3",
    "s3transfer==0.19.3",
    "six==1.17.0",
    "urllib3==2.8.0",
    "Werkzeug==3.1.9",
    "xmltodict==1.0.4",
];

/// Sees to it that `target/tools` has these sets, each in a directory of its own.
///
/// # Errors
/// One can not be installed.
pub(crate) fn ensure_there() -> anyhow::Result<()> {
    TOOLS.iter().try_for_each(Tool::ensure_there)
}

impl Tool {
    fn ensure_there(&self) -> anyhow::Result<()> {
        let directory = setup::tools()?.join(self.name);
        let wanted = self.requirements.join("\n");
        let list = directory.join("requirements.txt");
        if fs::read_to_string(&list).is_ok_and(|there| there == wanted) {
            return Ok(());
        }
        say::line(format_args!("installing {} in {}:", self.name, directory.display()))?;
        say::line(format_args!("  {}: {}", self.name, self.why))?;
        setup::ensure_pip()?;
        self.install(&directory)?;
        // Last, so that a set that is only half there is installed again.
        fs::write(&list, wanted).with_context(|| format!("writing {}", list.display()))
    }

    fn install(&self, directory: &Path) -> anyhow::Result<()> {
        if directory.exists() {
            fs::remove_dir_all(directory).with_context(|| format!("removing {}", directory.display()))?;
        }
        let install =
            ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--root-user-action", "ignore"];
        let mut command = Command::new("python3");
        command.args(install).arg("--target").arg(directory).args(self.requirements);
        let status = command.status().context("starting python3")?;
        ensure!(status.success(), "installing {} failed: {status}", self.name);
        Ok(())
    }
}
