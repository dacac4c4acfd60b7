//! The command-line flags of a registry.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;

use super::handle::{Endpoint, Error, Options, User};

/// The flags that say whether there is a registry, and how it is set up.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// The address that the OCI registry listens on, such as 127.0.0.1:5000; without it there is none.
    #[arg(long, value_name = "ADDRESS")]
    pub registry_listen: Option<SocketAddr>,
    /// A URL that the registry posts its notifications to; may be given several times.
    #[arg(long, value_name = "URL", requires = "registry_listen")]
    pub registry_notify: Vec<String>,
    /// A file with the entire value of the Authorization header of notifications.
    #[arg(long, value_name = "FILE", requires = "registry_notify")]
    pub registry_notify_authorization_file: Option<PathBuf>,
    /// The one user who may use the registry; without it everybody may.
    #[arg(long, value_name = "NAME", requires_all = ["registry_listen", "registry_password_file"])]
    pub registry_user: Option<String>,
    /// A file with that user's password.
    #[arg(long, value_name = "FILE", requires = "registry_user")]
    pub registry_password_file: Option<PathBuf>,
}

impl Flags {
    /// How the registry is to be started; `None` when none is wanted.
    ///
    /// # Errors
    ///
    /// [`Error::File`]: a file with a secret can not be read.
    pub fn options(&self) -> Result<Option<Options>, Error> {
        let Some(listen) = self.registry_listen else {
            return Ok(None);
        };
        let authorization = self.registry_notify_authorization_file.as_deref().map(read_line).transpose()?;
        let endpoint = |url: &String| Endpoint { url: url.clone(), authorization: authorization.clone() };
        let user = match (&self.registry_user, &self.registry_password_file) {
            (Some(name), Some(path)) => Some(User { name: name.clone(), password: read_line(path)? }),
            _ => None,
        };
        Ok(Some(Options {
            listen,
            user,
            notifications: self.registry_notify.iter().map(endpoint).collect(),
            ..Options::default()
        }))
    }
}

/// A file's text without the end of its last line.
fn read_line(path: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        flags: Flags,
    }

    fn parse(arguments: &[&str]) -> Result<Flags, clap::Error> {
        let program = std::iter::once("program").chain(arguments.iter().copied());
        Program::try_parse_from(program).map(|program| program.flags)
    }

    #[test]
    fn there_is_no_registry_unless_it_is_asked_for() {
        assert!(parse(&[]).unwrap().options().unwrap().is_none());
        for incomplete in ["--registry-notify=http://a/", "--registry-user=a", "--registry-password-file=/a"] {
            assert!(parse(&[incomplete]).is_err(), "{incomplete} was taken");
        }
    }

    #[test]
    fn secrets_come_from_files_without_the_end_of_their_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        fs::write(&file, "Bearer hush\n").unwrap();
        let authorization = format!("--registry-notify-authorization-file={}", file.display());
        let listen = "--registry-listen=127.0.0.1:5000";
        let flags = parse(&[listen, "--registry-notify=http://a/", &authorization]).unwrap();
        let options = flags.options().unwrap().unwrap();
        let expected = Endpoint { url: "http://a/".to_owned(), authorization: Some("Bearer hush".to_owned()) };
        assert!(options.notifications == [expected]);
        fs::remove_file(&file).unwrap();
        assert!(matches!(flags.options(), Err(Error::File { .. })));
    }
}
