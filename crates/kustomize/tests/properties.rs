//! What holds for every kustomization, tried on many that chance has formatted.
//!
//! Each case prints its seed when it fails.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use fastrand::Rng;
use kustomize::{Change, Edit, Missing, NewName, Outcome, Refusal, Version, image_in, set_image};

const CASES: u64 = 3_000;
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const VALUES: [&str; 12] =
    ["v1", "1.10", "007", "5e78923", "2026-11-20", "yes", "sha-0a1b2c3", "1.2.3", "latest", "null", "0x1F", "_x"];

/// A kustomization with an entry named `app`, in a form that chance has chosen.
fn kustomization(rng: &mut Rng) -> String {
    let ending = pick(rng, &["\n", "\n", "\r\n"]);
    let mut lines: Vec<String> = Vec::new();
    lines.extend(some(rng, &["---", "# head", ""]));
    lines.extend(some(
        rng,
        &["kind: Kustomization", "resources:\n- a.yaml", "namespace: &n x", "commonLabels: {a: b} # c"],
    ));
    lines.extend(some(rng, &["# images:", "patches:\n- patch: |-\n    images:\n    - name: app\n      newTag: v0"]));
    let is_flow = rng.u8(..4) == 0;
    lines.push(if is_flow { flow_images(rng) } else { block_images(rng) });
    lines.extend(some(rng, &["", "# tail", "generatorOptions:\n  disableNameSuffixHash: true"]));
    lines.extend(some(rng, &["patchesStrategicMerge:\n- |\n  a: b\n   # c"]));
    let mark = pick(rng, &["", "", "", "\u{feff}"]);
    let last = pick(rng, &["\n", "\n", ""]);
    format!("{mark}{}{last}", lines.join("\n")).replace('\n', ending)
}

fn block_images(rng: &mut Rng) -> String {
    let indent = pick(rng, &["", "  ", " ", "    "]);
    let gap = pick(rng, &[" ", " ", "   "]);
    let mut entries = vec![fields(rng, "app")];
    for other in ["other", "a/b", "app2"] {
        if rng.bool() {
            entries.insert(rng.usize(..=entries.len()), fields(rng, other));
        }
    }
    let mut text = format!("images:{}", pick(rng, &["", "  # c", "\n# c", "\n"]));
    for entry in entries {
        let inner = " ".repeat(1 + gap.len());
        let mut lead = format!("\n{indent}-{gap}");
        for (key, value) in entry {
            let comment = pick(rng, &["", "", "  # c", "   ", "\n", "\n# c"]);
            text.push_str(&format!("{lead}{key}:{}{value}{comment}", pick(rng, &[" ", " ", "   "])));
            lead = format!("\n{indent}{inner}");
        }
    }
    text
}

fn flow_images(rng: &mut Rng) -> String {
    let pad = pick(rng, &["", " "]);
    let entries: Vec<String> = ["a", "app", "b"]
        .iter()
        .map(|name| {
            let pairs: Vec<String> = fields(rng, name).iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{pad}{}{}{pad}}}", pairs.join(pick(rng, &[", ", ",  ", ",\n    "])), pick(rng, &["", ","]))
        })
        .collect();
    let between = pick(rng, &[", ", ",\n  ", " , "]);
    format!("images: [{pad}{}{pad}]{}", entries.join(between), pick(rng, &["", " # c"]))
}

/// The keys of an entry in any order, each with a value in some quotes.
fn fields(rng: &mut Rng, name: &str) -> Vec<(&'static str, String)> {
    let mut fields = vec![("name", quoted(rng, name))];
    for (key, value) in [("newName", "r.example/x"), ("newTag", pick(rng, &["v1", "main-2"])), ("digest", DIGEST)] {
        if rng.bool() {
            fields.push((key, quoted(rng, value)));
        }
    }
    rng.shuffle(&mut fields);
    fields
}

fn quoted(rng: &mut Rng, value: &str) -> String {
    match rng.u8(..4) {
        0 => format!("\"{value}\""),
        1 => format!("'{value}'"),
        _ => value.to_owned(),
    }
}

