//! Taking out of a text of the forge what looks like a secret, before it goes into errors, logs and the ledger.

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";

/// How GitHub's tokens begin
/// (<https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>).
const TOKENS: &[&str] = &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// How a signed statement, a JSON Web Token, begins: `{"` in Base64.
const STATEMENT: &str = "eyJ";

/// The longest text that is passed on, in characters.
const LONGEST: usize = 1000;

/// The text without tokens, signed statements and the credentials of addresses, cut where it is very long.
///
/// Tokens are opaque and of any length: everything that can belong to one goes with it.
pub(crate) fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(LONGEST));
    let mut rest = text;
    let mut before = None;
    while let Some(next) = rest.chars().next() {
        let hidden = if before.is_some_and(is_of_word) { None } else { secret(rest).or(credentials(&clean, rest)) };
        match hidden {
            Some(_) => clean.push_str(HIDDEN),
            None => clean.push(next),
        }
        let length = hidden.unwrap_or(next.len_utf8());
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        before = taken.chars().next_back();
        rest = left;
    }
    if clean.chars().count() > LONGEST {
        clean = clean.chars().take(LONGEST).chain(['…']).collect();
    }
    clean
}

/// How many bytes at the beginning are a token or a signed statement, if they are one.
fn secret(text: &str) -> Option<usize> {
    let word = beginning(text, |one| !is_of_token(one));
    // The end of a sentence is not of the token.
    let word = word.trim_end_matches('.');
    let is_statement = || word.starts_with(STATEMENT) && word.matches('.').count() == 2;
    let is_secret = TOKENS.iter().any(|prefix| word.starts_with(prefix)) || is_statement();
    is_secret.then_some(word.len())
}

/// How many bytes are a user and password, when an address has just begun and has them.
fn credentials(before: &str, text: &str) -> Option<usize> {
    let authority = beginning(text, |one| one.is_whitespace() || "/?#\"'<>".contains(one));
    authority.rfind('@').filter(|_| before.ends_with("://"))
}

/// The text up to the first character that ends it.
fn beginning(text: &str, ends: impl Fn(char) -> bool) -> &str {
    let end = text.find(ends).unwrap_or(text.len());
    text.split_at_checked(end).map_or(text, |(beginning, _)| beginning)
}

fn is_of_token(one: char) -> bool {
    is_of_word(one) || "-._~+/=".contains(one)
}

fn is_of_word(one: char) -> bool {
    one.is_ascii_alphanumeric() || one == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(scrub(text), expected);
        assert_eq!(scrub(&scrub(text)), expected, "twice is not once");
    }

    #[test]
    fn a_token_of_any_form_and_length_is_hidden() {
        for token in ["ghp_abc", "gho_A1", "ghu_x", "ghr_x", "ghs_x", "github_pat_11ABC_def", "ghs_12_eyJh.eyJi.s-_g"] {
            check(token, "[hidden]");
            check(&format!("remote: bad token \"{token}\"."), "remote: bad token \"[hidden]\".");
            check(&format!("see {token}. Then"), "see [hidden]. Then");
            check(&format!("https://x-access-token:{token}@git.example/a"), "https://[hidden]@git.example/a");
        }
        check(&format!("ghs_{}", "a".repeat(5000)), "[hidden]");
    }

    #[test]
    fn a_signed_statement_is_hidden() {
        check("Bearer eyJhbGciOi.eyJpc3Mi.c2ln-_x!", "Bearer [hidden]!");
        check("eyJustAWord is none", "eyJustAWord is none");
    }

    #[test]
    fn an_address_loses_its_credentials_only() {
        check("fetch https://bot:pw@git.example/a@b failed", "fetch https://[hidden]@git.example/a@b failed");
        check("https://bot:p@ss@git.example", "https://[hidden]@git.example");
        check("https://git.example/a?b=c@d", "https://git.example/a?b=c@d");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in ["", "Résumé … 日本", "the prefix ghx_ is none, nor is Xghp_abc", "a/b@c.d ghs", "1.2.3"] {
            check(text, text);
        }
    }

    #[test]
    fn a_very_long_text_is_cut() {
        let long = scrub(&"é".repeat(5000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert_eq!(scrub(&"b ".repeat(LONGEST / 2)).chars().count(), LONGEST);
    }
}
