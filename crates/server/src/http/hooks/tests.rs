//! Bodies that never come, and a store that is not there.

use std::{collections::BTreeSet, convert::Infallible};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, Request, header},
    response::{IntoResponse as _, Response},
};
use registry::webhook::{Kind, Options, Secrets};
use secrecy::SecretString;
use tower::ServiceExt as _;

use super::*;
use crate::{
    config::LimitSettings,
    http::{Limits, Shared, router, tally::Tally},
};

/// A Git host that nobody asks anything.
fn forge() -> ::forge::Forge {
    let credentials = ::forge::Credentials::Token("token".into());
    let settings = ::forge::Settings::new("https://api.github.com".parse().unwrap(), credentials, "unused".into());
    ::forge::Forge::new(settings).unwrap()
}

async fn text_of(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The routes over a store of their own, with one registry as sender.
async fn routes(directory: &std::path::Path) -> (Router, store::Store) {
    let url = format!("sqlite://{}", directory.join("x.db").display());
    let store = store::Store::open(&url, Utc::now()).await.unwrap();
    let secrets = Secrets::new(vec![SecretString::from("secret")]).unwrap();
    let options = Options { registry: Some("registry.example".parse().unwrap()), ..Options::default() };
    let sender = registry::webhook::Sender::new(Kind::Distribution, secrets, options).unwrap();
    let door = Door::from(Sender::Registry(sender));
    let shared = Shared {
        reports: None,
        store: store.clone(),
        waker: reconciler::Waker::default(),
        readiness: std::sync::Arc::default(),
        reconciler: None,
        forge: forge(),
        doors: [("hub".to_owned(), door)].into(),
        applications: Vec::new(),
        watched: BTreeSet::new(),
        tokens: Vec::new(),
        strangers: Tally::default(),
        limits: Limits::new(&LimitSettings::default(), ["hub"]),
    };
    (router(State::new(shared)), store)
}

fn pushed() -> Request<Body> {
    let body = r#"{"events":[{"id":"1","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"a","tag":"b"}}]}"#;
    Request::post("/v1/hooks/hub").header(header::AUTHORIZATION, "secret").body(Body::from(body)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>());
    let problem = read_body(&HeaderMap::new(), never).await.unwrap_err();
    assert_eq!(problem, Problem::incomplete());
    let response = problem.into_response();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert!(text_of(response).await.contains("the body did not arrive in time"));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_whatever_length_it_claims() {
    let read = async |claimed: Option<&'static str>, size: usize| {
        let mut headers = HeaderMap::new();
        headers.extend(claimed.map(|claimed| (header::CONTENT_LENGTH, HeaderValue::from_static(claimed))));
        read_body(&headers, Body::from(vec![b' '; size])).await.map(|bytes| bytes.len())
    };
    assert_eq!(read(None, LARGEST_BODY).await, Ok(LARGEST_BODY));
    assert_eq!(read(Some("5"), LARGEST_BODY + 1).await, Err(Problem::too_large(LARGEST_BODY)));
    assert_eq!(read(Some("99999999999999999999"), 1).await, Ok(1));
    assert_eq!(read(Some("1048577"), 1).await, Err(Problem::too_large(LARGEST_BODY)));
}

#[tokio::test]
async fn a_store_that_is_not_there_is_answered_503_so_that_the_sender_tries_again() {
    let directory = tempfile::TempDir::new().unwrap();
    let (routes, store) = routes(directory.path()).await;
    let accepted = routes.clone().oneshot(pushed()).await.unwrap();
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    store.close().await.unwrap();
    let refused = routes.oneshot(pushed()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let said = text_of(refused).await;
    assert!(said.contains("the store is not available; try again") && !said.contains("pool"), "{said}");
}

#[tokio::test]
async fn a_push_that_no_application_is_about_is_settled_before_it_is_answered() {
    let directory = tempfile::TempDir::new().unwrap();
    let (routes, store) = routes(directory.path()).await;
    assert_eq!(routes.oneshot(pushed()).await.unwrap().status(), StatusCode::ACCEPTED);
    let kept = store.deliveries(None, 10).await.unwrap();
    let [delivery] = kept.as_slice() else { panic!("{kept:?}") };
    let [ignored] = delivery.announcements.as_slice() else { panic!("{delivery:?}") };
    assert_eq!(ignored.verdict, "ignored");
    assert_eq!(ignored.reason.as_deref(), Some("no application uses registry.example/a"));
    assert_eq!(store.next_due(Utc::now()).await.unwrap(), None);
}
