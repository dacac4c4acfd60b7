//! What a file is after it was replaced, and what is left when that failed.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
};

use anyhow::Result;

use crate::{NEW, NOBODY, OLD, Scene, inode, say_not_run};

fn set_mode(scene: &Scene, path: &str, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(scene.path(path), Permissions::from_mode(mode))?)
}

fn mode(scene: &Scene, path: &str) -> Result<u32> {
    Ok(fs::metadata(scene.path(path))?.permissions().mode() & 0o7777)
}

#[test]
fn the_mode_is_kept_and_no_other_file_is_left() -> Result<()> {
    for kept in [0o640, 0o600, 0o664, 0o755] {
        let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
        set_mode(&scene, "kustomization.yaml", kept)?;
        scene.done(&["app:v2"])?;
        assert_eq!(scene.text("kustomization.yaml")?, NEW);
        assert_eq!(mode(&scene, "kustomization.yaml")?, kept);
        assert_eq!(scene.names("")?, ["kustomization.yaml"]);
    }
    Ok(())
}

#[test]
fn the_owner_and_the_group_are_kept() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    let path = scene.path("kustomization.yaml");
    if !scene.is_roots()? {
        say_not_run("keeping a foreign owner, which only root can,");
        return Ok(());
    }
    chown(&path, Some(NOBODY), Some(NOBODY))?;
    set_mode(&scene, "kustomization.yaml", 0o640)?;
    scene.done(&["app:v2"])?;
    let metadata = fs::metadata(&path)?;
    assert_eq!((metadata.uid(), metadata.gid()), (NOBODY, NOBODY));
    assert_eq!((scene.text("kustomization.yaml")?.as_str(), mode(&scene, "kustomization.yaml")?), (NEW, 0o640));
    Ok(())
}

#[test]
fn a_file_whose_owner_can_not_be_kept_is_refused_and_stays() -> Result<()> {
    let scene = Scene::new(&[("overlay/kustomization.yaml", OLD)])?;
    if !scene.is_roots()? {
        say_not_run("refusing a foreign owner, which only root can set up,");
        return Ok(());
    }
    set_mode(&scene, "", 0o755)?;
    set_mode(&scene, "overlay", 0o777)?;
    set_mode(&scene, "overlay/kustomization.yaml", 0o666)?;
    let Some(ended) = scene.run_without_privileges(&["overlay", "app:v2"])? else {
        say_not_run("running as another user");
        return Ok(());
    };
    let why = "tagferry: overlay/kustomization.yaml: its owner 0:0 would be lost: Operation not permitted";
    assert!(ended.code == Some(1) && ended.err.starts_with(why), "{ended:?}");
    assert_eq!(scene.text("overlay/kustomization.yaml")?, OLD);
    assert_eq!(scene.names("overlay")?, ["kustomization.yaml"]);
    Ok(())
}

#[test]
fn an_unchanged_file_is_not_written() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", NEW)])?;
    let path = scene.path("kustomization.yaml");
    let before = (fs::metadata(&path)?.modified()?, inode(&path)?);
    assert_eq!(scene.done(&["app:v2"])?, "kustomization.yaml: unchanged\n");
    assert_eq!((fs::metadata(&path)?.modified()?, inode(&path)?), before);
    Ok(())
}

#[test]
fn a_changed_file_is_replaced_as_a_whole() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    let path = scene.path("kustomization.yaml");
    let (before, mut opened) = (inode(&path)?, fs::File::open(&path)?);
    scene.done(&["app:v2"])?;
    assert_ne!(inode(&path)?, before);
    // Whoever had it open goes on reading the old text.
    assert_eq!(std::io::read_to_string(&mut opened)?, OLD);
    Ok(())
}

#[test]
fn neither_diff_nor_check_writes() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    let path = scene.path("kustomization.yaml");
    let before = (fs::metadata(&path)?.modified()?, inode(&path)?);
    scene.run(&["--check", "app:v2"])?;
    scene.run(&["--diff", "app:v2"])?;
    assert_eq!((fs::metadata(&path)?.modified()?, inode(&path)?), before);
    Ok(())
}

#[test]
fn a_directory_that_can_not_be_written_is_a_clear_refusal_that_leaves_nothing() -> Result<()> {
    let scene = Scene::new(&[("a/kustomization.yaml", OLD), ("b/kustomization.yaml", OLD)])?;
    set_mode(&scene, "", 0o755)?;
    set_mode(&scene, "a", 0o777)?;
    set_mode(&scene, "b", 0o555)?;
    if scene.is_roots()? {
        chown(scene.path("a/kustomization.yaml"), Some(NOBODY), Some(NOBODY))?;
    }
    let ended = scene.run_without_privileges(&["a", "b", "app:v2"])?;
    set_mode(&scene, "b", 0o755)?;
    let Some(ended) = ended else {
        say_not_run("running as a user whom permissions stop");
        return Ok(());
    };
    let why = "tagferry: b/kustomization.yaml: creating a file beside it: Permission denied";
    assert!(ended.code == Some(1) && ended.err.starts_with(why), "{ended:?}");
    for directory in ["a", "b"] {
        assert_eq!(scene.names(directory)?, ["kustomization.yaml"]);
        assert_eq!(scene.text(&format!("{directory}/kustomization.yaml"))?, OLD);
    }
    Ok(())
}

#[test]
fn a_file_that_can_not_be_read_is_a_clear_refusal() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD)])?;
    set_mode(&scene, "", 0o755)?;
    set_mode(&scene, "kustomization.yaml", 0o000)?;
    let Some(ended) = scene.run_without_privileges(&["app:v2"])? else {
        say_not_run("running as a user whom permissions stop");
        return Ok(());
    };
    let why = "tagferry: kustomization.yaml: opening it: Permission denied";
    assert!(ended.code == Some(1) && ended.err.starts_with(why), "{ended:?}");
    Ok(())
}
