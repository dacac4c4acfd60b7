//! The App, its tokens, personal tokens, and time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Control;
use crate::{error::Error, options::TokenFormat, world::app::Permissions};

/// The App as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppView {
    /// Its number.
    pub id: u64,
    /// Its short name; it acts as `{slug}[bot]`.
    pub slug: String,
    /// The identifier that it may sign with in place of its number.
    pub client_id: String,
    /// Its private key, as PEM.
    pub private_key: String,
    /// The form of its installation tokens.
    pub token_format: TokenFormat,
    /// What it may do: `read` or `write` by permission.
    pub permissions: Permissions,
    /// The number of each owner's installation.
    pub installations: std::collections::BTreeMap<String, u64>,
}

/// What is changed in the App; `None` leaves it. Tokens that were given out keep what they were given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppChange {
    /// All that it may do.
    pub permissions: Option<Permissions>,
    /// All events that it is told about. They are only shown: the webhook gets all that there are.
    pub events: Option<std::collections::BTreeSet<String>>,
    /// The form of its installation tokens.
    pub token_format: Option<TokenFormat>,
}

impl Control {
    /// The App.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn app(&self) -> Result<AppView, Error> {
        let private_key = self.app_private_key.to_string();
        let seen = self.shared.see(move |world| {
            let app = &world.app;
            Ok(AppView {
                id: app.id,
                slug: app.slug.clone(),
                client_id: app.client_id(),
                private_key,
                token_format: app.token_format,
                permissions: app.permissions.clone(),
                installations: app.installations.clone(),
            })
        });
        Ok(seen.await?)
    }

    /// Changes the App.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn change_app(&self, change: AppChange) -> Result<(), Error> {
        let changed = self.shared.with(move |world| {
            let app = &mut world.app;
            app.token_format = change.token_format.unwrap_or(app.token_format);
            if let Some(permissions) = change.permissions {
                app.permissions = permissions;
            }
            app.events = change.events.unwrap_or_else(|| std::mem::take(&mut app.events));
            Ok(())
        });
        Ok(changed.await?)
    }

    /// Makes a personal token known that may do everything its account may: all.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn add_personal_token(&self, token: &str, login: &str) -> Result<(), Error> {
        let (token, login) = (token.to_owned(), login.to_owned());
        let added = self.shared.with(move |world| {
            world.personal_tokens.insert(token, login);
            Ok(())
        });
        Ok(added.await?)
    }

    /// Lets every installation token expire now, without moving the clock.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn expire_tokens(&self) -> Result<(), Error> {
        let expired = self.shared.with(|world| {
            let now = world.now();
            world.tokens.values_mut().for_each(|grant| grant.expires_at = now);
            Ok(())
        });
        Ok(expired.await?)
    }

    /// Lets time pass at once. An App that signs by the system's time is refused more than 10 minutes later.
    pub fn advance(&self, by: Duration) {
        self.shared.clock().advance(by);
        self.shared.note_change();
    }

    /// The sandbox's time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock().now()
    }
}
