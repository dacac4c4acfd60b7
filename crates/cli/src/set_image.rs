//! `tagferry set-image`.
//!
//! All edits are made in memory first, and nothing is written unless every one of them is proven. What an edit is, the
//! `kustomize` crate decides; here it is only applied to files.

mod file;
mod report;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail, ensure};
use clap::{
    Args as _,
    builder::{OsStringValueParser, TypedValueParser as _},
    error::ErrorKind,
};
use kustomize::{Argument, Change, Image, ImageName, Refusal, Unnamed, image_in, set_image};

use self::{
    file::{Kustomization, Place, Staged},
    report::Detail,
};
use crate::output::Output;

/// What `set-image` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "An image is written as for `kustomize edit set image`:
  app:TAG   app@DIGEST   app:TAG@DIGEST   app=NEW_NAME   app=NEW_NAME:TAG   app=NEW_NAME@DIGEST
What it does not name stays; only a digest goes when the tag is set, as the old image would go on running.
A `*` keeps a part with --exact as well (app=*:v2), and a separator alone removes one (app@).

Examples:
  tagferry set-image app:v2
  tagferry set-image --dir overlays/aws --dir overlays/gcp app=registry.example/app:v2 proxy:v7
  tagferry set-image overlays/*/kustomization.yaml app:v2
  tagferry set-image --diff overlays/aws app:v2
  tagferry set-image --check --output json overlays/aws app:v2

Every file is edited, or none. A symbolic link is followed only inside of the directory that holds it.
A directory whose path has a `=`, `:` or `@` is named with --dir.
Exit codes: 0 done; 1 refused or failed, or --check found something to change; 2 usage.")]
pub(crate) struct Arguments {
    /// An image, if it has one of `=`, `:` and `@`; else a kustomization or its directory, by default the current one.
    #[arg(value_name = "FILE|ARG", value_parser = OsStringValueParser::new().try_map(operand))]
    operands: Vec<Operand>,
    /// A directory that holds a kustomization; may be given several times.
    #[arg(long = "dir", value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Erase what an image does not name, as Kustomize does; the last of two arguments for one image counts.
    #[arg(long)]
    exact: bool,
    /// Print what would change as a unified diff, and change nothing.
    #[arg(long)]
    diff: bool,
    /// Change nothing, and exit with 1 if something would change.
    #[arg(long)]
    check: bool,
    /// How the outcome is printed.
    #[arg(long, default_value = "text", value_enum, value_name = "FORMAT")]
    output: Output,
}

/// One argument without a dash.
#[derive(Clone, Debug)]
enum Operand {
    Image(Argument),
    Path(PathBuf),
}

/// A kustomization with what it shall say.
#[derive(Debug)]
struct Edited {
    kustomization: Kustomization,
    text: Vec<u8>,
    images: Vec<EditedImage>,
}

/// What the kustomization says about one image; `None` is nothing.
#[derive(Debug)]
struct EditedImage {
    name: ImageName,
    before: Option<Image>,
    after: Option<Image>,
}

/// Why nothing was done: one error for each file that stands in the way.
type Refused = Vec<anyhow::Error>;

/// Sets the images in all kustomizations, or in none.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let changes = arguments.changes();
    if changes.is_empty() {
        return say_usage();
    }
    match perform(arguments, &changes) {
        Ok(edited) => {
            report::print(&edited, arguments.output, arguments.detail())?;
            let is_found = arguments.check && edited.iter().any(Edited::is_changed);
            Ok(if is_found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(refused) => {
            refused.iter().for_each(report::say_refused);
            Ok(ExitCode::FAILURE)
        }
    }
}

impl Arguments {
    /// In the order of the arguments, for the second may change what the first one set.
    fn changes(&self) -> Vec<Change> {
        let images: Vec<&Argument> = self.operands.iter().filter_map(Operand::image).collect();
        let is_replaced = |at: usize, image: &Argument| {
            self.exact && images.iter().skip(at + 1).any(|later| later.image() == image.image())
        };
        let unnamed = if self.exact { Unnamed::Erase } else { Unnamed::Keep };
        let counted = images.iter().enumerate().filter(|(at, image)| !is_replaced(*at, image));
        counted.map(|(_, image)| image.change(unnamed)).collect()
    }

    /// The kustomizations that are named, each once.
    fn places(&self) -> Result<Vec<Place>, Refused> {
        let paths: Vec<&Path> = self.operands.iter().filter_map(Operand::path).collect();
        let mut directories: Vec<&Path> = self.directories.iter().map(PathBuf::as_path).collect();
        if paths.is_empty() && directories.is_empty() {
            directories.push(Path::new("."));
        }
        let found = directories.into_iter().map(Place::in_directory).chain(paths.into_iter().map(Place::named));
        let mut places: Vec<Place> = Vec::new();
        for place in all(found)? {
            if !places.iter().any(|other| other.target == place.target) {
                places.push(place);
            }
        }
        Ok(places)
    }

    fn detail(&self) -> Detail {
        if self.diff { Detail::Diff } else { Detail::Summary }
    }
}

impl Operand {
    fn image(&self) -> Option<&Argument> {
        match self {
            Self::Image(image) => Some(image),
            Self::Path(_) => None,
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Image(_) => None,
            Self::Path(path) => Some(path),
        }
    }
}

impl Edited {
    fn is_changed(&self) -> bool {
        self.text != self.kustomization.text
    }
}

fn operand(text: OsString) -> anyhow::Result<Operand> {
    ensure!(!text.is_empty(), "neither a path nor an image is empty");
    if !text.as_encoded_bytes().iter().any(|byte| b"=:@".contains(byte)) {
        return Ok(Operand::Path(text.into()));
    }
    Ok(Operand::Image(text.to_str().context("an image is UTF-8")?.parse()?))
}

fn perform(arguments: &Arguments, changes: &[Change]) -> Result<Vec<Edited>, Refused> {
    let places = arguments.places()?;
    let edited = all(places.into_iter().map(|place| edit(Kustomization::read(place)?, changes)))?;
    if !arguments.diff && !arguments.check {
        write(&edited)?;
    }
    Ok(edited)
}

/// Looks at all before it gives up, so that each refusal is said and not only the first.
fn all<T>(results: impl Iterator<Item = anyhow::Result<T>>) -> Result<Vec<T>, Refused> {
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() { Ok(good) } else { Err(refused) }
}

fn edit(kustomization: Kustomization, changes: &[Change]) -> anyhow::Result<Edited> {
    let about = || kustomization.path.display().to_string();
    let text = apply(&kustomization.text, changes).with_context(about)?;
    let images = compare(&kustomization.text, &text, changes).with_context(about)?;
    Ok(Edited { kustomization, text, images })
}

fn apply(before: &[u8], changes: &[Change]) -> Result<Vec<u8>, Refusal> {
    let mut text = before.to_vec();
    for change in changes {
        // The file has other lines than a text to which entries were added: its own are named where that is possible.
        let edit = set_image(&text, change).map_err(|later| set_image(before, change).err().unwrap_or(later))?;
        text = edit.into_text().into_bytes();
    }
    Ok(text)
}

/// Reads each image once more: one change may have undone another.
///
/// What Kustomize can not read before the change, such as a number, counts as nothing.
fn compare(before: &[u8], after: &[u8], changes: &[Change]) -> Result<Vec<EditedImage>, Refusal> {
    let mut images: Vec<EditedImage> = Vec::new();
    for Change { image: name, .. } in changes {
        if !images.iter().any(|image| image.name == *name) {
            let nothing = || Image { name: name.to_string(), new_name: None, new_tag: None, digest: None };
            let before = image_in(before, name).unwrap_or_else(|_unreadable| Some(nothing()));
            let after = image_in(after, name)?;
            images.push(EditedImage { name: name.clone(), before, after });
        }
    }
    Ok(images)
}

/// Puts the changed texts in place once all of them lie ready on the disk.
fn write(edited: &[Edited]) -> Result<(), Refused> {
    let changed: Vec<&Edited> = edited.iter().filter(|edited| edited.is_changed()).collect();
    let staged = all(changed.iter().map(|edited| edited.kustomization.stage(&edited.text)))?;
    all(changed.iter().map(|edited| edited.kustomization.check()))?;
    put(staged).map_err(|error| vec![error])
}

/// The disk can still fail here: then it is said what is written already.
fn put(staged: Vec<Staged<'_>>) -> anyhow::Result<()> {
    let mut written: Vec<String> = Vec::new();
    for staged in staged {
        let path = staged.path().display().to_string();
        match staged.put() {
            Ok(()) => written.push(path),
            Err(error) if written.is_empty() => return Err(error),
            Err(error) => bail!("{error:#}; written before it: {}", written.join(", ")),
        }
    }
    Ok(())
}

fn say_usage() -> anyhow::Result<ExitCode> {
    let mut command = Arguments::augment_args(clap::Command::new("tagferry set-image"));
    let sentence = "no image is named: it has one of `=`, `:` and `@`, as in `tagferry set-image overlays/aws app:v2`";
    command.error(ErrorKind::MissingRequiredArgument, sentence).print().context("writing to standard error")?;
    Ok(ExitCode::from(2))
}
