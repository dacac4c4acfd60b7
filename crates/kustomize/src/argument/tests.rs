use super::*;
use crate::{Edit, set_image};

const DIGEST: &str = "sha256:0f";

/// What the entry says after the argument, both kept and exact: `name|newName|newTag|digest`.
fn check(argument: &str, kept: &str, exact: &str) {
    let argument: Argument = argument.parse().unwrap();
    let before = format!("images:\n- name: app\n  newName: r/app\n  newTag: v1\n  digest: {DIGEST}\n");
    for (unnamed, expected) in [(Unnamed::Keep, kept), (Unnamed::Erase, exact)] {
        let after = set_image(before.as_bytes(), &argument.change(unnamed)).map(Edit::into_text).unwrap();
        let image = crate::image_in(after.as_bytes(), argument.image()).unwrap().unwrap();
        let said = [Some(image.name), image.new_name, image.new_tag, image.digest];
        assert_eq!(said.map(Option::unwrap_or_default).join("|"), expected, "{argument:?} {unnamed:?}");
    }
}

fn refuse(argument: &str, sentence: &str) {
    assert_eq!(argument.parse::<Argument>().unwrap_err().to_string(), sentence);
}

#[test]
fn what_an_argument_names_is_set_and_the_rest_stays_or_is_erased() {
    check("app:v2", "app|r/app|v2|", "app||v2|");
    check("app@sha256:e", "app|r/app|v1|sha256:e", "app|||sha256:e");
    check("app:v2@sha256:e", "app|r/app|v2|sha256:e", "app||v2|sha256:e");
    check("app=x", "app|x|v1|sha256:0f", "app|x||");
    check("app=x:v2", "app|x|v2|", "app|x|v2|");
    check("app=x@sha256:e", "app|x|v1|sha256:e", "app|x||sha256:e");
    check("app=localhost:5000/x:v2", "app|localhost:5000/x|v2|", "app|localhost:5000/x|v2|");
}

#[test]
fn a_star_keeps_what_the_entry_says() {
    check("app=*", "app|r/app|v1|sha256:0f", "app|r/app||");
    check("app=*:v2", "app|r/app|v2|", "app|r/app|v2|");
    check("app=*:*", "app|r/app|v1|sha256:0f", "app|r/app|v1|");
    check("app=*@*", "app|r/app|v1|sha256:0f", "app|r/app||sha256:0f");
    check("app=*:*@*", "app|r/app|v1|sha256:0f", "app|r/app|v1|sha256:0f");
    check("app=x:*@sha256:e", "app|x|v1|sha256:e", "app|x|v1|sha256:e");
    check("app=x@*", "app|x|v1|sha256:0f", "app|x||sha256:0f");
}

#[test]
fn a_separator_without_a_text_removes() {
    check("app:", "app|r/app||sha256:0f", "app|||");
    check("app@", "app|r/app|v1|", "app|||");
    check("app=", "app||v1|sha256:0f", "app|||");
    check("app=:", "app|||sha256:0f", "app|||");
    check("app:@", "app|r/app||", "app|||");
}

#[test]
fn an_argument_that_sets_nothing_or_something_else_than_it_says_is_refused() {
    refuse("app", "app names no change: write app:TAG, app@DIGEST, app=NEW_NAME, or app=NEW_NAME:TAG@DIGEST");
    refuse(
        "localhost:5000/app",
        "localhost:5000/app names no change: write localhost:5000/app:TAG, localhost:5000/app@DIGEST, \
         localhost:5000/app=NEW_NAME, or localhost:5000/app=NEW_NAME:TAG@DIGEST",
    );
    refuse("*:v9", "an image's name has no '*': Kustomize takes the name as a regular expression");
    refuse(":v9", "an image's name has 1 to 255 characters");
    refuse(
        "app:v2@*",
        "`@*` keeps the old digest, and the tag v2 has no effect beside it: leave `@*` out, or write the digest",
    );
    refuse("app:a\nb", "a value of an image has no character U+000A");
}
