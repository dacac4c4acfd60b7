//! Arguments: their values, and whether they fit their types.

use graphql_parser::query::{Field, Type, Value as Literal};
use serde_json::{Map, Value, json};

use super::{Operation, schema::Schema};

/// The arguments of a field with all variables put in.
pub(super) fn arguments(operation: &Operation, field: &Field<'static, String>) -> Map<String, Value> {
    let given = field.arguments.iter();
    given.filter_map(|(name, literal)| Some((name.clone(), evaluate(operation, literal)?))).collect()
}

/// The value of a literal; `None` for a variable without a value.
pub(super) fn evaluate(operation: &Operation, literal: &Literal<'static, String>) -> Option<Value> {
    Some(match literal {
        Literal::Variable(name) => return variable(operation, name),
        Literal::Int(number) => json!(number.as_i64()),
        Literal::Float(number) => json!(number),
        Literal::String(text) | Literal::Enum(text) => json!(text),
        Literal::Boolean(value) => json!(value),
        Literal::Null => Value::Null,
        Literal::List(items) => items.iter().filter_map(|item| evaluate(operation, item)).collect(),
        Literal::Object(fields) => {
            let evaluated = fields.iter();
            Value::Object(evaluated.filter_map(|(name, it)| Some((name.clone(), evaluate(operation, it)?))).collect())
        }
    })
}

fn variable(operation: &Operation, name: &str) -> Option<Value> {
    if let Some(value) = operation.values.get(name) {
        return Some(value.clone());
    }
    let declared = operation.variables.iter().find(|variable| variable.name == name)?;
    evaluate(operation, declared.default_value.as_ref()?)
}

/// Why a value does not fit a type; `None` when it does.
pub(super) fn misfit(schema: &Schema, of: &Type<'_, String>, value: &Value) -> Option<String> {
    match (of, value) {
        (Type::NonNullType(_), Value::Null) => Some("Expected value to not be null".to_owned()),
        (Type::NonNullType(inner), value) => misfit(schema, inner, value),
        (_, Value::Null) => None,
        (Type::ListType(inner), Value::Array(items)) => items.iter().find_map(|item| misfit(schema, inner, item)),
        // A single value stands for a list of one.
        (Type::ListType(inner), value) => misfit(schema, inner, value),
        (Type::NamedType(name), value) => misfit_named(schema, name, value),
    }
}

fn misfit_named(schema: &Schema, name: &str, value: &Value) -> Option<String> {
    if let Some(values) = schema.enums.get(name) {
        let known = value.as_str().is_some_and(|text| values.iter().any(|known| known == text));
        return (!known).then(|| format!("Expected {value} to be one of: {}", values.join(", ")));
    }
    if let Some(fields) = schema.inputs.get(name) {
        let Value::Object(given) = value else {
            return Some(format!("Expected {value} to be a key-value object."));
        };
        let unknown = given.keys().find(|field| !fields.contains_key(*field));
        if let Some(field) = unknown {
            return Some(format!("InputObject '{name}' doesn't accept argument '{field}'"));
        }
        let missing = fields.iter().find(|(field, input)| input.is_required() && !given.contains_key(*field));
        if let Some((field, _)) = missing {
            return Some(format!("Argument '{field}' on InputObject '{name}' is required."));
        }
        return given
            .iter()
            .find_map(|(field, value)| fields.get(field).and_then(|input| misfit(schema, &input.of, value)));
    }
    let fits = match name {
        "Int" => value.is_i64() || value.is_u64(),
        "Boolean" => value.is_boolean(),
        "ID" => value.is_string() || value.is_i64() || value.is_u64(),
        _ => value.is_string(),
    };
    (!fits).then(|| format!("Could not coerce value {value} to {name}"))
}
