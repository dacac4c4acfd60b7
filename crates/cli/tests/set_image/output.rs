//! What is printed, and how it ends.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{NEW, OLD, Scene};

const LONG: &str = "# 1\n# 2\n# 3\n# 4\nimages:\n- name: app\n  newTag: v1\n# 8\n# 9\n# 10\n# 11";

const LONG_DIFF: &str = "\
--- a/apps/kustomization.yaml
+++ b/apps/kustomization.yaml
@@ -4,7 +4,7 @@
 # 4
 images:
 - name: app
-  newTag: v1
+  newTag: v2
 # 8
 # 9
 # 10
";

#[test]
fn without_an_image_it_is_a_usage_error_with_an_example() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    for arguments in [[].as_slice(), &["bad", "args"], &["--dir", "."], &["kustomization.yaml"]] {
        let ended = scene.run(arguments)?;
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.err.contains("tagferry set-image overlays/aws app:v2"), "{}", ended.err);
    }
    Ok(())
}

#[test]
fn an_image_that_can_not_be_set_is_a_usage_error_with_the_reason() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    let check = |image: &str, why: &str| {
        let ended = scene.run(&["app:v2", image])?;
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{image}");
        assert!(ended.err.contains(why), "{image}: {}", ended.err);
        anyhow::Ok(())
    };
    check("host:5000/app", "host:5000/app names no change: write host:5000/app:TAG")?;
    check("*:v9", "an image's name has no '*': Kustomize takes the name as a regular expression")?;
    check(":v2", "an image's name has 1 to 255 characters")?;
    check("app:v2@*", "`@*` keeps the old digest")?;
    check("app:a\nb", "a value of an image has no character U+000A")?;
    check("", "neither a path nor an image is empty")?;
    check("--unknown", "unexpected argument '--unknown'")?;
    assert_eq!(scene.text("kustomization.yaml")?, OLD);
    Ok(())
}

#[test]
fn the_help_shows_every_form_and_examples() -> Result<()> {
    let help = Scene::new(&[])?.done(&["--help"])?;
    for part in ["app=NEW_NAME@DIGEST", "tagferry set-image --diff overlays/aws app:v2", "Exit codes: 0 done"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    Ok(())
}

#[test]
fn each_file_is_one_line_that_says_what_became_of_each_image() -> Result<()> {
    let full = "images:\n- name: app\n  newTag: v1\n  digest: sha256:0f\n- name: proxy\n  newTag: v7\n";
    let scene = Scene::new(&[("a/kustomization.yaml", full), ("b/kustomization.yaml", NEW)])?;
    let printed = scene.done(&["a", "b", "app:v2", "proxy=x:v7", "new:v3"])?;
    assert_eq!(
        printed,
        "a/kustomization.yaml: app: newTag v1 -> v2, digest sha256:0f removed; proxy: newName x added; \
         new: entry added, newTag v3 added\n\
         b/kustomization.yaml: proxy: entry added, newName x added, newTag v7 added; \
         new: entry added, newTag v3 added\n"
    );
    assert_eq!(
        scene.done(&["a", "b", "app:v2", "proxy=x:v7", "new:v3"])?,
        "a/kustomization.yaml: unchanged\nb/kustomization.yaml: unchanged\n"
    );
    Ok(())
}

#[test]
fn what_a_file_says_can_not_steer_the_terminal() -> Result<()> {
    let scene = Scene::new(&[("k\u{1b}[31m.yaml", "images:\n- name: app\n  newTag: \"\\e]0;x\\a\"\n")])?;
    let printed = scene.done(&["k\u{1b}[31m.yaml", "app:v2"])?;
    assert_eq!(printed, "k\\u{1b}[31m.yaml: app: newTag \\u{1b}]0;x\\u{7} -> v2\n");
    Ok(())
}

#[test]
fn a_diff_is_printed_and_nothing_changed() -> Result<()> {
    let scene = Scene::new(&[("apps/kustomization.yaml", LONG), ("b/kustomization.yaml", NEW)])?;
    assert_eq!(scene.done(&["--diff", "apps", "b", "app:v2"])?, LONG_DIFF);
    assert_eq!(scene.text("apps/kustomization.yaml")?, LONG);
    let absolute = scene.path("apps");
    let printed = scene.done(&["--diff", &absolute.display().to_string(), "app:v2"])?;
    let header = format!("--- a{0}/kustomization.yaml\n+++ b{0}/kustomization.yaml\n", absolute.display());
    assert!(printed.starts_with(&header), "{printed}");
    Ok(())
}

#[test]
fn a_diff_says_where_a_file_has_no_final_newline_and_keeps_carriage_returns() -> Result<()> {
    let scene = Scene::new(&[("k.yaml", "images:\r\n- name: app\r\n  newTag: v1")])?;
    let expected = "--- a/k.yaml\n+++ b/k.yaml\n@@ -1,3 +1,3 @@\n images:\r\n - name: app\r\n\
                    -  newTag: v1\n\\ No newline at end of file\n+  newTag: v2\n\\ No newline at end of file\n";
    assert_eq!(scene.done(&["--diff", "k.yaml", "app:v2"])?, expected);
    Ok(())
}

#[test]
fn git_applies_a_diff_to_what_the_command_itself_would_write() -> Result<()> {
    for text in [LONG, "images:\r\n- name: app\r\n  newTag: v1", "images: []\nnamespace: x"] {
        let scene = Scene::new(&[("an app/kustomization.yaml", text)])?;
        let diff = scene.done(&["--diff", "./an app", "app:v2"])?;
        // The tab is where `patch` sees the end of a name with a space.
        assert!(diff.starts_with("--- a/an app/kustomization.yaml\t\n+++ b/an app/kustomization.yaml\t\n"), "{diff}");
        let mut git = Command::new("git");
        git.args(["apply", "-"]).current_dir(scene.path("")).stdin(Stdio::piped());
        let mut git = git.spawn().context("starting git")?;
        git.stdin.take().context("no standard input")?.write_all(diff.as_bytes())?;
        ensure!(git.wait()?.success(), "git apply refused:\n{diff}");
        let applied = scene.text("an app/kustomization.yaml")?;
        scene.write("an app/kustomization.yaml", text)?;
        scene.done(&["an app", "app:v2"])?;
        assert_eq!(applied, scene.text("an app/kustomization.yaml")?);
    }
    Ok(())
}

#[test]
fn check_exits_with_1_if_something_would_change_and_names_it() -> Result<()> {
    let scene = Scene::new(&[("a/kustomization.yaml", OLD), ("b/kustomization.yaml", NEW)])?;
    let ended = scene.run(&["--check", "a", "b", "app:v2"])?;
    let said = "a/kustomization.yaml: app: newTag v1 -> v2\nb/kustomization.yaml: unchanged\n";
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(1), said, ""));
    assert_eq!(scene.text("a/kustomization.yaml")?, OLD);
    assert_eq!(scene.done(&["--check", "b", "app:v2"])?, "b/kustomization.yaml: unchanged\n");
    Ok(())
}

