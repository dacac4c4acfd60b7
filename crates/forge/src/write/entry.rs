//! What is under a name in a tree, by its mode.

/// The bits of a mode that say what an entry is (`git help fast-import`, "filemodify").
const FILE: u32 = 0o100_644;
const FILE_OF_GROUP: u32 = 0o100_664;
const EXECUTABLE: u32 = 0o100_755;
const LINK: u32 = 0o120_000;
const DIRECTORY: u32 = 0o040_000;
const SUBMODULE: u32 = 0o160_000;

/// What a tree has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A file that may not be executed.
    Plain,
    /// A file that the group may write, as only old versions of Git made them.
    OfGroup,
    /// A file that may be executed.
    Executable,
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
    /// A commit of another repository.
    Submodule,
    /// Something that no version of Git makes.
    Odd,
}

impl Entry {
    /// The entry with that mode.
    pub(crate) const fn of_mode(mode: u32) -> Self {
        match mode {
            FILE => Self::Plain,
            FILE_OF_GROUP => Self::OfGroup,
            EXECUTABLE => Self::Executable,
            LINK => Self::Link,
            DIRECTORY => Self::Directory,
            SUBMODULE => Self::Submodule,
            _ => Self::Odd,
        }
    }

    /// Whether it is a file, whatever may be done with it.
    pub(crate) const fn is_regular(self) -> bool {
        matches!(self, Self::Plain | Self::OfGroup | Self::Executable)
    }

    /// What it is, with its article.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Plain | Self::OfGroup | Self::Executable => "a file",
            Self::Link => "a symbolic link",
            Self::Directory => "a directory",
            Self::Submodule => "a submodule",
            Self::Odd => "something odd",
        }
    }
}
