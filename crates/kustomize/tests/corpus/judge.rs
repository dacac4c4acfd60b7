//! `kubectl kustomize` as the judge of what an edited text means.
//!
//! Of each text it gets the very bytes of `apiVersion`, `kind`, `images` and `imageTags`; the other sections name files
//! that are not there. A Deployment with one container for each name stands in for the resources.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize as _;
use serde_yaml::Value as Yaml;
use tempfile::TempDir;

use crate::rendering::OLD_TAG;

/// A container that no entry names: it must come out as it went in.
pub(crate) const SENTINEL: &str = "tagferry.invalid/sentinel";

/// As many texts as are judged in one call; Kustomize compares each resource with all others.
const BATCH: usize = 100;

/// The sections that say what the images are, and one that holds the anchors of some, in lower case: Kustomize reads
/// its keys without regard to case.
const KEPT: [&str; 5] = ["apiversion", "kind", "images", "imagetags", "commonannotations"];

/// A text with the names whose images it decides on.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What to call it when it fails.
    pub(crate) label: String,
    pub(crate) text: String,
    /// The names of the containers' images, without tags.
    pub(crate) names: Vec<String>,
}

/// What Kustomize says to a case: the image of each container, or its complaint.
pub(crate) type Judgement = Result<Vec<String>, String>;

/// The answers in the order of the cases, most of which Kustomize takes.
pub(crate) fn together<'c>(cases: impl Iterator<Item = &'c Case>) -> Vec<Judgement> {
    in_batches(cases, BATCH)
}

/// The answers in the order of the cases, many of which Kustomize rejects.
pub(crate) fn one_by_one<'c>(cases: impl Iterator<Item = &'c Case>) -> Vec<Judgement> {
    in_batches(cases, 1)
}

fn in_batches<'c>(cases: impl Iterator<Item = &'c Case>, size: usize) -> Vec<Judgement> {
    let kubectl = kubectl();
    let cases: Vec<&Case> = cases.collect();
    cases.chunks(size).flat_map(|batch| judge_batch(&kubectl, batch)).collect()
}

fn judge_batch(kubectl: &Path, batch: &[&Case]) -> Vec<Judgement> {
    match build(kubectl, batch) {
        Ok(images) => images.into_iter().map(Ok).collect(),
        Err(complaint) if batch.len() == 1 => vec![Err(complaint)],
        // One text that Kustomize rejects spoils the others of its batch.
        Err(_) => {
            let (one, other) = batch.split_at(batch.len() / 2);
            [one, other].into_iter().flat_map(|half| judge_batch(kubectl, half)).collect()
        }
    }
}

fn build(kubectl: &Path, batch: &[&Case]) -> Result<Vec<Vec<String>>, String> {
    let directory = TempDir::new().expect("a temporary directory");
    let mut names = Vec::new();
    for (index, case) in batch.iter().enumerate() {
        let name = format!("case-{index:03}");
        write_case(&directory.path().join(&name), &name, case);
        names.push(name);
    }
    write(&directory.path().join("kustomization.yaml"), &format!("resources: [{}]\n", names.join(", ")));
    let output =
        Command::new(kubectl).arg("kustomize").arg(directory.path()).output().expect("kubectl was started before");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let rendered = String::from_utf8(output.stdout).expect("Kustomize writes UTF-8");
    let documents = serde_yaml::Deserializer::from_str(&rendered);
    let mut images: Vec<(String, Vec<String>)> =
        documents.map(|document| images_of(&Yaml::deserialize(document).expect("Kustomize writes YAML"))).collect();
    images.sort();
    assert_eq!(images.len(), batch.len(), "Kustomize rendered another number of Deployments");
    Ok(images.into_iter().map(|(_, images)| images).collect())
}

fn images_of(deployment: &Yaml) -> (String, Vec<String>) {
    let text = |value: &Yaml| value.as_str().unwrap_or_default().to_owned();
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    let containers = containers.as_sequence().into_iter().flatten();
    (text(&deployment["metadata"]["name"]), containers.map(|container| text(&container["image"])).collect())
}

