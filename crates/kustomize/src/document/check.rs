//! What makes a kustomization unfit for an edit.

use std::{cmp::Ordering, collections::HashMap};

use super::{Document, Entry, Image, find};
use crate::{
    ImageName,
    pattern::may_match,
    refusal::Refusal,
    tree::{Kind, Node, Pair, Style},
};

/// The keys of the root that say what is edited. Kustomize reads its keys without regard to case.
const ROOT_KEYS: [&str; 4] = ["apiVersion", "kind", "images", "imageTags"];

/// The fields of an entry (`api/types/image.go`). Any other makes Kustomize reject the file.
const FIELDS: [&str; 5] = ["name", "newName", "newTag", "digest", "tagSuffix"];

/// The pairs of `kind` and `apiVersion` that Kustomize takes (`api/types/kustomization.go`, `EnforceFields`).
const KINDS: [(&str, &str); 2] =
    [("Kustomization", "kustomize.config.k8s.io/v1beta1"), ("Component", "kustomize.config.k8s.io/v1alpha1")];

/// As much of the file's own words as a sentence repeats, in characters.
const LONGEST_SHOWN: usize = 80;

impl Document<'_> {
    pub(super) fn check_root(&self) -> Result<(), Refusal> {
        self.check_keys(self.pairs)?;
        for pair in self.pairs {
            let Some((key, _)) = pair.key.scalar() else {
                continue;
            };
            if let Some(meant) = in_another_case(key, &ROOT_KEYS) {
                return Err(Refusal::KeyCase { key: key.to_owned(), meant, at: self.position(&pair.key) });
            }
        }
        match self.images {
            Some(images) if self.is_aliased(&images.value) => Err(self.shared("images", &images.value)),
            _ => Ok(()),
        }
    }

    /// Refuses what is not Kustomize's own kind, such as the `Kustomization` of `kustomize.toolkit.fluxcd.io`.
    pub(super) fn check_kind(&self) -> Result<(), Refusal> {
        let read = |key: &str| match find(self.pairs, key) {
            Some(pair) => Ok((self.text_of(pair)?.unwrap_or_default(), Some(pair))),
            None => Ok((String::new(), None)),
        };
        let (api_version, api_version_pair) = read("apiVersion")?;
        let (kind, kind_pair) = read("kind")?;
        let kind_or_default = if kind.is_empty() { "Kustomization" } else { &kind };
        let is_ours = KINDS
            .iter()
            .any(|(known, version)| kind_or_default == *known && (api_version.is_empty() || api_version == *version));
        if is_ours {
            return Ok(());
        }
        let place = api_version_pair.or(kind_pair).map_or(&self.tree.root, |pair| &pair.value);
        Err(Refusal::ForeignKind { api_version: shown(&api_version), kind: shown(&kind), at: self.position(place) })
    }

    pub(super) fn check_entry(&self, entry: Entry<'_>) -> Result<(), Refusal> {
        if self.is_aliased(entry.node) {
            return Err(Refusal::AliasedEntry { at: self.position(entry.node) });
        }
        self.check_keys(entry.pairs)?;
        for pair in entry.pairs {
            let Some((key, _)) = pair.key.scalar() else {
                continue;
            };
            let at = || self.position(&pair.key);
            if let Some(meant) = in_another_case(key, &FIELDS) {
                return Err(Refusal::KeyCase { key: key.to_owned(), meant, at: at() });
            }
            if !FIELDS.contains(&key) {
                return Err(Refusal::UnknownField { field: shown(key), at: at() });
            }
            if matches!(pair.value.kind, Kind::List { .. } | Kind::Map { .. }) {
                return Err(Refusal::NotText { key: key.to_owned(), at: self.position(&pair.value) });
            }
        }
        Ok(())
    }

    /// What holds for the entry that is read or edited, and not for the others.
    pub(super) fn check_target(&self, name: &ImageName, entry: Entry<'_>) -> Result<(), Refusal> {
        if let Some(pair) = entry.pair("name") {
            self.text_of(pair)?;
        }
        match entry.pair("tagSuffix") {
            Some(suffix) if self.text_of(suffix)?.is_some() => {
                Err(Refusal::TagSuffix { image: name.to_string(), at: self.position(&suffix.key) })
            }
            _ => Ok(()),
        }
    }

    /// Refuses an entry that another one overrules.
    ///
    /// Kustomize takes names as regular expressions and applies each entry over the result of those before it. So an
    /// earlier entry may rename the image before its turn, and a later one may change its result once more. The place is
    /// that in the list, from 0.
    pub(crate) fn check_not_overruled(&self, place: usize, image: &Image) -> Result<(), Refusal> {
        for other in self.entries("images")? {
            let read = |key: &str| other.pair(key).and_then(|pair| self.text_of(pair).ok().flatten());
            let name = read("name").unwrap_or_default();
            let overrules = match other.index.cmp(&place) {
                Ordering::Less => read("newName").is_some() && may_match(&name, &image.name),
                Ordering::Equal => false,
                Ordering::Greater => {
                    let changes =
                        |key: &str, now: &Option<String>| read(key).is_some_and(|new| Some(&new) != now.as_ref());
                    let is_another = changes("newName", &Some(image.result_name().to_owned()))
                        || changes("newTag", &image.new_tag)
                        || changes("digest", &image.digest);
                    is_another && image.results().iter().any(|result| may_match(&name, result))
                }
            };
            if overrules {
                let image = shown(&image.name);
                return Err(Refusal::Overruled { image, other: shown(&name), at: self.position(other.node) });
            }
        }
        Ok(())
    }

    pub(crate) fn is_aliased(&self, node: &Node<'_>) -> bool {
        node.anchor.as_ref().is_some_and(|anchor| self.tree.aliased.contains(&anchor.id))
    }

    pub(crate) fn shared(&self, key: &str, node: &Node<'_>) -> Refusal {
        Refusal::Shared { key: key.to_owned(), at: self.position(node) }
    }

    fn check_keys(&self, pairs: &[Pair<'_>]) -> Result<(), Refusal> {
        let mut seen = Seen::of(pairs.len());
        for pair in pairs {
            let at = || self.position(&pair.key);
            let key = key_text(&pair.key).ok_or_else(|| Refusal::KeyNotText { at: at() })?;
            if key == "<<" {
                return Err(Refusal::MergeKey { at: at() });
            }
            if let Some(first) = seen.insert(key, &pair.key) {
                return Err(Refusal::DuplicateKey { key: shown(key), first: self.position(first), second: at() });
            }
        }
        Ok(())
    }
}

