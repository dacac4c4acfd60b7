use crate::{Change, Edit, Missing, NewName, Version, image_in, set_image};

fn tag(tag: &str) -> Change {
    Change {
        image: "app".parse().unwrap(),
        new_name: NewName::Keep,
        version: Version::Tag(tag.parse().unwrap()),
        missing: Missing::Refuse,
    }
}

fn check_refused(before: &str, change: &Change, sentence: &str) {
    let refusal = set_image(before.as_bytes(), change).map(Edit::into_text).unwrap_err();
    assert_eq!(refusal.to_string(), sentence);
}

#[test]
fn what_is_read_is_what_kustomize_reads() {
    let read = |text: &str| {
        let image = image_in(text.as_bytes(), &"app".parse().unwrap()).unwrap();
        image.map(|image| (image.new_name, image.new_tag, image.digest))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("images:\n- name: b\n"), None);
    assert_eq!(read("resources: []\n"), None);
    assert_eq!(read("images: ~\n"), None);
    assert_eq!(read("images:\n- name: app\n  newTag: ''\n  digest: null\n"), Some((None, None, None)));
    assert_eq!(
        read("images:\n- {name: app, newName: A b, newTag: '1.10', digest: md5:1}\n"),
        Some((some("A b"), some("1.10"), some("md5:1")))
    );
    assert_eq!(read("x: &v v7\nimages:\n- name: app\n  newTag: *v\n"), Some((None, some("v7"), None)));
}

#[test]
fn an_entry_that_is_missing_or_there_twice_is_refused() {
    check_refused("images:\n- name: b\n", &tag("v2"), "`images` at 1:1 has no entry named app; add `- name: app`");
    check_refused("resources: []\n", &tag("v2"), "the kustomization has no `images`; add it with `- name: app`");
    check_refused(
        "images:\n- name: app\n- name: b\n- name: app\n",
        &tag("v2"),
        "`images` has two entries named app (lines 2 and 4); keep one",
    );
    check_refused(
        "imageTags:\n- name: app\nimages:\n- name: app\n",
        &tag("v2"),
        "`imageTags` names app at 2:3 and wins over `images`; move it there",
    );
}

#[test]
fn what_would_change_something_else_is_refused() {
    check_refused(
        "images:\n- name: app\n  newTag: &v v1\nlabels:\n- pairs: {v: *v}\n",
        &tag("v2"),
        "the value of `newTag` at 3:14 is repeated elsewhere by an alias; write it out there",
    );
    check_refused(
        "images:\n- &b\n  name: app\n  newTag: v1\n- *b\n",
        &tag("v2"),
        "an entry of `images` at 5:3 is shared with another place by an alias; write it out",
    );
    check_refused(
        "images:\n- &b {name: b}\n- <<: *b\n  name: app\n",
        &tag("v2"),
        "an entry of `images` at 2:6 is shared with another place by an alias; write it out",
    );
    check_refused("images:\n- name: app\n  <<: {}\n", &tag("v2"), "a merge key (`<<`) at 3:3; write the values out");
    check_refused(
        "images:\n- name: app\n  tagSuffix: -x\n",
        &tag("v2"),
        "the entry app has `tagSuffix` at 3:3; remove it",
    );
}

#[test]
fn what_kustomize_reads_otherwise_is_refused() {
    let cases = [
        ("images:\n- name: app\nimages: []\n", "the key `images` stands twice, at 1:1 and 3:1; keep one"),
        ("Images:\n- name: app\n", "the key `Images` at 1:1 is written `images`"),
        ("images:\n- name: app\n  newtag: v1\n", "the key `newtag` at 3:3 is written `newTag`"),
        (
            "images:\n- name: app\n  newDigest: x\n",
            "an entry of `images` has the field `newDigest` at 3:3, which Kustomize does not know",
        ),
        ("images:\n  name: app\n", "`images` is not a list at 2:3"),
        ("images:\n- app\n", "an entry of `images` is not a mapping at 2:3"),
        ("- images\n", "the kustomization is not a mapping at 1:1"),
        ("# nothing\n", "the kustomization is empty"),
        ("", "the kustomization is empty"),
        ("images:\n- name: app\n---\nimages: []\n", "a second YAML document begins at 3:1; Kustomize ignores it"),
        ("%YAML 1.2\n---\nimages: []\n", "a YAML directive (`%…`) at 1:1; Kustomize rejects it"),
        (
            "# é\u{2028}x\nimages: []\n",
            "the character U+2028 at 1:4 ends a line for Kustomize and for nobody else; remove it",
        ),
        ("a: b\rimages: []\n", "a carriage return without a line feed at 1:5; use one kind of line ending"),
        (
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
            "not a kustomization: apiVersion `kustomize.toolkit.fluxcd.io/v1` and kind `Kustomization` at 1:13",
        ),
        ("kind: Deployment\n", "not a kustomization: apiVersion `` and kind `Deployment` at 1:7"),
        ("? [a]\n: b\n", "a key that is not plain text at 1:3"),
    ];
    for (before, sentence) in cases {
        check_refused(before, &tag("v2"), sentence);
    }
}

