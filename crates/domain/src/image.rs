//! Names of images as registries know them: repositories, tags, digests.
//!
//! The grammar is that of the OCI Distribution Specification 1.1, "Pulling manifests"
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>).
//! Nothing is folded to lower case first: a name that needs folding is another name.

mod contents;

use std::{fmt, str::FromStr};

pub use contents::{Contents, InvalidPlatform, Platform, Said};

/// The longest `host/name` that registries accept together, in bytes.
const LONGEST_REPOSITORY: usize = 255;

/// The longest tag, in bytes.
const LONGEST_TAG: usize = 128;

/// The address of a registry: a host name with an optional port, as written in an image reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

/// A place in a registry that holds the images of one name: `host/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    host: Host,
    name: String,
}

/// A name for an image in its repository that may be moved to another image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// The content address of a manifest: `sha256:` or `sha512:` and lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

/// A tag in a repository: `host/name:tag`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Where the image is.
    pub repository: Repository,
    /// What it is called there.
    pub tag: Tag,
}

/// The text is not the address of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a registry host: a host name with an optional port was expected")]
pub struct InvalidHost;

/// The text is not the name of an image repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRepository {
    /// There is no slash after a host.
    #[error("an image repository is written host/name, with the registry's host name first")]
    NoHost,
    /// What stands before the first slash is not a host.
    #[error("what stands before the first slash is not a registry host")]
    Host(#[from] InvalidHost),
    /// A part of the name breaks the grammar.
    #[error("a repository name is made of lower-case letters, digits and the separators . _ __ - /")]
    Name,
    /// Host and name are longer than registries accept.
    #[error("host and name are longer than {LONGEST_REPOSITORY} characters together")]
    TooLong,
}

/// The text is not a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tag is 1 to {LONGEST_TAG} letters, digits, and . _ - after the first character")]
pub struct InvalidTag;

/// The text is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal digits")]
pub struct InvalidDigest;

impl Host {
    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Repository {
    /// Joins a host and a name that is still to be checked.
    ///
    /// # Errors
    ///
    /// The name breaks the grammar, or both together are too long.
    pub fn new(host: Host, name: &str) -> Result<Self, InvalidRepository> {
        if host.0.len() + 1 + name.len() > LONGEST_REPOSITORY {
            return Err(InvalidRepository::TooLong);
        }
        if !name.split('/').all(is_path_component) {
            return Err(InvalidRepository::Name);
        }
        Ok(Self { host, name: name.to_owned() })
    }

    /// The registry that holds it.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its name in that registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Tag {
    /// The tag as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Digest {
    /// The digest as written, with its algorithm.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm and the first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        let (algorithm, digits) = self.0.split_once(':').unwrap_or(("", &self.0));
        format!("{algorithm}:{}", digits.get(..12).unwrap_or(digits))
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        };
        let port_is_good = port.is_none_or(|port| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
        });
        if port_is_good && name.len() <= 253 && name.split('.').all(is_host_label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidHost)
        }
    }
}

impl FromStr for Repository {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, InvalidRepository> {
        let (host, name) = text.split_once('/').ok_or(InvalidRepository::NoHost)?;
        Self::new(host.parse()?, name)
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut bytes = text.bytes();
        let good = bytes.next().is_some_and(is_word)
            && bytes.all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
            && text.len() <= LONGEST_TAG;
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidTag) }
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let length = match text.split_once(':') {
            Some(("sha256", digits)) if digits.bytes().all(is_lower_hex) => (digits.len(), 64),
            Some(("sha512", digits)) if digits.bytes().all(is_lower_hex) => (digits.len(), 128),
            _ => return Err(InvalidDigest),
        };
        if length.0 == length.1 { Ok(Self(text.to_owned())) } else { Err(InvalidDigest) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(component: &str) -> bool {
    let is_word = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && component
            .split(is_word)
            .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_follows_the_grammar_of_the_distribution_specification() {
        for good in ["ghcr.io/acme/app", "localhost:5000/a", "r.example/a--b/c__d.e_f", "127.0.0.1:80/0"] {
            assert_eq!(good.parse::<Repository>().map(|name| name.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "app",
            "ghcr.io/",
            "ghcr.io/App",
            "ghcr.io/a/../b",
            "ghcr.io//a",
            "ghcr.io/a/",
            "ghcr.io/a___b",
            "ghcr.io/.a",
            "ghcr.io/a b",
            "ghcr.io/a:tag",
            "ghcr.io/\u{212a}",
            "-a.io/b",
            "a..io/b",
            "a:/b",
            "a:99999/b",
            "user@host/a",
            "[::1]/a",
        ] {
            assert!(bad.parse::<Repository>().is_err(), "{bad} was taken");
        }
        let long = format!("ghcr.io/{}", "a".repeat(248));
        assert_eq!(long.parse::<Repository>(), Err(InvalidRepository::TooLong));
    }

    #[test]
    fn a_tag_follows_the_grammar_of_the_distribution_specification() {
        for good in ["a", "_a", "1.0", "sha-0a", "A-", &"t".repeat(128)] {
            assert!(good.parse::<Tag>().is_ok(), "{good} was refused");
        }
        for bad in ["", ".a", "-a", "a b", "a:b", "a/b", "a\n", "a+b", "é", "sha256:ab", &"t".repeat(129)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_digest_names_its_algorithm_and_has_its_full_length() {
        let good = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(good.parse::<Digest>().map(|digest| digest.short()).as_deref(), Ok("sha256:0f0f0f0f0f0f"));
        assert!(format!("sha512:{}", "0f".repeat(64)).parse::<Digest>().is_ok());
        for bad in [
            "",
            "sha256:",
            "md5:00",
            good.trim_end_matches("0f"),
            &good.to_uppercase(),
            good.trim_start_matches("sha256:"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad} was taken");
        }
    }
}
