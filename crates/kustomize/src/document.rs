//! The kustomization in the tree: `images:`, its entries, and what is refused.

mod check;
#[cfg(test)]
mod tests;

use crate::{
    ImageName, parser,
    refusal::{Position, Refusal},
    scalar,
    text::Text,
    tree::{Kind, Layout, Node, Pair, Style, Tree},
    witness,
};

/// What an overlay says about one image, as Kustomize reads it: an empty value is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name in the manifests, which the entry is found by.
    pub name: String,
    /// The image's new name, any text; `None` leaves the manifests' name.
    pub new_name: Option<String>,
    /// The image's new tag, any text; `None` leaves the manifests' tag unless there is a digest.
    pub new_tag: Option<String>,
    /// The image's digest, any text.
    pub digest: Option<String>,
}

/// Reads what a kustomization says about an image; `None` when it says nothing.
///
/// # Errors
///
/// The text is not a kustomization, Kustomize would reject it, or what it says about the image depends on more than
/// one entry; see [`Refusal`].
pub fn image_in(text: &[u8], name: &ImageName) -> Result<Option<Image>, Refusal> {
    let text = Text::read(text)?;
    let tree = parser::parse(text.body)?;
    let document = Document::examine(text.body, &tree)?;
    let witness = witness::read(text.body)?;
    let Some(entry) = document.entry(name)? else {
        witness::confirm_none(&witness, name.as_str())?;
        return Ok(None);
    };
    let image = document.image(name, entry)?;
    document.check_not_overruled(entry.index, &image)?;
    witness::confirm(&witness, &image)?;
    Ok(Some(image))
}

/// A kustomization that is safe to edit, apart from the entry in question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'d> {
    pub(crate) text: &'d str,
    pub(crate) tree: &'d Tree<'d>,
    /// The keys of the root.
    pub(crate) pairs: &'d [Pair<'d>],
    pub(crate) layout: Layout,
    pub(crate) images: Option<&'d Pair<'d>>,
}

/// One entry of `images:`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'d> {
    /// Its place in the list, from 0.
    pub(crate) index: usize,
    pub(crate) node: &'d Node<'d>,
    pub(crate) pairs: &'d [Pair<'d>],
    pub(crate) layout: Layout,
}

impl Image {
    /// The name that Kustomize leaves in the manifests.
    fn result_name(&self) -> &str {
        self.new_name.as_deref().unwrap_or(&self.name)
    }

    /// The reference that Kustomize leaves in the manifests, cut at each place where a pattern may end.
    fn results(&self) -> Vec<String> {
        let mut results = vec![self.result_name().to_owned()];
        let parts = [self.new_tag.as_ref().map(|tag| (':', tag)), self.digest.as_ref().map(|digest| ('@', digest))];
        for (separator, part) in parts.into_iter().flatten() {
            let longer = results.last().map(|result| format!("{result}{separator}{part}"));
            results.extend(longer);
        }
        results
    }
}

impl<'d> Document<'d> {
    /// Finds `images:` and refuses everything that would make an edit of it mean something else than it says.
    pub(crate) fn examine(text: &'d str, tree: &'d Tree<'d>) -> Result<Self, Refusal> {
        let at = Position::of(text, tree.root.span.start);
        let (pairs, layout) = match &tree.root.kind {
            Kind::Map { pairs, layout } => (pairs.as_slice(), *layout),
            Kind::Empty => return Err(Refusal::Empty),
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Alias { .. } => {
                return Err(Refusal::NotAMapping { at });
            }
        };
        let document = Self { text, tree, pairs, layout, images: find(pairs, "images") };
        document.check_root()?;
        document.check_kind()?;
        for entry in document.entries("images")? {
            document.check_entry(entry)?;
        }
        Ok(document)
    }