fn pick<'p>(rng: &mut Rng, choices: &[&'p str]) -> &'p str {
    rng.choice(choices).copied().unwrap_or_default()
}

fn some(rng: &mut Rng, choices: &[&str]) -> Vec<String> {
    choices.iter().filter(|_| rng.bool()).map(|choice| (*choice).to_owned()).collect()
}

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn change(rng: &mut Rng) -> Change {
    let word = pick(rng, &VALUES);
    let tag = || parse(word);
    let version = match rng.u8(..7) {
        0 => Version::Keep,
        1 => Version::Tag(tag()),
        2 => Version::TagAndDigest(tag(), parse(DIGEST)),
        3 => Version::Digest(parse(DIGEST)),
        4 => Version::Pin(parse(DIGEST)),
        5 => Version::Unpin,
        _ => Version::Remove,
    };
    let new_name = match rng.u8(..3) {
        0 => NewName::Keep,
        1 => NewName::Set(parse("registry.example/app")),
        _ => NewName::Remove,
    };
    let image = parse(if rng.u8(..6) == 0 { "added" } else { "app" });
    Change { image, new_name, version, missing: Missing::Append }
}

/// What the entry must say after the change, from what it said before.
fn expected(before: &[u8], change: &Change) -> [Option<String>; 3] {
    let before = image_in(before, &change.image).unwrap_or_else(|error| panic!("{error}"));
    let [name, tag, digest] = before.map_or([None, None, None], |image| [image.new_name, image.new_tag, image.digest]);
    let name = match &change.new_name {
        NewName::Keep => name,
        NewName::Set(repository) => Some(repository.to_string()),
        NewName::Remove => None,
    };
    let (tag, digest) = match &change.version {
        Version::Keep => (tag, digest),
        Version::Tag(tag) => (Some(tag.to_string()), None),
        Version::TagAndDigest(tag, digest) => (Some(tag.to_string()), Some(digest.to_string())),
        Version::Digest(digest) => (None, Some(digest.to_string())),
        Version::Pin(digest) => (tag, Some(digest.to_string())),
        Version::Unpin => (tag, None),
        Version::Remove => (None, None),
    };
    [name, tag, digest]
}

#[test]
fn every_change_of_every_form_says_what_was_asked_and_twice_is_once() {
    let mut refused = 0;
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let text = kustomization(&mut rng);
        let change = change(&mut rng);
        let wanted = expected(text.as_bytes(), &change);
        let edit = match set_image(text.as_bytes(), &change) {
            Ok(edit) => edit,
            Err(Refusal::Form { .. }) => {
                refused += 1;
                continue;
            }
            Err(refusal) => panic!("seed {seed}: {refusal}\n{text}\n{change:?}"),
        };
        let after =
            image_in(edit.text().as_bytes(), &change.image).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let said = after.map(|image| [image.new_name, image.new_tag, image.digest]).unwrap_or_default();
        assert_eq!(said, wanted, "seed {seed}\n{text}\n{}", edit.text());
        let again = set_image(edit.text().as_bytes(), &change).map(Edit::into_text);
        assert_eq!(again.as_deref(), Ok(edit.text()), "seed {seed}: twice is not once");
        assert_eq!(edit.outcome() == Outcome::Unchanged, edit.text() == text, "seed {seed}");
    }
    assert!(refused * 20 < CASES, "{refused} of {CASES} forms were refused");
}

#[test]
fn no_damage_to_a_kustomization_makes_an_edit_that_is_not_proven() {
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = kustomization(&mut rng).into_bytes();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..bytes.len());
            let byte = rng.choice(*b" \t\n\r:-#{}[],&*!|>'\"%@~<\xe2\x80\xa8ab0").unwrap_or(b' ');
            if rng.bool() {
                bytes.insert(at, byte);
            } else {
                bytes.remove(at);
            }
        }
        let change = change(&mut rng);
        if let Ok(edit) = set_image(&bytes, &change) {
            let again = set_image(edit.text().as_bytes(), &change).map(Edit::into_text);
            assert_eq!(again.as_deref(), Ok(edit.text()), "seed {seed}: twice is not once");
        }
    }
}
