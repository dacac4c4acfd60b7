//! Text of others where people and the forge read it: subjects, names, sentences.
//!
//! GitHub makes references of plain words, in Markdown, in titles and in the messages of commits alike: `@name` tells
//! somebody, `#1`, `GH-1`, `owner/name#1` and an issue's address leave a note over there or close it, the name of a
//! commit becomes a link
//! (<https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls>).
//! Somebody's commit subject shall do none of that in another repository. [`BREAK`] stands in the middle of each, which
//! nobody sees; what others wrote that nobody sees is left out first.

/// What keeps a word from being a reference: a zero-width space.
const BREAK: char = '\u{200b}';

/// How many hexadecimal digits stand together at most: seven name a commit.
const MOST_DIGITS: usize = 6;

/// The longest address that is linked to, in bytes: no address of a forge is nearly as long.
const LONGEST_ADDRESS: usize = 1000;

/// How many characters of a text are shown as code.
const LONGEST_CODE: usize = 255;

/// What keeps GitHub Actions and others from running on a commit, where it stands between brackets
/// (<https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs>): a check that is required
/// would be waited for in vain.
const SKIPPING: [&str; 2] = ["skip", "no ci"];

/// The ranges of characters that leave no trace where they stand, and may turn what follows around, or hide text:
/// `Default_Ignorable_Code_Point` and the category Cf of Unicode 16
/// (<https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt>), with the interlinear and blank ones.
const UNSEEN: [(char, char); 31] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    // What is no character at all.
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

/// One line of text that is seen, with runs of white space and of control characters as one blank.
pub(super) fn line(text: &str) -> String {
    let seen = text.chars().filter(|one| !is_unseen(*one));
    let printable: String = seen.map(|one| if one.is_control() { ' ' } else { one }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text, with `…` when there is more than so many characters.
pub(super) fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest).collect();
    format!("{}…", kept.trim_end())
}

/// The beginning of a line that refers to nothing and keeps no workflow from running, for titles and messages of
/// commits.
pub(super) fn unlinked(text: &str, longest: usize) -> String {
    let text = shorten(&line(text), longest);
    let mut safe = String::with_capacity(text.len() * 2);
    for word in words(&text) {
        let mut digits = 0;
        for (before, one, after) in word.characters(&text) {
            digits = if one.is_ascii_hexdigit() { digits + 1 } else { 0 };
            if word.reads == Reads::Commit && digits > MOST_DIGITS {
                safe.push(BREAK);
                digits = 1;
            }
            safe.push(one);
            if is_to_break(before, one, after) {
                safe.push(BREAK);
            }
        }
    }
    safe
}

/// The beginning of a line, in Markdown that neither formats, mentions, links nor closes anything. What reads like the
/// name of a commit is code, which is not linked either and can be copied.
pub(crate) fn markdown(text: &str, longest: usize) -> String {
    let text = shorten(&line(text), longest);
    let mut safe = String::with_capacity(text.len() * 2);
    for word in words(&text) {
        if word.reads == Reads::Commit {
            safe.extend(["`", word.text, "`"]);
            continue;
        }
        for (before, one, after) in word.characters(&text) {
            push_escaped(&mut safe, one);
            if is_to_break(before, one, after) {
                safe.push(BREAK);
            }
        }
    }
    safe
}

/// The beginning of a line as code, also in a table: a backtick or a pipe would end it. A dash when there is nothing.
pub(super) fn code(text: &str) -> String {
    let harmless: String = line(text).chars().map(|one| if matches!(one, '`' | '|') { '\'' } else { one }).collect();
    if harmless.is_empty() { "–".to_owned() } else { format!("`{}`", shorten(&harmless, LONGEST_CODE)) }
}

/// Markdown that leads to an address; as it is when the address is none of the web.
pub(super) fn link(markdown: &str, address: &str) -> String {
    let is_of_the_web = address.starts_with("https://") || address.starts_with("http://");
    if !is_of_the_web || address.len() > LONGEST_ADDRESS {
        return markdown.to_owned();
    }
    let mut safe = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#@+,=%&".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("[{markdown}]({safe})")
}

/// A part of a line.
#[derive(Clone, Copy)]
struct Word<'a> {
    /// Where it begins in the line, in bytes.
    at: usize,
    text: &'a str,
    reads: Reads,
}

/// What a part of a line reads like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Letters, digits and `-._`, of which some may name a commit.
    Commit,
    Otherwise,
}

impl<'a> Word<'a> {
    /// Each of its characters, with what stands before and after it in the line.
    fn characters(self, line: &'a str) -> impl Iterator<Item = (&'a str, char, &'a str)> {
        self.text.char_indices().map(move |(inside, one)| {
            let (before, rest) = line.split_at(self.at + inside);
            (before, one, rest.get(one.len_utf8()..).unwrap_or_default())
        })
    }
}

/// A line in parts. Dots at the end of a name are the sentence's.
fn words(line: &str) -> Vec<Word<'_>> {
    let is_inner = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '.' | '_');
    let (mut words, mut at) = (Vec::new(), 0);
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let (token, after) = rest.split_at(rest.find(|one| !is_inner(one)).unwrap_or(rest.len()));
        let name = token.trim_end_matches('.');
        let (text, reads) = if is_like_a_commit(name) {
            (name, Reads::Commit)
        } else {
            let gap = after.find(is_inner).unwrap_or(after.len());
            (rest.get(..token.len() + gap).unwrap_or(rest), Reads::Otherwise)
        };
        words.push(Word { at, text, reads });
        at += text.len();
    }
    words
}

/// Whether a part of the text between dashes, dots and lines is of seven or more hexadecimal digits.
fn is_like_a_commit(text: &str) -> bool {
    let is_digits = |part: &str| part.len() > MOST_DIGITS && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(['-', '.', '_']).any(is_digits)
}

/// Whether a character begins, or is in the middle of, what refers to something or keeps workflows from running.
fn is_to_break(before: &str, one: char, after: &str) -> bool {
    let ends_with = |end: &str| {
        let start = before.len().checked_sub(end.len());
        start.and_then(|start| before.get(start..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
    };
    let starts_with = |start: &str| after.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start));
    match one {
        '@' | '#' => true,
        ':' => after.starts_with('/'),
        'w' | 'W' => ends_with("ww") && after.starts_with('.'),
        '-' => ends_with("gh") && after.starts_with(|next: char| next.is_ascii_digit()),
        '_' => ends_with("no") && starts_with("ci"),
        '[' => {
            let inside = after.split(']').next().unwrap_or(after).to_ascii_lowercase();
            SKIPPING.iter().any(|word| inside.contains(word))
        }
        _ => false,
    }
}

fn push_escaped(safe: &mut String, one: char) {
    match one {
        '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '!' => safe.extend(['\\', one]),
        // After a backslash it would still be counted where code begins and ends.
        '`' => safe.push_str("&#96;"),
        '&' => safe.push_str("&amp;"),
        // Between two of them is mathematics, whether Markdown is read for it or what became of that
        // (<https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions>).
        '$' => safe.push_str("<span>&#36;</span>"),
        _ => safe.push(one),
    }
}

fn is_unseen(one: char) -> bool {
    !one.is_ascii() && UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&one))
}

#[cfg(test)]
mod tests;
