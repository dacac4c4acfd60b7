//! Edits every image of every public kustomization in a corpus that is not part of the project.
//!
//! `TAGFERRY_CORPUS` names the directory that holds it, with `kustomize/real`, `kustomize/real-noimages` and
//! `kustomize/synthetic` inside. Without it nothing is read and the test says so.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::panic,
    reason = "a test reads a corpus, fails by panicking and prints its figures"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use kustomize::{Change, Edit, ImageName, Missing, NewName, Outcome, Refusal, Version, image_in, set_image};
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const TAG: &str = "v9.9.9-zz";
const REPOSITORY: &str = "registry.example/team/image";

/// Operation, then outcome, then how often.
#[derive(Default)]
struct Figures(BTreeMap<&'static str, BTreeMap<String, usize>>);

impl Figures {
    fn count(&mut self, operation: &'static str, outcome: &str) {
        *self.0.entry(operation).or_default().entry(outcome.to_owned()).or_default() += 1;
    }

    fn print(&self, title: &str) {
        println!("{title}");
        for (operation, outcomes) in &self.0 {
            println!("  {operation}: {outcomes:?}");
        }
    }
}

/// Prints past the capture of the test harness, since the test passes.
fn say(line: &str) {
    writeln!(std::io::stderr(), "kustomize corpus: {line}").expect("standard error is open");
}

fn corpus() -> Option<PathBuf> {
    let root = env::var_os("TAGFERRY_CORPUS");
    if root.is_none() {
        say("TAGFERRY_CORPUS is not set: this test did not run");
    }
    Some(PathBuf::from(root?).join("kustomize"))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn index(directory: &Path) -> Vec<Json> {
    serde_json::from_slice(&read(&directory.join("index.json"))).unwrap_or_else(|error| panic!("index.json: {error}"))
}

fn operations(image: &ImageName) -> Vec<(&'static str, Change)> {
    let change =
        |version: Version| Change { image: image.clone(), new_name: NewName::Keep, version, missing: Missing::Refuse };
    let tag = |tag: &str| tag.parse().unwrap_or_else(|error| panic!("{error}"));
    let digest = || DIGEST.parse().unwrap_or_else(|error| panic!("{error}"));
    let repository = REPOSITORY.parse().unwrap_or_else(|error| panic!("{error}"));
    vec![
        ("set tag", change(Version::Tag(tag(TAG)))),
        ("set tag 1.10", change(Version::Tag(tag("1.10")))),
        ("set tag and digest", change(Version::TagAndDigest(tag(TAG), digest()))),
        ("set digest", change(Version::Pin(digest()))),
        ("remove digest", change(Version::Unpin)),
        ("remove tag and digest", change(Version::Remove)),
        ("set name", Change { new_name: NewName::Set(repository), ..change(Version::Keep) }),
        ("remove name", Change { new_name: NewName::Remove, ..change(Version::Keep) }),
    ]
}

fn reason(refusal: &Refusal) -> String {
    let debug = format!("{refusal:?}");
    let name = debug.split([' ', '{']).next().unwrap_or_default();
    format!("refused: {name}")
}

/// The image's fields in the meaning that a parser sees, with everything else of it.
fn meaning(text: &str, image: &str) -> Option<(Yaml, [Option<Yaml>; 3])> {
    let mut root: Yaml = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let entries = root.get_mut("images")?.as_sequence_mut()?;
    let entry = entries.iter_mut().find(|entry| entry.get("name").and_then(Yaml::as_str) == Some(image))?;
    let map = entry.as_mapping_mut()?;
    let fields = ["newName", "newTag", "digest"].map(|key| map.remove(key));
    Some((root, fields))
}

fn check_edit(file: &str, before: &str, change: &Change, edit: &Edit) {
    let image = change.image.as_str();
    let again = set_image(edit.text().as_bytes(), change).unwrap_or_else(|error| panic!("{file} {image}: {error}"));
    assert_eq!((again.outcome(), again.text()), (Outcome::Unchanged, edit.text()), "{file} {image}: twice is not once");
    if let (Some((rest_before, _)), Some((rest_after, _))) = (meaning(before, image), meaning(edit.text(), image)) {
        assert_eq!(rest_before, rest_after, "{file} {image}: something else means another thing");
    }
    let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(before), lines(edit.text()));
    let common = |(one, other): &(&String, &String)| one == other;
    let head = old.iter().zip(&new).take_while(common).count();
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(common).count();
    let window = old.len().max(new.len()).saturating_sub(head + tail);
    assert!(window <= 8, "{file} {image}: {window} lines lie in the changed window");
}

/// The old tag set again gives the old bytes, unless quotes had to be added.
fn check_reversible(file: &str, before: &str, change: &Change, edit: &Edit) -> Option<()> {
    let Version::Tag(_) = &change.version else {
        return None;
    };
    let old = image_in(before.as_bytes(), &change.image).ok()??;
    let old_tag = old.new_tag.filter(|_| old.digest.is_none())?.parse().ok()?;
    let back = Change { version: Version::Tag(old_tag), ..change.clone() };
    let restored = set_image(edit.text().as_bytes(), &back).unwrap_or_else(|error| panic!("{file}: {error}"));
    if restored.text() != before {
        let unquoted = |text: &str| text.replace(['"', '\''], "");
        assert_eq!(unquoted(restored.text()), unquoted(before), "{file}: the way back leads elsewhere");
    }
    Some(())
}

/// Makes the edit, checks it, and counts what came of it.
fn try_edit(figures: &mut Figures, file: &str, bytes: &[u8], operation: &'static str, change: &Change) {
    let edit = match set_image(bytes, change) {
        Ok(edit) => edit,
        Err(refusal) => {
            println!("{file} {} {operation}: {refusal}", change.image);
            let is_accident = matches!(refusal, Refusal::Unproven { .. } | Refusal::Form { .. });
            assert!(!is_accident, "{file} {}: {refusal}", change.image);
            return figures.count(operation, &reason(&refusal));
        }
    };
    let text = String::from_utf8_lossy(bytes);
    check_edit(file, &text, change, &edit);
    if check_reversible(file, &text, change, &edit).is_some() {
        figures.count("set the old tag again", "lossless");
    }
    let outcome = if edit.outcome() == Outcome::Changed { "lossless" } else { "unchanged" };
    figures.count(operation, outcome);
}

/// Compares what is read with what the corpus lists for the file.
fn read_as_listed(file: &str, bytes: &[u8], name: &ImageName, listed: &Json) -> String {
    let image = match image_in(bytes, name) {
        Ok(image) => image,
        Err(refusal) => return reason(&refusal),
    };
    let mut entries = listed.as_array().into_iter().flatten();
    let entry = entries.find(|entry| entry["name"].as_str() == Some(name.as_str()));
    let field = |key: &str| {
        let text = entry.and_then(|entry| entry[key].as_str());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let read = image.map(|image| [image.new_name, image.new_tag, image.digest]);
    let listed = ["newName", "newTag", "digest"].map(field);
    assert_eq!(read, Some(listed), "{file} {name}: read otherwise than listed");
    "as listed".to_owned()
}

fn append(version: Version) -> Change {
    let image = "tagferry-unknown".parse().unwrap_or_else(|error| panic!("{error}"));
    Change { image, new_name: NewName::Keep, version, missing: Missing::Append }
}

#[test]
fn every_image_of_every_public_kustomization_is_set_losslessly_or_refused() {
    let Some(corpus) = corpus() else { return };
    let real = corpus.join("real");
    let mut figures = Figures::default();
    for entry in index(&real) {
        let file = entry["file"].as_str().unwrap_or_default();
        let bytes = read(&real.join(file));
        let names = entry["entries"].as_array().into_iter().flatten();
        for name in names.map(|image| image["name"].as_str().unwrap_or_default()) {
            let Ok(name) = name.parse::<ImageName>() else {
                figures.count("name", "refused: not a literal name");
                continue;
            };
            figures.count("read", &read_as_listed(file, &bytes, &name, &entry["entries"]));
            for (operation, change) in operations(&name) {
                try_edit(&mut figures, file, &bytes, operation, &change);
            }
        }
        let change = append(Version::Tag("1.10".parse().unwrap_or_else(|error| panic!("{error}"))));
        try_edit(&mut figures, file, &bytes, "add an entry", &change);
    }
    figures.print("real files");
}

#[test]
fn images_is_added_to_every_public_kustomization_without_it() {
    let Some(corpus) = corpus() else { return };
    let directory = corpus.join("real-noimages");
    let mut figures = Figures::default();
    let files = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for file in files {
        let path = file.unwrap_or_else(|error| panic!("{}: {error}", directory.display())).path();
        let change = append(Version::Tag("1.10".parse().unwrap_or_else(|error| panic!("{error}"))));
        try_edit(&mut figures, &path.display().to_string(), &read(&path), "add images", &change);
    }
    figures.print("real files without images");
}

#[test]
fn every_hard_case_comes_out_as_expected() {
    let Some(corpus) = corpus() else { return };
    let directory = corpus.join("synthetic");
    let mut wrong = Vec::new();
    for case in index(&directory) {
        let file = case["file"].as_str().unwrap_or_default();
        let name: ImageName =
            case["target"].as_str().unwrap_or_default().parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let bytes = read(&directory.join(file));
        let text = String::from_utf8_lossy(&bytes);
        for (operation, mut change) in operations(&name) {
            change.missing = Missing::Append;
            let edit = set_image(&bytes, &change);
            let expected = match case["expect"].as_str().unwrap_or_default() {
                "edit" | "insert" | "add" => edit.is_ok(),
                "refuse" => edit.is_err(),
                _ => true,
            };
            match &edit {
                Ok(edit) => check_edit(file, &text, &change, edit),
                Err(refusal) => println!("{file} {operation}: {refusal}"),
            }
            if !expected {
                wrong.push(format!("{file} {operation}: {:?}", edit.map(Edit::into_text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
