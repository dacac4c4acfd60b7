//! What is kept of that which can not be used.

use domain::excerpt::LONGEST;

/// Bounded, and nothing that a terminal obeys.
pub(crate) fn judge_excerpt(text: &str) {
    assert!(text.len() <= LONGEST + '…'.len_utf8(), "{} bytes are kept: {text:?}", text.len());
    let passes = |one: char| matches!(one, '\n' | '\t') || !one.is_control();
    assert!(text.chars().all(passes), "a control character is passed on: {text:?}");
}
