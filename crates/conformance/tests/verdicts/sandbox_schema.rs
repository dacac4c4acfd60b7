//! The sandbox's schema has nothing that GitHub's has not.

use apollo_compiler::{
    Node, Schema,
    ast::{FieldDefinition, InputValueDefinition},
    schema::{Component, ExtendedType},
};
use conformance::graphql::PUBLISHED;

const OURS: &str = include_str!("../../../sandbox/src/graphql/schema.graphql");

/// What a schema has that the published one has not.
fn complaints(ours: &str) -> Vec<String> {
    let ours = Schema::parse_and_validate(ours, "ours").expect("a schema without a contradiction");
    let theirs = Schema::parse_and_validate(PUBLISHED, "theirs").expect("a schema without a contradiction");
    let mut complaints = Vec::new();
    for (name, of) in ours.types.iter().filter(|(_, of)| !of.is_built_in()) {
        match theirs.types.get(name) {
            Some(other) => complaints.extend(differences(of, other).into_iter().map(|it| format!("{name}: {it}"))),
            None => complaints.push(format!("{name} is no type")),
        }
    }
    complaints
}

fn differences(ours: &ExtendedType, theirs: &ExtendedType) -> Vec<String> {
    let interfaces = |missing: Vec<String>| missing.into_iter().map(|it| format!("it is no {it}"));
    match (ours, theirs) {
        (ExtendedType::Object(ours), ExtendedType::Object(theirs)) => {
            let missing = ours.implements_interfaces.iter().filter(|it| !theirs.implements_interfaces.contains(*it));
            let missing = interfaces(missing.map(ToString::to_string).collect());
            let fields =
                ours.fields.iter().filter_map(|(name, field)| field_difference(field, theirs.fields.get(name)));
            missing.chain(fields).collect()
        }
        (ExtendedType::Interface(ours), ExtendedType::Interface(theirs)) => {
            let fields =
                ours.fields.iter().filter_map(|(name, field)| field_difference(field, theirs.fields.get(name)));
            fields.collect()
        }
        (ExtendedType::InputObject(ours), ExtendedType::InputObject(theirs)) => {
            // The sandbox need not take everything, only what nobody can leave out.
            let missing =
                theirs.fields.iter().filter(|(name, it)| it.is_required() && !ours.fields.contains_key(*name));
            let missing = missing.map(|(name, _)| format!("`{name}` is not taken"));
            let more = ours
                .fields
                .iter()
                .filter_map(|(name, field)| input_difference(field, theirs.fields.get(name).map(|field| &field.node)));
            missing.chain(more).collect()
        }
        (ExtendedType::Enum(ours), ExtendedType::Enum(theirs)) => {
            let values = ours.values.keys().filter(|value| !theirs.values.contains_key(*value));
            values.map(|value| format!("`{value}` is no value")).collect()
        }
        (ExtendedType::Union(ours), ExtendedType::Union(theirs)) => {
            let members = ours.members.iter().filter(|member| !theirs.members.contains(*member));
            members.map(|member| format!("`{}` is no member", member.name)).collect()
        }
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => Vec::new(),
        _ => vec!["it is of another kind".to_owned()],
    }
}

fn field_difference(ours: &Component<FieldDefinition>, theirs: Option<&Component<FieldDefinition>>) -> Option<String> {
    let name = &ours.name;
    let Some(theirs) = theirs else { return Some(format!("`{name}` is no field")) };
    if ours.ty != theirs.ty {
        return Some(format!("`{name}` is {}, not {}", theirs.ty, ours.ty));
    }
    let required = theirs.arguments.iter().find(|it| it.is_required() && ours.argument_by_name(&it.name).is_none());
    if let Some(argument) = required {
        return Some(format!("`{name}` needs `{}`", argument.name));
    }
    let find = |argument: &InputValueDefinition| theirs.argument_by_name(&argument.name);
    let differing = ours.arguments.iter().find_map(|argument| input_difference(argument, find(argument)));
    differing.map(|difference| format!("`{name}`: {difference}"))
}

fn input_difference(ours: &InputValueDefinition, theirs: Option<&Node<InputValueDefinition>>) -> Option<String> {
    let name = &ours.name;
    let Some(theirs) = theirs else { return Some(format!("`{name}` is not taken by GitHub")) };
    let differs = ours.ty != theirs.ty || ours.default_value != theirs.default_value;
    differs.then(|| format!("`{name}` is {}, not {}", theirs.ty, ours.ty))
}

#[test]
fn the_sandbox_answers_and_takes_only_what_github_does() {
    assert_eq!(complaints(OURS), [""; 0]);
}

#[test]
fn what_github_does_not_have_is_found() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(OURS.contains(from), "{from}");
        let complaints = complaints(&OURS.replacen(from, to, 1));
        assert!(complaints.contains(&expected.to_owned()), "{complaints:?}");
    };
    check("mergedAt: DateTime", "mergedAt: DateTime!", "PullRequest: `mergedAt` is DateTime, not DateTime!");
    check("isDraft: Boolean!", "draft: Boolean!", "PullRequest: `draft` is no field");
    check("HAS_HOOKS", "HOOKED", "MergeStateStatus: `HOOKED` is no value");
    check("FileDeletion { path: String! }", "FileDeletion { at: String }", "FileDeletion: `at` is not taken by GitHub");
    check(
        "pullRequest(number: Int!)",
        "pullRequest(number: Int)",
        "Repository: `pullRequest`: `number` is Int!, not Int",
    );
}
