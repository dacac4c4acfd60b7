//! What of a pull request's words is to be written anew once its branch has been.

use super::{Author, Authors, Proposal};

/// New words for a pull request; what is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewording {
    /// The new title.
    pub title: Option<String>,
    /// The new body.
    pub body: Option<String>,
}

impl Proposal<'_> {
    /// What is to be written in place of this title and this body so that they tell of the proposal as it is now;
    /// `None` when nothing is.
    ///
    /// What a person has changed is theirs and is left alone.
    #[must_use]
    pub fn rewording(&self, title: &str, body: &str) -> Option<Rewording> {
        let authors = Authors::of(title, body);
        let anew = |author: Author, now: &str, new: String| (author == Author::Tagferry && new != now).then_some(new);
        // GitHub keeps ends of lines as the last editor sent them, and may leave out the last one.
        let lines = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        let told = self.body();
        let is_told = lines(&told) == lines(body);
        let rewording = Rewording {
            title: anew(authors.title, title, self.title()),
            body: if is_told { None } else { anew(authors.body, body, told) },
        };
        (rewording.title.is_some() || rewording.body.is_some()).then_some(rewording)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        proposal::tests::{moves, proposal},
        sample::{application, commit},
    };

    #[test]
    fn what_a_person_has_changed_is_left_alone_and_the_rest_is_written_anew() {
        let application = application();
        let moves = moves(&application, commit());
        let earlier = Proposal { subject: Some("Zoom"), ..proposal(&application, &moves[..1]) };
        let now = Proposal { subject: Some("Zoom"), ..proposal(&application, &moves) };
        let (title, body) = (earlier.title(), earlier.body());
        let both = Rewording { title: Some(now.title()), body: Some(now.body()) };
        assert_eq!(now.rewording(&title, &body), Some(both.clone()));
        assert_eq!(now.rewording("Hold this", &body), Some(Rewording { title: None, ..both.clone() }));
        let edited = format!("Please wait.\n\n{body}");
        assert_eq!(now.rewording(&title, &edited), Some(Rewording { body: None, ..both }));
        assert_eq!(now.rewording("Hold this", &edited), None);
        assert_eq!(now.rewording(&title, "no marker"), None);
    }

    #[test]
    fn words_that_tell_of_it_already_stay() {
        let application = application();
        let moves = moves(&application, commit());
        let now = proposal(&application, &moves);
        assert_eq!(now.rewording(&now.title(), &now.body()), None);
        assert_eq!(now.rewording(&now.title(), &now.body().replace('\n', "\r\n")), None);
    }
}
