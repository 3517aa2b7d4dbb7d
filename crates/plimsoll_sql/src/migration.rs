//! A migration: a file's up section as statements, and how its tool runs them.

use std::ops::Range;

use plimsoll_core::SourceFile;

use crate::parse::{Statement, parse_script};
use crate::transaction::{Place, places};

/// What a tool does around a file's statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionHabit {
    /// One transaction around the whole file.
    File,
    /// The file is sent as one query, which makes several statements one implicit transaction.
    Batch,
    /// Each statement is sent alone, as `psql -f` does.
    Statement,
}

impl TransactionHabit {
    /// All of them, with the word that config uses.
    pub const NAMES: [(&str, Self); 3] =
        [("file", Self::File), ("batch", Self::Batch), ("statement", Self::Statement)];
}

/// One migration, forward.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its file. Ranges below are bytes in its text.
    pub source: SourceFile,
    /// Bytes of its up section.
    pub section: Range<usize>,
    /// The statements of its up section, in order.
    pub statements: Vec<Statement>,
    /// psql commands in it, which only psql runs.
    pub meta_commands: Vec<Range<usize>>,
    /// What its tool does around the statements.
    pub habit: TransactionHabit,
}

impl Migration {
    /// Reads a file whose up section is `section`.
    #[must_use]
    pub fn new(source: SourceFile, section: Range<usize>, habit: TransactionHabit) -> Self {
        let (mut statements, mut meta_commands) = parse_script(&source.text()[section.clone()]);
        for statement in &mut statements {
            statement.shift(section.start);
        }
        for range in &mut meta_commands {
            *range = range.start + section.start..range.end + section.start;
        }
        Self { source, section, statements, meta_commands, habit }
    }

    /// A statement's text.
    #[must_use]
    pub fn sql(&self, statement: &Statement) -> &str {
        &self.source.text()[statement.range.clone()]
    }

    /// In which transaction each statement runs.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        places(&self.statements, self.habit)
    }
}
