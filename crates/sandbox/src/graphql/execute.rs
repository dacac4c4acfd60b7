//! Walking a document over the world.

use std::collections::BTreeMap;

use graphql_parser::query::{Field, SelectionSet};
use serde_json::{Map, Value, json};

use super::{Operation, Problem, node::Node, value};
use crate::{
    merging::{self, MergeState},
    refusal::Refusal,
    world::{
        World,
        app::{Access, Caller},
        repository::{Key, Repository},
    },
};

/// What a field is.
#[derive(Clone, Debug)]
pub(super) enum Resolved {
    /// A value without fields.
    Leaf(Value),
    /// An object.
    Object(Node),
    /// A list of objects.
    List(Vec<Node>),
}

/// An execution under way.
pub(super) struct Execution<'a> {
    pub(super) world: &'a mut World,
    pub(super) caller: Caller,
    operation: &'a Operation,
    errors: Vec<Value>,
    /// What was read once in a document stays so until its end.
    merge_states: BTreeMap<(Key, u64), MergeState>,
}

/// Executes a checked document and gives the body of the answer.
pub(super) fn execute(world: &mut World, caller: Caller, operation: &Operation) -> Value {
    let mut execution = Execution { world, caller, operation, errors: Vec::new(), merge_states: BTreeMap::new() };
    let root = Node::Root(operation.root());
    let data = execution.select(&root, &[&operation.selection], &mut Vec::new());
    let mut body = Map::new();
    body.insert("data".to_owned(), data);
    if !execution.errors.is_empty() {
        body.insert("errors".to_owned(), Value::Array(execution.errors));
    }
    Value::Object(body)
}

impl Resolved {
    /// Nothing.
    pub(super) const NULL: Self = Self::Leaf(Value::Null);

    /// An object, or nothing.
    pub(super) fn optional(node: Option<Node>) -> Self {
        node.map_or(Self::NULL, Self::Object)
    }
}

impl Execution<'_> {
    fn select(&mut self, node: &Node, sets: &[&SelectionSet<'static, String>], path: &mut Vec<Value>) -> Value {
        let operation = self.operation;
        let mut fields = Vec::new();
        for set in sets {
            operation.fields(set, &|about| node.is(about), &mut fields);
        }
        let mut object = Map::new();
        for field in &fields {
            let key = field.alias.as_ref().unwrap_or(&field.name);
            if object.contains_key(key) {
                continue;
            }
            // The same field asked for twice is one field with both selections.
            let same = fields.iter().filter(|other| other.alias.as_ref().unwrap_or(&other.name) == key);
            let sets: Vec<_> = same.map(|other| &other.selection_set).collect();
            path.push(json!(key));
            let value = self.field(node, field, &sets, path);
            path.pop();
            object.insert(key.clone(), value);
        }
        Value::Object(object)
    }

    fn field(
        &mut self,
        node: &Node,
        field: &Field<'static, String>,
        sets: &[&SelectionSet<'static, String>],
        path: &mut Vec<Value>,
    ) -> Value {
        if field.name == "__typename" {
            return json!(node.type_name());
        }
        let arguments = value::arguments(self.operation, field);
        match self.resolve(node, &field.name, &arguments) {
            Ok(Resolved::Leaf(value)) => value,
            Ok(Resolved::Object(node)) => self.select(&node, sets, path),
            Ok(Resolved::List(nodes)) => {
                let mut items = Vec::new();
                for (place, node) in nodes.iter().enumerate() {
                    path.push(json!(place));
                    items.push(self.select(node, sets, path));
                    path.pop();
                }
                Value::Array(items)
            }
            Err(problem) => {
                self.errors.push(problem.at(path, field.position));
                Value::Null
            }
        }
    }

    /// A repository on which the caller has a permission.
    pub(super) fn permitted(&self, key: &Key, permission: &str, access: Access) -> Result<&Repository, Refusal> {
        self.world.permitted(&self.caller, key, permission, access)
    }

    /// The account name of the caller.
    pub(super) fn actor(&self) -> String {
        self.world.login_of(&self.caller)
    }

    /// Whether a pull request can be merged, as this document sees it.
    pub(super) fn merge_state(&mut self, key: &Key, number: u64) -> Result<MergeState, Problem> {
        let place = (key.clone(), number);
        if let Some(known) = self.merge_states.get(&place) {
            return Ok(known.clone());
        }
        let repository = self.world.repository(key)?;
        let state = merging::state_as_read(repository, repository.pull_request(number)?)?;
        self.merge_states.insert(place, state.clone());
        Ok(state)
    }
}
