//! The severity of a message, PostgreSQL's own words (documentation, chapter 19.8, table 19.2).

use serde::{Deserialize, Serialize};

/// What a message's first word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// `DEBUG1` to `DEBUG5`.
    Debug,
    /// `LOG`.
    Log,
    /// `INFO`.
    Info,
    /// `NOTICE`.
    Notice,
    /// `WARNING`.
    Warning,
    /// `ERROR`: the statement failed.
    Error,
    /// `FATAL`: the session ended.
    Fatal,
    /// `PANIC`: the server ended.
    Panic,
}

impl Severity {
    /// Reads the server's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "LOG" => Self::Log,
            "ERROR" => Self::Error,
            "FATAL" => Self::Fatal,
            "PANIC" => Self::Panic,
            "WARNING" => Self::Warning,
            "NOTICE" => Self::Notice,
            "INFO" => Self::Info,
            "DEBUG" | "DEBUG1" | "DEBUG2" | "DEBUG3" | "DEBUG4" | "DEBUG5" => Self::Debug,
            _ => return None,
        })
    }

    /// The server's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Log => "LOG",
            Self::Info => "INFO",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Panic => "PANIC",
        }
    }

    /// Whether something failed.
    #[must_use]
    pub fn is_failure(self) -> bool {
        self >= Self::Error
    }
}
