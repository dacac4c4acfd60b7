//! The one place that knows the parser: its events become a [`Tree`].

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag, options};

use crate::{
    refusal::{Position, Refusal},
    text,
    tree::{Anchor, Kind, Layout, Node, Pair, Style, Tree},
};

/// The deepest nesting that is read. Real kustomizations have fewer than 20 levels; the tree is walked by recursion,
/// and the second parser stops at 128.
const DEEPEST: usize = 64;

/// Reads the single document in a text that [`text::Text`] has checked.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, Refusal> {
    let options = options! {
        emit_anchor_events: true,
        disallow_directives: true,
        // Comments are kept with the text anyway, so the text's size bounds them.
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut reader = Reader {
        text,
        events: Parser::new_from_str_with_options(text, options),
        comments: Vec::new(),
        aliased: HashSet::new(),
        anchored: HashMap::new(),
    };
    let root = reader.document()?;
    Ok(Tree { root, comments: reader.comments, aliased: reader.aliased, anchored: reader.anchored })
}

struct Reader<'t> {
    text: &'t str,
    events: Parser<'t, StrInput<'t>>,
    comments: Vec<Range<usize>>,
    aliased: HashSet<usize>,
    anchored: HashMap<usize, (Cow<'t, str>, Style)>,
}

/// What stands before the content of a node.
struct Properties<'t> {
    anchor: Option<Anchor<'t>>,
    tag: Option<String>,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Node<'t>, Refusal> {
        let mut root = None;
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::StreamEnd) {
                return root.ok_or(Refusal::Empty);
            }
            if matches!(event, Event::DocumentStart(..)) {
                if root.is_some() {
                    return Err(Refusal::SeveralDocuments { at: self.position(range.start) });
                }
                root = Some(self.node(0)?);
            }
        }
    }

    /// The next event that is not a comment.
    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), Refusal> {
        loop {
            let (event, span) = match self.events.next_event() {
                Some(next) => next.map_err(|error| self.refuse(&error))?,
                None => return Ok((Event::StreamEnd, self.text.len()..self.text.len())),
            };
            let range = byte_range(&span);
            if matches!(event, Event::Comment(..)) {
                self.comments.push(range);
            } else {
                return Ok((event, range));
            }
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node<'t>, Refusal> {
        let (event, range) = self.next()?;
        self.node_from(event, range, depth)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser may add events, and none of the others is a value")]
    fn node_from(&mut self, event: Event<'t>, range: Range<usize>, depth: usize) -> Result<Node<'t>, Refusal> {
        if depth > DEEPEST {
            return Err(Refusal::TooDeep { at: self.position(range.start), limit: DEEPEST });
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let properties = self.properties(anchor, tag)?;
                Ok(self.scalar(value, style, properties, range))
            }
            Event::SequenceStart(style, anchor, tag) => {
                let properties = self.properties(anchor, tag)?;
                self.list(layout(style), properties, range, depth)
            }
            Event::MappingStart(style, anchor, tag) => {
                let properties = self.properties(anchor, tag)?;
                self.map(layout(style), properties, range, depth)
            }
            Event::Alias(id) => {
                self.aliased.insert(id);
                let name = text::slice(self.text, range.clone()).trim_start_matches('*');
                Ok(Node { span: range, anchor: None, tag: None, kind: Kind::Alias { id, name } })
            }
            _ => Err(self.syntax(range.start, "a value was expected")),
        }
    }

    /// The parser reports an anchor right behind the node that has it.
    fn properties(&mut self, id: usize, tag: Option<Cow<'t, Tag>>) -> Result<Properties<'t>, Refusal> {
        let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
        if id == 0 {
            return Ok(Properties { anchor: None, tag });
        }
        match self.next()? {
            (Event::Anchor(_, name), _) => Ok(Properties { anchor: Some(Anchor { id, name }), tag }),
            (_, range) => Err(self.syntax(range.start, "an anchor was expected")),
        }
    }

    fn scalar(
        &mut self,
        value: Cow<'t, str>,
        style: ScalarStyle,
        properties: Properties<'t>,
        range: Range<usize>,
    ) -> Node<'t> {
        let Properties { anchor, tag } = properties;
        let style = match style {
            ScalarStyle::Plain if range.is_empty() => {
                return Node { span: range, anchor, tag, kind: Kind::Empty };
            }
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        if let (Some(anchor), None) = (&anchor, &tag) {
            self.anchored.insert(anchor.id, (value.clone(), style));
        }
        let mut span = range;
        if style == Style::Block {
            span.end = span.start + text::slice(self.text, span.clone()).trim_end().len();
        }
        Node { span, anchor, tag, kind: Kind::Scalar { value, style } }
    }

    fn list(
        &mut self,
        layout: Layout,
        properties: Properties<'t>,
        mut span: Range<usize>,
        depth: usize,
    ) -> Result<Node<'t>, Refusal> {
        let mut items = Vec::new();
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                span.end = end(layout, range, items.last());
                let Properties { anchor, tag } = properties;
                return Ok(Node { span, anchor, tag, kind: Kind::List { items, layout } });
            }
            items.push(self.node_from(event, range, depth + 1)?);
        }
    }

    fn map(
        &mut self,
        layout: Layout,
        properties: Properties<'t>,
        mut span: Range<usize>,
        depth: usize,
    ) -> Result<Node<'t>, Refusal> {
        let mut pairs: Vec<Pair<'t>> = Vec::new();
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                span.end = end(layout, range, pairs.last().map(|pair| &pair.value));
                let Properties { anchor, tag } = properties;
                return Ok(Node { span, anchor, tag, kind: Kind::Map { pairs, layout } });
            }
            let key = self.node_from(event, range, depth + 1)?;
            let mut value = self.node(depth + 1)?;
            if matches!(value.kind, Kind::Empty) && value.anchor.is_none() && value.tag.is_none() {
                value.span = self.behind_the_colon(key.span.end);
            }
            pairs.push(Pair { key, value });
        }
    }

    /// Where an absent value would stand: the parser reports the end of its key.
    fn behind_the_colon(&self, key_end: usize) -> Range<usize> {
        let rest = text::rest(self.text, key_end);
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let offset = key_end + blanks;
        if text::rest(self.text, offset).starts_with(':') { offset + 1..offset + 1 } else { key_end..key_end }
    }

    fn refuse(&self, error: &ScanError) -> Refusal {
        let offset = error.marker().byte_offset().unwrap_or_default();
        if *error.kind() == ErrorKind::DirectiveDisallowed {
            Refusal::Directive { at: self.position(offset) }
        } else if *error.kind() == ErrorKind::RecursionLimitExceeded {
            Refusal::TooDeep { at: self.position(offset), limit: DEEPEST }
        } else {
            self.syntax(offset, &error.info())
        }
    }

    fn syntax(&self, offset: usize, problem: &str) -> Refusal {
        Refusal::Syntax { at: self.position(offset), problem: problem.to_owned() }
    }

    fn position(&self, offset: usize) -> Position {
        Position::of(self.text, offset)
    }
}

fn layout(style: StructureStyle) -> Layout {
    match style {
        StructureStyle::Block => Layout::Block,
        StructureStyle::Flow => Layout::Flow,
    }
}

/// A collection by indentation ends where its last value ends; the parser reports where the next thing begins.
fn end(layout: Layout, reported: Range<usize>, last: Option<&Node<'_>>) -> usize {
    match (layout, last) {
        (Layout::Block, Some(last)) => last.span.end,
        (Layout::Block, None) => reported.start,
        (Layout::Flow, _) => reported.end,
    }
}

/// Over a `str` every span has its bytes.
fn byte_range(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}
