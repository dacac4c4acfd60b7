//! What is checked before anything is parsed, and lines.

use std::{ops::Range, str};

use crate::refusal::{Position, Refusal};

/// The largest file that is read, in bytes. The largest of 11,000 public kustomizations has 17 KB; a `ConfigMap`, which
/// bounds what people put into one file, has 1 MiB.
pub const LARGEST: usize = 1 << 20;

/// The byte order mark that Windows editors put before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Bytes that are text which every YAML reader splits into the same lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'t> {
    /// The byte order mark, or nothing.
    pub(crate) mark: &'t str,
    /// The rest; all offsets in this crate count from its beginning.
    pub(crate) body: &'t str,
}

impl<'t> Text<'t> {
    /// Checks size, encoding and line endings.
    pub(crate) fn read(bytes: &'t [u8]) -> Result<Self, Refusal> {
        if bytes.len() > LARGEST {
            return Err(Refusal::TooLarge { bytes: bytes.len(), limit: LARGEST });
        }
        let whole = str::from_utf8(bytes).map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let at = Position::of(&String::from_utf8_lossy(good), good.len());
            Refusal::NotUtf8 { at }
        })?;
        let body = whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(whole);
        let mark = slice(whole, 0..whole.len() - body.len());
        check_lines(body)?;
        Ok(Self { mark, body })
    }
}

/// The text of a range; nothing when the range is not inside the text.
pub(crate) fn slice(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// The text from an offset to the end.
pub(crate) fn rest(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

/// Where the line of an offset begins.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    slice(text, 0..offset).rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where the line of an offset ends, before its line ending.
pub(crate) fn line_end(text: &str, offset: usize) -> usize {
    match rest(text, offset).find('\n') {
        None => text.len(),
        Some(length) if slice(text, offset..offset + length).ends_with('\r') => offset + length - 1,
        Some(length) => offset + length,
    }
}

/// The lines behind the one of an offset, each with its place and its line ending.
pub(crate) fn lines_behind(text: &str, offset: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut next = offset;
    let pieces = rest(text, offset).split_inclusive('\n').map(move |piece| {
        next += piece.len();
        (next - piece.len(), piece)
    });
    pieces.skip(1)
}

/// The line ending that begins at an offset; nothing at the end of the text.
pub(crate) fn line_ending(text: &str, offset: usize) -> &str {
    let rest = rest(text, offset);
    ["\r\n", "\n"].into_iter().find(|ending| rest.starts_with(ending)).unwrap_or_default()
}

/// The line ending of the line before, or the one that texts have.
pub(crate) fn previous_line_ending(text: &str, offset: usize) -> &'static str {
    if slice(text, 0..line_start(text, offset)).ends_with("\r\n") { "\r\n" } else { "\n" }
}

fn check_lines(body: &str) -> Result<(), Refusal> {
    let mut characters = body.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\u{85}' | '\u{2028}' | '\u{2029}' => {
                return Err(Refusal::LineBreak { code: character.into(), at: Position::of(body, offset) });
            }
            '\r' if characters.peek().is_none_or(|(_, next)| *next != '\n') => {
                return Err(Refusal::LoneCarriageReturn { at: Position::of(body, offset) });
            }
            _ => {}
        }
    }
    Ok(())
}
