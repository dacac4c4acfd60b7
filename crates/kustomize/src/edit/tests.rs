use super::*;
use crate::change::{NewName, Version};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn change(version: Version) -> Change {
    Change { image: "app".parse().unwrap(), new_name: NewName::Keep, version, missing: Missing::Refuse }
}

fn tag(tag: &str) -> Change {
    change(Version::Tag(tag.parse().unwrap()))
}

fn pinned(tag: &str) -> Change {
    change(Version::TagAndDigest(tag.parse().unwrap(), DIGEST.parse().unwrap()))
}

fn name(repository: &str) -> Change {
    Change { new_name: NewName::Set(repository.parse().unwrap()), ..change(Version::Keep) }
}

/// The digest in the texts of these tests is written `@`.
fn check(before: &str, change: &Change, after: &str) {
    let (before, after) = (before.replace('@', DIGEST), after.replace('@', DIGEST));
    let edit = set_image(before.as_bytes(), change).unwrap();
    assert_eq!(edit.text(), after);
    let again = set_image(edit.text().as_bytes(), change).unwrap();
    assert_eq!((again.outcome(), again.text()), (Outcome::Unchanged, edit.text()), "twice is not once");
}

#[test]
fn a_tag_is_replaced_in_its_own_quotes() {
    check("images:\n- name: app\n  newTag: v1\n", &tag("v2"), "images:\n- name: app\n  newTag: v2\n");
    check("images:\n- name: app\n  newTag: 'v1' # c\n", &tag("v2"), "images:\n- name: app\n  newTag: 'v2' # c\n");
    check("images:\n- name: app\n  newTag: \"v1\" # c", &tag("v2"), "images:\n- name: app\n  newTag: \"v2\" # c");
    check("images:\n- name: app\n  newTag: v1   \n", &tag("v2"), "images:\n- name: app\n  newTag: v2   \n");
}

#[test]
fn a_tag_that_looks_like_a_number_gets_quotes() {
    check("images:\n- name: app\n  newTag: v1\n", &tag("1.10"), "images:\n- name: app\n  newTag: \"1.10\"\n");
    check("images:\n- name: app\n  newTag: 6.0\n", &tag("5e78923"), "images:\n- name: app\n  newTag: \"5e78923\"\n");
    check("images:\n- name: app\n  newTag: 'v1'\n", &tag("1.10"), "images:\n- name: app\n  newTag: '1.10'\n");
}

#[test]
fn every_other_entry_and_comment_stays() {
    check(
        "# head\nimages: # a\n\n# b\n- name: other\n  newTag: v1\n- newTag: v1 # c\n  # d\n  name: app\n\n# e\nkind: Kustomization\n",
        &tag("v2"),
        "# head\nimages: # a\n\n# b\n- name: other\n  newTag: v1\n- newTag: v2 # c\n  # d\n  name: app\n\n# e\nkind: Kustomization\n",
    );
}

#[test]
fn a_missing_key_follows_its_siblings() {
    check("images:\n- name: app # c\n", &tag("v2"), "images:\n- name: app # c\n  newTag: v2\n");
    check("images:\n  - name: app", &pinned("v2"), "images:\n  - name: app\n    newTag: v2\n    digest: @");
    check(
        "images:\r\n- newName: r.io/app\r\n  name: app\r\n- name: b\r\n",
        &pinned("v2"),
        "images:\r\n- newName: r.io/app\r\n  newTag: v2\r\n  digest: @\r\n  name: app\r\n- name: b\r\n",
    );
    check(
        "images:\n-   newTag: \"1\"\n    name: app\n",
        &pinned("1"),
        "images:\n-   newTag: \"1\"\n    digest: \"@\"\n    name: app\n",
    );
    check(
        "images:\n- name: app\n  newTag: v1\n",
        &name("r.io/x/app"),
        "images:\n- name: app\n  newName: r.io/x/app\n  newTag: v1\n",
    );
}

#[test]
fn a_tag_without_a_digest_removes_an_old_digest() {
    check(
        "images:\n- name: app\n  digest: @ # old\n  newTag: v1\n",
        &tag("v2"),
        "images:\n- name: app\n  newTag: v2\n",
    );
    check("images:\n- name: app\n  digest: @", &tag("v2"), "images:\n- name: app\n  newTag: v2");
    check("images:\n- digest: @ # x\n  name: app\n", &tag("v2"), "images:\n- name: app\n  newTag: v2\n");
    check("images:\n- {name: app, digest: @}\n", &tag("v2"), "images:\n- {name: app, newTag: v2}\n");
    check("images:\n- {digest: @, name: app}\n", &tag("v2"), "images:\n- {name: app, newTag: v2}\n");
}

#[test]
fn what_the_change_does_not_name_stays() {
    let before = "images:\n- name: app\n  newName: r.io/app\n  newTag: v1\n  digest: @\n";
    check(before, &name("r.io/b"), "images:\n- name: app\n  newName: r.io/b\n  newTag: v1\n  digest: @\n");
    check(before, &change(Version::Unpin), "images:\n- name: app\n  newName: r.io/app\n  newTag: v1\n");
    check(before, &change(Version::Remove), "images:\n- name: app\n  newName: r.io/app\n");
    check(
        before,
        &change(Version::Digest(DIGEST.parse().unwrap())),
        "images:\n- name: app\n  newName: r.io/app\n  digest: @\n",
    );
    check(before, &change(Version::Keep), before);
    let none = Change { new_name: NewName::Remove, ..change(Version::Keep) };
    check(before, &none, "images:\n- name: app\n  newTag: v1\n  digest: @\n");
    check(
        "images:\n- name: app\n  newTag: v1\n",
        &change(Version::Pin(DIGEST.parse().unwrap())),
        "images:\n- name: app\n  newTag: v1\n  digest: @\n",
    );
}

