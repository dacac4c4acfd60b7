//! Which evidence an application asks for.

use std::{fmt, str::FromStr, time::Duration};

use crate::{evidence::CheckState, glob::Glob, image::Platform};

/// Which evidence is asked for. That a tag names a commit which exists, and that every target has the image, always is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// Whether the commit must be on an allowed branch.
    pub branch: Demand,
    /// The checks of the commit that must have passed.
    pub checks: Vec<CheckRule>,
    /// What each target's image must run on.
    pub platforms: Vec<Platform>,
    /// Whether all targets must have the same digest.
    pub same_digest: Demand,
    /// Whether a tag must never have had another digest.
    pub immutable: Demand,
    /// Whether the image must say that it was built from the commit.
    pub revision: Wish,
    /// Whether GitHub Actions must have posted that it built the image.
    pub builder: Wish,
    /// Whether a signed attestation must name the repository and the commit.
    pub provenance: Provenance,
    /// Whether a service of the operator's own must let the images through.
    pub gate: Demand,
    /// How long what is not there yet is waited for, from the last image on.
    pub deadline: Duration,
    /// How often the tags of what is deployed are looked at; `None` for never.
    pub recheck: Option<Duration>,
}

/// Whether one kind of evidence is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Without it nothing is released.
    Required,
    /// It is not looked at.
    Off,
}

/// Whether one kind of evidence is asked for that many builds do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Without it nothing is released.
    Required,
    /// It may be missing; where it is there, it must be good.
    IfPresent,
    /// It is not looked at.
    Off,
}

/// Checks that must have passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRule {
    /// What they are called: at least one, and each that it matches.
    pub name: Glob,
    /// Whose they must be; `None` where anybody's count.
    pub app: Option<AppName>,
    /// Which answers count as passed besides success.
    pub tolerated: Vec<Tolerated>,
}

/// An App of the forge, by its number or by its name in addresses, as `github-actions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppName {
    /// Its number.
    Id(u64),
    /// Its name in addresses.
    Slug(String),
}

/// An answer of a check that is neither good nor bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerated {
    /// Neither that all is well nor that it is not.
    Neutral,
    /// It did not look.
    Skipped,
}

/// Which attestation is good enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Whether one is asked for.
    pub demand: Demand,
    /// The workflows that may have signed, as `acme/mandelbrot/.github/workflows/release.yml`, with `@` and a reference
    /// or without; any where there is none.
    pub workflows: Vec<Glob>,
    /// What may have been checked out, as `refs/tags/v*`; the allowed branches where there is none.
    pub references: Vec<Glob>,
}

/// The text does not say whether evidence is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("evidence is either required or off")]
pub struct InvalidDemand;

/// The text does not say whether evidence is asked for that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("evidence of this kind is required, if-present or off")]
pub struct InvalidWish;

/// The text is not an answer of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("besides success, a check may be taken as passed when it is neutral or skipped")]
pub struct InvalidTolerated;

impl Default for Verify {
    /// What can be had of every build is asked for, and half an hour is waited for what can not be there at once.
    fn default() -> Self {
        Self {
            branch: Demand::Required,
            checks: Vec::new(),
            platforms: Vec::new(),
            same_digest: Demand::Required,
            immutable: Demand::Required,
            revision: Wish::IfPresent,
            builder: Wish::IfPresent,
            provenance: Provenance { demand: Demand::Off, workflows: Vec::new(), references: Vec::new() },
            gate: Demand::Off,
            deadline: Duration::from_secs(30 * 60),
            recheck: Some(Duration::from_secs(6 * 60 * 60)),
        }
    }
}

impl CheckRule {
    /// Whether a state counts as passed.
    #[must_use]
    pub fn accepts(&self, state: &CheckState) -> bool {
        match state {
            CheckState::Succeeded => true,
            CheckState::Neutral => self.tolerated.contains(&Tolerated::Neutral),
            CheckState::Skipped => self.tolerated.contains(&Tolerated::Skipped),
            CheckState::Running | CheckState::Failed(_) => false,
        }
    }
}

impl FromStr for Demand {
    type Err = InvalidDemand;

    fn from_str(text: &str) -> Result<Self, InvalidDemand> {
        match text {
            "required" => Ok(Self::Required),
            "off" => Ok(Self::Off),
            _ => Err(InvalidDemand),
        }
    }
}

impl FromStr for Wish {
    type Err = InvalidWish;

    fn from_str(text: &str) -> Result<Self, InvalidWish> {
        match text {
            "required" => Ok(Self::Required),
            "if-present" => Ok(Self::IfPresent),
            "off" => Ok(Self::Off),
            _ => Err(InvalidWish),
        }
    }
}

impl FromStr for Tolerated {
    type Err = InvalidTolerated;

    fn from_str(text: &str) -> Result<Self, InvalidTolerated> {
        match text {
            "neutral" => Ok(Self::Neutral),
            "skipped" => Ok(Self::Skipped),
            _ => Err(InvalidTolerated),
        }
    }
}

impl fmt::Display for CheckRule {
    /// As people would say it: the name, and whose it must be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match &self.app {
            None => Ok(()),
            Some(AppName::Id(id)) => write!(f, " of the App {id}"),
            Some(AppName::Slug(slug)) => write!(f, " of {slug}"),
        }
    }
}
