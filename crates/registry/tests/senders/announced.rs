//! What each kind announces.

use domain::image::Digest;
use registry::webhook::{Element, Kind, Parsed};
use serde_json::{Value, json};

use crate::known::{
    ACR, ALIYUN, ALL, CLOUDEVENTS, DOCKER_HUB, ECR, GHCR, GITEA, GITLAB, HARBOR, HARBOR_CLOUDEVENTS, How, JFROG, Known,
    NEXUS, QUAY, SECRETS,
};

/// The tag of the fixtures, in short.
pub(crate) const TAG: &str = "sha-5d0c31a4f5b9a3f3cf5b5a1b8f2d9c6e7a401b22";

/// A digest in the place of a tag.
pub(crate) const DIGEST: &str = "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d";

/// What stands for something that is understood and not wanted.
pub(crate) const UNWANTED: &[&str] = &["unwanted"];

/// Checks what a body comes to: each push as `host/name:tag digest`, each part that can not be used as `unusable: ` and
/// something that its reason contains, and `unwanted` once for each thing that is.
pub(crate) fn check_body(known: &Known, body: Vec<u8>, expected: &[&str]) {
    let shown = String::from_utf8_lossy(&body).into_owned();
    let parsed = known.request(SECRETS[0], body).to(&known.sender()).unwrap();
    let found = lines(&parsed);
    let agree = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| match expected.strip_prefix("unusable: ") {
            Some(part) => found.starts_with("unusable: ") && found.contains(part),
            None => found.replace(TAG, "TAG") == *expected,
        });
    assert!(agree, "{found:#?} is not {expected:#?} in {shown}");
}

/// Checks the fixture of a kind with other values in some places.
pub(crate) fn check(known: &Known, edits: &[(&str, Value)], expected: &[&str]) {
    check_body(known, known.edited(edits), expected);
}

pub(crate) fn lines(parsed: &Parsed) -> Vec<String> {
    let element = |one: &Element| match one {
        Element::Pushed(pushed) => {
            let digest = pushed.claimed_digest.as_ref().map_or_else(|| "-".to_owned(), Digest::short);
            format!("{}:{} {digest}", pushed.repository, pushed.tag)
        }
        Element::Unusable { reason, .. } => format!("unusable: {reason}"),
    };
    let unwanted = std::iter::repeat_n("unwanted".to_owned(), parsed.unwanted);
    parsed.elements.iter().map(element).chain(unwanted).collect()
}

#[test]
fn docker_hub_announces_each_tag_without_a_digest() {
    const PUSHED: &[&str] = &["docker.io/acme/mandelbrot:TAG -"];
    check(&DOCKER_HUB, &[], PUSHED);
    check(&DOCKER_HUB, &[("/push_data/pushed_at", json!(1.782_907_201e9))], PUSHED);
    check(&DOCKER_HUB, &[("/repository/repo_name", json!(null))], PUSHED);
    check(&DOCKER_HUB, &[("/callback_url", json!("http://169.254.169.254/"))], PUSHED);
    let official = [("/repository/repo_name", json!("")), ("/repository/namespace", json!(""))];
    check(&DOCKER_HUB, &official, &["docker.io/library/mandelbrot:TAG -"]);
    check(&DOCKER_HUB, &[("/push_data/tag", json!(DIGEST))], UNWANTED);
    check(&DOCKER_HUB, &[("/push_data/tag", json!(null))], &["unusable: push_data.tag is missing"]);
    check(&DOCKER_HUB, &[("/push_data", json!([TAG]))], &["unusable: push_data is not a JSON object"]);
    check(&DOCKER_HUB, &[("/repository/name", json!("other"))], &["unusable: not its namespace and name"]);
    let host = [("/repository/repo_name", json!("evil.example/a/b")), ("/repository/namespace", json!(null))];
    check(&DOCKER_HUB, &host, &["unusable: more than a namespace and a name"]);
    let neither = [("/repository/repo_name", json!(null)), ("/repository/name", json!(null))];
    check(&DOCKER_HUB, &neither, &["unusable: repository.repo_name is missing"]);
}

