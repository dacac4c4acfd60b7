//! What Rust sources may not contain.

use std::iter;

use crate::{
    tokens::{self, Token},
    tree::{self, File},
};

/// The one file with `unsafe`: libgit2 takes a transport of our own only through an unsafe function
/// (<https://docs.rs/git2/latest/git2/transport/fn.register.html>).
const UNSAFE_ALLOWED: &str = "crates/forge/src/git/transport.rs";

/// The code behind which a file holds only tests.
const ONLY_IN_TESTS: &[&str] = &["#", "[", "cfg", "(", "test", ")", "]"];

fn complaints(file: &File) -> Vec<String> {
    let tokens = match tokens::read(&file.text) {
        Ok(tokens) => tokens,
        Err(error) => return vec![format!("{}: {error}", file.path)],
    };
    let rules = [
        unsafe_code(&file.path, &tokens),
        exceptions_without_reason(&tokens),
        idle_tests(&tokens),
        sleeping_tests(&file.path, &tokens),
        tests_in_production(&tokens),
    ];
    rules.into_iter().flatten().map(|(line, complaint)| format!("{}:{line} {complaint}", file.path)).collect()
}

/// A line and what is wrong there.
type Found = Vec<(usize, &'static str)>;

fn unsafe_code(path: &str, tokens: &[Token]) -> Found {
    if path == UNSAFE_ALLOWED {
        return Vec::new();
    }
    found(tokens, &["unsafe"], "is unsafe, which is allowed in one other file")
}

/// An exception from a lint is expected, so that it is noticed when it is no longer needed, and says why.
fn exceptions_without_reason(tokens: &[Token]) -> Found {
    let mut complaints = Vec::new();
    for (at, opening) in tokens.iter().enumerate() {
        let attribute = attribute(tokens.get(at..).unwrap_or_default());
        let mut words = attribute.iter().map(|token| token.text.as_str());
        match words.next() {
            Some("expect") if !words.any(|word| word == "reason") => {
                complaints.push((opening.line, "expects a lint without a reason"));
            }
            Some("allow") => complaints.push((opening.line, "allows a lint; expect it instead")),
            _ => {}
        }
    }
    complaints
}

/// The tokens inside the attribute that begins here; nothing when none does.
fn attribute(tokens: &[Token]) -> &[Token] {
    let inside = match tokens {
        [hash, open, inside @ ..] if hash.text == "#" && open.text == "[" => inside,
        [hash, bang, open, inside @ ..] if hash.text == "#" && bang.text == "!" && open.text == "[" => inside,
        _ => &[],
    };
    let end = inside.iter().position(|token| token.text == "]");
    end.and_then(|end| inside.get(..end)).unwrap_or_default()
}

fn idle_tests(tokens: &[Token]) -> Found {
    found(tokens, &["#", "[", "ignore"], "ignores a test")
}

/// A test that sleeps is slow or fails by chance; waiting for something to become true is the harness's business.
fn sleeping_tests(path: &str, tokens: &[Token]) -> Found {
    let first_line = if is_test(path) { Some(0) } else { lines(tokens, ONLY_IN_TESTS).next() };
    let Some(first_line) = first_line else {
        return Vec::new();
    };
    found(tokens, &["sleep", "("], "sleeps in a test; wait with the harness, or pause the clock")
        .into_iter()
        .filter(|(line, _)| *line > first_line)
        .collect()
}

/// Whether the whole file is test code. The harness, which waits for processes, is not.
fn is_test(path: &str) -> bool {
    let in_tests = path.starts_with("tests/") || path.contains("/tests/");
    (in_tests && !path.starts_with("tests/src/")) || path.ends_with("/tests.rs")
}

/// Production code that a test does not run, or runs otherwise, is not tested.
fn tests_in_production(tokens: &[Token]) -> Found {
    let module: Vec<&str> = ONLY_IN_TESTS.iter().copied().chain(iter::once("mod")).collect();
    let modules: Vec<usize> = lines(tokens, &module).collect();
    found(tokens, ONLY_IN_TESTS, "has something but a module only in tests")
        .into_iter()
        .filter(|(line, _)| !modules.contains(line))
        .collect()
}

fn found(tokens: &[Token], sequence: &[&str], complaint: &'static str) -> Found {
    lines(tokens, sequence).map(|line| (line, complaint)).collect()
}

fn lines<'a>(tokens: &'a [Token], sequence: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
    tokens::find(tokens, sequence).filter_map(|at| tokens.get(at).map(|token| token.line))
}

