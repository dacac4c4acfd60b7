//! What others wrote stays legible, and does nothing.

use comrak::{Options, markdown_to_html};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// What means something to GitHub, to Markdown, to Git or to a screen.
const HOSTILE: [&str; 64] = [
    "@",
    "@acme/team",
    "#",
    "#12",
    "GH-12",
    "gh-",
    "Gh-1234567",
    "acme/app#3",
    "acme@1234567",
    "https://",
    "http:/",
    "/",
    "HTTPS://github.com/acme/app/pull/1",
    "www.",
    "WWW.",
    "mailto:a@b.example",
    "a@b.example",
    "ftp://a.example",
    ":",
    "1234567",
    "deadbeef",
    "0123456789abcdef0123456789abcdef01234567",
    "fixes ",
    "`",
    "``",
    "*",
    "**",
    "_",
    "__",
    "[",
    "]",
    "(",
    ")",
    "](https://a.example)",
    "![",
    "<",
    ">",
    "<!--",
    "-->",
    "<img src=x>",
    "&lt;",
    "&",
    "$",
    "$$",
    "$`",
    "|",
    "~~",
    "\\",
    "!",
    "\n",
    "\r\n\r\n",
    "\n# ",
    "\t",
    "\u{202e}",
    "\u{200b}",
    "\u{2066}",
    "\u{feff}",
    "\u{2028}",
    "\0",
    "[skip ci]",
    "NO_CI",
    "[^1]",
    "Release-Id: x",
    "é",
];

