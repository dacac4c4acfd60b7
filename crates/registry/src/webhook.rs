//! What registries send us when something was pushed.
//!
//! One file per kind of sender. Each declares what its credential is and how it reads a message; everything else is
//! shared. [`Sender::admit`] looks at the head of a request, [`Admitted::vouch_for`] at its body, and without both there
//! is no [`Verified`] body to parse: of a request, that is, as a body that is at hand already needs only a [`Reader`] and
//! somebody who answers for it.
//!
//! Most senders are known by a secret. Google's are known by an identity token, whose keys are fetched from an address
//! that is configured, and Amazon SNS by a signature inside the body, for which a certificate is fetched: that one body
//! is looked into before its sender is known, for the fields that are signed and nothing else.
//!
//! Not here: statuses and headers of answers. What a message wants to hear besides that it was taken is in [`Asks`].

mod acr;
mod acr_event_grid;
mod aliyun;
mod artifact_registry;
mod cloudevents;
mod credential;
mod distribution;
mod docker_hub;
mod ecr;
mod ecr_sns;
mod ghcr;
mod gitea;
mod gitlab;
mod handshake;
mod harbor;
mod head;
mod id;
mod jfrog;
mod json;
mod kind;
mod names;
mod nexus;
mod quay;
mod reading;
mod refused;
mod secrets;
mod sender;
mod trust;
mod unusable;

use domain::announcement::Pushed;

pub use self::{
    artifact_registry::{PubSub, PubSubSettings},
    credential::{Admitted, Authenticated, Signed, Unauthenticated},
    ecr_sns::{Confirmation, InvalidTopicArn, Topic, TopicArn, TopicSettings},
    handshake::Handshake,
    head::Head,
    kind::{Kind, UnknownKind},
    refused::Refused,
    secrets::{InvalidSecrets, Secrets},
    sender::{InvalidSender, Options, Reader, Sender, Setup},
    trust::{InvalidTrust, Trust},
};
use self::{credential::Credential, sender::RepoKeys};

/// A body whose sender was authenticated.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
}

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The sender's own id of the delivery, the same when it is repeated; never longer than 128 characters.
    pub id: String,
    /// What it is about, in its order, without repetitions.
    pub elements: Vec<Element>,
    /// How many things it says that we understand and do not want: pulls, deletes, mounts, blobs, untagged manifests.
    pub unwanted: usize,
    /// What it wants besides being taken.
    pub asks: Asks,
}

/// What a message wants besides being taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// That we know of its subscription: the answer is exactly 200, and its body is the JSON object
    /// `{"validationResponse": …}` with this code.
    Validation(String),
    /// That we confirm its subscription with [`Sender::confirm`], and answer 200.
    Confirmation(Confirmation),
    /// That somebody looks after the sender, for this reason.
    Attention(&'static str),
}

/// One thing that a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A tag was pushed.
    Pushed(Pushed),
    /// Something that can not be understood, or that holds an illegal name.
    Unusable {
        /// How it begins; bounded in length, otherwise as the sender wrote it: escape it where it is shown.
        text: String,
        /// Why, in one sentence.
        reason: String,
    },
}

/// What a kind of sender is: one constant in the file of each.
struct Declaration {
    /// The word for it in the configuration.
    word: &'static str,
    /// Where the address is put, in the words of the registry's own interface.
    place: &'static str,
    /// What proves that it is them.
    proof: Proof,
    /// What does in its place when the sender is configured to sign; `None` where it can not be.
    signing: Option<Proof>,
    /// Reads a message.
    parse: fn(&Message<'_>) -> Parsed,
}

/// What proves that it is them.
#[derive(Debug)]
struct Proof {
    /// What is checked.
    credential: Credential,
    /// What is to be set at the registry for that.
    hint: &'static str,
}

/// A message that may be read, and how.
struct Message<'a> {
    /// What the sender vouches for.
    body: &'a [u8],
    /// What nobody signed: it may tell how to read the body and by which id to know it, and nothing else.
    head: &'a Head<'a>,
    /// The host name to use instead of the message's.
    registry: Option<&'a domain::image::Host>,
    /// What image repositories are called that begin with a key.
    repo_keys: &'a RepoKeys,
}

impl<'a> Verified<'a> {
    /// A body that the caller answers for, with no credential: one that was kept after its sender was authenticated,
    /// or one from a file of whoever runs us. Never one that a request brings.
    #[must_use]
    pub const fn answered_for(body: &'a [u8]) -> Self {
        Self { body }
    }
}

impl std::fmt::Debug for Verified<'_> {
    /// Only the size: a body is not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").field("size_bytes", &self.body.len()).finish()
    }
}
