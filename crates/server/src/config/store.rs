//! Where the service remembers.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use super::{
    Error, SecretSource,
    fields::{duration, duration_or_off},
};

/// Where the service remembers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// `sqlite:///` and the path of a file, or `postgres://user@host/database` without the password.
    pub url: String,
    /// The password of that user, where the server asks for one.
    pub password: Option<SecretSource>,
    /// How long work waits whose replica is not heard of any more, before another takes it.
    #[serde(default = "StoreSettings::default_lease", deserialize_with = "lease")]
    pub lease: Duration,
    /// How long what senders said is kept.
    #[serde(default)]
    pub keep: KeepSettings,
}

/// How long what senders said is kept; releases and their ledgers are kept for ever.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepSettings {
    /// The bodies of deliveries; `None` for as long as the deliveries themselves.
    #[serde(default = "KeepSettings::usual_bodies", deserialize_with = "duration_or_off")]
    pub bodies: Option<Duration>,
    /// Deliveries, of which at most 100 000 are kept in any case.
    #[serde(default = "KeepSettings::usual_deliveries", deserialize_with = "duration_or_off")]
    pub deliveries: Option<Duration>,
}

impl Default for KeepSettings {
    fn default() -> Self {
        Self { bodies: Self::usual_bodies(), deliveries: Self::usual_deliveries() }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what the settings are when they are not given")]
impl KeepSettings {
    const fn usual_bodies() -> Option<Duration> {
        Some(Duration::from_secs(30 * 24 * 60 * 60))
    }

    const fn usual_deliveries() -> Option<Duration> {
        Some(Duration::from_secs(180 * 24 * 60 * 60))
    }
}

/// The shortest lease: a replica must be able to answer for itself several times in it, however busy it is.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let lease = duration(deserializer)?;
    if (SHORTEST_LEASE..=store::LONGEST_LEASE).contains(&lease) {
        return Ok(lease);
    }
    Err(D::Error::custom("a lease is from 2s to 10m"))
}

impl StoreSettings {
    const fn default_lease() -> Duration {
        Duration::from_secs(60)
    }

    /// The address as the store takes it, with the password.
    ///
    /// # Errors
    ///
    /// The password is written in the address, is not there, or there is nobody whose it could be.
    pub fn address(&self) -> Result<SecretString, Error> {
        let contradiction = |why: &str| Error::Contradiction(why.to_owned());
        if !self.url.starts_with("postgres") {
            return match self.password {
                None => Ok(SecretString::from(self.url.as_str())),
                Some(_) => Err(contradiction("store.password is for postgres://user@host/database; a file has none")),
            };
        }
        let mut url = Url::parse(&self.url).map_err(|_it_may_show_a_password| {
            contradiction("store.url is not an address of the form postgres://user@host/database")
        })?;
        if url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password") {
            return Err(contradiction(
                "store.url holds a password: name the place of it in store.password, as { env: NAME } or { file: PATH }",
            ));
        }
        if let Some(source) = &self.password {
            let password = source.read_for("store.password")?;
            url.set_password(Some(password.expose_secret()))
                .map_err(|()| contradiction("store.url names no server that could ask for store.password"))?;
        }
        Ok(SecretString::from(String::from(url)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str, password: Option<&str>) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        let password = password.map(|password| {
            std::fs::write(&file, password).unwrap();
            SecretSource::File(file.clone())
        });
        let settings = StoreSettings {
            url: url.to_owned(),
            password,
            lease: StoreSettings::default_lease(),
            keep: KeepSettings::default(),
        };
        let address = settings.address().map_err(|error| error.to_string())?;
        Ok(address.expose_secret().to_owned())
    }

    #[test]
    fn the_password_comes_from_its_place_and_may_hold_any_character() {
        let with = address("postgres://tagferry@db.example/tagferry?sslmode=require", Some("p@ss/w:rd\n")).unwrap();
        assert_eq!(with, "postgres://tagferry:p%40ss%2Fw%3Ard@db.example/tagferry?sslmode=require");
        assert_eq!(address("sqlite:///a b.db", None).unwrap(), "sqlite:///a b.db");
        assert_eq!(address("postgres://db/tagferry", None).unwrap(), "postgres://db/tagferry");
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        for url in ["postgres://u:hunter2@db/t", "postgres://db/t?user=u&password=hunter2"] {
            let refusal = address(url, None).unwrap_err();
            assert!(refusal.contains("store.password") && !refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[test]
    fn a_password_that_nobody_asks_for_is_refused() {
        assert!(address("sqlite:///t.db", Some("x")).unwrap_err().contains("store.password"));
        assert!(address("postgres:t", Some("x")).unwrap_err().contains("store.url"));
    }
}
