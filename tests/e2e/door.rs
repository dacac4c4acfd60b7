//! Who is let in, and what is said to those who are not, or who say something that can not be used.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::REGISTRY_SECRET,
    tagferry::{TOKEN, text},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const V2: &str = "application/vnd.docker.distribution.events.v2+json";

/// What is said of a body that is no JSON object.
const NO_OBJECT: &str = "the body is not a JSON object";

/// What is said of one that has no list of events.
const NO_ENVELOPE: &str = "the body is not an envelope of events as CNCF Distribution sends them: \
    invalid type: integer `3`, expected a sequence at line 1 column 12";

async fn opened() -> Result<(Scene, Tagferry)> {
    let scene = Scene::start(SceneOptions { forge_webhooks: false, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    Ok((scene, tagferry))
}

/// Posts with the right secret; the status and the answer.
async fn post(tagferry: &Tagferry, media_type: &str, body: impl Into<Vec<u8>>) -> Result<(StatusCode, Value)> {
    let headers = [("authorization", REGISTRY_SECRET), ("content-type", media_type)];
    let answer = tagferry.post("registry", &headers, body).await?;
    Ok((answer.status(), answer.json().await?))
}

/// A push of `tag` to `repository`.
fn pushed(id: &str, action: &str, repository: &str, tag: &str) -> String {
    let target = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": format!("sha256:{}", "a".repeat(64)),
        "repository": repository,
        "tag": tag,
    });
    json!({ "events": [{ "id": id, "action": action, "target": target }] }).to_string()
}

