//! Signing commits as `git commit -S` does with `gpg.format=ssh`: an SSH signature over the commit
//! (<https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig>).
//!
//! Only Ed25519 keys are taken: the same commit must get the same signature, and hence the same name, each time, which
//! ECDSA does not give.

use aws_lc_rs::signature::Ed25519KeyPair;
use secrecy::{ExposeSecret as _, SecretString};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, Signature, SshSig, private::KeypairData, public::KeyData};

use crate::Error;

/// What Git signs in the name of (`git help config`, `gpg.format`).
const NAMESPACE: &str = "git";

/// A key that commits are signed with.
#[derive(Debug)]
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    public: KeyData,
}

impl Signer {
    /// Reads a key as `ssh-keygen -t ed25519` writes it, without a passphrase.
    pub(crate) fn new(key: &SecretString) -> Result<Self, Error> {
        let unusable = |why: &str| Error::Settings { what: format!("the key to sign with (github.signing.key) {why}") };
        let other = "is no Ed25519 key as OpenSSH writes it: make one with `ssh-keygen -t ed25519`";
        let text = format!("{}\n", key.expose_secret().trim());
        let key = PrivateKey::from_openssh(text).ok().ok_or_else(|| unusable(other))?;
        if key.is_encrypted() {
            return Err(unusable("has a passphrase: take it away with `ssh-keygen -p`, nobody is there to type it"));
        }
        let KeypairData::Ed25519(pair) = key.key_data() else {
            return Err(unusable(other));
        };
        let public = key.public_key().key_data().clone();
        let pair = Ed25519KeyPair::from_seed_and_public_key(&pair.private.to_bytes(), pair.public.as_ref())
            .ok()
            .ok_or_else(|| unusable("has a public half that is not its own"))?;
        Ok(Self { pair, public })
    }

    /// The signature over a commit as it stands in its header; the same commit gives the same.
    pub(crate) fn sign(&self, commit: &str) -> Result<String, ssh_key::Error> {
        let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, commit.as_bytes())?;
        let signature = Signature::new(Algorithm::Ed25519, self.pair.sign(&data).as_ref())?;
        let signed = SshSig::new(self.public.clone(), NAMESPACE, HashAlg::Sha512, signature)?;
        Ok(signed.to_pem(LineEnding::LF)?.trim_end().to_owned())
    }
}
