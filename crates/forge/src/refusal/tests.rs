//! One line for each text that was seen in an answer of GitHub's.

use super::*;

fn check(message: &str, expected: Meaning) {
    assert_eq!(Meaning::of(message), expected, "{message}");
}

fn main() -> Branch {
    "main".parse().unwrap()
}

#[test]
fn an_order_whose_requirements_are_met_is_a_merge() {
    check(r#"["Pull request is in clean status"]"#, Meaning::MergeNow);
    check("Pull request Pull request is in clean status", Meaning::MergeNow);
    check("Pull request is in has_hooks status", Meaning::MergeNow);
}

#[test]
fn what_a_person_must_change_is_permanent() {
    check("Pull request Auto merge is not allowed for this repository", Meaning::AutoMergeOff);
    check("Pull request Protected branch rules not configured for this branch", Meaning::Unprotected);
    check("Merge method merge commits are not allowed on this repository", Meaning::MethodOff);
    check("Merge method squash merging is not allowed on this repository", Meaning::MethodOff);
    check("Merge method rebase merging is not allowed on this repository", Meaning::MethodOff);
    check("Squash merges are not allowed on this repository.", Meaning::MethodOff);
    check("Merge commits are not allowed on this repository.", Meaning::MethodOff);
    check("Pull request User is not authorized for this protected branch", Meaning::NotAuthorized);
    check("You're not authorized to push to this branch. Visit …", Meaning::NotAuthorized);
    check("Resource not accessible by integration", Meaning::Forbidden);
    check("Pull Request is still a draft", Meaning::Draft);
    check("Changes must be made through the merge queue", Meaning::Queue);
    for refusal in [
        Refusal::AutoMergeOff,
        Refusal::MethodOff(MergeMethod::Squash),
        Refusal::Unprotected(main()),
        Refusal::NotAuthorized,
        Refusal::Forbidden,
        Refusal::Draft,
        Refusal::Queue,
    ] {
        assert_eq!(refusal.fault(), Fault::Permanent, "{refusal}");
    }
}

#[test]
fn what_moved_is_looked_at_again() {
    check("Head branch was modified. Review and try the merge again.", Meaning::HeadMoved);
    check("Base branch was modified. Review and try the merge again.", Meaning::BaseMoved);
    check("Can't enable auto-merge for this pull request.", Meaning::WrongState);
    check("Pull request is not in the correct state to enable auto-merge", Meaning::WrongState);
    check("Pull Request is not mergeable", Meaning::WrongState);
    for refusal in [Refusal::HeadMoved, Refusal::Retargeted, Refusal::BaseMoved, Refusal::WrongState] {
        assert_eq!(refusal.fault(), Fault::Stale, "{refusal}");
    }
}

#[test]
fn what_may_pass_is_waited_for() {
    check("Pull request Pull request is in unstable status", Meaning::Unstable);
    check(r#"Required status check "ci" is expected."#, Meaning::Missing);
    check("Repository rule violations found\n\nRequired status check …", Meaning::Missing);
    check("At least 1 approving review is required by reviewers with write access.", Meaning::Missing);
    check("Waiting on code owner review from acme/platform.", Meaning::Missing);
    check("Required workflow 'ci' is not satisfied", Meaning::Missing);
    check("Could not resolve to a node with the global id of 'PR_1'", Meaning::Computing);
    for refusal in [Refusal::Unchecked(main()), Refusal::Unstable, Refusal::Missing(String::new()), Refusal::Computing]
    {
        assert_eq!(refusal.fault(), Fault::Transient, "{refusal}");
    }
}

#[test]
fn a_text_that_we_do_not_know_is_shown_as_it_is() {
    let text = "Something that GitHub made up yesterday";
    check(text, Meaning::Unknown);
    let refusal = Meaning::of(text).refusal(text.to_owned(), MergeMethod::Squash, &main());
    assert_eq!(refusal.to_string(), text);
    assert_eq!(refusal.fault(), Fault::Transient);
}
