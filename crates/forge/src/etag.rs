//! Answers to reads that repeat: what was not modified is not sent again, and not counted
//! (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate>).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::header::{HeaderMap, HeaderValue, IF_NONE_MATCH};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// How many answers are kept; a promotion that is looked at again asks for a handful.
const MOST_ENTRIES: usize = 512;

/// How many bytes all kept answers have together.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The largest answer that is kept, in bytes, so that a few do not push all others out.
const LARGEST: usize = 256 * 1024;

/// The answers that are kept. GitHub's tags differ between tokens, so that each token has its own.
#[derive(Default)]
pub(crate) struct Etags(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, (Arc<Entry>, u64)>,
    bytes: usize,
    /// Counts up with every use.
    clock: u64,
}

/// A token, which is not kept itself, and a path.
type Key = ([u8; 32], String);

/// An answer that may still hold.
pub(crate) struct Entry {
    /// What the forge calls it.
    pub(crate) etag: HeaderValue,
    /// Its body.
    pub(crate) body: String,
    /// Where the next page begins.
    pub(crate) cursor: Option<String>,
}

impl Etags {
    /// What this token was answered at this path.
    pub(crate) fn find(&self, token: &SecretString, path: &str) -> Option<Arc<Entry>> {
        let mut kept = self.kept();
        kept.clock += 1;
        let now = kept.clock;
        let (entry, used) = kept.entries.get_mut(&key(token, path.to_owned()))?;
        *used = now;
        Some(Arc::clone(entry))
    }

    /// Keeps an answer in place of the one before; the longest unused ones go when there are too many.
    pub(crate) fn keep(&self, token: &SecretString, path: String, entry: Entry) {
        if entry.body.len() > LARGEST {
            return;
        }
        let mut kept = self.kept();
        kept.clock += 1;
        kept.bytes += entry.body.len();
        let now = kept.clock;
        let replaced = kept.entries.insert(key(token, path), (Arc::new(entry), now));
        kept.bytes -= replaced.map_or(0, |(entry, _)| entry.body.len());
        while kept.entries.len() > MOST_ENTRIES || kept.bytes > MOST_BYTES {
            let oldest = kept.entries.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            let Some((entry, _)) = oldest.and_then(|key| kept.entries.remove(&key)) else { return };
            kept.bytes -= entry.body.len();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// The headers that ask for another answer only.
    pub(crate) fn condition(&self) -> HeaderMap {
        HeaderMap::from_iter([(IF_NONE_MATCH, self.etag.clone())])
    }
}

fn key(token: &SecretString, path: String) -> Key {
    (Sha256::digest(token.expose_secret()).into(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: &str) -> Entry {
        Entry { etag: HeaderValue::from_static("\"x\""), body: body.to_owned(), cursor: None }
    }

    fn body(etags: &Etags, token: &str, path: &str) -> Option<String> {
        etags.find(&token.into(), path).map(|entry| entry.body.clone())
    }

    #[test]
    fn every_token_has_its_own_answers() {
        let etags = Etags::default();
        etags.keep(&"a".into(), "/p".to_owned(), entry("of a"));
        etags.keep(&"a".into(), "/p".to_owned(), entry("of a, later"));
        assert_eq!(body(&etags, "a", "/p").as_deref(), Some("of a, later"));
        assert_eq!((body(&etags, "b", "/p"), body(&etags, "a", "/q")), (None, None));
        assert_eq!(etags.kept().bytes, "of a, later".len());
    }

    #[test]
    fn the_longest_unused_go_first() {
        let etags = Etags::default();
        for number in 0..MOST_ENTRIES {
            etags.keep(&"a".into(), format!("/{number}"), entry("x"));
        }
        assert!(body(&etags, "a", "/0").is_some());
        etags.keep(&"a".into(), "/more".to_owned(), entry("x"));
        assert!(body(&etags, "a", "/0").is_some());
        assert!(body(&etags, "a", "/1").is_none());
        assert_eq!(etags.kept().bytes, MOST_ENTRIES);
    }

    #[test]
    fn memory_is_bounded() {
        let etags = Etags::default();
        etags.keep(&"a".into(), "/large".to_owned(), entry(&"x".repeat(LARGEST + 1)));
        assert!(body(&etags, "a", "/large").is_none());
        for number in 0..100 {
            etags.keep(&"a".into(), format!("/{number}"), entry(&"x".repeat(LARGEST)));
        }
        assert_eq!(etags.kept().bytes, MOST_BYTES);
        assert_eq!(etags.kept().entries.len(), MOST_BYTES / LARGEST);
    }
}