/// A library's errors are types; `anyhow` is for its program and for tests.
fn vague_errors(file: &File, is_tracked: impl Fn(&str) -> bool) -> Option<String> {
    let (package, path) = file.path.strip_prefix("crates/")?.split_once("/src/")?;
    let is_library = is_tracked(&format!("crates/{package}/src/lib.rs"));
    let tokens = tokens::read(&file.text).unwrap_or_default();
    let is_vague = is_library && path != "main.rs" && lines(&tokens, &["anyhow"]).next().is_some();
    is_vague.then(|| format!("{} is a library's and uses anyhow", file.path))
}

#[test]
fn no_source_has_what_it_may_not_contain() -> anyhow::Result<()> {
    let complaints: Vec<String> = tree::files(".rs")?.iter().flat_map(complaints).collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn no_library_uses_anyhow() -> anyhow::Result<()> {
    let tracked = tree::tracked()?;
    let complaints: Vec<String> = tree::files(".rs")?
        .iter()
        .filter_map(|file| vague_errors(file, |path| tracked.iter().any(|other| other == path)))
        .collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn what_a_source_may_not_contain_is_found() {
    let check = |path: &str, text: &str, expected: &[&str]| {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        assert_eq!(complaints(&file), expected, "{text}");
    };
    let clean = "#[expect(dead_code, reason = \"why\")]\nfn a() {}\n#[cfg(test)]\nmod tests {}\n";
    check("src/a.rs", clean, &[]);
    check("src/a.rs", "fn a() {\n unsafe {}\n}", &["src/a.rs:2 is unsafe, which is allowed in one other file"]);
    check(UNSAFE_ALLOWED, "fn a() { unsafe {} }", &[]);
    check("src/a.rs", "#[expect(dead_code)]\nfn a() {}", &["src/a.rs:1 expects a lint without a reason"]);
    check("src/a.rs", "#![allow(dead_code, reason = \"why\")]", &["src/a.rs:1 allows a lint; expect it instead"]);
    check("src/a.rs", "#[ignore = \"slow\"]\nfn a() {}", &["src/a.rs:1 ignores a test"]);
    check("src/a.rs", "#[cfg(test)]\nfn now() {}", &["src/a.rs:1 has something but a module only in tests"]);
    check("src/a.rs", "fn a( {", &["src/a.rs: line 1: cannot parse string into token stream"]);
}

#[test]
fn a_test_that_sleeps_is_found() {
    let sleep = "fn a() {\n thread::sleep(b);\n}";
    let check = |path: &str, text: &str, expected: usize| {
        let found = tokens::read(text).map(|tokens| sleeping_tests(path, &tokens).len());
        assert_eq!(found.ok(), Some(expected), "{path}: {text}");
    };
    check("tests/e2e/happy.rs", sleep, 1);
    check("crates/forge/src/git/tests.rs", sleep, 1);
    check("crates/forge/tests/push.rs", sleep, 1);
    check("crates/forge/src/git.rs", &format!("#[cfg(test)]\nmod tests {{ {sleep} }}"), 1);
    check("crates/forge/src/git.rs", &format!("{sleep}\n#[cfg(test)]\nmod tests;"), 0);
    check("tests/src/wait.rs", sleep, 0);
}

#[test]
fn a_library_with_anyhow_is_found() {
    let check = |path: &str, text: &str, expected: bool| {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let found = vague_errors(&file, |path| path == "crates/sandbox/src/lib.rs");
        assert_eq!(found.is_some(), expected, "{path}: {text}");
    };
    check("crates/sandbox/src/git.rs", "use anyhow::bail;", true);
    check("crates/sandbox/src/git.rs", "// anyhow", false);
    check("crates/sandbox/src/main.rs", "use anyhow::bail;", false);
    check("crates/demo/src/git.rs", "use anyhow::bail;", false);
}
