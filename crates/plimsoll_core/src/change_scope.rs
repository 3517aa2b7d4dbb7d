//! Which files of a change are deployed together.

/// Which files are deployed together: what one of them makes is empty and private to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeScope {
    /// All files are one change.
    Together,
    /// Each file is a change of its own.
    EachFile,
}
