//! Why a history can't be read or written. Each completes "failed to …".

use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no file.
    #[error("read the history {}: there is no such file; a run of `check` with [history] path begins it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The folder that the file is to be in isn't there.
    #[error("write the history {}: its folder {} doesn't exist; make it, or name another path", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The file can't be opened or made.
    #[error("open the history {}: {why}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// The file is something else.
    #[error("read the history {}: {what}; it was left as it is. Name another path, under which a history is begun", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A newer program wrote the file.
    #[error("read the history {}: its format is {found}, and this program knows {known}; update the program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// Others have kept the file locked.
    #[error("write the history {}: other programs have kept it locked for {seconds} s; try again when they are done", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// SQLite has failed.
    #[error("use the history {}: {why}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        why: rusqlite::Error,
    },
    /// A score isn't a number that can be ordered.
    #[error("append to the history: the score of query {query} is {score}, not a finite number")]
    Score {
        /// The query.
        query: String,
        /// As it is.
        score: f64,
    },
    /// No measured query has this id.
    #[error(
        "find {id}: the history has no measured query of this id{}; `plimsoll confirm` alone lists them",
        meant(near)
    )]
    UnknownId {
        /// As it was typed.
        id: String,
        /// Those that may have been meant.
        near: Vec<String>,
    },
    /// Several measured queries begin with this id.
    #[error("find {id}: several begin so: {}; write more of it", of.join(", "))]
    AmbiguousId {
        /// As it was typed.
        id: String,
        /// Some of them.
        of: Vec<String>,
    },
}

fn meant(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

impl HistoryError {
    /// Whether what was asked for is wrong, rather than what is there.
    #[must_use]
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Open { .. } | Self::Busy { .. } | Self::Sqlite { .. })
    }
}
