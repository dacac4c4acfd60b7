//! Symbolic links, and files that are none.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    process::Command,
};

use anyhow::Result;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::{Ended, NEW, OLD, Scene};

#[test]
fn a_link_inside_of_its_directory_is_followed_and_stays_a_link() -> Result<()> {
    let scene = Scene::new(&[("overlay/parts/real.yaml", OLD)])?;
    symlink("parts/real.yaml", scene.path("overlay/kustomization.yaml"))?;
    let said = "overlay/kustomization.yaml: app: newTag v1 -> v2\n";
    assert_eq!(scene.done(&["overlay", "app:v2"])?, said);
    assert_eq!(scene.text("overlay/parts/real.yaml")?, NEW);
    assert_eq!(fs::read_link(scene.path("overlay/kustomization.yaml"))?.to_str(), Some("parts/real.yaml"));
    assert_eq!(scene.names("overlay")?, ["kustomization.yaml", "parts"]);
    assert_eq!(scene.names("overlay/parts")?, ["real.yaml"]);
    Ok(())
}

#[test]
fn a_link_in_the_current_directory_is_followed() -> Result<()> {
    let scene = Scene::new(&[("real.yaml", OLD)])?;
    symlink("real.yaml", scene.path("kustomization.yaml"))?;
    scene.done(&["app:v2"])?;
    assert_eq!(scene.text("real.yaml")?, NEW);
    Ok(())
}

#[test]
fn a_link_out_of_its_directory_is_refused_and_what_it_points_to_is_named() -> Result<()> {
    let scene = Scene::new(&[("secret.yaml", OLD), ("overlay/other", "")])?;
    symlink("../secret.yaml", scene.path("overlay/kustomization.yaml"))?;
    symlink("..", scene.path("overlay/up"))?;
    symlink("up/secret.yaml", scene.path("overlay/roundabout.yaml"))?;
    let target = fs::canonicalize(scene.path("secret.yaml"))?;
    let why = format!(
        "it is a symbolic link to {}, out of the directory that holds the link; name that place itself",
        target.display()
    );
    for arguments in [["overlay", "app:v2"].as_slice(), &["--dir", "overlay", "app:v2"]] {
        assert_eq!(scene.refused(arguments)?, format!("overlay/kustomization.yaml: {why}"));
    }
    assert_eq!(scene.refused(&["overlay/roundabout.yaml", "app:v2"])?, format!("overlay/roundabout.yaml: {why}"));
    assert_eq!(scene.text("secret.yaml")?, OLD);
    scene.done(&["secret.yaml", "app:v2"])?;
    assert_eq!(scene.text("secret.yaml")?, NEW);
    Ok(())
}

#[test]
fn a_link_to_a_directory_obeys_the_same_rule() -> Result<()> {
    let scene = Scene::new(&[("overlays/v3/kustomization.yaml", OLD), ("elsewhere/kustomization.yaml", OLD)])?;
    symlink("v3", scene.path("overlays/current"))?;
    symlink("../elsewhere", scene.path("overlays/away"))?;
    for arguments in [["overlays/away/", "app:v2"].as_slice(), &["--dir", "overlays/away", "app:v2"]] {
        let why = scene.refused(arguments)?;
        assert!(why.starts_with("overlays/away") && why.contains("it is a symbolic link to "), "{why}");
    }
    scene.done(&["overlays/current", "app:v2"])?;
    assert_eq!(scene.text("overlays/v3/kustomization.yaml")?, NEW);
    assert_eq!(scene.text("elsewhere/kustomization.yaml")?, OLD);
    Ok(())
}

#[test]
fn a_link_that_leads_nowhere_or_to_itself_is_refused() -> Result<()> {
    let scene = Scene::new(&[])?;
    symlink("nowhere.yaml", scene.path("broken.yaml"))?;
    symlink("kustomization.yaml", scene.path("loop.yaml"))?;
    symlink("loop.yaml", scene.path("kustomization.yaml"))?;
    let why = scene.refused(&["broken.yaml", "app:v2"])?;
    assert!(why.starts_with("broken.yaml: following the symbolic link to nowhere.yaml: No such file"), "{why}");
    let why = scene.refused(&["app:v2"])?;
    assert!(why.starts_with("kustomization.yaml: following the symbolic link to loop.yaml: Too many levels"), "{why}");
    Ok(())
}

#[test]
fn what_is_not_an_ordinary_file_is_refused_without_waiting_for_it() -> Result<()> {
    let scene = Scene::new(&[("overlay/kustomization.yaml/inside", "")])?;
    mknodat(CWD, scene.path("pipe.yaml"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    let _socket = UnixListener::bind(scene.path("socket.yaml"))?;
    let check = |path: &str, why: &str| {
        // A pipe that nobody writes into would keep it waiting for ever.
        let mut command = Command::new("timeout");
        command.args(["60", env!("CARGO_BIN_EXE_tagferry"), "set-image", path, "app:v2"]);
        let ended = Ended::of(command.current_dir(scene.path("")).output()?)?;
        let err = format!("tagferry: {path}{why}, not an ordinary file\n");
        assert_eq!(ended, Ended { code: Some(1), out: String::new(), err });
        anyhow::Ok(())
    };
    check("pipe.yaml", ": it is a named pipe")?;
    check("socket.yaml", ": it is a socket")?;
    check("/dev/null", ": it is a device")?;
    check("overlay", "/kustomization.yaml: it is a directory")?;
    Ok(())
}
