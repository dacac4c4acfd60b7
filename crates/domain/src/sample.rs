//! Valid values for tests: a test changes only what it is about.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    application::{Application, Gitops, Parts, Pin, PullRequestPolicy, ReleasePolicy, Source, Target, Verify},
    commit::Commit,
    forge::MergeMethod,
    image::Reference,
    release::Build,
};

/// The application `mandelbrot` with the targets `aws` and `gcp`, each with an image repository of its own.
pub(crate) fn application() -> Application {
    application_of("mandelbrot", &[("aws", "aws.example/mandelbrot"), ("gcp", "gcp.example/mandelbrot")])
}

/// An application of that name whose targets pull from those image repositories.
pub(crate) fn application_of(name: &str, targets: &[(&str, &str)]) -> Application {
    let target = |(target, repository): &(&str, &str)| Target {
        name: target.parse().unwrap(),
        repository: repository.parse().unwrap(),
        overlay: format!("apps/{name}/overlays/{target}").parse().unwrap(),
    };
    let parts = Parts {
        source: Source {
            repository: format!("acme/{name}").parse().unwrap(),
            id: None,
            branches: vec!["main".parse().unwrap()],
        },
        gitops: Gitops { repository: "acme/trinity".parse().unwrap(), base: "main".parse().unwrap() },
        image: name.parse().unwrap(),
        tag: "sha-{commit}".parse().unwrap(),
        release: ReleasePolicy { deadline: Duration::from_secs(1800), pin: Pin::Tag },
        verify: Verify::default(),
        pull_request: PullRequestPolicy {
            merge_method: MergeMethod::Squash,
            labels: vec!["release".to_owned()],
            verdict_status: false,
            overdue_after: None,
        },
    };
    Application::new(name.parse().unwrap(), targets.iter().map(target).collect(), parts).unwrap()
}

/// A commit whose bytes are all `1f`.
pub(crate) fn commit() -> Commit {
    Commit::from_bytes([0x1f; 20])
}

/// A build of [`commit`] for a target, at a digest made of that byte, found after so many seconds.
pub(crate) fn build(target: &str, byte: u8, seconds: i64) -> Build {
    Build {
        target: target.parse().unwrap(),
        reference: Reference {
            repository: format!("{target}.example/mandelbrot").parse().unwrap(),
            tag: format!("sha-{}", commit()).parse().unwrap(),
        },
        digest: format!("sha256:{}", format!("{byte:02x}").repeat(32)).parse().unwrap(),
        found_at: at(seconds),
    }
}

/// So many seconds after 1970 began.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}
