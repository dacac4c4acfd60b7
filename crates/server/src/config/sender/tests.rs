//! Which senders a configuration makes.

use super::*;
use crate::config::Config;

/// The sender `x` that these settings make, or why they do not.
fn sender(settings: &str) -> Result<Sender, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hush\n").unwrap();
    let settings = settings.replace("SECRETS", &format!("secrets: {{ file: '{}' }}", file.path().display()));
    let text = format!(
        "server: {{ listen: '127.0.0.1:0' }}\nstore: {{ url: 'sqlite:///tmp/x.db' }}\n\
         github: {{ token: {{ env: T }} }}\nsenders: {{ x: {{ {settings} }} }}\n"
    );
    let config: Config = serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
    let mut senders = config.senders().map_err(|error| domain::fault::Chain(&error).to_string())?;
    Ok(senders.remove("x").unwrap())
}

#[test]
fn every_kind_of_registry_makes_a_sender() {
    for kind in Kind::ALL {
        let made = sender(&format!("kind: {kind}, SECRETS, registry: 'r.example:5000'")).unwrap();
        assert_eq!(made.kind(), SenderKind::Registry(kind));
        assert_eq!(made.kind().to_string(), kind.as_str());
    }
    assert_eq!(sender("kind: github, SECRETS").unwrap().kind(), SenderKind::GitHub);
}

#[test]
fn what_does_not_go_with_a_kind_is_refused_with_the_senders_name() {
    let check = |settings: &str, expected: &str| {
        let refusal = sender(settings).unwrap_err();
        assert!(refusal.contains(expected), "{settings}: {refusal}");
    };
    check("kind: quay, SECRETS, signing: true", "senders.x: `signing` is not for the kind quay");
    check("kind: acr, SECRETS, repo_key_map: { a: b }", "senders.x: `repo_key_map` is not for the kind acr");
    check("kind: nexus, SECRETS", "senders.x: the kind nexus needs `registry`");
    check("kind: github, SECRETS, registry: r.example", "senders.x: `registry`, `signing` and `repo_key_map` are for");
    check("kind: jfrog, SECRETS, signing: perhaps", "signing: invalid type");
    check("kind: quay", "missing field `secrets`");
    check(
        "kind: harbour, SECRETS",
        "\"harbour\": no kind of sender; there are distribution, docker-hub, ghcr, ecr, acr,",
    );
    check("kind: quay, SECRETS, header: x", "unknown field `header`");
}