#[test]
fn ghcr_announces_container_packages_that_were_published_or_updated() {
    const PUSHED: &[&str] = &["ghcr.io/acme/mandelbrot:TAG sha256:6105d6cc76af"];
    const NAME: &str = "/package/package_version/container_metadata/tag/name";
    const URL: &str = "/package/package_version/package_url";
    check(&GHCR, &[], PUSHED);
    check(&GHCR, &[("/action", json!("updated")), ("/package/package_type", json!("container"))], PUSHED);
    check(&GHCR, &[("/action", json!("deleted"))], UNWANTED);
    check(&GHCR, &[("/package/package_type", json!("npm"))], UNWANTED);
    check(&GHCR, &[(NAME, json!("")), (URL, json!("ghcr.io/Acme/mandelbrot:"))], UNWANTED);
    check(&GHCR, &[(NAME, json!(DIGEST))], UNWANTED);
    check(&GHCR, &[(NAME, json!("other"))], &["unusable: another tag than container_metadata"]);
    check(&GHCR, &[(URL, json!(format!("evil.example/a/b:{TAG}")))], &["unusable: package_url is not of ghcr.io"]);
    check(&GHCR, &[(URL, json!(format!("ghcr.io/../b:{TAG}")))], &["unusable: package_url is not usable"]);
    check(&GHCR, &[("/package/package_version", json!(null))], &["unusable: package.package_version is missing"]);
    check(&GHCR, &[("/package", json!([1]))], &["unusable: package is not a JSON object"]);
}

#[test]
fn ghcr_is_told_by_its_header_what_a_message_is_about() {
    let body = |event: &str| {
        let body = String::from_utf8(GHCR.body()).unwrap();
        body.replace("\"package\":", &format!("\"{event}\":")).into_bytes()
    };
    let of = |event: &'static [(&'static str, &'static str)]| Known { headers: event, ..GHCR };
    let pushed = ["ghcr.io/acme/mandelbrot:TAG sha256:6105d6cc76af"];
    check_body(&of(&[("x-github-event", "registry_package")]), body("registry_package"), &pushed);
    check_body(&GHCR, body("registry_package"), &["unusable: package is missing"]);
    check_body(&of(&[("x-github-event", "ping")]), br#"{"zen":"Speak like a human.","hook_id":1}"#.to_vec(), UNWANTED);
    check_body(&of(&[("x-github-event", "push")]), body("package"), UNWANTED);
    check_body(&of(&[]), body("package"), &["unusable: the header X-GitHub-Event is missing"]);
    let form = of(&[("x-github-event", "package"), ("content-type", "application/x-www-form-urlencoded")]);
    let text = String::from_utf8(GHCR.body()).unwrap();
    let encode = |times| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(vec![("payload", &text); times]).finish()
    };
    check_body(&form, encode(1).into_bytes(), &pushed);
    check_body(&form, encode(2).into_bytes(), &["unusable: payload stands there twice"]);
    check_body(&form, b"{}".to_vec(), &["unusable: payload is missing"]);
}

