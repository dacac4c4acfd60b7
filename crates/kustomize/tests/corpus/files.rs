//! The kustomizations that are edited: the project's own, and those of others that `TAGFERRY_CORPUS` holds.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use kustomize::ImageName;
use serde_json::Value as Json;

/// A kustomization with what is known of it.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The names of the entries that are listed for it; some are not literal names.
    pub(crate) names: Vec<String>,
    /// The entries as somebody else's parser read them, where that is known.
    pub(crate) listed: Json,
}

impl File {
    /// The names that are literal ones.
    pub(crate) fn images(&self) -> Vec<ImageName> {
        let mut images: Vec<ImageName> = self.names.iter().filter_map(|name| name.parse().ok()).collect();
        images.sort();
        images.dedup();
        images
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The project's own: every shape that people write.
pub(crate) fn own() -> Vec<File> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files = listing(&directory);
    for file in &mut files {
        let entries = crate::rendering::named(&file.text());
        file.names = entries.into_iter().chain(["app".to_owned()]).collect();
    }
    files
}

/// The public kustomizations with `images`; `None` without a corpus.
pub(crate) fn public() -> Option<Vec<File>> {
    let directory = corpus()?.join("real");
    Some(index(&directory).iter().map(|entry| from_index(&directory, entry)).collect())
}

/// The public kustomizations without `images`; `None` without a corpus.
pub(crate) fn public_without_images() -> Option<Vec<File>> {
    Some(listing(&corpus()?.join("real-noimages")))
}

/// Hard cases with the image to set in each and what is to come of it; `None` without a corpus.
pub(crate) fn hard() -> Option<Vec<(File, ImageName, String)>> {
    let directory = corpus()?.join("synthetic");
    let text = |entry: &Json, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let case = |entry: &Json| {
        let target = text(entry, "target").parse().unwrap_or_else(|error| panic!("{entry}: {error}"));
        (from_index(&directory, entry), target, text(entry, "expect"))
    };
    Some(index(&directory).iter().map(case).collect())
}

/// Prints past the capture of the test harness, since the test passes.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "kustomize corpus: {line}").expect("standard error is open");
}

fn corpus() -> Option<PathBuf> {
    let root = env::var_os("TAGFERRY_CORPUS");
    if root.is_none() {
        say("TAGFERRY_CORPUS is not set: this test did not run");
    }
    Some(PathBuf::from(root?).join("kustomize"))
}

fn from_index(directory: &Path, entry: &Json) -> File {
    let name = entry["file"].as_str().unwrap_or_else(|| panic!("{entry} names no file")).to_owned();
    let entries = entry["entries"].as_array().into_iter().flatten();
    let names = entries.filter_map(|entry| entry["name"].as_str()).map(str::to_owned).collect();
    File { bytes: read(&directory.join(&name)), name, names, listed: entry["entries"].clone() }
}

fn listing(directory: &Path) -> Vec<File> {
    let complain = |error: std::io::Error| -> ! { panic!("{}: {error}", directory.display()) };
    let files = fs::read_dir(directory).unwrap_or_else(|error| complain(error));
    let paths = files.map(|file| file.unwrap_or_else(|error| complain(error)).path());
    let mut files: Vec<File> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            File { name, bytes: read(&path), names: Vec::new(), listed: Json::Null }
        })
        .collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(!files.is_empty(), "{} is empty", directory.display());
    files
}

fn index(directory: &Path) -> Vec<Json> {
    serde_json::from_slice(&read(&directory.join("index.json"))).unwrap_or_else(|error| panic!("index.json: {error}"))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
