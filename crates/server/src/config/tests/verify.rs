//! Which evidence can be asked for, and how it is said that something else can not.

use domain::application::{AppName, Demand, Tolerated, Verify, Wish};

use super::{Config, Error, WHOLE, read, refusal};

fn with(verify: &str) -> String {
    WHOLE.replace("verify: { branch: required, immutable: off }", &format!("verify: {{ {verify} }}"))
}

fn verify(text: &str) -> Verify {
    read(&with(text)).unwrap().applications().unwrap()[0].verify.clone()
}

#[test]
fn what_is_not_said_is_what_can_be_had_of_every_build() {
    assert_eq!(verify(""), Verify::default());
    let all = "branch: required, checks: [], platforms: [], same_digest: required, immutable: required, \
               revision: if-present, builder: if-present, provenance: off, deadline: 30m, recheck: 6h";
    assert_eq!(verify(all), Verify::default());
}

#[test]
fn a_check_is_named_alone_or_with_its_app_and_what_counts_as_passed() {
    let verify = verify("checks: [ci, { name: 'b *', app: 7, accept: [neutral] }, { name: c, app: github-actions }]");
    let said: Vec<String> = verify.checks.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["ci", "b * of the App 7", "c of github-actions"]);
    assert_eq!(verify.checks[1].tolerated, [Tolerated::Neutral]);
    assert_eq!(verify.checks[2].app, Some(AppName::Slug("github-actions".to_owned())));
}

#[test]
fn everything_can_be_asked_for() {
    let verify = verify(
        "same_digest: off, platforms: [linux/arm/v7], revision: required, builder: off, \
         provenance: { workflows: ['acme/*'] }, deadline: 1h",
    );
    assert_eq!((verify.same_digest, verify.revision, verify.builder), (Demand::Off, Wish::Required, Wish::Off));
    assert_eq!(verify.platforms[0].to_string(), "linux/arm/v7");
    // Who says how, says that.
    assert_eq!(verify.provenance.demand, Demand::Required);
    assert!(verify.provenance.workflows[0].matches("acme/x@y"));
    assert_eq!(verify.deadline.as_secs(), 3600);
}

#[test]
fn what_can_not_be_asked_for_is_refused_in_words() {
    for (text, expected) in [
        ("revision: maybe", "evidence of this kind is required, if-present or off"),
        ("branch: if-present", "evidence is either required or off"),
        ("provenance: if-present", "evidence is either required or off"),
        ("provenance: { policy: maybe }", "evidence is either required or off"),
        (
            "provenance: { workflow: x }",
            "unknown field `workflow`, expected one of `policy`, `workflows`, `refs`, `keys`",
        ),
        ("checks: ['']", "a pattern is 1 to 255 characters"),
        ("checks: [{ app: x }]", "missing field `name`"),
        ("checks: [{ name: x, accept: [failed] }]", "a check may be taken as passed when it is neutral or skipped"),
        ("checks: [{ name: x, app: [] }]", "the name of an App as in its address, or its number, was expected"),
        ("checks: ci", "expected a sequence"),
        ("platforms: [linux]", "a platform is written os/architecture"),
        ("gate: { url: x }", "relative URL without a base"),
        ("gate: {}", "missing field `url`"),
        ("deadline: soon", "is not a duration like 30m"),
        ("tag: off", "unknown field `tag`"),
    ] {
        let said = refusal(&with(text));
        assert!(said.contains(expected) && said.contains("line 23"), "{text}: {said}");
    }
}

#[test]
fn keys_and_trust_roots_are_read_before_they_are_needed() {
    let refused = |config: &Config| match config.attesters() {
        Err(error @ (Error::Key { .. } | Error::TrustedRoot(_))) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    let nothing = tempfile::NamedTempFile::new().unwrap();
    let path = nothing.path().display();
    for path in ["/nowhere.pub".to_owned(), path.to_string()] {
        let said = refused(&read(&with(&format!("provenance: {{ keys: ['{path}'] }}"))).unwrap());
        assert_eq!(said, format!("reading the key in {path} (applications.mandelbrot.verify.provenance.keys)"));
        let text = format!("attestations: {{ trusted_root: '{path}' }}\n{WHOLE}");
        let said = refused(&read(&text).unwrap());
        assert_eq!(said, format!("reading the trust roots in {path} (attestations.trusted_root)"));
    }
    let embedded = read(WHOLE).unwrap().attesters().unwrap();
    assert_eq!(embedded.issuer, "https://token.actions.githubusercontent.com");
}
