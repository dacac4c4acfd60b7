//! Tokens to speak to the forge with: a personal one, or those of an App's installations.
//!
//! An installation's token is good for one repository and for what is done there, is kept until shortly before it
//! ends, and is minted once however many ask for it at the same time. Tokens are opaque and of any length.

mod app;
mod permission;

use domain::forge::Repository;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

pub use self::permission::Lacking;
use crate::{
    Credentials, Error, Extra,
    api::{Api, Request},
};

/// Where tokens come from.
#[derive(Debug)]
pub(crate) enum Tokens {
    /// Always the same one.
    Personal(SecretString),
    /// Those of the installations of an App.
    App(Box<app::App>),
}

/// What a token must be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// Looking at commits and their checks.
    Read,
    /// Pushing, pull requests and merging.
    Write,
}

/// Who asks, as the forge counts requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// The person whose token it is.
    Person,
    /// The App itself.
    App,
    /// The installation of this number.
    Installation(u64),
}

/// What a request is authorised with.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    /// The token or signed statement.
    pub(crate) secret: SecretString,
    /// Whose it is.
    pub(crate) account: Account,
}

impl Tokens {
    /// Checks the credentials.
    pub(crate) fn new(credentials: &Credentials, extras: &[Extra]) -> Result<Self, Error> {
        match credentials {
            Credentials::Token(token) => {
                let token = token.expose_secret().trim();
                if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let what = "the token is empty or holds blanks".to_owned();
                    return Err(Error::Settings { what });
                }
                Ok(Self::Personal(token.into()))
            }
            Credentials::App { id, private_key } => {
                app::App::new(id, private_key, extras).map(|app| Self::App(Box::new(app)))
            }
        }
    }

    /// A token that may be used for this repository.
    pub(crate) async fn bearer(&self, api: &Api, repository: &Repository, access: Access) -> Result<Bearer, Error> {
        match self {
            Self::Personal(token) => Ok(Bearer { secret: token.clone(), account: Account::Person }),
            Self::App(app) => app.bearer(api, repository, access).await,
        }
    }

    /// What our installation on a repository lacks, and which events it is told about; nothing where we are no App.
    pub(crate) async fn survey(
        &self,
        api: &Api,
        repository: &Repository,
        access: Access,
    ) -> Result<Option<(Vec<Lacking>, Vec<String>)>, Error> {
        match self {
            Self::Personal(_) => Ok(None),
            Self::App(app) => app.survey(api, repository, access).await.map(Some),
        }
    }

    /// What the forge says to the App itself; nothing where we are none.
    pub(crate) async fn ask_as_app<T: DeserializeOwned>(
        &self,
        api: &Api,
        request: &Request,
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Personal(_) => Ok(None),
            Self::App(app) => app.ask(api, request).await.map(Some),
        }
    }

    /// Forgets a token that the forge did not accept, and what is known of the installation. Says whether asking
    /// again may give another one.
    pub(crate) async fn forget(&self, repository: &Repository, refused: &SecretString) -> bool {
        match self {
            Self::Personal(_) => false,
            Self::App(app) => {
                app.forget(repository, refused).await;
                true
            }
        }
    }

    /// Who asks about a repository, as far as that is known.
    pub(crate) fn account(&self, repository: &Repository) -> Option<Account> {
        match self {
            Self::Personal(_) => Some(Account::Person),
            Self::App(app) => app.account(repository),
        }
    }

    /// Forgets everything about an installation that changed, and all its tokens.
    pub(crate) fn forget_installation(&self, id: u64) {
        match self {
            Self::Personal(_) => {}
            Self::App(app) => app.forget_installation(id),
        }
    }
}