#[test]
fn a_key_that_stands_twice_is_found_among_many_and_in_any_case() {
    let many: String = (0..20).map(|number| format!("key{number}: x\n")).collect();
    check_refused(
        &format!("{many}KEY7: x\nimages:\n- name: app\n"),
        &tag("v2"),
        "the key `KEY7` stands twice, at 8:1 and 21:1; keep one",
    );
    check_refused(
        "images:\n- name: app\n  newTag: v1\n  NEWTAG: v1\n",
        &tag("v2"),
        "the key `NEWTAG` stands twice, at 3:3 and 4:3; keep one",
    );
}

#[test]
fn too_large_too_deep_and_not_text_are_refused() {
    let large = format!("images: []\n#{}", "x".repeat(1 << 20));
    check_refused(&large, &tag("v2"), "the kustomization has 1048588 bytes; at most 1048576 are read");
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    check_refused(&deep, &tag("v2"), "nested more than 64 levels deep at 1:68");
    let refusal = set_image(b"a: b\nc: \xff\n", &tag("v2")).unwrap_err();
    assert_eq!(refusal.to_string(), "the kustomization is not UTF-8 at 2:4");
}

#[test]
fn a_value_that_kustomize_rejects_is_not_read() {
    let refusal = image_in(b"images:\n- name: app\n  newTag: 6.0\n", &"app".parse().unwrap()).unwrap_err();
    assert_eq!(refusal.to_string(), "the value of `newTag` at 3:11 is not text; put it in quotes");
}

#[test]
fn a_template_is_refused() {
    check_refused(
        "images:\n- name: app\n  newTag: {{ .Tag }}\n",
        &tag("v2"),
        "the value of `newTag` at 3:11 is not text; put it in quotes",
    );
}

#[test]
fn an_entry_that_another_one_overrules_is_refused() {
    let overruled = [
        ("images:\n- name: app\n  newName: r.io/app\n- name: r.io/app\n  newTag: v1\n", "r.io/app at 4:3"),
        ("images:\n- name: app\n- name: a.*\n  newTag: v1\n", "a.* at 3:3"),
        ("images:\n- name: app\n- name: app:v2\n  newTag: v1\n", "app:v2 at 3:3"),
        ("images:\n- name: .*\n  newName: r.io/all\n- name: app\n", ".* at 2:3"),
    ];
    for (text, other) in overruled {
        let sentence = format!("the entry {other} changes the image of the entry app as well; keep one");
        check_refused(text, &tag("v2"), &sentence);
    }
    for harmless in [
        "images:\n- name: app\n  newName: r.io/app\n- name: r.io/app\n  newName: r.io/app\n",
        "images:\n- name: .*\n  newTag: v1\n- name: app\n",
        "images:\n- name: app\n- name: app:v1\n  newTag: v3\n- name: b.*\n  newTag: v1\n",
    ] {
        assert!(set_image(harmless.as_bytes(), &tag("v2")).is_ok(), "{harmless}");
    }
}

#[test]
fn a_sentence_repeats_no_more_than_a_line_of_the_file() {
    let text = format!("images:\n- name: app\n  \"a\\nb{}\": c\n", "x".repeat(500));
    let refusal = set_image(text.as_bytes(), &tag("v2")).unwrap_err().to_string();
    assert!(refusal.len() < 200 && !refusal.contains('\n'), "{refusal}");
}

#[test]
fn what_two_parsers_read_differently_is_neither_read_nor_edited() {
    let text = "images:\n- name: app\n  newTag: v2\n  digest: &sha256:00 \n";
    check_refused(
        text,
        &tag("v2"),
        "two YAML parsers disagree about the kustomization: `digest` of the entry named app is another one for the second",
    );
    assert!(image_in(text.as_bytes(), &"app".parse().unwrap()).is_err());
}

#[test]
fn aliases_that_multiply_are_refused_before_they_do() {
    let mut text = "k0: &k0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = format!("*k{}, ", level - 1).repeat(9);
        text.push_str(&format!("k{level}: &k{level} [{below}]\n"));
    }
    text.push_str("images:\n- name: app\n");
    check_refused(&text, &tag("v2"), "two YAML parsers disagree about the kustomization: repetition limit exceeded");
}
