//! Whether the checks of a commit passed.

/// What a check says of a commit; a commit status is one without an App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What it is called: the name of a check run, the context of a commit status.
    pub name: String,
    /// Who says so, where that is known.
    pub app: Option<App>,
    /// What it says.
    pub state: CheckState,
    /// Where people read more.
    pub url: Option<String>,
}

/// An App of the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its number.
    pub id: u64,
    /// Its name in addresses, as `github-actions`.
    pub slug: String,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// Nothing final yet.
    Running,
    /// That all is well.
    Succeeded,
    /// Neither that all is well nor that it is not.
    Neutral,
    /// That it did not look.
    Skipped,
    /// That all is not well, in this word of the forge, in lower case: `failure`, `timed_out`.
    Failed(String),
}
