//! The schema, read once from `schema.graphql`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use graphql_parser::schema::{Definition, Field, InputValue, Type, TypeDefinition};

/// All types by name.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// Objects, interfaces and unions with their fields; a union has none.
    pub(super) outputs: BTreeMap<String, BTreeMap<String, OutputField>>,
    /// The objects of each interface and union.
    pub(super) members: BTreeMap<String, BTreeSet<String>>,
    pub(super) inputs: BTreeMap<String, BTreeMap<String, Input>>,
    pub(super) enums: BTreeMap<String, Vec<String>>,
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct OutputField {
    pub(super) arguments: BTreeMap<String, Input>,
    /// The type at its core, without lists.
    pub(super) of: String,
}

/// An argument, or a field of an input object.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) of: Type<'static, String>,
    pub(super) has_default: bool,
}

/// The schema.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| read(include_str!("schema.graphql")))
}

fn read(text: &'static str) -> Schema {
    let document = graphql_parser::parse_schema::<String>(text);
    let document = document.expect("the schema in this crate is well-formed, as a test shows").into_static();
    let mut schema = Schema::default();
    for definition in document.definitions {
        let Definition::TypeDefinition(definition) = definition else { continue };
        match definition {
            TypeDefinition::Object(object) => {
                for interface in object.implements_interfaces {
                    schema.members.entry(interface).or_default().insert(object.name.clone());
                }
                schema.outputs.insert(object.name, fields(object.fields));
            }
            TypeDefinition::Interface(interface) => {
                schema.outputs.insert(interface.name, fields(interface.fields));
            }
            TypeDefinition::Enum(it) => {
                let values = it.values.into_iter().map(|value| value.name).collect();
                schema.enums.insert(it.name, values);
            }
            TypeDefinition::InputObject(input) => {
                schema.inputs.insert(input.name, inputs(input.fields));
            }
            TypeDefinition::Union(union) => {
                schema.members.entry(union.name.clone()).or_default().extend(union.types);
                schema.outputs.insert(union.name, BTreeMap::new());
            }
            TypeDefinition::Scalar(_) => {}
        }
    }
    schema
}

fn fields(fields: Vec<Field<'static, String>>) -> BTreeMap<String, OutputField> {
    let named = fields.into_iter().map(|field| {
        let of = core(&field.field_type).to_owned();
        (field.name, OutputField { arguments: inputs(field.arguments), of })
    });
    named.collect()
}

fn inputs(values: Vec<InputValue<'static, String>>) -> BTreeMap<String, Input> {
    let named = values
        .into_iter()
        .map(|value| (value.name, Input { of: value.value_type, has_default: value.default_value.is_some() }));
    named.collect()
}

/// The name of a type without lists and marks.
pub(super) fn core<'t>(of: &'t Type<'_, String>) -> &'t str {
    match of {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => core(inner),
    }
}

/// A type as it is written in GraphQL.
pub(super) fn written(of: &Type<'_, String>) -> String {
    match of {
        Type::NamedType(name) => name.clone(),
        Type::ListType(inner) => format!("[{}]", written(inner)),
        Type::NonNullType(inner) => format!("{}!", written(inner)),
    }
}

impl Schema {
    /// Whether an object of one type can be seen as another, or the other way round.
    pub(super) fn overlap(&self, one: &str, other: &str) -> bool {
        let has = |interface: &str, object: &str| self.members.get(interface).is_some_and(|it| it.contains(object));
        one == other || has(one, other) || has(other, one)
    }
}

impl Input {
    /// Whether it must be given.
    pub(super) const fn is_required(&self) -> bool {
        matches!(self.of, Type::NonNullType(_)) && !self.has_default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_schema_is_defined() {
        let schema = schema();
        let scalars =
            ["ID", "Int", "String", "Boolean", "DateTime", "GitObjectID", "GitRefname", "URI", "HTML", "Base64String"];
        let known = |name: &str| {
            scalars.contains(&name)
                || schema.outputs.contains_key(name)
                || schema.inputs.contains_key(name)
                || schema.enums.contains_key(name)
        };
        for field in schema.outputs.values().flat_map(BTreeMap::values) {
            assert!(known(&field.of), "{}", field.of);
            assert!(field.arguments.values().all(|input| known(core(&input.of))));
        }
        for input in schema.inputs.values().flat_map(BTreeMap::values) {
            assert!(known(core(&input.of)), "{:?}", input.of);
        }
    }
}
