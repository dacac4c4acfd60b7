//! What is said of a sender besides its kind and its secrets.

use std::collections::BTreeMap;

use registry::webhook::{InvalidSender, Kind, Options, Sender};

use crate::known::{ACR, ACR_EVENT_GRID, ALL, ARTIFACT_REGISTRY, DOCKER_HUB, ECR_SNS, JFROG, Known, QUAY};

fn refusal(known: &Known, options: Options) -> Option<InvalidSender> {
    Sender::new(known.kind, known.trust(), options).err()
}

#[test]
fn options_that_do_not_go_with_a_kind_are_refused() {
    let registry = Some("r.example".parse().unwrap());
    for kind in Kind::ALL {
        let known = ALL.iter().find(|known| known.kind == kind).unwrap();
        let options = |signing, keys: &[(&str, &str)]| Options {
            registry: registry.clone(),
            signing,
            repo_key_map: keys.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect(),
            origins: Vec::new(),
        };
        assert_eq!(refusal(known, options(false, &[])), None);
        let signs = matches!(kind, Kind::JFrog | Kind::CloudEvents);
        assert_eq!(refusal(known, options(true, &[])), (!signs).then_some(InvalidSender::Signing(kind)));
        let keys = refusal(known, options(false, &[("a", "b")]));
        assert_eq!(keys, (kind != Kind::JFrog).then_some(InvalidSender::RepoKeys(kind)));
        let without = refusal(known, Options::default());
        assert_eq!(without, (kind == Kind::Nexus).then_some(InvalidSender::Registry(kind)));
        let asked = Options { origins: vec!["a.example".to_owned()], ..options(false, &[]) };
        let asking = refusal(known, asked);
        assert_eq!(asking, (kind != Kind::AcrEventGrid).then_some(InvalidSender::Origins(kind)));
    }
}

#[test]
fn a_kind_is_known_by_what_it_proves_itself_with_and_by_nothing_else() {
    for (known, other) in [
        (&ARTIFACT_REGISTRY, &ECR_SNS),
        (&ARTIFACT_REGISTRY, &ACR),
        (&ECR_SNS, &ARTIFACT_REGISTRY),
        (&ECR_SNS, &ACR_EVENT_GRID),
        (&ACR_EVENT_GRID, &ARTIFACT_REGISTRY),
        (&JFROG, &ECR_SNS),
    ] {
        let refusal = Sender::new(known.kind, other.trust(), known.options()).err();
        assert_eq!(refusal, Some(InvalidSender::Trust(known.kind)), "{known:?} {other:?}");
    }
}

#[test]
fn the_registry_that_is_configured_takes_the_place_of_the_messages() {
    for known in &ALL {
        let options = Options { registry: Some("other.example".parse().unwrap()), ..known.options() };
        let parsed = known.request("Bearer-old-4f1d", known.body()).to(&known.sender_with(options)).unwrap();
        let host = parsed.elements.iter().map(|one| match one {
            registry::webhook::Element::Pushed(pushed) => pushed.repository.host().to_string(),
            registry::webhook::Element::Unusable { reason, .. } => reason.clone(),
        });
        assert_eq!(host.collect::<Vec<_>>(), ["other.example"], "{known:?}");
    }
}

#[test]
fn a_repository_of_artifactory_is_pulled_under_the_key_that_is_configured() {
    let keys = BTreeMap::from([("docker-local".to_owned(), "docker".to_owned())]);
    let sender = JFROG.sender_with(Options { repo_key_map: keys, ..JFROG.options() });
    let parsed = JFROG.request("Bearer-old-4f1d", JFROG.body()).to(&sender).unwrap();
    assert!(format!("{:?}", parsed.elements).contains("docker/shop/mandelbrot"), "{parsed:?}");
}

#[test]
fn what_to_do_at_the_registry_is_said_in_short_lines_and_a_kind_is_called_by_its_word() {
    for known in &ALL {
        let setup = known.sender().setup();
        assert!((10..=120).contains(&setup.place.len()), "{}", setup.place);
        assert!((10..=200).contains(&setup.credential.len()), "{}", setup.credential);
        assert_eq!(known.kind.as_str().parse(), Ok(known.kind));
    }
    assert_eq!(DOCKER_HUB.sender().setup().parameter, Some("secret"));
    assert_eq!(QUAY.sender().setup().parameter, Some("secret"));
    assert_eq!(JFROG.sender().setup().parameter, None);
    assert!("Quay".parse::<Kind>().is_err());
}