/// The only sentence about what can not be used.
fn unusable(answer: &Value) -> String {
    answer.pointer("/unusable/0").map(text).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_missing_secret_is_refused_and_nothing_is_kept() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let body = pushed("1", "push", "mandelbrot", "latest");
    for (headers, detail) in [
        (vec![], "the request has no credential"),
        (vec![("authorization", "Bearer wrong")], "the request's credential is wrong"),
        (vec![("authorization", "Bearer registry-secre")], "the request's credential is wrong"),
        (vec![("authorization", "Basic registry-secret")], "the request's credential is wrong"),
        (
            vec![("authorization", REGISTRY_SECRET), ("authorization", "Bearer other")],
            "the request has more than one credential",
        ),
    ] {
        let answer = tagferry.post("registry", &headers, body.as_str()).await?;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await?;
        assert_eq!(problem["type"], "https://tagferry.dev/problems/unauthenticated");
        assert_eq!(problem["detail"], detail, "{headers:?}");
    }
    assert!(tagferry.announcements().await?.is_empty());
    // One line for all five within a minute, and none for a name that nobody has.
    tagferry.post("somebody-else", &[], body).await?;
    let log = tagferry.log();
    assert_eq!(log.matches("a delivery was refused").count(), 1, "{log}");
    assert!(log.contains("sender=\"registry\"") && !log.contains("somebody-else"), "{log}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_message_of_the_forge_is_refused() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    for signature in ["", "sha256=00", "sha1=00"] {
        let headers = [("x-hub-signature-256", signature), ("x-github-event", "push"), ("x-github-delivery", "1")];
        let answer = tagferry.post("github", &headers, "{}").await?;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{signature}");
        let problem: Value = answer.json().await?;
        assert_eq!(problem["detail"], "the signature of the message is missing or wrong");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_the_media_type_and_unknown_ones_are_read() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let v1 = "application/vnd.docker.distribution.events.v1+json";
    for (id, media_type) in [("1", v1), ("2", V2), ("3", "application/json"), ("4", "text/plain"), ("5", "no/such")] {
        let (status, answer) = post(&tagferry, media_type, pushed(id, "push", "mandelbrot", "latest")).await?;
        assert_eq!((status, &answer["announcements"]), (StatusCode::ACCEPTED, &json!(1)), "{media_type}");
    }
    let (verdict, reason) = tagferry.reason(&scene.image("azure")?, "latest").await?;
    assert_eq!(verdict, "ignored");
    assert_eq!(reason, "tag does not name a commit: latest is not of the form sha-{commit}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_notification_is_kept_with_the_reason() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    for (body, sentence) in [("<xml/>", NO_OBJECT), ("[]", NO_OBJECT), (r#"{"events": 3}"#, NO_ENVELOPE)] {
        let (status, answer) = post(&tagferry, V2, body).await?;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}: a registry repeats a refusal for ever");
        assert_eq!(unusable(&answer), sentence, "{body}");
        assert_eq!(answer["announcements"], 0, "{body}");
    }
    let kept = tagferry.announcements().await?;
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|one| one["verdict"] == "unusable" && one["reason"].is_string()), "{kept:?}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_illegal_name_does_not_drop_the_good_ones_beside_it() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let good: Value = serde_json::from_str(&pushed("1", "push", "mandelbrot", "latest"))?;
    let bad: Value = serde_json::from_str(&pushed("2", "push", "../etc", "latest"))?;
    let both = json!({ "events": [bad["events"][0], good["events"][0], "junk"] });
    let (status, answer) = post(&tagferry, V2, both.to_string()).await?;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(answer["announcements"], 1);
    assert_eq!(
        answer["unusable"],
        json!([
            "target.repository is not usable: a repository name is made of lower-case letters, digits and the separators . _ __ - /",
            "the event is not a JSON object"
        ])
    );
    assert_eq!(tagferry.reason(&scene.image("azure")?, "latest").await?.0, "ignored");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pulls_and_deletes_are_counted_and_not_kept() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    for action in ["pull", "delete"] {
        let (status, answer) = post(&tagferry, V2, pushed("1", action, "mandelbrot", "latest")).await?;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!((&answer["delivery"], &answer["unwanted"]), (&Value::Null, &json!(1)), "{action}");
    }
    assert!(tagferry.announcements().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_about_no_application_or_no_commit_is_ignored_with_the_reason() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let host = scene.image("azure")?.replace("/mandelbrot", "");
    for (id, repository, tag, expected) in [
        ("1", "elsewhere", format!("sha-{commit}"), format!("no application uses {host}/elsewhere")),
        (
            "2",
            "mandelbrot",
            format!("pr-12-{commit}"),
            format!("pull-request tag: pr-12-{commit} was built for a pull request"),
        ),
        (
            "3",
            "mandelbrot",
            "sha-0123456".to_owned(),
            "tag does not name a commit: sha-0123456 is not of the form sha-{commit}".to_owned(),
        ),
        ("4", "mandelbrot", format!("sha-{commit}"), format!("the registry has no {host}/mandelbrot:sha-{commit}")),
    ] {
        post(&tagferry, V2, pushed(id, "push", repository, &tag)).await?;
        let (verdict, reason) = tagferry.reason(&format!("{host}/{repository}"), &tag).await?;
        assert_eq!((verdict.as_str(), reason), ("ignored", expected));
    }
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_five_megabytes_is_refused_before_it_is_read() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let address = tagferry.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await?;
    let head = format!(
        "POST /v1/hooks/registry HTTP/1.1\r\nHost: {address}\r\nAuthorization: {REGISTRY_SECRET}\r\nContent-Length: {}\r\n\r\n",
        5 * 1024 * 1024
    );
    connection.write_all(head.as_bytes()).await?;
    // Not a byte of the body is sent: the answer comes all the same, and the connection is closed behind it.
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("a delivery has at most 1048576 bytes"), "{answer}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_before_a_byte_of_the_body_is_there() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let address = tagferry.url().trim_start_matches("http://");
    for authorization in ["", "Authorization: Bearer wrong\r\n"] {
        let mut connection = TcpStream::connect(address).await?;
        let head = format!(
            "POST /v1/hooks/registry HTTP/1.1\r\nHost: {address}\r\n{authorization}Content-Length: {}\r\n\r\n",
            1024 * 1024
        );
        connection.write_all(head.as_bytes()).await?;
        // Nobody waits for the rest: the connection is closed behind the answer.
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nothing_has_is_answered_404_with_a_problem() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let client = reqwest::Client::new();
    for path in ["/", "/v1", "/v1/hooks", "/v1/hooks/", "/v1/hooks/registry/more", "/v1/hooks/%FF", "/v1/releases/%FF"]
    {
        let answer = client.post(format!("{}{path}", tagferry.url())).bearer_auth(TOKEN).body("{}").send().await?;
        let expected =
            if path.starts_with("/v1/releases") { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
        assert_eq!(answer.status(), expected, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    for path in ["/v1/deliveries/%FF", "/v1/releases/%FF", "/no/such/address"] {
        let answer = client.get(format!("{}{path}", tagferry.url())).bearer_auth(TOKEN).send().await?;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let problem: Value = answer.json().await?;
        assert_eq!(problem["type"], "https://tagferry.dev/problems/not-found", "{path}");
        assert_eq!(problem["detail"], "there is no such address", "{path}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_length_was_not_announced_is_cut_off_at_the_limit() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let chunks = futures_util::stream::iter((0..80).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])));
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/hooks/registry", tagferry.url()))
        .header("authorization", REGISTRY_SECRET)
        .body(reqwest::Body::wrap_stream(chunks))
        .send()
        .await;
    // The service answers and hangs up while the rest is still being sent, which a client may see as either.
    if let Ok(answer) = answer {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert!(tagferry.announcements().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_senders_methods_and_encodings_are_refused_with_a_sentence() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let answer = tagferry.post("nobody", &[("authorization", REGISTRY_SECRET)], "{}").await?;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.json::<Value>().await?["detail"], "no sender of this name is configured");

    let answer = reqwest::get(format!("{}/v1/hooks/registry", tagferry.url())).await?;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json::<Value>().await?["detail"], "this address does not take that method");

    let headers = [("authorization", REGISTRY_SECRET), ("content-encoding", "gzip")];
    let answer = tagferry.post("registry", &headers, "{}").await?;
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.json::<Value>().await?["detail"], "a delivery is taken without Content-Encoding");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_is_closed_without_a_token() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let client = reqwest::Client::new();
    for path in ["/v1/deliveries", "/v1/deliveries/1", "/v1/releases", "/v1/releases/1"] {
        let url = format!("{}{path}", tagferry.url());
        assert_eq!(client.get(&url).send().await?.status(), StatusCode::UNAUTHORIZED, "{path}");
        let wrong = client.get(&url).bearer_auth(format!("{TOKEN}x")).send().await?;
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED, "{path}");
        let right = client.get(&url).bearer_auth(TOKEN).send().await?.status();
        let expected = if path.ends_with('1') { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(right, expected, "{path}");
    }
    let log = tagferry.log();
    assert_eq!(log.matches("a request was refused: a bearer token of api.tokens is needed").count(), 1, "{log}");
    for (query, detail) in [
        ("limit=0", "limit: a number from 1 to 200 was expected"),
        ("limit=x", "limit: a number from 1 to 200 was expected"),
        ("limit=1&limit=2", "query: each parameter is given once, as name=value"),
        ("before=x", "before: the `next` of an earlier page was expected"),
        ("application=A", "application: a name is 1 to 63 lower-case letters, digits and inner dashes"),
    ] {
        let url = format!("{}/v1/releases?{query}", tagferry.url());
        let answer = client.get(&url).bearer_auth(TOKEN).send().await?;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{query}");
        assert_eq!(answer.json::<Value>().await?["detail"], detail, "{query}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(reqwest::get(format!("{}{path}", tagferry.url())).await?.status(), StatusCode::NO_CONTENT);
    }
    scene.end().await;
    Ok(())
}
