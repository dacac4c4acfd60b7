//! Whether a variable may stand where it is used: "All Variable Usages Are Allowed" of the GraphQL specification
//! (<https://spec.graphql.org/October2021/#sec-All-Variable-Usages-are-Allowed>), with GitHub's texts.

use graphql_parser::query::{Type, Value as Literal, VariableDefinition};
use serde_json::{Value, json};

use super::super::{
    Operation, Problem,
    schema::{Input, Schema, core, written},
};

type Definition = VariableDefinition<'static, String>;

/// An argument, or a field of an input object, in which a variable may be used.
#[derive(Clone, Copy)]
pub(super) struct Argument<'a> {
    pub(super) name: &'a str,
    pub(super) input: &'a Input,
}

/// A place inside an argument.
#[derive(Clone, Copy)]
struct Place<'a> {
    argument: Argument<'a>,
    /// What must stand here.
    of: &'a Type<'static, String>,
    /// How many lists are around it.
    depth: usize,
}

/// A search for variables that may not stand where they do.
pub(super) struct Usages<'a> {
    pub(super) schema: &'a Schema,
    pub(super) operation: &'a Operation,
    /// What was found, each with the names that lead to it from the field.
    pub(super) found: Vec<(Vec<Value>, Problem)>,
}

impl<'a> Usages<'a> {
    /// Looks through the value of an argument.
    pub(super) fn look(&mut self, argument: Argument<'a>, literal: &Literal<'static, String>) {
        self.look_at(Place { argument, of: &argument.input.of, depth: 0 }, literal, &[json!(argument.name)]);
    }

    fn look_at(&mut self, place: Place<'a>, literal: &Literal<'static, String>, path: &[Value]) {
        match literal {
            Literal::Variable(name) => {
                // One that is not declared is told as such.
                let declared = self.operation.variables.iter().find(|variable| variable.name == *name);
                if let Some(problem) = declared.and_then(|variable| mismatch(variable, place)) {
                    self.found.push((path.to_vec(), problem));
                }
            }
            Literal::List(items) => {
                // A list where none may be does not fit whatever is in it.
                let Some(of) = item(place.of) else { return };
                let inner = Place { of, depth: place.depth + 1, ..place };
                items.iter().for_each(|it| self.look_at(inner, it, path));
            }
            Literal::Object(fields) => {
                let Some(known) = self.schema.inputs.get(core(place.of)) else { return };
                for (name, value) in fields {
                    let Some((name, input)) = known.get_key_value(name) else { continue };
                    let path: Vec<Value> = path.iter().cloned().chain([json!(name)]).collect();
                    let inner = Place { argument: Argument { name, input }, of: &input.of, depth: 0 };
                    self.look_at(inner, value, &path);
                }
            }
            Literal::Int(_)
            | Literal::Float(_)
            | Literal::String(_)
            | Literal::Boolean(_)
            | Literal::Null
            | Literal::Enum(_) => {}
        }
    }
}

/// What is wrong with a variable at a place.
fn mismatch(variable: &Definition, place: Place<'_>) -> Option<Problem> {
    if is_allowed(variable, place) {
        return None;
    }
    let (of, wanted) = (&variable.var_type, place.of);
    let what = if core(of) != core(wanted) {
        "Type mismatch"
    } else if dimension(of) != dimension(wanted) {
        "List dimension mismatch"
    } else {
        "Nullability mismatch"
    };
    let (name, argument) = (&variable.name, place.argument.name);
    let shown = shown(variable, place.depth);
    let text =
        format!("{what} on variable ${name} and argument {argument} ({shown} / {})", written(&place.argument.input.of));
    let code = json!({
        "code": "variableMismatch", "variableName": name, "typeName": shown, "argumentName": argument,
        "errorMessage": what,
    });
    Some(Problem::invalid(text, code))
}

/// `IsVariableUsageAllowed` of the specification: a default, of the variable or of the place, stands in for a missing
/// value, but not for a null that is given.
fn is_allowed(variable: &Definition, place: Place<'_>) -> bool {
    let of = &variable.var_type;
    match (place.of, of) {
        (Type::NonNullType(nullable), Type::NamedType(_) | Type::ListType(_)) => {
            let has_default = !matches!(variable.default_value, None | Some(Literal::Null));
            let place_has_default = place.depth == 0 && place.argument.input.has_default;
            (has_default || place_has_default) && is_compatible(of, nullable)
        }
        (Type::NonNullType(_) | Type::NamedType(_) | Type::ListType(_), _) => is_compatible(of, place.of),
    }
}

/// `AreTypesCompatible` of the specification: every value of the one is a value of the other, without coercion.
fn is_compatible(of: &Type<'_, String>, wanted: &Type<'_, String>) -> bool {
    match (of, wanted) {
        (Type::NonNullType(of), Type::NonNullType(wanted)) => is_compatible(of, wanted),
        (Type::NamedType(_) | Type::ListType(_), Type::NonNullType(_)) => false,
        (Type::NonNullType(of), Type::NamedType(_) | Type::ListType(_)) => is_compatible(of, wanted),
        (Type::ListType(of), Type::ListType(wanted)) => is_compatible(of, wanted),
        (Type::NamedType(of), Type::NamedType(wanted)) => of == wanted,
        (Type::ListType(_), Type::NamedType(_)) | (Type::NamedType(_), Type::ListType(_)) => false,
    }
}

