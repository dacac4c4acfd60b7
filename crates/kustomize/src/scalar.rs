//! Which words need quotes, and how a value is written.

use crate::tree::Style;

/// Words that some reader takes for a boolean, nothing or a number: YAML 1.1 "bool" and "null", and the floats that
/// lose their leading dot in some readers.
const TYPED_WORDS: [&str; 13] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "nan", "inf", "infinity"];

/// How a value is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// Without quotes where every reader sees text, otherwise in double quotes.
    IfNeeded,
    Single,
    Double,
}

impl Quoting {
    /// The manner of a value that is there.
    pub(crate) fn of(style: Style) -> Self {
        match style {
            Style::Plain | Style::Block => Self::IfNeeded,
            Style::SingleQuoted => Self::Single,
            Style::DoubleQuoted => Self::Double,
        }
    }

    /// Whether a text as written is one value in this manner, with its own quotes and nothing behind them.
    pub(crate) fn is_around(self, written: &str) -> bool {
        let within = |quote: char| written.len() > 1 && written.starts_with(quote) && written.ends_with(quote);
        match self {
            Self::IfNeeded => !written.is_empty() && !written.contains(" #") && !written.starts_with(['"', '\'']),
            Self::Single => within('\''),
            Self::Double => within('"'),
        }
    }

    /// Writes a text that has no control character and no line break.
    pub(crate) fn write(self, value: &str) -> String {
        match self {
            Self::IfNeeded if is_text_unquoted(value) => value.to_owned(),
            Self::Single => format!("'{}'", value.replace('\'', "''")),
            Self::IfNeeded | Self::Double => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// Whether every reader of YAML 1.1 and 1.2 takes the unquoted word for text.
///
/// In doubt it says no: quotes around a text change nothing. The types are those of <https://yaml.org/type/>.
pub(crate) fn is_text_unquoted(word: &str) -> bool {
    has_only_harmless_characters(word)
        && !TYPED_WORDS.iter().any(|typed| word.eq_ignore_ascii_case(typed))
        && !is_number(word)
        && !is_timestamp(word)
}

/// Whether Kustomize reads the unquoted word as a number or a boolean, and hence rejects it as a tag.
///
/// This is narrower than what needs quotes: it knows neither dates nor sexagesimal numbers, and takes a number that is
/// too large for a float (`8e88487`) for text. Its source is go-yaml v2, `resolve.go`.
pub(crate) fn is_typed_by_kustomize(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let unsigned = if unsigned.starts_with('.') { format!("0{unsigned}") } else { unsigned.to_owned() };
    let is_finite = unsigned.parse::<f64>().map_or(true, f64::is_finite);
    let is_upper = |text: &str| !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let has_one_case = |typed: &str| {
        let others = word.get(1..).unwrap_or_default();
        word.eq_ignore_ascii_case(typed) && (is_lower(others) || is_upper(word))
    };
    let booleans = ["y", "n", "yes", "no", "on", "off", "true", "false", ".inf", ".nan", "+.inf", "-.inf"];
    booleans.into_iter().any(has_one_case) || (!word.contains(':') && is_finite && is_number(&unsigned))
}

fn has_only_harmless_characters(word: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    word.bytes().next().is_some_and(is_word)
        && !word.ends_with(':')
        && word.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-' | b'/' | b':' | b'@'))
}

/// Integers in every base, decimals, exponents, and YAML 1.1's sexagesimal numbers (`190:20:30`), with its underscores.
fn is_number(word: &str) -> bool {
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let word = word.replace('_', "").to_ascii_lowercase();
    let in_base = |prefix: &str, base: u32| {
        word.strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base)))
    };
    let (mantissa, exponent) = match word.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.trim_start_matches(['+', '-'])),
        None => (word.as_str(), ""),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_decimal = has_only_digits(whole) && has_only_digits(fraction) && has_only_digits(exponent);
    let is_sexagesimal = word.contains(':') && word.split([':', '.']).all(has_only_digits);
    is_decimal || is_sexagesimal || in_base("0x", 16) || in_base("0o", 8) || in_base("0b", 2)
}

/// `2026-11-20`, alone or with a time behind `t`: YAML 1.1 "timestamp".
fn is_timestamp(word: &str) -> bool {
    let mut parts = word.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day = rest.split(['t', 'T']).next().unwrap_or_default();
    let has_digits = |part: &str, most: usize| !part.is_empty() && part.len() <= most && has_only_digits(part);
    year.len() == 4 && has_digits(year, 4) && has_digits(month, 2) && has_digits(day, 2)
}

fn has_only_digits(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_any_reader_would_type_is_quoted() {
        for typed in [
            "1",
            "1.10",
            "6.0",
            "007",
            "1_000",
            "0x1F",
            "0o17",
            "0b101",
            "1e3",
            "553640e6",
            "7284872",
            "20230101",
            "1.",
            "y",
            "n",
            "yes",
            "NO",
            "on",
            "Off",
            "true",
            "false",
            "null",
            "Null",
            "~",
            "",
            "2026-11-20",
            "2026-1-2",
            "2026-11-20T10",
            "190:20:30",
            "5e78923",
            "8e88487",
            "0755",
            "08",
            "1e-3",
            ".5",
            "-1",
            "=",
            "a:",
            "a b",
            "#a",
            "@a",
            "nan",
            ".inf",
        ] {
            assert!(!is_text_unquoted(typed), "{typed} was left unquoted");
        }
    }

    #[test]
    fn kustomize_types_numbers_and_booleans_of_one_case() {
        for typed in [
            "1",
            "00",
            "08",
            "1.",
            "1E3",
            "12e-3",
            "1__0",
            "1_0.5",
            "0X1F",
            "0O17",
            "0B1",
            "Y",
            "Off",
            "TRUE",
            "-1",
            ".5",
            "1234567890123456789012345",
        ] {
            assert!(is_typed_by_kustomize(typed), "{typed} was taken for text");
        }
        for text in [
            "1.2.3",
            "1e400",
            "8e88487",
            "0b2",
            "tRUE",
            "nil",
            "NaN",
            "inf",
            "2026-11-20",
            "12-30",
            "1e1e1",
            "123e4567e",
            "_1",
            "_",
            "0x",
            "infinity",
            "1:20",
            "",
        ] {
            assert!(!is_typed_by_kustomize(text), "{text} was taken for a number");
        }
    }

    #[test]
    fn a_word_that_every_reader_takes_for_text_stays_unquoted() {
        for text in [
            "1.2.3",
            "v1",
            "v1.0",
            "latest",
            "sha-1234567",
            "deadbeef",
            "1-rc1",
            "12-30",
            "1a",
            "e3",
            "_1",
            "0xg",
            "0b2",
            "2026-11-20-a1b2c3d",
            "123e4567e",
            "ghcr.io/acme/app",
            "localhost:5000/app",
            "sha256:00ff",
            "app:1.0",
        ] {
            assert!(is_text_unquoted(text), "{text} was quoted");
        }
    }
}
