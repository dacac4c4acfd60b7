//! What must hold for the whole workspace.
//!
//! Each rule is a function from what it looks at to complaints.
//! One test applies it to the tree; another to a bad sample, so that the rule is known to be able to fail.
//! The tree is what Git tracks: a file that was not added yet is not looked at.
//!
//! - [`tree`]: reading the tree.
//! - [`layers`]: which crate may use which.
//! - [`crypto`]: which TLS stack is linked.
//! - [`manifests`]: what each crate says of itself.
//! - [`sizes`]: how long a file may be, and what it may not be called.
//! - [`sources`]: what Rust sources may not contain, with [`tokens`] to look into them.
//! - [`places`]: what lies at the top, and that nothing names a place on somebody's machine.
//! - [`links`]: that links between documents lead somewhere.

mod crypto;
mod layers;
mod links;
mod manifests;
mod places;
mod sizes;
mod sources;
mod tokens;
mod tree;
