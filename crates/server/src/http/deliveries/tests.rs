use std::collections::BTreeSet;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    response::Response,
};
use chrono::Utc;
use registry::webhook::{Kind, Options, Secrets};
use sha2::{Digest as _, Sha256};
use store::{AnnouncementVerdict, DeliveryRow};
use tower::ServiceExt as _;

use crate::{
    config::{ApiToken, LimitSettings, Role, Sender},
    http::{Door, Limits, Shared, State, Tally, router},
};

/// A push as CNCF Distribution announces it, that does not say which registry it is from, and one that no registry
/// could have.
const BODY: &str = r#"{"events":[{"id":"1","action":"push","target":{
    "mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"mandelbrot","tag":"sha-1"}},
    {"id":"2","action":"push","target":{
    "mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"Mandelbrot","tag":"sha-1"}}]}"#;

/// A Git host that nobody asks anything.
fn forge() -> ::forge::Forge {
    let credentials = ::forge::Credentials::Token("token".into());
    let settings = ::forge::Settings::new("https://api.github.com".parse().unwrap(), credentials, "unused".into());
    ::forge::Forge::new(settings).unwrap()
}

/// The routes over a store, with one sender and a token of each role.
fn routes(store: &store::Store, sender: Sender) -> Router {
    let token = |name: &str, role| ApiToken { name: name.to_owned(), sha256: Sha256::digest(name).into(), role };
    router(State::new(Shared {
        reports: None,
        store: store.clone(),
        waker: reconciler::Waker::default(),
        readiness: std::sync::Arc::default(),
        reconciler: None,
        forge: forge(),
        doors: [("hub".to_owned(), Door::from(sender))].into(),
        applications: Vec::new(),
        watched: BTreeSet::new(),
        tokens: vec![token("vi", Role::Viewer), token("re", Role::Releaser), token("ad", Role::Admin)],
        strangers: Tally::default(),
        limits: Limits::new(&LimitSettings::default(), ["hub"]),
    }))
}

fn sender(kind: Kind, registry: Option<&str>) -> Sender {
    let secrets = Secrets::new(vec!["secret".into()]).unwrap();
    let options = Options { registry: registry.map(|host| host.parse().unwrap()), ..Options::default() };
    Sender::Registry(registry::webhook::Sender::new(kind, secrets, options).unwrap())
}

async fn opened(directory: &std::path::Path) -> store::Store {
    let url = format!("sqlite://{}", directory.join("x.db").display());
    store::Store::open(&url, Utc::now()).await.unwrap()
}

async fn deliver(routes: &Router) {
    let request = Request::post("/v1/hooks/hub").header("authorization", "secret").body(Body::from(BODY)).unwrap();
    assert_eq!(routes.clone().oneshot(request).await.unwrap().status(), StatusCode::ACCEPTED);
}

async fn replay(routes: &Router, id: &str, token: Option<&str>) -> Response {
    let mut request = Request::post(format!("/v1/deliveries/{id}/replay"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text_of(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn only(store: &store::Store) -> DeliveryRow {
    let [one] = store.deliveries(None, 9).await.unwrap().try_into().unwrap();
    one
}

/// What the only delivery says and what became of that.
async fn said(store: &store::Store) -> Vec<(String, String)> {
    let said = |row: store::AnnouncementRow| (row.repository.unwrap_or(row.kind), row.verdict);
    only(store).await.announcements.into_iter().map(said).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(what, verdict)| ((*what).to_owned(), (*verdict).to_owned())).collect()
}

async fn ignore_all(store: &store::Store) {
    while let Some(claim) = store.claim_due(Utc::now(), std::time::Duration::from_secs(60)).await.unwrap() {
        let verdict = AnnouncementVerdict::Ignored { reason: "no application uses it".to_owned() };
        store.settle_announcement(&claim, &verdict).await.unwrap();
    }
}

#[tokio::test]
async fn who_may_only_read_or_is_not_known_has_nothing_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(directory.path()).await;
    let routes = routes(&store, sender(Kind::Distribution, Some("r.example")));
    deliver(&routes).await;
    ignore_all(&store).await;
    let before = only(&store).await;
    let id = before.id.to_string();
    for (token, status, kind) in [
        (None, StatusCode::UNAUTHORIZED, "unauthenticated"),
        (Some("nobody"), StatusCode::UNAUTHORIZED, "unauthenticated"),
        (Some("vi"), StatusCode::FORBIDDEN, "forbidden"),
    ] {
        // Whether there is such a delivery is not for them.
        for id in [id.as_str(), "77", "x"] {
            let answer = replay(&routes, id, token).await;
            assert_eq!(answer.status(), status, "{token:?} {id}");
            let text = text_of(answer).await;
            assert!(text.contains(&format!("https://tagferry.dev/problems/{kind}")), "{text}");
        }
    }
    assert_eq!(only(&store).await, before);
    for token in ["re", "ad"] {
        assert_eq!(replay(&routes, &id, Some(token)).await.status(), StatusCode::ACCEPTED, "{token}");
        for id in ["77", "x", "0"] {
            assert_eq!(replay(&routes, id, Some(token)).await.status(), StatusCode::NOT_FOUND, "{token} {id}");
        }
    }
}

#[tokio::test]
async fn a_replay_is_answered_with_the_delivery_whose_announcements_are_pending_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(directory.path()).await;
    let routes = routes(&store, sender(Kind::Distribution, Some("r.example")));
    deliver(&routes).await;
    ignore_all(&store).await;
    let id = only(&store).await.id.to_string();
    let answer = text_of(replay(&routes, &id, Some("re")).await).await;
    assert!(answer.starts_with(&format!(r#"{{"id":"{id}","sender":"hub","#)), "{answer}");
    assert!(answer.contains(r#""verdict":"pending","reason":"replayed by re""#), "{answer}");
    let again = text_of(replay(&routes, &id, Some("ad")).await).await;
    assert_eq!(again, answer, "what is pending already stays as it is");
    assert_eq!(said(&store).await, pairs(&[("r.example/mandelbrot", "pending"), ("unusable", "unusable")]));
}

#[tokio::test]
async fn the_kept_body_is_read_as_its_sender_is_configured_now() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(directory.path()).await;
    let without = routes(&store, sender(Kind::Distribution, None));
    deliver(&without).await;
    assert_eq!(said(&store).await, pairs(&[("unusable", "unusable"), ("unusable", "unusable")]));
    let id = only(&store).await.id.to_string();
    replay(&without, &id, Some("re")).await;
    assert_eq!(said(&store).await, pairs(&[("unusable", "unusable"), ("unusable", "unusable")]));

    let mended = routes(&store, sender(Kind::Distribution, Some("r.example")));
    replay(&mended, &id, Some("re")).await;
    let pending = pairs(&[("r.example/mandelbrot", "pending"), ("unusable", "unusable")]);
    assert_eq!(said(&store).await, pending);

    // A sender of that name that speaks otherwise now understands nothing of it, and takes nothing away.
    ignore_all(&store).await;
    let other = routes(&store, sender(Kind::Nexus, Some("r.example")));
    replay(&other, &id, Some("re")).await;
    assert_eq!(said(&store).await, pending);
}

#[tokio::test]
async fn a_delivery_of_a_sender_that_is_gone_is_replayed_as_it_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(directory.path()).await;
    deliver(&routes(&store, sender(Kind::Distribution, Some("r.example")))).await;
    ignore_all(&store).await;
    let forge = Sender::GitHub { secrets: vec!["secret".into()] };
    let id = only(&store).await.id.to_string();
    assert_eq!(replay(&routes(&store, forge), &id, Some("re")).await.status(), StatusCode::ACCEPTED);
    assert_eq!(said(&store).await, pairs(&[("r.example/mandelbrot", "pending"), ("unusable", "unusable")]));
}
