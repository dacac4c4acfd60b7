//! Which fragments of a document are used.

use std::collections::BTreeSet;

use graphql_parser::{
    Pos,
    query::{FragmentDefinition, Selection, SelectionSet},
};

/// The fragments that none of the selections leads to, directly or through other fragments.
pub(super) fn unused<'a>(
    fragments: &'a [FragmentDefinition<'static, String>],
    selections: impl Iterator<Item = &'a SelectionSet<'static, String>>,
) -> Vec<(String, Pos)> {
    let mut used = BTreeSet::new();
    let mut open: Vec<&SelectionSet<'static, String>> = selections.collect();
    while let Some(selection) = open.pop() {
        for item in &selection.items {
            match item {
                Selection::Field(field) => open.push(&field.selection_set),
                Selection::InlineFragment(inline) => open.push(&inline.selection_set),
                Selection::FragmentSpread(spread) if used.insert(&spread.fragment_name) => {
                    let named = fragments.iter().filter(|fragment| fragment.name == spread.fragment_name);
                    open.extend(named.map(|fragment| &fragment.selection_set));
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    let unused = fragments.iter().filter(|fragment| !used.contains(&fragment.name));
    unused.map(|fragment| (fragment.name.clone(), fragment.position)).collect()
}
