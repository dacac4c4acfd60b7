//! What an image says of itself.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// What an image runs on: `linux/amd64`, `linux/arm64/v8`
/// (<https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions>).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// The text is not a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a platform is written os/architecture or os/architecture/variant, as linux/arm64")]
pub struct InvalidPlatform;

/// What is behind a digest, which never changes: the images of an index, or the only one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The images, one for each platform; none where the digest is of something else, as a chart.
    pub images: Vec<Said>,
}

/// What one image says of its source: all values that its labels, its annotations and those of its index have. Whoever
/// built it wrote them, so that they tell of mistakes and not of malice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What it runs on; `None` where neither the index nor its configuration says so.
    pub platform: Option<Platform>,
    /// The values of `org.opencontainers.image.revision`.
    pub revisions: BTreeSet<String>,
    /// The values of `org.opencontainers.image.source`.
    pub sources: BTreeSet<String>,
}

impl Contents {
    /// Whether one of the images runs there. One that does not say where it runs is not known to.
    #[must_use]
    pub fn serves(&self, wanted: &Platform) -> bool {
        self.images.iter().filter_map(|said| said.platform.as_ref()).any(|platform| platform.serves(wanted))
    }
}

impl Platform {
    /// Whether an image for `self` runs where `wanted` is asked for: the variant counts only where it is asked for, and
    /// that of `linux/arm64` is `v8` where it is not said.
    #[must_use]
    pub fn serves(&self, wanted: &Self) -> bool {
        let is_same = self.os == wanted.os && self.architecture == wanted.architecture;
        is_same && (wanted.variant.is_none() || self.variant() == wanted.variant())
    }

    fn variant(&self) -> Option<&str> {
        let usual = (self.architecture == "arm64").then_some("v8");
        self.variant.as_deref().or(usual)
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let is_good = |part: &str| {
            (1..=64).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        let mut parts = text.split('/');
        let (Some(os), Some(architecture), variant, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidPlatform);
        };
        if ![Some(os), Some(architecture), variant].into_iter().flatten().all(is_good) {
            return Err(InvalidPlatform);
        }
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_counts_only_where_it_is_asked_for() {
        let serves = |has: &str, wanted: &str| has.parse::<Platform>().unwrap().serves(&wanted.parse().unwrap());
        assert!(serves("linux/arm64/v8", "linux/arm64"));
        assert!(serves("linux/arm64", "linux/arm64/v8"));
        assert!(serves("linux/arm/v7", "linux/arm"));
        assert!(!serves("linux/arm/v6", "linux/arm/v7"));
        assert!(!serves("linux/arm", "linux/arm/v7"));
        assert!(!serves("windows/amd64", "linux/amd64"));
    }

    #[test]
    fn a_platform_has_two_or_three_parts() {
        for text in ["linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/a b", ""] {
            assert_eq!(text.parse::<Platform>(), Err(InvalidPlatform), "{text}");
        }
        assert_eq!("linux/arm/v7".parse::<Platform>().unwrap().to_string(), "linux/arm/v7");
    }
}