#[test]
fn flow_style_stays_flow_style() {
    check("images: [{name: app, newTag: v1}]  # c\n", &tag("1.0"), "images: [{name: app, newTag: \"1.0\"}]  # c\n");
    check("images: [ {name: app,}, ]\n", &tag("v2"), "images: [ {name: app, newTag: v2,}, ]\n");
    check(
        "{\"images\":[{\"name\":\"app\"}]}",
        &pinned("v2"),
        "{\"images\":[{\"name\":\"app\",\"newTag\":\"v2\",\"digest\":\"@\"}]}",
    );
    check(
        "{\n \"images\": [\n  {\n   \"name\": \"app\",\n   \"newTag\": \"v1\",\n   \"digest\": \"@\"\n  }\n ]\n}\n",
        &tag("v2"),
        "{\n \"images\": [\n  {\n   \"name\": \"app\",\n   \"newTag\": \"v2\"\n  }\n ]\n}\n",
    );
    check(
        "images: [\n  {\n    digest: @, # d\n    name: app, # n\n  },\n]\n",
        &tag("v2"),
        "images: [\n  {\n    name: app, newTag: v2, # n\n  },\n]\n",
    );
}

#[test]
fn unusual_values_are_replaced() {
    check("images:\n- name: app\n  newTag:\n", &tag("v2"), "images:\n- name: app\n  newTag: v2\n");
    check("images:\n- name: app\n  newTag: #{X}\n", &tag("v2"), "images:\n- name: app\n  newTag: v2 #{X}\n");
    check("images:\n- name: app\n  newTag: ~\n", &tag("v2"), "images:\n- name: app\n  newTag: v2\n");
    check(
        "images:\n- name: app\n  newTag: |-\n    v1\n\n- name: b\n",
        &tag("v2"),
        "images:\n- name: app\n  newTag: v2\n\n- name: b\n",
    );
    check("images:\n- name: app\n  newTag: >+\n    v1", &tag("v2"), "images:\n- name: app\n  newTag: v2");
    check("images:\n- name: app\n  newTag:\n    v1\n", &tag("v2"), "images:\n- name: app\n  newTag:\n    v2\n");
    check(
        "images:\n- name: app\n  newTag: !!str 1.10\n",
        &tag("1.11"),
        "images:\n- name: app\n  newTag: !!str \"1.11\"\n",
    );
    check("images:\n- name: app\n  newTag: ! 1.10\n", &tag("v2"), "images:\n- name: app\n  newTag: ! v2\n");
    check("images:\n- name: app\n  newTag: \"v\\\n    1\"\n", &tag("v2"), "images:\n- name: app\n  newTag: \"v2\"\n");
    check("images:\n- name: app\n  newTag: &a v1\n", &tag("v2"), "images:\n- name: app\n  newTag: &a v2\n");
    check(
        "commonAnnotations:\n  v: &v v7\nimages:\n- name: app\n  newTag: *v\n",
        &tag("v2"),
        "commonAnnotations:\n  v: &v v7\nimages:\n- name: app\n  newTag: v2\n",
    );
}

#[test]
fn byte_order_marks_document_marks_and_scalars_at_the_end_stay() {
    check("\u{feff}images:\n- name: app\n  newTag: v1\n", &tag("v2"), "\u{feff}images:\n- name: app\n  newTag: v2\n");
    check(
        "---\nimages:\n- name: app\n  newTag: v1\n...\n# c\n",
        &tag("v2"),
        "---\nimages:\n- name: app\n  newTag: v2\n...\n# c\n",
    );
    check(
        "images:\n- name: app\n  newTag: v1\npatches:\n- patch: |\n    a: b\n    # c",
        &tag("v2"),
        "images:\n- name: app\n  newTag: v2\npatches:\n- patch: |\n    a: b\n    # c",
    );
}

#[test]
fn the_changed_places_are_reported() {
    let edit = set_image(b"\xef\xbb\xbfimages:\n- name: app\n  newTag: v1\n", &pinned("v2")).unwrap();
    let texts: Vec<_> = edit.changed().iter().map(|range| edit.text().get(range.clone()).unwrap()).collect();
    assert_eq!(texts, ["v2", &format!("\n  digest: {DIGEST}")]);
}

#[test]
fn keys_that_stand_together_are_removed_together() {
    let remove = change(Version::Remove);
    check("images:\n- newTag: v1 # a\n\n  digest: @ # b\n  name: app\n", &remove, "images:\n- name: app\n");
    check("images:\n- name: app\n  newTag: v1\n  digest: @", &remove, "images:\n- name: app");
    check("images: [{newTag: v1, digest: @, name: app}]\n", &remove, "images: [{name: app}]\n");
    check("images: [{newTag: v1, name: app, digest: @}]\n", &remove, "images: [{name: app}]\n");
    check(
        "{\n \"images\": [{\n  \"name\": \"app\",\n  \"newTag\": \"v1\",\n  \"digest\": \"@\"\n }]\n}\n",
        &remove,
        "{\n \"images\": [{\n  \"name\": \"app\"\n }]\n}\n",
    );
}

#[test]
fn a_key_in_braces_follows_one_without_a_value() {
    check("images: [{name: app, newName: }]\n", &tag("v2"), "images: [{name: app, newName: , newTag: v2 }]\n");
}