fn hostile() -> impl Strategy<Value = String> {
    let part =
        prop_oneof![6 => select(&HOSTILE[..]).prop_map(str::to_owned), 1 => "\\PC{0,3}", 1 => "[a-f0-9 .-]{0,9}"];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// What GitHub would make a reference or an address of.
fn references(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let followed = |mark: &str, by: fn(char) -> bool| {
        lower.match_indices(mark).any(|(at, _)| lower.get(at + mark.len()..).is_some_and(|rest| rest.starts_with(by)))
    };
    let names_a_commit = lower
        .split(|one: char| !one.is_ascii_alphanumeric())
        .any(|word| word.len() > 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let found = [
        ("a mention", followed("@", |next| next.is_ascii_alphanumeric())),
        ("an issue", followed("#", |next| next.is_ascii_digit())),
        ("an issue by GH-", followed("gh-", |next| next.is_ascii_digit())),
        ("an address", lower.contains("://")),
        ("an address without a scheme", lower.contains("www.")),
        ("a commit", names_a_commit),
    ];
    found.into_iter().filter(|(_, found)| *found).map(|(what, _)| what.to_owned()).collect()
}

/// What a page shows of Markdown, outside of code and in all; anything but code and what keeps mathematics away is an
/// error.
fn shown(markdown: &str) -> Result<(String, String), String> {
    let mut options = Options::default();
    options.render.r#unsafe = true;
    let extension = &mut options.extension;
    extension.autolink = true;
    extension.footnotes = true;
    extension.math_code = true;
    extension.math_dollars = true;
    extension.strikethrough = true;
    extension.table = true;
    extension.tasklist = true;
    let html = markdown_to_html(&format!("- x: {markdown}\n"), &options);
    let inner = html.strip_prefix("<ul>\n<li>x:").and_then(|rest| rest.strip_suffix("</li>\n</ul>\n"));
    let inner = inner.ok_or_else(|| html.clone())?.trim_start();
    let (mut outside, mut all, mut in_code) = (String::new(), String::new(), false);
    for part in inner.split_inclusive(['<', '>']) {
        match part {
            "code>" | "/code>" => in_code = part == "code>",
            "span>" | "/span>" => {}
            _ if part.ends_with('>') => return Err(html),
            text => {
                let text = text.trim_end_matches('<');
                let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
                outside.push_str(if in_code { " " } else { &text });
                all.push_str(&text);
            }
        }
    }
    Ok((outside, all))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_title_refers_to_nothing_and_says_the_same(text in hostile()) {
        let safe = unlinked(&text, 1000);
        prop_assert_eq!(references(&safe), Vec::<String>::new(), "{}", safe);
        let lower = safe.to_ascii_lowercase();
        prop_assert!(!lower.contains("[skip") && !lower.contains("no_ci") && !lower.contains("[no ci"), "{}", safe);
        prop_assert_eq!(safe.replace(BREAK, ""), line(&text));
    }

    #[test]
    fn markdown_is_nothing_but_text_and_says_the_same(text in hostile()) {
        let safe = markdown(&text, 1000);
        let (outside, all) = shown(&safe).map_err(TestCaseError::fail)?;
        prop_assert_eq!(references(&outside), Vec::<String>::new(), "{}", safe);
        prop_assert_eq!(all.replace(BREAK, ""), line(&text), "{}", safe);
    }

    #[test]
    fn code_is_nothing_but_code(text in hostile()) {
        let safe = code(&text);
        let (outside, all) = shown(&safe).map_err(TestCaseError::fail)?;
        prop_assert!(outside.trim().is_empty() || outside == "–", "{}", safe);
        prop_assert!(!safe.contains('|'), "it would end a cell: {}", safe);
        prop_assert_eq!(all.is_empty(), false);
    }

    #[test]
    fn a_line_is_one_line_without_what_nobody_sees(text in "(?s).{0,40}") {
        let line = line(&text);
        prop_assert!(!line.chars().any(|one| one.is_control() || is_unseen(one)), "{:?}", line);
        prop_assert_eq!(line.lines().count() <= 1, true);
        prop_assert!(line.split(' ').all(|word| !word.contains(char::is_whitespace)), "{:?}", line);
    }

    #[test]
    fn an_address_never_leaves_its_link(rest in hostile()) {
        let linked = link("look", &format!("https://a.example/{rest}"));
        let mut options = Options::default();
        options.render.r#unsafe = true;
        let html = markdown_to_html(&linked, &options);
        let inner = html.strip_prefix("<p><a href=\"https://a.example/").and_then(|rest| rest.strip_suffix("\">look</a></p>\n"));
        prop_assert!(inner.is_some_and(|inner| !inner.contains(['<', '>', '"'])), "{} {}", linked, html);
    }
}

#[test]
fn characters_that_nobody_sees_are_left_out() {
    for unseen in [
        '\u{ad}',
        '\u{61c}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{200f}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0041}',
        '\u{e0101}',
    ] {
        assert_eq!(line(&format!("a{unseen}b")), "ab", "{unseen:?}");
    }
    assert_eq!(line("Grüße, 数学 और é 🙂 – “x”"), "Grüße, 数学 और é 🙂 – “x”");
}

#[test]
fn what_reads_like_a_commit_is_code_and_stays_whole() {
    assert_eq!(
        markdown("tag sha-1f1f1f1f names commit 1f1f1f1. Decade 123456, feedback", 100),
        "tag `sha-1f1f1f1f` names commit `1f1f1f1`. Decade 123456, feedback"
    );
}

#[test]
fn a_long_text_is_cut_before_it_is_escaped() {
    assert_eq!(markdown("****", 3), "\\*\\*\\*…");
    assert_eq!(unlinked("@@@@", 3).replace(BREAK, "⁰"), "@⁰@⁰@⁰…");
    assert_eq!(code(&"é".repeat(300)), format!("`{}…`", "é".repeat(255)));
    assert_eq!(code(" \u{202e}"), "–");
}

#[test]
fn only_the_web_is_linked_to() {
    assert_eq!(link("look", "https://a.example/(x)"), "[look](https://a.example/%28x%29)");
    for other in ["javascript:alert(1)", "", "/x", &format!("https://{}", "a".repeat(1000))] {
        assert_eq!(link("look", other), "look", "{other}");
    }
}