    /// The one entry with the name.
    pub(crate) fn entry(&self, name: &ImageName) -> Result<Option<Entry<'d>>, Refusal> {
        let mut named = self.named("images", name)?.into_iter();
        let (entry, second) = (named.next(), named.next());
        if let (Some(first), Some(second)) = (entry, second) {
            return Err(Refusal::TwoEntries {
                image: name.to_string(),
                first: self.position(first.node).line,
                second: self.position(second.node).line,
            });
        }
        if let Some(legacy) = self.named("imageTags", name)?.first() {
            return Err(Refusal::LegacyEntry { image: name.to_string(), at: self.position(legacy.node) });
        }
        if let Some(entry) = entry {
            self.check_target(name, entry)?;
        }
        Ok(entry)
    }

    /// What an entry says.
    pub(crate) fn image(&self, name: &ImageName, entry: Entry<'_>) -> Result<Image, Refusal> {
        let read = |key: &str| entry.pair(key).map_or(Ok(None), |pair| self.text_of(pair));
        Ok(Image {
            name: name.as_str().to_owned(),
            new_name: read("newName")?,
            new_tag: read("newTag")?,
            digest: read("digest")?,
        })
    }

    /// The entry at the end of the list.
    pub(crate) fn last_image(&self) -> Result<Option<Entry<'d>>, Refusal> {
        Ok(self.entries("images")?.pop())
    }

    /// How the list is written; by indentation where there is none.
    pub(crate) fn images_layout(&self) -> Layout {
        match self.images.map(|images| &images.value.kind) {
            Some(Kind::List { layout, .. }) => *layout,
            Some(Kind::Empty | Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias { .. }) | None => Layout::Block,
        }
    }

    /// The words of a value as Kustomize reads them; `None` for nothing and for empty text.
    pub(crate) fn text_of(&self, pair: &Pair<'_>) -> Result<Option<String>, Refusal> {
        let refusal = || Refusal::NotText {
            key: pair.key.scalar().map(|(key, _)| key.to_owned()).unwrap_or_default(),
            at: self.position(&pair.value),
        };
        let (value, is_plain) = match &pair.value.kind {
            Kind::Empty => return Ok(None),
            Kind::Scalar { value, style } => (value.as_ref(), *style == Style::Plain),
            Kind::Alias { id, .. } => match self.tree.anchored.get(id) {
                Some((value, style)) => (value.as_ref(), *style == Style::Plain),
                None => return Err(refusal()),
            },
            Kind::List { .. } | Kind::Map { .. } => return Err(refusal()),
        };
        match (value, pair.value.tag.as_deref()) {
            ("~" | "null" | "Null" | "NULL", None) if is_plain => Ok(None),
            (_, None) if is_plain && scalar::is_typed_by_kustomize(value) => Err(refusal()),
            (_, Some(tag)) if !is_text_tag(tag) => Err(refusal()),
            ("", _) => Ok(None),
            _ => Ok(Some(value.to_owned())),
        }
    }

    pub(crate) fn position(&self, node: &Node<'_>) -> Position {
        Position::of(self.text, node.span.start)
    }

    /// The entries of `images` or of the old `imageTags`.
    fn entries(&self, key: &'static str) -> Result<Vec<Entry<'d>>, Refusal> {
        let Some(pair) = find(self.pairs, key) else {
            return Ok(Vec::new());
        };
        if let Kind::List { items, .. } = &pair.value.kind {
            return items.iter().enumerate().map(|(index, item)| self.entry_from(index, item)).collect();
        }
        match self.text_of(pair) {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(_)) | Err(_) => Err(Refusal::NotAList { key, at: self.position(&pair.value) }),
        }
    }

    fn entry_from(&self, index: usize, node: &'d Node<'d>) -> Result<Entry<'d>, Refusal> {
        match &node.kind {
            Kind::Map { pairs, layout } => Ok(Entry { index, node, pairs, layout: *layout }),
            Kind::Alias { .. } => Err(Refusal::AliasedEntry { at: self.position(node) }),
            Kind::Empty | Kind::Scalar { .. } | Kind::List { .. } => {
                Err(Refusal::EntryNotAMapping { at: self.position(node) })
            }
        }
    }

    fn named(&self, key: &'static str, name: &ImageName) -> Result<Vec<Entry<'d>>, Refusal> {
        let mut entries = self.entries(key)?;
        entries.retain(|entry| entry.pair("name").is_some_and(|pair| self.reads(&pair.value, name)));
        Ok(entries)
    }

    fn reads(&self, value: &Node<'_>, name: &ImageName) -> bool {
        match &value.kind {
            Kind::Scalar { value, .. } => value == name.as_str(),
            Kind::Alias { id, .. } => self.tree.anchored.get(id).is_some_and(|(value, _)| value == name.as_str()),
            Kind::Empty | Kind::List { .. } | Kind::Map { .. } => false,
        }
    }
}

impl<'d> Entry<'d> {
    pub(crate) fn pair(&self, key: &str) -> Option<&'d Pair<'d>> {
        find(self.pairs, key)
    }
}

/// Whether a tag says that the value is text whatever it looks like: `!!str` and `!`.
pub(crate) fn is_text_tag(tag: &str) -> bool {
    matches!(tag, "tag:yaml.org,2002:str" | "!")
}

fn find<'d>(pairs: &'d [Pair<'d>], key: &str) -> Option<&'d Pair<'d>> {
    pairs.iter().find(|pair| pair.key.scalar().is_some_and(|(found, _)| found == key))
}
