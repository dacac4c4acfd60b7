//! The fixtures of `TAGFERRY_CORPUS`: each message of a registry by the expectation beside it.
//!
//! The corpus has bodies of others and is not part of this repository. Where it is not set nothing is checked; where it
//! is, a missing file fails, and so does a fixture that is in none of the lists here.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod world;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use registry::webhook::{Asks, Element, Head, Kind, Parsed, Refused};
use serde_json::Value;
use sha2::Digest as _;

use crate::world::{World, receive, sender, then};

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

/// Fixtures that we read otherwise on purpose, and why.
const OTHERWISE: [(&str, &str); 1] =
    [("quay-docker-url-ipv6", "a host in brackets is no registry of ours: it is unusable, with the reason")];

/// Messages in which there is nothing, not even something unwanted.
const EMPTY: [&str; 4] = ["argo-no-tags", "batch-empty", "empty-events", "harbor-resources-empty"];

/// How many fixtures of each kind the corpus has at least; fewer means that a directory was not found.
const AT_LEAST: [(Kind, usize); 16] = [
    (Kind::Distribution, 200),
    (Kind::DockerHub, 17),
    (Kind::Ghcr, 51),
    (Kind::Ecr, 20),
    (Kind::EcrSns, 22),
    (Kind::ArtifactRegistry, 30),
    (Kind::AcrEventGrid, 15),
    (Kind::Acr, 11),
    (Kind::Harbor, 34),
    (Kind::Quay, 22),
    (Kind::GitLab, 3),
    (Kind::Gitea, 7),
    (Kind::JFrog, 16),
    (Kind::Nexus, 14),
    (Kind::Aliyun, 1),
    (Kind::CloudEvents, 20),
];

/// One fixture.
struct Fixture {
    kind: Kind,
    name: String,
    expectation: Value,
    body: Vec<u8>,
}

/// Whose a fixture is.
enum Whose {
    Ours(Box<Fixture>),
    TheServers,
}

