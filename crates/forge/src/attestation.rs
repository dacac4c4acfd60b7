//! What was attested of what was built from a repository, as the forge keeps it.
//!
//! A bundle proves nothing here: it is fetched and handed on. The forge may show it in the list or only tell where it
//! is, at a store that is not the forge and has to be given no token of ours.

mod vault;

use domain::{forge::Repository, image::Digest};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Error, Forge, api::Request};
use vault::Missed;
pub(crate) use vault::Vault;

/// How many attestations are asked for at once.
const PAGE: usize = 30;

/// How many pages are read. There is one attestation for each run that built the image, so that more than a few are
/// rare, and somebody's doing.
const MOST_PAGES: usize = 3;

/// The largest bundle that is taken, in bytes. Those of provenance have about twelve thousand.
pub const LARGEST_BUNDLE: usize = 4 * 1024 * 1024;

/// The attestations of a digest that the forge has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attestations {
    /// Their bundles, as JSON, to be verified.
    pub bundles: Vec<Vec<u8>>,
    /// Of those that could not be had, and will not be by asking again, why not: one sentence each. Where no bundle is
    /// good, a person may want to know.
    pub left_out: Vec<String>,
}

/// `GET /repos/{owner}/{repo}/attestations/{subject_digest}`
/// (<https://docs.github.com/en/rest/repos/attestations#list-attestations>).
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    attestations: Vec<Row>,
}

/// One of the two is there.
#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    bundle: Option<Box<RawValue>>,
    #[serde(default)]
    bundle_url: Option<String>,
}

/// Which page of which kind is asked for.
fn query(after: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("predicate_type", "provenance").append_pair("per_page", &PAGE.to_string());
    query.extend_pairs(after.map(|after| ("after", after))).finish()
}

impl Forge {
    /// The provenance that the forge has for a digest, whoever signed it; none is not an error. GitHub knows digests by
    /// SHA-256 only.
    ///
    /// One request for each thirty, at most three, and one to a store for each bundle that the list does not hold. An
    /// App needs Attestations: read, and tokens have it where the settings name
    /// [`Extra::Attestations`](crate::Extra::Attestations).
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], [`Error::Unavailable`] also when the store of a bundle could not be reached, and what
    /// any request can end with.
    pub async fn attestations(&self, repository: &Repository, digest: &Digest) -> Result<Attestations, Error> {
        let mut found = Attestations::default();
        if !digest.as_str().starts_with("sha256:") {
            return Ok(found);
        }
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let (rows, next) = self.page(repository, digest, cursor.as_deref()).await?;
            for row in rows {
                self.take(&mut found, row, digest).await?;
            }
            // A cursor that does not move would give the same page for ever.
            if next.is_none() || next == cursor {
                return Ok(found);
            }
            cursor = next;
        }
        found.left_out.push(format!("there are more than {} attestations", MOST_PAGES * PAGE));
        Ok(found)
    }

    /// A page of the list, and where the next one begins.
    async fn page(
        &self,
        repository: &Repository,
        digest: &Digest,
        after: Option<&str>,
    ) -> Result<(Vec<Row>, Option<String>), Error> {
        let path = format!("/repos/{repository}/attestations/{digest}?{}", query(after));
        let doing = format!("looking for attestations of {} in {repository}", digest.short());
        let request = Request::get(path, doing).needing("it needs Attestations: read");
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => Ok((answer.read::<Listed>(&request)?.attestations, answer.cursor)),
            404 => {
                self.client().check_repository(repository).await?;
                Ok((Vec::new(), None))
            }
            _ => Err(request.refused(answer.message())),
        }
    }

    /// Takes the bundle of a row, from where it is.
    async fn take(&self, found: &mut Attestations, row: Row, digest: &Digest) -> Result<(), Error> {
        let bundle = match row {
            Row { bundle: Some(bundle), .. } if bundle.get().len() > LARGEST_BUNDLE => Err(Missed::too_large()),
            Row { bundle: Some(bundle), .. } => Ok(bundle.get().as_bytes().to_vec()),
            Row { bundle_url: Some(url), .. } => self.vault().fetch(&url).await,
            Row { .. } => Err(Missed::ForGood("an attestation came without its bundle".to_owned())),
        };
        match bundle {
            Ok(bundle) => found.bundles.push(bundle),
            Err(Missed::ForGood(why)) => found.left_out.push(why),
            Err(Missed::ForNow(why)) => {
                let doing = format!("fetching an attestation of {}", digest.short());
                return Err(Error::Unavailable { doing, why, source: None });
            }
        }
        Ok(())
    }
}
