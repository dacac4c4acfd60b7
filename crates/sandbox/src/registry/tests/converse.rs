//! Pushing, pulling, listing and deleting, request by request.

use serde_json::{Value, json};

use super::{super::contents::digest, *};

#[tokio::test]
async fn a_blob_arrives_in_chunks_in_one_piece_or_from_another_repository() {
    let scene = Scene::new(Options::default()).await;
    let whole = digest(b"hello world");
    let begun = scene.send("POST", "/v2/a/b/blobs/uploads/", "", 202).await;
    let upload = header(&begun, "location").to_owned();
    assert_eq!(header(&begun, "range"), "0-0");
    let chunk = scene.send("PATCH", &upload, "hello ", 202).await;
    assert_eq!(header(&chunk, "range"), "0-5");
    let wrong = scene.client.patch(scene.url(&upload)).body("x");
    let wrong = wrong.header("content-range", "9-9").send().await.unwrap();
    assert_eq!(wrong.status(), 416);
    let right = scene.client.patch(scene.url(&upload)).body("wor");
    let right = right.header("content-range", "6-8").send().await.unwrap();
    assert_eq!(right.status(), 202);
    let looked = scene.send("GET", &upload, "", 204).await;
    assert_eq!(header(&looked, "range"), "0-8");
    let ended = format!("{upload}?digest={whole}");
    let created = scene.send("PUT", &ended, "ld", 201).await;
    let blob = header(&created, "location").to_owned();
    assert_eq!(blob, format!("/v2/a/b/blobs/{whole}"));
    let got = scene.send("GET", &blob, "", 200).await;
    assert_eq!(got.text().await.unwrap(), "hello world");

    let mount = format!("/v2/c/blobs/uploads/?mount={whole}&from=a/b");
    scene.send("POST", &mount, "", 201).await;
    let head = scene.send("HEAD", &format!("/v2/c/blobs/{whole}"), "", 200).await;
    assert_eq!(header(&head, "content-length"), "11");
    assert_eq!(header(&head, "docker-content-digest"), whole.as_str());
    let unknown = format!("/v2/d/blobs/uploads/?mount={whole}&from=nobody");
    scene.send("POST", &unknown, "", 202).await;

    let single = format!("/v2/d/blobs/uploads/?digest={}", digest(b"one"));
    scene.send("POST", &single, "one", 201).await;
    scene.send("DELETE", &format!("/v2/c/blobs/{whole}"), "", 202).await;
    scene.send("GET", &format!("/v2/c/blobs/{whole}"), "", 404).await;
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_refused_in_its_words() {
    let scene = Scene::new(Options::default()).await;
    let some = digest(b"some");
    let manifest = json!({
        "schemaVersion": 2, "config": { "digest": some.as_str() }, "layers": [],
    });
    let manifest = manifest.to_string();
    let wrong = format!("/v2/a/manifests/{some}");
    let upload = format!("/v2/a/blobs/uploads/?digest={some}");
    for (method, path, body, status, code) in [
        ("GET", "/v2/a/manifests/v1", "", 404, "MANIFEST_UNKNOWN"),
        ("GET", "/v2/a/tags/list", "", 404, "NAME_UNKNOWN"),
        ("GET", "/v2/A/tags/list", "", 400, "NAME_INVALID"),
        ("PUT", "/v2/a/manifests/-", "{}", 400, "TAG_INVALID"),
        ("PUT", "/v2/a/manifests/v1", "[", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/a/manifests/v1", "{}", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/a/manifests/v1", &manifest, 400, "MANIFEST_BLOB_UNKNOWN"),
        ("PUT", &wrong, "{}", 400, "DIGEST_INVALID"),
        ("POST", &upload, "other", 400, "DIGEST_INVALID"),
        ("PATCH", "/v2/a/blobs/uploads/x", "", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("POST", "/v2/a/manifests/v1", "", 405, "UNSUPPORTED"),
        ("GET", "/v1/search", "", 404, "NOT_FOUND"),
    ] {
        assert_eq!(scene.refused(method, path, body, status).await, code, "{method} {path}");
    }
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn an_image_is_found_by_tag_and_by_digest_until_it_is_deleted() {
    let scene = Scene::new(Options::default()).await;
    let image = Image::default().label("org.opencontainers.image.revision", "c0ffee");
    let pushed = scene.registry.push_image("shop/app", "v1", &image).unwrap();
    let again = scene.registry.push_image("shop/app", "v2", &image).unwrap();
    assert_eq!(pushed, again);
    let by_digest = format!("/v2/shop/app/manifests/{pushed}");
    for path in ["/v2/shop/app/manifests/v1", &by_digest] {
        let head = scene.send("HEAD", path, "", 200).await;
        assert_eq!(header(&head, "docker-content-digest"), pushed.as_str());
        let got = scene.send("GET", path, "", 200).await;
        assert_eq!(header(&got, "content-type"), "application/vnd.oci.image.manifest.v1+json");
        let manifest: Value = got.json().await.unwrap();
        let config = manifest["config"]["digest"].as_str().unwrap();
        let config = format!("/v2/shop/app/blobs/{config}");
        let config: Value = scene.send("GET", &config, "", 200).await.json().await.unwrap();
        assert_eq!(config["config"]["Labels"], json!(image.labels));
    }
    scene.send("DELETE", "/v2/shop/app/manifests/v1", "", 202).await;
    scene.send("GET", "/v2/shop/app/manifests/v1", "", 404).await;
    scene.send("GET", "/v2/shop/app/manifests/v2", "", 200).await;
    scene.send("DELETE", &by_digest, "", 202).await;
    scene.send("GET", "/v2/shop/app/manifests/v2", "", 404).await;
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn tags_are_listed_in_order_and_page_by_page() {
    let scene = Scene::new(Options::default()).await;
    for tag in ["c", "a", "b"] {
        scene.registry.push_image("app", tag, &Image::default()).unwrap();
    }
    let mut path = "/v2/app/tags/list?n=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = scene.send("GET", &path, "", 200).await;
        let link = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let list: Value = page.json().await.unwrap();
        pages.push(list["tags"].clone());
        let Some(link) = link else { break };
        let (next, relation) = link.split_once('>').unwrap();
        assert_eq!(relation, "; rel=\"next\"");
        path = next.trim_start_matches('<').to_owned();
    }
    assert_eq!(pages, [json!(["a", "b"]), json!(["c"])]);
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn a_registry_with_a_user_challenges_everybody_else() {
    let options = Options { user: Some(alice()), ..Options::default() };
    let scene = Scene::new(options).await;
    let refused = scene.send("GET", "/v2/", "", 401).await;
    assert_eq!(header(&refused, "www-authenticate"), "Basic realm=\"sandbox registry\"");
    for (password, status) in [("sesame", 200), ("sesam", 401)] {
        let request = scene.client.get(scene.url("/v2/")).basic_auth("alice", Some(password));
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn faults_meet_as_many_requests_as_they_say_and_all_is_recorded() {
    let scene = Scene::new(Options::default()).await;
    let fault = json!({
        "match": { "method": "GET", "path": "/v2/app/", "times": 2 },
        "do": { "kind": "answer", "status": 429, "headers": { "Retry-After": "3" } },
    });
    let added = scene.client.post(scene.url("/_sim/faults")).json(&fault);
    assert_eq!(added.send().await.unwrap().status(), 200);
    for _ in 0..2 {
        let limited = scene.send("GET", "/v2/app/tags/list?n=1", "", 429).await;
        assert_eq!(header(&limited, "retry-after"), "3");
    }
    assert_eq!(scene.refused("GET", "/v2/app/tags/list", "", 404).await, "NAME_UNKNOWN");
    let list: Value = scene.send("GET", "/_sim/requests", "", 200).await.json().await.unwrap();
    assert_eq!(list, json!(scene.registry.requests()));
    assert_eq!(
        list[1],
        json!({
            "number": 1, "method": "GET", "path": "/v2/app/tags/list", "query": "n=1", "user_agent": "",
            "authorized": false, "operations": [], "mutating": false, "status": 429,
            "fault": { "kind": "answer", "status": 429, "body": null, "headers": { "Retry-After": "3" } },
        })
    );
    scene.send("DELETE", "/_sim/requests", "", 200).await;
    assert_eq!(scene.registry.requests(), []);
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn an_image_is_pushed_by_one_request() {
    let scene = Scene::new(Options::default()).await;
    let image = json!({
        "repository": "shop/app", "tag": "v1", "labels": { "a": "b" }, "platforms": ["linux/amd64"],
    });
    let pushed = scene.client.post(scene.url("/_sim/images")).json(&image);
    let pushed: Value = pushed.send().await.unwrap().json().await.unwrap();
    let head = scene.send("HEAD", "/v2/shop/app/manifests/v1", "", 200).await;
    let expected = json!({
        "host": scene.registry.host(), "repository": "shop/app", "tag": "v1",
        "digest": header(&head, "docker-content-digest"),
    });
    assert_eq!(pushed, expected);
    assert_eq!(header(&head, "content-type"), "application/vnd.oci.image.index.v1+json");
    let illegal = json!({ "repository": "Shop", "tag": "v1" });
    let refused = scene.client.post(scene.url("/_sim/images")).json(&illegal).send();
    let refused = refused.await.unwrap();
    assert_eq!(refused.status(), 422);
    let message = json!({ "message": "not the name of a repository in a registry" });
    assert_eq!(refused.json::<Value>().await.unwrap(), message);
    scene.registry.shutdown().await;
}
