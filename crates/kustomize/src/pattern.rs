//! Names of entries as Kustomize takes them: regular expressions.
//!
//! Only the simple ones are understood, which are all that people write: characters, the dot, and `*`, `+`, `?` behind
//! one of them. Of any other it is assumed that it matches.

/// The longest pattern that is looked into, in bytes: no image's name is as long, and the work grows with it.
const LONGEST: usize = 1024;

/// One character of a pattern with what stands behind it.
#[derive(Clone, Copy)]
struct Step {
    /// `None` is the dot.
    character: Option<char>,
    may_be_skipped: bool,
    may_be_repeated: bool,
}

/// Whether Kustomize may take the whole text for the pattern.
pub(crate) fn may_match(pattern: &str, text: &str) -> bool {
    if pattern.len() > LONGEST {
        return true;
    }
    let Some(steps) = steps(pattern) else { return true };
    let mut reached = vec![false; steps.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    skip(&steps, &mut reached);
    for character in text.chars() {
        reached = advance(&steps, &reached, character);
        if !reached.contains(&true) {
            return false;
        }
    }
    reached.last().copied().unwrap_or_default()
}

/// `None` when the pattern has something else than characters, dots and repetitions.
fn steps(pattern: &str) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for character in pattern.chars() {
        match character {
            '*' | '+' | '?' => {
                let last = steps.last_mut()?;
                last.may_be_skipped |= character != '+';
                last.may_be_repeated |= character != '?';
            }
            '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' | '\\' => return None,
            _ => {
                let character = (character != '.').then_some(character);
                steps.push(Step { character, may_be_skipped: false, may_be_repeated: false });
            }
        }
    }
    Some(steps)
}

/// The places in the pattern that can be reached by one more character.
fn advance(steps: &[Step], reached: &[bool], character: char) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for (place, (step, _)) in steps.iter().zip(reached).enumerate().filter(|(_, (_, reached))| **reached) {
        if step.character.is_none_or(|expected| expected == character) {
            for target in next.iter_mut().skip(place).take(2).skip(usize::from(!step.may_be_repeated)) {
                *target = true;
            }
        }
    }
    skip(steps, &mut next);
    next
}

/// Adds the places that can be reached by no character at all.
fn skip(steps: &[Step], reached: &mut [bool]) {
    let mut before = false;
    let mut may_be_skipped = false;
    for (place, reached) in reached.iter_mut().enumerate() {
        *reached |= before && may_be_skipped;
        before = *reached;
        may_be_skipped = steps.get(place).is_some_and(|step| step.may_be_skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_pattern_matches_as_kustomize_matches() {
        for (pattern, text) in [
            ("app", "app"),
            ("a.p", "app"),
            (".*", ""),
            (".*", "x/y"),
            ("r.io/.*", "r.io/app"),
            ("ap+", "appp"),
            ("x?app", "app"),
            ("(a|b)", "c"),
            ("[", "x"),
            ("a*a*b", "aab"),
        ] {
            assert!(may_match(pattern, text), "{pattern} does not match {text}");
        }
        for (pattern, text) in [
            ("app", "apps"),
            ("app", "ap"),
            ("a.p", "ap"),
            ("r.io/.+", "r.io/"),
            ("x?app", "xxapp"),
            ("", "a"),
            ("a*b", "ac"),
        ] {
            assert!(!may_match(pattern, text), "{pattern} matches {text}");
        }
    }
}