#[test]
fn every_fixture_of_the_corpus_is_read_as_its_sidecar_says() {
    let Some(corpus) = corpus() else {
        say("TAGFERRY_CORPUS is not set: this test did not run");
        return;
    };
    let world = World::new(&corpus);
    let (mut ours, mut servers) = (Vec::new(), 0);
    for sidecar in sidecars(&world.corpus) {
        match load(&sidecar) {
            Whose::Ours(fixture) => ours.push(fixture),
            Whose::TheServers => servers += 1,
        }
    }
    assert_eq!(servers, OF_THE_SERVER.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for fixture in &ours {
        *counts.entry(fixture.kind.as_str()).or_default() += 1;
    }
    for (kind, least) in AT_LEAST {
        let found = counts.get(kind.as_str()).copied().unwrap_or_default();
        assert!(found >= least, "only {found} fixtures of {kind}");
    }
    let (known, ours): (Vec<_>, Vec<_>) =
        ours.into_iter().partition(|one| OTHERWISE.iter().any(|(name, _)| *name == one.name));
    assert_eq!(known.len(), OTHERWISE.len());
    for one in &known {
        assert!(check(&world, one).is_err(), "{} is read as expected: it need not be in the list", one.name);
    }
    let wrong: Vec<String> = ours.iter().filter_map(|one| check(&world, one).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    say(&format!("{} fixtures are read as expected: {counts:?}", ours.len()));
    say(&format!("{servers} are the server's, and read otherwise: {OTHERWISE:?}"));
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

fn load(sidecar: &Path) -> Whose {
    let expectation: Value = serde_json::from_slice(&std::fs::read(sidecar).unwrap()).unwrap();
    let name = sidecar.file_name().unwrap().to_str().unwrap().strip_suffix(".meta.json").unwrap().to_owned();
    let endpoint = expectation["endpoint"].as_str().unwrap();
    if OF_THE_SERVER.contains(&name.as_str()) {
        return Whose::TheServers;
    }
    let is_gitlabs = sidecar.parent().is_some_and(|directory| directory.ends_with("gitlab"));
    let kind = if is_gitlabs { Kind::GitLab } else { kind(endpoint) };
    let is_question = kind == Kind::AcrEventGrid && expectation["method"] == "OPTIONS";
    assert!(is_question || expectation["method"] == "POST", "{name}");
    let body = match expectation.get("body") {
        Some(generated) => generate(generated),
        None if is_question => Vec::new(),
        None => std::fs::read(sidecar.with_file_name(format!("{name}.json"))).unwrap(),
    };
    Whose::Ours(Box::new(Fixture { kind, name, expectation, body }))
}

fn kind(endpoint: &str) -> Kind {
    match endpoint {
        "dockerhub" => Kind::DockerHub,
        "github" => Kind::Ghcr,
        "sns" => Kind::EcrSns,
        "gcp" => Kind::ArtifactRegistry,
        "eventgrid" => Kind::AcrEventGrid,
        other => other.parse().unwrap_or_else(|_| panic!("{other} is nobody's endpoint")),
    }
}

/// The bodies that are too large to be files.
fn generate(description: &Value) -> Vec<u8> {
    let depth = |text: &str| {
        let depth = description["args"]["depth"].as_u64().unwrap();
        text.repeat(usize::try_from(depth).unwrap())
    };
    match description["generator"].as_str().unwrap() {
        "nest" => [depth("["), depth("]")].concat().into_bytes(),
        "nest_objects" => [depth(r#"{"a":"#), "1".to_owned(), depth("}")].concat().into_bytes(),
        other => panic!("{other} makes a body that is not made here"),
    }
}

fn check(world: &World, fixture: &Fixture) -> Result<(), String> {
    let Fixture { name, expectation, .. } = fixture;
    if expectation["method"] == "OPTIONS" {
        return question(world, fixture);
    }
    let asked = world.sns.asked().len();
    let outcome = receive(world, fixture);
    if expectation["auth"]["why"] == "cert url" && world.sns.asked().len() > asked {
        return Err(format!("{name}: a certificate was fetched"));
    }
    // What can not be understood is not refused here: a sender would send it again or give up.
    if let Some(status @ (401 | 403)) = expectation["reject"]["status"].as_u64() {
        return match outcome {
            Err(refused) if self::status(&refused) == status => Ok(()),
            other => Err(format!("{name}: {other:?} and not {status}")),
        };
    }
    let Some(parsed) = outcome.map_err(|error| format!("{name}: {error}"))? else {
        return if expectation["expect"].get("events").is_none() { Ok(()) } else { Err(format!("{name}: no sender")) };
    };
    answered(world, fixture, &parsed)?;
    let found = events(&parsed);
    let others = expectation["also_acceptable"].as_array();
    let acceptable = std::iter::once(&expectation["expect"])
        .chain(others.into_iter().flatten())
        .any(|expected| expected["events"].as_array().cloned().unwrap_or_default() == found);
    if !acceptable {
        return Err(format!("{name}: {parsed:?}"));
    }
    if parsed.elements.is_empty() && parsed.unwanted == 0 && !EMPTY.contains(&name.as_str()) {
        return Err(format!("{name}: nothing is said about it"));
    }
    match expected_id(fixture) {
        Some(id) if id != parsed.id => Err(format!("{name}: id {} and not {id}", parsed.id)),
        _ => Ok(()),
    }
}

/// The status that the server gives to a refusal; its own tests say the same.
fn status(refused: &Refused) -> u64 {
    match refused {
        Refused::Unauthenticated(_) | Refused::Token(_) => 401,
        Refused::Forbidden(_) => 403,
        Refused::Invalid(_) => 400,
        Refused::Unavailable(_) => 503,
    }
}

/// Whether a message asks for the answer that its sidecar wants, which is done as far as it is done here.
fn answered(world: &World, fixture: &Fixture, parsed: &Parsed) -> Result<(), String> {
    let Fixture { name, expectation, .. } = fixture;
    let (response, code) = (&expectation["response"], &expectation["response"]["body"]["validationResponse"]);
    let is_as_wanted = match &parsed.asks {
        Asks::Nothing => response.is_null(),
        Asks::Validation(asked) => response["status"] == 200 && code == asked,
        Asks::Attention(_) => response.is_null() && name.starts_with("unsubscribe"),
        Asks::Confirmation(confirmation) => {
            let (sender, asked) = (sender(world, fixture).unwrap(), world.sns.asked().len());
            let outcome = world.runtime.block_on(sender.confirm(confirmation));
            let visited = world.sns.asked().len() - asked;
            match expectation["reject"]["status"].as_u64() {
                Some(status) => visited == 0 && outcome.is_err_and(|refused| self::status(&refused) == status),
                None => visited == 1 && outcome.is_ok() && response["status"] == 200,
            }
        }
    };
    if is_as_wanted { Ok(()) } else { Err(format!("{name}: it asks for {:?} and not {response}", parsed.asks)) }
}

/// Whether the question of a sender that may come before its messages is answered as its sidecar wants.
fn question(world: &World, fixture: &Fixture) -> Result<(), String> {
    let Fixture { name, expectation, .. } = fixture;
    let (headers, query) = (headers(&expectation["headers"]), query(&expectation["query"]));
    let head = Head { headers: &headers, query: query.as_deref() };
    let sender = sender(world, fixture).unwrap();
    let handshake = world.runtime.block_on(sender.handshake(&head, then(fixture)));
    let handshake = handshake.unwrap().ok_or_else(|| format!("{name}: there is no answer"))?;
    let wanted = |header: &str| expectation["response"]["headers"][header].as_str().map(str::to_owned);
    let rate = handshake.rate.filter(|_| handshake.origin.is_some()).map(|rate| rate.to_string());
    if handshake.origin == wanted("WebHook-Allowed-Origin") && rate == wanted("WebHook-Allowed-Rate") {
        Ok(())
    } else {
        Err(format!("{name}: {handshake:?}"))
    }
}

fn expected_id(fixture: &Fixture) -> Option<String> {
    let id = fixture.expectation["extract"]["event_id"].as_str()?;
    if fixture.kind != Kind::CloudEvents {
        return Some(id.to_owned());
    }
    // Its events are known by source and id together, in each of which the end can be told.
    let written: Value = serde_json::from_slice(&fixture.body).unwrap();
    let source = written["source"].as_str().or(fixture.expectation["headers"]["ce-source"].as_str()).unwrap();
    let both = format!("{}:{source}{}:{id}", source.len(), id.len());
    Some(format!("sha256:{}", hex::encode(sha2::Sha256::digest(both))))
}

fn headers(given: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in given.as_object().unwrap() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let value = HeaderValue::from_bytes(value.as_str().unwrap().as_bytes()).unwrap();
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
    }
    headers
}

fn query(given: &Value) -> Option<String> {
    let parameters = given.as_object()?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().map(|(name, value)| (name, value.as_str().unwrap())));
    Some(query.finish())
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