/// What the items of a list are; `None` for what is no list.
fn item<'t>(of: &'t Type<'static, String>) -> Option<&'t Type<'static, String>> {
    match of {
        Type::NamedType(_) => None,
        Type::ListType(item) => Some(item),
        Type::NonNullType(inner) => item(inner),
    }
}

/// How many lists are around a type.
fn dimension(of: &Type<'_, String>) -> usize {
    match of {
        Type::NamedType(_) => 0,
        Type::ListType(inner) => 1 + dimension(inner),
        Type::NonNullType(inner) => dimension(inner),
    }
}

/// The type of a variable as GitHub writes it into the text: not null where there is a default, and with the lists
/// that the document has around it (graphql-ruby's `VariableUsagesAreAllowed`).
fn shown(variable: &Definition, depth: usize) -> String {
    let mut shown = written(&variable.var_type);
    if variable.default_value.is_some() && !shown.ends_with('!') {
        shown.push('!');
    }
    (0..depth).fold(shown, |inner, _| format!("[{inner}]!"))
}

#[cfg(test)]
mod tests {
    use graphql_parser::{
        query::Selection,
        schema::{Definition as TypeSystem, TypeDefinition},
    };

    use super::*;
    use crate::graphql::{parse, schema::schema};

    /// What is wrong with `f(a: …)` where `a` is declared as `argument`; empty when nothing is.
    fn complaint(variable: &str, argument: &str, literal: &str) -> String {
        let document = format!("query({variable}) {{ f(a: {literal}) }}");
        let operation = parse(&document, None, serde_json::Map::new()).unwrap();
        let Selection::Field(field) = &operation.selection.items[0] else { panic!("{document}") };
        let declared = format!("input I {{ a: {argument} }}");
        let declared = graphql_parser::parse_schema::<String>(&declared).unwrap().into_static();
        let TypeSystem::TypeDefinition(TypeDefinition::InputObject(declared)) = &declared.definitions[0] else {
            panic!("{argument}")
        };
        let field_of_input = &declared.fields[0];
        let has_default = field_of_input.default_value.is_some();
        let input = Input { of: field_of_input.value_type.clone(), has_default };
        let mut usages = Usages { schema: schema(), operation: &operation, found: Vec::new() };
        usages.look(Argument { name: "a", input: &input }, &field.arguments[0].1);
        let texts: Vec<String> = usages.found.into_iter().map(|(_, problem)| problem.message).collect();
        texts.join(", ")
    }

    #[test]
    fn a_variable_may_stand_where_every_value_of_it_may() {
        for (variable, argument, literal) in [
            ("$v: Int", "Int", "$v"),
            ("$v: Int!", "Int", "$v"),
            ("$v: Int!", "Int!", "$v"),
            ("$v: [Int!]!", "[Int]", "$v"),
            ("$v: [[Int!]]", "[[Int]]", "$v"),
            ("$v: Int", "[Int]", "[$v, 1]"),
            ("$v: Int!", "[Int!]!", "[1, $v]"),
            ("$v: [Int!]!", "[[Int!]!]!", "[$v]"),
            // A default stands in for what is missing: the variable's, and the argument's.
            ("$v: Int = 1", "Int!", "$v"),
            ("$v: Int", "Int! = 1", "$v"),
            ("$v: [Int] = []", "[Int]!", "$v"),
        ] {
            assert_eq!(complaint(variable, argument, literal), "", "{variable} in {argument}");
        }
    }

    #[test]
    fn a_variable_of_another_type_list_or_nullability_may_not_stand_there() {
        for (variable, argument, literal, expected) in [
            ("$v: String!", "Int!", "$v", "Type mismatch on variable $v and argument a (String! / Int!)"),
            ("$v: Int!", "ID!", "$v", "Type mismatch on variable $v and argument a (Int! / ID!)"),
            ("$v: Int", "Int!", "$v", "Nullability mismatch on variable $v and argument a (Int / Int!)"),
            ("$v: Int = null", "Int!", "$v", "Nullability mismatch on variable $v and argument a (Int! / Int!)"),
            ("$v: [Int]!", "[Int!]", "$v", "Nullability mismatch on variable $v and argument a ([Int]! / [Int!])"),
            ("$v: [Int] = [1]", "[Int!]", "$v", "Nullability mismatch on variable $v and argument a ([Int]! / [Int!])"),
            // A single value stands for a list of one, but not a variable of one.
            ("$v: Int!", "[Int!]", "$v", "List dimension mismatch on variable $v and argument a (Int! / [Int!])"),
            ("$v: [Int!]!", "Int", "$v", "List dimension mismatch on variable $v and argument a ([Int!]! / Int)"),
            (
                "$v: [Int!]",
                "[Int]",
                "[$v]",
                "List dimension mismatch on variable $v and argument a ([[Int!]]! / [Int])",
            ),
            ("$v: Int", "[Int!]", "[$v]", "Nullability mismatch on variable $v and argument a ([Int]! / [Int!])"),
            ("$v: String", "[Int]", "[1, $v]", "Type mismatch on variable $v and argument a ([String]! / [Int])"),
            // The argument's default is not one of its items.
            ("$v: Int", "[Int!] = [1]", "[$v]", "Nullability mismatch on variable $v and argument a ([Int]! / [Int!])"),
        ] {
            assert_eq!(complaint(variable, argument, literal), expected);
        }
    }
}
