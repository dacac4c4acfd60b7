//! Looking into Rust sources without being misled by comments and strings.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A word, sign, bracket or literal, and the line it is on.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a source, brackets among them, without comments.
pub(crate) fn read(source: &str) -> anyhow::Result<Vec<Token>> {
    let stream = TokenStream::from_str(source)
        .map_err(|error| anyhow::anyhow!("line {}: {error}", error.span().start().line))?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

/// The places where these tokens follow each other: the index of the first.
pub(crate) fn find<'a>(tokens: &'a [Token], sequence: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
    tokens
        .windows(sequence.len())
        .enumerate()
        .filter(|(_, window)| window.iter().map(|token| token.text.as_str()).eq(sequence.iter().copied()))
        .map(|(at, _)| at)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                tokens.push(Token { text: tree.to_string(), line });
            }
        }
    }
}

#[test]
fn comments_and_strings_are_not_words() -> anyhow::Result<()> {
    let tokens = read("// unsafe\n/* unsafe */ let a = \"unsafe\";\nunsafe { }\n")?;
    let found: Vec<usize> =
        find(&tokens, &["unsafe"]).filter_map(|at| tokens.get(at).map(|token| token.line)).collect();
    assert_eq!(found, [3]);
    assert_eq!(find(&tokens, &["{", "}"]).count(), 1);
    assert!(read("fn broken( {").is_err());
    Ok(())
}
