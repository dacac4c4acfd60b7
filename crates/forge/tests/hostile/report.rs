//! What holds of whatever a workflow reports: the tests and the fuzzer hold every report to it.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    announcement::Pushed,
    application::{Application, Gitops, Parts, Pin, PullRequestPolicy, ReleasePolicy, Source, Target, Verify},
    commit::Commit,
    excerpt::MOST_UNUSABLE,
    forge::MergeMethod,
    image::Digest,
};
use forge::actions::{Allowed, Claims, Policy, Report, Run};
use serde_json::json;

use crate::excerpt::judge_excerpt;

/// The commit of the run that reports.
const COMMIT: &str = "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f";

/// How many announcements one report makes at most.
const MOST_PUSHED: usize = 1_000;

/// Reads a body as that of a run whose word counts, and judges what is read.
pub(crate) fn check(body: &[u8]) {
    let (run, applications) = (run(), [application()]);
    let read = || Report::read(&run, body, (&applications, "https://github.com"));
    match read() {
        Ok(report) => {
            judge(&report, &run);
            assert_eq!(read(), Ok(report), "read again, it says something else");
        }
        Err(invalid) => judge_excerpt(&invalid.to_string()),
    }
}

/// A run of the only workflow that may report, as its token says.
fn run() -> Run {
    let policy = Policy {
        repositories: vec![Allowed::Name("acme/shop".parse().expect("it is a repository"))],
        refs: vec!["refs/heads/main".to_owned()],
        events: Policy::EVENTS.map(str::to_owned).to_vec(),
        workflows: Vec::new(),
    };
    let claims = json!({
        "repository": "acme/shop", "repository_id": "7", "sha": COMMIT, "ref": "refs/heads/main",
        "event_name": "push", "workflow_ref": "acme/shop/.github/workflows/release.yml@refs/heads/main",
        "run_id": "12", "jti": "1f0e",
    });
    let claims: Claims = serde_json::from_value(claims).expect("they are all there");
    policy.admit(claims).expect("it may report")
}

fn application() -> Application {
    let target = |name: &str| Target {
        name: name.parse().expect("it is a name"),
        repository: format!("{name}.example/shop").parse().expect("it is an image repository"),
        overlay: format!("apps/shop/overlays/{name}").parse().expect("it is a path"),
    };
    let parts = Parts {
        source: Source {
            repository: "acme/shop".parse().expect("it is a repository"),
            id: None,
            branches: vec!["main".parse().expect("it is a pattern")],
        },
        gitops: Gitops {
            repository: "acme/trinity".parse().expect("it is a repository"),
            base: "main".parse().expect("it is a branch"),
        },
        image: "shop".parse().expect("it is a name"),
        tag: "sha-{commit}".parse().expect("it is a pattern"),
        release: ReleasePolicy { deadline: Duration::from_secs(1800), pin: Pin::Tag },
        verify: Verify::default(),
        pull_request: PullRequestPolicy {
            merge_method: MergeMethod::Squash,
            labels: Vec::new(),
            verdict_status: false,
            overdue_after: None,
        },
    };
    let targets = vec![target("aws"), target("gcp")];
    Application::new("shop".parse().expect("it is a name"), targets, parts).expect("it is an application")
}

fn judge(report: &Report, run: &Run) {
    let mut seen = BTreeSet::new();
    for Pushed { repository, tag, claimed_digest, .. } in &report.pushed {
        assert_eq!(repository.to_string().parse().as_ref(), Ok(repository));
        assert_eq!(tag.as_str().parse().as_ref(), Ok(tag));
        assert!(claimed_digest.as_ref().is_none_or(|digest| digest.as_str().parse::<Digest>().as_ref() == Ok(digest)));
        assert!(seen.insert((repository, tag)), "{repository}:{tag} is announced twice");
        // Of an image that is an application's, nothing but the run's own commit is believed.
        let is_ours =
            ["aws.example", "gcp.example"].contains(&repository.host().as_str()) && repository.name() == "shop";
        let commit = tag.as_str().strip_prefix("sha-").and_then(|commit| commit.parse::<Commit>().ok());
        assert!(!is_ours || commit.is_none_or(|commit| commit == run.commit), "{repository}:{tag} is believed");
    }
    assert!(seen.len() <= MOST_PUSHED, "{} announcements", seen.len());
    assert!(report.unusable.len() <= MOST_UNUSABLE, "{} unusable parts", report.unusable.len());
    for one in &report.unusable {
        judge_excerpt(&one.text);
        judge_excerpt(&one.reason);
        assert!(!one.reason.is_empty(), "{:?} is unusable without a reason", one.text);
    }
}
