//! What a gate is sent, and what is made of its answers.

use std::time::Duration;

use anyhow::Result;
use domain::{
    application::{Application, Gitops, Parts, Pin, PullRequestPolicy, ReleasePolicy, Source, Target, Verify},
    commit::Commit,
    evidence::{GateAnswer, GateVerdict},
    fault::Fault,
    forge::MergeMethod,
    image::Reference,
    release::Build,
};
use gate::{Error, Gate, Question, Settings};
use serde_json::{Value, json};
use testkit::service::Service;

fn application() -> Result<Application> {
    let target = Target {
        name: "aws".parse()?,
        repository: "r.example/shop".parse()?,
        overlay: "apps/shop/overlays/aws".parse()?,
    };
    let parts = Parts {
        source: Source { repository: "acme/shop".parse()?, id: None, branches: vec!["main".parse()?] },
        gitops: Gitops { repository: "acme/trinity".parse()?, base: "main".parse()? },
        image: "shop".parse()?,
        tag: "sha-{commit}".parse()?,
        release: ReleasePolicy { deadline: Duration::from_secs(60), pin: Pin::Tag },
        verify: Verify::default(),
        pull_request: PullRequestPolicy {
            merge_method: MergeMethod::Squash,
            labels: Vec::new(),
            verdict_status: false,
            overdue_after: None,
        },
    };
    Ok(Application::new("shop".parse()?, vec![target], parts)?)
}

/// Asks a gate that answers so.
async fn ask(service: &Service) -> Result<Result<GateAnswer, Error>> {
    let application = application()?;
    let commit = Commit::from_bytes([0x1f; 20]);
    let build = Build {
        target: "aws".parse()?,
        reference: Reference { repository: "r.example/shop".parse()?, tag: application.tag.tag(commit) },
        digest: format!("sha256:{}", "0a".repeat(32)).parse()?,
        found_at: chrono(0),
    };
    let url = service.url.join("gate")?;
    let gate = Gate::new(Settings { url, token: Some("hunter2".into()), timeout: Duration::from_secs(5) })?;
    Ok(gate.ask(&Question { application: &application, commit, images: &[&build] }).await)
}

fn chrono(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds, 0).expect("it is a time")
}

#[tokio::test]
async fn a_gate_is_sent_what_is_to_be_released_and_its_word_is_taken() -> Result<()> {
    for (verdict, expected) in
        [("pass", GateVerdict::Pass), ("fail", GateVerdict::Fail), ("pending", GateVerdict::Pending)]
    {
        let body = json!({ "verdict": verdict, "reason": "so\u{1b}it is", "link": "https://s.example/1", "more": 1 });
        let service = Service::answering(&[(200, &body.to_string())]).await?;
        let answer = ask(&service).await??;
        let (reason, link) = ("so\u{fffd}it is".to_owned(), Some("https://s.example/1".to_owned()));
        assert_eq!(answer, GateAnswer { verdict: expected, reason, link });
        let asked = service.asked().pop().expect("it was asked");
        assert_eq!(asked.line, "POST /gate");
        assert_eq!(asked.header("authorization"), "Bearer hunter2");
        let body: Value = serde_json::from_str(&asked.body)?;
        let commit = "1f".repeat(20);
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(
            body,
            json!({
                "application": "shop", "source": "acme/shop", "commit": commit,
                "images": [{ "target": "aws", "image": format!("r.example/shop:sha-{commit}"), "digest": digest }],
            })
        );
    }
    Ok(())
}

#[tokio::test]
async fn everything_else_is_no_answer() -> Result<()> {
    let large = format!(r#"{{"verdict":"pass","reason":"{}"}}"#, "x".repeat(70_000));
    for (status, body, fault, expected) in [
        (200, r#"{"verdict":"PASS"}"#, Fault::Permanent, r#"its verdict is "PASS", not pass, fail or pending"#),
        (200, r#"{"ok":true}"#, Fault::Permanent, "missing field `verdict`"),
        (200, "pass", Fault::Permanent, "its answer can not be read"),
        (200, large.as_str(), Fault::Permanent, "it has more than 65536 bytes"),
        (204, "", Fault::Permanent, "it answered 204"),
        (302, "", Fault::Permanent, "it answered 302"),
        (403, "", Fault::Permanent, "it answered 403"),
        (429, "", Fault::Transient, "it answered 429"),
        (503, r#"{"verdict":"pass"}"#, Fault::Transient, "it answered 503"),
    ] {
        let service = Service::answering(&[(status, body)]).await?;
        let error = ask(&service).await?.expect_err("it was an answer");
        assert_eq!(error.fault(), fault, "{error}");
        assert!(error.to_string().contains(expected) && !error.to_string().contains("hunter2"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_gate_is_asked_over_https_or_on_this_machine() -> Result<()> {
    for (url, is_taken) in [
        ("https://gate.example/", true),
        ("http://127.0.0.1:8080/", true),
        ("http://[::1]/", true),
        ("http://localhost/", true),
        ("http://gate.example/", false),
        ("http://10.0.0.1/", false),
    ] {
        let gate = Gate::new(Settings { url: url.parse()?, token: None, timeout: Duration::from_secs(5) });
        assert_eq!(gate.is_ok(), is_taken, "{url}");
    }
    Ok(())
}
