//! Hashes are long, and their beginnings are enough to tell them apart.

/// How many digits of a commit are shown, as Git does.
const COMMIT_DIGITS: usize = 7;

/// How many digits of a digest are shown, as Docker does.
const DIGEST_DIGITS: usize = 12;

/// A sentence in which every commit and every digest is cut short, with `…` in place of the rest.
pub(crate) fn brief(sentence: &str) -> String {
    let mut short = String::with_capacity(sentence.len());
    let mut word = String::new();
    for character in sentence.chars() {
        if character.is_ascii_hexdigit() {
            word.push(character);
        } else {
            short.push_str(&cut(&word));
            word.clear();
            short.push(character);
        }
    }
    short.push_str(&cut(&word));
    short
}

/// The beginning of a run of hexadecimal digits that is as long as a hash; anything else whole.
fn cut(word: &str) -> String {
    let digits = match word.len() {
        40 => COMMIT_DIGITS,
        64 => DIGEST_DIGITS,
        _ => return word.to_owned(),
    };
    word.chars().take(digits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "8e351710047d7d78437c573853807f0adce8bfb4";

    #[test]
    fn commits_and_digests_are_cut_short() {
        assert_eq!(brief(&format!("tag sha-{COMMIT} names 8e35171")), "tag sha-8e35171… names 8e35171");
        assert_eq!(brief(&format!("at sha256:{COMMIT}{}", "0".repeat(24))), "at sha256:8e351710047d…");
        assert_eq!(brief(COMMIT), "8e35171…");
    }

    #[test]
    fn anything_else_stays() {
        for text in [
            "",
            "a bad cafe",
            "mandelbrot: Zoom deeper → aws, gcp, azure",
            COMMIT.trim_start_matches('8'),
            "127.0.0.1:5000",
        ] {
            assert_eq!(brief(text), text);
        }
    }
}
