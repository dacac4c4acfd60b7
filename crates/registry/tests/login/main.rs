//! As whom registries are asked: what is kept by Docker, and short-lived identities of clouds, which are asked as their
//! documents say.

mod aws;
mod azure;
mod docker;
mod google;

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use domain::image::{Digest, Reference};
use registry::{Access, Credentials, Error, Registries, Timeouts, Transport};
use sandbox::registry::{Image, Options, SandboxRegistry, User};

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(5) };

/// A registry that lets one user in, with an image.
pub(crate) struct Scene {
    pub(crate) sandbox: SandboxRegistry,
    pub(crate) digest: Digest,
    pub(crate) reference: Reference,
}

impl Scene {
    pub(crate) async fn set(name: &str, password: &str) -> Result<Self> {
        let user = User { name: name.to_owned(), password: password.to_owned() };
        let sandbox = SandboxRegistry::start(Options { user: Some(user), ..Options::default() }).await?;
        let digest = sandbox.push_image("shop/app", "v1", &Image::default())?;
        let reference = Reference { repository: format!("{}/shop/app", sandbox.host()).parse()?, tag: "v1".parse()? };
        Ok(Self { sandbox, digest, reference })
    }

    pub(crate) fn asked_as(&self, credentials: Credentials) -> Result<Registries> {
        let access = Access { transport: Transport::Http, credentials, ..Access::default() };
        Ok(Registries::new(BTreeMap::from([(self.sandbox.host().parse()?, access)]), TIMEOUTS)?)
    }

    /// Makes sure that the image is found, twice.
    pub(crate) async fn expect_found(&self, registries: &Registries) -> Result<()> {
        for _ in 0..2 {
            assert_eq!(registries.resolve(&self.reference).await?, Some(self.digest.clone()));
        }
        assert!(registries.inspect(&self.reference, &self.digest).await?.is_some());
        Ok(())
    }

    /// What the question fails with, and the whole sentence.
    pub(crate) async fn failure(&self, registries: &Registries) -> (Error, String) {
        let error = registries.resolve(&self.reference).await.expect_err("the image was found");
        let said = domain::fault::Chain(&error).to_string();
        (error, said)
    }
}
