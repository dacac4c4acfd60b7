//! Rewrites the image in a kustomization's text and leaves every other byte alone.
//!
//! [`set_image`] changes `newName`, `newTag` and `digest` of one entry of `images:`. It never prints a document
//! again: it replaces the few bytes that say what the image is, and then proves with two independent parsers that
//! the new text means what the old one meant, apart from the change. What it cannot prove it refuses, with a sentence
//! that says where. [`Argument`] is a change as `kustomize edit set image` spells it. [`image_in`] reads the same entry. [`kustomization_file`] says which file of a directory is the
//! kustomization.
//!
//! ```
//! use kustomize::{Change, Missing, NewName, Version, set_image};
//!
//! let change = Change {
//!     image: "app".parse()?,
//!     new_name: NewName::Keep,
//!     version: Version::Tag("v2".parse()?),
//!     missing: Missing::Refuse,
//! };
//! let edit = set_image(b"images:\n- name: app # ours\n  newTag: v1\n", &change)?;
//! assert_eq!(edit.text(), "images:\n- name: app # ours\n  newTag: v2\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What Kustomize does is described at
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>; where that page is silent, its
//! source decides. Nothing here reads or writes a file.
//!
//! Read the modules in this order:
//!
//! - `value`: what an entry can say.
//! - `change`: what is asked for; a tag without a digest removes an old digest, and the types say so.
//! - `argument`: the same as `kustomize edit set image` spells it.
//! - `refusal`: why an edit is not made, and where.
//! - `directory`: which of several files is the kustomization.
//! - `text`: what is checked before anything is parsed.
//! - `tree` and `parser`: the document as nodes with their places in the text.
//! - `scalar`: which words need quotes.
//! - `pattern`: names as Kustomize matches them.
//! - `document`: the kustomization in the tree: `images:`, its entries, and what is refused.
//! - `edit`: the change as splices of text.
//! - `meaning`, `witness` and `proof`: what the text means to two parsers, and the comparison after an edit.

mod argument;
mod change;
mod directory;
mod document;
mod edit;
mod meaning;
mod parser;
mod pattern;
mod proof;
mod refusal;
mod scalar;
mod text;
mod tree;
mod value;
mod witness;

pub use argument::{Argument, InvalidArgument, Unnamed};
pub use change::{Change, Missing, NewName, Version};
pub use directory::{FILE_NAMES, NoKustomizationFile, kustomization_file};
pub use document::{Image, image_in};
pub use domain::application::{ImageName, InvalidImageName};
pub use edit::{Edit, Outcome, set_image};
pub use refusal::{Position, Refusal};
pub use text::LARGEST;
pub use value::{InvalidValue, Value};
