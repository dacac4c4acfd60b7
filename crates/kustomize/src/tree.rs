//! The document as nodes with their places in the text.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
};

/// A document with exactly one root.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    pub(crate) root: Node<'t>,
    /// Every comment from its `#` to the end of its line, in the order of the text.
    pub(crate) comments: Vec<Range<usize>>,
    /// The anchors that an alias repeats.
    pub(crate) aliased: HashSet<usize>,
    /// Every scalar that has an anchor and no tag.
    pub(crate) anchored: HashMap<usize, (Cow<'t, str>, Style)>,
}

/// A value in the text.
#[derive(Debug)]
pub(crate) struct Node<'t> {
    /// Its bytes without tag and anchor. Of a block scalar: the content without the line breaks behind it.
    pub(crate) span: Range<usize>,
    pub(crate) anchor: Option<Anchor<'t>>,
    /// The tag in its long form.
    pub(crate) tag: Option<String>,
    pub(crate) kind: Kind<'t>,
}

/// The name by which aliases repeat a node. Names may be given again, so each one has a number.
#[derive(Debug)]
pub(crate) struct Anchor<'t> {
    pub(crate) id: usize,
    pub(crate) name: Cow<'t, str>,
}

#[derive(Debug)]
pub(crate) enum Kind<'t> {
    /// Nothing is written; the span is empty and follows the colon if there is one.
    Empty,
    Scalar {
        value: Cow<'t, str>,
        style: Style,
    },
    List {
        items: Vec<Node<'t>>,
        layout: Layout,
    },
    Map {
        pairs: Vec<Pair<'t>>,
        layout: Layout,
    },
    Alias {
        id: usize,
        name: &'t str,
    },
}

#[derive(Debug)]
pub(crate) struct Pair<'t> {
    pub(crate) key: Node<'t>,
    pub(crate) value: Node<'t>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` or `>`.
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// By indentation.
    Block,
    /// In brackets or braces.
    Flow,
}

impl Node<'_> {
    /// The words of a scalar.
    pub(crate) fn scalar(&self) -> Option<(&str, Style)> {
        match &self.kind {
            Kind::Scalar { value, style } => Some((value, *style)),
            Kind::Empty | Kind::List { .. } | Kind::Map { .. } | Kind::Alias { .. } => None,
        }
    }
}
