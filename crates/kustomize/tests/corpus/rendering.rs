//! What Kustomize makes of an image, written down a second time: the judge's word is compared with it.
//!
//! An entry's name is put into a regular expression, every entry is applied to the result of those before it, and each
//! one twice (`api/internal/builtins/ImageTagTransformer.go`, `api/filters/imagetag/updater.go`).

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use kustomize::{Change, Missing, NewName, Value, Version};
use regex::Regex;
use serde_yaml::Value as Yaml;

/// The tag that every container has before Kustomize sees it.
pub(crate) const OLD_TAG: &str = "tagferry-old";

/// An entry of `images:`; an empty text is none, as in Kustomize.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
    pub(crate) tag_suffix: String,
    /// Whether it stands in the old `imageTags`.
    pub(crate) is_legacy: bool,
}

/// All entries of a text, those of the old `imageTags` last; `None` when one of them has something else than texts.
pub(crate) fn entries(text: &str) -> Option<Vec<Entry>> {
    let root: Yaml = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let mut entries = Vec::new();
    for list in ["images", "imageTags"] {
        let items = root.get(list).and_then(Yaml::as_sequence).into_iter().flatten();
        for item in items {
            let field = |key: &str| match item.get(key) {
                None | Some(Yaml::Null) => Some(String::new()),
                Some(Yaml::String(text)) => Some(text.clone()),
                Some(Yaml::Tagged(tagged)) => tagged.value.as_str().map(str::to_owned),
                Some(_) => None,
            };
            entries.push(Entry {
                name: field("name")?,
                new_name: field("newName")?,
                new_tag: field("newTag")?,
                digest: field("digest")?,
                tag_suffix: field("tagSuffix")?,
                is_legacy: list == "imageTags",
            });
        }
    }
    Some(entries)
}

/// The names of all entries, whatever else they hold.
pub(crate) fn named(text: &str) -> Vec<String> {
    let root: Option<Yaml> = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok();
    let images = root.as_ref().and_then(|root| root.get("images")).and_then(Yaml::as_sequence);
    images.into_iter().flatten().filter_map(|entry| entry.get("name")?.as_str()).map(str::to_owned).collect()
}

/// The entries after the change, if it does what it says.
pub(crate) fn changed(mut entries: Vec<Entry>, change: &Change) -> Vec<Entry> {
    let name = change.image.as_str();
    if change.missing == Missing::Append && !entries.iter().any(|entry| entry.name == name) {
        let place = entries.iter().take_while(|entry| !entry.is_legacy).count();
        entries.insert(place, Entry { name: name.to_owned(), ..Entry::default() });
    }
    for entry in entries.iter_mut().filter(|entry| entry.name == name) {
        match &change.new_name {
            NewName::Keep => {}
            NewName::Set(new) => entry.new_name = new.to_string(),
            NewName::Remove => entry.new_name.clear(),
        }
        let (tag, digest): (Option<&str>, Option<&str>) = match &change.version {
            Version::Keep => (None, None),
            Version::Tag(tag) => (Some(tag.as_str()), Some("")),
            Version::TagAndDigest(tag, digest) => (Some(tag.as_str()), Some(digest.as_str())),
            Version::Digest(digest) => (Some(""), Some(digest.as_str())),
            Version::Pin(digest) => (None, Some(Value::as_str(digest))),
            Version::Unpin => (None, Some("")),
            Version::RemoveTag => (Some(""), None),
            Version::Remove => (Some(""), Some("")),
        };
        entry.new_tag = tag.map_or_else(|| entry.new_tag.clone(), str::to_owned);
        entry.digest = digest.map_or_else(|| entry.digest.clone(), str::to_owned);
    }
    entries
}

/// What becomes of the image of a container.
pub(crate) fn render(image: &str, entries: &[Entry]) -> String {
    entries.iter().flat_map(|entry| [entry, entry]).fold(image.to_owned(), |image, entry| entry.apply(&image))
}

impl Entry {
    fn apply(&self, image: &str) -> String {
        if !self.matches(image) {
            return image.to_owned();
        }
        let (name, tag, digest) = cut(image);
        let name = if self.new_name.is_empty() { name } else { self.new_name.as_str() };
        let tag = format!("{tag}{}", self.tag_suffix);
        let (tag, digest) = match (self.new_tag.as_str(), self.digest.as_str()) {
            ("", "") if !self.tag_suffix.is_empty() => (tag.as_str(), ""),
            ("", "") => (tag.as_str(), digest),
            (tag, digest) => (tag, digest),
        };
        let with =
            |separator: &str, text: &str| if text.is_empty() { String::new() } else { format!("{separator}{text}") };
        format!("{name}{}{}", with(":", tag), with("@", digest))
    }

    fn matches(&self, image: &str) -> bool {
        /// Patterns that were made already: making one takes far longer than asking it.
        static PATTERNS: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);
        let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
        let pattern = patterns.entry(self.name.clone()).or_insert_with(|| {
            let name = &self.name;
            Regex::new(&format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$")).ok()
        });
        pattern.as_ref().is_some_and(|pattern| pattern.is_match(image))
    }
}

/// Name, tag and digest; a colon before the last slash belongs to a host.
fn cut(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let slash = rest.find('/').unwrap_or_default();
    match rest.get(slash..).and_then(|path| path.find(':')) {
        Some(colon) => {
            let (name, tag) = rest.split_at(slash + colon);
            (name, tag.trim_start_matches(':'), digest)
        }
        None => (rest, "", digest),
    }
}
