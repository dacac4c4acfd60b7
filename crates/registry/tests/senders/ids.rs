//! By what a delivery is recognised when it comes again.

use crate::known::{ALL, CLOUDEVENTS, HARBOR, Known, QUAY, SECRETS};

fn id(known: &Known, secret: &str, body: Vec<u8>) -> String {
    known.request(secret, body).to(&known.sender()).unwrap().id
}

#[test]
fn a_repeated_delivery_has_the_same_id_whichever_secret_it_came_with() {
    for known in &ALL {
        let first = id(known, SECRETS[0], known.body());
        assert_eq!(first, id(known, SECRETS[1], known.body()), "{known:?}");
        assert!((1..=128).contains(&first.len()), "{first}");
    }
}

#[test]
fn the_id_is_the_senders_own_where_it_has_one() {
    for known in &ALL {
        let id = id(known, SECRETS[0], known.body());
        let own = known.headers.iter().any(|(_, value)| *value == id) || {
            let body = String::from_utf8(known.body()).unwrap();
            body.contains(&format!("d\": \"{id}\""))
        };
        let expected = !matches!(
            known.fixture,
            "docker-hub-push"
                | "harbor-push"
                | "quay-push"
                | "jfrog-push"
                | "aliyun-push"
                | "cloudevents-push"
                | "artifact-registry-insert"
        );
        assert_eq!(own, expected, "{known:?}: {id}");
        assert!(own || id.starts_with("sha256:"), "{known:?}: {id}");
    }
}

#[test]
fn without_an_id_another_body_is_another_delivery() {
    for (known, place) in [(QUAY, "/updated_tags/0"), (HARBOR, "/occur_at")] {
        let other = known.edited(&[(place, serde_json::json!("x"))]);
        assert_ne!(id(&known, SECRETS[0], known.body()), id(&known, SECRETS[0], other));
    }
}

#[test]
fn an_event_is_known_by_its_source_and_its_id_and_by_nothing_else() {
    let with = |place: &str| id(&CLOUDEVENTS, SECRETS[0], CLOUDEVENTS.edited(&[(place, serde_json::json!("x"))]));
    let first = id(&CLOUDEVENTS, SECRETS[0], CLOUDEVENTS.body());
    assert_ne!(first, with("/source"));
    assert_ne!(first, with("/id"));
    assert_eq!(first, with("/time"));
}
