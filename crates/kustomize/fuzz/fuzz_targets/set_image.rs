//! Edits whatever the fuzzer writes, with every kind of change.
//!
//! The first byte chooses the change, the rest is the kustomization. What is wrong: a panic, an edit whose proof fails,
//! twice that is not once, an entry that says something else than asked, or a reading that the second parser does not
//! share.
#![no_main]

use kustomize::{Change, Edit, ImageName, Missing, NewName, Refusal, Value, Version, image_in, set_image};
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value as Yaml;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NAMES: [&str; 2] = ["app", "localhost:5000/team/app"];
const TAGS: [&str; 4] = ["v2", "1.10", "it's \"so\\", "${TAG}"];

fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else { return };
    let change = change(usize::from(*choice));
    compare_with_the_second_parser(text, &change.image);
    match set_image(text, &change) {
        Ok(edit) => check(&change, &edit),
        Err(refusal @ Refusal::Unproven { .. }) => panic!("{refusal}"),
        Err(_) => {}
    }
});

fn change(choice: usize) -> Change {
    let tag = || value(TAGS[choice / 8 % TAGS.len()]);
    let version = match choice % 8 {
        0 => Version::Tag(tag()),
        1 => Version::TagAndDigest(tag(), value(DIGEST)),
        2 => Version::Digest(value(DIGEST)),
        3 => Version::Pin(value(DIGEST)),
        4 => Version::Unpin,
        5 => Version::RemoveTag,
        6 => Version::Remove,
        _ => Version::Keep,
    };
    let new_name = match choice / 32 % 4 {
        0 => NewName::Set(value("registry.example/app")),
        1 => NewName::Remove,
        _ => NewName::Keep,
    };
    let image = NAMES[choice / 128 % NAMES.len()].parse().expect("it is a name");
    Change { image, new_name, version, missing: Missing::Append }
}

fn value(text: &str) -> Value {
    text.parse().expect("it is printable")
}

fn check(change: &Change, edit: &Edit) {
    let again = set_image(edit.text().as_bytes(), change).expect("what was written can be edited");
    assert_eq!(again.text(), edit.text(), "twice is not once");
    let image = match image_in(edit.text().as_bytes(), &change.image) {
        // A number that was not to be changed stays one.
        Err(Refusal::NotText { .. }) if !sets_all(change) => return,
        image => image.expect("what was written can be read").expect("the entry is there"),
    };
    match &change.version {
        Version::Tag(tag) => assert_eq!((image.new_tag.as_deref(), image.digest), (Some(tag.as_str()), None)),
        Version::TagAndDigest(tag, _) => assert_eq!(image.new_tag.as_deref(), Some(tag.as_str())),
        Version::Digest(_) | Version::RemoveTag => assert_eq!(image.new_tag, None),
        Version::Unpin => assert_eq!(image.digest, None),
        Version::Remove => assert_eq!((image.new_tag, image.digest), (None, None)),
        Version::Pin(digest) => assert_eq!(image.digest.as_deref(), Some(digest.as_str())),
        Version::Keep => {}
    }
}

/// Whether no value of the entry stays what it was.
fn sets_all(change: &Change) -> bool {
    let keeps_version = matches!(change.version, Version::Keep | Version::Pin(_) | Version::Unpin | Version::RemoveTag);
    !keeps_version && change.new_name != NewName::Keep
}

/// What is read must be what the second parser finds, by a search that shares no code with the first one's.
fn compare_with_the_second_parser(text: &[u8], name: &ImageName) {
    let Ok(Some(image)) = image_in(text, name) else { return };
    let text = std::str::from_utf8(text).expect("it was read");
    // A key that stands twice, far from the images, is nothing that this type can hold.
    let Ok(root) = serde_yaml::from_str::<Yaml>(text.trim_start_matches('\u{feff}')) else { return };
    let entries = root.get("images").and_then(Yaml::as_sequence).expect("the list is there");
    let entry = entries.iter().find(|entry| entry.get("name").and_then(Yaml::as_str) == Some(name.as_str()));
    let entry = entry.expect("the entry is there");
    for (key, read) in [("newName", image.new_name), ("newTag", image.new_tag), ("digest", image.digest)] {
        let found = match entry.get(key) {
            Some(Yaml::Tagged(tagged)) => Some(&tagged.value),
            found => found,
        };
        // Kustomize takes fewer words for numbers, and none behind `!`.
        if found.is_some_and(|found| found.is_number() || found.is_bool()) {
            continue;
        }
        let found = found.and_then(Yaml::as_str);
        assert_eq!(found.filter(|text| !text.is_empty()), read.as_deref(), "{key}");
    }
}
