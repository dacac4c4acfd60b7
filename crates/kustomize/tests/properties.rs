//! What holds for every kustomization, tried on many that chance has formatted.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use kustomize::{Change, Edit, Missing, NewName, Outcome, Refusal, Value, Version, image_in, set_image};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::FileFailurePersistence,
};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Words that some reader takes for something else than text, and some that need escapes.
const TAGS: [&str; 16] = [
    "v1",
    "1.10",
    "007",
    "5e78923",
    "2026-11-20",
    "yes",
    "sha-0a1b2c3",
    "1.2.3",
    "latest",
    "null",
    "0x1F",
    "_x",
    "it's",
    "a\"b\\",
    "${TAG}",
    "v 2",
];

/// Bytes that mean something in YAML.
const HOSTILE: &[u8] = b" \t\n\r:-#{}[],&*!|>'\"%@~<?\xe2\x80\xa8\xef\xbb\xbfab0";

/// Some of the lines, in this order.
fn some(lines: &[&'static str]) -> impl Strategy<Value = Vec<String>> {
    let each: Vec<_> = lines.iter().map(|line| option::of(Just((*line).to_owned()))).collect();
    each.prop_map(|lines| lines.into_iter().flatten().collect())
}

fn quoted(text: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(text.to_owned()),
        1 => Just(format!("\"{text}\"")),
        1 => Just(format!("'{text}'")),
    ]
}

/// The keys of an entry in any order, each with a value in some quotes.
fn fields(name: &'static str) -> BoxedStrategy<Vec<(&'static str, String)>> {
    let tag = select(&["v1", "main-2"][..]).prop_flat_map(quoted);
    let fields = (quoted(name), option::of(quoted("r.example/x")), option::of(tag), option::of(quoted(DIGEST)));
    fields
        .prop_map(|(name, new_name, tag, digest)| {
            let others = [("newName", new_name), ("newTag", tag), ("digest", digest)];
            let others = others.into_iter().filter_map(|(key, value)| Some((key, value?)));
            std::iter::once(("name", name)).chain(others).collect::<Vec<_>>()
        })
        .prop_shuffle()
        .boxed()
}

/// `app` among others, in any order.
fn entries() -> impl Strategy<Value = Vec<Vec<(&'static str, String)>>> {
    let others = ["other", "a/b", "app2"].map(|name| option::of(fields(name)));
    (fields("app"), others)
        .prop_map(|(app, others)| std::iter::once(app).chain(others.into_iter().flatten()).collect::<Vec<_>>())
        .prop_shuffle()
}

fn block_images() -> impl Strategy<Value = String> {
    let space = || select(&[" ", " ", "   "][..]);
    let comment = || select(&["", "", "  # c", "   ", "\n", "\n# c"][..]);
    let form = (select(&["", "  ", " ", "    "][..]), space(), select(&["", "  # c", "\n# c", "\n"][..]));
    (form, entries(), vec((space(), comment()), 16)).prop_map(|((indent, gap, head), entries, between)| {
        let inner = " ".repeat(1 + gap.len());
        let mut text = format!("images:{head}");
        let mut between = between.into_iter().cycle();
        for entry in entries {
            let mut lead = format!("\n{indent}-{gap}");
            for (key, value) in entry {
                let (space, comment) = between.next().unwrap_or_default();
                text.push_str(&format!("{lead}{key}:{space}{value}{comment}"));
                lead = format!("\n{indent}{inner}");
            }
        }
        text
    })
}

fn flow_images() -> impl Strategy<Value = String> {
    let padding = || select(&["", " "][..]);
    let form = (padding(), select(&[", ", ",\n  ", " , "][..]), select(&["", " # c"][..]));
    let braces = (padding(), select(&[", ", ",  ", ",\n    "][..]), select(&["", ","][..]));
    (form, braces, entries()).prop_map(|((outer, between, comment), (inner, comma, last), entries)| {
        let pairs = |entry: &[(&str, String)]| {
            entry.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(comma)
        };
        let entries: Vec<String> =
            entries.iter().map(|entry| format!("{{{inner}{}{last}{inner}}}", pairs(entry))).collect();
        format!("images: [{outer}{}{outer}]{comment}", entries.join(between))
    })
}

