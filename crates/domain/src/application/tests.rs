//! What names, paths and patterns take and refuse.

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn pattern(text: &str) -> TagPattern {
    text.parse().unwrap()
}

#[test]
fn a_tag_in_the_pattern_stands_for_its_commit() {
    for text in ["{commit}", "sha-{commit}", "v1-{commit}-amd64"] {
        let pattern = pattern(text);
        let commit = COMMIT.parse().unwrap();
        let tag = pattern.tag(commit);
        assert_eq!(pattern.commit(&tag), Ok(commit), "{text}");
        assert_eq!(pattern.to_string(), text);
    }
}

#[test]
fn a_tag_outside_the_pattern_stands_for_no_commit_and_says_what_it_is() {
    let commit_of = |tag: &str| pattern("sha-{commit}").commit(&tag.parse().unwrap());
    assert_eq!(commit_of(&format!("pr-12-{COMMIT}")), Err(NotACommit::PullRequest));
    for other in ["latest", "sha-0123456", COMMIT, "pr-x", &format!("sha-{COMMIT}-arm64")] {
        assert_eq!(commit_of(other), Err(NotACommit::Other), "{other}");
    }
}

#[test]
fn a_pattern_has_one_commit_and_makes_a_legal_tag() {
    for (bad, why) in [
        ("sha", InvalidTagPattern::Commit),
        ("{commit}{commit}", InvalidTagPattern::Commit),
        ("-{commit}", InvalidTagPattern::Tag),
        ("a b{commit}", InvalidTagPattern::Tag),
    ] {
        assert_eq!(bad.parse::<TagPattern>(), Err(why), "{bad}");
    }
}

#[test]
fn an_overlay_never_leaves_the_repository() {
    assert!("apps/mandelbrot/overlays/aws".parse::<OverlayPath>().is_ok());
    for bad in ["", "/", "/etc", "a/", "a//b", "../a", "a/../b", "a/./b", ".git", "a/.GIT/b", "a\\b", "a\nb"] {
        assert_eq!(bad.parse::<OverlayPath>(), Err(InvalidOverlayPath), "{bad}");
    }
}

#[test]
fn a_name_fits_into_a_branch_and_an_address() {
    assert!("mandelbrot-2".parse::<Name>().is_ok());
    for bad in ["", "-a", "a-", "A", "a.b", "a/b", "ä", &"a".repeat(64)] {
        assert_eq!(bad.parse::<Name>(), Err(InvalidName), "{bad}");
    }
}
