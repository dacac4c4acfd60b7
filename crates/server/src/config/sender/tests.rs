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

const GOOGLE: &str = "audience: 'https://tagferry.example', service_account: push@p.iam.gserviceaccount.com";
const TOPIC: &str = "topic: 'arn:aws:sns:us-west-2:123456789012:ecr-push'";

#[test]
fn every_kind_of_registry_makes_a_sender() {
    for kind in Kind::ALL {
        let others = [(Kind::ArtifactRegistry, GOOGLE), (Kind::EcrSns, TOPIC)];
        let known_by = others.iter().find(|(other, _)| *other == kind).map_or("SECRETS", |(_, known_by)| known_by);
        let made = sender(&format!("kind: {kind}, {known_by}, registry: 'r.example:5000'")).unwrap();
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
    check("kind: quay", "senders.x.secrets: at least one secret is needed");
    check(
        "kind: harbour, SECRETS",
        "\"harbour\": no kind of sender; there are distribution, docker-hub, ghcr, ecr, ecr-sns,",
    );
    check("kind: quay, SECRETS, header: x", "unknown field `header`");
}

#[test]
fn what_is_known_otherwise_than_by_secrets_needs_that_and_takes_no_secret() {
    let check = |settings: &str, expected: &str| {
        let refusal = sender(settings).unwrap_err();
        assert!(refusal.contains(expected), "{settings}: {refusal}");
    };
    for kind in Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::ArtifactRegistry | Kind::EcrSns)) {
        let with = |setting: &str| format!("kind: {kind}, SECRETS, registry: r.example, {setting}");
        check(&with(GOOGLE), &format!("senders.x: `audience` is not for the kind {kind}"));
        check(&with(TOPIC), &format!("senders.x: `topic` is not for the kind {kind}"));
        check(&with("allow_sha1: true"), &format!("senders.x: `allow_sha1` is not for the kind {kind}"));
    }
    check(&format!("kind: artifact-registry, SECRETS, {GOOGLE}"), "`secrets` is not for the kind artifact-registry");
    check(&format!("kind: ecr-sns, SECRETS, {TOPIC}"), "`secrets` is not for the kind ecr-sns");
    check("kind: artifact-registry", "senders.x: the kind artifact-registry needs `audience`");
    check("kind: artifact-registry, audience: a", "senders.x: the kind artifact-registry needs `service_account`");
    check("kind: artifact-registry, audience: ' '", "senders.x: a text that is not empty was expected");
    let plain = format!("kind: artifact-registry, {GOOGLE}, keys_url: 'http://keys.example/'");
    check(&plain, "senders.x: `keys_url` must be an https address");
    check("kind: ecr-sns", "senders.x: the kind ecr-sns needs `topic`");
    check("kind: ecr-sns, topic: ecr-push", "\"ecr-push\": a topic is arn:aws:sns:");
    let plain = format!("kind: ecr-sns, {TOPIC}, endpoint: 'http://sns.example/'");
    check(&plain, "senders.x: `endpoint` must be an https address");
    check("kind: acr, SECRETS, origins: [a.example]", "senders.x: `origins` is not for the kind acr");
    check("kind: github, SECRETS, origins: [a.example]", "senders.x: `origins` is not for the kind github");
    check("kind: acr-event-grid, SECRETS, origins: []", "a list of at least one text that is not empty was expected");
    assert!(sender("kind: acr-event-grid, SECRETS, origins: [eventgrid.azure.us]").is_ok());
    assert!(sender(&format!("kind: ecr-sns, {TOPIC}, allow_sha1: true, endpoint: 'https://sns.example'")).is_ok());
    assert!(sender(&format!("kind: artifact-registry, {GOOGLE}, subscription: projects/p/subscriptions/s")).is_ok());
}
