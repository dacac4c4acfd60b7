//! One page of a list, as registries write it.

use std::fmt;

use domain::image::Tag;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::MOST_TAGS;

/// What a page has; whatever else a registry adds, as Google does for each image, is passed over.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The legal tags, up to as many as a list may have.
    pub(super) tags: Vec<Tag>,
    /// How many entries it has altogether.
    pub(super) entries: usize,
    /// How many of them are no legal tags.
    pub(super) dropped: usize,
}

#[derive(Deserialize)]
struct Body {
    #[serde(deserialize_with = "entries")]
    tags: Page,
}

impl Page {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes).map(|body: Body| body.tags)
    }

    fn take(&mut self, entry: &RawValue) {
        self.entries += 1;
        match serde_json::from_str::<String>(entry.get()).ok().and_then(|name| name.parse().ok()) {
            Some(tag) if self.tags.len() < MOST_TAGS => self.tags.push(tag),
            Some(_) => {}
            None => self.dropped += 1,
        }
    }
}

/// Reads entry by entry: a page of very many that are no tags takes no more room than its text.
fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Page, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Page;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of tags")
        }

        /// Several registries write `null` for none.
        fn visit_unit<E>(self) -> Result<Page, E> {
            Ok(Page::default())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Page, A::Error> {
            let mut page = Page::default();
            while let Some(entry) = all.next_element::<&'de RawValue>()? {
                page.take(entry);
            }
            Ok(page)
        }
    }

    deserializer.deserialize_any(Entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<(&[&str], usize)>) {
        let page = Page::read(body.as_bytes()).ok();
        let told = page.as_ref().map(|page| {
            assert_eq!(page.entries, page.tags.len() + page.dropped);
            let tags: Vec<&str> = page.tags.iter().map(Tag::as_str).collect();
            (tags, page.dropped)
        });
        assert_eq!(told, expected.map(|(tags, dropped)| (tags.to_vec(), dropped)), "{body}");
    }

    #[test]
    fn tags_are_taken_and_whatever_is_none_is_counted() {
        check(r#"{"name":"a","tags":["b","a"]}"#, Some((&["b", "a"], 0)));
        check(r#"{"manifest":{"sha256:0":{"tag":["x"]}},"tags":["a"],"child":[]}"#, Some((&["a"], 0)));
        check(r#"{"tags":["\u0061", "a b", "", 7, null, {"a":[]}, ["b"], "c/d"]}"#, Some((&["a"], 7)));
        check(r#"{"tags":["-a", "\ud800", "b"]}"#, Some((&["b"], 2)));
    }

    #[test]
    fn nothing_may_be_written_as_null() {
        check(r#"{"name":"a","tags":null}"#, Some((&[], 0)));
        check(r#"{"tags":[]}"#, Some((&[], 0)));
    }

    #[test]
    fn something_else_is_not_taken_for_an_empty_list() {
        for body in ["", "{}", "[]", "null", "<html>", r#"{"tags":"a"}"#, r#"{"tags":["a"}"#, r#"{"errors":[]}"#] {
            check(body, None);
        }
    }

    #[test]
    fn no_more_are_kept_than_a_list_may_have() {
        let names = vec![r#""a""#; MOST_TAGS + 1].join(",");
        let page = Page::read(format!(r#"{{"tags":[{names}]}}"#).as_bytes()).unwrap();
        assert_eq!((page.tags.len(), page.entries, page.dropped), (MOST_TAGS, MOST_TAGS + 1, 0));
    }
}
