//! Keys that go, with their values and what belongs to them.

use std::ops::Range;

use super::{Splice, block::is_blank_or_comment, plan::refuse_form};
use crate::{
    document::{Document, Entry},
    refusal::Refusal,
    text::{line_end, line_ending, line_start, rest, slice},
    tree::{Layout, Pair},
};

/// Removes keys of one entry; a comment on a line that goes, goes as well.
pub(super) fn remove(document: &Document<'_>, entry: Entry<'_>, removed: &[&Pair<'_>]) -> Result<Vec<Splice>, Refusal> {
    let removal = Removal { document, entry, removed };
    let mut ranges = Vec::new();
    for pair in removed {
        match entry.layout {
            Layout::Block => ranges.push(removal.lines(pair)?),
            Layout::Flow => ranges.extend(removal.in_braces(pair)?),
        }
    }
    let cut = |range| Splice { range, text: String::new() };
    Ok(union(ranges).into_iter().map(cut).collect())
}

struct Removal<'r> {
    document: &'r Document<'r>,
    entry: Entry<'r>,
    removed: &'r [&'r Pair<'r>],
}

impl Removal<'_> {
    /// The lines of a key and its value, or the key alone where a dash stands before it.
    fn lines(&self, pair: &Pair<'_>) -> Result<Range<usize>, Refusal> {
        let text = self.document.text;
        let (from, to) = (pair.key.span.start, pair.value.span.end);
        if self.has_comment(from..to) {
            return Err(self.refuse(pair, "a comment stands between the key and its value"));
        }
        let end = line_end(text, to);
        if !is_blank_or_comment(slice(text, to..end)) {
            return Err(self.refuse(pair, "something else follows on its line"));
        }
        let start = line_start(text, from);
        let is_behind_a_dash = !slice(text, start..from).trim_matches(' ').is_empty();
        match line_ending(text, end) {
            _ if is_behind_a_dash => Ok(from..self.next_key(pair, end)?),
            "" => Ok(self.end_of_line_kept_before(start)..end),
            ending => Ok(start..end + ending.len()),
        }
    }

    /// A key, its value and one comma; the whole line where they have one for themselves.
    fn in_braces(&self, pair: &Pair<'_>) -> Result<Vec<Range<usize>>, Refusal> {
        if let Some(ranges) = self.line_in_braces(pair) {
            return Ok(ranges);
        }
        let (from, to) = (pair.key.span.start, pair.value.span.end);
        let range = match (self.end_of_kept_before(from), self.start_of_kept_behind(to)) {
            (Some(previous), _) => previous..to,
            (None, Some(next)) => from..next,
            (None, None) => return Err(self.refuse(pair, "no other key stands beside it")),
        };
        if self.has_comment(range.clone()) {
            return Err(self.refuse(pair, "a comment stands beside its comma"));
        }
        Ok(vec![range])
    }

    /// The line of a pair that has one for itself, and the comma before it when none follows.
    fn line_in_braces(&self, pair: &Pair<'_>) -> Option<Vec<Range<usize>>> {
        let text = self.document.text;
        let (from, to) = (pair.key.span.start, pair.value.span.end);
        let (start, end) = (line_start(text, from), line_end(text, to));
        let ending = line_ending(text, end);
        let behind = slice(text, to..end).trim_start_matches([' ', '\t']);
        let without_comma = behind.strip_prefix(',').unwrap_or(behind);
        let is_alone = is_blank_or_comment(slice(text, start..from)) && is_blank_or_comment(without_comma);
        if !is_alone || ending.is_empty() {
            return None;
        }
        let line = start..end + ending.len();
        if behind.starts_with(',') {
            return Some(vec![line]);
        }
        let previous = self.end_of_kept_before(from)?;
        let comma = previous + rest(text, previous).find(',')?;
        let is_blank = slice(text, previous..comma).trim().is_empty();
        is_blank.then(|| vec![comma..comma + 1, line])
    }

    /// Where the next key that stays begins, if only removed lines stand before it.
    fn next_key(&self, pair: &Pair<'_>, end: usize) -> Result<usize, Refusal> {
        let next = self.start_of_kept_behind(end).ok_or_else(|| self.refuse(pair, "no other key follows the dash"))?;
        let is_own = |comment: &Range<usize>| {
            let ends = |pair: &&Pair<'_>| line_end(self.document.text, pair.value.span.end);
            self.removed.iter().any(|pair| ends(pair) == comment.end)
        };
        let comments = &self.document.tree.comments;
        let mut between = comments.iter().filter(|comment| end < comment.start && comment.start < next);
        if between.all(is_own) {
            Ok(next)
        } else {
            Err(self.refuse(pair, "a comment stands before the key that follows the dash"))
        }
    }

    /// At the end of the text: where the last line before that stays ends.
    fn end_of_line_kept_before(&self, mut start: usize) -> usize {
        let text = self.document.text;
        loop {
            let before = slice(text, 0..start);
            let without = before.strip_suffix('\n').unwrap_or(before);
            let end = without.strip_suffix('\r').unwrap_or(without).len();
            let is_on_it = |pair: &&Pair<'_>| line_end(text, pair.value.span.end) == end;
            match self.removed.iter().find(|pair| is_on_it(pair)) {
                Some(removed) if end < start => start = line_start(text, removed.key.span.start),
                _ => return end,
            }
        }
    }

    fn end_of_kept_before(&self, offset: usize) -> Option<usize> {
        let ends = self.kept().map(|pair| pair.value.span.end);
        ends.filter(|end| *end <= offset).last()
    }

    fn start_of_kept_behind(&self, offset: usize) -> Option<usize> {
        self.kept().map(|pair| pair.key.span.start).find(|start| *start >= offset)
    }

    fn kept(&self) -> impl Iterator<Item = &Pair<'_>> {
        let is_removed = |pair: &Pair<'_>| {
            let starts = |removed: &&Pair<'_>| removed.key.span.start == pair.key.span.start;
            self.removed.iter().any(starts)
        };
        self.entry.pairs.iter().filter(move |pair| !is_removed(pair))
    }

    fn has_comment(&self, range: Range<usize>) -> bool {
        let comments = &self.document.tree.comments;
        comments.iter().any(|comment| range.contains(&comment.start))
    }

    fn refuse(&self, pair: &Pair<'_>, form: &'static str) -> Refusal {
        refuse_form(self.document, pair, form)
    }
}

/// The same bytes in ranges that do not touch.
fn union(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut union: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match union.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => union.push(range),
        }
    }
    union
}
