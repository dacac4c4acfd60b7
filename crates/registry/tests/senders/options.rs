//! What is said of a sender besides its kind and its secrets.

use std::collections::BTreeMap;

use registry::webhook::{InvalidSender, Kind, Options, Secrets, Sender};

use crate::known::{ALL, DOCKER_HUB, JFROG, QUAY};

fn refusal(kind: Kind, options: Options) -> Option<InvalidSender> {
    Sender::new(kind, Secrets::new(vec!["s".into()]).unwrap(), options).err()
}

#[test]
fn options_that_do_not_go_with_a_kind_are_refused() {
    let registry = Some("r.example".parse().unwrap());
    for kind in Kind::ALL {
        let options = |signing, keys: &[(&str, &str)]| Options {
            registry: registry.clone(),
            signing,
            repo_key_map: keys.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect(),
        };
        assert_eq!(refusal(kind, options(false, &[])), None);
        let signs = matches!(kind, Kind::JFrog | Kind::CloudEvents);
        assert_eq!(refusal(kind, options(true, &[])), (!signs).then_some(InvalidSender::Signing(kind)));
        let keys = refusal(kind, options(false, &[("a", "b")]));
        assert_eq!(keys, (kind != Kind::JFrog).then_some(InvalidSender::RepoKeys(kind)));
        let without = refusal(kind, Options::default());
        assert_eq!(without, (kind == Kind::Nexus).then_some(InvalidSender::Registry(kind)));
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
        assert!((10..=120).contains(&setup.credential.len()), "{}", setup.credential);
        assert_eq!(known.kind.as_str().parse(), Ok(known.kind));
    }
    assert_eq!(DOCKER_HUB.sender().setup().parameter, Some("secret"));
    assert_eq!(QUAY.sender().setup().parameter, Some("secret"));
    assert_eq!(JFROG.sender().setup().parameter, None);
    assert!("Quay".parse::<Kind>().is_err());
}
