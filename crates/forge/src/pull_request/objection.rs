//! What the forge has against opening a pull request, known by its texts.

/// What the forge has against opening a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// The branch has an open one already.
    Exists,
    /// The base has all its commits.
    NothingToMerge,
    /// A branch is not there, or not visible yet.
    NotVisible,
    /// Anything else.
    Other,
}

impl Objection {
    /// What the text means.
    pub(super) fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let table = [
            ("a pull request already exists for", Self::Exists),
            ("no commits between", Self::NothingToMerge),
            ("head invalid", Self::NotVisible),
            ("base invalid", Self::NotVisible),
        ];
        table.into_iter().find(|(text, _)| message.contains(text)).map_or(Self::Other, |(_, objection)| objection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Answer;

    fn check(errors: &str, expected: Objection) {
        let body = format!(r#"{{"message":"Validation Failed","errors":{errors},"status":"422"}}"#);
        let answer = Answer { status: 422, body, cursor: None };
        assert_eq!(Objection::of(&answer.message()), expected, "{errors}");
    }

    #[test]
    fn an_objection_is_known_by_its_text() {
        check(
            r#"[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for acme:a/deploy-1."}]"#,
            Objection::Exists,
        );
        check(
            r#"[{"resource":"PullRequest","code":"custom","message":"No commits between main and a/deploy-1"}]"#,
            Objection::NothingToMerge,
        );
        check(r#"[{"resource":"PullRequest","field":"head","code":"invalid"}]"#, Objection::NotVisible);
        check(r#"[{"resource":"PullRequest","field":"base","code":"invalid"}]"#, Objection::NotVisible);
        check(r#"["a text that is new"]"#, Objection::Other);
    }

    #[test]
    fn the_forges_own_words_are_kept() {
        let body = r#"{"message":"Validation Failed","errors":[{"field":"title","code":"missing"},"odd"]}"#;
        let answer = Answer { status: 422, body: body.to_owned(), cursor: None };
        assert_eq!(answer.message(), "Validation Failed; title missing; odd");
        let answer = Answer { status: 418, body: "<html>".to_owned(), cursor: None };
        assert_eq!(answer.message(), "HTTP 418");
    }
}