/// The keys of a mapping so far, whatever their case. Entries have so few that comparing each with each is fastest.
enum Seen<'k> {
    Few(Vec<(&'k str, &'k Node<'k>)>),
    Many(HashMap<String, &'k Node<'k>>),
}

impl<'k> Seen<'k> {
    fn of(keys: usize) -> Self {
        if keys <= 8 { Self::Few(Vec::with_capacity(keys)) } else { Self::Many(HashMap::with_capacity(keys)) }
    }

    /// Adds a key; gives the one that is the same, if there is one.
    fn insert(&mut self, key: &'k str, node: &'k Node<'k>) -> Option<&'k Node<'k>> {
        match self {
            Self::Few(seen) => {
                let found = seen.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, node)| *node);
                seen.push((key, node));
                found
            }
            Self::Many(seen) => seen.insert(key.to_ascii_lowercase(), node),
        }
    }
}

/// A text of the file as a sentence can hold it: on one line, and not longer than a line.
fn shown(text: &str) -> String {
    text.escape_debug().take(LONGEST_SHOWN).collect()
}

fn key_text<'k>(key: &'k Node<'_>) -> Option<&'k str> {
    match &key.kind {
        Kind::Scalar { value, style } if *style != Style::Block && key.anchor.is_none() && key.tag.is_none() => {
            Some(value)
        }
        Kind::Scalar { .. } | Kind::Empty | Kind::List { .. } | Kind::Map { .. } | Kind::Alias { .. } => None,
    }
}

fn in_another_case(key: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().copied().find(|known| *known != key && known.eq_ignore_ascii_case(key))
}
