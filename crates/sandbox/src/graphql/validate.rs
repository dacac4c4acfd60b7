//! Checking a document against the schema before anything is executed, with GitHub's texts.

mod usage;

use std::collections::BTreeSet;

use graphql_parser::{
    Pos,
    query::{Field, Selection, SelectionSet, TypeCondition, Value as Literal},
};
use serde_json::{Value, json};

use super::{
    Kind, Operation, Problem,
    schema::{OutputField, Schema, core, written},
    value,
};
use usage::{Argument, Usages};

/// Everything that is wrong with a document; nothing when it can be executed.
pub(super) fn validate(schema: &Schema, operation: &Operation) -> Vec<Value> {
    let mut check = Check { schema, operation, used: BTreeSet::new(), errors: Vec::new(), depth: 0 };
    let top = match operation.kind {
        Kind::Query => "query",
        Kind::Mutation => "mutation",
    };
    check.selection(operation.root(), &operation.selection, &[json!(top)]);
    check.fragments();
    check.variables();
    // What a document is given counts only once there is nothing wrong with the document.
    if check.errors.is_empty() {
        check.values();
    }
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
        let missing: Vec<_> = known
            .arguments
            .iter()
            .filter(|(name, input)| input.is_required() && field.arguments.iter().all(|(given, _)| given != *name))
            .map(|(name, _)| name.as_str())
            .collect();
        if !missing.is_empty() {
            let listed = missing.join(", ");
            self.refuse(
                format!("Field '{}' is missing required arguments: {listed}", field.name),
                json!({ "code": "missingRequiredArguments", "className": "Field", "name": field.name, "arguments": listed }),
                path,
                field.position,
            );
        }
        for (name, literal) in &field.arguments {
            match known.arguments.get_key_value(name) {
                Some((name, input)) => self.argument(field, Argument { name, input }, literal, path),
                None => self.refuse(
                    format!("Field '{}' doesn't accept argument '{name}'", field.name),
                    json!({ "code": "argumentNotAccepted", "name": field.name, "typeName": "Field", "argumentName": name }),
                    path,
                    field.position,
                ),
            }
        }
    }

    fn argument(
        &mut self,
        field: &Field<'static, String>,
        argument: Argument<'_>,
        literal: &Literal<'static, String>,
        path: &[Value],
    ) {
        note_variables(literal, &mut self.used);
        let mut usages = Usages { schema: self.schema, operation: self.operation, found: Vec::new() };
        usages.look(argument, literal);
        let found = usages.found;
        let is_settled = !found.is_empty() || matches!(literal, Literal::Variable(_));
        for (names, problem) in found {
            self.errors.push(problem.at(&[path, &names].concat(), field.position));
        }
        if is_settled {
            return;
        }
        let Argument { name, input } = argument;
        let evaluated = value::evaluate(self.operation, literal).unwrap_or_default();
        if let Some(why) = value::misfit(self.schema, &input.of, &evaluated) {
            let expected = written(&input.of);
            let text = format!(
                "Argument '{name}' on Field '{}' has an invalid value ({evaluated}). Expected type '{expected}'. {why}",
                field.name
            );
            let code = json!({ "code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": name });
            self.refuse(text, code, path, field.position);
        }
    }

    /// Fragments that no operation of the document uses.
    fn fragments(&mut self) {
        for (name, position) in &self.operation.unused_fragments {
            let text = format!("Fragment {name} was defined, but not used");
            let code = json!({ "code": "useAndDefineFragment", "fragmentName": name });
            self.refuse(text, code, &[json!(format!("fragment {name}"))], *position);
        }
    }

    /// Variables that are not used, not declared, or of no input type, or whose default does not fit.
    fn variables(&mut self) {
        for variable in &self.operation.variables {
            let (name, of) = (&variable.name, &variable.var_type);
            if !self.used.remove(name) {
                let text = format!("Variable ${name} is declared by the operation but not used");
                self.refuse(text, json!({ "code": "variableNotUsed", "variableName": name }), &[], variable.position);
            }
            if self.schema.outputs.contains_key(core(of)) {
                let text = format!("{} isn't a valid input type (on ${name})", core(of));
                let code = json!({ "code": "variableRequiresValidType", "typeName": core(of), "variableName": name });
                self.refuse(text, code, &[], variable.position);
            }
            let default = variable.default_value.as_ref().and_then(|it| value::evaluate(self.operation, it));
            if default.is_some_and(|default| value::misfit(self.schema, of, &default).is_some()) {
                let text = format!("Default value for ${name} doesn't match type {}", written(of));
                let code = json!({ "code": "defaultValueInvalidType", "variableName": name, "typeName": written(of) });
                self.refuse(text, code, &[], variable.position);
            }
        }
        for name in std::mem::take(&mut self.used) {
            let text = format!("Variable ${name} is used by the operation but not declared");
            self.refuse(text, json!({ "code": "variableNotDefined", "variableName": name }), &[], Pos::default());
        }
    }

    /// Values that do not fit the variables that they are for.
    fn values(&mut self) {
        for variable in &self.operation.variables {
            let (name, of) = (&variable.name, &variable.var_type);
            let given = self.operation.values.get(name).cloned();
            let value = match (&given, &variable.default_value) {
                (None, Some(_)) => continue,
                _ => given.unwrap_or_default(),
            };
            if let Some(why) = value::misfit(self.schema, of, &value) {
                let text = format!("Variable ${name} of type {} was provided invalid value ({why})", written(of));
                let code = json!({ "value": value, "problems": [{ "path": [], "explanation": why }] });
                self.refuse(text, code, &[], variable.position);
            }
        }
    }

    fn refuse(&mut self, text: String, code: Value, path: &[Value], position: Pos) {
        self.errors.push(Problem::invalid(text, code).at(path, position));
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
