//! Credentials as Docker keeps them: in its configuration file, or with a program that it asks.
//!
//! The file is that of <https://docs.docker.com/reference/cli/docker/login/#credential-stores>, the programs speak the
//! protocol of <https://github.com/docker/docker-credential-helpers>.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use super::Login;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::image::Host;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

/// How long a helper may take: those of clouds ask over the network, and a keychain that is locked never answers.
const HELPER_PATIENCE: Duration = Duration::from_secs(5);

/// How long what is found is used: less than the shortest life of a cloud's tokens, an hour.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// What Docker Hub is called in the file and by helpers.
const HUB: &str = "https://index.docker.io/v1/";

/// What helpers give as the name of the user when the secret is an identity token.
const IDENTITY_TOKEN: &str = "<token>";

/// Why Docker's configuration has no credentials to give.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// The file can not be read.
    #[error("reading {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a configuration of Docker's. What is in it is not repeated.
    #[error("{} is not a configuration of Docker's", .0.display())]
    Invalid(PathBuf),
    /// The file says nothing of the registry.
    #[error("{} has no credentials for the registry", .0.display())]
    Missing(PathBuf),
    /// There is an identity token where a password was expected.
    #[error("an identity token is kept for the registry; a user name and a password are needed")]
    IdentityToken,
    /// The name of the helper could lead to any program.
    #[error("the credential helper has a name that is not letters, digits, hyphens, underscores and dots")]
    HelperName,
    /// The helper can not be run.
    #[error("running {program}")]
    Run {
        /// Which program.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The helper took too long.
    #[error("{program} did not answer within {} ms", HELPER_PATIENCE.as_millis())]
    Slow {
        /// Which program.
        program: String,
    },
    /// The helper failed, or has nothing for the registry. What it says is not repeated.
    #[error("{program} has no credentials for the registry")]
    Helper {
        /// Which program.
        program: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: BTreeMap<String, Entry>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    identitytoken: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: SecretString,
}

/// The credentials for a registry as Docker would find them: by the registry's own helper, by the store for all, and
/// in the file.
pub(crate) async fn login(path: &Path, host: &Host) -> Result<Login, DockerError> {
    let text = std::fs::read_to_string(path).map_err(|source| DockerError::Read { path: path.to_owned(), source })?;
    let file: File = serde_json::from_str(&text).map_err(|_has_secrets| DockerError::Invalid(path.to_owned()))?;
    let name = match host.to_string().as_str() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB.to_owned(),
        other => other.to_owned(),
    };
    if let Some(helper) = file.cred_helpers.get(&name).or_else(|| file.cred_helpers.get(&host.to_string())) {
        return ask(helper, &name).await;
    }
    if !file.creds_store.is_empty() {
        return ask(&file.creds_store, &name).await;
    }
    let missing = || DockerError::Missing(path.to_owned());
    let bare = bare(&name);
    let entry = file.auths.iter().find(|(key, _)| self::bare(key) == bare).ok_or_else(missing)?.1;
    if !entry.identitytoken.is_empty() {
        return Err(DockerError::IdentityToken);
    }
    if entry.auth.is_empty() {
        return Err(missing());
    }
    decode(&entry.auth).ok_or_else(|| DockerError::Invalid(path.to_owned()))
}

/// The host of a key, which older versions wrote with a scheme and a path.
fn bare(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

fn decode(auth: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Login { username: username.to_owned(), password: password.trim_end_matches('\0').into(), life: LIFE })
}

async fn ask(helper: &str, name: &str) -> Result<Login, DockerError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if helper.is_empty() || !helper.bytes().all(is_plain) {
        return Err(DockerError::HelperName);
    }
    let program = format!("docker-credential-{helper}");
    let output = match timeout(HELPER_PATIENCE, run(&program, name)).await {
        Ok(output) => output.map_err(|source| DockerError::Run { program: program.clone(), source })?,
        Err(_elapsed) => return Err(DockerError::Slow { program }),
    };
    let answer = output.status.success().then(|| serde_json::from_slice::<Answer>(&output.stdout).ok()).flatten();
    match answer {
        Some(answer) if answer.username == IDENTITY_TOKEN => Err(DockerError::IdentityToken),
        Some(answer) => Ok(Login { username: answer.username, password: answer.secret, life: LIFE }),
        None => Err(DockerError::Helper { program }),
    }
}

async fn run(program: &str, name: &str) -> std::io::Result<std::process::Output> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(name.as_bytes()).await?;
    }
    child.wait_with_output().await
}