fn write_case(directory: &Path, name: &str, case: &Case) {
    fs::create_dir(directory).expect("the directory is new");
    write(&directory.join("deployment.yaml"), &deployment(name, &case.names));
    let is_component = case.text.contains("kind: Component") || case.text.contains("kind: \"Component\"");
    if is_component {
        let component = directory.join("component");
        fs::create_dir(&component).expect("the directory is new");
        write(&component.join("kustomization.yaml"), &reduced(&case.text, ""));
        write(&directory.join("kustomization.yaml"), "resources: [deployment.yaml]\ncomponents: [component]\n");
    } else {
        write(&directory.join("kustomization.yaml"), &reduced(&case.text, "resources: [deployment.yaml]"));
    }
}

/// JSON is YAML, and needs no thought about quotes.
fn deployment(name: &str, names: &[String]) -> String {
    let images = names.iter().map(|name| format!("{name}:{OLD_TAG}")).chain([format!("{SENTINEL}:{OLD_TAG}")]);
    let containers: Vec<_> = images
        .enumerate()
        .map(|(index, image)| serde_json::json!({ "name": format!("c{index}"), "image": image }))
        .collect();
    let template = serde_json::json!({ "spec": { "containers": containers } });
    serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name }, "spec": { "template": template },
    })
    .to_string()
}

/// The text with the sections that are kept, byte for byte, and one line more before the first of all sections.
fn reduced(text: &str, line: &str) -> String {
    let body = text.trim_start_matches('\u{feff}');
    if body.trim_start().starts_with('{') {
        return reduced_in_braces(body, line);
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut kept = if body.len() < text.len() { "\u{feff}".to_owned() } else { String::new() };
    let (mut is_in_kept, mut is_first) = (true, true);
    for piece in body.split_inclusive('\n') {
        if !is_first && (piece.starts_with("---") || piece.starts_with("...")) {
            break;
        }
        if let Some(key) = section(piece) {
            if std::mem::take(&mut is_first) && !line.is_empty() {
                kept.push_str(line);
                kept.push_str(ending);
            }
            is_in_kept = KEPT.contains(&key.to_ascii_lowercase().as_str());
        }
        if is_in_kept {
            kept.push_str(piece);
            if !piece.ends_with('\n') {
                kept.push_str(ending);
            }
        }
    }
    kept
}

fn reduced_in_braces(body: &str, line: &str) -> String {
    let mut root: Yaml = serde_yaml::from_str(body).expect("an edited text is YAML");
    let pairs = root.as_mapping_mut().expect("a kustomization is a mapping");
    pairs.retain(|key, _| key.as_str().is_some_and(|key| KEPT.contains(&key.to_ascii_lowercase().as_str())));
    format!("{line}\n{}", serde_yaml::to_string(&root).expect("it was YAML"))
}

/// The key of a section that begins on this line.
fn section(line: &str) -> Option<&str> {
    let line = line.strip_prefix("? ").unwrap_or(line);
    let (key, rest) = match line.split_once(':') {
        Some((key, rest)) => (key, rest),
        None => (line, ""),
    };
    let key = key.trim_end().trim_matches(['"', '\'']);
    let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_word && (rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))).then_some(key)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The one that `cargo xtask setup` has installed, or the one in the path.
fn kubectl() -> PathBuf {
    let test = env::current_exe().expect("this test has a path");
    let installed = test.ancestors().nth(3).expect("it lies in target/PROFILE/deps").join("tools/kubectl");
    let program = if installed.exists() { installed } else { PathBuf::from("kubectl") };
    let version = Command::new(&program).args(["version", "--client"]).output();
    let version = version.unwrap_or_else(|error| panic!("kubectl: {error}; cargo xtask setup installs it"));
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(version.contains("Kustomize Version: v5."), "Kustomize 5 is needed; kubectl is {version}");
    println!("judged by {}", version.trim().replace('\n', ", "));
    program
}
