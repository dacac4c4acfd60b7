//! Trust roots as files.

use anyhow::Result;
use attestation::{InvalidRoots, Key, Roots};
use testkit::sigstore::Instance;

#[test]
fn the_roots_of_sigstore_and_github_come_along() -> Result<()> {
    let roots = Roots::embedded()?;
    assert_eq!(roots.organizations().into_iter().collect::<Vec<_>>(), ["GitHub, Inc.", "sigstore.dev"]);
    assert!(roots.newest_authority().is_some());
    Ok(())
}

#[test]
fn a_file_may_hold_several_roots() -> Result<()> {
    let (one, other) = (Instance::with_log("one")?.root(), Instance::with_time_stamps("other")?.root());
    let lines = Roots::parse(format!("{one}\n{other}\n").as_bytes())?;
    assert_eq!(lines.organizations().into_iter().collect::<Vec<_>>(), ["one", "other"]);
    let pretty = Roots::parse(format!("{one:#}").as_bytes())?;
    assert_eq!(pretty.organizations().into_iter().collect::<Vec<_>>(), ["one"]);
    Ok(())
}

#[test]
fn a_file_that_is_broken_is_refused_as_a_whole() -> Result<()> {
    let good = Instance::with_log("one")?.root();
    assert!(matches!(Roots::parse(b" \n"), Err(InvalidRoots::Empty)));
    assert!(matches!(Roots::parse(format!("{good}\n{{").as_bytes()), Err(InvalidRoots::Form(_))));
    assert!(matches!(Roots::parse(b"-----BEGIN CERTIFICATE-----"), Err(InvalidRoots::Form(_))));
    let mut no_key = good;
    no_key["tlogs"][0]["publicKey"]["rawBytes"] = "AAAA".into();
    assert!(matches!(Roots::parse(no_key.to_string().as_bytes()), Err(InvalidRoots::Unusable(_))));
    Ok(())
}

#[test]
fn a_key_is_a_public_key_as_pem() {
    for bad in ["", "ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        assert!(Key::from_pem(bad).is_err(), "{bad}");
    }
}
