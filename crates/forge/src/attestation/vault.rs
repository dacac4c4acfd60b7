//! The store of the bundles that the forge tells only the address of.
//!
//! Such an address is good for a while for whoever has it, so that it is told to nobody, not even in an error.

use std::{io::Read as _, time::Duration};

use reqwest::{Client, StatusCode, redirect::Policy};
use url::{Host, Url};

use super::LARGEST_BUNDLE;
use crate::{Error, Settings};

/// How often an address may send us elsewhere.
const MOST_REDIRECTS: usize = 3;

/// What the framed form of Snappy begins with
/// (<https://github.com/google/snappy/blob/main/framing_format.txt>).
const FRAMED: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// A client that has none of our credentials.
#[derive(Debug)]
pub(crate) struct Vault {
    client: Client,
    plain: Plain,
}

/// Whether an address without encryption may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Never,
    /// On this machine, as the forge itself is one there without encryption.
    OnLoopback,
}

/// Why there is no bundle.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// It may be there the next time.
    ForNow(String),
    /// It will not be there the next time either.
    ForGood(String),
}

impl Vault {
    /// Makes the client; nothing is sent.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let plain = if is_plain_loopback(&settings.api_url) { Plain::OnLoopback } else { Plain::Never };
        let redirects = Policy::custom(move |attempt| {
            if attempt.previous().len() > MOST_REDIRECTS || !plain.allows(attempt.url()) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let client = Client::builder()
            .connect_timeout(settings.timeouts.connect)
            .read_timeout(settings.timeouts.idle)
            .timeout(settings.timeouts.request.max(Duration::from_secs(1)))
            .redirect(redirects)
            .referer(false)
            .build()
            .map_err(|source| Error::Settings { what: format!("no client for attestations: {source}") })?;
        Ok(Self { client, plain })
    }

    /// Fetches a bundle and unpacks it.
    pub(super) async fn fetch(&self, address: &str) -> Result<Vec<u8>, Missed> {
        let url = Url::parse(address).ok().filter(|url| self.plain.allows(url));
        let url = url.ok_or_else(|| Missed::ForGood("an attestation is at an address that is not asked".to_owned()))?;
        let response = self.client.get(url).send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => unpack(&download(response).await?),
            // What such a store says of an address that is too old; the next list has another.
            status @ (StatusCode::FORBIDDEN | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Missed::ForNow(format!("the store of attestations answers HTTP {status}")))
            }
            status if status.is_server_error() => {
                Err(Missed::ForNow(format!("the store of attestations failed (HTTP {status})")))
            }
            status => Err(Missed::ForGood(format!("the store of attestations answers HTTP {status}"))),
        }
    }
}

impl Plain {
    fn allows(self, url: &Url) -> bool {
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        let is_safe = url.scheme() == "https" || self == Self::OnLoopback && is_plain_loopback(url);
        is_anonymous && is_safe
    }
}

impl Missed {
    pub(super) fn too_large() -> Self {
        Self::ForGood(format!("an attestation has more than {LARGEST_BUNDLE} bytes"))
    }
}

fn is_plain_loopback(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "http" && is_here
}

/// The cause is told without the address.
#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped with")]
fn unreachable(error: reqwest::Error) -> Missed {
    let why = if error.is_timeout() { "did not answer in time" } else { "could not be reached" };
    Missed::ForNow(format!("the store of attestations {why}"))
}

async fn download(mut response: reqwest::Response) -> Result<Vec<u8>, Missed> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > LARGEST_BUNDLE {
            return Err(Missed::too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Undoes the compression. GitHub's is one block of Snappy; the framed form and plain JSON are told from it by how they
/// begin, which a block of more than a few bytes does not.
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Missed> {
    let damaged = || Missed::ForGood("an attestation is not compressed as it should be".to_owned());
    if bytes.starts_with(b"{\"") || bytes.starts_with(b"{\n") || bytes.starts_with(b"{ ") {
        return Ok(bytes.to_vec());
    }
    if bytes.starts_with(FRAMED) {
        let mut unpacked = Vec::new();
        let most = u64::try_from(LARGEST_BUNDLE).unwrap_or(u64::MAX).saturating_add(1);
        let read = snap::read::FrameDecoder::new(bytes).take(most).read_to_end(&mut unpacked);
        return match read {
            Ok(length) if length > LARGEST_BUNDLE => Err(Missed::too_large()),
            Ok(_) => Ok(unpacked),
            Err(_) => Err(damaged()),
        };
    }
    match snap::raw::decompress_len(bytes) {
        Ok(length) if length > LARGEST_BUNDLE => Err(Missed::too_large()),
        Ok(_) => snap::raw::Decoder::new().decompress_vec(bytes).map_err(|_broken| damaged()),
        Err(_) => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const JSON: &[u8] = br#"{"mediaType":"x"}"#;

    #[test]
    fn a_bundle_is_unpacked_from_each_form() {
        let block = snap::raw::Encoder::new().compress_vec(JSON).unwrap();
        let mut framed = snap::write::FrameEncoder::new(Vec::new());
        framed.write_all(JSON).unwrap();
        for packed in [block, framed.into_inner().unwrap(), JSON.to_vec()] {
            assert_eq!(unpack(&packed).as_deref(), Ok(JSON));
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_not_unpacked() {
        let large = vec![b'a'; LARGEST_BUNDLE + 1];
        let block = snap::raw::Encoder::new().compress_vec(&large).unwrap();
        let mut framed = snap::write::FrameEncoder::new(Vec::new());
        framed.write_all(&large).unwrap();
        for packed in [block, framed.into_inner().unwrap()] {
            assert!(packed.len() < LARGEST_BUNDLE);
            assert_eq!(unpack(&packed), Err(Missed::too_large()));
        }
    }

    #[test]
    fn what_is_damaged_is_left_out() {
        let block = snap::raw::Encoder::new().compress_vec(JSON).unwrap();
        for packed in [&block[..block.len() - 1], b"\xff\xff\xff\xff\xff\xff", b"", b"\xff\x06\x00\x00sNaPpYx"] {
            assert!(matches!(unpack(packed), Err(Missed::ForGood(_))), "{packed:?}");
        }
    }

    #[test]
    fn only_safe_addresses_are_asked() {
        let check = |address: &str, never: bool, on_loopback: bool| {
            let url = Url::parse(address).unwrap();
            assert_eq!((Plain::Never.allows(&url), Plain::OnLoopback.allows(&url)), (never, on_loopback), "{address}");
        };
        check("https://store.example/x?sig=y", true, true);
        check("http://127.0.0.1:1/x", false, true);
        check("http://[::1]:1/x", false, true);
        check("http://localhost/x", false, true);
        check("http://store.example/x", false, false);
        check("http://127.0.0.1.example/x", false, false);
        check("https://user:secret@store.example/x", false, false);
        check("file:///etc/passwd", false, false);
    }
}
