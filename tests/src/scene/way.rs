//! How Tagferry writes to the forge.

use super::SceneOptions;

/// How Tagferry writes to the forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It pushes by Git.
    Git,
    /// It has the forge make the commits.
    Api,
}

impl Way {
    /// The usual scene with this way.
    #[must_use]
    pub fn options(self) -> SceneOptions {
        let github = match self {
            Self::Git => String::new(),
            Self::Api => "  write: api\n".to_owned(),
        };
        SceneOptions { github, ..SceneOptions::default() }
    }
}
