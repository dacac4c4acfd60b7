//! Why an edit is not made, and where.

use std::fmt;

/// A place in the text as editors count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1. A byte order mark has none.
    pub column: usize,
}

/// The text is left alone, for this reason.
///
/// Each sentence can be shown to the person who owns the overlay; none holds more of the file than a key or a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No kustomization is as large. It is not read, so there is no place to name.
    #[error("the kustomization has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// The size of the file.
        bytes: usize,
        /// The largest size that is read.
        limit: usize,
    },
    /// The bytes are not text, or text in another encoding.
    #[error("the kustomization is not UTF-8 at {at}")]
    NotUtf8 {
        /// The first byte that is not.
        at: Position,
    },
    /// A character at which Kustomize ends a line, even in a comment, and other readers do not.
    #[error("the character U+{code:04X} at {at} ends a line for Kustomize and for nobody else; remove it")]
    LineBreak {
        /// The character: U+0085, U+2028 or U+2029.
        code: u32,
        /// Where it is.
        at: Position,
    },
    /// A carriage return without a line feed, at which some readers end a line.
    #[error("a carriage return without a line feed at {at}; use one kind of line ending")]
    LoneCarriageReturn {
        /// Where it is.
        at: Position,
    },
    /// The text is not YAML.
    #[error("not valid YAML at {at}: {problem}")]
    Syntax {
        /// Where the parser stopped.
        at: Position,
        /// What it says.
        problem: String,
    },
    /// A line that begins with `%`; Kustomize rejects `%YAML 1.2`.
    #[error("a YAML directive (`%…`) at {at}; Kustomize rejects it")]
    Directive {
        /// Where it is.
        at: Position,
    },
    /// Lists and mappings inside each other, deeper than any kustomization.
    #[error("nested more than {limit} levels deep at {at}")]
    TooDeep {
        /// The first level that is too deep.
        at: Position,
        /// The deepest level that is read.
        limit: usize,
    },
    /// More than one document; Kustomize reads the first and ignores the rest silently.
    #[error("a second YAML document begins at {at}; Kustomize ignores it")]
    SeveralDocuments {
        /// Where the second one begins.
        at: Position,
    },
    /// Nothing but white space and comments.
    #[error("the kustomization is empty")]
    Empty,
    /// The document is a list or a single word.
    #[error("the kustomization is not a mapping at {at}")]
    NotAMapping {
        /// Where the document begins.
        at: Position,
    },
    /// A key that is not plain text: an alias, a list, something with a tag or an anchor.
    #[error("a key that is not plain text at {at}")]
    KeyNotText {
        /// Where it is.
        at: Position,
    },
    /// The same key twice in one mapping; Kustomize takes the last, other readers refuse.
    #[error("the key `{key}` stands twice, at {first} and {second}; keep one")]
    DuplicateKey {
        /// The key as written the second time.
        key: String,
        /// Its first place.
        first: Position,
        /// Its second place.
        second: Position,
    },
    /// A key in another case; Kustomize takes it, other readers do not.
    #[error("the key `{key}` at {at} is written `{meant}`")]
    KeyCase {
        /// The key as written.
        key: String,
        /// The key as documented.
        meant: &'static str,
        /// Where it is.
        at: Position,
    },
    /// `<<` at the root or in an entry: what it brings in stands elsewhere.
    #[error("a merge key (`<<`) at {at}; write the values out")]
    MergeKey {
        /// Where it is.
        at: Position,
    },
    /// Another resource than Kustomize's own, such as Flux's `Kustomization`.
    #[error("not a kustomization: apiVersion `{api_version}` and kind `{kind}` at {at}")]
    ForeignKind {
        /// The `apiVersion`, empty when absent.
        api_version: String,
        /// The `kind`, empty when absent.
        kind: String,
        /// Where it says so.
        at: Position,
    },
    /// `images` or `imageTags` is something else than a list.
    #[error("`{key}` is not a list at {at}")]
    NotAList {
        /// Which of both.
        key: &'static str,
        /// Where its value begins.
        at: Position,
    },
    /// An element of `images` is a word or a list.
    #[error("an entry of `images` is not a mapping at {at}")]
    EntryNotAMapping {
        /// Where it is.
        at: Position,
    },
    /// An element of `images` is an alias, or is used elsewhere by one.
    #[error("an entry of `images` at {at} is shared with another place by an alias; write it out")]
    AliasedEntry {
        /// Where it is.
        at: Position,
    },
    /// A field that Kustomize does not know; it rejects the file.
    #[error("an entry of `images` has the field `{field}` at {at}, which Kustomize does not know")]
    UnknownField {
        /// The field as written.
        field: String,
        /// Where it is.
        at: Position,
    },
    /// There is `images`, without the name.
    #[error("`images` at {at} has no entry named {image}; add `- name: {image}`")]
    NoEntry {
        /// The name that was looked for.
        image: String,
        /// Where `images` stands.
        at: Position,
    },
    /// There is no `images` at all.
    #[error("the kustomization has no `images`; add it with `- name: {image}`")]
    NoImages {
        /// The name that was looked for.
        image: String,
    },
    /// Two entries for one image: Kustomize applies both, one over the result of the other.
    #[error("`images` has two entries named {image} (lines {first} and {second}); keep one")]
    TwoEntries {
        /// The name.
        image: String,
        /// The line of the first.
        first: usize,
        /// The line of the second.
        second: usize,
    },
    /// The old `imageTags` names the image as well, and wins over `images`.
    #[error("`imageTags` names {image} at {at} and wins over `images`; move it there")]
    LegacyEntry {
        /// The name.
        image: String,
        /// Where it is named.
        at: Position,
    },
    /// Another entry matches the image before this one does, or matches its result.
    #[error("the entry {other} at {at} changes the image of the entry {image} as well; keep one")]
    Overruled {
        /// The name of the entry in question.
        image: String,
        /// The name of the other entry, which Kustomize takes as a regular expression.
        other: String,
        /// Where the other entry is.
        at: Position,
    },
    /// `tagSuffix` would mean something else after the change.
    #[error("the entry {image} has `tagSuffix` at {at}; remove it")]
    TagSuffix {
        /// The name.
        image: String,
        /// Where the suffix is.
        at: Position,
    },
    /// The value carries an anchor, and an alias elsewhere repeats it.
    #[error("the value of `{key}` at {at} is repeated elsewhere by an alias; write it out there")]
    Shared {
        /// The key.
        key: String,
        /// Where its value is.
        at: Position,
    },
    /// A number, a boolean, a list: Kustomize takes text only and rejects the file.
    #[error("the value of `{key}` at {at} is not text; put it in quotes")]
    NotText {
        /// The key.
        key: String,
        /// Where its value is.
        at: Position,
    },
    /// The bytes around the place have a form that this editor does not change.
    #[error("`{key}` at {at} is written in a form that cannot be edited here: {form}")]
    Form {
        /// The key that would be changed.
        key: String,
        /// Where.
        at: Position,
        /// What the form is.
        form: &'static str,
    },
    /// Two YAML parsers read the text differently, or one of them not at all.
    #[error("two YAML parsers disagree about the kustomization: {problem}")]
    Disputed {
        /// What they disagree about, or what the second one says.
        problem: String,
    },
    /// The proof after the edit failed; the edited text was thrown away.
    #[error("the edit could not be proven and was dropped: {what}")]
    Unproven {
        /// What differs, and where.
        what: String,
    },
}

impl Position {
    /// The place of a byte offset; an offset in the middle of a character counts as behind it.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let mut position = Self { line: 1, column: 1 };
        for (_, character) in text.char_indices().take_while(|(index, _)| *index < offset) {
            if character == '\n' {
                position = Self { line: position.line + 1, column: 1 };
            } else {
                position.column += 1;
            }
        }
        position
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
