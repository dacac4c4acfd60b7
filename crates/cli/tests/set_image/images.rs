//! What is set in the files.

use anyhow::Result;

use crate::{NEW, OLD, Scene};

const FULL: &str = "images:\n- name: app\n  newName: r/app\n  newTag: v1\n  digest: sha256:0f\n";

/// Runs the program with these arguments on a file with the first text, and expects the second one.
#[track_caller]
fn check(arguments: &[&str], before: &str, after: &str) {
    let edit = || {
        let scene = Scene::new(&[("kustomization.yaml", before)])?;
        scene.done(arguments)?;
        scene.text("kustomization.yaml")
    };
    assert_eq!(edit().map_err(|error| format!("{error:#}")).as_deref(), Ok(after), "{arguments:?}");
}

#[test]
fn what_is_not_named_stays_but_a_digest_beside_a_new_tag() {
    check(&["app:v2"], OLD, NEW);
    check(&["app:v2"], FULL, "images:\n- name: app\n  newName: r/app\n  newTag: v2\n");
    check(&["app@sha256:e"], FULL, "images:\n- name: app\n  newName: r/app\n  newTag: v1\n  digest: sha256:e\n");
    check(&["app=x"], FULL, "images:\n- name: app\n  newName: x\n  newTag: v1\n  digest: sha256:0f\n");
    check(&["app@"], FULL, "images:\n- name: app\n  newName: r/app\n  newTag: v1\n");
}

#[test]
fn exact_erases_what_is_not_named() {
    check(&["--exact", "app:v2"], FULL, "images:\n- name: app\n  newTag: v2\n");
    check(&["--exact", "app=*:v2"], FULL, "images:\n- name: app\n  newName: r/app\n  newTag: v2\n");
    check(&["--exact", "app=*:*@*"], FULL, FULL);
}

#[test]
fn of_two_arguments_for_one_image_both_count_and_only_the_last_one_with_exact() {
    let arguments = ["app=x:v2", "app@sha256:e"];
    check(&arguments, OLD, "images:\n- name: app # ours\n  newName: x\n  newTag: v2\n  digest: sha256:e\n");
    check(&["--exact", "app=x:v2", "app@sha256:e"], OLD, "images:\n- name: app # ours\n  digest: sha256:e\n");
    // A star means what the file says, and not what the argument before it did.
    check(&["--exact", "app:v2", "app=x:*"], OLD, "images:\n- name: app # ours\n  newName: x\n  newTag: v1\n");
}

#[test]
fn a_value_that_kustomize_can_not_read_is_set_right() {
    check(&["app:v2"], "images:\n- name: app\n  newTag: 6.0\n", "images:\n- name: app\n  newTag: v2\n");
    let overruled = "images:\n- name: app\n  newName: r/app\n- name: r/app\n  newTag: v1\n";
    let mended = "images:\n- name: app\n  newTag: v2\n- name: r/app\n  newTag: v1\n";
    check(&["--exact", "app:v2"], overruled, mended);
}

#[test]
fn several_images_are_set_in_one_call_and_missing_entries_are_added() {
    let before = "images:\n- name: app\n  newTag: v1\n# kept\n- name: proxy\n  newTag: v1\nnamespace: x\n";
    let after = "images:\n- name: app\n  newTag: v2\n# kept\n- name: proxy\n  newTag: v1\n- name: new\n  \
                 newTag: \"1.10\"\n- name: registry:5000/team/other\n  digest: sha256:e\nnamespace: x\n";
    check(&["app:v2", "new:1.10", "registry:5000/team/other@sha256:e"], before, after);
    check(&["app:v2"], "namespace: x\n", "namespace: x\nimages:\n- name: app\n  newTag: v2\n");
}

#[test]
fn line_endings_and_the_byte_order_mark_are_kept() {
    check(
        &["app:v2"],
        "\u{feff}images:\r\n- name: app\r\n  newTag: v1\r\n",
        "\u{feff}images:\r\n- name: app\r\n  newTag: v2\r\n",
    );
    check(&["app:v2"], "images:\n- name: app\n  newTag: v1", "images:\n- name: app\n  newTag: v2");
}

#[test]
fn a_refusal_names_the_line_of_the_file_as_it_is() -> Result<()> {
    let twice = "images:\n- name: new\n- name: app\n  newTag: v1\n- name: app\n";
    let scene = Scene::new(&[("kustomization.yaml", twice)])?;
    // The first argument adds a line above the entry which the second one is refused for.
    let why = "kustomization.yaml: `images` has two entries named app (lines 3 and 5); keep one";
    assert_eq!(scene.refused(&["new:v1", "app:v2"])?, why);
    assert_eq!(scene.text("kustomization.yaml")?, twice);
    Ok(())
}

#[test]
fn an_empty_or_a_huge_file_or_one_that_is_no_kustomization_is_refused() -> Result<()> {
    let check = |text: &str, why: &str| {
        let scene = Scene::new(&[("kustomization.yaml", text)])?;
        assert_eq!(scene.refused(&["app:v2"])?, format!("kustomization.yaml: {why}"));
        assert_eq!(scene.text("kustomization.yaml")?, text);
        anyhow::Ok(())
    };
    check("", "the kustomization is empty")?;
    check("# nothing\n", "the kustomization is empty")?;
    check("- app\n", "the kustomization is not a mapping at 1:1")?;
    let huge = format!("# {}\n{OLD}", "x".repeat(5 << 20));
    check(&huge, &format!("the kustomization has {} bytes; at most 1048576 are read", huge.len()))?;
    Ok(())
}

#[test]
fn one_argument_that_undoes_another_is_refused() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    // The second entry would match what the first one makes of its image.
    let why = scene.refused(&["app=proxy:v2", "proxy:v3"])?;
    assert!(why.starts_with("kustomization.yaml: the entry proxy at "), "{why}");
    assert_eq!(scene.text("kustomization.yaml")?, OLD);
    Ok(())
}
