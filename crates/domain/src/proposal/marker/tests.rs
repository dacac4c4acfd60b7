//! What Tagferry recognises of its own text.

use super::*;
use crate::{
    proposal::tests::{moves, proposal},
    sample::{application, commit},
};

/// A title and a body as Tagferry writes them.
fn written() -> (String, String) {
    let application = application();
    let moves = moves(&application, commit());
    let evidence = [crate::evidence::Evidence {
        kind: crate::evidence::Kind::Tag,
        outcome: crate::evidence::Outcome::Passed,
        seen: "tag 1".to_owned(),
        link: None,
    }];
    let proposal = super::super::Proposal { evidence: &evidence, ..proposal(&application, &moves) };
    (proposal.title(), proposal.body())
}

fn authors(title: &str, body: &str) -> (Author, Author) {
    let Authors { title, body } = Authors::of(title, body);
    (title, body)
}

#[test]
fn a_body_tells_its_release_and_digests() {
    let (_, body) = written();
    let marker = Marker::find(&body).unwrap();
    assert_eq!((marker.application.as_str(), marker.commit), ("mandelbrot", commit()));
    assert_eq!(marker.release_id(), format!("mandelbrot/{}", commit()));
    let digest = format!("sha256:{}", "ab".repeat(32));
    let digests: Vec<(&str, &str)> =
        marker.digests.iter().map(|(target, digest)| (target.as_str(), digest.as_str())).collect();
    assert_eq!(digests, [("aws", digest.as_str()), ("gcp", digest.as_str())]);
    assert!(body.ends_with(&marker.to_string()), "the marker is the end, as it prints");
}

#[test]
fn what_nobody_changed_is_ours() {
    let (title, body) = written();
    for same in [
        body.clone(),
        body.replace('\n', "\r\n"),
        body.trim_end().to_owned(),
        format!("{body}\n\n"),
        body.replace("- [x] **tag**", "- [ ] **tag**"),
    ] {
        assert_eq!(authors(&title, &same), (Author::Tagferry, Author::Tagferry), "{same}");
    }
    assert_eq!(authors(&format!(" {title} "), &body), (Author::Tagferry, Author::Tagferry));
}

#[test]
fn what_a_person_changed_is_theirs() {
    let (title, body) = written();
    for changed in [
        body.replace("Evidence", "Proof"),
        format!("Wait for me!\n\n{body}"),
        format!("{body}\nThank you."),
        body.replace("- [x] **tag** passed: tag 1\n", ""),
    ] {
        assert_eq!(authors(&title, &changed), (Author::Tagferry, Author::Person), "{changed}");
    }
    assert_eq!(authors("Ship it", &body), (Author::Person, Author::Tagferry));
}

#[test]
fn without_a_whole_marker_nothing_is_known() {
    let (title, body) = written();
    let digest = "sha256:ab";
    for damaged in [
        "",
        "By hand",
        "<!-- tagferry:1 -->",
        &body.replace("tagferry:2", "tagferry:3"),
        &body.replace("tagferry:2", "tagferry:22"),
        &body.replace("-->", ""),
        &body.replace("\ntitle ", "\nheading "),
        &body.replace("\nrelease ", "\nrelease-"),
        &body.replace("\nbody ", "\ndigest aws md5:0\nbody "),
        &body.replace("\nbody ", &format!("\ndigest aws {digest}\nbody ")),
        &body.replace("-->", "more\n-->"),
        &body.replace("<!-- tagferry:2", "x <!-- tagferry:2"),
    ] {
        assert_eq!(Marker::find(damaged), None, "{damaged}");
        assert_eq!(authors(&title, damaged), (Author::Person, Author::Person), "{damaged}");
    }
}

#[test]
fn the_last_marker_counts() {
    let (title, body) = written();
    let forged = body.replace(&commit().to_string(), &"0".repeat(40));
    let both = format!("{forged}\n{body}");
    assert_eq!(Marker::find(&both).map(|marker| marker.commit), Some(commit()));
    assert_eq!(authors(&title, &both), (Author::Tagferry, Author::Person));
}
