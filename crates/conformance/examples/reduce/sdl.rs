//! The types and fields of another schema, out of the published one.

use std::collections::BTreeSet;

use apollo_compiler::{
    Name, Node, Schema,
    ast::{DirectiveList, FieldDefinition, InputValueDefinition},
    schema::{Component, ExtendedType},
};

/// The published definitions of the types and fields that `used` names, and of the inputs that these take.
pub(crate) fn reduce(published: &str, used: &str) -> Result<String, String> {
    // The published schema defines a few fields twice, of which the first is kept.
    let mut schema = Schema::parse(published, "published").unwrap_or_else(|twice| twice.partial);
    let used = Schema::parse(used, "used").map_err(|errors| errors.to_string())?;
    for (name, of) in &mut schema.types {
        keep_used(of, used.types.get(name));
    }
    let inputs = inputs_of(&schema, &used);
    schema.types.retain(|name, of| of.is_built_in() || used.types.contains_key(name) || inputs.contains(name));
    for (name, of) in &mut schema.types {
        keep_interfaces(of, used.types.get(name));
    }
    schema.directive_definitions.retain(|_, definition| definition.is_built_in());
    Ok(schema.serialize().to_string())
}

fn keep_used(of: &mut ExtendedType, used: Option<&ExtendedType>) {
    match of {
        ExtendedType::Object(object) => {
            let object = object.make_mut();
            object.description = None;
            object.directives.clear();
            if let Some(ExtendedType::Object(used)) = used {
                object.fields.retain(|name, _| used.fields.contains_key(name));
            }
            object.fields.values_mut().for_each(strip_field);
        }
        ExtendedType::Interface(interface) => {
            let interface = interface.make_mut();
            interface.description = None;
            interface.directives.clear();
            if let Some(ExtendedType::Interface(used)) = used {
                interface.fields.retain(|name, _| used.fields.contains_key(name));
            }
            interface.fields.values_mut().for_each(strip_field);
        }
        ExtendedType::InputObject(input) => {
            let input = input.make_mut();
            input.description = None;
            input.directives.clear();
            input.fields.values_mut().for_each(|field| strip_input(field.make_mut()));
        }
        ExtendedType::Enum(it) => {
            let it = it.make_mut();
            it.description = None;
            it.directives.clear();
            for value in it.values.values_mut() {
                let value = value.make_mut();
                value.description = None;
                value.directives = DirectiveList::default();
            }
        }
        ExtendedType::Scalar(scalar) => {
            let scalar = scalar.make_mut();
            scalar.description = None;
            scalar.directives.clear();
        }
        ExtendedType::Union(union) => {
            let union = union.make_mut();
            union.description = None;
            union.directives.clear();
        }
    }
}

fn strip_field(field: &mut Component<FieldDefinition>) {
    let field = field.make_mut();
    field.description = None;
    field.directives = DirectiveList::default();
    field.arguments.iter_mut().for_each(|argument: &mut Node<InputValueDefinition>| strip_input(argument.make_mut()));
}

fn strip_input(input: &mut InputValueDefinition) {
    input.description = None;
    input.directives = DirectiveList::default();
}

/// The inputs that the kept fields take, and what those hold.
fn inputs_of(schema: &Schema, used: &Schema) -> BTreeSet<Name> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<Name> = Vec::new();
    for (name, of) in &schema.types {
        if used.types.contains_key(name) {
            open.extend(taken(of));
        }
    }
    while let Some(name) = open.pop() {
        if let Some(of) = schema.types.get(&name)
            && reached.insert(name)
        {
            open.extend(taken(of));
        }
    }
    reached
}

/// The types that values have which a type takes.
fn taken(of: &ExtendedType) -> Vec<Name> {
    let arguments = |fields: Vec<&Component<FieldDefinition>>| -> Vec<Name> {
        let arguments = fields.into_iter().flat_map(|field| &field.arguments);
        arguments.map(|argument| argument.ty.inner_named_type().clone()).collect()
    };
    match of {
        ExtendedType::Object(object) => arguments(object.fields.values().collect()),
        ExtendedType::Interface(interface) => arguments(interface.fields.values().collect()),
        ExtendedType::InputObject(input) => {
            input.fields.values().map(|field| field.ty.inner_named_type().clone()).collect()
        }
        ExtendedType::Scalar(_) | ExtendedType::Union(_) | ExtendedType::Enum(_) => Vec::new(),
    }
}

fn keep_interfaces(of: &mut ExtendedType, used: Option<&ExtendedType>) {
    match (of, used) {
        (ExtendedType::Object(object), Some(ExtendedType::Object(used))) => {
            object.make_mut().implements_interfaces.retain(|name| used.implements_interfaces.contains(name));
        }
        (ExtendedType::Interface(interface), Some(ExtendedType::Interface(used))) => {
            interface.make_mut().implements_interfaces.retain(|name| used.implements_interfaces.contains(name));
        }
        (ExtendedType::Union(union), Some(ExtendedType::Union(used))) => {
            union.make_mut().members.retain(|member| used.members.contains(member));
        }
        _ => {}
    }
}
