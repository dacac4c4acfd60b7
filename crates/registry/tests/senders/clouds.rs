//! What the registries of clouds announce through the clouds' own messengers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    announced::{DIGEST, TAG, UNWANTED, check, check_body},
    known::{
        ACR_EVENT_GRID, ACR_EVENT_GRID_CLOUDEVENTS, ARTIFACT_REGISTRY, ARTIFACT_REGISTRY_UNWRAPPED, ECR, ECR_SNS, Known,
    },
};

/// Checks what Google's registry says with other values in some places, in an envelope and without.
fn check_google(edits: &[(&str, Value)], expected: &[&str]) {
    let data = ARTIFACT_REGISTRY_UNWRAPPED.edited(edits);
    check(&ARTIFACT_REGISTRY, &[("/message/data", json!(STANDARD.encode(&data)))], &in_envelope(expected));
    check_body(&ARTIFACT_REGISTRY_UNWRAPPED, data, expected);
}

/// What is unusable is so for the same reason, and elsewhere.
fn in_envelope<'a>(expected: &[&'a str]) -> Vec<&'a str> {
    expected
        .iter()
        .map(|one| one.strip_prefix("unusable: tag").map_or(*one, |_| "unusable: message.data.tag"))
        .collect()
}

#[test]
fn google_announces_tags_that_were_inserted_in_an_envelope_or_without() {
    const PUSHED: &[&str] = &["europe-west1-docker.pkg.dev/acme-prod/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    check_google(&[], PUSHED);
    check_google(&[("/action", json!("DELETE"))], UNWANTED);
    check_google(&[("/action", json!("UPDATE"))], UNWANTED);
    for none in [json!(""), json!(null)] {
        check_google(&[("/tag", none)], UNWANTED);
    }
    let legacy = [("/tag", json!(format!("gcr.io/acme.example/acme-prod/app:{TAG}"))), ("/digest", json!(null))];
    check_google(&legacy, &["gcr.io/acme.example/acme-prod/app:TAG -"]);
    check_google(&[("/digest", json!(7))], &["europe-west1-docker.pkg.dev/acme-prod/shop/mandelbrot:TAG -"]);
    let other = format!("europe-west1-docker.pkg.dev/acme-prod/shop/other@{DIGEST}");
    check_google(&[("/digest", json!(other))], &["unusable: digest and tag are not of one image repository"]);
    for broken in ["mandelbrot:v1", "gcr.io/acme/app", &format!("gcr.io/acme/app@{DIGEST}")] {
        check_google(&[("/tag", json!(broken))], &["unusable: tag is not an image with its host and its tag"]);
    }
    check_google(&[("/tag", json!("gcr.io/acme/../app:v1"))], &["unusable: digest and tag are not of one"]);
    check_google(&[("/tag", json!(["gcr.io/acme/app:v1"]))], &["unusable: tag is not a string"]);
}

#[test]
fn an_envelope_of_google_is_taken_whatever_is_in_it() {
    let data = |data: Value| [("/message/data", data)];
    check(&ARTIFACT_REGISTRY, &data(json!(null)), UNWANTED);
    check(&ARTIFACT_REGISTRY, &data(json!("-_-_")), &["unusable: message.data is not base64"]);
    check(&ARTIFACT_REGISTRY, &data(json!("aGVsbG8=")), &["unusable: message.data is not a JSON object"]);
    check(&ARTIFACT_REGISTRY, &data(json!("/w==")), &["unusable: the body is not UTF-8 text"]);
    check(&ARTIFACT_REGISTRY, &data(json!(7)), &["unusable: message.data is not a string"]);
    check(&ARTIFACT_REGISTRY, &[("/message", json!("x"))], &["unusable: message is not a JSON object"]);
    check_body(&ARTIFACT_REGISTRY, b"nonsense".to_vec(), &["unusable: the body is not a JSON object"]);
    let deep = STANDARD.encode(format!("{}1{}", "[".repeat(200), "]".repeat(200)));
    check(&ARTIFACT_REGISTRY, &data(json!(deep)), &["unusable: the body is nested deeper than 128"]);
}

/// Checks what SNS carries when it carries an event of ECR with other values in some places.
fn check_sns(edits: &[(&str, Value)], expected: &[&str]) {
    let event = String::from_utf8(ECR.edited(edits)).unwrap();
    check(&ECR_SNS, &[("/Message", json!(event))], expected);
}

#[test]
fn sns_carries_what_ecr_announces() {
    const PUSHED: &[&str] =
        &["210987654321.dkr.ecr.eu-central-1.amazonaws.com/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    check(&ECR_SNS, &[], PUSHED);
    check_sns(&[], PUSHED);
    check_sns(&[("/detail/action-type", json!("DELETE"))], UNWANTED);
    check_sns(&[("/detail-type", json!("ECR Image Scan"))], UNWANTED);
    check_sns(&[("/detail/image-tag", json!(""))], UNWANTED);
    check_sns(&[("/detail", json!("{'action-type': 'PUSH'}"))], &["unusable: Message.detail is not a JSON object"]);
    let message = |message: &str| [("/Message", json!(message))];
    check(&ECR_SNS, &message("Hello world!"), &["unusable: Message is not a JSON object"]);
    check(&ECR_SNS, &message(""), &["unusable: Message: the body is empty"]);
    check(&ECR_SNS, &message(&"[".repeat(300)), &["unusable: Message: the body is nested deeper than 128"]);
}

/// Both schemas of Event Grid, and where in them the parts are.
const SCHEMAS: [(&Known, &str, &str); 2] =
    [(&ACR_EVENT_GRID, "/0", "/0/eventType"), (&ACR_EVENT_GRID_CLOUDEVENTS, "", "/type")];

#[test]
fn event_grid_carries_what_acr_announces_in_either_schema() {
    const PUSHED: &[&str] = &["acmeregistry.azurecr.io/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    for (known, event, kind) in SCHEMAS {
        let data = format!("{event}/data");
        let at = |place: &str| format!("{data}{place}");
        check(known, &[], PUSHED);
        check(known, &[(kind, json!("ImagePushed"))], PUSHED);
        for other in ["ImageDeleted", "ChartPushed", "ChartDeleted"] {
            check(known, &[(kind, json!(format!("Microsoft.ContainerRegistry.{other}")))], UNWANTED);
        }
        check(known, &[(kind, json!("Microsoft.EventGrid.SubscriptionDeletedEvent"))], UNWANTED);
        check(known, &[(&at("/action"), json!("delete"))], UNWANTED);
        check(known, &[(&at("/target/tag"), json!(null))], UNWANTED);
        check(known, &[(&at("/target/tag"), json!("a b"))], &["unusable: data.target.tag is not usable"]);
        check(
            known,
            &[(kind, json!(7))],
            &[&format!("unusable: the event.{} is not", kind.rsplit('/').next().unwrap())],
        );
        check(known, &[(&data, json!(null))], &["unusable: the event.data is missing"]);
        let body: Value = serde_json::from_slice(&known.body()).unwrap();
        let text = body.pointer(&data).unwrap().to_string();
        check(known, &[(&data, json!(text))], PUSHED);
        check(known, &[(&data, json!("{not json"))], &["unusable: data is not JSON"]);
        check(known, &[(&data, json!("x"))], &["unusable: data is not a JSON object"]);
        let broken = [(&*at("/target/repository"), json!("../x"))];
        check(known, &broken, &["unusable: data.target.repository is not usable"]);
    }
    check_body(&ACR_EVENT_GRID, b"[".to_vec(), &["unusable: the body is not JSON"]);
    check_body(&ACR_EVENT_GRID, b"7".to_vec(), &["unusable: the body is not a JSON object"]);
    check_body(&ACR_EVENT_GRID, b"".to_vec(), &["unusable: the body is empty"]);
}

#[test]
fn each_event_of_a_batch_of_event_grid_stands_or_falls_alone() {
    let first: Value = serde_json::from_slice::<Value>(&ACR_EVENT_GRID.body()).unwrap()[0].clone();
    let validation: Value =
        serde_json::from_slice(&Known { fixture: "acr-event-grid-validation", ..ACR_EVENT_GRID }.body()).unwrap();
    let mut second = first.clone();
    second["id"] = json!("another");
    second["data"]["target"]["tag"] = json!("v2");
    let batch = json!([first, 7, second, { "eventType": "Other" }, validation[0], second]).to_string();
    check_body(
        &ACR_EVENT_GRID,
        batch.into_bytes(),
        &[
            "acmeregistry.azurecr.io/shop/mandelbrot:TAG sha256:6105d6cc76af",
            "unusable: the event is not a JSON object",
            "acmeregistry.azurecr.io/shop/mandelbrot:v2 sha256:6105d6cc76af",
            "unusable: a validation stands beside other events",
            "unwanted",
        ],
    );
}