#[test]
fn ecr_announces_successful_pushes_at_the_host_of_account_and_region() {
    const PUSHED: &[&str] =
        &["210987654321.dkr.ecr.eu-central-1.amazonaws.com/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    check(&ECR, &[], PUSHED);
    check(&ECR, &[("/detail/action-type", json!("DELETE"))], UNWANTED);
    check(&ECR, &[("/detail/result", json!("FAILURE"))], UNWANTED);
    check(&ECR, &[("/detail-type", json!("ECR Image Scan"))], UNWANTED);
    check(&ECR, &[("/source", json!("acme.ecr"))], UNWANTED);
    for none in [json!(""), json!(null), json!(DIGEST)] {
        check(&ECR, &[("/detail/image-tag", none)], UNWANTED);
    }
    check(&ECR, &[("/account", json!(210_987_654_321_u64))], &["unusable: account is not a string"]);
    check(&ECR, &[("/region", json!("x.evil.example"))], &["unusable: region is not the name of an AWS region"]);
    check(&ECR, &[("/detail/repository-name", json!("a/../b"))], &["unusable: detail.repository-name is not usable"]);
    check(&ECR, &[("/detail", json!("PUSH"))], &["unusable: detail is not a JSON object"]);
}

#[test]
fn acr_announces_pushes_at_its_login_server() {
    const PUSHED: &[&str] = &["acmeregistry.azurecr.io/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    check(&ACR, &[], PUSHED);
    for other in ["ping", "delete", "chart_push", "chart_delete", "quarantine", "something-new"] {
        check(&ACR, &[("/action", json!(other))], UNWANTED);
    }
    check_body(&ACR, br#"{"action":"ping"}"#.to_vec(), UNWANTED);
    for none in [json!(""), json!(null), json!(DIGEST)] {
        check(&ACR, &[("/target/tag", none)], UNWANTED);
    }
    check(&ACR, &[("/request/host", json!("u@evil.example"))], &["unusable: which registry it is from (request.host)"]);
    check(&ACR, &[("/target/tag", json!("a b"))], &["unusable: target.tag is not usable"]);
    check(&ACR, &[("/action", json!(["push"]))], &["unusable: action is not a string"]);
}

#[test]
fn harbor_announces_every_resource_in_both_of_its_formats() {
    const PUSHED: &str = "harbor.example:8443/shop/mandelbrot:TAG sha256:6105d6cc76af";
    check(&HARBOR, &[], &[PUSHED]);
    check(&HARBOR, &[("/type", json!("pushImage"))], &[PUSHED]);
    check(&HARBOR_CLOUDEVENTS, &[], &[PUSHED]);
    for (known, other) in [
        (&HARBOR, "PULL_ARTIFACT"),
        (&HARBOR, "DELETE_ARTIFACT"),
        (&HARBOR, "SCANNING_COMPLETED"),
        (&HARBOR_CLOUDEVENTS, "harbor.artifact.deleted"),
        (&HARBOR_CLOUDEVENTS, "harbor.scan.completed"),
    ] {
        check(known, &[("/type", json!(other))], UNWANTED);
    }
    let tagged =
        |tag: &str| json!({ "tag": tag, "resource_url": format!("harbor.example:8443/shop/mandelbrot:{tag}") });
    let child = json!({ "tag": DIGEST, "resource_url": format!("harbor.example:8443/shop/mandelbrot@{DIGEST}") });
    check(&HARBOR, &[("/event_data/resources", json!([child]))], UNWANTED);
    let beside = json!([tagged("a"), 7, child, { "tag": "c", "resource_url": "shop/mandelbrot:c" }, tagged("b")]);
    check(
        &HARBOR,
        &[("/event_data/resources", beside)],
        &[
            "harbor.example:8443/shop/mandelbrot:a -",
            "unusable: the resource is not a JSON object",
            "unusable: which registry it is from (resource_url)",
            "harbor.example:8443/shop/mandelbrot:b -",
            "unwanted",
        ],
    );
    let resource = "/event_data/resources/0";
    check(&HARBOR, &[("/event_data/resources/0/tag", json!("other"))], &["unusable: another tag than the resource"]);
    check(
        &HARBOR,
        &[("/event_data/repository/repo_full_name", json!("a/b"))],
        &["unusable: not of repository.repo_full_name"],
    );
    check(
        &HARBOR,
        &[("/event_data/repository", json!(null)), (resource, tagged("a"))],
        &["harbor.example:8443/shop/mandelbrot:a -"],
    );
    check(&HARBOR, &[("/event_data/resources", json!(null))], &["unusable: event_data.resources is missing"]);
    check(&HARBOR, &[("/event_data", json!(null))], &["unusable: event_data is missing"]);
}

#[test]
fn quay_announces_all_updated_tags() {
    const TAGS: &str = "/updated_tags";
    check(&QUAY, &[], &["quay.io/acme/mandelbrot:TAG -"]);
    check(
        &QUAY,
        &[(TAGS, json!(["a", 1, null, "a", DIGEST, "b c", "b"]))],
        &[
            "quay.io/acme/mandelbrot:a -",
            "unusable: the tag is not a string",
            "unusable: the tag is not a string",
            "unusable: the tag is not usable",
            "quay.io/acme/mandelbrot:b -",
            "unwanted",
        ],
    );
    check(&QUAY, &[(TAGS, json!(null))], UNWANTED);
    check(&QUAY, &[(TAGS, json!("a"))], &["unusable: updated_tags is not a list"]);
    check(&QUAY, &[("/docker_url", json!("quay.io/acme/other"))], &["unusable: docker_url is not of repository"]);
    for none in ["acme/mandelbrot", "quay.io@evil.example/acme/mandelbrot"] {
        check(&QUAY, &[("/docker_url", json!(none))], &["unusable: which registry it is from (docker_url)"]);
    }
    let test_button = String::from_utf8(QUAY.body()).unwrap().replacen('{', r#"{"pruned_image_count":3,"#, 1);
    check_body(&QUAY, test_button.into_bytes(), UNWANTED);
}

#[test]
fn gitlab_announces_as_distribution_does_and_its_git_webhooks_are_not_wanted() {
    check(&GITLAB, &[], &["registry.gitlab.example/shop/web/mandelbrot:TAG sha256:6105d6cc76af"]);
    check(&GITLAB, &[("/events/0/action", json!("pull"))], UNWANTED);
    check(&GITLAB, &[("/events/0/action", json!("delete"))], UNWANTED);
    check(&GITLAB, &[("/events/0/target/tag", json!(DIGEST))], UNWANTED);
    let mut both: Value = serde_json::from_slice(&GITLAB.body()).unwrap();
    both["events"].as_array_mut().unwrap().insert(0, json!("junk"));
    check_body(
        &GITLAB,
        both.to_string().into_bytes(),
        &["unusable: not a JSON object", "registry.gitlab.example/shop/web/mandelbrot:TAG sha256:6105d6cc76af"],
    );
    let git = Known { headers: &[("x-gitlab-event", "Push Hook")], ..GITLAB };
    check_body(&git, br#"{"object_kind":"push"}"#.to_vec(), UNWANTED);
}

#[test]
fn gitea_announces_container_packages_under_their_owner_in_lower_case() {
    check(&GITEA, &[], &["git.example:3000/shop/mandelbrot:TAG -"]);
    check(&GITEA, &[("/package/owner/login", json!(null))], &["git.example:3000/shop/mandelbrot:TAG -"]);
    check(&GITEA, &[("/action", json!("deleted"))], UNWANTED);
    check(&GITEA, &[("/package/type", json!("npm"))], UNWANTED);
    check(&GITEA, &[("/package/version", json!(DIGEST))], UNWANTED);
    check(&GITEA, &[("/package/html_url", json!(""))], &["unusable: which registry it is from (package.html_url)"]);
    check(
        &GITEA,
        &[("/package/name", json!("a/../b"))],
        &["unusable: package.owner.login and package.name is not usable"],
    );
    let other = Known { headers: &[("x-gitea-event", "push"), ("x-github-event", "package")], ..GITEA };
    check(&other, &[], UNWANTED);
    check(&Known { headers: &[], ..GITEA }, &[], &["unusable: the header X-Gitea-Event is missing"]);
}

#[test]
fn artifactory_announces_pushed_tags_by_their_path() {
    const PUSHED: &[&str] = &["artifactory.example/docker-local/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    check(&JFROG, &[], PUSHED);
    check(&JFROG, &[("/data/image_name", json!("mandelbrot"))], PUSHED);
    for other in ["deleted", "promoted"] {
        check(&JFROG, &[("/event_type", json!(other))], UNWANTED);
    }
    check(&JFROG, &[("/domain", json!("artifact"))], UNWANTED);
    for child in [json!(DIGEST), json!(DIGEST.replace(':', "__")), json!("")] {
        check(&JFROG, &[("/data/tag", child)], UNWANTED);
    }
    check(&JFROG, &[("/data/path", json!("manifest.json"))], &["unusable: data.path is not image/tag/file"]);
    check(&JFROG, &[("/jpd_origin", json!(""))], &["unusable: which registry it is from (jpd_origin)"]);
    check(&JFROG, &[("/data/repo_key", json!("../x"))], &["unusable: data.repo_key and data.path is not usable"]);
}

#[test]
fn nexus_announces_components_that_were_created_or_updated() {
    const PUSHED: &[&str] = &["nexus.example:8083/shop/mandelbrot:TAG -"];
    check(&NEXUS, &[], PUSHED);
    check(&NEXUS, &[("/action", json!("UPDATED"))], PUSHED);
    for other in ["DELETED", "PURGED"] {
        check(&NEXUS, &[("/action", json!(other))], UNWANTED);
    }
    check(&NEXUS, &[("/component/format", json!("npm"))], UNWANTED);
    check(&NEXUS, &[("/component/version", json!(DIGEST))], UNWANTED);
    check(&NEXUS, &[("/component/name", json!("/shop/mandelbrot"))], &["unusable: component.name is not usable"]);
    check(&NEXUS, &[("/component", json!(null))], &["unusable: component is missing"]);
    check(&Known { headers: &[("x-nexus-webhook-id", "rm:repository:asset")], ..NEXUS }, &[], UNWANTED);
    check(&Known { headers: &[], ..NEXUS }, &[], &["unusable: the header X-Nexus-Webhook-ID is missing"]);
}

#[test]
fn aliyun_announces_pushes_at_the_host_of_the_region() {
    check(&ALIYUN, &[], &["registry.eu-central-1.aliyuncs.com/shop/mandelbrot:TAG sha256:6105d6cc76af"]);
    check(&ALIYUN, &[("/push_data/tag", json!(DIGEST))], UNWANTED);
    for region in [json!(null), json!(""), json!("a.evil.example/"), json!("EU")] {
        check(&ALIYUN, &[("/repository/region", region)], &["unusable: which registry it is from (repository.region)"]);
    }
    check(&ALIYUN, &[("/push_data", json!(null))], &["unusable: push_data is missing"]);
}

#[test]
fn an_event_announces_a_push_by_its_type_and_its_data() {
    const PUSHED: &[&str] = &["registry.example:5000/shop/mandelbrot:TAG sha256:6105d6cc76af"];
    check(&CLOUDEVENTS, &[], PUSHED);
    check(&Known { headers: &[], ..CLOUDEVENTS }, &[], PUSHED);
    check(&CLOUDEVENTS, &[("/data/repository", json!(null)), ("/data/tag", json!(null))], PUSHED);
    check(&CLOUDEVENTS, &[("/data/registryUrl", json!("https://registry.example:5000"))], PUSHED);
    for other in ["container.image.delete", "com.example.image", "dev.cdevents.artifact.published.0.2.0"] {
        check(&CLOUDEVENTS, &[("/type", json!(other))], UNWANTED);
    }
    check(&CLOUDEVENTS, &[("/data/tag", json!(DIGEST))], UNWANTED);
    check(&CLOUDEVENTS, &[("/specversion", json!("0.3"))], &["unusable: specversion is not 1.0"]);
    for required in ["id", "source", "type"] {
        check(&CLOUDEVENTS, &[(&format!("/{required}"), json!(null))], &[&format!("unusable: {required} is missing")]);
        check(&CLOUDEVENTS, &[(&format!("/{required}"), json!(""))], &[&format!("unusable: {required} is not text")]);
    }
    check(&CLOUDEVENTS, &[("/data", json!("{}"))], &["unusable: data is not a JSON object"]);
    check(&CLOUDEVENTS, &[("/data", json!(null))], &["unusable: data is missing"]);
    check(&CLOUDEVENTS, &[("/data/registryUrl", json!(null))], &["unusable: which registry it is from"]);
    let ported = [
        ("/subject", json!("registry.example:5000/a:b")),
        ("/data/repository", json!(null)),
        ("/data/tag", json!(null)),
    ];
    check(&CLOUDEVENTS, &ported, &["unusable: neither data nor subject"]);
    let ecr = [
        ("/type", json!("com.amazon.ecr.image.push")),
        ("/source", json!("urn:aws:ecr:eu-west-1:210987654321:repository/a")),
        ("/data", json!({ "repositoryName": "a", "imageTag": "t", "imageDigest": DIGEST })),
    ];
    check(&CLOUDEVENTS, &ecr, &["210987654321.dkr.ecr.eu-west-1.amazonaws.com/a:t sha256:6105d6cc76af"]);
}

#[test]
fn events_come_in_batches_and_with_their_attributes_in_headers() {
    const PUSHED: &str = "registry.example:5000/shop/mandelbrot:TAG sha256:6105d6cc76af";
    let batched = Known { headers: &[("content-type", "application/cloudevents-batch+json")], ..CLOUDEVENTS };
    let one: Value = serde_json::from_slice(&CLOUDEVENTS.body()).unwrap();
    let mut delete = one.clone();
    delete["type"] = json!("container.image.delete");
    let batch = json!([one, 7, delete, {}, one]);
    let unusable = ["unusable: the event is not a JSON object", "unusable: the event.specversion is missing"];
    check_body(&batched, batch.to_string().into_bytes(), &[PUSHED, unusable[0], unusable[1], "unwanted"]);
    check_body(&batched, b"[]".to_vec(), &[]);
    check_body(&batched, b"{}".to_vec(), &["unusable: the body is not a list"]);

    let data = one["data"].to_string().into_bytes();
    let binary = Known {
        headers: &[
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "Gr%C3%BC%C3%9Fe"),
            ("ce-source", "https://ci.example"),
            ("ce-type", "container.image.push"),
        ],
        ..CLOUDEVENTS
    };
    check_body(&binary, data.clone(), &[PUSHED]);
    check_body(&binary, b"[]".to_vec(), &["unusable: data is not a JSON object"]);
    check_body(&binary, Vec::new(), &["unusable: the body is empty"]);
    let invalid = Known { headers: &[("ce-specversion", "1.0"), ("ce-id", "%C0%A0")], ..CLOUDEVENTS };
    check_body(&invalid, data.clone(), &["unusable: the header ce-id is not percent-encoded UTF-8"]);
    let without = Known { headers: &[("ce-specversion", "1.0"), ("ce-id", "1")], ..CLOUDEVENTS };
    check_body(&without, data, &["unusable: the header ce-source is missing"]);
}

#[test]
fn what_is_no_json_object_is_kept_with_the_reason_by_every_kind() {
    // What Amazon SNS has signed is an object.
    for known in ALL.iter().filter(|known| !matches!(known.how, How::Certificate)) {
        for (body, reason) in [
            ("", "unusable: the body is empty"),
            ("[]", "unusable: the body is not a JSON object"),
            ("Hello, World!", "unusable: the body is not a JSON object"),
            ("{", "unusable: "),
        ] {
            // A list of Event Grid may have no events.
            let is_list = body == "[]" && known.kind == Kind::AcrEventGrid;
            let expected = [reason];
            check_body(known, body.into(), if is_list { &[] } else { &expected });
        }
        let deep = format!("{{\"a\":{}", "[".repeat(200));
        check_body(known, deep.into_bytes(), &["unusable: the body is nested deeper than 128"]);
    }
}
