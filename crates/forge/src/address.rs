//! Where the forge's REST, GraphQL and Git interfaces are, derived from one address.

use domain::forge::Repository;
use url::{Host, Url};

use crate::Error;

/// The addresses of one forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and port of both interfaces.
    pub(crate) origin: String,
    /// What stands before each path of the REST interface: nothing, or `/api/v3`.
    pub(crate) rest: String,
    /// The path of the GraphQL interface.
    pub(crate) graphql: String,
    /// What repositories are under.
    pub(crate) git: String,
    /// What people find repositories under.
    pub(crate) web: String,
}

impl Address {
    /// Derives the addresses: GitHub, GitHub with data residency, GitHub Enterprise Server, and anything else that
    /// has all three at one origin
    /// (<https://docs.github.com/en/enterprise-server@latest/graphql/guides/managing-enterprise-accounts>).
    pub(crate) fn new(api_url: &Url, git_url: Option<&Url>) -> Result<Self, Error> {
        check("api_url", api_url)?;
        let rest = api_url.path().trim_end_matches('/').to_owned();
        let graphql = rest
            .strip_suffix("/v3")
            .filter(|api| api.ends_with("/api"))
            .map_or_else(|| format!("{rest}/graphql"), |api| format!("{api}/graphql"));
        let git = match git_url {
            Some(url) => {
                check("git_url", url)?;
                url.as_str().trim_end_matches('/').to_owned()
            }
            None => git_origin(api_url),
        };
        let origin = api_url.origin().ascii_serialization();
        Ok(Self { origin, rest, graphql, git, web: git_origin(api_url) })
    }

    /// Where Git finds a repository.
    pub(crate) fn git(&self, repository: &Repository) -> String {
        format!("{}/{}/{}.git", self.git, repository.owner(), repository.name())
    }
}

/// Writes a branch into a path: everything that could end the path is escaped, its slashes stay.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn check(setting: &str, url: &Url) -> Result<(), Error> {
    let wrong = |what: &str| Err(Error::Settings { what: format!("{setting} {what}") });
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong("must begin with https:// or http:// and a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold credentials");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must not have a query or a fragment");
    }
    Ok(())
}

fn git_origin(api_url: &Url) -> String {
    match api_url.host() {
        Some(Host::Domain("api.github.com")) => "https://github.com".to_owned(),
        Some(Host::Domain(domain)) if domain.ends_with(".ghe.com") => {
            format!("https://{}", domain.strip_prefix("api.").unwrap_or(domain))
        }
        Some(_) | None => api_url.origin().ascii_serialization(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(api_url: &str, rest: &str, graphql: &str, git: &str) {
        let address = Address::new(&api_url.parse().unwrap(), None).unwrap();
        assert_eq!(format!("{}{}", address.origin, address.rest), rest);
        assert_eq!(format!("{}{}", address.origin, address.graphql), graphql);
        assert_eq!(address.git(&"acme/trinity".parse().unwrap()), git);
    }

    #[test]
    fn one_address_tells_the_others() {
        check(
            "https://api.github.com",
            "https://api.github.com",
            "https://api.github.com/graphql",
            "https://github.com/acme/trinity.git",
        );
        check(
            "https://git.example/api/v3/",
            "https://git.example/api/v3",
            "https://git.example/api/graphql",
            "https://git.example/acme/trinity.git",
        );
        check(
            "https://api.acme.ghe.com/",
            "https://api.acme.ghe.com",
            "https://api.acme.ghe.com/graphql",
            "https://acme.ghe.com/acme/trinity.git",
        );
        check(
            "http://127.0.0.1:8081/forge",
            "http://127.0.0.1:8081/forge",
            "http://127.0.0.1:8081/forge/graphql",
            "http://127.0.0.1:8081/acme/trinity.git",
        );
    }

    #[test]
    fn a_git_address_of_its_own_is_taken() {
        let git = "http://127.0.0.1:9/git/".parse().unwrap();
        let address = Address::new(&"https://api.github.com".parse().unwrap(), Some(&git)).unwrap();
        assert_eq!(address.git(&"a/b".parse().unwrap()), "http://127.0.0.1:9/git/a/b.git");
    }

    #[test]
    fn an_address_that_can_not_be_used_is_refused_without_repeating_it() {
        for (bad, why) in [
            ("ssh://git.example/", "must begin with"),
            ("https://bot:sekret@git.example/", "must not hold credentials"),
            ("https://git.example/?a=b", "must not have a query"),
        ] {
            let error = Address::new(&bad.parse().unwrap(), None).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("sekret"), "{error}");
        }
    }

    #[test]
    fn a_branch_does_not_end_the_path() {
        assert_eq!(escape("release/1.x#2%"), "release/1.x%232%25");
    }
}
