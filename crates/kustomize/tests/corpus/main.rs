//! Edits every image of every kustomization in sight and lets Kustomize itself say what came of it.
//!
//! The project's own files are always edited. `TAGFERRY_CORPUS` names a directory with those of others, in
//! `kustomize/real`, `kustomize/real-noimages` and `kustomize/synthetic`; without it those tests say that they did not
//! run. The figures are printed: `cargo test --package kustomize --test corpus -- --nocapture`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reads a corpus, fails by panicking and prints its figures"
)]

mod expectations;
mod files;
mod judge;
mod operations;
mod rendering;
mod trial;

use kustomize::{ImageName, Missing, image_in, set_image};
use similar::{ChangeTag, TextDiff};

use crate::{files::File, trial::Trial};

/// Tries everything on every image of the file.
fn try_all(trial: &mut Trial, file: &File) {
    let images = file.images();
    trial.read(file, &images);
    for image in &images {
        for (operation, change) in operations::on_entry(image) {
            trial.edit(file, operation, &change);
        }
    }
    trial.edit(file, "add an entry", &operations::unknown());
}

/// Compares what is read with what the corpus lists for the file.
fn assert_read_as_listed(file: &File, name: &ImageName) {
    let Ok(image) = image_in(&file.bytes, name) else { return };
    let mut entries = file.listed.as_array().into_iter().flatten();
    let entry = entries.find(|entry| entry["name"].as_str() == Some(name.as_str()));
    let field = |key: &str| {
        let text = entry.and_then(|entry| entry[key].as_str());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let read = image.map(|image| [image.new_name, image.new_tag, image.digest]);
    let listed = ["newName", "newTag", "digest"].map(field);
    assert_eq!(read, Some(listed), "{} {name}: read otherwise than listed", file.name);
}

#[test]
fn every_shape_that_people_write_is_edited_losslessly_and_rendered_as_intended() {
    let mut trial = Trial::default();
    for file in files::own() {
        let app = "app".parse::<ImageName>().unwrap();
        for (operation, mut change) in operations::on_entry(&app) {
            change.missing = Missing::Append;
            assert!(set_image(&file.bytes, &change).is_ok(), "{} {operation}", file.name);
        }
        if file.text().contains("images") {
            try_all(&mut trial, &file);
        }
    }
    trial.conclude("own files");
}

#[test]
fn a_new_tag_in_a_file_of_39_lines_changes_one_of_them() {
    let file = files::own().into_iter().find(|file| file.name == "thirty-nine-lines.yaml").unwrap();
    let (before, app) = (file.text(), "app".parse::<ImageName>().unwrap());
    assert_eq!(before.lines().count(), 39);
    let (_, change) = operations::on_entry(&app).remove(0);
    let edit = set_image(&file.bytes, &change).unwrap();
    let root: serde_yaml::Value = serde_yaml::from_str(edit.text()).unwrap();
    let anew = serde_yaml::to_string(&root).unwrap();
    for (title, after) in [("set_image", edit.text()), ("serde_yaml, written anew", &anew)] {
        let diff = TextDiff::from_lines(before.as_str(), after);
        let count = |tag: ChangeTag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        println!("{title}: {} lines removed, {} added", count(ChangeTag::Delete), count(ChangeTag::Insert));
    }
    let differing = before.lines().zip(edit.text().lines()).filter(|(old, new)| old != new);
    assert_eq!(
        differing.collect::<Vec<_>>(),
        [(
            "    newTag: \"sha-4f1c2d3\"     # set by the release",
            "    newTag: \"v9.9.9-zz\"     # set by the release",
        )]
    );
    assert_eq!(edit.text().lines().count(), 39);
}

#[test]
fn every_image_of_every_public_kustomization_is_set_losslessly_or_refused() {
    let Some(files) = files::public() else { return };
    let mut trial = Trial::default();
    for file in &files {
        file.images().iter().for_each(|image| assert_read_as_listed(file, image));
        try_all(&mut trial, file);
    }
    trial.assert_reversed();
    trial.conclude("public files");
}

#[test]
fn images_is_added_to_every_public_kustomization_without_it() {
    let Some(files) = files::public_without_images() else { return };
    let mut trial = Trial::default();
    for file in &files {
        trial.read(file, &[]);
        trial.edit(file, "add images", &operations::unknown());
    }
    trial.conclude("public files without images");
}

#[test]
fn every_hard_case_comes_out_as_expected() {
    let Some(cases) = files::hard() else { return };
    let mut wrong = Vec::new();
    let mut trial = Trial::default();
    for (file, image, expected) in cases {
        let is_to_be_edited = matches!(expected.as_str(), "edit" | "insert" | "add");
        if is_to_be_edited {
            trial.read(&file, std::slice::from_ref(&image));
        }
        for (operation, mut change) in operations::on_entry(&image) {
            change.missing = Missing::Append;
            let edit = set_image(&file.bytes, &change);
            let is_right = is_to_be_edited == edit.is_ok() || !(is_to_be_edited || expected == "refuse");
            match &edit {
                Ok(_) if is_to_be_edited => trial.edit(&file, operation, &change),
                Ok(edit) => trial::check(&file.name, &file.text(), &change, edit),
                Err(refusal) => println!("{} {operation}: {refusal}", file.name),
            }
            if !is_right {
                wrong.push(format!("{} {operation}: {:?}", file.name, edit.map(kustomize::Edit::into_text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    trial.conclude("hard cases");
}
