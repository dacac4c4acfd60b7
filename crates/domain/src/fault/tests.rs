//! How a chain of errors is printed.

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Failure {
    what: &'static str,
    source: Option<Box<Self>>,
}

fn failure(what: &'static str, source: Option<Failure>) -> Failure {
    Failure { what, source: source.map(Box::new) }
}

#[test]
fn a_chain_prints_each_error_once_outermost_first_on_one_line() {
    let alone = failure("the registry does not answer", None);
    assert_eq!(Chain(&alone).to_string(), "the registry does not answer");
    let reset = failure("connection reset", Some(failure("os error 104", None)));
    let outer = failure("asking aws.example for a tag", Some(reset));
    assert_eq!(Chain(&outer).to_string(), "asking aws.example for a tag: connection reset: os error 104");
}
