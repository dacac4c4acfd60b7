//! Whatever GitHub and its workflows send is read without harm: the targets of the fuzzer, on any toolchain and for a
//! moment only.

#![expect(clippy::panic, reason = "the helpers of a test fail as the test does")]

mod excerpt;
mod report;
mod webhook;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use testkit::Mutations;

/// How many changed bodies each parser is given.
const MUTATIONS: usize = 4_000;

/// How long a parser may take for a report of the most work, twice over and unoptimised: ten times what it takes. Each
/// name compared with all before it takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bodies in `tests/fixtures` whose name begins so.
fn fixtures(start: &str) -> Result<Vec<Vec<u8>>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)) {
            found.push(path);
        }
    }
    found.sort();
    found.iter().map(|path| Ok(fs::read(path)?)).collect()
}

fn try_all(start: &str, at_least: usize, check: fn(&[u8])) -> Result<()> {
    let (fixtures, mut mutations) = (fixtures(start)?, Mutations::new()?);
    ensure!(fixtures.len() >= at_least, "only {} fixtures of {start}", fixtures.len());
    testkit::say(&format!("{start}: {MUTATIONS} changed bodies, TAGFERRY_SEED={}", mutations.seed()))?;
    fixtures.iter().for_each(|body| check(body));
    for _ in 0..MUTATIONS {
        check(&mutations.of(&fixtures));
    }
    Ok(())
}

#[test]
fn whatever_the_forge_announces_is_read_without_harm() -> Result<()> {
    try_all("webhook-", 4, webhook::check)
}

#[test]
fn whatever_a_workflow_reports_is_read_without_harm() -> Result<()> {
    try_all("report-", 3, report::check)
}

#[test]
fn a_report_of_as_many_images_and_tags_as_may_be_is_read_in_time() {
    // So many names are different: all, or as many as are just taken, over and over.
    for different in [50, 31] {
        let names = |name: &str| {
            let names: Vec<String> = (0..50).map(|at| format!("\"{name}{}\"", at % different)).collect();
            names.join(",")
        };
        let (tags, images) = (names("t"), names("registry.example/team/image"));
        let build = format!(r#"{{"cloud":"aws","repository":"acme/shop","tags":[{tags}],"images":[{images}]}}"#);
        let began = Instant::now();
        report::check(format!("[{}]", vec![build; 50].join(",")).as_bytes());
        let took = began.elapsed();
        assert!(took < PATIENCE, "it took {took:?}");
    }
}
