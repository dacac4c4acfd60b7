use std::fs;

use tempfile::TempDir;

use super::*;

const OLD: &str = "images:\n- name: app\n  newTag: v1\n";
const NEW: &str = "images:\n- name: app\n  newTag: v2\n";

/// A kustomization in a directory of its own, read and edited but not written.
fn edited(directory: &Path) -> Edited {
    fs::write(directory.join("kustomization.yaml"), OLD).unwrap();
    again(directory)
}

fn again(directory: &Path) -> Edited {
    let kustomization = Kustomization::read(Place::named(directory).unwrap()).unwrap();
    let argument: Argument = "app:v2".parse().unwrap();
    edit(kustomization, &[argument.change(Unnamed::Keep)]).unwrap()
}

fn said(refused: &[anyhow::Error]) -> Vec<String> {
    refused.iter().map(|error| format!("{error:#}")).collect()
}

/// The text of the kustomization, if nothing else is in the directory.
fn only_text(directory: &Path) -> String {
    assert_eq!(fs::read_dir(directory).unwrap().count(), 1, "something was left behind");
    fs::read_to_string(directory.join("kustomization.yaml")).unwrap()
}

#[test]
fn a_file_that_somebody_changed_meanwhile_stays_and_so_do_the_others() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let edited = [edited(one.path()), edited(two.path())];
    let path = two.path().join("kustomization.yaml");
    fs::write(&path, "images: [] # mine\n").unwrap();
    let sentence = format!("{}: somebody changed it meanwhile; it stays as it is now", path.display());
    assert_eq!(said(&write(&edited).unwrap_err()), [sentence]);
    assert_eq!(only_text(one.path()), OLD);
    assert_eq!(only_text(two.path()), "images: [] # mine\n");
}

#[test]
fn a_file_that_was_replaced_by_an_equal_one_meanwhile_stays() {
    let place = TempDir::new().unwrap();
    let edited = edited(place.path());
    fs::write(place.path().join("new"), OLD).unwrap();
    fs::rename(place.path().join("new"), place.path().join("kustomization.yaml")).unwrap();
    assert_eq!(write(&[edited]).unwrap_err().len(), 1);
    assert_eq!(only_text(place.path()), OLD);
}

#[test]
fn a_file_that_is_gone_meanwhile_is_not_made_again() {
    let place = TempDir::new().unwrap();
    let edited = edited(place.path());
    fs::remove_file(place.path().join("kustomization.yaml")).unwrap();
    let said = said(&write(&[edited]).unwrap_err());
    assert!(said.first().is_some_and(|said| said.contains("No such file or directory")), "{said:?}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_somebody_changed_at_the_last_moment_stays() {
    let place = TempDir::new().unwrap();
    let edited = edited(place.path());
    let staged = edited.kustomization.stage(&edited.text).unwrap();
    let path = place.path().join("kustomization.yaml");
    fs::write(&path, "images: []\n").unwrap();
    let sentence = format!("{}: somebody changed it meanwhile; it stays as it is now", path.display());
    assert_eq!(said(&[put(vec![staged]).unwrap_err()]), [sentence]);
    assert_eq!(only_text(place.path()), "images: []\n");
}

#[test]
fn a_directory_that_is_gone_meanwhile_is_a_refusal() {
    let place = TempDir::new().unwrap();
    let edited = edited(place.path());
    fs::remove_dir_all(place.path()).unwrap();
    assert_eq!(write(&[edited]).unwrap_err().len(), 1);
}

#[test]
fn where_the_disk_fails_between_two_files_it_is_said_what_is_written() {
    let place = TempDir::new().unwrap();
    let first = edited(place.path());
    let second = again(place.path());
    let path = place.path().join("kustomization.yaml");
    // The second one is the same file, and not the one that was read any more once the first one is in place.
    let sentence = format!(
        "{path}: somebody changed it meanwhile; it stays as it is now; written before it: {path}",
        path = path.display()
    );
    assert_eq!(said(&write(&[first, second]).unwrap_err()), [sentence]);
    assert_eq!(only_text(place.path()), NEW);
}

#[test]
fn two_arguments_for_one_image_that_lead_back_are_said_to_change_the_spelling_only() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("kustomization.yaml"), "images:\n- name: app\n  digest: sha256:0f\n  newTag: v1\n")
        .unwrap();
    let kustomization = Kustomization::read(Place::named(place.path()).unwrap()).unwrap();
    let changes = ["app:v1", "app@sha256:0f"].map(|text| text.parse::<Argument>().unwrap().change(Unnamed::Keep));
    let edited = edit(kustomization, &changes).unwrap();
    assert!(edited.is_changed());
    assert!(edited.images.iter().all(|image| image.before == image.after));
}
