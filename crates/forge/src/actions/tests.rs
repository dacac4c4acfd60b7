use std::time::Duration;

use domain::{
    application::{Application, Gitops, Parts, Pin, PullRequestPolicy, ReleasePolicy, Source, Target, Verify},
    forge::MergeMethod,
};
use serde_json::{Value, json};

use super::*;

const ADDRESS: &str = "https://github.com";
const COMMIT: &str = "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f";
const TAG: &str = "sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f";

fn policy() -> Policy {
    Policy {
        repositories: vec![Allowed::Name("acme/shop".parse().unwrap())],
        refs: vec!["refs/heads/main".to_owned(), "refs/tags/v*".to_owned()],
        events: Policy::EVENTS.map(str::to_owned).to_vec(),
        workflows: vec!["acme/shop/.github/workflows/release.yml".to_owned()],
    }
}

/// Good claims, with some in place of others.
fn claims(others: &Value) -> Claims {
    let mut claims = json!({
        "repository": "acme/shop", "repository_id": "7", "sha": COMMIT, "ref": "refs/heads/main",
        "event_name": "push", "workflow_ref": "acme/shop/.github/workflows/release.yml@refs/heads/main",
        "run_id": "12", "jti": "1f0e", "actor": "someone",
    });
    for (key, value) in others.as_object().into_iter().flatten() {
        claims[key] = value.clone();
    }
    serde_json::from_value(claims).unwrap()
}

fn run() -> Run {
    policy().admit(claims(&json!({}))).unwrap()
}

fn application() -> Application {
    let target = |name: &str| Target {
        name: name.parse().unwrap(),
        repository: format!("{name}.example/shop").parse().unwrap(),
        overlay: format!("apps/shop/overlays/{name}").parse().unwrap(),
    };
    let parts = Parts {
        source: Source { repository: "acme/shop".parse().unwrap(), id: None, branches: vec!["main".parse().unwrap()] },
        gitops: Gitops { repository: "acme/trinity".parse().unwrap(), base: "main".parse().unwrap() },
        image: "shop".parse().unwrap(),
        tag: "sha-{commit}".parse().unwrap(),
        release: ReleasePolicy { deadline: Duration::from_secs(1800), pin: Pin::Tag },
        verify: Verify::default(),
        pull_request: PullRequestPolicy {
            merge_method: MergeMethod::Squash,
            labels: Vec::new(),
            verdict_status: false,
            overdue_after: None,
        },
    };
    Application::new("shop".parse().unwrap(), vec![target("aws"), target("gcp")], parts).unwrap()
}

fn build(others: &Value) -> Value {
    let mut build = json!({ "cloud": "aws", "repository": "acme/shop", "tags": [TAG], "images": ["aws.example/shop"] });
    for (key, value) in others.as_object().into_iter().flatten() {
        build[key] = value.clone();
    }
    build
}

/// What is announced, as `repository:tag@digest`, and the reasons of what is not.
fn read(body: &Value) -> (Vec<String>, Vec<String>) {
    let report = Report::read(&run(), body.to_string().as_bytes(), (&[application()], ADDRESS)).unwrap();
    let pushed = report.pushed.iter().map(|one| {
        let digest = one.claimed_digest.as_ref().map(|digest| format!("@{}", digest.short())).unwrap_or_default();
        format!("{}:{}{digest}", one.repository, one.tag)
    });
    (pushed.collect(), report.unusable.into_iter().map(|one| one.reason).collect())
}

fn check_unusable(others: &Value, reason: &str) {
    assert_eq!(read(&build(others)), (Vec::new(), vec![reason.to_owned()]), "{others}");
}

#[test]
fn a_run_that_may_report_is_known_by_its_token() {
    let expected = Run {
        repository: "acme/shop".parse().unwrap(),
        commit: COMMIT.parse().unwrap(),
        token_id: "1f0e".to_owned(),
        repository_id: 7,
        workflow: "acme/shop/.github/workflows/release.yml@refs/heads/main".to_owned(),
        run_id: 12,
    };
    assert_eq!(run(), expected);
    for good in
        [json!({ "ref": "refs/tags/v1.2" }), json!({ "event_name": "release" }), json!({ "repository": "ACME/Shop" })]
    {
        assert!(policy().admit(claims(&good)).is_ok(), "{good}");
    }
    let by_id = Policy { repositories: vec![Allowed::Id(7)], refs: Vec::new(), workflows: Vec::new(), ..policy() };
    assert!(by_id.admit(claims(&json!({ "repository": "acme/renamed", "ref": "refs/heads/x" }))).is_ok());
    let one_ref = "acme/shop/.github/workflows/release.yml@refs/heads/main";
    assert!(Policy { workflows: vec![one_ref.to_owned()], ..policy() }.admit(claims(&json!({}))).is_ok());
}