/// A kustomization with an entry named `app`, in any form.
fn kustomization() -> impl Strategy<Value = String> {
    let head = some(&[
        "---",
        "# head",
        "",
        "kind: Kustomization",
        "resources:\n- a.yaml",
        "namespace: &n x",
        "commonLabels: {a: b} # c",
        "# images:",
        "patches:\n- patch: |-\n    images:\n    - name: app\n      newTag: v0",
    ]);
    let tail = some(&[
        "",
        "# tail",
        "generatorOptions:\n  disableNameSuffixHash: true",
        "patchesStrategicMerge:\n- |\n  a: b\n   # c",
    ]);
    // Boxed: a tree of all forms at once does not fit on a test's stack.
    let images = prop_oneof![3 => block_images().boxed(), 1 => flow_images().boxed()];
    let ends = (select(&["\n", "\n", "\r\n"][..]), select(&["", "", "\u{feff}"][..]), select(&["\n", "\n", ""][..]));
    (head, images, tail, ends).prop_map(|(head, images, tail, (ending, mark, last))| {
        let lines: Vec<String> = head.into_iter().chain([images]).chain(tail).collect();
        format!("{mark}{}{last}", lines.join("\n")).replace('\n', ending)
    })
}

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn change() -> impl Strategy<Value = Change> {
    let value = |text: &str| parse::<Value>(text);
    let version = select(&TAGS[..]).prop_flat_map(move |tag| {
        select(vec![
            Version::Keep,
            Version::Tag(value(tag)),
            Version::TagAndDigest(value(tag), value(DIGEST)),
            Version::Digest(value(DIGEST)),
            Version::Pin(value(DIGEST)),
            Version::Unpin,
            Version::RemoveTag,
            Version::Remove,
        ])
    });
    let new_name = select(vec![NewName::Keep, NewName::Set(value("registry.example/app")), NewName::Remove]);
    let image = select(&["app", "app", "app", "app", "app", "added"][..]);
    (image, new_name, version).prop_map(|(image, new_name, version)| Change {
        image: parse(image),
        new_name,
        version,
        missing: Missing::Append,
    })
}

/// What the entry says, as `[newName, newTag, digest]`.
fn said(text: &str, change: &Change) -> [Option<String>; 3] {
    let image = image_in(text.as_bytes(), &change.image).unwrap_or_else(|error| panic!("{error}\n{text}"));
    image.map(|image| [image.new_name, image.new_tag, image.digest]).unwrap_or_default()
}

/// What the entry must say after the change, from what it said before.
fn expected([name, tag, digest]: [Option<String>; 3], change: &Change) -> [Option<String>; 3] {
    let text = |value: &Value| Some(value.to_string());
    let name = match &change.new_name {
        NewName::Keep => name,
        NewName::Set(name) => text(name),
        NewName::Remove => None,
    };
    let (tag, digest) = match &change.version {
        Version::Keep => (tag, digest),
        Version::Tag(tag) => (text(tag), None),
        Version::TagAndDigest(tag, digest) => (text(tag), text(digest)),
        Version::Digest(digest) => (None, text(digest)),
        Version::Pin(digest) => (tag, text(digest)),
        Version::Unpin => (tag, None),
        Version::RemoveTag => (None, digest),
        Version::Remove => (None, None),
    };
    [name, tag, digest]
}

fn assert_twice_is_once(edit: &Edit, change: &Change) -> Result<(), TestCaseError> {
    let again = set_image(edit.text().as_bytes(), change).map(Edit::into_text);
    prop_assert_eq!(again.as_deref(), Ok(edit.text()), "twice is not once");
    Ok(())
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 3_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_change_of_every_form_says_what_was_asked_and_twice_is_once(text in kustomization(), change in change()) {
        let wanted = expected(said(&text, &change), &change);
        let edit = match set_image(text.as_bytes(), &change) {
            Ok(edit) => edit,
            // A comment where a key goes, or a key that has nothing before it: left alone on purpose.
            Err(Refusal::Form { .. }) => return Err(TestCaseError::reject("a form that is not edited")),
            Err(refusal) => panic!("{refusal}\n{text}"),
        };
        prop_assert_eq!(said(edit.text(), &change), wanted, "{}", edit.text());
        prop_assert_eq!(edit.outcome() == Outcome::Unchanged, edit.text() == text);
        assert_twice_is_once(&edit, &change)?;
    }

    #[test]
    fn no_damage_to_a_kustomization_makes_an_edit_that_is_not_proven(
        text in kustomization(),
        change in change(),
        damages in vec((any::<Index>(), select(HOSTILE), any::<bool>()), 1..4),
    ) {
        let mut bytes = text.into_bytes();
        for (place, byte, is_new) in damages {
            let at = place.index(bytes.len());
            if is_new {
                bytes.insert(at, byte);
            } else {
                bytes.remove(at);
            }
        }
        if let Ok(edit) = set_image(&bytes, &change) {
            assert_twice_is_once(&edit, &change)?;
        }
    }
}
