//! Which files are meant.

use anyhow::Result;

use crate::{NEW, OLD, Scene};

#[test]
fn each_of_the_three_names_is_found() -> Result<()> {
    for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
        let scene = Scene::new(&[(name, OLD), ("deployment.yaml", "kind: Deployment\n")])?;
        assert_eq!(scene.done(&["app:v2"])?, format!("{name}: app: newTag v1 -> v2\n"));
        assert_eq!(scene.text(name)?, NEW);
    }
    Ok(())
}

#[test]
fn two_of_the_names_in_one_directory_are_refused() -> Result<()> {
    let scene = Scene::new(&[("kustomization.yaml", OLD), ("Kustomization", OLD)])?;
    let why = "the directory holds both kustomization.yaml and Kustomization; keep one";
    assert_eq!(scene.refused(&["app:v2"])?, format!(".: {why}"));
    assert_eq!((scene.text("kustomization.yaml")?.as_str(), scene.text("Kustomization")?.as_str()), (OLD, OLD));
    // The file itself says which of both is meant.
    scene.done(&["Kustomization", "app:v2"])?;
    assert_eq!((scene.text("kustomization.yaml")?.as_str(), scene.text("Kustomization")?.as_str()), (OLD, NEW));
    Ok(())
}

#[test]
fn a_directory_without_any_of_the_names_is_refused_and_the_names_are_listed() -> Result<()> {
    let scene = Scene::new(&[("overlay/kustomization.yaml.bak", OLD)])?;
    let why = "overlay: the directory holds none of kustomization.yaml, kustomization.yml and Kustomization";
    assert_eq!(scene.refused(&["overlay", "app:v2"])?, why);
    assert_eq!(scene.refused(&["--dir", "overlay", "app:v2"])?, why);
    Ok(())
}

#[test]
fn what_is_not_there_is_refused_by_its_name() -> Result<()> {
    let scene = Scene::new(&[])?;
    for arguments in [["nowhere.yaml", "app:v2"].as_slice(), &["--dir", "nowhere", "app:v2"]] {
        let why = scene.refused(arguments)?;
        assert!(why.starts_with("nowhere") && why.contains("No such file or directory"), "{why}");
    }
    Ok(())
}

#[test]
fn files_and_directories_may_be_mixed_with_images_in_any_order() -> Result<()> {
    let scene = Scene::new(&[
        ("a/kustomization.yaml", OLD),
        ("b/kustomization.yml", OLD),
        ("c/any name.yaml", OLD),
        ("d/Kustomization", OLD),
        ("kustomization.yaml", OLD),
    ])?;
    let printed = scene.done(&["a", "app:v2", "c/any name.yaml", "--dir", "b", "--dir=d/"])?;
    let lines: Vec<&str> = printed.lines().filter_map(|line| line.strip_suffix(": app: newTag v1 -> v2")).collect();
    assert_eq!(lines, ["b/kustomization.yml", "d/Kustomization", "a/kustomization.yaml", "c/any name.yaml"]);
    for path in lines {
        assert_eq!(scene.text(path)?, NEW, "{path}");
    }
    assert_eq!(scene.text("kustomization.yaml")?, OLD, "a file was edited that nobody named");
    Ok(())
}

#[test]
fn a_directory_whose_path_looks_like_an_image_is_named_with_dir() -> Result<()> {
    let scene = Scene::new(&[("a@b:c/kustomization.yaml", OLD)])?;
    scene.done(&["--dir", "a@b:c", "app:v2"])?;
    assert_eq!(scene.text("a@b:c/kustomization.yaml")?, NEW);
    Ok(())
}

#[test]
fn a_file_that_is_reached_in_several_ways_is_edited_once() -> Result<()> {
    let scene = Scene::new(&[("a/kustomization.yaml", OLD)])?;
    std::os::unix::fs::symlink("kustomization.yaml", scene.path("a/link.yaml"))?;
    let absolute = scene.path("a/kustomization.yaml").display().to_string();
    let ways = ["a", "./a/kustomization.yaml", "a/link.yaml", "--dir", "a/../a", &absolute, "app:v2"];
    assert_eq!(scene.done(&ways)?, "a/../a/kustomization.yaml: app: newTag v1 -> v2\n");
    assert_eq!(scene.text("a/kustomization.yaml")?, NEW);
    Ok(())
}

#[test]
fn a_refusal_in_one_file_leaves_all_untouched_and_each_refusal_is_said() -> Result<()> {
    let scene = Scene::new(&[
        ("a/kustomization.yaml", OLD),
        ("b/kustomization.yaml", "images: {}\n"),
        ("c/kustomization.yaml", ""),
    ])?;
    let ended = scene.run(&["a", "b", "c", "app:v2"])?;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    let why = [
        "tagferry: b/kustomization.yaml: `images` is not a list at 1:9",
        "tagferry: c/kustomization.yaml: the kustomization is empty",
    ];
    assert_eq!(ended.err.lines().collect::<Vec<_>>(), why);
    assert_eq!(scene.text("a/kustomization.yaml")?, OLD);
    Ok(())
}
