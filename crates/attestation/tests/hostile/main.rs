//! Whatever is said to be an attestation is read without harm: the target of the fuzzer, on any toolchain and for a
//! moment only.

mod bundle;

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use testkit::Mutations;

/// How many changed bundles are tried.
const MUTATIONS: usize = 2_000;

#[test]
fn whatever_is_said_to_be_an_attestation_is_read_without_harm() -> Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<_> = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension() == Some("json".as_ref()));
    paths.sort();
    let fixtures: Vec<Vec<u8>> = paths.iter().map(fs::read).collect::<Result<_, _>>()?;
    ensure!(fixtures.len() >= 4, "only {} fixtures", fixtures.len());
    let mut mutations = Mutations::new()?;
    testkit::say(&format!("attestations: {MUTATIONS} changed bundles, TAGFERRY_SEED={}", mutations.seed()))?;
    fixtures.iter().for_each(|bundle| bundle::check(bundle));
    for _ in 0..MUTATIONS {
        bundle::check(&mutations.of(&fixtures));
    }
    Ok(())
}
