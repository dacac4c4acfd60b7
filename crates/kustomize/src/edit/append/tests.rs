use crate::{Change, Missing, NewName, Outcome, Version, set_image};

fn app(tag: &str) -> Change {
    Change {
        image: "app".parse().unwrap(),
        new_name: NewName::Keep,
        version: Version::Tag(tag.parse().unwrap()),
        missing: Missing::Append,
    }
}

fn check(before: &str, after: &str) {
    let change = app("1.10");
    let edit = set_image(before.as_bytes(), &change).unwrap();
    assert_eq!(edit.text(), after);
    let again = set_image(edit.text().as_bytes(), &change).unwrap();
    assert_eq!((again.outcome(), again.text()), (Outcome::Unchanged, edit.text()), "twice is not once");
}

#[test]
fn an_entry_is_appended_in_the_lists_own_manner() {
    check("images:\n- name: b\n", "images:\n- name: b\n- name: app\n  newTag: \"1.10\"\n");
    check(
        "images:\r\n  -   name: 'b' # c\r\n      newTag: '1'",
        "images:\r\n  -   name: 'b' # c\r\n      newTag: '1'\r\n  -   name: 'app'\r\n      newTag: '1.10'",
    );
    check(
        "images:\n- name: b\n# - name: c\nkind: Kustomization\n",
        "images:\n- name: b\n- name: app\n  newTag: \"1.10\"\n# - name: c\nkind: Kustomization\n",
    );
    check("images:\n-\n  # c\n  name: b\n", "images:\n-\n  # c\n  name: b\n-\n  name: app\n  newTag: \"1.10\"\n");
    check(
        "images:\n- { name: b, newTag: v1 }   # c\n",
        "images:\n- { name: b, newTag: v1 }   # c\n- { name: app, newTag: \"1.10\" }\n",
    );
}

#[test]
fn an_entry_is_appended_to_a_list_in_brackets() {
    check("images: [{name: b}] # c\n", "images: [{name: b}, {name: app, newTag: \"1.10\"}] # c\n");
    check("images: [{name: b,newTag: v1}]\n", "images: [{name: b,newTag: v1},{name: app,newTag: \"1.10\"}]\n");
    check("images: [{ name: }]\n", "images: [{ name: }, { name: app, newTag: \"1.10\" }]\n");
    check("images: [ {name: b,}, ]\n", "images: [ {name: b,}, {name: app, newTag: \"1.10\"}, ]\n");
    check("{\"images\":[{\"name\":\"b\"}]}", "{\"images\":[{\"name\":\"b\"},{\"name\":\"app\",\"newTag\":\"1.10\"}]}");
    check(
        "{\n  \"images\": [\n    {\"name\": \"b\", \"newTag\": \"1\"}\n  ]\n}\n",
        "{\n  \"images\": [\n    {\"name\": \"b\", \"newTag\": \"1\"},\n    {\"name\": \"app\", \"newTag\": \"1.10\"}\n  ]\n}\n",
    );
}

#[test]
fn an_empty_list_gets_its_first_entry() {
    check("images: []\n# tail\n", "images:\n- name: app\n  newTag: \"1.10\"\n# tail\n");
    check("images: ~ # c\nkind: Component\n", "images: # c\n- name: app\n  newTag: \"1.10\"\nkind: Component\n");
    check("resources:\n  - a\nimages:\n", "resources:\n  - a\nimages:\n  - name: app\n    newTag: \"1.10\"\n");
    check("{\"images\": []}", "{\"images\": [{\"name\": \"app\", \"newTag\": \"1.10\"}]}");
}

#[test]
fn a_missing_list_is_added_behind_the_last_key() {
    let list = "images:\n- name: app\n  newTag: \"1.10\"";
    check("resources:\n- a\n\n# end\n", &format!("resources:\n- a\n{list}\n\n# end\n"));
    check("resources: [a]", &format!("resources: [a]\n{list}"));
    check("---\nnamespace: x\n...\n", &format!("---\nnamespace: x\n{list}\n...\n"));
    check("resources:\r\n  - a\r\n", "resources:\r\n  - a\r\nimages:\r\n  - name: app\r\n    newTag: \"1.10\"\r\n");
    check("{\"resources\":[\"a\"]}", "{\"resources\":[\"a\"],\"images\":[{\"name\":\"app\",\"newTag\":\"1.10\"}]}");
    check("{resources: }", "{resources: , images: [{name: app, newTag: \"1.10\"}] }");
    check(
        "{\n  \"resources\": []\n}\n",
        "{\n  \"resources\": [],\n  \"images\": [{\"name\": \"app\", \"newTag\": \"1.10\"}]\n}\n",
    );
}

#[test]
fn a_block_scalar_at_the_end_keeps_its_text() {
    let list = "images:\n- name: app\n  newTag: \"1.10\"";
    check("patches:\n- patch: |\n    a\n\n\n", &format!("patches:\n- patch: |\n    a\n\n\n{list}\n"));
    check("patches:\n- patch: |+\n    a\n\n", &format!("patches:\n- patch: |+\n    a\n\n{list}\n"));
    check(
        "kind: Component\npatches:\n- patch: |\n    a\n      ",
        &format!("kind: Component\n{list}\npatches:\n- patch: |\n    a\n      "),
    );
    check(
        "kind: Component\npatches:\n- patch: |\n    a",
        &format!("kind: Component\n{list}\npatches:\n- patch: |\n    a"),
    );
}

#[test]
fn nothing_is_added_behind_a_key_that_stands_behind_a_question_mark() {
    let refused = |text: &str| set_image(text.as_bytes(), &app("v1")).unwrap_err().to_string();
    let sentence = "is written in a form that cannot be edited here: ";
    assert_eq!(refused(" ?\n\n   kind\n"), format!("`kind` at 3:8 {sentence}its key stands behind a question mark"),);
    assert_eq!(
        refused("? kind\n: Component\n"),
        format!("`kind` at 2:3 {sentence}its line begins with something else than spaces"),
    );
}

#[test]
fn lines_are_not_put_before_a_comment_that_a_tab_indents() {
    let refusal = set_image(b"resources: a\n\n \t# c\n", &app("v1")).unwrap_err();
    let sentence = "`images` at 3:1 is written in a form that cannot be edited here: a tab indents the line";
    assert_eq!(refusal.to_string(), sentence);
    check(
        "resources: a # \tc\nkind: Component\n",
        "resources: a # \tc\nkind: Component\nimages:\n- name: app\n  newTag: \"1.10\"\n",
    );
}
