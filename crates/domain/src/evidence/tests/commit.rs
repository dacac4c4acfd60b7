//! The tag, the commit, its branch and its checks.

use insta::assert_snapshot;

use super::*;
use crate::application::{AppName, CheckRule, Demand, Tolerated};

fn present(branch: Option<&str>, left: Option<Left>) -> Lookup {
    Lookup::Present {
        subject: "Zoom deeper".to_owned(),
        url: "https://forge.example/1f1f1f1".to_owned(),
        branch: branch.map(|branch| branch.parse().unwrap()),
        left,
        checks: Vec::new(),
    }
}

fn of_source(application: &Application, lookup: &Lookup) -> String {
    let all = [
        crate::evidence::commit(application, crate::sample::commit(), lookup),
        branch(application, crate::sample::commit(), lookup),
    ];
    all.iter().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tag_names_the_commit() {
    assert_snapshot!(words(&tag(&application(), crate::sample::commit())), @"tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1");
}

#[test]
fn the_source_repository_proves_the_commit_and_its_branch() {
    let mut application = application();
    application.source.branches.push("stable".parse().unwrap());
    assert_snapshot!(of_source(&application, &Lookup::Absent), @r"
    commit failed: commit 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f does not exist in acme/mandelbrot
    branch failed: commit 1f1f1f1 is on no branch of acme/mandelbrot
    ");
    assert_snapshot!(of_source(&application, &present(Some("stable"), None)), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch passed: commit 1f1f1f1 is on stable
    ");
    assert_snapshot!(of_source(&application, &present(None, None)), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch failed: commit 1f1f1f1 is not on an allowed branch of acme/mandelbrot (main, stable)
    ");
    let left = Left { branch: "stable".parse().unwrap(), at: at(86_400) };
    assert_snapshot!(of_source(&application, &present(None, Some(left))), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch failed: commit 1f1f1f1 was on stable of acme/mandelbrot until that was force-pushed on 1970-01-02 00:00 UTC, and is on no allowed branch now (main, stable)
    ");
    application.verify.branch = Demand::Off;
    assert_snapshot!(of_source(&application, &present(None, None)), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch skipped: the branch was not looked at: verify.branch is off
    ");
    assert_eq!(of_source(&application, &present(Some("stable"), None)), of_source(&application, &present(None, None)));
    // A commit that does not exist is refused whatever is asked of its branch.
    assert_eq!(
        crate::evidence::commit(&application, crate::sample::commit(), &Lookup::Absent).outcome,
        Outcome::Failed
    );
    let linked = branch(&application, crate::sample::commit(), &present(None, None));
    assert_eq!(linked.link.as_deref(), Some("https://forge.example/1f1f1f1"));
}

fn reported(name: &str, app: Option<(u64, &str)>, state: CheckState) -> Reported {
    let app = app.map(|(id, slug)| App { id, slug: slug.to_owned() });
    Reported { name: name.to_owned(), app, state, url: Some(format!("https://forge.example/{name}")) }
}

fn rule(name: &str, app: Option<AppName>, tolerated: &[Tolerated]) -> CheckRule {
    CheckRule { name: name.parse().unwrap(), app, tolerated: tolerated.to_vec() }
}

fn of_checks(rules: &[CheckRule], reported: &[Reported], until: i64) -> String {
    let mut application = application();
    application.verify.checks = rules.to_vec();
    words(&checks(&application, reported, wait(until)))
}

const ACTIONS: Option<(u64, &str)> = Some((15_368, "github-actions"));

#[test]
fn checks_are_passed_over_where_none_are_asked_for() {
    let failed = [reported("ci", None, CheckState::Failed("failure".to_owned()))];
    assert_snapshot!(of_checks(&[], &failed, 60), @"checks skipped: no checks of the commit are asked for: verify.checks is empty");
}

#[test]
fn each_check_that_a_rule_matches_must_have_passed() {
    let rules = [rule("build *", None, &[])];
    let amd64 = reported("build amd64", ACTIONS, CheckState::Succeeded);
    let arm64 = |state| reported("build arm64", ACTIONS, state);
    let with = |state| of_checks(&rules, &[amd64.clone(), arm64(state)], 60);
    assert_snapshot!(with(CheckState::Succeeded), @"checks passed: check build amd64 passed, check build arm64 passed");
    assert_snapshot!(with(CheckState::Running), @"checks pending: check build arm64 is not done");
    assert_snapshot!(with(CheckState::Failed("timed_out".to_owned())), @"checks failed: check build arm64 ended as timed_out");
    assert_snapshot!(with(CheckState::Neutral), @"checks failed: check build arm64 is neutral, which does not count (verify.checks[].accept)");
    assert_snapshot!(with(CheckState::Skipped), @"checks failed: check build arm64 was skipped, which does not count (verify.checks[].accept)");
}

#[test]
fn checks_that_are_not_done_or_not_heard_of_are_waited_for_until_the_deadline() {
    let rules = [rule("ci", None, &[]), rule("lint", None, &[])];
    let running = [reported("ci", None, CheckState::Running)];
    assert_snapshot!(of_checks(&rules, &running, 60), @"checks pending: check ci is not done, check lint was not heard of");
    assert_snapshot!(of_checks(&rules, &running, 0), @"checks failed: check ci is not done, check lint was not heard of, and that for too long (verify.deadline)");
    // What failed is not waited for, whatever else is.
    let failed = [reported("lint", None, CheckState::Failed("failure".to_owned()))];
    assert_snapshot!(of_checks(&rules, &failed, 60), @"checks failed: check lint ended as failure");
}

#[test]
fn a_check_of_another_app_does_not_count() {
    let succeeded = |app| [reported("ci", app, CheckState::Succeeded)];
    let by_id = [rule("ci", Some(AppName::Id(15_368)), &[])];
    let by_slug = [rule("ci", Some(AppName::Slug("GitHub-Actions".to_owned())), &[])];
    for rules in [&by_id, &by_slug] {
        assert!(of_checks(rules, &succeeded(ACTIONS), 60).starts_with("checks passed"));
        assert!(of_checks(rules, &succeeded(None), 60).starts_with("checks pending"), "a status has no App");
        assert!(of_checks(rules, &succeeded(Some((7, "somebody"))), 60).starts_with("checks pending"));
    }
    assert_snapshot!(of_checks(&by_slug, &succeeded(None), 60), @"checks pending: check ci of GitHub-Actions was not heard of");
    assert_snapshot!(of_checks(&by_id, &succeeded(None), 60), @"checks pending: check ci of the App 15368 was not heard of");
}

#[test]
fn neutral_and_skipped_count_where_the_policy_says_so() {
    for (tolerated, state, passes) in [
        (&[Tolerated::Neutral][..], CheckState::Neutral, true),
        (&[Tolerated::Neutral], CheckState::Skipped, false),
        (&[Tolerated::Skipped], CheckState::Skipped, true),
        (&[Tolerated::Skipped], CheckState::Neutral, false),
        (&[Tolerated::Neutral, Tolerated::Skipped], CheckState::Failed("failure".to_owned()), false),
    ] {
        let said = of_checks(&[rule("ci", None, tolerated)], &[reported("ci", None, state.clone())], 60);
        assert_eq!(said.starts_with("checks passed"), passes, "{tolerated:?} {state:?} {said}");
    }
}

#[test]
fn what_failed_is_linked() {
    let mut application = application();
    application.verify.checks = vec![rule("*", None, &[])];
    let all = [reported("a", None, CheckState::Succeeded), reported("b", None, CheckState::Failed("x".to_owned()))];
    assert_eq!(checks(&application, &all, wait(60)).link.as_deref(), Some("https://forge.example/b"));
}
