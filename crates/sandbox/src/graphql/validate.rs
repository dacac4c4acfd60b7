//! Checking a document against the schema before anything is executed, with GitHub's texts.

use std::collections::BTreeSet;

use graphql_parser::query::{Field, Selection, SelectionSet, TypeCondition, Value as Literal};
use serde_json::{Value, json};

use super::{
    Kind, Operation, Problem,
    schema::{OutputField, Schema, core, written},
    value,
};

/// Everything that is wrong with a document; nothing when it can be executed.
pub(super) fn validate(schema: &Schema, operation: &Operation) -> Vec<Value> {
    let mut check = Check { schema, operation, used: BTreeSet::new(), errors: Vec::new(), depth: 0 };
    let top = match operation.kind {
        Kind::Query => "query",
        Kind::Mutation => "mutation",
    };
    check.selection(operation.root(), &operation.selection, &[json!(top)]);
    check.variables();
    check.errors
}

struct Check<'a> {
    schema: &'a Schema,
    operation: &'a Operation,
    used: BTreeSet<String>,
    errors: Vec<Value>,
    depth: u32,
}

/// Fragments that contain themselves would never end.
const DEEPEST: u32 = 50;

impl Check<'_> {
    fn selection(&mut self, of: &str, selection: &SelectionSet<'static, String>, path: &[Value]) {
        self.depth += 1;
        if self.depth > DEEPEST {
            let problem = Problem::new("Query has depth of more than 50, which exceeds max depth of 50");
            self.errors.push(problem.at(path, selection.span.0));
            self.depth -= 1;
            return;
        }
        for item in &selection.items {
            match item {
                Selection::Field(field) => self.field(of, field, path),
                Selection::InlineFragment(inline) => {
                    let about = inline.type_condition.as_ref().map(|TypeCondition::On(name)| name.as_str());
                    self.fragment(of, about.unwrap_or(of), &inline.selection_set, path);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.fragment_name;
                    match self.operation.fragment(name) {
                        Some(fragment) => {
                            let TypeCondition::On(about) = &fragment.type_condition;
                            self.fragment(of, about, &fragment.selection_set, path);
                        }
                        None => {
                            let text = format!("Fragment {name} was used, but not defined");
                            let problem =
                                Problem::invalid(text, json!({ "code": "useAndDefineFragment", "fragmentName": name }));
                            self.errors.push(problem.at(path, spread.position));
                        }
                    }
                }
            }
        }
        self.depth -= 1;
    }

    fn fragment(&mut self, of: &str, about: &str, selection: &SelectionSet<'static, String>, path: &[Value]) {
        if !self.schema.outputs.contains_key(about) {
            let text = format!("No such type {about}, so it can't be a fragment condition");
            let problem = Problem::invalid(text, json!({ "code": "undefinedType", "typeName": about }));
            self.errors.push(problem.at(path, selection.span.0));
        } else if !self.schema.overlap(of, about) {
            let text = format!("Fragment on {about} can't be spread inside {of}");
            let problem =
                Problem::invalid(text, json!({ "code": "cannotSpreadFragment", "typeName": about, "parentName": of }));
            self.errors.push(problem.at(path, selection.span.0));
        } else {
            self.selection(about, selection, path);
        }
    }

    fn field(&mut self, of: &str, field: &Field<'static, String>, path: &[Value]) {
        let path: Vec<Value> =
            path.iter().cloned().chain([json!(field.alias.as_ref().unwrap_or(&field.name))]).collect();
        if field.name == "__typename" {
            return;
        }
        let schema = self.schema;
        let Some(known) = schema.outputs.get(of).and_then(|fields| fields.get(&field.name)) else {
            let text = format!("Field '{}' doesn't exist on type '{of}'", field.name);
            let code = json!({ "code": "undefinedField", "typeName": of, "fieldName": field.name });
            return self.errors.push(Problem::invalid(text, code).at(&path, field.position));
        };
        self.arguments(field, known, &path);
        let is_object = schema.outputs.contains_key(&known.of);
        match (is_object, field.selection_set.items.is_empty()) {
            (true, true) => {
                let name = &field.name;
                let text = format!(
                    "Field must have selections (field '{name}' returns {} but has no selections. Did you mean '{name} {{ ... }}'?)",
                    known.of
                );
                let code =
                    json!({ "code": "selectionMismatch", "nodeName": format!("field '{name}'"), "typeName": known.of });
                self.errors.push(Problem::invalid(text, code).at(&path, field.position));
            }
            (false, false) => {
                let text = format!("Selections can't be made on scalars (field '{}' returns {})", field.name, known.of);
                let code = json!({ "code": "selectionMismatch", "nodeName": format!("field '{}'", field.name), "typeName": known.of });
                self.errors.push(Problem::invalid(text, code).at(&path, field.position));
            }
            (true, false) => self.selection(&known.of, &field.selection_set, &path),
            (false, true) => {}
        }
    }

    fn arguments(&mut self, field: &Field<'static, String>, known: &OutputField, path: &[Value]) {
        let mut refuse = |text: String, code: Value| {
            self.errors.push(Problem::invalid(text, code).at(path, field.position));
        };
        let missing: Vec<_> = known
            .arguments
            .iter()
            .filter(|(name, input)| input.is_required() && field.arguments.iter().all(|(given, _)| given != *name))
            .map(|(name, _)| name.as_str())
            .collect();
        if !missing.is_empty() {
            let listed = missing.join(", ");
            refuse(
                format!("Field '{}' is missing required arguments: {listed}", field.name),
                json!({ "code": "missingRequiredArguments", "className": "Field", "name": field.name, "arguments": listed }),
            );
        }
        for (name, literal) in &field.arguments {
            let Some(input) = known.arguments.get(name) else {
                refuse(
                    format!("Field '{}' doesn't accept argument '{name}'", field.name),
                    json!({ "code": "argumentNotAccepted", "name": field.name, "typeName": "Field", "argumentName": name }),
                );
                continue;
            };
            note_variables(literal, &mut self.used);
            // The value of a variable is checked where the variable is declared.
            if matches!(literal, Literal::Variable(_)) {
                continue;
            }
            let evaluated = value::evaluate(self.operation, literal).unwrap_or_default();
            if let Some(why) = value::misfit(self.schema, &input.of, &evaluated) {
                let expected = written(&input.of);
                refuse(
                    format!(
                        "Argument '{name}' on Field '{}' has an invalid value ({evaluated}). Expected type '{expected}'. {why}",
                        field.name
                    ),
                    json!({ "code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": name }),
                );
            }
        }
    }

    fn variables(&mut self) {
        let operation = self.operation;
        for variable in &operation.variables {
            let name = &variable.name;
            let mut refuse = |text: String, code: Value| {
                self.errors.push(Problem::invalid(text, code).at(&[], variable.position));
            };
            let of = &variable.var_type;
            if !self.used.remove(name) {
                let text = format!("Variable ${name} is declared by the operation but not used");
                refuse(text, json!({ "code": "variableNotUsed", "variableName": name }));
            }
            let is_output = self.schema.outputs.contains_key(core(of));
            let given = operation.values.get(name).cloned();
            let value = match (&given, &variable.default_value) {
                (None, Some(_)) => continue,
                _ => given.unwrap_or_default(),
            };
            let why =
                if is_output { Some("not an input type".to_owned()) } else { value::misfit(self.schema, of, &value) };
            if let Some(why) = why {
                let text = format!("Variable ${name} of type {} was provided invalid value ({why})", written(of));
                refuse(text, json!({ "value": value, "problems": [{ "path": [], "explanation": why }] }));
            }
        }
        for name in std::mem::take(&mut self.used) {
            let text = format!("Variable ${name} is used by the operation but not declared");
            let problem = Problem::invalid(text, json!({ "code": "variableNotDefined", "variableName": name }));
            self.errors.push(problem.at(&[], graphql_parser::Pos::default()));
        }
    }
}

fn note_variables(literal: &Literal<'static, String>, into: &mut BTreeSet<String>) {
    match literal {
        Literal::Variable(name) => {
            into.insert(name.clone());
        }
        Literal::List(items) => items.iter().for_each(|item| note_variables(item, into)),
        Literal::Object(fields) => fields.values().for_each(|value| note_variables(value, into)),
        Literal::Int(_)
        | Literal::Float(_)
        | Literal::String(_)
        | Literal::Boolean(_)
        | Literal::Null
        | Literal::Enum(_) => {}
    }
}
