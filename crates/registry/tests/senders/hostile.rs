//! Whatever a sender brings is read without harm: the targets of the fuzzer, on any toolchain and for a moment only.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use registry::webhook::Kind;
use sandbox::senders::Google;
use serde_json::{Value, json};
use testkit::Mutations;

use crate::{
    known::{ACCOUNT, AUDIENCE, ECR_SNS, now, world},
    property,
};

/// How many changed bodies each kind is given.
const MUTATIONS: usize = 1_000;

/// The size of a large body, in bytes; the largest that the server lets in is eight times as large.
const LARGE_BODY: usize = 128 * 1024;

/// How long a kind may take for one of those, several times over and unoptimised. It takes a fraction of a second; what
/// grows with the square of the length would take minutes.
const PATIENCE: Duration = Duration::from_secs(20);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Everything in `tests/fixtures`.
fn fixtures() -> Result<Vec<Vec<u8>>> {
    files(&root().join("tests/fixtures"))?.iter().map(|path| Ok(fs::read(path)?)).collect()
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

/// Every body of the corpus, where there is one.
#[expect(clippy::disallowed_methods, reason = "where the corpus is, is told by the environment alone")]
fn corpus() -> Result<Vec<Vec<u8>>> {
    let Some(corpus) = std::env::var_os("TAGFERRY_CORPUS") else { return Ok(Vec::new()) };
    let mut bodies = Vec::new();
    for directory in files(&PathBuf::from(corpus).join("webhooks"))?.iter().filter(|path| path.is_dir()) {
        for body in files(directory)?.iter().filter(|path| path.is_file()) {
            bodies.push(fs::read(body)?);
        }
    }
    ensure!(bodies.len() > 400, "only {} files are in the corpus", bodies.len());
    Ok(bodies)
}

/// Large bodies, in shapes that cost more than their length where something is looked up too often.
fn large_bodies() -> Vec<Vec<u8>> {
    let filled = |start: &str, part: &str, end: &str| {
        let times = (LARGE_BODY - start.len() - end.len()) / part.len();
        [start, &part.repeat(times), end].concat().into_bytes()
    };
    vec![
        filled(r#"{"events":[null"#, r#",{"id":"a","action":"push","target":{"repository":"a","tag":"b"}}"#, "]}"),
        filled(r#"{"id":1"#, r#","id":1"#, "}"),
        filled(r#"{"repository":"a","docker_url":"quay.io/a","updated_tags":["b""#, r#","b""#, "]}"),
        filled(r#"{"type":"PUSH_ARTIFACT","event_data":{"resources":[{}"#, r#",{"tag":"b"}"#, "]}}"),
        filled("[{}", ",{}", "]"),
        filled(r#"{"id":""#, "\\u00e9", "\"}"),
        filled("", "[", ""),
        filled("payload=", "%7b", ""),
        filled("", "\u{1}", ""),
    ]
}

#[test]
fn whatever_a_sender_brings_is_read_without_harm() -> Result<()> {
    let (fixtures, corpus, mut mutations) = (fixtures()?, corpus()?, Mutations::new()?);
    ensure!(fixtures.len() >= 29, "only {} fixtures were found", fixtures.len());
    let (seed, whole) = (mutations.seed(), fixtures.len() + corpus.len());
    testkit::say(&format!("each kind of sender: {whole} bodies, {MUTATIONS} changed ones, TAGFERRY_SEED={seed}"))?;
    for kind in Kind::ALL {
        for body in fixtures.iter().chain(&corpus) {
            property::check(kind, body);
        }
        for _ in 0..MUTATIONS {
            property::check(kind, &mutations.of(&fixtures));
        }
    }
    Ok(())
}

#[test]
fn what_nobody_has_signed_is_refused_whatever_addresses_are_in_it() {
    let theirs = "https://sns.eu-central-1.amazonaws.com";
    for host in [theirs, "https://127.0.0.1:9", "https://sns.eu-central-1.amazonaws.com.evil.example", ""] {
        let (certificate, confirmation) = (json!(format!("{host}/x.pem")), json!(format!("{host}/?Token=1")));
        let edits = [("/SignatureVersion", json!("2")), ("/SigningCertURL", certificate)];
        property::check(Kind::EcrSns, &ECR_SNS.edited(&edits));
        let mut body: Value = serde_json::from_slice(&ECR_SNS.edited(&edits)).unwrap();
        body["Type"] = json!("SubscriptionConfirmation");
        body["SubscribeURL"] = confirmation;
        body["Token"] = json!("1");
        property::check(Kind::EcrSns, body.to_string().as_bytes());
    }
    let forged = world().google.forge(&Google::claims(AUDIENCE, ACCOUNT, now())).unwrap();
    property::check(Kind::ArtifactRegistry, forged.as_bytes());
}

#[test]
fn a_large_body_takes_time_in_proportion_to_its_length() {
    for kind in Kind::ALL {
        for body in large_bodies() {
            let began = Instant::now();
            property::check(kind, &body);
            let took = began.elapsed();
            let start = String::from_utf8_lossy(&body[..60]);
            assert!(took < PATIENCE, "{kind} took {took:?} for {start}…");
        }
    }
}

#[test]
fn every_kind_has_a_target_for_the_fuzzer() -> Result<()> {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml"))?;
    for kind in Kind::ALL {
        let path = format!("fuzz_targets/{kind}.rs");
        let bin = format!("[[bin]]\nname = \"{kind}\"\npath = \"{path}\"\n");
        ensure!(manifest.contains(&bin), "fuzz/Cargo.toml lacks\n{bin}");
        let target = fs::read_to_string(root().join("fuzz").join(&path)).with_context(|| path.clone())?;
        ensure!(target.contains(&format!("check(\"{kind}\", input)")), "{path} is not about {kind}");
    }
    Ok(())
}
