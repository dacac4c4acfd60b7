//! Asks an OCI registry what a tag is; understands and authenticates what registries announce.
//!
//! Two halves that share only the nouns of [`domain::image`]; read them in this order:
//!
//! - [`access`]: how a registry is reached, and as whom; [`LoginError`] is why that can not be found out.
//! - [`Registries`]: asks what a tag points to; what goes wrong with which [`Subject`] is an [`Error`].
//! - [`Registries::inspect`]: what an image says of itself.
//! - [`Attestations`]: the bundles that are attached to an image, which [`Registries::referrers`] finds.
//! - [`Registries::tags`]: which tags a repository has, as a [`Listing`].
//! - [`webhook`]: what registries send us: one file per kind of sender.
//!
//! Deliberately not here: serving HTTP (the server gives us the head of a request and the bytes of its body), retrying
//! (decided from [`Error::fault`]; here is only decided that a registry which does not answer is left alone), and pushing anything to a registry.

pub mod access;
mod asker;
mod bounded;
mod error;
mod exchange;
mod head;
mod inspect;
mod line;
mod login;
mod pause;
mod question;
mod referrers;
mod resolve;
mod tags;
pub mod webhook;

pub use access::{Access, Credentials, Limits, Timeouts, Transport};
pub use error::{Error, Subject};
pub use login::{Aws, AwsAddresses, AwsSource, Azure, AzureSource, DockerError, Google, GoogleSource, LoginError};
pub use referrers::{Attestations, LARGEST_BUNDLE};
pub use resolve::Registries;
pub use tags::{Listing, Tags, Validator};