#[test]
fn check_and_diff_together_print_the_diff_and_exit_with_1() -> Result<()> {
    let scene = Scene::new(&[("apps/kustomization.yaml", LONG), ("b/kustomization.yaml", NEW)])?;
    let ended = scene.run(&["--diff", "--check", "apps", "b", "app:v2"])?;
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(1), LONG_DIFF, ""));
    assert_eq!(scene.text("apps/kustomization.yaml")?, LONG);
    assert_eq!(scene.done(&["--diff", "--check", "b", "app:v2"])?, "");
    Ok(())
}

#[test]
fn json_is_one_object_with_each_image_before_and_after() -> Result<()> {
    let scene = Scene::new(&[("a/kustomization.yaml", OLD), ("b/kustomization.yaml", "images: []\n")])?;
    let entry = |name: Option<&str>, tag: &str| json!({"newName": name, "newTag": tag, "digest": null});
    let expected = json!({"files": [
        {"path": "a/kustomization.yaml", "changed": false, "images": [
            {"name": "app", "before": entry(None, "v1"), "after": entry(None, "v1")}]},
        {"path": "b/kustomization.yaml", "changed": true, "images": [
            {"name": "app", "before": null, "after": entry(None, "v1")}]},
    ]});
    let printed = scene.done(&["--output", "json", "a", "b", "app:v1"])?;
    assert_eq!(serde_json::from_str::<Value>(&printed)?, expected);
    assert_eq!(scene.text("b/kustomization.yaml")?, "images:\n- name: app\n  newTag: v1\n");
    Ok(())
}

#[test]
fn json_holds_the_diff_of_each_file_when_it_is_asked_for() -> Result<()> {
    let scene = Scene::new(&[("apps/kustomization.yaml", LONG), ("b/kustomization.yaml", NEW)])?;
    let ended = scene.run(&["--output=json", "--diff", "--check", "apps", "b", "app:v2"])?;
    let printed: Value = serde_json::from_str(&ended.out)?;
    assert_eq!((ended.code, &printed["files"][0]["diff"]), (Some(1), &json!(LONG_DIFF)));
    assert_eq!((&printed["files"][1]["diff"], &printed["files"][1]["changed"]), (&json!(""), &json!(false)));
    assert_eq!(scene.text("apps/kustomization.yaml")?, LONG);
    Ok(())
}