#[test]
fn a_run_that_may_not_report_is_refused_by_the_name_of_the_setting() {
    for (others, sentence) in [
        (
            json!({ "repository": "evil/shop", "repository_id": "7" }),
            "workflows of evil/shop may not report builds (github.actions.repositories)",
        ),
        (
            json!({ "event_name": "pull_request" }),
            "workflows that were started by pull_request may not report builds (github.actions.events)",
        ),
        (
            json!({ "ref": "refs/heads/other" }),
            "workflows that run on refs/heads/other may not report builds (github.actions.refs)",
        ),
        (
            json!({ "ref": "refs/heads/main2" }),
            "workflows that run on refs/heads/main2 may not report builds (github.actions.refs)",
        ),
        (
            json!({ "workflow_ref": "acme/shop/.github/workflows/other.yml@refs/heads/main" }),
            "the workflow acme/shop/.github/workflows/other.yml@refs/heads/main may not report builds \
             (github.actions.workflows)",
        ),
        (json!({ "sha": "main" }), "the token's claim `sha` is not of the expected form"),
        (json!({ "jti": "" }), "the token's claim `jti` is not of the expected form"),
        (json!({ "run_id": "x" }), "the token's claim `run_id` is not of the expected form"),
        (json!({ "repository": "shop" }), "the token's claim `repository` is not of the expected form"),
        (json!({ "repository_id": "" }), "the token's claim `repository_id` is not of the expected form"),
    ] {
        assert_eq!(policy().admit(claims(&others)).unwrap_err().to_string(), sentence);
    }
    let by_id = Policy { repositories: vec![Allowed::Id(8)], ..policy() };
    assert!(by_id.admit(claims(&json!({}))).is_err());
}

#[test]
fn a_build_announces_each_image_at_each_tag() {
    let digest = format!("sha256:{}", "0f".repeat(32));
    assert_eq!(read(&build(&json!({}))).0, [format!("aws.example/shop:{TAG}")]);
    assert_eq!(
        read(&build(&json!({ "tags": TAG, "images": "aws.example/shop" }))).0,
        [format!("aws.example/shop:{TAG}")]
    );
    assert_eq!(
        read(&build(&json!({ "tags": [TAG, "latest"], "run_url": "https://github.com/acme/shop/actions/runs/12" }))).0,
        [format!("aws.example/shop:{TAG}"), "aws.example/shop:latest".to_owned()],
    );
    let pinned = json!({ "image": format!("aws.example/shop:{TAG}"), "digest": digest });
    assert_eq!(read(&build(&json!({ "images": [pinned] }))).0, [format!("aws.example/shop:{TAG}@sha256:0f0f0f0f0f0f")]);
    let reference = format!("aws.example/shop:{TAG}@{digest}");
    assert_eq!(
        read(&build(&json!({ "images": [reference] }))).0,
        [format!("aws.example/shop:{TAG}@sha256:0f0f0f0f0f0f")]
    );
    let unknown = json!({ "images": ["localhost:5000/other"] });
    assert_eq!(read(&build(&unknown)).0, [format!("localhost:5000/other:{TAG}")], "intake says why it is ignored");
}

#[test]
fn of_several_builds_the_good_ones_are_taken_and_the_others_told() {
    let gcp = build(&json!({ "cloud": "gcp", "images": ["gcp.example/shop"] }));
    let bad = json!({ "cloud": "azure" });
    let (pushed, unusable) = read(&json!([build(&json!({})), bad, gcp, build(&json!({}))]));
    assert_eq!(pushed, [format!("aws.example/shop:{TAG}"), format!("gcp.example/shop:{TAG}")]);
    assert_eq!(unusable, ["missing field `repository` at line 1 column 17"]);
}

#[test]
fn what_does_not_agree_with_the_token_or_the_configuration_is_told() {
    check_unusable(&json!({ "repository": "acme/other" }), "repository: the token was made for acme/shop");
    check_unusable(&json!({ "repository": 7 }), "repository: text was expected");
    let other = format!("sha-{}", "2e".repeat(20));
    check_unusable(
        &json!({ "tags": [other] }),
        &format!("tags: {other} names commit 2e2e2e2, and the token was made for 1f1f1f1"),
    );
    check_unusable(&json!({ "cloud": "gcp" }), "cloud: aws.example/shop belongs to aws, not to \"gcp\"");
    check_unusable(&json!({ "tags": [] }), "tags, images: 1 to 50 of each are expected");
    check_unusable(
        &json!({ "tags": ["a b"] }),
        "tags: a tag is 1 to 128 letters, digits, and . _ - after the first character",
    );
    check_unusable(
        &json!({ "images": ["shop"] }),
        "images: \"shop\": an image repository is written host/name, with the registry's host name first",
    );
    check_unusable(
        &json!({ "images": ["aws.example/shop:latest"] }),
        "images: \"aws.example/shop:latest\" has a tag that is not among tags",
    );
    check_unusable(
        &json!({ "images": [{ "image": "aws.example/shop", "digest": "sha256:0" }] }),
        "images: \"aws.example/shop\": a digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal digits",
    );
    check_unusable(
        &json!({ "images": [{ "image": "aws.example/shop", "sha": "0" }] }),
        "tags, images: a text or a list of texts was expected; an image may be { image, digest }",
    );
}

#[test]
fn a_body_that_is_no_report_is_refused_whole() {
    let refused = |body: &str| Report::read(&run(), body.as_bytes(), (&[], ADDRESS)).unwrap_err().to_string();
    assert_eq!(refused(""), "the body is not JSON: EOF while parsing a value at line 1 column 0");
    assert_eq!(refused("[]"), "the body is neither a build nor a list of builds");
    assert_eq!(refused("\"a\""), "the body is neither a build nor a list of builds");
    let many = format!("[{}]", vec!["{}"; 51].join(","));
    assert_eq!(refused(&many), "the body has 51 builds; at most 50 are taken");
    let report = Report::read(&run(), b"[[1]]", (&[], ADDRESS)).unwrap();
    assert_eq!(report.unusable.first().map(|one| one.reason.as_str()), Some("a build is a JSON object"));
}
