//! The certificates that Amazon SNS signs with.
//!
//! Their address is in each message and was checked before it comes here. What makes one Amazon's is that it was fetched
//! over TLS from where SNS is; who signed it is not looked at, its validity is. A new one appears about once a year.

use std::time::Duration;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Response, redirect::Policy};
use tokio::sync::Mutex;
use tracing::warn;
use x509_cert::der::Decode as _;

use crate::webhook::InvalidTrust;

/// How long an answer may take; SNS gives up on us after 15 seconds.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest certificate that is read, in bytes; theirs have about 2 KB.
const LARGEST: usize = 64 * 1024;

/// How many are kept; there are two while one takes the other's place.
const MOST_KEPT: usize = 8;

/// How many are fetched within [`WINDOW`]: whoever knows the topic's name can invent addresses of certificates.
const MOST_FETCHES: usize = 10;

/// See [`MOST_FETCHES`].
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// The hash function of a signature.
#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    /// Broken: somebody can make two messages that it signs alike. `SignatureVersion` 1.
    Sha1,
    /// `SignatureVersion` 2.
    Sha256,
}

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotToBeHad {
    /// It can not be fetched now. Why is in the log.
    Now,
    /// It is not valid at this time.
    Expired,
}

/// A certificate with what it is good for.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// An RSA public key in the form of RFC 8017, appendix A.1.1.
    key: Vec<u8>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

/// The certificates of SNS in one region, fetched once and kept.
#[derive(Debug)]
pub(super) struct Certificates {
    client: Client,
    /// The address that their paths are appended to.
    server: String,
    kept: Mutex<Vec<(String, Certificate)>>,
    /// When any were fetched, the last first; whoever needs one waits for the one that is being fetched.
    fetched_at: Mutex<Vec<DateTime<Utc>>>,
}

impl Certificates {
    pub(super) fn new(server: String) -> Result<Self, InvalidTrust> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .build()
            .map_err(|error| InvalidTrust::Client { what: "certificates of Amazon SNS", why: error.to_string() })?;
        Ok(Self { client, server, kept: Mutex::default(), fetched_at: Mutex::default() })
    }

    /// The certificate at that path, if it is valid.
    pub(super) async fn find(&self, path: &str, now: DateTime<Utc>) -> Result<Certificate, NotToBeHad> {
        let certificate = match self.kept(path).await {
            Some(certificate) => certificate,
            None => self.fetch(path, now).await?,
        };
        let is_valid = (certificate.not_before..=certificate.not_after).contains(&now);
        if is_valid { Ok(certificate) } else { Err(NotToBeHad::Expired) }
    }

    async fn kept(&self, path: &str) -> Option<Certificate> {
        let kept = self.kept.lock().await;
        kept.iter().find(|(known, _)| known == path).map(|(_, certificate)| certificate.clone())
    }

    /// Fetches a certificate and keeps it, unless somebody else just did, or too many were fetched.
    async fn fetch(&self, path: &str, now: DateTime<Utc>) -> Result<Certificate, NotToBeHad> {
        let mut fetched_at = self.fetched_at.lock().await;
        if let Some(certificate) = self.kept(path).await {
            return Ok(certificate);
        }
        fetched_at.retain(|then| *then <= now && now < *then + WINDOW);
        if fetched_at.len() >= MOST_FETCHES {
            return Err(NotToBeHad::Now);
        }
        fetched_at.push(now);
        let certificate = self.download(path).await.map_err(|why| {
            warn!(server = self.server, path, why, "a certificate of Amazon SNS could not be fetched");
            NotToBeHad::Now
        })?;
        let mut kept = self.kept.lock().await;
        kept.push((path.to_owned(), certificate.clone()));
        if kept.len() > MOST_KEPT {
            kept.remove(0);
        }
        Ok(certificate)
    }

    async fn download(&self, path: &str) -> Result<Certificate, String> {
        let mut response = self.get(path).await?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| error.without_url().to_string())? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                return Err(format!("the answer has more than {LARGEST} bytes"));
            }
        }
        Certificate::read(&body)
    }

    /// Visits an address of SNS; what it answers is not read.
    pub(super) async fn visit(&self, path: &str) -> Result<(), NotToBeHad> {
        match self.get(path).await {
            Ok(_unread) => Ok(()),
            Err(why) => {
                // The path holds the token of the subscription.
                warn!(server = self.server, why, "a subscription could not be confirmed at Amazon SNS");
                Err(NotToBeHad::Now)
            }
        }
    }

    async fn get(&self, path: &str) -> Result<Response, String> {
        let request = self.client.get(format!("{}{path}", self.server));
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        if response.status().is_success() { Ok(response) } else { Err(format!("the answer is {}", response.status())) }
    }
}

impl Certificate {
    /// Reads the first certificate of a text in PEM (RFC 7468); others behind it are of who signed it.
    fn read(text: &[u8]) -> Result<Self, String> {
        let block = pem::parse(text).map_err(|error| format!("it is not in PEM: {error}"))?;
        if block.tag() != "CERTIFICATE" {
            return Err("it is something else in PEM".to_owned());
        }
        let certificate = x509_cert::Certificate::from_der(block.contents());
        let certificate = certificate.map_err(|error| format!("it is not readable: {error}"))?;
        let certified = certificate.tbs_certificate();
        let time = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
            seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or("its validity is no time")
        };
        let key = certified.subject_public_key_info().subject_public_key.as_bytes().ok_or("its key is not whole")?;
        Ok(Self {
            key: key.to_vec(),
            not_before: time(certified.validity().not_before)?,
            not_after: time(certified.validity().not_after)?,
        })
    }

    /// Whether its key made that signature (RSASSA-PKCS1-v1_5, RFC 8017 section 8.2) for the text.
    pub(super) fn has_signed(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        let algorithm = match algorithm {
            Algorithm::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(text, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../../tests/fixtures/ecr-sns-signing-certificate.pem");

    #[test]
    fn the_first_certificate_is_read_however_its_lines_are_written() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let read = Certificate::read(text.as_bytes()).map(|one| one.not_after.to_string());
            match (read, expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{text}"),
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        };
        let good = Ok("2126-01-01 00:00:00 UTC");
        check(PEM, good);
        check(PEM.trim_end(), good);
        check(&PEM.replace('\n', "\r\n"), good);
        check(&format!("subject=CN = sns.amazonaws.com\n{PEM}\n\n{PEM}"), good);
        check(&format!("{PEM}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), good);
        check("", Err("it is not in PEM"));
        check("<html>", Err("it is not in PEM"));
        check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Err("it is not readable"));
        check(&PEM.replace("CERTIFICATE", "PUBLIC KEY"), Err("it is something else in PEM"));
    }
}
