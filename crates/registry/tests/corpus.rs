//! The fixtures of `TAGFERRY_CORPUS`: each notification of CNCF Distribution by the expectation beside it.
//!
//! The corpus has bodies of others and is not part of this repository. Where it is not set nothing is checked; where it
//! is, a missing file fails.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use domain::image::Host;
use registry::webhook::{
    Element, Parsed, Secrets, Unauthenticated,
    distribution::{authenticate, parse},
};
use serde_json::Value;

/// What is decided before a body is parsed: its length, its encoding, its slowness, its method. The server decides it,
/// and its own tests and those of the whole service hold it to that with bodies of their own.
const OF_THE_SERVER: [&str; 8] = [
    "gen-100k-events",
    "gen-10mb-no-content-length",
    "gen-content-length-lies",
    "gen-hash-collision-keys",
    "gen-slow-body",
    "gzip-content-encoding",
    "http-get-empty-after-redirect",
    "http-get-with-body",
];

/// How many fixtures of this kind the corpus has at least; fewer means that a directory was not found.
const AT_LEAST: usize = 200;

/// One fixture.
struct Fixture {
    name: String,
    expectation: Value,
    body: Vec<u8>,
}

#[test]
fn every_fixture_of_the_corpus_is_read_as_its_sidecar_says() {
    let Some(corpus) = corpus() else {
        say("TAGFERRY_CORPUS is not set: this test did not run");
        return;
    };
    let fixtures: Vec<Fixture> = sidecars(&corpus).iter().filter_map(|one| load(one)).collect();
    let (servers, ours): (Vec<_>, Vec<_>) =
        fixtures.into_iter().partition(|one| OF_THE_SERVER.contains(&one.name.as_str()));
    assert_eq!(servers.len(), OF_THE_SERVER.len());
    assert!(ours.len() >= AT_LEAST, "only {} fixtures", ours.len());
    let wrong: Vec<String> = ours.iter().filter_map(|one| check(one).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    say(&format!("{} fixtures are read as expected; {} are the server's", ours.len(), servers.len()));
}

/// Prints past the capture of the test harness, since the test passes.
fn say(line: &str) {
    writeln!(std::io::stderr(), "registry corpus: {line}").expect("standard error is open");
}

#[expect(clippy::disallowed_methods, reason = "where the corpus is, is told by the environment alone")]
fn corpus() -> Option<PathBuf> {
    std::env::var_os("TAGFERRY_CORPUS").map(PathBuf::from)
}

/// Every sidecar of the corpus, in order.
fn sidecars(corpus: &Path) -> Vec<PathBuf> {
    let entries = |directory: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
            .map(|entry| entry.expect("the directory can be read").path())
            .collect()
    };
    let mut found: Vec<PathBuf> = entries(&corpus.join("webhooks"))
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|directory| entries(directory))
        .filter(|path| path.to_string_lossy().ends_with(".meta.json"))
        .collect();
    found.sort();
    found
}

/// The fixture of a sidecar, if it is of this kind.
fn load(sidecar: &Path) -> Option<Fixture> {
    let text = std::fs::read(sidecar).unwrap();
    let expectation: Value = serde_json::from_slice(&text).unwrap();
    if expectation["endpoint"] != "distribution" {
        return None;
    }
    let file = sidecar.file_name().unwrap().to_str().unwrap();
    let name = file.strip_suffix(".meta.json").unwrap().to_owned();
    let body = match expectation.get("body") {
        Some(generated) => generate(generated),
        None => std::fs::read(sidecar.with_file_name(format!("{name}.json"))).unwrap(),
    };
    Some(Fixture { name, expectation, body })
}

/// The bodies that are too large to be files; those that only the server sees stay empty.
fn generate(description: &Value) -> Vec<u8> {
    let depth = |text: &str| {
        let depth = description["args"]["depth"].as_u64().unwrap();
        text.repeat(usize::try_from(depth).unwrap())
    };
    match description["generator"].as_str().unwrap() {
        "nest" => [depth("["), depth("]")].concat().into_bytes(),
        "nest_objects" => [depth(r#"{"a":"#), "1".to_owned(), depth("}")].concat().into_bytes(),
        _ => Vec::new(),
    }
}

fn check(fixture: &Fixture) -> Result<(), String> {
    let Fixture { name, expectation, body } = fixture;
    let outcome = receive(expectation, body);
    if expectation["reject"]["status"] == 401 {
        return match outcome {
            Err(_) => Ok(()),
            Ok(_) => Err(format!("{name}: was let in")),
        };
    }
    let parsed = outcome.map_err(|error| format!("{name}: {error}"))?;
    let found = events(&parsed);
    let others = expectation["also_acceptable"].as_array();
    let acceptable = std::iter::once(&expectation["expect"])
        .chain(others.into_iter().flatten())
        .any(|expected| expected["events"].as_array().cloned().unwrap_or_default() == found);
    if !acceptable {
        return Err(format!("{name}: {found:?}"));
    }
    let empty = parsed.elements.is_empty() && parsed.unwanted == 0;
    if empty && name != "empty-events" {
        return Err(format!("{name}: nothing is said about it"));
    }
    match expectation["extract"]["event_id"].as_str() {
        Some(id) if id != parsed.id => Err(format!("{name}: id {}", parsed.id)),
        _ => Ok(()),
    }
}

/// Authenticates and reads as the server would; a fixture without credentials is given good ones.
fn receive(expectation: &Value, body: &[u8]) -> Result<Parsed, Unauthenticated> {
    let (secret, values) = match expectation["auth"]["secret"].as_str() {
        Some(secret) => (secret, authorization(&expectation["headers"])),
        None => ("any", vec!["any".to_owned()]),
    };
    let secrets = Secrets::new(vec![secret.into()]).unwrap();
    let sender = authenticate(&secrets, values.iter().map(String::as_bytes))?;
    let registry: Option<Host> = expectation["config"]["registry"].as_str().map(|host| host.parse().unwrap());
    Ok(parse(&sender.vouch_for(body), registry.as_ref()))
}

fn authorization(headers: &Value) -> Vec<String> {
    match headers.get("Authorization") {
        None => Vec::new(),
        Some(Value::Array(several)) => several.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        Some(one) => vec![one.as_str().unwrap().to_owned()],
    }
}

fn events(parsed: &Parsed) -> Vec<Value> {
    parsed
        .elements
        .iter()
        .filter_map(|one| match one {
            Element::Pushed(pushed) => Some(serde_json::json!({
                "registry": pushed.repository.host().as_str(),
                "repository": pushed.repository.name(),
                "tag": pushed.tag.as_str(),
                "digest": pushed.claimed_digest.as_ref().map(domain::image::Digest::as_str),
            })),
            Element::Unusable { .. } => None,
        })
        .collect()
}
