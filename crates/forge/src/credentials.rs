//! Tokens to speak to the forge with: a personal one, or those of an App's installations.
//!
//! An installation's token is kept until shortly before it ends, and minted once however many ask for it at the
//! same time. Tokens are opaque and of any length.

mod app;

use domain::forge::Repository;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Credentials, Error, api::Api};

/// Where tokens come from.
#[derive(Debug)]
pub(crate) enum Tokens {
    /// Always the same one.
    Personal(SecretString),
    /// One for each installation of an App.
    App(app::App),
}

impl Tokens {
    /// Checks the credentials.
    pub(crate) fn new(credentials: &Credentials) -> Result<Self, Error> {
        match credentials {
            Credentials::Token(token) => {
                let token = token.expose_secret().trim();
                if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let what = "the token is empty or holds blanks".to_owned();
                    return Err(Error::Settings { what });
                }
                Ok(Self::Personal(token.into()))
            }
            Credentials::App { id, private_key } => app::App::new(id, private_key).map(Self::App),
        }
    }

    /// A token that may be used for this repository.
    pub(crate) async fn token(&self, api: &Api, repository: &Repository) -> Result<SecretString, Error> {
        match self {
            Self::Personal(token) => Ok(token.clone()),
            Self::App(app) => app.token(api, repository).await,
        }
    }

    /// Forgets a token that the forge did not accept. Says whether asking again may give another one.
    pub(crate) async fn forget(&self, repository: &Repository, refused: &SecretString) -> bool {
        match self {
            Self::Personal(_) => false,
            Self::App(app) => {
                app.forget(repository, refused).await;
                true
            }
        }
    }
}
