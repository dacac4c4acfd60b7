//! The cases of Kustomize's own tests, and every form of its arguments, run through the real code once.
//!
//! `TAGFERRY_CORPUS` names the directory that holds them, in `kustomize/setimage.json` and
//! `kustomize/set_image_forms.json`. Without it nothing is read and the tests say so.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{Scene, say_not_run};

const APP: &str = "- name: app\n  newName: r/app\n  newTag: v1\n  digest: sha256:d\n";

/// An entry whose image the arguments with `=` rename theirs to.
///
/// It stands first. Behind the entry `app` it would change the renamed image once more, which is refused.
const HOST: &str = "- name: host:5000/app\n  newTag: z\n";

/// By name, the fields that say something.
type Images = BTreeMap<String, BTreeMap<String, String>>;

#[expect(clippy::disallowed_methods, reason = "a test looks for its corpus")]
fn corpus(file: &str) -> Result<Option<Vec<Value>>> {
    let Some(root) = env::var_os("TAGFERRY_CORPUS") else {
        say_not_run(&format!("{file}, as TAGFERRY_CORPUS is not set,"));
        return Ok(None);
    };
    let path = PathBuf::from(root).join("kustomize").join(file);
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    let cases: Vec<Value> = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
    ensure!(!cases.is_empty(), "{} has no cases", path.display());
    Ok(Some(cases))
}

fn images(list: &Value) -> Result<Images> {
    let mut images = Images::new();
    for entry in list.as_array().context("images are no list")? {
        let fields = entry.as_object().context("an entry is no mapping")?;
        let fields = fields.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        let mut fields: BTreeMap<String, String> = fields.filter(|(_, value)| !value.is_empty()).collect();
        let name = fields.remove("name").context("an entry has no name")?;
        ensure!(images.insert(name.clone(), fields).is_none(), "two entries are named {name}");
    }
    Ok(images)
}

/// The images after the arguments, or how the program ended otherwise.
fn set(text: &str, arguments: &[&str]) -> Result<Result<Images, Option<i32>>> {
    let scene = Scene::new(&[("kustomization.yaml", text)])?;
    let ended = scene.run(&[["--exact"].as_slice(), arguments].concat())?;
    let after = scene.text("kustomization.yaml")?;
    if ended.code != Some(0) {
        ensure!(after == text, "{arguments:?}: refused, and changed");
        return Ok(Err(ended.code));
    }
    let after: Value = serde_yaml::from_str(&after)?;
    images(after.get("images").context("the text has no images")?).map(Ok)
}

#[test]
fn every_form_of_an_argument_gives_the_same_images_as_kustomize() -> Result<()> {
    let Some(cases) = corpus("set_image_forms.json")? else { return Ok(()) };
    for case in &cases {
        let (argument, expected) =
            case[0].as_str().zip(case[1].as_str()).context("a case is an argument and an outcome")?;
        let has_host = argument.starts_with("app=host:5000/app");
        let text = format!("images:\n{}{APP}", if has_host { HOST } else { "" });
        let expected = match serde_json::from_str(expected) {
            // The name is a regular expression to Kustomize, so that the entry would change every image.
            _ if argument == "*:v9" => Err(Some(2)),
            Ok(list) => Ok(images(&list)?),
            Err(_) if expected.starts_with("ERROR") => Err(Some(2)),
            Err(error) => return Err(error).context(expected.to_owned()),
        };
        assert_eq!(set(&text, &[argument])?, expected, "{argument}");
    }
    Ok(())
}

#[test]
fn every_case_of_kustomizes_own_test_gives_the_same_images() -> Result<()> {
    let Some(cases) = corpus("setimage.json")? else { return Ok(()) };
    for case in &cases {
        let arguments = case["args"].as_array().context("a case has arguments")?;
        let arguments: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
        let expected =
            if case["expected_error"].is_string() { Err(Some(2)) } else { Ok(images(&case["expected_images"])?) };
        let text = case["input_yaml"].as_str().context("a case has a text")?;
        assert_eq!(set(text, &arguments)?, expected, "{}", case["name"]);
    }
    Ok(())
}
