//! Which applications an announced tag is about.

use super::*;
use crate::sample::{application, application_of, commit};

fn pushed(repository: &str, tag: &str) -> Pushed {
    Pushed { repository: repository.parse().unwrap(), tag: tag.parse().unwrap(), claimed_digest: None, run: None }
}

/// Each match as `application: targets`, or the reason why there is none.
fn found(applications: &[Application], pushed: &Pushed) -> Result<Vec<String>, String> {
    let words = |one: Match<'_>| {
        assert_eq!(one.commit, commit());
        let targets: Vec<&str> = one.targets.iter().map(|name| name.as_str()).collect();
        format!("{}: {}", one.application.name(), targets.join(", "))
    };
    match matches(applications, pushed) {
        Ok(found) => Ok(found.into_iter().map(words).collect()),
        Err(reason) => Err(reason.to_string()),
    }
}

fn check(applications: &[Application], repository: &str, tag: &str, expected: Result<&[&str], &str>) {
    let expected = match expected {
        Ok(words) => Ok(words.iter().map(|&one| one.to_owned()).collect()),
        Err(reason) => Err(reason.to_owned()),
    };
    assert_eq!(found(applications, &pushed(repository, tag)), expected, "{repository}:{tag}");
}

fn sha() -> String {
    format!("sha-{}", commit())
}

#[test]
fn a_tag_is_about_the_target_that_pulls_from_its_repository() {
    check(&[application()], "aws.example/mandelbrot", &sha(), Ok(&["mandelbrot: aws"]));
    check(&[application()], "gcp.example/mandelbrot", &sha(), Ok(&["mandelbrot: gcp"]));
}

#[test]
fn two_applications_may_pull_from_one_repository() {
    let shared = "shared.example/image";
    let both = [application_of("blue", &[("aws", shared)]), application(), application_of("green", &[("gcp", shared)])];
    check(&both, shared, &sha(), Ok(&["blue: aws", "green: gcp"]));
}

#[test]
fn of_two_applications_the_one_whose_pattern_fits_is_meant() {
    let shared = "shared.example/image";
    let mut other = application_of("blue", &[("aws", shared)]);
    other.tag = "v-{commit}".parse().unwrap();
    let both = [other, application_of("green", &[("aws", shared)])];
    check(&both, shared, &sha(), Ok(&["green: aws"]));
    check(&both, shared, &format!("v-{}", commit()), Ok(&["blue: aws"]));
}

#[test]
fn two_targets_of_an_application_may_pull_from_one_repository() {
    let shared = "shared.example/image";
    let one = application_of("mandelbrot", &[("aws", shared), ("gcp", "gcp.example/image"), ("azure", shared)]);
    check(&[one], shared, &sha(), Ok(&["mandelbrot: aws, azure"]));
}

#[test]
fn what_is_of_no_interest_says_why() {
    let aws = "aws.example/mandelbrot";
    let nobody = Err("no application uses aws.example/julia");
    check(&[], "aws.example/julia", &sha(), nobody);
    check(&[application()], "aws.example/julia", &sha(), nobody);
    let pull_request = format!("pr-12-{}", commit());
    let reason = format!("pull-request tag: {pull_request} was built for a pull request");
    check(&[application()], aws, &pull_request, Err(&reason));
    let reason = "tag does not name a commit: latest is not of the form sha-{commit}";
    check(&[application()], aws, "latest", Err(reason));
    check(&[application()], "aws.example/julia", "latest", nobody);
}
