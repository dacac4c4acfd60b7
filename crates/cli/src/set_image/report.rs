//! What is printed about the edits.

use anyhow::Context as _;
use kustomize::Image;
use serde::Serialize;

use super::{Edited, EditedImage};
use crate::output::{self, Output, printable};

/// How much is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Detail {
    /// What each image is.
    Summary,
    /// The changed lines as well.
    Diff,
}

/// The JSON object.
#[derive(Serialize)]
struct Report<'e> {
    files: Vec<FileReport<'e>>,
}

#[derive(Serialize)]
struct FileReport<'e> {
    path: String,
    changed: bool,
    images: Vec<ImageReport<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

#[derive(Serialize)]
struct ImageReport<'e> {
    name: &'e str,
    before: Option<EntryReport<'e>>,
    after: Option<EntryReport<'e>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryReport<'e> {
    new_name: Option<&'e str>,
    new_tag: Option<&'e str>,
    digest: Option<&'e str>,
}

/// Prints what was done, or what would be, in the order of the arguments.
pub(super) fn print(edited: &[Edited], output: Output, detail: Detail) -> anyhow::Result<()> {
    let text = match (output, detail) {
        (Output::Json, _) => json(edited, detail)?,
        (Output::Text, Detail::Summary) => edited.iter().map(line).collect(),
        (Output::Text, Detail::Diff) => edited.iter().map(diff).collect(),
    };
    output::print(&text)
}

/// Says on standard error why nothing was done.
pub(super) fn say_refused(error: &anyhow::Error) {
    crate::say_error(&printable(&format!("{error:#}")));
}

fn json(edited: &[Edited], detail: Detail) -> anyhow::Result<String> {
    let report = |edited| match detail {
        Detail::Summary => FileReport::new(edited, None),
        Detail::Diff => FileReport::new(edited, Some(diff(edited))),
    };
    let report = Report { files: edited.iter().map(report).collect() };
    let text = serde_json::to_string(&report).context("writing JSON")?;
    Ok(text + "\n")
}

impl<'e> FileReport<'e> {
    fn new(edited: &'e Edited, diff: Option<String>) -> Self {
        Self {
            path: path(edited),
            changed: edited.is_changed(),
            images: edited.images.iter().map(ImageReport::new).collect(),
            diff,
        }
    }
}

impl<'e> ImageReport<'e> {
    fn new(image: &'e EditedImage) -> Self {
        Self {
            name: image.name.as_str(),
            before: image.before.as_ref().map(EntryReport::new),
            after: image.after.as_ref().map(EntryReport::new),
        }
    }
}

impl<'e> EntryReport<'e> {
    fn new(image: &'e Image) -> Self {
        Self { new_name: image.new_name.as_deref(), new_tag: image.new_tag.as_deref(), digest: image.digest.as_deref() }
    }
}

fn path(edited: &Edited) -> String {
    edited.kustomization.path.display().to_string()
}

/// `PATH: app: newTag v1 -> v2, digest sha256:0f removed; proxy: entry added, newTag v7 added`.
fn line(edited: &Edited) -> String {
    let images: Vec<String> = edited.images.iter().filter_map(image_words).collect();
    let what = match images.as_slice() {
        _ if !edited.is_changed() => "unchanged".to_owned(),
        // Two arguments for one image can lead back to what it was, in another spelling.
        [] => "the same images in another spelling".to_owned(),
        images => images.join("; "),
    };
    printable(&format!("{}: {what}", path(edited))) + "\n"
}

/// `None` when the image is the same as before.
fn image_words(image: &EditedImage) -> Option<String> {
    let entry = |image: &'_ Option<Image>| image.clone().map(|image| [image.new_name, image.new_tag, image.digest]);
    let (before, after) = (entry(&image.before), entry(&image.after));
    let mut words = Vec::new();
    if before.is_none() && after.is_some() {
        words.push("entry added".to_owned());
    }
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    for (key, (before, after)) in ["newName", "newTag", "digest"].into_iter().zip(before.into_iter().zip(after)) {
        words.extend(match (before, after) {
            (Some(before), Some(after)) if before != after => Some(format!("{key} {before} -> {after}")),
            (Some(before), None) => Some(format!("{key} {before} removed")),
            (None, Some(after)) => Some(format!("{key} {after} added")),
            (Some(_), Some(_)) | (None, None) => None,
        });
    }
    (!words.is_empty()).then(|| format!("{}: {}", image.name, words.join(", ")))
}

/// The changed lines; nothing when there are none.
fn diff(edited: &Edited) -> String {
    output::diff(&path(edited), &edited.kustomization.text, &edited.text)
}
