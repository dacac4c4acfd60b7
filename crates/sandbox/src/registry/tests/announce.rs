//! Notifications, as an endpoint receives them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode as Status},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::*;

/// An endpoint that refuses the first few requests.
#[derive(Clone)]
struct Ear(Arc<Mutex<Heard>>);

struct Heard {
    refuse: usize,
    requests: Vec<(HeaderMap, Value)>,
}

impl Ear {
    async fn listen(refuse: usize) -> (Self, String, JoinHandle<()>) {
        let ear = Self(Arc::new(Mutex::new(Heard { refuse, requests: Vec::new() })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(hear).with_state(ear.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (ear, url, task)
    }

    fn requests(&self) -> Vec<(HeaderMap, Value)> {
        self.0.lock().unwrap().requests.clone()
    }

    /// Everything that was announced: action, repository, tag and kind.
    fn told(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        self.requests()
            .iter()
            .map(|(_headers, body)| {
                let event = &body["events"][0];
                let target = &event["target"];
                let kind = text(&target["mediaType"]);
                let kind = kind.split('.').nth(3).unwrap_or(&kind);
                format!("{} {} {} {kind}", text(&event["action"]), text(&target["repository"]), text(&target["tag"]))
            })
            .collect()
    }
}

async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: Bytes) -> Status {
    let mut heard = ear.0.lock().unwrap();
    heard.requests.push((headers, serde_json::from_slice(&body).unwrap()));
    if heard.refuse > 0 {
        heard.refuse -= 1;
        return Status::SERVICE_UNAVAILABLE;
    }
    Status::ACCEPTED
}

async fn scene(refuse: usize) -> (Scene, Ear, JoinHandle<()>) {
    let (ear, url, task) = Ear::listen(refuse).await;
    let options = Options { backoff: Duration::from_millis(1), ..Options::default() };
    let scene = Scene::new(options).await;
    scene.registry.set_notifications(&url, Some("Bearer hush"));
    (scene, ear, task)
}

#[tokio::test]
async fn a_push_is_announced_as_the_real_registry_does() {
    let (scene, ear, task) = scene(0).await;
    let pushed = scene.registry.push_image("shop/app", "v1", &Image::default()).unwrap();
    scene.registry.notified().await;
    assert_eq!(
        ear.told(),
        [
            "push shop/app - application/octet-stream",
            "push shop/app - application/octet-stream",
            "push shop/app v1 manifest",
        ]
    );
    let (headers, body) = ear.requests().pop().unwrap();
    assert_eq!(headers["authorization"], "Bearer hush");
    assert_eq!(headers["content-type"], "application/vnd.docker.distribution.events.v2+json");
    let (host, event) = (scene.registry.host(), &body["events"][0]);
    let size = event["target"]["size"].clone();
    assert_eq!(
        event["target"],
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": pushed.as_str(),
            "size": size, "length": size, "repository": "shop/app", "tag": "v1",
            "url": format!("http://{host}/v2/shop/app/manifests/{pushed}"),
        })
    );
    assert_eq!(event["request"]["method"], "PUT");
    assert_eq!(event["actor"], json!({}));
    scene.registry.shutdown().await;
    task.abort();
}

#[tokio::test]
async fn an_index_is_announced_after_its_images_which_have_no_tag() {
    let (scene, ear, task) = scene(0).await;
    let index = Image::default().platform("linux/amd64").platform("linux/arm64");
    scene.registry.push_image("app", "v1", &index).unwrap();
    scene.registry.notified().await;
    let mut told = ear.told();
    told.retain(|one| !one.ends_with("octet-stream"));
    assert_eq!(told, ["push app - manifest", "push app - manifest", "push app v1 index"]);
    scene.registry.shutdown().await;
    task.abort();
}

#[tokio::test]
async fn pulls_mounts_and_deletes_are_announced() {
    let (scene, ear, task) = scene(0).await;
    let pushed = scene.registry.push_image("app", "v1", &Image::default()).unwrap();
    let blob = super::super::contents::digest(&super::super::image::compressed());
    let mount = format!("/v2/other/blobs/uploads/?mount={blob}&from=app");
    scene.send("HEAD", "/v2/app/manifests/v1", "", 200).await;
    scene.send("POST", &mount, "", 201).await;
    scene.send("DELETE", &format!("/v2/app/manifests/{pushed}"), "", 202).await;
    scene.registry.notified().await;
    assert_eq!(
        ear.told().get(3..).unwrap_or_default(),
        ["pull app v1 manifest", "mount other - application/octet-stream", "delete app - ", "delete app v1 ",]
    );
    scene.registry.shutdown().await;
    task.abort();
}

#[tokio::test]
async fn a_refused_notification_is_repeated_with_its_id_and_holds_up_the_others() {
    let (scene, ear, task) = scene(3).await;
    scene.registry.push_image("app", "v1", &Image::default()).unwrap();
    scene.registry.notified().await;
    let ids: Vec<Value> = ear.requests().iter().map(|(_headers, body)| body["events"][0]["id"].clone()).collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().take(4).all(|id| *id == ids[0]), "{ids:?}");
    assert!(ids[3] != ids[4] && ids[4] != ids[5], "{ids:?}");
    scene.registry.shutdown().await;
    task.abort();
}

#[tokio::test]
async fn a_registry_ends_although_nobody_takes_its_notifications() {
    let (scene, _ear, task) = scene(usize::MAX).await;
    scene.registry.push_image("app", "v1", &Image::default()).unwrap();
    let list = scene.send("GET", "/_sim/notifications", "", 200).await;
    let list: Value = list.json().await.unwrap();
    assert_eq!(list[0]["pending"], 3);
    scene.registry.shutdown().await;
    task.abort();
}
